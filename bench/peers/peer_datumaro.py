"""Datumaro, from Python as its documentation shows it; images are not saved."""

from __future__ import annotations

from pathlib import Path

from datumaro.components.dataset import Dataset
from measured import measure


def convert(data: Path, out: Path, variant: str) -> None:
    if variant == "colors to ids":
        dataset = Dataset.import_from(str(data / "voc-color"), "voc_segmentation")
        dataset.export(str(out), "cityscapes", save_media=False)
        return
    dataset = Dataset.import_from(str(data / "coco"), "coco_instances")
    # Its COCO polygons stay polygons, of which its VOC writer makes no masks.
    dataset.transform("polygons_to_masks")
    colors = variant == "color masks"
    dataset.export(str(out), "voc_segmentation", save_media=False, apply_colormap=colors)


if __name__ == "__main__":
    measure(convert, ["datumaro", "pycocotools", "opencv-python-headless", "pillow", "numpy"])
