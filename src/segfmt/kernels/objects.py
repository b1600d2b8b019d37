"""Classes and objects of masks: the pairs that occur, what they become, and which are covered."""

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

# Pixels. Masks are mostly runs: a block that goes on as the pixel before it needs no look-up, and
# LLVM makes vector code of the comparison.
_BLOCK = 64
_U = np.uint64
_NUMBERS = types.Array(types.uint16, 1, "C", readonly=True)
_READ_BYTES = types.Array(types.uint8, 1, "C", readonly=True)
_BYTES = types.Array(types.uint8, 1, "C")
_NEAR = 1 << 14  # bytes
_FAR = 2.0**20  # pixels


@njit(
    [types.void(ids, _NUMBERS, types.int64, _BYTES) for ids in (_READ_BYTES, _NUMBERS)],
    cache=True,
    nogil=True,
    error_model="numpy",
)
def find_pairs(
    ids: NDArray[np.uint8] | NDArray[np.uint16],
    numbers: NDArray[np.uint16],
    stride: int,
    present: NDArray[np.uint8],
) -> None:
    """Set `present[id * stride + number]`, uint8, of each pixel's id and number.

    `ids` is uint8 or uint16 (n,), `numbers` uint16 (n,), each below `stride`.
    """
    n = ids.size
    start = 0
    while start < n:
        stop = min(start + _BLOCK, n)
        if start > 0 and stop - start == _BLOCK:
            other_id = np.uint8(0)
            for k in range(_BLOCK):
                other_id |= ids[_U(start + k)] ^ ids[_U(start + k - 1)]
            other_number = np.uint16(0)
            for k in range(_BLOCK):
                other_number |= numbers[_U(start + k)] ^ numbers[_U(start + k - 1)]
            if other_id == 0 and other_number == 0:
                start = stop
                continue
        for i in range(start, stop):
            present[_U(np.int64(ids[_U(i)]) * stride + np.int64(numbers[_U(i)]))] = 1
        start = stop


@njit(nogil=True, error_model="numpy")
def _has(row: NDArray[np.uint8], value: np.uint8) -> bool:
    whole = row.size // _BLOCK * _BLOCK
    for start in range(0, whole, _BLOCK):
        found = False
        for k in range(_BLOCK):
            found |= row[_U(start + k)] == value
        if found:
            return True
    found = False
    for i in range(whole, row.size):
        found |= row[_U(i)] == value
    return found


@njit(
    types.void(
        types.Array(types.uint8, 2, "C", readonly=True),
        types.int64,
        types.Array(types.float64, 2, "C", readonly=True),
        types.Array(types.int64, 1, "C", readonly=True),
        types.Array(types.int64, 1, "C", readonly=True),
        _READ_BYTES,
        _BYTES,
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def find_painted(
    objects: NDArray[np.uint8],
    width: int,
    points: NDArray[np.float64],
    ring_offsets: NDArray[np.int64],
    polygon_offsets: NDArray[np.int64],
    values: NDArray[np.uint8],
    present: NDArray[np.uint8],
) -> None:
    """Set `present[value]`, uint8 (256,), of each polygon whose value is left in its box.

    The polygons, whose `values` are uint8 (P,), were painted in `objects[:, :width]`, uint8 (H, W),
    by whatever rule: with points nearer than `_FAR` none paints more than a pixel beyond them, but
    Pillow's counts in float32, and with farther ones paints anywhere. Of most objects a row tells,
    so that next to nothing of the image is looked at.
    """
    height = objects.shape[0]
    for p in range(values.size):
        if present[values[p]]:
            continue
        x_min = y_min = np.inf
        x_max = y_max = -np.inf
        for i in range(ring_offsets[polygon_offsets[p]], ring_offsets[polygon_offsets[p + 1]]):
            x_min, x_max = min(x_min, points[i, 0]), max(x_max, points[i, 0])
            y_min, y_max = min(y_min, points[i, 1]), max(y_max, points[i, 1])
        left = int(min(max(x_min - 2.0, 0.0), float(width)))
        right = int(max(min(x_max + 3.0, float(width)), 0.0))
        top = int(min(max(y_min - 2.0, 0.0), float(height)))
        bottom = int(max(min(y_max + 3.0, float(height)), 0.0))
        if not (max(abs(x_min), abs(x_max)) < _FAR and max(abs(y_min), abs(y_max)) < _FAR):
            left, right, top, bottom = 0, width, 0, height
        if left >= right:
            continue
        # From the middle on: a polygon is wide there, and seldom at its top.
        middle = (top + bottom) // 2
        for k in range(bottom - top):
            y = middle + k if middle + k < bottom else top + middle + k - bottom
            if _has(objects[y, left:right], values[p]):
                present[values[p]] = 1
                break


@njit(types.void(_BYTES, _READ_BYTES, types.uint8), cache=True, nogil=True, error_model="numpy")
def close_up(values: NDArray[np.uint8], missing: NDArray[np.uint8], kept: np.uint8) -> None:
    """Count each of `values`, uint8 (n,), down by as many as there are `missing` ones below it.

    `missing` rises, and none of it is among the values. The value `kept` stays what it is.
    """
    # What a core holds nearest to it: each missing value is a pass of its own, as vector code.
    for start in range(0, values.size, _NEAR):
        stop = min(start + _NEAR, values.size)
        for m in range(missing.size - 1, -1, -1):
            floor = missing[m]
            for i in range(start, stop):
                value = values[_U(i)]
                above = (value > floor) & (value != kept)
                values[_U(i)] = value - np.uint8(above)


@njit(
    [
        types.void(ids, _NUMBERS, types.int64, _NUMBERS, types.Array(types.uint16, 1, "C"))
        for ids in (_READ_BYTES, _NUMBERS)
    ],
    cache=True,
    nogil=True,
    error_model="numpy",
)
def write_pairs(
    ids: NDArray[np.uint8] | NDArray[np.uint16],
    numbers: NDArray[np.uint16],
    stride: int,
    becomes: NDArray[np.uint16],
    out: NDArray[np.uint16],
) -> None:
    """Write `becomes[id * stride + number]` of each pixel into uint16 (n,)."""
    n = ids.size
    start = 0
    while start < n:
        stop = min(start + _BLOCK, n)
        if start > 0 and stop - start == _BLOCK:
            other_id = np.uint8(0)
            for k in range(_BLOCK):
                other_id |= ids[_U(start + k)] ^ ids[_U(start + k - 1)]
            other_number = np.uint16(0)
            for k in range(_BLOCK):
                other_number |= numbers[_U(start + k)] ^ numbers[_U(start + k - 1)]
            if other_id == 0 and other_number == 0:
                value = out[_U(start - 1)]
                for k in range(_BLOCK):
                    out[_U(start + k)] = value
                start = stop
                continue
        for i in range(start, stop):
            out[_U(i)] = becomes[_U(np.int64(ids[_U(i)]) * stride + np.int64(numbers[_U(i)]))]
        start = stop
