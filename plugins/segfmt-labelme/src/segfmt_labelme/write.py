"""Writing labelme: images, each with a label file of polygons beside it, and `labels.txt`."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

import segfmt
from segfmt import Accepts, ClassInfo, ClassTable, Entry, Mask, Note, Placement, Polygons, Sample
from segfmt_labelme.classes import BACKGROUND, IGNORE, LABELS, TABLE

VERSION = "5.5.0"  # of labelme, whose files these are like


@dataclass(frozen=True)
class LabelmeWriter:
    """Writes `<split>/<key>.json` beside the image, `labels.txt`, and `classes.json`.

    Labels are free text, so the source's classes are adopted by name; `classes.json` keeps their
    ids and colors for reading back.
    """

    root: Path
    classes: ClassTable
    vertices: Annotated[
        Literal["exact", "keep"],
        "polygons drawn for another fill rule: traced anew, the same pixels, or kept as drawn",
    ] = "exact"
    images: Annotated[Placement, "how images get there, of whatever type"] = "copy"

    def __post_init__(self) -> None:
        owners: dict[str, str] = {}
        for info in self.classes:
            other = owners.setdefault(label_of(info), info.name)
            if other != info.name:
                raise segfmt.UsageError(
                    f'"{other}" and "{info.name}" would both have the label "{label_of(info)}". '
                    "Rename one by --map"
                )

    @property
    def accepts(self) -> Accepts:
        """Single rings under Pillow's rule, by which labelme paints; what is not kept is traced."""
        if self.vertices == "keep":
            return Accepts(polygons=True, mask=True, instances=True, holes="keyhole")
        return Accepts(
            polygons=True, mask=False, instances=True, holes="keyhole", fill_rule="pillow"
        )

    def write(self, sample: Sample) -> Entry:
        """Write the label file, and put the image beside it."""
        ref = sample.ref
        polygons = self._polygons(sample.label)
        label = f"{ref.split}/{ref.key}.json"
        files, notes, name, data = [label], _remarks(sample, label, polygons), "", None
        if ref.image is not None:
            image = f"{ref.split}/{ref.key}{ref.image.suffix}"
            name = image.rpartition("/")[2]
            if self.images != "none":
                files.append(image)
                place = self.root / image
                notes += segfmt.place_image(ref.image, place, self.images, reencode=False)
                data, embedded = _embedded(ref.image)
                notes += embedded
        document: dict[str, Any] = {
            "version": VERSION,
            "flags": {},
            "shapes": self._shapes(polygons),
            "imagePath": name,
            "imageData": data,
            "imageHeight": sample.shape[0],
            "imageWidth": sample.shape[1],
        }
        segfmt.atomic_write(self.root / label, msgspec.json.encode(document))
        return Entry(ref.split, ref.key, tuple(files), tuple(notes))

    def _polygons(self, label: Polygons | Mask) -> Polygons:
        if isinstance(label, Polygons):
            return label
        # Without a background every pixel is to get a polygon: its id is then one that none has.
        used = {info.id for info in self.classes}
        free = next(id for id in range(len(used) + 1) if id not in used)
        background = self.classes.background
        return segfmt.trace(
            label,
            fill_rule="pillow",
            holes="keyhole",
            background=background.id if background else free,
        )

    def _shapes(self, polygons: Polygons) -> list[dict[str, Any]]:
        """Return a record for each polygon, all of them single rings, but for those of one point.

        Pillow paints nothing of these. Objects get group ids that are unique in the image.
        """
        points = polygons.points
        whole = points.astype(int) if (abs(points) < 2**53).all() else points
        coordinates = (whole if (whole == points).all() else points).tolist()
        labels = {info.id: label_of(info) for info in self.classes}
        ids = polygons.class_ids.tolist()
        numbers = [0] * len(ids)
        if polygons.instance_ids is not None:
            numbers = polygons.instance_ids.tolist()
        groups: dict[tuple[int, int], int] = {}
        shapes: list[dict[str, Any]] = []
        ends = polygons.ring_offsets.tolist()
        for start, end, id, number in zip(ends, ends[1:], ids, numbers, strict=False):
            if end - start < 2:
                continue
            group = groups.setdefault((id, number), len(groups) + 1) if number else None
            shapes.append(
                {
                    "label": labels[id],
                    "points": _three(coordinates[start:end]),
                    "group_id": group,
                    "shape_type": "polygon",
                    "flags": {},
                }
            )
        return shapes

    def finish(self, entries: Iterable[Entry]) -> None:  # noqa: ARG002 - no list to write
        """Write `labels.txt`, which labelme's tools ask for, and `classes.json`."""
        classes = sorted(self.classes, key=lambda info: info.id)
        labels = [IGNORE, BACKGROUND, *(label_of(info) for info in classes if info.role == "class")]
        text = "".join(f"{label}\n" for label in labels)
        segfmt.atomic_write(self.root / LABELS, text.encode())
        segfmt.atomic_write(self.root / TABLE, self.classes.to_json())


def label_of(info: ClassInfo) -> str:
    """Return the label of a class: its name, in one line, as `labels.txt` has it."""
    roles = {"background": BACKGROUND, "ignore": IGNORE}
    return roles.get(info.role) or " ".join(info.name.split())


def _remarks(sample: Sample, label: str, polygons: Polygons) -> list[Note]:
    notes = []
    name = (sample.ref.split, sample.ref.key)
    if segfmt.place_of(Path(label)) != name:
        notes.append(Note("reads back under another name", "/".join(name)))
    if polygons.fill_rule != "pillow":
        notes.append(Note("vertices kept, pixels may differ", polygons.rule_in_words))
    return notes


def _embedded(image: Path) -> tuple[str | None, tuple[Note, ...]]:
    """Return an image in base64 if labelme, opening the file, would turn it by its EXIF."""
    orientation, _ = segfmt.stored_orientation(image)
    if orientation == 1:
        return None, ()
    note = Note("images embedded: labelme would turn the file by its EXIF", str(orientation))
    return base64.b64encode(image.read_bytes()).decode(), (note,)


def _three(ring: list[list[float]]) -> list[list[float]]:
    """Repeat the last point of a dot or a line: labelme refuses what has fewer than three."""
    return ring + ring[-1:] * (3 - len(ring))
