"""Whether two datasets are the same, and if not, where: pixel by pixel, class by class."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import msgspec

from segfmt.agreement import ClassAgreement, Scores
from segfmt.classmap import Rest
from segfmt.common import common_classes
from segfmt.comparing import (
    PairTally,
    Progress,
    SampleAgreement,
    new_report,
    pair_comparer,
    run_comparison,
    write_samples,
)
from segfmt.dataset import open_dataset
from segfmt.differences import save_differences
from segfmt.errors import UsageError
from segfmt.listing import Sorted
from segfmt.matching import Matching, Unmatched
from segfmt.model import FillRule, Rounding
from segfmt.pictures import check_picture
from segfmt.reading import executor_map
from segfmt.report import Failure, Report, Tally

MatchedBy = Literal["split and key", "key", "files"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What `compare` found; JSON-able.

    Attributes
    ----------
    same
        Whether each sample of either side has one of the other's that differs on a share of
        `tolerance` of its pixels at most.
    matched_by
        What tells which sample is which.
    compared, identical, beyond
        Samples that were compared, that do not differ, and that differ beyond the tolerance.
    scores, classes, confusion
        Over the pixels of all samples together. Rows of the confusion are classes of A, columns of
        B, in the order of `classes`.
    ignore_in_b
        Whether B can tell ignore; if not, what A ignores does not count as differing.
    only_a, only_b
        Samples that the other side has not.
    worst
        The first 1,000 that differ, by the share of pixels that do.
    """

    a: str
    format_a: str
    b: str
    format_b: str
    version: str
    same: bool
    tolerance: float
    matched_by: MatchedBy
    compared: int
    identical: int
    beyond: int
    scores: Scores
    classes: tuple[ClassAgreement, ...]
    confusion: list[list[int]]
    ignore_in_b: bool
    only_a: Unmatched
    only_b: Unmatched
    worst: tuple[SampleAgreement, ...]
    fill_rules: dict[str, int]
    notes: dict[str, Tally]
    warnings: list[str]
    failures: list[Failure]
    seconds: float

    def to_json(self) -> bytes:
        """Return it as indented UTF-8 JSON."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"


def compare(
    a: str | os.PathLike[str],
    b: str | os.PathLike[str],
    *,
    from_a: str = "auto",
    from_b: str = "auto",
    options_a: Mapping[str, Any] | None = None,
    options_b: Mapping[str, Any] | None = None,
    classes: str | Mapping[str, int] | None = None,
    map: str | Path | Mapping[str, str] | None = None,
    rest: Rest | None = None,
    only_split: str | None = None,
    fill_rule: FillRule | None = None,
    rounding: Rounding | None = None,
    tolerance: float | str = 0.0,
    out: str | os.PathLike[str] | None = None,
    samples: str | os.PathLike[str] | None = None,
    executor: str = "threads",
    executor_options: Mapping[str, Any] | None = None,
    workers: int | None = None,
    limit: int | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Compare two datasets, whatever their formats: every pixel's class, by name.

    Objects and images are not compared. Samples are the same that have the same split and key; the
    key alone decides where one side has but one split and the other has others.

    Parameters
    ----------
    a, b
        Folders. Where it matters, A is the truth: what it ignores is left out of accuracy and IoU.
    from_a, from_b, options_a, options_b
        Their formats, and what `-a` and `-b` give: see `segfmt formats NAME`.
    classes
        Compare only these, `person,car`; the rest of both sides is background. Names of one id,
        `car=1,bus=1`, are one class.
    map, rest
        What A's classes become before they are looked for in B: as for `segfmt.convert`.
    only_split
        Compare only this split of A.
    fill_rule, rounding
        Paint A's polygons by these, instead of what the reader says.
    tolerance
        The share of a sample's pixels that may differ: 0.001, or `0.1%`.
    out
        Where to save a picture of the worst samples: A, B, and where they differ.
    samples
        Where to save a line a sample as CSV.
    executor, executor_options, workers, progress
        As for `segfmt.convert`.
    limit
        Compare the first so many samples only, by key.

    Raises
    ------
    SegfmtError
        If it cannot begin: a dataset cannot be opened, or classes of A have none in B, or no sample
        has. A sample that is bad, or of another size in B, is one of the `failures`.
    """
    started = time.monotonic()
    allowed = parse_tolerance(tolerance)
    if out is not None:
        check_picture(Path(out))
    first = open_dataset(a, from_a, **(options_a or {}))
    second = open_dataset(b, from_b, **(options_b or {}))
    common = common_classes(first.classes, second.classes, classes, map, rest)
    comparer = pair_comparer(first, second, common, fill_rule, rounding)
    run = executor_map(executor, executor_options, workers)
    report = new_report(a, first, b, second)
    with (
        closing(Matching(first.refs(), second.refs(), only_split)) as pairs,
        closing(Sorted[SampleAgreement](None)) as rows,
    ):
        _check_matched(pairs, a, b)
        for failed in pairs.failures:
            report.add(failed)
        tally = PairTally(comparer.scorer, allowed, None if samples is None else rows)
        count = min(len(pairs), limit or len(pairs))
        run_comparison(run, comparer, islice(pairs, count), count, report, tally, progress)
        if samples is not None:
            names = (info.name for info in common.table)
            write_samples(Path(samples), (sample for _, sample in rows), names)
    if out is not None:
        save_differences(Path(out), comparer, tally.worst())
    report.settle(time.monotonic() - started)
    by: MatchedBy = "key" if pairs.by_key else "split and key"
    return comparison_of(report, tally, by, pairs.only_a, pairs.only_b)


def parse_tolerance(tolerance: float | str) -> float:
    """Return a share, given as 0.001 or `0.1%`; `UsageError` for what is none.

    >>> parse_tolerance("0.1%"), parse_tolerance("0.5")
    (0.001, 0.5)
    """
    text = str(tolerance).strip()
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise UsageError(
            f"--tolerance {tolerance}: give the share of a sample's pixels that may differ, such "
            "as 0.001 or 0.1%"
        )
    return share


def comparison_of(
    report: Report, tally: PairTally, by: MatchedBy, only_a: Unmatched, only_b: Unmatched
) -> Comparison:
    """Return what a run has found."""
    scorer = tally.scorer
    apart = report.failed + only_a.count + only_b.count + tally.beyond
    return Comparison(
        report.source,
        report.source_format,
        report.target,
        report.target_format,
        report.version,
        tally.compared > 0 and not apart,
        tally.tolerance,
        by,
        tally.compared,
        tally.identical,
        tally.beyond,
        scorer.scores(tally.confusion),
        scorer.classes(tally.confusion),
        tally.confusion.tolist(),
        scorer.ignore_in_b,
        only_a,
        only_b,
        tuple(sample for sample, _ in tally.worst()),
        dict(sorted(tally.fill_rules.items())),
        report.notes,
        report.warnings,
        report.failures,
        report.seconds,
    )


def _check_matched(pairs: Matching, a: str | os.PathLike[str], b: str | os.PathLike[str]) -> None:
    if len(pairs):
        return
    sides = []
    for root, only in ((a, pairs.only_a), (b, pairs.only_b)):
        shown = ", ".join(only.samples[:3]) or "nothing"
        sides.append(f"{os.fspath(root)} has {shown}{', ...' if only.count > 3 else ''}")
    raise UsageError(f"no sample of one is in the other: {'; '.join(sides)}")
