"""MMSegmentation: images, masks of ids, lists of stems, and Python that makes a dataset of them.

Its `BaseSegDataset` (1.x) and `CustomDataset` (0.x) read images of one suffix and masks of one, the
names being the same up to there. A split with JPEG and PNG images becomes two datasets, joined.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from keyword import iskeyword
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt

from segfmt.classes import ClassTable
from segfmt.errors import FormatError, UsageError
from segfmt.files import atomic_write
from segfmt.format import Accepts, Entry, Format, Holds
from segfmt.formats._mmseg_code import Code, Layout, folders_of, split_list
from segfmt.formats._mmseg_read import MmsegReader, detect
from segfmt.hookspecs import hookimpl
from segfmt.imagefile import Placement, place_image, write_mask
from segfmt.listed import check_apart
from segfmt.model import Mask, Note, Sample
from segfmt.trainids import check_contiguous, ignore_as_255

KEPT_SUFFIXES = {".jpg": ".jpg", ".jpeg": ".jpg", ".png": ".png"}


@dataclass(frozen=True)
class MmsegWriter:
    """Writes masks of ids, 255 for ignore, with `dataset.py` and `config.py` beside them."""

    root: Path
    classes: ClassTable
    layout: Annotated[
        Layout, "`seed`: images/, labels/, splits/; `official`: img_dir/<split>/, ann_dir/<split>/"
    ] = "seed"
    images: Annotated[Placement, "how images get there"] = "copy"
    image_suffix: Annotated[
        Literal["source", ".jpg", ".png"],
        "the format of images, or as it was",
    ] = "source"
    palette: Annotated[bool, "masks with the classes' colors as palette, not greyscale"] = False
    version: Annotated[Literal[1, 0], "of MMSegmentation: 1.x, or 0.x"] = 1
    name: Annotated[str, "what the dataset class is called"] = "SegfmtDataset"
    accepts: Accepts = field(default=Accepts(mask=True), init=False)

    def __post_init__(self) -> None:
        classes = ignore_as_255(self.classes, "MMSegmentation's masks")
        check_contiguous(classes, "MMSegmentation")
        if self.images == "none" and self.image_suffix == "source":
            raise UsageError(
                "the config says how images end: with --images none, give -o image_suffix=.jpg or "
                ".png"
            )
        if not self.name.isidentifier() or iskeyword(self.name):
            raise UsageError(f"-o name={self.name}: that is no name for a class in Python")
        object.__setattr__(self, "classes", classes)

    def write(self, sample: Sample) -> Entry:
        """Write the mask and put the image in its place.

        Raises `FormatError` for a name that MMSegmentation would not find again.
        """
        assert isinstance(sample.label, Mask)  # noqa: S101 - what `accepts` says
        ref = sample.ref
        suffix = self._suffix(ref.image)
        self._check_key(ref.key, suffix, ref.image)
        images, masks = folders_of(self.layout, ref.split)
        files: tuple[str, ...] = (f"{masks}/{ref.key}.png",)
        notes: tuple[Note, ...] = ()
        if ref.image is not None and self.images != "none":
            files += (f"{images}/{ref.key}{suffix}",)
            notes = place_image(ref.image, self.root / files[1], self.images)
        elif ref.image is None and self.images != "none":
            notes = (Note("in no list: image missing", f"{ref.split}/{ref.key}"),)
        write_mask(self.root / files[0], sample.label.ids, self._colors)
        return Entry(ref.split, ref.key, files, notes)

    def finish(self, entries: Iterable[Entry]) -> None:
        """Write lists, class table, dataset class and config.

        Raises `FormatError` if samples of several splits have one name, and so one file.
        """
        lists: dict[str, list[str]] = {}
        parts: dict[str, dict[str, list[str]]] = {}  # of each list, by the suffix of the image
        for entry in entries:
            placed = len(entry.files) > 1
            if placed or self.images == "none":
                suffix = PurePosixPath(entry.files[1]).suffix if placed else self.image_suffix
                lists.setdefault(entry.split, []).append(entry.key)
                parts.setdefault(entry.split, {}).setdefault(suffix, []).append(entry.key)
        if self.layout == "seed":
            check_apart(lists, "-o layout=official")
            for split, by_suffix in parts.items():
                self._write_list(split_list(split), lists[split])
                for suffix, keys in by_suffix.items() if len(by_suffix) > 1 else ():
                    self._write_list(split_list(split, suffix), keys)
        atomic_write(self.root / "classes.json", self.classes.to_json())
        code = Code(self.name, self.classes, self.version, self.layout)
        suffixes = {split: sorted(by_suffix) for split, by_suffix in parts.items()}
        atomic_write(self.root / "dataset.py", code.dataset(suffixes).encode())
        atomic_write(self.root / "config.py", code.config(suffixes).encode())

    def _write_list(self, path: str, keys: list[str]) -> None:
        atomic_write(self.root / path, "".join(f"{key}\n" for key in keys).encode())

    @cached_property
    def _colors(self) -> npt.NDArray[np.uint8] | None:
        return self.classes.palette() if self.palette else None

    def _suffix(self, image: Path | None) -> str:
        if self.image_suffix != "source":
            return self.image_suffix
        return KEPT_SUFFIXES.get(image.suffix.lower(), ".png") if image else ".png"

    def _check_key(self, key: str, suffix: str, image: Path | None) -> None:
        problem = ""
        if key != key.strip():
            problem = "begins or ends with a blank, which MMSegmentation strips off"
        elif self.layout == "official" and suffix in key:
            problem = f'has "{suffix}" in it, of which MMSegmentation replaces every one'
        if problem:
            raise FormatError(f'"{key}" {problem}', path=image, mend="Rename the source file.")


@hookimpl
def segfmt_formats() -> list[Format]:
    """Bring MMSegmentation."""
    return [
        Format(
            "mmseg",
            "MMSegmentation: images, masks, lists, dataset class, config",
            reader=MmsegReader,
            writer=MmsegWriter,
            detect=detect,
            holds=Holds(holes=True, ignore=True, splits=True, colors=True, class_ids=True),
        )
    ]
