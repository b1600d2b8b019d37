"""Writing instances: files to the byte, and that pycocotools paints the mask of the source."""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from coco_files import SQUARE, annotation, dataset, painted_by_coco, write_image
from hypothesis import given, settings
from hypothesis import strategies as st

import segfmt
from segfmt import ClassInfo, ClassTable, Mask, Polygons, Sample, SampleRef
from segfmt_coco.instances_writer import InstancesWriter

TABLE = ClassTable(
    [
        ClassInfo(0, "background", role="background"),
        ClassInfo(1, "person", (128, 0, 0)),
        ClassInfo(18, "개", (0, 128, 0)),
    ]
)
FILE = "annotations/instances_train.json"


def written(root: Path, *labels: Mask | Polygons, shape: Any = (8, 12), **options: Any) -> Any:
    """Write samples of these labels; return the annotation file."""
    writer = InstancesWriter(root, TABLE, **options)
    entries = [
        writer.write(Sample(SampleRef(f"{place}"), shape, label))
        for place, label in enumerate(labels)
    ]
    writer.finish(entries)
    return json.loads((root / FILE).read_bytes())


def measured_by_coco(path: Path) -> list[tuple[int, list[float]]]:
    from pycocotools import mask
    from pycocotools.coco import COCO

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        coco = COCO(str(path))
        rles = [coco.annToRLE(one) for one in coco.loadAnns(coco.getAnnIds())]
        return [(int(mask.area(one)), mask.toBbox(one).tolist()) for one in rles]


def polygons(rings: Any, class_ids: Any, numbers: Any = None, rule: Any = "coco") -> Polygons:
    return Polygons.from_rings(
        [[np.reshape(ring, (-1, 2))] for ring in rings],
        class_ids,
        instance_ids=numbers,
        fill_rule=rule,
    )


def test_the_files_to_the_byte(tmp_path: Path) -> None:
    ids = np.zeros((4, 5), np.uint8)
    ids[1:3, 1:4] = 1
    ids[1, 2] = 18
    write_image(tmp_path / "src/images/val/장면/b.JPG", (5, 4))
    segfmt.write_mask(tmp_path / "src/masks/val/장면/b.png", ids)
    segfmt.atomic_write(tmp_path / "src/classes.json", TABLE.to_json())
    report = segfmt.convert(tmp_path / "src", tmp_path / "dst", source="folder", target="coco")
    assert report.ok, report.failures
    found = sorted(path for path in (tmp_path / "dst").rglob("*") if path.is_file())
    names = [path.relative_to(tmp_path / "dst").as_posix() for path in found]
    assert [name for name in names if not name.startswith(".segfmt/")] == [
        "annotations/instances_val.json",
        "val/장면/b.jpg",
    ]
    assert (tmp_path / "dst/annotations/instances_val.json").read_text(encoding="utf-8") == (
        '{"info":{"description":"","version":"1.0"},"licenses":[],"categories":['
        '{"id":1,"name":"person","supercategory":"","color":[128,0,0]},'
        '{"id":18,"name":"개","supercategory":"","color":[0,128,0]}],"images":[\n'
        '{"id":1,"file_name":"장면/b.jpg","height":4,"width":5}\n'
        '],"annotations":[\n'
        '{"id":1,"image_id":1,"category_id":1,"segmentation":[[1,1,2,1,2,2,3,2,3,1,4,1,4,3,1,3]],'
        '"area":5,"bbox":[1,1,3,2],"iscrowd":0},\n'
        '{"id":2,"image_id":1,"category_id":18,"segmentation":[[2,1,3,1,3,2,2,2]],'
        '"area":1,"bbox":[2,1,1,1],"iscrowd":0}\n'
        "]}\n"
    )


def test_ids_count_over_splits_and_years_go_behind_them(tmp_path: Path) -> None:
    for split, key in (("train", "x"), ("train", "y"), ("val", "a")):
        segfmt.write_mask(tmp_path / f"src/masks/{split}/{key}.png", np.eye(4, dtype=np.uint8))
        write_image(tmp_path / f"src/images/{split}/{key}.jpg", (4, 4))
    options = {"year": "2017", "images": "none"}
    segfmt.atomic_write(tmp_path / "src/classes.json", TABLE.to_json())
    segfmt.convert(
        tmp_path / "src", tmp_path / "dst", source="folder", target="coco", writer_options=options
    )
    files = sorted((tmp_path / "dst").rglob("*2017*"))
    assert [path.name for path in files] == ["instances_train2017.json", "instances_val2017.json"]
    ids = [[one["id"] for one in json.loads(path.read_bytes())["images"]] for path in files]
    assert ids == [[1, 2], [3]]
    refs = segfmt.open_dataset(tmp_path / "dst").refs()
    assert [(ref.split, ref.key) for ref in refs] == [("train", "x"), ("train", "y"), ("val", "a")]


def test_polygons_stay_as_they_were_drawn(tmp_path: Path) -> None:
    two_parts = annotation([SQUARE, [8.25, 1, 10, 1, 10, 3.5]], 90, id=2)
    root = dataset(tmp_path / "src", annotation(), two_parts, annotation(category_id=18))
    report = segfmt.convert(root, tmp_path / "dst", target="coco")
    assert report.fill_rules == {"coco": 1}
    document = json.loads((tmp_path / "dst" / FILE).read_bytes())
    assert [(one["category_id"], one["segmentation"]) for one in document["annotations"]] == [
        (1, [SQUARE]),
        (90, [SQUARE, [8.25, 1, 10, 1, 10, 3.5]]),
        (18, [SQUARE]),
    ]
    areas = [(one["area"], one["bbox"]) for one in document["annotations"]]
    assert areas == measured_by_coco(tmp_path / "dst" / FILE)


@pytest.mark.parametrize(
    "label",
    [
        # a part of the first object after the second
        polygons(
            [[1, 1, 7, 1, 7, 5], [2, 2, 9, 2, 9, 7], [3, 3, 8, 3, 8, 6]], [1, 18, 1], [1, 1, 1]
        ),
        # background over a class
        polygons([[1, 1, 9, 1, 9, 7, 1, 7], [3, 3, 5, 3, 5, 5, 3, 5]], [18, 0]),
    ],
    ids=["apart", "background"],
)
def test_polygons_that_annotations_cannot_hold_are_traced(tmp_path: Path, label: Polygons) -> None:
    document = written(tmp_path, label)
    found = painted_by_coco(tmp_path / FILE)["0.jpg"]
    assert found.tolist() == segfmt.rasterize(label, (8, 12)).tolist()
    assert {one["category_id"] for one in document["annotations"]} == set(label.class_ids) - {0}
    assert len(document["annotations"]) == len(set(label.class_ids) - {0})


def test_stubs_are_dropped_and_counted_and_what_paints_nothing_stays(tmp_path: Path) -> None:
    label = polygons([[1, 1, 5, 5], [2, 2, 2, 2, 2, 2], [99, 1, 99, 5, 90, 5]], [1, 1, 18])
    writer = InstancesWriter(tmp_path, TABLE)
    entry = writer.write(Sample(SampleRef("0"), (8, 12), label))
    assert [(note.code, note.count) for note in entry.notes] == [
        ("polygons dropped: under 3 points", 1)
    ]
    writer.finish([entry])
    found = json.loads((tmp_path / FILE).read_bytes())["annotations"]
    assert [(one["area"], one["bbox"]) for one in found] == [(0, [0, 0, 0, 0])] * 2


pixels_of_masks = st.lists(st.sampled_from([0, 0, 1, 18]), min_size=96, max_size=96)
numbers_of_masks = st.lists(st.integers(0, 2), min_size=96, max_size=96)


@settings(max_examples=60)
@given(pixels_of_masks, st.none() | numbers_of_masks, st.sampled_from(["polygons", "rle"]))
def test_pycocotools_paints_the_mask_and_measures_the_same(
    tmp_path_factory: pytest.TempPathFactory, ids: Any, numbers: Any, segmentation: str
) -> None:
    root = tmp_path_factory.mktemp("written")
    mask = np.array(ids, np.uint8).reshape(8, 12)
    instances = None
    if numbers is not None:
        instances = np.array(numbers, np.uint16).reshape(8, 12) * (mask > 0).astype(np.uint16)
    document = written(root, Mask(mask, instances), segmentation=segmentation)
    assert painted_by_coco(root / FILE)["0.jpg"].tolist() == mask.tolist()
    areas = [(one["area"], one["bbox"]) for one in document["annotations"]]
    assert areas == measured_by_coco(root / FILE)
    if instances is not None:
        objects = {(i, n) for i, n in zip(mask.flat, instances.flat, strict=True) if i and n}
        without = {i for i, n in zip(mask.flat, instances.flat, strict=True) if i and not n}
        at_least = len(objects) + len(without)
        count = len(document["annotations"])
        assert count == at_least if segmentation == "rle" else count >= at_least


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.lists(
                st.floats(-4, 16).map(lambda value: round(value, 1)), min_size=6, max_size=14
            ).map(lambda ring: ring[: len(ring) // 2 * 2]),
            st.sampled_from([1, 18]),
            st.integers(0, 2),
        ),
        max_size=6,
    )
)
def test_what_is_drawn_is_painted_and_measured_the_same(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[tuple[list[float], int, int]]
) -> None:
    root = tmp_path_factory.mktemp("drawn")
    label = polygons(*([list(column) for column in zip(*drawn, strict=True)] or ([], [], [])))
    document = written(root, label)
    expected = segfmt.rasterize(label, (8, 12))
    assert painted_by_coco(root / FILE)["0.jpg"].tolist() == expected.tolist()
    areas = [(one["area"], one["bbox"]) for one in document["annotations"]]
    assert areas == measured_by_coco(root / FILE)


def test_more_objects_than_a_byte_counts(tmp_path: Path) -> None:
    mask = Mask(np.ones((20, 30), np.uint8), np.arange(600, dtype=np.uint16).reshape(20, 30))
    document = written(tmp_path, mask, shape=(20, 30), segmentation="rle")
    assert len(document["annotations"]) == 600
    assert [one["bbox"] for one in document["annotations"]] == [
        [number % 30, number // 30, 1, 1] for number in range(600)
    ]


def test_objects_come_back_as_they_were(tmp_path: Path) -> None:
    ids = np.zeros((8, 12), np.uint8)
    ids[1:4, 1:11], ids[5:7, 1:11] = 1, 18
    numbers = np.zeros((8, 12), np.uint16)
    numbers[1:4, 1:3], numbers[1:4, 5:7], numbers[1:4, 9:11], numbers[5:7] = 1, 2, 1, 1
    for segmentation in ("polygons", "rle"):
        root = tmp_path / segmentation
        written(root, Mask(ids, numbers), segmentation=segmentation)
        (ref,) = segfmt.open_dataset(root).refs()
        label = segfmt.open_dataset(root).reader.load(ref).label
        found = label.instances if isinstance(label, Mask) else numbered(label)
        parts = [found[2, x] for x in (1, 5, 9)]
        assert parts[0] == parts[2] != parts[1]  # two parts are one object again


def numbered(label: Polygons) -> np.ndarray:
    from dataclasses import replace

    return segfmt.rasterize(replace(label, class_ids=label.instance_ids), (8, 12))


def test_a_run_that_failed_in_parts_can_be_gone_on_with(tmp_path: Path) -> None:
    for key in "abc":
        segfmt.write_mask(tmp_path / f"src/masks/train/{key}.png", np.eye(4, dtype=np.uint8))
        write_image(tmp_path / f"src/images/train/{key}.jpg", (4, 4))
    segfmt.atomic_write(tmp_path / "src/classes.json", TABLE.to_json())
    whole = (tmp_path / "src/images/train/b.jpg").read_bytes()
    write_image(tmp_path / "src/images/train/b.jpg", (4, 5))
    args = {"source": "folder", "target": "coco"}
    assert segfmt.convert(tmp_path / "src", tmp_path / "dst", **args).failed == 1
    names = [
        one["file_name"] for one in json.loads((tmp_path / "dst" / FILE).read_bytes())["images"]
    ]
    assert names == ["a.jpg", "c.jpg"]
    (tmp_path / "src/images/train/b.jpg").write_bytes(whole)
    assert segfmt.convert(tmp_path / "src", tmp_path / "dst", resume=True, **args).ok
    segfmt.convert(tmp_path / "src", tmp_path / "fresh", **args)
    assert (tmp_path / "dst" / FILE).read_bytes() == (tmp_path / "fresh" / FILE).read_bytes()


def test_what_it_cannot_hold_is_refused(tmp_path: Path) -> None:
    far = [*TABLE, ClassInfo(300, "far")]
    with pytest.raises(segfmt.UsageError, match='"far" has the id 300'):
        InstancesWriter(tmp_path, ClassTable(far))
    without = ClassTable([ClassInfo(0, "road"), ClassInfo(255, "ignore", role="ignore")])
    own = InstancesWriter(tmp_path, without).classes
    assert [(info.id, info.role) for info in own] == [(1, "background"), (0, "class")]


def test_names_that_are_no_utf_8_or_lead_elsewhere_never_get_here(tmp_path: Path) -> None:
    root = dataset(
        tmp_path / "src",
        annotation(),
        images=[{"id": 1, "file_name": "../../x.jpg", "height": 8, "width": 12}],
    )
    segfmt.convert(root, tmp_path / "dst", target="coco", missing_image="keep")
    outside = {path.name for path in tmp_path.iterdir()}
    assert outside == {"src", "dst"}
    assert (tmp_path / "dst/.segfmt/coco/train/x.json").is_file()
