"""Small COCO datasets, built as the tests want them."""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import segfmt

CATEGORIES = [
    {"id": 1, "name": "person", "supercategory": "human"},
    {"id": 18, "name": "dog", "supercategory": "animal"},
    {"id": 90, "name": "칫솔", "supercategory": "indoor"},
]
SQUARE = [2.0, 2.0, 6.0, 2.0, 6.0, 5.0, 2.0, 5.0]  # columns 2 to 5, rows 2 to 4


def write_image(path: Path, size: tuple[int, int] = (12, 8), **options: Any) -> Path:
    """Write an image of (width, height)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (90, 120, 150)).save(path, **options)
    return path


def image(id: int = 1, file_name: str = "a.jpg", **fields: Any) -> dict[str, Any]:
    return {"id": id, "file_name": file_name, "height": 8, "width": 12, **fields}


def annotation(segmentation: Any = None, category_id: int = 1, **fields: Any) -> dict[str, Any]:
    return {
        "id": 1,
        "image_id": 1,
        "category_id": category_id,
        "segmentation": [SQUARE] if segmentation is None else segmentation,
        "area": 12.0,
        "bbox": [2.0, 2.0, 4.0, 3.0],
        "iscrowd": 0,
        **fields,
    }


def document(annotations: list[Any], images: list[Any] | None = None, **fields: Any) -> Any:
    return {
        "images": [image()] if images is None else images,
        "annotations": annotations,
        "categories": CATEGORIES,
        **fields,
    }


def write_json(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return path


def dataset(root: Path, *annotations: Any, **fields: Any) -> Path:
    """Write one image of 12 x 8 and its annotations in COCO's own layout."""
    write_json(root / "annotations/instances_train2017.json", document([*annotations], **fields))
    write_image(root / "train2017/a.jpg")
    return root


def rle(mask: np.ndarray) -> dict[str, Any]:
    """Return uncompressed run lengths, column by column, zeros first."""
    counts, inside = [0], False
    for pixel in mask.T.reshape(-1).tolist():
        if bool(pixel) != inside:
            counts.append(0)
            inside = not inside
        counts[-1] += 1
    return {"size": list(mask.shape), "counts": counts}


def painted_by_coco(path: Path) -> dict[str, np.ndarray]:
    """Return the mask of each image by its file name, as pycocotools paints it in file order."""
    from pycocotools.coco import COCO

    masks = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of its ways with NumPy 2
        coco = COCO(str(path))
        for one in coco.loadImgs(coco.getImgIds()):
            mask = np.zeros((one["height"], one["width"]), np.uint16)
            for annotation in coco.loadAnns(coco.getAnnIds(imgIds=one["id"])):
                mask[coco.annToMask(annotation) == 1] = annotation["category_id"]
            masks[one["file_name"]] = mask
    return masks


def pixels(sample: segfmt.Sample) -> np.ndarray:
    """Return the class ids of a sample's pixels."""
    if isinstance(sample.label, segfmt.Mask):
        return sample.label.ids
    return segfmt.rasterize(sample.label, sample.shape)


def notes(sample: segfmt.Sample) -> dict[str, int]:
    return {note.code: note.count for note in sample.notes}
