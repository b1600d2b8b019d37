"""What labelformat does to masks, shown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from labelformat.formats import COCOInstanceSegmentationInput
from labelformat.formats.semantic_segmentation.pascalvoc import PascalVOCSemanticSegmentationOutput
from labelformat.mask_utils import mask_to_multipolygon
from PIL import Image, ImageDraw
from small import square, tell, write_coco


def outline_is_traced_twice(folder: Path) -> str:  # noqa: ARG001 - no files
    """`mask_to_multipolygon` goes round an area twice, so that Pillow fills the outline alone."""
    mask = np.zeros((64, 64), np.uint8)
    mask[10:50, 10:50] = 1
    polygons = mask_to_multipolygon(mask).polygons
    back = Image.new("L", mask.shape[::-1])
    draw = ImageDraw.Draw(back)
    for polygon in polygons:
        draw.polygon(polygon, fill=1, outline=1)
    points, unique = sum(map(len, polygons)), len({point for ring in polygons for point in ring})
    filled = int(np.asarray(back).sum())
    if filled == mask.sum():
        return ""
    return f"{points} points, {unique} of them unique; filled: {filled} of {mask.sum()} pixels"


def short_polygon_ends_the_run(folder: Path) -> str:
    """One polygon of two points, and no mask of any image after it is written."""
    source = write_coco(folder / "coco", [(1, [(1, 1), (9, 9)]), (2, square(20, 20, 20))])
    labels = COCOInstanceSegmentationInput(source / "annotations" / "instances_train.json")
    try:
        PascalVOCSemanticSegmentationOutput(folder / "out").save(labels)
    except ValueError as error:
        written = len(list((folder / "out").rglob("*.png")))
        return f"{type(error).__name__}: {error} Masks written: {written}"
    return ""


if __name__ == "__main__":
    tell("labelformat", outline_is_traced_twice, short_polygon_ends_the_run)
