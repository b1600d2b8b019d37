"""`segfmt verify`, as a user types it."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import segfmt
from aihub_files import annotation, dataset, label
from segfmt.imagefile import write_mask
from segfmt.verification import verify

BASE = Path("VOCdevkit/VOC2012")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    labels = {name: label(annotation("sky")) for name in "abc"}
    src = dataset(tmp_path / "src", list("abc"), labels)
    segfmt.convert(src, tmp_path / "dst", source="aihub", target="voc")
    return tmp_path / "dst"


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "segfmt", "verify", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, check=False)


def test_what_was_just_written_is_whole(target: Path) -> None:
    result = command(target)
    assert result.returncode == 0, result.stderr
    assert "3 samples, 9 files, 3 labels read back" in " ".join(result.stdout.split())
    assert result.stdout.endswith("Everything is as it was written.\n")


@pytest.mark.parametrize("name", ["JPEGImages/b.jpg", "SegmentationClass/b.png", "labelmap.txt"])
def test_every_flipped_bit_is_found(target: Path, name: str) -> None:
    path = target / BASE / name
    whole = path.read_bytes()
    for place in range(0, len(whole), max(1, len(whole) // 7)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        found = verify(target, labels=False)
        assert [fault.name for fault in found.faults] == [f"{BASE}/{name}"]
        assert "has changed" in found.faults[0].problem


def test_missing_and_cut_files_are_found(target: Path) -> None:
    (target / BASE / "SegmentationClass/a.png").unlink()
    image = target / BASE / "JPEGImages/c.jpg"
    image.write_bytes(image.read_bytes()[:100])
    (target / BASE / "ImageSets/Segmentation/train.txt").unlink()
    result = command(target)
    assert result.returncode == 1
    text = " ".join(result.stdout.split())
    assert f"{BASE}/SegmentationClass/a.png is missing" in text
    assert f"{BASE}/JPEGImages/c.jpg is 100 bytes long, not" in text
    assert f"{BASE}/ImageSets/Segmentation/train.txt is missing" in text


def test_ids_without_a_class_are_found(target: Path) -> None:
    write_mask(target / BASE / "SegmentationClass/b.png", np.full((12, 16), 77, np.uint8))
    problems = {fault.name: fault.problem for fault in verify(target).faults}
    assert "has the id 77, which is no class" in problems["train/b"]


def test_samples_that_are_not_read_back_are_missed(target: Path) -> None:
    listed = target / BASE / "ImageSets/Segmentation/train.txt"
    listed.write_text("a\nb\n")
    problems = {fault.name: fault.problem for fault in verify(target).faults}
    assert problems["."] == "3 samples were written, 2 are read back"


def test_what_is_no_finished_run_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    result = command(tmp_path / "mine")
    assert result.returncode == 2
    assert "has no journal: segfmt did not write it" in " ".join(result.stderr.split())
    assert not list((tmp_path / "mine").iterdir())

    def stop(report: segfmt.Report, total: int) -> None:
        if report.done:
            raise KeyboardInterrupt

    src = dataset(tmp_path / "src", ["a", "b"])
    with pytest.raises(KeyboardInterrupt):
        segfmt.convert(src, tmp_path / "dst", target="voc", executor="serial", progress=stop)
    with pytest.raises(segfmt.UsageError, match="was not finished"):
        verify(tmp_path / "dst")


def test_links_need_only_lead_somewhere(tmp_path: Path) -> None:
    src = dataset(tmp_path / "src", ["a", "b"])
    segfmt.convert(src, tmp_path / "dst", target="voc", images="symlink")
    assert verify(tmp_path / "dst").ok
    (src / "data" / "a.jpg").unlink()
    faults = verify(tmp_path / "dst", labels=False).faults
    assert [fault.problem for fault in faults] == ["is missing"]
