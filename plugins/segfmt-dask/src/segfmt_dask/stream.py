"""One run of items on a cluster, whatever becomes of its workers."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Generic
from uuid import uuid4

from distributed import KilledWorker
from distributed.protocol.pickle import dumps, loads

import segfmt
from segfmt_dask import Item, Result
from segfmt_dask._segfmt import sweep
from segfmt_dask.cluster import GO_ON, connected, gone
from segfmt_dask.parcel import pack, task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from distributed import Client, Future

    from segfmt_dask.workers import Workers

CHUNK = 8  # items; a task costs Dask a millisecond or two
# Chunks. Dask hands two to each thread; the third is at the scheduler when one of them ends.
WINDOW_PER_THREAD = 3
LOOK_SECONDS = 1.0


@dataclass(frozen=True)
class _Sent:
    """A chunk that was sent; `alone` if nothing else was, to see whether it kills its worker."""

    chunk: list[Any]
    future: Future[bytes | str]
    alone: bool


class Stream(Generic[Item, Result]):
    """Runs items in the workers of a cluster, with a window of them in flight.

    What a worker was doing when it died, the scheduler gives to another: items may be run twice.
    When it gives a chunk up, as too many have died of it, that is run again item by item.
    """

    def __init__(
        self,
        client: Client,
        workers: Workers,
        fn: Callable[[Item], Result],
        items: Iterable[Item],
    ) -> None:
        self._client = client
        self._workers = workers
        self._items = iter(items)
        self._name = f"segfmt-{uuid4().hex}"
        self._count = self._pending = 0
        self._done: SimpleQueue[_Sent] = SimpleQueue()
        self._suspects: deque[Item] = deque()
        self._one_alone = False
        target = getattr(fn, "target", None)
        self._target = target if isinstance(target, Path) else None  # or else a URL, or nothing
        self._task = task()
        with connected(client):
            # The result of a task, not scattered data: should all workers that have it die, the
            # scheduler makes it again. Else they get it from each other, once each.
            parcel = pack(fn, self._target)
            self._parcel = client.submit(bytes, parcel, key=f"{self._name}-work", pure=False)

    def results(self) -> Iterator[Result]:
        """Yield the results as they come."""
        self._workers.look()
        while self._fill():
            finished: list[_Sent] = []
            failed: list[_Sent] = []
            for sent in self._next_done():
                match sent.future.status:
                    case "finished":
                        finished.append(sent)
                    case "lost" | "pending":  # it died with its worker since, and is made again
                        self._await(sent)
                    case _:
                        failed.append(sent)
            yield from self._fetched(finished)
            for sent in failed:
                self._retry(sent)
        with suppress(segfmt.ExecutorError):  # what becomes of the cluster now does not matter
            self._workers.look()
        if self._workers.lost and self._target:
            sweep(self._target)  # what a killed worker was writing

    def _fill(self) -> bool:
        """Send chunks while the window has room; return whether any are pending."""
        while self._pending < self._window:
            if self._suspects:
                self._send([self._suspects.popleft()], alone=True)
            elif chunk := list(islice(self._items, CHUNK)):
                self._send(chunk, alone=False)
            else:
                break
        return self._pending > 0

    @property
    def _window(self) -> int:
        if self._suspects or self._one_alone:
            return 1
        return self._workers.threads * WINDOW_PER_THREAD

    def _send(self, chunk: list[Item], *, alone: bool) -> None:
        # Keys of one group that is larger than the cluster: Dask gives such tasks to whoever is
        # free, any others to those that have the parcel already.
        self._count += 1
        key = (self._name, self._count)
        with connected(self._client):
            future = self._client.submit(
                self._task, self._parcel, dumps(chunk), key=key, pure=False
            )
        self._pending += 1
        self._one_alone = alone
        self._await(_Sent(chunk, future, alone))

    def _await(self, sent: _Sent) -> None:
        sent.future.add_done_callback(lambda _: self._done.put(sent))

    def _next_done(self) -> list[_Sent]:
        """Wait until some are done, well or not; return all that are."""
        done: list[_Sent] = []
        while not done:
            self._workers.look(every=LOOK_SECONDS)
            with suppress(Empty):
                done.append(self._done.get(timeout=LOOK_SECONDS))
                while True:
                    done.append(self._done.get_nowait())
        return done

    def _fetched(self, finished: list[_Sent]) -> Iterator[Result]:
        try:
            with connected(self._client):
                # All at once: on a fast cluster, one after another would be the bottleneck.
                gathered = self._client.gather([sent.future for sent in finished])
        except KilledWorker:  # results died with a worker, and others died of making them again
            for sent in finished:
                self._await(sent)
            return
        for sent, results in zip(finished, gathered, strict=True):
            self._forget(sent)
            if isinstance(results, str):
                raise segfmt.ExecutorError(results)
            yield from loads(results)

    def _retry(self, failed: _Sent) -> None:
        """Send the items of a chunk that killed its workers again; raise what else went wrong."""
        self._forget(failed)
        if failed.future.status != "error":
            raise gone("the connection broke, or it was restarted")
        try:
            failed.future.result()
        except KilledWorker as error:
            if failed.alone:
                raise segfmt.ExecutorError(
                    f"every worker that takes {_name(failed.chunk[0])} dies: killed from outside, "
                    f"most likely for want of memory. {GO_ON}, with fewer or larger workers"
                ) from error
            self._suspects.extend(failed.chunk)

    def _forget(self, sent: _Sent) -> None:
        self._pending -= 1
        self._one_alone = self._one_alone and not sent.alone


def _name(item: object) -> str:
    ref = getattr(item, "ref", None)
    return f"{ref.split}/{ref.key}" if isinstance(ref, segfmt.SampleRef) else repr(item)
