"""Filling and PNG, against OpenCV and Pillow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from opponents import (
    fill_opencv,
    fill_pillow,
    fill_rasterio,
    index_numpy,
    index_opencv,
    png_opencv,
    png_pillow,
    trace_opencv,
)
from scenes import BUILDINGS, CITY, FULL_HD, Scene
from segfmt import ClassInfo, ClassTable, encode_png, index_colors, rasterize, trace


@pytest.mark.parametrize(
    ("scene", "target"), [(FULL_HD, ">= 1.5"), (CITY, ">= 1.5"), (BUILDINGS, ">= 4")], ids=str
)
def test_fill(paired: Callable[..., float], scene: Scene, target: str) -> None:
    rings, class_ids = scene.rings()
    vertices = [np.rint(ring).astype(np.int32) for ring in rings]
    ids = class_ids.tolist()
    batch = scene.batch()
    shape = (scene.height, scene.width)
    ours, theirs = np.empty(shape, np.uint8), np.empty(shape, np.uint8)
    paired(
        "Fill, rule opencv, one worker",
        scene.name,
        "cv2.fillPoly loop",
        lambda: rasterize(batch, shape, out=ours),
        lambda: fill_opencv(vertices, ids, theirs),
        60,
        target,
        calls=10,
    )
    assert (ours == theirs).all()


@pytest.mark.parametrize(
    ("scene", "target"), [(FULL_HD, ""), (CITY, ">= 3"), (BUILDINGS, "")], ids=str
)
def test_fill_pillow(paired: Callable[..., float], scene: Scene, target: str) -> None:
    rings, class_ids = scene.rings()
    tuples = [[tuple(point) for point in ring.tolist()] for ring in rings]
    image = Image.new("L", (scene.width, scene.height))
    batch = replace(scene.batch(), fill_rule="pillow")
    shape = (scene.height, scene.width)
    ours = np.empty(shape, np.uint8)
    paired(
        "Fill, rule pillow, one worker",
        scene.name,
        "ImageDraw.polygon loop",
        lambda: rasterize(batch, shape, out=ours),
        lambda: fill_pillow(tuples, class_ids.tolist(), image),
        30,
        target,
        calls=5,
    )
    assert (ours == np.asarray(image)).all()


@pytest.mark.parametrize("scene", [FULL_HD, CITY, BUILDINGS], ids=str)
def test_fill_center(paired: Callable[..., float], scene: Scene) -> None:
    rings, class_ids = scene.rings()
    shapes = [
        ({"type": "Polygon", "coordinates": [[*ring.tolist(), ring[0].tolist()]]}, id)
        for ring, id in zip(rings, class_ids.tolist(), strict=True)
    ]
    batch = replace(scene.batch(), fill_rule="center")
    shape = (scene.height, scene.width)
    ours, theirs = np.empty(shape, np.uint8), np.empty(shape, np.uint8)
    paired(
        "Fill, rule center, one worker",
        scene.name,
        "rasterio.rasterize",
        lambda: rasterize(batch, shape, out=ours),
        lambda: fill_rasterio(shapes, theirs),
        30,
        ">= 6",
        calls=4,
    )
    assert (ours == theirs).all()


def label_colors(kind: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return ids, palette and colors of a full HD mask of 20 colors: a label mask, or noise."""
    random = np.random.default_rng(0)
    colors = random.integers(0, 256, (20, 3), np.uint8)
    ids = rasterize(FULL_HD.batch(), (1080, 1920)) % 20
    if kind == "noise":
        ids = random.integers(0, 20, (1080, 1920), np.uint8)
    return ids, colors, colors[ids]


@pytest.mark.parametrize(
    ("kind", "opponent", "theirs", "rounds", "target"),
    [
        ("label mask", "cv2.inRange loop", index_opencv, 20, ">= 40"),
        ("label mask", "np.where loop", index_numpy, 3, ">= 500"),
        ("noise", "cv2.inRange loop", index_opencv, 12, ""),
    ],
)
def test_index(
    paired: Callable[..., float],
    kind: str,
    opponent: str,
    theirs: Callable[[np.ndarray, np.ndarray], np.ndarray],
    rounds: int,
    target: str,
) -> None:
    ids, colors, rgb = label_colors(kind)
    table = ClassTable(ClassInfo(id, f"c{id}", tuple(c)) for id, c in enumerate(colors.tolist()))
    assert (index_colors(rgb, table) == ids).all()
    assert (theirs(rgb, colors) == ids).all()
    paired(
        "Colors to ids, 1920x1080, 20 colors",
        kind,
        opponent,
        lambda: index_colors(rgb, table),
        lambda: theirs(rgb, colors),
        rounds,
        target,
    )


def test_index_against_a_copy(paired: Callable[..., float]) -> None:
    _, colors, rgb = label_colors("noise")
    table = ClassTable(ClassInfo(id, f"c{id}", tuple(c)) for id, c in enumerate(colors.tolist()))
    paired(
        "Colors to ids, 1920x1080, 20 colors",
        "noise: worst case (copy / ours)",
        "copy of the 6 MB",
        lambda: index_colors(rgb, table),
        rgb.copy,
        40,
        f">= {1 / 12:.3f}",
        calls=4,
    )


@pytest.mark.parametrize("holes", ["rings", "painter", "keyhole"])
def test_trace(paired: Callable[..., float], holes: Any) -> None:
    ids = rasterize(FULL_HD.batch(), (1080, 1920)) % 20
    polygons = trace(ids, fill_rule="opencv", holes=holes)
    assert (rasterize(polygons, ids.shape) == ids).all()
    paired(
        "Trace, 1920x1080, 19 classes",
        f"holes={holes}",
        "findContours per class",
        lambda: trace(ids, fill_rule="opencv", holes=holes),
        lambda: trace_opencv(ids),
        30,
        ">= 10",
        calls=4,
    )


@pytest.mark.parametrize("scene", [FULL_HD, CITY, BUILDINGS], ids=str)
def test_png(paired: Callable[..., float], scene: Scene) -> None:
    ids = rasterize(scene.batch(), (scene.height, scene.width))
    paired(
        "PNG of an index mask: time",
        scene.name,
        "cv2.imencode",
        lambda: encode_png(ids),
        lambda: png_opencv(ids),
        60,
        ">= 4",
    )


@pytest.mark.parametrize("scene", [FULL_HD, CITY, BUILDINGS], ids=str)
def test_png_size(scene: Scene) -> None:
    from figures import add_row

    ids = rasterize(scene.batch(), (scene.height, scene.width))
    ours, theirs = len(encode_png(ids)), len(png_pillow(ids))
    add_row(
        "PNG of an index mask: bytes (ours / theirs)",
        scene.name,
        "Pillow default",
        ours / theirs,
        "<= 1.6",
        f"{ours / 1e3:.1f} kB",
        f"{theirs / 1e3:.1f} kB",
    )
