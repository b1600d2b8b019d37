"""Outlines in pixels: the order they are painted in, and how several become one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

import segfmt
from segfmt_yolo.labels import Ring


def outlines(
    rings: Sequence[Ring], class_ids: Sequence[int], numbers: Sequence[int] | None = None
) -> segfmt.Polygons:
    """Return single rings under the rule that Ultralytics paints by: `np.int32`, `cv2.fillPoly`."""
    return segfmt.Polygons.from_rings(
        [[ring] for ring in rings],
        class_ids,
        instance_ids=numbers,
        fill_rule="opencv",
        rounding="truncate",
    )


_ONE = outlines([np.zeros((1, 2))], [1])


def is_as_read(polygons: segfmt.Polygons) -> bool:
    """Whether polygons are under the rule of `outlines`."""
    return (polygons.fill_rule, polygons.rounding) == ("opencv", "truncate")


def rings_of(polygons: segfmt.Polygons) -> list[Ring]:
    """Return the rings of polygons."""
    return np.split(polygons.points, polygons.ring_offsets[1:-1]) if len(polygons) else []


def by_area(polygons: segfmt.Polygons, shape: tuple[int, int]) -> segfmt.Polygons:
    """Return single rings with the larger first, so that the smaller are painted over them.

    That is the order in which Ultralytics paints what overlaps, by how many pixels each covers.
    Those that cover as many stay as they were: there, Ultralytics leaves the order to its sort.
    """
    order = np.argsort(np.negative(painted_areas(polygons, shape)), kind="stable")
    if (order[:-1] < order[1:]).all():
        return polygons
    rings, numbers = rings_of(polygons), polygons.instance_ids
    return outlines(
        [rings[place] for place in order],
        polygons.class_ids[order].tolist(),
        None if numbers is None else numbers[order].tolist(),
    )


def painted_areas(polygons: segfmt.Polygons, shape: tuple[int, int]) -> list[int]:
    """Return how many pixels of the image each of single rings covers."""
    if not len(polygons):
        return []
    points, starts = np.trunc(polygons.points), polygons.ring_offsets[:-1]
    low, high = (edge.reduceat(points, starts) for edge in (np.minimum, np.maximum))
    inside = np.all((low >= 0) & (high < shape[::-1]), axis=1, keepdims=True)
    # In a canvas of its own size a ring is the same and soon painted, unless the image cuts it off.
    corners = np.where(inside, low, 0)
    sizes = np.where(inside, high - low + 1, shape[::-1]).astype(int).tolist()
    areas = []
    for ring, corner, (width, height) in zip(
        np.split(points, starts[1:]), corners, sizes, strict=True
    ):
        ends = np.array([0, len(ring)])
        alone = replace(_ONE, points=ring - corner, ring_offsets=ends)
        areas.append(int(np.count_nonzero(segfmt.rasterize(alone, (height, width)))))
    return areas


def joined(rings: Iterable[Ring]) -> Ring:
    """Return one ring of several, each reached by a cut there and back from the nearest point."""
    whole, *others = rings
    for ring in others:
        nearest = [int(np.square(whole - point).sum(axis=1).argmin()) for point in ring]
        there = int(np.square(whole[nearest] - ring).sum(axis=1).argmin())
        here = nearest[there]
        whole = np.concatenate([whole[: here + 1], ring[there:], ring[: there + 1], whole[here:]])
    return whole


def traced(mask: segfmt.Mask) -> tuple[segfmt.Polygons, npt.NDArray[np.int32]]:
    """Return single rings that paint this mask in any order, and the class of each hole it has."""
    with_holes = segfmt.trace(mask, fill_rule="opencv", holes="rings")
    inner = np.diff(with_holes.polygon_offsets) - 1
    if not inner.any():
        return with_holes, inner[:0]
    holes = np.repeat(with_holes.class_ids, inner)
    return segfmt.trace(mask, fill_rule="opencv", holes="keyhole"), holes
