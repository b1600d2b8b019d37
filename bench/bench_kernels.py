"""Filling and PNG, against OpenCV and Pillow."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from opponents import fill_opencv, png_opencv, png_pillow
from scenes import BUILDINGS, CITY, FULL_HD, Scene
from segfmt import encode_png, rasterize


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
        200,
        target,
    )
    assert (ours == theirs).all()


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
    from conftest import add_row

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
