"""What the label files of Cityscapes hold: label ids, trainIds, instance ids and polygons.

The rules are those of cityscapesScripts: `json2labelImg.py`, `json2instanceImg.py`, `labels.py`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from segfmt.errors import FormatError, did_you_mean
from segfmt.jsonfile import load_json, parse_rings
from segfmt.model import Note, Polygons, merge_notes, offsets_of
from segfmt.pairs import recode_pairs
from segfmt.tables import CITYSCAPES, CITYSCAPES_TRAIN_IDS

Ids = Literal["ids", "train"]
Place = tuple[str, str]  # split and key
UnknownLabel = Literal["error", "ignore", "background"]

FOLDERS = {"fine": "gtFine", "coarse": "gtCoarse"}
IMAGES = "leftImg8bit"
VOID = 255  # the trainId of what is none of the 19
THINGS = range(24, 34)  # ids of the classes whose objects are counted: hasInstances in labels.py
PER_CLASS = 1000  # an instance id is id * 1000 + n, n from 0
SUFFIXES = {
    "labelIds": ".png",
    "polygons": ".json",
    "instanceIds": ".png",
    "labelTrainIds": ".png",
    "color": ".png",
}  # by kind, in the order of preference
GROUP = "group"
_ID_OF = {info.name: info.id for info in CITYSCAPES}
_LICENSE_PLATE = "license plate"  # its id, -1, is never painted


def _lut(pairs: dict[int, int]) -> npt.NDArray[np.int16]:
    lut = np.full(256, -1, np.int16)
    lut[list(pairs)] = list(pairs.values())
    return lut


# int16 (256,), -1 where there is no such id: from the ids of a file to those of the reader's table.
# 255 becomes unlabeled as in `trainId2label`.
RECODE: dict[tuple[Ids, Ids], npt.NDArray[np.int16]] = {
    ("ids", "ids"): _lut({id: id for id in (*range(34), VOID)}),
    ("ids", "train"): _lut({id: CITYSCAPES_TRAIN_IDS.get(id, VOID) for id in (*range(34), VOID)}),
    ("train", "ids"): _lut({train: id for id, train in CITYSCAPES_TRAIN_IDS.items()} | {VOID: 0}),
    ("train", "train"): _lut({train: train for train in (*CITYSCAPES_TRAIN_IDS.values(), VOID)}),
}


def recoded(
    path: Path, stored: npt.NDArray[np.integer[Any]], lut: npt.NDArray[np.int16]
) -> npt.NDArray[np.uint8]:
    """Return what the values of a file become; `FormatError` for one that stands for no class."""
    ids: npt.NDArray[np.int16] = lut[stored]
    if ids.min() < 0:
        y, x = np.unravel_index(int(ids.argmin()), ids.shape)
        raise FormatError(
            f"has the value {stored[y, x]}, which stands for no class",
            path=path,
            where=f"pixel x={x}, y={y}",
        )
    return ids.astype(np.uint8)


@cache
def instance_luts(ids: Ids) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.uint16]]:
    """Return what each value of instanceIds.png is: the class, -1 for none, and the object number.

    Both are (65536,). Numbers count from 1; 0 is a group, a class without objects, or, among
    trainIds, a class that became 255.
    """
    values = np.arange(65536)
    single = values >= PER_CLASS
    label = np.where(single, values // PER_CLASS, values)
    classes = np.full(65536, -1, np.int16)
    known = label < len(CITYSCAPES)
    classes[known] = RECODE["ids", ids][label[known]]
    numbers = np.where(single & (classes != VOID), values % PER_CLASS + 1, 0)
    return classes, numbers.astype(np.uint16)


def matching_numbers(
    ids: npt.NDArray[np.uint8],
    values: npt.NDArray[np.uint16],
    classes: npt.NDArray[np.int16],
    numbers: npt.NDArray[np.uint16],
) -> tuple[npt.NDArray[np.uint16], int]:
    """Return the object numbers of pixels, uint16 (H, W), and how many are of another class.

    `values` are those of instanceIds.png, `classes` and `numbers` what each value is, (65536,).
    Where an image of `ids` says another class, there is no object.
    """
    differ = False

    def becomes(
        ids: npt.NDArray[np.int64], values: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.uint16]:
        nonlocal differ
        same = classes[values] == ids
        differ = not same.all()
        return np.where(same, numbers[values], np.uint16(0))

    found = recode_pairs(ids, values, becomes)
    return found, int(np.count_nonzero(classes[values] != ids)) if differ else 0


class Shape(msgspec.Struct):
    """One object of polygons.json."""

    label: str
    polygon: msgspec.Raw = msgspec.Raw()
    deleted: int | bool | None = 0


class Document(msgspec.Struct):
    """A polygons.json; official ones always have the size."""

    objects: list[Shape]
    height: int = msgspec.field(default=0, name="imgHeight")
    width: int = msgspec.field(default=0, name="imgWidth")


DOCUMENT = msgspec.json.Decoder(Document)


@dataclass(frozen=True, slots=True)
class Outlines:
    """What polygons.json says: `shape` is None where it does not tell the size."""

    shape: tuple[int, int] | None
    polygons: Polygons
    notes: tuple[Note, ...]


def read_polygons(path: Path, unknown_label: UnknownLabel) -> Outlines:
    """Read polygons.json as `json2labelImg` paints it, under label ids, and objects numbered.

    Numbers count from 1 where `json2instanceImg` counts from 0: each polygon of a class that has
    objects gets one, groups none. What an unknown label becomes is 0, or 255 for `ignore`.
    """
    document, notes = load_json(path, DOCUMENT)
    ids, numbers, raws, places = [], [], [], []
    unknown: list[tuple[str, str]] = []
    counts: Counter[int] = Counter()
    for index, shape in enumerate(document.objects):
        label = shape.label
        if shape.deleted or label.removesuffix(GROUP) == _LICENSE_PLATE:
            continue
        id = _ID_OF.get(label)
        group = id is None and label.endswith(GROUP)
        if group:
            id = _ID_OF.get(label.removesuffix(GROUP))
        if id is None:
            unknown.append((label, f"objects[{index}].label"))
            id = VOID if unknown_label == "ignore" else 0
        number = 0
        if id in THINGS and not group:
            counts[id] += 1
            number = counts[id]
        ids.append(id)
        numbers.append(number)
        raws.append(shape.polygon)
        places.append(f"objects[{index}].polygon")
    notes = merge_notes(notes, (Note("unknown labels", label) for label, _ in unknown))
    if unknown and unknown_label == "error":
        raise _unknown_labels(path, unknown, notes)
    size = document.height, document.width
    polygons, dropped = _polygons(path, ids, numbers, raws, places)
    return Outlines(size if min(size) > 0 else None, polygons, merge_notes(notes, dropped))


def _polygons(
    path: Path, ids: list[int], numbers: list[int], raws: list[msgspec.Raw], places: list[str]
) -> tuple[Polygons, list[Note]]:
    for raw, place in zip(raws, places, strict=True):
        if not len(raw):
            raise FormatError("is not there", path=path, where=place)
    points, offsets = parse_rings([memoryview(raw) for raw in raws], path, places)
    class_ids, instance_ids = np.asarray(ids, np.int32), np.asarray(numbers, np.int32)
    lengths = np.diff(offsets)
    # Pillow has no picture of fewer; `json2labelImg` ends with an error there.
    whole = lengths >= 2
    notes = []
    if not whole.all():
        points, offsets = points[np.repeat(whole, lengths)], offsets_of(lengths[whole])
        for id in class_ids[~whole].tolist():
            name = "ignore" if id == VOID else CITYSCAPES.by_id(id).name
            notes.append(Note("polygons dropped: under 2 points", name))
        class_ids, instance_ids = class_ids[whole], instance_ids[whole]
    rings = np.arange(len(class_ids) + 1)
    return Polygons(points, offsets, rings, class_ids, instance_ids, fill_rule="pillow"), notes


def _unknown_labels(
    path: Path, unknown: list[tuple[str, str]], notes: tuple[Note, ...]
) -> FormatError:
    names = ", ".join(f'"{name}"' for name in dict.fromkeys(name for name, _ in unknown))
    label, where = unknown[0]
    return FormatError(
        f"has labels that are no class: {names}",
        path=path,
        where=where,
        mend=did_you_mean(label, _ID_OF)
        or "Give --unknown-label ignore or background to convert it all the same.",
        notes=notes,
    )


def in_train_ids(polygons: Polygons, shape: tuple[int, int]) -> Polygons:
    """Return the polygons under trainIds, above one of the whole image.

    What no polygon covers is ignore there, as `json2labelImg` has it, and background elsewhere.
    """
    height, width = shape
    whole = [[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]]
    class_ids = RECODE["ids", "train"][polygons.class_ids].astype(np.int32)
    numbers = polygons.instance_ids
    if numbers is not None:
        numbers = np.concatenate(([0], np.where(class_ids == VOID, 0, numbers)), dtype=np.int32)
    return replace(
        polygons,
        points=np.concatenate((whole, polygons.points), dtype=np.float64),
        ring_offsets=np.concatenate(([0], polygons.ring_offsets + len(whole))),
        polygon_offsets=np.arange(len(polygons) + 2),
        class_ids=np.concatenate(([VOID], class_ids), dtype=np.int32),
        instance_ids=numbers,
    )
