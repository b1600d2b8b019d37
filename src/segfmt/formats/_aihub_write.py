"""Writing AIHub's driving dialect, in folders as AIHub's archives unpack."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np

from segfmt.classes import ClassInfo, ClassTable
from segfmt.files import atomic_write
from segfmt.format import Accepts, Entry
from segfmt.imagefile import Placement, place_image
from segfmt.model import Mask, Note, Polygons, Sample
from segfmt.pairing import place_of
from segfmt.raster import trace

FOLDERS = {"train": "Training", "val": "Validation", "test": "Test"}
IMAGE_FOLDER, LABEL_FOLDER = "원천데이터", "라벨링데이터"
_KEPT_SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})  # others are not what AIHub ships


@dataclass(frozen=True)
class AihubWriter:
    """Writes `<split>/원천데이터/<key>` and `<split>/라벨링데이터/<key>.json`, and `classes.json`.

    Labels are free text there, so the source's classes are adopted by name; `classes.json` keeps
    their ids and colors for reading back. AIHub has no ignore.
    """

    root: Path
    classes: ClassTable
    vertices: Annotated[
        Literal["exact", "keep"],
        "polygons drawn for another fill rule: traced anew, the same pixels, or kept as drawn",
    ] = "exact"
    images: Annotated[Placement, "how images get there; what is no JPEG or PNG becomes PNG"] = (
        "copy"
    )

    def __post_init__(self) -> None:
        kept = [info for info in self.classes if info.role != "ignore"]
        if not any(info.role == "background" for info in kept):
            # What no label covers needs a number, though there may be no such pixel.
            free = min(set(range(256)) - {info.id for info in kept}, default=0)
            kept.append(ClassInfo(free, "undefined object/area", role="background"))
        object.__setattr__(self, "classes", ClassTable(kept))

    @property
    def accepts(self) -> Accepts:
        """Single rings under the rule that AIHub's tools paint by; masks are traced here."""
        if self.vertices == "keep":
            return Accepts(polygons=True, mask=True, holes="keyhole")
        return Accepts(
            polygons=True, mask=True, holes="keyhole", fill_rule="opencv", rounding="nearest"
        )

    def write(self, sample: Sample) -> Entry:
        """Write the label, and put the image into place."""
        ref = sample.ref
        folder = FOLDERS.get(ref.split, ref.split)
        label = f"{folder}/{LABEL_FOLDER}/{ref.key}.json"
        files: tuple[str, ...] = (label,)
        notes: tuple[Note, ...] = ()
        image = ""
        if ref.image is not None:
            suffix = ref.image.suffix.lower()
            suffix = suffix if suffix in _KEPT_SUFFIXES else ".png"
            image = f"{folder}/{IMAGE_FOLDER}/{ref.key}{suffix}"
            if self.images != "none":
                notes += place_image(ref.image, self.root / image, self.images)
                files = (label, image)
        if place_of(Path(label)) != (ref.split, ref.key):
            notes += (Note("reads back under another name", f"{ref.split}/{ref.key}"),)
        polygons = self._polygons(sample.label)
        if (polygons.fill_rule, polygons.rounding) != ("opencv", "nearest"):
            notes += (Note("vertices kept, pixels may differ", polygons.rule_in_words),)
        document = {
            "Source_Image_Info": _info(image, sample.shape),
            "Annotation": _annotations(polygons, self.classes),
        }
        atomic_write(self.root / label, msgspec.json.encode(document))
        return Entry(ref.split, ref.key, files, notes)

    def _polygons(self, label: Polygons | Mask) -> Polygons:
        if isinstance(label, Polygons):
            return label
        background = self.classes.background
        assert background is not None  # noqa: S101 - made sure of when the writer was made
        return trace(label, fill_rule="opencv", holes="keyhole", background=background.id)

    def finish(self, entries: Iterable[Entry]) -> None:  # noqa: ARG002 - no list to write
        """Write `classes.json`, by which this format's reader knows the labels."""
        atomic_write(self.root / "classes.json", self.classes.to_json())


def _info(image: str, shape: tuple[int, int]) -> dict[str, Any]:
    path = Path(image)
    empty = dict.fromkeys(("Copyrighter", "Time_zone", "Location", "Gps", "Weather"), "")
    return {
        "Img_name": path.name,
        "Img_path": path.parent.as_posix() if image else "",
        "Resolution": [shape[1], shape[0]],
        **empty,
    }


def _annotations(polygons: Polygons, classes: ClassTable) -> list[dict[str, Any]]:
    """Return a record for each polygon, all of them single rings."""
    starts, ends = polygons.ring_offsets[:-1], polygons.ring_offsets[1:]
    if not len(starts):
        return []
    points = polygons.points
    following = np.arange(1, len(points) + 1)
    following[ends - 1] = starts
    cross = points[:, 0] * points[following, 1] - points[following, 0] * points[:, 1]
    areas = np.abs(np.add.reduceat(cross, starts)) / 2
    low = np.minimum.reduceat(points, starts)
    boxes = np.hstack((low, np.maximum.reduceat(points, starts) - low))
    names = {info.id: info.name for info in classes}
    coordinates = points.tolist()
    return [
        {
            "Label": names[id],
            "Type": "polygon",
            "bbox": box,
            "area": area,
            "Coordinate": _three(coordinates[start:end]),
            "Data_type": "worker",
        }
        for id, box, area, start, end in zip(
            polygons.class_ids.tolist(),
            boxes.tolist(),
            areas.tolist(),
            starts.tolist(),
            ends.tolist(),
            strict=True,
        )
    ]


def _three(ring: list[list[float]]) -> list[list[float]]:
    """Repeat the last point of a dot or a line: readers drop what has fewer than three."""
    return ring + ring[-1:] * (3 - len(ring))
