"""What a user may point segfmt at: an error or a failed sample each, and always told."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import segfmt
from aihub_files import SQUARE, annotation, dataset, label, write_image, write_label
from segfmt import Report, SegfmtError, UsageError

BUILT_IN = ["aihub", "cityscapes", "espnet", "folder", "kitti", "mmseg", "satellite", "voc"]


def run(root: Path, out: Path, source: str = "aihub", **options: Any) -> Report:
    return segfmt.convert(root, out, source=source, target="voc", **options)


def outside(tmp_path: Path) -> set[str]:
    return {path.name for path in tmp_path.iterdir()}


def test_an_empty_source(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    with pytest.raises(UsageError, match="nothing in it that aihub can read"):
        run(tmp_path / "src", tmp_path / "dst")
    with pytest.raises(UsageError, match="looks like no known format: it has no files"):
        run(tmp_path / "src", tmp_path / "dst", source="auto")
    write_image(tmp_path / "src" / "photos" / "a.png")
    with pytest.raises(UsageError, match=r"it has 1 \.png in photos\. Give --from"):
        run(tmp_path / "src", tmp_path / "dst", source="auto")
    assert not (tmp_path / "dst").exists()


def test_a_source_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not there"):
        run(tmp_path / "src", tmp_path / "dst")


def test_a_source_that_is_a_file(tmp_path: Path) -> None:
    write_label(tmp_path / "x.json")
    with pytest.raises(UsageError, match="is a file; give the folder"):
        run(tmp_path / "x.json", tmp_path / "dst")


def test_a_target_that_is_a_file(tmp_path: Path) -> None:
    root = dataset(tmp_path / "src", ["a"])
    (tmp_path / "dst").write_text("")
    with pytest.raises(UsageError, match="is a file; give a folder"):
        run(root, tmp_path / "dst")


@pytest.mark.parametrize("target", ["src/out", "src", "."])
def test_source_and_target_inside_one_another(tmp_path: Path, target: str) -> None:
    root = dataset(tmp_path / "src", ["a"])
    with pytest.raises(UsageError, match="contain one another"):
        run(root, tmp_path / target, overwrite=True)


@pytest.mark.parametrize("source", ["aihubb", "nuscenes"])
def test_a_format_that_there_is_not(tmp_path: Path, source: str) -> None:
    with pytest.raises(UsageError, match="no format"):
        run(dataset(tmp_path / "src", ["a"]), tmp_path / "dst", source=source)


@pytest.mark.parametrize("source", BUILT_IN)
@pytest.mark.parametrize("kind", ["aihub", "nothing", "noise"])
def test_the_wrong_format_is_told_and_nothing_is_made_up(
    tmp_path: Path, source: str, kind: str
) -> None:
    root = tmp_path / "src"
    root.mkdir()
    if kind == "aihub" and source != "aihub":
        dataset(root, ["a", "b"])
    elif kind == "noise":
        for name in ("images/a.png", "labels/a.png", "train.txt", "x.json", "gtFine/train/y/z.png"):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(bytes(range(256)))
    try:
        report = run(root, tmp_path / "dst", source=source)
    except SegfmtError as error:
        assert str(error)
    else:
        assert report.done == 0 or (kind, source) == ("aihub", "aihub")
        assert not any(failure.traceback for failure in report.failures)


def test_json_of_another_format(tmp_path: Path) -> None:
    write_image(tmp_path / "src" / "a.png")
    write_label(tmp_path / "src" / "a.json", {"imgHeight": 2, "imgWidth": 2, "objects": []})
    report = run(tmp_path / "src", tmp_path / "dst")
    assert report.failed == 1
    assert "missing required field `Annotation`" in report.failures[0].error


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="POSIX permissions")
def test_a_folder_that_may_not_be_read(tmp_path: Path) -> None:
    root = dataset(tmp_path / "src", ["a"])
    # Root may read everything, so the run is made by nobody.
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents[:2]:
        parent.chmod(parent.stat().st_mode | 0o011)
    (root / "label").chmod(0)
    code = (
        "import os, sys\n"
        "from segfmt.files import walk\n"
        "from pathlib import Path\n"
        "if os.geteuid() == 0: os.setuid(65534)\n"
        "try: list(walk(Path(sys.argv[1])))\n"
        "except Exception as error: print(type(error).__name__, error)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(root)], capture_output=True, text=True, check=True
    )
    (root / "label").chmod(0o755)
    assert "FormatError" in result.stdout
    assert "cannot be read: Permission denied" in result.stdout


@pytest.mark.parametrize(
    ("data", "reason"),
    [(None, "does not decode"), (b"", "empty file"), (b"<html>", "not an image")],
)
def test_images_that_are_none(tmp_path: Path, data: bytes | None, reason: str) -> None:
    root = dataset(tmp_path / "src", ["good", "bad"])
    image = write_image(root / "data" / "bad.jpg", (300, 200))
    image.write_bytes(image.read_bytes()[:3000] if data is None else data)
    report = run(root, tmp_path / "dst")
    assert (report.done, report.failed) == (1, 1)
    assert reason in report.failures[0].error
    assert "bad.jpg" in report.failures[0].error
    assert not list((tmp_path / "dst").rglob("bad.*"))


@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "-Infinity", "1e300", "-1e999", '"7"', "null"]
)
def test_coordinates_that_are_nowhere(tmp_path: Path, number: str) -> None:
    root = dataset(tmp_path / "src", ["good", "bad"])
    points = f"[[1, 1], [{number}, 5], [5, 5]]"
    text = write_label(tmp_path / "x.json", label(annotation(points="HERE"))).read_text()
    (tmp_path / "x.json").unlink()
    write_label(root / "label" / "bad.json", text.replace('"HERE"', points))
    report = run(root, tmp_path / "dst")
    assert (report.done, report.failed) == (1, 1)
    assert "bad" in report.failures[0].error
    assert not report.failures[0].traceback


def test_coordinates_far_off_the_image_are_painted_as_defined(tmp_path: Path) -> None:
    points = [[-2e9, -900000], [2e9, -900000], [2e9, 900000], [-2e9, 900000]]
    root = dataset(tmp_path / "src", ["a"], {"a": label(annotation(points=points))})
    assert run(root, tmp_path / "dst").ok


@pytest.mark.parametrize("size", [(10**9, 10**9), (2**31, 1)])
def test_an_image_size_beyond_all_bounds(tmp_path: Path, size: tuple[int, int]) -> None:
    write_label(tmp_path / "src" / "a.json", label(annotation(), size=size))
    report = run(tmp_path / "src", tmp_path / "dst", missing_image="keep")
    assert report.failed == 1
    assert "pixels" in report.failures[0].error
    assert not report.failures[0].traceback


@pytest.mark.parametrize(
    ("name", "folder"),
    [("../../secret.jpg", ""), ("secret.jpg", "../.."), ("secret.jpg", "/"), ("/etc/passwd", "")],
)
def test_a_label_that_names_a_path_outside(tmp_path: Path, name: str, folder: str) -> None:
    write_image(tmp_path / "secret.jpg")
    root = dataset(tmp_path / "src", ["good"])
    write_label(root / "label" / "bad.json", label(annotation(), name=name, folder=folder))
    before = outside(tmp_path)
    report = run(root, tmp_path / "dst")
    assert (report.done, report.skipped) == (1, 1)
    assert outside(tmp_path) == before | {"dst"}
    assert not list((tmp_path / "dst").rglob("*secret*"))


@pytest.mark.parametrize("what", ["label", "folder", "image"])
def test_a_link_that_leads_out(tmp_path: Path, what: str) -> None:
    root = dataset(tmp_path / "src", ["a"])
    if what == "folder":
        write_label(tmp_path / "other" / "b.json")
        (root / "more").symlink_to(tmp_path / "other")
    elif what == "label":
        (root / "label" / "b.json").symlink_to(write_label(tmp_path / "other.json"))
    else:
        (root / "data" / "b.jpg").symlink_to(write_image(tmp_path / "other.jpg"))
    with pytest.raises(SegfmtError, match="leads out of the dataset"):
        run(root, tmp_path / "dst")
    assert not (tmp_path / "dst").exists()
    assert run(root, tmp_path / "dst", reader_options={"follow_links": True}).done


def test_a_folder_in_the_target_that_is_a_link_out_is_not_written_through(tmp_path: Path) -> None:
    root = dataset(tmp_path / "src", ["a"])
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "dst").mkdir()
    (tmp_path / "dst" / "VOCdevkit").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SegfmtError, match="leads out of the target"):
        run(root, tmp_path / "dst", overwrite=True)
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_huge_polygon_of_little_text(tmp_path: Path) -> None:
    ring = SQUARE * 50_000
    root = dataset(tmp_path / "src", ["a"], {"a": label(annotation(points=ring))})
    assert run(root, tmp_path / "dst").ok


@pytest.mark.parametrize(
    "option", [{"workers": 0}, {"executor": "slurm"}, {"reader_options": {"x": 1}}]
)
def test_options_that_cannot_be(tmp_path: Path, option: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        run(dataset(tmp_path / "src", ["a"]), tmp_path / "dst", **option)
    assert not (tmp_path / "dst").exists()
