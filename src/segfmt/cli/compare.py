"""The command `compare`: whether two datasets are the same."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from segfmt.cli.options import Debug, Executor, ExecutorOptions, Json, Rest, Workers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from segfmt.comparison import Comparison
    from segfmt.matching import Unmatched

SHOWN_ROWS = 10
SHOWN_NAMES = 5
EXIT_DIFFER = 1
EXIT_INTERRUPTED = 130
Pairs = list[str]


def compare(
    a: Annotated[Path, typer.Argument(help="Folder of the one, or the truth.", show_default=False)],
    b: Annotated[
        Path, typer.Argument(help="Folder of the other, or predictions.", show_default=False)
    ],
    from_a: Annotated[str, typer.Option(help="Format of A.")] = "auto",
    from_b: Annotated[str, typer.Option(help="Format of B.")] = "auto",
    options_a: Annotated[
        Pairs | None,
        typer.Option("-a", metavar="KEY=VALUE", help="Option of A's format, as -i elsewhere."),
    ] = None,
    options_b: Annotated[
        Pairs | None, typer.Option("-b", metavar="KEY=VALUE", help="Option of B's format.")
    ] = None,
    classes: Annotated[
        str | None,
        typer.Option(metavar="NAME,...", help="Compare these; the rest is background."),
    ] = None,
    map: Annotated[
        str | None,
        typer.Option(metavar="FILE|TABLE", help="What each class of A is called in B."),
    ] = None,
    rest: Rest = None,
    only_split: Annotated[
        str | None, typer.Option(metavar="NAME", help="Compare only this split of A.")
    ] = None,
    fill_rule: Annotated[
        Literal["opencv", "pillow", "center", "coco"] | None,
        typer.Option(help="Paint A's polygons by this rule, not the one A was drawn for."),
    ] = None,
    rounding: Annotated[
        Literal["truncate", "nearest", "floor"] | None,
        typer.Option(help="Round A's vertices this way (rule opencv)."),
    ] = None,
    tolerance: Annotated[
        str, typer.Option(metavar="SHARE", help="Pixels of a sample that may differ: 0.1%.")
    ] = "0",
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Save a picture of the worst samples.")
    ] = None,
    samples: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Save a line a sample as CSV.")
    ] = None,
    workers: Workers = None,
    executor: Executor = "threads",
    executor_options: ExecutorOptions = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Compare only the first so many samples.")
    ] = None,
    json: Json = False,
    debug: Debug = False,  # noqa: ARG001 - see `Debug`
) -> None:
    """Compare the labels of two datasets, whatever their formats: IoU, accuracy, differences.

    Exit status: 0 the same within --tolerance, 1 they differ, 2 it could not begin.
    """
    from segfmt.cli.output import ProgressDisplay, say_compiling
    from segfmt.cli.parts import pairs

    say_compiling()
    from segfmt.comparison import compare as run

    try:
        with ProgressDisplay("Comparing") as display:
            result = run(
                a,
                b,
                from_a=from_a,
                from_b=from_b,
                options_a=pairs("-a", options_a),
                options_b=pairs("-b", options_b),
                classes=classes,
                map=map,
                rest=rest,
                only_split=only_split,
                fill_rule=fill_rule,
                rounding=rounding,
                tolerance=tolerance,
                out=out,
                samples=samples,
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
        print_comparison(result)
    raise typer.Exit(0 if result.same else EXIT_DIFFER)


def print_comparison(found: Comparison) -> None:
    """Print how far two datasets agree, and where they do not, worst first."""
    from rich.text import Text

    from segfmt.cli.output import item, out, print_notes
    from segfmt.cli.parts import print_failures

    verdict = "The same" if found.same else f"Different: {_reasons(found)}"
    out.print(Text(verdict, "bold"))
    for side, root, name in (("A", found.a, found.format_a), ("B", found.b, found.format_b)):
        out.print(Text(f"  {side}: {root} ({name})"), soft_wrap=True)
    for line in _summary(found):
        out.print(item(line, "  "))
    if found.scores.differing:
        _print_classes(found)
        _print_confusion(found)
        _print_worst(found)
    for side, only in (("A", found.only_a), ("B", found.only_b)):
        _print_unmatched(side, only)
    print_notes(found.notes)
    print_failures(found.failures, found.a, found.b)
    for warning in found.warnings:
        out.print(item(warning, "Warning: "))
    rate = found.compared / max(found.seconds, 1e-9)
    out.print(Text(f"{found.seconds:.1f} s, {rate:.1f} samples a second."))


def _reasons(found: Comparison) -> str:
    """Return why two datasets are not the same."""
    from segfmt.words import many

    reasons = (
        (found.beyond, "beyond the tolerance"),
        (found.only_a.count, "only in A"),
        (found.only_b.count, "only in B"),
        (len(found.failures), "failed"),
    )
    words = [f"{many(count, 'sample')} {what}" for count, what in reasons if count]
    return ", ".join(words) or "nothing was compared"


def _summary(found: Comparison) -> Iterator[str]:
    from segfmt.words import many, percent

    scores = found.scores
    how = {"key": "key alone: the splits are not the same on both sides"}
    by = how.get(found.matched_by, found.matched_by)
    yield f"{many(found.compared, 'sample')} compared, matched by {by}"
    beyond = f"{found.beyond:,} beyond the tolerance of {found.tolerance:g}"
    yield f"{found.identical:,} identical, {beyond}"
    if scores.pixels:
        share = percent(scores.differing / scores.pixels)
        yield f"{scores.differing:,} of {scores.pixels:,} pixels differ, {share}"
    if scores.ignored:
        why = "" if found.ignore_in_b else ", nor as differing, since B cannot tell ignore"
        yield f"{many(scores.ignored, 'pixel')} that A ignores do not count below{why}"
    if scores.miou is not None and scores.accuracy is not None:
        yield f"mean IoU {scores.miou:.6f}, pixel accuracy {scores.accuracy:.6f}"
    for rule, count in found.fill_rules.items():
        side, _, name = rule.partition(": ")
        yield f"polygons of {many(count, 'sample')} of {side} painted by fill rule {name}"


def _print_classes(found: Comparison) -> None:
    from segfmt.cli.output import out
    from segfmt.cli.parts import columns

    table = columns("class", "pixels of A", "pixels of B", "IoU")
    for info in found.classes:
        if info.pixels_a or info.pixels_b:
            name = info.name if info.role in ("class", info.name) else f"{info.name} ({info.role})"
            iou = "-" if info.iou is None else f"{info.iou:.6f}"
            table.add_row(name, f"{info.pixels_a:,}", f"{info.pixels_b:,}", iou)
    out.print(table)


def _print_confusion(found: Comparison) -> None:
    """Print which classes are most often taken for which."""
    from segfmt.cli.output import out
    from segfmt.cli.parts import columns

    names = [info.name for info in found.classes]
    pairs = [
        (count, a, b)
        for a, row in enumerate(found.confusion)
        for b, count in enumerate(row)
        if a != b and count and (found.ignore_in_b or found.classes[a].role != "ignore")
    ]
    pairs.sort(key=lambda pair: (-pair[0], pair[1:]))
    table = columns("in A", "in B", "pixels", left=("in A", "in B"))
    for count, a, b in pairs[:SHOWN_ROWS]:
        table.add_row(names[a], names[b], f"{count:,}")
    out.print(table)
    _print_more(len(pairs), "pairs of classes")


def _print_worst(found: Comparison) -> None:
    from segfmt.cli.output import out
    from segfmt.cli.parts import columns
    from segfmt.words import percent

    table = columns("sample", "differ", "share", "mean IoU", left=("sample",))
    for sample in found.worst[:SHOWN_ROWS]:
        miou = "-" if sample.scores.miou is None else f"{sample.scores.miou:.4f}"
        counts = f"{sample.scores.differing:,}", percent(sample.scores.share)
        table.add_row(f"{sample.split}/{sample.key}", *counts, miou)
    out.print(table)
    _print_more(found.compared - found.identical, "samples")


def _print_more(count: int, what: str) -> None:
    from rich.text import Text

    from segfmt.cli.output import out

    if count > SHOWN_ROWS:
        out.print(Text(f"  and {count - SHOWN_ROWS:,} more {what}"))


def _print_unmatched(side: str, only: Unmatched) -> None:
    from segfmt.cli.output import item, out

    if only.count:
        more = only.count - SHOWN_NAMES
        names = ", ".join(only.samples[:SHOWN_NAMES]) + (f" and {more:,} more" if more > 0 else "")
        out.print(item(f"{only.count:,}: {names}", f"Only in {side}, "))
