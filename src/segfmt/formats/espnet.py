"""EdgeNets, the home of ESPNet: list files of pairs, image and mask, in the ways its loaders read.

Its three loaders differ in what splits a line and in what paths are relative to. `Flavor` names
them: `custom` (custom_dataset_loader.py), `cityscapes` (cityscapes.py) and `voc` (voc.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, NamedTuple

from segfmt.classes import ClassTable
from segfmt.errors import FormatError, UsageError
from segfmt.files import atomic_write
from segfmt.format import Accepts, Entry, Format, Holds
from segfmt.formats._espnet_read import EspnetReader, Flavor, columns_of, detect
from segfmt.hookspecs import hookimpl
from segfmt.imagefile import Placement, place_image, write_mask
from segfmt.model import Mask, Note, Sample, SampleRef
from segfmt.tables import TABLES
from segfmt.trainids import check_contiguous, ignore_as_255


class Layout(NamedTuple):
    """How a loader wants its files: columns of a list line, what they are below, and the lists."""

    image: str
    mask: str
    images: str
    masks: str
    separator: str
    lists: str
    table: str
    read: tuple[str, ...]  # the lists that the loader reads


LAYOUTS: dict[Flavor, Layout] = {
    "custom": Layout(
        "{split}/{key}{suffix}",
        "{split}/{key}.png",
        "images/",
        "annotations/",
        ",",
        "{name}.txt",
        "classes.json",
        ("train", "val"),
    ),
    "cityscapes": Layout(
        "/leftImg8bit/{split}/{key}_leftImg8bit.png",
        "/gtFine/{split}/{key}_gtFine_labelTrainIds.png",
        "",
        "",
        ",",
        "{name}.txt",
        "classes.json",
        ("train", "val", "train_coarse"),
    ),
    "voc": Layout(
        "/JPEGImages/{split}/{key}.jpg",
        "/SegmentationClassAug/{split}/{key}.png",
        "VOC2012",
        "VOC2012",
        " ",
        "VOC2012/list/{name}.txt",
        "VOC2012/classes.json",
        ("train_aug", "val"),
    ),
}
KEPT_SUFFIXES = (".jpg", ".jpeg", ".png")


@dataclass(frozen=True)
class EspnetWriter:
    """Writes greyscale masks of ids, images, and the lists of both."""

    root: Path
    classes: ClassTable
    flavor: Annotated[Flavor, "the loader of EdgeNets that is to read it"] = "custom"
    images: Annotated[Placement, "how images get there"] = "copy"
    image_suffix: Annotated[
        Literal["source", ".jpg", ".png"], "for `custom`: the format of images, or as it was"
    ] = "source"
    accepts: Accepts = field(default=Accepts(mask=True), init=False)

    def __post_init__(self) -> None:
        if self.flavor == "cityscapes":
            classes = TABLES["cityscapes-train"]
        elif self.flavor == "voc":
            classes = ignore_as_255(self.classes, "EdgeNets' masks")
        else:
            # Its loader asserts that values are below the number of classes: 255 cannot be.
            classes = ClassTable(info for info in self.classes if info.role != "ignore")
        check_contiguous(classes, "EdgeNets")
        if self.flavor == "custom" and (self.images, self.image_suffix) == ("none", "source"):
            raise UsageError(
                "lists name image files: with --images none, say how those end, "
                "-o image_suffix=.jpg or .png"
            )
        object.__setattr__(self, "classes", classes)

    def write(self, sample: Sample) -> Entry:
        """Write the mask and put the image in its place.

        Raises `FormatError` for a name that the loader would not read out of a list as it is.
        """
        assert isinstance(sample.label, Mask)  # noqa: S101 - what `accepts` says
        ref, layout = sample.ref, LAYOUTS[self.flavor]
        columns = self._columns(ref.split, ref.key, self._suffix(ref))
        if columns_of(layout.separator.join(columns), self.flavor) != columns:
            name = "a blank" if self.flavor == "voc" else "a comma"
            raise FormatError(
                f'"{ref.key}" has {name} in its name, where EdgeNets splits the lines of its lists',
                path=ref.image,
                mend="Rename the source file.",
            )
        image, mask = _files(layout, columns)
        files: tuple[str, ...] = (mask,)
        notes: tuple[Note, ...] = ()
        if self._list(ref.split) not in layout.read:
            notes += (Note("in a list that EdgeNets does not read", f"{ref.split}.txt"),)
        if self.images != "none" and ref.image is None:
            notes += (Note("in no list: image missing", f"{ref.split}/{ref.key}"),)
        elif self.images != "none" and ref.image is not None:
            notes += place_image(ref.image, self.root / image, self.images)
            files = (mask, image)
        write_mask(self.root / mask, sample.label.ids)
        return Entry(ref.split, ref.key, files, notes)

    def finish(self, entries: Iterable[Entry]) -> None:
        """Write the lists and `classes.json`."""
        layout = LAYOUTS[self.flavor]
        lists: dict[str, list[str]] = {}
        for entry in entries:
            placed = len(entry.files) > 1
            if placed or self.images == "none":
                suffix = PurePosixPath(entry.files[1]).suffix if placed else self.image_suffix
                columns = self._columns(entry.split, entry.key, suffix)
                lines = lists.setdefault(self._list(entry.split), [])
                lines.append(layout.separator.join(columns))
        for name, lines in lists.items():
            path = self.root / layout.lists.format(name=name)
            atomic_write(path, "".join(f"{line}\n" for line in lines).encode())
        atomic_write(self.root / layout.table, self.classes.to_json())

    def _list(self, split: str) -> str:
        # EdgeNets trains VOC on the list of the augmented set alone.
        return "train_aug" if (self.flavor, split) == ("voc", "train") else split

    def _suffix(self, ref: SampleRef) -> str:
        if self.image_suffix != "source":
            return self.image_suffix
        suffix = ref.image.suffix.lower() if ref.image else ""
        return suffix if suffix in KEPT_SUFFIXES else ".png"

    def _columns(self, split: str, key: str, suffix: str) -> tuple[str, str]:
        layout = LAYOUTS[self.flavor]
        image = layout.image.format(split=split, key=key, suffix=suffix)
        return image, layout.mask.format(split=split, key=key)


def _files(layout: Layout, columns: tuple[str, str]) -> tuple[str, str]:
    """Return the paths of image and mask below the target."""
    image, mask = columns
    return (layout.images + image).lstrip("/"), (layout.masks + mask).lstrip("/")


@hookimpl
def segfmt_formats() -> list[Format]:
    """Bring EdgeNets' lists."""
    return [
        Format(
            "espnet",
            "ESPNet (EdgeNets): lists of image and mask pairs",
            reader=EspnetReader,
            writer=EspnetWriter,
            detect=detect,
            holds=Holds(holes=True, splits=True, colors=True, class_ids=True),
        )
    ]
