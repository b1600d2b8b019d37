"""The dialects of AIHub's label files, and the class tables that they need."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

from aihub_files import SQUARE, annotation, dataset, label, write_image, write_label
from segfmt import ClassInfo, ClassTable, FormatError, Polygons, Sample, open_dataset, rasterize
from segfmt.formats import aihub
from segfmt.formats._aihub_dialects import DIALECTS, Dialect

NAMES = ["road", "whsol", "crosswalk", "traffic_lane", "Breakage", "Separated", "field"]
TABLE = ClassTable(
    [
        ClassInfo(0, "nothing", role="background"),
        *(ClassInfo(id, name, (id, 0, 0)) for id, name in enumerate(NAMES, start=1)),
    ]
)
SLANTED = [[2.6, 1.4], [13.5, 3.5], [8.5, 10.6]]
DAMAGE = {
    "info": {"name": "socar", "date_created": "03/08/2022"},
    "images": {"id": 1, "width": 16, "height": 12, "file_name": "x.jpg"},
    "annotations": [
        {
            "id": 2,
            "image_id": 1,
            "category_id": "sc-202337",
            "segmentation": [
                [[[1, 1], [12, 1], [12, 9], [1, 9]], [[4, 4], [8, 4], [8, 6], [4, 6]]]
            ],
            "area": 151.0,
            "bbox": [1, 1, 11, 8],
            "damage": "Breakage",
            "part": None,
            "level": None,
            "repair": ["Front bumper:coating,exchange"],
        },
        {"segmentation": [[[[0, 0], [3, 0], [3, 3]]]], "damage": None, "part": "Front bumper"},
        {"segmentation": [[[[0, 0], [3, 0], [3, 3]]]], "damage": "", "part": "Front bumper"},
        {
            "segmentation": [[[[13, 1], [15, 1], [15, 3]]], [[[13, 7], [15, 7], [15, 9]]]],
            "damage": "Separated",
        },
    ],
    "categories": {"id": "sc-202337", "supercategory_name": "CityCar"},
}


@pytest.fixture
def table(tmp_path: Path) -> str:
    path = tmp_path / "table.json"
    path.write_bytes(TABLE.to_json())
    return str(path)


def one(
    root: Path, document: Any, name: str = "x", encoding: str = "utf-8", **options: Any
) -> Sample:
    write_image(root / "data" / "x.jpg")
    write_label(root / "label" / f"{name}.json", document, encoding)
    (sample,) = open_dataset(root, "aihub", **options)
    return sample


def etri(*objects: dict[str, Any]) -> dict[str, Any]:
    return {"imgHeight": 12, "imgWidth": 16, "objects": list(objects)}


def lanes(*annotations: dict[str, Any]) -> dict[str, Any]:
    return {
        "image": {"file_name": "x.jpg", "image_size": [12, 16]},
        "annotations": list(annotations),
    }


def dots(points: list[list[float]]) -> list[dict[str, float]]:
    return [{"x": x, "y": y} for x, y in points]


def notes(sample: Sample) -> set[tuple[str, str, int]]:
    return {(note.code, note.subject, note.count) for note in sample.notes}


def painted(sample: Sample) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return rasterize(sample.label, sample.shape)


def test_etri_paints_as_pillow_does_and_leaves_out_what_was_deleted(
    tmp_path: Path, table: str
) -> None:
    document = etri(
        {"label": "road", "polygon": SLANTED, "deleted": 0},
        {"label": "road", "polygon": SQUARE, "deleted": 1},
        {"label": "whsol", "polygon": [[0, 0], [5, 0], [5, 11]]},
    )
    sample = one(tmp_path / "set", document, "x_gtFine_polygons", table=table)
    canvas = Image.new("L", (16, 12))
    ImageDraw.Draw(canvas).polygon([tuple(point) for point in SLANTED], fill=1)
    ImageDraw.Draw(canvas).polygon([(0, 0), (5, 0), (5, 11)], fill=2)
    assert sample.label.fill_rule == "pillow"
    assert (painted(sample) == np.asarray(canvas)).all()
    assert sample.ref.key == "x"
    assert sample.ref.image is not None
    assert notes(sample) == {("objects left out: deleted", "road", 1)}


def test_etri_images_and_labels_meet_without_their_ends(tmp_path: Path) -> None:
    mono = tmp_path / "MonoCameraSemanticSegmentation"
    write_image(mono / "JPEGImages_mosaic" / "seoul_000001_leftImg8bit.png")
    write_label(mono / "labels" / "seoul_000001_gtFine_polygons.json", etri())
    dataset = open_dataset(tmp_path)
    assert dataset.format.name == "aihub"
    (ref,) = dataset.refs()
    assert ref.key == "MonoCameraSemanticSegmentation/seoul_000001"
    assert ref.image == mono / "JPEGImages_mosaic" / "seoul_000001_leftImg8bit.png"


@pytest.mark.parametrize("said", ["dialect", "name"])
def test_etri_by_option_needs_no_name(tmp_path: Path, table: str, said: str) -> None:
    document = etri({"label": "road", "polygon": SQUARE})
    root, options = tmp_path / "set", {"table": table}
    if said == "dialect":
        sample = one(root, document, dialect="etri", **options)
        assert sample.label.class_ids.tolist() == [1]
    else:
        with pytest.raises(FormatError, match="missing required field `Annotation`"):
            one(root, document, **options)


def test_points_as_objects_of_x_and_y(tmp_path: Path, table: str) -> None:
    document = lanes(
        {"class": "crosswalk", "category": "polygon", "attributes": [], "data": dots(SLANTED)}
    )
    sample = one(tmp_path / "set", document, table=table)
    expected = np.zeros((12, 16), np.uint8)
    cv2.fillPoly(expected, [np.array(np.around(SLANTED), np.int32)], 3)
    assert (painted(sample) == expected).all()
    assert not sample.notes


def test_lanes_are_lines_and_left_out(tmp_path: Path, table: str) -> None:
    data = dots(SQUARE)
    document = lanes(
        {"class": "traffic_lane", "category": "polyline", "data": data},
        {"class": "traffic_lane", "data": data},
        {"class": "stop_line", "data": data},
        {"class": "crosswalk", "data": data},
        {"class": "road", "category": "bbox", "data": data},
    )
    sample = one(tmp_path / "set", document, table=table)
    assert sample.label.class_ids.tolist() == [3]
    assert notes(sample) == {
        ("objects left out: lines, not areas", "traffic_lane", 2),
        ("objects left out: lines, not areas", "stop_line", 1),
        ("objects left out: lines, not areas", "road", 1),
    }


def test_points_without_an_image_have_no_size(tmp_path: Path, table: str) -> None:
    write_label(tmp_path / "set" / "x.json", lanes())
    with pytest.raises(FormatError, match="image: does not say how large"):
        list(open_dataset(tmp_path / "set", "aihub", table=table))


def test_damage_has_polygons_of_several_parts_and_holes(tmp_path: Path, table: str) -> None:
    sample = one(tmp_path / "set", DAMAGE, table=table)
    assert sample.shape == (12, 16)
    assert sample.label.class_ids.tolist() == [5, 6, 6]
    assert sample.label.polygon_offsets.tolist() == [0, 2, 3, 4]
    expected = np.zeros((12, 16), np.uint8)
    outer, hole = DAMAGE["annotations"][0]["segmentation"][0]
    cv2.fillPoly(expected, [np.array(outer), np.array(hole)], 5)
    for part in DAMAGE["annotations"][3]["segmentation"]:
        cv2.fillPoly(expected, [np.array(part[0])], 6)
    assert expected[5, 6] == 0
    assert (painted(sample) == expected).all()
    assert notes(sample) == {("objects left out: no damage", "", 2)}


def test_stubs_go_ring_by_ring(tmp_path: Path, table: str) -> None:
    outer = [[1, 1], [12, 1], [12, 9]]
    document = {
        "images": {"width": 16, "height": 12},
        "annotations": [
            {"damage": "Breakage", "segmentation": [[outer, [[3, 3], [4, 4]]], [[[0, 0]]]]},
            {"damage": "Separated", "segmentation": []},
        ],
    }
    sample = one(tmp_path / "set", document, table=table)
    assert sample.label.points.tolist() == outer
    assert sample.label.polygon_offsets.tolist() == [0, 1]
    assert notes(sample) == {("polygons dropped: under 3 points", "Breakage", 2)}


@pytest.mark.parametrize(
    ("document", "where"),
    [
        (lanes({"class": "crosswalk", "data": [{"x": 1}]}), r"annotations\[0\].data: .*`y`"),
        (lanes({"class": "crosswalk", "data": [[1, 2]]}), r"annotations\[0\].data: is no outline"),
        (lanes({"class": "crosswalk"}), r"annotations\[0\].data: .*has no points"),
        (
            {
                "images": {"width": 16, "height": 12},
                "annotations": [{"damage": "Breakage", "segmentation": [[1, 2, 3]]}],
            },
            r"annotations\[0\].segmentation: is no outline",
        ),
    ],
)
def test_points_of_another_shape_are_named(
    tmp_path: Path, table: str, document: Any, where: str
) -> None:
    with pytest.raises(FormatError, match=where):
        one(tmp_path / "set", document, table=table)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_every_encoding_is_told_apart(tmp_path: Path, table: str, encoding: str) -> None:
    sample = one(tmp_path / "set", DAMAGE, encoding=encoding, table=table)
    assert sample.label.class_ids.tolist() == [5, 6, 6]


def test_files_of_several_dialects_in_one_set(tmp_path: Path, table: str) -> None:
    root = dataset(tmp_path / "set", ["a"])
    for stem, document in (("b", DAMAGE), ("c_gtFine_polygons", etri()), ("d", lanes())):
        write_label(root / "label" / f"{stem}.json", document)
        write_image(root / "data" / f"{stem[0]}.jpg")
    samples = list(open_dataset(root, "aihub", table=table))
    assert [(s.ref.key, len(s.label), s.label.fill_rule) for s in samples] == [
        ("a", 1, "opencv"),
        ("b", 3, "opencv"),
        ("c", 0, "pillow"),
        ("d", 0, "opencv"),
    ]


def test_a_new_dialect_is_a_row(
    tmp_path: Path, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = Dialect(
        objects="shapes",
        label="name",
        points=("xy",),
        form="flat",
        about="picture",
        size=("extent",),
        rounding="floor",
    )
    monkeypatch.setitem(DIALECTS, "flat", row)
    document = {
        "picture": {"extent": [16, 12]},
        "shapes": [{"name": "field", "xy": [2, 2, 9, 2, 9.9, 7.5]}],
    }
    sample = one(tmp_path / "set", document, table=table)
    assert sample.label.points.tolist() == [[2, 2], [9, 2], [9.9, 7.5]]
    assert (sample.label.class_ids.tolist(), sample.label.rounding) == ([7], "floor")
    document["shapes"][0]["xy"].append(1)
    with pytest.raises(FormatError, match=r"shapes\[0\].xy: is no outline"):
        one(tmp_path / "odd", document, table=table)


def test_labels_of_another_dialect_need_a_table(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r'"Breakage", "Separated"\. .*--table') as caught:
        one(tmp_path, DAMAGE)
    assert caught.value.where == "annotations[0].damage"


def test_classes_json_beside_the_data_is_the_table(tmp_path: Path) -> None:
    root = dataset(tmp_path, ["a"], {"a": label(annotation("field"))})
    (root / "classes.json").write_bytes(TABLE.to_json())
    opened = open_dataset(root, "aihub")
    assert opened.classes == TABLE
    (sample,) = opened
    assert sample.label.class_ids.tolist() == [7]
    assert open_dataset(root, "aihub", table="aihub-driving").classes == aihub.TABLE


def test_a_damage_set_is_told_and_paired_as_it_ships(tmp_path: Path) -> None:
    root = tmp_path / "set"
    write_image(root / "1.원천데이터" / "damage" / "x.jpg")
    write_label(root / "2.라벨링데이터" / "damage" / "x.json", DAMAGE)
    opened = open_dataset(root)
    assert opened.format.name == "aihub"
    (ref,) = opened.refs()
    assert (ref.key, ref.split) == ("damage/x", "train")
    assert ref.image is not None


@pytest.mark.parametrize(
    "document",
    [
        {"images": [{"id": 1}], "annotations": [{"segmentation": [[1, 2, 3, 4, 5, 6]]}]},
        etri({"label": "road", "polygon": SQUARE}),
        {"version": "5.0.1", "shapes": [{"label": "a", "points": SQUARE}], "imageData": None},
        {"type": "FeatureCollection", "features": [{"properties": {"building_imcoords": ""}}]},
    ],
    ids=["coco", "cityscapes", "labelme", "satellite"],
)
def test_other_formats_are_not_taken_for_it(tmp_path: Path, document: Any) -> None:
    write_label(tmp_path / "gtFine" / "train" / "x_gtFine_polygons.json", document)
    assert aihub.detect(tmp_path) is None


def test_polygons_are_flat_arrays_whatever_the_form(tmp_path: Path, table: str) -> None:
    samples = [
        one(
            tmp_path / "a",
            etri({"label": "road", "polygon": SQUARE}),
            "x_gtFine_polygons",
            table=table,
        ),
        one(tmp_path / "b", lanes({"class": "road", "data": dots(SQUARE)}), table=table),
        one(tmp_path / "c", label(annotation("road")), table=table),
    ]
    for sample in samples:
        assert isinstance(sample.label, Polygons)
        assert sample.label.points.tolist() == SQUARE
        assert sample.label.points.dtype == np.float64
        assert sample.label.class_ids.dtype == np.int32
