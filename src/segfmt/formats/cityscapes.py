"""Cityscapes: `leftImg8bit/` beside `gtFine/` or `gtCoarse/`, by split and city.

Samples are found by their labels; an image without any is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt

from segfmt.classes import ClassTable
from segfmt.colors import AmbiguousColor, load_color_mask
from segfmt.errors import FormatError
from segfmt.files import nfc, walk
from segfmt.format import Format, Holds
from segfmt.formats._cityscapes_labels import (
    FOLDERS,
    IMAGES,
    RECODE,
    SUFFIXES,
    VOID,
    Ids,
    Place,
    UnknownLabel,
    in_train_ids,
    instance_luts,
    matching_numbers,
    read_polygons,
    recoded,
)
from segfmt.formats._cityscapes_writer import CityscapesWriter
from segfmt.hookspecs import hookimpl
from segfmt.imagefile import image_size, read_mask, read_mask16
from segfmt.model import Mask, Note, Sample, SampleRef
from segfmt.tables import CITYSCAPES, CITYSCAPES_TRAIN

Labels = Literal["auto", "labelIds", "polygons", "instanceIds", "labelTrainIds", "color"]
# The part in front is the sample's name, alike in all its files.
_FILE = re.compile(
    rf"(?P<core>.+)_(?:(?P<image>{IMAGES})\.(?:png|jpe?g)"
    rf"|(?P<gt>gtFine|gtCoarse)_(?P<kind>labelIds|polygons|instanceIds|labelTrainIds|color)"
    rf"\.(?:png|json))"
)


@dataclass(frozen=True)
class CityscapesReader:
    """Reads label images, or polygons as `json2labelImg` paints them, with their objects."""

    root: Path
    labels: Annotated[
        Labels, "which label files; `auto` takes of each sample the first there is, in this order"
    ] = "auto"
    ids: Annotated[
        Ids, "classes: the 34 of labelIds, or the 19 of trainIds, the rest being ignore"
    ] = "ids"
    quality: Annotated[
        Literal["auto", "fine", "coarse"], "gtFine or gtCoarse; `auto`: coarse if that is all"
    ] = "auto"
    instances: Annotated[bool, "read object numbers too, where they are known"] = True
    unknown_label: Annotated[
        UnknownLabel,
        "a label or color that is no class: fail the sample, or paint it as ignore or background",
    ] = "error"
    ambiguous: Annotated[
        AmbiguousColor,
        "a color of several classes: fail where the class map keeps them apart, or take the first",
    ] = "error"
    follow_links: Annotated[bool, "follow links that lead out of the dataset"] = False

    @cached_property
    def classes(self) -> ClassTable:
        """The classes of `ids`, and `ignore` where unknown labels are to become that."""
        return CITYSCAPES_TRAIN if self.ids == "train" else self._labels

    @cached_property
    def _labels(self) -> ClassTable:
        return CITYSCAPES.with_ignore() if self.unknown_label == "ignore" else CITYSCAPES

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is to be said of the dataset as a whole."""
        if self.quality == "auto" and all((self.root / name).is_dir() for name in FOLDERS.values()):
            return ("gtCoarse is there besides gtFine, which is read; -i quality=coarse reads it",)
        return ()

    def scan(self) -> Iterator[SampleRef]:
        """List the samples that have label files of any kind, each with its image."""
        images: dict[Place, Path] = {}
        found: dict[str, dict[Place, dict[str, Path]]] = {name: {} for name in FOLDERS.values()}
        for path in walk(self.root, follow_links=self.follow_links):
            match = _FILE.fullmatch(nfc(path.name))
            if match is None:
                continue
            folder = match["image"] or match["gt"]
            place = _place(path.relative_to(self.root).parent, folder, match["core"])
            if place and folder == IMAGES:
                images[place] = path
            elif place:
                found[folder].setdefault(place, {})[match["kind"]] = path
        quality = self.quality
        if quality == "auto":
            quality = "fine" if found["gtFine"] else "coarse"
        for (split, key), files in found[FOLDERS[quality]].items():
            yield SampleRef(key, split, images.get((split, key)), self._chosen(files))

    def _chosen(self, files: dict[str, Path]) -> Path:
        kind = self.labels
        if kind == "auto":
            return next(files[kind] for kind in SUFFIXES if kind in files)
        # Where it is missing, `load` tells.
        return files.get(kind) or _beside(next(iter(files.values())), kind)

    def load(self, ref: SampleRef) -> Sample:
        """Read one sample's labels."""
        path: Path = ref.source
        kind = path.stem.rpartition("_")[2]
        if not path.is_file():
            raise FormatError(
                "is missing", path=path, mend="-i labels=auto takes of each sample what is there."
            )
        image = image_size(ref.image) if ref.image else None
        if kind == "polygons":
            return self._outlines(ref, path, image)
        mask, notes = self._mask(path, kind)
        height, width = mask.ids.shape
        if image and sorted(image) != sorted(mask.ids.shape):  # EXIF may turn the image
            problem = f"is {width} x {height}, but its image {image[1]} x {image[0]}"
            raise FormatError(problem, path=path)
        return Sample(ref, (height, width), mask, notes)

    def _outlines(self, ref: SampleRef, path: Path, image: tuple[int, int] | None) -> Sample:
        read = read_polygons(path, self.unknown_label)
        shape = read.shape or image
        if shape is None:
            raise FormatError(
                "does not say how large its image is, and the image is missing",
                path=path,
                where="imgHeight, imgWidth",
            )
        polygons = read.polygons
        numbers = polygons.instance_ids if self.instances else None
        polygons = replace(polygons, instance_ids=numbers)
        if self.ids == "train":
            polygons = in_train_ids(polygons, shape)
        return Sample(ref, shape, polygons, read.notes + _compared(read.shape, image))

    def _mask(self, path: Path, kind: str) -> tuple[Mask, tuple[Note, ...]]:
        if kind == "color":
            return self._colors(path)
        if kind == "instanceIds":
            values = read_mask16(path)
            classes, numbers = instance_luts(self.ids)
            ids = recoded(path, values, classes)
            return Mask(ids, numbers[values] if self.instances else None), ()
        stored = read_mask(path)
        own: Ids = "train" if kind == "labelTrainIds" else "ids"
        # The core looks at every id, so that only what is changed is looked at here.
        ids = stored if own == self.ids else recoded(path, stored, RECODE[own, self.ids])
        notes: tuple[Note, ...] = ()
        if (own, self.ids) == ("train", "ids") and (stored == VOID).any():
            notes = (Note("trainId 255 read as unlabeled", "-i ids=train keeps it as ignore"),)
        beside = _beside(path, "instanceIds")
        if not self.instances or not beside.is_file():
            return Mask(ids), notes
        numbers, more = self._numbers(beside, stored, own)
        return Mask(ids, numbers), notes + more

    def _numbers(
        self, path: Path, stored: npt.NDArray[np.uint8], own: Ids
    ) -> tuple[npt.NDArray[np.uint16], tuple[Note, ...]]:
        """Read the object numbers of a label image whose ids are `stored`."""
        values = read_mask16(path)
        if values.shape != stored.shape:
            size = f"{values.shape[1]} x {values.shape[0]}"
            raise FormatError(f"is {size}, another size than its label image", path=path)
        classes, _ = instance_luts(own)
        _, numbers_of = instance_luts("train" if "train" in (own, self.ids) else "ids")
        numbers, count = matching_numbers(stored, values, classes, numbers_of)
        if not count:
            return numbers, ()
        return numbers, (Note("pixels of another class in instanceIds", "", count),)

    def _colors(self, path: Path) -> tuple[Mask, tuple[Note, ...]]:
        mask, notes = load_color_mask(
            path, self._labels, unknown=self.unknown_label, ambiguous=self.ambiguous
        )
        if self.ids == "ids":
            return mask, notes
        lut = RECODE["ids", self.ids]
        groups = (tuple(dict.fromkeys(lut[list(group)].tolist())) for group in mask.ambiguous)
        apart = tuple(group for group in groups if len(group) > 1)
        return Mask(recoded(path, mask.ids, lut), ambiguous=apart), notes


def _place(folder: Path, name: str, core: str) -> Place | None:
    """Return split and key of a file, from the folders below the one of that name."""
    parts = [nfc(part) for part in folder.parts]
    if name not in parts:
        return None
    split, *rest = parts[parts.index(name) + 1 :] or ("train",)
    return split, "/".join((*rest, core))


def _beside(path: Path, kind: str) -> Path:
    """Return where the same sample's label file of another kind is."""
    return path.with_name(f"{path.stem.rpartition('_')[0]}_{kind}{SUFFIXES[kind]}")


def _compared(said: tuple[int, int] | None, image: tuple[int, int] | None) -> tuple[Note, ...]:
    if image is None or said == image:
        return ()
    words = f"image {image[1]} x {image[0]}"
    if said is None:
        return (Note("sizes taken from the image", f"label none, {words}"),)
    return (Note("sizes taken from the label", f"label {said[1]} x {said[0]}, {words}"),)


def detect(root: Path) -> str | None:
    """Tell it by its folder of labels, in the root or, as archives unpack, one below."""
    for name in FOLDERS.values():
        for folder in (root / name, *root.glob(f"*/{name}")):
            if folder.is_dir():
                return f"there is a folder {name}"
    return None


@hookimpl
def segfmt_formats() -> list[Format]:
    """Bring Cityscapes."""
    return [
        Format(
            "cityscapes",
            "Cityscapes: leftImg8bit, gtFine or gtCoarse, by city",
            reader=CityscapesReader,
            writer=CityscapesWriter,
            detect=detect,
            table=CITYSCAPES,
            holds=Holds(
                polygons=True, holes=True, instances=True, splits=True, image_types=(".png",)
            ),
        )
    ]
