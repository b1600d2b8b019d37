"""The tables, as text that reads well in a terminal too."""

from __future__ import annotations

import datetime
import os
import platform
import statistics
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from run import Result, Run


def markdown(results: Sequence[Result], command: str, images: int, rounds: int) -> str:
    """Return the report."""
    there = [result for result in results if not result.missing]
    lines = [
        "# segfmt beside its peers",
        "",
        f"`{command}` on {datetime.datetime.now(datetime.UTC).date()}:",
        f"{images} images of 1920x1080, 20 polygons each; one worker; rounds: {rounds}, medians.",
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}.",
    ]
    lines += ["", "## In process", "", *_table(_in_process(there))]
    lines += ["", "## Whole process, and peak memory", "", *_table(_whole(there))]
    lines += ["", "## Pixels", "", *_table(_pixels(there))]
    lines += ["", "## What each wrote", ""]
    lines += [f"- {each.peer.name}: {each.peer.writes}" for each in there]
    lines += ["", "## Versions", ""]
    runs = {each.peer.name.split(",")[0]: each.theirs[0] for each in there}
    if there:
        runs = {"segfmt": there[0].ours[0]} | runs
    lines += [f"- {name}: {_versions(run)}" for name, run in runs.items()]
    if missing := [each for each in results if each.missing]:
        lines += ["", "## Missing", ""]
        lines += [f"- {each.peer.name}: {each.missing}" for each in missing]
    return "\n".join(lines) + "\n"


def _in_process(results: Sequence[Result]) -> list[tuple[str, ...]]:
    rows = [("peer", "segfmt's job", "ratio", "target", "peer's s", "segfmt's s")]
    for each in results:
        ours = [run.seconds for run in each.ours]
        theirs = [run.seconds for run in each.theirs]
        figures = (_ratio(theirs, ours), each.peer.target, _median(theirs), _median(ours))
        rows.append((each.peer.name, each.peer.job, *figures))
    return rows


def _whole(results: Sequence[Result]) -> list[tuple[str, ...]]:
    rows = [("peer", "ratio", "peer's s", "segfmt's s", "peer's MiB", "segfmt's MiB")]
    for each in results:
        ours = [run.whole for run in each.our_starts]
        theirs = [run.whole for run in each.their_starts]
        memory = [
            f"{statistics.median(run.peak_mib for run in runs):.0f}"
            for runs in (each.their_starts, each.our_starts)
        ]
        rows.append((each.peer.name, _ratio(theirs, ours), _median(theirs), _median(ours), *memory))
    return rows


def _pixels(results: Sequence[Result]) -> list[tuple[str, ...]]:
    rows = [("peer", "paints by", "differ, painted so", "differ from the job's")]
    for each in results:
        assert each.pixels is not None
        share = f"{each.pixels.plain / each.pixels.of:.2%}"
        rows.append((each.peer.name, each.peer.paints, f"{each.pixels.explained:,}", share))
    return rows


def _ratio(theirs: Sequence[float], ours: Sequence[float]) -> str:
    return f"{statistics.median(t / o for t, o in zip(theirs, ours, strict=True)):.1f}x"


def _median(seconds: Sequence[float]) -> str:
    return f"{statistics.median(seconds):.2f}"


def _versions(run: Run) -> str:
    return ", ".join(f"{name} {version}" for name, version in run.versions.items())


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for index, row in enumerate(rows):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        lines.append("| " + " | ".join(cells) + " |")
        if index == 0:
            lines.append("|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return lines
