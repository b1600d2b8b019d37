"""Paired rounds and one report: every figure is a ratio against a named opponent in the same run.

The machine is never quiet, so absolute times say little: in each round the opponent runs, then
segfmt, and the figure is the median of the rounds' ratios.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

from opponents import single_threaded

REPORT = Path("build/bench")
SHORT = os.environ.get("SEGFMT_BENCH") == "short"
SLACK = 0.6  # of a target: under this a figure is no noise but a fault, and the benchmark fails
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


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = scratch() / f"segfmt-bench-{os.getpid()}" / tmp_path_factory.mktemp("x").name
    path.mkdir(parents=True)
    yield path
    shutil.rmtree(path)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    single_threaded()


def add_row(
    group: str, what: str, opponent: str, ratio: float, target: str, ours: str, theirs: str
) -> None:
    """Put a figure into the report; `target` is like `>= 4` or `<= 3`, or empty."""
    ROWS.append(Row(group, what, opponent, round(ratio, 3), target, ours, theirs))
    if target.startswith(">="):
        assert ratio >= SLACK * float(target[2:]), f"{what}: {ratio:.2f} against {opponent}"
    elif target.startswith("<="):
        assert ratio <= float(target[2:]) / SLACK, f"{what}: {ratio:.2f} against {opponent}"


@pytest.fixture
def paired(benchmark: Any) -> Callable[..., float]:
    """Return `paired(group, what, opponent, ours, theirs, rounds, target, per, calls)`.

    Measures both in turn and reports how many times longer the opponent takes. `per` is how many
    images each of the two does at once; `calls` how often each is called in a round, so that what
    takes under a millisecond is not measured on the other's cold caches.
    """

    def run(
        group: str,
        what: str,
        opponent: str,
        ours: Callable[[], object],
        theirs: Callable[[], object],
        rounds: int,
        target: str,
        per: tuple[int, int] = (1, 1),
        calls: int = 1,
    ) -> float:
        rounds = max(3, rounds // 4) if SHORT else rounds
        their_times: list[float] = []

        def opponent_first() -> None:
            started = time.perf_counter()
            for _ in range(calls):
                theirs()
            their_times.append((time.perf_counter() - started) / (per[1] * calls))

        def then_ours() -> None:
            for _ in range(calls):
                ours()

        benchmark.group = group
        benchmark.pedantic(then_ours, setup=opponent_first, rounds=rounds, warmup_rounds=1)
        our_times = [seconds / (per[0] * calls) for seconds in benchmark.stats.stats.data]
        their_times = their_times[-len(our_times) :]
        ratio = statistics.median(t / o for t, o in zip(their_times, our_times, strict=True))
        benchmark.extra_info["ratio"] = ratio
        add_row(
            group,
            what,
            opponent,
            ratio,
            target,
            f"{statistics.median(our_times) * 1e3:.2f} ms",
            f"{statistics.median(their_times) * 1e3:.2f} ms",
        )
        return ratio

    return run


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


def pytest_sessionfinish() -> None:
    if ROWS:
        REPORT.mkdir(parents=True, exist_ok=True)
        (REPORT / "report.md").write_text(markdown(), encoding="utf-8")
        (REPORT / "report.json").write_text(
            json.dumps([asdict(row) for row in ROWS], indent=2) + "\n", encoding="utf-8"
        )


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if ROWS:
        terminalreporter.write_line("")
        terminalreporter.write(markdown())
