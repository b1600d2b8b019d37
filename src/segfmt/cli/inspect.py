"""The command `inspect`: what a dataset is and holds."""

from __future__ import annotations

import os
import sys
import textwrap
from typing import TYPE_CHECKING, Annotated

import typer

from segfmt.cli.options import (
    Debug,
    Executor,
    ExecutorOptions,
    Folder,
    ImageStats,
    Json,
    PaintedBy,
    ReaderOptions,
    Rounded,
    Source,
    StatsSample,
    Table,
    UnknownLabel,
    Workers,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from segfmt.inspection import ClassCount, Inspection

SHOWN_SIZES = 5
SHOWN_NAMES = 30
EXIT_FAILED = 1
EXIT_INTERRUPTED = 130


def inspect(
    src: Folder,
    source: Source = "auto",
    reader_options: ReaderOptions = None,
    table: Table = None,
    unknown_label: UnknownLabel = None,
    fill_rule: PaintedBy = None,
    rounding: Rounded = None,
    image_stats: ImageStats = True,
    sample: StatsSample = None,
    workers: Workers = None,
    executor: Executor = "threads",
    executor_options: ExecutorOptions = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Look at the first so many samples only.")
    ] = None,
    json: Json = False,
    debug: Debug = False,  # noqa: ARG001 - see `Debug`
) -> None:
    """Show what the dataset in SRC is: splits, sizes, classes, class weights, mean and std.

    Exit status: 0 all samples read, 1 some are bad, 2 it could not begin.
    """
    from segfmt.cli.output import ProgressDisplay, say_compiling
    from segfmt.cli.parts import pairs

    say_compiling()
    from segfmt.inspection import inspect as run

    try:
        with ProgressDisplay("Inspecting") as display:
            result = run(
                src,
                source=source,
                reader_options=pairs("-i", reader_options),
                table=table,
                unknown_label=unknown_label,
                fill_rule=fill_rule,
                rounding=rounding,
                image_stats=image_stats,
                sample=sample,
                executor=executor,
                executor_options=pairs("-x", executor_options),
                workers=workers,
                limit=limit,
                progress=display.update,
            )
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr, flush=True)
        os._exit(EXIT_INTERRUPTED)  # at once: a sample in some thread may take its time
    if json:
        sys.stdout.buffer.write(result.to_json())  # UTF-8, whatever the terminal speaks
    else:
        print_inspection(result)
    raise typer.Exit(EXIT_FAILED if result.failures else 0)


def print_inspection(found: Inspection) -> None:
    """Print what a dataset is and holds."""
    from rich.text import Text

    from segfmt.cli.output import item, out, print_notes
    from segfmt.cli.parts import print_failures
    from segfmt.words import many

    out.print(Text(found.format, "bold"))
    out.print(Text(f"  {found.source}"), soft_wrap=True)  # not wrapped, so that it can be copied
    for line in _summary(found):
        out.print(item(line, "  "))
    if found.samples:
        _print_classes(found.classes)
    for color in found.ambiguous_colors:
        names = ", ".join(f'"{name}"' for name in color.classes)
        where = f"{many(color.pixels, 'pixel')} in {many(color.samples, 'sample')}"
        text = f"{where} count as the first" if color.pixels else "no pixel is read by it"
        out.print(item(f"{names} share the color {color.color}: {text}"))
    _print_config(found)
    print_notes(found.notes)
    print_failures(found.failures, found.source)
    for warning in found.warnings:
        out.print(item(warning, "Warning: "))
    rate = found.samples / max(found.seconds, 1e-9)
    out.print(Text(f"{found.seconds:.1f} s, {rate:.1f} samples a second."))


def _summary(found: Inspection) -> Iterator[str]:
    from segfmt.words import many, percent

    splits = ", ".join(f"{split} {count:,}" for split, count in found.splits.items())
    yield f"{many(found.samples, 'sample')} of {found.total:,} read: {splits or 'none'}"
    if found.without_image:
        yield f"{found.without_image:,} of them without an image"
    sizes = [f"{size} ({count:,})" for size, count in found.sizes.items()]
    more = len(sizes) - SHOWN_SIZES
    words = ", ".join(sizes[:SHOWN_SIZES]) + (f" and {more:,} more" if more > 0 else "")
    yield f"width x height: {words or 'none'}"
    shares = [
        f"{role} {percent(sum(info.share for info in found.classes if info.role == role))}"
        for role in ("background", "ignore")
        if any(info.role == role for info in found.classes)
    ]
    if found.unlabeled:
        shares.append(f"in no polygon {percent(found.unlabeled / found.pixels)}")
    yield ", ".join([many(found.pixels, "pixel"), *shares])
    for rule, count in found.fill_rules.items():
        yield f"polygons of {many(count, 'sample')} painted by fill rule {rule}"


def _print_classes(classes: Sequence[ClassCount]) -> None:
    from segfmt.cli.output import item, out
    from segfmt.cli.parts import columns
    from segfmt.words import percent

    drawn = any(info.polygons for info in classes)
    told_apart = any(info.objects for info in classes)
    headings = ["id", "class", "pixels", "share", "samples"]
    table = columns(*headings, *["polygons"] * drawn, *["objects"] * told_apart)
    absent = []
    for info in classes:
        if not info.pixels and not info.polygons:
            absent.append(info.name)
            continue
        name = info.name if info.role in ("class", info.name) else f"{info.name} ({info.role})"
        row = [str(info.id), name, f"{info.pixels:,}", percent(info.share), f"{info.samples:,}"]
        row += [f"{info.polygons:,}"] * drawn + [f"{info.objects:,}"] * told_apart
        table.add_row(*row)
    if table.row_count:
        out.print(table)
    if absent:
        more = len(absent) - SHOWN_NAMES
        words = ", ".join(absent[:SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")
        out.print(item(words, "Nowhere: "))


def _print_config(found: Inspection) -> None:
    """Print what goes into a training config, so that it can be pasted."""
    from rich.text import Text

    from segfmt.cli.output import out

    if found.images:
        mean, std = found.images.mean, found.images.std
        out.print(Text(f"Mean and std of {found.images.images:,} images, RGB", "bold"))
        for comment, scale, form in (("of 0 to 255", 1, ".3f"), ("of 0 to 1", 255, ".4f")):
            means, stds = (_numbers([x / scale for x in values], form) for values in (mean, std))
            _paste(comment, f"mean={means}, std={stds}")
    if found.weights:
        ids = found.weights.ids
        last = len(ids) - 1
        order = f"0 to {last}" if ids == tuple(range(len(ids))) else ", ".join(map(str, ids))
        _print_wrapped(f"Class weights, in the order of the ids {order}", "bold")
        for name, weights in (
            ("inverse frequency", found.weights.inverse),
            ("median frequency", found.weights.median),
            ("ENet", found.weights.enet),
        ):
            _paste(name, f"class_weight={_numbers(weights, '.4g')}")


def _numbers(values: Sequence[float], form: str) -> str:
    return f"[{', '.join(format(value, form) for value in values)}]"


def _paste(comment: str, line: str) -> None:
    """Print a line of Python, broken only where Python may be."""
    _print_wrapped(f"# {comment}", "", "  ")
    _print_wrapped(line, "", "  ", "    ")


def _print_wrapped(text: str, style: str, first: str = "", rest: str = "  ") -> None:
    from rich.text import Text

    from segfmt.cli.output import out

    lines = textwrap.wrap(
        text, out.width, initial_indent=first, subsequent_indent=rest, break_long_words=False
    )
    for line in lines:
        out.print(Text(line, style))
