"""Reading labelme: label files, the images they name or hold, and what their shapes paint."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import msgspec

import segfmt
from segfmt import ClassInfo, ClassTable, FormatError, Note, Sample, SampleRef
from segfmt_labelme.classes import LABELS, TABLE, collected, dataset_table
from segfmt_labelme.images import (
    Images,
    decoded_image,
    head_of,
    renamed,
    size_of,
)
from segfmt_labelme.shapes import Canvas, Shape, has_its_points

UnknownLabel = Literal["error", "ignore", "background"]
SHOWN = 20  # classes in a warning
DROPPED = "shapes dropped: wrong number of points"


class _Document(msgspec.Struct):
    shapes: list[Shape]
    imagePath: str | None = None  # noqa: N815 - the file's names
    imageData: msgspec.Raw = msgspec.Raw(b"null")  # noqa: N815
    imageHeight: float | None = None  # noqa: N815
    imageWidth: float | None = None  # noqa: N815

    @property
    def size(self) -> tuple[int, int] | None:
        """Its (height, width), if it says one."""
        if not self.imageHeight or not self.imageWidth:
            return None
        return int(self.imageHeight), int(self.imageWidth)


_DOCUMENT = msgspec.json.Decoder(_Document)


@dataclass(frozen=True)
class LabelmeReader:
    """Reads label files as labelme's `shapes_to_label` paints them, with their objects."""

    root: Path
    table: Annotated[
        str,
        "class table: a built-in one's name, a table file, or a list of labels; else the dataset's",
    ] = ""
    instances: Annotated[bool, "read objects too: a group id, or a shape without one"] = True
    unknown_label: Annotated[
        UnknownLabel,
        "a label that is no class: fail the sample, or paint it as ignore (255) or background",
    ] = "error"
    follow_links: Annotated[bool, "follow links that lead out of the dataset"] = False

    @cached_property
    def _told(self) -> ClassTable | None:
        """The classes that a table or a list tells."""
        return dataset_table(self.root, self.table)

    @cached_property
    def classes(self) -> ClassTable:
        """The dataset's classes, and `ignore` where unknown labels are to become that."""
        table = self._told or collected(self._labels())
        return table.with_ignore() if self.unknown_label == "ignore" else table

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is to be said of the dataset as a whole."""
        classes = [info for info in self.classes if info.role == "class"]
        if self._told or not classes:
            return ()
        shown = ", ".join(f"{info.id} {info.name}" for info in classes[:SHOWN])
        more = f" and {len(classes) - SHOWN} more" if len(classes) > SHOWN else ""
        return (
            f"there is no {LABELS}, so labels are numbered by name: {shown}{more}. "
            "More labels would shift the numbers: give --table to keep them",
        )

    def _files(self) -> Iterator[Path]:
        return segfmt.walk(self.root, follow_links=self.follow_links)

    def _is_label(self, path: Path) -> bool:
        return path.suffix.lower() == ".json" and path != self.root / TABLE

    def _labels(self) -> set[str]:
        heads = (head_of(path) for path in self._files() if self._is_label(path))
        return {shape.label for head in heads if head for shape in head.shapes}

    def scan(self) -> Iterator[SampleRef]:
        """List the label files, each with its image."""
        labels: list[Path] = []
        images = Images(self.root)
        for path in self._files():
            if self._is_label(path):
                labels.append(path)
            elif path.suffix.lower() in segfmt.IMAGE_SUFFIXES:
                images.add(path)
        for label in labels:
            split, key = segfmt.place_of(label.relative_to(self.root))
            image, embedded = images.of(label)
            yield SampleRef(key, split or "train", image, label, embedded)

    def load(self, ref: SampleRef) -> Sample:
        """Read one label file."""
        path: Path = ref.source
        document, notes = segfmt.load_json(path, _DOCUMENT)
        embedded = None if ref.image else decoded_image(document.imageData, path)
        size, size_notes = size_of(ref, document.size, embedded)
        try:
            polygons, shape_notes = self._polygons(document.shapes, size, path)
        except FormatError as error:
            error.path = path
            raise
        image_notes = renamed(document.imagePath, ref.image) if ref.image else ()
        notes = (*notes, *image_notes, *size_notes, *shape_notes)
        return Sample(ref, size, polygons, notes, embedded)

    def _polygons(
        self, shapes: list[Shape], size: tuple[int, int], path: Path
    ) -> tuple[segfmt.Polygons, list[Note]]:
        infos, notes = self._infos(shapes)
        places = [f"shapes[{index}].points" for index in range(len(shapes))]
        points, offsets = segfmt.parse_rings([shape.points for shape in shapes], path, places)
        ends = offsets.tolist()
        canvas, objects = Canvas(size), _Objects()
        rings, ids, numbers = [], [], []
        dropped: Counter[str] = Counter()
        for index, (shape, info) in enumerate(zip(shapes, infos, strict=True)):
            own = points[ends[index] : ends[index + 1]]
            if not has_its_points(shape, len(own), f"shapes[{index}]"):
                dropped[f"{shape.type} of {len(own)}"] += 1
            else:
                found = canvas.outlines(shape, own, f"shapes[{index}]")
                rings += found
                ids += [info.id] * len(found)
                numbers += [objects.number(info, shape, index)] * len(found)
        polygons = segfmt.Polygons.from_rings(
            [[ring] for ring in rings],
            ids,
            instance_ids=numbers if self.instances else None,
            fill_rule="pillow",
        )
        return polygons, [*notes, *(Note(DROPPED, *item) for item in dropped.items())]

    def _infos(self, shapes: list[Shape]) -> tuple[list[ClassInfo], list[Note]]:
        """Return the class of each shape, and notes."""
        infos: list[ClassInfo] = []
        unknown: dict[str, list[int]] = {}
        ignored = self.unknown_label == "ignore"
        rest = self.classes.ignore if ignored else self.classes.background
        assert rest is not None  # noqa: S101 - the tables made here have them
        for index, shape in enumerate(shapes):
            info = self.classes.get(shape.label)
            if info is None:
                unknown.setdefault(shape.label, []).append(index)
            infos.append(info or rest)
        notes = [Note("unknown labels", label, len(found)) for label, found in unknown.items()]
        if unknown and self.unknown_label == "error":
            label, found = next(iter(unknown.items()))
            raise FormatError(
                f"has labels that are no class: {', '.join(map(_quoted, unknown))}",
                where=f"shapes[{found[0]}].label",
                mend=segfmt.did_you_mean(label, (info.name for info in self.classes))
                or "Give the classes by --table, or --unknown-label ignore or background to "
                "convert it all the same.",
                notes=notes,
            )
        return infos, notes


class _Objects:
    """Numbers the objects of one image: a class and a group id, or a shape without one."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[int, object], int] = {}
        self._counts: dict[int, int] = {}

    def number(self, info: ClassInfo, shape: Shape, index: int) -> int:
        """Return the number of a shape's object in its class, from 1; 0 for what is no class."""
        if info.role != "class":
            return 0
        group = (index,) if shape.group_id is None else shape.group_id
        if (info.id, group) not in self._numbers:
            self._counts[info.id] = self._counts.get(info.id, 0) + 1
            self._numbers[info.id, group] = self._counts[info.id]
        return self._numbers[info.id, group]


def _quoted(name: str) -> str:
    return f'"{name}"'
