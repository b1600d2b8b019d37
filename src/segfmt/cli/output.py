"""What the user sees: progress, summaries, errors. Fits 80 columns; says nothing by color alone."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from segfmt.errors import SegfmtError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from rich.progress import Progress, TaskID

    from segfmt.format import Format
    from segfmt.report import Report, Tally

PLAIN_SECONDS = 10.0
SECONDS_A_KERNEL = 4  # of one core
SHOWN_FAILURES = 10
SHOWN_SUBJECTS = 5

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def print_error(error: BaseException) -> None:
    """Print one readable block; a program error asks to be reported."""
    if isinstance(error, SegfmtError):
        text = str(error)
    else:
        text = f"{type(error).__name__}: {error}. This is a fault in segfmt: run again with --debug"
    err.print(Text.assemble(("error: ", "bold red"), text))


def say_compiling() -> None:
    """Say what a first run waits for."""
    from segfmt.warmup import missing

    if names := missing():
        from segfmt.executors import usable_cores

        seconds = max(SECONDS_A_KERNEL, len(names) * SECONDS_A_KERNEL // usable_cores())
        err.print(
            f"Compiling {len(names)} kernels: once on this machine, about {seconds} seconds ..."
        )


class ProgressDisplay:
    """A bar in a terminal; elsewhere a plain line now and then. Use it as a context manager."""

    def __init__(self, verb: str = "Converting") -> None:
        self._verb = verb
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._begun = False
        self._started = self._printed = time.monotonic()

    def __enter__(self) -> Self:
        if err.is_terminal:
            from rich.progress import (
                BarColumn,
                MofNCompleteColumn,
                Progress,
                TextColumn,
                TimeRemainingColumn,
            )

            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=None),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]:.0f}/s"),
                TimeRemainingColumn(compact=True),
                TextColumn("{task.fields[failed]} failed"),
                console=err,
                transient=True,
                expand=True,
            )
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar:
            self._bar.stop()

    def update(self, report: Report, total: int) -> None:
        """Show how far the run is; and first, before anything is written, what it will lose."""
        if not self._begun:
            self._begun = True
            print_losses(report)
        finished = report.done + report.skipped + report.failed
        now = time.monotonic()
        rate = finished / max(now - self._started, 1e-9)
        if self._bar:
            if self._task is None:
                self._task = self._bar.add_task(self._verb, total=total, rate=0.0, failed=0)
                self._started = now
            self._bar.update(self._task, completed=finished, rate=rate, failed=report.failed)
        elif now - self._printed >= PLAIN_SECONDS:
            self._printed = now
            print(
                f"{finished} of {total} samples, {rate:.0f}/s, {report.failed} failed",
                file=sys.stderr,
                flush=True,
            )


def print_losses(report: Report) -> None:
    """Say what the target cannot hold, before anything is written."""
    if report.losses:
        err.print(Text(f"{report.source_format} to {report.target_format} loses", "bold"))
    for loss in report.losses:
        err.print(item(loss))


def print_report(report: Report) -> None:
    """Print what was converted, what was not and why, and what was noted on the way."""
    out.print(Text(f"{report.source_format} to {report.target_format}", "bold"))
    # Not wrapped, so that paths can be copied.
    out.print(Text(f"  {report.source} -> {report.target}"), soft_wrap=True)
    counts = Table.grid(padding=(0, 2))
    counts.add_column(justify="right")
    splits = ", ".join(f"{split} {count}" for split, count in report.splits.items())
    if report.dry_run:
        counts.add_row(str(sum(report.splits.values())), "would be converted", splits)
    else:
        counts.add_row(str(report.done), "converted", splits)
        reasons = ", ".join(report.skips)
        counts.add_row(str(report.skipped), "skipped", reasons)
    if report.failed or not report.dry_run:
        counts.add_row(str(report.failed), Text("failed", "bold red" if report.failed else ""), "")
    out.print(counts)
    for rule, count in report.fill_rules.items():
        out.print(Text(f"Polygons of {_samples(count)} painted by fill rule {rule}."))
    print_notes(report.notes)
    _print_failures(report)
    _print_verified(report)
    for warning in report.warnings:
        out.print(item(warning, "Warning: "))
    if report.dry_run:
        out.print("No label was read, so faults in them are not counted. Nothing was written.")
    else:
        rate = report.done / max(report.seconds, 1e-9)
        out.print(Text(f"{report.seconds:.1f} s, {rate:.1f} samples a second."))
        out.print(Text(f"Report: {report.target}/.segfmt/report.json"), soft_wrap=True)


def _print_verified(report: Report) -> None:
    if report.verified is None:
        return
    differing = len(report.differing)
    out.print(
        f"Verified: {_samples(report.verified)} read back the same"
        + (f", {differing} do not." if differing else ".")
    )
    for failure in report.differing[:SHOWN_FAILURES]:
        out.print(item(f"{failure.split}/{failure.key}: {failure.error}"))


def print_notes(notes: dict[str, Tally]) -> None:
    """Print what was noted of samples, by code."""
    if not notes:
        return
    out.print(Text("Noted", "bold"))
    for code, tally in notes.items():
        subjects = [
            f"{name} ({count})" if count > 1 else name for name, count in tally.subjects.items()
        ]
        more = len(subjects) - SHOWN_SUBJECTS
        words = ", ".join(subjects[:SHOWN_SUBJECTS]) + (f" and {more} more" if more > 0 else "")
        where = "" if tally.count == tally.samples else f" in {_samples(tally.samples)}"
        out.print(item(f"{code}, {tally.count}{where}: {words}"))


def _print_failures(report: Report) -> None:
    if not report.failures:
        return
    out.print(Text("Failed", "bold red"))
    for failure in report.failures[:SHOWN_FAILURES]:
        out.print(item(failure.error.replace(f"{report.source}/", "")))
    more = len(report.failures) - SHOWN_FAILURES
    if more > 0:
        out.print(Text(f"  and {more} more: see the report"))


def print_formats() -> None:
    """Print every format: whether it is read and written, and what brings it or would."""
    from segfmt.plugins import OFFERED, host

    found = host()
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("format", "reads", "writes", "from", ""):
        table.add_column(heading, no_wrap=bool(heading))
    for name, record in found.formats.items():
        origin = found.origins[name].partition(":")[0]
        table.add_row(
            name,
            "yes" if record.reader else "-",
            "yes" if record.writer else "-",
            "built in" if origin == "segfmt" else origin,
            record.summary,
        )
    for name, package in OFFERED.items():
        if name not in found.formats:
            table.add_row(name, "-", "-", "available", f"pip install {package}")
    out.print(table)
    for origin, reason in found.broken.items():
        out.print(item(f"{origin}: {reason}", "Broken plug-in "))
    out.print("Options of one: segfmt formats NAME")


def print_format(name: str) -> None:
    """Print a format's options with types and defaults."""
    from segfmt.plugins import format_named

    record = format_named(name)
    out.print(Text(f"{record.name}: {record.summary}", "bold"))
    _print_options("Reading, as -i KEY=VALUE", record, reading=True)
    _print_options("Writing, as -o KEY=VALUE", record, reading=False)


def _print_options(title: str, record: Format, *, reading: bool) -> None:
    from segfmt.options import options_of

    factory = record.reader if reading else record.writer
    if factory is None:
        out.print(f"It is not {'read' if reading else 'written'}.")
        return
    out.print(Text(title, "bold"))
    options = options_of(factory, 1 if reading else 2)
    if not options:
        out.print("  no options")
    for option in options.values():
        default = str(option.default).lower() if option.type is bool else option.default
        out.print(item(f"{option.name}={option.choices}  [default: {default}]", "  "))
        out.print(item(option.help, "      "))


def _samples(count: int) -> str:
    return f"{count} sample{'' if count == 1 else 's'}"


def item(text: str, lead: str = "  - ") -> Table:
    """Return text that wraps under itself, not under its lead; Korean is two columns a letter."""
    grid = Table.grid()
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(lead, Text(text))
    return grid
