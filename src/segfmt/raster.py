"""Polygons to pixels: checked wrappers round the fill kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from segfmt.errors import FormatError, UsageError
from segfmt.model import MAX_PIXELS

if TYPE_CHECKING:
    import numpy.typing as npt

    from segfmt.model import Polygons


def rasterize(
    polygons: Polygons,
    shape: tuple[int, int],
    *,
    background: int = 0,
    out: npt.NDArray[np.uint8] | None = None,
) -> npt.NDArray[np.uint8]:
    """Paint polygons in order into an index mask, uint8 (H, W).

    Parameters
    ----------
    polygons
        Painted by their own `fill_rule` and `rounding`, later over earlier.
    shape
        (height, width).
    background
        The id of pixels that no polygon covers.
    out
        A C-contiguous uint8 (H, W) array to paint into, overwritten whole.

    Raises
    ------
    FormatError
        For a point that the rule does not define: not finite, or beyond 32 bits once whole; for a
        shape of over 2^31 - 1 pixels.
    UsageError
        For a class id that an 8-bit mask cannot hold.

    >>> from segfmt import Polygons
    >>> square = Polygons.from_rings([[[(1, 1), (3, 1), (3, 2), (1, 2)]]], [7])
    >>> rasterize(square, (4, 5))
    array([[0, 0, 0, 0, 0],
           [0, 7, 7, 7, 0],
           [0, 7, 7, 7, 0],
           [0, 0, 0, 0, 0]], dtype=uint8)
    """
    ids = polygons.class_ids
    if len(ids) and not 0 <= int(ids.min()) <= int(ids.max()) <= 255:
        worst = int(ids.max()) if ids.max() > 255 else int(ids.min())
        raise UsageError(f"class id {worst} does not fit an 8-bit mask; map it to one of 0..255")
    if shape[0] * shape[1] > MAX_PIXELS:
        raise FormatError(f"{shape[1]} x {shape[0]} pixels are beyond the limit of 2^31 - 1")
    if out is None:
        out = np.full(shape, background, np.uint8)
    else:
        if out.shape != shape or out.dtype != np.uint8 or not out.flags.c_contiguous:
            raise ValueError(f"out must be a C-contiguous uint8 array of shape {shape}")
        out.fill(background)
    refused = _paint(out, polygons)
    if refused >= 0:
        raise _point_error(polygons, refused)
    return out


def _paint(out: npt.NDArray[np.uint8], polygons: Polygons) -> int:
    flat = (
        np.ascontiguousarray(polygons.points),
        polygons.ring_offsets,
        polygons.polygon_offsets,
        polygons.class_ids.astype(np.uint8),
    )
    # Kernels are imported where they run: numba takes a second to load.
    if polygons.fill_rule == "opencv":
        from segfmt.kernels import fill_opencv as kernel

        roundings = {
            "truncate": kernel.TRUNCATE,
            "nearest": kernel.NEAREST,
            "floor": kernel.FLOOR,
        }
        return int(kernel.fill_opencv(out, *flat, roundings[polygons.rounding]))
    raise UsageError(f'fill rule "{polygons.fill_rule}" is not there yet')


def _point_error(polygons: Polygons, index: int) -> FormatError:
    ring = int(np.searchsorted(polygons.ring_offsets, index, side="right")) - 1
    polygon = int(np.searchsorted(polygons.polygon_offsets, ring, side="right")) - 1
    x, y = polygons.points[index].tolist()
    first = int(polygons.ring_offsets[polygons.polygon_offsets[polygon]])
    return FormatError(
        f"({x}, {y}) is no place in an image: coordinates must be finite and below 2^31",
        where=f"polygon {polygon}, point {index - first}",
        mend="Mend or remove that polygon in the source.",
    )
