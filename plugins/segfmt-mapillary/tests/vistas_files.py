"""Writes small datasets in the layouts of Mapillary Vistas."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

# Of version 2.0: id by place, readable name, name, color, whether objects count, whether evaluated.
ROWS = [
    ("Bird", "animal--bird", (165, 42, 42), True, True),
    ("Ambiguous Barrier", "construction--barrier--ambiguous", (250, 170, 31), False, False),
    ("Road", "construction--flat--road", (128, 64, 128), False, True),
    ("Person", "human--person--individual", (220, 20, 60), True, True),
    ("Person Group", "human--person--person-group", (220, 20, 60), False, False),
    ("Ego Vehicle", "void--ego-vehicle", (120, 10, 10), False, True),
    ("Unlabeled", "void--unlabeled", (0, 0, 0), False, False),
]
BIRD, BARRIER, ROAD, PERSON, GROUP, EGO, UNLABELED = range(7)


def put_config(path: Path, rows: Sequence[tuple[Any, ...]] = ROWS) -> None:
    keys = ("readable", "name", "color", "instances", "evaluate")
    labels = [dict(zip(keys, row, strict=True)) for row in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"labels": labels, "version": "2.0", "mapping": "mvd20"}, indent=2))


def put(
    split: Path, version: str, key: str, ids: npt.ArrayLike, numbers: npt.ArrayLike | None = None
) -> Path:
    """Write an image, its label mask and, if there are numbers, its instance mask."""
    mask = np.asarray(ids, np.uint8)
    image = split / "images" / f"{key}.jpg"
    image.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", mask.shape[::-1], (90, 60, 30)).save(image)
    path = split / version / "labels" / f"{key}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    labels = Image.fromarray(mask).convert("P")
    labels.putpalette(sum((row[2] for row in ROWS), ()))
    labels.putdata(mask.reshape(-1).tolist())
    labels.save(path)
    if numbers is not None:
        put_instances(path, mask.astype(np.uint16) * 256 + np.asarray(numbers, np.uint16))
    return path


def put_instances(labels: Path, values: npt.NDArray[np.uint16]) -> Path:
    path = labels.parent.with_name("instances") / labels.name
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(values).save(path)
    return path
