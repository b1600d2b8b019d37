"""`inspect`: every figure against NumPy, and what the command prints."""

import json
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.utils.class_weight import compute_class_weight

from aihub_files import annotation, dataset, label, write_image, write_label
from mask_files import write_png
from segfmt import ClassInfo, ClassTable, Mask, Polygons, Sample, SampleRef, UsageError, rasterize
from segfmt.counting import Look, SampleCounter, SampleCounts
from segfmt.imagestats import color_counts, mean_and_std
from segfmt.inspection import Inspection, inspect
from segfmt.reading import painter
from segfmt.report import Failed
from segfmt.weights import enet_weights, inverse_frequency, median_frequency

TABLE = ClassTable(
    [
        ClassInfo(0, "nothing", (0, 0, 0), "background"),
        ClassInfo(7, "road", (128, 64, 128)),
        ClassInfo(3, "길", (128, 64, 128)),
        ClassInfo(9, "sky", (70, 130, 180)),
        ClassInfo(255, "void", (224, 224, 192), "ignore"),
    ]
)
IDS = (0, 3, 7, 9, 255)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, list[np.ndarray]]:
    """Return a folder of images and masks, and the masks: of several sizes and two splits."""
    random = np.random.default_rng(8)
    root, masks = tmp_path / "src", []
    for place, (height, width) in enumerate([(8, 6), (8, 6), (5, 9), (64, 64)]):
        split = "val" if place == 3 else "train"
        ids = random.choice(IDS[: place + 2], (height, width)).astype(np.uint8)
        masks.append(ids)
        write_png(root / "masks" / split / f"{place}.png", ids)
        photo = random.integers(0, 256, (height, width, 3), np.uint8)
        write_png(root / "images" / split / f"{place}.png", photo)
    (root / "classes.json").write_bytes(TABLE.to_json())
    return root, masks


def by_id(found: Inspection) -> dict[int, Any]:
    return {info.id: info for info in found.classes}


def test_pixels_shares_and_samples_are_those_of_the_masks(
    folders: tuple[Path, list[np.ndarray]],
) -> None:
    root, masks = folders
    found = inspect(root)
    total = sum(mask.size for mask in masks)
    assert (found.format, found.total, found.samples, found.failures) == ("folder", 4, 4, [])
    assert found.splits == {"train": 3, "val": 1}
    assert found.sizes == {"6x8": 2, "9x5": 1, "64x64": 1}
    assert found.pixels == total
    assert [info.id for info in found.classes] == sorted(IDS)
    for id, info in by_id(found).items():
        pixels = sum(int((mask == id).sum()) for mask in masks)
        assert info.pixels == pixels
        assert info.share == pytest.approx(pixels / total, rel=1e-12)
        assert info.samples == sum(bool((mask == id).any()) for mask in masks)
        assert (info.polygons, info.objects) == (0, 0)


def test_weights_are_the_formulas_by_hand(folders: tuple[Path, list[np.ndarray]]) -> None:
    root, masks = folders
    weights = inspect(root).weights
    assert weights is not None
    assert weights.ids == (0, 3, 7, 9)
    flat = np.concatenate([mask.reshape(-1) for mask in masks])
    flat = flat[flat != 255]
    balanced = compute_class_weight("balanced", classes=np.array(weights.ids), y=flat)
    assert weights.inverse == pytest.approx(balanced, rel=1e-9)
    shares, frequencies = [], []
    for id in weights.ids:
        shares.append((flat == id).mean())
        having = [mask[mask != 255] for mask in masks if (mask == id).any()]
        frequencies.append((np.concatenate(having) == id).mean())
    assert weights.median == pytest.approx(np.median(frequencies) / frequencies, rel=1e-9)
    assert weights.enet == pytest.approx(1 / np.log(1.02 + np.array(shares)), rel=1e-9)


def test_a_class_without_a_pixel_weighs_one() -> None:
    pixels, of_images = np.array([30, 0, 10]), np.array([40, 0, 20])
    assert inverse_frequency(pixels).tolist() == pytest.approx([40 / 60, 1, 2])
    assert median_frequency(pixels, of_images).tolist() == pytest.approx([0.625 / 0.75, 1, 1.25])
    assert enet_weights(pixels)[1] == pytest.approx(1 / np.log(1.02))
    nothing = np.zeros(2, np.int64)
    assert inverse_frequency(nothing).tolist() == [1, 1]
    assert median_frequency(nothing, nothing).tolist() == [1, 1]


def test_mean_and_std_are_those_of_all_pixels(folders: tuple[Path, list[np.ndarray]]) -> None:
    root, _ = folders
    pixels = np.concatenate(
        [np.asarray(Image.open(path)).reshape(-1, 3) for path in (root / "images").rglob("*.png")]
    ).astype(np.float64)
    images = inspect(root).images
    assert images is not None
    assert images.images == 4
    assert images.mean == pytest.approx(pixels.mean(0), rel=1e-12)
    assert images.std == pytest.approx(pixels.std(0), rel=1e-12)
    assert inspect(root, image_stats=False).images is None


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_images_of_every_mode_are_what_loaders_see(tmp_path: Path, mode: str) -> None:
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    if mode == "I;16":
        image = Image.fromarray(ramp.astype(np.uint16) * 200)
    else:
        image = Image.fromarray(np.dstack([ramp, ramp[::-1], ramp.T])).convert(mode)
    path = tmp_path / ("x.tif" if mode == "CMYK" else "x.png")
    image.save(path, **({"transparency": bytes(range(256))} if mode == "P" else {}))
    counts = color_counts(path)
    if mode == "I;16":
        assert counts is None
        return
    assert counts is not None
    with Image.open(path) as stored, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Pillow, about the transparency
        pixels = np.asarray(stored.convert("RGB")).reshape(-1, 3)
    for channel in range(3):
        assert (counts[channel] == np.bincount(pixels[:, channel], minlength=256)).all()


def test_sums_are_exact_however_many_pixels() -> None:
    counts = np.zeros((3, 256), np.int64)
    counts[:, 254], counts[:, 255] = 10**15, 10**15 - 1  # a float64 sum would lose the one
    (mean, _, _), (std, _, _) = mean_and_std(counts)
    assert mean == pytest.approx(254.5, abs=1e-12)
    assert std == pytest.approx(0.5, abs=1e-12)


def test_images_are_spread_evenly_over_the_sample(tmp_path: Path) -> None:
    root = tmp_path / "src"
    for number in range(10):
        write_png(root / "masks" / f"{number}.png", np.zeros((2, 2), np.uint8))
        write_png(root / "images" / f"{number}.png", np.full((2, 2, 3), 10 * number, np.uint8))
    for sample, mean in ((1, 90), (2, 65), (5, 50), (10, 45), (99, 45)):
        images = inspect(root, sample=sample).images
        assert images is not None
        assert (images.images, images.mean[0]) == (min(sample, 10), mean)


def test_polygons_are_painted_counted_and_their_rule_is_said(tmp_path: Path) -> None:
    wide = label(annotation("sky"), annotation("road", [[0, 0], [15, 0], [15, 5], [0, 5]]))
    root = dataset(tmp_path / "src", ["a", "b"], {"a": wide, "b": label(annotation("sky"))})
    found = inspect(root)
    classes = {info.name: info for info in found.classes}
    painted = [sample_mask(root, key) for key in "ab"]
    assert found.fill_rules == {"opencv, vertices nearest": 2}
    for name, polygons in (("sky", 2), ("road", 1)):
        info = classes[name]
        assert info.polygons == polygons
        assert info.pixels == sum(int((mask == info.id).sum()) for mask in painted)
    assert classes["sky"].samples == 2
    assert classes["undefined object/area"].pixels == sum(int((m == 0).sum()) for m in painted)
    pillow = inspect(root, fill_rule="pillow")
    assert pillow.fill_rules == {"pillow": 2}


def sample_mask(root: Path, key: str) -> np.ndarray:
    from segfmt import open_dataset

    sample = next(sample for sample in open_dataset(root) if sample.ref.key == key)
    assert isinstance(sample.label, Polygons)
    return rasterize(sample.label, sample.shape)


@dataclass(frozen=True)
class OneSample:
    """A reader of one label that it is given."""

    classes: ClassTable
    label: Mask | Polygons
    shape: tuple[int, int]

    def scan(self) -> Iterator[SampleRef]:
        yield SampleRef("x")

    def load(self, ref: SampleRef) -> Sample:
        return Sample(ref, self.shape, self.label)


def counted(
    classes: ClassTable, label: Mask | Polygons, shape: tuple[int, int] = (8, 8)
) -> SampleCounts | Failed:
    reader = OneSample(classes, label, shape)
    return SampleCounter(reader, classes, painter(None, None, None))(Look(SampleRef("x"), True))


SQUARES = [[[(0, 0), (3, 0), (3, 3), (0, 3)]], [[(2, 2), (6, 2), (6, 6), (2, 6)]]]


def test_pixels_in_no_polygon_are_background_or_counted_apart() -> None:
    polygons = Polygons.from_rings(SQUARES, [7, 9])
    found = counted(TABLE, polygons)
    assert isinstance(found, SampleCounts)
    assert found.pixels.tolist() == [64 - 37, 12, 0, 25, 0]
    assert found.unlabeled == 0
    bare = ClassTable([ClassInfo(7, "road"), ClassInfo(9, "sky")])
    found = counted(bare, polygons)
    assert isinstance(found, SampleCounts)
    assert (found.pixels.tolist(), found.unlabeled) == ([12, 25], 64 - 37)


@pytest.mark.parametrize("count", [254, 255, 256, 1203])
def test_more_classes_than_a_byte_holds(count: int) -> None:
    wide = ClassTable(ClassInfo(60000 - id, f"class {id}") for id in range(count))
    polygons = Polygons.from_rings(SQUARES, [60000, 60001 - count])
    expected = [12, *[0] * (count - 2), 25]
    found = counted(wide, polygons)
    assert isinstance(found, SampleCounts)
    assert found.pixels.tolist() == expected
    assert found.polygons.tolist() == [1, *[0] * (count - 2), 1]
    ids = np.full((8, 8), 60000, np.uint16)
    ids[2:7, 2:7] = 60001 - count
    found = counted(wide, Mask(ids))  # type: ignore[arg-type]
    assert isinstance(found, SampleCounts)
    assert found.pixels.tolist() == [39, *[0] * (count - 2), 25]


def test_objects_are_classes_with_numbers() -> None:
    random = np.random.default_rng(1)
    ids = np.repeat(random.choice([0, 7, 9], (1500, 100)), 8, axis=1).astype(np.uint8)
    numbers = np.repeat(random.integers(0, 5, (1500, 100)), 8, axis=1).astype(np.uint16)
    numbers[0, 0], ids[0, 0] = 65535, 7
    found = counted(TABLE, Mask(ids, numbers))
    objects = set(zip(ids.reshape(-1).tolist(), numbers.reshape(-1).tolist(), strict=True))
    assert isinstance(found, SampleCounts)
    assert found.objects.tolist() == [
        sum(id == info.id and number > 0 for id, number in objects) for info in TABLE
    ]
    three = Polygons.from_rings([*SQUARES, SQUARES[0]], [7, 7, 9], instance_ids=[1, 1, 1])
    found = counted(TABLE, three)
    assert isinstance(found, SampleCounts)
    assert found.objects.tolist() == [0, 1, 0, 1, 0]
    apart = counted(TABLE, Polygons.from_rings(SQUARES, [7, 7], instance_ids=[0, 70000]))
    assert isinstance(apart, SampleCounts)
    assert apart.objects.tolist() == [0, 1, 0, 0, 0]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_an_id_that_is_no_class_fails_the_sample_and_says_where(dtype: Any) -> None:
    ids = np.zeros((4, 5), dtype)
    ids[2, 3:] = 8
    found = counted(TABLE, Mask(ids))
    assert isinstance(found, Failed)
    assert found.error == "x, pixel x=3, y=2: has the id 8, which is no class of the dataset"
    assert [(note.subject, note.count) for note in found.notes] == [("8", 2)]


def test_ambiguous_colors_count_for_the_first_and_are_told(tmp_path: Path) -> None:
    root = tmp_path / "src"
    rgb = np.zeros((4, 6, 3), np.uint8)
    rgb[1:3] = TABLE.by_id(7).color
    write_png(root / "masks" / "a.png", rgb)
    write_png(root / "masks" / "b.png", np.zeros((4, 6, 3), np.uint8))
    (root / "classes.json").write_bytes(TABLE.to_json())
    found = inspect(root, source="folder")
    (color,) = found.ambiguous_colors
    assert (color.color, color.classes) == ((128, 64, 128), ("road", "길"))
    assert (color.pixels, color.samples) == (12, 1)
    assert (by_id(found)[7].pixels, by_id(found)[3].pixels) == (12, 0)
    assert found.without_image == 2


def test_without_a_table_classes_end_with_the_last_that_has_a_pixel(tmp_path: Path) -> None:
    ids = np.array([[0, 4, 4, 255]], np.uint8)
    write_png(tmp_path / "src" / "masks" / "a.png", ids)
    found = inspect(tmp_path / "src", source="folder")
    assert [info.id for info in found.classes] == [0, 1, 2, 3, 4, 255]
    assert found.weights is not None
    assert found.weights.ids == (0, 1, 2, 3, 4)
    assert any("no class table" in warning for warning in found.warnings)


def test_bad_samples_are_counted_with_place_and_mend(tmp_path: Path) -> None:
    root = dataset(tmp_path / "src", ["a", "b"])
    write_image(root / "data" / "zebra.jpg")
    write_label(root / "label" / "zebra.json", label(annotation("pedestrain")))
    (root / "data" / "b.jpg").write_bytes((root / "data" / "b.jpg").read_bytes()[:-30])
    found = inspect(root)
    assert (found.total, found.samples) == (3, 1)
    errors = {failure.key: failure.error for failure in found.failures}
    assert "does not decode" in errors["b"]
    assert 'Did you mean "pedestrian"?' in errors["zebra"]
    assert inspect(root, image_stats=False).samples == 2
    assert inspect(root, limit=1).samples == 1


@pytest.mark.parametrize("executor", ["serial", "processes"])
def test_executors_find_the_same(folders: tuple[Path, list[np.ndarray]], executor: str) -> None:
    root, _ = folders
    one, other = (
        json.loads(inspect(root, executor=name, workers=2).to_json())
        for name in ("threads", executor)
    )
    assert {**one, "seconds": 0} == {**other, "seconds": 0}


def test_what_cannot_begin_raises(tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    for options, message in (
        ({"source": "voc"}, "nothing in it"),
        ({"source": "vocc"}, 'Did you mean "voc"'),
        ({"source": "voc", "fill_rule": "pillow", "rounding": "floor"}, "--rounding is for"),
        ({"source": "voc", "workers": 0}, "--workers 0"),
    ):
        with pytest.raises(UsageError, match=message):
            inspect(tmp_path, **options)


def segfmt(*arguments: object) -> subprocess.CompletedProcess[bytes]:
    import os

    return subprocess.run(
        [sys.executable, "-m", "segfmt", *map(str, arguments)],
        capture_output=True,
        check=False,
        env={**os.environ, "COLUMNS": "80", "NO_COLOR": "1", "LC_ALL": "C", "PYTHONUTF8": "0"},
    )


def test_the_command_prints_a_table_that_fits_and_a_config_that_runs(
    folders: tuple[Path, list[np.ndarray]],
) -> None:
    root, masks = folders
    result = segfmt("inspect", root)
    text = result.stdout.decode()
    assert result.returncode == 0, result.stderr
    lines = [line for line in text.splitlines() if str(root) not in line]
    assert all(len(line) <= 80 for line in lines)
    assert "4 samples of 4 read: train 3, val 1" in text
    road = sum(int((mask == 7).sum()) for mask in masks)
    assert re.search(rf"^ *7 +road +{road:,} +\d+\.\d\d % +\d$", text, re.MULTILINE)
    # What is to be pasted is Python as it stands: parsed here, as a config file would be.
    start, end = text.index("# of 0 to 255"), text.index(" s, ")
    block = "\n".join(
        line.strip() for line in text[start:end].splitlines()[:-1] if "weights" not in line
    )
    block = block.replace("], std=", "]\nstd=")
    values: dict[str, Any] = {}
    exec(block, values)
    assert len(values["class_weight"]) == 4
    assert len(values["mean"]) == len(values["std"]) == 3


def test_json_is_utf8_whatever_the_terminal_speaks(
    folders: tuple[Path, list[np.ndarray]],
) -> None:
    root, _ = folders
    result = segfmt("inspect", root, "--json", "--no-image-stats", "--limit", 2)
    found = json.loads(result.stdout.decode("utf-8"))
    assert [info["name"] for info in found["classes"]] == ["nothing", "길", "road", "sky", "void"]
    assert (found["samples"], found["images"]) == (2, None)


def test_exit_status_tells_bad_samples_from_a_start_that_failed(tmp_path: Path) -> None:
    root = dataset(tmp_path / "src", ["a"], {"a": "{"})
    result = segfmt("inspect", root, "--from", "aihub")
    assert result.returncode == 1
    assert b"label/a.json, line 1" in result.stdout
    assert segfmt("inspect", tmp_path / "no").returncode == 2


def test_every_option_is_explained() -> None:
    import inspect as python

    page = (Path(__file__).parents[1] / "docs/inspect.md").read_text(encoding="utf-8")
    spelt = {"source": "from", "reader_options": "i", "executor_options": "x"}
    names = set(python.signature(inspect).parameters) - {"src", "progress"}
    flags = {spelt.get(name, name).replace("_", "-") for name in names} | {"json"}
    assert [
        f for f in sorted(flags) if not re.search(rf"(?<![\w-])--?(no-)?{f}(?![\w-])", page)
    ] == []
