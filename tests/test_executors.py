import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from segfmt import ExecutorError, plugins
from segfmt.executors import (
    THREAD_CHUNK,
    WINDOW_PER_WORKER,
    make_processes,
    make_serial,
    make_threads,
)

MAKERS = [make_serial, make_threads, make_processes]


def square(number: int) -> int:
    return number * number


def kill_on_five(number: int) -> int:
    if number == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def fail_on_five(number: int) -> int:
    if number == 5:
        raise ValueError("five")
    return number


@pytest.mark.parametrize("make", MAKERS)
def test_every_item_is_done_once(make) -> None:
    assert sorted(make(2)(square, iter(range(100)))) == [n * n for n in range(100)]


@pytest.mark.parametrize("make", MAKERS)
def test_an_exception_reaches_the_caller(make) -> None:
    with pytest.raises(ValueError, match="five"):
        list(make(2)(fail_on_five, range(100)))


def test_input_is_taken_only_as_places_come_free() -> None:
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        for number in range(1000):
            taken += 1
            yield number

    results = make_threads(2)(square, items())
    for done in range(1, 20):
        next(results)
        assert taken <= done + (2 * WINDOW_PER_WORKER + 1) * THREAD_CHUNK
    results.close()
    assert taken < 60


def test_closing_waits_for_what_has_begun_and_starts_nothing_more() -> None:
    begun, ended = [], []
    lock = threading.Lock()

    def work(number: int) -> int:
        with lock:
            begun.append(number)
        time.sleep(0.01)
        with lock:
            ended.append(number)
        return number

    results = make_threads(2)(work, range(1000))
    next(results)
    results.close()
    assert sorted(begun) == sorted(ended)
    assert len(begun) <= 2 * WINDOW_PER_WORKER * THREAD_CHUNK


def test_a_killed_worker_is_an_executor_error() -> None:
    with pytest.raises(ExecutorError, match="a worker process died"):
        list(make_processes(2)(kill_on_five, range(20)))


def test_they_are_found_by_name() -> None:
    assert sorted(plugins.executor_named("serial").make(1)(square, [1, 2])) == [1, 4]
