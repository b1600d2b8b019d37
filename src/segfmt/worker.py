"""The work on one sample, as it is sent to the workers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from segfmt.adapt import Adapter
from segfmt.edits import Edits, edited, unpacked, upright
from segfmt.errors import FormatError
from segfmt.files import (
    STATE_FOLDER,
    check_key,
    fits_windows,
    of_this_thread,
    recording,
    written,
)
from segfmt.format import Reader, Writer
from segfmt.model import Mask, Note, Sample, SampleRef, merge_notes
from segfmt.places import at_hand
from segfmt.raster import rasterize
from segfmt.remap import ClassMap
from segfmt.report import Done, Failed, Outcome, Skipped
from segfmt.target import state_root

MissingImage = Literal["skip", "error", "keep"]


class Job(NamedTuple):
    """A sample to convert, and the split that it is to go to."""

    ref: SampleRef
    split: str


class Converted(NamedTuple):
    """What became of the source's sample of that split and key."""

    split: str
    key: str
    outcomes: list[Outcome]


@dataclass(frozen=True)
class Presence:
    """What `--only-with` asks for: any of these source ids on at least so many pixels.

    It looks at the source's classes, before any of them are merged or dropped.
    """

    ids: tuple[int, ...]
    names: str
    pixels: int = 1

    def missing(self, sample: Sample, adapter: Adapter) -> str:
        """Return why a sample is to be skipped, or nothing."""
        label = sample.label
        if isinstance(label, Mask):
            count = np.count_nonzero(np.isin(label.ids, self.ids))
        else:
            wanted = np.isin(label.class_ids, self.ids).astype(np.int32)
            polygons = replace(adapter.ruled(label), class_ids=wanted, instance_ids=None)
            count = np.count_nonzero(rasterize(polygons, sample.shape))
        if count >= self.pixels:
            return ""
        few = "no pixel" if self.pixels == 1 else f"under {self.pixels} pixels"
        return f"{few} of {self.names}"


@dataclass(frozen=True)
class Worker:
    """Converts samples: reader, class map, adapter, writer, in turn."""

    reader: Reader
    writer: Writer
    class_map: ClassMap
    adapter: Adapter
    missing_image: MissingImage
    edits: Edits
    presence: Presence | None
    target: Path

    def __call__(self, job: Job) -> Converted:
        """Convert one sample, which becomes several where it is cut into tiles.

        Whatever goes wrong with it becomes its outcome.
        """
        ref = job.ref if job.ref.split == job.split else replace(job.ref, split=job.split)
        try:
            with at_hand():
                outcomes = self._convert(job, ref)
        except Exception as error:  # noqa: BLE001 - the one place: a bad sample must not end the run
            outcomes = [Failed.of(ref, error)]
        return Converted(ref.split, ref.key, outcomes)

    def _convert(self, job: Job, ref: SampleRef) -> list[Outcome]:
        check_key(ref.key)
        check_key(ref.split)
        if ref.image is None and not ref.embedded and self.missing_image != "keep":
            reason = "image missing"
            if self.missing_image == "error":
                raise FormatError(reason, path=str(ref.source or ref.key))
            return [Skipped(ref, reason, (Note(reason, f"{ref.split}/{ref.key}"),))]
        sample = self.reader.load(job.ref)
        if sample.ref != ref:
            sample = replace(sample, ref=ref)
        if not (fits_windows(ref.key) and fits_windows(ref.split)):
            note = Note("names that Windows cannot have", f"{ref.split}/{ref.key}")
            sample = replace(sample, notes=merge_notes(sample.notes, (note,)))
        if sample.image is None:
            return self._converted(sample)
        with unpacked(sample, self._edited) as whole:
            return self._converted(whole)

    def _converted(self, sample: Sample) -> list[Outcome]:
        ref = sample.ref
        if self.presence and (reason := self.presence.missing(sample, self.adapter)):
            return [Skipped(ref, reason)]
        label = sample.label
        mapped = (
            self.class_map.mask(label)
            if isinstance(label, Mask)
            else self.class_map.polygons(label)
        )
        if mapped is not label:
            sample = replace(sample, label=mapped)
        orientation = 1
        if ref.image is not None:
            orientation, notes = upright(sample)
            if notes:
                sample = replace(sample, notes=merge_notes(sample.notes, notes))
        if not self.edits and orientation == 1:
            adapted, rule = self.adapter(sample)
            return [self._written(adapted, rule)]
        painted, rule = self.adapter.as_mask(sample)
        folder = self._edited / of_this_thread()
        outcomes: list[Outcome] = []
        with edited(painted, self.edits, orientation, folder) as parts:
            for part in parts:
                adapted, _ = self.adapter(part)
                outcomes.append(self._written(adapted, rule))
                rule = ""  # what is to be said of a sample is said once, however many its tiles
        return outcomes

    @property
    def _edited(self) -> Path:
        """Where images are that are there for one sample alone."""
        return state_root(self.target) / STATE_FOLDER / "edited"

    def _written(self, sample: Sample, rule: str) -> Done:
        with recording() as recorded:
            entry = self.writer.write(sample)
        files = tuple(written(self.target, name, recorded) for name in entry.files)
        # The source's own data has done its work, and a process need not send it back.
        ref = SampleRef(sample.ref.key, sample.ref.split)
        return Done(ref, entry, sample.notes, rule, files)
