"""Clusters: one of this machine's processes, or one that runs already."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import time
from concurrent.futures import CancelledError, Future, wait
from contextlib import ExitStack, contextmanager
from multiprocessing import resource_tracker
from pathlib import Path
from typing import TYPE_CHECKING

from distributed import Client, LocalCluster, Security
from distributed.client import ClosedClientError
from distributed.comm.core import connect
from distributed.utils import LoopRunner, silence_logging_cmgr
from tornado.platform.asyncio import BaseAsyncIOLoop

import segfmt

if TYPE_CHECKING:
    from collections.abc import Iterator

QUIET = logging.CRITICAL + 1  # what concerns the run is raised; Dask's own logs are many lines
DASHBOARD_PORT = 8787  # Dask's own
GRACE_SECONDS = 0.5  # for samples that have begun when a run is stopped
POLL_SECONDS = 0.1
GO_ON = "What is finished stands, and --resume goes on with the rest"


@contextmanager
def local(workers: int, *, dashboard: bool) -> Iterator[Client]:
    """Start a cluster on this machine, and stop it at the end."""
    with silence_logging_cmgr(QUIET), ExitStack() as stack:
        with _interrupts_held():
            cluster = LocalCluster(
                n_workers=0,  # they are started where an interrupt does not leave half of them
                threads_per_worker=1,
                memory_limit=0,  # as with processes of any other kind, what there is is for all
                # Without an address it would take 8787 all the same, or complain that it is taken.
                dashboard_address=f"localhost:{DASHBOARD_PORT if dashboard else 0}",
                silence_logs=QUIET,
                # Each death costs the start of a process; who dies twice is tried alone anyway.
                scheduler_kwargs={"allowed_failures": 1, "dashboard": dashboard},
            )
            loop = cluster.loop
            assert isinstance(loop, BaseAsyncIOLoop)  # noqa: S101 - Tornado has no other any more
            starting = asyncio.run_coroutine_threadsafe(
                _start_workers(cluster, workers), loop.asyncio_loop
            )
            stack.callback(_stop, cluster, starting)
        try:
            starting.result()
        except RuntimeError as error:
            raise segfmt.ExecutorError(
                "the processes of a local Dask cluster did not start. In a script, guard what "
                'converts by if __name__ == "__main__":, as they import the script'
            ) from error
        yield stack.enter_context(Client(cluster, set_as_default=False))


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Let Ctrl-C wait, so that threads are started deaf to it.

    It reaches every process of a terminal, and the main one alone is to answer. Workers inherit the
    mask from the thread that starts them, those that replace others as well.
    """
    if not hasattr(signal, "pthread_sigmask"):  # as on Windows
        yield
        return
    resource_tracker.ensure_running()  # when it starts it lifts the mask
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


async def _start_workers(cluster: LocalCluster, count: int) -> None:
    cluster.scale(count)
    await cluster


def _stop(cluster: LocalCluster, starting: Future[None]) -> None:
    wait([starting])  # a cluster that is half started cannot be closed
    cluster.sync(_stop_workers, cluster)
    cluster.close()


async def _stop_workers(cluster: LocalCluster) -> None:
    # Closing the cluster alone would give samples that have begun four seconds to end.
    nannies = cluster.workers.values()
    await asyncio.gather(*(nanny.close(timeout=GRACE_SECONDS) for nanny in nannies))


@contextmanager
def running(address: str, file: str, timeout: float) -> Iterator[Client]:
    """Connect to a scheduler that runs already, by its address or by the file that has it."""
    address = address or _address_in(Path(file), timeout)
    with silence_logging_cmgr(QUIET):
        try:
            # A client that fails on what is no scheduler, such as its dashboard, is not closed.
            LoopRunner().run_sync(_reach, address, timeout)
            client = Client(address, timeout=timeout, set_as_default=False)
        except Exception as error:
            raise segfmt.ExecutorError(
                f"no Dask scheduler answers at {address}: {error}. See that it runs and that this "
                "machine reaches it; -x timeout=SECONDS waits longer"
            ) from error
        with client:
            yield client


async def _reach(address: str, timeout: float) -> None:
    settings = Security().get_connection_args("client")
    comm = await connect(address, timeout=timeout, **settings)
    await comm.close()


def _address_in(file: Path, timeout: float) -> str:
    """Wait until a scheduler has written its file, and return the address in it."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            return str(json.loads(file.read_text(encoding="utf-8"))["address"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            if time.monotonic() > deadline:
                raise segfmt.ExecutorError(
                    f"no Dask scheduler has written its address to {file}. Start one with "
                    "--scheduler-file; -x timeout=SECONDS waits longer"
                ) from error
        time.sleep(POLL_SECONDS)


@contextmanager
def connected(client: Client) -> Iterator[None]:
    """Raise `ExecutorError` if the scheduler is gone; Dask itself would go on looking for it."""
    try:
        if client.status != "running":
            raise gone("the connection broke")
        yield
    except (OSError, CancelledError, ClosedClientError) as error:
        raise gone(error) from error


def gone(reason: object) -> segfmt.ExecutorError:
    """Return the error of a run whose scheduler is gone."""
    return segfmt.ExecutorError(
        f"the Dask scheduler is gone: {reason}. {GO_ON} when there is one again"
    )
