"""Reading Pascal VOC: lists, masks of ids or colors, object masks, and what names the classes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt

from segfmt.classes import ClassTable
from segfmt.colors import UnknownColor, load_color_mask
from segfmt.errors import FormatError, UsageError
from segfmt.files import inside, nfc, walk
from segfmt.formats._voc_classes import OBJECT_COLORS, TABLE_FILES, VOID, read_classes
from segfmt.imagefile import IMAGE_SUFFIXES, mask_mode, read_colors, read_mask
from segfmt.listed import (
    BadLine,
    Lists,
    list_remarks,
    listed_samples,
    mask_sample,
    read_lists,
)
from segfmt.model import Mask, Note, Sample, SampleRef
from segfmt.pairs import recode_pairs
from segfmt.pathindex import PathIndex
from segfmt.tables import TABLES, table_named
from segfmt.trainids import plus_ignore

MASKS = "SegmentationClass"
LISTS = "ImageSets/Segmentation"
COLOR_MODES = ("RGB", "RGBA")
BASES = ("VOC20*", "VOCdevkit/*", "TrainVal/VOCdevkit/*")  # as the archives of the years unpack


@dataclass(frozen=True)
class VocReader:
    """Reads the masks that the lists name, or all of them where there are no lists."""

    root: Path
    masks: Annotated[str, "folder of the class masks, such as `SegmentationClassAug`"] = MASKS
    table: Annotated[str, "class table: a built-in one's name, or a file; else the dataset's"] = ""
    unknown: Annotated[
        UnknownColor, "a color that no class has: fail the sample, or take it as ignore, background"
    ] = "error"
    follow_links: Annotated[bool, "follow links that lead out of the dataset"] = False

    @cached_property
    def _base(self) -> Path:
        found = find_bases(self.root, self.masks)
        if len(found) > 1:
            names = ", ".join(path.relative_to(self.root).as_posix() for path in found)
            raise UsageError(f"{self.root} holds several datasets: {names}. Give one of them")
        return found[0] if found else self.root

    @cached_property
    def _known(self) -> ClassTable | None:
        if self.table:
            given = Path(self.table)
            own = given.name in TABLE_FILES and given.is_file()
            return plus_ignore(read_classes(given) if own else table_named(self.table))
        places = (at / name for name in TABLE_FILES for at in (self._base, self.root))
        found = next((path for path in places if path.is_file()), None)
        if found is None:
            return None
        table = read_classes(inside(found, self.root, follow_links=self.follow_links))
        # What segfmt wrote says all there is; others name the classes alone.
        return table if found.name == "classes.json" else plus_ignore(table)

    @cached_property
    def classes(self) -> ClassTable:
        """The dataset's classes, else VOC's own."""
        return self._known or TABLES["voc"]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is to be said of the dataset as a whole."""
        remarks = []
        if not self._known:
            remarks.append("no class table was found: classes are VOC's own 20. Give --table")
        masks = self._files(self.masks, ".png")
        remarks += list_remarks(self._lists(masks), masks)
        for _, path in islice(masks.pairs(), 1):
            remarks += _palette_remarks(path, self.classes)
        return tuple(remarks)

    def scan(self) -> Iterator[SampleRef]:
        """List the samples: by list, or else all masks as split `train`.

        A list none of whose samples has a mask, as VOC's test lists are, gives none.
        """
        masks, images = self._files(self.masks, ".png"), self._files("JPEGImages", ".jpg")
        lists = self._lists(masks)
        yield from listed_samples(lists, masks, images)
        if not lists:
            for key, mask in masks.pairs():
                yield SampleRef(key, "train", images.get(key), mask)

    def load(self, ref: SampleRef) -> Sample:
        """Read one mask, and the object mask beside it."""
        if isinstance(ref.source, BadLine):
            raise ref.source.error()
        path: Path = ref.source
        notes: tuple[Note, ...] = ()
        if mask_mode(path) in COLOR_MODES:
            mask, notes = load_color_mask(path, self.classes, unknown=self.unknown)
        else:
            mask = Mask(read_mask(path))
        mask = replace(mask, instances=self._objects(path, mask.ids))
        return mask_sample(ref, path, mask, notes)

    def _objects(self, path: Path, ids: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint16] | None:
        """Return the object numbers of a mask, unique in the image, where they are known."""
        folder = self._base / self.masks.replace("Class", "Object", 1)
        objects = folder / path.relative_to(self._base / self.masks)
        if not objects.is_file() or objects == path:
            return None
        inside(objects, self.root, follow_links=self.follow_links)
        if mask_mode(objects) in COLOR_MODES:
            numbers = load_color_mask(objects, OBJECT_COLORS)[0].ids
        else:
            numbers = read_mask(objects)
        if numbers.shape != ids.shape:
            raise FormatError("is not as large as the mask of the classes", path=objects)
        none = [info.id for info in self.classes if info.role != "class"]
        return recode_pairs(
            ids,
            numbers,
            lambda ids, numbers: np.where((numbers == VOID) | np.isin(ids, none), 0, numbers),
        )

    def _files(self, name: str, first: str) -> PathIndex:
        """Return the image files of a folder by key; of one key, the one that ends in `first`."""
        folder = self._base / name
        found = PathIndex(self._base)
        for path in walk(folder, follow_links=self.follow_links) if folder.is_dir() else ():
            suffix = path.suffix.lower()
            if suffix in IMAGE_SUFFIXES:
                key = nfc(path.relative_to(folder).with_suffix("").as_posix())
                if suffix == first or key not in found:
                    found.add(key, path)
        return found

    def _lists(self, masks: PathIndex) -> Lists:
        paths = {path.stem: path for path in sorted((self._base / LISTS).glob("*.txt"))}
        if {"train", "val"} <= paths.keys():
            paths.pop("trainval", None)
        lists = read_lists(
            inside(path, self.root, follow_links=self.follow_links) for path in paths.values()
        )
        for path, keys in lists.items():
            for line, key in keys.items():
                if key not in masks:
                    _check_columns(path, line, key)
        return lists


def _check_columns(path: Path, line: int, key: str) -> None:
    columns = key.split()
    if len(columns) > 1 and (columns[-1] in ("-1", "0", "1") or key.startswith("/")):
        raise FormatError(
            f'has two columns, "{key}": it is no list of segmentation',
            path=path,
            where=f"line {line}",
            mend=f"Lists in {LISTS} have one name a line, without extension.",
        )


def find_bases(root: Path, masks: str = MASKS) -> list[Path]:
    """Return the folders that hold a VOC dataset: `root` itself, or those below it."""
    if (root / masks).is_dir():
        return [root]
    return sorted({path for at in BASES for path in root.glob(at) if (path / masks).is_dir()})


def _palette_remarks(path: Path, classes: ClassTable) -> list[str]:
    """Say where the palette of a mask gives a class another color than the class table."""
    try:
        if mask_mode(path) != "P":
            return []
        found, places = np.unique(read_mask(path), return_index=True)
        colors = read_colors(path).reshape(-1, 3)[places].tolist()
    except FormatError:
        return []  # `load` will meet the same error and tell
    known = {info.id: info for info in classes}
    for id, color in zip(found.tolist(), map(tuple, colors), strict=True):
        if id in known and id != VOID and known[id].color != color:
            name = f'{id} ("{known[id].name}")'
            return [
                f"{path.name}: its palette has {color} for {name}, the class table "
                f"{known[id].color}. Ids are taken as they are; see to it that the names fit"
            ]
    return []


def detect(root: Path) -> str | None:
    """Tell VOC by `SegmentationClass` beside `JPEGImages` or `ImageSets`."""
    for base in find_bases(root):
        if (base / "JPEGImages").is_dir() or (base / "ImageSets").is_dir():
            return f"there is a folder {(base / MASKS).relative_to(root).as_posix()}"
    return None
