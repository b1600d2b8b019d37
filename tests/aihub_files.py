"""Builds small AIHub datasets by hand, as the tests want them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SQUARE = [[2.0, 2.0], [9.0, 2.0], [9.0, 7.0], [2.0, 7.0]]


def annotation(label: str = "road", points: Any = None, key: str = "Coordinate") -> dict[str, Any]:
    return {
        "Label": label,
        "Type": "polygon",
        "bbox": [0.0, 0.0, 1.0, 1.0],
        "area": 35.0,
        key: SQUARE if points is None else points,
        "Data_type": "worker",
    }


def label(
    *annotations: dict[str, Any], size: tuple[int, int] = (16, 12), name: str = "", folder: str = ""
) -> dict[str, Any]:
    """Return a label document; `size` is (width, height)."""
    return {
        "Source_Image_Info": {
            "Img_name": name,
            "Img_path": folder,
            "Resolution": list(size),
            "Copyrighter": "(주)시험",
            "Time_zone": "주간",
            "Weather": "흐림",
        },
        "Annotation": list(annotations),
    }


def write_label(path: Path, document: Any = None, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    document = label(annotation()) if document is None else document
    text = document if isinstance(document, str) else json.dumps(document, ensure_ascii=False)
    path.write_bytes(text.encode(encoding))
    return path


def write_image(path: Path, size: tuple[int, int] = (16, 12)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    ramp = np.arange(size[0] * size[1] * 3, dtype=np.uint32).reshape(size[1], size[0], 3) % 251
    Image.fromarray(ramp.astype(np.uint8)).save(path)
    return path


def dataset(root: Path, stems: list[str], documents: dict[str, Any] | None = None) -> Path:
    """Write `data/<stem>.jpg` and `label/<stem>.json` for each stem."""
    for stem in stems:
        write_image(root / "data" / f"{stem}.jpg")
        write_label(root / "label" / f"{stem}.json", (documents or {}).get(stem))
    return root
