"""COCO-Stuff's pixel maps: grey PNG of category ids less one, 255 for what is not labeled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt

import segfmt
from segfmt import (
    Accepts,
    ClassInfo,
    ClassTable,
    Entry,
    FormatError,
    Mask,
    Note,
    Placement,
    Sample,
    SampleRef,
    UsageError,
)
from segfmt_coco.categories import VOID_COLOR, as_background, color_of, role_of
from segfmt_coco.layout import named_split
from segfmt_coco.stuff_labels import LABELS

MAPS, NAMES = "stuffthingmaps", "labels.txt"
UNLABELED = 255
_IGNORE = ClassInfo(UNLABELED, "unlabeled", VOID_COLOR, "ignore")
_TRAIN_IDS = "_labelTrainIds"  # what MMSegmentation's script puts beside them


@dataclass(frozen=True)
class StuffReader:
    """Reads `stuffthingmaps/<split>/<key>.png`; class ids are category ids, 255 is ignore."""

    root: Path
    maps: Annotated[
        str, "the folder of the maps: `annotations` as COCO-Stuff's page and mmseg set it up"
    ] = MAPS
    values: Annotated[
        Literal["shifted", "ids"],
        "what pixels hold: ids less one, or, as in stuff_*_pixelmaps, ids, 0 being unlabeled",
    ] = "shifted"
    follow_links: Annotated[bool, "follow links that lead out of the dataset"] = False

    @cached_property
    def classes(self) -> ClassTable:
        """The classes of `labels.txt`, else COCO-Stuff's 182; ignore is what is not labeled."""
        path = self.root / NAMES
        names = read_labels(path) if path.is_file() else dict(enumerate(LABELS, start=1))
        try:
            infos = [ClassInfo(id, name, color_of(id), role_of(name)) for id, name in names.items()]
            return ClassTable([*infos, _IGNORE])
        except ValueError as error:
            raise FormatError(f"is no class table: {error}", path=path) from error

    @cached_property
    def _lut(self) -> npt.NDArray[np.uint8]:
        lut = np.arange(256, dtype=np.uint8)
        if self.values == "shifted":
            lut += 1
            lut[254] = 0  # no id at all, rather than the one that stands for ignore
        else:
            lut[0] = UNLABELED
        lut[255] = UNLABELED
        return lut

    def scan(self) -> Iterator[SampleRef]:
        """List the maps, each with its image."""
        folder = self.root / self.maps
        if not folder.is_dir():
            raise FormatError("is not there; -i maps gives the folder of the maps", path=folder)
        maps: list[Path] = []
        images = segfmt.ImageIndex(self.root)
        for path in segfmt.walk(self.root, follow_links=self.follow_links):
            if path.is_relative_to(folder):
                if path.suffix.lower() == ".png" and not path.stem.endswith(_TRAIN_IDS):
                    maps.append(path)
            elif path.suffix.lower() in segfmt.IMAGE_SUFFIXES:
                images.add(path)
        for path in maps:
            split, key = _place(path.relative_to(folder))
            yield SampleRef(key, split, images.near(path, path.stem), path)

    def load(self, ref: SampleRef) -> Sample:
        """Read one map."""
        ids = self._lut[segfmt.read_mask(ref.source)]
        if ref.image:
            size = segfmt.image_size(ref.image)
            if sorted(size) != sorted(ids.shape):  # an image may be turned by its EXIF
                words = f"is {ids.shape[1]} x {ids.shape[0]}, but its image {size[1]} x {size[0]}"
                raise FormatError(words, path=ref.source)
        return Sample(ref, (ids.shape[0], ids.shape[1]), Mask(ids))


@dataclass(frozen=True)
class StuffWriter:
    """Writes `stuffthingmaps/<split>/<key>.png` and `labels.txt`.

    A class of id 0, which has no value there, or beyond 254 takes the first id that is free.
    """

    root: Path
    classes: ClassTable
    maps: Annotated[str, "the folder of the maps; mmseg looks in `annotations`"] = MAPS
    year: Annotated[str, "what names of splits end in: 2017 makes them COCO's own"] = ""
    images: Annotated[Placement, "how images get there"] = "copy"
    accepts: Accepts = field(default=Accepts(mask=True), init=False)

    def __post_init__(self) -> None:
        segfmt.check_key(self.maps, "Give -o maps a path below the target.")
        object.__setattr__(self, "classes", _numbered(self.classes))

    def write(self, sample: Sample) -> Entry:
        """Write the map, and put the image at `images/<split>/<key>`."""
        assert isinstance(sample.label, Mask)  # noqa: S101 - what `accepts` says
        ref, split = sample.ref, f"{sample.ref.split}{self.year}"
        files = [f"{self.maps}/{split}/{ref.key}.png"]
        notes: tuple[Note, ...] = ()
        if ref.image and self.images != "none":
            files.append(f"images/{split}/{ref.key}{ref.image.suffix.lower()}")
            notes = segfmt.place_image(ref.image, self.root / files[1], self.images)
        values = np.arange(-1, 255).astype(np.uint8)
        values[UNLABELED] = UNLABELED
        segfmt.write_mask(self.root / files[0], values[sample.label.ids])
        return Entry(ref.split, ref.key, tuple(files), notes)

    def finish(self, entries: Iterable[Entry]) -> None:  # noqa: ARG002 - no list to write
        """Write `labels.txt`, `id: name` a line, in which 0 is what pixels have as 255."""
        infos = sorted(self.classes, key=lambda info: info.id)
        lines = [f"{info.id}: {info.name}\n" for info in infos if info.role != "ignore"]
        segfmt.atomic_write(self.root / NAMES, "".join(["0: unlabeled\n", *lines]).encode())


def _numbered(classes: ClassTable) -> ClassTable:
    kept = [as_background(info) for info in classes if info.role != "ignore"]
    free = iter(sorted({*range(1, UNLABELED)} - {info.id for info in kept}))
    infos = []
    for info in kept:
        id = info.id if 0 < info.id < UNLABELED else next(free, None)
        if id is None:
            raise UsageError(f"{len(kept)} classes do not fit: the values of stuff maps end at 253")
        infos.append(replace(info, id=id))
    return ClassTable([*infos, replace(classes.ignore or _IGNORE, id=UNLABELED)])


def read_labels(path: Path) -> dict[int, str]:
    """Return the names of `labels.txt` by id, without 0, which is what is not labeled."""
    names = {}
    for number, line in segfmt.read_list(path):
        id, colon, name = line.partition(":")
        if not (colon and id.strip().isdecimal() and int(id) < UNLABELED and name.strip()):
            problem = f'is not "id: name", the id being 0 to {UNLABELED - 1}'
            raise FormatError(problem, path=path, where=f"line {number}")
        names[int(id)] = segfmt.nfc(name.strip())
    names.pop(0, None)
    return names


def _place(relative: Path) -> tuple[str, str]:
    """Return the split and the key of a map."""
    parts = segfmt.nfc(relative.with_suffix("").as_posix()).split("/")
    split = named_split(parts[0]) if len(parts) > 1 else None
    return (split, "/".join(parts[1:])) if split else ("train", "/".join(parts))


def detect(root: Path) -> str | None:
    """Tell it by the folder of the maps."""
    found = next(segfmt.walk(root / MAPS), None) if (root / MAPS).is_dir() else None
    return f"there is a folder {MAPS}" if found else None
