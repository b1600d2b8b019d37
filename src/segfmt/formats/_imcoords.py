"""The satellite dialect of AIHub and SIA: buildings and roads, in pixels, as text.

A file is a FeatureCollection of one tile. What is painted is `building_imcoords` or
`road_imcoords`, "x,y,x,y,..."; `geometry` is the tile's footprint, the same in every feature.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import chain
from pathlib import Path, PureWindowsPath
from typing import Any, Literal

import numpy as np

from segfmt.classes import ClassTable
from segfmt.errors import FormatError
from segfmt.files import nfc
from segfmt.formats._imcoords_shapes import (
    COLLECTION,
    FINE,
    Shape,
    read_shapes,
    rings_of,
    type_of,
)
from segfmt.formats._satellite_files import Files, LabelFiles, Place
from segfmt.imagefile import image_size
from segfmt.jsonfile import load_json
from segfmt.model import Note, Polygons, Sample, SampleRef, merge_notes, offsets_of
from segfmt.tables import TABLES

Level = Literal["coarse", "fine"]
UnknownLabel = Literal["error", "ignore", "background"]

COARSE = TABLES["satellite"]


@dataclass(frozen=True)
class ImcoordsReader:
    """Reads buildings and roads, painted by OpenCV's rule with vertices cut to whole numbers."""

    root: Path
    level: Level = "coarse"
    lists: Literal["use", "ignore"] = "use"
    unknown_label: UnknownLabel = "error"
    follow_links: bool = False

    @cached_property
    def classes(self) -> ClassTable:
        """Building and road, or the types of both; `ignore` where unknown types become that."""
        table = COARSE if self.level == "coarse" else FINE
        return table.with_ignore() if self.unknown_label == "ignore" else table

    def __getstate__(self) -> dict[str, Any]:
        # The listing stays behind: workers have no use for it.
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @cached_property
    def _listing(self) -> tuple[list[SampleRef], tuple[str, ...]]:
        files = Files.below(self.root, self.follow_links)
        listed = files.listed() if self.lists == "use" else {}
        images: dict[Place, Path | None] = {}
        labels: dict[Place, list[Path]] = {}
        for label in files.labels:
            where, image = _image(files, label)
            images[where] = image
            labels.setdefault(where, []).append(label)
        # Lists name images by their stems; those that name none of these are of something else.
        splits = {
            where: listed.get(where[1]) or listed.get(where[1].rpartition("/")[2], [])
            for where in labels
        }
        unlisted = sum(not names for names in splits.values())
        from_lists = unlisted < len(labels)
        refs = [
            SampleRef(where[1], split, images[where], LabelFiles(tuple(paths)))
            for where, paths in labels.items()
            for split in (splits[where] if from_lists else [where[0] or "train"])
        ]
        warnings = []
        if files.objects:
            warnings.append(
                f"{files.objects} label files of objects were left out: boxes are no outlines"
            )
        if from_lists and unlisted:
            warnings.append(
                f"{unlisted} samples are in none of the lists and were left out. "
                "-i lists=ignore takes all, with splits from folders"
            )
        return refs, tuple(warnings)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is to be said of the dataset as a whole."""
        return self._listing[1]

    def scan(self) -> Iterator[SampleRef]:
        """List the images that have a label file of buildings, of roads, or of both."""
        yield from self._listing[0]

    def load(self, ref: SampleRef) -> Sample:
        """Read the label files of one image."""
        source: LabelFiles = ref.source
        if ref.image is None:
            raise FormatError(
                "does not say how large its image is, and the image is missing",
                path=source.paths[0],
            )
        shapes, notes = read_shapes(source.paths)
        # A road is painted over a building, whichever file comes first.
        shapes.sort(key=lambda shape: shape.kind == "road")
        ids, class_notes = self._class_ids(shapes)
        rings, ring_notes = rings_of(shapes)
        polygons = Polygons(
            np.fromiter(chain.from_iterable(rings), np.float64).reshape(-1, 2),
            offsets_of([len(ring) // 2 for ring in rings]),
            np.arange(len(rings) + 1),
            np.asarray(ids, np.int32),
            fill_rule="opencv",
            rounding="truncate",
        )
        shape = image_size(ref.image)
        return Sample(ref, shape, polygons, merge_notes(notes, class_notes, ring_notes))

    def _class_ids(self, shapes: list[Shape]) -> tuple[list[int], list[Note]]:
        if self.level == "coarse":
            return [COARSE.by_name(shape.kind).id for shape in shapes], []
        ids, notes, unknown = [], [], []
        for shape in shapes:
            info, problem = type_of(shape)
            if problem:
                notes.append(problem)
            if info is None:
                unknown.append(shape)
                info = getattr(self.classes, self.unknown_label, None)
            ids.append(info.id if info else 0)
        if unknown and self.unknown_label == "error":
            raise FormatError(
                f"has {len(unknown)} polygons of a type that is no class",
                path=unknown[0].path,
                where=f"{unknown[0].where.rpartition('.')[0]}.type_id",
                mend="Give --unknown-label ignore or background to convert it all the same.",
                notes=merge_notes(notes),
            )
        return ids, notes


def _image(files: Files, label: Path) -> tuple[Place, Path | None]:
    """Return a label's split and key, and its image: of its stem, or the one it names inside."""
    split, key = files.place(label)
    image = files.image(split, key)
    if image or not files.images:
        return (split, key), image
    try:
        collection, _ = load_json(label, COLLECTION)
    except FormatError:
        return (split, key), None  # `load` will meet the same error and tell
    name = next((each.properties.image_id or "" for each in collection.features), "")
    other = "/".join((*key.split("/")[:-1], nfc(PureWindowsPath(name).stem)))
    image = files.image(split, other)
    return (split, other if image else key), image
