"""Reading MMSegmentation's layouts: folders of images and masks, and lists of stems."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Annotated

import numpy as np

from segfmt.classes import ClassTable
from segfmt.files import inside, nfc, walk
from segfmt.imagefile import IMAGE_SUFFIXES, read_mask
from segfmt.listed import (
    BadLine,
    Lists,
    list_remarks,
    listed_samples,
    mask_sample,
    read_lists,
)
from segfmt.model import Mask, Sample, SampleRef
from segfmt.pairing import SPLITS
from segfmt.pathindex import PathIndex
from segfmt.tablefiles import dataset_table
from segfmt.tables import NO_TABLE, anonymous_table
from segfmt.trainids import IGNORE, plus_ignore

# Names of the folders of images and of masks, as its documentation and its datasets have them.
FOLDERS = (
    ("images", "labels"),
    ("img_dir", "ann_dir"),
    ("imgs", "gts"),
    ("images", "annotations"),
)
LISTS = "splits"


@dataclass(frozen=True)
class MmsegReader:
    """Reads the masks that `splits/*.txt` names, or else all of them, by folder."""

    root: Path
    img_dir: Annotated[str, "folder of the images; found by its name unless given"] = ""
    ann_dir: Annotated[str, "folder of the masks, likewise"] = ""
    img_suffix: Annotated[str, "what the names of images end in, such as `_img.jpg`; found"] = ""
    seg_map_suffix: Annotated[str, "what the names of masks end in, such as `_gt.png`; found"] = ""
    reduce_zero_label: Annotated[
        bool, "0 is ignore and k is class k - 1; the class table is of the classes after that"
    ] = False
    table: Annotated[str, "class table: a built-in one's name, or a file; else the dataset's"] = ""
    follow_links: Annotated[bool, "follow links that lead out of the dataset"] = False

    @cached_property
    def _folders(self) -> tuple[Path, Path]:
        for pair in FOLDERS:
            images, masks = (self.root / name for name in pair)
            if images.is_dir() and masks.is_dir():
                break
        return (
            self.root / self.img_dir if self.img_dir else images,
            self.root / self.ann_dir if self.ann_dir else masks,
        )

    @cached_property
    def _known(self) -> ClassTable | None:
        return dataset_table(self.root, self.table, follow_links=self.follow_links)

    @cached_property
    def classes(self) -> ClassTable:
        """The dataset's classes, with 255 as ignore unless `classes.json` is there and has none."""
        table = self._known or anonymous_table()
        if not self._known and self.reduce_zero_label:
            # What the files have as 1 is 0 now: a class as any other.
            table = ClassTable(
                replace(info, role="class") if info.role == "background" else info for info in table
            )
        # What segfmt wrote says all there is; others name the classes alone.
        own = not self.table and (self.root / "classes.json").is_file()
        return table if own and not self.reduce_zero_label else plus_ignore(table)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is to be said of the dataset as a whole."""
        remarks = []
        if not self._known:
            remarks.append(NO_TABLE)
        lists = self._lists()
        masks = self._files(self._folders[1], self.seg_map_suffix, lists)
        remarks += list_remarks(lists, masks)
        return tuple(remarks)

    def scan(self) -> Iterator[SampleRef]:
        """List the samples: by list, or else all masks, by the split that their folder names.

        A list none of whose samples has a mask, as test lists are, gives none.
        """
        lists = self._lists()
        images = self._files(self._folders[0], self.img_suffix, lists)
        masks = self._files(self._folders[1], self.seg_map_suffix, lists)
        yield from listed_samples(lists, masks, images)
        if not lists:
            for name, mask in masks.pairs():
                first, _, rest = name.partition("/")
                split = SPLITS.get(first.casefold(), "") if rest else ""
                yield SampleRef(rest if split else name, split or "train", images.get(name), mask)

    def load(self, ref: SampleRef) -> Sample:
        """Read one mask, which must be as large as its image."""
        if isinstance(ref.source, BadLine):
            raise ref.source.error()
        path: Path = ref.source
        ids = read_mask(path)
        return mask_sample(ref, path, Mask(REDUCED[ids] if self.reduce_zero_label else ids))

    def _lists(self) -> Lists:
        paths = sorted((self.root / LISTS).glob("*.txt"))
        return read_lists(inside(path, self.root, follow_links=self.follow_links) for path in paths)

    def _files(self, folder: Path, suffix: str, lists: Lists) -> PathIndex:
        """Return the image files of a folder by what lists call them: their names less the suffix.

        Where none is given, that is the extension, or else what follows a stem of the lists.
        """
        stems = {stem for entries in lists.values() for stem in entries.values()}
        if not suffix:
            found = PathIndex(self.root)
            named = False
            for name, path in self._images_in(folder):
                stem = str(PurePosixPath(name).with_suffix(""))
                found.add(stem, path)
                named = named or stem in stems
            if named or not stems:
                return found
            first = min(stems)
            names = (name for name, _ in self._images_in(folder) if name.startswith(first))
            suffix = min((name.removeprefix(first) for name in names), key=len, default="")
        found = PathIndex(self.root)
        for name, path in self._images_in(folder):
            if name.endswith(suffix):
                found.add(name.removesuffix(suffix), path)
        return found

    def _images_in(self, folder: Path) -> Iterator[tuple[str, Path]]:
        for path in walk(folder, follow_links=self.follow_links) if folder.is_dir() else ():
            if path.suffix.lower() in IMAGE_SUFFIXES:
                yield nfc(path.relative_to(folder).as_posix()), path


# As its loaders do it: 255 stays what it is.
REDUCED = np.roll(np.arange(256, dtype=np.uint8), 1)
REDUCED[IGNORE] = IGNORE


def detect(root: Path) -> str | None:
    """Tell it by `img_dir` and `ann_dir`, or by `splits` beside folders of images and masks."""
    if all((root / name).is_dir() for name in ("img_dir", "ann_dir")):
        return "there are folders img_dir and ann_dir"
    if any((root / LISTS).glob("*.txt")):
        for names in FOLDERS:
            if all((root / name).is_dir() for name in names):
                return f"there are folders {names[0]}, {names[1]} and {LISTS}"
    return None
