"""A conversion with its progress, its summary and its exit status."""

from __future__ import annotations

import os
import sys
from typing import Any, NoReturn

import typer

EXIT_FAILED = 1
EXIT_INTERRUPTED = 130


def run_conversion(*places: Any, dry_run: bool, **options: Any) -> NoReturn:
    """Run `segfmt.convert` as a command does."""
    from segfmt.cli.output import ProgressDisplay, print_report, say_compiling

    say_compiling()
    from segfmt.convert import convert

    try:
        with ProgressDisplay() as display:
            report = convert(*places, dry_run=dry_run, progress=display.update, **options)
    except KeyboardInterrupt:
        text = "Stopped. What is finished stands; the same command with --resume goes on."
        print(text, file=sys.stderr, flush=True)
        os._exit(EXIT_INTERRUPTED)  # at once: a sample in some thread may take its time
    print_report(report)
    raise typer.Exit(0 if report.ok and (report.done or dry_run) else EXIT_FAILED)
