"""Pascal VOC: palette PNG masks, JPEG images and lists, below `VOCdevkit/VOC2012/`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt

from segfmt.classes import ClassTable
from segfmt.errors import UsageError
from segfmt.files import atomic_write, check_key
from segfmt.format import Accepts, Entry, Format
from segfmt.hookspecs import hookimpl
from segfmt.imagefile import Placement, place_image, write_mask
from segfmt.model import Mask, Note, Sample

VOID_COLOR = (224, 224, 192)


def colormap() -> npt.NDArray[np.uint8]:
    """Return uint8 (256, 3): the color that VOC's own tools give each index.

    Bits 0, 3, 6 of the index go to red from its highest bit down, bits 1, 4, 7 to green, bits 2, 5
    to blue, as in the devkit's `VOClabelcolormap`.

    >>> colormap()[[1, 2, 15]].tolist()
    [[128, 0, 0], [0, 128, 0], [192, 128, 128]]
    """
    index = np.arange(256)[:, None]
    bits = sum(((index >> (3 * place + np.arange(3))) & 1) << (7 - place) for place in range(3))
    return np.asarray(bits, np.uint8)


@dataclass(frozen=True)
class VocWriter:
    """Writes masks as 8-bit palette PNG, 255 for void, with the lists that loaders read.

    The class names stand in `labelmap.txt` (name:r,g,b:parts:actions, in order of id) for the tools
    that read that, and with their ids in `classes.json`.
    """

    root: Path
    classes: ClassTable
    base: Annotated[str, "where the dataset stands below the target; torchvision looks here"] = (
        "VOCdevkit/VOC2012"
    )
    images: Annotated[Placement, "how images get there; PNG images are re-encoded as JPEG"] = "copy"
    palette: Annotated[
        Literal["classes", "voc"], "colors of the masks: the classes' own, or VOC's color map"
    ] = "classes"
    accepts: Accepts = field(default=Accepts(mask=True), init=False)

    def __post_init__(self) -> None:
        check_key(self.base)
        if beyond := [info for info in self.classes if info.id > 255]:
            raise UsageError(
                f'class "{beyond[0].name}" has the id {beyond[0].id}: VOC masks end at 255'
            )
        if self.palette == "voc":
            colors = [tuple(color) for color in self._rest.tolist()]
            own = ClassTable(replace(info, color=colors[info.id]) for info in self.classes)
            object.__setattr__(self, "classes", own)

    @cached_property
    def _rest(self) -> npt.NDArray[np.uint8]:
        colors = colormap()
        colors[255] = VOID_COLOR
        return colors

    @cached_property
    def _palette(self) -> npt.NDArray[np.uint8]:
        return self.classes.palette(self._rest)

    def write(self, sample: Sample) -> Entry:
        """Write `SegmentationClass/<key>.png` and put the image at `JPEGImages/<key>.jpg`."""
        assert isinstance(sample.label, Mask)  # noqa: S101 - what `accepts` says
        ref = sample.ref
        mask = f"{self.base}/SegmentationClass/{ref.key}.png"
        image = f"{self.base}/JPEGImages/{ref.key}.jpg"
        notes: tuple[Note, ...] = ()
        files: tuple[str, ...] = (mask,)
        if ref.image is not None and self.images != "none":
            notes = place_image(ref.image, self.root / image, self.images)
            files = (mask, image)
        write_mask(self.root / mask, sample.label.ids, self._palette)
        return Entry(ref.split, ref.key, files, notes)

    def finish(self, entries: Iterable[Entry]) -> None:
        """Write `ImageSets/Segmentation/<split>.txt`, `trainval.txt`, and the class names."""
        lists: dict[str, list[str]] = {}
        for entry in entries:
            lists.setdefault(entry.split, []).append(entry.key)
        if {"train", "val"} <= lists.keys():
            lists["trainval"] = sorted(lists["train"] + lists["val"])
        base = self.root / self.base
        for split, keys in lists.items():
            text = "".join(f"{key}\n" for key in keys)
            atomic_write(base / "ImageSets" / "Segmentation" / f"{split}.txt", text.encode())
        atomic_write(base / "labelmap.txt", self._labelmap().encode())
        atomic_write(base / "classes.json", self.classes.to_json())

    def _labelmap(self) -> str:
        lines = ["# label:color_rgb:parts:actions"]
        for info in sorted(self.classes, key=lambda info: info.id):
            color = ",".join(map(str, info.color))
            lines.append(f"{info.name.replace(':', '_')}:{color}::")
        return "\n".join(lines) + "\n"


@hookimpl
def segfmt_formats() -> list[Format]:
    """Bring Pascal VOC."""
    return [Format("voc", "Pascal VOC: palette PNG masks, JPEG images, lists", writer=VocWriter)]
