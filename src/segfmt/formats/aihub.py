"""AIHub driving: one JSON of polygons an image, as AIHub's autonomous-driving sets ship them.

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

import msgspec
import numpy as np

from segfmt.classes import ClassInfo, ClassTable
from segfmt.errors import FormatError, did_you_mean
from segfmt.files import walk
from segfmt.format import Format
from segfmt.hookspecs import hookimpl
from segfmt.imagefile import IMAGE_SUFFIXES, image_size
from segfmt.jsonfile import load_json, parse_rings
from segfmt.model import Note, Polygons, Sample, SampleRef, merge_notes, offsets_of
from segfmt.pairing import ImageIndex, place_of

UnknownLabel = Literal["error", "ignore", "background"]

# The colors of the RGB column of the published table; its hex column disagrees with it in three
# rows.
TABLE = ClassTable(
    [
        ClassInfo(0, "undefined object/area", (0, 0, 0), "background"),
        ClassInfo(1, "road", (130, 130, 130)),
        ClassInfo(2, "lane", (255, 255, 255)),
        ClassInfo(3, "road mark", (184, 134, 11)),
        ClassInfo(4, "crosswalk", (82, 226, 82)),
        ClassInfo(5, "speed bump", (255, 20, 145)),
        ClassInfo(6, "curb", (124, 252, 0)),
        ClassInfo(7, "static", (255, 145, 220)),
        ClassInfo(8, "sidewalk", (255, 20, 145)),
        ClassInfo(9, "parking place", (240, 255, 255)),
        ClassInfo(10, "vehicle", (0, 0, 255)),
        ClassInfo(11, "motorcycle", (255, 240, 100)),
        ClassInfo(12, "bicycle", (244, 149, 81)),
        ClassInfo(13, "pedestrian", (255, 0, 0)),
        ClassInfo(14, "rider", (255, 170, 40)),
        ClassInfo(15, "dynamic", (255, 130, 0)),
        ClassInfo(16, "traffic sign", (50, 150, 215)),
        ClassInfo(17, "traffic light", (191, 130, 191)),
        ClassInfo(18, "pole", (128, 128, 0)),
        ClassInfo(19, "building", (0, 60, 100)),
        ClassInfo(20, "guardrail", (210, 110, 110)),
        ClassInfo(21, "sky", (30, 144, 255)),
        ClassInfo(22, "water", (0, 206, 209)),
        ClassInfo(23, "mountain", (34, 214, 178)),
        ClassInfo(24, "vegetation", (107, 142, 35)),
        ClassInfo(25, "bridge", (47, 79, 79)),
    ]
)


class Info(msgspec.Struct):
    """What is read of `Source_Image_Info`; `Resolution` is [width, height]."""

    Img_name: str = ""
    Img_path: str = ""
    Resolution: list[float] = []


class Shape(msgspec.Struct):
    """One polygon; both spellings of its points' key are in use."""

    Label: str
    Coordinate: msgspec.Raw = msgspec.Raw()
    Coordinates: msgspec.Raw = msgspec.Raw()


class Label(msgspec.Struct):
    """A label file."""

    Annotation: list[Shape]
    Source_Image_Info: Info = msgspec.field(default_factory=Info)


class Header(msgspec.Struct):
    """A label file without its polygons, for finding its image."""

    Source_Image_Info: Info = msgspec.field(default_factory=Info)


LABEL = msgspec.json.Decoder(Label)
HEADER = msgspec.json.Decoder(Header)


@dataclass(frozen=True)
class AihubReader:
    """Reads AIHub driving labels; painted by OpenCV's rule with vertices rounded half to even."""

    root: Path
    unknown_label: Annotated[
        UnknownLabel,
        "a label that is no class: fail the sample, or paint it as ignore (255) or background",
    ] = "error"
    follow_links: Annotated[bool, "follow links that lead out of the dataset"] = False

    @cached_property
    def classes(self) -> ClassTable:
        """The 26 classes, and `ignore` where unknown labels are to become that."""
        return TABLE.with_ignore() if self.unknown_label == "ignore" else TABLE

    def scan(self) -> Iterator[SampleRef]:
        """List the labels, each with its image."""
        labels: list[Path] = []
        images = ImageIndex(self.root)
        for path in walk(self.root, follow_links=self.follow_links):
            suffix = path.suffix.lower()
            if suffix == ".json":
                labels.append(path)
            elif suffix in IMAGE_SUFFIXES:
                images.add(path)
        for label in labels:
            split, key = place_of(label.relative_to(self.root))
            image = images.near(label, label.stem)
            if image is None and images:
                image = self._image_named_inside(label, images)
            yield SampleRef(key, split or "train", image, label)

    def load(self, ref: SampleRef) -> Sample:
        """Read one label file."""
        path: Path = ref.source
        label, notes = load_json(path, LABEL)
        shape, size_notes = _shape(path, label.Source_Image_Info, ref.image)
        polygons, polygon_notes = self._polygons(path, label.Annotation)
        return Sample(ref, shape, polygons, merge_notes(notes, size_notes, polygon_notes))

    def _image_named_inside(self, label: Path, images: ImageIndex) -> Path | None:
        try:
            info = load_json(label, HEADER)[0].Source_Image_Info
        except FormatError:
            return None  # `load` will meet the same error and tell
        return images.named(label, info.Img_name, info.Img_path)

    def _polygons(self, path: Path, annotations: list[Shape]) -> tuple[Polygons, list[Note]]:
        ids, known, notes = self._class_ids(path, annotations)
        raws, places = [], []
        for index, annotation in enumerate(annotations):
            if known[index]:
                key = "Coordinate" if len(annotation.Coordinate) else "Coordinates"
                raw = getattr(annotation, key)
                place = f"Annotation[{index}].{key}"
                if not len(raw):
                    raise FormatError(
                        f'"{annotation.Label}" has no points: no Coordinate', path=path, where=place
                    )
                raws.append(raw)
                places.append(place)
        points, offsets = parse_rings(raws, path, places)
        lengths = np.diff(offsets)
        whole = lengths >= 3
        if not whole.all():
            for index in np.flatnonzero(~whole).tolist():
                name = self.classes.by_id(ids[index]).name
                notes.append(Note("polygons dropped: under 3 points", name))
            points = points[np.repeat(whole, lengths)]
            offsets = offsets_of(lengths[whole])
        class_ids = np.asarray(ids, np.int32)[whole]
        return Polygons(
            points,
            offsets,
            np.arange(len(class_ids) + 1),
            class_ids,
            fill_rule="opencv",
            rounding="nearest",
        ), notes

    def _class_ids(
        self, path: Path, annotations: list[Shape]
    ) -> tuple[list[int], list[bool], list[Note]]:
        """Return ids of the polygons to paint, which annotations those are, and notes."""
        ids, known, unknown = [], [], []
        for annotation in annotations:
            info = self.classes.get(annotation.Label)
            if info is None:
                unknown.append(annotation.Label)
                info = getattr(self.classes, self.unknown_label, None)
            known.append(info is not None)
            if info is not None:
                ids.append(info.id)
        notes = list(merge_notes(Note("unknown labels", name) for name in unknown))
        if unknown and self.unknown_label == "error":
            names = ", ".join(f'"{note.subject}"' for note in notes)
            raise FormatError(
                f"has labels that are no class: {names}",
                path=path,
                where=f"Annotation[{known.index(False)}].Label",
                mend=did_you_mean(unknown[0], (info.name for info in self.classes))
                or "Give --unknown-label ignore or background to convert it all the same.",
                notes=notes,
            )
        return ids, known, notes


def _shape(path: Path, info: Info, image: Path | None) -> tuple[tuple[int, int], list[Note]]:
    """Return (height, width): the image's own where there is one, else what the label says."""
    said = None
    if len(info.Resolution) == 2 and all(side > 0 and side % 1 == 0 for side in info.Resolution):
        said = (int(info.Resolution[1]), int(info.Resolution[0]))
    if image is None:
        if said is None:
            raise FormatError(
                "does not say how large its image is, and the image is missing",
                path=path,
                where="Source_Image_Info.Resolution",
            )
        return said, []
    shape = image_size(image)
    if said == shape:
        return shape, []
    words = f"label {said[1]} x {said[0]}" if said else "label none"
    return shape, [Note("sizes taken from the image", f"{words}, image {shape[1]} x {shape[0]}")]


def detect(root: Path) -> str | None:
    """Tell an AIHub driving set by the first label files below the folder."""
    jsons = (path for path in walk(root) if path.suffix.lower() == ".json")
    for _, path in zip(range(5), jsons, strict=False):
        start = path.read_bytes()[:65536]
        if b"Source_Image_Info" in start or b'"Coordinate' in start:
            return f"{path.relative_to(root)} has Source_Image_Info"
    return None


@hookimpl
def segfmt_formats() -> list[Format]:
    """Bring AIHub driving."""
    return [
        Format(
            "aihub",
            "AIHub driving: a JSON of polygons beside each image",
            reader=AihubReader,
            detect=detect,
            table=TABLE,
        )
    ]
