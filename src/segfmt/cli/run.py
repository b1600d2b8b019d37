"""`segfmt run`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from segfmt.cli.options import DryRun, Overwrite, Resume


def run(
    recipe: Annotated[
        Path, typer.Argument(help="File that convert --save wrote.", show_default=False)
    ],
    src: Annotated[
        Path | None, typer.Option(help="Read from here, not from where the recipe says.")
    ] = None,
    dst: Annotated[Path | None, typer.Option(help="Write here, not where the recipe says.")] = None,
    workers: Annotated[int | None, typer.Option(help="Samples at once.")] = None,
    dry_run: DryRun = False,
    resume: Resume = False,
    overwrite: Overwrite = False,
) -> None:
    """Run a conversion from its recipe.

    Exit status: as that of convert.
    """
    from segfmt.cli.conversion import run_conversion
    from segfmt.recipe import read_recipe

    given: dict[str, Any] = {"src": src, "dst": dst, "workers": workers}
    options = read_recipe(recipe) | {name: value for name, value in given.items() if value}
    run_conversion(**options, dry_run=dry_run, resume=resume, overwrite=overwrite)
