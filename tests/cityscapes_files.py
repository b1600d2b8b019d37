"""Writes small Cityscapes files by hand, and draws them as cityscapesScripts does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from segfmt import Mask, Sample, rasterize
from segfmt.formats.cityscapes import CityscapesReader
from segfmt.raster import rasterize_instances

# name: (id, trainId, hasInstances, color), as labels.py of cityscapesScripts 2.3.0 has it.
LABELS = {
    "unlabeled": (0, 255, False, (0, 0, 0)),
    "ego vehicle": (1, 255, False, (0, 0, 0)),
    "rectification border": (2, 255, False, (0, 0, 0)),
    "out of roi": (3, 255, False, (0, 0, 0)),
    "static": (4, 255, False, (0, 0, 0)),
    "dynamic": (5, 255, False, (111, 74, 0)),
    "ground": (6, 255, False, (81, 0, 81)),
    "road": (7, 0, False, (128, 64, 128)),
    "sidewalk": (8, 1, False, (244, 35, 232)),
    "parking": (9, 255, False, (250, 170, 160)),
    "rail track": (10, 255, False, (230, 150, 140)),
    "building": (11, 2, False, (70, 70, 70)),
    "wall": (12, 3, False, (102, 102, 156)),
    "fence": (13, 4, False, (190, 153, 153)),
    "guard rail": (14, 255, False, (180, 165, 180)),
    "bridge": (15, 255, False, (150, 100, 100)),
    "tunnel": (16, 255, False, (150, 120, 90)),
    "pole": (17, 5, False, (153, 153, 153)),
    "polegroup": (18, 255, False, (153, 153, 153)),
    "traffic light": (19, 6, False, (250, 170, 30)),
    "traffic sign": (20, 7, False, (220, 220, 0)),
    "vegetation": (21, 8, False, (107, 142, 35)),
    "terrain": (22, 9, False, (152, 251, 152)),
    "sky": (23, 10, False, (70, 130, 180)),
    "person": (24, 11, True, (220, 20, 60)),
    "rider": (25, 12, True, (255, 0, 0)),
    "car": (26, 13, True, (0, 0, 142)),
    "truck": (27, 14, True, (0, 0, 70)),
    "bus": (28, 15, True, (0, 60, 100)),
    "caravan": (29, 255, True, (0, 0, 90)),
    "trailer": (30, 255, True, (0, 0, 110)),
    "train": (31, 16, True, (0, 80, 100)),
    "motorcycle": (32, 17, True, (0, 0, 230)),
    "bicycle": (33, 18, True, (119, 11, 32)),
    "license plate": (-1, -1, False, (0, 0, 142)),
}
TRAIN_OF = np.full(256, 255, np.uint8)
TRAIN_OF[:34] = [train for id, train, _, _ in LABELS.values() if id >= 0]
KINDS = ("labelIds", "labelTrainIds", "instanceIds", "color")
CORE = "aachen_000000_000019"
SQUARE = [[1, 1], [4, 1], [4, 3], [1, 3]]
Array = npt.NDArray[Any]
Document = dict[str, Any]


def shape_of(label: str, polygon: Any = None, **more: Any) -> Document:
    return {"label": label, "polygon": SQUARE if polygon is None else polygon, **more}


def document(*objects: Document, size: tuple[int, int] = (8, 6)) -> Document:
    return {"imgHeight": size[1], "imgWidth": size[0], "objects": list(objects)}


def json2labelimg(doc: Document, encoding: str) -> Array:
    """What cityscapesScripts' json2labelImg.py draws."""
    at = {"ids": 0, "trainIds": 1, "color": 3}[encoding]
    size = (doc["imgWidth"], doc["imgHeight"])
    image = Image.new("RGBA" if encoding == "color" else "L", size, LABELS["unlabeled"][at])
    drawer = ImageDraw.Draw(image)
    for item in doc["objects"]:
        label = item["label"]
        if item.get("deleted"):
            continue
        if label not in LABELS and label.endswith("group"):
            label = label[: -len("group")]
        if LABELS[label][0] < 0:
            continue
        drawer.polygon([(x, y) for x, y in item["polygon"]], fill=LABELS[label][at])
    return np.asarray(image)[..., :3] if encoding == "color" else np.asarray(image)


def json2instanceimg(doc: Document, encoding: str) -> Array:
    """What cityscapesScripts' json2instanceImg.py draws."""
    at = {"ids": 0, "trainIds": 1}[encoding]
    image = Image.new("I", (doc["imgWidth"], doc["imgHeight"]), LABELS["unlabeled"][at])
    drawer = ImageDraw.Draw(image)
    counts = {name: 0 for name, (_, _, has_instances, _) in LABELS.items() if has_instances}
    for item in doc["objects"]:
        label, group = item["label"], False
        if item.get("deleted"):
            continue
        if label not in LABELS and label.endswith("group"):
            label, group = label[: -len("group")], True
        id = LABELS[label][at]
        if LABELS[label][2] and not group and id != 255:
            id = id * 1000 + counts[label]
            counts[label] += 1
        if id < 0:
            continue
        drawer.polygon([(x, y) for x, y in item["polygon"]], fill=id)
    return np.asarray(image)


def drawn(doc: Document) -> dict[str, Array]:
    return {
        "labelIds": json2labelimg(doc, "ids"),
        "labelTrainIds": json2labelimg(doc, "trainIds"),
        "instanceIds": json2instanceimg(doc, "ids"),
        "color": json2labelimg(doc, "color"),
    }


def label_path(root: Path, kind: str, core: str = CORE, gt: str = "gtFine") -> Path:
    suffix = "json" if kind == "polygons" else "png"
    folder = root / gt / "train" / core.partition("_")[0]
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{core}_{gt}_{kind}.{suffix}"


def put(root: Path, kind: str, content: Any, core: str = CORE, gt: str = "gtFine") -> Path:
    """Write a label file: a document, an array, or bytes as they are."""
    path = label_path(root, kind, core, gt)
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif kind == "polygons":
        path.write_text(json.dumps(content))
    else:
        Image.fromarray(np.asarray(content)).save(path)
    return path


def put_image(root: Path, core: str = CORE, size: tuple[int, int] = (8, 6)) -> Path:
    path = root / "leftImg8bit" / "train" / core.partition("_")[0] / f"{core}_leftImg8bit.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (9, 8, 7)).save(path)
    return path


def only(root: Path, **options: Any) -> Sample:
    reader = CityscapesReader(root, **options)
    (ref,) = reader.scan()
    return reader.load(ref)


def pixels(path: Path) -> Array:
    with Image.open(path) as image:
        return np.asarray(image)


def painted(sample: Sample) -> tuple[Array, Array]:
    """Return class ids and object numbers."""
    label = sample.label
    if isinstance(label, Mask):
        assert label.instances is not None
        return label.ids, label.instances
    return rasterize(label, sample.shape), rasterize_instances(label, sample.shape)


def instance_image(sample: Sample) -> Array:
    """Return what cityscapesScripts would have in its instance image for the sample."""
    ids, numbers = (array.astype(np.int64) for array in painted(sample))
    return np.where(numbers > 0, ids * 1000 + numbers - 1, ids)


coordinates = (
    st.integers(-30, 60) | st.floats(-30, 60, width=32) | st.sampled_from([-0.9, 0.5, -0.0])
)
objects = st.builds(
    lambda label, polygon, deleted: (
        shape_of("no such thing" if deleted == 1 else label, polygon, deleted=deleted)
        if deleted is not None
        else shape_of(label, polygon)
    ),
    st.sampled_from([*LABELS, "cargroup", "persongroup", "skygroup", "license plategroup"])
    | st.sampled_from(["car", "person", "caravan"]),
    st.lists(st.tuples(coordinates, coordinates), min_size=2, max_size=8),
    st.sampled_from([None, None, None, 0, 1]),
)
documents = st.builds(
    lambda items, width, height: document(*items, size=(width, height)),
    st.lists(objects, max_size=10),
    st.integers(1, 50),
    st.integers(1, 40),
)
