"""Datumaro, from Python as its documentation shows it; images are not saved."""

from __future__ import annotations

from pathlib import Path

from datumaro.components.dataset import Dataset
from datumaro.util.mask_tools import unpaint_mask
from measured import in_memory, measure


def convert(data: Path, out: Path, variant: str) -> float | None:
    if variant == "colors to ids, in memory":
        # It wants blue first, as OpenCV reads; with its own colors of VOC.
        return in_memory(data, out, lambda rgb: unpaint_mask(rgb[:, :, ::-1]))
    if variant == "colors to ids":
        dataset = Dataset.import_from(str(data / "voc-color"), "voc_segmentation")
        dataset.export(str(out), "cityscapes", save_media=False)
        return None
    dataset = Dataset.import_from(str(data / "coco"), "coco_instances")
    # Its COCO polygons stay polygons, of which its VOC writer makes no masks.
    dataset.transform("polygons_to_masks")
    colors = variant == "color masks"
    dataset.export(str(out), "voc_segmentation", save_media=False, apply_colormap=colors)
    return None


if __name__ == "__main__":
    measure(convert, ["datumaro", "pycocotools", "opencv-python-headless", "pillow", "numpy"])
