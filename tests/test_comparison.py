"""`compare`: figures against scikit-learn and MMSegmentation's, matching, pictures, the command."""

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sklearn.metrics import accuracy_score, confusion_matrix, jaccard_score

import segfmt
from aihub_files import annotation, dataset, label
from mask_files import write_png
from segfmt import ClassInfo, ClassTable, UsageError
from segfmt.agreement import Scorer
from segfmt.common import common_classes
from segfmt.comparison import Comparison, compare, parse_tolerance
from segfmt.matching import Matching
from segfmt.model import SampleRef

TABLE = ClassTable(
    [
        ClassInfo(0, "nothing", (0, 0, 0), "background"),
        ClassInfo(1, "road", (128, 64, 128)),
        ClassInfo(2, "하늘", (70, 130, 180)),
        ClassInfo(5, "car", (0, 0, 142)),
        ClassInfo(255, "void", (224, 224, 192), "ignore"),
    ]
)
# The same classes under other ids, other spellings, and no ignore.
OTHER = ClassTable(
    [
        ClassInfo(9, "Car", (0, 0, 142)),
        ClassInfo(4, "background", (0, 0, 0), "background"),
        ClassInfo(1, "하늘", (70, 130, 180)),
        ClassInfo(2, "ROAD", (128, 64, 128)),
    ]
)
TO_OTHER = {0: 4, 1: 2, 2: 1, 5: 9}


def write(root: Path, masks: dict[str, np.ndarray], table: ClassTable | None = TABLE) -> Path:
    """Write masks into plain folders."""
    for key, ids in masks.items():
        write_png(root / "masks" / f"{key}.png", ids.astype(np.uint8))
    if table:
        (root / "classes.json").write_bytes(table.to_json())
    return root


def compared(a: Path, b: Path, **options: Any) -> Comparison:
    return compare(a, b, from_a="folder", from_b="folder", **options)


def random_masks(seed: int, ids: list[int], count: int = 3) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    return {f"{place}": random.choice(ids, (20 + place, 30)) for place in range(count)}


def mmseg_iou(pairs: list[tuple[np.ndarray, np.ndarray]], classes: int, ignore: int) -> Any:
    """Return each class's IoU and the accuracy as MMSegmentation's `IoUMetric` counts them."""
    areas = np.zeros((3, classes))
    for annotated, prediction in pairs:
        valid = annotated != ignore
        truth, guess = annotated[valid], prediction[valid]
        parts = (guess[guess == truth], guess, truth)
        # As torch.histc: what is beyond the last class is not counted.
        areas += [np.histogram(part, classes, (0, classes - 1))[0] for part in parts]
    both, of_prediction, of_truth = areas
    with np.errstate(invalid="ignore"):
        return both / (of_prediction + of_truth - both), both.sum() / of_truth.sum()


def test_figures_are_those_of_scikit_learn_and_mmseg(tmp_path: Path) -> None:
    truth = random_masks(1, [0, 1, 2, 255])
    guess = random_masks(2, [0, 1, 2, 5, 255])
    found = compared(write(tmp_path / "a", truth), write(tmp_path / "b", guess))
    pairs = [(truth[key], guess[key]) for key in truth]
    flat = [np.concatenate([pair[side].reshape(-1) for pair in pairs]) for side in (0, 1)]
    kept = [side[flat[0] != 255] for side in flat]
    names = {info.name: info for info in found.classes}

    ids = [0, 1, 2, 5, 255]
    assert [info.name for info in found.classes] == [TABLE.by_id(id).name for id in ids]
    assert found.confusion == confusion_matrix(*flat, labels=ids).tolist()
    ious = jaccard_score(*kept, labels=ids[:4], average=None)
    assert [names[TABLE.by_id(id).name].iou for id in ids[:4]] == pytest.approx(ious, abs=1e-9)
    assert names["void"].iou is None
    assert found.scores.accuracy == pytest.approx(accuracy_score(*kept), abs=1e-9)

    ious, accuracy = mmseg_iou(pairs, 6, 255)  # 3 and 4 are no classes: NaN, and left out
    assert found.scores.miou == pytest.approx(np.nanmean(ious), abs=1e-9)
    assert names["car"].iou == pytest.approx(ious[5], abs=1e-9)
    # Without pixels that B ignores, both count the same as correct.
    assert accuracy > 0

    assert found.scores.ignored == int((flat[0] == 255).sum())
    assert found.scores.differing == int((flat[0] != flat[1]).sum())
    for info in found.classes[:4]:
        assert info.iou == pytest.approx(info.both / (info.pixels_a + info.pixels_b - info.both))


def test_predictions_that_cannot_tell_ignore_do_not_differ_where_the_truth_ignores(
    tmp_path: Path,
) -> None:
    truth = random_masks(1, [0, 1, 2, 5, 255])
    guess = {key: np.where(ids == 255, 1, ids) for key, ids in truth.items()}
    other = {key: np.vectorize(TO_OTHER.get)(ids) for key, ids in guess.items()}
    a, b = write(tmp_path / "a", truth), write(tmp_path / "b", other, OTHER)
    found = compared(a, b)
    assert found.same
    assert not found.ignore_in_b
    assert found.scores.ignored == sum(int((ids == 255).sum()) for ids in truth.values())
    assert (found.scores.miou, found.scores.accuracy) == (1, 1)
    other["1"][0, 0] = 9 if other["1"][0, 0] != 9 else 2
    truth["1"][0, 0] = 0
    found = compared(write(a, truth), write(b, other, OTHER))
    assert (found.same, found.scores.differing, found.beyond) == (False, 1, 1)
    ious, accuracy = mmseg_iou(
        [(np.vectorize({**TO_OTHER, 255: 255}.get)(truth[key]), other[key]) for key in truth],
        10,
        255,
    )
    assert found.scores.miou == pytest.approx(np.nanmean(ious), abs=1e-9)
    assert found.scores.accuracy == pytest.approx(accuracy, abs=1e-9)


PIXELS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=60)


@given(PIXELS, st.booleans())
def test_scores_are_the_naive_ones(pixels: list[tuple[int, int]], ignore_in_b: bool) -> None:
    roles = ["background", "class", "class", "class", "ignore"]
    table = ClassTable(ClassInfo(id, f"c{id}", role=role) for id, role in enumerate(roles))
    confusion = np.zeros((5, 5), np.int64)
    for a, b in pixels:
        confusion[a, b] += 1
    scorer = Scorer(table, ignore_in_b)
    scores, ious = scorer.scores(confusion), scorer.ious(confusion)
    counted = [(a, b) for a, b in pixels if a != 4]
    expected = {}
    for id in range(4):
        union = [(a, b) for a, b in counted if id in (a, b)]
        if union:
            expected[id] = sum(a == b for a, b in union) / len(union)
    assert {id: iou for id, iou in enumerate(ious.tolist()) if iou == iou} == expected
    mean = sum(expected.values()) / len(expected) if expected else None
    assert scores.miou == (None if mean is None else pytest.approx(mean, abs=1e-12))
    right = sum(a == b for a, b in counted) / len(counted) if counted else None
    assert scores.accuracy == (None if right is None else pytest.approx(right, abs=1e-12))
    assert (scores.pixels, scores.ignored) == (len(pixels), len(pixels) - len(counted))
    apart = pixels if ignore_in_b else counted
    assert scores.differing == sum(a != b for a, b in apart)


def calculate_iou_score(target: np.ndarray, prediction: np.ndarray) -> float:
    """Return what tutorials on KITTI roads compute for one class."""
    intersection = np.logical_and(target, prediction)
    union = np.logical_or(target, prediction)
    return float(np.sum(intersection)) / float(np.sum(union))


def test_road_of_kitti_against_predictions_of_one_class(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    truth = random.choice([0, 7, 8, 21, 26], (37, 124)).astype(np.uint8)
    guess = ((truth == 7) ^ (random.random(truth.shape) < 0.2)).astype(np.uint8)
    write_png(tmp_path / "kitti/training/semantic/000000_10.png", truth)
    write_png(tmp_path / "kitti/training/image_2/000000_10.png", np.dstack([truth] * 3))
    table = ClassTable([ClassInfo(0, "rest", role="background"), ClassInfo(1, "road")])
    b = write(tmp_path / "predictions", {"000000_10": guess}, table)
    found = compare(tmp_path / "kitti", b, from_b="folder", classes="road")
    road = next(info for info in found.classes if info.name == "road")
    assert road.iou == pytest.approx(calculate_iou_score(truth == 7, guess), abs=1e-12)


def test_a_conversion_is_the_same_in_every_format(tmp_path: Path) -> None:
    wide = label(annotation("sky"), annotation("road", [[0, 0], [15, 0], [15, 5.5], [0.2, 5]]))
    src = dataset(tmp_path / "src", ["a", "b"], {"a": wide, "b": label(annotation("lane"))})
    for target in ("voc", "mmseg", "folder", "aihub"):
        segfmt.convert(src, tmp_path / target, source="aihub", target=target)
        found = compare(src, tmp_path / target)
        assert found.same, target
        assert (found.compared, found.identical, found.scores.miou) == (2, 2, 1)
    assert found.fill_rules == {"A: opencv, vertices nearest": 2, "B: opencv, vertices nearest": 2}
    assert not compare(src, tmp_path / "voc", fill_rule="center").same


def test_merged_classes_are_one_on_both_sides(tmp_path: Path) -> None:
    a = write(tmp_path / "a", {"x": np.array([[1, 2, 5, 0, 255]])})
    b = write(tmp_path / "b", {"x": np.array([[2, 9, 1, 4, 4]])}, OTHER)
    found = compared(a, b, classes="하늘=1,car=1")
    assert found.same
    assert [(c.name, c.pixels_a, c.pixels_b) for c in found.classes if c.role == "class"] == [
        ("하늘", 2, 2)
    ]
    left = compared(a, b, classes="하늘,car")
    assert left.scores.differing == 2
    assert next(c for c in left.classes if c.role == "background").pixels_a == 2
    with pytest.raises(UsageError, match='no class "tree"'):
        compared(a, b, classes="tree")


def test_a_class_without_a_like_is_an_error_with_a_list_unless_mapped(tmp_path: Path) -> None:
    few = ClassTable([ClassInfo(0, "nothing", role="background"), ClassInfo(1, "road")])
    a = write(tmp_path / "a", {"x": np.array([[0, 1, 2, 5]])})
    b = write(tmp_path / "b", {"x": np.array([[0, 1, 1, 0]])}, few)
    with pytest.raises(UsageError, match='no class named "하늘", "car"'):
        compared(a, b)
    found = compared(a, b, map={"road": "road", "하늘": "road"}, rest="background")
    assert found.same
    assert compared(b, a).compared == 1  # B may have more classes than A
    with pytest.raises(UsageError, match="B has no class named car"):
        compared(a, b, classes="road,car")


def test_masks_without_names_are_read_by_a_table_that_is_given(tmp_path: Path) -> None:
    masks = random_masks(3, [0, 1, 2, 5, 255])
    a, b = write(tmp_path / "a", masks), write(tmp_path / "b", masks, None)
    with pytest.raises(UsageError, match="B keeps no class names"):
        compared(a, b)
    assert compared(a, b, options_b={"table": str(a / "classes.json")}).same
    assert compared(b, b).same


def test_roles_and_names_that_clash_stay_apart() -> None:
    a = ClassTable([ClassInfo(0, "void", role="ignore"), ClassInfo(1, "road")])
    b = ClassTable([ClassInfo(3, "ignore"), ClassInfo(4, "background"), ClassInfo(300, "road")])
    common = common_classes(a, b, None, None, None)
    names = {info.name: info.id for info in common.table}
    assert common.a.lut[0] == common.table.ignore.id != names["ignore"]  # type: ignore[union-attr]
    assert common.a.lut[1] == common.b.lut[300] == names["road"]
    assert common.b.lut[3] == names["ignore"]
    assert sorted(names.values()) == list(range(len(names)))


def refs(*names: str) -> list[SampleRef]:
    return [SampleRef(name.partition("/")[2], name.partition("/")[0]) for name in names]


@pytest.mark.parametrize(
    ("a", "b", "pairs", "only_a", "only_b", "by_key"),
    [
        (["train/x", "val/x"], ["train/x", "val/x"], 2, [], [], False),
        (["train/x", "val/y"], ["train/x", "train/y"], 2, [], [], True),
        (["train/x", "val/y"], ["test/x", "test/z"], 1, ["val/y"], ["test/z"], True),
        (["a/x", "b/y", "c/z"], ["a/x", "b/z"], 1, ["b/y", "c/z"], ["b/z"], False),
        (["train/x"], ["val/x"], 1, [], [], True),
    ],
)
def test_samples_match_by_split_and_key_or_by_key_alone(
    a: list[str], b: list[str], pairs: int, only_a: list[str], only_b: list[str], by_key: bool
) -> None:
    found = Matching(refs(*a), refs(*b))
    assert (len(found), len(list(found)), found.by_key) == (pairs, pairs, by_key)
    assert (found.only_a.samples, found.only_b.samples) == (only_a, only_b)
    assert all(pair.a.key == pair.b.key for pair in found)
    assert not found.failures


def test_what_is_not_clear_fails_and_one_split_can_be_chosen() -> None:
    a, b = refs("train/x", "val/x", "val/y"), refs("test/x", "test/y", "test/z")
    found = Matching(a, b)
    assert [pair.a.key for pair in found] == ["y"]
    assert "splits train and val" in found.failures[0].error
    chosen = Matching(a, b, only_split="val")
    assert [f"{pair.a.split}/{pair.a.key}" for pair in chosen] == ["val/x", "val/y"]
    assert (chosen.only_a.count, chosen.only_b.samples) == (0, ["test/z"])
    of_train = Matching(a, b, only_split="train")
    assert of_train.only_b.samples == ["test/z"]  # y is A's, though of another split
    both = Matching(a, refs("train/x", "val/y"), only_split="val")
    assert (len(both), both.only_a.samples, both.only_b.count) == (1, ["val/x"], 0)
    with pytest.raises(UsageError, match="It has: train, val"):
        Matching(a, b, only_split="tset")
    double = Matching(refs("train/x", "train/x"), refs("train/x"))
    assert (len(double), len(double.failures)) == (1, 1)


def test_many_samples_are_matched_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segfmt.listing.HELD", 7)
    random = np.random.default_rng(0)
    keys = [f"train/{random.integers(10**9)}" for _ in range(100)]
    found = Matching(refs(*keys), refs(*reversed(keys[:90])))
    assert [pair.a.key for pair in found] == sorted(key.partition("/")[2] for key in keys[:90])
    assert all(pair.a.key == pair.b.key for pair in found)
    assert found.only_a.count == 10
    found.close()


def test_bad_pairs_are_failures_and_the_rest_is_compared(tmp_path: Path) -> None:
    masks = random_masks(5, [0, 1, 2], 4)
    a, b = write(tmp_path / "a", masks), write(tmp_path / "b", masks)
    write(b, {"1": masks["1"][:, :20]})
    (b / "masks/2.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    write(a, {"3": np.full((4, 4), 77)})
    found = compared(a, b)
    errors = {failure.key: failure.error for failure in found.failures}
    assert (found.same, found.compared) == (False, 1)
    assert errors["1"] == f"{a}/masks/1.png: is 30 x 21, but in B 20 x 21"
    assert errors["2"].startswith(f"{b}/masks/2.png: ")
    assert errors["3"].startswith(f"{a}/masks/3.png, pixel x=0, y=0: has the id 77")


def test_tolerance_is_of_each_sample(tmp_path: Path) -> None:
    same = np.zeros((10, 10), np.uint8)
    worse = same.copy()
    worse[0, :2] = 1
    a = write(tmp_path / "a", {"x": same, "y": same})
    b = write(tmp_path / "b", {"x": same, "y": worse})
    for tolerance, fits in ((0, False), (0.019, False), ("2%", True), ("0.02", True), (1, True)):
        found = compared(a, b, tolerance=tolerance)
        assert (found.same, found.beyond) == (fits, 0 if fits else 1)
        assert found.identical == 1
    for wrong in ("-1", "101%", "much", "nan", 2):
        with pytest.raises(UsageError, match="--tolerance"):
            parse_tolerance(wrong)


def test_worst_come_first_and_each_sample_has_its_line(tmp_path: Path) -> None:
    masks = random_masks(6, [0, 1, 2, 5, 255], 6)
    changed = {key: ids.copy() for key, ids in masks.items()}
    for key in "1234":
        changed[key][: int(key)] = 2
    a, b = write(tmp_path / "a", masks), write(tmp_path / "b", changed)
    found = compared(a, b, samples=tmp_path / "out" / "s.csv")
    shares = [sample.scores.share for sample in found.worst]
    assert [sample.key for sample in found.worst] == list("4321")
    assert shares == sorted(shares, reverse=True)
    with (tmp_path / "out" / "s.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["key"] for row in rows] == list("012345")
    for row in rows:
        differ = masks[row["key"]] != changed[row["key"]]
        assert int(row["differing"]) == differ.sum()
        ious, _ = mmseg_iou([(masks[row["key"]], changed[row["key"]])], 6, 255)
        assert float(row["miou"]) == pytest.approx(np.nanmean(ious), abs=1e-9)
        assert float(row["iou 하늘"]) == pytest.approx(ious[2], abs=1e-9)
    one = compared(a, b, limit=2)
    assert (one.compared, one.only_b.count) == (2, 0)


def test_only_the_worst_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segfmt.comparing.WORST", 3)
    masks = {f"{place:02}": np.zeros((4, 25), np.uint8) for place in range(20)}
    changed = {key: ids.copy() for key, ids in masks.items()}
    for place, ids in enumerate(changed.values()):
        ids.reshape(-1)[: 5 * (place * 7 % 20)] = 1
    found = compared(write(tmp_path / "a", masks), write(tmp_path / "b", changed))
    assert [sample.scores.differing for sample in found.worst] == [95, 90, 85]
    assert (found.compared, found.identical, found.beyond) == (20, 1, 19)


@pytest.mark.parametrize("executor", ["serial", "processes"])
def test_executors_find_the_same(tmp_path: Path, executor: str) -> None:
    a = write(tmp_path / "a", random_masks(7, [0, 1, 2, 5], 9))
    b = write(tmp_path / "b", random_masks(8, [0, 1, 2, 5], 9))
    one, other = (
        json.loads(compared(a, b, executor=name, workers=2).to_json())
        for name in ("threads", executor)
    )
    assert {**one, "seconds": 0} == {**other, "seconds": 0}


def test_polygons_on_both_sides_do_not_share_a_canvas(tmp_path: Path) -> None:
    a = dataset(tmp_path / "a", ["x"], {"x": label(annotation("sky"))})
    b = dataset(tmp_path / "b", ["x"], {"x": label(annotation("road"))})
    found = compare(a, b, from_a="aihub", from_b="aihub")
    assert found.scores.differing == 48  # the square of the fixture, 8 x 6


def test_one_pixel_of_a_large_image_is_seen_in_the_picture(tmp_path: Path) -> None:
    ids = np.zeros((1000, 2000), np.uint8)
    changed = ids.copy()
    changed[613, 1501] = 1
    a, b = write(tmp_path / "a", {"x": ids}), write(tmp_path / "b", {"x": changed})
    compared(a, b, out=tmp_path / "new" / "d.png")
    with Image.open(tmp_path / "new" / "d.png") as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    third = pixels[:, 2 * pixels.shape[1] // 3 :]
    red = (np.abs(third - (230, 0, 60)) < 30).all(2)
    assert red.sum() == 1
    compared(a, a, out=tmp_path / "new" / "d.png")
    with Image.open(tmp_path / "new" / "d.png") as image:
        assert image.height < 200  # nothing differs: a heading and a legend
    with pytest.raises(UsageError, match="--out"):
        compared(a, b, out=tmp_path / "d.txt")


def test_small_masks_are_enlarged_and_ignored_pixels_are_blue(tmp_path: Path) -> None:
    ids = np.array([[0, 1], [255, 2]], np.uint8)
    changed = np.array([[0, 2], [255, 2]], np.uint8)
    a, b = write(tmp_path / "a", {"x": ids}), write(tmp_path / "b", {"x": changed})
    compared(a, b, out=tmp_path / "d.png")
    with Image.open(tmp_path / "d.png") as image:
        pixels = np.asarray(image.convert("RGB"))
    for color in ((230, 0, 60), (120, 160, 255)):
        assert (pixels == color).all(2).sum() >= 240 * 240


def test_names_are_written_only_with_letters_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    from segfmt import pictures

    sky = ClassInfo(2, "하늘", (70, 130, 180))
    monkeypatch.setattr(pictures, "HANGUL_FONTS", ())
    pictures.lettering.cache_clear()
    assert pictures.Swatch.of(sky).text == "2"
    assert pictures.Swatch.of(ClassInfo(1, "road")).text == "1 road"
    assert "Hangul" in pictures.note_for([sky])
    assert pictures.note_for([ClassInfo(1, "road")]) == ""
    monkeypatch.setattr(pictures, "lettering", lambda: pictures.Lettering(None, True))  # type: ignore[arg-type]
    assert pictures.Swatch.of(sky).text == "2 하늘"
    assert pictures.Swatch.of(sky, numbered=False).text == "하늘"
    assert pictures.note_for([sky]) == ""


def test_nothing_in_common_cannot_begin(tmp_path: Path) -> None:
    a, b = (write(tmp_path / name, {name: np.zeros((2, 2))}) for name in "ab")
    with pytest.raises(UsageError, match=r"a has train/a; .*b has train/b"):
        compared(a, b)


def command(*arguments: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "segfmt", "compare", *map(str, arguments)],
        capture_output=True,
        check=False,
        env={**os.environ, "COLUMNS": "80", "NO_COLOR": "1"},
    )


def test_the_command_prints_the_worst_first_and_its_status_says_it(tmp_path: Path) -> None:
    masks = random_masks(9, [0, 1, 2, 5], 4)
    changed = {key: ids.copy() for key, ids in masks.items()}
    changed["2"][:, :3] = 255
    a = write(tmp_path / "a", masks | {"lost": masks["0"]})
    b = write(tmp_path / "b", changed | {f"new{n}": masks["0"] for n in range(7)})
    formats = ("--from-a", "folder", "--from-b", "folder")
    result = command(a, b, *formats)
    text = result.stdout.decode()
    assert result.returncode == 1, result.stderr
    words = " ".join(text.split())
    assert words.startswith(
        "Different: 1 sample beyond the tolerance, 1 sample only in A, 7 samples only in B A: "
    )
    assert re.search(r"^train/2 +66 +10\.00 % +0\.\d{4}$", text, re.MULTILINE)
    assert re.search(r" Only in B, 7: train/new0, .* and 2 more ", words)
    assert re.search(r"^하늘 +[\d,]+ +[\d,]+ +0\.\d{6}$", text, re.MULTILINE)
    assert all(len(line) <= 80 for line in text.splitlines() if str(tmp_path) not in line)
    assert command(a, a, *formats).returncode == 0
    assert command(a, b, *formats, "--map", "vocc").returncode == 2
    found = json.loads(command(a, b, *formats, "--json").stdout)
    assert (found["same"], found["only_b"]["count"]) == (False, 7)
    assert found["worst"][0]["key"] == "2"


def test_every_option_is_explained() -> None:
    import inspect

    page = (Path(__file__).parents[1] / "docs/compare.md").read_text(encoding="utf-8")
    spelt = {"options_a": "a", "options_b": "b", "executor_options": "x"}
    names = set(inspect.signature(compare).parameters) - {"a", "b", "progress"}
    flags = {spelt.get(name, name).replace("_", "-") for name in names} | {"json"}
    assert [f for f in sorted(flags) if not re.search(rf"(?<![\w-])--?{f}(?![\w-])", page)] == []
