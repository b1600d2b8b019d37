"""Label files, and what is painted of them."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from yolo_files import (
    DATA,
    SHAPE,
    SQUARE,
    dataset,
    notes,
    one,
    painted,
    ultralytics,
    write_image,
    write_text,
)

import segfmt
from segfmt_yolo.labels import read_label, to_pixels
from segfmt_yolo.outlines import by_area, outlines
from segfmt_yolo.reader import YoloReader

SMALL = "0.375 0.25 0.5 0.25 0.5 0.5 0.375 0.5"


def test_an_outline_is_painted_with_its_edge(tmp_path: Path) -> None:
    dataset(tmp_path, f"1 {SQUARE}\n")
    sample = one(tmp_path)
    expected = np.zeros(SHAPE, np.uint8)
    expected[3:10, 4:13] = 2
    assert (painted(sample) == expected).all()
    assert (sample.label.fill_rule, sample.label.rounding) == ("opencv", "truncate")
    assert not sample.notes


def test_the_smaller_is_over_the_larger_whatever_the_file_says(tmp_path: Path) -> None:
    dataset(tmp_path, f"1 {SMALL}\n0 {SQUARE}\n")
    mask = painted(one(tmp_path))
    assert (mask == 2).sum() == 3 * 4
    assert (painted(one(tmp_path, order="file")) == 2).sum() == 0


def test_each_line_is_an_object_unless_told_otherwise(tmp_path: Path) -> None:
    dataset(tmp_path, f"1 {SQUARE}\n0 {SMALL}\n1 {SMALL} 0.9 0.9\n")
    label = one(tmp_path, order="file").label
    assert (label.class_ids.tolist(), label.instance_ids.tolist()) == ([2, 1, 2], [1, 1, 2])
    assert one(tmp_path, instances=False).label.instance_ids is None


# Shares that are whole pixels now and then, and now and then a little off the image.
SHARES = st.one_of(
    st.integers(0, 20).map(lambda part: part / 20),
    st.floats(-0.004, 1.004),
)
LINES = st.lists(
    st.tuples(st.integers(0, 2), st.lists(SHARES, min_size=6, max_size=16)), max_size=6
)
SHAPES = st.tuples(st.integers(1, 40), st.integers(1, 40))


@settings(max_examples=200, deadline=None)
@given(lines=LINES, shape=SHAPES)
def test_pixels_are_those_of_ultralytics(
    tmp_path_factory: pytest.TempPathFactory,
    lines: list[tuple[int, list[float]]],
    shape: tuple[int, int],
) -> None:
    path = tmp_path_factory.getbasetemp() / "label.txt"
    rows = [(id, shares[: len(shares) // 2 * 2]) for id, shares in lines]
    text = "".join(f"{id} {' '.join(map(repr, shares))}\n" for id, shares in rows)
    path.write_text(text)
    found = {(line.id, line.shares.tobytes()): line for line in read_label(path)}.values()
    rings = [to_pixels(line.shares, shape) for line in found]
    label = by_area(outlines(rings, [line.id + 1 for line in found]), shape)
    assert (segfmt.rasterize(label, shape) == ultralytics(text.encode(), shape)).all()


@pytest.mark.parametrize(
    "text",
    [
        f"1 {SQUARE}",
        f"\ufeff1 {SQUARE} \r\n\r\n",
        f"  1\t{SQUARE.replace(' ', '  ')}\n\n",
        f"1.0 {SQUARE.replace('0.', '.')}\n",
        f"1e0 {SQUARE.replace('0.25', '2.5e-1')}\n",
    ],
)
def test_ways_to_write_a_line(tmp_path: Path, text: str) -> None:
    dataset(tmp_path, text)
    mask = painted(one(tmp_path))
    assert (mask == 2).sum() == 7 * 9


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0 0.1 0.2 0.3 0.4 0.5", "line 2: has 5 numbers after the class: neither an outline"),
        (f"0 {SQUARE} 0.87", "remove it"),
        ("0 0.1 0.2", "has 2 numbers after the class"),
        ("0", "has 0 numbers after the class"),
        ("0 0.1 0.2 0.3 0.4 0.5 x", "line 2: has something else than numbers"),
        ("road 0.1 0.2 0.3 0.4 0.5 0.6", "has something else than numbers"),
        ("0,0.1,0.2,0.3,0.4,0.5,0.6", "has something else than numbers"),
        ("0 0.1 0.2 0.3 0.4 0.5 nan", "has something else than numbers"),
        ("0 0.1 0.2 0.3 0.4 0.5 1e999", "has something else than numbers"),
        ("0.5 0.1 0.2 0.3 0.4 0.5 0.6", "begins with 0.5, which is no class"),
        ("0 100 200 300 200 300 400", "line 2: has 400, and shares of the image's width"),
        ("0 0.1 0.2 0.3 0.4 0.5 1.9", "has 1.9, and"),
        ("0 -0.9 0.2 0.3 0.4 0.5 0.6", "has -0.9, and shares of the image's width and height"),
        ("0 0.5 0.5 -0.2 0.2", "has -0.2, and"),
        ("3 0.1 0.2 0.3 0.4 0.5 0.6", "has the class 3, and data.yaml names 0 to 2"),
        ("-1 0.1 0.2 0.3 0.4 0.5 0.6", "has the class -1, and data.yaml names 0 to 2"),
        ("0 0.5 0.5 0.2 0.2", "line 2: is a box, and no outline. Give -i boxes=skip or paint."),
    ],
)
def test_bad_lines_fail_their_sample_and_are_named(tmp_path: Path, line: str, message: str) -> None:
    root = dataset(tmp_path / "src", f"1 {SQUARE}\n{line}\n")
    dataset(root, f"1 {SQUARE}\n", name="good")
    report = segfmt.convert(root, tmp_path / "dst", source="yolo", target="voc")
    assert (report.done, report.failed) == (1, 1)
    assert report.failures[0].error.startswith(str(root / "labels/train/a.txt"))
    assert message in report.failures[0].error


def test_names_with_gaps_are_listed(tmp_path: Path) -> None:
    root = dataset(tmp_path, f"1 {SQUARE}\n")
    (root / "data.yaml").write_text("train: images/train\nnames: {0: a, 5: b}\n")
    with pytest.raises(segfmt.FormatError, match=r"has the class 1, and data\.yaml names 0, 5\."):
        one(root)


def test_bytes_that_are_no_text_fail(tmp_path: Path) -> None:
    dataset(tmp_path, b"0 \xff\xff\xff 0.5")
    with pytest.raises(segfmt.FormatError, match=r"a\.txt"):
        one(tmp_path)


def test_a_little_off_the_image_is_cut_off_and_counted(tmp_path: Path) -> None:
    dataset(tmp_path, "0 -0.005 0.5 1.005 0.5 1.005 1 -0.005 1\n")
    sample = one(tmp_path)
    assert (painted(sample)[6:] == 1).all()
    assert notes(sample) == {("outlines cut off at the edge of the image", "road", 1)}


def test_boxes(tmp_path: Path) -> None:
    dataset(tmp_path, f"0 0.5 0.5 0.5 0.5\n1 {SMALL}\n")
    sample = one(tmp_path, boxes="skip")
    assert set(painted(sample).flat) == {0, 2}
    assert notes(sample) == {("boxes left out", "road", 1)}
    sample = one(tmp_path, boxes="paint")
    assert (painted(sample) == 1).sum() == 7 * 9 - 3 * 4
    assert notes(sample) == {("boxes painted", "road", 1)}


def test_a_line_that_is_there_twice_is_one_object(tmp_path: Path) -> None:
    dataset(tmp_path, f"0 {SMALL}\n1 {SMALL}\n0 {SMALL.replace('0.5', '0.50')}\n")
    sample = one(tmp_path)
    assert len(sample.label) == 2
    assert notes(sample) == {("lines that are there twice, left out", "road", 1)}


def test_class_ids_without_a_name(tmp_path: Path) -> None:
    dataset(tmp_path, f"7 {SQUARE}\n0 {SMALL}\n")
    sample = one(tmp_path, unknown_label="ignore")
    assert set(painted(sample).flat) == {0, 1, 255}
    assert notes(sample) == {("unknown labels", "7", 1)}
    assert set(painted(one(tmp_path, unknown_label="background")).flat) == {0, 1}


def test_ignore_has_an_id_of_its_own_also_beside_many_classes(tmp_path: Path) -> None:
    names = ", ".join(f"c{id}" for id in range(300))
    dataset(tmp_path, f"299 {SQUARE}\n400 {SMALL}\n", f"train: images/train\nnames: [{names}]")
    sample = one(tmp_path, unknown_label="ignore")
    assert sorted(sample.label.class_ids.tolist()) == [300, 301]
    assert YoloReader(tmp_path, unknown_label="ignore").classes.ignore.id == 301


def test_many_classes_need_a_selection(tmp_path: Path) -> None:
    names = ", ".join(f"c{id}" for id in range(300))
    root = dataset(tmp_path / "src", f"299 {SQUARE}\n", f"train: images/train\nnames: [{names}]")
    with pytest.raises(segfmt.UsageError, match="--classes"):
        segfmt.convert(root, tmp_path / "a", source="yolo", target="voc")
    report = segfmt.convert(root, tmp_path / "b", source="yolo", target="voc", classes="c299=1")
    assert report.ok


def test_an_image_on_its_side_is_labeled_as_it_is_shown(tmp_path: Path) -> None:
    dataset(tmp_path, f"0 {SMALL}\n")
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(write_image(tmp_path / "plain.png")) as image:
        image.save(tmp_path / "images/train/a.jpg", exif=exif)
    (tmp_path / "plain.png").unlink()
    sample = one(tmp_path)
    assert sample.shape == SHAPE[::-1]
    text = (tmp_path / "labels/train/a.txt").read_bytes()
    assert (painted(sample) == ultralytics(text, SHAPE[::-1])).all()


def test_korean_folders_names_and_classes(tmp_path: Path) -> None:
    dataset(tmp_path / "자전거", f"1 {SQUARE}\n", DATA, "하늘")
    root = tmp_path / "자전거"
    write_text(root / "train.txt", "./images/train/하늘.jpg\n")
    write_text(root / "data.yaml", "train: train.txt\nnames: [도로, 자전거]\n")
    report = segfmt.convert(root, tmp_path / "dst", target="folder")
    assert report.ok
    assert "자전거" in segfmt.open_dataset(tmp_path / "dst", "folder").classes
    assert (tmp_path / "dst/masks/train/하늘.png").is_file()
