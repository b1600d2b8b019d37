"""What the pixels of a mask become by their ids and object numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Becomes = Callable[[npt.NDArray[np.int64], npt.NDArray[np.int64]], npt.NDArray[np.integer[Any]]]


# Entries of a table of all pairs that there might be: beyond, pixels are sorted, which takes a
# hundred times as long.
_TABLE = 1 << 24


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
    from segfmt.kernels.objects import find_objects, write_numbers

    flat: npt.NDArray[Any] = np.ascontiguousarray(ids).reshape(-1)
    counted = np.ascontiguousarray(numbers, np.uint16).reshape(-1)
    stride = int(counted.max(initial=0)) + 1
    size = (int(flat.max(initial=0)) + 1) * stride
    if size > _TABLE:
        found, places = np.unique(flat * np.uint32(stride) + counted, return_inverse=True)
        values = becomes(*np.divmod(found.astype(np.int64), stride)).astype(np.uint16)
        return values[places].reshape(ids.shape)
    present = np.zeros(size, np.uint8)
    find_objects(flat, counted, stride, present)
    found = np.flatnonzero(present)
    table = np.zeros(size, np.uint16)
    table[found] = becomes(*np.divmod(found, stride))
    out = np.empty(ids.shape, np.uint16)
    write_numbers(flat, counted, stride, table, out.reshape(-1))
    return out
