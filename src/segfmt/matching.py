"""Which sample of one dataset is which of another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from heapq import merge
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from segfmt.errors import UsageError
from segfmt.files import nfc, readable
from segfmt.listing import Sorted
from segfmt.model import SampleRef
from segfmt.report import Failed

if TYPE_CHECKING:
    from segfmt.format import Entry
    from segfmt.worker import Job

LISTED = 1000  # unmatched samples that are kept by name
Key = tuple[str, ...]
A = TypeVar("A")
B = TypeVar("B")


class Pair(NamedTuple):
    """The same sample in two datasets."""

    a: SampleRef
    b: SampleRef


class Single(NamedTuple):
    """A sample that only one dataset has."""

    ref: SampleRef
    of_a: bool


@dataclass(slots=True)
class Unmatched:
    """Samples that only one dataset has: how many, and the first 1,000 as `split/key`."""

    count: int = 0
    samples: list[str] = field(default_factory=list)

    def add(self, ref: SampleRef) -> None:
        """Count one."""
        self.count += 1
        if len(self.samples) < LISTED:
            self.samples.append(readable(f"{ref.split}/{ref.key}"))


class Matching:
    """Pairs of samples by key: those of equal split and key are the same.

    The key alone decides where one side has but one split, as predictions have, and the other has
    others. Samples beyond some ten thousand are on disk, not in memory.

    Attributes
    ----------
    by_key
        Whether the key alone decides.
    only_a, only_b
        Samples without a partner.
    failures
        Samples of which it is not clear which they are.
    """

    def __init__(
        self, a: Iterable[SampleRef], b: Iterable[SampleRef], only_split: str | None = None
    ) -> None:
        (self._a, splits_a), (self._b, splits_b) = _sorted(a), _sorted(b)
        self.by_key = splits_a != splits_b and 1 in (len(splits_a), len(splits_b))
        self._split = only_split
        if only_split is not None and only_split not in splits_a:
            known = ", ".join(sorted(splits_a))
            raise UsageError(f"--only-split {only_split}: A has no such split. It has: {known}")
        self.only_a, self.only_b = Unmatched(), Unmatched()
        self.failures: list[Failed] = []
        self._count = 0
        for found in self._found():
            match found:
                case Pair():
                    self._count += 1
                case Single(ref, of_a):
                    (self.only_a if of_a else self.only_b).add(ref)
                case Failed():
                    self.failures.append(found)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Pair]:
        return (found for found in self._found() if isinstance(found, Pair))

    def close(self) -> None:
        """Let go of what is on disk."""
        self._a.close()
        self._b.close()

    def _found(self) -> Iterator[Pair | Single | Failed]:
        for _, all_a, all_b in joined(self._a, self._b, 1):
            a = [ref for ref in all_a if self._split in (None, ref.split)]
            if self.by_key:
                if a or not all_a:  # else its partner is in a split that is not asked for
                    yield from _matched(a, all_b)
                continue
            b = [ref for ref in all_b if self._split in (None, ref.split)]
            for split in sorted({ref.split for ref in (*a, *b)}):
                of_split = ([ref for ref in side if ref.split == split] for side in (a, b))
                yield from _matched(*of_split)


def _matched(a: list[SampleRef], b: list[SampleRef]) -> Iterator[Pair | Single | Failed]:
    """Yield what becomes of samples of one name."""
    for refs in (a, b):
        if len(splits := sorted({ref.split for ref in refs})) > 1:
            error = f"{refs[0].key}: is in the splits {' and '.join(splits)}, of which the other"
            yield Failed(refs[0], f"{error} dataset knows nothing. Give --only-split")
            return
        for ref in refs[1:]:
            first = refs[0].source
            error = f"{ref.source}: has the same name as {first}, which is the one that was used"
            yield Failed(ref, error)
    if a and b:
        yield Pair(a[0], b[0])
    else:
        yield Single((a or b)[0], bool(a))


def _sorted(refs: Iterable[SampleRef]) -> tuple[Sorted[SampleRef], set[str]]:
    by_key: Sorted[SampleRef] = Sorted(None)
    splits = set()
    for ref in refs:
        by_key.add((ref.key, ref.split, str(ref.source)), ref)
        splits.add(ref.split)
    return by_key, splits


def joined(
    a: Iterable[tuple[Key, A]], b: Iterable[tuple[Key, B]], parts: int
) -> Iterator[tuple[Key, list[A], list[B]]]:
    """Yield what two streams have of each key, in order; its first `parts` parts are what counts.

    >>> list(joined([(("x",), 1), (("y",), 2)], [(("y", "z"), 3)], 1))
    [(('x',), [1], []), (('y',), [2], [3])]
    """
    left: Iterator[tuple[Key, bool, Any]] = ((key[:parts], False, item) for key, item in a)
    right: Iterator[tuple[Key, bool, Any]] = ((key[:parts], True, item) for key, item in b)
    both = merge(left, right, key=lambda row: row[:2])
    for key, rows in groupby(both, key=lambda row: row[0]):
        items: tuple[list[A], list[B]] = ([], [])
        for _, of_b, item in rows:
            items[of_b].append(item)
        yield key, *items


class WrittenMatching:
    """Pairs of a source's samples with what a conversion made of them.

    A target may list a sample under another name than the one that it was written for, so files
    decide: what it reads from an entry's file is that entry's sample. Where files tell nothing, as
    where one file holds all labels and images were not placed, the name does.

    Attributes
    ----------
    only_a
        Samples that were written and that the target does not list.
    """

    def __init__(
        self, jobs: Iterable[Job], entries: Iterable[Entry], target: Iterable[SampleRef], root: Path
    ) -> None:
        """Match; `jobs` and `entries` come by split and key, `root` is the target's folder."""
        self._sources: Sorted[SampleRef] = Sorted(None)
        self._found: Sorted[SampleRef] = Sorted(None)
        written: Sorted[Key] = Sorted(None)
        listed = (((job.split, job.ref.key), job.ref) for job in jobs)
        made = (((entry.split, entry.key), entry) for entry in entries)
        for place, refs, here in joined(listed, made, 2):
            if refs and here:
                self._sources.add(place, refs[0])
                for name in here[0].files:
                    written.add((nfc(name),), place)
        read: Sorted[SampleRef] = Sorted(None)
        for ref in target:
            self._found.add((ref.split, ref.key, "by name"), ref)
            for path in _paths((ref.image, ref.source)):
                if path.is_relative_to(root):
                    read.add((nfc(path.relative_to(root).as_posix()),), ref)
        for _, places, refs in joined(written, read, 1):
            if len(places) == len(refs) == 1:
                self._found.add((*places[0], "by file"), refs[0])
        written.close()
        read.close()
        self.only_a = Unmatched()
        for _, sources, found in joined(self._sources, self._found, 2):
            if sources and not found:
                self.only_a.add(sources[0])

    def __len__(self) -> int:
        return len(self._sources) - self.only_a.count

    def __iter__(self) -> Iterator[Pair]:
        for _, sources, found in joined(self._sources, self._found, 2):
            if sources and found:
                yield Pair(sources[0], found[0])  # "by file" comes before "by name"

    def close(self) -> None:
        """Let go of what is on disk."""
        self._sources.close()
        self._found.close()


def _paths(value: object) -> Iterator[Path]:
    """Yield the paths in a reader's own source, whatever it is."""
    if isinstance(value, Path):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from _paths(part)
    elif is_dataclass(value):
        for part in fields(value):
            yield from _paths(getattr(value, part.name))
