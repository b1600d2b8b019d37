"""supervision: its COCO loader paints the masks; it writes none, so the Pillow script's way does.

The loader holds a boolean mask of full size for every object of the dataset at once.
"""

from __future__ import annotations

from pathlib import Path
from zlib import Z_RLE

import numpy as np
import supervision
from measured import measure
from palette import PALETTE
from PIL import Image


def convert(data: Path, out: Path, variant: str) -> None:  # noqa: ARG001 - there is one
    dataset = supervision.DetectionDataset.from_coco(
        str(data / "coco/images/train"),
        str(data / "coco/annotations/instances_train.json"),
        force_masks=True,
    )
    out.mkdir(parents=True)
    for path, objects in dataset.annotations.items():
        ids = np.zeros(objects.mask.shape[1:], np.uint8)
        for mask, place in zip(objects.mask, objects.class_id, strict=True):
            ids[mask] = place + 1
        image = Image.fromarray(ids, "L")
        image.putpalette(PALETTE)
        image.save(out / Path(path).with_suffix(".png").name, compress_type=Z_RLE)


if __name__ == "__main__":
    measure(convert, ["supervision", "opencv-python-headless", "pillow", "numpy"])
