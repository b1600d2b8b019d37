"""What the summaries of several commands have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from segfmt.cli.output import SHOWN_FAILURES, item, out
from segfmt.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segfmt.report import Failure


def columns(*headings: str, left: Sequence[str] = ("class",)) -> Table:
    """Return a table of numbers: columns are to the right but those of `left`, which fold."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in headings:
        if heading in left:
            table.add_column(heading, overflow="fold")
        else:
            table.add_column(heading, justify="right", no_wrap=True)
    return table


def print_failures(failures: Sequence[Failure], *roots: str) -> None:
    """Print the first failures, with paths below the roots."""
    if not failures:
        return
    out.print(Text("Failed", "bold red"))
    for failure in failures[:SHOWN_FAILURES]:
        text = failure.error
        for root in roots:
            text = text.replace(f"{root}/", "")
        out.print(item(text))
    more = len(failures) - SHOWN_FAILURES
    if more > 0:
        out.print(Text(f"  and {more} more: --json has them all"))


def pairs(flag: str, given: Sequence[str] | None) -> dict[str, str]:
    """Return what a flag was given as KEY=VALUE; `UsageError` for anything else."""
    found = {}
    for text in given or ():
        key, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"{flag} {text}: give KEY=VALUE")
        found[key.strip()] = value
    return found
