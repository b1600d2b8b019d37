"""`segfmt formats`."""

from __future__ import annotations

from typing import Annotated

import typer


def formats(
    name: Annotated[
        str | None, typer.Argument(help="Show this format's options.", show_default=False)
    ] = None,
) -> None:
    """List the formats, or one format's options."""
    from segfmt.cli.output import print_format, print_formats

    if name is None:
        print_formats()
    else:
        print_format(name)
