"""The OpenCV script as a good engineer writes it: orjson, one channel, imwrite at its default.

OpenCV cannot write a palette: its masks are gray. Its level 1 of PNG is slower than its default.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
import orjson
from measured import measure


def convert(data: Path, out: Path, variant: str) -> None:  # noqa: ARG001 - there is one
    document = orjson.loads((data / "coco/annotations/instances_train.json").read_bytes())
    of_image = defaultdict(list)
    for annotation in document["annotations"]:
        of_image[annotation["image_id"]].append(annotation)
    out.mkdir(parents=True)
    for image in document["images"]:
        mask = np.zeros((image["height"], image["width"]), np.uint8)
        for annotation in of_image[image["id"]]:
            for ring in annotation["segmentation"]:
                points = np.rint(np.array(ring).reshape(-1, 2)).astype(np.int32)
                cv2.fillPoly(mask, [points], annotation["category_id"])
        cv2.imwrite(str(out / Path(image["file_name"]).with_suffix(".png")), mask)


if __name__ == "__main__":
    cv2.setNumThreads(1)
    measure(convert, ["opencv-python-headless", "numpy", "orjson"])
