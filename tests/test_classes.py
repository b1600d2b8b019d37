import numpy as np
import pytest

from segfmt import ClassInfo, ClassTable


def table() -> ClassTable:
    return ClassTable(
        [
            ClassInfo(0, "background", (0, 0, 0), "background"),
            ClassInfo(7, "소형 시설", (9, 9, 9), aliases=("small facility",)),
            ClassInfo(3, "traffic light", (9, 9, 9)),
            ClassInfo(255, "void", (224, 224, 192), "ignore"),
        ]
    )


@pytest.mark.parametrize(
    ("spelling", "id"),
    [
        ("소형 시설", 7),
        ("소형시설", 7),
        ("소형시설", 7),  # decomposed, as macOS writes it
        ("Small  Facility", 7),
        ("TRAFFIC LIGHT", 3),
        ("trafficlight", 3),
    ],
)
def test_names_are_found_in_every_spelling(spelling: str, id: int) -> None:
    assert table().by_name(spelling).id == id
    assert spelling in table()


def test_an_unknown_name_is_none_or_key_error() -> None:
    assert table().get("zebra") is None
    assert "zebra" not in table()
    with pytest.raises(KeyError, match="zebra"):
        table().by_name("zebra")


def test_roles_and_order() -> None:
    assert [info.id for info in table()] == [0, 7, 3, 255]
    assert table().background == table().by_id(0)
    assert table().ignore == table().by_id(255)
    assert table().with_ignore() == table()
    assert ClassTable([]).with_ignore().by_id(255).role == "ignore"


def test_palette_has_rows_by_id_and_the_rest_from_elsewhere() -> None:
    rest = np.full((256, 3), 77, np.uint8)
    palette = table().palette(rest)
    assert palette.shape == (256, 3)
    assert palette[7].tolist() == [9, 9, 9]
    assert palette[1].tolist() == [77, 77, 77]
    assert table().palette()[1].tolist() == [0, 0, 0]
    assert rest[7].tolist() == [77, 77, 77]


def test_shared_colors_name_the_classes() -> None:
    shared = table().shared_colors()
    assert {color: [i.name for i in infos] for color, infos in shared.items()} == {
        (9, 9, 9): ["소형 시설", "traffic light"]
    }


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ([ClassInfo(1, "a"), ClassInfo(1, "b")], '"a" and "b" share the id 1'),
        ([ClassInfo(1, "road"), ClassInfo(2, "Ro ad")], '"Ro ad" and "road" share the name'),
        ([ClassInfo(1, "a", aliases=("b",)), ClassInfo(2, "b")], "share the name"),
        ([ClassInfo(1, "a", role="ignore"), ClassInfo(2, "b", role="ignore")], "only one class"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(classes: list[ClassInfo], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ClassTable(classes)


@pytest.mark.parametrize(
    "fields",
    [
        {"id": -1, "name": "licence plate"},
        {"id": 65536, "name": "x"},
        {"id": 1, "name": " "},
        {"id": 1, "name": "x", "color": (0, 0, 256)},
        {"id": 1, "name": "x", "role": "void"},
    ],
)
def test_a_class_that_cannot_be_is_refused(fields: dict) -> None:
    with pytest.raises(ValueError, match="class"):
        ClassInfo(**fields)
