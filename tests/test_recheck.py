"""What a conversion wrote, compared with its source."""

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mask_files import write_png
from segfmt import ClassInfo, ClassTable, UsageError, open_dataset, read_mask, write_mask
from segfmt.comparison import Comparison
from segfmt.convert import convert
from segfmt.journal import Journal
from segfmt.listing import Listing
from segfmt.plan import Request, make_plan
from segfmt.reading import executor_map
from segfmt.recheck import compare_written

TABLE = ClassTable(
    [
        ClassInfo(0, "background", (0, 0, 0), "background"),
        ClassInfo(1, "building", (70, 70, 70)),
        ClassInfo(2, "road", (128, 64, 128)),
    ]
)
FORMATS = ["aihub", "cityscapes", "espnet", "folder", "kitti", "mmseg", "satellite", "voc"]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return samples whose names some formats change, in two splits."""
    random = np.random.default_rng(0)
    for place in ("train/a b/x", "train/y", "val/길/z"):
        ids = random.integers(0, 3, (20, 30), np.uint8)
        write_png(tmp_path / "src/masks" / f"{place}.png", ids)
        write_png(tmp_path / "src/images" / f"{place}.jpg", np.dstack([ids * 80] * 3))
    (tmp_path / "src/classes.json").write_bytes(TABLE.to_json())
    return tmp_path / "src"


def rechecked(src: Path, dst: Path, target: str, **options: Any) -> Comparison:
    plan = make_plan(Request(src=src, dst=dst, source="folder", target=target, **options))
    run = executor_map("serial", None, 1)
    with (
        closing(Listing(plan.dataset.refs(), plan.split, None, None)) as jobs,
        Journal(dst, read_only=True) as journal,
    ):
        written = open_dataset(dst, target)
        return compare_written(
            plan.dataset, src, jobs, plan.class_map, written, dst, journal.entries(), run
        )


OPTIONS: dict[str, dict[str, Any]] = {
    "espnet": {"classes": "building=1,road=2"},
    "mmseg": {"classes": "building=1,road=2"},
    "satellite": {"classes": "building=1,road=2"},
    "voc": {"images": "none"},
    "folder": {"images": "none", "split": "last=1"},
}


@pytest.mark.parametrize("target", FORMATS)
def test_every_format_reads_back_as_its_source(source: Path, tmp_path: Path, target: str) -> None:
    options = OPTIONS.get(target, {})
    report = convert(source, tmp_path / "dst", source="folder", target=target, **options)
    assert (report.done, report.failed) == (3, 0), report.failures
    found = rechecked(source, tmp_path / "dst", target, **options)
    assert (found.same, found.compared, found.identical) == (True, 3, 3), found.failures
    assert found.matched_by == "files"


def test_what_has_changed_is_found(source: Path, tmp_path: Path) -> None:
    dst = tmp_path / "dst"
    convert(source, dst, source="folder", target="folder")
    first, second, third = sorted((dst / "masks").rglob("*.png"))
    ids = read_mask(first).copy()
    ids[3, 4] = (ids[3, 4] + 1) % 3
    write_mask(first, ids)
    second.unlink()
    third.write_bytes(third.read_bytes()[:40])
    found = rechecked(source, dst, "folder")
    assert (found.same, found.scores.differing) == (False, 1)
    assert (found.only_a.count, len(found.failures)) == (1, 1)
    assert [sample.scores.differing for sample in found.worst] == [1]


def test_classes_that_the_target_has_lost_are_an_error(source: Path, tmp_path: Path) -> None:
    dst = tmp_path / "dst"
    convert(source, dst, source="folder", target="folder")
    (dst / "classes.json").write_bytes(ClassTable(list(TABLE)[:2]).to_json())
    with pytest.raises(UsageError, match='no class named "road"'):
        rechecked(source, dst, "folder")
