"""Reads instances: polygons and run lengths of objects, painted in the order of the file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Annotated, Literal

import segfmt
from segfmt import ClassTable, FormatError, Mask, Note, Polygons, Sample, SampleRef
from segfmt_coco.annotations import Annotations, counted, size_of
from segfmt_coco.index import Source
from segfmt_coco.layout import LOOKED_AT, OTHERS, kind_of
from segfmt_coco.objects import (
    About,
    FillRule,
    Painted,
    Parts,
    Rounding,
    Rule,
    as_mask,
    as_polygons,
    painted_of,
    read_annotations,
)

UnknownLabel = Literal["error", "ignore", "background"]


@dataclass(frozen=True)
class InstancesReader:
    """Reads annotation files of instances, such as `annotations/instances_train2017.json`.

    A sample of polygons alone is `Polygons`, one entry a part; with run lengths it is a mask. An
    annotation is an object, numbered by class from 1; a crowd is none.
    """

    root: Path
    files: Annotated[
        str, "which annotation files, as `annotations/stuff_*.json`; else instances_*, or all"
    ] = ""
    crowd: Annotated[
        Literal["paint", "ignore", "skip"],
        "annotations with iscrowd: paint them as others, as ignore, or not at all",
    ] = "paint"
    instances: Annotated[
        bool,
        "number objects; without, as for targets that cannot hold so many, classes alone count",
    ] = True
    unknown_label: Annotated[
        UnknownLabel,
        "a category that is not listed: fail the sample, or paint it as ignore or background",
    ] = "error"
    fill_rule: Annotated[
        FillRule, "how polygons are painted; COCO's tools paint them by `coco`"
    ] = "coco"
    rounding: Annotated[Rounding, "how the rule `opencv` makes vertices whole numbers"] = "nearest"
    follow_links: Annotated[bool, "follow links that lead out of the dataset"] = False

    @cached_property
    def _annotations(self) -> Annotations:
        return Annotations(
            self.root,
            "instances",
            self.files,
            self.follow_links,
            background=True,
            ignore="ignore" in (self.crowd, self.unknown_label),
        )

    @property
    def classes(self) -> ClassTable:
        """The categories of all files, with their ids, and a background."""
        return self._annotations.categories.table

    @property
    def warnings(self) -> list[str]:
        """What is to be said of the dataset as a whole."""
        return self._annotations.remarks

    def scan(self) -> Iterator[SampleRef]:
        """List the images of all annotation files."""
        return self._annotations.refs()

    def load(self, ref: SampleRef) -> Sample:
        """Read the annotations of one image."""
        source: Source = ref.source
        try:
            annotations, notes = read_annotations(source)
            shape, size_notes = size_of(ref)
            objects = self._objects(annotations, shape, notes)
            label = self._label(objects, shape, notes)
        except FormatError as error:
            error.path = error.path or source.path
            error.where = error.where or f"image {source.image_id}"
            raise
        return Sample(ref, shape, label, counted([*notes, *size_notes]))

    def _label(
        self, objects: list[Painted], shape: tuple[int, int], notes: list[Note]
    ) -> Polygons | Mask:
        rule = Rule(self.fill_rule, self.rounding)
        if all(one.rle is None for one in objects):
            return as_polygons(objects, rule)
        if any(one.parts for one in objects):
            notes.append(Note("polygons painted together with run lengths", self.fill_rule))
        background = self.classes.background
        assert background is not None  # noqa: S101 - asked for above
        return as_mask(objects, shape, rule, background.id)

    def _objects(
        self,
        annotations: list[tuple[About, Parts | None]],
        shape: tuple[int, int],
        notes: list[Note],
    ) -> list[Painted]:
        """Return what is to be painted, with its class and number."""
        table, ids = self.classes, self._annotations.categories.ids
        instead = table.ignore if self.unknown_label == "ignore" else table.background
        crowds = table.ignore if self.crowd == "ignore" else None
        objects: list[Painted] = []
        unknown: list[About] = []
        numbers: Counter[int] = Counter()
        for annotation, parts in annotations:
            if annotation.iscrowd and self.crowd == "skip":
                notes.append(Note("annotations of crowds left out", f"annotation {annotation.id}"))
                continue
            one = painted_of(annotation, parts, shape, notes)
            if one is None:
                continue
            objects.append(one)
            class_id = ids.get(annotation.category_id)
            if class_id is None:
                unknown.append(annotation)
                one.class_id = instead.id if instead else 0
            elif annotation.iscrowd:
                one.class_id = crowds.id if crowds else class_id
            else:
                numbers[class_id] += self.instances
                one.class_id, one.number = class_id, numbers[class_id]
        self._check_known(unknown, notes)
        return objects

    def _check_known(self, unknown: list[About], notes: list[Note]) -> None:
        """Note categories that are not listed; `FormatError` if none may be."""
        labels = [Note("unknown labels", f"category {one.category_id}") for one in unknown]
        if unknown and self.unknown_label == "error":
            names = ", ".join(dict.fromkeys(note.subject for note in labels))
            raise FormatError(
                f"has annotations of categories that are not listed: {names}",
                where=f"annotation {unknown[0].id}",
                mend="Give --unknown-label ignore or background to convert it all the same.",
                notes=counted(labels),
            )
        notes += labels


def detect(root: Path) -> str | None:
    """Tell it by the first annotation files below the folder."""
    jsons = (path for path in segfmt.walk(root) if path.suffix.lower() == ".json")
    for path in islice(jsons, LOOKED_AT):
        if not path.name.startswith(OTHERS) and kind_of(path) == "instances":
            return f"{path.relative_to(root).as_posix()} has images and annotations"
    return None
