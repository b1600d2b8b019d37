"""An inspection or a conversion as one HTML page, with pictures."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segfmt.choosing import Choice
from segfmt.classes import ClassTable
from segfmt.dataset import Dataset, open_dataset
from segfmt.distinct import recolored
from segfmt.errors import SegfmtError, UsageError
from segfmt.files import atomic_write, readable
from segfmt.htmlpage import render
from segfmt.htmlpictures import figures
from segfmt.inspection import Inspection, inspect
from segfmt.pagetext import conversion_page, inspection_page
from segfmt.reading import executor_map, painter
from segfmt.report import Failure, Report
from segfmt.views import View, Viewer

if TYPE_CHECKING:
    from collections.abc import Callable

    from segfmt.model import FillRule, Rounding, SampleRef

PICTURES = 12
PROBLEMS = 12  # bad samples that are shown with their image
WIDTH = 400  # of a picture
PICTURES_ROOM, PROBLEMS_ROOM = 2_000_000, 700_000  # bytes, of the page's 5,000,000


def html_report(
    src: str | os.PathLike[str],
    *,
    out: str | os.PathLike[str],
    source: str = "auto",
    reader_options: Mapping[str, Any] | None = None,
    table: str | None = None,
    unknown_label: str | None = None,
    fill_rule: FillRule | None = None,
    rounding: Rounding | None = None,
    image_stats: bool = True,
    sample: int | None = None,
    count: int = PICTURES,
    seed: int | None = None,
    distinct: bool = False,
    executor: str = "threads",
    executor_options: Mapping[str, Any] | None = None,
    workers: int | None = None,
    limit: int | None = None,
    progress: Callable[[Report, int], None] | None = None,
) -> Inspection:
    """Inspect a dataset, and write what it holds as one HTML page with pictures.

    Parameters
    ----------
    src, source, reader_options, table, unknown_label, fill_rule, rounding
        As for `segfmt.convert`.
    out
        The page, a file that ends in `.html`.
    image_stats, sample, limit
        As for `segfmt.inspect`.
    count, seed
        How many samples are shown, as far as they fit: evenly spread, or drawn by `seed`.
    distinct
        Show classes in colors that are told apart more easily than the dataset's own.
    executor, executor_options, workers, progress
        As for `segfmt.convert`.

    Raises
    ------
    SegfmtError
        If the dataset cannot be opened; a sample that is bad is on the page.
    """
    check_html(out)
    choice = Choice(count, seed=seed)
    given = {"table": table, "unknown_label": unknown_label}
    options = {name: value for name, value in given.items() if value is not None}
    options = {**(reader_options or {}), **options}
    found = inspect(
        src,
        source=source,
        reader_options=options,
        fill_rule=fill_rule,
        rounding=rounding,
        image_stats=image_stats,
        sample=sample,
        executor=executor,
        executor_options=executor_options,
        workers=workers,
        limit=limit,
        progress=progress,
    )
    dataset = open_dataset(src, source, **options)
    classes = recolored(dataset.classes) if distinct else dataset.classes
    paints = painter(None, fill_rule, rounding)
    viewer = Viewer(dataset.reader, classes, paints, WIDTH, found.source)
    run = executor_map(executor, executor_options, workers)
    write_html(
        out,
        inspection=found,
        classes=classes,
        samples=map(viewer, choice.of(dataset, paints, run)),
        problems=_problems(found.failures, dataset, viewer),
    )
    return found


def conversion_html(
    out: str | os.PathLike[str],
    report: Report,
    source: Dataset,
    dst: str | os.PathLike[str],
    *,
    reader_options: Mapping[str, Any] | None = None,
    executor: str = "threads",
    executor_options: Mapping[str, Any] | None = None,
    workers: int | None = None,
) -> None:
    """Write a page of a conversion that has ended, for which every label of the target is read.

    Parameters
    ----------
    report, source, dst
        What became of the samples, the dataset that was read, the folder that was written.
    reader_options
        Those by which the target is read.
    executor, executor_options, workers
        As for `segfmt.convert`.

    Whatever keeps the target from being read is a warning on the page: the conversion stands.
    """
    found, classes, remark = None, None, ""
    samples: Iterable[View] = ()
    paints = painter(None, None, None)
    if report.done:
        name, options = report.target_format, dict(reader_options or {})
        try:
            found = inspect(
                dst,
                source=name,
                reader_options=options,
                image_stats=False,
                executor=executor,
                executor_options=executor_options,
                workers=workers,
            )
            target = open_dataset(dst, name, **options)
            refs = Choice(PICTURES).of(
                target, paints, executor_map(executor, executor_options, workers)
            )
        except SegfmtError as error:
            remark = f"The target was not read back: {error}"
        else:
            classes = target.classes
            samples = map(Viewer(target.reader, classes, paints, WIDTH, report.target), refs)
    viewer = Viewer(source.reader, source.classes, paints, WIDTH, report.source)
    write_html(
        out,
        inspection=found,
        report=report,
        classes=classes,
        samples=samples,
        problems=_problems(report.failures, source, viewer),
        remark=remark,
    )


def write_html(
    path: str | os.PathLike[str],
    *,
    inspection: Inspection | None = None,
    report: Report | None = None,
    classes: ClassTable | None = None,
    samples: Iterable[View] = (),
    problems: Iterable[View] = (),
    remark: str = "",
) -> None:
    """Write one page that needs nothing but a browser: of an inspection, a conversion, or both.

    Parameters
    ----------
    path
        A file that ends in `.html`.
    inspection
        What a dataset holds; of a conversion, what its target does.
    report
        What became of the samples of a conversion.
    classes
        The table in whose colors samples are shown; the inspection's own if it is not given.
    samples, problems
        Samples to show, and bad ones of which the image is shown beside the reason. Only as many
        are taken as the page has room for.
    remark
        A warning more.

    Raises
    ------
    ValueError
        If there is neither an inspection nor a report.
    """
    check_html(path)
    table = classes or ClassTable([])
    colors = {info.id: info.color for info in table}
    if report is not None:
        page = conversion_page(report, inspection, colors)
    elif inspection is not None:
        page = inspection_page(inspection, colors)
    else:
        raise ValueError("a page is of an inspection or of a report: give one")
    if remark:
        page.remarks.append(("Warnings of this page", [remark]))
    page.figures = figures(samples, table, PICTURES_ROOM)
    page.problems = figures(problems, table, PROBLEMS_ROOM)
    shown = {id for figure in page.figures for id in figure.ids}
    page.legend = [row for row in page.classes if row.id in shown]
    atomic_write(Path(path), render(page))


def check_html(path: str | os.PathLike[str]) -> None:
    """Raise `UsageError` unless a page can be written under that name."""
    if Path(path).suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"{os.fspath(path)}: give a name that ends in .html")
    if Path(path).is_dir():
        raise UsageError(f"{os.fspath(path)} is a folder: give a file")


def _problems(failures: Sequence[Failure], dataset: Dataset, viewer: Viewer) -> Iterator[View]:
    """Yield the first samples that failed and have an image that opens."""
    found = (
        view
        for ref, error in _failed_refs(failures, dataset)
        if (view := viewer.of_failed(ref, error)).photo is not None
    )
    return islice(found, PROBLEMS)


def _failed_refs(failures: Sequence[Failure], dataset: Dataset) -> Iterator[tuple[SampleRef, str]]:
    """Find the samples that failed in the source again."""
    wanted = {(one.split, one.key): one.error for one in failures}
    for ref in dataset.refs() if wanted else ():
        error = wanted.pop((readable(ref.split), readable(ref.key)), None)
        if error is not None:
            yield ref, error
    # Where samples were dealt out anew, a failure has the split that it was dealt to.
    by_key = {key: error for (_, key), error in wanted.items()}
    for ref in dataset.refs() if by_key else ():
        error = by_key.pop(readable(ref.key), None)
        if error is not None:
            yield ref, error
