"""The annotations of one image: what each paints, and painting those that are not all polygons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

import segfmt
from segfmt import FormatError, Mask, Note, Polygons
from segfmt_coco.index import Source

FillRule = Literal["coco", "opencv", "pillow", "center"]
Rounding = Literal["truncate", "nearest", "floor"]


class _Rle(msgspec.Struct):
    counts: str | list[int]
    size: list[int] | None = None


class About(msgspec.Struct):
    """What is read of one of `annotations`: `bbox`, `area`, key points and the like are not."""

    category_id: int
    iscrowd: int | bool | None = None
    id: Any = None


class _Annotation(About):
    segmentation: list[list[float] | float] | _Rle | None = None


class _Unread(About):
    segmentation: msgspec.Raw = msgspec.Raw()


_ANNOTATIONS = msgspec.json.Decoder(list[_Annotation], strict=False)
_UNREAD = msgspec.json.Decoder(list[_Unread], strict=False)
Parts = list[npt.NDArray[np.float64]]


@dataclass(slots=True)
class Painted:
    """What one annotation paints: parts, each float64 (n, 2), or run lengths."""

    parts: Parts
    rle: str | list[int] | None
    annotation_id: Any
    class_id: int = 0
    number: int = 0


class Rule(NamedTuple):
    """How polygons are painted."""

    fill_rule: FillRule
    rounding: Rounding


def read_annotations(source: Source) -> tuple[list[tuple[About, Parts | None]], list[Note]]:
    """Return an image's annotations, with the parts of each where these could be read, and notes.

    Nearly all annotations are polygons as they should be, and are read together, at a third of the
    cost; where one of an image is anything else, they have their segmentations instead.
    """
    unread, notes = source.read(_UNREAD)
    found = segfmt.parse_flat_rings([one.segmentation for one in unread])
    if found is not None:
        points, ring_offsets, polygon_offsets = found
        if not (np.diff(ring_offsets) < 3).any():
            rings = [points[first:end] for first, end in pairwise(ring_offsets.tolist())]
            parts = [rings[first:end] for first, end in pairwise(polygon_offsets.tolist())]
            return list(zip(unread, parts, strict=True)), notes
    annotations, notes = source.read(_ANNOTATIONS)
    return [(one, None) for one in annotations], notes


def painted_of(
    annotation: About, parts: Parts | None, shape: tuple[int, int], notes: list[Note]
) -> Painted | None:
    """Return what an annotation paints, None for nothing.

    As pycocotools does, the odd last number of a part is dropped, and parts of under 3 points paint
    nothing. `FormatError` for run lengths of another size than the image.
    """
    if parts is not None:
        return Painted(parts, None, annotation.id)
    assert isinstance(annotation, _Annotation)  # noqa: S101 - what was read without parts
    given, which = annotation.segmentation, f"annotation {annotation.id}"
    if isinstance(given, _Rle):
        if given.size and tuple(given.size) != shape:
            raise FormatError(
                f"has run lengths of {given.size[0]} rows and {given.size[-1]} columns, but its "
                f"image has {shape[0]} and {shape[1]}",
                where=which,
            )
        return Painted([], given.counts, annotation.id)
    if not given:
        notes.append(Note("annotations without segmentation", which))
        return None
    lists = [part for part in given if isinstance(part, list)]
    if numbers := [part for part in given if not isinstance(part, list)]:
        notes.append(Note("segmentation is a flat list, taken for one part", which))
        lists.append(numbers)
    kept = []
    for part in lists:
        if len(part) % 2:
            notes.append(Note("coordinates dropped: an odd number of them", which))
        if len(part) < 6:
            notes.append(Note("polygons dropped: under 3 points", which))
        else:
            kept.append(np.array(part[: len(part) // 2 * 2], np.float64).reshape(-1, 2))
    return Painted(kept, None, annotation.id) if kept else None


def as_polygons(objects: Sequence[Painted], rule: Rule) -> Polygons:
    """Return all parts as polygons of their own, as a part is painted over the one before it."""
    count = [len(one.parts) for one in objects]
    numbers = np.repeat(np.array([one.number for one in objects], np.int32), count)
    parts = [part for one in objects for part in one.parts]
    ends = np.cumsum([0, *map(len, parts)])
    return Polygons(
        np.concatenate(parts) if parts else np.empty((0, 2)),
        ends,
        np.arange(len(ends)),
        np.repeat(np.array([one.class_id for one in objects], np.int32), count),
        numbers if numbers.any() else None,
        rule.fill_rule,
        rule.rounding,
    )


def as_mask(
    objects: Sequence[Painted], shape: tuple[int, int], rule: Rule, background: int
) -> Mask:
    """Return the mask of annotations painted in order; ids are uint16 where one is beyond 255."""

    def paint(out: npt.NDArray[np.uint8], values: npt.NDArray[np.int64]) -> None:
        pairs = zip(objects, values.tolist(), strict=True)
        numbered = [replace(one, class_id=value) for one, value in pairs]
        for is_rle, group in groupby(numbered, lambda one: one.rle is not None):
            if is_rle:
                _paint_rles(list(group), out)
            else:
                segfmt.rasterize(as_polygons(list(group), rule), shape, background=None, out=out)

    top = topmost(len(objects), shape, paint)
    ids = np.array([background, *(one.class_id for one in objects)])
    numbers = np.array([0, *(one.number for one in objects)], np.uint16)
    ids = ids.astype(np.uint16 if ids.max() > 255 else np.uint8)
    return Mask(ids[top], numbers[top] if numbers.any() else None)


def topmost(
    count: int,
    shape: tuple[int, int],
    paint: Callable[[npt.NDArray[np.uint8], npt.NDArray[np.int64]], object],
) -> npt.NDArray[np.integer[Any]]:
    """Return which of so many things is on top of each pixel, from 1; 0 where there is none.

    `paint` paints all of them in order, each as the value that it is given: a byte of its number.
    """
    order = np.arange(1, count + 1)
    top = np.zeros(shape, np.uint8 if count < 256 else np.uint32)
    for shift in range(0, count.bit_length(), 8):
        plane = np.zeros(shape, np.uint8)
        paint(plane, order >> shift & 255)
        top |= plane.astype(top.dtype) << shift
    return top


def _paint_rles(objects: Sequence[Painted], out: npt.NDArray[np.uint8]) -> None:
    rles = [one.rle for one in objects if one.rle is not None]
    ids = [one.class_id for one in objects]
    try:
        segfmt.paint_rle(rles, ids, out.shape, background=None, out=out)
    except FormatError as error:
        place = int(error.where.removeprefix("rle ").partition(",")[0])
        where = f"annotation {objects[place].annotation_id}"
        raise FormatError(f"has run lengths that are none: {error.problem}", where=where) from None
