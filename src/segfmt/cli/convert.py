"""`segfmt convert`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from segfmt.cli.options import (
    Debug,
    DryRun,
    Executor,
    ExecutorOptions,
    Overwrite,
    PaintedBy,
    ReaderOptions,
    Rest,
    Resume,
    Rounded,
    Source,
    Table,
    UnknownLabel,
    Workers,
)


def convert(
    src: Annotated[
        list[str],
        typer.Argument(help="Folder, .zip archives or URL of the dataset.", show_default=False),
    ],
    dst: Annotated[str, typer.Argument(help="Folder or URL to write to.", show_default=False)],
    target: Annotated[
        str,
        typer.Option("--to", help="Format to write: see `segfmt formats`.", show_default=False),
    ],
    source: Source = "auto",
    reader_options: ReaderOptions = None,
    writer_options: Annotated[
        list[str] | None,
        typer.Option("-o", metavar="KEY=VALUE", help="Option of the format that is written."),
    ] = None,
    classes: Annotated[
        str | None,
        typer.Option(metavar="NAME=ID,...", help="Keep only these classes, under these ids."),
    ] = None,
    map: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|TABLE", help="What each class becomes: a file, or a table's name."
        ),
    ] = None,
    rest: Rest = None,
    ignore_to: Annotated[
        Literal["background"] | None,
        typer.Option(help="What ignore becomes where DST cannot hold it."),
    ] = None,
    table: Table = None,
    unknown_label: UnknownLabel = None,
    only_with: Annotated[
        str | None,
        typer.Option(metavar="NAME,...", help="Leave out samples without any of these classes."),
    ] = None,
    min_pixels: Annotated[
        int, typer.Option(min=1, help="With --only-with: how many pixels there must be.")
    ] = 1,
    split: Annotated[
        str | None,
        typer.Option(metavar="last=30|val=0.1,...", help="Deal samples out to splits anew."),
    ] = None,
    keep_list: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Only these samples: see check --keep-list.")
    ] = None,
    missing_image: Annotated[
        Literal["skip", "error", "keep"],
        typer.Option(help="What to do with a label that has no image."),
    ] = "skip",
    images: Annotated[
        Literal["copy", "hardlink", "symlink", "none"] | None,
        typer.Option(help="How images get to DST. [default: copy]"),
    ] = None,
    resize: Annotated[
        str | None, typer.Option(metavar="WxH", help="Resize images (Lanczos) and masks (nearest).")
    ] = None,
    tile: Annotated[
        str | None, typer.Option(metavar="WxH", help="Cut images and masks into tiles.")
    ] = None,
    overlap: Annotated[int, typer.Option(min=0, help="Pixels that tiles share.")] = 0,
    fill_rule: PaintedBy = None,
    rounding: Rounded = None,
    workers: Workers = None,
    executor: Executor = "threads",
    executor_options: ExecutorOptions = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Convert only the first so many samples.")
    ] = None,
    dry_run: DryRun = False,
    fail_fast: Annotated[
        bool, typer.Option("--fail-fast", help="Stop at the first sample that fails.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse what DST cannot hold all of.")
    ] = False,
    resume: Resume = False,
    overwrite: Overwrite = False,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Save the report as JSON.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Save a page of what DST holds.")
    ] = None,
    save: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Save all this as a recipe for segfmt run.")
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read DST afterwards and compare it with SRC.")
    ] = False,
    debug: Debug = False,  # noqa: ARG001 - see `Debug`
) -> None:
    """Convert the dataset in SRC to another format in DST.

    A sample that is bad is reported and left out; the rest is converted. Exit status: 0 all done,
    1 some samples failed or none was converted, 2 it could not begin.
    """
    from segfmt.cli.conversion import run_conversion
    from segfmt.cli.parts import pairs

    run_conversion(
        src,
        dst,
        source=source,
        target=target,
        reader_options=pairs("-i", reader_options),
        writer_options=pairs("-o", writer_options),
        classes=classes,
        map=map,
        rest=rest,
        ignore_to=ignore_to,
        table=table,
        unknown_label=unknown_label,
        only_with=only_with,
        min_pixels=min_pixels,
        split=split,
        keep_list=keep_list,
        missing_image=missing_image,
        images=images,
        resize=resize,
        tile=tile,
        overlap=overlap,
        fill_rule=fill_rule,
        rounding=rounding,
        executor=executor,
        executor_options=pairs("-x", executor_options),
        workers=workers,
        limit=limit,
        dry_run=dry_run,
        fail_fast=fail_fast,
        strict=strict,
        resume=resume,
        overwrite=overwrite,
        report=report,
        html=html,
        save=save,
        verify=verify,
    )
