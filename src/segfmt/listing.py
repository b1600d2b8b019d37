"""The samples of a run, in the order of split and key, without holding a million of them."""

from __future__ import annotations

import os
import pickle
import sqlite3
import sys
from array import array
from collections import Counter
from contextlib import suppress
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from tempfile import mkstemp
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from segfmt.errors import UsageError
from segfmt.files import STATE_FOLDER, nfc, readable
from segfmt.worker import Job

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from segfmt.model import SampleRef
    from segfmt.splits import Split

ONE_CASE = sys.platform in ("win32", "darwin")  # where `a` and `A` are one file
HELD = 10_000  # items in memory, some 5 MB; more go to disk
_INSERT = "insert into items values (?, ?)"
T = TypeVar("T")


class Sorted(Generic[T]):
    """Items that come back by key, however many: beyond `HELD` they are on disk.

    They are there for this process alone: the file is made anew and never read by another run, so
    that what is unpickled is what was pickled here. `folder` is None for a file of the system's.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._items: list[tuple[tuple[str, ...], T]] = []
        self._file: Path | None = None
        self._db: sqlite3.Connection | None = None
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, key: tuple[str, ...], item: T) -> None:
        """Take in an item."""
        self._items.append((key, item))
        self._count += 1
        if len(self._items) == HELD:
            self._spill()

    def __iter__(self) -> Iterator[tuple[tuple[str, ...], T]]:
        if self._db is None:
            self._items.sort(key=lambda pair: pair[0])
            yield from self._items
            return
        self._spill()
        # NUL sorts before every letter, as the end of a shorter string does, and is in no name.
        for key, pickled in self._db.execute("select key, item from items order by key"):
            yield tuple(_text(part) for part in key.split(b"\0")), pickle.loads(pickled)  # noqa: S301

    def close(self) -> None:
        """Remove the file."""
        if self._db:
            self._db.close()
        if self._file:
            self._file.unlink(missing_ok=True)
            # Where nothing came of the run, nothing is left of it.
            with suppress(OSError):
                self._file.parent.rmdir()
                self._file.parent.parent.rmdir()

    def _spill(self) -> None:
        if self._db is None:
            self._db = self._opened()
        rows = ((b"\0".join(map(_bytes, key)), _pickled(item)) for key, item in self._items)
        self._db.executemany(_INSERT, rows)
        self._items.clear()

    def _opened(self) -> sqlite3.Connection:
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, name = mkstemp(".sqlite", "index-", self._folder)
            os.close(handle)
            self._file = Path(name)
        db = sqlite3.connect(self._file or "")
        # It is thrown away with the process: nothing of it has to outlast anything.
        db.execute("pragma journal_mode=off")
        db.execute("pragma synchronous=off")
        db.execute("create table items (key blob, item blob)")
        return db


class Listing:
    """The jobs of a run by split and key, those of one split and key but the first left out.

    Attributes
    ----------
    total
        How many samples the source lists, before `limit`.
    splits
        How many there are in each split.
    suffixes
        How many images there are of each suffix.
    doubles
        The jobs that were left out, each with the source of the first.
    alike
        The jobs whose split and key differ from an earlier one's in case alone, each with that one;
        on systems where both would be one file, they are among `doubles` instead.
    digest
        Of all splits, keys and sources: another listing has another.
    """

    def __init__(
        self, refs: Iterable[SampleRef], split: Split | None, limit: int | None, out: Path | None
    ) -> None:
        folder = None if out is None else out / STATE_FOLDER
        if split is None:
            self._jobs = _sorted(((ref.split, ref) for ref in refs), folder)
            self.total = len(self._jobs)
        else:
            by_key: Sorted[SampleRef] = Sorted(folder)
            for ref in refs:
                by_key.add((ref.key, str(ref.source)), ref)
            self.total = len(by_key)
            count = self.total if limit is None else min(limit, self.total)
            self._jobs = _sorted(
                (
                    (split.deal(place, count, ref.key), ref)
                    for place, (_, ref) in enumerate(islice(by_key, count))
                ),
                folder,
            )
            by_key.close()
        self._limit = limit
        self._left_out: set[tuple[str, ...]] = set()
        self._look_through()
        clashing: list[tuple[Job, Any]] = []
        while ONE_CASE and self.alike:
            clashing += ((job, first.ref.source) for job, first in self.alike)
            self._left_out |= {(job.split, job.ref.key) for job, _ in self.alike}
            self._look_through()
        self.doubles += clashing

    def __len__(self) -> int:
        return self.splits.total()

    def __iter__(self) -> Iterator[Job]:
        return islice(self._unique(), self._limit)

    def close(self) -> None:
        """Let go of what is on disk."""
        self._jobs.close()

    def _unique(self) -> Iterator[Job]:
        last: tuple[str, ...] = ()
        for place, job in self._jobs:
            if place[:2] != last and place[:2] not in self._left_out:
                last = place[:2]
                yield job

    def _look_through(self) -> None:
        self.splits: Counter[str] = Counter()
        self.suffixes: Counter[str] = Counter()
        self.doubles: list[tuple[Job, Any]] = []
        digest = blake2b(digest_size=16)
        names = array("q")  # hashes of them without case: 8 bytes a sample, where the names are 100
        first: Job | None = None
        for place, job in self._jobs:
            if place[:2] in self._left_out:
                continue
            if first and (job.split, job.ref.key) == (first.split, first.ref.key):
                self.doubles.append((job, first.ref.source))
                continue
            if len(self) == self._limit:
                break
            first = job
            self.splits[job.split] += 1
            if job.ref.image is not None:
                self.suffixes[job.ref.image.suffix.lower()] += 1
            names.append(hash(_folded(job)))
            digest.update(_bytes("\0".join(place)) + b"\n")
        self.digest = digest.hexdigest()
        self.alike = self._differing_in_case(names)

    def _differing_in_case(self, names: array[int]) -> list[tuple[Job, Job]]:
        """Return the jobs of one name but for its case, each with the first; few have any."""
        hashes = np.sort(np.frombuffer(names, np.int64))
        twice = set(hashes[1:][hashes[1:] == hashes[:-1]].tolist())
        firsts: dict[tuple[str, str], Job] = {}
        return [
            (job, firsts[name])
            for job in (self if twice else ())
            if hash(name := _folded(job)) in twice and firsts.setdefault(name, job) is not job
        ]


def _sorted(pairs: Iterable[tuple[str, SampleRef]], folder: Path | None) -> Sorted[Job]:
    jobs: Sorted[Job] = Sorted(folder)
    for split, ref in pairs:
        jobs.add((split, ref.key, str(ref.source)), Job(ref, split))
    return jobs


def _folded(job: Job) -> tuple[str, str]:
    return nfc(job.split).casefold(), nfc(job.ref.key).casefold()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _text(part: bytes) -> str:
    return part.decode("utf-8", "surrogatepass")


def _pickled(item: object) -> bytes:
    try:
        return pickle.dumps(item, pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        raise UsageError(
            f"{readable(repr(item))[:200]} cannot be pickled, as samples must be: {error}"
        ) from error
