"""The shapes of a label file, as outlines that paint what labelme's `shape_to_mask` paints.

Whatever is no polygon is drawn by Pillow, as labelme draws it, and what was drawn is traced: so all
shapes are polygons, which cover one another in their order and lose nothing below.
"""

from __future__ import annotations

import base64
import binascii
import io
import math
from functools import cached_property

import msgspec
import numpy as np
import numpy.typing as npt
from PIL import Image

import segfmt

Points = npt.NDArray[np.float64]
LINE_WIDTH, POINT_RADIUS = 10, 5  # labelme's
FARTHEST = 2**24  # beyond, Pillow's single precision loses whole pixels
WIDEST = 100_000  # radius of a circle: one ten times larger takes Pillow half a minute
# How many points each type of shape has; rectangles have all their corners in X-AnyLabeling.
_COUNTS = {
    "rectangle": (2, 4),
    "circle": (2,),
    "line": (2,),
    "point": (1,),
    "mask": (2,),
    "oriented_rectangle": (4,),
    "rotation": (4,),  # X-AnyLabeling's name of the one before
}
_FEWEST = {"polygon": 3, "linestrip": 2}  # or more


class Shape(msgspec.Struct):
    """One shape of a label file; `points` is what `segfmt.parse_rings` reads."""

    label: str
    points: msgspec.Raw
    shape_type: str | None = None
    group_id: int | float | str | None = None
    mask: str | None = None

    @property
    def type(self) -> str:
        """Its type; labels of the first versions have polygons alone, and do not say so."""
        return self.shape_type or "polygon"


def has_its_points(shape: Shape, count: int, where: str) -> bool:
    """Whether a shape has as many points as its type asks for; `FormatError` for no type."""
    if shape.type in _FEWEST:
        return count >= _FEWEST[shape.type]
    if shape.type not in _COUNTS:
        known = sorted((*_FEWEST, *_COUNTS))
        raise segfmt.FormatError(
            f'is "{shape.type}", which is no type of shape that labelme can paint',
            where=f"{where}.shape_type",
            mend=segfmt.did_you_mean(shape.type, known) or f"There are: {', '.join(known)}.",
        )
    return count in _COUNTS[shape.type]


class Canvas:
    """Finds the outlines of shapes in an image of `size` (height, width)."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._size = size

    @cached_property
    def _image(self) -> Image.Image:
        """All 0 between one shape and the next."""
        return Image.new("L", self._size[::-1])

    def outlines(self, shape: Shape, points: Points, where: str) -> list[Points]:
        """Return single rings that paint a shape under the fill rule `pillow`, each for itself.

        Raises
        ------
        FormatError
            For a mask that does not fit its box, and for places that Pillow cannot draw at; `where`
            names the shape, and the file is for the caller to name.
        """
        if shape.type in ("polygon", "oriented_rectangle", "rotation"):
            return [points]
        if shape.type == "rectangle":
            (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
            return [np.array([(left, top), (right, top), (right, bottom), (left, bottom)])]
        if shape.type == "mask":
            return self._of_mask(shape.mask or "", points, where)
        return self._drawn(shape.type, points, where)

    def _drawn(self, kind: str, points: Points, where: str) -> list[Points]:
        """Draw a circle, a point or lines as labelme does, and trace them."""
        if not (np.abs(points) < FARTHEST).all():
            raise _too_far(f"is over {FARTHEST} pixels away", where)
        xy: list[tuple[float, float]] = [(x, y) for x, y in points.tolist()]
        reach = float(POINT_RADIUS if kind == "point" else LINE_WIDTH)
        if kind == "circle":
            (x, y), (edge_x, edge_y) = xy
            # Not `hypot`, which rounds otherwise than labelme does.
            reach = math.sqrt((x - edge_x) ** 2 + (y - edge_y) ** 2)
            points = points[:1]
            if reach > WIDEST:
                raise _too_far(f"is a circle with a radius of over {WIDEST}", where)
        low = np.maximum(points.min(axis=0) - reach, 0).astype(int)
        high = np.minimum(points.max(axis=0) + reach + 2, self._size[::-1]).astype(int)
        if (low >= high).any():
            return []
        from PIL import ImageDraw  # here, as segfmt loads every plug-in at each start

        draw = ImageDraw.Draw(self._image)
        if kind in ("circle", "point"):
            x, y = xy[0]
            draw.ellipse(((x - reach, y - reach), (x + reach, y + reach)), outline=1, fill=1)
        else:
            draw.line(xy, fill=1, width=LINE_WIDTH)
        box = (*low.tolist(), *high.tolist())
        pixels = np.asarray(self._image.crop(box))
        self._image.paste(0, box)
        return _traced(pixels, low)

    def _of_mask(self, mask: str, points: Points, where: str) -> list[Points]:
        """Return the outlines of a PNG in base64 whose box is `points`, the last included."""
        pixels = _pixels(mask, f"{where}.mask")
        (left, top), (right, bottom) = points.astype(int).tolist()
        # Of the box, what is beyond the image's right and bottom is cut off: labelme slices.
        height, width = min(bottom + 1, self._size[0]) - top, min(right + 1, self._size[1]) - left
        if min(left, top) < 0 or pixels.shape != (height, width):
            raise segfmt.FormatError(
                f"is {pixels.shape[1]} x {pixels.shape[0]}, and its box in the image "
                f"{width} x {height} at ({left}, {top})",
                where=f"{where}.mask",
                mend="Mend or remove that shape.",
            )
        return _traced(pixels.astype(bool).astype(np.uint8), np.array([left, top]))


def _too_far(problem: str, where: str) -> segfmt.FormatError:
    return segfmt.FormatError(problem, where=f"{where}.points", mend="Mend or remove that shape.")


def _pixels(mask: str, where: str) -> npt.NDArray[np.generic]:
    try:
        # No other: Pillow would hand EPS to Ghostscript, which executes it.
        with Image.open(io.BytesIO(base64.b64decode(mask)), formats=("PNG",)) as image:
            pixels = np.asarray(image)
    except (
        binascii.Error,
        OSError,
        SyntaxError,
        ValueError,
        Image.DecompressionBombError,
    ) as error:
        # Without the address of Pillow's object, which is another each time.
        problem = f"is no PNG in base64: {str(error).partition(' <')[0]}"
        raise segfmt.FormatError(problem, where=where, mend="Mend or remove that shape.") from error
    if pixels.ndim != 2:
        raise segfmt.FormatError("is an image in color, not a mask", where=where)
    return pixels


def _traced(pixels: npt.NDArray[np.uint8], corner: npt.NDArray[np.int64]) -> list[Points]:
    """Return rings around the ones of a mask, moved by `corner` (x, y)."""
    traced = segfmt.trace(pixels, fill_rule="pillow", holes="keyhole")
    return np.split(traced.points + corner, traced.ring_offsets[1:-1]) if len(traced) else []
