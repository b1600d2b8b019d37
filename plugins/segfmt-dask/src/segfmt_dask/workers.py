"""The workers that a cluster has: they come, and they die."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import segfmt
from segfmt_dask.cluster import GO_ON, connected

if TYPE_CHECKING:
    from distributed import Client


class Workers:
    """What is known of a cluster's workers, since the last look.

    Attributes
    ----------
    threads
        How many chunks they run at once; as many as `expected` while there are none.
    lost
        Whether any that was there is gone.
    """

    def __init__(self, client: Client, expected: int, timeout: float) -> None:
        self._client = client
        self._expected = expected
        self._timeout = timeout
        self._seen: set[str] = set()
        self._alive = time.monotonic()
        self._looked = 0.0
        self.threads = expected
        self.lost = False

    def look(self, every: float = 0.0) -> None:
        """See which there are, unless that was seen in the last so many seconds.

        Raises
        ------
        ExecutorError
            If there has been none for too long.
        """
        now = time.monotonic()
        if now - self._looked < every:
            return
        with connected(self._client):
            threads = self._client.nthreads()
        self._looked = now
        self._seen.update(threads)
        self.threads = sum(threads.values()) or self._expected
        self.lost = len(self._seen) > len(threads)
        if threads:
            self._alive = now
        elif now - self._alive > self._timeout:
            raise segfmt.ExecutorError(
                f"the Dask cluster has had no worker for {self._timeout:g} seconds. {GO_ON}; "
                "-x worker_timeout=SECONDS waits longer"
            )
