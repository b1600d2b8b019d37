"""Reading EdgeNets' lists: the grammar is that of its loaders, and what they fail on fails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt

from segfmt.classes import ClassTable
from segfmt.errors import FormatError
from segfmt.files import inside, nfc, walk
from segfmt.imagefile import IMAGE_SUFFIXES, mask_mode, read_colors, read_mask
from segfmt.listed import BadLine, mask_sample
from segfmt.lists import read_list
from segfmt.model import Mask, Note, Sample, SampleRef
from segfmt.pathindex import PathIndex
from segfmt.tablefiles import dataset_table
from segfmt.tables import NO_TABLE, TABLES, anonymous_table

Flavor = Literal["custom", "cityscapes", "voc"]
Files = dict[Path, PathIndex]  # of each folder, the files by their paths below it in NFC
# The lists that the loaders read; another file is a list if its first line is one.
LISTS: dict[Flavor, tuple[str, ...]] = {
    "custom": ("train", "val"),
    "cityscapes": ("train", "val", "train_coarse"),
    "voc": ("train_aug", "val"),
}


def columns_of(line: str, flavor: Flavor) -> tuple[str, str] | None:
    """Return the image and the mask that a list's line names, as the loader splits it, or None.

    >>> columns_of("a.jpg, a.png", "custom"), columns_of("a.jpg, a.png", "cityscapes")
    (('a.jpg', 'a.png'), ('a.jpg', ' a.png'))
    """
    if flavor == "voc":
        fields = line.split()
    elif flavor == "custom":
        fields = [part.strip() for part in line.split(",")]
    else:
        fields = [part.rstrip() for part in line.split(",")]
    return (fields[0], fields[1]) if len(fields) > 1 else None


@dataclass(frozen=True)
class EspnetReader:
    """Reads what the lists name; a line that names no pair of files is a sample that fails."""

    root: Path
    flavor: Annotated[
        Literal["auto", "custom", "cityscapes", "voc"], "whose grammar the lists are in"
    ] = "auto"
    table: Annotated[str, "class table: a built-in one's name, or a file; else the dataset's"] = ""
    follow_links: Annotated[bool, "follow links that lead out of the dataset"] = False

    @cached_property
    def _flavor(self) -> Flavor:
        if self.flavor != "auto":
            return self.flavor
        if any((self._voc / "list" / f"{name}.txt").is_file() for name in LISTS["voc"]):
            return "voc"
        return "cityscapes" if (self.root / "leftImg8bit").is_dir() else "custom"

    @property
    def _voc(self) -> Path:
        return self.root / "VOC2012" if (self.root / "VOC2012").is_dir() else self.root

    @cached_property
    def _folders(self) -> tuple[Path, Path]:
        """What the columns of a line are relative to."""
        if self._flavor == "voc":
            return self._voc, self._voc
        folders = self.root / "images", self.root / "annotations"
        if self._flavor == "custom" and all(folder.is_dir() for folder in folders):
            return folders
        return self.root, self.root

    @cached_property
    def _known(self) -> ClassTable | None:
        root = self._voc if self._flavor == "voc" else self.root
        known = dataset_table(root, self.table, follow_links=self.follow_links)
        tables = {"cityscapes": "cityscapes-train", "voc": "voc"}
        return known or TABLES.get(tables.get(self._flavor, ""))

    @cached_property
    def classes(self) -> ClassTable:
        """The classes of the dataset, or of Cityscapes or VOC where its lists are in their way."""
        return self._known or anonymous_table()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is to be said of the dataset as a whole."""
        if self._known:
            return ()
        return (NO_TABLE,)

    def scan(self) -> Iterator[SampleRef]:
        """List the lines of the lists."""
        lists = self._lists()
        files: Files = {}
        for folder in dict.fromkeys(self._folders) if lists else ():
            files[folder] = PathIndex(folder)
            for path in walk(folder, follow_links=self.follow_links):
                files[folder].add(nfc(path.relative_to(folder).as_posix()), path)
        for path in lists:
            for line, text in read_list(path):
                yield self._ref(path, line, text, files)

    def load(self, ref: SampleRef) -> Sample:
        """Read one mask, which must be as large as its image."""
        if isinstance(ref.source, BadLine):
            raise ref.source.error()
        path: Path = ref.source
        ids, notes = _read_ids(path)
        return mask_sample(ref, path, Mask(ids), notes)

    def _lists(self) -> list[Path]:
        folder = self._voc / "list" if self._flavor == "voc" else self.root
        found = sorted(folder.glob("*.txt"))
        paths = {
            path.stem: inside(path, self.root, follow_links=self.follow_links) for path in found
        }
        if "train_aug" in paths and self._flavor == "voc":
            for part in ("train", "trainval", "trainval_aug"):
                paths.pop(part, None)  # the same samples again
        known = LISTS[self._flavor]
        return [path for name, path in paths.items() if name in known or self._is_list(path)]

    def _is_list(self, path: Path) -> bool:
        """Whether a file's first line names two images, as that of a list does."""
        try:
            lines = read_list(path)[:1]
        except FormatError:
            return False
        columns = columns_of(lines[0][1], self._flavor) if lines else None
        return columns is not None and all(
            PurePosixPath(column).suffix.lower() in IMAGE_SUFFIXES for column in columns
        )

    def _ref(self, path: Path, line: int, text: str, files: Files) -> SampleRef:
        split = "train" if path.stem == "train_aug" else nfc(path.stem)
        found = self._pair(text, files)
        if isinstance(found, str):
            # Without an image it would count as skipped: the list stands in for it.
            key = f"{nfc(path.name)} line {line}"
            return SampleRef(key, split, path, BadLine(path, line, found))
        image, mask = found
        return SampleRef(self._key(image, split), split, image, mask)

    def _pair(self, text: str, files: Files) -> tuple[Path, Path] | str:
        """Return the image and the mask of a list's line, or what is wrong with it."""
        columns = columns_of(text, self._flavor)
        if columns is None:
            between = "blank" if self._flavor == "voc" else "comma"
            return f'"{text}" has no {between} between image and mask'
        pair = []
        for folder, column in zip(self._folders, columns, strict=True):
            # Only what was found below the folder is ever named by a list.
            name = PurePosixPath(nfc(column).replace("\\", "/").lstrip("/")).as_posix()
            if name not in files[folder]:
                kept = " (EdgeNets keeps the blank before it)" if name != name.strip() else ""
                return f'names "{column}", which is not in {folder.name}{kept}'
            pair.append(files[folder][name])
        return pair[0], pair[1]

    def _key(self, image: Path, split: str) -> str:
        """Return a sample's key: its image's path without what the layout adds to it."""
        folder = self._folders[0]
        parts = list(image.relative_to(folder).with_suffix("").parts)
        added = {
            # `train/rgb/x.png` beside `train/label/x.png`: lists relative to the root.
            "custom": (split, "rgb") if folder == self.root else (split,),
            "cityscapes": ("leftImg8bit", split),
            "voc": ("JPEGImages", split),
        }
        for part in added[self._flavor]:
            if len(parts) > 1 and parts[0] == part:
                del parts[0]
        key = nfc("/".join(parts))
        return key.removesuffix("_leftImg8bit") if self._flavor == "cityscapes" else key


def _read_ids(path: Path) -> tuple[npt.NDArray[np.uint8], tuple[Note, ...]]:
    """Return the ids of a mask; of an RGB one its grey values: (1, 1, 1) is class 1."""
    if mask_mode(path) not in ("RGB", "RGBA"):
        return read_mask(path), ()
    colors = read_colors(path)
    if (colors != colors[..., :1]).any():
        raise FormatError(
            "is a color mask: EdgeNets takes the values of pixels for class ids",
            path=path,
            mend="Read it as format folder, with a class table that has these colors.",
        )
    return np.ascontiguousarray(colors[..., 0]), (Note("RGB masks read by their grey values"),)


def detect(root: Path) -> str | None:
    """Tell EdgeNets' lists by a first line that names an image and a mask.

    Not where they are added to a dataset that another format reads, VOC or Cityscapes.
    """
    reader = EspnetReader(root)
    if any((reader._voc / name).is_dir() for name in ("ImageSets", "gtFine", "gtCoarse")):
        return None
    lists = (path.name for path in reader._lists() if reader._is_list(path))
    return next((f"{name} lists images and masks" for name in lists), None)
