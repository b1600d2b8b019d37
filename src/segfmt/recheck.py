"""Whether what a conversion wrote reads back as what its source holds."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import closing

from segfmt.common import classes_through
from segfmt.comparing import PairTally, Progress, new_report, pair_comparer, run_comparison
from segfmt.comparison import Comparison, comparison_of
from segfmt.dataset import Dataset
from segfmt.format import Entry, Map
from segfmt.matching import Unmatched, WrittenMatching
from segfmt.model import FillRule, Rounding
from segfmt.places import as_place
from segfmt.remap import ClassMap
from segfmt.worker import Job


def compare_written(
    source: Dataset,
    src: str | os.PathLike[str],
    jobs: Iterable[Job],
    to_target: ClassMap,
    target: Dataset,
    dst: str | os.PathLike[str],
    entries: Iterable[Entry],
    run: Map,
    *,
    fill_rule: FillRule | None = None,
    rounding: Rounding | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Read what was written, and compare it with the source under the map that it was written by.

    Parameters
    ----------
    source, src, jobs, to_target, fill_rule, rounding
        What was converted: the dataset, its folder, its samples by split and key, what their
        classes became, and what their polygons were painted by instead of the reader's rule.
    target, dst, entries
        What was written: the dataset as it reads now, its folder, and what the writer said of it,
        by split and key. Samples that were cut into tiles or resized cannot be found again.
    run, progress
        As for `compare`.

    Raises
    ------
    UsageError
        If a class that was written is not among the target's now.
    """
    started = time.monotonic()
    becomes = {
        info.id: to_target.table.by_id(int(to_target.lut[info.id])) for info in to_target.source
    }
    common = classes_through(source.classes, becomes, target.classes)
    comparer = pair_comparer(source, target, common, fill_rule, rounding)
    report = new_report(src, source, dst, target)
    tally = PairTally(comparer.scorer, 0.0, None)
    with closing(WrittenMatching(jobs, entries, target.refs(), as_place(dst))) as pairs:
        run_comparison(run, comparer, pairs, len(pairs), report, tally, progress)
    report.settle(time.monotonic() - started)
    return comparison_of(report, tally, "files", pairs.only_a, Unmatched())
