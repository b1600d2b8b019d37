"""Small datasets to show a defect with, and the telling of it: standard library, Pillow, NumPy."""

from __future__ import annotations

import importlib.metadata
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image

Ring = list[tuple[float, float]]


def square(left: float, top: float, side: float) -> Ring:
    """Return a square."""
    right, bottom = left + side, top + side
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def write_coco(
    root: Path, shapes: Sequence[tuple[int, Ring]], *, flat: bool = False, licenses: bool = True
) -> Path:
    """Write one 64x64 image with polygons of the classes `one` (1) and `two` (2)."""
    images = root if flat else root / "images" / "train"
    annotations = root if flat else root / "annotations"
    for folder in (images, annotations):
        folder.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 64)).save(images / "a.jpg")
    document = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 64, "height": 64}],
        "categories": [{"id": 1, "name": "one"}, {"id": 2, "name": "two"}],
        "annotations": [
            {
                "id": number,
                "image_id": 1,
                "category_id": id,
                "segmentation": [[value for point in ring for value in point]],
                "bbox": [ring[0][0], ring[0][1], 1, 1],
                "area": 1,
                "iscrowd": 0,
            }
            for number, (id, ring) in enumerate(shapes, start=1)
        ],
    }
    if licenses:
        document["licenses"] = [{"id": 1, "name": "none", "url": "none"}]
        document["images"][0]["license"] = 1
    (annotations / "instances_train.json").write_text(json.dumps(document), encoding="utf-8")
    return root


def tell(package: str, *defects: Callable[[Path], str]) -> None:
    """Say of each defect what is seen: a function's docstring is the claim.

    A function returns what it saw, or "" if the defect is not there. Ends with 1 if one is not, so
    that no claim outlives what it is about.
    """
    print(f"{package} {importlib.metadata.version(package)}")
    gone = 0
    for defect in defects:
        with tempfile.TemporaryDirectory() as folder:
            seen = defect(Path(folder))
        gone += not seen
        claim = " ".join((defect.__doc__ or "").split())
        print(f"- {'seen' if seen else 'NOT SEEN'}: {claim}\n  {seen}")
    sys.exit(gone > 0)
