"""The command `check`: what is wrong with a dataset."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from segfmt.cli.options import (
    Debug,
    Executor,
    ExecutorOptions,
    Json,
    ReaderOptions,
    Source,
    Table,
    UnknownLabel,
    Workers,
)
from segfmt.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from segfmt.findings import Finding, Findings

SHOWN_EXAMPLES = 3
SHOWN_GROUPS = 5
ANNOTATIONS = 50  # as many as GitHub shows of a job
EXIT_WRONG = 1
EXIT_INTERRUPTED = 130
Codes = list[str]


def check(
    src: Annotated[
        list[str],
        typer.Argument(help="Folder or archive of the dataset, or a URL.", show_default=False),
    ],
    source: Source = "auto",
    reader_options: ReaderOptions = None,
    table: Table = None,
    unknown_label: UnknownLabel = None,
    select: Annotated[
        Codes | None,
        typer.Option(metavar="CODE,...", help="Only these rules, or groups of rules: SF3."),
    ] = None,
    ignore: Annotated[
        Codes | None, typer.Option(metavar="CODE,...", help="All but these rules or groups.")
    ] = None,
    near: Annotated[
        int, typer.Option(help="Bits in which hashes of nearly the same images may differ.")
    ] = 4,
    tiny: Annotated[
        float, typer.Option(min=0, help="Area in pixels under which a polygon is tiny.")
    ] = 4.0,
    findings: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Save every finding, as .csv or .jsonl.")
    ] = None,
    keep_list: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Save which samples to keep, one of each group."),
    ] = None,
    workers: Workers = None,
    executor: Executor = "threads",
    executor_options: ExecutorOptions = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Look at the first so many samples only.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Warnings count for the exit status, too.")
    ] = False,
    json: Json = False,
    github: Annotated[
        bool, typer.Option("--github", help="Print annotations for GitHub Actions instead.")
    ] = False,
    debug: Debug = False,  # noqa: ARG001 - see `Debug`
) -> None:
    """Look for what is wrong with the dataset in SRC.

    Exit status: 0 no errors, 1 errors, 2 it could not begin.
    """
    from segfmt.cli.output import ProgressDisplay, say_compiling
    from segfmt.cli.parts import pairs

    if json and github:
        raise UsageError("--json and --github: give one")
    say_compiling()
    from segfmt.checking import check as run

    try:
        with ProgressDisplay("Checking") as display:
            found = run(
                src,
                source=source,
                reader_options=pairs("-i", reader_options),
                table=table,
                unknown_label=unknown_label,
                select=select or (),
                ignore=ignore or (),
                near=near,
                tiny=tiny,
                findings=findings,
                keep_list=keep_list,
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
        sys.stdout.buffer.write(found.to_json())  # UTF-8, whatever the terminal speaks
    elif github:
        for line in github_annotations(found):
            print(line)
    else:
        print_findings(found)
    raise typer.Exit(0 if found.ok(strict=strict) else EXIT_WRONG)


def print_findings(found: Findings) -> None:
    """Print what is wrong: a table of rules, then where, and what to do."""
    from rich.text import Text

    from segfmt.cli.output import item, out
    from segfmt.cli.parts import columns
    from segfmt.words import many

    out.print(Text(found.format, "bold"))
    out.print(Text(f"  {found.source}"), soft_wrap=True)  # not wrapped, so that it can be copied
    read = f"{found.samples:,} of {many(found.total, 'sample')} looked at"
    out.print(f"  {read}, {many(found.images, 'image')} compared")
    if found.rules:
        table = columns("rule", "", "what", "times", "samples", left=("rule", "", "what"))
        for code, tally in found.rules.items():
            numbers = (f"{tally.count:,}", f"{tally.samples:,}")
            table.add_row(code, tally.severity, tally.title, *numbers)
        out.print(table)
    for code, tally in found.rules.items():
        out.print(Text(f"{code} {tally.title}", "bold"))
        for example in tally.examples[:SHOWN_EXAMPLES]:
            out.print(item(_sentence(example)))
        more = tally.count - sum(example.count for example in tally.examples[:SHOWN_EXAMPLES])
        if more > 0:
            out.print(f"  and {more:,} more")
        out.print(item(tally.mend, "  Mend: "))
    _print_groups(found)
    for warning in found.warnings:
        out.print(item(warning, "Warning: "))
    counts = (
        many(found.count("error"), "error"),
        many(found.count("warning"), "warning"),
        f"{found.count('info'):,} for information",
    )
    out.print(Text(", ".join(counts) if found.rules else "Nothing is wrong.", "bold"))
    rate = found.samples / max(found.seconds, 1e-9)
    out.print(Text(f"{found.seconds:.1f} s, {rate:.1f} samples a second."))


def _print_groups(found: Findings) -> None:
    from rich.text import Text

    from segfmt.cli.output import item, out
    from segfmt.words import many

    if not found.groups:
        return
    images = many(found.duplicates, "image")
    out.print(Text(f"{images} could go: each is nearly the same as one that is kept", "bold"))
    for group in found.groups[:SHOWN_GROUPS]:
        splits = ", ".join(f"{split} {count:,}" for split, count in group.splits.items())
        out.print(item(f"{group.count:,} from {group.first} to {group.last} ({splits})"))
    more = len(found.groups) - SHOWN_GROUPS
    if more > 0:
        out.print(f"  and {many(more, 'group')} more")


def _sentence(found: Finding) -> str:
    place = ", ".join(part for part in (_name(found), found.where) if part)
    text = f"{place}: {found.problem}" if place else found.problem
    return f"{text}. {found.mend}" if found.mend else text


def _name(found: Finding) -> str:
    """Return the file, with the sample where the file does not show which it is."""
    sample = f"{found.split}/{found.key}" if found.key else ""
    if not found.file or not sample:
        return found.file or sample
    stem = re.escape(found.key.rpartition("/")[2])
    shown = re.search(rf"(^|[^\w]){stem}($|[^\w])", found.file)
    return found.file if shown else f"{found.file}, {sample}"


def github_annotations(found: Findings) -> Iterator[str]:
    """Yield workflow commands that GitHub Actions shows beside the files, errors first."""
    examples = [one for tally in found.rules.values() for one in tally.examples]
    for one in examples[:ANNOTATIONS]:
        yield _annotation(one, found)
    total = sum(tally.count for tally in found.rules.values())
    shown = sum(one.count for one in examples[:ANNOTATIONS])
    text = f"{found.count('error'):,} errors, {found.count('warning'):,} warnings"
    if total > shown:
        text += f"; {total - shown:,} findings more than are shown"
    yield f"::notice title=segfmt check::{_escaped(text)}"


def _annotation(one: Finding, found: Findings) -> str:
    rule = found.rules[one.code]
    command = "notice" if rule.severity == "info" else rule.severity
    values = {"file": f"{found.source}/{one.file}" if one.file else ""}
    if line := re.search(r"line (\d+)(?:, column (\d+))?", one.where):
        values |= {"line": line[1], "col": line[2] or ""}
    values["title"] = f"{one.code} {rule.title}"
    place = ", ".join(part for part in (_name(one), one.where) if part)
    text = f"{place}: {one.problem}. {one.mend or rule.mend}"
    pairs = (f"{key}={_escaped(text, of_value=True)}" for key, text in values.items() if text)
    return f"::{command} {','.join(pairs)}::{_escaped(text)}"


def _escaped(text: str, *, of_value: bool = False) -> str:
    """Return text as GitHub's workflow commands have it; a property's value may hold less."""
    for letter in "%\r\n" + ":," * of_value:
        text = text.replace(letter, f"%{ord(letter):02X}")
    return text
