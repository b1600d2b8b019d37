"""Where images and labels may be."""

from pathlib import Path

import pytest
from yolo_files import NAMES, SQUARE, notes, one, painted, write_image, write_text

import segfmt
from segfmt_yolo.reader import YoloReader


def refs(root: Path, data: str, **options: object) -> list[tuple[str, str]]:
    write_text(root / "data.yaml", f"{data}\n{NAMES}")
    return [(ref.split, ref.key) for ref in YoloReader(root, **options).scan()]


def remarks(root: Path) -> list[str]:
    return [text for text in YoloReader(root).warnings if not text.startswith("class ids")]


def pair(root: Path, image: str, label: str) -> None:
    write_image(root / image)
    write_text(root / label, f"0 {SQUARE}\n")


@pytest.mark.parametrize(
    ("image", "label", "data"),
    [
        ("images/train/x.jpg", "labels/train/x.txt", "train: images/train"),
        ("images/train/x.jpg", "labels/train/x.txt", "path: .\ntrain: ./images/train/"),
        ("images/train/x.jpg", "labels/train/x.txt", "path: ../coco8-seg\ntrain: images/train"),
        ("images/train/x.jpg", "labels/train/x.txt", "path: /else/where\ntrain: images/train"),
        ("images/train/x.jpg", "labels/train/x.txt", r"train: C:\sets\coco\images\train"),
        ("images/train/x.jpg", "labels/train/x.txt", "train: [images/train]"),
        ("images/train/x.jpg", "labels/train/x.txt", "train: images/train/x.jpg"),
        ("train/images/x.jpg", "train/labels/x.txt", "train: ../train/images"),
        ("train/images/x.PNG", "train/labels/x.txt", "train: train"),
        ("sub/images/x.jpg", "sub/labels/x.txt", "path: sub\ntrain: images"),
        ("images/x.jpg", "labels/x.txt", "path: .\ntrain: images"),
        ("images/images/x.jpg", "images/labels/x.txt", "train: images/images"),
        ("data/x.jpg", "data/x.txt", "train: data"),
        ("x.jpg", "x.txt", "train: ."),
    ],
)
def test_layouts(tmp_path: Path, image: str, label: str, data: str) -> None:
    pair(tmp_path, image, label)
    assert refs(tmp_path, data) == [("train", "x")]
    assert painted(one(tmp_path)).any()


def test_a_path_of_another_machine_is_found_by_its_end_and_reported(tmp_path: Path) -> None:
    pair(tmp_path, "images/train/x.jpg", "labels/train/x.txt")
    assert refs(tmp_path, "train: /content/drive/coco/images/train") == [("train", "x")]
    assert remarks(tmp_path) == [
        'train: "/content/drive/coco/images/train" is taken for images/train'
    ]


def test_the_path_of_another_machine_before_folders_that_are_here_is_no_news(
    tmp_path: Path,
) -> None:
    """As Ultralytics' own files have it: `path: ../datasets/coco8`."""
    pair(tmp_path, "images/train/x.jpg", "labels/train/x.txt")
    assert refs(tmp_path, "path: ../datasets/coco8\ntrain: images/train") == [("train", "x")]
    assert remarks(tmp_path) == []


def test_no_path_leads_out_of_the_dataset(tmp_path: Path) -> None:
    pair(tmp_path / "outside", "images/x.jpg", "labels/x.txt")
    pair(tmp_path / "set", "images/train/y.jpg", "labels/train/y.txt")
    outside = tmp_path / "outside" / "images"
    write_text(tmp_path / "set" / "val.txt", f"{outside}/x.jpg\n../outside/images/x.jpg\n")
    data = f"train: images/train\nval: [{outside}, ../outside/images, val.txt]"
    found = refs(tmp_path / "set", data)
    assert {key for _, key in found} == {"y", "x"}
    inside = [ref.image for ref in YoloReader(tmp_path / "set").scan() if ref.image]
    assert all(path.is_relative_to(tmp_path / "set") for path in inside)


def test_splits_and_keys(tmp_path: Path) -> None:
    for split in ("train", "val", "test", "night"):
        pair(tmp_path, f"images/{split}/city/images/x.jpg", f"images/{split}/city/labels/x.txt")
    data = "train: images/train\nvalidation: images/val\ntest: images/test\nnight: images/night"
    assert refs(tmp_path, data) == [
        (split, "city/images/x") for split in ("train", "val", "test", "night")
    ]


def test_several_folders_of_one_split(tmp_path: Path) -> None:
    for folder in ("day/train", "night/train", "night/val"):
        pair(tmp_path, f"images/{folder}/x.jpg", f"labels/{folder}/x.txt")
    assert refs(
        tmp_path, "train: [images/day/train, images/night/train]\nval: images/night/val"
    ) == [
        ("train", "day/x"),
        ("train", "night/x"),
        ("val", "x"),
    ]


@pytest.mark.parametrize(
    ("line", "remark"),
    [
        ("./images/train2017/x.jpg", ""),
        ("images/train2017/x.jpg", ""),
        ("\ufeffimages/train2017/x.jpg \r\n\r\n", ""),
        ("/home/me/coco/images/train2017/x.jpg", "1 paths lead elsewhere"),
        ("data/images/train2017/x.jpg", "1 paths lead elsewhere"),
        (r"D:\coco\images\train2017\x.jpg", "1 paths lead elsewhere"),
        ("images/train2017/x.jpg\nREADME.md", "1 lines are no images, as README.md"),
    ],
)
def test_lists_of_images(tmp_path: Path, line: str, remark: str) -> None:
    pair(tmp_path, "images/train2017/x.jpg", "labels/train2017/x.txt")
    write_text(tmp_path / "train.txt", line)
    assert refs(tmp_path, "train: train.txt") == [("train", "train2017/x")]
    assert remark in "".join(remarks(tmp_path))
    assert bool(remark) == bool(remarks(tmp_path))


def test_what_a_list_names_and_is_not_there_is_a_missing_image(tmp_path: Path) -> None:
    root = tmp_path / "src"
    pair(root, "images/x.jpg", "labels/x.txt")
    write_text(root / "labels/y.txt", f"0 {SQUARE}\n")
    write_text(root / "train.txt", "images/x.jpg\n/else/images/y.jpg\n/else/images/z.jpg\n")
    assert refs(root, "train: train.txt") == [("train", "x"), ("train", "y"), ("train", "z")]
    report = segfmt.convert(root, tmp_path / "dst", source="yolo", target="voc")
    assert (report.done, report.skipped) == (1, 2)


def test_a_label_without_an_image_is_counted_and_cannot_be_read(tmp_path: Path) -> None:
    root = tmp_path / "src"
    pair(root, "images/train/x.jpg", "labels/train/x.txt")
    write_text(root / "labels/train/lost.txt", f"0 {SQUARE}\n")
    write_text(root / "labels/train/classes.txt", "road\n")
    assert refs(root, "train: images/train") == [("train", "x"), ("train", "lost")]
    report = segfmt.convert(root, tmp_path / "a", source="yolo", target="voc")
    assert (report.done, report.skipped) == (1, 1)
    report = segfmt.convert(root, tmp_path / "b", source="yolo", target="voc", missing_image="keep")
    assert "lost.txt: has no image, and only that says how many pixels" in report.failures[0].error


def test_negatives_are_kept(tmp_path: Path) -> None:
    pair(tmp_path, "images/train/x.jpg", "labels/train/x.txt")
    write_image(tmp_path / "images/train/empty.jpg")
    write_text(tmp_path / "labels/train/empty.txt", "\n")
    write_image(tmp_path / "images/train/missing.jpg")
    assert len(refs(tmp_path, "train: images/train")) == 3
    samples = {sample.ref.key: sample for sample in segfmt.open_dataset(tmp_path, "yolo")}
    assert not painted(samples["empty"]).any()
    assert not painted(samples["missing"]).any()
    assert notes(samples["empty"]) == set()
    assert notes(samples["missing"]) == {
        ("images without a label file, taken for background", "train", 1)
    }


def test_a_split_without_labels_is_left_out(tmp_path: Path) -> None:
    pair(tmp_path, "images/train/x.jpg", "labels/train/x.txt")
    write_image(tmp_path / "images/test/y.jpg")
    assert refs(tmp_path, "train: images/train\ntest: images/test") == [("train", "x")]
    assert remarks(tmp_path) == ["test: left out, none of 1 images has a label file"]


def test_what_is_not_there_or_in_no_split_is_told(tmp_path: Path) -> None:
    pair(tmp_path, "images/train/x.jpg", "labels/train/x.txt")
    pair(tmp_path, "images/more/y.jpg", "labels/more/y.txt")
    assert refs(tmp_path, "train: images/train\nval:\ntest: images/test") == [("train", "x")]
    assert remarks(tmp_path) == [
        'test: "images/test" is not there, and left out',
        "images in no split are left out: 1, such as images/more/y.jpg",
    ]


def test_links_out_of_the_dataset_are_followed_on_request(tmp_path: Path) -> None:
    pair(tmp_path / "there", "x.jpg", "x.txt")
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "data").symlink_to(tmp_path / "there")
    with pytest.raises(segfmt.FormatError, match="link that leads out"):
        refs(tmp_path / "set", "train: data")
    assert refs(tmp_path / "set", "train: data", follow_links=True) == [("train", "x")]
