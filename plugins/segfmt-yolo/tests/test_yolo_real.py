"""Real files, where there are any: `SEGFMT_REAL_DATA` names their folder."""

import os
from pathlib import Path

import numpy as np
import pytest
from yolo_files import ultralytics

import segfmt

DATA = Path(os.environ.get("SEGFMT_REAL_DATA", "nowhere"))
SETS = sorted((DATA / "yolo_seg").rglob("dataset.yaml")) if DATA.is_dir() else []


@pytest.mark.skipif(not SETS, reason="SEGFMT_REAL_DATA names no folder with yolo_seg")
def test_real_sets_paint_as_ultralytics_paints_them_and_come_back(tmp_path: Path) -> None:
    for number, data in enumerate(SETS):
        src, dst = data.parent, tmp_path / f"{number}"
        report = segfmt.convert(src, dst, target="yolo")
        assert report.ok, report.failures
        assert report.done
        before, after = (list(segfmt.open_dataset(root)) for root in (src, dst))
        for one, two in zip(before, after, strict=True):
            mask = segfmt.rasterize(one.label, one.shape)
            assert len(np.unique(mask)) > 1
            assert (mask == ultralytics(one.ref.source.read_bytes(), one.shape)).all()
            assert (mask == segfmt.rasterize(two.label, two.shape)).all()
