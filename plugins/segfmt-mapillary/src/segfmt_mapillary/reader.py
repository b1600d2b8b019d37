"""Mapillary Vistas: `{training,validation}/{images,<version>/{labels,instances}}`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt

import segfmt
from segfmt_mapillary.config import Labels, read_labels

Version = Literal["auto", "v2.0", "v1.2", "v1.1"]
SPLITS = {"training": "train", "validation": "val", "testing": "test"}
LABELS = "labels"
# By version, the newest first: the folder below a split that has its labels, and what names them.
# Tools have laid out 1.2 in the way of 1.1, which had no folder for a version.
LAYOUTS = {
    "v2.0": ("v2.0", ("config_v2.0.json",)),
    "v1.2": ("v1.2", ("config_v1.2.json",)),
    "v1.1": ("", ("config.json", "config_v1.2.json")),
}


@dataclass(frozen=True)
class VistasReader:
    """Reads label masks, and the numbers of objects from the instance masks beside them."""

    root: Path
    version: Annotated[
        Version, "which labels; `auto` is the newest there is, `v1.1` those right below the split"
    ] = "auto"
    ignored: Annotated[
        Literal["unlabeled", "unevaluated"],
        "which labels are ignore: `void--unlabeled`, or all that are not evaluated",
    ] = "unlabeled"
    instances: Annotated[bool, "read object numbers too"] = True
    follow_links: Annotated[bool, "follow links that lead out of the dataset"] = False

    @cached_property
    def _version(self) -> str:
        """The version that is read."""
        if self.version != "auto":
            return self.version
        return next(iter(versions_in(self.root)), "v2.0")

    @cached_property
    def _labels(self) -> Labels:
        names = LAYOUTS[self._version][1]
        found = next((path for name in names if (path := self.root / name).is_file()), None)
        if found is None:
            raise segfmt.UsageError(
                f"{self.root} has no {' or '.join(names)}, which says what the labels of "
                f"{self._version} are. It comes with the dataset: copy it there"
            )
        return read_labels(found, unevaluated_as_ignore=self.ignored == "unevaluated")

    @property
    def classes(self) -> segfmt.ClassTable:
        """The labels of the version."""
        return self._labels.classes

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is to be said of the dataset as a whole."""
        remarks = []
        others = [version for version in versions_in(self.root) if version != self._version]
        if self.version == "auto" and others:
            remarks.append(
                f"labels of {self._version} are read, not those of {others[0]}: "
                f"-i version={others[0]} reads these"
            )
        remarks += [
            f"{name} has no labels of {self._version}: its images are left out"
            for name in SPLITS
            if (self.root / name / "images").is_dir() and not self._folder(name).is_dir()
        ]
        return tuple(remarks)

    def _folder(self, split: str) -> Path:
        return self.root / split / LAYOUTS[self._version][0] / LABELS

    def scan(self) -> Iterator[segfmt.SampleRef]:
        """List the label masks, each with its image."""
        below = f"{LAYOUTS[self._version][0]}/{LABELS}/".removeprefix("/")
        images: dict[tuple[str, str], Path] = {}
        masks: dict[tuple[str, str], Path] = {}
        for path in segfmt.walk(self.root, follow_links=self.follow_links):
            place = segfmt.nfc(path.relative_to(self.root).with_suffix("").as_posix())
            split, _, rest = place.partition("/")
            if split not in SPLITS:
                continue
            if rest.startswith("images/"):
                images[split, rest.removeprefix("images/")] = path
            elif rest.startswith(below) and path.suffix.lower() == ".png":
                masks[split, rest.removeprefix(below)] = path
        for (split, key), path in masks.items():
            yield segfmt.SampleRef(key, SPLITS[split], images.get((split, key)), path)

    def load(self, ref: segfmt.SampleRef) -> segfmt.Sample:
        """Read one label mask, and the instance mask that answers to it."""
        path: Path = ref.source
        ids = segfmt.read_mask(path)
        place = list(path.relative_to(self.root).parts)
        place[place.index(LABELS)] = "instances"
        beside = self.root.joinpath(*place)
        numbers: npt.NDArray[np.uint16] | None = None
        notes: tuple[segfmt.Note, ...] = ()
        if self.instances and beside.is_file():
            numbers, notes = self._numbers(beside, ids)
        elif self.instances and beside.parent.is_dir():
            notes = (segfmt.Note("instance masks missing", f"{ref.split}/{ref.key}"),)
        return segfmt.mask_sample(ref, path, segfmt.Mask(self._labels.becomes[ids], numbers), notes)

    def _numbers(
        self, path: Path, ids: npt.NDArray[np.uint8]
    ) -> tuple[npt.NDArray[np.uint16], tuple[segfmt.Note, ...]]:
        """Return object numbers: a value of an instance mask is label * 256 + number, from 0."""
        values = segfmt.read_mask16(path)
        if values.shape != ids.shape:
            size = f"{values.shape[1]} x {values.shape[0]}"
            raise segfmt.FormatError(f"is {size}, another size than its label mask", path=path)
        numbers = (values % 256 + 1) * self._labels.counted[ids]
        differ = values // 256 != ids
        count = int(np.count_nonzero(differ))
        if not count:
            return numbers, ()
        numbers[differ] = 0
        return numbers, (segfmt.Note("pixels of another label in instances", "", count),)


def versions_in(root: Path) -> list[str]:
    """Return the versions that any split has labels of, the newest first."""
    return [
        version
        for version, (folder, _) in LAYOUTS.items()
        if any((root / split / folder / LABELS).is_dir() for split in SPLITS)
    ]


def detect(root: Path) -> str | None:
    """Tell it by the config of a version whose labels are there."""
    for version in versions_in(root):
        for name in LAYOUTS[version][1]:
            if (root / name).is_file():
                return f"there are {name} and labels of {version}"
    return None
