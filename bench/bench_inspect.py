"""Counting pairs of ids, which `compare` does, and ids, which `inspect` does, against NumPy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from scenes import CITY, FULL_HD, Scene
from segfmt import rasterize
from segfmt.kernels.count import count_ids, count_pairs


def mask(scene: Scene) -> np.ndarray:
    return rasterize(scene.batch(), (scene.height, scene.width)).reshape(-1)


@pytest.mark.parametrize("scene", [FULL_HD, CITY], ids=str)
def test_confusion(paired: Callable[..., float], scene: Scene) -> None:
    truth = mask(scene)
    guess = np.roll(truth, scene.width * 3 + 2)
    classes = int(truth.max()) + 1
    ours = np.zeros((classes, classes), np.int64)

    def fast_hist() -> np.ndarray:
        """Return what evaluation scripts have used since FCN."""
        pairs = classes * truth.astype(np.int64) + guess
        return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)

    paired(
        "Confusion of two masks, one worker",
        scene.name,
        "np.bincount of pairs",
        lambda: count_pairs(truth, guess, ours),
        fast_hist,
        40,
        "",
        calls=5,
    )
    ours[:] = 0
    count_pairs(truth, guess, ours)
    assert (ours == fast_hist()).all()


def test_counts(paired: Callable[..., float]) -> None:
    ids = mask(FULL_HD)
    ours = np.zeros(256, np.int64)
    paired(
        "Pixels of each class, one worker",
        FULL_HD.name,
        "np.bincount",
        lambda: count_ids(ids, ours),
        lambda: np.bincount(ids, minlength=256),
        40,
        "",
        calls=5,
    )
    ours[:] = 0
    count_ids(ids, ours)
    assert (ours == np.bincount(ids, minlength=256)).all()
