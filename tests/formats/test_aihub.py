"""The AIHub reader, on label files written by hand."""

import json
import unicodedata
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from aihub_files import SQUARE, annotation, dataset, label, write_image, write_label
from segfmt import FormatError, Polygons, Sample, open_dataset, rasterize
from segfmt.formats.aihub import TABLE

# As the source document of this format prints it, its stray comma removed: facts, not prose.
PUBLISHED = """\
{
    "Source_Image_Info": {
        "Img_name": "DA_00C_AC_211006_05_000191.jpg",
        "Img_path": "DA_00C_AC_211006_05/JPEGImages",
        "Resolution": [
            1920,
            1080
        ],
        "Copyrighter": "(주)--",
        "Time_zone": "주간",
        "Location": "사고상황",
        "Gps": "",
        "Weather": "흐림"
    },
    "Annotation": [
        {
            "Label": "sky",
            "Type": "polygon",
            "bbox": [
                0.0,
                0.0,
                1920.0,
                565.1
            ],
            "area": 970932.0,
            "Coordinate": [
                [
                    0.0,
                    446.2
                ],
                [
                    1920.0,
                    565.1
                ],
                [
                    1920.0,
                    0.0
                ],
                [
                    0.0,
                    0.0
                ]
            ],
            "Data_type": "worker"
        }%s
    ]
}
"""
STEM = "DA_00C_AC_211006_05_000191"


def only(root: Path, **options: Any) -> Sample:
    (sample,) = open_dataset(root, "aihub", **options)
    return sample


def one(tmp_path: Path, document: Any, encoding: str = "utf-8", **options: Any) -> Sample:
    write_image(tmp_path / "data" / "x.jpg")
    write_label(tmp_path / "label" / "x.json", document, encoding)
    return only(tmp_path, **options)


def test_the_published_file_paints_as_the_published_script_does(tmp_path: Path) -> None:
    write_label(tmp_path / "label" / f"{STEM}.json", PUBLISHED % "")
    sample = only(tmp_path)
    assert sample.shape == (1080, 1920)
    points = [[0.0, 446.2], [1920.0, 565.1], [1920.0, 0.0], [0.0, 0.0]]
    expected = np.zeros((1080, 1920), np.uint8)
    cv2.fillPoly(expected, [np.array(np.around(np.array(points)), np.int32)], 21)
    assert isinstance(sample.label, Polygons)
    assert (sample.label.fill_rule, sample.label.rounding) == ("opencv", "nearest")
    assert (rasterize(sample.label, sample.shape) == expected).all()


def test_the_published_file_with_its_stray_comma_fails_with_line_and_column(tmp_path: Path) -> None:
    path = write_label(tmp_path / "label" / f"{STEM}.json", PUBLISHED % ",")
    with pytest.raises(FormatError, match="Remove that comma") as caught:
        only(tmp_path)
    line = (PUBLISHED % ",").splitlines()[44]
    assert line == "        },"
    assert caught.value.path == path
    assert caught.value.where == "line 45, column 10"


def test_document_order_is_painting_order(tmp_path: Path) -> None:
    sample = one(tmp_path, label(annotation("road"), annotation("sky"), annotation("road")))
    assert set(np.unique(rasterize(sample.label, sample.shape))) == {0, 1}


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp949"]
)
def test_every_encoding_reads_the_same(tmp_path: Path, encoding: str) -> None:
    sample = one(tmp_path, label(annotation("road mark")), encoding)
    assert sample.label.class_ids.tolist() == [3]
    assert sample.label.points.tolist() == SQUARE


def test_bytes_of_no_encoding_are_refused(tmp_path: Path) -> None:
    write_image(tmp_path / "data" / "x.jpg")
    (tmp_path / "label").mkdir()
    (tmp_path / "label" / "x.json").write_bytes(b'{"Annotation": "\xff\xfe\xff"}')
    with pytest.raises(FormatError, match="neither UTF-8, UTF-16 nor cp949"):
        only(tmp_path)


@pytest.mark.parametrize("key", ["Coordinate", "Coordinates"])
def test_both_spellings_of_the_key(tmp_path: Path, key: str) -> None:
    assert one(tmp_path, label(annotation(key=key))).label.points.tolist() == SQUARE


def test_too_few_points_are_dropped_and_counted(tmp_path: Path) -> None:
    few = [annotation("lane", SQUARE[:2]), annotation("sky", SQUARE[:1]), annotation("lane", [])]
    sample = one(tmp_path, label(few[0], annotation("road"), few[1], few[2]))
    assert sample.label.class_ids.tolist() == [1]
    assert sample.label.points.tolist() == SQUARE
    assert {(n.code, n.subject, n.count) for n in sample.notes} == {
        ("polygons dropped: under 3 points", "lane", 2),
        ("polygons dropped: under 3 points", "sky", 1),
    }


def test_numbers_are_read_as_float_does(tmp_path: Path) -> None:
    text = "[[1e1, -2.8421709430404014e-14], [0.1234567890123456789, 1920.0], [-0.0, 7]]"
    document = json.dumps(label(annotation(points="POINTS"))).replace('"POINTS"', text)
    points = one(tmp_path, document).label.points
    assert points.tolist() == json.loads(text)


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        ([1.0, 2.0, 3.0, 4.0], r"Annotation\[1\].Coordinate: is a flat list"),
        ([["1", "2"], ["3", "4"]], r'Coordinate\[0\]: has the coordinate "1", no number'),
        ([[1, 2], [3, None]], r"Coordinate\[1\]: has the coordinate null"),
        ([[1, 2], [3, 4, 5]], r"Coordinate\[1\]: has a point of 3 values"),
        ([[1, 2], [[3, 4]]], r"Coordinate\[1\]: has a point of 1 values"),
        ([[[1, 2], [3, 4]]], r"Coordinate\[0\]: has the coordinate \[1,2\], no number"),
        ([[[1, 2], [3, 4]], [5, 6]], r"Coordinate\[0\]: has the coordinate \[1,2\], no number"),
        ("1,2,3,4", "is not a list of points"),
        (None, "is not a list of points"),
        ({"x": 1}, "is not a list of points"),
        ([[1, float("nan")], [2, 3], [4, 5]], 'has the coordinate "NaN", no number'),
        ([[1, float("inf")], [2, 3], [4, 5]], 'has the coordinate "Infinity"'),
    ],
)
def test_points_of_another_shape_are_named(tmp_path: Path, points: Any, reason: str) -> None:
    document = label(annotation(), annotation(points=points))
    if points is None:
        document["Annotation"][1]["Coordinate"] = None
    with pytest.raises(FormatError, match=reason) as caught:
        one(tmp_path, document)
    assert "x.json" in str(caught.value)


def test_nan_elsewhere_is_read_and_said(tmp_path: Path) -> None:
    document = label(annotation())
    document["Annotation"][0]["area"] = float("nan")
    sample = one(tmp_path, document)
    assert sample.label.points.tolist() == SQUARE
    assert [(n.code, n.subject) for n in sample.notes] == [("not JSON, but read", "NaN")]


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("", "is empty"),
        ("   \n", "is empty"),
        ("{", "line 1, column 2: is broken JSON"),
        ('{"Annotation": [', "may be cut off"),
        ('{"Annotation": [}\n', "line 1, column 17"),
        ("[]", "is not as this format has it: Expected `object`, got `array`"),
        ("{}", "missing required field `Annotation`"),
        ('{"Annotation": null}', "Annotation: is not as this format has it"),
        ('{"Annotation": [{"Coordinate": []}]}', r"Annotation\[0\]: .*missing.*`Label`"),
        ('{"Annotation": [{"Label": 3}]}', r"Annotation\[0\].Label: .*Expected `str`"),
        ('{"Annotation": [{"Label": "road"}]}', r"Annotation\[0\].*has no points"),
        ("[" * 10_000_000, "nested too deep"),
        ('{"a":' * 2_000_000, "nested too deep"),
    ],
)
def test_broken_files_are_refused_with_the_place(
    tmp_path: Path, document: str, reason: str
) -> None:
    with pytest.raises(FormatError, match=reason):
        one(tmp_path, document)


@pytest.mark.parametrize(
    ("policy", "ids"), [("ignore", [1, 255, 255, 1]), ("background", [1, 0, 0, 1])]
)
def test_unknown_labels_follow_the_policy(tmp_path: Path, policy: str, ids: list[int]) -> None:
    names = ["road", "zebra", "zebra", "road"]
    sample = one(tmp_path, label(*map(annotation, names)), unknown_label=policy)
    assert sample.label.class_ids.tolist() == ids
    assert [(n.code, n.subject, n.count) for n in sample.notes] == [("unknown labels", "zebra", 2)]


def test_an_unknown_label_fails_the_sample_and_suggests(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match='"pedestrain"') as caught:
        one(tmp_path, label(annotation(), annotation("pedestrain"), annotation("pedestrain")))
    assert 'Did you mean "pedestrian"?' in str(caught.value)
    assert caught.value.where == "Annotation[1].Label"
    assert [(n.subject, n.count) for n in caught.value.notes] == [("pedestrain", 2)]


@pytest.mark.parametrize("name", ["Road Mark", "roadmark", "ROAD  MARK"])
def test_labels_are_matched_without_case_and_space(tmp_path: Path, name: str) -> None:
    assert one(tmp_path, label(annotation(name))).label.class_ids.tolist() == [3]


@pytest.mark.parametrize(
    "resolution", [[1280, 720], [12, 16], [], [1.5, 2], [-1, 5], [1e300, 1], [16]]
)
def test_the_image_is_the_truth_about_its_size(tmp_path: Path, resolution: list[float]) -> None:
    document = label(annotation())
    document["Source_Image_Info"]["Resolution"] = resolution
    sample = one(tmp_path, document)
    assert sample.shape == (12, 16)
    (note,) = sample.notes
    assert note.code == "sizes taken from the image"
    assert note.subject.endswith("image 16 x 12")


def test_without_image_and_resolution_there_is_no_size(tmp_path: Path) -> None:
    write_label(tmp_path / "x.json", label(annotation(), size=()))
    with pytest.raises(FormatError, match="does not say how large"):
        only(tmp_path)


def test_without_annotations_there_is_an_empty_mask(tmp_path: Path) -> None:
    sample = one(tmp_path, label())
    assert len(sample.label) == 0
    assert not rasterize(sample.label, sample.shape).any()


def test_parallel_trees_become_splits(tmp_path: Path) -> None:
    for split in ("Training", "Validation"):
        write_image(tmp_path / split / "원천데이터" / "scene" / "JPEGImages" / "x.jpg")
        write_label(tmp_path / split / "라벨링데이터" / "scene" / "x.json")
    refs = list(open_dataset(tmp_path, "aihub").refs())
    assert [(ref.split, ref.key) for ref in refs] == [("train", "scene/x"), ("val", "scene/x")]
    assert all(ref.image is not None and ref.split[:2] in str(ref.image).casefold() for ref in refs)


def test_an_image_under_another_stem_is_found_by_what_the_label_says(tmp_path: Path) -> None:
    write_image(tmp_path / "S1" / "JPEGImages" / "frame.jpg")
    write_image(tmp_path / "S2" / "JPEGImages" / "frame.jpg")
    write_label(tmp_path / "label" / "a.json", label(name="frame.jpg", folder="S2/JPEGImages"))
    (ref,) = open_dataset(tmp_path, "aihub").refs()
    assert ref.image == tmp_path / "S2" / "JPEGImages" / "frame.jpg"


def test_names_in_nfc_and_nfd_meet(tmp_path: Path) -> None:
    write_image(tmp_path / "data" / (unicodedata.normalize("NFD", "하늘") + ".jpg"))
    write_label(tmp_path / "label" / "하늘.json")
    (ref,) = open_dataset(tmp_path, "aihub").refs()
    assert ref.image is not None
    assert ref.key == "하늘"


def test_scanning_is_repeatable(tmp_path: Path) -> None:
    opened = open_dataset(dataset(tmp_path, ["c", "a", "b"]), "aihub")
    assert list(opened.refs()) == list(opened.refs())
    assert [ref.key for ref in opened.refs()] == ["a", "b", "c"]


def test_the_table_is_the_published_one() -> None:
    assert [info.id for info in TABLE] == list(range(26))
    assert TABLE.by_id(19).color == (0, 60, 100)
    assert TABLE.background is not None
    assert TABLE.background.name == "undefined object/area"
    assert [info.name for info in TABLE.shared_colors()[255, 20, 145]] == ["speed bump", "sidewalk"]


def test_auto_knows_an_aihub_set(tmp_path: Path) -> None:
    assert open_dataset(dataset(tmp_path, ["a"])).format.name == "aihub"


def test_rings_elsewhere_in_the_file_do_no_harm(tmp_path: Path) -> None:
    """They are parsed before it is known which are outlines."""
    first, second = annotation("road", SQUARE), annotation("vehicle", [[4, 4], [9, 4], [9, 9]])
    document = label(first, second)
    document["Extra"] = [[[1, 2], [3, 4]], {"deep": [[[5, 6]]]}]
    first["Coordinates"] = [[7, 8], [7, 9], [8, 9]]  # of two spellings the first counts
    polygons = one(tmp_path, document).label
    assert isinstance(polygons, Polygons)
    assert polygons.points.tolist() == [*SQUARE, [4, 4], [9, 4], [9, 9]]


@pytest.mark.parametrize("place", ["Label", "Resolution", "Source_Image_Info"])
def test_a_ring_where_another_thing_should_be_fails_as_such(tmp_path: Path, place: str) -> None:
    document = label(annotation())
    parts = {"Label": document["Annotation"][0], "Resolution": document["Source_Image_Info"]}
    parts.get(place, document)[place] = [[1, 2], [3, 4]]
    with pytest.raises(FormatError, match="not as this format has it") as raised:
        one(tmp_path, document)
    assert place in str(raised.value)
    assert "\x7f" not in str(raised.value)


def test_what_marks_a_ring_may_be_in_a_file(tmp_path: Path) -> None:
    document = label(annotation())
    plain = one(tmp_path / "plain", document).label
    document["Note"] = '["\x7f0"]'
    marked = one(tmp_path / "marked", document).label
    assert isinstance(plain, Polygons)
    assert isinstance(marked, Polygons)
    assert plain.points.tolist() == marked.points.tolist()
