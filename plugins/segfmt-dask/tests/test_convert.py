"""Whole conversions: the same bytes, whatever happens on the way."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image
from real_cluster import RealCluster

import segfmt
from segfmt.testing.record import files_below

SAMPLES = 80
OPTIONS = {"source": "folder", "target": "voc", "tile": "128x128"}
COMMAND = [sys.executable, "-m", "segfmt", "convert", "--from", "folder", "--to", "voc"]
TILED = ("--tile", "128x128", "--workers", "2", "--executor", "dask")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of which one mask is broken."""
    root = tmp_path_factory.mktemp("source") / "src"
    pixels = np.random.default_rng(0)
    for number in range(SAMPLES):
        image = root / f"images/train/frame_{number:03}.jpg"
        image.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.integers(0, 256, (256, 384, 3), np.uint8)).save(image)
        mask = np.full((256, 384), number % 3, np.uint8)
        segfmt.write_mask(root / f"masks/train/frame_{number:03}.png", mask)
    (root / "masks/train/frame_030.png").write_bytes(b"no mask")
    return root


@pytest.fixture(scope="module")
def whole(source: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What comes of it, sample by sample in one process."""
    target = tmp_path_factory.mktemp("whole") / "dst"
    report = segfmt.convert(source, target, executor="serial", **OPTIONS)
    assert counts(report) == EXPECTED
    return files_below(target)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[RealCluster]:
    folder = tmp_path / "cluster"
    folder.mkdir()
    with RealCluster(folder) as cluster:
        yield cluster


EXPECTED = (SAMPLES, (SAMPLES - 1) * 6, 0, 1)  # six tiles each


def counts(report: segfmt.Report) -> tuple[int, int, int, int]:
    return report.total, report.done, report.skipped, report.failed


def test_a_local_cluster_writes_the_same_and_tells_its_progress(
    source: Path, whole: dict[str, str], tmp_path: Path
) -> None:
    told: list[tuple[int, int]] = []

    def tell(report: segfmt.Report, total: int) -> None:
        told.append((report.done + report.failed, total))

    options: dict[str, Any] = {**OPTIONS, "workers": 2, "progress": tell}
    report = segfmt.convert(source, tmp_path / "dst", executor="dask", **options)
    assert counts(report) == EXPECTED
    assert files_below(tmp_path / "dst") == whole
    assert len(told) == SAMPLES + 1  # after listing, and after each sample
    assert told == sorted(told)
    assert told[-1] == (sum(EXPECTED[1:]), SAMPLES)


def test_a_worker_killed_in_mid_run_changes_nothing(
    source: Path, whole: dict[str, str], tmp_path: Path, cluster: RealCluster
) -> None:
    def kill_one(report: segfmt.Report, total: int) -> None:
        if report.done >= 60:
            cluster.workers[0].kill()

    cluster.wait()
    options = {**OPTIONS, **cluster.executor, "progress": kill_one}
    report = segfmt.convert(source, tmp_path / "dst", **options)
    assert cluster.workers[0].wait() == -signal.SIGKILL
    assert cluster.workers[1].poll() is None
    assert counts(report) == EXPECTED
    assert files_below(tmp_path / "dst") == whole


def started(source: Path, target: Path, *options: str, files: int) -> subprocess.Popen[str]:
    """Start a conversion in a process group of its own, and wait for so many files."""
    process = subprocess.Popen(
        [*COMMAND, str(source), str(target), *TILED, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while sum(1 for path in target.rglob("*") if path.is_file()) < files:
        assert process.poll() is None
        time.sleep(0.01)
    return process


def test_a_killed_run_is_gone_on_with(
    source: Path, whole: dict[str, str], tmp_path: Path, cluster: RealCluster
) -> None:
    options = ("-x", f"scheduler_file={cluster.file}")
    process = started(source, tmp_path / "dst", *options, files=100)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert 0 < len(files_below(tmp_path / "dst")) < len(whole)
    options = {**OPTIONS, **cluster.executor, "resume": True}
    report = segfmt.convert(source, tmp_path / "dst", **options)
    assert counts(report) == EXPECTED
    assert files_below(tmp_path / "dst") == whole


def ended(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE  # where nobody is there to bury it
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize("files", [1, 60], ids=["while workers start", "in mid-run"])
def test_ctrl_c_stops_all_processes_and_says_how_to_go_on(
    source: Path, tmp_path: Path, files: int
) -> None:
    process = started(source, tmp_path / "dst", "--tile", "8x8", files=files)
    children = psutil.Process(process.pid).children(recursive=True)
    begun = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to workers, too
    _, error = process.communicate(timeout=30)
    assert time.monotonic() - begun < 5  # half a second, on a machine with nothing else to do
    assert process.returncode == 130
    text = "Stopped. What is finished stands; the same command with --resume goes on.\n"
    assert error.endswith(text)
    assert "Traceback" not in error
    while not all(ended(child) for child in children):
        assert time.monotonic() - begun < 10
