"""What an outline is worth: its area, its bounds, whether it crosses itself.

Two sides cross where each has its ends strictly on both sides of the other. So sides that touch do
not: shared corners, a corner on a side, sides that lie on one another as the cuts of keyhole
outlines do. On which side a point is, float64 tells for certain but near zero, which then counts as
touching: what is called a crossing is one.
"""

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

# Of the products' rounding and of the differences before it (Shewchuk 1997, "ccwerrboundA").
_UNCERTAIN = (3.0 + 16.0 * 2.0**-53) * 2.0**-53

_POINTS = types.Array(types.float64, 2, "C", readonly=True)
_OFFSETS = types.Array(types.int64, 1, "C", readonly=True)


@njit(nogil=True, error_model="numpy")
def _side(points: NDArray[np.float64], a: int, b: int, c: int) -> int:
    """Return on which side of the line from a to b the point c is, 0 if on it or too near."""
    left = (points[a, 0] - points[c, 0]) * (points[b, 1] - points[c, 1])
    right = (points[a, 1] - points[c, 1]) * (points[b, 0] - points[c, 0])
    value = left - right
    if abs(value) <= _UNCERTAIN * (abs(left) + abs(right)):
        return 0
    return 1 if value > 0 else -1


@njit(nogil=True, error_model="numpy")
def _first_crossing(
    points: NDArray[np.float64],
    start: int,
    stop: int,
    order: NDArray[np.int64],
    tests: int,
) -> int:
    """Return the start of a side that another crosses, -1 if there is none, -2 if undecided.

    `order[start:stop]` are the starts of the sides by their least x: of those that begin beyond the
    end of a side none can cross it. `tests` is how many pairs are looked at before it gives up.
    """
    for i in range(start, stop):
        a = order[i]
        b = a + 1 if a + 1 < stop else start
        most_x = max(points[a, 0], points[b, 0])
        least_y = min(points[a, 1], points[b, 1])
        most_y = max(points[a, 1], points[b, 1])
        for k in range(i + 1, stop):
            c = order[k]
            d = c + 1 if c + 1 < stop else start
            if min(points[c, 0], points[d, 0]) > most_x:
                break
            tests -= 1
            if tests < 0:
                return -2
            if (
                max(points[c, 1], points[d, 1]) < least_y
                or min(points[c, 1], points[d, 1]) > most_y
            ):
                continue
            if (
                _side(points, a, b, c) * _side(points, a, b, d) < 0
                and _side(points, c, d, a) * _side(points, c, d, b) < 0
            ):
                return int(min(a, c))
    return -1


@njit(
    types.void(
        _POINTS,
        _OFFSETS,
        _OFFSETS,
        types.int64,
        types.Array(types.float64, 2, "C"),
        types.Array(types.int64, 2, "C"),
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def measure_rings(
    points: NDArray[np.float64],
    offsets: NDArray[np.int64],
    order: NDArray[np.int64],
    tests: int,
    areas: NDArray[np.float64],
    facts: NDArray[np.int64],
) -> None:
    """Measure every ring.

    `points` are float64 (N, 2), finite; `offsets` int64 (R + 1,); `order` int64 (N,), the points of
    each ring by the least x of the side that starts there. Written are `areas`, float64 (R, 5):
    area, least x, least y, most x, most y; and `facts`, int64 (R, 2): how many points are distinct,
    counted to 3, and where it crosses itself, as `_first_crossing` has it.
    """
    for ring in range(offsets.size - 1):
        start = offsets[ring]
        stop = offsets[ring + 1]
        facts[ring, 0] = 0
        facts[ring, 1] = -1
        areas[ring, :] = 0.0
        if start == stop:
            continue
        x0 = points[start, 0]
        y0 = points[start, 1]
        areas[ring, 1] = areas[ring, 3] = x0
        areas[ring, 2] = areas[ring, 4] = y0
        distinct = 1
        other = start
        twice = 0.0
        for i in range(start, stop):
            x = points[i, 0]
            y = points[i, 1]
            areas[ring, 1] = min(areas[ring, 1], x)
            areas[ring, 2] = min(areas[ring, 2], y)
            areas[ring, 3] = max(areas[ring, 3], x)
            areas[ring, 4] = max(areas[ring, 4], y)
            if distinct < 3 and (x != x0 or y != y0):
                if distinct == 1:
                    distinct = 2
                    other = i
                elif x != points[other, 0] or y != points[other, 1]:
                    distinct = 3
            n = i + 1 if i + 1 < stop else start
            # From the first point, so that far from the origin nothing is rounded away.
            twice += (x - x0) * (points[n, 1] - y0) - (points[n, 0] - x0) * (y - y0)
        areas[ring, 0] = abs(twice) / 2
        facts[ring, 0] = distinct
        if distinct == 3:
            facts[ring, 1] = _first_crossing(points, start, stop, order, tests)
