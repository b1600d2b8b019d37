"""Writes small labelme files by hand, and paints them by labelme's rules restated on Pillow."""

from __future__ import annotations

import base64
import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st
from PIL import Image, ImageDraw

import segfmt
from segfmt_labelme import LabelmeReader

SQUARE = [[1, 1], [4, 1], [4, 3], [1, 3]]
IDS = {"__ignore__": 255, "_background_": 0, "road": 1, "자전거": 2, "traffic light": 3}
Array = npt.NDArray[Any]
Document = dict[str, Any]


def shape_of(label: str, points: Any = None, kind: str | None = "polygon", **more: Any) -> Document:
    return {
        "label": label,
        "points": SQUARE if points is None else points,
        "group_id": None,
        "shape_type": kind,
        "flags": {},
        **more,
    }


def png(mask: Array) -> str:
    file = io.BytesIO()
    Image.fromarray(mask).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def mask_of(label: str, mask: Array, corner: tuple[int, int] = (0, 0), **more: Any) -> Document:
    x, y = corner
    box = [[x, y], [x + mask.shape[1] - 1, y + mask.shape[0] - 1]]
    return shape_of(label, box, "mask", mask=png(mask), **more)


def document(*shapes: Document, size: tuple[int, int] = (8, 6), **more: Any) -> Document:
    return {
        "version": "5.5.0",
        "flags": {},
        "shapes": list(shapes),
        "imagePath": "a.png",
        "imageData": None,
        "imageHeight": size[1],
        "imageWidth": size[0],
        **more,
    }


def put(path: Path, content: Document | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    path.write_bytes(data)
    return path


def put_image(path: Path, size: tuple[int, int] = (8, 6), **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (9, 8, 7)).save(path, **options)
    return path


def put_labels(root: Path, *names: str) -> Path:
    return put(root / "labels.txt", "\n".join(names or IDS).encode())


def only(root: Path, **options: Any) -> segfmt.Sample:
    reader = LabelmeReader(root, **options)
    (ref,) = reader.scan()
    return reader.load(ref)


def read(tmp_path: Path, *shapes: Document, size: tuple[int, int] = (8, 6)) -> segfmt.Sample:
    """Write one label file with the classes of `IDS` and read it."""
    put(tmp_path / "a.json", document(*shapes, size=size))
    put_labels(tmp_path)
    return only(tmp_path)


def painted(sample: segfmt.Sample) -> Array:
    assert isinstance(sample.label, segfmt.Polygons)
    return segfmt.rasterize(sample.label, sample.shape)


def objects(sample: segfmt.Sample) -> Array:
    """Return int64 (H, W): class * 1000 + number, 0 where no object is."""
    label = sample.label
    assert isinstance(label, segfmt.Polygons)
    assert label.instance_ids is not None
    found = np.zeros(sample.shape, np.int64)
    for place, number in enumerate(label.instance_ids.tolist()):
        start, end = label.ring_offsets[place : place + 2]
        ring = label.points[start:end]
        one = segfmt.Polygons.from_rings([[ring]], [1], fill_rule=label.fill_rule)
        value = int(label.class_ids[place]) * 1000 + number if number else 0
        found[segfmt.rasterize(one, sample.shape) == 1] = value
    return found


def shapes_to_label(doc: Document) -> tuple[Array, Array]:
    """Return the class ids and object numbers that labelme's `shapes_to_label` gives, as int32."""
    size = (doc["imageHeight"], doc["imageWidth"])
    ids, numbers = np.zeros(size, np.int32), np.zeros(size, np.int32)
    known: list[tuple[str, Any]] = []
    for place, shape in enumerate(doc["shapes"]):
        group = shape["group_id"]
        key = (shape["label"], ("own", place) if group is None else group)
        if key not in known:
            known.append(key)
        mask = mask_of_shape(shape, size)
        ids[mask] = IDS[shape["label"]]
        numbers[mask] = known.index(key) + 1
    return ids, numbers


def mask_of_shape(shape: Document, size: tuple[int, int]) -> Array:
    """Return what labelme's `shape_to_mask` does, and its `shapes_to_label` for masks."""
    kind, points = shape["shape_type"], [tuple(point) for point in shape["points"]]
    if kind == "mask":
        mask = np.zeros(size, bool)
        (left, top), (right, bottom) = np.asarray(points).astype(int)
        with Image.open(io.BytesIO(base64.b64decode(shape["mask"]))) as image:
            mask[top : bottom + 1, left : right + 1] = np.asarray(image).astype(bool)
        return mask
    image = Image.new("L", (size[1], size[0]))
    draw = ImageDraw.Draw(image)
    if kind == "circle":
        (x, y), (edge_x, edge_y) = points
        r = math.sqrt((x - edge_x) ** 2 + (y - edge_y) ** 2)
        draw.ellipse(((x - r, y - r), (x + r, y + r)), outline=1, fill=1)
    elif kind == "rectangle":
        (x0, y0), (x1, y1) = points
        box = ((min(x0, x1), min(y0, y1)), (max(x0, x1), max(y0, y1)))
        draw.rectangle(box, outline=1, fill=1)
    elif kind in ("line", "linestrip"):
        draw.line(points, fill=1, width=10)
    elif kind == "point":
        x, y = points[0]
        draw.ellipse(((x - 5, y - 5), (x + 5, y + 5)), outline=1, fill=1)
    else:
        draw.polygon(points, outline=1, fill=1)
    return np.asarray(image) > 0


def same_parts(one: Array, other: Array) -> bool:
    """Whether two arrays tell the same pixels apart, under whatever numbers."""
    pairs = set(zip(one.ravel().tolist(), other.ravel().tolist(), strict=True))
    return len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


coordinates = (
    st.integers(-30, 60) | st.floats(-30, 60, width=32) | st.sampled_from([-0.9, 0.5, -0.0, 0.999])
)
_COUNTS = {
    "polygon": (3, 8),
    "rectangle": (2, 2),
    "oriented_rectangle": (4, 4),
    "circle": (2, 2),
    "line": (2, 2),
    "linestrip": (2, 5),
    "point": (1, 1),
}


@st.composite
def drawn_shapes(draw: st.DrawFn) -> Document:
    kind = draw(st.sampled_from(list(_COUNTS)))
    low, high = _COUNTS[kind]
    points = draw(st.lists(st.tuples(coordinates, coordinates), min_size=low, max_size=high))
    group = draw(st.sampled_from([None, None, 0, 1, 7]))
    return shape_of(draw(st.sampled_from(list(IDS))), points, kind, group_id=group)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    width, height = draw(st.integers(1, 50)), draw(st.integers(1, 40))
    shapes = draw(st.lists(drawn_shapes(), max_size=8))
    if draw(st.booleans()):
        left, top = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
        random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        mask = random.random((height - top, width - left)) < draw(st.sampled_from([0.1, 0.5, 0.9]))
        # As written by versions that gave boxes without their last row and column, too.
        box = [[left, top], [width - draw(st.booleans()), height - draw(st.booleans())]]
        shape = shape_of(draw(st.sampled_from(list(IDS))), box, "mask", mask=png(mask))
        shapes.insert(draw(st.integers(0, len(shapes))), shape)
    return document(*shapes, size=(width, height))
