"""What became of the samples: outcomes, and their tally."""

from __future__ import annotations

import errno
import os
import traceback
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from segfmt.errors import FormatError, SegfmtError
from segfmt.files import Written, readable
from segfmt.format import Entry
from segfmt.model import Note, SampleRef
from segfmt.places import StoreRefusedError

MAX_SUBJECTS = 1000
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


def _ends_run(error: OSError) -> bool:
    """Whether no other sample will fare better: no room, or a store that lets nobody in."""
    return error.errno in _NO_ROOM or isinstance(error, StoreRefusedError)


@dataclass(frozen=True, slots=True)
class Done:
    """A sample that was written.

    `fill_rule` says how its polygons were painted, if it had any; `written` what its files are, for
    who verifies them later.
    """

    ref: SampleRef
    entry: Entry
    notes: tuple[Note, ...] = ()
    fill_rule: str = ""
    written: tuple[Written, ...] = ()


@dataclass(frozen=True, slots=True)
class Skipped:
    """A sample that was left out on purpose, and why."""

    ref: SampleRef
    reason: str
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """A sample that could not be converted.

    The error is kept as text: exceptions do not all survive the way between processes. `traceback`
    is empty for errors that segfmt raises on purpose, as those say all there is to say. `ends_run`
    where the next samples would fail alike, as on a full disk.
    """

    ref: SampleRef
    error: str
    notes: tuple[Note, ...] = ()
    traceback: str = ""
    ends_run: bool = False

    @classmethod
    def of(cls, ref: SampleRef, error: Exception) -> Failed:
        """Make the outcome of an exception."""
        if isinstance(error, FormatError):
            if error.path is None:  # raised where the file was not known, such as while painting
                error.path = ref.source if isinstance(ref.source, os.PathLike) else ref.key
            return cls(ref, str(error), error.notes)
        trace = "".join(traceback.format_exception(error))
        if isinstance(error, SegfmtError):
            return cls(ref, str(error))
        if isinstance(error, OSError):
            text = f"{error.filename or ref.key}: {error.strerror or error}"
            return cls(ref, text, (), trace, _ends_run(error))
        if isinstance(error, MemoryError):
            return cls(ref, f"{ref.key}: out of memory. Try fewer --workers", (), trace)
        return cls(ref, f"{ref.key}: {type(error).__name__}: {error}", (), trace)


Outcome = Done | Skipped | Failed


@dataclass(slots=True)
class Tally:
    """How often something was noted: in all, in how many samples, by subject (at most 1,000)."""

    count: int = 0
    samples: int = 0
    subjects: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Failure:
    """One failed sample, for the report."""

    split: str
    key: str
    error: str
    traceback: str = ""


@dataclass(slots=True)
class Report:
    """The tally of a run, JSON-able.

    `total` counts the samples that the source lists, before `limit`; `done + skipped + failed`
    those that were worked on. `losses` are what the target cannot hold of the source, `warnings`
    about the run as a whole, `notes` about samples, by code. `verified` are those that were read
    back and found the same, None if that was not asked for; `differing` those that are not.
    """

    source: str
    source_format: str
    target: str
    target_format: str
    version: str
    total: int = 0
    done: int = 0
    skipped: int = 0
    failed: int = 0
    splits: dict[str, int] = field(default_factory=dict)
    fill_rules: dict[str, int] = field(default_factory=dict)
    losses: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    notes: dict[str, Tally] = field(default_factory=dict)
    skips: dict[str, int] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    verified: int | None = None
    differing: list[Failure] = field(default_factory=list)
    seconds: float = 0.0
    dry_run: bool = False

    @property
    def ok(self) -> bool:
        """Whether no sample failed, and none was written that differs from its source."""
        return not self.failed and not self.differing

    def add(self, outcome: Outcome) -> None:
        """Count one outcome."""
        match outcome:
            case Done(ref, entry, notes, fill_rule, _):
                self.done += 1
                _count(self.splits, ref.split)
                if fill_rule:
                    _count(self.fill_rules, fill_rule)
                self._add_notes((*notes, *entry.notes))
            case Skipped(_, reason, notes):
                self.skipped += 1
                _count(self.skips, reason)
                self._add_notes(notes)
            case Failed(ref, error, notes, trace, _):
                self.failed += 1
                texts = (readable(text) for text in (ref.split, ref.key, error, trace))
                self.failures.append(Failure(*texts))
                self._add_notes(notes)

    def count_only(self, splits: Iterable[str]) -> None:
        """Make this the report of a dry run over samples of these splits."""
        self.dry_run = True
        for split in splits:
            _count(self.splits, split)

    def settle(self, seconds: float) -> None:
        """Close the report.

        What came in any order is sorted, so that equal runs give equal reports.
        """
        self.seconds = round(seconds, 3)
        self.failures.sort(key=lambda failure: (failure.split, failure.key))
        self.splits = dict(sorted(self.splits.items()))
        self.skips = dict(sorted(self.skips.items()))
        self.notes = dict(sorted(self.notes.items()))
        for tally in self.notes.values():
            ranked = sorted(tally.subjects.items(), key=lambda item: (-item[1], item[0]))
            tally.subjects = dict(ranked)

    def to_json(self) -> bytes:
        """Return the report as indented UTF-8 JSON."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"

    def save(self, path: Path) -> None:
        """Write the report as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.to_json())

    def _add_notes(self, notes: tuple[Note, ...]) -> None:
        for note in notes:
            subject = readable(note.subject)
            tally = self.notes.setdefault(note.code, Tally())
            tally.count += note.count
            if subject in tally.subjects or len(tally.subjects) < MAX_SUBJECTS:
                _count(tally.subjects, subject, note.count)
        for code in {note.code for note in notes}:
            self.notes[code].samples += 1


def _count(tally: dict[str, int], key: str, by: int = 1) -> None:
    tally[key] = tally.get(key, 0) + by
