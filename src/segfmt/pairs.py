"""What the pixels of a mask become by their ids and object numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Becomes = Callable[[npt.NDArray[np.int64], npt.NDArray[np.int64]], npt.NDArray[np.integer[Any]]]


# Entries of a table of all pairs that there might be: beyond, it leaves out ids that do not occur.
_SMALL = 1 << 20
# And beyond this, pixels are sorted, which takes a hundred times as long.
_LARGE = 1 << 24


def recode_pairs(
    ids: npt.NDArray[np.uint8] | npt.NDArray[np.uint16],
    numbers: npt.NDArray[np.uint8] | npt.NDArray[np.uint16],
    becomes: Becomes,
) -> npt.NDArray[np.uint16]:
    """Return what each pixel of (H, W) becomes, uint16.

    `becomes` is given the ids and the numbers of the pairs that occur, in their order, and returns
    what is to stand for each: an image has millions of pixels, and few pairs.

    >>> ids = np.array([[7, 7, 9]], np.uint8)
    >>> recode_pairs(ids, np.array([[0, 2, 2]], np.uint16), lambda ids, numbers: 10 * ids + numbers)
    array([[70, 72, 92]], dtype=uint16)
    """
    from segfmt.kernels.objects import find_pairs, write_pairs

    flat: npt.NDArray[Any] = np.ascontiguousarray(ids).reshape(-1)
    counted = np.ascontiguousarray(numbers, np.uint16).reshape(-1)
    stride = int(counted.max(initial=0)) + 1
    of_rank = np.arange(int(flat.max(initial=0)) + 1)
    if len(of_rank) * stride > _SMALL:
        flat, of_rank = _ranked(flat)
    size = len(of_rank) * stride
    if size > _LARGE:
        pairs = flat.astype(np.uint32) * np.uint32(stride) + counted
        found, places = np.unique(pairs, return_inverse=True)
        ranks, values = np.divmod(found.astype(np.int64), stride)
        return becomes(of_rank[ranks], values).astype(np.uint16)[places].reshape(ids.shape)
    present = np.zeros(size, np.uint8)
    find_pairs(flat, counted, stride, present)
    found = np.flatnonzero(present)
    ranks, values = np.divmod(found, stride)
    table = np.zeros(size, np.uint16)
    table[found] = becomes(of_rank[ranks], values)
    out = np.empty(ids.shape, np.uint16)
    write_pairs(flat, counted, stride, table, out.reshape(-1))
    return out


def _ranked(ids: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
    """Return the rank of each id among those that occur, and the id of each rank."""
    from segfmt.kernels.lut import remap_ids

    if ids.dtype != np.uint8:
        occur = np.flatnonzero(np.bincount(ids))
        lut = np.zeros(65536, np.uint16)
        lut[occur] = np.arange(len(occur))
        return lut[ids], occur
    ranks, used = np.empty_like(ids), np.zeros(256, np.uint8)
    remap_ids(ids, np.zeros(256, np.uint8), ranks, used)
    occur = np.flatnonzero(used)
    narrow = np.zeros(256, np.uint8)
    narrow[occur] = np.arange(len(occur))
    remap_ids(ids, narrow, ranks, used)
    return ranks, occur
