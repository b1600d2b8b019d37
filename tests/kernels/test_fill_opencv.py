"""The `opencv` fill against cv2.fillPoly and against a naive twin, bit for bit."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import naive_opencv
from kernels.polygon_classes import CLASSES, Ring, flatten, random_polygon, random_size
from segfmt.kernels.fill_opencv import FLOOR, NEAREST, TRUNCATE, fill_opencv

Mask = npt.NDArray[np.uint8]
Polygon = list[Ring]

ROUNDINGS = {TRUNCATE: np.trunc, NEAREST: np.around, FLOOR: np.floor}
LIMIT = 2.0**31


def blank(width: int, height: int) -> Mask:
    return np.zeros((height, width), np.uint8)


def fill(
    width: int,
    height: int,
    polygons: list[Polygon],
    ids: Sequence[int] = (1,),
    rounding: int = TRUNCATE,
) -> Mask:
    out = blank(width, height)
    assert (
        fill_opencv(out, *flatten(polygons), np.array(ids, np.uint8), rounding, out.shape[1]) == -1
    )
    return out


def fill_by_cv2(
    width: int,
    height: int,
    polygons: list[Polygon],
    ids: Sequence[int] = (1,),
    rounding: int = TRUNCATE,
) -> Mask:
    out = blank(width, height)
    for polygon, id in zip(polygons, ids, strict=True):
        # cv2 refuses no contours at all, and a contour of no points.
        contours = [ROUNDINGS[rounding](ring).astype(np.int32) for ring in polygon if len(ring)]
        if contours:
            cv2.fillPoly(out, contours, id)
    return out


def compare_with_cv2(
    random: np.random.Generator, names: Sequence[str], count: int, seconds: float = np.inf
) -> int:
    """Fuzz so many polygons of each class, or for so long; return how many it were."""
    end = time.monotonic() + seconds
    for done in range(count):
        for name in names:
            width, height = random_size(random)
            polygon = random_polygon(random, name, width, height)
            rounding = int(random.integers(3))
            ours = fill(width, height, [polygon], rounding=rounding)
            theirs = fill_by_cv2(width, height, [polygon], rounding=rounding)
            assert np.array_equal(ours, theirs), (name, width, height, rounding, polygon)
        if time.monotonic() > end:
            return (done + 1) * len(names)
    return count * len(names)


@pytest.mark.parametrize("name", CLASSES)
def test_fuzz_against_cv2(name: str) -> None:
    random = np.random.default_rng([1, list(CLASSES).index(name)])
    assert compare_with_cv2(random, [name], 1200) * len(CLASSES) >= 20_000


@pytest.mark.slow
def test_fuzz_for_a_minute() -> None:
    seed = np.random.SeedSequence().entropy
    print("seed", seed)
    assert compare_with_cv2(np.random.default_rng(seed), list(CLASSES), 10**9, seconds=60) > 10_000


def test_batches_against_cv2() -> None:
    """Polygons of one call share work space: none may leave anything behind for the next."""
    random = np.random.default_rng(2)
    for _ in range(150):
        width, height = random_size(random)
        names = random.choice(list(CLASSES), random.integers(2, 40))
        polygons = [random_polygon(random, name, width, height) for name in names]
        ids = random.integers(0, 256, len(polygons)).tolist()
        rounding = int(random.integers(3))
        assert np.array_equal(
            fill(width, height, polygons, ids, rounding),
            fill_by_cv2(width, height, polygons, ids, rounding),
        )


coordinates = st.one_of(st.integers(-8, 40), st.integers(-1000, 1000), st.integers(-(10**6), 10**6))
rings = st.lists(st.tuples(st.integers(-(2**31) + 1, 2**31 - 1) | coordinates, coordinates))


@settings(max_examples=400, deadline=None, derandomize=True)
@given(
    width=st.integers(1, 32),
    height=st.integers(1, 32),
    polygons=st.lists(st.lists(rings, max_size=3), max_size=3),
)
def test_any_polygons_against_cv2(
    width: int, height: int, polygons: list[list[list[tuple[int, int]]]]
) -> None:
    arrays = [[np.array(ring, float).reshape(-1, 2) for ring in polygon] for polygon in polygons]
    ids = range(1, len(arrays) + 1)
    assert np.array_equal(fill(width, height, arrays, ids), fill_by_cv2(width, height, arrays, ids))


def points_of(polygon: Polygon) -> list[list[naive_opencv.Point]]:
    return [[(int(x), int(y)) for x, y in ring] for ring in polygon]


def test_fuzz_against_the_naive_twin() -> None:
    random = np.random.default_rng(3)
    for count in range(4000):
        width, height = random.integers(1, 48, 2).tolist()
        name = list(CLASSES)[count % len(CLASSES)]
        polygon = random_polygon(random, name, width, height)
        expected = naive_opencv.fill(width, height, [points_of(polygon)], [1])
        assert fill(width, height, [polygon]).tolist() == expected, (name, width, height, polygon)


def test_all_of_int32_against_the_naive_twin() -> None:
    """Where |y| is beyond 10^6, which cv2 walks row by row, and where int64 wraps."""
    random = np.random.default_rng(4)
    for _ in range(3000):
        width, height = random.integers(1, 40, 2).tolist()
        reach = 2 ** random.uniform(3, 31, 2)
        ring = np.trunc(random.uniform(-reach, reach, (random.integers(3, 9), 2)))
        near = random.random(len(ring)) < 0.4
        ring[near] = random.integers(0, 40, (int(near.sum()), 2))
        expected = naive_opencv.fill(width, height, [points_of([ring])], [1])
        assert fill(width, height, [[ring]]).tolist() == expected, (width, height, ring)


@pytest.mark.parametrize("side", [-1, 1])
def test_tall_edges_wrap_as_in_cv2(side: int) -> None:
    """OpenCV's int difference of rows wraps, and so the ends of this inside seem off the image."""
    ring = 99.5 + side * np.array([(-199.5, 0), (2**31 - 400.5, 0), (-199.5, 0)])
    ring[:, 1] = -2, 2**31 - 1, 2**31 - 1
    theirs = fill_by_cv2(200, 200, [[ring]])
    assert 0 < np.count_nonzero(theirs) < 200  # the outline alone
    assert np.array_equal(fill(200, 200, [[ring]]), theirs)


def test_a_great_many_vertices_against_cv2() -> None:
    angles = np.linspace(0, 2 * np.pi, 100_000)
    radii = 90 + 8 * np.sin(400 * angles)
    ring = np.stack([100 + radii * np.cos(angles), 100 + radii * np.sin(angles)], axis=1)
    theirs = fill_by_cv2(200, 200, [[ring]], rounding=NEAREST)
    assert np.array_equal(fill(200, 200, [[ring]], rounding=NEAREST), theirs)


@pytest.mark.parametrize(("rounding", "function"), ROUNDINGS.items())
def test_rounding_is_numpys(rounding: int, function: np.ufunc) -> None:
    values = [-2.5, -2, -1.5, -0.5, -0.49999999999999994, -0.0, 0.49999999999999994, 0.5, 1.5, 2.5]
    values += [np.nextafter(2.5, 3), np.nextafter(3.5, 3), 4.5, 7.999999999999999, 8.5, 9.5]
    for x in values:
        for y in values:
            whole = function([[x, y]])
            expected = fill(11, 11, [[whole + 3]])
            assert np.count_nonzero(expected) == 1 or whole.max() > 7
            assert np.array_equal(
                fill(11, 11, [[np.array([[x, y]])]], rounding=rounding), fill(11, 11, [[whole]])
            )


def test_painting_order() -> None:
    square = np.array([(0, 0), (4, 0), (4, 4), (0, 4)], float)
    expected = blank(8, 8)
    expected[:5, :5] = 9
    expected[2:7, 2:7] = 3
    assert np.array_equal(fill(8, 8, [[square], [square + 2]], [9, 3]), expected)


def test_rings_of_a_polygon_are_even_odd() -> None:
    square = np.array([(0, 0), (8, 0), (8, 8), (0, 8)], float)
    hole = np.array([(2, 2), (6, 2), (6, 6), (2, 6)], float)
    mask = fill(9, 9, [[square, hole]])
    assert mask[1, 1] == 1
    assert mask[2, 2] == 1  # the hole's border belongs to the polygon, too
    assert mask[4, 4] == 0


def test_what_is_there_stays_where_nothing_is_painted() -> None:
    out = np.full((5, 6), 77, np.uint8)
    point = flatten([[np.array([(2.0, 3.0)])]])
    assert fill_opencv(out, *point, np.array([5], np.uint8), TRUNCATE, out.shape[1]) == -1
    assert out[3, 2] == 5
    assert np.count_nonzero(out == 77) == 29


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, LIMIT, -LIMIT, 1e300, -(2.0**63)])
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_refused_points_paint_nothing(bad: float, axis: int, rounding: int) -> None:
    square = np.array([(0, 0), (4, 0), (4, 4), (0, 4)], float)
    broken = square.copy()
    broken[2, axis] = bad
    out = blank(8, 8)
    batch = flatten([[square], [square, broken], [broken]])
    assert fill_opencv(out, *batch, np.array([1, 2, 3], np.uint8), rounding, out.shape[1]) == 10
    assert not out.any()


@pytest.mark.parametrize(
    ("value", "refusing"),
    [
        (LIMIT - 0.5, {NEAREST}),
        (LIMIT - 1, set()),
        (0.5 - LIMIT, {NEAREST, FLOOR}),
        (1 - LIMIT, set()),
    ],
)
def test_the_rounded_value_is_what_counts(value: float, refusing: set[int]) -> None:
    ring = np.array([(0.0, 0.0), (value, 0.0)])
    for rounding in ROUNDINGS:
        out = blank(3, 3)
        refused = fill_opencv(
            out, *flatten([[ring]]), np.array([1], np.uint8), rounding, out.shape[1]
        )
        assert refused == (1 if rounding in refusing else -1)


def test_empty_rings_polygons_and_batches_paint_nothing() -> None:
    nothing = np.empty((0, 2))
    square = np.array([(1, 1), (3, 1), (3, 3), (1, 3)], float)
    assert not fill(5, 5, [], []).any()
    assert not fill(5, 5, [[], [nothing], [nothing, nothing]], [1, 2, 3]).any()
    mask = fill(5, 5, [[nothing], [nothing, square, nothing], []], [1, 2, 3])
    assert np.array_equal(mask, fill(5, 5, [[square]], [2]))


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0)])
def test_images_without_pixels(shape: tuple[int, int]) -> None:
    ring = np.array([(0, 0), (4, 0), (4, 4)], float)
    ids = np.array([1], np.uint8)
    out = np.zeros(shape, np.uint8)
    assert fill_opencv(out, *flatten([[ring]]), ids, TRUNCATE, shape[1]) == -1


SPECIAL_RUN = """
import numba
import numpy as np
from kernels.polygon_classes import CLASSES
from kernels.test_fill_opencv import compare_with_cv2, fill_opencv

assert numba.config.{flag} == 1
assert hasattr(fill_opencv, "signatures") == ({flag!r} != "DISABLE_JIT")
assert compare_with_cv2(np.random.default_rng(5), list(CLASSES), 20) == 20 * len(CLASSES)
"""


@pytest.mark.parametrize("flag", ["DISABLE_JIT", "BOUNDSCHECK"])
def test_again_with_numba_flag(flag: str, other_cache: Path) -> None:
    environment = {
        **os.environ,
        f"NUMBA_{flag}": "1",
        "NUMBA_CACHE_DIR": str(other_cache),  # the cache knows neither flag
        "PYTHONPATH": os.pathsep.join(sys.path),
        "PYTHONWARNINGS": "ignore",  # without the JIT, numpy warns where integers wrap
    }
    code = SPECIAL_RUN.format(flag=flag)
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=300)
