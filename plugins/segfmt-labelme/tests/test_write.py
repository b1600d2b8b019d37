"""Writing labelme, held against labelme: its rules restated, and itself where it can be run."""

import base64
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labelme_files import (
    IDS,
    document,
    mask_of,
    objects,
    only,
    painted,
    put,
    put_image,
    put_labels,
    same_parts,
    shape_of,
    shapes_to_label,
)
from test_shapes import judge, labelme

import segfmt
from segfmt import ClassInfo, ClassTable, Mask, Note, Polygons, Sample, SampleRef, UsageError
from segfmt_labelme import LabelmeReader, LabelmeWriter

TABLE = ClassTable(
    [
        ClassInfo(0, "nothing", role="background"),
        ClassInfo(1, "road", (128, 64, 128)),
        ClassInfo(2, "자전거", (0, 0, 142)),
        ClassInfo(3, "traffic light", (250, 170, 30)),
        ClassInfo(255, "void", role="ignore"),
    ]
)
RING = [[(0, 0), (5, 0), (5, 4), (0, 4)]]


def traced(ids: Any, numbers: Any = None) -> Sample:
    """Return a sample as the core gives it to a writer of polygons."""
    mask = Mask(np.asarray(ids, np.uint8), numbers)
    label = segfmt.trace(mask, fill_rule="pillow", holes="keyhole")
    return Sample(SampleRef("장면/a"), mask.ids.shape, label)


def written(root: Path, sample: Sample, **options: Any) -> Any:
    """Write one sample and return its label file and the notes."""
    writer = LabelmeWriter(root, TABLE, **options)
    entry = writer.write(sample)
    writer.finish([entry])
    return json.loads((root / entry.files[0]).read_bytes()), entry.notes


def folder_dataset(root: Path, ids: Any, key: str = "a", **options: Any) -> Path:
    """Write a dataset of format `folder` with one sample."""
    segfmt.atomic_write(root / "classes.json", TABLE.to_json())
    segfmt.write_mask(root / "masks" / "train" / f"{key}.png", np.asarray(ids, np.uint8))
    height, width = np.shape(ids)
    put_image(root / "images" / "train" / f"{key}.jpg", (width, height), **options)
    return root


def test_a_label_file(tmp_path: Path) -> None:
    ids = np.zeros((4, 6), np.uint8)
    ids[0:3, 0:3] = 2
    ids[1, 1] = 0
    ids[3, 4], ids[0, 5] = 255, 1
    image = put_image(tmp_path / "x.png", (6, 4))
    sample = traced(ids, (ids == 2).astype(np.uint16) * 7)
    sample = Sample(SampleRef("장면/a", "val", image), sample.shape, sample.label)
    doc, notes = written(tmp_path / "dst", sample)
    assert notes == ()
    assert doc == {
        "version": "5.5.0",
        "flags": {},
        "shapes": [
            shape_of("자전거", doc["shapes"][0]["points"], group_id=1),
            shape_of("road", [[5, 0]] * 3),
            shape_of("__ignore__", [[4, 3]] * 3),
        ],
        "imagePath": "a.png",
        "imageData": None,
        "imageHeight": 4,
        "imageWidth": 6,
    }
    assert (tmp_path / "dst/val/장면/a.png").read_bytes() == image.read_bytes()
    labels = (tmp_path / "dst/labels.txt").read_text(encoding="utf-8")
    assert labels == "__ignore__\n_background_\nroad\n자전거\ntraffic light\n"


def test_ids_colors_and_roles_are_read_back(tmp_path: Path) -> None:
    far = ClassTable(
        [ClassInfo(9, "a", (1, 2, 3)), ClassInfo(7, "b"), ClassInfo(3, "x", role="background")]
    )
    LabelmeWriter(tmp_path, far).finish([])
    found = [(i.id, i.name, i.color, i.role) for i in LabelmeReader(tmp_path).classes]
    assert found == [(i.id, i.name, i.color, i.role) for i in far]
    labels = (tmp_path / "labels.txt").read_text(encoding="utf-8")
    assert labels == "__ignore__\n_background_\nb\na\n"


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1))
def test_any_mask_is_what_labelme_paints_and_what_is_read(seed: int) -> None:
    random = np.random.default_rng(seed)
    ids = random.choice(np.array([0, 1, 2, 3, 255], np.uint8), random.integers(1, 12, 2))
    numbers = np.where((ids > 0) & (ids < 255), random.integers(1, 3, ids.shape), 0)
    with TemporaryDirectory() as folder:
        doc, notes = written(Path(folder), traced(ids, numbers.astype(np.uint16)))
        sample = only(Path(folder))
    assert notes == ()
    assert "_background_" not in {shape["label"] for shape in doc["shapes"]}
    expected = np.where(numbers, ids.astype(int) * 1000 + numbers, 0)
    found, parts = shapes_to_label(doc)
    assert (found == ids).all()
    assert same_parts(np.where(numbers, parts, 0), expected)
    assert (painted(sample) == ids).all()
    assert same_parts(objects(sample), expected)


@labelme
def test_labelme_itself_loads_it_and_paints_the_same(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    masks = {}
    for number in range(30):
        key = f"장면 {number % 3}/{number}"
        block = np.ones((1 + number % 4,) * 2, np.uint8)
        rough = random.choice(np.array(list(IDS.values()), np.uint8), random.integers(1, 12, 2))
        masks[key] = np.kron(rough, block)
        options = {"exif": bytes_of_exif(1 + number % 8)} if number % 2 else {}
        folder_dataset(tmp_path / "src", masks[key], key, **options)
    report = segfmt.convert(tmp_path / "src", tmp_path / "dst", source="folder", target="labelme")
    assert report.done == 30
    judge(tmp_path / "dst")
    for key, mask in masks.items():
        ids, _ = np.load(tmp_path / "dst/train" / f"{key}.npy")
        assert (np.where(ids < 0, 255, ids) == mask).all(), key


def bytes_of_exif(orientation: int) -> bytes:
    from PIL import Image

    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags.tobytes()


def test_an_image_that_labelme_would_turn_is_embedded(tmp_path: Path) -> None:
    src = folder_dataset(tmp_path / "src", np.eye(4, 6), exif=bytes_of_exif(3))
    report = segfmt.convert(src, tmp_path / "dst", source="folder", target="labelme")
    doc = json.loads((tmp_path / "dst/train/a.json").read_bytes())
    image = (tmp_path / "dst/train/a.jpg").read_bytes()
    assert base64.b64decode(doc["imageData"]) == image == (src / "images/train/a.jpg").read_bytes()
    code = "images embedded: labelme would turn the file by its EXIF"
    assert report.notes[code].subjects == {"3": 1}


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        (
            Polygons.from_rings([RING], [1], fill_rule="opencv", rounding="floor"),
            [[0, 0], [5, 0], [5, 4], [0, 4]],
        ),
        (
            Polygons.from_rings([[[(0.5, 0.5), (5.5, 0.5), (0.5, 3)]]], [1], fill_rule="center"),
            [[0.5, 0.5], [5.5, 0.5], [0.5, 3]],
        ),
    ],
)
def test_polygons_of_another_rule_are_kept_as_drawn_if_told(
    tmp_path: Path, label: Polygons, expected: Any
) -> None:
    sample = Sample(SampleRef("a"), (6, 8), label)
    doc, notes = written(tmp_path, sample, vertices="keep")
    assert doc["shapes"][0]["points"] == expected
    assert notes == (Note("vertices kept, pixels may differ", label.rule_in_words),)


def test_polygons_of_another_rule_are_traced_with_the_same_pixels(tmp_path: Path) -> None:
    points = [[1.5, 1.5], [9.5, 2.5], [7.5, 8.5], [2.5, 6.4]]
    label = {"Label": "road", "Coordinate": points}
    put(tmp_path / "src/label/a.json", {"Source_Image_Info": {}, "Annotation": [label]})
    put_image(tmp_path / "src/data/a.png", (12, 10))
    (expected,) = segfmt.open_dataset(tmp_path / "src", "aihub")
    for vertices in ("exact", "keep"):
        dst = tmp_path / vertices
        report = segfmt.convert(
            tmp_path / "src",
            dst,
            source="aihub",
            target="labelme",
            classes="road=1",
            writer_options={"vertices": vertices},
        )
        assert report.ok
        same = painted(only(dst)) == painted(expected)
        assert same.all() == (vertices == "exact")
    assert json.loads((dst / "train/a.json").read_bytes())["shapes"][0]["points"] == points


def test_holes_are_traced_under_pillows_rule_where_vertices_are_kept(tmp_path: Path) -> None:
    rings = [[(0, 0), (6, 0), (6, 6), (0, 6)], [(2, 2), (4, 2), (4, 4), (2, 4)]]
    label = Polygons.from_rings([rings], [1], fill_rule="center")
    ids = segfmt.rasterize(label, (7, 7))
    sample = Sample(SampleRef("a"), (7, 7), Mask(ids))
    doc, notes = written(tmp_path, sample, vertices="keep")
    assert notes == ()
    assert (shapes_to_label(doc)[0] == ids).all()


def test_what_paints_nothing_is_no_shape(tmp_path: Path) -> None:
    rings = [[[(1, 1)]], [[(2, 2), (4, 2)]]]
    label = Polygons.from_rings(rings, [1, 2], fill_rule="pillow")
    sample = Sample(SampleRef("a"), (6, 8), label)
    doc, _ = written(tmp_path, sample)
    assert [shape["points"] for shape in doc["shapes"]] == [[[2, 2], [4, 2], [4, 2]]]
    assert (shapes_to_label(doc)[0] == segfmt.rasterize(label, (6, 8))).all()


def test_group_ids_are_unique_over_an_image_and_shapes_without_object_have_none(
    tmp_path: Path,
) -> None:
    label = Polygons.from_rings(
        [RING] * 5, [1, 2, 1, 1, 2], instance_ids=[1, 1, 0, 2, 1], fill_rule="pillow"
    )
    doc, _ = written(tmp_path, Sample(SampleRef("a"), (6, 8), label))
    assert [shape["group_id"] for shape in doc["shapes"]] == [1, 2, None, 3, 2]


def test_labelme_to_labelme_keeps_what_was_drawn(tmp_path: Path) -> None:
    points = [[0.25, 1.75], [6.5, 1.125], [3.0000000001, 5.9]]
    shapes = [shape_of("자전거", points), shape_of("_background_", points[::-1])]
    put(tmp_path / "src/a.json", document(*shapes, imagePath="a.png"))
    put_image(tmp_path / "src/a.png")
    put_labels(tmp_path / "src")
    report = segfmt.convert(tmp_path / "src", tmp_path / "dst", source="labelme", target="labelme")
    assert report.ok
    assert not report.notes
    doc = json.loads((tmp_path / "dst/train/a.json").read_bytes())
    assert doc["shapes"] == [{**shapes[0], "group_id": 1}, shapes[1]]


def test_to_voc_and_back(tmp_path: Path) -> None:
    mask = np.random.default_rng(8).random((9, 11)) < 0.5
    for split, key in (("train", "가로 1"), ("val", "장면/나")):
        shapes = [
            shape_of("road", group_id=3),
            shape_of("traffic light", [[9, 3], [11, 7]], "circle"),
            mask_of("자전거", mask, (2, 1)),
            shape_of("__ignore__", [[0, 11], [15, 11]], "line"),
        ]
        name = key.rpartition("/")[2]
        doc = document(*shapes, imagePath=f"{name}.jpg", size=(16, 12))
        put(tmp_path / f"src/{split}/{key}.json", doc)
        put_image(tmp_path / f"src/{split}/{key}.jpg", (16, 12))
    put_labels(tmp_path / "src")
    steps = [("labelme", "src", "voc"), ("voc", "voc", "labelme")]
    for source, folder, target in steps:
        report = segfmt.convert(tmp_path / folder, tmp_path / target, source=source, target=target)
        assert report.ok, report.failures
        assert report.done == 2
    one, two = segfmt.open_dataset(tmp_path / "src"), segfmt.open_dataset(tmp_path / "labelme")
    assert [(i.id, i.role) for i in two.classes] == [(i.id, i.role) for i in one.classes]
    for before, after in zip(one, two, strict=True):
        assert (after.ref.split, after.ref.key) == (before.ref.split, before.ref.key)
        assert (painted(after) == painted(before)).all()
        assert same_parts(objects(after), objects(before))
        assert after.ref.image.read_bytes() == before.ref.image.read_bytes()


def test_a_mask_without_background_reads_back(tmp_path: Path) -> None:
    full = ClassTable([ClassInfo(0, "road"), ClassInfo(1, "sky"), ClassInfo(3, "tree")])
    ids = np.array([[0, 0, 1], [3, 0, 1], [3, 3, 0]], np.uint8)
    segfmt.atomic_write(tmp_path / "src/classes.json", full.to_json())
    segfmt.write_mask(tmp_path / "src/masks/a.png", ids)
    put_image(tmp_path / "src/images/a.png", (3, 3))
    for vertices in ("exact", "keep"):
        segfmt.convert(
            tmp_path / "src",
            tmp_path / vertices,
            source="folder",
            target="labelme",
            writer_options={"vertices": vertices},
        )
        sample = only(tmp_path / vertices)
        assert (segfmt.rasterize(sample.label, (3, 3), background=9) == ids).all()
    background = LabelmeReader(tmp_path / "exact").classes.background
    assert background == ClassInfo(2, "_background_", role="background")


@pytest.mark.parametrize("suffix", [".bmp", ".JPG", ".webp"])
def test_images_of_any_type_are_taken_as_they_are(tmp_path: Path, suffix: str) -> None:
    image = put_image(tmp_path / f"x{suffix}", (8, 6), format="BMP")
    sample = Sample(SampleRef("a", image=image), (6, 8), traced(np.eye(6, 8)).label)
    doc, notes = written(tmp_path / "dst", sample)
    assert doc["imagePath"] == f"a{suffix}"
    assert (tmp_path / f"dst/train/a{suffix}").read_bytes() == image.read_bytes()
    assert notes == ()


@pytest.mark.parametrize(("image", "named"), [(True, "a.png"), (False, "")])
def test_without_images(tmp_path: Path, image: bool, named: str) -> None:
    path = put_image(tmp_path / "x.png") if image else None
    sample = Sample(SampleRef("a", image=path), (6, 8), traced(np.eye(6, 8)).label)
    doc, _ = written(tmp_path / "dst", sample, images="none")
    assert (doc["imagePath"], doc["imageData"]) == (named, None)
    assert not list((tmp_path / "dst").rglob("*.png"))


@pytest.mark.parametrize(
    ("split", "key", "kept"),
    [("train_extra", "a", False), ("train", "images/a", False), ("test", "val/a", True)],
)
def test_a_name_that_reads_back_as_another_is_reported(
    tmp_path: Path, split: str, key: str, kept: bool
) -> None:
    sample = Sample(SampleRef(key, split), (6, 8), traced(np.eye(6, 8)).label)
    _, notes = written(tmp_path, sample)
    assert notes == (() if kept else (Note("reads back under another name", f"{split}/{key}"),))
    found = only(tmp_path).ref
    assert ((found.split, found.key) == (split, key)) == kept


def test_a_class_named_as_labelmes_background_is_refused(tmp_path: Path) -> None:
    classes = [ClassInfo(0, "nothing", role="background"), ClassInfo(1, "_background_")]
    with pytest.raises(UsageError) as caught:
        LabelmeWriter(tmp_path, ClassTable(classes))
    assert str(caught.value) == (
        '"nothing" and "_background_" would both have the label "_background_". Rename one by --map'
    )
