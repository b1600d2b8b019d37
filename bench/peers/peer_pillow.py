"""The Pillow script as a good engineer writes it: orjson, one palette image painted in order.

PNG by run lengths (`compress_type`), its fastest way that compresses at all: a third of the time of
the default, and smaller.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from zlib import Z_RLE

import orjson
from measured import measure
from palette import PALETTE
from PIL import Image, ImageDraw


def convert(data: Path, out: Path, variant: str) -> None:  # noqa: ARG001 - there is one
    document = orjson.loads((data / "coco/annotations/instances_train.json").read_bytes())
    of_image = defaultdict(list)
    for annotation in document["annotations"]:
        of_image[annotation["image_id"]].append(annotation)
    out.mkdir(parents=True)
    for image in document["images"]:
        mask = Image.new("P", (image["width"], image["height"]))
        mask.putpalette(PALETTE)
        draw = ImageDraw.Draw(mask)
        for annotation in of_image[image["id"]]:
            for ring in annotation["segmentation"]:
                draw.polygon(ring, fill=annotation["category_id"])
        mask.save(out / Path(image["file_name"]).with_suffix(".png"), compress_type=Z_RLE)


if __name__ == "__main__":
    measure(convert, ["pillow", "orjson"])
