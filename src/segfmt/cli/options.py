"""The options that several commands have, each said once.

An alias is what such a parameter is annotated with; its default stands with the command.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

Source = Annotated[str, typer.Option("--from", help="Format of SRC.")]
ReaderOptions = Annotated[
    list[str] | None,
    typer.Option("-i", metavar="KEY=VALUE", help="Option of the format that is read."),
]
Table = Annotated[
    str | None,
    typer.Option(metavar="FILE|NAME", help="Class table of SRC, where it keeps none."),
]
UnknownLabel = Annotated[
    Literal["error", "ignore", "background"] | None,
    typer.Option(help="What to do with a label that is no class. [default: error]"),
]
PaintedBy = Annotated[
    Literal["opencv", "pillow", "center", "coco"] | None,
    typer.Option(help="Paint polygons by this rule, not the one SRC was drawn for."),
]
Rounded = Annotated[
    Literal["truncate", "nearest", "floor"] | None,
    typer.Option(help="Round vertices this way (rule opencv)."),
]
Rest = Annotated[
    Literal["background", "ignore", "error"] | None,
    typer.Option(help="What classes become that --classes or --map does not name."),
]
Workers = Annotated[int | None, typer.Option(help="Samples at once. [default: as many as cores]")]
Executor = Annotated[str, typer.Option(help="serial, threads or processes.")]
ExecutorOptions = Annotated[
    list[str] | None, typer.Option("-x", metavar="KEY=VALUE", help="Option of the executor.")
]
Folder = Annotated[Path, typer.Argument(help="Folder of the dataset.", show_default=False)]
ImageStats = Annotated[
    bool,
    typer.Option("--image-stats/--no-image-stats", help="Decode images for mean and std."),
]
StatsSample = Annotated[
    int | None, typer.Option(min=1, help="Take mean and std from so many images only.")
]
Distinct = Annotated[
    bool, typer.Option("--distinct", help="Give classes colors that are easier to tell apart.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Plan and count; write nothing.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run into DST.")]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace what segfmt wrote to DST before.")
]
# No command looks at it: `main` does, for all of them, before any is known.
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]
