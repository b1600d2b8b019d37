from pathlib import Path

import pytest

from segfmt import FormatError, UsageError
from segfmt.lists import read_list
from segfmt.tables import TABLES, VOC, anonymous_table, read_table, table_named


@pytest.mark.parametrize("name", TABLES)
def test_a_table_survives_its_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / "classes.json"
    path.write_bytes(TABLES[name].to_json())
    found = read_table(path)
    assert [(i.id, i.name, i.color, i.role) for i in found] == [
        (i.id, i.name, i.color, i.role) for i in TABLES[name]
    ]
    assert table_named(str(path)) == found
    assert table_named(name) is TABLES[name]


def test_a_labelmap_is_read_by_the_order_of_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "labelmap.txt"
    path.write_bytes(
        "\ufeff# label:color_rgb:parts:actions\r\nbg:0,0,0::\r\n\r\n길:1, 2,3::\r\n".encode()
    )
    table = read_table(path)
    assert [(i.id, i.name, i.color, i.role) for i in table] == [
        (0, "bg", (0, 0, 0), "background"),
        (1, "길", (1, 2, 3), "class"),
    ]


def test_a_labelmap_without_colors_has_those_of_voc(tmp_path: Path) -> None:
    """Datumaro writes it of a COCO set, beside masks in VOC's colors."""
    path = tmp_path / "labelmap.txt"
    path.write_text("# label:color_rgb:parts:actions\nbackground:::\nroad:::\n길:::\n")
    assert [(info.id, info.name, info.color) for info in read_table(path)] == [
        (0, "background", (0, 0, 0)),
        (1, "road", (128, 0, 0)),
        (2, "길", (0, 128, 0)),
    ]
    path.write_text("background:::\nroad:1,2,3::\n")
    with pytest.raises(FormatError, match="line 1 is not name:r,g,b"):
        read_table(path)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("classes.json", "{", "is no class table"),
        ("classes.json", '[{"id": 1}]', "missing required field `name`"),
        ("classes.json", '[{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]', "share the id 1"),
        ("labelmap.txt", "road", "line 1 is not name:r,g,b"),
        ("labelmap.txt", "a:0,0,0::\nb:0,0,256::", "is not three of 0..255"),
    ],
)
def test_a_broken_table_is_named_with_the_reason(
    tmp_path: Path, name: str, text: str, reason: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(FormatError, match=reason) as caught:
        read_table(tmp_path / name)
    assert name in str(caught.value)


def test_what_is_neither_name_nor_file_is_refused() -> None:
    with pytest.raises(UsageError, match='Did you mean "voc"'):
        table_named("vocc")


def test_the_anonymous_table_has_every_id() -> None:
    table = anonymous_table()
    assert [info.id for info in table] == list(range(256))
    assert table.background == table.by_id(0)
    assert table.ignore == table.by_id(255)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp949"])
def test_lists_are_read_however_they_were_saved(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "train.txt"
    path.write_bytes("가/001\r\n\r\n  b c \r\n".encode(encoding))
    assert read_list(path) == [(1, "가/001"), (3, "b c")]


def test_vocs_colors_are_those_of_its_color_map() -> None:
    from segfmt.tables import voc_colors

    for info in VOC:
        assert voc_colors()[info.id] == info.color or info.role == "ignore"
