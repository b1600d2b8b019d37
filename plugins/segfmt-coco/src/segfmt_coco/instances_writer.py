"""Writes instances: `annotations/instances_<split>.json`, an annotation an object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt

import segfmt
from segfmt import Accepts, ClassTable, Entry, Mask, Note, Placement, Polygons, Sample
from segfmt_coco.assembly import assembly, fragment_name, read_fragment, write_fragment
from segfmt_coco.categories import check_eight_bits, with_background, written_categories
from segfmt_coco.measure import (
    Box,
    Object,
    measured,
    measured_drawn,
    measured_traced,
    objects_of,
    planes,
)
from segfmt_coco.objects import topmost

Record = dict[str, Any]


@dataclass(frozen=True)
class InstancesWriter:
    """Writes annotation files as COCO's tools read them; there is no ignore in them.

    Parts of one object are one annotation. What has no object number is an annotation a region
    where it is polygons, and an annotation a class where it is run lengths.
    """

    root: Path
    classes: ClassTable
    segmentation: Annotated[
        Literal["polygons", "rle"],
        "polygons, in which a hole is cut open to the outside, or compressed run lengths",
    ] = "polygons"
    year: Annotated[str, "what names of splits end in: 2017 makes them COCO's own"] = ""
    images: Annotated[Placement, "how images get there"] = "copy"

    def __post_init__(self) -> None:
        kept = ClassTable(info for info in self.classes if info.role != "ignore")
        object.__setattr__(self, "classes", check_eight_bits(with_background(kept)))

    @property
    def accepts(self) -> Accepts:
        """Polygons as they were drawn, or pixels; what was drawn for another rule is traced."""
        return Accepts(
            polygons=self.segmentation == "polygons",
            mask=True,
            instances=True,
            holes="keyhole",
            fill_rule="coco",
        )

    def write(self, sample: Sample) -> Entry:
        """Leave the sample's annotations for `finish`, and put the image at `<split>/<key>`."""
        ref = sample.ref
        records, notes = self._annotations(sample)
        name = ref.key + (ref.image.suffix.lower() if ref.image else ".jpg")
        files = [fragment_name(ref.split, ref.key)]
        if ref.image and self.images != "none":
            files.append(f"{ref.split}{self.year}/{name}")
            notes += segfmt.place_image(ref.image, self.root / files[1], self.images)
        height, width = sample.shape
        image = {"file_name": name, "height": height, "width": width}
        write_fragment(self.root / files[0], [image, *records])
        return Entry(ref.split, ref.key, tuple(files), tuple(notes))

    def finish(self, entries: Iterable[Entry]) -> None:
        """Write `annotations/instances_<split>.json`; ids count from 1, by split and key."""
        with assembly(self.root) as files:
            for entry in entries:
                image, *annotations = read_fragment(self.root, entry)
                files.add(entry.split, image, annotations)
            classes = [info for info in self.classes if info.role == "class"]
            files.write(self._file, written_categories(classes))

    def _file(self, split: str) -> Path:
        return self.root / "annotations" / f"instances_{split}{self.year}.json"

    @property
    def _background(self) -> int:
        background = self.classes.background
        assert background is not None  # noqa: S101 - made sure of above
        return background.id

    def _annotations(self, sample: Sample) -> tuple[list[Record], list[Note]]:
        label = sample.label
        if isinstance(label, Polygons):
            groups = _groups(label, self._background)
            if groups is not None:
                return _drawn(label, groups, sample.shape)
            label = _painted(label, sample.shape, self._background)
        if self.segmentation == "rle":
            return list(_run_lengths(label, self._background)), []
        return _traced(label, self._background), []


def _groups(polygons: Polygons, background: int) -> list[list[int]] | None:
    """Return which polygons are parts of one annotation, in order, None if that cannot be.

    It cannot where something else comes between the parts, or background is painted over a class.
    """
    numbers = polygons.instance_ids
    classes = polygons.class_ids.tolist()
    if background in classes:
        return None
    objects = list(
        map(Object, classes, [0] * len(polygons) if numbers is None else numbers.tolist())
    )
    groups: list[list[int]] = []
    seen: set[Object] = set()
    for place, one in enumerate(objects):
        if one.number and place and one == objects[place - 1]:
            groups[-1].append(place)
        elif one in seen:
            return None
        else:
            groups.append([place])
            if one.number:
                seen.add(one)
    return groups


def _painted(polygons: Polygons, shape: tuple[int, int], background: int) -> Mask:
    """Return the mask of polygons that have to be traced anew."""

    def paint(out: npt.NDArray[np.uint8], values: npt.NDArray[np.int64]) -> None:
        named = replace(polygons, class_ids=values.astype(np.int32))
        segfmt.rasterize(named, shape, background=None, out=out)

    top = topmost(len(polygons), shape, paint)
    ids = np.array([background, *polygons.class_ids], np.uint8)[top]
    if polygons.instance_ids is None:
        return Mask(ids)
    return Mask(ids, np.array([0, *polygons.instance_ids], np.uint16)[top])


def _drawn(
    polygons: Polygons, groups: list[list[int]], shape: tuple[int, int]
) -> tuple[list[Record], list[Note]]:
    """Return the annotations of polygons as they were drawn, single rings by the rule `coco`."""
    canvas = np.zeros(shape, np.uint8)
    offsets = polygons.ring_offsets.tolist()
    records: list[Record] = []
    notes: list[Note] = []
    for group in groups:
        rings = [polygons.points[offsets[place] : offsets[place + 1]] for place in group]
        kept = [ring for ring in rings if len(ring) > 2]
        notes += [Note("polygons dropped: under 3 points")] * (len(rings) - len(kept))
        if kept:
            parts = Polygons.from_rings([[r] for r in kept], [1] * len(kept), fill_rule="coco")
            area, box = measured_drawn(parts, canvas)
            outlines = [_json_numbers(ring) for ring in kept]
            records.append(_record(int(polygons.class_ids[group[0]]), outlines, area, box))
    return records, notes


def _traced(mask: Mask, background: int) -> list[Record]:
    """Return the annotations of a mask: single rings on corners of pixels, which do not overlap."""
    polygons = segfmt.trace(mask, fill_rule="coco", holes="keyhole", background=background)
    areas, corners = measured_traced(polygons)
    numbers = polygons.instance_ids
    groups: dict[tuple[int, ...], list[int]] = {}
    for place, id in enumerate(polygons.class_ids.tolist()):
        number = 0 if numbers is None else int(numbers[place])
        groups.setdefault((id, number) if number else (id, 0, place), []).append(place)
    offsets = polygons.ring_offsets.tolist()
    records = []
    for (id, *_), group in groups.items():
        rings = [polygons.points[offsets[place] : offsets[place + 1]] for place in group]
        left, top = corners[group, :2].min(axis=0).tolist()
        right, bottom = corners[group, 2:].max(axis=0).tolist()
        box = [left, top, right - left, bottom - top]
        outlines = [_json_numbers(ring) for ring in rings]
        records.append(_record(id, outlines, int(areas[group].sum()), box))
    return records


def _run_lengths(mask: Mask, background: int) -> Iterator[Record]:
    """Yield the annotations of a mask, those of one class by number."""
    height, width = mask.ids.shape
    objects, index = objects_of(mask)
    for first, plane in planes(len(objects), index):
        counts = segfmt.encode_rle(plane, compressed=False)
        for id, text in segfmt.encode_rle(plane).items():
            one = objects[first + id - 1]
            if id and one.class_id != background:
                rle = {"size": [height, width], "counts": text.decode()}
                yield _record(one.class_id, rle, *measured(counts[id], height))


def _record(class_id: int, segmentation: Any, area: int, box: Box) -> Record:
    return {
        "category_id": class_id,
        "segmentation": segmentation,
        "area": area,
        "bbox": box,
        "iscrowd": 0,
    }


def _json_numbers(ring: npt.NDArray[np.float64]) -> list[int] | list[float]:
    flat = ring.reshape(-1)
    whole = flat.astype(np.int64)
    return whole.tolist() if (whole == flat).all() else flat.tolist()
