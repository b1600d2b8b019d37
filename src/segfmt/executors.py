"""Ways to run samples: one after another, in threads, in processes.

An executor turns `(fn, items)` into an unordered stream of results and holds only a window of items
in flight, so that memory does not grow with the dataset. The standard pools' own `map` would read
all items before the first result.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    Future,
    ThreadPoolExecutor,
    wait,
)
from itertools import islice
from typing import Any

from segfmt.errors import ExecutorError
from segfmt.format import Executor, Item, Map, Result
from segfmt.hookspecs import hookimpl
from segfmt.limits import set_limits, use_limits

WINDOW_PER_WORKER = 2  # chunks
GRACE_SECONDS = 0.5  # for samples that have begun when a run is stopped
# Samples handed over at once: a future costs a tenth of a small sample, a trip to a process more.
THREAD_CHUNK, PROCESS_CHUNK = 4, 8


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def make_serial(workers: int) -> Map:  # noqa: ARG001 - every executor is told its workers
    """Run every sample in the calling thread; `workers` does not count."""

    def run(fn: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        yield from map(fn, items)

    return run


def make_threads(workers: int) -> Map:
    """Run samples in threads of this process: kernels, PNG and disks do not hold the GIL."""
    if workers == 1:
        return make_serial(1)  # a second thread would only wait for the first

    def run(fn: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        pool = ThreadPoolExecutor(workers, thread_name_prefix="segfmt")
        stopped = threading.Event()

        def run_chunk(chunk: list[Item]) -> list[Result]:
            return [fn(item) for item in chunk if not stopped.is_set()]

        try:
            stream = windowed(
                lambda chunk: pool.submit(run_chunk, chunk),
                _chunks(items, THREAD_CHUNK),
                workers * WINDOW_PER_WORKER,
            )
            for results in stream:
                yield from results
        finally:
            # A sample may take long, and whoever stops a run wants it stopped.
            stopped.set()
            stream.close()
            pool.shutdown(wait=False)

    return run


def make_processes(workers: int) -> Map:
    """Run samples in processes of their own, a few at a time; `fn` is sent to each process once."""

    def run(fn: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        # Here, as every start would pay for them.
        from concurrent.futures.process import BrokenProcessPool, ProcessPoolExecutor
        from multiprocessing import active_children, get_all_start_methods, get_context

        # Forking a process that has threads can deadlock; a forkserver starts from a clean one.
        methods = get_all_start_methods()
        context = get_context("forkserver" if "forkserver" in methods else "spawn")
        others = set(active_children())
        pool = ProcessPoolExecutor(workers, context, initializer=_keep, initargs=(fn, set_limits()))
        stream = windowed(
            lambda chunk: pool.submit(_run_chunk, chunk),
            _chunks(items, PROCESS_CHUNK),
            workers * WINDOW_PER_WORKER,
        )
        finished = False
        try:
            for results in stream:
                yield from results
            finished = True
        except BrokenProcessPool as error:
            raise ExecutorError(
                "a worker process died: killed from outside, perhaps for want of memory. What is "
                "finished stands: go on with --resume and fewer --workers, or --executor threads"
            ) from error
        finally:
            stream.close()
            pool.shutdown(wait=finished)
            for process in set(active_children()) - others:
                process.terminate()

    return run


def windowed(
    submit: Callable[[Item], Future[Result]], items: Iterable[Item], window: int
) -> Generator[Result]:
    """Yield results as they come, with at most `window` items in flight.

    When the stream is closed, futures that have not begun are cancelled, and those that have get
    a moment to end.
    """
    pending: set[Future[Result]] = set()
    try:
        for item in items:
            pending.add(submit(item))
            if len(pending) >= window:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        while pending:
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
    finally:
        wait([future for future in pending if not future.cancel()], GRACE_SECONDS)


_fn: Callable[[Any], Any]


def _keep(fn: Callable[[Any], Any], limits: dict[str, str]) -> None:
    global _fn  # noqa: PLW0603 - the one way to hand a process something once
    _fn = fn
    use_limits(limits)  # the forkserver has the environment of when it was first needed
    # Ctrl-C reaches every process of a terminal; the main one alone is to answer.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _run_chunk(chunk: Sequence[Any]) -> list[Any]:
    return [_fn(item) for item in chunk]


def _chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    stream = iter(items)
    while chunk := list(islice(stream, size)):
        yield chunk


@hookimpl
def segfmt_executors() -> list[Executor]:
    """Bring the three executors that need nothing but the standard library."""
    return [
        Executor("serial", "one sample after another", make_serial),
        Executor("threads", "threads of one process (the default)", make_threads),
        Executor("processes", "processes on this machine", make_processes),
    ]
