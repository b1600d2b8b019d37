"""Objects of a mask, numbered as formats with one byte for them have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from segfmt.errors import FormatError
from segfmt.pairs import recode_pairs
from segfmt.raster import rasterize, rasterize_both, rasterize_instances
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
    return recode_pairs(ids, instances, _counted).astype(np.uint8)


def _counted(ids: npt.NDArray[np.int64], numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    are = (numbers > 0) & (ids != VOID)
    count = np.count_nonzero(are)
    if count > _MOST:
        raise FormatError(
            f"has {count} objects, and one byte tells {_MOST} apart",
            mend="Leave out those of classes that do not matter with --classes, or all of them: "
            "-i instances=false, where the source's format has that option.",
        )
    return np.where(are, np.cumsum(are), np.where(ids == VOID, VOID, 0))


def paint_objects(
    polygons: Polygons, shape: tuple[int, int], background: int
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Paint classes and objects of polygons, both uint8 (H, W), in one go.

    Objects are numbered as `number_objects` would number them; raises what it and `rasterize` do.
    The arrays are this thread's own, for one sample.
    """
    from segfmt.kernels.objects import close_up, find_painted

    assert polygons.instance_ids is not None  # noqa: S101 - asked for where there are such
    ids = canvas("mask", shape)
    class_ids = polygons.class_ids.astype(np.int64)
    is_object = (polygons.instance_ids > 0) & (class_ids != VOID)
    pairs = class_ids[is_object] << 32 | polygons.instance_ids[is_object]
    objects, numbers = np.unique(pairs, return_inverse=True)
    if len(objects) > _MOST:  # but some may be covered, which pixels tell
        rasterize(polygons, shape, background=background, out=ids)
        return ids, number_objects(ids, rasterize_instances(polygons, shape))
    values = np.where(class_ids == VOID, np.uint8(VOID), np.uint8(0))
    values[is_object] = numbers + 1
    out = canvas("objects", shape)
    ids.fill(background)
    out.fill(VOID if background == VOID else 0)
    rasterize_both(polygons, values, ids, out)
    made = canvas_of(out)
    assert made  # noqa: S101 - just now
    present = np.zeros(256, np.uint8)
    points = np.ascontiguousarray(polygons.points)
    flat = points, polygons.ring_offsets, polygons.polygon_offsets
    find_painted(made.wide, shape[1], *flat, values, present)
    covered = np.flatnonzero(present[1 : len(objects) + 1] == 0) + 1
    if len(covered):  # they have no number
        close_up(made.rows.reshape(-1), covered.astype(np.uint8), np.uint8(VOID))
    return ids, out
