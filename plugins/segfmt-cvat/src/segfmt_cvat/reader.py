"""Reading CVAT for images: any number of XML files, each beside or above its images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Annotated, Literal, NamedTuple
from xml.etree.ElementTree import Element

import numpy as np
import numpy.typing as npt

import segfmt
from segfmt import FormatError, Mask, Note, Polygons, Sample, SampleRef
from segfmt_cvat._document import Child, OtherXmlError, Place, children
from segfmt_cvat._images import Images, sample_of
from segfmt_cvat._labels import Classes, read_classes
from segfmt_cvat._shapes import Patch, Ring, Shape, areas_of, paint, shapes_of

STUB = 3  # a polygon of fewer points covers nothing
SIDEWAYS = range(5, 9)  # EXIF orientations that turn an image on its side


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The source of a sample that stands for what of a file cannot be read."""

    path: Path
    problem: str
    where: str
    mend: str

    def __str__(self) -> str:
        return str(self.path)


class Painted(NamedTuple):
    """What is painted of one shape."""

    id: int
    group: int
    area: Ring | Patch


@dataclass(frozen=True)
class CvatReader:
    """Reads images and shapes; what CVAT paints, it paints by z_order and pycocotools' rule."""

    root: Path
    attributes: Annotated[
        str,
        "attributes that split labels into classes such as `sidewalk/blocks`: names, by commas; "
        "`auto` splits those of AIHub's sidewalk set",
    ] = "auto"
    objects: Annotated[
        Literal["groups", "shapes"], "what one object is: the shapes of a group, or each shape too"
    ] = "groups"
    unknown_label: Annotated[
        Literal["error", "ignore", "background"],
        "a label that is no class: fail the sample, or paint it as ignore (255) or background",
    ] = "error"
    follow_links: Annotated[bool, "follow links that lead out of the dataset"] = False

    @cached_property
    def _classes(self) -> Classes:
        paths = segfmt.walk(self.root, follow_links=self.follow_links)
        return read_classes((path for path in paths if is_xml(path)), self.attributes)

    @property
    def classes(self) -> segfmt.ClassTable:
        """The labels of all files, and `ignore` where unknown labels are to become that."""
        table = self._classes.table
        return table.with_ignore() if self.unknown_label == "ignore" else table

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is to be said of the dataset as a whole."""
        return self._classes.warnings

    def scan(self) -> Iterator[SampleRef]:
        """List the images of all files, in order of file and place."""
        documents: list[Path] = []
        images = Images(self.root)
        for path in segfmt.walk(self.root, follow_links=self.follow_links):
            if is_xml(path):
                documents.append(path)
            elif path.suffix.lower() in segfmt.IMAGE_SUFFIXES:
                images.add(path)
        for path in documents:
            try:
                yield from self._listed(path, images)
            except OtherXmlError:
                continue
            except FormatError as error:
                yield self._unreadable(path, error)

    def load(self, ref: SampleRef) -> Sample:
        """Read one image's shapes."""
        if isinstance(ref.source, Unreadable):
            broken = ref.source
            raise FormatError(
                broken.problem, path=broken.path, where=broken.where, mend=broken.mend
            )
        place: Place = ref.source
        where = f"line {place.line}"
        try:
            return self._loaded(ref, place.read(), where)
        except FormatError as error:
            if error.path is None:
                error.path, error.where = place.path, error.where or where
            raise

    def _listed(self, path: Path, images: Images) -> Iterator[SampleRef]:
        document = path.relative_to(self.root)
        for child in children(path):
            if child.tag == "track":
                raise FormatError(
                    "is CVAT for video: it has tracks instead of images",
                    path=path,
                    where=f"line {child.place.line}",
                    mend='Export it as "CVAT for images 1.1".',
                )
            if child.tag == "image":
                yield self._ref(document, child, images)

    def _ref(self, document: Path, child: Child, images: Images) -> SampleRef:
        name = child.attributes.get("name", "")
        if not name:
            where = f"line {child.place.line}"
            return self._unreadable(
                child.place.path, FormatError("has an image without a name", where=where)
            )
        subset = child.attributes.get("subset", "")
        split, key = sample_of(document, name, subset)
        found = images.find(document, name, subset, split)
        return SampleRef(key, split or "train", found, child.place)

    def _unreadable(self, path: Path, error: FormatError) -> SampleRef:
        """Return a sample that fails with this error.

        `embedded`, because one without an image would be skipped before it is loaded.
        """
        split, key = sample_of(path.relative_to(self.root), path.name, "")
        source = Unreadable(path, error.problem, error.where, error.mend)
        return SampleRef(
            f"{key} {error.where}".strip(), split or "train", None, source, embedded=True
        )

    def _loaded(self, ref: SampleRef, image: Element, where: str) -> Sample:
        size, notes = _size(image, ref.image)
        shapes, left_out = shapes_of(image, where)
        ids, shapes, unknown = self._class_ids(shapes)
        kept: list[Painted] = []
        for id, shape, area in zip(
            ids, shapes, areas_of(shapes, size, ref.source.path), strict=True
        ):
            if isinstance(area, Patch) or len(area) >= STUB:
                kept.append(Painted(id, shape.group, area))
            else:
                name = self.classes.by_id(id).name
                notes.append(Note("polygons dropped: under 3 points", name))
        return Sample(ref, size, self._label(kept, size), (*notes, *left_out, *unknown))

    def _class_ids(self, shapes: list[Shape]) -> tuple[list[int], list[Shape], list[Note]]:
        """Return the class ids of the shapes to paint, those shapes, and notes."""
        table = self.classes
        ids: list[int] = []
        known: list[Shape] = []
        unknown: list[tuple[str, Shape]] = []
        for shape in shapes:
            name = self._classes.class_of(shape.element)
            info = table.get(name)
            if info is None:
                unknown.append((name, shape))
                info = getattr(table, self.unknown_label, None)
            if info is not None:
                ids.append(info.id)
                known.append(shape)
        counts = Counter(name for name, _ in unknown)
        notes = [Note("unknown labels", name, count) for name, count in counts.items()]
        if unknown and self.unknown_label == "error":
            first, shape = unknown[0]
            names = ", ".join(f'"{name}"' for name in counts)
            raise FormatError(
                f"has labels that are no class: {names}",
                where=shape.where,
                mend=segfmt.did_you_mean(first, (info.name for info in table))
                or "Give --unknown-label ignore or background to convert it all the same.",
                notes=notes,
            )
        return ids, known, notes

    def _label(self, kept: list[Painted], size: tuple[int, int]) -> Polygons | Mask:
        """Return outlines as they are drawn; where there are pixels among them, the mask of all."""
        ids = np.array([one.id for one in kept], np.int32)
        areas = [one.area for one in kept]
        numbers = _numbers(kept, each=self.objects == "shapes")
        rule = partial(Polygons.from_rings, fill_rule="coco")
        if self._classes.sidewalk:
            rule = partial(Polygons.from_rings, fill_rule="opencv", rounding="truncate")
        rings = [[area] for area in areas if not isinstance(area, Patch)]
        if len(rings) == len(areas):
            return rule(rings, ids, instance_ids=numbers)
        instances = None
        if numbers is not None:
            instances = paint(areas, numbers, size, rule).astype(np.uint16)
        return Mask(paint(areas, ids, size, rule), instances)


def is_xml(path: Path) -> bool:
    """Whether a file's name is that of an XML file."""
    return path.suffix.lower() == ".xml"


def _numbers(kept: list[Painted], *, each: bool) -> npt.NDArray[np.int32] | None:
    """Return each shape's object number, from 1 in its class, 0 for none; None if all are none.

    An object is what of a group has one class; if `each`, a shape without a group is one, too.
    """
    none = (0, 0)
    owners = [
        (one.id, (one.group, 0) if one.group or not each else (0, place))
        for place, one in enumerate(kept, start=1)
    ]
    counts: Counter[int] = Counter()
    numbers: dict[tuple[int, tuple[int, int]], int] = {}
    for id, owner in sorted(set(owners)):
        if owner != none:
            counts[id] += 1
            numbers[id, owner] = counts[id]
    if not numbers:
        return None
    return np.array([numbers.get(owner, 0) for owner in owners], np.int32)


def _size(image: Element, path: Path | None) -> tuple[tuple[int, int], list[Note]]:
    """Return (height, width): the image's own where there is one, else what the XML says."""
    texts = image.get("height", ""), image.get("width", "")
    said = (int(texts[0]), int(texts[1])) if all(map(str.isdecimal, texts)) else (0, 0)
    if path is None:
        if not all(said):
            raise FormatError("does not say how large its image is, and the image is missing")
        return said, []
    stored = segfmt.image_size(path)
    # CVAT turns images by their EXIF before they are drawn on; the core sees to that.
    if said == stored or (said == stored[::-1] and segfmt.stored_orientation(path)[0] in SIDEWAYS):
        return said, []
    if min(said) > 0 and max(abs(a - b) for a, b in zip(said, stored, strict=True)) > 1:
        raise FormatError(
            f"is said to be {said[1]} x {said[0]}, but {path} is {stored[1]} x {stored[0]}",
            mend="Shapes of an image of another size would not fit: is it the right image?",
        )
    words = f"label {said[1]} x {said[0]}" if all(said) else "label none"
    note = Note("sizes taken from the image", f"{words}, image {stored[1]} x {stored[0]}")
    return stored, [note]
