"""Panoptic masks, read and written, against panopticapi's rules restated."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from coco_files import CATEGORIES, document, image, notes, write_image, write_json
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import segfmt
from segfmt import ClassInfo, ClassTable, FormatError, Mask, Sample, SampleRef
from segfmt_coco.panoptic_writer import PanopticWriter

FILE = "annotations/panoptic_train.json"
THINGS = [{**one, "isthing": int(one["id"] < 90), "color": [one["id"], 0, 0]} for one in CATEGORIES]
TABLE = ClassTable(
    [
        ClassInfo(1, "person", (220, 20, 60)),
        ClassInfo(18, "개", (0, 0, 0)),
        ClassInfo(255, "ignore", role="ignore"),
    ]
)


def id2rgb(ids: np.ndarray) -> np.ndarray:
    return np.stack([ids % 256, ids // 256 % 256, ids // 65536], axis=-1).astype(np.uint8)


def rgb2id(rgb: np.ndarray) -> np.ndarray:
    return rgb[..., 0].astype(int) + 256 * rgb[..., 1] + 256 * 256 * rgb[..., 2]


def checked(gt_json: Path) -> dict[str, np.ndarray]:
    """Return the classes of the pixels of each mask, read as panopticapi's evaluation wants them.

    It refuses segments of the PNG that the JSON lacks, and the other way round, and categories that
    are not listed; areas are its own count.
    """
    found = json.loads(gt_json.read_bytes())
    categories = {one["id"]: one for one in found["categories"]}
    masks = {}
    for annotation in found["annotations"]:
        with Image.open(gt_json.with_suffix("") / annotation["file_name"]) as png:
            ids = rgb2id(np.array(png, np.uint32))
        segments = {one["id"]: one for one in annotation["segments_info"]}
        labels, counts = np.unique(ids, return_counts=True)
        assert set(segments) == set(labels.tolist()) - {0}
        semantic = np.zeros(ids.shape, int)
        for label, count in zip(labels.tolist(), counts.tolist(), strict=True):
            if label:
                segment = segments[label]
                assert segment["area"] == count
                rows, columns = np.nonzero(ids == label)
                size = [np.ptp(columns) + 1, np.ptp(rows) + 1]
                assert segment["bbox"] == [columns.min(), rows.min(), *size]
                assert segment["iscrowd"] in (0, 1)
                assert categories[segment["category_id"]]["isthing"] or not segment["iscrowd"]
                semantic[ids == label] = segment["category_id"]
        masks[annotation["file_name"]] = semantic
    return masks


def dataset(root: Path, ids: np.ndarray, *segments: Any, **fields: Any) -> Path:
    segfmt.write_colors(root / "annotations/panoptic_train/a.png", id2rgb(ids))
    infos = [dict(zip(("id", "category_id", "iscrowd"), one, strict=False)) for one in segments]
    annotation = {"image_id": 1, "file_name": "a.png", "segments_info": infos}
    value = {**document([annotation]), "categories": THINGS, **fields}
    write_json(root / FILE, value)
    write_image(root / "train/a.jpg")
    return root


def load(root: Path, **options: Any) -> segfmt.Sample:
    (sample,) = segfmt.open_dataset(root, "coco-panoptic", **options)
    return sample


def blocks(*ids: int) -> np.ndarray:
    """Return 8 x 12 pixels, four columns of each id."""
    return np.repeat(np.array([ids], np.uint32), 8, axis=0).repeat(12 // len(ids), axis=1)


def test_segments_become_classes_and_objects(tmp_path: Path) -> None:
    ids = blocks(0, 70000, 300, 9, 5, 6)
    segments = [(70000, 1), (300, 1), (9, 90), (6, 18), (5, 18, 1)]
    sample = load(dataset(tmp_path, ids, *segments))
    assert (sample.ref.split, sample.ref.key, sample.shape) == ("train", "a", (8, 12))
    assert isinstance(sample.label, Mask)
    assert sample.label.ids[0, ::2].tolist() == [255, 1, 1, 90, 18, 18]
    assert sample.label.instances[0, ::2].tolist() == [0, 1, 2, 0, 0, 1]
    assert sample.notes == ()
    classes = segfmt.open_dataset(tmp_path).classes
    assert [(info.id, info.role) for info in classes][-2:] == [(90, "class"), (255, "ignore")]
    assert classes.by_id(18).color == (18, 0, 0)
    assert load(tmp_path, instances=False).label.instances is None
    ignored = load(tmp_path, crowd="ignore").label
    assert ignored.ids[0, ::2].tolist() == [255, 1, 1, 90, 255, 18]


def test_what_the_png_and_the_json_do_not_agree_on_is_noted(tmp_path: Path) -> None:
    sample = load(dataset(tmp_path, blocks(1, 2, 3), (1, 1), (8, 18), (9, 18)))
    assert sample.label.ids[0, ::4].tolist() == [1, 255, 255]
    assert notes(sample) == {
        "segments that the JSON lacks, taken as void": 2,
        "segments without a pixel": 2,
    }


def test_images_without_an_annotation_are_left_out(tmp_path: Path) -> None:
    root = dataset(tmp_path, blocks(1), (1, 1), images=[image(2, "b.jpg"), image(), image(3)])
    opened = segfmt.open_dataset(root)
    assert [ref.key for ref in opened.refs()] == ["a"]
    assert opened.reader.warnings == [
        "panoptic_train.json has 2 images without a mask, which are left out"
    ]


def test_the_image_may_be_a_png_of_the_masks_name(tmp_path: Path) -> None:
    root = dataset(tmp_path, blocks(1), (1, 1), images=[image(1, "a.png")])
    (ref,) = segfmt.open_dataset(root).refs()
    assert ref.image is None
    write_image(root / "train/a.png")
    (ref,) = segfmt.open_dataset(root).refs()
    assert ref.image == root / "train/a.png"


@pytest.mark.parametrize(
    ("segments", "problem"),
    [
        ([(1, 1), (1, 18)], "segment 1: has an id that is void, too large, or another"),
        ([(0, 1)], "segment 0: has an id that is void"),
        ([(1 << 24, 1)], "segment 16777216: has an id"),
        ([(1, 7)], "segment 1: is of category 7, which is not listed"),
        ([(1, "x")], r"annotation \[0\].segments_info\[0\].category_id: Expected `int`"),
    ],
)
def test_bad_segments_say_where(tmp_path: Path, segments: Any, problem: str) -> None:
    with pytest.raises(FormatError, match=problem) as caught:
        load(dataset(tmp_path, blocks(1), *segments))
    assert str(caught.value).startswith(f"{tmp_path / FILE}, image 1, ")


def test_categories_that_are_not_listed_can_be_ignored(tmp_path: Path) -> None:
    sample = load(dataset(tmp_path, blocks(1, 2), (1, 7), (2, 18)), unknown_label="ignore")
    assert sample.label.ids[0, ::6].tolist() == [255, 18]
    assert notes(sample) == {"unknown labels": 1}


def test_masks_that_are_missing_or_of_another_size(tmp_path: Path) -> None:
    root = dataset(tmp_path, blocks(1), (1, 1))
    write_image(root / "train/a.jpg", (12, 9))
    with pytest.raises(FormatError, match=r"a.png: is 12 x 8, but its image 12 x 9"):
        load(root)
    (root / "annotations/panoptic_train/a.png").unlink()
    with pytest.raises(FormatError, match=r"mask a.png is not there. It .*folder panoptic_train"):
        load(root)
    twice = json.loads((root / FILE).read_bytes())
    write_json(root / FILE, {**twice, "annotations": twice["annotations"] * 2})
    with pytest.raises(FormatError, match="has several annotations"):
        load(root)


def written(root: Path, *masks: Mask, table: ClassTable = TABLE, **options: Any) -> Any:
    writer = PanopticWriter(root, table, **options)
    entries = [
        writer.write(Sample(SampleRef(f"{place}"), mask.ids.shape, mask))
        for place, mask in enumerate(masks)
    ]
    writer.finish(entries)
    return json.loads((root / FILE).read_bytes())


def test_the_files_to_the_byte(tmp_path: Path) -> None:
    ids = np.array([[1, 1, 255], [18, 1, 18]], np.uint8)
    numbers = np.array([[1, 2, 0], [0, 0, 0]], np.uint16)
    written(tmp_path, Mask(ids, numbers), Mask(np.ones((1, 2), np.uint8)))
    assert (tmp_path / FILE).read_text(encoding="utf-8") == (
        '{"info":{"description":"","version":"1.0"},"licenses":[],"categories":['
        '{"id":1,"name":"person","supercategory":"","color":[220,20,60],"isthing":1},'
        '{"id":18,"name":"개","supercategory":"","color":[0,0,0],"isthing":0}],"images":[\n'
        '{"id":1,"file_name":"0.jpg","height":2,"width":3},\n'
        '{"id":2,"file_name":"1.jpg","height":1,"width":2}\n'
        '],"annotations":[\n'
        '{"id":1,"image_id":1,"file_name":"0.png","segments_info":['
        '{"id":3937500,"category_id":1,"area":1,"bbox":[1,1,1,1],"iscrowd":1},'
        '{"id":3937507,"category_id":1,"area":1,"bbox":[0,0,1,1],"iscrowd":0},'
        '{"id":3937514,"category_id":1,"area":1,"bbox":[1,0,1,1],"iscrowd":0},'
        '{"id":7,"category_id":18,"area":2,"bbox":[0,1,3,1],"iscrowd":0}]},\n'
        # a crowd here, too: persons are things, as the first image shows
        '{"id":2,"image_id":2,"file_name":"1.png","segments_info":['
        '{"id":3937500,"category_id":1,"area":2,"bbox":[0,0,2,1],"iscrowd":1}]}\n'
        "]}\n"
    )
    colors = segfmt.read_colors(tmp_path / "annotations/panoptic_train/0.png")
    assert colors[1, 1].tolist() == [220, 20, 60]


@settings(max_examples=40)
@given(
    st.lists(st.sampled_from([1, 18, 255]), min_size=24, max_size=24),
    st.none() | st.lists(st.integers(0, 3), min_size=24, max_size=24),
)
def test_what_is_written_is_what_panopticapi_wants_and_reads_back(
    tmp_path_factory: pytest.TempPathFactory, ids: list[int], numbers: list[int] | None
) -> None:
    root = tmp_path_factory.mktemp("written")
    pixels = np.array(ids, np.uint8).reshape(4, 6)
    of_things = None
    if numbers is not None:
        of_things = np.array(numbers, np.uint16).reshape(4, 6) * (pixels == 1).astype(np.uint16)
    written(root, Mask(pixels, of_things))
    semantic = checked(root / FILE)["0.png"]
    assert semantic.tolist() == np.where(pixels == 255, 0, pixels).tolist()
    (ref,) = segfmt.open_dataset(root).refs()
    label = segfmt.open_dataset(root).reader.load(ref).label
    assert label.ids.tolist() == pixels.tolist()
    if of_things is not None and of_things.any():
        pairs = set(zip(of_things.flat, label.instances.flat, strict=True))
        assert len(pairs) == len(set(of_things.flat)) == len(set(label.instances.flat))


@pytest.mark.parametrize(
    ("background", "names"), [("category", ["background", "road"]), ("void", ["road"])]
)
def test_the_background_is_a_category_or_void(
    tmp_path: Path, background: str, names: list[str]
) -> None:
    segfmt.write_mask(tmp_path / "src/masks/a.png", np.eye(4, dtype=np.uint8))
    write_image(tmp_path / "src/images/a.jpg", (4, 4))
    table = ClassTable([ClassInfo(0, "undefined", role="background"), ClassInfo(1, "road")])
    segfmt.atomic_write(tmp_path / "src/classes.json", table.to_json())
    report = segfmt.convert(
        tmp_path / "src",
        tmp_path / "dst",
        source="folder",
        target="coco-panoptic",
        writer_options={"background": background},
    )
    assert report.ok, report.failures
    found = json.loads((tmp_path / "dst" / FILE).read_bytes())
    assert [one["name"] for one in found["categories"]] == names
    (sample,) = segfmt.open_dataset(tmp_path / "dst")
    classes = segfmt.open_dataset(tmp_path / "dst").classes
    role = classes.background if background == "category" else classes.ignore
    assert role is not None
    assert sample.label.ids.tolist() == np.where(np.eye(4), 1, role.id).tolist()
    checked(tmp_path / "dst" / FILE)


def test_a_conversion_to_voc_and_back(tmp_path: Path) -> None:
    ids = blocks(0, 70000, 300, 9)
    root = dataset(tmp_path / "src", ids, (70000, 1), (300, 1), (9, 90))
    segfmt.convert(root, tmp_path / "voc", target="voc")
    report = segfmt.convert(tmp_path / "voc", tmp_path / "back", target="coco-panoptic")
    assert report.ok, report.failures
    one, two = load(root).label, load(tmp_path / "back").label
    assert one.ids.tolist() == two.ids.tolist()
    assert (one.instances == one.instances.max()).tolist() == (two.instances == 2).tolist()
