"""Comparing pairs of samples: the work that is handed out, and the tally of what comes back."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from segfmt import __version__
from segfmt.agreement import Scorer, Scores
from segfmt.errors import FormatError
from segfmt.files import readable, replacing
from segfmt.format import Entry
from segfmt.listing import Sorted
from segfmt.reading import MaskReader, painter, remarks
from segfmt.report import Done, Failed, Report
from segfmt.warmup import compile_missing

if TYPE_CHECKING:
    from pathlib import Path

    from segfmt.agreement import Confusion
    from segfmt.common import CommonClasses
    from segfmt.dataset import Dataset
    from segfmt.format import Map
    from segfmt.matching import Pair
    from segfmt.model import FillRule, Note, Rounding

Progress = Callable[[Report, int], None]
WORST = 1000  # samples that are kept


@dataclass(frozen=True, slots=True)
class SampleAgreement:
    """How well one sample agrees, as A names it; `name_in_b` is `split/key` where that differs.

    `iou` is by name, of the classes that are in either mask.
    """

    split: str
    key: str
    name_in_b: str
    scores: Scores
    iou: dict[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """A pair that was compared: `confusion` is int64 (classes, classes), rows A, columns B."""

    pair: Pair
    confusion: Confusion
    notes: tuple[Note, ...]
    fill_rules: tuple[str, ...]


@dataclass(frozen=True)
class PairComparer:
    """Compares pairs of samples: both are read as masks of the scorer's classes."""

    a: MaskReader
    b: MaskReader
    scorer: Scorer

    def __call__(self, pair: Pair) -> Compared | Failed:
        """Compare one pair. Whatever goes wrong with it becomes its outcome."""
        try:
            return self._compared(pair)
        except Exception as error:  # noqa: BLE001 - a bad sample must not end the run
            return Failed.of(pair.a, error)

    def _compared(self, pair: Pair) -> Compared:
        from segfmt.kernels.count import count_pairs

        ids_a, notes_a, rule_a = self.a.read(pair.a)
        ids_b, notes_b, rule_b = self.b.read(pair.b)
        if ids_a.shape != ids_b.shape:
            (height, width), (rows, columns) = ids_a.shape, ids_b.shape
            raise FormatError(f"is {width} x {height}, but in B {columns} x {rows}")
        confusion = np.zeros((len(self.scorer.table),) * 2, np.int64)
        count_pairs(ids_a.reshape(-1), ids_b.reshape(-1), confusion)
        notes = [
            replace(note, code=f"{side}: {note.code}")
            for side, notes in (("A", notes_a), ("B", notes_b))
            for note in notes
        ]
        rules = [f"{side}: {rule}" for side, rule in (("A", rule_a), ("B", rule_b)) if rule]
        return Compared(pair, confusion, tuple(notes), tuple(rules))


@dataclass(slots=True)
class PairTally:
    """What the pairs so far come to; `rows` keeps a line of each, on disk if there are many."""

    scorer: Scorer
    tolerance: float
    rows: Sorted[SampleAgreement] | None
    confusion: Confusion = field(init=False)
    compared: int = 0
    identical: int = 0
    beyond: int = 0
    fill_rules: Counter[str] = field(default_factory=Counter)
    _worst: list[tuple[SampleAgreement, Pair]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.confusion = np.zeros((len(self.scorer.table),) * 2, np.int64)

    def add(self, compared: Compared) -> None:
        """Count one pair."""
        sample = self._scored(compared)
        self.confusion += compared.confusion
        self.compared += 1
        self.identical += sample.scores.differing == 0
        self.beyond += sample.scores.share > self.tolerance
        self.fill_rules.update(compared.fill_rules)
        if sample.scores.differing:
            self._worst.append((sample, compared.pair))
            if len(self._worst) == 2 * WORST:
                self._worst = self.worst()
        if self.rows is not None:
            self.rows.add((sample.split, sample.key), sample)

    def worst(self) -> list[tuple[SampleAgreement, Pair]]:
        """Return the samples that differ most, by share, and then by split and key."""

        def place(row: tuple[SampleAgreement, Pair]) -> tuple[float, str, str]:
            return -row[0].scores.share, row[0].split, row[0].key

        return sorted(self._worst, key=place)[:WORST]

    def _scored(self, compared: Compared) -> SampleAgreement:
        a, b = compared.pair
        ious = self.scorer.ious(compared.confusion)
        same_name = (a.split, a.key) == (b.split, b.key)
        return SampleAgreement(
            readable(a.split),
            readable(a.key),
            "" if same_name else readable(f"{b.split}/{b.key}"),
            self.scorer.scores(compared.confusion),
            {info.name: float(ious[info.id]) for info in self.scorer.table if ious[info.id] >= 0},
        )


def write_samples(path: Path, samples: Iterable[SampleAgreement], classes: Iterable[str]) -> None:
    """Write a line a sample as CSV: its figures, and the IoU of each class, if it has that.

    It begins with a byte-order mark, without which Excel does not read Korean.
    """
    names = list(classes)
    figures = ("pixels", "ignored", "differing", "accuracy", "miou")
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part, part.open("w", encoding="utf-8-sig", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(["split", "key", "name_in_b", *figures, *(f"iou {name}" for name in names)])
        for sample in samples:
            numbers = [getattr(sample.scores, figure) for figure in figures]
            ious = [sample.iou.get(name) for name in names]
            lines.writerow([sample.split, sample.key, sample.name_in_b, *numbers, *ious])


def pair_comparer(
    a: Dataset,
    b: Dataset,
    common: CommonClasses,
    fill_rule: FillRule | None,
    rounding: Rounding | None,
) -> PairComparer:
    """Return what compares pairs of the two under common classes; A's polygons by that rule."""
    return PairComparer(
        MaskReader(a.reader, common.a, painter(common.a.background, fill_rule, rounding)),
        MaskReader(b.reader, common.b, painter(common.b.background, None, None)),
        Scorer(common.table, b.classes.ignore is not None),
    )


def new_report(
    a: str | os.PathLike[str], first: Dataset, b: str | os.PathLike[str], second: Dataset
) -> Report:
    """Return the report of a comparison that is to come."""
    places = (readable(os.fspath(a)), first.format.name, readable(os.fspath(b)), second.format.name)
    report = Report(*places, __version__)
    for side, dataset in (("A", first), ("B", second)):
        report.warnings += [f"{side}: {remark}" for remark in remarks(dataset.reader)]
    return report


def run_comparison(
    run: Map,
    comparer: PairComparer,
    pairs: Iterable[Pair],
    count: int,
    report: Report,
    tally: PairTally,
    progress: Progress | None,
) -> None:
    """Compare so many pairs, and count what comes of them."""
    report.total = count
    if progress:
        progress(report, count)
    compile_missing()
    for result in run(comparer, pairs):
        if isinstance(result, Failed):
            report.add(result)
        else:
            tally.add(result)
            ref = result.pair.a
            report.add(Done(ref, Entry(ref.split, ref.key), result.notes))
        if progress:
            progress(report, count)
