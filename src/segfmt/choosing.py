"""Which samples are looked at: some all over the list, named ones, those of a class, the worst."""

from __future__ import annotations

import random
from contextlib import closing
from dataclasses import dataclass
from hashlib import blake2b
from heapq import nsmallest
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from segfmt.counting import Look, SampleCounter, SampleCounts
from segfmt.errors import UsageError, did_you_mean
from segfmt.files import nfc
from segfmt.listing import Listing
from segfmt.warmup import compile_missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from segfmt.adapt import Adapter
    from segfmt.classes import ClassInfo
    from segfmt.dataset import Dataset
    from segfmt.format import Map
    from segfmt.model import SampleRef
    from segfmt.report import Failed

    Progress = Callable[[int, int], None]

T = TypeVar("T")
MENDED = 10_000  # keys that a misspelt one is compared with


class _Ranked(NamedTuple):
    rank: float
    split: str
    key: str
    ref: SampleRef


@dataclass(frozen=True)
class Choice:
    """What `--count`, `--key`, `--with-class`, `--worst` and `--seed` ask for."""

    count: int
    keys: tuple[str, ...] = ()
    with_classes: tuple[str, ...] = ()
    worst: bool = False
    seed: int | None = None

    def __post_init__(self) -> None:
        if self.count < 1:
            raise UsageError(f"--count {self.count}: there must be one at least")
        if self.keys and (self.with_classes or self.worst or self.seed is not None):
            raise UsageError("--key names the samples: leave --with-class, --worst, --seed out")
        if self.worst and self.seed is not None:
            raise UsageError("--worst and --seed are two ways to choose: give one")

    def of(
        self, dataset: Dataset, painter: Adapter, run: Map, progress: Progress | None = None
    ) -> list[SampleRef]:
        """Return the samples.

        Without any other word: evenly spread over the list by split and key, or drawn by `seed`.
        `with_classes` and `worst` read every label: the samples with the largest share of any of
        these classes, or drawn by `seed` among those that have one; and those that fail, then those
        with the largest share of pixels that belong to no class, be it background, ignore, or in
        no polygon. Raises `UsageError` for a key or class that is not there, or if nothing is left.
        """
        if self.keys:
            return _named(self.keys, dataset.refs())
        with closing(Listing(dataset.refs(), None, None, None)) as jobs:
            if not len(jobs):
                raise UsageError(f"there is nothing in it that {dataset.format.name} can read")
            if not (self.with_classes or self.worst):
                places = self._places(len(jobs))
                return [job.ref for place, job in enumerate(jobs) if place in places]
            rank = _Ranking(self, dataset)
            compile_missing()
            counter = SampleCounter(dataset.reader, dataset.classes, painter)
            looks = (Look(job.ref, False) for job in jobs)
            results = run(counter, looks)
            best = nsmallest(self.count, rank(_told(results, len(jobs), progress)))
        if not best:
            raise UsageError(f"no sample has {' or '.join(self.with_classes)}")
        return [ranked.ref for ranked in best]

    def _places(self, total: int) -> set[int]:
        count = min(self.count, total)
        if self.seed is not None:
            return set(random.Random(self.seed).sample(range(total), count))  # noqa: S311
        return {round(n * (total - 1) / max(count - 1, 1)) for n in range(count)}


class _Ranking:
    """Ranks samples: the least is wanted most."""

    def __init__(self, choice: Choice, dataset: Dataset) -> None:
        self._choice = choice
        listed = list(dataset.classes)
        wanted = {_class_named(name, dataset).id for name in choice.with_classes}
        self._wanted = [place for place, info in enumerate(listed) if info.id in wanted]
        self._labeled = [place for place, info in enumerate(listed) if info.role == "class"]

    def __call__(self, results: Iterable[SampleCounts | Failed]) -> Iterator[_Ranked]:
        for result in results:
            rank = self._rank(result)
            if rank is not None:
                yield _Ranked(rank, result.ref.split, result.ref.key, result.ref)

    def _rank(self, result: SampleCounts | Failed) -> float | None:
        if not isinstance(result, SampleCounts):
            return -1 if self._choice.worst and not self._wanted else None
        pixels = max(int(result.pixels.sum()) + result.unlabeled, 1)
        having = int(result.pixels[self._wanted].sum())
        if self._wanted and not having:
            return None
        if self._choice.worst:
            return int(result.pixels[self._labeled].sum()) / pixels
        if self._choice.seed is not None:
            name = f"{self._choice.seed}/{result.ref.split}/{result.ref.key}"
            return float(int.from_bytes(blake2b(nfc(name).encode(errors="replace")).digest()[:6]))
        return -having / pixels


def _class_named(name: str, dataset: Dataset) -> ClassInfo:
    info = dataset.classes.get(name)
    if info is None:
        hint = did_you_mean(name, (info.name for info in dataset.classes))
        raise UsageError(f'--with-class "{name}": there is no such class. {hint}'.rstrip())
    return info


def _named(keys: tuple[str, ...], refs: Iterable[SampleRef]) -> list[SampleRef]:
    """Return the samples of these keys, `key` or `split/key`, in their order."""
    wanted = {nfc(key): place for place, key in enumerate(keys)}
    found: dict[int, list[SampleRef]] = {}
    others: list[str] = []
    for ref in refs:
        names = (nfc(ref.key), nfc(f"{ref.split}/{ref.key}"))
        place = next((wanted[name] for name in names if name in wanted), None)
        if place is not None:
            found.setdefault(place, []).append(ref)
        elif len(others) < MENDED:
            others.append(ref.key)
    for key, place in wanted.items():
        if place not in found:
            hint = did_you_mean(key, others)
            raise UsageError(f"--key {key}: there is no such sample. {hint}".rstrip())
    return [ref for place in sorted(found) for ref in found[place]]


def _told(results: Iterable[T], total: int, progress: Progress | None) -> Iterator[T]:
    for done, result in enumerate(results, 1):
        if progress:
            progress(done, total)
        yield result
