"""The report: every figure is a ratio against a named opponent in the same run.

The machine is never quiet, so absolute times say little: in each round the opponent runs, then
segfmt, and the figure is the median of the rounds' ratios.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

REPORT = Path("build/bench")
SHORT = os.environ.get("SEGFMT_BENCH") == "short"
SLACK = 0.6  # of a target: under this a figure is no noise but a fault, and the benchmark fails
# For a program to end with: `peak`, the most kB that it held. Not getrusage's ru_maxrss, which a
# child inherits from the process that started it.
PEAK = """
status = open("/proc/self/status").read()
peak = int(status.split("VmHWM:")[1].split()[0])
"""
VERSIONS = ("segfmt", "numba", "numpy", "pillow", "isal", "msgspec", "opencv-python-headless")


@dataclass(frozen=True)
class Row:
    """One line of the report."""

    group: str
    what: str
    opponent: str
    ratio: float
    target: str
    ours: str
    theirs: str


ROWS: list[Row] = []


def scratch() -> Path:
    """Return where files are written: in memory if it can be, so that no disk is measured."""
    shm = Path("/dev/shm")
    return shm if shm.is_dir() and shutil.disk_usage(shm).free > 2 << 30 else Path("build")


def add_row(
    group: str, what: str, opponent: str, ratio: float, target: str, ours: str, theirs: str
) -> None:
    """Put a figure into the report; `target` is like `>= 4` or `<= 3`, or empty."""
    ROWS.append(Row(group, what, opponent, round(ratio, 3), target, ours, theirs))
    if target.startswith(">="):
        assert ratio >= SLACK * float(target[2:]), f"{what}: {ratio:.2f} against {opponent}"
    elif target.startswith("<="):
        assert ratio <= float(target[2:]) / SLACK, f"{what}: {ratio:.2f} against {opponent}"


def markdown() -> str:
    """Return the report as text that reads well in a terminal too."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in VERSIONS)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    lines = [
        "# Benchmarks",
        "",
        f"{machine}, {versions}.",
        "Ratio: opponent / segfmt, the median of paired rounds; OpenCV pinned to one thread.",
        "Times are of this run on a shared machine: only the ratios count.",
    ]
    for group in dict.fromkeys(row.group for row in ROWS):
        rows = [row for row in ROWS if row.group == group]
        lines += ["", f"## {group}", ""]
        table = [("what", "opponent", "ratio", "target", "segfmt", "opponent's")] + [
            (row.what, row.opponent, f"{row.ratio:.2f}x", row.target, row.ours, row.theirs)
            for row in rows
        ]
        widths = [max(len(row[column]) for row in table) for column in range(6)]
        for index, row in enumerate(table):
            cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
            lines.append("| " + " | ".join(cells) + " |")
            if index == 0:
                lines.append("|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines) + "\n"
