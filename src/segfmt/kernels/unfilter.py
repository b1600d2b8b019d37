"""The filters of PNG rows, undone."""

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

_U = np.uint64
# Bytes, as many as whole pixels of any size that PNG has. In masks nearly all blocks go on as the
# pixel before them, which is seen, and copied, as vector code; else each byte waits for another.
_BLOCK = 48


@njit(nogil=True, error_model="numpy")
def _go_on(out: NDArray[np.uint8], start: int, step: int, again: bool) -> None:
    """Repeat the pixel before `start` over a block; `again` if the block before it was so, too."""
    if again:
        for k in range(_BLOCK):
            out[_U(start + k)] = out[_U(start + k - _BLOCK)]
    else:
        for k in range(_BLOCK):
            out[_U(start + k)] = out[_U(start + k - step)]


@njit(nogil=True, error_model="numpy")
def _paeth(left: np.uint8, above: np.uint8, corner: np.uint8) -> np.uint8:
    by_left = abs(np.int64(above) - np.int64(corner))  # |p - left|, p = left + above - corner
    by_above = abs(np.int64(left) - np.int64(corner))
    by_corner = abs(np.int64(left) + np.int64(above) - 2 * np.int64(corner))
    if by_left <= by_above and by_left <= by_corner:
        return left
    return above if by_above <= by_corner else corner


@njit(
    types.int64(
        types.Array(types.uint8, 1, "C", readonly=True),
        types.int64,
        types.int64,
        types.Array(types.uint8, 1, "C"),
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def unfilter(raw: NDArray[np.uint8], width: int, step: int, out: NDArray[np.uint8]) -> int:
    """Write the bytes of an image's rows; return the first row with an unknown filter, or -1.

    `raw` is uint8 (H * (width + 1),): of each row the filter's number, then `width` filtered bytes.
    `step` is how many bytes a pixel has. `out` is uint8 (H * width,). The filters are those of the
    PNG specification, section 9.2.
    """
    height = out.size // width
    for y in range(height):
        source = y * (width + 1) + 1
        row = y * width
        kind = raw[_U(source - 1)]
        if kind == 0 or (kind == 2 and y == 0):
            for x in range(width):
                out[_U(row + x)] = raw[_U(source + x)]
        elif kind == 2:
            for x in range(width):
                out[_U(row + x)] = raw[_U(source + x)] + out[_U(row + x - width)]
        elif kind == 1 or (kind == 4 and y == 0):  # of a row of zeros, Paeth takes the left
            for x in range(min(step, width)):
                out[_U(row + x)] = raw[_U(source + x)]
            x = step
            again = False
            while x < width:
                stop = min(x + _BLOCK, width)
                other = np.uint8(1)
                if stop == x + _BLOCK:
                    other = np.uint8(0)
                    for k in range(_BLOCK):
                        other |= raw[_U(source + x + k)]
                if other == 0:
                    _go_on(out, row + x, step, again)
                else:
                    for i in range(x, stop):
                        out[_U(row + i)] = raw[_U(source + i)] + out[_U(row + i - step)]
                again = other == 0
                x = stop
        elif kind == 3:
            for x in range(width):
                left = np.int64(out[_U(row + x - step)]) if x >= step else np.int64(0)
                above = np.int64(out[_U(row + x - width)]) if y > 0 else np.int64(0)
                out[_U(row + x)] = np.uint8(np.int64(raw[_U(source + x)]) + (left + above) // 2)
        elif kind == 4:
            for x in range(min(step, width)):  # left of the image are zeros: Paeth takes the above
                out[_U(row + x)] = raw[_U(source + x)] + out[_U(row + x - width)]
            x = step
            again = False
            while x < width:
                stop = min(x + _BLOCK, width)
                other = np.uint8(1)
                if stop == x + _BLOCK:
                    other = np.uint8(0)
                    row_above = row - width + x
                    for k in range(_BLOCK):  # over a row that goes on, Paeth takes the left
                        other |= raw[_U(source + x + k)] | (
                            out[_U(row_above + k)] ^ out[_U(row_above + k - step)]
                        )
                if other == 0:
                    _go_on(out, row + x, step, again)
                else:
                    for i in range(x, stop):
                        predicted = _paeth(
                            out[_U(row + i - step)],
                            out[_U(row + i - width)],
                            out[_U(row + i - width - step)],
                        )
                        out[_U(row + i)] = raw[_U(source + i)] + predicted
                again = other == 0
                x = stop
        else:
            return y
    return -1
