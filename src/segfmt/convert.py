"""The conversion itself: plan, map, reduce."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from segfmt import __version__, plugins
from segfmt.classes import ClassTable
from segfmt.dataset import Dataset, open_dataset
from segfmt.errors import FormatError, UsageError
from segfmt.executors import usable_cores
from segfmt.files import STATE_FOLDER, check_key, readable
from segfmt.format import Format, Map, Reader, Writer
from segfmt.journal import Journal
from segfmt.model import FillRule, Mask, Note, Rounding, SampleRef
from segfmt.options import checked
from segfmt.raster import rasterize
from segfmt.remap import ClassMap, map_classes
from segfmt.report import Done, Failed, Outcome, Report, Skipped
from segfmt.scratch import scratch
from segfmt.warmup import compile_missing

MissingImage = Literal["skip", "error", "keep"]
Progress = Callable[[Report, int], None]
REPORT_FILE = "report.json"


@dataclass(frozen=True)
class ConvertSample:
    """The work on one sample, as it is sent to the workers."""

    reader: Reader
    writer: Writer
    class_map: ClassMap
    fill_rule: FillRule | None
    rounding: Rounding | None
    missing_image: MissingImage

    def __call__(self, ref: SampleRef) -> Outcome:
        """Convert one sample; whatever goes wrong with it becomes its outcome."""
        try:
            return self._convert(ref)
        except Exception as error:  # noqa: BLE001 - the one place: a bad sample must not end the run
            return Failed.of(ref, error)

    def _convert(self, ref: SampleRef) -> Outcome:
        check_key(ref.key)
        check_key(ref.split)
        if ref.image is None and self.missing_image != "keep":
            reason = "image missing"
            if self.missing_image == "error":
                raise FormatError(reason, path=str(ref.source or ref.key))
            return Skipped(ref, reason, (Note(reason, f"{ref.split}/{ref.key}"),))
        sample = self.reader.load(ref)
        label = sample.label
        if isinstance(label, Mask):
            mask, rule = self.class_map.mask(label), ""
        else:
            label = replace(
                self.class_map.polygons(label),
                fill_rule=self.fill_rule or label.fill_rule,
                rounding=self.rounding or label.rounding,
            )
            canvas = scratch("mask", sample.shape)
            ids = rasterize(label, sample.shape, background=self.class_map.background, out=canvas)
            mask, rule = Mask(ids), label.rule_in_words
        entry = self.writer.write(replace(sample, label=mask))
        return Done(ref, entry, sample.notes, rule)


def convert(
    src: str | os.PathLike[str],
    dst: str | os.PathLike[str],
    *,
    source: str = "auto",
    target: str,
    reader_options: Mapping[str, Any] | None = None,
    writer_options: Mapping[str, Any] | None = None,
    unknown_label: str | None = None,
    missing_image: MissingImage = "skip",
    images: str | None = None,
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
    unknown_label, images
        The reader's option and the writer's option of that name.
    missing_image
        What becomes of a label without an image: `skip` it, make it an `error`, or `keep` the
        label.
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
        Called with the report so far and the number of samples after listing and after each sample.

    Raises
    ------
    SegfmtError
        For what is wrong with the plan; a sample that is bad is counted in the report instead.
    """
    started = time.monotonic()
    root, out = Path(src), Path(dst)
    _check_folders(root, out, overwrite)
    options = {**(reader_options or {}), **_given(unknown_label=unknown_label)}
    dataset = open_dataset(root, source, **options)
    options = {**(writer_options or {}), **_given(images=images)}
    writer = _writer(plugins.format_named(target), out, dataset.classes, options)
    class_map = map_classes(dataset.classes, writer.classes)
    work = ConvertSample(dataset.reader, writer, class_map, fill_rule, rounding, missing_image)
    run = _map(executor, executor_options or {}, workers)
    places = (readable(str(root)), dataset.format.name, readable(str(out)), target)
    tally = Report(*places, __version__)
    _warn_of_colors(writer.classes, tally)
    refs = _listed(dataset, root, tally)[:limit]
    if progress:
        progress(tally, len(refs))
    if dry_run:
        tally.count_only(refs)
    else:
        compile_missing()
        with Journal(out) as journal:
            journal.clear()
            _run(run, work, refs, journal, tally, progress, fail_fast)
            writer.finish(journal.entries())
    tally.settle(time.monotonic() - started)
    if not dry_run:
        tally.save(out / STATE_FOLDER / REPORT_FILE)
    if report is not None:
        tally.save(Path(report))
    return tally


def _check_folders(root: Path, out: Path, overwrite: bool) -> None:
    real_root, real_out = root.resolve(), out.resolve()
    if real_out.is_relative_to(real_root) or real_root.is_relative_to(real_out):
        raise UsageError(
            f"{out} and {root} contain one another; give a target outside of the source"
        )
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; give a folder to write to")
    if not overwrite and out.is_dir() and any(out.iterdir()):
        raise UsageError(
            f"{out} is not empty. "
            "Give another folder, or --overwrite to replace what segfmt wrote there"
        )
    for folder, names, _ in os.walk(out):
        for path in (Path(folder, name) for name in names):
            if path.is_symlink() and not path.resolve().is_relative_to(real_out):
                raise UsageError(f"{path} is a link that leads out of the target; remove it")


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


def _warn_of_colors(classes: ClassTable, report: Report) -> None:
    for color, infos in classes.shared_colors().items():
        names = " and ".join(f'"{info.name}"' for info in infos)
        report.warnings.append(
            f"{names} share the color {color}: tell them apart by id, never by color"
        )


def _listed(dataset: Dataset, root: Path, report: Report) -> list[SampleRef]:
    """Return the samples by split and key; of several with one key all but the first fail."""
    refs = sorted(dataset.refs(), key=lambda ref: (ref.split, ref.key, str(ref.source)))
    if not refs:
        raise UsageError(f"{root} has nothing in it that {dataset.format.name} can read")
    report.total = len(refs)
    unique: list[SampleRef] = []
    for ref in refs:
        if unique and (ref.split, ref.key) == (unique[-1].split, unique[-1].key):
            first = unique[-1].source
            error = f"{ref.source}: has the same name as {first}, which is the one that was used"
            report.add(Failed(ref, error))
        else:
            unique.append(ref)
    return unique


def _run(
    run: Map,
    work: ConvertSample,
    refs: list[SampleRef],
    journal: Journal,
    report: Report,
    progress: Progress | None,
    fail_fast: bool,
) -> None:
    stopped = fail_fast and report.failed > 0

    def until_stopped() -> Iterator[SampleRef]:
        # Ending the input lets samples in flight end too, and be counted.
        for ref in refs:
            if stopped:
                return
            yield ref

    for outcome in run(work, until_stopped()):
        journal.record(outcome)
        report.add(outcome)
        stopped = fail_fast and report.failed > 0
        if progress:
            progress(report, len(refs))
