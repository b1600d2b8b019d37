"""What a run has done so far, on disk: it can be gone on with, replaced, and verified."""

from __future__ import annotations

import sqlite3
import time
from itertools import chain
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from segfmt.errors import UsageError
from segfmt.files import STATE_FOLDER, Written, readable
from segfmt.format import Entry
from segfmt.model import Note, SampleRef
from segfmt.places import is_stored
from segfmt.report import Done, Failed, Outcome, Skipped
from segfmt.target import JOURNAL, state_root

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Self

VERSION = 1
# What a killed run does again is what it did since the last commit.
COMMIT_SECONDS = 1.0
BATCH = 256  # samples; one statement for many costs a third of one for each
SCHEMA = (
    "create table if not exists run (name text primary key, value text not null) without rowid",
    "create table if not exists samples (split text not null, key text not null,"
    " failed integer not null, outcomes text not null, primary key (split, key)) without rowid",
    "create table if not exists entries (split text not null, key text not null,"
    " files text not null, primary key (split, key)) without rowid",
    "create table if not exists lists (name text primary key, size integer not null, sum integer)"
    " without rowid",
)

State = Literal["none", "begun", "finished"]


class _Outcome(NamedTuple):
    """An outcome as it is kept: what the report counts, without references or files."""

    kind: Literal["done", "skipped", "failed"]
    split: str
    key: str
    text: str
    traceback: str = ""
    notes: tuple[tuple[str, str, int], ...] = ()


_outcomes = msgspec.json.Decoder(list[_Outcome])
_files = msgspec.json.Decoder(tuple[Written, ...])


class Journal:
    """A record of one run, kept by the main process alone; use it as a context manager.

    It is the lock of its target, too: SQLite holds the file for as long as the process lives, and
    no longer. Entries are on disk, so that memory does not grow with the dataset, and come back in
    the order of split and key. `read_only` is for who looks at a run that has ended.

    Raises
    ------
    UsageError
        If another run holds it, or the file is no journal of this version.
    """

    def __init__(self, target: Path, *, read_only: bool = False) -> None:
        self.target = target
        self.path = state_root(target) / STATE_FOLDER / JOURNAL
        try:
            if read_only:
                self.path.stat()
            else:
                self.path.parent.mkdir(parents=True, exist_ok=True)
        except FileNotFoundError as error:
            raise UsageError(f"{target} has no journal: segfmt did not write it") from error
        except OSError as error:
            raise UsageError(f"{target}: cannot be written to: {error.strerror}") from error
        self._samples: list[tuple[str, str, bool, str]] = []
        self._entries: list[tuple[str, str, str]] = []
        self._committed = time.monotonic()
        try:
            if read_only:
                uri = f"{self.path.resolve().as_uri()}?mode=ro"
                self._db = sqlite3.connect(uri, uri=True, timeout=0)
            else:
                self._db = sqlite3.connect(self.path, timeout=0)
                self._lock()
            version = self._get("version")
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise UsageError(f"{target} is being written by another run") from error
            raise UsageError(f"{self.path}: cannot be used as a journal: {error}") from error
        except sqlite3.DatabaseError as error:
            raise UsageError(f"{self.path}: cannot be used as a journal: {error}") from error
        if version not in ("", str(VERSION)):
            self._db.close()
            raise UsageError(
                f"{self.path} is of version {version} and this segfmt writes {VERSION}: "
                "give another folder, or use the segfmt that wrote it"
            )

    def _lock(self) -> None:
        # Locked from the first write to the end, also between transactions.
        self._db.execute("pragma locking_mode=exclusive")
        # A killed process loses nothing by this, a dead machine no more than the last second.
        self._db.execute("pragma synchronous=normal")
        self._db.execute("begin exclusive")
        for statement in SCHEMA:
            self._db.execute(statement)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.commit()
        finally:
            self._db.close()

    @property
    def state(self) -> State:
        """Whether a run has begun or finished here."""
        if self._get("finished"):
            return "finished"
        return "begun" if self._get("fingerprint") else "none"

    @property
    def fingerprint(self) -> dict[str, str]:
        """What the run was asked for, by option, and what its source was."""
        return msgspec.json.decode(self._get("fingerprint") or b"{}", type=dict[str, str])

    def begin(self, fingerprint: Mapping[str, str]) -> None:
        """Begin a run, or go on with one."""
        self._set("version", str(VERSION))
        self._set("fingerprint", msgspec.json.encode(fingerprint).decode())
        self._db.execute("delete from run where name = 'finished'")
        self._db.execute("delete from lists")
        self._db.commit()

    def finish(self, lists: Iterable[Written]) -> None:
        """Close the run: everything is written, `lists` being what is about the whole dataset."""
        self._flush()
        self._db.executemany("insert or replace into lists values (?, ?, ?)", lists)
        self._set("finished", "yes")
        self.commit()

    def record(self, split: str, key: str, outcomes: list[Outcome]) -> None:
        """Take in what became of the source's sample of that split and key."""
        failed = False
        for outcome in outcomes:
            if isinstance(outcome, Done):
                entry = outcome.entry
                files = msgspec.json.encode(outcome.written).decode()
                self._entries.append((entry.split, entry.key, files))
            failed = failed or isinstance(outcome, Failed)
        kept = msgspec.json.encode([_kept(outcome) for outcome in outcomes]).decode()
        self._samples.append((readable(split), readable(key), failed, kept))
        if len(self._samples) >= BATCH or self._due():
            self._flush()
            if self._due():
                self.commit()

    def commit(self) -> None:
        """Make what was recorded outlast this process."""
        self._flush()
        self._db.commit()
        self._committed = time.monotonic()

    def has(self, split: str, key: str) -> bool:
        """Return whether that sample of the source is recorded."""
        query = "select 1 from samples where split = ? and key = ?"
        place = readable(split), readable(key)
        return self._db.execute(query, place).fetchone() is not None

    def wrote(self, split: str, key: str) -> bool:
        """Return whether a sample of that split and key was written."""
        query = "select 1 from entries where split = ? and key = ?"
        return self._db.execute(query, (readable(split), readable(key))).fetchone() is not None

    def forget_failed(self) -> int:
        """Forget the samples that failed, so that they are tried again; return how many."""
        return self._db.execute("delete from samples where failed").rowcount

    def outcomes(self) -> Iterator[Outcome]:
        """Yield what became of the samples, by split and key."""
        self._flush()
        for (text,) in self._db.execute("select outcomes from samples order by split, key"):
            yield from map(_revived, _outcomes.decode(text))

    @property
    def entry_count(self) -> int:
        """How many samples were written."""
        self._flush()
        return int(self._db.execute("select count(*) from entries").fetchone()[0])

    def entries(self) -> Iterator[Entry]:
        """Yield what was written, by split and key."""
        for split, key, written in self.written():
            yield Entry(split, key, tuple(file.name for file in written))

    def written(self) -> Iterator[tuple[str, str, tuple[Written, ...]]]:
        """Yield split, key and files of what was written, by split and key."""
        self._flush()
        query = "select split, key, files from entries order by split, key"
        for split, key, files in self._db.execute(query):
            yield split, key, _files.decode(files)

    def lists(self) -> Iterator[Written]:
        """Yield the files that are about the whole dataset, by name."""
        for row in self._db.execute("select name, size, sum from lists order by name"):
            yield Written(*row)

    def clear(self) -> None:
        """Remove the files of the run before and forget them; anything else in the target stays."""
        root = self.target.resolve()
        folders: set[Path] = set()
        of_samples = (file for _, _, files in self.written() for file in files)
        for file in chain(of_samples, self.lists()):
            path = self.target / file.name
            # A journal is data too: it may have been edited, or a folder swapped for a link.
            if path.parent.resolve().is_relative_to(root):
                try:
                    path.unlink(missing_ok=True)
                except OSError as error:
                    raise UsageError(
                        f"{path} is of the run before and cannot be removed: {error.strerror}. "
                        "Remove it, or give another folder"
                    ) from error
                if not is_stored(path):  # in stores, folders come and go with their files
                    folders.add(path.parent)
        for folder in sorted(folders, key=lambda path: -len(path.parts)):
            for empty in (folder, *folder.parents):
                if empty == self.target or not empty.is_dir() or any(empty.iterdir()):
                    break
                empty.rmdir()
        for table in ("run", "samples", "entries", "lists"):
            self._db.execute(f"delete from {table}")  # noqa: S608 - the names above

    def _due(self) -> bool:
        return time.monotonic() - self._committed > COMMIT_SECONDS

    def _flush(self) -> None:
        self._db.executemany("insert or replace into samples values (?, ?, ?, ?)", self._samples)
        self._db.executemany("insert or replace into entries values (?, ?, ?)", self._entries)
        self._samples.clear()
        self._entries.clear()

    def _get(self, name: str) -> str:
        row = self._db.execute("select value from run where name = ?", (name,)).fetchone()
        return str(row[0]) if row else ""

    def _set(self, name: str, value: str) -> None:
        self._db.execute("insert or replace into run values (?, ?)", (name, value))


def _kept(outcome: Outcome) -> _Outcome:
    split, key = readable(outcome.ref.split), readable(outcome.ref.key)
    notes = outcome.notes
    match outcome:
        case Done(entry=entry, fill_rule=rule):
            row = _Outcome("done", split, key, rule)
            notes += entry.notes
        case Skipped(reason=reason):
            row = _Outcome("skipped", split, key, reason)
        case Failed(error=error, traceback=trace):
            row = _Outcome("failed", split, key, readable(error), readable(trace))
    if not notes:
        return row
    return row._replace(
        notes=tuple((note.code, readable(note.subject), note.count) for note in notes)
    )


def _revived(kept: _Outcome) -> Outcome:
    ref = SampleRef(kept.key, kept.split)
    notes = tuple(Note(*note) for note in kept.notes)
    match kept.kind:
        case "done":
            return Done(ref, Entry(kept.split, kept.key), notes, kept.text)
        case "skipped":
            return Skipped(ref, kept.text, notes)
        case "failed":
            return Failed(ref, kept.text, notes, kept.traceback)
