"""Random polygons by class, for fuzzing the fill kernels: every generator is fed a numpy Generator.

A polygon is a list of rings, a ring float64 (N, 2) as (x, y).
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Ring = npt.NDArray[np.float64]
Offsets = npt.NDArray[np.int64]

INT32_MAX = 2**31 - 1
SMALL_SIZES = ((1, 1), (1, 40), (40, 1), (5, 7), (16, 16), (33, 20), (100, 3), (64, 48))
LARGE_SIZES = ((257, 199), (320, 240), (640, 480))
FULL_HD = (1920, 1080)


def _around(
    random: np.random.Generator, width: int, height: int, count: int, roughness: float
) -> Ring:
    """Star-shaped about a point of the image; convex, on an ellipse, if roughness is 0."""
    angles = np.sort(random.uniform(0, 2 * np.pi, count))
    radii = random.uniform(0.5, 0.6 * max(width, height) + 1) * random.uniform(
        1 - roughness, 1, count
    )
    flatness = random.uniform(0.2, 1)
    return random.uniform((0, 0), (width, height)) + np.stack(
        [radii * np.cos(angles), radii * flatness * np.sin(angles)], axis=1
    )


def _anywhere(
    random: np.random.Generator, width: int, height: int, count: int, margin: float = 0.1
) -> Ring:
    """Points of the image and of a margin round it, the latter as a share of the size."""
    size = np.array([width, height])
    return random.uniform(-margin * size, (1 + margin) * size, (count, 2))


def convex(random: np.random.Generator, width: int, height: int) -> list[Ring]:
    return [_around(random, width, height, random.integers(3, 20), 0)]


def star(random: np.random.Generator, width: int, height: int) -> list[Ring]:
    return [_around(random, width, height, random.integers(3, 60), 0.9)]


def self_crossing(random: np.random.Generator, width: int, height: int) -> list[Ring]:
    return [_anywhere(random, width, height, random.integers(4, 40))]


def axis_aligned(random: np.random.Generator, width: int, height: int) -> list[Ring]:
    corners = _anywhere(random, width, height, random.integers(2, 12))
    turns = np.stack([np.roll(corners[:, 0], -1), corners[:, 1]], axis=1)
    return [np.stack([corners, turns], axis=1).reshape(-1, 2)]


def sliver(random: np.random.Generator, width: int, height: int) -> list[Ring]:
    start, end = _anywhere(random, width, height, 2)
    return [
        np.stack([start, end, end + random.uniform(-2, 2, 2), start + random.uniform(-2, 2, 2)])
    ]


def collinear(random: np.random.Generator, width: int, height: int) -> list[Ring]:
    start, end = _anywhere(random, width, height, 2)
    end[random.integers(2)] = random.choice([start[0], start[1], end[0], end[1]])
    return [start + (end - start) * random.random((random.integers(2, 9), 1))]


def horizontal_runs(random: np.random.Generator, width: int, height: int) -> list[Ring]:
    """Several vertices in turn on the same row."""
    points = _anywhere(random, width, height, random.integers(3, 16))
    points[:, 1] = np.repeat(points[:, 1], random.integers(1, 4, len(points)))[: len(points)]
    return [points]


def zigzag(random: np.random.Generator, width: int, height: int) -> list[Ring]:
    """Many edges active on every row."""
    points = _anywhere(random, width, height, random.integers(6, 40))
    points[:, 0].sort()
    points[::2, 1], points[1::2, 1] = random.uniform(0, height, 2)
    points[:, 1] += random.uniform(-2, 2, len(points))
    return [points]


def duplicates(random: np.random.Generator, width: int, height: int) -> list[Ring]:
    """Repeated vertices, and rings closed by repeating the first."""
    points = _anywhere(random, width, height, random.integers(1, 12))
    repeated = np.repeat(points, random.integers(1, 4, len(points)), axis=0)
    return [np.concatenate([repeated, repeated[:1]]) if random.random() < 0.5 else repeated]


def few_points(random: np.random.Generator, width: int, height: int) -> list[Ring]:
    return [_anywhere(random, width, height, random.integers(1, 3))]


def few_pixels(random: np.random.Generator, width: int, height: int) -> list[Ring]:
    center = random.uniform((0, 0), (width, height))
    return [center + random.uniform(-1.5, 1.5, (random.integers(2, 8), 2))]


def several_rings(random: np.random.Generator, width: int, height: int) -> list[Ring]:
    """Holes, islands, overlaps and empty rings."""
    return [
        _around(random, width, height, random.integers(0, 12), random.random())
        for _ in range(random.integers(2, 7))
    ]


def partly_off(random: np.random.Generator, width: int, height: int) -> list[Ring]:
    return [_anywhere(random, width, height, random.integers(3, 30), 1.5)]


def fully_off(random: np.random.Generator, width: int, height: int) -> list[Ring]:
    away = random.permutation([random.choice([-1.3, 1.3]), random.uniform(-2, 2)])
    return [_anywhere(random, width, height, random.integers(3, 10)) + away * (width, height)]


def huge_x(random: np.random.Generator, width: int, height: int) -> list[Ring]:
    """x up to the int32 range, y near the image."""
    points = _anywhere(random, width, height, random.integers(3, 9), 2)
    reach = min(10 ** random.uniform(3, 9.4), INT32_MAX - 1)
    far = random.random(len(points)) < random.uniform(0.3, 1)
    points[far, 0] = random.uniform(-reach, reach, int(far.sum()))
    return [points]


def huge(random: np.random.Generator, width: int, height: int) -> list[Ring]:
    """Both coordinates up to 10^6 and some vertices in the image."""
    points = _anywhere(random, width, height, random.integers(3, 9))
    reach = 10 ** random.uniform(3, 6)
    far = random.random(len(points)) < random.uniform(0.3, 1)
    points[far] = random.uniform(-reach, reach, (int(far.sum()), 2))
    return [points]


def bottomless(random: np.random.Generator, width: int, height: int) -> list[Ring]:
    """From near the image down to the end of the int32 range, in which differences of y wrap."""
    points = _anywhere(random, width, height, random.integers(3, 9), 0.5)
    far = random.random(len(points)) < 0.5
    points[far, 1] = INT32_MAX - 1 - random.integers(0, 3 * height, int(far.sum()))
    points[:, 0] *= random.choice([1, -1, 1e3, 1e5])
    return [points]


CLASSES: dict[str, Callable[[np.random.Generator, int, int], list[Ring]]] = {
    generator.__name__: generator
    for generator in (
        convex,
        star,
        self_crossing,
        axis_aligned,
        sliver,
        collinear,
        horizontal_runs,
        zigzag,
        duplicates,
        few_points,
        few_pixels,
        several_rings,
        partly_off,
        fully_off,
        huge_x,
        huge,
        bottomless,
    )
}


def random_size(random: np.random.Generator) -> tuple[int, int]:
    """Return a (width, height): mostly small, for these are quick and full of special cases."""
    kind = random.random()
    if kind < 0.001:
        return FULL_HD
    sizes = LARGE_SIZES if kind < 0.03 else SMALL_SIZES
    width, height = sizes[random.integers(len(sizes))]
    return width, height


def random_polygon(random: np.random.Generator, name: str, width: int, height: int) -> list[Ring]:
    """Return a polygon of class `name` of whole, half (ties of rounding) or any coordinates."""
    rings = CLASSES[name](random, width, height)
    kind = random.integers(3)
    if random.random() < 0.5:
        rings = [ring[::-1] for ring in rings]
    if kind == 0:
        rings = [np.rint(ring) for ring in rings]
    elif kind == 1:
        rings = [np.rint(ring * 2) / 2 for ring in rings]
    return [np.ascontiguousarray(ring) for ring in rings]


def flatten(polygons: list[list[Ring]]) -> tuple[Ring, Offsets, Offsets]:
    """Return points, ring offsets and polygon offsets, read-only, as the kernels take them."""
    rings = [ring for polygon in polygons for ring in polygon]
    arrays = (
        np.concatenate([np.empty((0, 2)), *rings]),
        np.cumsum([0, *map(len, rings)], dtype=np.int64),
        np.cumsum([0, *map(len, polygons)], dtype=np.int64),
    )
    for array in arrays:
        array.flags.writeable = False
    return arrays
