"""Pascal VOC: palette PNG masks, JPEG images and lists, below `VOCdevkit/VOC2012/`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, cast

import numpy as np
import numpy.typing as npt

from segfmt.classes import ClassTable
from segfmt.files import atomic_write, check_key
from segfmt.format import Accepts, Entry, Format, Holds
from segfmt.formats._voc_classes import colormap
from segfmt.formats._voc_read import VocReader, detect
from segfmt.hookspecs import hookimpl
from segfmt.imagefile import Placement, place_image, write_mask
from segfmt.listed import check_apart
from segfmt.model import Mask, Note, Sample
from segfmt.tables import voc_colors
from segfmt.trainids import ignore_as_255


@dataclass(frozen=True)
class VocWriter:
    """Writes masks as 8-bit palette PNG, 255 for void, with the lists that loaders read.

    The class names stand in `labelmap.txt` (name:r,g,b:parts:actions, in order of id) for the tools
    that read that, and with their ids in `classes.json`. Objects go to `SegmentationObject` where
    the source tells them apart.
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
    split_folders: Annotated[
        bool, "keep splits in folders of their own, where samples of several have one name"
    ] = False
    accepts: Accepts = field(default=Accepts(mask=True, instances=True, numbered=True), init=False)

    def __post_init__(self) -> None:
        check_key(self.base, "Give -o base a path below the target.")
        own = ignore_as_255(self.classes, "VOC masks")
        if self.palette == "voc":
            colors = voc_colors()
            own = ClassTable(replace(info, color=colors[info.id]) for info in own)
        object.__setattr__(self, "classes", own)

    @cached_property
    def _colormap(self) -> npt.NDArray[np.uint8]:
        return colormap()

    @cached_property
    def _palette(self) -> npt.NDArray[np.uint8]:
        return self.classes.palette(self._colormap)

    def write(self, sample: Sample) -> Entry:
        """Write `SegmentationClass/<key>.png` and put the image at `JPEGImages/<key>.jpg`.

        Raises `FormatError` for more than 254 objects, which 8 bits cannot tell apart.
        """
        assert isinstance(sample.label, Mask)  # noqa: S101 - what `accepts` says
        ref, label = sample.ref, sample.label
        name = self._name(ref.split, ref.key)
        files = [f"{self.base}/SegmentationClass/{name}.png"]
        notes: tuple[Note, ...] = ()
        if ref.image is not None and self.images != "none":
            files.append(f"{self.base}/JPEGImages/{name}.jpg")
            notes = place_image(ref.image, self.root / files[1], self.images)
        if label.instances is not None:
            files.append(f"{self.base}/SegmentationObject/{name}.png")
            objects = cast("npt.NDArray[np.uint8]", label.instances)  # as `numbered` says
            write_mask(self.root / files[-1], objects, self._colormap)
        write_mask(self.root / files[0], label.ids, self._palette)
        return Entry(ref.split, ref.key, tuple(files), notes)

    def finish(self, entries: Iterable[Entry]) -> None:
        """Write `ImageSets/Segmentation/<split>.txt`, `trainval.txt`, and the class names.

        Raises `FormatError` if samples of several splits have one name, and so one file.
        """
        lists: dict[str, list[str]] = {}
        for entry in entries:
            lists.setdefault(entry.split, []).append(self._name(entry.split, entry.key))
        check_apart(lists, "-o split_folders=true")
        if {"train", "val"} <= lists.keys():
            lists["trainval"] = sorted(lists["train"] + lists["val"])
        base = self.root / self.base
        for split, names in lists.items():
            text = "".join(f"{name}\n" for name in names)
            atomic_write(base / "ImageSets" / "Segmentation" / f"{split}.txt", text.encode())
        atomic_write(base / "labelmap.txt", self._labelmap().encode())
        atomic_write(base / "classes.json", self.classes.to_json())

    def _name(self, split: str, key: str) -> str:
        return f"{split}/{key}" if self.split_folders else key

    def _labelmap(self) -> str:
        lines = ["# label:color_rgb:parts:actions"]
        for info in sorted(self.classes, key=lambda info: info.id):
            color = ",".join(map(str, info.color))
            lines.append(f"{info.name.replace(':', '_')}:{color}::")
        return "\n".join(lines) + "\n"


@hookimpl
def segfmt_formats() -> list[Format]:
    """Bring Pascal VOC."""
    return [
        Format(
            "voc",
            "Pascal VOC: palette PNG masks, JPEG images, lists",
            reader=VocReader,
            writer=VocWriter,
            detect=detect,
            holds=Holds(
                holes=True,
                instances=True,
                ignore=True,
                splits=True,
                colors=True,
                image_types=(".jpg",),
                class_ids=True,
            ),
        )
    ]
