"""The AIHub writer: its files as bytes, and what its own reader makes of them."""

import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import segfmt
from aihub_files import annotation, dataset, label, write_image, write_label
from segfmt import ClassInfo, ClassTable, Mask, Polygons, Sample, SampleRef, open_dataset, rasterize
from segfmt.format import Accepts
from segfmt.formats._aihub_write import AihubWriter

TABLE = ClassTable(
    [
        ClassInfo(0, "nothing", (0, 0, 0), "background"),
        ClassInfo(1, "road", (130, 130, 130)),
        ClassInfo(2, "나무 숲", (0, 128, 0)),
        ClassInfo(3, "car", (0, 0, 255)),
        ClassInfo(255, "ignore", (224, 224, 192), "ignore"),
    ]
)
SHAPE = (12, 16)


def sample_of(
    ids: npt.NDArray[np.uint8] | Polygons, key: str = "x", split: str = "train", image: Any = None
) -> Sample:
    shape = SHAPE if isinstance(ids, Polygons) else ids.shape
    return Sample(
        SampleRef(key, split, image), shape, ids if isinstance(ids, Polygons) else Mask(ids)
    )


def drawn(*rings: list[list[float]], ids: list[int], **rule: Any) -> Polygons:
    return Polygons.from_rings([[ring] for ring in rings], ids, **rule)


def read(root: Path, **options: Any) -> list[Sample]:
    return list(open_dataset(root, "aihub", **options))


def test_the_file_is_as_the_published_one(tmp_path: Path) -> None:
    image = write_image(tmp_path / "src" / "frame.jpg")
    polygons = drawn(
        [[2.0, 2.0], [9.5, 2.0], [9.5, 7.0]], [[1, 1], [4, 1], [4, 3], [1, 3]], ids=[2, 1]
    )
    writer = AihubWriter(tmp_path / "dst", TABLE)
    entry = writer.write(sample_of(polygons, "scene/x", "val", image))
    writer.finish([entry])
    assert entry.files == (
        "Validation/라벨링데이터/scene/x.json",
        "Validation/원천데이터/scene/x.jpg",
    )
    assert not entry.notes
    assert json.loads((tmp_path / "dst" / entry.files[0]).read_bytes()) == {
        "Source_Image_Info": {
            "Img_name": "x.jpg",
            "Img_path": "Validation/원천데이터/scene",
            "Resolution": [16, 12],
            "Copyrighter": "",
            "Time_zone": "",
            "Location": "",
            "Gps": "",
            "Weather": "",
        },
        "Annotation": [
            {
                "Label": "나무 숲",
                "Type": "polygon",
                "bbox": [2.0, 2.0, 7.5, 5.0],
                "area": 18.75,
                "Coordinate": [[2.0, 2.0], [9.5, 2.0], [9.5, 7.0]],
                "Data_type": "worker",
            },
            {
                "Label": "road",
                "Type": "polygon",
                "bbox": [1.0, 1.0, 3.0, 2.0],
                "area": 6.0,
                "Coordinate": [[1.0, 1.0], [4.0, 1.0], [4.0, 3.0], [1.0, 3.0]],
                "Data_type": "worker",
            },
        ],
    }
    text = (tmp_path / "dst" / entry.files[0]).read_text(encoding="utf-8")
    assert '"나무 숲"' in text
    assert "[[1.0,1.0],[4.0,1.0]" in text
    assert (tmp_path / "dst" / entry.files[1]).read_bytes() == image.read_bytes()


def test_the_published_script_paints_what_was_written(tmp_path: Path) -> None:
    ids = np.zeros(SHAPE, np.uint8)
    ids[1:10, 1:14] = 1
    ids[3:7, 3:9] = 2
    ids[4:6, 4:6] = 0  # a hole in a hole
    ids[8, 11] = 3  # a dot
    ids[11, 2:9] = 3  # a line
    (name,) = AihubWriter(tmp_path, TABLE).write(sample_of(ids)).files
    canvas = np.zeros(SHAPE, np.uint8)
    for each in json.loads((tmp_path / name).read_bytes())["Annotation"]:
        if len(each["Coordinate"]) >= 3:
            points = np.array(np.around(np.array(each["Coordinate"], np.float32)), np.int32)
            cv2.fillPoly(canvas, [points], TABLE.by_name(each["Label"]).id)
    assert (canvas == ids).all()


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    hnp.arrays(
        np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 3)
    )
)
def test_any_mask_reads_back(tmp_path_factory: Any, ids: npt.NDArray[np.uint8]) -> None:
    root = tmp_path_factory.mktemp("set")
    writer = AihubWriter(root, TABLE)
    writer.finish([writer.write(sample_of(ids))])
    (sample,) = read(root)
    assert (rasterize(sample.label, sample.shape) == ids).all()
    assert not sample.notes


@pytest.mark.parametrize("split", ["train", "val", "test"])
@pytest.mark.parametrize("key", ["x", "scene/x", "나/x.y", "S1/cam 2/x_gtFine"])
def test_splits_and_keys_read_back(tmp_path: Path, split: str, key: str) -> None:
    image = write_image(tmp_path / "src" / "frame.png")
    writer = AihubWriter(tmp_path / "dst", TABLE)
    entry = writer.write(sample_of(np.zeros(SHAPE, np.uint8), key, split, image))
    writer.finish([entry])
    (ref,) = open_dataset(tmp_path / "dst", "aihub").refs()
    assert (ref.split, ref.key) == (split, key)
    assert ref.image == tmp_path / "dst" / entry.files[1]
    assert not entry.notes


@pytest.mark.parametrize(("split", "key"), [("extra", "x"), ("train", "images/x")])
def test_a_name_that_does_not_read_back_is_said(tmp_path: Path, split: str, key: str) -> None:
    entry = AihubWriter(tmp_path, TABLE).write(sample_of(np.zeros(SHAPE, np.uint8), key, split))
    assert [(note.code, note.subject) for note in entry.notes] == [
        ("reads back under another name", f"{split}/{key}")
    ]


def test_classes_read_back_without_ignore(tmp_path: Path) -> None:
    writer = AihubWriter(tmp_path, TABLE)
    assert [info.name for info in writer.classes] == ["nothing", "road", "나무 숲", "car"]
    writer.finish([writer.write(sample_of(np.full(SHAPE, 2, np.uint8)))])
    assert open_dataset(tmp_path, "aihub").classes == writer.classes
    assert [sample.label.class_ids.tolist() for sample in read(tmp_path)] == [[2]]


def test_dots_and_lines_keep_their_pixels(tmp_path: Path) -> None:
    polygons = drawn([[3, 4]], [[5, 5], [9, 7]], ids=[1, 2])
    writer = AihubWriter(tmp_path, TABLE)
    writer.finish([writer.write(sample_of(polygons))])
    (sample,) = read(tmp_path)
    assert len(sample.label) == 2
    assert (rasterize(sample.label, SHAPE) == rasterize(polygons, SHAPE)).all()


def test_polygons_of_the_background_stay_where_they_were_drawn(tmp_path: Path) -> None:
    square, hole = [[1, 1], [9, 1], [9, 9], [1, 9]], [[3, 3], [6, 3], [6, 6], [3, 6]]
    writer = AihubWriter(tmp_path, TABLE)
    writer.finish([writer.write(sample_of(drawn(square, hole, ids=[1, 0])))])
    (sample,) = read(tmp_path)
    assert sample.label.class_ids.tolist() == [1, 0]
    assert rasterize(sample.label, SHAPE)[4, 4] == 0


@pytest.mark.parametrize(
    ("suffix", "target"), [(".jpeg", ".jpeg"), (".PNG", ".png"), (".bmp", ".png")]
)
def test_images_keep_their_format_or_become_png(tmp_path: Path, suffix: str, target: str) -> None:
    image = write_image(tmp_path / f"frame{suffix}")
    entry = AihubWriter(tmp_path / "dst", TABLE).write(
        sample_of(np.zeros(SHAPE, np.uint8), image=image)
    )
    assert entry.files[1] == f"Training/원천데이터/x{target}"
    assert segfmt.image_size(tmp_path / "dst" / entry.files[1]) == SHAPE
    assert bool(entry.notes) == (suffix == ".bmp")


def test_without_images_the_label_names_where_it_would_be(tmp_path: Path) -> None:
    image = write_image(tmp_path / "frame.jpg")
    writer = AihubWriter(tmp_path / "dst", TABLE, images="none")
    (name,) = writer.write(sample_of(np.zeros(SHAPE, np.uint8), image=image)).files
    info = json.loads((tmp_path / "dst" / name).read_bytes())["Source_Image_Info"]
    assert (info["Img_name"], info["Img_path"]) == ("x.jpg", "Training/원천데이터")
    assert not (tmp_path / "dst" / "Training" / "원천데이터").exists()


def test_what_is_accepted(tmp_path: Path) -> None:
    exact, kept = AihubWriter(tmp_path, TABLE), AihubWriter(tmp_path, TABLE, vertices="keep")
    both = Accepts(polygons=True, mask=True, holes="keyhole")
    assert exact.accepts == replace(both, fill_rule="opencv", rounding="nearest")
    assert kept.accepts == both
    assert pickle.loads(pickle.dumps(kept)) == kept


def test_vertices_kept_are_as_drawn_and_reported(tmp_path: Path) -> None:
    polygons = drawn([[2.6, 1.4], [13.5, 3.5], [8.5, 10.6]], ids=[1], fill_rule="pillow")
    writer = AihubWriter(tmp_path, TABLE, vertices="keep")
    entry = writer.write(sample_of(polygons))
    assert [(note.code, note.subject) for note in entry.notes] == [
        ("vertices kept, pixels may differ", "pillow")
    ]
    writer.finish([entry])
    (sample,) = read(tmp_path)
    assert (sample.label.points == polygons.points).all()


def test_writing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    ids = np.arange(12 * 16, dtype=np.uint8).reshape(SHAPE) % 4
    for folder in ("a", "b"):
        AihubWriter(tmp_path / folder, TABLE).write(sample_of(ids))
    (one,), (other,) = ((tmp_path / folder).rglob("*.json") for folder in ("a", "b"))
    assert one.read_bytes() == other.read_bytes()


def test_aihub_to_aihub_keeps_every_vertex(tmp_path: Path) -> None:
    points = [[0.0, 446.2], [1920.0, 565.1], [1920.0, -3.25], [0.1, 0.0]]
    documents = {"a": label(annotation("sky", points), annotation("speed bump"), size=(64, 48))}
    source = dataset(tmp_path / "src", ["a", "b"], documents)
    report = segfmt.convert(source, tmp_path / "dst", source="aihub", target="aihub")
    assert (report.done, report.failed) == (2, 0)
    before, after = (read(root) for root in (source, tmp_path / "dst"))
    for one, other in zip(before, after, strict=True):
        assert (one.label.points == other.label.points).all()
        assert one.label.class_ids.tolist() == other.label.class_ids.tolist()
        assert one.ref.key == other.ref.key


def test_ignore_has_to_be_given_up_by_name(tmp_path: Path) -> None:
    source = dataset(tmp_path / "src", ["a"], {"a": label(annotation("zebra"))})
    options: dict[str, Any] = {"source": "aihub", "target": "aihub", "unknown_label": "ignore"}
    with pytest.raises(segfmt.UsageError, match="ignore"):
        segfmt.convert(source, tmp_path / "dst", **options)
    report = segfmt.convert(source, tmp_path / "dst", ignore_to="background", **options)
    assert (report.done, report.failed) == (1, 0)
    (sample,) = read(tmp_path / "dst")
    assert not rasterize(sample.label, sample.shape).any()


def test_polygons_of_another_rule_are_traced_with_the_same_pixels(tmp_path: Path) -> None:
    source = tmp_path / "src"
    write_image(source / "data" / "x.jpg")
    slanted = {"label": "road", "polygon": [[2.6, 1.4], [13.5, 3.5], [8.5, 10.6]]}
    document = {"imgHeight": 12, "imgWidth": 16, "objects": [slanted]}
    write_label(source / "labels" / "x_gtFine_polygons.json", document)
    segfmt.convert(source, tmp_path / "dst", source="aihub", target="aihub")
    (before,), (after,) = read(source), read(tmp_path / "dst")
    assert (before.label.fill_rule, after.label.fill_rule) == ("pillow", "opencv")
    assert (rasterize(before.label, SHAPE) == rasterize(after.label, SHAPE)).all()
