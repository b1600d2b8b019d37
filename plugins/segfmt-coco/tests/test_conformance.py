"""The three formats against the conformance kit."""

from pathlib import Path
from typing import ClassVar

import numpy as np
from coco_files import annotation, document, image, rle, write_image, write_json

from segfmt import write_colors, write_mask
from segfmt.testing import FormatConformance


def cut(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


class TestInstances(FormatConformance):
    format = "coco"

    def make(self, root: Path, name: str) -> None:
        hole = np.zeros((8, 12), np.uint8)
        hole[1:7, 6:11] = 1
        hole[3:5, 8] = 0
        images = [image(7, f"{name}.jpg"), image(3, f"scene/{name}_2.jpg")]
        annotations = [
            annotation(image_id=7),
            annotation(image_id=3, category_id=90),
            annotation(rle(hole), 18, image_id=7, iscrowd=1),
        ]
        write_json(root / "annotations/instances_val2017.json", document(annotations, images))
        write_image(root / f"val2017/{name}.jpg")
        write_image(root / f"val2017/scene/{name}_2.jpg")

    def corrupt(self, root: Path) -> Path:
        return cut(root / "annotations/instances_val2017.json")


class TestRunLengths(TestInstances):
    writer_options: ClassVar = {"segmentation": "rle"}


class TestPanoptic(FormatConformance):
    format = "coco-panoptic"

    def make(self, root: Path, name: str) -> None:
        rgb = np.zeros((8, 12, 3), np.uint8)
        rgb[2:5, 2:6] = 1, 2, 3
        rgb[5:, 6:] = 9, 0, 0
        write_colors(root / f"annotations/panoptic_train2017/{name}.png", rgb)
        segments = [
            {"id": 1 + 2 * 256 + 3 * 65536, "category_id": 1, "iscrowd": 0, "area": 12},
            {"id": 9, "category_id": 90, "iscrowd": 1, "area": 18},
        ]
        panoptic = {"image_id": 1, "file_name": f"{name}.png", "segments_info": segments}
        value = document([panoptic], [image(1, f"{name}.jpg")])
        write_json(root / "annotations/panoptic_train2017.json", value)
        write_image(root / f"train2017/{name}.jpg")

    def corrupt(self, root: Path) -> Path:
        return cut(next((root / "annotations/panoptic_train2017").iterdir()))


class TestStuff(FormatConformance):
    format = "coco-stuff"

    def make(self, root: Path, name: str) -> None:
        values = np.full((8, 12), 255, np.uint8)
        values[2:5, 2:6] = 0
        values[5:, 6:] = 181
        write_mask(root / f"stuffthingmaps/train2017/{name}.png", values)
        write_image(root / f"images/train2017/{name}.jpg")
