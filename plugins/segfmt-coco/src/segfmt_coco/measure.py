"""Area, bounding box and run lengths of what is written, as pycocotools measures them: by pixels.

Boxes are [x, y, width, height] of whole pixels, [0, 0, 0, 0] for none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

import segfmt
from segfmt import Mask, Polygons

Box = list[int]


class Object(NamedTuple):
    """An object of a mask: the pixels of a class and a number."""

    class_id: int
    number: int


def objects_of(mask: Mask) -> tuple[list[Object], npt.NDArray[np.integer[Any]]]:
    """Return the objects of a mask, by class and number, and which of them each pixel is.

    Pixels of a class without a number are one of number 0.
    """
    if mask.instances is None:
        present = np.bincount(mask.ids.reshape(-1), minlength=256) > 0
        places = np.cumsum(present, dtype=np.int32) - 1
        return [Object(id, 0) for id in np.flatnonzero(present).tolist()], places[mask.ids]
    stride = int(mask.instances.max(initial=0)) + 1
    codes = mask.ids.astype(np.int32) * stride + mask.instances
    present = np.zeros(256 * stride, bool)
    present[codes] = True
    places = np.cumsum(present, dtype=np.int32) - 1
    found = [Object(*divmod(code, stride)) for code in np.flatnonzero(present).tolist()]
    return found, places[codes]


def planes(
    count: int, index: npt.NDArray[np.integer[Any]]
) -> Iterator[tuple[int, npt.NDArray[np.uint8]]]:
    """Yield an index of objects in parts that 8 bits hold: the first object, and the part.

    In a part, 0 is whatever is in another, and 1 the first object.
    """
    for first in range(0, count, 255):
        lut = np.zeros(count, np.uint8)
        some = min(count - first, 255)
        lut[first : first + some] = np.arange(1, some + 1)
        yield first, lut[index]


def measured(counts: npt.NDArray[np.uint32], height: int) -> tuple[int, Box]:
    """Return the area and the box of run lengths."""
    ends = np.cumsum(counts, dtype=np.int64)
    first, last = ends[:-1:2], ends[1::2] - 1  # of the pixels inside, column by column
    if not len(last):
        return 0, [0, 0, 0, 0]
    top, bottom = int((first % height).min()), int((last % height).max())
    if (first // height != last // height).any():  # over the edge of a column: from edge to edge
        top, bottom = 0, height - 1
    left, right = int(first[0] // height), int(last[-1] // height)
    return int(counts[1::2].sum()), [left, top, right - left + 1, bottom - top + 1]


def measured_traced(polygons: Polygons) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the areas (P,) and corners (P, 4), left, top, right, bottom, of traced polygons.

    They are single rings on corners of pixels, so that what they enclose is what they paint.
    """
    if not len(polygons):
        return np.zeros(0, np.int64), np.zeros((0, 4), np.int64)
    starts = polygons.ring_offsets[:-1]
    x, y = polygons.points.astype(np.int64).T
    after = np.arange(1, len(x) + 1)
    after[polygons.ring_offsets[1:] - 1] = starts
    areas = np.abs(np.add.reduceat(x * y[after] - x[after] * y, starts)) // 2
    low = [np.minimum.reduceat(axis, starts) for axis in (x, y)]
    high = [np.maximum.reduceat(axis, starts) for axis in (x, y)]
    return areas, np.stack([*low, *high], axis=1)


def measured_drawn(parts: Polygons, canvas: npt.NDArray[np.uint8]) -> tuple[int, Box]:
    """Return the area and the box of polygons painted together; the canvas is, and stays, zeros."""
    segfmt.rasterize(parts, canvas.shape, background=None, out=canvas)
    limits = canvas.shape[::-1]
    left, top = np.clip(np.floor(parts.points.min(axis=0)) - 1, 0, limits).astype(int).tolist()
    right, bottom = np.clip(np.ceil(parts.points.max(axis=0)) + 1, 0, limits).astype(int).tolist()
    window = canvas[top:bottom, left:right]
    columns, rows = (np.flatnonzero(window.any(axis=axis)) for axis in (0, 1))
    area = int(np.count_nonzero(window))
    window[:] = 0
    if not area:
        return 0, [0, 0, 0, 0]
    box = [left + columns[0], top + rows[0], np.ptp(columns) + 1, np.ptp(rows) + 1]
    return area, [int(side) for side in box]
