"""Samples on Dask: a cluster of this machine's processes, or a running one of many machines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, TypeVar

import segfmt
from segfmt_dask._segfmt import Map

Item = TypeVar("Item")
Result = TypeVar("Result")


def make(
    workers: int,
    *,
    scheduler: Annotated[str, "address of a running scheduler, such as tcp://host:8786"] = "",
    scheduler_file: Annotated[str, "file that a running scheduler wrote its address to"] = "",
    timeout: Annotated[float, "seconds to wait for the scheduler"] = 10.0,
    worker_timeout: Annotated[float, "seconds to go on while there is no worker"] = 60.0,
    dashboard: Annotated[bool, "show the local cluster at localhost:8787"] = False,
) -> Map:
    """Run samples on Dask.

    Without an address or a file, a cluster of `workers` processes is started on this machine, and
    stopped at the end; a running one has the workers that it has.
    """
    if scheduler and scheduler_file:
        raise segfmt.UsageError("give -x scheduler or -x scheduler_file, not both")
    if dashboard and (scheduler or scheduler_file):
        raise segfmt.UsageError("-x dashboard is for the local cluster: a running one has its own")

    def run(fn: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        # Dask takes a second to import, and every start of segfmt imports its plug-ins.
        from segfmt_dask.cluster import local, running
        from segfmt_dask.stream import Stream
        from segfmt_dask.workers import Workers

        cluster = (
            running(scheduler, scheduler_file, timeout)
            if scheduler or scheduler_file
            else local(workers, dashboard=dashboard)
        )
        with cluster as client:
            known = Workers(client, workers, worker_timeout)
            yield from Stream(client, known, fn, items).results()

    return run


@segfmt.hookimpl
def segfmt_executors() -> list[segfmt.Executor]:
    """Bring the executor."""
    return [segfmt.Executor("dask", "processes of a Dask cluster, here or elsewhere", make)]
