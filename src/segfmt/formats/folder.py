"""A folder of images beside a folder of masks, index or color: datasets without a format's name.

Which folders those are is told by their names, or by options. What else stands in a path is the
sample's split, if it is the name of one, and its key.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt

from segfmt.classes import ClassTable
from segfmt.colors import AmbiguousColor, UnknownColor, load_color_mask, write_color_mask
from segfmt.errors import FormatError, UsageError
from segfmt.files import atomic_write, check_key, nfc, walk
from segfmt.format import Accepts, Entry, Format, Holds
from segfmt.hookspecs import hookimpl
from segfmt.imagefile import (
    IMAGE_SUFFIXES,
    Placement,
    image_size,
    mask_mode,
    place_image,
    read_mask,
    write_mask,
)
from segfmt.layout import SPLIT, folder_patterns, place_in
from segfmt.model import Mask, Note, Sample, SampleRef
from segfmt.pairing import SPLITS
from segfmt.pathindex import PathIndex
from segfmt.tablefiles import dataset_table
from segfmt.tables import NO_TABLE, anonymous_table

# As no other format names them; `<split>annot` is SegNet's CamVid.
DETECTED = [
    *(
        (images, masks)
        for masks in ("masks", "mask")
        for images in ("images", "image", "imgs", "img")
    ),
    *((split, f"{split}annot") for split in SPLITS),
]


@dataclass(frozen=True)
class FolderReader:
    """Reads images and masks that answer to one another by folder and stem."""

    root: Path
    images: Annotated[
        str, "folder of the images, such as `rgb` or `{split}/rgb`; found by its name unless given"
    ] = ""
    masks: Annotated[str, "folder of the masks, likewise; may be that of the images"] = ""
    suffix: Annotated[str, "what the stems of masks end in besides, such as `_color`, `_gt`"] = ""
    image_suffix: Annotated[str, "what the stems of images end in besides, such as `_sat`"] = ""
    table: Annotated[str, "class table: a built-in one's name, or a file; else the dataset's"] = ""
    mode: Annotated[
        Literal["auto", "index", "color"], "what masks are; `auto` asks each file: RGB is color"
    ] = "auto"
    unknown: Annotated[
        UnknownColor, "a color that no class has: fail the sample, or take it as ignore, background"
    ] = "error"
    ambiguous: Annotated[
        AmbiguousColor, "a color that several classes have: fail the sample, or take the first"
    ] = "error"
    follow_links: Annotated[bool, "follow links that lead out of the dataset"] = False

    def __post_init__(self) -> None:
        if self.images and self.images == self.masks and not self.suffix:
            raise UsageError("images and masks in one folder need -i suffix, such as _mask")

    @cached_property
    def _known(self) -> ClassTable | None:
        return dataset_table(self.root, self.table, follow_links=self.follow_links)

    @cached_property
    def classes(self) -> ClassTable:
        """The dataset's classes, and `ignore` where unknown colors are to become that."""
        table = self._known or anonymous_table()
        try:
            return table.with_ignore() if self.unknown == "ignore" else table
        except ValueError as error:
            raise UsageError(f"unknown=ignore has no id to give: {error}") from error

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is to be said of the dataset as a whole."""
        if self._known:
            return ()
        return (NO_TABLE,)

    def scan(self) -> Iterator[SampleRef]:
        """List the masks, each with its image; images without a mask are left out."""
        images, doubles = PathIndex(self.root), set[str]()
        for split, key, path in self._files("image"):
            name = f"{split}\0{key}"
            if name in images:
                doubles.add(name)  # of two images of one name none is taken: nothing is guessed
            images.add(name, path)
        for split, key, path in self._files("mask"):
            names = [name for name in (f"{split}\0{key}", f"\0{key}") if name not in doubles]
            image = next((images[name] for name in names if name in images), None)
            yield SampleRef(key, split or "train", image, path)

    def _image_files(self) -> Iterator[tuple[str, Path]]:
        """Yield image files, masks too, each with its folder: POSIX, below the root, in NFC."""
        for path in walk(self.root, follow_links=self.follow_links):
            if path.suffix.lower() in IMAGE_SUFFIXES:
                yield nfc(path.parent.relative_to(self.root).as_posix()), path

    @cached_property
    def _patterns(self) -> tuple[re.Pattern[str], re.Pattern[str]]:
        counts = Counter(folder for folder, _ in self._image_files())
        return folder_patterns(
            self.root, counts, self.images, self.masks, told_apart=bool(self.suffix)
        )

    def _files(self, wanted: str) -> Iterator[tuple[str, str, Path]]:
        """Yield split and key of each `image`, or each `mask`."""
        of_images, of_masks = self._patterns
        kinds = (
            ("mask", of_masks, nfc(self.suffix)),
            ("image", of_images, nfc(self.image_suffix)),
        )
        for folder, path in self._image_files():
            stem = nfc(path.stem)
            for kind, pattern, end in kinds:
                if stem.endswith(end) and (place := place_in(pattern, folder)):
                    if kind == wanted:
                        yield place[0], place[1] + stem.removesuffix(end), path
                    break

    def load(self, ref: SampleRef) -> Sample:
        """Read one mask, which must be as large as its image."""
        path: Path = ref.source
        color = self.mode == "color"
        if self.mode == "auto":
            color = mask_mode(path) in ("RGB", "RGBA")
        mask, notes = self._colors(path) if color else (Mask(read_mask(path)), ())
        height, width = mask.ids.shape
        if ref.image is not None:
            size = image_size(ref.image)
            if sorted(size) != sorted(mask.ids.shape):  # EXIF may turn the image
                problem = f"is {width} x {height}, but its image {size[1]} x {size[0]}"
                raise FormatError(problem, path=path)
        return Sample(ref, (height, width), mask, notes)

    def _colors(self, path: Path) -> tuple[Mask, tuple[Note, ...]]:
        if not self._known:
            raise FormatError(
                "is a color mask, and nothing says which color is which class",
                path=path,
                mend="Give --table, a built-in one's name or a file such as labelmap.txt.",
            )
        return load_color_mask(path, self.classes, unknown=self.unknown, ambiguous=self.ambiguous)


@dataclass(frozen=True)
class FolderWriter:
    """Writes `images/<split>/<key>` as it was, `masks/<split>/<key>.png`, and `classes.json`."""

    root: Path
    classes: ClassTable
    masks: Annotated[Literal["index", "color"], "class ids, or the classes' colors as RGB"] = (
        "index"
    )
    palette: Annotated[bool, "index masks with the classes' colors as palette, not greyscale"] = (
        True
    )
    image_folder: Annotated[str, "where images go; `{split}` stands for the split"] = (
        f"images/{SPLIT}"
    )
    mask_folder: Annotated[str, "where masks go, likewise"] = f"masks/{SPLIT}"
    suffix: Annotated[str, "added to the stems of masks, such as `_color`"] = ""
    images: Annotated[Placement, "how images get there; their format stays"] = "copy"
    accepts: Accepts = field(default=Accepts(mask=True), init=False)

    def __post_init__(self) -> None:
        check_key(self.image_folder, "Give -o image_folder a path below the target.")
        check_key(
            f"{self.mask_folder}/x{self.suffix}", "Give -o mask_folder a path below the target."
        )
        if "/" in self.suffix:
            raise UsageError(f'-o suffix={self.suffix}: an end of a file name has no "/"')
        if self.image_folder == self.mask_folder and not self.suffix:
            raise UsageError("images and masks in one folder need -o suffix, such as _mask")
        if beyond := [info for info in self.classes if info.id > 255]:
            raise UsageError(
                f'class "{beyond[0].name}" has the id {beyond[0].id}: 8-bit masks end at 255'
            )

    @cached_property
    def _palette(self) -> npt.NDArray[np.uint8] | None:
        return self.classes.palette() if self.palette else None

    def write(self, sample: Sample) -> Entry:
        """Write the mask and put the image into place."""
        assert isinstance(sample.label, Mask)  # noqa: S101 - what `accepts` says
        ref, ids = sample.ref, sample.label.ids
        mask = f"{self.mask_folder.replace(SPLIT, ref.split)}/{ref.key}{self.suffix}.png"
        files: tuple[str, ...] = (mask,)
        notes: tuple[Note, ...] = ()
        if ref.image is not None and self.images != "none":
            image = f"{self.image_folder.replace(SPLIT, ref.split)}/{ref.key}{ref.image.suffix}"
            notes = place_image(ref.image, self.root / image, self.images, reencode=False)
            files = (mask, image)
        if self.masks == "index":
            write_mask(self.root / mask, ids, self._palette)
        else:
            write_color_mask(self.root / mask, ids, self.classes)
            notes += self._shared(ids)
        return Entry(ref.split, ref.key, files, notes)

    def _shared(self, ids: npt.NDArray[np.uint8]) -> tuple[Note, ...]:
        shared = self.classes.shared_colors().values()
        used = np.bincount(ids.reshape(-1), minlength=256) if shared else ()
        return tuple(
            Note("colors that several classes share", " and ".join(info.name for info in infos))
            for infos in shared
            if any(used[info.id] for info in infos)
        )

    def finish(self, entries: Iterable[Entry]) -> None:
        """Write `classes.json`; `FormatError` if two samples had one file."""
        split_apart = SPLIT in self.image_folder and SPLIT in self.mask_folder
        if not split_apart or self.image_folder == self.mask_folder:
            self._check_apart(entries)
        atomic_write(self.root / "classes.json", self.classes.to_json())

    def _check_apart(self, entries: Iterable[Entry]) -> None:
        seen: set[str] = set()
        for entry in entries:
            for name in entry.files:
                if name in seen:
                    raise FormatError(
                        f"was written for {entry.split}/{entry.key} and for another sample",
                        path=self.root / name,
                        mend="Give -o image_folder and mask_folder with {split}.",
                    )
                seen.add(name)


def detect(root: Path) -> str | None:
    """Tell it by the names of folders, in the root or below a split."""
    folders = [path for path in root.iterdir() if path.is_dir()]
    splits = [path for path in folders if path.name.casefold() in SPLITS]
    folders += [path for split in splits for path in split.iterdir() if path.is_dir()]
    names = {path.name.casefold(): path for path in folders}
    for images, masks in DETECTED:
        if images in names and masks in names:
            first = next(walk(names[masks]), None)
            if first and first.suffix.lower() in IMAGE_SUFFIXES:
                return f"there are folders {names[images].name} and {names[masks].name}"
    return None


@hookimpl
def segfmt_formats() -> list[Format]:
    """Bring folders of images and masks."""
    return [
        Format(
            "folder",
            "a folder of images beside one of masks, index or color",
            reader=FolderReader,
            writer=FolderWriter,
            detect=detect,
            holds=Holds(holes=True, ignore=True, splits=True, colors=True, class_ids=True),
        )
    ]
