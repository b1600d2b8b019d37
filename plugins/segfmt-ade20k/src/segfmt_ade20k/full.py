"""The full release of 2021: `<image>_seg.png` and `<image>.json` beside each image, by scene.

The class of a pixel is `red // 10 * 256 + green`, its object is blue. What the classes are called
stands in the JSON files, where `name_ndx` is the class. The release's own index is a pickle, which
would run whatever it holds: it is never opened.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np

import segfmt
from segfmt_ade20k.challenge import SPLITS
from segfmt_ade20k.classes import IGNORE_COLOR, named

SEG, PARTS = "_seg.png", "_parts_1.png"
LISTED = (SEG, PARTS, ".jpg", ".json")  # the hundreds of thousands of masks of one object are not
LARGEST = 255 // 10 * 256 + 255  # class that red and green can say


class Level(msgspec.Struct, frozen=True):
    """Where an object stands in the hierarchy of parts: 0 is no part of another."""

    part_level: int = 0


class Thing(msgspec.Struct, gc=False):
    """One object of an image."""

    name: str
    name_ndx: int
    parts: Level = Level()


class Annotation(msgspec.Struct):
    """The objects of an image; MATLAB writes a list of one as that one."""

    object: list[Thing] | Thing


class Document(msgspec.Struct):
    """A JSON file; whatever else is in it is skipped."""

    annotation: Annotation


DOCUMENT = msgspec.json.Decoder(Document)


@dataclass(frozen=True)
class Ade20kFullReader:
    """Reads classes and object numbers; masks of parts, and those of single objects, are not read.

    A mask with ids beyond 255 is uint16.
    """

    root: Path
    instances: Annotated[bool, "read object numbers too"] = True
    table: Annotated[str, "class table: a file; else the names in the JSON files"] = ""
    follow_links: Annotated[bool, "follow links that lead out of the dataset"] = False

    @property
    def classes(self) -> segfmt.ClassTable:
        """What the JSON files of the dataset name, and ignore."""
        return self._survey[0]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is to be said of the dataset as a whole."""
        return self._survey[1]

    @cached_property
    def _survey(self) -> tuple[segfmt.ClassTable, tuple[str, ...]]:
        files = self._files()
        remarks = []
        if parts := sum(name.endswith(PARTS) for name in files):
            remarks.append(f"parts of objects are not read: {parts} images have masks of them")
        if self.table:
            return segfmt.table_named(self.table), tuple(remarks)
        stems = [name.removesuffix(SEG) for name in files if name.endswith(SEG)]
        paths = [files[name] for stem in stems if (name := f"{stem}.json") in files]
        names, more = read_names(paths)
        if stems and not names:
            raise segfmt.UsageError(
                f"{self.root} does not say what its classes are called: {more[0]}. "
                if more
                else f"{self.root} does not say what its classes are called: its masks have no "
                "JSON files beside them. The _atr.txt of releases before 2021 name classes without "
                "their ids: give --table"
            )
        unlabeled, *classes = named({0: "unlabeled", **names})
        ignore = replace(unlabeled, color=IGNORE_COLOR, role="ignore")
        return segfmt.ClassTable([ignore, *classes]), (*remarks, *more)

    def scan(self) -> Iterator[segfmt.SampleRef]:
        """List the masks, each with its image."""
        files = self._files()
        for name, path in files.items():
            if name.endswith(SEG):
                stem = name.removesuffix(SEG)
                split, key = _place(stem)
                yield segfmt.SampleRef(key, split, files.get(f"{stem}.jpg"), path)

    def load(self, ref: segfmt.SampleRef) -> segfmt.Sample:
        """Read one mask."""
        red, green, blue = np.moveaxis(segfmt.read_colors(ref.source), -1, 0)
        ids = (red // 10).astype(np.uint16) * 256 + green
        mask = segfmt.Mask(
            ids if ids.max() > 255 else ids.astype(np.uint8),
            blue.astype(np.uint16) if self.instances else None,
        )
        return segfmt.mask_sample(ref, ref.source, mask)

    def _files(self) -> dict[str, Path]:
        """Return the files that matter by their paths below the root, in NFC."""
        return {
            segfmt.nfc(path.relative_to(self.root).as_posix()): path
            for path in segfmt.walk(self.root, follow_links=self.follow_links)
            if path.name.endswith(LISTED)
        }


def read_names(paths: list[Path]) -> tuple[dict[int, str], list[str]]:
    """Return what the classes of objects are called, by id, and what is to be said of the files."""
    names: dict[int, str] = {}
    others: dict[int, str] = {}
    broken: list[segfmt.FormatError] = []
    for path in paths:
        try:
            things = read_objects(path)
        except segfmt.FormatError as error:
            broken.append(error)
            continue
        for thing in things:
            id = thing.name_ndx
            # Parts of objects have classes of their own, which no `_seg.png` shows.
            if thing.parts.part_level == 0 and 0 < id <= LARGEST:
                name = thing.name.strip(" ,") or f"class_{id}"
                if names.setdefault(id, name) != name:
                    others.setdefault(id, name)
    remarks = []
    if others:
        id, other = next(iter(others.items()))
        remarks.append(
            f"{len(others)} classes have several names, of which the first is taken, such as {id}: "
            f'"{names[id]}" and "{other}"'
        )
    if broken:
        remarks.append(
            f"{len(broken)} JSON files are not read, so that names may be missing: {broken[0]}"
        )
    return names, remarks


def read_objects(path: Path) -> list[Thing]:
    """Return the objects that a JSON file names; `FormatError` if it is none.

    Names in Latin-1 are understood: MATLAB wrote the files in the encoding of its machine.
    """
    data = path.read_bytes()
    try:
        data.decode()
    except UnicodeDecodeError:
        data = data.decode("latin-1").encode()
    try:
        document = DOCUMENT.decode(data)
    except (msgspec.DecodeError, RecursionError):
        document, _ = segfmt.load_json(path, DOCUMENT)  # which says where it is wrong
    found = document.annotation.object
    return found if isinstance(found, list) else [found]


def _place(stem: str) -> tuple[str, str]:
    """Return the split and the key of what stands below a folder that is named like a split."""
    parts = stem.split("/")
    for place, part in enumerate(parts[:-1]):
        if part in SPLITS:
            return SPLITS[part], "/".join(parts[place + 1 :])
    return "train", stem


def detect_full(root: Path) -> str | None:
    """Tell it by the folder `images/ADE`, in the root or in the one that the archive unpacks to."""
    for folder in (root / "images", *root.glob("*/images")):
        if (folder / "ADE").is_dir():
            return f"there is a folder {(folder / 'ADE').relative_to(root).as_posix()}"
    return None
