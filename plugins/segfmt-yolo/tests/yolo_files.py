"""Small YOLO datasets, and how Ultralytics paints them, restated."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

import segfmt

SHAPE = (12, 16)
SQUARE = "0.25 0.25 0.75 0.25 0.75 0.75 0.25 0.75"
NAMES = "names: [road, 자전거, car]\n"
DATA = f"train: images/train\nval: images/val\n{NAMES}"


def write_image(path: Path, shape: tuple[int, int] = SHAPE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def write_text(path: Path, text: str | bytes) -> Path:
    segfmt.atomic_write(path, text.encode() if isinstance(text, str) else text)
    return path


def dataset(root: Path, label: str | bytes | None, data: str = DATA, name: str = "a") -> Path:
    """Write a dataset of one image in `images/train`, and its label unless that is None."""
    write_text(root / "data.yaml", data)
    write_image(root / f"images/train/{name}.jpg")
    if label is not None:
        write_text(root / f"labels/train/{name}.txt", label)
    return root


def one(root: Path, **options: object) -> segfmt.Sample:
    (sample,) = segfmt.open_dataset(root, "yolo", **options)
    return sample


def painted(sample: segfmt.Sample) -> npt.NDArray[np.uint8]:
    return segfmt.rasterize(sample.label, sample.shape)


def notes(sample: segfmt.Sample) -> set[tuple[str, str, int]]:
    return {(note.code, note.subject, note.count) for note in sample.notes}


def ultralytics(label: bytes, shape: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Paint a label file as Ultralytics' semantic dataset does, YOLO's ids plus 1 on 0.

    8.4: `verify_image_label` reads float32, `PolygonSemanticDataset.load_mask` multiplies in
    float32, `polygon2mask` cuts to int32 and fills, `polygons2masks_overlap` puts the smaller on
    top. Its sort leaves the order of equals open; here they stay in the order of the file.
    """
    lines = label.decode("utf-8-sig").strip().splitlines()
    rows = list(dict.fromkeys(tuple(line.split()) for line in lines if line.strip()))
    covered = []
    for _, *shares in rows:
        points = np.array(shares, np.float32).reshape(-1, 2) * np.array(shape[::-1], np.float32)
        mask = np.zeros(shape, np.uint8)
        cv2.fillPoly(mask, [np.asarray(points, np.int32)], 1)
        covered.append(mask > 0)
    out = np.zeros(shape, np.uint8)
    for place in sorted(range(len(rows)), key=lambda place: -covered[place].sum()):
        out[covered[place]] = int(float(rows[place][0])) + 1
    return out
