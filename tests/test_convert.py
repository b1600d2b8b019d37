"""The flow as a whole: outcomes, reports, executors, targets."""

import hashlib
import json
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import segfmt
from aihub_files import annotation, dataset, label, write_image, write_label
from segfmt import Report, UsageError, read_mask

BASE = "VOCdevkit/VOC2012"


def run(root: Path, out: Path, **options: Any) -> Report:
    return segfmt.convert(root, out, source="aihub", target="voc", **options)


def tree(root: Path) -> dict[str, str]:
    """Return the hash of every file, the state of the run left out."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and ".segfmt" not in path.parts
    }


@pytest.fixture
def dirty(tmp_path: Path) -> Path:
    """Twenty good samples and one of each fault."""
    root = dataset(tmp_path / "src", [f"{number:03}" for number in range(20)])
    write_image(root / "data" / "unknown.jpg")
    write_label(root / "label" / "unknown.json", label(annotation("zebra"), annotation("lane")))
    write_image(root / "data" / "broken.jpg")
    write_label(root / "label" / "broken.json", '{"Annotation": [],}')
    write_label(root / "label" / "lost.json")
    write_image(root / "data" / "thin.jpg")
    write_label(root / "label" / "thin.json", label(annotation(points=[[1, 1], [2, 2]])))
    return root


def test_every_sample_is_accounted_for(dirty: Path, tmp_path: Path) -> None:
    report = run(dirty, tmp_path / "dst")
    assert (report.total, report.done, report.skipped, report.failed) == (24, 21, 1, 2)
    assert not report.ok
    assert report.splits == {"train": 21}
    assert report.skips == {"image missing": 1}
    assert [failure.key for failure in report.failures] == ["broken", "unknown"]
    assert "line 1, column 18" in report.failures[0].error
    assert report.notes["unknown labels"].subjects == {"zebra": 1}
    assert report.notes["polygons dropped: under 3 points"].subjects == {"road": 1}
    assert report.notes["image missing"].subjects == {"train/lost": 1}
    assert report.fill_rules == {"opencv, vertices nearest": 21}
    keys = (tmp_path / "dst" / BASE / "ImageSets/Segmentation/train.txt").read_text().split()
    assert keys == [*(f"{number:03}" for number in range(20)), "thin"]
    masks = {path.stem for path in (tmp_path / "dst" / BASE / "SegmentationClass").iterdir()}
    assert masks == set(keys)


def test_the_report_is_json_and_stays_with_the_target(dirty: Path, tmp_path: Path) -> None:
    report = run(dirty, tmp_path / "dst", report=tmp_path / "elsewhere" / "r.json")
    saved = json.loads((tmp_path / "dst/.segfmt/report.json").read_bytes())
    assert saved == json.loads((tmp_path / "elsewhere/r.json").read_bytes())
    assert saved["done"] == report.done
    assert saved["failures"][0]["key"] == "broken"
    assert saved["version"] == segfmt.__version__
    assert any('"speed bump" and "sidewalk" share' in warning for warning in saved["warnings"])


@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_executors_give_the_same_bytes(dirty: Path, tmp_path: Path, executor: str) -> None:
    serial = run(dirty, tmp_path / "serial", executor="serial")
    other = run(dirty, tmp_path / "other", executor=executor, workers=3)
    assert tree(tmp_path / "serial") == tree(tmp_path / "other")
    for report in (serial, other):
        report.seconds, report.target = 0, ""
    assert serial == other


def test_the_order_of_completion_does_not_show(
    dirty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(dirty, tmp_path / "plain")
    backwards = segfmt.Executor(
        "backwards", "", lambda workers: lambda fn, items: map(fn, reversed(list(items)))
    )
    monkeypatch.setattr(segfmt.plugins, "executor_named", lambda name: backwards)
    run(dirty, tmp_path / "backwards", executor="backwards")
    assert tree(tmp_path / "plain") == tree(tmp_path / "backwards")


def test_dry_run_counts_and_writes_nothing(dirty: Path, tmp_path: Path) -> None:
    report = run(dirty, tmp_path / "dst", dry_run=True)
    assert report.dry_run
    assert report.splits == {"train": 24}
    assert report.done == 0
    assert not (tmp_path / "dst").exists()


def test_limit_takes_the_first_by_key(dirty: Path, tmp_path: Path) -> None:
    report = run(dirty, tmp_path / "dst", limit=5)
    assert (report.total, report.done) == (24, 5)
    keys = (tmp_path / "dst" / BASE / "ImageSets/Segmentation/train.txt").read_text().split()
    assert keys == ["000", "001", "002", "003", "004"]


def test_fail_fast_stops_and_keeps_what_is_done(dirty: Path, tmp_path: Path) -> None:
    report = run(dirty, tmp_path / "dst", fail_fast=True, executor="serial")
    assert (report.done, report.failed) == (20, 1)
    assert report.failures[0].key == "broken"
    keys = (tmp_path / "dst" / BASE / "ImageSets/Segmentation/train.txt").read_text().split()
    assert len(keys) == 20


@pytest.mark.parametrize(
    ("policy", "done", "skipped", "failed"),
    [("skip", 21, 1, 2), ("error", 21, 0, 3), ("keep", 22, 0, 2)],
)
def test_missing_images_follow_the_policy(
    dirty: Path, tmp_path: Path, policy: Any, done: int, skipped: int, failed: int
) -> None:
    report = run(dirty, tmp_path / "dst", missing_image=policy)
    assert (report.done, report.skipped, report.failed) == (done, skipped, failed)
    assert (tmp_path / "dst" / BASE / "SegmentationClass/lost.png").exists() == (policy == "keep")


def test_unknown_labels_become_ignore_apart_from_background(dirty: Path, tmp_path: Path) -> None:
    report = run(dirty, tmp_path / "dst", unknown_label="ignore")
    assert report.failed == 1
    ids = read_mask(tmp_path / "dst" / BASE / "SegmentationClass/unknown.png")
    assert set(np.unique(ids)) == {0, 2}
    write_label(dirty / "label" / "unknown.json", label(annotation("zebra")))
    run(dirty, tmp_path / "again", unknown_label="ignore")
    ids = read_mask(tmp_path / "again" / BASE / "SegmentationClass/unknown.png")
    assert set(np.unique(ids)) == {0, 255}


@pytest.mark.parametrize("images", ["copy", "hardlink", "symlink", "none"])
def test_images_are_placed_as_asked(dirty: Path, tmp_path: Path, images: str) -> None:
    run(dirty, tmp_path / "dst", images=images)
    placed = tmp_path / "dst" / BASE / "JPEGImages/000.jpg"
    if images == "none":
        assert not placed.parent.exists()
    else:
        assert placed.samefile(dirty / "data/000.jpg") == (images != "copy")


def test_rounding_and_rule_override_the_readers_and_are_reported(
    dirty: Path, tmp_path: Path
) -> None:
    report = run(dirty, tmp_path / "dst", fill_rule="opencv", rounding="floor")
    assert report.fill_rules == {"opencv, vertices floor": 21}


def test_a_target_that_is_not_empty_is_refused(dirty: Path, tmp_path: Path) -> None:
    (tmp_path / "dst").mkdir()
    (tmp_path / "dst" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="is not empty"):
        run(dirty, tmp_path / "dst")
    assert [path.name for path in (tmp_path / "dst").iterdir()] == ["mine.txt"]


def test_overwrite_replaces_the_former_run_and_nothing_else(dirty: Path, tmp_path: Path) -> None:
    out = tmp_path / "dst"
    run(dirty, out)
    (out / "mine.txt").write_text("mine")
    (dirty / "label" / "000.json").unlink()
    report = run(dirty, out, overwrite=True)
    assert report.done == 20
    assert (out / "mine.txt").read_text() == "mine"
    assert not (out / BASE / "SegmentationClass/000.png").exists()
    assert not (out / BASE / "JPEGImages/000.jpg").exists()
    (out / "mine.txt").unlink()
    run(dirty, tmp_path / "fresh")
    assert tree(out) == tree(tmp_path / "fresh")


def test_overwrite_follows_no_journal_out_of_the_target(dirty: Path, tmp_path: Path) -> None:
    out, precious = tmp_path / "dst", tmp_path / "precious.txt"
    run(dirty, out)
    precious.write_text("mine")
    db = sqlite3.connect(out / ".segfmt/journal.sqlite")
    db.execute("""insert into entries values ('x', 'y', '[["../precious.txt", 1, 1]]')""")
    db.commit()
    db.close()
    run(dirty, out, overwrite=True)
    assert precious.read_text() == "mine"


def test_two_labels_of_one_name_are_not_one_lost(tmp_path: Path) -> None:
    root = dataset(tmp_path / "src", ["a", "b"])
    write_label(root / "labels" / "a.json", label(annotation("sky")))
    report = run(root, tmp_path / "dst")
    assert (report.total, report.done, report.failed) == (3, 2, 1)
    assert "labels/a.json: has the same name as" in report.failures[0].error


def test_progress_is_told_after_listing_and_each_sample(dirty: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    run(
        dirty,
        tmp_path / "dst",
        progress=lambda r, n: told.append((r.done + r.skipped + r.failed, n)),
    )
    assert told == [(count, 24) for count in range(25)]


def test_an_interrupted_run_leaves_whole_files_and_a_journal(dirty: Path, tmp_path: Path) -> None:
    def interrupt(report: Report, total: int) -> None:
        if report.done == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(dirty, tmp_path / "dst", progress=interrupt)
    written = tree(tmp_path / "dst")
    run(dirty, tmp_path / "whole")
    whole = tree(tmp_path / "whole")
    assert len(written) >= 14
    assert written.items() <= whole.items()


def test_a_writer_that_breaks_fails_its_sample_alone(
    dirty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from segfmt.formats import voc

    write = voc.write_mask

    def full(path: Path, *rest: Any) -> None:
        if path.stem == "003":
            raise OSError(5, "Input/output error", str(path))
        write(path, *rest)

    monkeypatch.setattr(voc, "write_mask", full)
    report = run(dirty, tmp_path / "dst")
    assert report.done == 20
    (failure,) = [failure for failure in report.failures if failure.key == "003"]
    assert "Input/output error" in failure.error
    assert "Traceback" in failure.traceback


@pytest.mark.parametrize(
    ("target", "options"),
    [
        ("voc", {}),
        ("mmseg", {}),
        ("aihub", {}),
        ("kitti", {"writer_options": {"ids": "train"}, "classes": "road=1"}),
    ],
)
def test_verify_reads_back_what_was_written(
    dirty: Path, tmp_path: Path, target: str, options: dict[str, Any]
) -> None:
    options = {"source": "aihub", "target": target, **options}
    report = segfmt.convert(dirty, tmp_path / "dst", verify=True, **options)
    assert (report.verified, report.differing) == (report.done, [])
    assert report.done >= 20


def test_verify_finds_what_a_writer_spoils(
    dirty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from segfmt.formats import voc

    write = voc.write_mask

    def spoil(path: Path, ids: Any, *rest: Any) -> None:
        ids = ids.copy()
        ids[0, 0] ^= path.stem == "003"
        write(path, ids, *rest)

    monkeypatch.setattr(voc, "write_mask", spoil)
    report = run(dirty, tmp_path / "dst", verify=True)
    assert report.verified == report.done - 1
    assert [(one.key, one.error) for one in report.differing] == [
        ("003", "1 pixels differ from the source")
    ]
    assert not report.ok


def test_verify_cannot_follow_tiles(dirty: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--verify: --resize and --tile make other samples"):
        run(dirty, tmp_path / "dst", verify=True, tile="4x4")


def test_a_keep_list_leaves_the_rest_out(tmp_path: Path) -> None:
    root = dataset(tmp_path / "src", ["a", "b", "c"])
    keep = tmp_path / "keep.txt"
    keep.write_text("train/a\ntrain/c\n")
    report = segfmt.convert(root, tmp_path / "dst", target="voc", keep_list=keep)
    assert (report.total, report.done) == (2, 2)
    keep.write_text("train/a\ntrain/x\n")
    with pytest.raises(UsageError, match="train/x"):
        segfmt.convert(root, tmp_path / "other", target="voc", keep_list=keep)
    assert not (tmp_path / "other").exists()


def test_tiles_of_two_processes_are_those_of_one(tmp_path: Path) -> None:
    # The same names in two splits, so that two processes make tiles of one name at one time.
    root = tmp_path / "src"
    for split in ("train", "val", "test"):
        for number in range(12):
            noise = np.random.default_rng([number, len(split)]).integers(0, 256, (64, 64, 3))
            path = root / "images" / split / f"{number:02}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(noise.astype(np.uint8)).save(path)
            segfmt.write_mask(
                root / "masks" / split / f"{number:02}.png", np.eye(64, dtype=np.uint8)
            )
    for executor in ("serial", "processes"):
        report = segfmt.convert(
            root, tmp_path / executor, target="folder", tile="16x16", executor=executor, workers=2
        )
        assert report.ok, report.failures
    assert tree(tmp_path / "processes") == tree(tmp_path / "serial")
