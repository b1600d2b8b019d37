"""The command `preview`: samples as pictures."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from segfmt.cli.options import (
    Debug,
    Distinct,
    Executor,
    ExecutorOptions,
    Folder,
    PaintedBy,
    ReaderOptions,
    Rounded,
    Source,
    Table,
    UnknownLabel,
    Workers,
)

if TYPE_CHECKING:
    from segfmt.preview import Preview

SHOWN_PAIRS = 3
EXIT_FAILED = 1
EXIT_INTERRUPTED = 130


def preview(
    src: Folder,
    out: Annotated[
        Path,
        typer.Option(
            metavar="FILE|FOLDER",
            help="Picture to save, or folder for one a sample.",
            show_default=False,
        ),
    ],
    source: Source = "auto",
    reader_options: ReaderOptions = None,
    table: Table = None,
    unknown_label: UnknownLabel = None,
    fill_rule: PaintedBy = None,
    rounding: Rounded = None,
    count: Annotated[int, typer.Option(min=1, help="How many samples.")] = 12,
    keys: Annotated[
        list[str] | None, typer.Option("--key", metavar="KEY", help="Show this sample.")
    ] = None,
    with_classes: Annotated[
        list[str] | None,
        typer.Option("--with-class", metavar="NAME", help="Show samples with most of this class."),
    ] = None,
    worst: Annotated[
        bool, typer.Option("--worst", help="Show samples that fail, then those labelled least.")
    ] = False,
    seed: Annotated[
        int | None, typer.Option(help="Draw samples at random; the same number, the same ones.")
    ] = None,
    alpha: Annotated[
        float, typer.Option(min=0, max=1, help="How opaque the mask is over the image.")
    ] = 0.5,
    width: Annotated[int, typer.Option(help="Of each image, in pixels.")] = 480,
    columns: Annotated[int, typer.Option(min=1, help="Samples side by side.")] = 1,
    distinct: Distinct = False,
    workers: Workers = None,
    executor: Executor = "threads",
    executor_options: ExecutorOptions = None,
    debug: Debug = False,  # noqa: ARG001 - see `Debug`
) -> None:
    """Draw samples of SRC: image, mask in colors, and the one over the other, with a legend.

    Samples all over SRC, unless --key, --with-class, --worst or --seed says which. Exit status: 0
    all is well, 1 some of these samples are bad, 2 it could not begin.
    """
    from rich.progress import Progress

    from segfmt.cli.output import err, say_compiling
    from segfmt.cli.parts import pairs

    say_compiling()
    from segfmt.preview import preview as run

    try:
        with Progress(console=err, transient=True, disable=not err.is_terminal) as bar:
            task = bar.add_task("Looking", total=None)
            found = run(
                src,
                out=out,
                source=source,
                reader_options=pairs("-i", reader_options),
                table=table,
                unknown_label=unknown_label,
                fill_rule=fill_rule,
                rounding=rounding,
                count=count,
                keys=keys or (),
                with_classes=with_classes or (),
                worst=worst,
                seed=seed,
                alpha=alpha,
                width=width,
                columns=columns,
                distinct=distinct,
                executor=executor,
                executor_options=pairs("-x", executor_options),
                workers=workers,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr, flush=True)
        os._exit(EXIT_INTERRUPTED)  # at once: a sample in some thread may take its time
    print_preview(found, out)
    raise typer.Exit(EXIT_FAILED if found.failures else 0)


def print_preview(found: Preview, out: Path) -> None:
    """Print what was drawn, and what is to be said of it."""
    from rich.text import Text

    from segfmt.cli.output import SHOWN_FAILURES, item
    from segfmt.cli.output import out as console
    from segfmt.cli.parts import print_failures
    from segfmt.words import many

    console.print(Text(f"{many(len(found.samples), 'sample')}: {out}"), soft_wrap=True)
    if found.near:
        pairs = [f'"{a}" and "{b}"' for a, b in found.near[:SHOWN_PAIRS]]
        more = len(found.near) - SHOWN_PAIRS
        words = ", ".join(pairs) + (f" and {more} more" if more > 0 else "")
        console.print(item(f"Colors are hard to tell apart of {words}. --distinct gives others."))
    print_failures(found.failures[:SHOWN_FAILURES])
    if len(found.failures) > SHOWN_FAILURES:
        console.print(Text(f"  and {len(found.failures) - SHOWN_FAILURES} more: the pictures say"))
    for warning in found.warnings:
        console.print(item(warning, "Warning: "))
