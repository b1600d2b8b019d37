"""`segfmt verify`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from segfmt.verification import Verification

SHOWN = 20


def verify(
    dst: Annotated[Path, typer.Argument(help="Folder that convert wrote.", show_default=False)],
    labels: Annotated[
        bool, typer.Option("--labels/--no-labels", help="Decode every label, too.")
    ] = True,
    workers: Annotated[
        int | None, typer.Option(help="Files at once. [default: as many as cores]")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print all of it as JSON.")] = False,
) -> None:
    """Check that DST is what convert wrote: every file whole, every label in its classes.

    Exit status: 0 all is as it was written, 1 something is missing or changed, 2 it could not
    begin.
    """
    from rich.progress import Progress

    from segfmt.cli.output import err
    from segfmt.verification import verify as run

    with Progress(console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("Verifying", total=None)

        def update(found: Verification, total: int) -> None:
            bar.update(task, completed=found.files, total=total)

        found = run(dst, labels=labels, workers=workers, progress=update)
    if json:
        sys.stdout.write(found.to_json().decode())
    else:
        print_verification(found)
    raise typer.Exit(0 if found.ok else 1)


def print_verification(found: Verification) -> None:
    """Print what was looked at, and what is not as it was."""
    from segfmt.cli.output import item, out

    counts = f"{found.samples:,} samples, {found.files:,} files, {found.read:,} labels read back"
    out.print(f"{found.target}: {counts}", soft_wrap=True)
    for warning in found.warnings:
        out.print(item(warning, "Warning: "))
    for fault in found.faults[:SHOWN]:
        out.print(item(f"{fault.name} {fault.problem}"))
    more = len(found.faults) - SHOWN
    if more > 0:
        out.print(f"  and {more:,} more: --json has them all")
    out.print("Everything is as it was written." if found.ok else f"{len(found.faults):,} faults.")
