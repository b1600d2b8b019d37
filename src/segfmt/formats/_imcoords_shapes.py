"""The polygons of `*_imcoords` files: which are there, of what type, with which vertices."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from segfmt.classes import ClassInfo
from segfmt.errors import FormatError
from segfmt.jsonfile import load_json
from segfmt.model import Note
from segfmt.tables import TABLES

Kind = Literal["building", "road"]

FINE = TABLES["satellite-fine"]
ROADS = 10  # FINE's ids of buildings are their type_id, those of roads so many more
EMPTY = frozenset({"empty", "nan", "null", "none"})


def kind_of(info: ClassInfo) -> Kind:
    """Return whether a class of FINE is a type of building or of road."""
    return "road" if info.id > ROADS else "building"


def type_id(info: ClassInfo) -> str:
    """Return the type_id of a class of FINE."""
    return str(info.id - ROADS if kind_of(info) == "road" else info.id)


_BY_TYPE = {(kind_of(info), type_id(info)): info for info in FINE if info.role == "class"}


class Properties(msgspec.Struct):
    """What is read of a feature."""

    building_imcoords: str | None = None
    road_imcoords: str | None = None
    object_imcoords: str | None = None
    type_id: str | float | None = None
    type_name: str | None = None
    image_id: str | None = None


class Feature(msgspec.Struct):
    """One polygon."""

    properties: Properties


class Collection(msgspec.Struct):
    """A label file."""

    features: list[Feature]


COLLECTION = msgspec.json.Decoder(Collection)
NUMBERS = msgspec.json.Decoder(list[list[float]])


@dataclass(frozen=True, slots=True)
class Shape:
    """One polygon as it stands in its file: `text` is not empty."""

    kind: Kind
    text: str
    properties: Properties
    path: Path
    where: str


def type_of(shape: Shape) -> tuple[ClassInfo | None, Note | None]:
    """Return the class of FINE that a polygon's type is, or None, and what is to be reported.

    `type_id` counts: names come misspelt, and garbled beyond repair.
    """
    properties = shape.properties
    number = "" if properties.type_id is None else str(properties.type_id).strip()
    name = (properties.type_name or "").strip()
    by_id = _BY_TYPE.get((shape.kind, number.removesuffix(".0")))
    by_name = FINE.get(name)
    if by_name not in _BY_TYPE.values() or (by_name and kind_of(by_name) != shape.kind):
        by_name = None
    problem = ""
    if by_id is None:
        problem = "type_id unknown: type_name taken" if by_name else "unknown types"
    elif name and by_name is None:
        problem = "type_name unknown: type_id taken"
    elif by_name and by_id != by_name:
        problem = "type_id and type_name disagree: type_id taken"
    note = Note(problem, f'{shape.kind} {number or "none"} "{name}"') if problem else None
    return by_id or by_name, note


def read_shapes(paths: Iterable[Path]) -> tuple[list[Shape], list[Note]]:
    """Return the polygons of an image in the order of its files, and notes.

    Raises `FormatError` where there is nothing but boxes of objects.
    """
    shapes: list[Shape] = []
    notes: list[Note] = []
    boxes = 0
    for path in paths:
        collection, file_notes = load_json(path, COLLECTION)
        notes += file_notes
        for index, feature in enumerate(collection.features):
            properties = feature.properties
            texts: tuple[tuple[Kind, str | None], ...] = (
                ("building", properties.building_imcoords),
                ("road", properties.road_imcoords),
            )
            for kind, raw in texts:
                if text := _filled(raw):
                    where = f"features[{index}].properties.{kind}_imcoords"
                    shapes.append(Shape(kind, text, properties, path, where))
            boxes += bool(_filled(properties.object_imcoords))
    if boxes and not shapes:
        raise FormatError(
            f"has {boxes} boxes of objects, but no building or road: boxes are no outlines",
            path=path,
        )
    if boxes:
        notes.append(Note("objects left out: boxes, not outlines", "", boxes))
    return shapes, notes


def _filled(text: str | None) -> str:
    """Return coordinates without a trailing comma, "" where there are none."""
    bare = (text or "").strip().rstrip(", ")
    return "" if bare.casefold() in EMPTY else bare


def rings_of(shapes: list[Shape]) -> tuple[list[list[float]], list[Note]]:
    """Return the numbers of each polygon, x and y by turns, and notes.

    Numbers are read as `float()` reads them; `FormatError` names what is none.
    """
    # All at once as JSON takes a fraction of the time of `float()` for each.
    text = "],[".join(shape.text for shape in shapes)
    try:
        rings = NUMBERS.decode(f"[[{text}]]") if shapes else []
    except msgspec.DecodeError:
        rings = []
    if len(rings) != len(shapes):
        rings = [_numbers(shape) for shape in shapes]
    notes = []
    for shape, ring in zip(shapes, rings, strict=True):
        if len(ring) % 2:
            ring.pop()
            notes.append(Note("odd coordinates: the last number dropped", shape.kind))
    return rings, notes


def _numbers(shape: Shape) -> list[float]:
    numbers = []
    for part in shape.text.split(","):
        try:
            number = float(part)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise FormatError(
                f'has the coordinate "{part.strip()[:40]}", no number',
                path=shape.path,
                where=shape.where,
                mend="Mend or remove that polygon.",
            )
        numbers.append(number)
    return numbers
