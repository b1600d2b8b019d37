"""Runs that are killed, stopped or asked for twice."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import segfmt
from aihub_files import annotation, dataset, label
from segfmt.report import Report
from segfmt.testing.record import files_below

SAMPLES = 60


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset with a broken label and a missing image among good samples."""
    root = tmp_path_factory.mktemp("source") / "src"
    names = [f"frame_{number:03}" for number in range(SAMPLES)]
    labels = {name: label(annotation("sky"), annotation("road")) for name in names}
    dataset(root, names, labels)
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)
    for path in sorted((root / "data").iterdir()):
        Image.fromarray(noise).save(path)
    (root / "label" / "frame_030.json").write_text("{")
    (root / "data" / "frame_031.jpg").unlink()
    return root


def run(src: Path, dst: Path, **options: Any) -> Report:
    options = {"source": "aihub", "target": "voc", "workers": 2, **options}
    return segfmt.convert(src, dst, **options)


def counts(report: Report) -> tuple[int, int, int, int]:
    return report.total, report.done, report.skipped, report.failed


def facts(report: Report) -> dict[str, Any]:
    """Return all of a report that must not depend on how often it was interrupted."""
    known = {name: getattr(report, name) for name in report.__slots__}
    return {**known, "seconds": 0, "target": "", "warnings": []}


COMMAND = [sys.executable, "-m", "segfmt", "convert", "--from", "aihub", "--to", "voc"]


def started(src: Path, dst: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, str(src), str(dst), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_run_killed_at_any_moment_ends_like_one_that_was_not(
    source: Path, tmp_path: Path
) -> None:
    # Thirty moments of one run that goes on each time, from before it lists to after its last
    # sample: a kill once it has written n files more, for n around none to all of them.
    whole = run(source, tmp_path / "whole")
    expected = files_below(tmp_path / "whole")
    moments = random.Random(0)
    kills = rounds = 0
    while kills < 30:
        target = tmp_path / f"killed_{rounds}"
        rounds += 1
        for _ in range(4):
            kills += killed_after(source, target, moments.uniform(0.0, 0.9))
        report = run(source, target, resume=True)
        assert files_below(target) == expected
        if not any("nothing was left to do" in warning for warning in report.warnings):
            assert facts(report) == facts(whole)
        assert counts(report) == counts(whole)


def killed_after(source: Path, target: Path, share: float) -> bool:
    """Start or go on with a run, and kill it when it has so many of its files; else it ends."""
    process = started(source, target, "--resume", "--workers", "2")
    wanted = share * 2 * SAMPLES
    while process.poll() is None:
        written = sum(len(names) for _, _, names in os.walk(target))
        if written >= wanted:
            process.kill()
            break
        time.sleep(0.002)
    process.communicate()
    return process.returncode == -signal.SIGKILL


def test_no_finished_sample_is_done_again(source: Path, tmp_path: Path) -> None:
    def interrupt(report: Report, total: int) -> None:
        if report.done == 25:
            raise KeyboardInterrupt

    dst = tmp_path / "dst"
    with pytest.raises(KeyboardInterrupt):
        run(source, dst, executor="serial", progress=interrupt)
    before = {path: path.stat().st_mtime_ns for path in (dst / "VOCdevkit").rglob("*.png")}
    report = run(source, dst, executor="serial", resume=True)
    after = {path: path.stat().st_mtime_ns for path in (dst / "VOCdevkit").rglob("*.png")}
    assert {path: after[path] for path in before} == before
    assert report.done == SAMPLES - 2


def test_resume_of_nothing_is_an_ordinary_run_and_of_a_whole_one_does_nothing(
    source: Path, tmp_path: Path
) -> None:
    good = dataset(tmp_path / "src", ["a", "b"])
    dst = tmp_path / "dst"
    assert run(good, dst, resume=True).done == 2
    before = {path: path.stat().st_mtime_ns for path in (dst / "VOCdevkit").rglob("*")}
    report = run(good, dst, resume=True)
    assert (report.done, report.ok) == (2, True)
    assert report.warnings[-1] == "this run was finished before: nothing was left to do"
    assert {path: path.stat().st_mtime_ns for path in (dst / "VOCdevkit").rglob("*")} == before
    process = started(good, dst, "--resume")
    out, _ = process.communicate()
    assert process.returncode == 0
    assert "nothing was left to do" in out


def test_what_failed_is_tried_again(source: Path, tmp_path: Path) -> None:
    src = dataset(tmp_path / "src", ["a", "b", "c"])
    (src / "label/b.json").write_text("{")
    assert counts(run(src, tmp_path / "dst")) == (3, 2, 0, 1)
    assert counts(run(src, tmp_path / "dst", resume=True)) == (3, 2, 0, 1)
    dataset(src, ["b"])
    report = run(src, tmp_path / "dst", resume=True)
    assert counts(report) == (3, 3, 0, 0)
    run(src, tmp_path / "fresh")
    assert files_below(tmp_path / "dst") == files_below(tmp_path / "fresh")


def test_other_options_are_refused_with_the_difference(tmp_path: Path) -> None:
    src = dataset(tmp_path / "src", ["a", "b"])
    run(src, tmp_path / "dst")
    with pytest.raises(segfmt.UsageError) as error:
        run(src, tmp_path / "dst", resume=True, classes="sky=3", workers=1)
    lines = str(error.value).splitlines()
    assert lines[0] == "--resume: the run before was asked for something else."
    assert '  --classes: was null, is "sky=3"' in lines
    assert not any("workers" in line for line in lines)


def test_another_source_is_refused(tmp_path: Path) -> None:
    src = dataset(tmp_path / "src", ["a", "b"])
    run(src, tmp_path / "dst")
    dataset(src, ["c"])
    with pytest.raises(segfmt.UsageError, match="samples of the source: was"):
        run(src, tmp_path / "dst", resume=True)


def test_a_target_with_something_else_is_not_resumed(tmp_path: Path) -> None:
    src = dataset(tmp_path / "src", ["a"])
    (tmp_path / "dst").mkdir()
    (tmp_path / "dst" / "mine.txt").write_text("mine")
    with pytest.raises(segfmt.UsageError, match="is not empty"):
        run(src, tmp_path / "dst", resume=True)
    with pytest.raises(segfmt.UsageError, match="give one"):
        run(src, tmp_path / "dst", resume=True, overwrite=True)


def test_a_target_that_is_in_use_is_refused(source: Path, tmp_path: Path) -> None:
    refused = []

    def second(report: Report, total: int) -> None:
        if report.done == 3:
            process = started(source, tmp_path / "dst", "--resume")
            refused.append((process.communicate()[1], process.returncode))

    run(source, tmp_path / "dst", progress=second)
    ((error, status),) = refused
    assert (status, "is being written by another run" in " ".join(error.split())) == (2, True), (
        error
    )


def test_a_target_that_was_in_use_by_a_dead_process_is_free(source: Path, tmp_path: Path) -> None:
    while not killed_after(source, tmp_path / "dst", 0.3):
        pass
    run(source, tmp_path / "dst", resume=True)
    assert files_below(tmp_path / "dst") == files_below_whole(source, tmp_path)


def files_below_whole(source: Path, tmp_path: Path) -> dict[str, str]:
    run(source, tmp_path / "whole")
    return files_below(tmp_path / "whole")


@pytest.mark.timed
@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_ctrl_c_stops_within_a_second_and_says_how_to_go_on(
    source: Path, tmp_path: Path, executor: str
) -> None:
    process = started(source, tmp_path / "dst", "--executor", executor, "--tile", "8x8")
    while not any((tmp_path / "dst").rglob("*.png")):
        time.sleep(0.01)
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    begun = time.monotonic()
    _, error = process.communicate(timeout=10)
    assert process.returncode == 130
    assert (
        time.monotonic() - begun < 1.5
    )  # what is asked is a second, on a machine with nothing to do
    assert "--resume goes on" in error
    assert "Traceback" not in error


def test_a_full_disk_stops_the_run_which_can_be_gone_on_with(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from segfmt.formats import voc

    write = voc.write_mask
    room = iter(range(20))

    def full(path: Path, *rest: Any) -> None:
        if next(room, None) is None:
            raise OSError(28, "No space left on device", str(path))
        write(path, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(voc, "write_mask", full)
        with pytest.raises(segfmt.ExecutorError, match=r"No space left on device.*--resume"):
            run(source, tmp_path / "dst")
    assert run(source, tmp_path / "dst", resume=True).done == SAMPLES - 2
    assert files_below(tmp_path / "dst") == files_below_whole(source, tmp_path)


def test_a_source_file_that_vanishes_is_reported(tmp_path: Path) -> None:
    src = dataset(tmp_path / "src", ["a", "b", "c"])

    def remove(report: Report, total: int) -> None:
        (src / "label" / "c.json").unlink(missing_ok=True)

    report = run(src, tmp_path / "dst", progress=remove, executor="serial")
    assert counts(report) == (3, 2, 0, 1)
    assert "c.json: cannot be read: No such file or directory" in report.failures[0].error
