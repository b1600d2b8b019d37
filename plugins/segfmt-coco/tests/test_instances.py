"""Reading instances: what is painted, and that it is what pycocotools paints."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from coco_files import (
    SQUARE,
    annotation,
    dataset,
    image,
    notes,
    painted_by_coco,
    pixels,
    rle,
)
from hypothesis import given, settings
from hypothesis import strategies as st

import segfmt
from segfmt import FormatError, Mask, Polygons

TRAIN = "annotations/instances_train2017.json"


def load(root: Path, **options: Any) -> segfmt.Sample:
    """Return the one sample of a dataset."""
    (sample,) = segfmt.open_dataset(root, "coco", **options)
    return sample


def test_polygons_are_read_as_they_are_drawn(tmp_path: Path) -> None:
    two_parts = annotation([SQUARE, [8, 1, 10, 1, 10, 3, 8, 3]], 90, id=2)
    sample = load(dataset(tmp_path, annotation(), two_parts, annotation(category_id=90)))
    assert (sample.ref.split, sample.ref.key) == ("train", "a")
    assert sample.ref.image == tmp_path / "train2017/a.jpg"
    assert (sample.shape, sample.notes) == ((8, 12), ())
    label = sample.label
    assert isinstance(label, Polygons)
    assert label.fill_rule == "coco"
    assert label.class_ids.tolist() == [1, 90, 90, 90]
    assert label.instance_ids.tolist() == [1, 1, 1, 2]
    assert label.points[:4].tolist() == [[2, 2], [6, 2], [6, 5], [2, 5]]
    expected = np.zeros((8, 12))
    expected[2:5, 2:6] = 90
    expected[1:3, 8:10] = 90
    assert pixels(sample).tolist() == expected.tolist()


def test_ids_stay_and_background_is_what_no_annotation_covers(tmp_path: Path) -> None:
    classes = segfmt.open_dataset(dataset(tmp_path), "coco").classes
    assert [(info.id, info.name, info.role) for info in classes] == [
        (0, "background", "background"),
        (1, "person", "class"),
        (18, "dog", "class"),
        (90, "칫솔", "class"),
    ]
    assert not classes.shared_colors()


def test_an_image_without_annotations_is_background(tmp_path: Path) -> None:
    sample = load(dataset(tmp_path))
    assert isinstance(sample.label, Polygons)
    assert len(sample.label) == 0


def test_later_annotations_cover_earlier_ones_wherever_they_stand_in_the_file(
    tmp_path: Path,
) -> None:
    images = [image(5, "b.jpg"), image(2, "a.jpg")]
    annotations = [
        annotation(category_id=18, image_id=2, id=9),
        annotation(category_id=1, image_id=5, id=8),
        annotation(category_id=90, image_id=2, id=7),
        annotation(category_id=18, image_id=5, id=6),
        annotation([[4, 3, 9, 3, 9, 7]], 1, image_id=5, id=5),
    ]
    root = dataset(tmp_path, *annotations, images=images)
    masks = painted_by_coco(root / TRAIN)
    samples = list(segfmt.open_dataset(root, "coco"))
    assert [sample.ref.key for sample in samples] == ["b", "a"]
    for sample in samples:
        assert pixels(sample).tolist() == masks[f"{sample.ref.key}.jpg"].tolist()
    assert pixels(samples[1])[3, 3] == 90


def test_run_lengths_keep_holes(tmp_path: Path) -> None:
    ring = np.zeros((8, 12), np.uint8)
    ring[1:6, 3:9] = 1
    ring[2:4, 5:7] = 0
    counts = segfmt.encode_rle(ring)[1].decode()
    compressed = annotation({"size": [8, 12], "counts": counts}, 18, id=3)
    root = dataset(tmp_path, annotation(rle(ring)), annotation(), compressed, annotation())
    sample = load(root)
    assert isinstance(sample.label, Mask)
    assert sample.label.ids.dtype == np.uint8
    assert pixels(sample).tolist() == painted_by_coco(root / TRAIN)["a.jpg"].tolist()
    assert pixels(sample)[2, 6] == 0
    assert sample.label.instances[2, 2] == 3  # of the persons, the dog not counted
    assert sample.label.instances[1, 4] == 1
    assert load(root, instances=False).label.instances is None
    assert notes(sample) == {"polygons painted together with run lengths": 1}


coordinates = st.floats(-3, 16).map(lambda value: round(value, 2))
rings = st.lists(coordinates, min_size=6, max_size=16).map(lambda ring: ring[: len(ring) // 2 * 2])
holes = st.lists(st.integers(0, 1), min_size=96, max_size=96).map(
    lambda bits: np.array(bits, np.uint8).reshape(8, 12)
)
segmentations = st.one_of(
    st.lists(rings, min_size=1, max_size=3),
    holes.map(rle),
    holes.map(
        lambda mask: {"size": [8, 12], "counts": segfmt.encode_rle(mask).get(1, b"P3").decode()}
    ),
)


@settings(max_examples=60)
@given(st.lists(st.tuples(segmentations, st.sampled_from([1, 18, 90])), max_size=8))
def test_pixels_are_pycocotools(tmp_path_factory: pytest.TempPathFactory, drawn: Any) -> None:
    root = tmp_path_factory.mktemp("drawn")
    dataset(root, *(annotation(one, id, id=n) for n, (one, id) in enumerate(drawn, start=1)))
    expected = painted_by_coco(root / TRAIN)["a.jpg"]
    assert pixels(load(root)).tolist() == expected.tolist()


def test_more_annotations_than_a_byte_counts(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    drawn = []
    for number in range(1, 601):
        mask = np.zeros((8, 12), np.uint8)
        mask[random.integers(8), random.integers(12)] = 1
        drawn.append(annotation(rle(mask) if number % 3 else [SQUARE], id=number))
    label = load(dataset(tmp_path, *drawn)).label
    expected = np.zeros((8, 12), int)
    for number, one in enumerate(drawn, start=1):
        where = one["segmentation"]
        if isinstance(where, list):
            expected[2:5, 2:6] = number
        else:
            column, row = divmod(where["counts"][0], 8)
            expected[row, column] = number
    assert isinstance(label, Mask)
    assert label.instances.tolist() == expected.tolist()


def test_category_ids_beyond_a_byte(tmp_path: Path) -> None:
    categories = [{"id": id, "name": f"thing {id}"} for id in (7, 1203)]
    shapes = [annotation(category_id=1203), annotation(rle(np.eye(8, 12)), 7, id=2)]
    root = dataset(tmp_path / "src", *shapes, categories=categories)
    label = load(root).label
    assert isinstance(label, Mask)
    assert label.ids.dtype == np.uint16
    assert sorted(np.unique(label.ids).tolist()) == [0, 7, 1203]
    with pytest.raises(segfmt.UsageError, match="255"):
        segfmt.convert(root, tmp_path / "dst", source="coco", target="folder")
    report = segfmt.convert(
        root, tmp_path / "dst", source="coco", target="folder", classes="thing 1203=1"
    )
    assert report.ok, report.failures


@pytest.mark.parametrize(
    ("crowd", "ids", "count"), [("paint", 18, 0), ("ignore", 255, 0), ("skip", 1, 1)]
)
def test_crowds(tmp_path: Path, crowd: str, ids: int, count: int) -> None:
    root = dataset(tmp_path, annotation(), annotation(category_id=18, iscrowd=1, id=2))
    sample = load(root, crowd=crowd)
    assert pixels(sample)[3, 3] == ids
    assert notes(sample).get("annotations of crowds left out", 0) == count
    assert isinstance(sample.label, Polygons)
    assert sample.label.instance_ids.tolist() == [1, 0][: len(sample.label)]
    assert load(root, crowd=crowd, instances=False).label.instance_ids is None
    ignore = segfmt.open_dataset(root, "coco", crowd=crowd).classes.ignore
    assert (ignore is not None) == (crowd == "ignore")


@pytest.mark.parametrize(("policy", "id"), [("ignore", 255), ("background", 0)])
def test_categories_that_are_not_listed(tmp_path: Path, policy: str, id: int) -> None:
    root = dataset(tmp_path, annotation(), annotation(category_id=5, id=2))
    with pytest.raises(FormatError, match=r"not listed: category 5.*--unknown-label") as caught:
        load(root)
    assert caught.value.where == "annotation 2"
    sample = load(root, unknown_label=policy)
    assert pixels(sample)[3, 3] == id
    assert ("unknown labels", "category 5") in [(n.code, n.subject) for n in sample.notes]


@pytest.mark.parametrize(
    ("segmentation", "painted", "code"),
    [
        ([], 0, "annotations without segmentation"),
        ("missing", 0, "annotations without segmentation"),
        (SQUARE, 12, "segmentation is a flat list, taken for one part"),
        ([[*SQUARE, 7]], 12, "coordinates dropped: an odd number of them"),
        ([[1, 1, 9, 9]], 0, "polygons dropped: under 3 points"),
        ([SQUARE, [1, 1], []], 12, "polygons dropped: under 3 points"),
    ],
)
def test_what_is_mended_is_noted(
    tmp_path: Path, segmentation: Any, painted: int, code: str
) -> None:
    one = annotation(segmentation)
    if segmentation == "missing":
        del one["segmentation"]
    sample = load(dataset(tmp_path, one))
    assert np.count_nonzero(pixels(sample)) == painted
    assert code in notes(sample)


@pytest.mark.parametrize(
    ("segmentation", "problem"),
    [
        ([[[1, 1], [2, 2], [3, 3]]], "Expected `float`, got `array`"),
        ([[1, 2, "a", 4, 5, 6]], "Expected `float`, got `str`"),
        ([[1, 2, None, 4, 5, 6]], "Expected `float`, got `null`"),
        (
            [[1, 2, float("nan"), 4, 5, 6]],
            r"annotation 77\..*\[2\]: has a coordinate that is no number",
        ),
        ("polygon", "got `str`"),
        ({"size": [4, 4], "counts": [16]}, "run lengths of 4 rows and 4 columns, but .* 8 and 12"),
        ({"size": [8, 12], "counts": [4]}, r"run lengths that are none: counts sum to 4"),
        ({"size": [8, 12], "counts": "\x7f"}, "run lengths that are none: .*character"),
        ({"size": [8, 12]}, "missing required field `counts`"),
    ],
)
def test_what_cannot_be_read_fails_and_says_where(
    tmp_path: Path, segmentation: Any, problem: str
) -> None:
    root = dataset(tmp_path, annotation(rle(np.eye(8, 12)), id=1), annotation(segmentation, id=77))
    with pytest.raises(FormatError, match=problem) as caught:
        load(root)
    assert str(root / TRAIN) in str(caught.value)
    assert "annotation 77" in str(caught.value) or "annotation [1]" in str(caught.value)


def test_points_that_no_rule_defines_fail(tmp_path: Path) -> None:
    root = dataset(tmp_path, annotation([[1, 1, 1e300, 1, 5, 5]]), annotation(rle(np.eye(8, 12))))
    with pytest.raises(FormatError, match=r"no place in an image") as caught:
        load(root)
    assert caught.value.path == root / TRAIN


def test_the_fill_rule_is_the_users_to_change(tmp_path: Path) -> None:
    for segmentations in ([[SQUARE]], [[SQUARE], rle(np.zeros((8, 12)))]):
        root = dataset(tmp_path, *(annotation(one) for one in segmentations))
        counts = {
            rule: np.count_nonzero(pixels(load(root, fill_rule=rule)))
            for rule in ("coco", "center", "opencv", "pillow")
        }
        assert counts == {"coco": 12, "center": 12, "opencv": 20, "pillow": 20}
    halves = annotation([[2.6, 2.6, 5.6, 2.6, 5.6, 4.6]])
    root = dataset(tmp_path, halves, annotation(rle(np.zeros((8, 12)))))
    rounded = [
        pixels(load(root, fill_rule="opencv", rounding=way))[2, 2] for way in ("floor", "nearest")
    ]
    assert rounded == [1, 0]


def test_a_conversion_to_voc_and_back(tmp_path: Path) -> None:
    ring = np.zeros((8, 12), np.uint8)
    ring[1:7, 1:11] = 1
    ring[3, 3] = 0
    root = dataset(tmp_path / "src", annotation(rle(ring), 18), annotation(id=2))
    segfmt.convert(root, tmp_path / "voc", target="voc")
    report = segfmt.convert(
        tmp_path / "voc", tmp_path / "back", target="coco", ignore_to="background"
    )
    assert report.ok, report.failures
    (sample,) = segfmt.open_dataset(tmp_path / "back")
    assert pixels(sample).tolist() == pixels(load(root)).tolist()
    found = painted_by_coco(tmp_path / "back/annotations/instances_train.json")["a.jpg"]
    assert found.tolist() == pixels(load(root)).tolist()
    names = json.loads((tmp_path / "back/annotations/instances_train.json").read_text())
    assert [one["id"] for one in names["categories"]] == [1, 18, 90]
