"""`check`: every rule is found where it is broken, and nowhere else."""

import csv
import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aihub_files import write_label
from check_files import FAULTS, SIZE, clean_masks, clean_polygons, document, save_picture
from mask_files import write_png
from segfmt import ClassInfo, ClassTable, FormatError, Note, SampleRef, UsageError
from segfmt.checking import check
from segfmt.diagnosis import RULE_OF_NOTE, UNKNOWN_LABELS, of_table
from segfmt.findings import EXAMPLES, Collector, Finding
from segfmt.rules import RULES, chosen_rules
from segfmt.tables import TABLES, anonymous_table

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("code", RULES)
def test_each_rule_is_found_where_it_is_broken(tmp_path: Path, code: str) -> None:
    fault = FAULTS[code]
    fault.build(tmp_path / "src")
    found = check(tmp_path / "src", source=fault.source)
    assert set(found.rules) == {code, *fault.besides}
    tally = found.rules[code]
    assert (tally.count, tally.samples) == (1, 1)
    assert found.ok() == all(RULES[broken].severity != "error" for broken in found.rules)
    example = tally.examples[0]
    assert example.problem
    assert example.file or example.key or code == "SF203"
    assert not any(str(tmp_path) in text for text in (example.problem, example.file))


@pytest.mark.parametrize(("build", "source"), [(clean_polygons, "aihub"), (clean_masks, "folder")])
def test_of_a_clean_dataset_nothing_is_said(
    tmp_path: Path, build: Callable[[Path], None], source: str
) -> None:
    build(tmp_path / "src")
    found = check(tmp_path / "src", source=source)
    assert (found.rules, found.groups, found.ok(strict=True)) == ({}, (), True)
    assert (found.total, found.samples, found.images) == (2, 2, 2)


def test_a_fault_says_which_file_where_and_what_to_do(tmp_path: Path) -> None:
    FAULTS["SF202"].build(tmp_path / "src")
    (example,) = check(tmp_path / "src").rules["SF202"].examples
    assert (example.split, example.key, example.file) == ("train", "b", "label/b.json")
    assert (example.where, example.mend) == ("Annotation[1].Label", 'Did you mean "pedestrian"?')
    broken = tmp_path / "broken"
    FAULTS["SF103"].build(broken)
    (example,) = check(broken, source="aihub").rules["SF103"].examples
    assert example.where.startswith("line 1, column ")


def test_faults_of_geometry_are_counted_in_full(tmp_path: Path) -> None:
    root = tmp_path / "src"
    clean_polygons(root)
    flat = [[[n, 1], [n, 9], [n, 5]] for n in range(1, 41)]
    write_label(root / "label/a.json", document(*flat * 4))
    write_label(root / "label/b.json", document(*flat))
    tally = check(root, select=["SF302"]).rules["SF302"]
    assert (tally.count, tally.samples, len(tally.examples)) == (200, 2, EXAMPLES)
    assert [example.key for example in tally.examples] == ["a"] * EXAMPLES


@pytest.mark.parametrize("executor", ["serial", "processes"])
def test_executors_find_the_same(tmp_path: Path, executor: str) -> None:
    root = tmp_path / "src"
    for code in ("SF202", "SF303"):
        FAULTS[code].build(root / code)
    kinds = [json.loads(check(root, executor=name).to_json()) for name in ("threads", executor)]
    assert {**kinds[0], "seconds": 0} == {**kinds[1], "seconds": 0}
    assert set(kinds[0]["rules"]) == {"SF202", "SF303", "SF601"}


def test_rules_are_chosen_by_prefix_and_the_longer_counts() -> None:
    assert chosen_rules() == set(RULES)
    assert chosen_rules(["SF6"]) == {"SF601", "SF602", "SF603"}
    assert chosen_rules(["sf501, SF502"]) == {"SF501", "SF502"}
    assert chosen_rules(ignore=["SF1", "SF2", "SF3", "SF4", "SF6", "SF50"]) == {"SF510", "SF511"}
    assert chosen_rules(["SF501"], ["SF5"]) == {"SF501"}
    assert chosen_rules(["SF5"], ["SF5"]) == set()
    for bad in ("SF7", "", "E501"):
        with pytest.raises(UsageError, match="no rule's code begins so"):
            chosen_rules([bad])
    with pytest.raises(UsageError, match="--ignore"):
        chosen_rules(ignore=["SF999"])


def test_what_is_not_asked_for_is_not_said(tmp_path: Path) -> None:
    FAULTS["SF202"].build(tmp_path / "src")
    assert set(check(tmp_path / "src", select=["SF2"]).rules) == {"SF202"}
    assert check(tmp_path / "src", ignore=["SF202"]).rules == {}
    # Without duplicates and damage nothing asks for pixels.
    assert check(tmp_path / "src", select=["SF2"]).images == 0


def test_a_dataset_of_which_nothing_can_be_listed_is_a_finding(tmp_path: Path) -> None:
    clean_masks(tmp_path)
    (tmp_path / "classes.json").write_text("[{")
    found = check(tmp_path, source="folder")
    assert (list(found.rules), found.total, found.ok()) == (["SF103"], 0, False)
    assert found.rules["SF103"].examples[0].file == "classes.json"


def test_masks_beside_their_images_are_no_images_without_label(tmp_path: Path) -> None:
    for seed, stem in enumerate("ab"):
        save_picture(tmp_path / "x" / f"{stem}.png", seed)
        write_png(tmp_path / "x" / f"{stem}_mask.png", np.ones(SIZE[::-1], np.uint8))
    save_picture(tmp_path / "x/c.png", 3)
    options = {"images": "x", "masks": "x", "suffix": "_mask"}
    found = check(tmp_path, source="folder", reader_options=options)
    assert [one.file for one in found.rules["SF101"].examples] == ["x/c.png"]
    assert "SF101" not in check(tmp_path, source="folder", reader_options=options, limit=1).rules


def test_a_mask_that_is_cut_off_or_of_another_size_is_told_apart(tmp_path: Path) -> None:
    clean_masks(tmp_path)
    mask = tmp_path / "masks/b.png"
    noise = np.random.default_rng(1).integers(0, 3, SIZE[::-1], np.uint8)
    write_png(mask, noise)
    mask.write_bytes(mask.read_bytes()[:-100])
    assert set(check(tmp_path, source="folder").rules) == {"SF108"}
    write_png(mask, noise[:20])
    assert set(check(tmp_path, source="folder").rules) == {"SF111"}
    mask.write_bytes(b"")
    assert set(check(tmp_path, source="folder").rules) == {"SF107"}
    write_png(mask, np.array([[0, 255]], np.uint8).repeat(24, 0)[:, [0, 1] * 16])
    Image.new("RGB", (32, 24)).save(tmp_path / "images/b.jpg")
    assert set(check(tmp_path, source="folder").rules) == {"SF405"}


def test_images_inside_label_files_are_looked_at(tmp_path: Path) -> None:
    from segfmt.samplecheck import Listed, SampleChecker

    clean_polygons(tmp_path)
    from segfmt import open_dataset

    dataset = open_dataset(tmp_path, "aihub")
    first = next(dataset.refs())
    sample = dataset.reader.load(first)

    class Embedded:
        classes = dataset.classes

        def load(self, ref: SampleRef) -> object:
            return replace(sample, ref=ref, image=(tmp_path / "data/a.jpg").read_bytes())

    checker = SampleChecker(Embedded(), dataset.classes, tmp_path, True, 4.0)  # type: ignore[arg-type]
    ref = replace(first, image=None, embedded=True)
    inside = checker(Listed(0, ref))
    beside = SampleChecker(dataset.reader, dataset.classes, tmp_path, True, 4.0)(Listed(0, first))
    assert (inside.findings, beside.findings) == ((), ())
    assert inside.look is not None
    assert beside.look is not None
    assert inside.look.digest == beside.look.digest


def test_what_goes_wrong_within_a_plugin_is_a_finding(tmp_path: Path) -> None:
    from segfmt.samplecheck import Listed, SampleChecker

    class Broken:
        classes = ClassTable([ClassInfo(0, "road")])

        def load(self, ref: SampleRef) -> object:
            raise ZeroDivisionError("oh")

    checker = SampleChecker(Broken(), Broken.classes, tmp_path, False, 4.0)  # type: ignore[arg-type]
    (found,) = [f for f in checker(Listed(0, SampleRef("a"))).findings if f.code == "SF198"]
    assert found.problem == "ZeroDivisionError: oh"


def test_every_note_that_is_a_rules_is_one_that_a_reader_writes() -> None:
    sources = [ROOT / "src/segfmt/formats", ROOT / "src/segfmt", *(ROOT / "plugins").glob("*/src")]
    files = {path for folder in sources for path in folder.rglob("*.py")}
    files -= {ROOT / "src/segfmt/diagnosis.py"}
    code = "\n".join(path.read_text(encoding="utf-8") for path in files)
    assert [note for note in (*RULE_OF_NOTE, *UNKNOWN_LABELS) if f'"{note}"' not in code] == []
    assert set(RULE_OF_NOTE.values()) <= set(RULES)


def test_names_of_classes_that_a_slip_makes_of_one_another() -> None:
    for name in ("trafficlight-s", "trafic light", "traffic ligth", "traffic lights"):
        table = ClassTable([ClassInfo(0, "traffic light"), ClassInfo(1, name)])
        assert [found.code for found in of_table(table)] == ["SF203"], name
    for one, other in (("car", "cart"), ("lane 1", "lane 2"), ("bicycle", "motorcycle")):
        assert not [*of_table(ClassTable([ClassInfo(0, one), ClassInfo(1, other)]))]
    assert not [*of_table(anonymous_table())]


@pytest.mark.parametrize("name", TABLES)
def test_tables_that_segfmt_brings_have_no_such_names(name: str) -> None:
    assert not [*of_table(TABLES[name])]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_every_finding_can_be_saved(tmp_path: Path, suffix: str) -> None:
    root, path = tmp_path / "src", tmp_path / "to" / f"findings{suffix}"
    clean_polygons(root)
    flat = [[[n, 1], [n, 9], [n, 5]] for n in range(1, 31)]
    for stem in "ab":
        write_label(root / "label" / f"{stem}.json", document(*flat))
    (root / "data/b.jpg").rename(root / "data/길.jpg")
    check(root, findings=path)
    data = path.read_bytes()
    if suffix == ".csv":
        assert data.startswith(b"\xef\xbb\xbf")
        rows = list(csv.DictReader(data.decode("utf-8-sig").splitlines()))
    else:
        rows = [json.loads(line) for line in data.decode().splitlines()]
    assert len(rows) == 60 + 2
    assert [(row["key"], row["code"]) for row in rows[:31]] == [("a", "SF302")] * 30 + [
        ("b", "SF102")
    ]
    assert (rows[-1]["code"], rows[-1]["file"]) == ("SF101", "data/길.jpg")
    assert rows[0]["severity"] == "warning"
    assert rows[0]["mend"] == RULES["SF302"].mend


def test_what_cannot_be_asked_for_is_refused(tmp_path: Path) -> None:
    clean_polygons(tmp_path)
    for options, message in (
        ({"near": 11}, "--near 11"),
        ({"near": -1}, "--near -1"),
        ({"findings": "x.txt"}, "ends in .csv or .jsonl"),
        ({"select": ["SF9"]}, "--select SF9"),
        ({"workers": 0}, "--workers 0"),
        ({"source": "voc"}, "nothing in it|no folder"),
    ):
        with pytest.raises(UsageError, match=message):
            check(tmp_path, **options)  # type: ignore[arg-type]


def test_a_collector_keeps_the_first_of_whatever_order() -> None:
    collector = Collector(frozenset({"SF302"}), keep_all=True)
    for place in (5, 3, 9, *range(20, 40), 1):
        collector.add(place, [Finding("SF302", "flat", count=2), Finding("SF301", "not asked")])
    tally = collector.tallies()["SF302"]
    assert (tally.count, tally.samples, len(tally.examples)) == (48, 24, EXAMPLES)
    assert len(list(collector.all())) == 24
    collector.close()


def test_a_name_that_no_terminal_shows_is_written_all_the_same(tmp_path: Path) -> None:
    root = tmp_path / "src"
    clean_polygons(root)
    strange = os.fsdecode(b"b\xc7")
    (root / "data/b.jpg").rename(root / "data" / f"{strange}.jpg")
    (root / "label/b.json").rename(root / "label" / f"{strange}.json")
    found = check(root, source="aihub", findings=tmp_path / "x.jsonl")
    assert "SF511" in found.rules
    assert rb"b\udcc7" in found.to_json().replace(b"\\\\", b"\\")


def test_errors_that_note_something_are_what_they_note(tmp_path: Path) -> None:
    from segfmt.diagnosis import of_error

    error = FormatError(
        "is bad", where="row 3", notes=[Note("pixels of unknown color", "(1, 2, 3)", 7)]
    )
    (found,) = of_error(error, SampleRef("a", source=tmp_path / "a.png"), TABLES["voc"], tmp_path)
    assert (found.code, found.where, found.count, found.file) == ("SF403", "row 3", 1, "a.png")


def test_the_page_has_each_rule_and_no_other() -> None:
    page = (ROOT / "docs/check.md").read_text(encoding="utf-8")
    sections = re.findall(r"^### (SF\d+) (.+)$\n+\*(\w+)\*", page, re.MULTILINE)
    assert sections == [(rule.code, rule.title, rule.severity) for rule in RULES.values()]


def test_every_option_is_explained() -> None:
    import inspect

    page = (ROOT / "docs/check.md").read_text(encoding="utf-8")
    spelt = {"source": "from", "reader_options": "i", "executor_options": "x"}
    names = set(inspect.signature(check).parameters) - {"src", "progress"}
    flags = {spelt.get(name, name).replace("_", "-") for name in names}
    flags |= {"json", "github", "strict"}
    assert [f for f in sorted(flags) if not re.search(rf"(?<![\w-])--?{f}(?![\w-])", page)] == []


def test_color_masks_of_voc_are_checked_by_its_own_colors(tmp_path: Path) -> None:
    base = tmp_path / "VOCdevkit/VOC2012"
    aeroplane, strange = TABLES["voc"].by_name("aeroplane").color, (9, 9, 9)
    for seed, color in enumerate((aeroplane, strange)):
        save_picture(base / "JPEGImages" / f"{seed}.jpg", seed)
        colors = np.zeros((*SIZE[::-1], 3), np.uint8)
        colors[4:9, 4:9] = color
        write_png(base / "SegmentationClass" / f"{seed}.png", colors)
    found = check(tmp_path, source="voc")
    (example,) = found.rules["SF403"].examples
    assert (example.key, example.where) == ("1", "pixel x=4, y=4")
    assert example.file.endswith("SegmentationClass/1.png")
    assert list(found.rules) == ["SF403"]
    lenient = check(tmp_path, source="voc", reader_options={"unknown": "background"})
    assert set(lenient.rules) == {"SF403", "SF405"}
