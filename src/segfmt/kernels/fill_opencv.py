"""Fill rule `opencv`: the pixels that `cv2.fillPoly` of OpenCV >= 4.11 paints, bit for bit.

It is the 8-connected fill with shift 0; older OpenCV has other rules. A polygon covers the union of

1. its outline: each edge as `cv2.line` draws it, that is a Bresenham line, always from left to
   right, between the ends that `cv2.clipLine` leaves;
2. its inside: an edge from (x0, y0) down to (x1, y1) crosses the rows y0 <= y < y1. Its x is 16.16
   fixed point, its slope is taken between the *clipped* ends and truncated, and from them x is
   carried back to row y0. The crossings of a row are sorted and paired, which is even-odd over all
   rings, and a pair fills the pixels from ceil(left) to floor(right).

A row depends on nothing but its sorted crossings. So any sort, and any way to skip rows, is exact.

Indices are `np.uint64` because Numba tests a signed one for being negative, at a cost of 4 to 11 %.
"""

import numpy as np
import numpy.typing as npt
from numba import njit, types

TRUNCATE = 0
NEAREST = 1
FLOOR = 2

_FRACTION_BITS = 16
_ALMOST_ONE = (1 << _FRACTION_BITS) - 1
_COORDINATE_LIMIT = float(1 << 31)

# Rows of the arrays `edges` and `active`; _NEXT is one of `edges` only.
_BOTTOM, _X, _SLOPE, _NEXT = 0, 1, 2, 3
_FIELDS = 3

# Outcodes of Cohen and Sutherland.
_LEFT, _RIGHT, _ABOVE, _BELOW = 1, 2, 4, 8

_SIGNATURE = types.int64(
    types.Array(types.uint8, 2, "C"),
    types.Array(types.float64, 2, "C", readonly=True),
    types.Array(types.int64, 1, "C", readonly=True),
    types.Array(types.int64, 1, "C", readonly=True),
    types.Array(types.uint8, 1, "C", readonly=True),
    types.int64,
    types.int64,
)


@njit(nogil=True, error_model="numpy")
def _round_points(
    points: npt.NDArray[np.float64], rounding: int, vertices: npt.NDArray[np.int64]
) -> int:
    """Write rounded `points` to `vertices`; return the index of the first refused one, or -1."""
    for i in range(points.shape[0]):
        for axis in range(2):
            coordinate = points[i, axis]
            if rounding == NEAREST:
                coordinate = np.rint(coordinate)
            elif rounding == FLOOR:
                coordinate = np.floor(coordinate)
            else:
                coordinate = np.trunc(coordinate)
            if not abs(coordinate) < _COORDINATE_LIMIT:  # NaN compares false
                return i
            vertices[i, axis] = np.int64(coordinate)
    return -1


@njit(nogil=True, error_model="numpy")
def _clip_line(
    right: int, bottom: int, x0: int, y0: int, x1: int, y1: int
) -> tuple[bool, int, int, int, int]:
    """Clip like `cv2.clipLine`, which may move the ends even where it finds nothing visible."""
    code0 = _LEFT * (x0 < 0) + _RIGHT * (x0 > right) + _ABOVE * (y0 < 0) + _BELOW * (y0 > bottom)
    code1 = _LEFT * (x1 < 0) + _RIGHT * (x1 > right) + _ABOVE * (y1 < 0) + _BELOW * (y1 > bottom)
    if code0 & code1 == 0:
        if code0 & (_ABOVE | _BELOW):
            y = 0 if code0 & _ABOVE else bottom
            x0 += int(float(y - y0) * float(x1 - x0) / float(y1 - y0))
            y0 = y
            code0 = _LEFT * (x0 < 0) + _RIGHT * (x0 > right)
        if code1 & (_ABOVE | _BELOW):
            y = 0 if code1 & _ABOVE else bottom
            x1 += int(float(y - y1) * float(x1 - x0) / float(y1 - y0))
            y1 = y
            code1 = _LEFT * (x1 < 0) + _RIGHT * (x1 > right)
        if code0 & code1 == 0:
            if code0:
                x = 0 if code0 == _LEFT else right
                y0 += int(float(x - x0) * float(y1 - y0) / float(x1 - x0))
                x0 = x
                code0 = 0
            if code1:
                x = 0 if code1 == _LEFT else right
                y1 += int(float(x - x1) * float(y1 - y0) / float(x1 - x0))
                x1 = x
                code1 = 0
    return code0 | code1 == 0, x0, y0, x1, y1


# Inlined because a call an edge costs small polygons some 5 %; there is one call, so it is free.
@njit(nogil=True, error_model="numpy", inline="always")
def _draw_line(
    pixels: npt.NDArray[np.uint8], stride: int, x0: int, y0: int, x1: int, y1: int, value: int
) -> None:
    if x1 < x0:
        x0, y0, x1, y1 = x1, y1, x0, y0
    at = y0 * stride + x0
    dx = x1 - x0
    dy = abs(y1 - y0)
    row_step = stride if y0 < y1 else -stride
    if dy == 0:
        for i in range(at, at + dx + 1):
            pixels[np.uint64(i)] = value
        return
    if dx >= dy:
        major, minor, straight_step = dx, dy, 1
    else:
        major, minor, straight_step = dy, dx, row_step
    diagonal_step = row_step + 1
    error = major - 2 * minor
    for _ in range(major + 1):
        pixels[np.uint64(at)] = value
        if error < 0:
            error += 2 * (major - minor)
            at += diagonal_step
        else:
            error -= 2 * minor
            at += straight_step


@njit(nogil=True, error_model="numpy")
def _paint_span(
    pixels: npt.NDArray[np.uint8], width: int, at: int, x_left: int, x_right: int, value: int
) -> None:
    """Fill one pair of crossings of the row that starts at pixel `at`."""
    # OpenCV casts these to int; in an image of up to 2^31 pixels no crossing is beyond that.
    left = max((x_left + _ALMOST_ONE) >> _FRACTION_BITS, 0)
    right = min(x_right >> _FRACTION_BITS, width - 1)
    # LLVM turns this into memset; an intrinsic for it, or vector stores, are no faster.
    for i in range(at + left, at + right + 1):
        pixels[np.uint64(i)] = value


@njit(nogil=True, error_model="numpy")
def _fill_rows(
    pixels: npt.NDArray[np.uint8],
    stride: int,
    width: int,
    first_row: int,
    end_row: int,
    starting: npt.NDArray[np.int64],
    edges: npt.NDArray[np.int64],
    active: npt.NDArray[np.int64],
    value: int,
) -> None:
    """Fill a polygon's inside from its edge table, and leave that table empty."""
    n = 0  # number of active edges
    row = first_row
    while row < end_row:
        stop_row = end_row
        kept = 0
        for a in range(n):
            if active[_BOTTOM, a] > row:
                stop_row = min(stop_row, active[_BOTTOM, a])
                for field in range(_FIELDS):
                    active[field, np.uint64(kept)] = active[field, a]
                kept += 1
        n = kept
        edge = starting[np.uint64(row)]
        starting[np.uint64(row)] = -1
        while edge >= 0:
            stop_row = min(stop_row, edges[_BOTTOM, np.uint64(edge)])
            for field in range(_FIELDS):
                active[field, np.uint64(n)] = edges[field, np.uint64(edge)]
            n += 1
            edge = edges[_NEXT, np.uint64(edge)]

        # The rows before next_row have the same active edges.
        next_row = row + 1
        while next_row < stop_row and starting[np.uint64(next_row)] < 0:
            next_row += 1
        if n == 2:  # most rows of real polygons
            x0, x1 = active[_X, 0], active[_X, 1]
            slope0, slope1 = active[_SLOPE, 0], active[_SLOPE, 1]
            for y in range(row, next_row):
                _paint_span(pixels, width, y * stride, min(x0, x1), max(x0, x1), value)
                x0 += slope0
                x1 += slope1
            active[_X, 0], active[_X, 1] = x0, x1
        else:
            for y in range(row, next_row):
                for a in range(1, n):  # an insertion sort, for seldom anything moves
                    b = a
                    while b > 0 and active[_X, np.uint64(b - 1)] > active[_X, np.uint64(b)]:
                        i, j = np.uint64(b - 1), np.uint64(b)
                        for field in range(_FIELDS):
                            active[field, i], active[field, j] = active[field, j], active[field, i]
                        b -= 1
                for a in range(0, n, 2):
                    i, j = np.uint64(a), np.uint64(a + 1)
                    x0, x1 = active[_X, i], active[_X, j]
                    _paint_span(pixels, width, y * stride, x0, x1, value)
                    active[_X, i] = x0 + active[_SLOPE, i]
                    active[_X, j] = x1 + active[_SLOPE, j]
        row = next_row


@njit(_SIGNATURE, cache=True, nogil=True, error_model="numpy")
def fill_opencv(
    out: npt.NDArray[np.uint8],
    points: npt.NDArray[np.float64],
    ring_offsets: npt.NDArray[np.int64],
    polygon_offsets: npt.NDArray[np.int64],
    ids: npt.NDArray[np.uint8],
    rounding: int,
    width: int,
) -> int:
    """Paint polygons into `out[:, :width]` in their order, later over earlier, each with its id.

    Ring r is `points[ring_offsets[r]:ring_offsets[r + 1]]`, polygon p the rings from
    `polygon_offsets[p]` to `polygon_offsets[p + 1]`. Points are (x, y) in pixels, (0, 0) is the
    centre of the first. `rounding` is TRUNCATE (toward zero), NEAREST (half to even) or FLOOR.

    Returns -1, or the index of the first point that is not finite or is 2^31 or more in absolute
    value once rounded; then nothing is painted.
    """
    height, stride = out.shape
    if height == 0 or width == 0:
        return -1
    vertices = np.empty(points.shape, np.int64)
    refused = _round_points(points, rounding, vertices)
    if refused >= 0:
        return refused

    pixels = out.reshape(-1)
    largest = 0  # number of points in the largest polygon
    for polygon in range(ids.size):
        first, end = polygon_offsets[polygon], polygon_offsets[polygon + 1]
        largest = max(largest, ring_offsets[end] - ring_offsets[first])
    # The edge table: for each row, a linked list of the edges that start on it. Active edges are
    # copies, field by field: records, and indices into them, measured 20 % slower.
    starting = np.full(height, -1, np.int64)
    edges = np.empty((_FIELDS + 1, largest), np.int64)
    active = np.empty((_FIELDS, largest), np.int64)

    for polygon in range(ids.size):
        n_edges = 0
        first_row = height
        end_row = 0
        x_min = np.int64(0x7FFFFFFFFFFFFFFF)
        x_max = np.int64(-1)
        for ring in range(polygon_offsets[polygon], polygon_offsets[polygon + 1]):
            start, end = ring_offsets[ring], ring_offsets[ring + 1]
            if start == end:
                continue
            x0, y0 = vertices[end - 1, 0], vertices[end - 1, 1]
            for i in range(start, end):
                x1, y1 = vertices[i, 0], vertices[i, 1]
                visible, clipped_x0, clipped_y0, clipped_x1, clipped_y1 = True, x0, y0, x1, y1
                if not (
                    0 <= x0 < width and 0 <= x1 < width and 0 <= y0 < height and 0 <= y1 < height
                ):
                    visible, clipped_x0, clipped_y0, clipped_x1, clipped_y1 = _clip_line(
                        width - 1, height - 1, x0, y0, x1, y1
                    )
                if visible:
                    _draw_line(
                        pixels, stride, clipped_x0, clipped_y0, clipped_x1, clipped_y1, ids[polygon]
                    )
                if y0 != y1:
                    if clipped_y0 == clipped_y1:
                        clipped_y0, clipped_y1 = y0, y1
                    # Below 2^53 a truncated float64 quotient is the integer one, and is faster.
                    slope = np.int64(
                        float((clipped_x1 - clipped_x0) << _FRACTION_BITS)
                        / float(clipped_y1 - clipped_y0)
                    )
                    top, bottom = min(y0, y1), max(y0, y1)
                    x, y = (clipped_x0, clipped_y0) if y0 < y1 else (clipped_x1, clipped_y1)
                    x = (x << _FRACTION_BITS) + (top - y) * slope
                    # OpenCV subtracts rows as int, which wraps for tall edges.
                    x_end = x + int(np.int32(bottom - top)) * slope
                    x_min = min(x_min, x, x_end)
                    x_max = max(x_max, x, x_end)
                    if bottom > 0 and top < height:
                        if top < 0:
                            x -= top * slope
                            top = 0
                        bottom = min(bottom, height)
                        first_row = min(first_row, top)
                        end_row = max(end_row, bottom)
                        edges[_BOTTOM, np.uint64(n_edges)] = bottom
                        edges[_X, np.uint64(n_edges)] = x
                        edges[_SLOPE, np.uint64(n_edges)] = slope
                        edges[_NEXT, np.uint64(n_edges)] = starting[np.uint64(top)]
                        starting[np.uint64(top)] = n_edges
                        n_edges += 1
                x0, y0 = x1, y1

        # OpenCV's own test. It tells something new only where the difference above has wrapped.
        if x_max < 0 or x_min >= width << _FRACTION_BITS:
            for row in range(first_row, end_row):
                starting[np.uint64(row)] = -1
            continue
        _fill_rows(pixels, stride, width, first_row, end_row, starting, edges, active, ids[polygon])
    return -1
