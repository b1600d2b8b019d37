"""Every format to every format: the pixels of every class survive each of the 8 x 8 conversions."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import segfmt
from aihub_files import write_image
from segfmt import ClassInfo, ClassTable, Polygons, rasterize, write_mask
from segfmt.classes import normal_name

FORMATS = ["aihub", "cityscapes", "espnet", "folder", "kitti", "mmseg", "satellite", "voc"]
# Names that every format with a table of its own has too.
TABLE = ClassTable(
    [
        ClassInfo(0, "background", (0, 0, 0), "background"),
        ClassInfo(1, "building", (70, 70, 70)),
        ClassInfo(2, "road", (128, 64, 128)),
    ]
)
# EdgeNets and MMSegmentation want ids from 0 without gaps, and satellite has but these two classes.
CLASSES = "building=1,road=2"
OPTIONS: dict[str, dict[str, Any]] = {
    name: {"classes": CLASSES} for name in ("espnet", "mmseg", "satellite")
}


CELLS: dict[tuple[str, str], str] = {}


def masks() -> dict[str, np.ndarray]:
    """Return masks with nested rings, touching corners, lines, dots and noise."""
    random = np.random.default_rng(0)
    nested = np.zeros((48, 64), np.uint8)
    nested[4:40, 4:60] = 1
    nested[10:30, 10:50] = 2
    nested[15:25, 20:40] = 0
    nested[18:20, 25:30] = 1
    lines = np.zeros((48, 64), np.uint8)
    lines[::7], lines[:, ::9], lines[5, 5] = 1, 2, 2
    noise = random.integers(0, 3, (48, 64), np.uint8)
    return {"nested": nested, "lines": lines, "noise": noise, "empty": np.zeros((48, 64), np.uint8)}


@pytest.fixture(scope="session")
def datasets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the same dataset in every format, each made from the plain folders."""
    root = tmp_path_factory.mktemp("matrix")
    for name, ids in masks().items():
        write_image(root / "folder" / "images" / f"{name}.jpg", (64, 48))
        write_mask(root / "folder" / "masks" / f"{name}.png", ids)
    (root / "folder" / "classes.json").write_bytes(TABLE.to_json())
    for name in FORMATS:
        if name != "folder":
            convert(root / "folder", "folder", root / name, name)
    return {name: root / name for name in FORMATS}


def convert(src: Path, source: str, dst: Path, target: str) -> segfmt.Report:
    report = segfmt.convert(src, dst, source=source, target=target, **OPTIONS.get(target, {}))
    assert report.ok, report.failures
    assert (report.done, report.skipped) == (4, 0)
    return report


def pixels(root: Path, name: str) -> list[tuple[tuple[int, int], bytes]]:
    """Return each sample's classes by name as an array of 0, 1, 2, in an order without keys."""
    dataset = segfmt.open_dataset(root, name)
    number = {normal_name("building"): 1, normal_name("road"): 2}
    lut = np.zeros(256, np.uint8)
    for info in dataset.classes:
        lut[info.id] = number.get(normal_name(info.name), 0)
    found = []
    for sample in dataset:
        label = sample.label
        background = dataset.classes.background
        assert background is not None
        ids = (
            rasterize(label, sample.shape, background=background.id)
            if isinstance(label, Polygons)
            else label.ids
        )
        found.append((sample.shape, lut[ids].tobytes()))
    return sorted(found)


EXPECTED = sorted(((48, 64), ids.tobytes()) for ids in masks().values())


@pytest.mark.parametrize("source", FORMATS)
@pytest.mark.parametrize("target", FORMATS)
def test_every_pair(datasets: dict[str, Path], tmp_path: Path, source: str, target: str) -> None:
    report = convert(datasets[source], source, tmp_path / "dst", target)
    assert pixels(tmp_path / "dst", target) == EXPECTED
    # Re-encoded images are the one thing that is not exact, and the report says so.
    reencoded = any("re-encoded" in code for code in report.notes)
    CELLS[source, target] = "exact, images re-encoded" if reencoded else "exact"


def test_the_table_in_the_docs_is_the_one_that_was_run() -> None:
    if len(CELLS) < len(FORMATS) ** 2:
        return  # only some of the pairs were asked for
    page = (Path(__file__).parents[1] / "docs/formats/matrix.md").read_text(encoding="utf-8")
    assert table() in page, f"docs/formats/matrix.md should have:\n{table()}"


def table() -> str:
    """Return the outcome of every pair as a Markdown table."""
    lines = [
        "| from \\ to | " + " | ".join(FORMATS) + " |",
        "|---" * (len(FORMATS) + 1) + "|",
    ]
    for source in FORMATS:
        cells = (CELLS[source, target] for target in FORMATS)
        lines.append(f"| {source} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", FORMATS)
def test_auto_names_each_of_them(datasets: dict[str, Path], name: str) -> None:
    assert segfmt.open_dataset(datasets[name]).format.name == name


def test_a_chain_through_all_of_them_gives_back_the_masks(
    datasets: dict[str, Path], tmp_path: Path
) -> None:
    chain = ["voc", "aihub", "cityscapes", "satellite", "mmseg", "kitti", "espnet", "voc"]
    root = datasets["voc"]
    for step, (source, target) in enumerate(pairwise(chain)):
        convert(root, source, tmp_path / f"{step}-{target}", target)
        root = tmp_path / f"{step}-{target}"
    assert pixels(root, "voc") == EXPECTED
    first, last = (
        sorted(path.read_bytes() for path in base.rglob("SegmentationClass/**/*.png"))
        for base in (datasets["voc"], root)
    )
    assert [segfmt_ids(png) for png in first] == [segfmt_ids(png) for png in last]


def segfmt_ids(png: bytes) -> bytes:
    import io

    from PIL import Image

    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image).tobytes()
