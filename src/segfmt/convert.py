"""The conversion itself: plan, list, map, reduce."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segfmt import __version__
from segfmt.classmap import Rest
from segfmt.dataset import open_dataset
from segfmt.errors import ExecutorError, UsageError
from segfmt.files import STATE_FOLDER, readable, recording, sweep, written
from segfmt.journal import Journal
from segfmt.keeplist import read_keep_list
from segfmt.listing import Listing
from segfmt.losses import losses_of_samples, refuse
from segfmt.model import FillRule, Rounding
from segfmt.places import as_place
from segfmt.plan import Plan, Request, make_plan
from segfmt.recipe import save_recipe
from segfmt.remap import IgnoreTo
from segfmt.report import Failed, Failure, Report
from segfmt.sources import Given, as_source, sources_of
from segfmt.target import REPORT_FILE, check_folders, fetch_state, publish_state, state_root
from segfmt.warmup import compile_missing
from segfmt.worker import Job, MissingImage

Progress = Callable[[Report, int], None]


def convert(
    src: Given | Sequence[Given],
    dst: str | os.PathLike[str],
    *,
    source: str = "auto",
    target: str,
    reader_options: Mapping[str, Any] | None = None,
    writer_options: Mapping[str, Any] | None = None,
    classes: str | Mapping[str, int] | None = None,
    map: str | Path | Mapping[str, str] | None = None,
    rest: Rest | None = None,
    ignore_to: IgnoreTo | None = None,
    table: str | None = None,
    unknown_label: str | None = None,
    only_with: str | None = None,
    min_pixels: int = 1,
    split: str | None = None,
    keep_list: str | os.PathLike[str] | None = None,
    missing_image: MissingImage = "skip",
    images: str | None = None,
    resize: str | tuple[int, int] | None = None,
    tile: str | tuple[int, int] | None = None,
    overlap: int = 0,
    fill_rule: FillRule | None = None,
    rounding: Rounding | None = None,
    executor: str = "threads",
    executor_options: Mapping[str, Any] | None = None,
    workers: int | None = None,
    limit: int | None = None,
    dry_run: bool = False,
    fail_fast: bool = False,
    strict: bool = False,
    resume: bool = False,
    overwrite: bool = False,
    report: str | os.PathLike[str] | None = None,
    html: str | os.PathLike[str] | None = None,
    save: str | os.PathLike[str] | None = None,
    verify: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Convert the dataset in `src` to another format in `dst`.

    Parameters
    ----------
    src, dst
        Folders, or URLs such as `s3://bucket/data`; `src` may be a .zip archive, or a list of
        archives and folders. `dst` must be empty or not there, unless `overwrite`, which removes
        what the run before wrote there, and nothing else, or `resume`, which goes on with that run.
    source, target
        Names of formats; `auto` finds out what `src` is.
    reader_options, writer_options, executor_options
        What `-i`, `-o` and `-x` give: see `segfmt formats NAME`.
    classes, map, rest
        Which classes stay or what each becomes: see `segfmt.classmap.mapped_classes`.
    ignore_to
        `background` if ignore may become that in a target that cannot hold it apart.
    table, unknown_label, images
        The reader's two options and the writer's option of that name.
    only_with, min_pixels
        Leave out samples that have not so many pixels of any of these classes, `person,rider`.
    split
        Deal samples out anew: `last=30`, `every=10` or shares, `val=0.1,test=0.1`.
    keep_list
        A file that names the samples to convert, `split/key` a line, as `segfmt.check` writes it.
    missing_image
        What becomes of a label without an image: `skip` it, make it an `error`, or `keep` the
        label.
    resize, tile, overlap
        Sizes as `WIDTHxHEIGHT` or (width, height): images by Lanczos, masks by nearest neighbor;
        tiles at the right and at the bottom are moved in until they are whole.
    fill_rule, rounding
        Instead of what the reader says about its annotations.
    executor, workers
        How samples run side by side, and how many at once; as many as cores unless told.
    limit
        Convert only the first so many samples, by split and key.
    dry_run
        Plan and list, but write nothing.
    fail_fast
        Stop at the first sample that fails.
    strict
        Refuse to lose anything that the target cannot hold.
    resume
        Do what an interrupted run into `dst` has not done yet, and again what failed in it. It must
        have been asked for the same, of the same source. A finished run is left as it is.
    report
        Where to save the report as JSON, besides `dst/.segfmt/report.json`.
    html
        Where to save a page of what came of it, with pictures, which opens in any browser.
    save
        Where to save all this as a recipe, with every default, for `segfmt run`.
    verify
        Read what was written, afterwards, and compare it with the source, pixel by pixel.
    progress
        Called with the report so far and the number of samples after listing and after each
        sample.

    Raises
    ------
    SegfmtError
        For what is wrong with the plan; a sample that is bad is counted in the report instead.
    """
    given = dict(locals())
    for name in ("resume", "overwrite", "save", "progress"):
        del given[name]
    request = Request(**{**given, "src": as_source(src), "dst": as_place(dst)})
    started = time.monotonic()
    if html is not None:
        from segfmt.htmlreport import check_html

        check_html(html)
    check_folders(request.src, request.dst, overwrite=overwrite, resume=resume)
    plan = make_plan(request)
    if save is not None:
        save_recipe(plan, Path(save))
    tally = _new_report(plan)
    if dry_run:
        with closing(_listed(plan, tally, None)) as jobs:
            if progress:
                progress(tally, len(jobs))
            tally.count_only(jobs.splits.elements())
    else:
        if resume or overwrite:
            fetch_state(request.dst)
        with (
            closing(_listed(plan, tally, state_root(request.dst))) as jobs,
            Journal(request.dst) as journal,
        ):
            run = _Run(plan, jobs, journal, tally, progress)
            run.convert(resume=resume)
            if verify:
                run.verify()
    tally.settle(time.monotonic() - started)
    if not dry_run:
        tally.save(state_root(request.dst) / STATE_FOLDER / REPORT_FILE)
        publish_state(request.dst)
    if report is not None:
        tally.save(Path(report))
    if html is not None:
        from segfmt.htmlreport import conversion_html

        conversion_html(
            html,
            tally,
            plan.dataset,
            request.dst,
            reader_options=plan.reading_options,
            executor=executor,
            executor_options=executor_options,
            workers=workers,
        )
    return tally


def _new_report(plan: Plan) -> Report:
    request = plan.request
    tally = Report(
        readable(", ".join(map(str, sources_of(request.src)))),
        plan.dataset.format.name,
        readable(str(request.dst)),
        plan.target.name,
        __version__,
    )
    tally.warnings += plan.remarks
    return tally


def _listed(plan: Plan, tally: Report, out: Path | None) -> Listing:
    """List the source, and tell what of it cannot be converted or would be lost."""
    request = plan.request
    refs = plan.dataset.refs()
    if request.keep_list is not None:
        refs = read_keep_list(Path(request.keep_list)).kept(refs)
    jobs = Listing(refs, plan.split, request.limit, out)
    try:
        if not jobs.total:
            name = plan.dataset.format.name
            raise UsageError(f"{request.src} has nothing in it that {name} can read")
        tally.total = jobs.total
        if plan.split and "train" not in jobs.splits:
            tally.warnings.append(f"--split leaves none of the {len(jobs)} samples for train")
        for job, first in jobs.doubles:
            source = job.ref.source
            error = f"{source}: has the same name as {first}, which is the one that was used"
            tally.add(Failed(job.ref, error))
        for job, first in jobs.alike[:1]:
            tally.warnings.append(
                f"{len(jobs.alike)} names differ from another in case alone, such as "
                f"{readable(job.ref.key)} and {readable(first.ref.key)}: on Windows and macOS they "
                "are one file"
            )
        suffixes = jobs.suffixes if plan.images_placed else {}
        tally.losses = plan.losses + losses_of_samples(plan.target, jobs.splits, suffixes)
        if request.strict:
            refuse(tally.losses, plan.dataset.format, plan.target)
    except BaseException:
        jobs.close()
        raise
    return jobs


@dataclass(frozen=True)
class _Run:
    """One run of a plan that writes."""

    plan: Plan
    jobs: Listing
    journal: Journal
    tally: Report
    progress: Progress | None

    def convert(self, *, resume: bool) -> None:
        """Convert what is not converted yet, and count it all."""
        journal, out = self.journal, self.plan.request.dst
        fingerprint = {**self.plan.fingerprint, "samples of the source": self.jobs.digest}
        before = journal.state if resume else "none"
        if before == "none":
            journal.clear()
        else:
            _check_same(journal.fingerprint, fingerprint)
            again = journal.forget_failed()
            for outcome in journal.outcomes():
                self.tally.add(outcome)
        self._tell()
        if before == "finished" and not again:
            self.tally.warnings.append("this run was finished before: nothing was left to do")
            return
        sweep(out)
        journal.begin(fingerprint)
        compile_missing()
        left = self._map(resumed=before != "none")
        with recording() as lists:
            self.plan.writer.finish(journal.entries())
        shutil.rmtree(state_root(out) / STATE_FOLDER / "edited", ignore_errors=True)
        if left:
            self.tally.warnings.append(
                f"stopped at a failure: {left} samples were not looked at. --resume goes on"
            )
        else:
            names = sorted(path.relative_to(out).as_posix() for path, _ in lists.values())
            journal.finish([written(out, name, lists) for name in names])
        if not self.tally.done:
            self.tally.warnings.append("nothing was converted")

    def verify(self) -> None:
        """Read what was written, and count what differs from the source."""
        from segfmt.recheck import compare_written

        plan, journal, request = self.plan, self.journal, self.plan.request
        done = (job for job in self.jobs if journal.wrote(job.split, job.ref.key))
        target = open_dataset(request.dst, plan.target.name, **plan.reading_options)
        found = compare_written(
            plan.dataset,
            request.src,
            done,
            plan.class_map,
            target,
            request.dst,
            journal.entries(),
            plan.run,
            fill_rule=request.fill_rule,
            rounding=request.rounding,
        )
        self.tally.verified = found.identical
        self.tally.differing = [
            Failure(one.split, one.key, f"{one.scores.differing} pixels differ from the source")
            for one in found.worst
        ] + found.failures
        missing = found.only_a.count
        if missing:
            self.tally.warnings.append(f"{missing} samples that were written are not read back")

    def _map(self, *, resumed: bool) -> int:
        """Convert samples; return how many are left."""
        fail_fast = self.plan.request.fail_fast
        left = len(self.jobs)
        stopped = fail_fast and self.tally.failed > 0

        def until_stopped() -> Iterator[Job]:
            nonlocal left
            # Ending the input lets samples in flight end too, and be counted.
            for job in self.jobs:
                if stopped:
                    return
                if resumed and self.journal.has(job.split, job.ref.key):
                    left -= 1
                else:
                    yield job

        for split, key, outcomes in self.plan.run(self.plan.worker, until_stopped()):
            self.journal.record(split, key, outcomes)
            for outcome in outcomes:
                self.tally.add(outcome)
                if isinstance(outcome, Failed) and outcome.ends_run:
                    raise ExecutorError(
                        f"{outcome.error}. The run was stopped; what is finished stands, and "
                        "--resume goes on with the rest"
                    )
            left -= 1
            stopped = fail_fast and self.tally.failed > 0
            self._tell()
        return left

    def _tell(self) -> None:
        if self.progress:
            self.progress(self.tally, len(self.jobs))


def _check_same(before: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Raise `UsageError` that shows what differs between two runs' fingerprints."""
    lines = [
        f"  {name}: was {before.get(name, 'not there')}, is {now.get(name, 'not there')}"
        for name in {**before, **now}
        if before.get(name) != now.get(name)
    ]
    if lines:
        raise UsageError(
            "\n".join(
                [
                    "--resume: the run before was asked for something else.",
                    *lines,
                    "Give the same again, or --overwrite to begin anew",
                ]
            )
        )
