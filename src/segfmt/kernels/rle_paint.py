"""COCO run lengths (RLE) into an index mask, without a mask of each.

The counts of a mask are the lengths of runs outside and inside in turn, outside first, column by
column. Every start and end of a run inside toggles what is below it in its column, and so does the
top of a column that a run goes on into: parities then give whole rows of the mask at a time, while
runs written as they come would be written column by column.
"""

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

CUT_OFF, STRANGE, TOO_LONG, NEGATIVE = range(4)

_U = np.uint64
_TOGGLE = np.uint8(255)

# Pixels. Boxes are widened to whole blocks where the image is wide enough: vector code has no rest.
_BLOCK = 16

_FIVE_BITS = 0x1F
_SIGN = 0x10
_MORE = 0x20
_ZERO = ord("0")
_LARGEST_SHIFT = 25

_BYTES = types.Array(types.uint8, 1, "C", readonly=True)
_READ_INTS = types.Array(types.int64, 1, "C", readonly=True)
_INTS = types.Array(types.int64, 1, "C")


@njit(
    types.UniTuple(types.int64, 3)(_BYTES, _READ_INTS, _INTS, _INTS),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def parse_strings(
    text: NDArray[np.uint8],
    text_offsets: NDArray[np.int64],
    counts: NDArray[np.int64],
    lengths: NDArray[np.int64],
) -> tuple[int, int, int]:
    """Read COCO's compressed strings, string k from `text_offsets[k]` to `text_offsets[k + 1]`.

    The counts of all are written one behind the other, and how many each has; `counts` must hold
    one a character. `write_strings` says how a string is made.

    Returns the index of the first string that is refused, the place in `text` and the reason; -1
    first if there is none. What pycocotools does not define is refused: CUT_OFF, the string ends
    within a number; STRANGE, a character that is none of the 64; TOO_LONG, a number of over 30
    bits; NEGATIVE, a count.
    """
    n = 0
    for k in range(text_offsets.size - 1):
        at, end = text_offsets[k], text_offsets[k + 1]
        first = n
        while at < end:
            count = 0
            shift = 0
            character = _MORE
            while character & _MORE:
                if at == end:
                    return k, at, CUT_OFF
                if shift > _LARGEST_SHIFT:
                    return k, at, TOO_LONG
                character = int(text[_U(at)]) - _ZERO
                if not 0 <= character < 2 * _MORE:
                    return k, at, STRANGE
                count |= (character & _FIVE_BITS) << shift
                shift += 5
                at += 1
            if character & _SIGN:
                count |= -1 << shift
            if n - first > 2:
                count += counts[_U(n - 2)]
            if count < 0:
                return k, at - 1, NEGATIVE
            counts[_U(n)] = count
            n += 1
        lengths[k] = n - first
    return -1, 0, 0


@njit(nogil=True, error_model="numpy")
def _find_toggles(
    counts: NDArray[np.int64],
    height: int,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
) -> tuple[int, int, int]:
    """Write the toggles, from left to right; return their number, the top and the bottom."""
    n = 0
    top, bottom = height, 0
    row = column = 0
    for k in range(1, counts.size, 2):
        row += counts[_U(k - 1)]
        if row >= height:
            column += row // height
            row %= height
        if counts[_U(k)] == 0:
            continue
        rows[_U(n)], columns[_U(n)] = row, column
        n += 1
        top = min(top, row)
        row += counts[_U(k)]
        while row > height:
            row -= height
            column += 1
            rows[_U(n)], columns[_U(n)] = 0, column
            n += 1
            top, bottom = 0, height
        bottom = max(bottom, row)
        rows[_U(n)], columns[_U(n)] = row, column
        n += 1
    return n, top, bottom


# As in the kernel `fill_coco`, and apart from it because of the cache.
@njit(nogil=True, error_model="numpy")
def _paint_box(
    out: NDArray[np.uint8],
    left: int,
    top: int,
    box: NDArray[np.uint8],
    inside: NDArray[np.uint8],
    value: np.uint8,
) -> None:
    """Paint where a column has had an odd number of toggles."""
    height, width = box.shape
    inside[:width] = 0
    for y in range(height):
        for x in range(width):
            mask = inside[_U(x)] ^ box[_U(y), _U(x)]
            inside[_U(x)] = mask
            pixel = out[_U(top + y), _U(left + x)]
            out[_U(top + y), _U(left + x)] = (pixel & ~mask) | (value & mask)


@njit(
    types.int64(types.Array(types.uint8, 2, "C"), _READ_INTS, _READ_INTS, _BYTES),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def paint_counts(
    out: NDArray[np.uint8],
    counts: NDArray[np.int64],
    offsets: NDArray[np.int64],
    ids: NDArray[np.uint8],
) -> int:
    """Paint masks in order, mask k of the counts from `offsets[k]` to `offsets[k + 1]`.

    Returns -1, or the index of the first mask with a negative count or of another size than `out`.
    Then nothing has been painted.
    """
    height, width = out.shape
    most = 0
    for k in range(ids.size):
        size = 0
        for i in range(offsets[k], offsets[k + 1]):
            size += counts[_U(i)]
            if counts[_U(i)] < 0 or size > out.size:
                return k
        if size < out.size:
            return k
        most = max(most, offsets[k + 1] - offsets[k])
    if out.size == 0:
        return -1
    # A run has two toggles, and one more in each further column.
    rows = np.empty(most + width, np.int64)
    columns = np.empty(most + width, np.int64)
    toggles = np.empty(out.size, np.uint8)
    inside = np.empty(width, np.uint8)
    for k in range(ids.size):
        n, top, bottom = _find_toggles(counts[offsets[k] : offsets[k + 1]], height, rows, columns)
        if n == 0:
            continue
        left = columns[0]
        box_width = columns[n - 1] + 1 - left
        box_width = min((box_width + _BLOCK - 1) // _BLOCK * _BLOCK, width - left)
        box = toggles[: (bottom - top) * box_width].reshape(bottom - top, box_width)
        box[:] = 0
        for i in range(n):
            if rows[_U(i)] < bottom:
                box[_U(rows[_U(i)] - top), _U(columns[_U(i)] - left)] ^= _TOGGLE
        _paint_box(out, left, top, box, inside, ids[k])
    return -1
