"""The page of the formats, the real files, and the public names this package keeps to."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
from coco_files import painted_by_coco, pixels

import segfmt
from segfmt import FormatError
from segfmt.options import options_of

PAGE = Path(__file__).parents[3] / "docs/formats/coco.md"
NAMES = ("coco", "coco-panoptic", "coco-stuff")


@pytest.mark.parametrize("name", NAMES)
def test_every_option_has_its_row(name: str) -> None:
    record = segfmt.formats()[name]
    page = PAGE.read_text(encoding="utf-8")
    for heading, factory, leading in (
        ("Options of reading", record.reader, 1),
        ("Options of writing", record.writer, 2),
    ):
        assert factory is not None
        section = page.partition(f"## {heading}\n")[2].partition("\n## ")[0]
        table = section.partition(f"`{name}`:\n")[2].partition("\n`")[0]
        options = options_of(factory, leading).values()
        for option in options:
            default = str(option.default).lower() if option.type is bool else option.default
            assert re.search(rf"^\| `{option.name}` \| .+ \| `{default}` \|", table, re.MULTILINE)
        assert table.count("\n| `") == len(options)


@pytest.fixture
def real() -> Path:
    folder = Path(os.environ.get("SEGFMT_REAL_DATA", "")) / "coco"
    if not os.environ.get("SEGFMT_REAL_DATA") or not folder.is_dir():
        pytest.skip("SEGFMT_REAL_DATA names no folder with real files")
    return folder


@pytest.mark.parametrize(
    ("folder", "file"),
    [
        ("open-edge-platform__datumaro/coco_dataset/coco_instances", "instances_val"),
        ("open-edge-platform__datumaro/coco_dataset/coco_stuff", "stuff_train"),
        ("lightly-ai__labelformat/instance_segmentation/COCO", "instances"),
        ("lightly-ai__labelformat/instance_segmentation/COCO", "instances_with_binary_mask"),
    ],
)
def test_real_files_are_painted_as_pycocotools_paints_them(
    real: Path, folder: str, file: str
) -> None:
    (path,) = (real / folder).rglob(f"{file}.json")
    opened = segfmt.open_dataset(real / folder, "coco", files=f"*{file}.json")
    expected = painted_by_coco(path)
    # labelformat's categories begin at 0, which is the background's id here.
    moved = [
        int(word) for text in opened.reader.warnings for word in re.findall(r"is (\d+)$", text)
    ]
    samples = list(opened)
    assert len(samples) == len(expected)
    for sample in samples:
        (mask,) = (mask for name, mask in expected.items() if name.startswith(sample.ref.key))
        ids = pixels(sample)
        assert np.where(np.isin(ids, moved), 0, ids).tolist() == mask.tolist()


def test_a_real_panoptic_set(real: Path) -> None:
    opened = segfmt.open_dataset(real / "open-edge-platform__datumaro/coco_dataset/coco_panoptic")
    train, val = opened.refs()
    assert (train.split, val.split) == ("train", "val")
    with pytest.raises(FormatError, match=r"a.png: is 5 x 5, but its image 10 x 5"):
        opened.reader.load(train)
    assert set(np.unique(opened.reader.load(val).label.ids).tolist()) == {1, 2, 255}
