"""Objects of a mask, numbered as formats with one byte for them have it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from segfmt.errors import FormatError
from segfmt.raster import rasterize, rasterize_instances
from segfmt.scratch import canvas, canvas_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from segfmt.model import Polygons

VOID = 255
_MOST = VOID - 1


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
    if len(found) > _MOST:
        raise FormatError(
            f"has {len(found)} objects, and one byte tells {_MOST} apart",
            mend="Leave out those of classes that do not matter with --classes, or all of them: "
            "-i instances=false, where the source's format has that option.",
        )
    becomes = np.zeros(len(present), np.uint8)
    becomes[found] = np.arange(1, len(found) + 1)
    becomes[VOID * stride :] = VOID
    objects = np.empty(flat.size, np.uint8)
    write_numbers(flat, numbers, stride, becomes, objects)
    return objects.reshape(ids.shape)


def paint_objects(
    polygons: Polygons, ids: npt.NDArray[np.uint8], background: int
) -> npt.NDArray[np.uint8]:
    """Paint the objects of polygons as `number_objects` would number them; raises what it does.

    `ids` is the mask of their classes, uint8 (H, W), and `background` its background. The array is
    this thread's own, for one sample.
    """
    from segfmt.kernels.objects import find_values, replace_values

    assert polygons.instance_ids is not None  # noqa: S101 - asked for where there are such
    class_ids = polygons.class_ids.astype(np.int64)
    is_object = (polygons.instance_ids > 0) & (class_ids != VOID)
    pairs = class_ids[is_object] << 32 | polygons.instance_ids[is_object]
    objects, numbers = np.unique(pairs, return_inverse=True)
    if len(objects) > _MOST:  # but some may be covered, which pixels tell
        return number_objects(ids, rasterize_instances(polygons, ids.shape))
    values = np.where(class_ids == VOID, VOID, 0).astype(np.int32)
    values[is_object] = numbers + 1
    out = canvas("objects", ids.shape)
    empty = VOID if background == VOID else 0
    rasterize(replace(polygons, class_ids=values), ids.shape, background=empty, out=out)
    present = np.zeros(256, np.uint8)
    made = canvas_of(out)
    assert made  # noqa: S101 - just now
    made.rows[:, 0] = 0  # beside the pixels, whatever stood there before
    flat = made.rows.reshape(-1)
    find_values(flat, present)
    if not present[1 : len(objects) + 1].all():  # some are covered, and have no number
        present[VOID], present[0] = 0, 0
        becomes = np.cumsum(present).astype(np.uint8)
        becomes[0], becomes[VOID] = 0, VOID
        replace_values(flat, becomes)
    return out
