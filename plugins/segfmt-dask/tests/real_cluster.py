"""A scheduler and workers as processes of their own, started as people start them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

from distributed import Client


class RealCluster:
    """`dask scheduler` and `dask worker`s, without nannies: a worker that is killed is gone."""

    def __init__(self, folder: Path, workers: int = 2) -> None:
        self.folder = folder
        self.file = folder / "scheduler.json"
        at_any_port = ("--host", "127.0.0.1", "--port", "0")
        self.scheduler = self._started("scheduler", *at_any_port)
        self.workers: list[subprocess.Popen[bytes]] = []
        for _ in range(workers):
            self.add_worker()

    def add_worker(self, *, first: str = "") -> None:
        """Start a worker that runs this code `first`."""
        options = ["--no-nanny", "--nthreads", "1", "--local-directory", str(self.folder)]
        if first:
            code = self.folder / "first.py"
            code.write_text(first)
            options += ["--preload", str(code)]
        self.workers.append(self._started("worker", *options))

    def wait(self) -> None:
        """Wait until all workers have come."""
        with Client(scheduler_file=str(self.file), set_as_default=False) as client:
            client.wait_for_workers(len(self.workers), timeout=30)

    @property
    def executor(self) -> dict[str, Any]:
        """What to give to `segfmt.convert`."""
        options = {"scheduler_file": str(self.file)}
        return {"executor": "dask", "executor_options": options}

    def _started(self, *command: str) -> subprocess.Popen[bytes]:
        tests = str(Path(__file__).parent)
        options = ("--no-dashboard", "--scheduler-file", str(self.file))
        with (self.folder / "log.txt").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "dask", *command, *options],
                cwd=self.folder,  # not that of the tests, as on another machine
                env={**os.environ, "PYTHONPATH": tests},
                stdout=log,
                stderr=log,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()
