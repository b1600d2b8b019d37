"""What CVAT's own export of segmentation masks paints, restated from its exporter and datumaro.

Polygons and boxes go through pycocotools, masks through its run lengths on their side, ellipses
through OpenCV; the masks are then painted by z_order, in the order of the file where that is equal.
"""

import math
from xml.etree.ElementTree import Element

import cv2
import numpy as np
import numpy.typing as npt
from pycocotools import mask as coco


def export(image: Element, ids: dict[str, int]) -> npt.NDArray[np.uint8]:
    size = int(image.attrib["height"]), int(image.attrib["width"])
    out = np.zeros(size, np.uint8)
    for shape in sorted(image, key=lambda shape: int(shape.get("z_order", 0))):
        covered = COVERED.get(shape.tag)
        if covered:
            out[covered(shape, size)] = ids[shape.attrib["label"]]
    return out


def _polygon(points: list[float], size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    return coco.decode(coco.frPyObjects([points], *size)[0]).astype(bool)


def polygon(shape: Element, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    text = shape.attrib["points"].replace(";", ",")
    return _polygon([float(part) for part in text.split(",")], size)


def box(shape: Element, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    x0, y0, x1, y1 = (float(shape.attrib[name]) for name in ("xtl", "ytl", "xbr", "ybr"))
    angle = math.radians(float(shape.get("rotation", 0)))
    if not angle:
        return _polygon([x0, y0, x1, y0, x1, y1, x0, y1], size)
    cx, cy = x0 + (x1 - x0) / 2, y0 + (y1 - y0) / 2
    points = []
    for x, y in ((x0, y0), (x1, y0), (x1, y1), (x0, y1)):
        points.append(cx + math.cos(angle) * (x - cx) - math.sin(angle) * (y - cy))
        points.append(cy + math.sin(angle) * (x - cx) + math.cos(angle) * (y - cy))
    return _polygon(points, size)


def mask(shape: Element, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    left, top, width, height = (
        int(shape.attrib[name]) for name in ("left", "top", "width", "height")
    )
    lengths = [int(part) for part in shape.attrib["rle"].split(",")]
    rle = coco.frPyObjects([{"counts": lengths, "size": [width, height]}], height, width)[0]
    full = np.zeros(size, bool)
    full[top : top + height, left : left + width] = coco.decode(rle).T
    return full


def ellipse(shape: Element, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    cx, cy, rx, ry = (float(shape.attrib[name]) for name in ("cx", "cy", "rx", "ry"))
    right, top = float(f"{cx + rx:.2f}"), float(f"{cy - ry:.2f}")  # as the importer keeps them
    out = np.zeros(size, np.uint8)
    axes = round(right - cx), round(cy - top)
    angle = float(shape.get("rotation", 0))
    cv2.ellipse(out, (round(cx), round(cy)), axes, angle, 0, 360, 255, thickness=-1)
    return out > 0


COVERED = {"polygon": polygon, "box": box, "mask": mask, "ellipse": ellipse}
