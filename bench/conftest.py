"""Paired rounds, and the report at the end of a run."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from figures import REPORT, ROWS, SHORT, add_row, markdown, scratch
from opponents import single_threaded


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = scratch() / f"segfmt-bench-{os.getpid()}" / tmp_path_factory.mktemp("x").name
    path.mkdir(parents=True)
    yield path
    shutil.rmtree(path)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    single_threaded()


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
        # Few rounds are asked of opponents that take seconds: in short mode two will do, and they
        # need no warming up.
        slow = SHORT and rounds <= 3
        rounds = (2 if slow else max(3, rounds // 4)) if SHORT else rounds
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
        if slow:
            then_ours()
        benchmark.pedantic(
            then_ours, setup=opponent_first, rounds=rounds, warmup_rounds=0 if slow else 1
        )
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
