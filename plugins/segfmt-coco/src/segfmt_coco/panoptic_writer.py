"""Writes panoptic masks: an RGB PNG of segment ids an image, and a JSON a split."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np

import segfmt
from segfmt import Accepts, ClassInfo, ClassTable, Entry, Mask, Note, Placement, Sample
from segfmt_coco.assembly import assembly, fragment_name, read_fragment, write_fragment
from segfmt_coco.categories import as_background, check_eight_bits, with_ignore, written_categories
from segfmt_coco.measure import measured, objects_of, planes

# Whether what has no number is a crowd depends on samples that are not written yet.
_UNDECIDED = re.compile(rb'"iscrowd":"(\d+)"')


@dataclass(frozen=True)
class PanopticWriter:
    """Writes what panopticapi reads.

    Classes that have objects anywhere are things; what of them has no number is a crowd. Of other
    classes all pixels of an image are one segment. Ignore is void.
    """

    root: Path
    classes: ClassTable
    background: Annotated[
        Literal["category", "void"],
        "what the background becomes: a category of that name, or void, as ignore is",
    ] = "category"
    year: Annotated[str, "what names of splits end in: 2017 makes them COCO's own"] = ""
    images: Annotated[Placement, "how images get there"] = "copy"
    accepts: Accepts = field(default=Accepts(mask=True, instances=True), init=False)

    def __post_init__(self) -> None:
        own = [as_background(info) for info in self.classes]
        if self.background == "void":
            own = [info for info in own if info.role != "background"]
        object.__setattr__(self, "classes", check_eight_bits(with_ignore(ClassTable(own))))

    def write(self, sample: Sample) -> Entry:
        """Write the mask and put the image at `<split>/<key>`; leave the rest for `finish`."""
        assert isinstance(sample.label, Mask)  # noqa: S101 - what `accepts` says
        ref, split = sample.ref, f"{sample.ref.split}{self.year}"
        rgb, segments = self._segments(sample.label)
        name = ref.key + (ref.image.suffix.lower() if ref.image else ".jpg")
        mask = f"{ref.key}.png"
        files = [fragment_name(ref.split, ref.key), f"annotations/panoptic_{split}/{mask}"]
        notes: tuple[Note, ...] = ()
        if ref.image and self.images != "none":
            files.append(f"{split}/{name}")
            notes = segfmt.place_image(ref.image, self.root / files[2], self.images)
        segfmt.write_colors(self.root / files[1], rgb)
        height, width = sample.shape
        things = {one["category_id"] for one in segments if one["iscrowd"] == 0}
        records: list[dict[str, Any]] = [
            {"file_name": name, "height": height, "width": width},
            {"file_name": mask, "segments_info": segments},
            {"things": sorted(things)},
        ]
        write_fragment(self.root / files[0], records)
        return Entry(ref.split, ref.key, tuple(files), notes)

    def _segments(self, mask: Mask) -> tuple[Any, list[dict[str, Any]]]:
        """Return the mask's colors and its `segments_info`, by class and number."""
        objects, index = objects_of(mask)
        colors = np.zeros((len(objects), 3), np.uint8)
        taken = {0}
        segments = []
        for first, plane in planes(len(objects), index):
            for id, counts in segfmt.encode_rle(plane, compressed=False).items():
                place = first + id - 1
                info = self.classes.by_id(objects[place].class_id)
                if not id or info.role == "ignore":
                    continue
                segment_id = _free_id(info, taken)
                colors[place] = segment_id & 255, segment_id >> 8 & 255, segment_id >> 16
                area, box = measured(counts, len(mask.ids))
                is_crowd = 0 if objects[place].number else str(info.id)
                segments.append(
                    {
                        "id": segment_id,
                        "category_id": info.id,
                        "area": area,
                        "bbox": box,
                        "iscrowd": is_crowd,
                    }
                )
        return colors[index], segments

    def finish(self, entries: Iterable[Entry]) -> None:
        """Write `annotations/panoptic_<split>.json`; ids count from 1, by split and key."""
        things: set[int] = set()
        with assembly(self.root) as files:
            for entry in entries:
                image, annotation, extra = read_fragment(self.root, entry)
                files.add(entry.split, image, [annotation])
                things.update(msgspec.json.decode(b"{" + extra)["things"])
            classes = [info for info in self.classes if info.role != "ignore"]
            categories = written_categories(classes, frozenset(things))
            files.write(
                lambda split: self.root / "annotations" / f"panoptic_{split}{self.year}.json",
                categories,
                lambda line: _UNDECIDED.sub(
                    lambda found: b'"iscrowd":%d' % (int(found[1]) in things), line
                ),
            )


def _free_id(info: ClassInfo, taken: set[int]) -> int:
    """Return a segment id whose color is the class's, or near it, and take it."""
    red, green, blue = info.color
    id = red | green << 8 | blue << 16
    while id in taken:
        id = (id + 7) % (1 << 24)
    taken.add(id)
    return id
