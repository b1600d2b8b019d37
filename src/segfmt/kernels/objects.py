"""Objects of a mask, numbered over all its classes."""

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
_WORD = 8  # pixels
_EACH_BYTE = np.uint64(0x0101010101010101)


@njit(
    types.void(_READ_BYTES, _NUMBERS, types.int64, _BYTES),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def find_objects(
    ids: NDArray[np.uint8], numbers: NDArray[np.uint16], stride: int, present: NDArray[np.uint8]
) -> None:
    """Set `present[id * stride + number]`, uint8 (256 * stride,), of each pixel's id and number.

    `ids` is uint8 (n,), `numbers` uint16 (n,), each below `stride`.
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
def _are_one(words: NDArray[np.uint64], start: int, value: np.uint8) -> bool:
    """Whether the words of a block, from `start` on, have one value in all of their bytes."""
    expected = _U(value) * _EACH_BYTE
    other = _U(0)
    for k in range(_BLOCK // _WORD):
        other |= words[_U(start + k)] ^ expected
    return bool(other == 0)


@njit(types.void(_BYTES, _BYTES), cache=True, nogil=True, error_model="numpy")
def find_values(values: NDArray[np.uint8], present: NDArray[np.uint8]) -> None:
    """Set `present[value]`, uint8 (256,), of each of `values`, uint8 (n,)."""
    whole = values.size // _BLOCK * _BLOCK
    words = values[:whole].view(np.uint64)
    for block in range(0, whole, _BLOCK):
        first = block // _WORD
        present[values[_U(block)]] = 1
        if _are_one(words, first, values[_U(block)]):
            continue
        for word in range(first, first + _BLOCK // _WORD):
            start = word * _WORD
            present[values[_U(start)]] = 1
            if words[_U(word)] != _U(values[_U(start)]) * _EACH_BYTE:
                for i in range(start + 1, start + _WORD):
                    present[values[_U(i)]] = 1
    for i in range(whole, values.size):
        present[values[_U(i)]] = 1


@njit(
    types.void(_BYTES, types.Array(types.uint8, 1, "C", readonly=True)),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def replace_values(values: NDArray[np.uint8], becomes: NDArray[np.uint8]) -> None:
    """Make each of `values`, uint8 (n,), `becomes[value]`, uint8 (256,), in place."""
    whole = values.size // _BLOCK * _BLOCK
    words = values[:whole].view(np.uint64)
    for block in range(0, whole, _BLOCK):
        first = block // _WORD
        value = values[_U(block)]
        if _are_one(words, first, value):
            if becomes[value] != value:
                for k in range(_BLOCK // _WORD):
                    words[_U(first + k)] = _U(becomes[value]) * _EACH_BYTE
            continue
        for word in range(first, first + _BLOCK // _WORD):
            start = word * _WORD
            value = values[_U(start)]
            if words[_U(word)] == _U(value) * _EACH_BYTE:
                words[_U(word)] = _U(becomes[value]) * _EACH_BYTE
            else:
                for i in range(start, start + _WORD):
                    values[_U(i)] = becomes[values[_U(i)]]
    for i in range(whole, values.size):
        values[_U(i)] = becomes[values[_U(i)]]


@njit(
    types.void(
        _READ_BYTES, _NUMBERS, types.int64, types.Array(types.uint8, 1, "C", readonly=True), _BYTES
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def write_numbers(
    ids: NDArray[np.uint8],
    numbers: NDArray[np.uint16],
    stride: int,
    becomes: NDArray[np.uint8],
    out: NDArray[np.uint8],
) -> None:
    """Write `becomes[id * stride + number]` of each pixel into uint8 (n,)."""
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
