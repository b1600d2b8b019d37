"""The filters of PNG rows, undone."""

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

_U = np.uint64


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
            for x in range(step, width):
                out[_U(row + x)] = raw[_U(source + x)] + out[_U(row + x - step)]
        elif kind == 3:
            for x in range(width):
                left = np.int64(out[_U(row + x - step)]) if x >= step else np.int64(0)
                above = np.int64(out[_U(row + x - width)]) if y > 0 else np.int64(0)
                out[_U(row + x)] = np.uint8(np.int64(raw[_U(source + x)]) + (left + above) // 2)
        elif kind == 4:
            for x in range(min(step, width)):  # left of the image are zeros: Paeth takes the above
                out[_U(row + x)] = raw[_U(source + x)] + out[_U(row + x - width)]
            for x in range(step, width):
                left = np.int64(out[_U(row + x - step)])
                above = np.int64(out[_U(row + x - width)])
                corner = np.int64(out[_U(row + x - width - step)])
                by_left = abs(above - corner)  # |p - left|, where p = left + above - corner
                by_above = abs(left - corner)
                by_corner = abs(left + above - 2 * corner)
                nearest = corner
                if by_left <= by_above and by_left <= by_corner:
                    nearest = left
                elif by_above <= by_corner:
                    nearest = above
                out[_U(row + x)] = np.uint8(np.int64(raw[_U(source + x)]) + nearest)
        else:
            return y
    return -1
