"""AIHub's label files differ by product: each row says where one keeps what is read of it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import GenericAlias
from typing import Any, NamedTuple, Protocol, cast

import msgspec

from segfmt.errors import FormatError
from segfmt.formats._aihub_outlines import Form, Outlines, of_pairs, parse_outlines
from segfmt.jsonfile import LiftedRings, lift_rings, load_json
from segfmt.limits import read_whole
from segfmt.model import FillRule, Note, Rounding


class Shape(Protocol):
    """One object of a label file; what its dialect has no key for is not there."""

    label: str | None
    points: msgspec.Raw
    also: msgspec.Raw
    kind: str | None
    deleted: int


class About(Protocol):
    """What a label file says of its image; what its dialect has no key for is not there."""

    image: str
    folder: str
    size: list[float]
    width: float
    height: float


class Label(Protocol):
    """A label file; `about` is itself where what describes the image stands beside the objects."""

    objects: list[Shape]
    about: About


@dataclass(frozen=True)
class Dialect:
    """Where the label files of one product keep what is read of them; all strings are keys.

    Attributes
    ----------
    objects, label, points
        The list of objects; in each, its class, and its outline, which may be spelt in two ways.
    form
        How outlines are written: see `parse_outlines`.
    about
        What describes the image; "" where its keys stand beside `objects`.
    size
        In `about`: the list [width, height], or those two; none where only the image tells.
    image, folder
        In `about`: the image's file name, and its folder.
    unnamed
        Whether objects may be without a class: those are left out.
    deleted
        In an object: the flag of those that are left out.
    kind, lines
        In an object: what is drawn. Only a `polygon` is an area; where that is not said, classes in
        `lines` are none.
    label_end, image_end
        What the stems of labels and of images end in besides the name that they share.
    fill_rule, rounding
        How the tools of this product paint.
    """

    objects: str
    label: str
    points: tuple[str, ...]
    form: Form = "pairs"
    about: str = ""
    size: tuple[str, ...] = ()
    image: str = ""
    folder: str = ""
    unnamed: bool = False
    deleted: str = ""
    kind: str = ""
    lines: frozenset[str] = frozenset()
    label_end: str = ""
    image_end: str = ""
    fill_rule: FillRule = "opencv"
    rounding: Rounding = "nearest"

    @cached_property
    def _marks(self) -> tuple[bytes, ...]:
        return tuple(f'"{key}"'.encode() for key in (self.objects, self.about or self.size[0]))

    def fits(self, path: Path, data: bytes) -> bool:
        """Whether a label file could be of this product, by its name and by keys in it."""
        if self.label_end and not path.stem.endswith(self.label_end):
            return False
        return all(mark in data for mark in self._marks)

    @cached_property
    def decoder(self) -> msgspec.json.Decoder[Label]:
        """Decodes a label file, leaving outlines as they are written."""
        raw = msgspec.Raw
        shape = _struct(
            ("label", self.label, str | None if self.unnamed else str, msgspec.NODEFAULT),
            ("points", self.points[0], raw, raw()),
            ("also", "".join(self.points[1:]), raw, raw()),
            ("kind", self.kind, str | None, None),
            ("deleted", self.deleted, bool | int, 0),
        )
        pair = self.size if len(self.size) == 2 else ("", "")
        about: list[tuple[str, str, Any, Any]] = [
            ("image", self.image, str, ""),
            ("folder", self.folder, str, ""),
            ("size", "".join(self.size) if len(self.size) == 1 else "", list[float], []),
            ("width", pair[0], float, 0.0),
            ("height", pair[1], float, 0.0),
        ]
        if self.about:
            described = _struct(*about)
            about = [("about", self.about, described, described())]
        shapes = GenericAlias(list, (shape,))  # `list[shape]`, of a type made just now
        objects = ("objects", self.objects, shapes, msgspec.NODEFAULT)
        return msgspec.json.Decoder(_struct(objects, *about))

    def described(self, label: Label) -> About:
        """Return the part of a label file that describes its image."""
        return cast("About", label.about if self.about else label)

    @property
    def size_place(self) -> str:
        """Where a label file should say how large its image is."""
        names = [f"{self.about}.{key}" if self.about else key for key in self.size]
        return " and ".join(names) or self.about

    def shape_of(self, label: Label) -> tuple[int, int] | None:
        """Return (height, width) as the label file says, None where it does not or cannot be so."""
        about = self.described(label)
        if not self.size:
            return None
        sides = about.size if len(self.size) == 1 else [about.width, about.height]
        if len(sides) != 2 or not all(side > 0 and side % 1 == 0 for side in sides):
            return None
        return int(sides[1]), int(sides[0])

    def areas(self, shapes: list[Shape]) -> tuple[list[tuple[int, Shape]], list[Note]]:
        """Return the objects that are areas of a class, with their places, and notes of others."""
        if not (self.deleted or self.unnamed or self.kind):
            return list(enumerate(shapes)), []
        kept, notes = [], []
        for place, shape in enumerate(shapes):
            if reason := self._reason_against(shape):
                notes.append(Note(f"objects left out: {reason}", shape.label or ""))
            else:
                kept.append((place, shape))
        return kept, notes

    def _reason_against(self, shape: Shape) -> str:
        if self.deleted and shape.deleted:
            return "deleted"
        if self.unnamed and not shape.label:
            return f"no {self.label}"
        if self.kind and (shape.kind or "").casefold() != "polygon":
            return "" if not shape.kind and shape.label not in self.lines else "lines, not areas"
        return ""

    def outlines(
        self, shapes: list[tuple[int, Shape]], path: Path, lifted: LiftedRings | None
    ) -> Outlines:
        """Return the outlines of objects; `FormatError` for one that has none."""
        found = lifted.taken([shape.points for _, shape in shapes]) if lifted else None
        if found:  # as nearly always: no message has to name the places
            return of_pairs(*found)
        raws, places = [], []
        for index, shape in shapes:
            key, raw = self.points[0], shape.points
            if not len(raw) and len(self.points) == 2:
                key, raw = self.points[1], shape.also
            place = f"{self.objects}[{index}].{key}"
            if not len(raw):
                problem = f'"{shape.label}" has no points: no {self.points[0]}'
                raise FormatError(problem, path=path, where=place)
            raws.append(lifted.original(raw) if lifted else raw)
            places.append(place)
        return parse_outlines(self.form, raws, path, places)


def _struct(*fields: tuple[str, str, Any, Any]) -> Any:
    """Make a struct of (attribute, key, type, default), leaving out those without a key."""
    return msgspec.defstruct(
        "Fields",
        [
            (name, type, msgspec.field(name=key, default=default))
            for name, key, type, default in fields
            if key
        ],
        frozen=True,
    )


DIALECTS = {
    "driving": Dialect(
        objects="Annotation",
        label="Label",
        points=("Coordinate", "Coordinates"),
        about="Source_Image_Info",
        size=("Resolution",),
        image="Img_name",
        folder="Img_path",
    ),
    # Monocular and multi-camera sets, shaped and named after Cityscapes'.
    "etri": Dialect(
        objects="objects",
        label="label",
        points=("polygon",),
        size=("imgWidth", "imgHeight"),
        deleted="deleted",
        label_end="_gtFine_polygons",
        image_end="_leftImg8bit",
        fill_rule="pillow",
    ),
    # Lanes and crosswalks. Lanes are lines, which loaders draw as thick as each sees fit.
    "points": Dialect(
        objects="annotations",
        label="class",
        points=("data",),
        form="dicts",
        about="image",
        image="file_name",
        kind="category",
        lines=frozenset({"traffic_lane", "stop_line"}),
    ),
    # Damaged cars: one image a file, though it looks like COCO. Parts of cars have no damage.
    "damage": Dialect(
        objects="annotations",
        label="damage",
        points=("segmentation",),
        form="nested",
        about="images",
        size=("width", "height"),
        image="file_name",
        unnamed=True,
    ),
}


class LabelFile(NamedTuple):
    """A label file that was read; `lifted` has the rings, unless they are in `label` as usual."""

    dialect: Dialect
    label: Label
    notes: tuple[Note, ...] = ()
    lifted: LiftedRings | None = None


def read_label(path: Path, dialects: Sequence[Dialect]) -> LabelFile:
    """Read a label file by the first dialect that fits it, or else by the first of all."""
    data = read_whole(path)
    plain = data.replace(b"\0", b"") if 0 in data[:4] else data  # UTF-16 and UTF-32
    dialect = next((one for one in dialects if one.fits(path, plain)), dialects[0])
    lifted = lift_rings(data) if dialect.form == "pairs" else None
    # Of what is wrong with it, only the whole text can tell where.
    for rings in (lifted, None) if lifted else (None,):
        with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            text = data if rings is None else rings.text
            return LabelFile(dialect, dialect.decoder.decode(text), (), rings)
    return LabelFile(dialect, *load_json(path, dialect.decoder))
