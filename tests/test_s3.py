"""S3 over HTTP: moto's server on loopback, written to by several workers at once."""

import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

import segfmt
import segfmt.remote
from aihub_files import dataset
from s3_server import FailingServer, serving
from segfmt import ExecutorError, UsageError
from segfmt.files import walk
from segfmt.places import as_place

pytest.importorskip("s3fs", reason="needs the extra segfmt[remote]")
pytest.importorskip("moto.server", reason="needs moto[server]")

_numbers = count()
STEMS = [f"장면 {number}" for number in range(12)]
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_MAX_ATTEMPTS": "1",  # so that what is counted is segfmt's own
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


@pytest.fixture(scope="module")
def server() -> Iterator[FailingServer]:
    """Return the server; its address is in the environment, as users give theirs."""
    import s3fs

    with pytest.MonkeyPatch.context() as patch, serving() as server:
        for name, value in {**ENVIRONMENT, "AWS_ENDPOINT_URL": server.url}.items():
            patch.setenv(name, value)
        patch.setattr(segfmt.remote, "FIRST_DELAY", 0.01)
        # Not one that another test has made, of another address.
        s3fs.S3FileSystem.clear_instance_cache()
        segfmt.remote._file_system.cache_clear()
        yield server
        segfmt.remote._file_system.cache_clear()
        s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture
def bucket(
    server: FailingServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """Return the URL of an empty bucket."""
    import s3fs

    monkeypatch.setenv("SEGFMT_STATE", str(tmp_path / "state"))
    server.reset()
    name = f"bucket-{next(_numbers)}"
    s3fs.S3FileSystem().mkdir(name)
    return f"s3://{name}"


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a dataset, and what it is as VOC."""
    root = tmp_path_factory.mktemp("s3")
    dataset(root / "src", STEMS)
    segfmt.convert(root / "src", root / "voc", source="aihub", target="voc")
    return root / "src", root / "voc"


def files_at(root: str | Path) -> dict[str, bytes]:
    place = as_place(root)
    return {path.relative_to(place).as_posix(): path.read_bytes() for path in walk(place)}


def test_threads_write_side_by_side(
    bucket: str, local: tuple[Path, Path], tmp_path: Path, server: FailingServer
) -> None:
    url = f"{bucket}/자료/voc"
    report = segfmt.convert(local[0], url, source="aihub", target="voc", workers=2)
    assert (report.done, report.failures) == (12, [])
    # One request a file: nothing is asked before, and nothing read back.
    assert server.count("PUT", "SegmentationClass") == 12
    assert server.count("GET", "SegmentationClass") == 0
    assert files_at(url) == files_at(local[1])
    assert segfmt.verify(url).ok
    report = segfmt.convert(url, tmp_path / "folder", target="folder", workers=2)
    assert (report.done, report.failures) == (12, [])
    segfmt.convert(local[1], tmp_path / "expected", target="folder")
    assert files_at(tmp_path / "folder") == files_at(tmp_path / "expected")


def test_processes_write_side_by_side(bucket: str, local: tuple[Path, Path]) -> None:
    options = ["--from", "aihub", "--to", "voc", "--executor", "processes", "--workers", "2"]
    command = [sys.executable, "-m", "segfmt", "convert", *options, str(local[0]), f"{bucket}/voc"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert files_at(f"{bucket}/voc") == files_at(local[1])


def test_a_failed_upload_is_tried_again(
    bucket: str, local: tuple[Path, Path], server: FailingServer
) -> None:
    server.fail("PUT", "SegmentationClass/장면 3.png", 3)
    report = segfmt.convert(local[0], f"{bucket}/voc", source="aihub", target="voc", workers=2)
    assert report.done == 12
    assert server.count("PUT", "SegmentationClass/장면 3.png") == 4
    assert files_at(f"{bucket}/voc") == files_at(local[1])


def test_an_upload_that_keeps_failing_is_reported_and_the_rest_converted(
    bucket: str, local: tuple[Path, Path], server: FailingServer
) -> None:
    server.fail("PUT", "SegmentationClass/장면 3.png", 1000)
    url = f"{bucket}/voc"
    report = segfmt.convert(local[0], url, source="aihub", target="voc", workers=2)
    assert (report.done, report.failed) == (11, 1)
    assert report.failures[0].error == (
        f"{url}/VOCdevkit/VOC2012/SegmentationClass/장면 3.png: as told (tried 4 times)"
    )
    server.reset()
    again = segfmt.convert(local[0], url, source="aihub", target="voc", workers=2, resume=True)
    assert again.done == 12
    assert server.count("PUT", "SegmentationClass/") == 1
    assert files_at(url) == files_at(local[1])


def test_a_store_that_lets_nobody_write_ends_the_run(
    bucket: str, local: tuple[Path, Path], server: FailingServer
) -> None:
    server.fail("PUT", "/voc/", 1000, "403 Forbidden")
    with pytest.raises(ExecutorError, match="cannot be written: the store refuses: as told"):
        segfmt.convert(local[0], f"{bucket}/voc", source="aihub", target="voc", workers=1)
    assert server.count("PUT", "/voc/") == 1


def test_a_store_that_lets_nobody_in_is_a_usage_error(
    bucket: str, local: tuple[Path, Path], server: FailingServer
) -> None:
    for status, words in (("403 Forbidden", "the store refuses"), ("500 Broken", "tried 4 times")):
        for method in ("HEAD", "GET"):
            server.fail(method, "bucket", 100, status)
        with pytest.raises(UsageError, match=words):
            segfmt.convert(local[0], f"{bucket}/voc", source="aihub", target="voc")
        server.reset()


def test_a_bucket_that_is_not_there_ends_the_run(bucket: str, local: tuple[Path, Path]) -> None:
    with pytest.raises(ExecutorError, match="does not exist"):
        segfmt.convert(local[0], f"{bucket}-no/voc", source="aihub", target="voc")


def test_the_start_of_an_image_is_all_that_its_size_takes(
    bucket: str, tmp_path: Path, server: FailingServer
) -> None:
    import numpy as np

    noise = np.random.default_rng(0).integers(0, 255, (600, 800, 3), np.uint8)
    path = as_place(f"{bucket}/noise.png")
    segfmt.imagefile.write_colors(path, noise)
    assert path.stat().st_size > 1_000_000
    server.reset()
    assert segfmt.image_size(path) == (600, 800)
    assert len(server.requests) == 1
