"""The fill rule coco and COCO run lengths, against pycocotools."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from pycocotools import mask as pycocotools

from figures import PEAK, add_row
from scenes import BUILDINGS, CITY, FULL_HD, Scene
from segfmt import rasterize
from segfmt.rle import encode_rle, paint_rle

Mask = npt.NDArray[np.uint8]
SCENES = [(FULL_HD, 12), (CITY, 6), (BUILDINGS, 3)]  # each with rounds that pycocotools can bear

# pycocotools 2.0.11 hands arrays over in a way that NumPy 2 no longer likes.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def assign(rle: Any, id: int, out: Mask) -> None:
    """Decode, and assign in the whole image, as training scripts do."""
    out[pycocotools.decode(rle) == 1] = id


def assign_in_box(rle: Any, id: int, out: Mask) -> None:
    """Decode, and assign in the mask's bounding box only."""
    left, top, width, height = pycocotools.toBbox(rle).astype(int)
    box = np.s_[top : top + height, left : left + width]
    out[box][pycocotools.decode(rle)[box] == 1] = id


def ann_to_mask(
    annotations: list[list[list[float]]], ids: list[int], out: Mask, paint: Any
) -> None:
    """What COCO.annToMask does with the polygons of each annotation, and painting."""
    out.fill(0)
    for parts, id in zip(annotations, ids, strict=True):
        paint(pycocotools.merge(pycocotools.frPyObjects(parts, *out.shape)), id, out)


def decode_each(rles: list[Any], ids: list[int], out: Mask, paint: Any) -> None:
    """Decode and paint each, as COCO.annToMask does with run lengths."""
    out.fill(0)
    for rle, id in zip(rles, ids, strict=True):
        paint(rle, id, out)


def encode_each(ids: Mask, present: list[int]) -> dict[int, bytes]:
    """Encode class by class, each in Fortran order as pycocotools wants it."""
    return {id: pycocotools.encode(np.asfortranarray(ids == id))["counts"] for id in present}


def encode_each_of_a_copy(ids: Mask, present: list[int]) -> dict[int, bytes]:
    """Encode class by class from one copy in Fortran order."""
    copy = np.asfortranarray(ids)
    return {id: pycocotools.encode((copy == id).view(np.uint8))["counts"] for id in present}


@pytest.mark.parametrize(("paint", "target"), [(assign, ">= 50"), (assign_in_box, "")])
@pytest.mark.parametrize(("scene", "rounds"), SCENES, ids=str)
def test_fill_coco(
    paired: Callable[..., float], scene: Scene, rounds: int, paint: Any, target: str
) -> None:
    rings, class_ids = scene.rings()
    annotations = [[ring.ravel().tolist()] for ring in rings]
    ids = class_ids.tolist()
    batch = replace(scene.batch(), fill_rule="coco")
    shape = (scene.height, scene.width)
    ours, theirs = np.empty(shape, np.uint8), np.empty(shape, np.uint8)
    paired(
        "Fill, rule coco, one worker",
        scene.name,
        f"annToMask, {paint.__name__.replace('_', ' ')}",
        lambda: rasterize(batch, shape, out=ours),
        lambda: ann_to_mask(annotations, ids, theirs, paint),
        rounds,
        target,
    )
    assert (ours == theirs).all()


@pytest.mark.parametrize("paint", [assign, assign_in_box])
@pytest.mark.parametrize(("scene", "rounds"), SCENES, ids=str)
def test_paint_rle(paired: Callable[..., float], scene: Scene, rounds: int, paint: Any) -> None:
    rings, class_ids = scene.rings()
    shape = (scene.height, scene.width)
    rles = [
        pycocotools.merge(pycocotools.frPyObjects([ring.ravel().tolist()], *shape))
        for ring in rings
    ]
    strings = [rle["counts"] for rle in rles]
    ids = class_ids.tolist()
    ours, theirs = np.empty(shape, np.uint8), np.empty(shape, np.uint8)
    paired(
        "Paint RLE strings, one worker",
        scene.name,
        f"decode, {paint.__name__.replace('_', ' ')}",
        lambda: paint_rle(strings, ids, shape, out=ours),
        lambda: decode_each(rles, ids, theirs, paint),
        rounds,
        ">= 50",
    )
    assert (ours == theirs).all()


@pytest.mark.parametrize("theirs", [encode_each, encode_each_of_a_copy])
@pytest.mark.parametrize("scene", [FULL_HD, CITY, BUILDINGS, None], ids=str)
def test_encode_rle(paired: Callable[..., float], scene: Scene | None, theirs: Any) -> None:
    if scene:
        ids = rasterize(replace(scene.batch(), fill_rule="coco"), (scene.height, scene.width))
    else:
        ids = np.random.default_rng(0).integers(0, 20, (1024, 1024), np.uint8)
    present = np.unique(ids).tolist()
    assert encode_rle(ids) == theirs(ids, present)
    paired(
        "RLE strings of every class, one worker",
        f"{scene or '1024x1024, noise'}, {len(present)} classes",
        "encode a class" + (", one Fortran copy" if theirs is encode_each_of_a_copy else ""),
        lambda: encode_rle(ids),
        lambda: theirs(ids, present),
        12,
        ">= 5" if scene else "",
    )


IMAGES, ANNOTATIONS = 50_000, 1_000_000
# Lists all images and reads some; what Python and its packages take is the same for an empty set.
READ = f"""
import itertools, sys
import segfmt

dataset = segfmt.open_dataset(sys.argv[1], "coco")
for ref in itertools.islice(dataset.refs(), 0, None, 5_000):
    dataset.reader.load(ref)
{PEAK}
print(peak)
"""


def annotation_file(root: Path, images: int, annotations: int) -> Path:
    """Write instances of 30 points each, spread over the images; return the file."""
    path = root / "annotations" / "instances_train.json"
    path.parent.mkdir(parents=True)
    ring = [round(10 + 3.37 * n % 90, 2) for n in range(60)]
    rest = {"category_id": 1, "segmentation": [ring], "area": 1.5, "bbox": [1, 2, 3, 4]}
    tail = json.dumps({**rest, "iscrowd": 0})[1:]
    records = [
        {"id": id, "file_name": f"{id:012}.jpg", "height": 100, "width": 120}
        for id in range(images)
    ]
    with path.open("w") as file:
        file.write('{"categories": [{"id": 1, "name": "car"}], "images": ')
        file.write(json.dumps(records) + ', "annotations": [')
        for id in range(annotations):
            comma = "," if id else ""
            file.write(f'{comma}{{"id": {id}, "image_id": {id * 7 % images}, {tail}')
        file.write("]}")
    return path


def test_memory_of_a_large_annotation_file(folder: Path) -> None:
    def peak(source: Path) -> int:
        command = [sys.executable, "-c", READ, str(source)]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout) << 10

    annotation_file(folder / "few", 10, 10)
    path = annotation_file(folder / "many", IMAGES, ANNOTATIONS)
    archive = folder / "many.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        file.write(path, "annotations/instances_train.json")
    size, plain = path.stat().st_size, peak(folder / "few")
    for source, what in ((folder / "many", "from a folder"), (archive, "from its archive")):
        took = peak(source) - plain
        add_row(
            "Peak memory of a COCO annotation file (memory / its size)",
            f"{size / 1e6:.0f} MB, {what}",
            "its size",
            took / size,
            "<= 3",
            f"{took / 1e6:.0f} MB",
            f"{size / 1e6:.0f} MB",
        )
