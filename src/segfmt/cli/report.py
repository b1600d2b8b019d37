"""The command `report`: what a dataset holds, as a page."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from segfmt.cli.options import (
    Debug,
    Distinct,
    Executor,
    ExecutorOptions,
    Folder,
    ImageStats,
    PaintedBy,
    ReaderOptions,
    Rounded,
    Source,
    StatsSample,
    Table,
    UnknownLabel,
    Workers,
)

EXIT_FAILED = 1
EXIT_INTERRUPTED = 130


def report(
    src: Folder,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The page, .html.", show_default=False)],
    source: Source = "auto",
    reader_options: ReaderOptions = None,
    table: Table = None,
    unknown_label: UnknownLabel = None,
    fill_rule: PaintedBy = None,
    rounding: Rounded = None,
    image_stats: ImageStats = True,
    sample: StatsSample = None,
    count: Annotated[int, typer.Option(min=1, help="How many samples to show.")] = 12,
    seed: Annotated[
        int | None, typer.Option(help="Draw those at random; the same number, the same ones.")
    ] = None,
    distinct: Distinct = False,
    workers: Workers = None,
    executor: Executor = "threads",
    executor_options: ExecutorOptions = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Count the first so many samples only.")
    ] = None,
    debug: Debug = False,  # noqa: ARG001 - see `Debug`
) -> None:
    """Write what SRC holds as one HTML page that opens anywhere, without a network.

    Exit status: 0 all samples read, 1 some are bad, 2 it could not begin.
    """
    from rich.text import Text

    from segfmt.cli.output import ProgressDisplay, say_compiling
    from segfmt.cli.output import out as console
    from segfmt.cli.parts import pairs
    from segfmt.words import many

    say_compiling()
    from segfmt.htmlreport import html_report

    try:
        with ProgressDisplay("Inspecting") as display:
            found = html_report(
                src,
                out=out,
                source=source,
                reader_options=pairs("-i", reader_options),
                table=table,
                unknown_label=unknown_label,
                fill_rule=fill_rule,
                rounding=rounding,
                image_stats=image_stats,
                sample=sample,
                count=count,
                seed=seed,
                distinct=distinct,
                executor=executor,
                executor_options=pairs("-x", executor_options),
                workers=workers,
                limit=limit,
                progress=display.update,
            )
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr, flush=True)
        os._exit(EXIT_INTERRUPTED)  # at once: a sample in some thread may take its time
    bad = len(found.failures)
    console.print(Text(f"{many(found.samples, 'sample')} read, {bad:,} bad: {out}"), soft_wrap=True)
    raise typer.Exit(EXIT_FAILED if bad else 0)
