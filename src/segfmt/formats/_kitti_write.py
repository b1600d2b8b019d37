"""Writes KITTI semantics: label images, and names for one flat folder."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from segfmt.classes import ClassTable
from segfmt.colors import write_color_mask
from segfmt.errors import FormatError, UsageError, did_you_mean
from segfmt.files import atomic_write
from segfmt.format import Accepts, Entry
from segfmt.imagefile import Placement, place_image, write_mask, write_mask16
from segfmt.model import Mask, Note, Sample
from segfmt.pairs import recode_pairs
from segfmt.tables import CITYSCAPES_TRAIN, CITYSCAPES_TRAIN_IDS, KITTI

Ids = Literal["ids", "train"]
KINDS = ("semantic", "instance", "semantic_rgb")  # in the order of preference
IMAGES = "image_2"
# KITTI has no lists, and no folder for val: this one is named like the two that it has.
FOLDERS = {"train": "training", "val": "validation", "test": "testing"}
PER_CLASS = 256  # a value of `instance` is id * 256 + n, n from 1, 0 for none
_FROM_TRAIN = np.zeros(256, np.uint8)  # 255 becomes unlabeled, as Cityscapes' own tables have it
_FROM_TRAIN[list(CITYSCAPES_TRAIN_IDS.values())] = list(CITYSCAPES_TRAIN_IDS)


@dataclass(frozen=True)
class KittiWriter:
    """Writes `training`, `validation` and `testing`, each with the same folders."""

    root: Path
    classes: ClassTable
    labels: Annotated[str, "which labels, separated by commas"] = "semantic,instance,semantic_rgb"
    ids: Annotated[
        Ids, "classes to map to: the 34 of Cityscapes, or the 19 of its trainIds and ignore"
    ] = "ids"
    images: Annotated[Placement, "how images get there; other formats become PNG"] = "copy"
    accepts: Accepts = field(init=False)

    def __post_init__(self) -> None:
        for kind in self._kinds:
            if kind not in KINDS:
                mend = did_you_mean(kind, KINDS) or f"There are: {', '.join(KINDS)}."
                raise UsageError(f'-o labels={self.labels}: there is no "{kind}". {mend}')
        table = CITYSCAPES_TRAIN if self.ids == "train" else KITTI
        object.__setattr__(self, "classes", table)
        object.__setattr__(self, "accepts", Accepts(instances="instance" in self._kinds))

    @cached_property
    def _kinds(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(kind.strip() for kind in self.labels.split(",")))

    def write(self, sample: Sample) -> Entry:
        """Write the labels, and put the image into `image_2`."""
        assert isinstance(sample.label, Mask)  # noqa: S101 - what `accepts` says
        ref, mask = sample.ref, sample.label
        ids = _FROM_TRAIN[mask.ids] if self.ids == "train" else mask.ids
        folder = FOLDERS.get(ref.split, ref.split)
        name = f"{file_name(ref.key)}.png"
        values = instance_values(ids, mask.instances) if "instance" in self._kinds else None
        notes: tuple[Note, ...] = ()
        files = [f"{folder}/{kind}/{name}" for kind in self._kinds]
        if ref.image is not None and self.images != "none":
            files.append(f"{folder}/{IMAGES}/{name}")
            notes = place_image(ref.image, self.root / files[-1], self.images)
        for kind, file in zip(self._kinds, files, strict=False):
            path = self.root / file
            if kind == "semantic":
                write_mask(path, ids)
            elif kind == "semantic_rgb":
                write_color_mask(path, ids, KITTI)
            elif values is not None:
                write_mask16(path, values)
        return Entry(ref.split, ref.key, tuple(files), notes)

    def finish(self, entries: Iterable[Entry]) -> None:
        """Write `names.json`, by split the names of keys that could not be kept, if any."""
        names: dict[str, dict[str, str]] = {}
        for entry in entries:
            name = file_name(entry.key)
            if name != entry.key:
                names.setdefault(entry.split, {})[entry.key] = name
        if names:
            data = msgspec.json.format(msgspec.json.encode(names), indent=2)
            atomic_write(self.root / "names.json", data + b"\n")


def instance_values(
    ids: npt.NDArray[np.uint8], numbers: npt.NDArray[np.uint16] | None
) -> npt.NDArray[np.uint16]:
    """Return what `instance` holds; `FormatError` for a number that does not fit a class."""
    if numbers is None:
        return ids.astype(np.uint16) * PER_CLASS
    return recode_pairs(ids, numbers, _values)


def _values(ids: npt.NDArray[np.int64], numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    numbers = np.where(ids == 0, 0, numbers)  # unlabeled has no objects
    worst = int(numbers.argmax())
    if numbers[worst] >= PER_CLASS:
        name = KITTI.by_id(int(ids[worst])).name
        raise FormatError(
            f'has the object number {numbers[worst]} of "{name}", and KITTI has room for '
            f"{PER_CLASS - 1} of a class in one image",
            mend="Leave instance out of -o labels.",
        )
    return ids * PER_CLASS + numbers


def file_name(key: str) -> str:
    """Return a key as the name of a file in one folder: `/` becomes `+`, no two keys become one.

    >>> file_name("000000_10"), file_name("scene_1/frame_2")
    ('000000_10', 'scene_1+frame_2')
    """
    return key.replace("=", "=3D").replace("+", "=2B").replace("/", "+")
