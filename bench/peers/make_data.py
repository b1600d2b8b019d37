"""The dataset that all are given: the same polygons in each layout that one of them reads.

Full HD images with 20 polygons of 12 to 80 vertices each, and the 19 classes that Cityscapes
evaluates. Fixed by its seed, never tuned to a result.

    coco/annotations/instances_train.json, coco/images/train/
    coco-flat/                        the same, images beside the JSON, as some readers want them
    labelme/                          a JSON beside each image, which holds no copy of the image
    cityscapes/leftImg8bit, gtFine    polygons
    voc-color/                        masks in VOC's colors, as CVAT and Datumaro write them
    classes.txt                       the names, in the order of their ids, which begin at 1
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from segfmt.tables import CITYSCAPES_TRAIN, voc_colors

WIDTH, HEIGHT, POLYGONS = 1920, 1080, 20
VERTICES = (12, 80)
RADIUS = (0.03, 0.35)  # of the height, as in the scenes of the other benchmarks
CLASSES = tuple(info.name for info in CITYSCAPES_TRAIN if info.role == "class")

Shape = tuple[int, npt.NDArray[np.float64]]  # class id, from 1, and (N, 2) points


def stem(number: int) -> str:
    """Return the name of an image: Cityscapes wants a city and two numbers."""
    return f"bench_000000_{number:06}"


def shapes(number: int) -> list[Shape]:
    """Return the polygons of an image: stars, cut off at its borders, with one decimal."""
    random = np.random.default_rng([number, WIDTH, POLYGONS])
    found = []
    for _ in range(POLYGONS):
        count = int(random.integers(VERTICES[0], VERTICES[1] + 1))
        angles = np.sort(random.uniform(0, 2 * np.pi, count))
        radii = random.uniform(*RADIUS) * HEIGHT * random.uniform(0.7, 1, count)
        center = random.uniform((0, 0), (WIDTH, HEIGHT))
        ring = center + np.stack([np.cos(angles), np.sin(angles)], 1) * radii[:, None]
        ring = ring.clip((0, 0), (WIDTH - 1, HEIGHT - 1)).round(1)
        found.append((int(random.integers(1, len(CLASSES) + 1)), ring))
    return found


def make_data(folder: Path, count: int) -> Path:
    """Make the dataset of so many images unless it is there, and return its folder."""
    if folder.is_dir():
        return folder
    making = folder.with_name(f"{folder.name}.{os.getpid()}")
    numbers = range(count)
    _write_coco(making / "coco", "images/train", "annotations", numbers)
    _write_coco(making / "coco-flat", ".", ".", numbers)
    for number in numbers:
        image = making / "coco" / "images" / "train" / f"{stem(number)}.jpg"
        _write_image(image, number)
        _link(image, making / "coco-flat" / image.name)
        _link(image, making / "labelme" / image.name)
        _link(image, making / "voc-color" / "JPEGImages" / image.name)
        city = Path("train") / "bench"
        _link(
            image,
            making / "cityscapes" / "leftImg8bit" / city / f"{stem(number)}_leftImg8bit.jpg",
        )
        _write_json(making / "labelme" / f"{stem(number)}.json", _labelme(number))
        polygons = f"{stem(number)}_gtFine_polygons.json"
        _write_json(making / "cityscapes" / "gtFine" / city / polygons, _cityscapes(number))
        _write_color_mask(making / "voc-color" / "SegmentationClass", number)
    _write_voc_lists(making / "voc-color", numbers)
    names = "".join(f"{name}\n" for name in CLASSES)
    (making / "classes.txt").write_text(names, encoding="utf-8")
    labels = f"__ignore__\n_background_\n{names}".strip()
    (making / "labelme" / "labels.txt").write_text(labels, encoding="utf-8")
    making.rename(folder)
    return folder


def _write_coco(root: Path, images: str, annotations: str, numbers: Iterable[int]) -> None:
    documents = [
        {
            "id": number + 1,
            "file_name": f"{stem(number)}.jpg",
            "width": WIDTH,
            "height": HEIGHT,
            "license": 1,
        }
        for number in numbers
    ]
    (root / images).mkdir(parents=True)
    _write_json(
        root / annotations / "instances_train.json",
        {
            "info": {"description": "stars"},
            "licenses": [{"id": 1, "name": "none", "url": "none"}],
            "images": documents,
            "annotations": [
                {
                    "id": number * POLYGONS + place + 1,
                    "image_id": number + 1,
                    "category_id": id,
                    "segmentation": [ring.ravel().tolist()],
                    "area": _area(ring),
                    "bbox": [*ring.min(0).tolist(), *np.ptp(ring, 0).round(1).tolist()],
                    "iscrowd": 0,
                }
                for number in numbers
                for place, (id, ring) in enumerate(shapes(number))
            ],
            "categories": [
                {"id": id, "name": name, "supercategory": ""}
                for id, name in enumerate(CLASSES, start=1)
            ],
        },
    )


def _labelme(number: int) -> dict[str, Any]:
    return {
        "version": "6.3.1",
        "flags": {},
        "shapes": [
            {
                "label": CLASSES[id - 1],
                "points": ring.tolist(),
                "group_id": None,
                "description": "",
                "shape_type": "polygon",
                "flags": {},
                "mask": None,
            }
            for id, ring in shapes(number)
        ],
        "imagePath": f"{stem(number)}.jpg",
        "imageData": None,
        "imageHeight": HEIGHT,
        "imageWidth": WIDTH,
    }


def _cityscapes(number: int) -> dict[str, Any]:
    return {
        "imgHeight": HEIGHT,
        "imgWidth": WIDTH,
        "objects": [
            {"label": CLASSES[id - 1], "polygon": ring.tolist()} for id, ring in shapes(number)
        ],
    }


def _write_color_mask(folder: Path, number: int) -> None:
    colors = voc_colors()
    mask = Image.new("RGB", (WIDTH, HEIGHT))
    draw = ImageDraw.Draw(mask)
    for id, ring in shapes(number):
        draw.polygon(ring.ravel().tolist(), fill=colors[id])
    folder.mkdir(parents=True, exist_ok=True)
    mask.save(folder / f"{stem(number)}.png")


def _write_voc_lists(root: Path, numbers: Iterable[int]) -> None:
    lines = [
        f"{name}:{','.join(map(str, color))}::\n"
        for name, color in zip(("background", *CLASSES), voc_colors(), strict=False)
    ]
    (root / "labelmap.txt").write_text("".join(lines), encoding="utf-8")
    lists = root / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    names = "".join(f"{stem(number)}\n" for number in numbers)
    (lists / "train.txt").write_text(names, encoding="utf-8")


def _write_image(path: Path, number: int) -> None:
    """Write a JPEG of soft blotches: real to decode, cheap to make."""
    random = np.random.default_rng([number])
    blotches = Image.fromarray(random.integers(0, 256, (HEIGHT // 36, WIDTH // 36, 3), np.uint8))
    blotches.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC).save(path, quality=90)


def _area(ring: npt.NDArray[np.float64]) -> float:
    x, y = ring.T
    return round(abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2, 2)


def _write_json(path: Path, document: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document), encoding="utf-8")


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    os.link(source, target)
