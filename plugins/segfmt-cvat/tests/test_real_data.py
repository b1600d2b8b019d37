"""Files that other tools wrote, from the folder that SEGFMT_REAL_DATA names."""

import os
from pathlib import Path
from xml.etree.ElementTree import parse

import cvat_rules
import numpy as np
import pytest
from cvat_files import counts, painted

import segfmt

DATA = Path(os.environ.get("SEGFMT_REAL_DATA", "")) / "cvat"
SAMPLES = DATA / "open-edge-platform__datumaro/cvat_dataset/for_images"
SURFACES = sorted(DATA.rglob("Sidewalk*surface_output*.xml")) if DATA.is_dir() else []
pytestmark = [
    pytest.mark.skipif(not os.environ.get("SEGFMT_REAL_DATA"), reason="no SEGFMT_REAL_DATA"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]


def test_a_project_as_cvat_exports_it() -> None:
    dataset = segfmt.open_dataset(SAMPLES / "export_project")
    samples = list(dataset)
    assert [(one.ref.split, one.ref.key, one.shape) for one in samples] == [
        (split, key, size)
        for split in ("test", "train", "val")
        for key, size in (("img0", (8, 8)), ("img1", (10, 10)))
    ]
    ids = {info.name: info.id for info in dataset.classes}
    assert ids == {"background": 0, "label1": 1, "label2": 2}
    images = parse(SAMPLES / "export_project/annotations.xml").getroot().findall("image")
    for sample, image in zip(samples, images, strict=True):
        assert sample.ref.image is not None
        assert sample.ref.image.stem == sample.ref.key
        assert (painted(sample) == cvat_rules.export(image, ids)).all()
        assert [*counts(sample).values()] == [1]


def test_a_task_with_a_shape_that_has_no_label() -> None:
    root = SAMPLES / "export_task"
    first, second = segfmt.open_dataset(root, unknown_label="background").refs()
    reader = segfmt.open_dataset(root).reader
    assert (reader.load(first).ref.split, len(reader.load(first).label)) == ("train", 1)
    with pytest.raises(segfmt.FormatError, match=r'train.xml, line 52, polygon 1: .*no class: ""'):
        reader.load(second)


@pytest.mark.skipif(not SURFACES, reason="no sidewalk surfaces there")
@pytest.mark.parametrize("path", SURFACES, ids=lambda path: path.name)
def test_the_sidewalk_sets_own_masks(path: Path) -> None:
    dataset = segfmt.open_dataset(path.parents[1], "cvat")
    off = []
    for sample in dataset:
        name = sample.ref.key.rpartition("/")[2].replace("_raw_", "_mask_")
        for mask in path.parents[1].rglob(f"{name}.png"):
            rgb = segfmt.color_indices(painted(sample), dataset.classes)
            off.append(int((rgb != segfmt.read_colors(mask)).any(axis=2).sum()))
    assert off
    assert max(off) <= 20  # of 2 million: those whose outline was drawn anew after the mask was
    assert 0 in off or len(off) == 1


def test_no_file_is_changed_by_reading() -> None:
    before = {path: path.stat().st_mtime_ns for path in DATA.rglob("*")}
    for root in (SAMPLES / "export_project", SAMPLES / "export_task"):
        for sample in segfmt.open_dataset(root, unknown_label="ignore"):
            assert np.asarray(painted(sample)).dtype == np.uint8
    assert {path: path.stat().st_mtime_ns for path in DATA.rglob("*")} == before
