"""The cluster that is started on this machine."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from multiprocessing import active_children
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from distributed import Client, KilledWorker
from work import DiesOnce, Job, die_on_five, fail_on_five, process_of, slow_square, square

import segfmt
from segfmt_dask import cluster, make
from segfmt_dask.stream import CHUNK, WINDOW_PER_THREAD, Stream


@pytest.fixture
def dashboard_port_is_taken() -> Iterator[None]:
    with ExitStack() as stack:
        with suppress(OSError):  # by somebody else, then
            stack.enter_context(socket.create_server(("127.0.0.1", cluster.DASHBOARD_PORT)))
        yield


@pytest.mark.usefixtures("dashboard_port_is_taken")
def test_every_item_is_done_once_by_two_processes_without_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    results = list(make(2)(process_of, iter(range(200))))
    assert sorted(number for number, _ in results) == list(range(200))
    processes = {process for _, process in results}
    assert len(processes) == 2
    assert os.getpid() not in processes
    assert active_children() == []
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []


def test_the_dashboard_is_there_if_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cluster.DASHBOARD_PORT == 8787  # as Dask's users expect it; here whichever is free
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setattr(cluster, "DASHBOARD_PORT", port)
    results = make(1, dashboard=True)(square, range(100))
    next(results)
    with urlopen(f"http://localhost:{port}/health", timeout=10) as answer:
        assert answer.read() == b"ok"
    results.close()


def test_there_may_be_nothing_to_do() -> None:
    assert list(make(1)(square, iter(()))) == []


def test_an_exception_reaches_the_caller() -> None:
    with pytest.raises(OSError, match="five"):
        list(make(1)(fail_on_five, range(100)))
    assert active_children() == []


def test_input_is_taken_only_as_places_come_free_and_closing_stops_it() -> None:
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        for number in range(10_000):
            taken += 1
            yield number

    results = make(2)(slow_square, items())
    for done in range(1, 60):
        next(results)
        assert taken <= done + (2 * WINDOW_PER_THREAD + 1) * CHUNK
    begun = time.monotonic()
    results.close()
    assert time.monotonic() - begun < 3  # half a second, on a machine with nothing else to do
    assert active_children() == []


def test_a_killed_worker_is_replaced_and_what_it_left_unfinished_removed(tmp_path: Path) -> None:
    (tmp_path / ".segfmt").mkdir()
    assert sorted(make(2)(DiesOnce(tmp_path), range(50))) == list(range(50))
    assert [path.name for path in tmp_path.iterdir()] == [".segfmt"]


def test_an_item_that_kills_every_worker_is_named() -> None:
    jobs = [Job(segfmt.SampleRef(f"frame_{number}", "train")) for number in range(20)]
    finished: list[str] = []
    with pytest.raises(segfmt.ExecutorError, match=r"takes train/frame_5 dies.*--resume") as error:
        finished.extend(make(1)(die_on_five, jobs))
    assert isinstance(error.value.__cause__, KilledWorker)
    assert len(finished) >= 5  # those of its chunk that were tried before it
    assert active_children() == []


def test_results_that_die_before_they_are_fetched_are_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gather = Client.gather
    failures = [KilledWorker("task", None, 1)]

    def lose_once(*args: object, **options: object) -> object:
        if failures:
            raise failures.pop()
        return gather(*args, **options)

    monkeypatch.setattr(Client, "gather", lose_once)
    assert sorted(make(1)(square, range(30))) == [n * n for n in range(30)]
    assert failures == []


def test_results_that_die_before_they_are_looked_at_are_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    next_done = Stream._next_done
    losses: list[str] = []

    def lose_once(stream: Any) -> Any:
        done = next_done(stream)
        if not losses:
            state = done[0].future._state
            losses.append(state.status)
            state.lose()
            stream._client.loop.call_later(0.3, state.finish)  # as the scheduler tells in the end
        return done

    monkeypatch.setattr(Stream, "_next_done", lose_once)
    assert sorted(make(1)(square, range(30))) == [n * n for n in range(30)]
    assert losses == ["finished"]


def test_an_unguarded_script_is_told_of_the_guard(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("from segfmt_dask import make\nprint(list(make(1)(abs, [1])))\n")
    command = [sys.executable, script]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert ended.returncode == 1
    assert 'guard what converts by if __name__ == "__main__":' in ended.stderr.splitlines()[-1]
