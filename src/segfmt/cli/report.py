"""The command `report`: what a dataset holds, as a page."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

EXIT_FAILED = 1
EXIT_INTERRUPTED = 130


def report(
    src: Annotated[Path, typer.Argument(help="Folder of the dataset.", show_default=False)],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The page, .html.", show_default=False)],
    source: Annotated[str, typer.Option("--from", help="Format of SRC.")] = "auto",
    reader_options: Annotated[
        list[str] | None,
        typer.Option("-i", metavar="KEY=VALUE", help="Option of the format that is read."),
    ] = None,
    table: Annotated[
        str | None,
        typer.Option(metavar="FILE|NAME", help="Class table of SRC, where it keeps none."),
    ] = None,
    unknown_label: Annotated[
        Literal["error", "ignore", "background"] | None,
        typer.Option(help="What to do with a label that is no class. [default: error]"),
    ] = None,
    fill_rule: Annotated[
        Literal["opencv", "pillow", "center", "coco"] | None,
        typer.Option(help="Paint polygons by this rule, not the one SRC was drawn for."),
    ] = None,
    rounding: Annotated[
        Literal["truncate", "nearest", "floor"] | None,
        typer.Option(help="Round vertices this way (rule opencv)."),
    ] = None,
    image_stats: Annotated[
        bool,
        typer.Option("--image-stats/--no-image-stats", help="Decode images for mean and std."),
    ] = True,
    sample: Annotated[
        int | None, typer.Option(min=1, help="Take mean and std from so many images only.")
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="How many samples to show.")] = 12,
    seed: Annotated[
        int | None, typer.Option(help="Draw those at random; the same number, the same ones.")
    ] = None,
    distinct: Annotated[
        bool, typer.Option("--distinct", help="Give classes colors that are easier to tell apart.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(help="Samples at once. [default: as many as cores]")
    ] = None,
    executor: Annotated[str, typer.Option(help="serial, threads or processes.")] = "threads",
    executor_options: Annotated[
        list[str] | None, typer.Option("-x", metavar="KEY=VALUE", help="Option of the executor.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Count the first so many samples only.")
    ] = None,
    debug: Annotated[  # noqa: ARG001 - `main` looks for it, so that it works for every command
        bool, typer.Option("--debug", help="Show tracebacks.")
    ] = False,
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
