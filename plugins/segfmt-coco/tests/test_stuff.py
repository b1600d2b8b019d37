"""COCO-Stuff's pixel maps, read and written."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from coco_files import write_image
from PIL import Image

import segfmt
from segfmt import ClassInfo, ClassTable, FormatError, Mask, UsageError
from segfmt_coco.stuff import StuffReader, StuffWriter
from segfmt_coco.stuff_labels import LABELS


def dataset(root: Path, values: Any, maps: str = "stuffthingmaps", name: str = "1") -> Path:
    segfmt.write_mask(root / maps / f"val2017/{name}.png", np.array([values], np.uint8))
    write_image(root / f"images/val2017/{name}.jpg", (len(values), 1))
    return root


def test_values_are_category_ids_less_one(tmp_path: Path) -> None:
    opened = segfmt.open_dataset(dataset(tmp_path, [0, 2, 156, 181, 255]))
    (sample,) = opened
    assert (sample.ref.split, sample.ref.key) == ("val", "1")
    assert sample.ref.image == tmp_path / "images/val2017/1.jpg"
    names = [opened.classes.by_id(id).name for id in sample.label.ids[0].tolist()]
    assert names == ["person", "car", "sky-other", "wood", "unlabeled"]
    assert opened.classes.ignore.id == 255
    assert opened.classes.background is None


def test_the_names_are_cocos_own() -> None:
    assert len(LABELS) == len(set(LABELS)) == 182
    assert [LABELS[id - 1] for id in (1, 11, 78, 91, 92, 112, 182)] == [
        "person",
        "fire hydrant",
        "microwave",
        "hair brush",
        "banner",
        "door-stuff",
        "wood",
    ]


def test_the_layout_of_mmseg_and_its_train_ids(tmp_path: Path) -> None:
    root = dataset(tmp_path, [0, 255], "annotations")
    segfmt.write_mask(root / "annotations/val2017/1_labelTrainIds.png", np.zeros((1, 2), np.uint8))
    (ref,) = segfmt.open_dataset(root, "coco-stuff", maps="annotations").refs()
    assert (ref.split, ref.key, ref.image is not None) == ("val", "1", True)


def test_maps_of_the_challenge_hold_ids(tmp_path: Path) -> None:
    root = dataset(tmp_path, [0, 92, 183], "stuff_val2017_pixelmaps")
    (root / "labels.txt").write_text("0: unlabeled\n92: banner\n183: other\n")
    (sample,) = segfmt.open_dataset(
        root, "coco-stuff", maps="stuff_val2017_pixelmaps", values="ids"
    )
    assert sample.label.ids.tolist() == [[255, 92, 183]]


def test_labels_txt_names_other_classes(tmp_path: Path) -> None:
    root = dataset(tmp_path, [0, 253, 255])
    (root / "labels.txt").write_bytes("0: unlabeled\r\n1: 길: 차도\r\n254: background\r\n".encode())
    classes = segfmt.open_dataset(root).classes
    assert [(info.id, info.name, info.role) for info in classes] == [
        (1, "길: 차도", "class"),
        (254, "background", "background"),
        (255, "unlabeled", "ignore"),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("person", r'line 1: is not "id: name"'),
        ("1: a\nx: b", "line 2"),
        ("255: a", "line 1"),
        ("1: a\n2: A", "is no class table"),
    ],
)
def test_a_broken_labels_txt(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "labels.txt").write_text(text)
    with pytest.raises(FormatError, match=problem):
        print(StuffReader(tmp_path).classes)


def test_a_value_that_would_be_ignores_id_is_no_class(tmp_path: Path) -> None:
    root = dataset(tmp_path / "src", [0, 254])
    report = segfmt.convert(root, tmp_path / "dst", source="coco-stuff", target="folder")
    assert "which is no class of the dataset" in report.failures[0].error


def test_what_is_missing_or_of_another_size(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"stuffthingmaps: is not there; -i maps"):
        list(StuffReader(tmp_path).scan())
    root = dataset(tmp_path, [0, 1])
    write_image(root / "images/val2017/1.jpg", (3, 1))
    with pytest.raises(FormatError, match="is 2 x 1, but its image 3 x 1"):
        list(segfmt.open_dataset(root))


def test_the_files_to_the_byte(tmp_path: Path) -> None:
    table = ClassTable(
        [
            ClassInfo(0, "undefined", role="background"),
            ClassInfo(1, "road"),
            ClassInfo(3, "하늘"),
            ClassInfo(9, "void", role="ignore"),
        ]
    )
    segfmt.write_mask(tmp_path / "src/masks/a.png", np.array([[0, 1, 3, 9]], np.uint8))
    write_image(tmp_path / "src/images/a.png", (4, 1))
    segfmt.atomic_write(tmp_path / "src/classes.json", table.to_json())
    report = segfmt.convert(
        tmp_path / "src",
        tmp_path / "dst",
        source="folder",
        target="coco-stuff",
        writer_options={"year": "2017", "maps": "annotations"},
    )
    assert report.ok, report.failures
    assert (tmp_path / "dst/images/train2017/a.png").is_file()
    text = (tmp_path / "dst/labels.txt").read_text(encoding="utf-8")
    assert text == "0: unlabeled\n1: road\n2: background\n3: 하늘\n"
    with Image.open(tmp_path / "dst/annotations/train2017/a.png") as png:
        assert png.mode == "L"
        assert np.asarray(png).tolist() == [[1, 0, 2, 255]]


def test_ids_that_have_no_value_take_free_ones(tmp_path: Path) -> None:
    table = ClassTable(
        [ClassInfo(0, "a"), ClassInfo(1, "b"), ClassInfo(300, "c"), ClassInfo(255, "d")]
    )
    own = StuffWriter(tmp_path, table).classes
    assert {info.name: info.id for info in own} == {
        "a": 2,
        "b": 1,
        "c": 3,
        "d": 4,
        "unlabeled": 255,
    }
    many = ClassTable(ClassInfo(id, f"c{id}") for id in range(255))
    with pytest.raises(UsageError, match="255 classes do not fit"):
        StuffWriter(tmp_path, many)
    with pytest.raises(FormatError, match="maps"):
        StuffWriter(tmp_path, table, maps="../maps")


def test_a_conversion_to_voc_and_back(tmp_path: Path) -> None:
    root = dataset(tmp_path / "src", [0, 181, 255, 3])
    assert segfmt.convert(root, tmp_path / "voc", target="voc").ok
    assert segfmt.convert(tmp_path / "voc", tmp_path / "back", target="coco-stuff").ok
    (one,), (two,) = segfmt.open_dataset(root), segfmt.open_dataset(tmp_path / "back")
    assert isinstance(two.label, Mask)
    assert one.label.ids.tolist() == two.label.ids.tolist()
