"""Colors that can be told apart, by people who see red and green alike, too."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np

from segfmt.classes import ClassTable

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from segfmt.classes import Color

    Floats = npt.NDArray[np.float64]

NEAR = 0.05  # in OKLab, where black and white are 1 apart and 0.02 is just seen side by side
BACKGROUND, IGNORE = (0, 0, 0), (255, 255, 255)
STEPS = 16  # values of red, of green and of blue that are tried
DARKEST = 0.35  # in OKLab: what is darker looks black on a photo

# OKLab: Björn Ottosson, "A perceptual color space for image processing" (2020).
_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_OPPONENTS = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
# What is seen of linear RGB. The latter two: Machado, Oliveira and Fernandes, "A physiologically
# based model for simulation of color vision deficiency" (2009), at full severity.
_VISIONS = np.array(
    [
        np.eye(3),
        [  # deuteranopia
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ],
        [  # protanopia
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ],
    ]
)
# What a distance counts in each: people who see all colors get more of them, and in all three the
# first 32 stay beyond NEAR.
_WEIGHTS = np.array([1.0, 2.0, 2.0])


def recolored(classes: ClassTable) -> ClassTable:
    """Return the table in colors of which each is as far as can be from all those before it.

    Background is black and ignore white. Equal tables get equal colors.
    """
    fixed = {"background": BACKGROUND, "ignore": IGNORE}
    count = sum(info.role == "class" for info in classes)
    colors = cycle(_palette(count))
    return ClassTable(replace(info, color=fixed.get(info.role) or next(colors)) for info in classes)


def near_colors(colors: Iterable[Color]) -> list[tuple[int, int]]:
    """Return the places of colors that are hard to tell apart, by some people at least."""
    seen = _seen(np.array(list(colors), np.uint8).reshape(-1, 3))
    near = []
    for place in range(1, seen.shape[1]):
        apart = _distances(seen[:, :place], seen[:, place]).min(axis=0)
        near += [(other, place) for other in np.flatnonzero(apart < NEAR).tolist()]
    return sorted(near)


@lru_cache(maxsize=8)
def _palette(count: int) -> tuple[Color, ...]:
    """Return so many colors, each as far as can be from those before it, and black and white."""
    steps = np.linspace(0, 255, STEPS).round().astype(np.uint8)
    tried = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1).reshape(-1, 3)
    seen = _seen(tried)
    extremes = seen[:, [0, -1]]
    bright = seen[0, :, 0] > DARKEST
    tried, seen = tried[bright], seen[:, bright]
    apart = np.minimum(_apart(seen, extremes[:, 0]), _apart(seen, extremes[:, 1]))
    chosen: list[int] = []
    while len(chosen) < min(max(count, 1), len(tried)):
        # Rounded, so that processors which add up otherwise choose the same.
        chosen.append(int(apart.round(9).argmax()))
        apart = np.minimum(apart, _apart(seen, seen[:, chosen[-1]]))
    return tuple((int(r), int(g), int(b)) for r, g, b in tried[chosen])


def _seen(rgb: npt.NDArray[np.uint8]) -> Floats:
    """Return what is seen of sRGB colors, uint8 (N, 3): float64 (visions, N, 3) in OKLab."""
    part = rgb / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    shown: Floats = np.clip(linear @ _VISIONS.transpose(0, 2, 1), 0, 1)
    cones = np.cbrt(shown @ _CONES.T)
    return np.asarray(cones @ _OPPONENTS.T, np.float64)


def _apart(some: Floats, one: Floats) -> Floats:
    """Return how far each of some colors is from one, in the vision where that counts least."""
    return np.asarray((_distances(some, one) * _WEIGHTS[:, None]).min(axis=0), np.float64)


def _distances(some: Floats, one: Floats) -> Floats:
    """Return float64 (visions, N): the distance of each of some colors to one."""
    return np.asarray(np.linalg.norm(some - one[:, None], axis=-1), np.float64)
