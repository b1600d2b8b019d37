"""Polygons to pixels: checked wrappers round the fill kernels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from segfmt.errors import FormatError, UsageError
from segfmt.limits import PIXELS
from segfmt.model import FillRule, Holes, Mask, Polygons
from segfmt.scratch import canvas_of, scratch

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

_NOTHING = np.empty((0, 0), np.uint8)


def rasterize(
    polygons: Polygons,
    shape: tuple[int, int],
    *,
    background: int | None = 0,
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
        The id of pixels that no polygon covers; None if they keep what `out` holds.
    out
        A uint8 (H, W) array to paint into, the pixels of each row side by side: part of a larger
        image will do.

    Raises
    ------
    FormatError
        For a point that the rule does not define: not finite, or beyond 32 bits once whole; for a
        shape of more pixels than the limit.
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
    _check_ids(polygons)
    check_shape(shape)
    out = canvas(shape, background, out)
    _paint(out, polygons)
    return out


def rasterize_both(
    polygons: Polygons,
    values: npt.NDArray[np.uint8],
    out: npt.NDArray[np.uint8],
    second: npt.NDArray[np.uint8],
) -> None:
    """Paint polygons' class ids over `out` as `rasterize` does, and `values` over `second`.

    `values` has one for each polygon, and both arrays are as `rasterize` takes them, of one shape.
    """
    _check_ids(polygons)
    if out.shape != second.shape or values.shape != (len(polygons),):
        raise ValueError(f"{second.shape} beside {out.shape}, {values.shape} for {len(polygons)}")
    if polygons.fill_rule == "coco":
        refused = _fill_coco(out, polygons, second, values)
        if refused >= 0:
            raise _point_error(polygons, refused)
    else:
        _paint(out, polygons)
        _paint(second, replace(polygons, class_ids=values.astype(np.int32)))


def _check_ids(polygons: Polygons) -> None:
    ids = polygons.class_ids
    if len(ids) and not 0 <= int(ids.min()) <= int(ids.max()) <= 255:
        worst = int(ids.max()) if ids.max() > 255 else int(ids.min())
        raise UsageError(f"class id {worst} does not fit an 8-bit mask; map it to one of 0..255")


def canvas(
    shape: tuple[int, int], background: int | None, out: npt.NDArray[np.uint8] | None
) -> npt.NDArray[np.uint8]:
    """Return `out`, or a new array, filled with the background unless that is None."""
    if out is None:
        if background is None:
            raise ValueError("background=None paints over what out holds: give out")
        return np.full(shape, background, np.uint8)
    if out.shape != shape or out.dtype != np.uint8 or not _in_rows(out):
        raise ValueError(f"out must be a uint8 array of shape {shape}, contiguous in each row")
    if background is not None:
        out.fill(background)
    return out


def _in_rows(pixels: npt.NDArray[np.uint8]) -> bool:
    row, pixel = pixels.strides
    return pixels.size == 0 or (pixel == 1 and row >= pixels.shape[1])


def check_shape(shape: tuple[int, int], path: Path | None = None, where: str = "") -> None:
    """Raise `FormatError` for a (height, width) of more pixels than an image may have.

    `path` and `where` say who claims it; readers ask this of sizes that no image confirms.
    """
    PIXELS.check(shape[0] * shape[1], path, where or f"{shape[1]} x {shape[0]}")


def rasterize_instances(polygons: Polygons, shape: tuple[int, int]) -> npt.NDArray[np.uint16]:
    """Paint the polygons' object numbers instead of their classes, uint16 (H, W), 0 where none.

    Raises what `rasterize` does, and `FormatError` for a number beyond 16 bits.
    """
    numbers = polygons.instance_ids
    if numbers is None or not len(numbers):
        return np.zeros(shape, np.uint16)
    if numbers.min() < 0 or numbers.max() > 65535:
        raise FormatError(f"object number {numbers.max()} does not fit 16 bits")
    # A byte at a time: the same pixels are painted each time.
    byte = scratch("object byte", shape)
    values = rasterize(replace(polygons, class_ids=numbers & 255), shape, out=byte).astype(
        np.uint16
    )
    if numbers.max() > 255:
        rasterize(replace(polygons, class_ids=numbers >> 8), shape, out=byte)
        values |= byte.astype(np.uint16) << np.uint16(8)
    return values


def trace(
    mask: npt.NDArray[np.uint8] | Mask,
    *,
    fill_rule: FillRule = "center",
    holes: Holes = "rings",
    background: int = 0,
) -> Polygons:
    """Return polygons that paint this mask again, pixel for pixel.

    Parameters
    ----------
    mask
        uint8 (H, W), or a `Mask`, whose objects are then kept apart.
    fill_rule
        By which the polygons will be painted: `center` or `coco` (rings on the corners of pixels),
        `opencv` or `pillow` (rings through their centers). Exact under that rule; rings through
        centers, and those on corners, are exact under both of theirs unless `holes` is `rings`.
    holes
        `rings`: a polygon has its holes as rings, filled even-odd. `painter`: single rings that
        must be painted in order. `keyhole`: single rings, each hole joined to the outside by a cut,
        in any order.
    background
        The id that gets no polygon, unless one has to be painted over another.

    Raises `FormatError` for a mask of over 2^29 pixels, and `ValueError` for `rings` under the rule
    `coco`, which unites rings and so has no holes.

    >>> ids = np.zeros((5, 5), np.uint8)
    >>> ids[1:4, 1:4] = 7
    >>> trace(ids, fill_rule="opencv").points.tolist()
    [[1.0, 1.0], [3.0, 1.0], [3.0, 3.0], [1.0, 3.0]]
    """
    from segfmt.kernels.trace import trace_labels

    if (fill_rule, holes) == ("coco", "rings"):
        raise ValueError('the rule coco has no holes: give holes="painter" or "keyhole"')
    if not isinstance(mask, Mask):
        mask = Mask(mask)
    ids = np.ascontiguousarray(mask.ids)
    labels: npt.NDArray[np.uint8] | npt.NDArray[np.uint32] = ids
    if mask.instances is not None:
        labels = mask.instances.astype(np.uint32) << np.uint32(8) | ids
    try:
        # On corners the two rules see the same: a cut there and back cancels out under both.
        traced = trace_labels(
            labels, background, "center" if fill_rule == "coco" else fill_rule, holes
        )
    except ValueError as error:
        raise FormatError(str(error)) from error
    first = traced.first_pixels
    numbers = None
    if mask.instances is not None:
        numbers = mask.instances.reshape(-1)[first].astype(np.int32)
    return Polygons(
        traced.points,
        traced.ring_offsets,
        traced.polygon_offsets,
        ids.reshape(-1)[first].astype(np.int32),
        numbers,
        fill_rule,
        "nearest",
    )


def _paint(out: npt.NDArray[np.uint8], polygons: Polygons) -> None:
    """Paint polygons by their rule; `FormatError` for a bad point."""
    width = out.shape[1]
    # Kernels are imported where they run: numba takes a second to load.
    match polygons.fill_rule:
        case "opencv":
            from segfmt.kernels import fill_opencv as opencv

            roundings = {
                "truncate": opencv.TRUNCATE,
                "nearest": opencv.NEAREST,
                "floor": opencv.FLOOR,
            }
            rounding = roundings[polygons.rounding]
            refused = opencv.fill_opencv(_with_gaps(out), *_flat(polygons), rounding, width)
        case "pillow":
            from segfmt.kernels.fill_pillow import fill_pillow

            refused = fill_pillow(_with_gaps(out), *_flat(polygons), width)
        case "center":
            from segfmt.kernels.fill_center import fill_center

            refused = fill_center(_with_gaps(out), *_flat(polygons), width)
        case "coco":
            refused = _fill_coco(out, polygons)
    if refused >= 0:
        raise _point_error(polygons, int(refused))


def _fill_coco(
    out: npt.NDArray[np.uint8],
    polygons: Polygons,
    second: npt.NDArray[np.uint8] | None = None,
    values: npt.NDArray[np.uint8] | None = None,
) -> int:
    from segfmt.kernels.fill_coco import fill_coco

    flat = _flat(polygons)
    of_second = _NOTHING if second is None else _with_gaps(second)
    values = flat[-1] if values is None else values
    return int(fill_coco(_with_gaps(out), *flat, out.shape[1], of_second, values))


def _flat(
    polygons: Polygons,
) -> tuple[
    npt.NDArray[np.float64], npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.uint8]
]:
    """Return what kernels take of polygons."""
    return (
        np.ascontiguousarray(polygons.points),
        polygons.ring_offsets,
        polygons.polygon_offsets,
        polygons.class_ids.astype(np.uint8),
    )


def _with_gaps(out: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return an array as wide as its rows are apart: what is between them, kernels leave alone."""
    if made := canvas_of(out):
        return made.wide
    if out.flags.c_contiguous:
        return out
    return np.lib.stride_tricks.as_strided(out, (out.shape[0], out.strides[0]))


def _point_error(polygons: Polygons, index: int) -> FormatError:
    ring = int(np.searchsorted(polygons.ring_offsets, index, side="right")) - 1
    polygon = int(np.searchsorted(polygons.polygon_offsets, ring, side="right")) - 1
    x, y = polygons.points[index].tolist()
    first = int(polygons.ring_offsets[polygons.polygon_offsets[polygon]])
    limit = "2^27" if polygons.fill_rule == "coco" else "2^31"
    return FormatError(
        f"({x}, {y}) is no place in an image: coordinates must be finite and below {limit}",
        where=f"polygon {polygon}, point {index - first}",
        mend="Mend or remove that polygon in the source.",
    )
