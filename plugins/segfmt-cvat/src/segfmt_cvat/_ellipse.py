"""Filled ellipses, as OpenCV's `ellipse` of whole numbers and thickness -1 paints them.

OpenCV makes an ellipse a polygon with a corner every few degrees, in fixed-point numbers of 16
fractional bits, and fills that by its rule for convex polygons: row by row from edge to edge, and
along each edge a line. CVAT exports its ellipses that way.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Point = tuple[int, int]
Pixels = npt.NDArray[np.bool_]

BITS = 16
ONE = 1 << BITS
HALF = ONE >> 1
LARGEST = 1 << 15  # of centers and radii, far beyond any image: rows above the image cost time, too
# OpenCV's table of sines is one of 7 decimals in float32.
SINES = [float(np.float32(round(math.sin(math.radians(angle)), 7))) for angle in range(451)]


def ellipse_inside(center: Point, radii: Point, angle: int, size: tuple[int, int]) -> Pixels:
    """Return bool (H, W): the pixels of an ellipse in an image of that (height, width).

    Parameters
    ----------
    center, radii
        (x, y), in pixels.
    angle
        Degrees, clockwise.

    Raises `ValueError` for a negative radius, and for numbers beyond 2^15.
    """
    if min(radii) < 0 or max(map(abs, (*center, *radii))) > LARGEST:
        raise ValueError(f"an ellipse at {center} with the radii {radii} cannot be drawn")
    inside = np.zeros(size, bool)
    corners = _corners(center, radii, angle)
    for start, end in zip([corners[-1], *corners[:-1]], corners, strict=True):
        _draw_line(inside, start, end)
    if len(corners) > 2:
        _fill_convex(inside, corners)
    return inside


def _corners(center: Point, radii: Point, angle: int) -> list[Point]:
    """Return the corners in fixed-point numbers."""
    step = next((step for limit, step in ((3, 90), (10, 30), (15, 18)) if max(radii) < limit), 5)
    angle %= 360
    cos, sin = SINES[450 - angle], SINES[angle]
    (cx, cy), (rx, ry) = ((x * ONE, y * ONE) for x, y in (center, radii))
    corners: list[Point] = []
    for place in range(0, 360 + step, step):
        x, y = rx * SINES[450 - min(place, 360)], ry * SINES[min(place, 360)]
        corner = round(cx + x * cos - y * sin), round(cy + x * sin + y * cos)
        if not corners or corner != corners[-1]:
            corners.append(corner)
    return corners if len(corners) > 1 else [(cx, cy)] * 2


def _draw_line(inside: Pixels, start: Point, end: Point) -> None:
    """Set the pixels of a line: one for each step of its longer axis, and its end."""
    height, width = inside.shape
    clipped = _clipped(start, end, (width * ONE - 1, height * ONE - 1))
    if clipped is None:
        return
    (x0, y0), (x1, y1) = clipped
    steep = abs(x1 - x0) <= abs(y1 - y0)
    if steep:
        x0, y0, x1, y1 = y0, x0, y1, x1
    if x1 < x0:
        x0, y0, x1, y1 = x1, y1, x0, y0
    slope = _divided((y1 - y0) * ONE, (x1 - x0) | 1)
    steps = np.arange(((x1 - x0) >> BITS) + 1)
    along = np.append(((x0 + HALF) >> BITS) + steps, (x1 + HALF) >> BITS)
    across = np.append((y0 + HALF + slope * steps) >> BITS, (y1 + HALF) >> BITS)
    xs, ys = (across, along) if steep else (along, across)
    seen = (xs >= 0) & (xs < width) & (ys >= 0) & (ys < height)
    inside[ys[seen], xs[seen]] = True


def _clipped(start: Point, end: Point, last: Point) -> tuple[Point, Point] | None:
    """Return the part of a line within (0, 0) and `last`, None if there is none."""
    ends = [list(start), list(end)]
    # First the ends above and below are moved, then those at the sides, as OpenCV does: each move
    # rounds, so that the order shows.
    for axis in (1, 0):
        beyond = [_beyond(point[axis], last[axis]) for point in ends]
        if beyond[0] == beyond[1] != 0:
            return None
        for point, other, side in zip(ends, ends[::-1], beyond, strict=True):
            if side:
                limit = 0 if side < 0 else last[axis]
                rest, run = other[1 - axis] - point[1 - axis], other[axis] - point[axis]
                point[1 - axis] += _divided((limit - point[axis]) * rest, run)
                point[axis] = limit
    return (ends[0][0], ends[0][1]), (ends[1][0], ends[1][1])


def _beyond(value: int, last: int) -> int:
    return -1 if value < 0 else int(value > last)


def _divided(dividend: int, divisor: int) -> int:
    """Divide as C does, toward zero."""
    quotient = abs(dividend) // abs(divisor)
    return quotient if (dividend < 0) == (divisor < 0) else -quotient


def _fill_convex(inside: Pixels, corners: list[Point]) -> None:
    """Fill row by row between two sides, which go down from the topmost corner both ways round."""
    count = len(corners)
    rows = [(y + HALF) >> BITS for _, y in corners]
    top = min(range(count), key=lambda index: corners[index][1])
    sides = [_Side(top, step, rows[top]) for step in (1, count - 1)]
    left = count  # corners that no side has reached
    for y in range(rows[top], min(max(rows) + 1, len(inside))):
        for side in sides:
            while y >= side.end and left >= 0:
                left -= 1
                if left >= 0:
                    side.turn(corners, rows, y)
        if left < 0:
            return
        if y >= 0:
            x0, x1 = sorted((side.x + HALF) >> BITS for side in sides)
            inside[y, max(x0, 0) : max(x1 + 1, 0)] = True
        for side in sides:
            side.x += side.slope


class _Side:
    """One side of a convex polygon, at the row that is being filled."""

    def __init__(self, corner: int, step: int, end: int) -> None:
        self.corner, self.step, self.end = corner, step, end
        self.x, self.slope = -ONE, 0

    def turn(self, corners: list[Point], rows: list[int], y: int) -> None:
        """Go to the next corner, and down the edge to it unless that ends in this row or above."""
        corner, self.corner = self.corner, (self.corner + self.step) % len(corners)
        end = rows[self.corner]
        if end > y:
            start = corners[corner][0]
            self.slope = _divided((corners[self.corner][0] - start) * 2 + end - y, 2 * (end - y))
            self.x, self.end = start, end
