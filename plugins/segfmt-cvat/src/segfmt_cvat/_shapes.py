"""From the shapes of one image to what they cover: outlines, and patches of pixels."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from xml.etree.ElementTree import Element

import msgspec
import numpy as np
import numpy.typing as npt

from segfmt import FormatError, Note, Polygons, paint_rle, parse_rings, rasterize
from segfmt_cvat._ellipse import ellipse_inside

AREAS = ("polygon", "box", "mask", "ellipse")
Ring = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.bool_]
Rule = Callable[[list[list[Ring]], list[int]], Polygons]
_counts = msgspec.json.Decoder(list[Annotated[int, msgspec.Meta(ge=0, lt=2**31)]])


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """The pixels that a mask or an ellipse covers, in a box of the image."""

    left: int
    top: int
    inside: Pixels


@dataclass(frozen=True, slots=True)
class Shape:
    """An element of an image that covers an area, and where to find it."""

    element: Element
    where: str

    @property
    def z_order(self) -> int:
        """The layer: higher ones cover lower ones."""
        return int(self.number("z_order", "0"))

    @property
    def group(self) -> int:
        """The number of the group that it belongs to; 0 is none."""
        return int(self.number("group_id", "0"))

    def number(self, name: str, default: str | None = None) -> float:
        """Return an attribute that is a finite number; `FormatError` if it is none."""
        text = self.element.get(name, default)
        try:
            value = float(text or "")
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            what = "is missing" if text is None else f'is "{text[:40]}", no number'
            raise FormatError(f"{name} {what}", where=self.where)
        return value


def shapes_of(image: Element, where: str) -> tuple[list[Shape], list[Note]]:
    """Return what covers areas, in the order of painting, and notes of what does not.

    CVAT paints by z_order, and in the order of the file where that is the same.
    """
    shapes: list[Shape] = []
    others: Counter[str] = Counter()
    for index, element in enumerate(image):
        if element.tag in AREAS:
            shapes.append(Shape(element, f"{where}, {element.tag} {index + 1}"))
        else:
            others[element.tag] += 1
    shapes.sort(key=lambda shape: shape.z_order)
    left_out = "shapes left out: they cover no area"
    return shapes, [Note(left_out, tag, count) for tag, count in others.items()]


def areas_of(shapes: list[Shape], size: tuple[int, int], path: Path) -> list[Ring | Patch]:
    """Return what each shape covers in an image of that (height, width).

    Polygons of fewer than three points stay as they are, for the caller to drop.
    """
    drawn = [shape for shape in shapes if shape.element.tag == "polygon"]
    raws = [_json(shape) for shape in drawn]
    points, offsets = parse_rings(raws, path, [f"{shape.where}, points" for shape in drawn])
    rings = iter(np.split(points, offsets[1:-1]) if drawn else ())
    other: dict[str, Callable[[Shape, tuple[int, int]], Ring | Patch]] = {
        "box": _box,
        "mask": _mask,
        "ellipse": _ellipse,
    }
    return [
        next(rings) if shape.element.tag == "polygon" else other[shape.element.tag](shape, size)
        for shape in shapes
    ]


def paint(
    areas: list[Ring | Patch],
    values: npt.NDArray[np.integer],
    size: tuple[int, int],
    rule: Rule,
) -> npt.NDArray[Any]:
    """Paint a value for each area, in order; 0 where there is none.

    `rule` makes polygons of rings and values. Values beyond 255 are painted a byte at a time, as
    fill rules know bytes only.
    """
    low = _paint_bytes(areas, (values & 255).tolist(), size, rule)
    if values.max(initial=0) <= 255:
        return low
    high = _paint_bytes(areas, (values >> 8).tolist(), size, rule)
    return high.astype(np.uint16) << np.uint16(8) | low


def _paint_bytes(
    areas: list[Ring | Patch],
    values: list[int],
    size: tuple[int, int],
    rule: Rule,
) -> npt.NDArray[np.uint8]:
    out = rasterize(rule([], []), size)
    rings: list[list[Ring]] = []
    numbers: list[int] = []
    for area, value in zip(areas, values, strict=True):
        if isinstance(area, Patch):
            rasterize(rule(rings, numbers), size, background=None, out=out)
            rings, numbers = [], []
            height, width = area.inside.shape
            box = out[area.top : area.top + height, area.left : area.left + width]
            np.putmask(box, area.inside, value)
        else:
            rings.append([area])
            numbers.append(value)
    return rasterize(rule(rings, numbers), size, background=None, out=out)


def _json(shape: Shape) -> bytes:
    """Return `points`, which is `x,y;x,y;...`, as a JSON list of pairs."""
    text = shape.element.get("points", "").strip().rstrip(";")
    if not text:
        return b"[]"
    if text.count(",") == text.count(";") + 1:
        raw = f"[[{text.replace(';', '],[')}]]".encode()
        with suppress(msgspec.DecodeError):
            msgspec.json.decode(raw, type=msgspec.Raw)
            return raw
    # Numbers that only Python knows, such as `.5` or `1.`, or none at all.
    return msgspec.json.encode(list(_pairs(text, shape.where)))


def _pairs(text: str, where: str) -> Iterator[tuple[float, float]]:
    for index, pair in enumerate(text.split(";"), start=1):
        try:
            x, y = map(float, pair.split(","))
        except ValueError:
            x = y = math.nan
        if not (math.isfinite(x) and math.isfinite(y)):
            raise FormatError(
                f'point {index} is "{pair[:40]}", not x,y',
                where=f"{where}, points",
                mend="Mend or remove that polygon.",
            )
        yield x, y


def _box(shape: Shape, size: tuple[int, int]) -> Ring:  # noqa: ARG001 - as the others
    """Return the corners of a box, turned clockwise about its center by `rotation` degrees."""
    x0, y0, x1, y1 = (shape.number(name) for name in ("xtl", "ytl", "xbr", "ybr"))
    corners = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])
    angle = math.radians(shape.number("rotation", "0"))
    if angle == 0:
        return corners
    cos, sin = math.cos(angle), math.sin(angle)
    center = np.array([x0 + (x1 - x0) / 2, y0 + (y1 - y0) / 2])
    x, y = (corners - center).T
    turned: Ring = center + np.column_stack((cos * x - sin * y, sin * x + cos * y))
    return turned


def _mask(shape: Shape, size: tuple[int, int]) -> Patch:
    """Return the pixels of run lengths, which go row by row through a box, zeros first."""
    left, top, width, height = (
        int(shape.number(name)) for name in ("left", "top", "width", "height")
    )
    if (
        min(left, top, width - 1, height - 1) < 0
        or left + width > size[1]
        or top + height > size[0]
    ):
        box = f"{width} x {height} at {left}, {top}"
        problem = f"covers {box}, beyond the image of {size[1]} x {size[0]}"
        raise FormatError(problem, where=shape.where)
    try:
        counts = _counts.decode(f"[{shape.element.get('rle', '')}]")
        # COCO's run lengths go column by column: those of the box on its side.
        inside = paint_rle([counts], [1], (width, height)).T.astype(bool)
    except msgspec.DecodeError as error:
        raise FormatError("is no list of run lengths", where=f"{shape.where}, rle") from error
    except FormatError as error:
        error.where = f"{shape.where}, {error.where}"
        raise
    return Patch(left, top, inside)


def _ellipse(shape: Shape, size: tuple[int, int]) -> Patch:
    """Return the pixels that CVAT's own export paints: OpenCV's filled ellipse of whole numbers."""
    cx, cy, rx, ry = (shape.number(name) for name in ("cx", "cy", "rx", "ry"))
    # CVAT keeps the right and the upper end, to two decimals, and takes the radii from them.
    radii = round(float(f"{cx + rx:.2f}") - cx), round(cy - float(f"{cy - ry:.2f}"))
    try:
        inside = ellipse_inside(
            (round(cx), round(cy)), radii, round(shape.number("rotation", "0")), size
        )
    except ValueError as error:
        raise FormatError(str(error), where=shape.where) from error
    return Patch(0, 0, inside)
