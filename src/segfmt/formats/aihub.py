"""AIHub: one JSON of polygons an image, as its driving sets and their relatives ship them.

Labels and images are found wherever they lie below the root: `data/` beside `label/`, or parallel
trees such as `원천데이터/` and `라벨링데이터/` below `Training/` and `Validation/`, which become
splits. `bbox` and `area` are not read: their meaning varies, and the polygon says it all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import numpy as np

from segfmt.classes import ClassTable
from segfmt.errors import FormatError, did_you_mean
from segfmt.files import walk
from segfmt.format import Format, Holds
from segfmt.formats._aihub_dialects import DIALECTS, Dialect, Label, LabelFile, Shape, read_label
from segfmt.formats._aihub_write import AihubWriter
from segfmt.hookspecs import hookimpl
from segfmt.imagefile import IMAGE_SUFFIXES, SIDEWAYS, image_size, stored_orientation
from segfmt.model import Note, Polygons, Sample, SampleRef, merge_notes
from segfmt.pairing import ImageIndex
from segfmt.tables import TABLES, read_table, table_named

UnknownLabel = Literal["error", "ignore", "background"]

TABLE = TABLES["aihub-driving"]
_LABEL_ENDS = tuple(one.label_end for one in DIALECTS.values() if one.label_end)
_IMAGE_ENDS = tuple(one.image_end for one in DIALECTS.values() if one.image_end)


@dataclass(frozen=True)
class AihubReader:
    """Reads AIHub labels; driving's are painted by OpenCV's rule, vertices rounded half to even."""

    root: Path
    dialect: Annotated[
        Literal["auto", "driving", "etri", "points", "damage"],
        "what the label files look like; `auto` asks each of them",
    ] = "auto"
    table: Annotated[
        str,
        "class table: a built-in one's name, or a file; else `classes.json`, else driving's 26",
    ] = ""
    unknown_label: Annotated[
        UnknownLabel,
        "a label that is no class: fail the sample, or paint it as ignore (255) or background",
    ] = "error"
    follow_links: Annotated[bool, "follow links that lead out of the dataset"] = False

    @cached_property
    def classes(self) -> ClassTable:
        """The dataset's classes, and `ignore` where unknown labels are to become that."""
        table = TABLE
        if self.table:
            table = table_named(self.table)
        elif self._table_file.is_file():
            table = read_table(self._table_file)
        return table.with_ignore() if self.unknown_label == "ignore" else table

    @property
    def _table_file(self) -> Path:
        return self.root / "classes.json"

    @property
    def _dialects(self) -> list[Dialect]:
        return [one for name, one in DIALECTS.items() if self.dialect in ("auto", name)]

    def scan(self) -> Iterator[SampleRef]:
        """List the labels, each with its image."""
        images = ImageIndex(self.root)
        for path in walk(self.root, follow_links=self.follow_links):
            if path.suffix.lower() in IMAGE_SUFFIXES:
                images.add(path)
        table_file = self._table_file
        # Once more: to walk costs less than to hold a million labels.
        for label in walk(self.root, follow_links=self.follow_links):
            if label.suffix.lower() != ".json" or label == table_file:
                continue
            split, key = images.place_of(label)
            stem = label.stem
            if key.endswith(_LABEL_ENDS):
                end = next(end for end in _LABEL_ENDS if key.endswith(end))
                key, stem = key.removesuffix(end), stem.removesuffix(end)
            yield SampleRef(key, split or "train", self._image(label, stem, images), label)

    def load(self, ref: SampleRef) -> Sample:
        """Read one label file."""
        path: Path = ref.source
        read = read_label(path, self._dialects)
        dialect, label, notes, _ = read
        shape, size_notes = _shape(path, dialect, label, ref.image)
        areas, area_notes = dialect.areas(label.objects)
        polygons, polygon_notes = self._polygons(path, read, areas)
        notes = merge_notes(notes, size_notes, area_notes, polygon_notes)
        return Sample(ref, shape, polygons, notes)

    def _image(self, label: Path, stem: str, images: ImageIndex) -> Path | None:
        """Return the image of a label: by its stem, or else by what the label says."""
        for end in ("", *_IMAGE_ENDS):
            if image := images.near(label, stem + end):
                return image
        if not images:
            return None
        try:
            dialect, document, _, _ = read_label(label, self._dialects)
        except FormatError:
            return None  # `load` will meet the same error and tell
        about = dialect.described(document)
        folder = about.folder if dialect.folder else ""
        return images.named(label, about.image, folder) if dialect.image else None

    def _polygons(
        self, path: Path, read: LabelFile, areas: list[tuple[int, Shape]]
    ) -> tuple[Polygons, list[Note]]:
        dialect = read.dialect
        ids, known, notes = self._class_ids(path, dialect, areas)
        outlines = dialect.outlines(known, path, read.lifted)
        outlines, stubs = outlines.without_stubs()
        for owner in stubs.tolist():
            name = self.classes.by_id(ids[owner]).name
            notes.append(Note("polygons dropped: under 3 points", name))
        return Polygons(
            outlines.points,
            outlines.ring_offsets,
            outlines.polygon_offsets,
            np.asarray(ids, np.int32)[outlines.owners],
            fill_rule=dialect.fill_rule,
            rounding=dialect.rounding,
        ), notes

    def _class_ids(
        self, path: Path, dialect: Dialect, areas: list[tuple[int, Shape]]
    ) -> tuple[list[int], list[tuple[int, Shape]], list[Note]]:
        """Return the class ids of the areas to paint, those areas, and notes."""
        infos = [self.classes.get(shape.label or "") for _, shape in areas]
        if None not in infos:
            return [info.id for info in infos if info], areas, []
        ids, known, unknown = [], [], []
        for area, info in zip(areas, infos, strict=True):
            name = area[1].label or ""
            if info is None:
                unknown.append((area[0], name))
            painted = info or getattr(self.classes, self.unknown_label, None)
            if painted:
                ids.append(painted.id)
                known.append(area)
        notes = list(merge_notes(Note("unknown labels", name) for _, name in unknown))
        if unknown and self.unknown_label == "error":
            names = ", ".join(f'"{note.subject}"' for note in notes)
            place, first = unknown[0]
            raise FormatError(
                f"has labels that are no class: {names}",
                path=path,
                where=f"{dialect.objects}[{place}].{dialect.label}",
                mend=did_you_mean(first, (info.name for info in self.classes))
                or "Give the classes by --table, or --unknown-label ignore or background to "
                "convert it all the same.",
                notes=notes,
            )
        return ids, known, notes


def _shape(
    path: Path, dialect: Dialect, label: Label, image: Path | None
) -> tuple[tuple[int, int], list[Note]]:
    """Return (height, width): the image's own where there is one, else what the label says."""
    said = dialect.shape_of(label)
    if image is None:
        if said is None:
            raise FormatError(
                "does not say how large its image is, and the image is missing",
                path=path,
                where=dialect.size_place,
            )
        return said, []
    shape = image_size(image)
    if said == shape or not dialect.size:
        return shape, []
    if said == shape[::-1] and stored_orientation(image)[0] in SIDEWAYS:
        return said, []  # drawn on the image as viewers turn it, which the core sees to
    words = f"label {said[1]} x {said[0]}" if said else "label none"
    return shape, [Note("sizes taken from the image", f"{words}, image {shape[1]} x {shape[0]}")]


def detect(root: Path) -> str | None:
    """Tell an AIHub set by the first label files below the folder."""
    jsons = (path for path in walk(root) if path.suffix.lower() == ".json")
    for _, path in zip(range(5), jsons, strict=False):
        with path.open("rb") as file:
            start = file.read(65536)
        for signs, what in _SIGNS:
            if all(sign in start for sign in signs):
                return f"{path.relative_to(root)} has {what}"
        # Shaped and named as Cityscapes' labels are, so that only the folder tells.
        if any(part.casefold() in _ETRI_FOLDERS for part in path.relative_to(root).parts):
            return f"{path.relative_to(root)} is in a folder of ETRI's"
    return None


_SIGNS = (
    ((b"Source_Image_Info",), "Source_Image_Info"),
    ((b'"Coordinate',), "Coordinate"),
    ((b'"annotations"', b'"class"', b'"data"', b'"x"'), "annotations of class and data"),
    ((b'"images"', b'"segmentation"', b'"damage"'), "annotations of damage"),
)
_ETRI_FOLDERS = frozenset({"monocamerasemanticsegmentation", "multi camera semantic segmentation"})


@hookimpl
def segfmt_formats() -> list[Format]:
    """Bring AIHub's driving sets and their relatives."""
    return [
        Format(
            "aihub",
            "AIHub driving: a JSON of polygons beside each image",
            reader=AihubReader,
            writer=AihubWriter,
            detect=detect,
            table=TABLE,
            holds=Holds(polygons=True, splits=True, colors=True, class_ids=True),
        )
    ]
