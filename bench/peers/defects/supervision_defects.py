"""What supervision does with masks, shown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import supervision
from PIL import Image
from small import square, tell, write_coco


def all_masks_at_once(folder: Path) -> str:
    """`from_coco` holds a boolean mask of full size for each object of the dataset.

    By design: a dataset is loaded, then used.
    """
    shapes = [(1, square(8, 8, 20))] * 50
    root = write_coco(folder / "coco", shapes)
    dataset = supervision.DetectionDataset.from_coco(
        str(root / "images" / "train"),
        str(root / "annotations" / "instances_train.json"),
        force_masks=True,
    )
    held = sum(objects.mask.nbytes for objects in dataset.annotations.values())
    full_hd = held // (64 * 64) * 1920 * 1080 / 50 * 20 / 1e6
    if held < 50 * 64 * 64:
        return ""
    return f"50 objects of 64x64: {held} bytes; so 20 objects of 1920x1080: {full_hd:.1f} MB"


def lines_are_lost(folder: Path) -> str:
    """An object one pixel wide is saved as a COCO polygon that encloses nothing, and comes back so.

    Objects with holes, and of several parts, are saved as run lengths and come back as they were.
    """
    image, annotations = folder / "images" / "a.jpg", folder / "annotations.json"
    image.parent.mkdir()
    Image.new("RGB", (64, 64)).save(image)
    mask = np.zeros((1, 64, 64), bool)
    mask[0, 30, 10:50] = True
    boxes = supervision.mask_to_xyxy(mask)
    objects = supervision.Detections(xyxy=boxes, mask=mask, class_id=np.array([0]))
    dataset = supervision.DetectionDataset(["one"], [str(image)], {str(image): objects})
    dataset.as_coco(annotations_path=str(annotations))
    back = supervision.DetectionDataset.from_coco(
        str(image.parent), str(annotations), force_masks=True
    )
    (found,) = back.annotations.values()
    wrong = int((found.mask != mask).sum())
    return f"{wrong} of {mask.sum()} pixels are wrong" if wrong else ""


if __name__ == "__main__":
    tell("supervision", all_masks_at_once, lines_are_lost)
