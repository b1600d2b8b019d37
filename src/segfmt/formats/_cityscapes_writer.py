"""Writes Cityscapes: the names, the label images, and polygons.json."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from segfmt.classes import ClassTable
from segfmt.colors import recode_ids, write_color_mask
from segfmt.errors import FormatError, UsageError, did_you_mean
from segfmt.files import atomic_write, check_key
from segfmt.format import Accepts, Entry
from segfmt.formats._cityscapes_labels import (
    FOLDERS,
    GROUP,
    IMAGES,
    PER_CLASS,
    RECODE,
    SUFFIXES,
    THINGS,
    Ids,
    Place,
)
from segfmt.imagefile import Placement, place_image, write_mask, write_mask16
from segfmt.model import Mask, Note, Polygons, Sample, merge_notes
from segfmt.pairs import recode_pairs
from segfmt.raster import rasterize, rasterize_instances
from segfmt.tables import CITYSCAPES, CITYSCAPES_TRAIN

_IS_THING = np.isin(np.arange(256), THINGS)


@dataclass(frozen=True)
class CityscapesWriter:
    """Writes the tree of the official archives; `names.json` lists the keys it had to change."""

    root: Path
    classes: ClassTable
    labels: Annotated[str, "which label files, separated by commas"] = (
        "labelIds,labelTrainIds,instanceIds,color,polygons"
    )
    ids: Annotated[
        Ids, "classes to map to: the 34 of labelIds, or the 19 of trainIds and ignore"
    ] = "ids"
    quality: Annotated[Literal["fine", "coarse"], "gtFine or gtCoarse"] = "fine"
    images: Annotated[Placement, "how images get there; other formats become PNG"] = "copy"

    def __post_init__(self) -> None:
        for kind in self._kinds:
            if kind not in SUFFIXES:
                mend = did_you_mean(kind, SUFFIXES) or f"There are: {', '.join(SUFFIXES)}."
                raise UsageError(f'-o labels={self.labels}: there is no "{kind}". {mend}')
        table = CITYSCAPES_TRAIN if self.ids == "train" else CITYSCAPES
        object.__setattr__(self, "classes", table)

    @cached_property
    def _kinds(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(kind.strip() for kind in self.labels.split(",")))

    @cached_property
    def accepts(self) -> Accepts:
        """Polygons by Pillow's rule if they are to be written: masks are painted of them then."""
        if "polygons" not in self._kinds:
            return Accepts(instances="instanceIds" in self._kinds)
        return Accepts(
            polygons=True, mask=False, instances=True, holes="keyhole", fill_rule="pillow"
        )

    def write(self, sample: Sample) -> Entry:
        """Write the label files, and put the image at `leftImg8bit/<split>/<city>/`."""
        ref, shape = sample.ref, sample.shape
        city, core = file_name(ref.key)
        label, ids = self._label_ids(sample)
        # All that can fail comes before the first file.
        values, notes = _instances(label, ids, shape) if "instanceIds" in self._kinds else (ids, ())
        files = []
        if ref.image is not None and self.images != "none":
            files.append(f"{IMAGES}/{ref.split}/{city}/{core}_{IMAGES}.png")
            placed = place_image(ref.image, self.root / files[0], self.images)
            notes = merge_notes(placed, notes)
        folder = FOLDERS[self.quality]
        for kind in self._kinds:
            files.append(f"{folder}/{ref.split}/{city}/{core}_{folder}_{kind}{SUFFIXES[kind]}")
            path = self.root / files[-1]
            if kind == "labelIds":
                write_mask(path, ids)
            elif kind == "labelTrainIds":
                write_mask(path, recode_ids(ids, RECODE["ids", "train"].astype(np.uint8)))
            elif kind == "instanceIds":
                write_mask16(path, values.astype(np.uint16, copy=False))
            elif kind == "color":
                write_color_mask(path, ids, CITYSCAPES)
            elif isinstance(label, Polygons):
                atomic_write(path, encode_polygons(label, shape))
        return Entry(ref.split, ref.key, tuple(files), notes)

    def _label_ids(self, sample: Sample) -> tuple[Polygons | Mask, npt.NDArray[np.uint8]]:
        """Return the label under label ids, and its label image."""
        label = sample.label
        lut = RECODE[self.ids, "ids"]
        if isinstance(label, Polygons):
            label = replace(label, class_ids=lut[label.class_ids].astype(np.int32))
            return label, rasterize(label, sample.shape)
        ids = label.ids if self.ids == "ids" else recode_ids(label.ids, lut.astype(np.uint8))
        return label, ids

    def finish(self, entries: Iterable[Entry]) -> None:
        """Write `names.json`, by split the names of keys that could not be kept, if there are any.

        Raises `FormatError` if `x_000000_000000` and `x/x_000000_000000` were both samples.
        """
        names: dict[str, dict[str, str]] = {}
        taken: set[Place] = set()
        for entry in entries:
            name = "/".join(file_name(entry.key))
            if (entry.split, name) in taken:
                raise FormatError(
                    f"stands for two samples of {entry.split}, one with its folder, one without",
                    path=name,
                    mend="Rename one in the source.",
                )
            taken.add((entry.split, name))
            if name != entry.key:
                names.setdefault(entry.split, {})[entry.key] = name
        if names:
            data = msgspec.json.format(msgspec.json.encode(names), indent=2)
            atomic_write(self.root / "names.json", data + b"\n")


def _instances(
    label: Polygons | Mask, ids: npt.NDArray[np.uint8], shape: tuple[int, int]
) -> tuple[npt.NDArray[np.uint16], tuple[Note, ...]]:
    """Return what instanceIds.png is to hold, and what is lost."""
    if isinstance(label, Mask):
        if label.instances is not None:
            lost: list[Note] = []

            def becomes(
                ids: npt.NDArray[np.int64], numbers: npt.NDArray[np.int64]
            ) -> npt.NDArray[np.uint16]:
                values, notes = instance_values(ids, numbers)
                lost.extend(notes)
                return values

            return recode_pairs(ids, label.instances, becomes), tuple(lost)
    elif label.instance_ids is not None:
        values, notes = instance_values(label.class_ids, label.instance_ids)
        numbered = replace(label, instance_ids=values.astype(np.int32))
        return rasterize_instances(numbered, shape), notes
    return ids.astype(np.uint16), ()


def instance_values(
    ids: npt.NDArray[np.integer[Any]], numbers: npt.NDArray[np.integer[Any]]
) -> tuple[npt.NDArray[np.uint16], tuple[Note, ...]]:
    """Return what instanceIds.png holds for these label ids and object numbers, and what is lost.

    Both have an entry for each object, or for each pair of the two. Classes whose objects
    Cityscapes does not count lose their numbers, as they would if `json2instanceImg` painted them.
    `FormatError` for a number that would run into the next class.
    """
    things = _IS_THING[ids]
    counted = np.where(things, numbers, 0)
    if counted.max(initial=0) > PER_CLASS:
        worst = int(counted.argmax())
        name = CITYSCAPES.by_id(int(ids[worst])).name
        raise FormatError(
            f'has the object number {counted[worst]} of "{name}", and Cityscapes has room for '
            f"{PER_CLASS} of a class in one image",
            mend="Leave instanceIds out of -o labels.",
        )
    # What became unlabeled has lost more than its number, and the class map said so.
    lost = np.unique(ids[(numbers > 0) & (ids > 0) & ~things]).tolist()
    values = np.where(counted > 0, ids.astype(np.uint16) * PER_CLASS + counted - 1, ids)
    names = [CITYSCAPES.by_id(id).name for id in lost]
    return values.astype(np.uint16), tuple(
        Note("object numbers dropped", f"Cityscapes counts none of {name}") for name in names
    )


def encode_polygons(polygons: Polygons, shape: tuple[int, int]) -> bytes:
    """Return a polygons.json of single rings under label ids, in painting order.

    What has objects but no number is a group, as `json2instanceImg` then paints the plain id. Rings
    of under 2 points, which paint nothing, are left out.
    """
    numbers = polygons.instance_ids
    objects = []
    for index, id in enumerate(polygons.class_ids.tolist()):
        start, end = polygons.ring_offsets[index : index + 2].tolist()
        if end - start < 2:
            continue
        group = id in THINGS and (numbers is None or not numbers[index])
        label = CITYSCAPES.by_id(id).name + (GROUP if group else "")
        objects.append({"label": label, "polygon": _json_points(polygons.points[start:end])})
    return msgspec.json.encode({"imgHeight": shape[0], "imgWidth": shape[1], "objects": objects})


def _json_points(points: npt.NDArray[np.float64]) -> Sequence[Sequence[float]]:
    whole = points.astype(np.int64)
    ring: Sequence[Sequence[float]] = (whole if (whole == points).all() else points).tolist()
    return ring


_KEPT = re.compile(r"(?:(?P<folder>[^\W_]+)/)?(?P<city>[^\W_]+)_[0-9]{6}_[0-9]{6}")
_NUMBERS = re.compile(r"(?:(?P<sequence>[0-9]{0,6}?)(?P<bar>_?)(?P<frame>[0-9]{1,6}))?\Z")


def file_name(key: str) -> tuple[str, str]:
    """Return the city and `<city>_<sequence>_<frame>` of a key, as `getCsFileInfo` can parse it.

    `<city>/<city>_000000_000019` is kept, with the folder or without. Of any other key, the last
    number becomes the frame, one before it the sequence, and the rest the city, `_` written as `-`,
    `/` as `+` and the like as `=` and two hex digits; how the numbers were written follows behind a
    `=`. So no two keys get one name, except a kept one with its folder and without.

    >>> file_name("aachen/aachen_000000_000019")
    ('aachen', 'aachen_000000_000019')
    >>> file_name("scene_1/img_0042")
    ('scene-1+img=0-4', 'scene-1+img=0-4_000000_000042')
    """
    kept = _KEPT.fullmatch(key)
    if kept and kept["folder"] in (None, kept["city"]):
        return kept["city"], key.rpartition("/")[2]
    numbers = _NUMBERS.search(key)
    assert numbers is not None  # noqa: S101 - it matches the empty end
    sequence, frame = numbers["sequence"] or "", numbers["frame"] or ""
    form = f"{len(sequence)}{'-' if numbers['bar'] else ''}{len(frame)}"
    rest = "".join(map(_escaped, key[: numbers.start()]))
    city = f"{rest}={form}" if rest else f"image-{form}"
    core = f"{city}_{sequence:0>6}_{frame:0>6}"
    check_key(f"{core}_gtCoarse_labelTrainIds.png")  # the longest; cities may outgrow a file system
    return city, core


def _escaped(letter: str) -> str:
    if letter.isalnum():
        return letter
    readable = {"_": "-", "/": "+"}.get(letter)
    return readable or "".join(f"={byte:02X}" for byte in letter.encode())
