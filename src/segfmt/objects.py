"""Objects of a mask, numbered as formats with one byte for them have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from segfmt.errors import FormatError

if TYPE_CHECKING:
    import numpy.typing as npt

VOID = 255


def number_objects(
    ids: npt.NDArray[np.uint8], instances: npt.NDArray[np.uint16]
) -> npt.NDArray[np.uint8]:
    """Return uint8 (H, W): objects numbered 1 to n over all classes of an image, void as 255.

    `instances` counts by class, so an object is a class and a number; they are numbered in that
    order. Raises `FormatError` for more than 254.
    """
    from segfmt.kernels.objects import find_objects, write_numbers

    flat, numbers = (
        np.ascontiguousarray(ids).reshape(-1),
        np.ascontiguousarray(instances).reshape(-1),
    )
    stride = int(numbers.max(initial=0)) + 1
    present = np.zeros(256 * stride, np.uint8)
    find_objects(flat, numbers, stride, present)
    present[::stride] = 0  # number 0: no object
    present[VOID * stride :] = 0
    found = np.flatnonzero(present)
    if len(found) >= VOID:
        raise FormatError(
            f"has {len(found)} objects, and SegmentationObject can tell 254 apart",
            mend="Leave out objects of classes that do not matter with --classes.",
        )
    becomes = np.zeros(len(present), np.uint8)
    becomes[found] = np.arange(1, len(found) + 1)
    becomes[VOID * stride :] = VOID
    objects = np.empty(flat.size, np.uint8)
    write_numbers(flat, numbers, stride, becomes, objects)
    return objects.reshape(ids.shape)
