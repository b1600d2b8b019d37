"""rasterio.features.rasterize, one call an image, and the Pillow script's way to write PNG."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from zlib import Z_RLE

import numpy as np
import orjson
from measured import measure
from palette import PALETTE
from PIL import Image
from rasterio.features import rasterize


def convert(data: Path, out: Path, variant: str) -> None:  # noqa: ARG001 - there is one
    document = orjson.loads((data / "coco/annotations/instances_train.json").read_bytes())
    of_image = defaultdict(list)
    for annotation in document["annotations"]:
        for ring in annotation["segmentation"]:
            points = np.array(ring).reshape(-1, 2).tolist()
            polygon = {"type": "Polygon", "coordinates": [[*points, points[0]]]}
            of_image[annotation["image_id"]].append((polygon, annotation["category_id"]))
    out.mkdir(parents=True)
    for image in document["images"]:
        shape = (image["height"], image["width"])
        mask = Image.fromarray(rasterize(of_image[image["id"]], shape, dtype="uint8"), "L")
        mask.putpalette(PALETTE)
        mask.save(out / Path(image["file_name"]).with_suffix(".png"), compress_type=Z_RLE)


if __name__ == "__main__":
    measure(convert, ["rasterio", "pillow", "numpy", "orjson"])
