"""Counting ids, and pairs of ids, that skips long runs.

Label masks are mostly runs, and adding one to the same number again and again waits each time for
the addition before: a block that goes on as the pixel before it is counted at once.
"""

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

_BLOCK = 64  # pixels; LLVM makes vector code of the loop that looks whether they are all alike
_U = np.uint64
_READ_BYTES = types.Array(types.uint8, 1, "C", readonly=True)


@njit(
    types.void(_READ_BYTES, types.Array(types.int64, 1, "C")),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def count_ids(ids: NDArray[np.uint8], counts: NDArray[np.int64]) -> None:
    """Add to `counts`, int64 (256,), how often each id stands in `ids`, uint8 (n,)."""
    n = ids.size
    start = 0
    while start < n:
        stop = min(start + _BLOCK, n)
        if start > 0 and stop - start == _BLOCK:
            difference = np.uint8(0)
            for k in range(_BLOCK):
                difference |= ids[_U(start + k)] ^ ids[_U(start + k - 1)]
            if difference == 0:
                counts[_U(ids[_U(start)])] += _BLOCK
                start = stop
                continue
        for i in range(start, stop):
            counts[_U(ids[_U(i)])] += 1
        start = stop


@njit(
    types.void(_READ_BYTES, _READ_BYTES, types.Array(types.int64, 2, "C")),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def count_pairs(a: NDArray[np.uint8], b: NDArray[np.uint8], counts: NDArray[np.int64]) -> None:
    """Add to `counts[i, j]` how often `a`, uint8 (n,), has i where `b`, uint8 (n,), has j.

    `counts` is int64, with more rows than any id in `a` and more columns than any in `b`.
    """
    n = a.size
    start = 0
    while start < n:
        stop = min(start + _BLOCK, n)
        if start > 0 and stop - start == _BLOCK:
            difference = np.uint8(0)
            for k in range(_BLOCK):
                here = _U(start + k)
                before = _U(start + k - 1)
                difference |= (a[here] ^ a[before]) | (b[here] ^ b[before])
            if difference == 0:
                counts[_U(a[_U(start)]), _U(b[_U(start)])] += _BLOCK
                start = stop
                continue
        for i in range(start, stop):
            counts[_U(a[_U(i)]), _U(b[_U(i)])] += 1
        start = stop
