"""Reads panoptic masks: PNG whose colors are segment ids, and a JSON that says what those are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import numpy as np
import numpy.typing as npt

import segfmt
from segfmt import ClassTable, FormatError, Mask, Note, Sample, SampleRef
from segfmt_coco.annotations import Annotations, counted
from segfmt_coco.index import Source
from segfmt_coco.layout import LOOKED_AT, kind_of

_UNKNOWN, _VOID, _FIRST = 0, 1, 2  # places in a sample's list of segments


class _Segment(msgspec.Struct):
    id: int
    category_id: int
    iscrowd: int | bool | None = None


class _Annotation(msgspec.Struct):
    file_name: str
    segments_info: list[_Segment]


_ANNOTATIONS = msgspec.json.Decoder(list[_Annotation], strict=False)


@dataclass(frozen=True)
class PanopticReader:
    """Reads `annotations/panoptic_<split>.json` and the masks in the folder of its name.

    Id 0 is void, which is ignore. Objects are the segments of categories that are things, numbered
    by class in the order of the file; crowds are none.
    """

    root: Path
    files: Annotated[str, "which annotation files; else panoptic_*, or all"] = ""
    crowd: Annotated[
        Literal["paint", "ignore"], "segments with iscrowd: take them as others, or as ignore"
    ] = "paint"
    instances: Annotated[
        bool,
        "number objects; without, as for targets that cannot hold so many, classes alone count",
    ] = True
    unknown_label: Annotated[
        Literal["error", "ignore"],
        "a category that is not listed: fail the sample, or take it as ignore",
    ] = "error"
    follow_links: Annotated[bool, "follow links that lead out of the dataset"] = False

    @cached_property
    def _annotations(self) -> Annotations:
        return Annotations(
            self.root, "panoptic", self.files, self.follow_links, background=False, ignore=True
        )

    @property
    def classes(self) -> ClassTable:
        """The categories of all files, with their ids, and ignore."""
        return self._annotations.categories.table

    @property
    def warnings(self) -> list[str]:
        """What is to be said of the dataset as a whole."""
        return self._annotations.remarks

    def scan(self) -> Iterator[SampleRef]:
        """List the images that have an annotation."""
        return self._annotations.refs()

    def load(self, ref: SampleRef) -> Sample:
        """Read one mask."""
        source: Source = ref.source
        annotations, notes = source.read(_ANNOTATIONS)
        where = f"image {source.image_id}"
        if len(annotations) > 1:
            raise FormatError("has several annotations", path=source.path, where=where)
        if source.mask is None:
            problem = f"its mask {annotations[0].file_name} is not there"
            mend = f"It belongs into the folder {source.path.stem} beside the file."
            raise FormatError(problem, path=source.path, where=where, mend=mend)
        rgb = segfmt.read_colors(source.mask)
        shape = rgb.shape[:2]
        if ref.image:
            size = segfmt.image_size(ref.image)
            if sorted(size) != sorted(shape):  # an image may be turned by its EXIF
                problem = f"is {shape[1]} x {shape[0]}, but its image {size[1]} x {size[0]}"
                raise FormatError(problem, path=source.mask)
        try:
            mask = self._mask(rgb, annotations[0].segments_info, notes)
        except FormatError as error:
            error.path, error.where = source.path, f"{where}, {error.where}"
            raise
        return Sample(ref, shape, mask, counted(notes))

    def _mask(
        self, rgb: npt.NDArray[np.uint8], segments: list[_Segment], notes: list[Note]
    ) -> Mask:
        ids = rgb[..., 0] | rgb[..., 1].astype(np.uint32) << 8 | rgb[..., 2].astype(np.uint32) << 16
        # The table is as large as all colors, but only pages that are used come to be: looking up
        # takes a tenth of what sorting the pixels would.
        places = np.zeros(1 << 24, np.uint16)
        places[0] = _VOID
        for place, segment in enumerate(segments, _FIRST):
            if not 0 < segment.id < 1 << 24 or places[segment.id]:
                problem = "has an id that is void, too large, or another segment's"
                raise FormatError(problem, where=f"segment {segment.id}")
            places[segment.id] = place
        index = places[ids]
        seen = np.bincount(index.reshape(-1), minlength=len(segments) + _FIRST) > 0
        if seen[_UNKNOWN]:
            strange = np.unique(ids[index == _UNKNOWN]).tolist()
            notes += [Note("segments that the JSON lacks, taken as void")] * len(strange)
        notes += [Note("segments without a pixel")] * int((~seen[_FIRST:]).sum())
        class_ids, numbers = self._classes_of(segments, notes)
        wide = max(class_ids) > 255
        return Mask(
            np.array(class_ids, np.uint16 if wide else np.uint8)[index],
            np.array(numbers, np.uint16)[index] if any(numbers) else None,
        )

    def _classes_of(
        self, segments: list[_Segment], notes: list[Note]
    ) -> tuple[list[int], list[int]]:
        """Return the class and the number at each place of the list of segments."""
        categories = self._annotations.categories
        void, things = categories.table.ignore, categories.things
        assert void is not None  # noqa: S101 - asked for above
        class_ids, numbers = [void.id] * _FIRST, [0] * _FIRST
        count: Counter[int] = Counter()
        for segment in segments:
            class_id = categories.ids.get(segment.category_id)
            if class_id is None:
                note = Note("unknown labels", f"category {segment.category_id}")
                if self.unknown_label == "error":
                    raise FormatError(
                        f"is of {note.subject}, which is not listed",
                        where=f"segment {segment.id}",
                        mend="Give --unknown-label ignore to convert it all the same.",
                        notes=[note],
                    )
                notes.append(note)
                class_id = void.id
            elif segment.iscrowd and self.crowd == "ignore":
                class_id = void.id
            is_object = self.instances and class_id in things and not segment.iscrowd
            count[class_id] += is_object
            class_ids.append(class_id)
            numbers.append(count[class_id] if is_object else 0)
        return class_ids, numbers


def detect(root: Path) -> str | None:
    """Tell it by the first annotation files below the folder."""
    jsons = (path for path in segfmt.walk(root) if path.suffix.lower() == ".json")
    for path in islice(jsons, LOOKED_AT):
        if kind_of(path) == "panoptic":
            return f"{path.relative_to(root).as_posix()} has segments_info"
    return None
