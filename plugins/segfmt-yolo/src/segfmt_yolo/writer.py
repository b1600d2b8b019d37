"""Writing a YOLO segmentation dataset."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import numpy as np

import segfmt
from segfmt_yolo.datafile import BACKGROUND, NAME, data_text
from segfmt_yolo.exif import turn_of, turned
from segfmt_yolo.labels import Ring, label_text
from segfmt_yolo.listing import IMAGES, SUFFIXES, label_of
from segfmt_yolo.outlines import by_area, is_as_read, joined, outlines, rings_of, traced

Notes = Counter[tuple[str, str]]


@dataclass(frozen=True)
class YoloWriter:
    """Writes `images/<split>/`, `labels/<split>/` and `data.yaml`; masks are traced, exactly.

    A line is one ring, so a hole is joined to the outside by a cut, and an object of several parts
    becomes several lines unless they are joined too.
    """

    root: Path
    classes: segfmt.ClassTable
    parts: Annotated[
        Literal["split", "bridge", "refuse"],
        "an object of several parts: a line each, one line with cuts between them, which are "
        "painted too, or a failed sample",
    ] = "split"
    vertices: Annotated[
        Literal["exact", "keep"],
        "outlines drawn for another fill rule or order: traced anew, the same pixels, or kept",
    ] = "exact"
    names: Annotated[Literal["map", "list"], "how data.yaml has the names of classes"] = "map"
    images: Annotated[segfmt.Placement, "how images get there"] = "copy"

    def __post_init__(self) -> None:
        kept = sorted(
            (info for info in self.classes if info.role == "class"), key=lambda info: info.id
        )
        own = [replace(info, id=id) for id, info in enumerate(kept, start=1)]
        background = replace(self.classes.background or BACKGROUND, id=BACKGROUND.id)
        object.__setattr__(self, "classes", segfmt.ClassTable([background, *own]))

    @property
    def accepts(self) -> segfmt.Accepts:
        """Single rings under the rule that Ultralytics paints by; masks are traced here."""
        if self.vertices == "keep":
            return segfmt.Accepts(polygons=True, mask=True, instances=True, holes="keyhole")
        return segfmt.Accepts(
            polygons=True,
            mask=True,
            instances=True,
            holes="keyhole",
            fill_rule="opencv",
            rounding="truncate",
        )

    def write(self, sample: segfmt.Sample) -> segfmt.Entry:
        """Write the label file, empty where there is no object, and put the image into place."""
        ref = sample.ref
        place = f"{IMAGES}/{ref.split}/{ref.key}"
        lines, shape, notes = self._lines(sample)
        files = [f"{label_of(place)}.txt"]
        if ref.image is not None and self.images != "none":
            suffix = ref.image.suffix.lower()
            files.append(place + (suffix if suffix in SUFFIXES else ".png"))
            notes += segfmt.place_image(ref.image, self.root / files[1], self.images)
        ids = [id - 1 for id in lines.class_ids.tolist()]
        rings = [_three_points(ring) for ring in rings_of(lines)]
        segfmt.atomic_write(self.root / files[0], label_text(ids, rings, shape))
        return segfmt.Entry(ref.split, ref.key, tuple(files), tuple(notes))

    def finish(self, entries: Iterable[segfmt.Entry]) -> None:
        """Write `data.yaml`."""
        splits = {entry.split for entry in entries}
        text = data_text(self.classes, splits, as_list=self.names == "list")
        segfmt.atomic_write(self.root / NAME, text)

    def _lines(
        self, sample: segfmt.Sample
    ) -> tuple[segfmt.Polygons, tuple[int, int], list[segfmt.Note]]:
        """Return the outlines to write, the size of the image they are on, and notes."""
        label, shape, turn = sample.label, sample.shape, turn_of(sample)
        notes: Notes = Counter()
        if isinstance(label, segfmt.Polygons):
            label = self._as_drawn(label, shape, notes, turn)
        if isinstance(label, segfmt.Mask):
            if turn:
                notes["labels turned as EXIF turns their images", str(turn)] += 1
                label, shape = turned(label, turn), (shape[1], shape[0])
            label, holes = traced(label)
            for id in holes.tolist():
                notes["holes joined to the outside by a cut", self.classes.by_id(id).name] += 1
        lines = self._objects(label, shape, notes)
        return lines, shape, [segfmt.Note(*what, count) for what, count in notes.items()]

    def _as_drawn(
        self, label: segfmt.Polygons, shape: tuple[int, int], notes: Notes, turn: int
    ) -> segfmt.Polygons | segfmt.Mask:
        """Return outlines as they are drawn, or painted where loaders would see other pixels."""
        if turn:
            reason = "EXIF orientation"
        elif (label.class_ids == BACKGROUND.id).any():
            reason = "background over other classes"
        elif not ((label.points >= 0) & (label.points <= shape[::-1])).all():
            reason = "vertices outside of the image"
        else:
            in_order = by_area(label, shape)
            if self.vertices == "keep":
                if not (in_order is label and is_as_read(label)):
                    words = f"{label.rule_in_words}, later over earlier"
                    notes["vertices kept, pixels may differ", words] += 1
                return label
            if in_order is label or not _other_pixels(label, in_order, shape):
                return in_order
            reason = "the larger over the smaller"
        notes["images traced anew", reason] += 1
        objects = None if label.instance_ids is None else segfmt.rasterize_instances(label, shape)
        return segfmt.Mask(segfmt.rasterize(label, shape), objects)

    def _objects(
        self, drawn: segfmt.Polygons, shape: tuple[int, int], notes: Notes
    ) -> segfmt.Polygons:
        """Return a ring for each object as far as that is wanted, and note objects of several."""
        parts: dict[tuple[int, int], list[int]] = {}
        if drawn.instance_ids is not None:
            pairs = zip(drawn.class_ids.tolist(), drawn.instance_ids.tolist(), strict=True)
            for place, (id, number) in enumerate(pairs):
                if number:
                    parts.setdefault((id, number), []).append(place)
        several = {first: others for first, *others in parts.values() if others}
        done = "joined by cuts" if self.parts == "bridge" else "a line for each"
        for first in several:
            name = self.classes.by_id(int(drawn.class_ids[first])).name
            if self.parts == "refuse":
                raise segfmt.FormatError(
                    f'has an object of several parts, a "{name}", and a line holds one ring',
                    mend="Give -o parts=split or bridge.",
                )
            notes[f"objects of several parts, {done}", name] += 1
        if not several or self.parts == "split":
            return drawn
        return _bridged(drawn, several, shape, notes)


def _bridged(
    drawn: segfmt.Polygons,
    several: Mapping[int, list[int]],
    shape: tuple[int, int],
    notes: Notes,
) -> segfmt.Polygons:
    """Return the outlines with those of one object joined, and note the pixels that this changes.

    `several` has the places of an object's further rings by that of its first.
    """
    rings = rings_of(drawn)
    further = {place for places in several.values() for place in places}
    firsts = [place for place in range(len(rings)) if place not in further]
    whole = by_area(
        outlines(
            [joined(rings[each] for each in (place, *several.get(place, ()))) for place in firsts],
            drawn.class_ids[firsts].tolist(),
        ),
        shape,
    )
    parts = by_area(outlines(rings, drawn.class_ids.tolist()), shape)
    if changed := _other_pixels(whole, parts, shape):
        notes["pixels painted by cuts between parts", ""] += changed
    return whole


def _other_pixels(one: segfmt.Polygons, other: segfmt.Polygons, shape: tuple[int, int]) -> int:
    """Return how many pixels differ between two ways to paint an image."""
    return int(np.count_nonzero(segfmt.rasterize(one, shape) != segfmt.rasterize(other, shape)))


def _three_points(ring: Ring) -> Ring:
    """Return a ring that loaders take: a dot or a line has its last point several times."""
    return (
        np.concatenate([ring, ring[-1:].repeat(3 - len(ring), axis=0)]) if len(ring) < 3 else ring
    )
