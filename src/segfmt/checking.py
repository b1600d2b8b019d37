"""What is wrong with a dataset: files, labels, polygons, masks, names, duplicates."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from segfmt import __version__
from segfmt.classes import ClassTable
from segfmt.dataset import Dataset, open_dataset
from segfmt.diagnosis import of_error, of_table
from segfmt.duplicates import Groups, Images
from segfmt.errors import FormatError, UsageError
from segfmt.files import readable
from segfmt.findings import Collector, Findings, Group, check_findings_file, write_findings
from segfmt.format import Map
from segfmt.keeplist import write_keep_list
from segfmt.listcheck import ListCheck, doubles
from segfmt.listing import Listing
from segfmt.model import SampleRef
from segfmt.reading import executor_map, remarks
from segfmt.report import Report
from segfmt.rules import RULES, chosen_rules
from segfmt.samplecheck import Listed, SampleChecker
from segfmt.sources import Given, as_source, sources_of
from segfmt.warmup import compile_missing

NEAR = 4  # bits of 64: a frame that has moved by a hundredth of its width, another JPEG quality
MOST_NEAR = 10  # beyond that, parts of a hash are too short to look images up by
TINY = 4.0
DUPLICATES = frozenset({"SF601", "SF602", "SF603"})
DECODED = DUPLICATES | {"SF108", "SF109"}


def check(
    src: Given | Sequence[Given],
    *,
    source: str = "auto",
    reader_options: Mapping[str, Any] | None = None,
    table: str | None = None,
    unknown_label: str | None = None,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    near: int = NEAR,
    tiny: float = TINY,
    findings: str | os.PathLike[str] | None = None,
    keep_list: str | os.PathLike[str] | None = None,
    executor: str = "threads",
    executor_options: Mapping[str, Any] | None = None,
    workers: int | None = None,
    limit: int | None = None,
    progress: Callable[[Report, int], None] | None = None,
) -> Findings:
    """Look for what is wrong with a dataset, through the reader that converts it.

    Parameters
    ----------
    src, source, reader_options, table, unknown_label
        As for `segfmt.convert`.
    select, ignore
        Codes of rules, or what they begin with: `SF3`, `SF501`. The longer prefix counts.
    near
        How many of the 64 bits of their hashes may differ in images that are nearly the same.
    tiny
        The area in pixels under which a polygon is told of.
    findings
        Where to save every finding, as CSV or JSON lines, which the suffix says.
    keep_list
        Where to save the samples to keep, for `convert --keep-list`: whose image is not nearly
        that of a sample before them that is kept.
    executor, executor_options, workers, progress
        As for `segfmt.convert`.
    limit
        Look at the first so many samples only, by split and key. Images without a label are not
        looked for then.

    Raises
    ------
    SegfmtError
        If the dataset cannot be opened, or an option is none. A file of it that is broken, whatever
        it is, is a finding.
    """
    started = time.monotonic()
    codes = chosen_rules(select, ignore)
    if not 0 <= near <= MOST_NEAR:
        raise UsageError(f"--near {near}: give 0 to {MOST_NEAR} bits")
    if findings is not None:
        check_findings_file(Path(findings))
    given = {"table": table, "unknown_label": unknown_label}
    options = {name: value for name, value in given.items() if value is not None}
    root = as_source(src)
    dataset = open_dataset(src, source, **{**(reader_options or {}), **options})
    run = executor_map(executor, executor_options, workers)
    compared = near if keep_list is not None or DUPLICATES & codes else None
    with closing(Collector(codes, keep_all=findings is not None)) as collector:
        checking = _Checking(root, dataset, codes, collector, tiny, compared, progress)
        checking.run(run, limit, None if keep_list is None else Path(keep_list))
        if findings is not None:
            write_findings(Path(findings), collector.all())
        return checking.result(time.monotonic() - started)


@dataclass
class _Checking:
    """One check of a dataset; `near` is None where nobody asks for duplicates."""

    root: Path
    dataset: Dataset
    codes: frozenset[str]
    collector: Collector
    tiny: float
    near: int | None
    progress: Callable[[Report, int], None] | None
    groups: tuple[Group, ...] = ()
    duplicates: int = 0
    images: int = 0
    report: Report = field(init=False)

    def __post_init__(self) -> None:
        name = self.dataset.format.name
        source = ", ".join(map(str, sources_of(self.root)))
        self.report = Report(readable(source), name, "", "", __version__)

    def run(self, run: Map, limit: int | None, keep_list: Path | None) -> None:
        """Look at everything, and write the keep-list."""
        try:
            classes = self.dataset.classes
            jobs = Listing(self.dataset.refs(), None, limit, None)
        except FormatError as error:
            # What no sample can be read without: a list, a class table, one file of all labels.
            none = SampleRef("", "", None, self.root)
            self.collector.add(0, of_error(error, none, ClassTable([]), self.root))
            return
        with closing(jobs):
            if not jobs.total:
                name = self.dataset.format.name
                raise UsageError(f"{self.report.source} has nothing in it that {name} can read")
            self.report.total = jobs.total
            self.collector.add(len(jobs), of_table(classes))
            self.collector.add(len(jobs), doubles(jobs, self.root))
            with closing(Images(len(jobs))) as images:
                listed = self._check_samples(run, jobs, images)
                for place, finding in listed.names_in_other_case(jobs):
                    self.collector.add(place, [finding])
                if limit is None and "SF101" in self.codes:
                    self.collector.add(len(jobs), listed.images_without_label(self.root))
                self.images = len(images)
                if self.near is not None:
                    self._compare(jobs, images.grouped(self.near, listed.splits), keep_list)

    def _check_samples(self, run: Map, jobs: Listing, images: Images) -> ListCheck:
        """Check each sample by itself, and take in how its image looks."""
        listed = ListCheck()

        def all_listed() -> Iterator[Listed]:
            for place, job in enumerate(jobs):
                listed.saw(job.ref)
                yield Listed(place, job.ref)

        decode = self.near is not None or bool(DECODED & self.codes)
        checker = SampleChecker(
            self.dataset.reader, self.dataset.classes, self.root, decode, self.tiny
        )
        compile_missing()
        self._tell(len(jobs))
        for place, findings, look in run(checker, all_listed()):
            self.collector.add(place, findings)
            if look is not None:
                images.add(place, look)
            bad = any(RULES[found.code].severity == "error" for found in findings)
            self.report.done += not bad
            self.report.failed += bad
            self._tell(len(jobs))
        return listed

    def _compare(self, jobs: Listing, groups: Groups, keep_list: Path | None) -> None:
        for place, finding in groups.findings(jobs):
            self.collector.add(place, [finding])
        self.groups, self.duplicates = groups.largest(jobs), len(groups)
        if keep_list is not None:
            firsts = (job.ref for place, job in enumerate(jobs) if groups.is_first(place))
            write_keep_list(keep_list, firsts)

    def _tell(self, total: int) -> None:
        if self.progress:
            self.progress(self.report, total)

    def result(self, seconds: float) -> Findings:
        """Return what was found."""
        report = self.report
        return Findings(
            report.source,
            report.source_format,
            report.version,
            report.total,
            report.done + report.failed,
            self.images,
            self.collector.tallies(),
            self.groups,
            self.duplicates,
            list(remarks(self.dataset.reader)) if report.total else [],
            round(seconds, 3),
        )
