"""Writes what the full release has for an image."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image


def put(
    stem: Path,
    ids: npt.ArrayLike,
    names: Mapping[int, str],
    numbers: npt.ArrayLike = 0,
    parts: Mapping[int, str] | None = None,
) -> Path:
    """Write an image, its `_seg.png` and its JSON; return the path of the `_seg.png`."""
    classes = np.asarray(ids)
    stem.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", classes.shape[::-1], (90, 60, 30)).save(f"{stem}.jpg")
    channels = (classes // 256 * 10, classes % 256, np.broadcast_to(numbers, classes.shape))
    path = Path(f"{stem}_seg.png")
    Image.fromarray(np.stack(channels, axis=-1).astype(np.uint8)).save(path)
    levels = [(names, 0), (parts or {}, 1)]
    things = [thing(id, name, level) for named, level in levels for id, name in named.items()]
    put_json(stem, things)
    return path


def put_json(stem: Path, things: Any, encoding: str = "utf-8") -> None:
    document = {"annotation": {"filename": f"{stem.name}.jpg", "object": things}}
    text = json.dumps(document, ensure_ascii=False)
    Path(f"{stem}.json").write_bytes(text.encode(encoding))


def thing(id: int, name: str, level: int = 0) -> dict[str, Any]:
    """Return an object with the fields, and their oddities, of the release's own files."""
    return {
        "id": 7,
        "name": name,
        "name_ndx": id,
        "hypernym": [name, "entity"],
        "raw_name": name.partition(",")[0],
        "attributes": [],
        "depth_ordering_rank": 1,
        "occluded": [],
        "crop": "0",
        "parts": {"hasparts": [], "ispartof": 9 if level else [], "part_level": level},
        "instance_mask": "ADE_train_00000001/instance_007_ADE_train_00000001.png",
        "polygon": {"x": [346, 373, 377], "y": [781, 781, 691], "click_date": []},
        "saved_date": "18-Dec-2005 06:56:48",
    }
