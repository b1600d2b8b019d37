"""The conversion itself: plan, map, reduce."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from segfmt import __version__, plugins
from segfmt.adapt import Adapter
from segfmt.classes import ClassTable
from segfmt.classmap import Rest, known, mapped_classes, without_ignore
from segfmt.dataset import Dataset, open_dataset
from segfmt.edits import parse_edits
from segfmt.errors import UsageError
from segfmt.executors import usable_cores
from segfmt.files import STATE_FOLDER, readable
from segfmt.format import Format, Map, Reader, Writer
from segfmt.journal import Journal
from segfmt.model import FillRule, Rounding
from segfmt.options import checked
from segfmt.remap import ClassMap, IgnoreTo, class_map
from segfmt.report import Failed, Report
from segfmt.splits import Split, parse_split
from segfmt.target import check_folders
from segfmt.warmup import compile_missing
from segfmt.worker import Job, MissingImage, Presence, Worker

Progress = Callable[[Report, int], None]
REPORT_FILE = "report.json"


def convert(
    src: str | os.PathLike[str],
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
    overwrite: bool = False,
    report: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Report:
    """Convert the dataset in `src` to another format in `dst`.

    Parameters
    ----------
    src, dst
        Folders. `dst` must be empty or not there, unless `overwrite`: that removes what the run
        before wrote there, and nothing else.
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
    report
        Where to save the report as JSON, besides `dst/.segfmt/report.json`.
    progress
        Called with the report so far and the number of samples after listing and after each
        sample.

    Raises
    ------
    SegfmtError
        For what is wrong with the plan; a sample that is bad is counted in the report instead.
    """
    started = time.monotonic()
    root, out = Path(src), Path(dst)
    check_folders(root, out, overwrite)
    options = {**(reader_options or {}), **_given(unknown_label=unknown_label, table=table)}
    dataset = open_dataset(root, source, **options)
    mapped, adopted = mapped_classes(dataset.classes, classes, map, rest)
    if ignore_to:
        adopted = without_ignore(adopted)
    options = {**(writer_options or {}), **_given(images=images)}
    writer = _writer(plugins.format_named(target), out, adopted, options)
    to_target = class_map(dataset.classes, mapped, writer.classes, ignore_to)
    if rounding and fill_rule not in (None, "opencv"):
        raise UsageError(f"--rounding is for the fill rule opencv, not {fill_rule}")
    edits = parse_edits(resize, tile, overlap)
    if edits and options.get("images") in ("symlink", "hardlink"):
        raise UsageError("--resize and --tile make new images: they cannot be links")
    worker = Worker(
        dataset.reader,
        writer,
        to_target,
        Adapter(writer.accepts, to_target.background, fill_rule, rounding),
        missing_image,
        edits,
        _presence(only_with, min_pixels, dataset.classes, to_target),
        out,
    )
    dealt = parse_split(split) if split else None
    run = _map(executor, executor_options or {}, workers)
    places = (readable(str(root)), dataset.format.name, readable(str(out)), target)
    tally = Report(*places, __version__)
    tally.warnings += [*_remarks(dataset.reader), *_remarks(writer), *_of_colors(writer.classes)]
    jobs = _listed(dataset, root, tally, dealt, limit)
    if progress:
        progress(tally, len(jobs))
    if dry_run:
        tally.count_only(job.split for job in jobs)
    else:
        compile_missing()
        with Journal(out) as journal:
            journal.clear()
            looked_at = _run(run, worker, jobs, journal, tally, progress, fail_fast)
            writer.finish(journal.entries())
        if looked_at < len(jobs):
            tally.warnings.append(
                f"stopped at a failure: {len(jobs) - looked_at} samples were not looked at"
            )
        if not tally.done:
            tally.warnings.append("nothing was converted")
        shutil.rmtree(out / STATE_FOLDER / "edited", ignore_errors=True)
    tally.settle(time.monotonic() - started)
    if not dry_run:
        tally.save(out / STATE_FOLDER / REPORT_FILE)
    if report is not None:
        tally.save(Path(report))
    return tally


def _writer(format: Format, out: Path, classes: ClassTable, options: Mapping[str, Any]) -> Writer:
    if format.writer is None:
        writable = ", ".join(name for name, other in plugins.formats().items() if other.writer)
        raise UsageError(f"{format.name} cannot be written, only read. Writable: {writable}")
    values = checked(f"writing {format.name}", "-o", format.writer, 2, options)
    return format.writer(out, classes, **values)


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _map(name: str, options: Mapping[str, Any], workers: int | None) -> Map:
    executor = plugins.executor_named(name)
    if workers is not None and workers < 1:
        raise UsageError(f"--workers {workers}: there must be one at least")
    values = checked(f"executor {name}", "-x", executor.make, 1, options)
    return executor.make(workers or usable_cores(), **values)


def _remarks(part: Reader | Writer) -> tuple[str, ...]:
    # Optional, so that the smallest plug-in need not have it.
    return tuple(getattr(part, "warnings", ()))


def _of_colors(classes: ClassTable) -> list[str]:
    warnings = []
    for color, infos in classes.shared_colors().items():
        names = " and ".join(f'"{info.name}"' for info in infos)
        warnings.append(f"{names} share the color {color}: tell them apart by id, never by color")
    return warnings


def _presence(
    names: str | None, pixels: int, source: ClassTable, to_target: ClassMap
) -> Presence | None:
    if names is None:
        if pixels != 1:
            raise UsageError("--min-pixels is for --only-with")
        return None
    ids = []
    for name in names.split(","):
        info = source.get(name) or to_target.table.get(name)
        if info is None:
            mend = known(name, source)
            raise UsageError(f'--only-with: there is no class "{name.strip()}". {mend}')
        if source.get(name):
            ids.append(info.id)
        else:
            ids += [other.id for other in source if to_target.lut[other.id] == info.id]
    return Presence(tuple(ids), names, pixels)


def _listed(
    dataset: Dataset, root: Path, tally: Report, split: Split | None, limit: int | None
) -> list[Job]:
    """Return the first samples by split and key; of several with one key all but the first fail."""
    refs = list(dataset.refs())
    if not refs:
        raise UsageError(f"{root} has nothing in it that {dataset.format.name} can read")
    tally.total = len(refs)
    if split:
        refs = sorted(refs, key=lambda ref: (ref.key, str(ref.source)))[:limit]
        split_of = split.deal(refs)
        jobs = [Job(ref, split_of(place)) for place, ref in enumerate(refs)]
        if "train" not in {job.split for job in jobs}:
            tally.warnings.append(f"--split leaves none of the {len(jobs)} samples for train")
    else:
        jobs = [Job(ref, ref.split) for ref in refs]
    jobs.sort(key=lambda job: (job.split, job.ref.key, str(job.ref.source)))
    unique: list[Job] = []
    for job in jobs:
        if unique and (job.split, job.ref.key) == (unique[-1].split, unique[-1].ref.key):
            first = unique[-1].ref.source
            error = (
                f"{job.ref.source}: has the same name as {first}, which is the one that was used"
            )
            tally.add(Failed(job.ref, error))
        else:
            unique.append(job)
    return unique[:limit]


def _run(
    run: Map,
    worker: Worker,
    jobs: list[Job],
    journal: Journal,
    tally: Report,
    progress: Progress | None,
    fail_fast: bool,
) -> int:
    """Convert the samples; return how many were looked at."""
    looked_at = 0
    stopped = fail_fast and tally.failed > 0

    def until_stopped() -> Iterator[Job]:
        # Ending the input lets samples in flight end too, and be counted.
        for job in jobs:
            if stopped:
                return
            yield job

    for outcomes in run(worker, until_stopped()):
        for outcome in outcomes:
            journal.record(outcome)
            tally.add(outcome)
        looked_at += 1
        stopped = fail_fast and tally.failed > 0
        if progress:
            progress(tally, len(jobs))
    return looked_at
