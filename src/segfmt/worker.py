"""The work on one sample, as it is sent to the workers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from segfmt.adapt import Adapter
from segfmt.edits import Edits, edited, upright
from segfmt.errors import FormatError
from segfmt.files import STATE_FOLDER, check_key
from segfmt.format import Reader, Writer
from segfmt.model import Mask, Note, Sample, SampleRef, merge_notes
from segfmt.remap import ClassMap
from segfmt.report import Done, Failed, Outcome, Skipped

MissingImage = Literal["skip", "error", "keep"]


class Job(NamedTuple):
    """A sample to convert, and the split that it is to go to."""

    ref: SampleRef
    split: str


@dataclass(frozen=True)
class Presence:
    """What `--only-with` asks for: any of these target ids on at least so many pixels."""

    ids: tuple[int, ...]
    names: str
    pixels: int = 1

    def missing(self, mask: Mask) -> str:
        """Return why a mask is to be skipped, or nothing."""
        counts = np.bincount(mask.ids.reshape(-1), minlength=256)
        if counts[list(self.ids)].sum() >= self.pixels:
            return ""
        return f"under {self.pixels} pixels of {self.names}"


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

    def __call__(self, job: Job) -> list[Outcome]:
        """Convert one sample, which becomes several where it is cut into tiles.

        Whatever goes wrong with it becomes its outcome.
        """
        ref = replace(job.ref, split=job.split)
        try:
            return self._convert(job, ref)
        except Exception as error:  # noqa: BLE001 - the one place: a bad sample must not end the run
            return [Failed.of(ref, error)]

    def _convert(self, job: Job, ref: SampleRef) -> list[Outcome]:
        check_key(ref.key)
        check_key(ref.split)
        if ref.image is None and self.missing_image != "keep":
            reason = "image missing"
            if self.missing_image == "error":
                raise FormatError(reason, path=str(ref.source or ref.key))
            return [Skipped(ref, reason, (Note(reason, f"{ref.split}/{ref.key}"),))]
        sample = replace(self.reader.load(job.ref), ref=ref)
        label = sample.label
        mapped = (
            self.class_map.mask(label)
            if isinstance(label, Mask)
            else self.class_map.polygons(label)
        )
        sample = replace(sample, label=mapped)
        orientation = 1
        if ref.image is not None:
            orientation, notes = upright(sample)
            sample = replace(sample, notes=merge_notes(sample.notes, notes))
        if not self.edits and orientation == 1 and self.presence is None:
            adapted, rule = self.adapter(sample)
            return [self._written(adapted, rule)]
        painted, rule = self.adapter.as_mask(sample)
        with self._edited(painted, orientation) as samples:
            return [self._kept(part, rule) for part in samples]

    @contextmanager
    def _edited(self, sample: Sample, orientation: int) -> Iterator[list[Sample]]:
        if not self.edits and orientation == 1:
            yield [sample]
            return
        folder = self.target / STATE_FOLDER / "edited" / f"{threading.get_ident():x}"
        with edited(sample, self.edits, orientation, folder) as samples:
            yield samples

    def _kept(self, sample: Sample, rule: str) -> Outcome:
        assert isinstance(sample.label, Mask)  # noqa: S101 - painted before
        if self.presence and (reason := self.presence.missing(sample.label)):
            return Skipped(sample.ref, reason)
        adapted, _ = self.adapter(sample)
        return self._written(adapted, rule)

    def _written(self, sample: Sample, rule: str) -> Done:
        entry = self.writer.write(sample)
        return Done(sample.ref, entry, sample.notes, rule)
