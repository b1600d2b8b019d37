"""Satellite GeoJSON: buildings and roads, on files written by hand."""

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
from aihub_files import write_image
from segfmt import (
    FormatError,
    Mask,
    Polygons,
    Sample,
    SampleRef,
    UsageError,
    rasterize,
)
from segfmt.format import Accepts
from segfmt.formats.satellite import SatelliteWriter, detect, satellite_reader
from segfmt.tables import TABLES

SHAPE = (12, 16)
COARSE, FINE = TABLES["satellite"], TABLES["satellite-fine"]
STEM = "BLD00596_PS3_K3A_NIA0277"
# As published for a road: numbers just off the tile, and on its edge, among them.
ROAD = (
    "211.13825632612296,0,228.25757440661943,0,236.73506587440733,0,222.73960447617443,"
    "8.736311155155173,205.13056959253697,20.22717757755483,156.48327523790732,56.01530199102005,"
    "107.5950759842507,91.32161660643132,51.870298799909584,131.75963478574357,"
    "-2.8421709430404014e-14,170.75222357089405,-2.8421709430404014e-14,145.7946338998848,"
    "80.57492376553665,89.70522674180145,146.761359523997,42.5906896754829"
)
BUILDING = "2.9,2,9.5,2,9.5,7.99,2,7"
SQUARE = "1,1,8,1,8,8,1,8"


def feature(
    building: Any = "EMPTY",
    road: Any = "EMPTY",
    type_id: Any = "2",
    type_name: Any = "",
    **more: Any,
) -> dict[str, Any]:
    properties = {
        "object_imcoords": "EMPTY",
        "building_imcoords": building,
        "road_imcoords": road,
        "image_id": f"{STEM}.png",
        "ingest_time": "2020-11-11T08:29:37.297611Z",
        "type_id": type_id,
        "type_name": type_name,
        **more,
    }
    # One level too few, as published; it is the tile's footprint and not read.
    footprint = [[31.3609468532, 30.140372558, 0], [31.3667921448, 30.1404454243, 0]]
    geometry = {"coordinates": footprint, "type": "Polygon"}
    return {"geometry": geometry, "properties": properties, "type": "Feature"}


def write_features(path: Path, *features: dict[str, Any], encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"type": "FeatureCollection", "features": list(features)}
    path.write_bytes(json.dumps(document, ensure_ascii=False).encode(encoding))
    return path


def read(root: Path, **options: Any) -> list[Sample]:
    reader = satellite_reader(root, **options)
    return [reader.load(ref) for ref in reader.scan()]


def one(root: Path, *features: dict[str, Any], **options: Any) -> Sample:
    """Read one image with these features in its file of buildings."""
    write_image(root / "images" / "x.png")
    write_features(root / "labels" / "building" / "x.json", *features)
    (sample,) = read(root, **options)
    return sample


def notes(sample: Sample) -> set[tuple[str, str, int]]:
    return {(note.code, note.subject, note.count) for note in sample.notes}


def scripted(root: Path, stem: str, shape: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Paint as the published script does, which passes through float32 and fails on EMPTY."""
    canvas = np.zeros(shape, np.uint8)
    for id, kind in ((1, "building"), (2, "road")):
        path = root / "labels" / kind / f"{stem}.json"
        if not path.is_file():
            continue
        for each in json.loads(path.read_bytes())["features"]:
            text = each["properties"][f"{kind}_imcoords"]
            if text != "EMPTY":
                points = np.array(text.split(","), np.float32).reshape(-1, 2)
                cv2.fillPoly(canvas, [points.astype(np.int32)], id)
    return canvas


def painted(sample: Sample) -> npt.NDArray[np.uint8]:
    return rasterize(sample.label, sample.shape)


def test_the_published_road_over_a_building_paints_as_the_published_script_does(
    tmp_path: Path,
) -> None:
    write_image(tmp_path / "images" / f"{STEM}.png", (256, 256))
    building = "30.5,90.5,1024,90,90.25,200.75,20,150"
    write_features(tmp_path / "labels" / "building" / f"{STEM}.json", feature(building))
    write_features(tmp_path / "labels" / "road" / f"{STEM}.json", feature(road=ROAD, type_id="3"))
    (sample,) = read(tmp_path)
    assert (sample.ref.key, sample.ref.split, sample.shape) == (STEM, "train", (256, 256))
    assert (sample.label.fill_rule, sample.label.rounding) == ("opencv", "truncate")
    mask = painted(sample)
    assert set(np.unique(mask)) == {0, 1, 2}
    assert (mask == scripted(tmp_path, STEM, (256, 256))).all()
    assert not sample.notes


def test_images_with_only_one_of_the_two(tmp_path: Path) -> None:
    for stem in ("a", "b", "none"):
        write_image(tmp_path / "images" / f"{stem}.png")
    write_features(tmp_path / "labels" / "building" / "a.json", feature(BUILDING))
    write_features(tmp_path / "labels" / "road" / "b.json", feature(road=BUILDING))
    samples = read(tmp_path)
    assert [sample.ref.key for sample in samples] == ["a", "b"]
    for sample in samples:
        assert (painted(sample) == scripted(tmp_path, sample.ref.key, SHAPE)).all()


@pytest.mark.parametrize(
    ("image", "building", "road", "split"),
    [
        ("images", "labels/building", "labels/road", "train"),
        ("val/images", "val/labels/building", "val/labels/road", "val"),
        (
            "Training/train_buildings_data",
            "Training/train_buildings_labeling",
            "Training/train_roads_labeling",
            "train",
        ),
        (
            "Validation/validate_buildings_data",
            "Validation/validate_buildings_labeling",
            "Validation/validate_roads_labeling",
            "val",
        ),
        (
            "LV2_validation_set/images",
            "LV2_validation_set/labels/building",
            "LV2_validation_set/labels/road",
            "val",
        ),
        ("asset", "building/label", "road/label", "train"),
    ],
)
def test_layouts(tmp_path: Path, image: str, building: str, road: str, split: str) -> None:
    write_image(tmp_path / image / f"{STEM}.png")
    write_features(tmp_path / building / f"{STEM}.json", feature(SQUARE))
    write_features(tmp_path / road / f"{STEM}.json", feature(road=BUILDING))
    (sample,) = read(tmp_path)
    assert (sample.ref.split, sample.ref.key) == (split, STEM)
    assert sample.ref.image == tmp_path / image / f"{STEM}.png"
    assert sample.label.class_ids.tolist() == [1, 2]


def test_an_image_that_is_there_twice_is_one_sample(tmp_path: Path) -> None:
    for kind, text in (("buildings", {"building": SQUARE}), ("roads", {"road": BUILDING})):
        write_image(tmp_path / f"train_{kind}_data" / "x.png")
        write_features(tmp_path / f"train_{kind}_labeling" / "x.json", feature(**text))
    (sample,) = read(tmp_path)
    assert sample.ref.image == tmp_path / "train_buildings_data" / "x.png"
    assert sample.label.class_ids.tolist() == [1, 2]


def test_masks_among_the_labels_are_no_images(tmp_path: Path) -> None:
    write_image(tmp_path / "label_gray" / "x.png")
    write_features(tmp_path / "label" / "x.json", feature(SQUARE))
    (ref,) = satellite_reader(tmp_path).scan()
    assert ref.image is None


def test_the_image_is_found_by_what_the_label_says(tmp_path: Path) -> None:
    write_image(tmp_path / "images" / f"{STEM}.png")
    write_features(tmp_path / "labels" / "a_bld.json", feature(SQUARE))
    write_features(tmp_path / "labels" / "a_road.json", feature(road=SQUARE))
    (sample,) = read(tmp_path)
    assert sample.ref.key == STEM
    assert sample.label.class_ids.tolist() == [1, 2]


def test_the_field_that_is_filled_tells_the_class_and_roads_come_last(tmp_path: Path) -> None:
    sample = one(tmp_path, feature(road=BUILDING), feature(SQUARE), feature(SQUARE, BUILDING))
    assert sample.label.class_ids.tolist() == [1, 1, 2, 2]
    assert painted(sample)[2, 4] == 2


@pytest.mark.parametrize("empty", ["EMPTY", "empty ", "", "  ", None, float("nan"), ",", "NaN"])
def test_what_stands_for_no_coordinates(tmp_path: Path, empty: Any) -> None:
    sample = one(tmp_path, feature(empty, empty), feature(SQUARE))
    assert sample.label.class_ids.tolist() == [1]


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("1,1,8,1,8,8,", [[1, 1], [8, 1], [8, 8]]),
        (" 1 , 1,8 ,1 ,8, 8 , ", [[1, 1], [8, 1], [8, 8]]),
        ("1,1e0,8E0,1.0,8,80e-1", [[1, 1], [8, 1], [8, 8]]),
        ("+1,1.,8,1,8,.5", [[1, 1], [8, 1], [8, 0.5]]),
        ("-2.8421709430404014e-14,0,16,0,16,12", [[-2.8421709430404014e-14, 0], [16, 0], [16, 12]]),
        (
            "0.1234567890123456789,9007199254740993,1,2",
            [[0.12345678901234568, 9007199254740992], [1, 2]],
        ),
        ("3,4", [[3, 4]]),
    ],
)
def test_numbers_are_read_as_float_does(
    tmp_path: Path, text: str, points: list[list[float]]
) -> None:
    sample = one(tmp_path, feature(text), feature(SQUARE))
    assert sample.label.points[: len(points)].tolist() == points
    assert len(sample.label.points) == len(points) + 4
    assert not sample.notes


def test_an_odd_number_is_dropped_and_counted(tmp_path: Path) -> None:
    sample = one(tmp_path, feature("1,1,8,1,8,8,5"), feature(road="1,1,8,1,8,8,5"), feature(SQUARE))
    assert sample.label.points.shape == (10, 2)
    code = "odd coordinates: the last number dropped"
    assert notes(sample) == {(code, "building", 1), (code, "road", 1)}


def test_dots_and_lines_are_painted_as_the_script_does(tmp_path: Path) -> None:
    sample = one(tmp_path, feature("3.9,4.2"), feature("5,5,9,7"))
    mask = painted(sample)
    assert (mask == scripted(tmp_path, "x", SHAPE)).all()
    assert mask.sum() == 6


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        ("1,1,a,2", "a"),
        ("1,,2,3", ""),
        ("1,1,nan,2", "nan"),
        ("1,1,1e999,2", "1e999"),
        ("[1,2]", "[1"),
    ],
)
def test_what_is_no_number_is_named(tmp_path: Path, text: str, bad: str) -> None:
    with pytest.raises(FormatError) as caught:
        one(tmp_path, feature(SQUARE), feature(text))
    assert f'has the coordinate "{bad}", no number' in str(caught.value)
    assert caught.value.where == "features[1].properties.building_imcoords"
    assert caught.value.path == tmp_path / "labels" / "building" / "x.json"


def test_brackets_in_one_text_do_not_shift_the_others(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="no number"):
        one(tmp_path, feature("1,1],[8,1"), feature(SQUARE))


def test_a_set_of_objects_is_left_out_and_said(tmp_path: Path) -> None:
    write_image(tmp_path / "train_buildings_data" / "x.png")
    box = feature(object_imcoords="1,1,2,1,2,2,1,2", object_angle=0)
    write_features(tmp_path / "train_objects_labeling" / "x.json", box)
    write_features(tmp_path / "train_buildings_labeling" / "x.json", feature(SQUARE), box)
    reader = satellite_reader(tmp_path)
    (ref,) = reader.scan()
    sample = reader.load(ref)
    assert sample.label.class_ids.tolist() == [1]
    assert notes(sample) == {("objects left out: boxes, not outlines", "", 1)}
    assert reader.warnings == ("1 label files of objects were left out: boxes are no outlines",)


def test_boxes_alone_are_no_empty_image(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="has 2 boxes of objects, but no building or road"):
        one(tmp_path, *[feature(object_imcoords="1,1,2,1,2,2,1,2")] * 2)


def test_without_features_there_is_an_empty_mask(tmp_path: Path) -> None:
    assert not painted(one(tmp_path)).any()


def test_without_an_image_there_is_no_size(tmp_path: Path) -> None:
    write_features(tmp_path / "x.json", feature(SQUARE))
    with pytest.raises(FormatError, match="does not say how large"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("", "is empty"),
        ('{"features": [}', "line 1, column 15"),
        ("{}", "missing required field `features`"),
        ('{"features": [{"properties": null}]}', r"features\[0\].properties"),
        ('{"features": [{"properties": {"building_imcoords": [1]}}]}', "building_imcoords"),
    ],
)
def test_broken_files_are_refused(tmp_path: Path, document: str, reason: str) -> None:
    write_image(tmp_path / "images" / "x.png")
    path = write_features(tmp_path / "labels" / "x.json")
    path.write_text(document)
    with pytest.raises(FormatError, match=reason):
        read(tmp_path)


@pytest.mark.parametrize(
    ("kind", "type_id", "type_name", "id", "code"),
    [
        ("building", "2", "아파트", 2, ""),
        ("building", 2, "아파트", 2, ""),
        ("building", 2.0, "아파트", 2, ""),
        ("building", "1", "소형시설", 1, ""),
        ("building", "5", "중형 단독 시설", 5, ""),
        ("building", "7", None, 7, ""),
        ("building", "6", float("nan"), 6, "type_name unknown: type_id taken"),
        ("building", "2", "ì•„íŒŒíŠ¸", 2, "type_name unknown: type_id taken"),
        ("building", "3", "아파트", 3, "type_id and type_name disagree: type_id taken"),
        ("building", "2", "Primary", 2, "type_name unknown: type_id taken"),
        ("building", "", "공장", 3, "type_id unknown: type_name taken"),
        ("building", None, "공장", 3, "type_id unknown: type_name taken"),
        ("building", "8", "공장", 3, "type_id unknown: type_name taken"),
        ("road", "1", "Mortorway", 11, ""),
        ("road", "1", "motorway", 11, ""),
        ("road", "6", "Unclassified", 16, ""),
        ("road", "7", "Primary", 12, "type_id unknown: type_name taken"),
    ],
)
def test_types(tmp_path: Path, kind: str, type_id: Any, type_name: Any, id: int, code: str) -> None:
    each = feature(type_id=type_id, type_name=type_name, **{f"{kind}_imcoords": SQUARE})
    sample = one(tmp_path, each, level="fine")
    assert sample.label.class_ids.tolist() == [id]
    assert [note.code for note in sample.notes if note.code != "not JSON, but read"] == [code] * (
        code != ""
    )


@pytest.mark.parametrize(("policy", "id"), [("ignore", 255), ("background", 0)])
def test_unknown_types_follow_the_policy(tmp_path: Path, policy: str, id: int) -> None:
    each = feature(SQUARE, type_id="9", type_name="?")
    sample = one(tmp_path, each, each, level="fine", unknown_label=policy)
    assert sample.label.class_ids.tolist() == [id, id]
    assert notes(sample) == {("unknown types", 'building 9 "?"', 2)}


def test_an_unknown_type_fails_the_sample_and_counts(tmp_path: Path) -> None:
    each = feature(SQUARE, type_id="background", type_name="background")
    with pytest.raises(FormatError, match="1 polygons of a type that is no class") as caught:
        one(tmp_path, feature(SQUARE), each, level="fine")
    assert caught.value.where == "features[1].properties.type_id"
    assert [note.subject for note in caught.value.notes] == ['building background "background"']


def test_coarse_does_not_ask_for_types(tmp_path: Path) -> None:
    assert not one(tmp_path, feature(SQUARE, type_id=None, type_name="?")).notes


def listed(root: Path, lists: dict[str, str]) -> Path:
    for stem in ("a", "b", "c", "d"):
        write_image(root / "images" / f"{stem}.png")
        write_features(root / "labels" / "building" / f"{stem}.json", feature(SQUARE))
    for name, text in lists.items():
        (root / name).write_bytes(text.encode())
    return root


def test_lists_give_splits(tmp_path: Path) -> None:
    root = listed(
        tmp_path,
        {
            "train_list_building.csv": "\ufeffa\r\nb.png\r\n\r\n",
            "list_building_test.csv": "c ,1\nb\nlost\n",
            "notes.csv": "d\n",
        },
    )
    reader = satellite_reader(root)
    assert sorted((ref.split, ref.key) for ref in reader.scan()) == [
        ("test", "b"),
        ("test", "c"),
        ("train", "a"),
        ("train", "b"),
    ]
    assert reader.warnings == (
        "1 samples are in none of the lists and were left out. "
        "-i lists=ignore takes all, with splits from folders",
    )
    everything = satellite_reader(root, lists="ignore")
    assert [(ref.split, ref.key) for ref in everything.scan()] == [("train", key) for key in "abcd"]
    assert everything.warnings == ()


def test_lists_of_something_else_are_no_lists(tmp_path: Path) -> None:
    reader = satellite_reader(listed(tmp_path, {"train_log.txt": "epoch 1\nepoch 2\n"}))
    assert [(ref.split, ref.key) for ref in reader.scan()] == [("train", key) for key in "abcd"]
    assert reader.warnings == ()


def test_scanning_is_repeatable_and_workers_get_no_listing(tmp_path: Path) -> None:
    reader = satellite_reader(listed(tmp_path, {}))
    fresh = len(pickle.dumps(reader))
    refs = list(reader.scan())
    assert list(reader.scan()) == refs
    assert pickle.loads(pickle.dumps(refs)) == refs
    assert len(pickle.dumps(reader)) == fresh
    assert list(pickle.loads(pickle.dumps(reader)).scan()) == refs
    assert str(refs[0].source) == str(tmp_path / "labels" / "building" / "a.json")


def test_detect_and_options_of_the_other_dialect(tmp_path: Path) -> None:
    assert detect(tmp_path) is None
    write_features(tmp_path / "labels" / "x.json", feature(SQUARE))
    assert detect(tmp_path) == f"{Path('labels', 'x.json')} has imcoords"
    with pytest.raises(UsageError, match="--table is for land cover"):
        satellite_reader(tmp_path, table="voc")


# Writing


def sample_of(
    label: npt.NDArray[np.uint8] | Polygons, key: str = "x", split: str = "train", image: Any = None
) -> Sample:
    mask = label if isinstance(label, Polygons) else Mask(label)
    return Sample(SampleRef(key, split, image), SHAPE, mask)


def drawn(*rings: list[list[float]], ids: list[int], **rule: Any) -> Polygons:
    rule = {"rounding": "truncate", **rule}
    return Polygons.from_rings([[ring] for ring in rings], ids, **rule)


def test_files_are_as_the_published_ones(tmp_path: Path) -> None:
    image = write_image(tmp_path / "src" / "x.png")
    polygons = drawn(
        [[2.5, 2], [9.5, 2], [9.5, 7]], [[-0.1, 1], [4, 1], [4, 3], [1, 3]], ids=[1, 2]
    )
    entry = SatelliteWriter(tmp_path / "dst", COARSE).write(sample_of(polygons, image=image))
    assert entry.files == (
        "train/labels/building/x.json",
        "train/labels/road/x.json",
        "train/images/x.png",
    )
    assert not entry.notes
    building, road = (
        json.loads((tmp_path / "dst" / name).read_bytes()) for name in entry.files[:2]
    )
    assert building == {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "geometry": None,
                "properties": {
                    "object_imcoords": "EMPTY",
                    "building_imcoords": "2.5,2,9.5,2,9.5,7",
                    "road_imcoords": "EMPTY",
                    "image_id": "x.png",
                    "ingest_time": "",
                    "type_id": "7",
                    "type_name": "기타",
                },
            }
        ],
    }
    (properties,) = [each["properties"] for each in road["features"]]
    assert properties["road_imcoords"] == "-0.1,1,4,1,4,3,1,3"
    assert properties["building_imcoords"] == "EMPTY"
    assert (properties["type_id"], properties["type_name"]) == ("6", "Unclassified")
    assert (tmp_path / "dst" / entry.files[2]).read_bytes() == image.read_bytes()


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    hnp.arrays(np.uint8, SHAPE, elements=st.integers(0, 2)), st.sampled_from(["separate", "merged"])
)
def test_any_mask_reads_back(
    tmp_path_factory: Any, ids: npt.NDArray[np.uint8], layout: Any
) -> None:
    root = tmp_path_factory.mktemp("set")
    image = write_image(root / "src" / "x.png")
    SatelliteWriter(root / "dst", COARSE, layout=layout).write(sample_of(ids, image=image))
    (sample,) = read(root / "dst")
    assert (painted(sample) == ids).all()
    if layout == "separate":
        assert (scripted(root / "dst" / "train", "x", SHAPE) == ids).all()


def test_types_read_back(tmp_path: Path) -> None:
    ids = np.zeros(SHAPE, np.uint8)
    for place, info in enumerate(info for info in FINE if info.role == "class"):
        ids[place % 12, place // 12 * 3 : place // 12 * 3 + 2] = info.id
    image = write_image(tmp_path / "src" / "x.png")
    writer = SatelliteWriter(tmp_path / "dst", FINE, level="fine")
    assert writer.classes == FINE
    entry = writer.write(sample_of(ids, image=image))
    (sample,) = read(tmp_path / "dst", level="fine")
    assert (painted(sample) == ids).all()
    assert not sample.notes
    roads = json.loads((tmp_path / "dst" / entry.files[1]).read_bytes())["features"]
    names = {each["properties"]["type_id"]: each["properties"]["type_name"] for each in roads}
    assert names["1"] == "Mortorway"  # so the data has it
    assert names["6"] == "Unclassified"


@pytest.mark.parametrize("layout", ["separate", "merged"])
@pytest.mark.parametrize("split", ["train", "val", "test"])
@pytest.mark.parametrize("key", ["x", "K3A/x.y", "나/S1/x"])
def test_splits_and_keys_read_back(tmp_path: Path, layout: Any, split: str, key: str) -> None:
    image = write_image(tmp_path / "src" / "frame.jpg")
    writer = SatelliteWriter(tmp_path / "dst", COARSE, layout=layout)
    entry = writer.write(sample_of(np.ones(SHAPE, np.uint8), key, split, image))
    writer.finish([entry])
    (sample,) = read(tmp_path / "dst")
    assert (sample.ref.split, sample.ref.key) == (split, key)
    assert sample.ref.image == tmp_path / "dst" / entry.files[-1]
    assert [note.code for note in entry.notes] == ["images re-encoded"]


def test_a_name_that_does_not_read_back_is_said(tmp_path: Path) -> None:
    entry = SatelliteWriter(tmp_path, COARSE).write(sample_of(np.ones(SHAPE, np.uint8), "road/x"))
    assert [(note.code, note.subject) for note in entry.notes] == [
        ("reads back under another name", "train/road/x")
    ]


BLOCK, SMALL = [[1, 1], [9, 1], [9, 9], [1, 9]], [[3, 3], [6, 3], [6, 6], [3, 6]]


@pytest.mark.parametrize(
    ("ids", "anew"),
    [([1, 2], False), ([1, 1], False), ([0, 2], False), ([2, 1], True), ([1, 0], True)],
)
def test_what_loaders_would_paint_in_another_order_is_traced(
    tmp_path: Path, ids: list[int], anew: bool
) -> None:
    image = write_image(tmp_path / "src" / "x.png")
    polygons = drawn(BLOCK, SMALL, ids=ids)
    entry = SatelliteWriter(tmp_path / "dst", COARSE).write(sample_of(polygons, image=image))
    assert [note.code for note in entry.notes] == ["images traced anew"] * anew
    (sample,) = read(tmp_path / "dst")
    assert (painted(sample) == rasterize(polygons, SHAPE)).all()
    if not anew:
        kept = sum(id > 0 for id in ids) * 4
        assert (sample.label.points == polygons.points[-kept:]).all()


def test_vertices_kept_are_as_drawn_and_reported(tmp_path: Path) -> None:
    image = write_image(tmp_path / "src" / "x.png")
    polygons = drawn(BLOCK, [[3.7, 3], [6, 3], [6, 6]], SMALL, ids=[2, 1, 0], fill_rule="pillow")
    writer = SatelliteWriter(tmp_path / "dst", COARSE, vertices="keep")
    entry = writer.write(sample_of(polygons, image=image))
    assert [(note.code, note.subject) for note in entry.notes] == [
        ("vertices kept, pixels may differ", "pillow, roads over buildings")
    ]
    (sample,) = read(tmp_path / "dst")
    assert sample.label.class_ids.tolist() == [1, 2]
    assert sample.label.points.tolist() == [[3.7, 3], [6, 3], [6, 6], *BLOCK]
    assert not writer.write(sample_of(drawn(BLOCK, SMALL, ids=[1, 2]))).notes
    assert writer.write(sample_of(drawn(BLOCK, SMALL, ids=[2, 1]))).notes


def test_dots_and_lines_keep_their_pixels(tmp_path: Path) -> None:
    image = write_image(tmp_path / "src" / "x.png")
    polygons = drawn([[3, 4]], [[5, 5], [9, 7]], ids=[1, 2])
    entry = SatelliteWriter(tmp_path / "dst", COARSE).write(sample_of(polygons, image=image))
    texts = [
        each["properties"][f"{kind}_imcoords"]
        for name, kind in zip(entry.files, ("building", "road"), strict=False)
        for each in json.loads((tmp_path / "dst" / name).read_bytes())["features"]
    ]
    assert texts == ["3,4,3,4,3,4", "5,5,9,7,9,7"]
    (sample,) = read(tmp_path / "dst")
    assert (painted(sample) == rasterize(polygons, SHAPE)).all()


def test_what_is_accepted(tmp_path: Path) -> None:
    exact, kept = SatelliteWriter(tmp_path, FINE), SatelliteWriter(tmp_path, FINE, vertices="keep")
    both = Accepts(polygons=True, mask=True, holes="keyhole")
    assert exact.accepts == replace(both, fill_rule="opencv", rounding="truncate")
    assert kept.accepts == both
    assert exact.classes == COARSE
    assert exact.classes.ignore is None
    assert pickle.loads(pickle.dumps(kept)) == kept


def test_satellite_to_satellite_keeps_every_vertex(tmp_path: Path) -> None:
    source = tmp_path / "src"
    write_image(source / "images" / f"{STEM}.png", (256, 256))
    write_features(source / "labels" / "building" / f"{STEM}.json", feature(BUILDING))
    write_features(source / "labels" / "road" / f"{STEM}.json", feature(road=ROAD, type_id="3"))
    report = segfmt.convert(
        source,
        tmp_path / "dst",
        target="satellite",
        reader_options={"level": "fine"},
        writer_options={"level": "fine"},
    )
    assert (report.done, report.failed) == (1, 0)
    (before,), (after,) = (read(root, level="fine") for root in (source, tmp_path / "dst"))
    assert (before.label.points == after.label.points).all()
    assert before.label.class_ids.tolist() == after.label.class_ids.tolist() == [2, 13]
    assert before.ref.key == after.ref.key
