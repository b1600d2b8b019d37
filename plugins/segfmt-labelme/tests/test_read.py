"""Reading labelme: classes, images, sizes, and what is wrong with files."""

import base64
import io
import json
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pytest
from labelme_files import document, only, painted, put, put_image, put_labels, shape_of
from PIL import Image

import segfmt
from segfmt import FormatError, Note
from segfmt_labelme import LabelmeReader

RENAMED = "images found under another name than imagePath"


def classes(root: Path, **options: Any) -> dict[str, tuple[int, str]]:
    reader = LabelmeReader(root, **options)
    return {info.name: (info.id, info.role) for info in reader.classes}


def jpeg(size: tuple[int, int] = (8, 6)) -> str:
    file = io.BytesIO()
    Image.new("RGB", size, (9, 8, 7)).save(file, "JPEG")
    return base64.b64encode(file.getvalue()).decode()


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


# Classes


def test_classes_of_labels_txt_are_numbered_as_labelme2voc_does(tmp_path: Path) -> None:
    put_labels(tmp_path, "__ignore__", "_background_", "road", "소형 시설", "traffic light")
    assert classes(tmp_path) == {
        "_background_": (0, "background"),
        "road": (1, "class"),
        "소형 시설": (2, "class"),
        "traffic light": (3, "class"),
        "__ignore__": (255, "ignore"),
    }
    table = LabelmeReader(tmp_path).classes
    assert [info.color for info in table] == [
        (0, 0, 0),
        (128, 0, 0),
        (0, 128, 0),
        (128, 128, 0),
        (224, 224, 192),
    ]
    assert LabelmeReader(tmp_path).warnings == ()


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("_background_\nroad\ncar\n", {"road": 1, "car": 2}),
        ("road\ncar", {"road": 1, "car": 2}),
        ("__ignore__\nroad\ncar\n", {"road": 1, "car": 2, "__ignore__": 255}),
        ("__ignore__\n_background_\n\nroad\n", {"road": 2, "__ignore__": 255}),
        ("\ufeff_background_\r\nroad\r\n\r\n", {"road": 1}),
    ],
)
def test_lists_of_other_kinds(tmp_path: Path, text: str, ids: dict[str, int]) -> None:
    put(tmp_path / "labels.txt", text.encode())
    assert {name: id for name, (id, _) in classes(tmp_path).items() if id} == ids


def test_class_names_txt_and_which_file_comes_first(tmp_path: Path) -> None:
    put(tmp_path / "class_names.txt", b"_background_\nroad")
    assert classes(tmp_path)["road"] == (1, "class")
    put_labels(tmp_path, "__ignore__", "_background_", "car", "road")
    assert classes(tmp_path)["road"] == (2, "class")
    put(tmp_path / "classes.json", b'[{"id": 7, "name": "road"}]')
    assert classes(tmp_path) == {"road": (7, "class"), "_background_": (0, "background")}
    other = put(tmp_path / "other.txt", b"car\nbus\nroad\n")
    assert classes(tmp_path, table=str(other))["road"] == (3, "class")
    assert classes(tmp_path, table="cityscapes")["road"] == (7, "class")


def test_roles_of_a_table_have_labelmes_names_too(tmp_path: Path) -> None:
    rows = [
        {"id": 0, "name": "road"},
        {"id": 1, "name": "nothing", "role": "background"},
        {"id": 9, "name": "void", "role": "ignore"},
    ]
    put(tmp_path / "classes.json", json.dumps(rows).encode())
    put(tmp_path / "a.json", document(shape_of("road"), shape_of("__ignore__", [[0, 0]] * 3)))
    assert painted(only(tmp_path))[0, 0] == 9
    put(tmp_path / "a.json", document(shape_of("road"), shape_of("_background_")))
    assert only(tmp_path).label.class_ids.tolist() == [0, 1]


def test_without_a_list_labels_are_numbered_by_name_and_that_is_said(tmp_path: Path) -> None:
    put(tmp_path / "b" / "b.json", document(shape_of("car"), shape_of("소형 시설")))
    nfd = normalize("NFD", "가로등")
    put(tmp_path / "a.json", document(shape_of("road"), shape_of(nfd), shape_of("Road")))
    put(tmp_path / "broken.json", b"{")
    reader = LabelmeReader(tmp_path)
    assert classes(tmp_path) == {
        "_background_": (0, "background"),
        "Road": (1, "class"),
        "car": (2, "class"),
        "가로등": (3, "class"),
        "소형 시설": (4, "class"),
    }
    assert reader.warnings == (
        "there is no labels.txt, so labels are numbered by name: 1 Road, 2 car, 3 가로등, "
        "4 소형 시설. More labels would shift the numbers: give --table to keep them",
    )
    ref = next(ref for ref in reader.scan() if ref.key == "a")
    assert reader.load(ref).label.class_ids.tolist() == [1, 3, 1]


def test_without_a_list_ignore_is_a_class_only_where_it_is_used(tmp_path: Path) -> None:
    put(tmp_path / "a.json", document(shape_of("_background_")))
    assert classes(tmp_path) == {"_background_": (0, "background")}
    assert LabelmeReader(tmp_path).warnings == ()
    put(tmp_path / "a.json", document(shape_of("__ignore__")))
    assert classes(tmp_path)["__ignore__"] == (255, "ignore")


def test_more_classes_than_eight_bits_hold_can_be_selected_from(tmp_path: Path) -> None:
    names = [f"c{number:03}" for number in range(300)]
    put(tmp_path / "a.json", document(*map(shape_of, [*names, "__ignore__"])))
    found = classes(tmp_path)
    assert found["c299"] == (300, "class")
    assert found["__ignore__"] == (301, "ignore")
    assert LabelmeReader(tmp_path).warnings[0].count(",") == 20
    assert " and 280 more. " in LabelmeReader(tmp_path).warnings[0]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (
            ["road", "_background_"],
            'labels.txt: has "road" before "_background_", which is 0. Only "__ignore__" stands '
            "before it.",
        ),
        (["road", "Road"], 'labels.txt: is no list of classes: "Road" and "road" share the name'),
    ],
)
def test_a_list_that_contradicts_itself(tmp_path: Path, names: list[str], words: str) -> None:
    put_labels(tmp_path, *names)
    with pytest.raises(FormatError) as caught:
        classes(tmp_path)
    assert words in str(caught.value)


def test_an_unknown_label_is_what_the_option_says(tmp_path: Path) -> None:
    put_labels(tmp_path)
    shapes = [shape_of("road", [[0, 0], [7, 0], [7, 5]]), shape_of("raod"), shape_of("tram")]
    path = put(tmp_path / "a.json", document(*shapes))
    with pytest.raises(FormatError) as caught:
        only(tmp_path)
    assert str(caught.value) == (
        f'{path}, shapes[1].label: has labels that are no class: "raod", "tram". '
        'Did you mean "road"?'
    )
    notes = (Note("unknown labels", "raod"), Note("unknown labels", "tram"))
    assert caught.value.notes == notes
    for option, id in (("ignore", 255), ("background", 0)):
        sample = only(tmp_path, unknown_label=option)
        assert painted(sample)[2, 2] == id
        assert painted(sample)[0, 4] == 1
        assert sample.notes == notes


def test_a_table_without_ignore_gets_one_for_unknown_labels(tmp_path: Path) -> None:
    put_labels(tmp_path, "_background_", "road")
    put(tmp_path / "a.json", document(shape_of("tram")))
    assert painted(only(tmp_path, unknown_label="ignore"))[2, 2] == 255


# Images


@pytest.mark.parametrize(
    ("label", "named", "image"),
    [
        ("a.json", "a.png", "a.png"),
        ("x/a.json", "a.png", "x/a.png"),
        ("x/a.json", "./a.png", "x/a.png"),
        ("x/labels/a.json", "..\\images\\b.png", "x/images/b.png"),
        ("labels/a.json", "../images/b.png", "images/b.png"),
        ("a.json", "images\\b.png", "images/b.png"),
        ("a.json", normalize("NFD", "가.png"), "가.png"),
    ],
)
def test_the_image_is_the_one_that_the_label_names(
    tmp_path: Path, label: str, named: str, image: str
) -> None:
    put(tmp_path / label, document(imagePath=named))
    put_image(tmp_path / image)
    put_image(tmp_path / Path(label).with_suffix(".jpg"))
    put_image(tmp_path / "elsewhere" / "b.png")
    sample = only(tmp_path)
    assert sample.ref.image == tmp_path / image
    assert sample.notes == ()


@pytest.mark.parametrize(
    ("label", "named", "image"),
    [
        ("a.json", "C:\\data\\set\\b.png", "b.png"),
        ("a.json", "/etc/b.png", "b.png"),
        ("a.json", "../../b.png", "b.png"),
        ("ann/a.json", "b.png", "img/b.png"),
        ("train/ann/a.json", "old name.png", "train/img/a.jpg"),
        ("a.json", "", "a.jpg"),
        ("a.json", None, "a.jpg"),
    ],
)
def test_else_it_is_the_one_of_that_name_or_of_the_labels(
    tmp_path: Path, label: str, named: str | None, image: str
) -> None:
    root = tmp_path / "root"
    put_image(tmp_path / "b.png")  # outside
    put(root / label, document(imagePath=named))
    put_image(root / image)
    sample = only(root)
    assert sample.ref.image == root / image
    name = (named or "").replace("\\", "/").rpartition("/")[2]
    renamed = Note(RENAMED, f"{Path(image).name} for {name}")
    assert sample.notes == ((renamed,) if name and name != Path(image).name else ())


def test_nothing_outside_of_the_dataset_is_an_image(tmp_path: Path) -> None:
    outside = put_image(tmp_path / "outside.png")
    for named in ("../outside.png", "..\\outside.png", str(outside)):
        put(tmp_path / "root" / "a.json", document(imagePath=named))
        assert only(tmp_path / "root").ref.image is None


def test_of_two_images_that_could_be_it_none_is_guessed(tmp_path: Path) -> None:
    put(tmp_path / "a.json", document(imagePath="gone.png"))
    put_image(tmp_path / "a.jpg")
    put_image(tmp_path / "a.bmp")
    assert only(tmp_path).ref.image is None


def test_folders_are_splits_and_keys(tmp_path: Path) -> None:
    for name in ("train/a", "val/scene 1/a", "test/a", "장면/a", "Validation/labels/b"):
        put(tmp_path / f"{name}.json", document())
    refs = LabelmeReader(tmp_path).scan()
    assert {(ref.split, ref.key) for ref in refs} == {
        ("train", "a"),
        ("val", "scene 1/a"),
        ("test", "a"),
        ("train", "장면/a"),
        ("val", "b"),
    }


# Sizes


def test_the_images_own_size_counts_and_a_difference_is_reported(tmp_path: Path) -> None:
    put_image(tmp_path / "a.png", (8, 6))
    for size, words in (((9, 6), "label 9 x 6"), ((None, 6), "label none"), ((0, 0), "label none")):
        put(tmp_path / "a.json", document(size=size))
        sample = only(tmp_path)
        assert sample.shape == (6, 8)
        assert sample.notes == (Note("sizes taken from the image", f"{words}, image 8 x 6"),)


@pytest.mark.parametrize(
    ("size", "words"),
    [
        ((None, None), "does not say how large its image is, and the image is missing"),
        ((0, 6), "does not say how large its image is, and the image is missing"),
        ((8, -6), "says the impossible size 8 x -6"),
        ((10**6, 10**6), "says the impossible size 1000000 x 1000000"),
    ],
)
def test_without_an_image_the_label_must_say_the_size(
    tmp_path: Path, size: Any, words: str
) -> None:
    path = put(tmp_path / "a.json", document(size=(8.0, 6)))
    assert only(tmp_path).shape == (6, 8)
    put(path, document(size=size))
    with pytest.raises(FormatError) as caught:
        only(tmp_path)
    assert str(caught.value) == f"{path}, imageHeight, imageWidth: {words}"


def test_a_label_drawn_on_an_image_that_exif_turns_keeps_its_size(tmp_path: Path) -> None:
    put_image(tmp_path / "a.jpg", (6, 8), exif=exif(6))
    put(tmp_path / "a.json", document(shape_of("road"), imagePath="a.jpg", size=(8, 6)))
    sample = only(tmp_path)
    assert sample.shape == (6, 8)
    assert sample.notes == ()
    report = segfmt.convert(tmp_path, tmp_path.parent / "dst", source="labelme", target="voc")
    assert list(report.notes) == ["images turned by their EXIF orientation"]


# Embedded images


def test_an_embedded_image_says_the_size(tmp_path: Path) -> None:
    put(tmp_path / "a.json", document(size=(None, None), imageData=jpeg((9, 5))))
    assert only(tmp_path).shape == (5, 9)


def test_a_file_beside_is_taken_before_an_embedded_image(tmp_path: Path) -> None:
    image = put_image(tmp_path / "a.png", (8, 6))
    put(tmp_path / "a.json", document(imageData=jpeg((9, 5))))
    sample = only(tmp_path)
    assert sample.ref.image == image
    assert sample.shape == (6, 8)


@pytest.mark.parametrize("data", ["", None])
def test_no_embedded_image(tmp_path: Path, data: str | None) -> None:
    put(tmp_path / "a.json", document(imageData=data))
    assert only(tmp_path).notes == ()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("AAAA", "imageData: is no image in base64: cannot identify image file"),
        ("A", "imageData: is no image in base64: Invalid base64-encoded string"),
        (7, "imageData: is no image in base64: Expected `str | null`, got `int`"),
    ],
)
def test_a_broken_embedded_image(tmp_path: Path, data: Any, words: str) -> None:
    path = put(tmp_path / "a.json", document(imageData=data))
    with pytest.raises(FormatError) as caught:
        only(tmp_path)
    assert str(caught.value).startswith(f"{path}, {words}")


def test_an_embedded_image_becomes_a_file_of_the_target(tmp_path: Path) -> None:
    data = jpeg()
    put(tmp_path / "src" / "사진.json", document(shape_of("road"), imageData=data))
    report = segfmt.convert(tmp_path / "src", tmp_path / "dst", source="labelme", target="voc")
    assert report.done == 1
    (image,) = (tmp_path / "dst").rglob("*.jpg")
    assert image.read_bytes() == base64.b64decode(data)
    assert image.stem == "사진"


# Files


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "a.json: is empty"),
        (b"[]", "a.json: is not as this format has it: Expected `object`, got `array`"),
        (b"{}", "is not as this format has it: Object missing required field `shapes`"),
        (
            b'{"shapes": [{"points": []}]}',
            "shapes[0]: is not as this format has it: Object missing required field `label`",
        ),
        (
            b'{"shapes": [{"label": 3, "points": []}]}',
            "shapes[0].label: is not as this format has it: Expected `str`, got `int`",
        ),
        (b'{"shapes": [}', "line 1, column 13: is broken JSON"),
        (b'{"shapes": [],}', "column 14: is broken JSON: a comma with nothing between it"),
    ],
)
def test_a_file_that_is_no_label_file(tmp_path: Path, content: bytes, words: str) -> None:
    put(tmp_path / "a.json", content)
    with pytest.raises(FormatError) as caught:
        only(tmp_path)
    assert words in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp949"])
def test_other_encodings(tmp_path: Path, encoding: str) -> None:
    put_labels(tmp_path)
    text = json.dumps(document(shape_of("자전거")), ensure_ascii=False)
    put(tmp_path / "a.json", text.encode(encoding))
    assert only(tmp_path).label.class_ids.tolist() == [2]


def test_a_bad_label_is_one_line_of_the_report(tmp_path: Path) -> None:
    for name, shape in (("a", shape_of("road")), ("b", shape_of("road", kind="cuboid"))):
        put(tmp_path / "src" / f"{name}.json", document(shape, imagePath=f"{name}.png"))
        put_image(tmp_path / "src" / f"{name}.png")
    report = segfmt.convert(tmp_path / "src", tmp_path / "dst", source="labelme", target="voc")
    assert (report.done, report.failed) == (1, 1)
    assert "b.json, shapes[0].shape_type: " in report.failures[0].error
    assert report.warnings[0].startswith("there is no labels.txt")


@pytest.mark.parametrize(
    "content",
    [b'{"version": "4.5.6"}', b'{"shapes": []}', b'{"images": [], "annotations": []}'],
)
def test_other_json_is_not_taken_for_labelme(tmp_path: Path, content: bytes) -> None:
    put(tmp_path / "a.json", content)
    assert segfmt.formats()["labelme"].detect(tmp_path) is None


def test_auto_says_what_it_saw(tmp_path: Path) -> None:
    put(tmp_path / "x" / "a.json", document(imageData=jpeg()))
    seen = segfmt.formats()["labelme"].detect(tmp_path)
    assert seen == f"{Path('x') / 'a.json'} has shapes and imagePath"
