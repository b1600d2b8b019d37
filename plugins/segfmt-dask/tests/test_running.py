"""A cluster that runs already, and what may become of it."""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from real_cluster import RealCluster
from work import Writes, process_of, slow_square, square

import segfmt
from segfmt_dask import make


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealCluster]:
    with RealCluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


def test_its_workers_do_every_item_however_it_is_found(cluster: RealCluster) -> None:
    results = list(make(1, scheduler_file=str(cluster.file))(process_of, range(100)))
    assert sorted(number for number, _ in results) == list(range(100))
    assert {process for _, process in results} <= {worker.pid for worker in cluster.workers}
    address = json.loads(cluster.file.read_text())["address"]
    assert sorted(make(1, scheduler=address)(square, range(20))) == [n * n for n in range(20)]


def test_a_target_that_workers_do_not_see_is_refused(
    cluster: RealCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make(1, scheduler_file=str(cluster.file))
    target = tmp_path / "dst"
    with pytest.raises(segfmt.ExecutorError, match=f"does not see the target {target}"):
        list(run(Writes(target), range(3)))
    monkeypatch.chdir(tmp_path)
    (target / ".segfmt").mkdir(parents=True)
    with pytest.raises(segfmt.ExecutorError, match="give SRC and DST as absolute paths"):
        list(run(Writes(Path("dst")), range(3)))
    assert sorted(run(Writes(target), range(3))) == [0, 1, 2]


NO_PLUGIN = """
import sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "segfmt_dask":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Finder())
"""
OTHERS = """
import importlib.metadata

def version(name):
    if name == "segfmt-dask":
        raise importlib.metadata.PackageNotFoundError
    return "0.0.1"

importlib.metadata.version = version
"""


@pytest.mark.parametrize(
    ("first", "problem"),
    [
        (NO_PLUGIN, "has no segfmt-dask: No module named 'segfmt_dask'"),
        (OTHERS, r"has segfmt 0\.0\.1, not .*; segfmt-dask not installed, not .*Install there"),
    ],
    ids=["no plug-in", "other versions"],
)
def test_workers_must_have_what_is_installed_here(tmp_path: Path, first: str, problem: str) -> None:
    with RealCluster(tmp_path, workers=0) as cluster:
        cluster.add_worker(first=first)
        with pytest.raises(segfmt.ExecutorError, match=problem):
            list(make(1, scheduler_file=str(cluster.file))(abs, range(3)))


def test_a_scheduler_that_dies_ends_the_run(tmp_path: Path) -> None:
    with RealCluster(tmp_path, workers=1) as cluster:
        results = make(1, scheduler_file=str(cluster.file))(slow_square, range(10_000))
        next(results)
        cluster.scheduler.kill()
        begun = time.monotonic()
        with pytest.raises(segfmt.ExecutorError, match=r"scheduler is gone: .*--resume goes on"):
            list(results)
        assert time.monotonic() - begun < 5


def test_workers_that_all_die_end_the_run_unless_others_come(tmp_path: Path) -> None:
    with RealCluster(tmp_path, workers=1) as cluster:
        cluster.wait()
        run = make(1, scheduler_file=str(cluster.file), worker_timeout=0.5)
        results = run(slow_square, range(10_000))
        next(results)
        cluster.workers[0].kill()
        with pytest.raises(segfmt.ExecutorError, match=r"no worker for 0\.5 seconds.*--resume"):
            list(results)
        results = make(1, scheduler_file=str(cluster.file))(slow_square, range(40))
        cluster.add_worker()
        assert sorted(results) == [n * n for n in range(40)]


def test_no_scheduler_is_told_within_the_timeout(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    begun = time.monotonic()
    with pytest.raises(segfmt.ExecutorError, match=f"answers at tcp://127.0.0.1:{port}: Timed out"):
        list(make(1, scheduler=f"tcp://127.0.0.1:{port}", timeout=0.5)(abs, [1]))
    with pytest.raises(segfmt.ExecutorError, match=r"written its address to .*scheduler\.json"):
        list(make(1, scheduler_file=str(tmp_path / "scheduler.json"), timeout=0.5)(abs, [1]))
    with pytest.raises(segfmt.ExecutorError, match="answers at nonsense: missing port number"):
        list(make(1, scheduler="nonsense", timeout=0.5)(abs, [1]))
    assert time.monotonic() - begun < 5


def test_another_server_is_no_scheduler() -> None:
    def answer() -> None:
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 10)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = Thread(target=answer)
        thread.start()
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(segfmt.ExecutorError, match="no Dask scheduler answers at"):
            list(make(1, scheduler=address, timeout=2)(abs, [1]))
        thread.join()


def test_options_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(segfmt.UsageError, match="not both"):
        make(1, scheduler="tcp://host:8786", scheduler_file="scheduler.json")
    with pytest.raises(segfmt.UsageError, match="for the local cluster"):
        make(1, scheduler="tcp://host:8786", dashboard=True)
