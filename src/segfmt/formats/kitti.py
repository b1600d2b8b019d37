"""KITTI semantics: `training/{image_2,semantic,semantic_rgb,instance}`, ids as in Cityscapes.

Samples are found by their labels; `testing/image_2` of the official archive has none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt

from segfmt.classes import ClassTable
from segfmt.colors import AmbiguousColor, load_color_mask
from segfmt.errors import FormatError
from segfmt.files import nfc, walk
from segfmt.format import Format, Holds
from segfmt.formats._kitti_write import IMAGES, KINDS, PER_CLASS, Ids, KittiWriter
from segfmt.hookspecs import hookimpl
from segfmt.imagefile import IMAGE_SUFFIXES, image_size, read_mask, read_mask16
from segfmt.model import Mask, Note, Sample, SampleRef
from segfmt.pairing import SPLITS
from segfmt.tables import CITYSCAPES_TRAIN, CITYSCAPES_TRAIN_IDS, KITTI

Labels = Literal["auto", "semantic", "instance", "semantic_rgb"]
VOID = 255  # the trainId of what is none of the 19
_TO_TRAIN = np.full(256, -1, np.int16)
_TO_TRAIN[[info.id for info in KITTI]] = [CITYSCAPES_TRAIN_IDS.get(info.id, VOID) for info in KITTI]


@dataclass(frozen=True)
class KittiReader:
    """Reads label images, and the numbers of objects from `instance`."""

    root: Path
    labels: Annotated[
        Labels, "which labels; `auto` takes of each sample the first there is, in this order"
    ] = "auto"
    ids: Annotated[
        Ids, "classes: the 34 of Cityscapes, or the 19 of its trainIds, the rest being ignore"
    ] = "ids"
    instances: Annotated[bool, "read object numbers too, where there are any"] = True
    ambiguous: Annotated[
        AmbiguousColor,
        "a color of several classes: fail where the class map keeps them apart, or take the first",
    ] = "error"
    follow_links: Annotated[bool, "follow links that lead out of the dataset"] = False

    @property
    def classes(self) -> ClassTable:
        """The classes of `ids`."""
        return CITYSCAPES_TRAIN if self.ids == "train" else KITTI

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is to be said of the dataset as a whole."""
        testing = self.root / "testing"
        if (testing / IMAGES).is_dir() and not any((testing / kind).is_dir() for kind in KINDS):
            return ("testing has no labels: its images are left out",)
        return ()

    def scan(self) -> Iterator[SampleRef]:
        """List the samples that have labels of any kind, each with its image."""
        images: dict[tuple[Path, str], Path] = {}
        found: dict[tuple[Path, str], dict[str, Path]] = {}
        for path in walk(self.root, follow_links=self.follow_links):
            kind, place = path.parent.name, (path.parent.parent, nfc(path.stem))
            if kind == IMAGES and path.suffix.lower() in IMAGE_SUFFIXES:
                images[place] = path
            elif kind in KINDS and path.suffix.lower() == ".png":
                found.setdefault(place, {})[kind] = path
        for place, files in found.items():
            folder, key = place
            name = nfc(folder.name) if folder != self.root else "train"
            split = SPLITS.get(name.casefold(), name)
            yield SampleRef(key, split, images.get(place), self._chosen(files))

    def _chosen(self, files: dict[str, Path]) -> Path:
        kind = self.labels
        if kind == "auto":
            return next(files[kind] for kind in KINDS if kind in files)
        # Where it is missing, `load` tells.
        return files.get(kind) or _beside(next(iter(files.values())), kind)

    def load(self, ref: SampleRef) -> Sample:
        """Read one sample's labels."""
        path: Path = ref.source
        if not path.is_file():
            raise FormatError(
                "is missing", path=path, mend="-i labels=auto takes of each sample what is there."
            )
        mask, notes = self._mask(path)
        if self.ids == "train":
            mask = _in_train_ids(mask, path)
        height, width = mask.ids.shape
        size = image_size(ref.image) if ref.image else (height, width)
        if sorted(size) != sorted(mask.ids.shape):  # EXIF may turn the image
            problem = f"is {width} x {height}, but its image {size[1]} x {size[0]}"
            raise FormatError(problem, path=path)
        return Sample(ref, (height, width), mask, notes)

    def _mask(self, path: Path) -> tuple[Mask, tuple[Note, ...]]:
        kind = path.parent.name
        if kind == "semantic_rgb":
            return load_color_mask(path, KITTI, ambiguous=self.ambiguous)
        if kind == "instance":
            values = read_mask16(path)
            return Mask(*_parts(values)) if self.instances else Mask(_parts(values)[0]), ()
        ids = read_mask(path)
        beside = _beside(path, "instance")
        if not self.instances or not beside.is_file():
            return Mask(ids), ()
        classes, numbers = _parts(read_mask16(beside))
        if classes.shape != ids.shape:
            size = f"{classes.shape[1]} x {classes.shape[0]}"
            raise FormatError(f"is {size}, another size than in semantic", path=beside)
        differ = classes != ids
        count = int(np.count_nonzero(differ))
        if not count:
            return Mask(ids, numbers), ()
        numbers[differ] = 0
        return Mask(ids, numbers), (Note("pixels of another class in instance", "", count),)


def _parts(
    values: npt.NDArray[np.uint16],
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint16]]:
    """Return the class ids and the object numbers in an `instance` mask."""
    # By bits: dividing takes ten times as long.
    return (values >> np.uint16(8)).astype(np.uint8), values & np.uint16(PER_CLASS - 1)


def _in_train_ids(mask: Mask, path: Path) -> Mask:
    ids = _TO_TRAIN[mask.ids]
    if ids.min() < 0:
        y, x = np.unravel_index(int(ids.argmin()), ids.shape)
        problem = f"has the id {mask.ids[y, x]}, which is no class"
        raise FormatError(problem, path=path, where=f"pixel x={x}, y={y}")
    numbers = mask.instances
    if numbers is not None:
        numbers = np.where(ids == VOID, 0, numbers).astype(np.uint16)
    groups = (tuple(dict.fromkeys(_TO_TRAIN[list(group)].tolist())) for group in mask.ambiguous)
    apart = tuple(group for group in groups if len(group) > 1)
    return Mask(ids.astype(np.uint8), numbers, apart)


def _beside(path: Path, kind: str) -> Path:
    """Return where the same sample's labels of another kind are."""
    return path.parent.parent / kind / path.name


def detect(root: Path) -> str | None:
    """Tell it by `training/image_2` with a folder of labels beside it."""
    for kind in KINDS:
        if (root / "training" / IMAGES).is_dir() and (root / "training" / kind).is_dir():
            return f"there are training/{IMAGES} and training/{kind}"
    return None


@hookimpl
def segfmt_formats() -> list[Format]:
    """Bring KITTI semantics."""
    return [
        Format(
            "kitti",
            "KITTI semantics: training/image_2, semantic, instance",
            reader=KittiReader,
            writer=KittiWriter,
            detect=detect,
            table=KITTI,
            holds=Holds(holes=True, instances=True, splits=True, image_types=(".png",)),
        )
    ]
