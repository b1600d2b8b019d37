"""--split, --only-with, --resize, --tile and EXIF."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import segfmt
from aihub_files import annotation, dataset, label, write_image, write_label
from segfmt import Report, UsageError, image_size, read_mask
from segfmt.edits import Edits, parse_edits
from segfmt.formats.aihub import TABLE
from segfmt.splits import parse_split

BASE = Path("VOCdevkit/VOC2012")


def run(root: Path, out: Path, **options: Any) -> Report:
    return segfmt.convert(root, out, source="aihub", target="voc", **options)


def keys(out: Path, split: str) -> list[str]:
    return (out / BASE / "ImageSets/Segmentation" / f"{split}.txt").read_text().split()


def test_last_and_every_go_by_key(tmp_path: Path) -> None:
    root = dataset(tmp_path / "src", [f"{n}" for n in range(9)])
    run(root, tmp_path / "last", split="last=3")
    assert keys(tmp_path / "last", "val") == ["6", "7", "8"]
    run(root, tmp_path / "every", split="every=4")
    assert keys(tmp_path / "every", "val") == ["3", "7"]


def test_shares_are_by_key_and_stay_when_samples_are_added() -> None:
    names = [f"frame_{n:05}" for n in range(4000)]
    split = parse_split("val=0.2,test=0.1")
    some = [split.deal(place, 2000, name) for place, name in enumerate(names[::2])]
    of_all = [split.deal(place, 4000, name) for place, name in enumerate(names)]
    assert some == of_all[::2]
    counts = {name: of_all.count(name) for name in ("train", "val", "test")}
    assert counts["train"] + counts["val"] + counts["test"] == 4000
    assert counts["val"] == pytest.approx(800, rel=0.15)
    assert counts["test"] == pytest.approx(400, rel=0.15)


@pytest.mark.parametrize(
    "text", ["last=0", "last", "val=1.5", "val=0.6,test=0.6", "val=x", "=0.1", "a=.1,a=.1"]
)
def test_a_split_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--split"):
        parse_split(text)


def test_only_with_keeps_what_has_enough(tmp_path: Path) -> None:
    root = dataset(tmp_path / "src", ["car", "none"], {"car": label(annotation("vehicle"))})
    report = run(root, tmp_path / "dst", only_with="vehicle, rider")
    assert keys(tmp_path / "dst", "train") == ["car"]
    assert report.skips == {"no pixel of vehicle, rider": 1}
    report = run(root, tmp_path / "more", only_with="vehicle", min_pixels=49)
    assert report.done == 0
    assert run(root, tmp_path / "just", only_with="vehicle", min_pixels=48).done == 1
    with pytest.raises(UsageError, match='no class "vehicel"'):
        run(root, tmp_path / "no", only_with="vehicel")


def test_only_with_looks_at_the_source_before_classes_merge(tmp_path: Path) -> None:
    root = dataset(tmp_path / "src", ["car", "none"], {"car": label(annotation("vehicle"))})
    report = run(root, tmp_path / "a", classes="vehicle=1,road=1", only_with="vehicle")
    assert (report.done, report.skipped) == (1, 1)
    assert keys(tmp_path / "a", "train") == ["car"]
    run(root, tmp_path / "b", classes="vehicle=1", only_with="road")
    assert keys(tmp_path / "b", "train") == ["none"]
    renamed = {info.name: "auto" for info in TABLE if info.role == "class"}
    assert run(root, tmp_path / "c", map=renamed, only_with="auto").done == 2


def test_limit_comes_before_the_split(tmp_path: Path) -> None:
    root = dataset(tmp_path / "src", [f"{n}" for n in range(9)])
    run(root, tmp_path / "dst", split="last=2", limit=5)
    assert keys(tmp_path / "dst", "val") == ["3", "4"]
    report = run(root, tmp_path / "all", split="last=20")
    assert any("none of the 9 samples for train" in warning for warning in report.warnings)


def test_notes_of_a_tiled_sample_are_counted_once(tmp_path: Path) -> None:
    thin = label(annotation(), annotation("lane", [[1, 1], [2, 2]]))
    root = dataset(tmp_path / "src", ["a"], {"a": thin})
    report = run(root, tmp_path / "dst", tile="8x8")
    assert report.done == 4
    assert report.notes["polygons dropped: under 3 points"].count == 1


def test_resize_is_lanczos_for_images_and_nearest_for_masks(tmp_path: Path) -> None:
    root = dataset(tmp_path / "src", ["a"])
    run(root, tmp_path / "plain")
    report = run(root, tmp_path / "dst", resize="9x7")
    assert report.ok
    full = Image.fromarray(read_mask(tmp_path / "plain" / BASE / "SegmentationClass/a.png"))
    expected = np.asarray(full.resize((9, 7), Image.Resampling.NEAREST))
    assert (read_mask(tmp_path / "dst" / BASE / "SegmentationClass/a.png") == expected).all()
    assert image_size(tmp_path / "dst" / BASE / "JPEGImages/a.jpg") == (7, 9)
    assert not list((tmp_path / "dst" / ".segfmt").rglob("*.jpg"))


@given(st.integers(1, 300), st.integers(1, 300))
def test_nearest_is_pillows(length: int, size: int) -> None:
    from segfmt.edits import _nearest

    line = Image.fromarray(np.arange(length, dtype=np.int32)[None])
    expected = np.asarray(line.resize((size, 1), Image.Resampling.NEAREST))[0]
    assert _nearest(length, size).tolist() == expected.tolist()


@given(st.integers(1, 200), st.integers(1, 200), st.integers(1, 90), st.integers(1, 90), st.data())
def test_tiles_cover_all_and_are_whole(
    width: int, height: int, across: int, down: int, data: st.DataObject
) -> None:
    overlap = data.draw(st.integers(0, min(across, down) - 1))
    covered = np.zeros((height, width), bool)
    boxes = Edits(tile=(across, down), overlap=overlap).boxes(width, height)
    for left, top, right, bottom in boxes:
        assert (right - left, bottom - top) == (min(across, width), min(down, height))
        covered[top:bottom, left:right] = True
    assert covered.all()
    assert len(set(boxes)) == len(boxes)


def test_tiles_are_samples_of_their_own(tmp_path: Path) -> None:
    root = dataset(tmp_path / "src", ["a"])
    run(root, tmp_path / "plain")
    report = run(root, tmp_path / "dst", tile="8x8", overlap=2)
    assert report.done == 6
    full = read_mask(tmp_path / "plain" / BASE / "SegmentationClass/a.png")
    for left, top in ((0, 0), (6, 0), (8, 0), (0, 4), (6, 4), (8, 4)):
        name = f"a_x{left:05}_y{top:05}"
        tile = read_mask(tmp_path / "dst" / BASE / f"SegmentationClass/{name}.png")
        assert (tile == full[top : top + 8, left : left + 8]).all()
        assert image_size(tmp_path / "dst" / BASE / f"JPEGImages/{name}.jpg") == (8, 8)


@pytest.mark.parametrize(
    "options",
    [
        {"min_pixels": 5},
        {"rest": "ignore"},
        {"rounding": "floor", "fill_rule": "pillow"},
        {"resize": "224"},
        {"resize": "0x5"},
        {"tile": "8x8", "overlap": 8},
        {"overlap": 4},
        {"resize": "8x8", "images": "symlink"},
    ],
)
def test_sizes_that_cannot_be_are_refused(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        run(dataset(tmp_path / "src", ["a"]), tmp_path / "dst", **options)


def test_sizes_are_given_either_way() -> None:
    assert parse_edits("224x112", None) == parse_edits((224, 112), None)


def exif_image(path: Path, orientation: int, size: tuple[int, int] = (16, 12)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif[0x0112] = orientation
    with Image.open(write_image(path.with_suffix(".png"), size)) as image:
        image.convert("RGB").save(path, exif=exif, quality=95)
    path.with_suffix(".png").unlink()


def test_a_label_drawn_on_the_turned_image_turns_the_image(tmp_path: Path) -> None:
    exif_image(tmp_path / "src/data/a.jpg", 6)
    points = [[2, 2], [9, 2], [9, 14], [2, 14]]
    write_label(tmp_path / "src/label/a.json", label(annotation(points=points), size=(12, 16)))
    report = run(tmp_path / "src", tmp_path / "dst")
    assert report.ok
    assert report.notes["images turned by their EXIF orientation"].subjects == {"6": 1}
    placed = tmp_path / "dst" / BASE / "JPEGImages/a.jpg"
    assert image_size(placed) == (16, 12)
    with Image.open(placed) as image:
        assert image.getexif().get(0x0112, 1) == 1
    ids = read_mask(tmp_path / "dst" / BASE / "SegmentationClass/a.png")
    assert ids.shape == (16, 12)
    assert ids[14, 9] == 1


def test_a_label_drawn_on_stored_pixels_leaves_the_image(tmp_path: Path) -> None:
    exif_image(tmp_path / "src/data/a.jpg", 6)
    write_label(tmp_path / "src/label/a.json")
    report = run(tmp_path / "src", tmp_path / "dst")
    assert report.ok
    placed = tmp_path / "dst" / BASE / "JPEGImages/a.jpg"
    assert placed.read_bytes() == (tmp_path / "src/data/a.jpg").read_bytes()


@pytest.mark.parametrize(("orientation", "size"), [(3, (16, 12)), (6, (12, 12))])
def test_what_cannot_be_decided_is_said(
    tmp_path: Path, orientation: int, size: tuple[int, int]
) -> None:
    exif_image(tmp_path / "src/data/a.jpg", orientation, size)
    write_label(tmp_path / "src/label/a.json", label(annotation(), size=size))
    report = run(tmp_path / "src", tmp_path / "dst")
    assert report.ok
    assert "images with an EXIF orientation left as stored" in report.notes
