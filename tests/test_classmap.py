"""What --classes, --map, --rest and --ignore-to make of ids."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from segfmt import ClassInfo, ClassTable, FormatError, Mask, Polygons, UsageError
from segfmt.classmap import mapped_classes, without_ignore
from segfmt.remap import ClassMap, class_map
from segfmt.tables import AIHUB_DRIVING, CITYSCAPES, CITYSCAPES_TRAIN, SATELLITE, TABLES, VOC

SOURCE = ClassTable(
    [
        ClassInfo(0, "nothing", (0, 0, 0), "background"),
        ClassInfo(1, "road", (1, 1, 1)),
        ClassInfo(2, "lane", (2, 2, 2)),
        ClassInfo(5, "car", (5, 5, 5)),
        ClassInfo(255, "void", (9, 9, 9), "ignore"),
    ]
)


def planned(target: ClassTable | None = None, ignore_to: Any = None, **options: Any) -> ClassMap:
    mapped, adopted = mapped_classes(SOURCE, **options)
    if ignore_to:
        adopted = without_ignore(adopted)
    return class_map(SOURCE, mapped, target or adopted, ignore_to)


def ids(plan: ClassMap) -> dict[int, int]:
    return {info.id: int(plan.lut[info.id]) for info in SOURCE}


def test_without_options_ids_are_kept() -> None:
    assert ids(planned()) == {0: 0, 1: 1, 2: 2, 5: 5, 255: 255}
    assert planned().table == SOURCE


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        ("car=1", {0: 0, 1: 0, 2: 0, 5: 1, 255: 255}),
        ("car=1,road=2", {0: 0, 1: 2, 2: 0, 5: 1, 255: 255}),
        ("car,road", {0: 0, 1: 2, 2: 0, 5: 1, 255: 255}),
        (" Car = 7 , ROAD = 7 ", {0: 0, 1: 7, 2: 0, 5: 7, 255: 255}),
        ({"car": 3}, {0: 0, 1: 0, 2: 0, 5: 3, 255: 255}),
    ],
)
def test_classes_select_merge_and_renumber(classes: Any, expected: dict[int, int]) -> None:
    assert ids(planned(classes=classes)) == expected


def test_the_first_name_of_an_id_wins() -> None:
    assert planned(classes="car=1,road=1").table.by_id(1).name == "car"


@pytest.mark.parametrize(("rest", "id"), [("background", 0), ("ignore", 255)])
def test_the_rest_becomes_what_is_said(rest: str, id: int) -> None:
    assert ids(planned(classes="car=1", rest=rest))[2] == id


def test_the_rest_as_an_error_names_it() -> None:
    with pytest.raises(UsageError, match='"road", "lane"'):
        planned(classes="car=1", rest="error")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"classes": "car=1,Car=2"}, "is named twice"),
        ({"rest": "ignore"}, "--rest is for"),
        ({"classes": "zebra=1"}, "It has: nothing, road"),
        ({"classes": "carr=1"}, 'no class "carr". Did you mean "car"'),
        ({"classes": "car=0"}, "id 0 is that of background"),
        ({"classes": "car=255"}, "id 255 is that of ignore"),
        ({"classes": "car=256"}, "an id being 0 to 255"),
        ({"classes": "car=x"}, "an id being 0 to 255"),
        ({"classes": "car=1", "map": "voc"}, "give one of them"),
        ({"map": "citiscapes"}, 'Did you mean "cityscapes"'),
        ({"map": {"car": "auto"}}, '"road", "lane"'),
        ({"map": {"cat": "auto"}}, 'no class "cat"'),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        planned(**options)


def test_a_map_renames_merges_and_drops(tmp_path: Path) -> None:
    path = tmp_path / "지도.toml"
    path.write_text('"road" = "way"\nlane = "Way"\ncar = "ignore"\n', encoding="utf-8")
    plan = planned(map=path)
    assert ids(plan) == {0: 0, 1: 1, 2: 1, 5: 255, 255: 255}
    plain = ClassTable(info for info in SOURCE if info.role != "ignore")
    mapped, adopted = mapped_classes(plain, map=path)
    assert class_map(plain, mapped, adopted).lut[5] == 255
    assert [(info.id, info.name, info.role) for info in plan.table] == [
        (0, "nothing", "background"),
        (1, "way", "class"),
        (255, "void", "ignore"),
    ]


@pytest.mark.parametrize("text", ["road =", "road = 3", '[road]\nname = "x"'])
def test_a_broken_map_is_refused_with_its_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "map.toml").write_text(text)
    with pytest.raises(UsageError, match=r"map\.toml"):
        planned(map=tmp_path / "map.toml")


def test_a_table_as_map_goes_by_name() -> None:
    mapped, adopted = mapped_classes(AIHUB_DRIVING, map="cityscapes", rest="background")
    plan = class_map(AIHUB_DRIVING, mapped, adopted)
    assert plan.lut[AIHUB_DRIVING.by_name("road").id] == 7
    assert plan.lut[AIHUB_DRIVING.by_name("guardrail").id] == 14  # spelt "guard rail" there
    assert plan.lut[AIHUB_DRIVING.by_name("lane").id] == 0
    assert adopted == CITYSCAPES
    with pytest.raises(UsageError, match='"lane"'):
        mapped_classes(AIHUB_DRIVING, map="cityscapes")


def test_a_target_with_a_table_of_its_own_is_met_by_name() -> None:
    target = ClassTable(
        [ClassInfo(9, "bg", role="background"), ClassInfo(4, "Car"), ClassInfo(7, "road")]
    )
    plan = planned(target, "background", map={"road": "road", "lane": "road", "car": "car"})
    assert ids(plan) == {0: 9, 1: 7, 2: 7, 5: 4, 255: 9}
    assert plan.background == 9


def test_names_that_the_target_lacks_come_with_a_map_to_edit() -> None:
    with pytest.raises(UsageError) as caught:
        planned(SATELLITE, "background")
    text = str(caught.value)
    assert 'no class named "lane", "car"' in text
    assert "It has: building, road." in text
    assert text.splitlines()[-3:] == [
        '"road" = "road"',
        '"lane" = "background"',
        '"car" = "background"',
    ]


def test_ignore_is_never_background_unasked() -> None:
    with pytest.raises(UsageError, match="--ignore-to background"):
        planned(without_ignore(SOURCE))
    assert ids(planned(ignore_to="background"))[255] == 0


def test_a_target_without_background_takes_ignore_for_it() -> None:
    plan = class_map(VOC, {info.id: info for info in VOC}, VOC)
    assert plan.background == 0
    source = ClassTable([ClassInfo(0, "nothing", role="background"), ClassInfo(1, "road")])
    plan = class_map(source, {info.id: info for info in source}, CITYSCAPES_TRAIN)
    assert (plan.background, int(plan.lut[0]), int(plan.lut[1])) == (255, 255, 0)


def test_classes_without_background_do_for_masks_alone() -> None:
    table = ClassTable([ClassInfo(1, "road")])
    plan = class_map(table, {1: table.by_id(1)}, table)
    assert plan.background is None
    assert plan.mask(Mask(np.ones((1, 2), np.uint8))).ids.tolist() == [[1, 1]]


def test_masks_and_polygons_go_through_one_table() -> None:
    plan = planned(classes="car=1")
    mask = Mask(np.array([[0, 1, 2], [5, 255, 5]], np.uint8))
    assert plan.mask(mask).ids.tolist() == [[0, 0, 0], [1, 255, 1]]
    polygons = Polygons.from_rings([[[(0, 0)]], [[(1, 1)]]], [5, 2])
    assert plan.polygons(polygons).class_ids.tolist() == [1, 0]


def test_an_id_that_is_no_class_is_named_with_its_place() -> None:
    with pytest.raises(FormatError, match=r"pixel x=1, y=0: has the id 77"):
        planned().mask(Mask(np.array([[0, 77]], np.uint8)))


def test_ambiguous_colors_fail_only_where_they_matter() -> None:
    groups = ((1, 2),)
    mask = Mask(np.array([[0, 1]], np.uint8), ambiguous=groups)
    merged = planned(classes="road=1,lane=1").mask(mask)
    assert merged.ids.tolist() == [[0, 1]]
    with pytest.raises(FormatError, match="pixel x=1, y=0: has pixels of a color"):
        planned().mask(mask)
    unseen = Mask(np.array([[0, 5]], np.uint8), ambiguous=groups)
    assert planned().mask(unseen).ids.tolist() == [[0, 5]]


def test_ids_beyond_eight_bits_can_be_selected_from() -> None:
    source = ClassTable(
        [ClassInfo(0, "bg", role="background"), *(ClassInfo(n, f"c{n}") for n in range(1, 400))]
    )
    mapped, adopted = mapped_classes(source, classes="c399=1")
    plan = class_map(source, mapped, adopted)
    assert plan.lut[399] == 1
    assert plan.lut[300] == 0


def test_the_built_in_tables() -> None:
    assert sorted(TABLES) == [
        "aihub-driving",
        "cityscapes",
        "cityscapes-train",
        "kitti",
        "satellite",
        "satellite-fine",
        "voc",
    ]
    assert TABLES["satellite-fine"].by_name("mortorway").id == 11
    assert TABLES["voc"].by_name("tvmonitor").id == 20


def test_objects_stay_apart_where_classes_become_one() -> None:
    plan = planned(classes="car=1,road=1")
    ids = np.array([[5, 5, 1, 1], [2, 0, 255, 5]], np.uint8)
    numbers = np.array([[1, 2, 1, 1], [7, 0, 3, 0]], np.uint16)
    mapped = plan.mask(Mask(ids, numbers))
    assert mapped.ids.tolist() == [[1, 1, 1, 1], [0, 0, 255, 1]]
    assert mapped.instances is not None
    (a, b, c, d), rest = mapped.instances.tolist()
    assert len({a, b, c}) == 3
    assert c == d
    assert min(a, b, c) == 1
    assert rest == [0, 0, 0, 0]
    rings = [[[(0, 0)]]] * 4
    polygons = Polygons.from_rings(rings, [5, 1, 2, 5], instance_ids=[1, 1, 4, 1])
    found = plan.polygons(polygons).instance_ids
    assert found is not None
    assert found[0] == found[3] != found[1]
    assert found[2] == 0


def test_objects_keep_their_numbers_where_no_class_is_merged() -> None:
    mask = Mask(np.array([[5, 1]], np.uint8), np.array([[900, 3]], np.uint16))
    mapped = planned(classes="car=2,road=1").mask(mask)
    assert mapped.instances is not None
    assert mapped.instances.tolist() == [[900, 3]]


def test_ignore_cannot_become_a_background_that_is_not_there() -> None:
    source = ClassTable([ClassInfo(0, "road"), ClassInfo(255, "void", role="ignore")])
    mapped = {info.id: info for info in source}
    with pytest.raises(
        UsageError, match=r'"void" cannot become the background.*leave --ignore-to out'
    ):
        class_map(source, mapped, ClassTable([ClassInfo(0, "road")]), "background")
