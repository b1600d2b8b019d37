"""`data.yaml`, and what it says about names and splits."""

from pathlib import Path

import pytest
from yolo_files import NAMES, SQUARE, dataset, one, painted, write_image, write_text

import segfmt
from segfmt_yolo.reader import YoloReader


def names(root: Path, data: str) -> list[str]:
    write_text(root / "data.yaml", data)
    return [f"{info.id}={info.name}" for info in YoloReader(root).classes]


def warnings(root: Path, **options: object) -> str:
    return "\n".join(YoloReader(root, **options).warnings)


@pytest.mark.parametrize(
    "data",
    [
        "names: [road, 자전거]",
        "names: {0: road, 1: 자전거}",
        "names: {1: 자전거, '0': road}\nnc: 2",
        "nc: 2.0\nnames:\n  - road\n  - 자전거",
        "\ufeffnames:\r\n  0: road\r\n  1: 자전거 # comment\r\n",
    ],
)
def test_names_are_a_list_or_a_map(tmp_path: Path, data: str) -> None:
    assert sorted(names(tmp_path, data)) == ["0=background", "1=road", "2=자전거"]


def test_ids_are_yolos_plus_one_and_the_user_is_told(tmp_path: Path) -> None:
    dataset(tmp_path, f"2 {SQUARE}")
    assert set(painted(one(tmp_path)).flat) == {0, 3}
    assert "class ids are YOLO's plus 1, since 0 is the background" in warnings(tmp_path)


def test_a_class_called_background_is_the_background_and_ids_stay(tmp_path: Path) -> None:
    data = "train: images/train\nnames: [road, Background, car]"
    dataset(tmp_path, f"2 {SQUARE}\n1 0.4 0.4 0.6 0.4 0.6 0.6", data)
    table = YoloReader(tmp_path).classes
    assert [(info.id, info.role) for info in table] == [
        (0, "class"),
        (1, "background"),
        (2, "class"),
    ]
    sample = one(tmp_path)
    assert set(segfmt.rasterize(sample.label, sample.shape, background=1).flat) == {1, 2}
    assert "class ids" not in warnings(tmp_path)


def test_words_that_yaml_takes_for_truth_are_names(tmp_path: Path) -> None:
    assert names(tmp_path, "names: [no, on, 1, null]")[1:] == ["1=no", "2=on", "3=1", "4=null"]


def test_colors_differ(tmp_path: Path) -> None:
    dataset(tmp_path, "")
    assert YoloReader(tmp_path).classes.shared_colors() == {}


def test_a_count_that_is_not_that_of_the_names_is_reported(tmp_path: Path) -> None:
    dataset(tmp_path, "", f"train: images/train\nnc: 80\n{NAMES}")
    assert "data.yaml: nc is 80, and there are 3 names, which count" in warnings(tmp_path)


def test_without_names_the_count_gives_classes(tmp_path: Path) -> None:
    dataset(tmp_path, f"1 {SQUARE}", "train: images/train\nnc: 2")
    assert [info.name for info in YoloReader(tmp_path).classes][1:] == ["class_0", "class_1"]
    assert "data.yaml has no names: its 2 classes are called class_0" in warnings(tmp_path)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("names: [road\ntrain: x", "line 2, column 6: is broken YAML"),
        ("names: {0: road, 0x: car}", "names: is neither a list of names nor a map"),
        ("names: {-1: road}", "names: is neither a list of names nor a map"),
        ("names: road", "names: is neither a list of names nor a map"),
        ("names: [[road]]", "names: is neither a list of names nor a map"),
        ("names: [road, ROAD]", 'share the name "ROAD"'),
        ("names: [road, '']", "class 1 has no name"),
        ("train: images/train", "has no names of classes"),
        ("nc: 99999999999\ntrain: x", "has no names of classes"),
        ("- names", "is no map of keys to values"),
        ("", "is no map of keys to values"),
        ("names: \x00", "is broken YAML"),
        ("names: " + "[" * 5000, "is broken YAML"),
        ("names: [a]\ntrain: [[images]]", "train: is no path, nor a list of paths"),
        ("names: [a]\nkpt_shape: [17, 3]", "its labels hold keypoints, not outlines"),
    ],
)
def test_bad_files_are_told_in_words(tmp_path: Path, data: str, message: str) -> None:
    dataset(tmp_path, "", data)
    with pytest.raises(segfmt.FormatError) as caught:
        print(YoloReader(tmp_path).classes)
    assert str(tmp_path / "data.yaml") in str(caught.value)
    assert message in str(caught.value)


def test_a_class_called_ignore_leaves_no_name_for_unknown_ids(tmp_path: Path) -> None:
    dataset(tmp_path, "", "train: images/train\nnames: [road, Ignore]")
    assert "ignore" in YoloReader(tmp_path).classes
    with pytest.raises(segfmt.FormatError, match="share the name"):
        print(YoloReader(tmp_path, unknown_label="ignore").classes)


def test_any_yaml_file_with_names_and_splits_will_do(tmp_path: Path) -> None:
    dataset(tmp_path, f"0 {SQUARE}")
    (tmp_path / "data.yaml").rename(tmp_path / "coco8-seg.yaml")
    write_text(tmp_path / "hyp.yml", "lr0: 0.01\n")
    assert segfmt.open_dataset(tmp_path).format.name == "yolo"
    assert painted(one(tmp_path)).any()


def test_of_several_one_must_be_named(tmp_path: Path) -> None:
    dataset(tmp_path, f"0 {SQUARE}")
    (tmp_path / "data.yaml").rename(tmp_path / "a.yaml")
    write_text(tmp_path / "b.yaml", "train: images/train\nnames: [other]\n")
    with pytest.raises(segfmt.UsageError, match=r"several YAML files with names: a.yaml, b.yaml"):
        one(tmp_path)
    assert "other" in segfmt.open_dataset(tmp_path, "yolo", data="b.yaml").classes
    with pytest.raises(segfmt.UsageError, match=r"-i data=c.yaml: .* is not there"):
        one(tmp_path, data="c.yaml")


def test_without_any_the_user_is_told_what_to_write(tmp_path: Path) -> None:
    write_image(tmp_path / "images/train/a.jpg")
    with pytest.raises(segfmt.UsageError, match=r"Write a data.yaml, such as: \{names: \["):
        one(tmp_path)


def test_one_of_other_things_is_not_taken_for_a_dataset(tmp_path: Path) -> None:
    write_text(tmp_path / "data.yaml", "names: [a]\n")
    assert segfmt.formats()["yolo"].detect(tmp_path) is None
