"""`fill_coco` against pycocotools, and against its naive twin."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as pycocotools_mask

from kernels.naive_coco import naive_coco
from kernels.polygon_classes import CLASSES, flatten, random_polygon, random_size
from segfmt.kernels.fill_coco import fill_coco as kernel

BACKGROUND = 200
LARGEST = 2.0**27
NEAR = 500  # pycocotools takes the longer the longer an edge is, even outside of the image

# pycocotools 2.0.11 hands arrays over in a way that NumPy 2 no longer likes.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def fill_coco(out, *arguments):
    """Paint into one array, then into two, which must come to the same."""
    ids, width = arguments[-1], out.shape[1]
    alone, second = out.copy(), np.zeros_like(out)
    found = kernel(alone, *arguments, width, np.empty((0, 0), np.uint8), ids)
    assert kernel(out, *arguments, width, second, ~ids) == found
    assert np.array_equal(out, alone)
    assert np.array_equal(second, np.where(out == BACKGROUND, 0, ~out))
    return found


def kernel_arguments(polygons):
    """Polygons as lists of rings, as a kernel takes them; their ids are 1, 2, 3..."""
    rings = [[np.reshape(ring, (-1, 2)) for ring in polygon] for polygon in polygons]
    return *flatten(rings), np.arange(1, len(polygons) + 1, dtype=np.uint8)


def painted(shape, polygons, fill=fill_coco):
    out = np.full(shape, BACKGROUND, np.uint8)
    assert fill(out, *kernel_arguments(polygons)) == -1
    return out


def pycocotools(shape, polygons):
    out = np.full(shape, BACKGROUND, np.uint8)
    for value, polygon in enumerate(polygons, 1):
        # The first part tells pycocotools what it is given: one of 4 numbers is a box, of fewer
        # nothing at all. Of the others it takes any.
        parts = sorted((np.ravel(ring).tolist() for ring in polygon), key=len, reverse=True)
        if parts and len(parts[0]) >= 6:
            rle = pycocotools_mask.merge(pycocotools_mask.frPyObjects(parts, *shape))
            out[pycocotools_mask.decode(rle) == 1] = value
    return out


def assert_like_pycocotools(shape, polygons):
    got, want = painted(shape, polygons), pycocotools(shape, polygons)
    differs = np.argwhere(got != want)
    assert not len(differs), (shape, [[*map(np.ndarray.tolist, p)] for p in polygons], differs[:5])


def with_ties(random, ring):
    """Move a ring to where pycocotools has ties to break, one time in two."""
    match random.integers(8):
        case 0:  # tenths are halves of its grid
            return np.rint(ring * 10) / 10
        case 1:  # the grid itself: edges through pixel centers
            return np.rint(ring * 5) / 5
        case 2:  # a breath beside
            beside = [0, 2**-40, -(2**-40), 0.1 - 2**-40, 0.1 + 2**-40]
            return np.rint(ring * 5) / 5 + random.choice(beside, ring.shape)
        case 3:  # edges as high as wide, or nearly
            ring = np.rint(ring)
            ring[1::2] = ring[::2][: len(ring) // 2] + random.integers(-9, 10, (len(ring) // 2, 1))
            return ring + random.choice([0, 0, 0.2], ring.shape)
    return ring


def random_rings(random, name, width, height):
    """A polygon of a class, with ties, at times with rings of a second class."""
    rings = random_polygon(random, name, width, height)
    if random.random() < 0.3:
        rings += random_polygon(random, random.choice(list(CLASSES)), width, height)
    return [with_ties(random, ring.clip(-NEAR, (width + NEAR, height + NEAR))) for ring in rings]


@pytest.mark.parametrize("name", CLASSES)
def test_polygons_are_painted_as_pycocotools_paints_them(name):
    random = np.random.default_rng([1, *name.encode()])
    for _ in range(1200):
        width, height = random_size(random)
        assert_like_pycocotools((height, width), [random_rings(random, name, width, height)])


@pytest.mark.parametrize(("reach", "count"), [(2e3, 200), (2e4, 40), (5e5, 3)])
def test_coordinates_far_outside(reach, count):
    random = np.random.default_rng([2, int(reach)])
    for _ in range(count):
        width, height = random_size(random)
        assert_like_pycocotools((height, width), [[far_ring(random, width, height, reach)]])


def far_ring(random, width, height, reach):
    ring = random.uniform(-3, np.add((width, height), 3), (random.integers(3, 7), 2))
    far = random.uniform(-reach, reach, ring.shape)
    return with_ties(random, np.where(random.random(ring.shape) < 0.4, far, ring))


@pytest.mark.parametrize("reach", [2.0**20, 2.0**24, LARGEST])
def test_coordinates_too_far_outside_for_pycocotools(reach):
    random = np.random.default_rng([3, int(reach)])
    for _ in range(100):
        width, height = random.integers(1, 24, 2).tolist()
        ring = far_ring(random, width, height, reach)
        ring[random.integers(len(ring))] = random.choice([-reach, reach], 2)
        got = painted((height, width), [[ring.clip(-LARGEST, LARGEST)]])
        want = painted((height, width), [[ring.clip(-LARGEST, LARGEST)]], naive_coco)
        assert np.array_equal(got, want), ((height, width), ring)


def test_later_polygons_are_painted_over_earlier_ones():
    random = np.random.default_rng(4)
    for _ in range(3):
        polygons = [random_rings(random, name, 320, 240) for name in [*CLASSES] * 5]
        assert_like_pycocotools((240, 320), polygons)


def test_integers_are_corners_of_pixels():
    out = painted((4, 6), [[[(1, 1), (4, 1), (4, 3), (1, 3)]]])
    assert np.argwhere(out == 1).tolist() == [[y, x] for y in (1, 2) for x in (1, 2, 3)]


def test_rings_are_united():
    square, within = [(0, 0), (6, 0), (6, 6), (0, 6)], [(2, 2), (4, 2), (4, 4), (2, 4)]
    assert (painted((6, 6), [[square, within]]) == 1).all()


@pytest.mark.parametrize("few", [[], [(1, 1)], [(1, 1), (5, 4)], [(0, 2), (6, 2)]])
def test_a_ring_of_under_three_points_paints_nothing(few):
    triangle = [(0, 0), (6, 0), (0, 3)]
    parts = [np.ravel(triangle).tolist(), np.ravel(few).tolist()]
    _, alone = pycocotools_mask.frPyObjects(parts, 6, 6)
    assert not pycocotools_mask.decode(alone).any()
    for fill in (fill_coco, naive_coco):
        assert (painted((6, 6), [[few]], fill) == BACKGROUND).all()
        with_few = painted((6, 6), [[few, triangle]], fill)
        assert (with_few == painted((6, 6), [[triangle]], fill)).all()


COORDINATES = st.one_of(
    st.integers(-3, 12),
    st.integers(-30, 120).map(lambda tenth: tenth / 10),
    st.floats(-3, 12),
    st.floats(-NEAR, NEAR),
)
POINTS = st.tuples(COORDINATES, COORDINATES)
POLYGONS = st.lists(st.lists(st.lists(POINTS, max_size=8), max_size=3), max_size=3)
SHAPES = st.tuples(st.integers(1, 10), st.integers(1, 10))


@settings(max_examples=400)
@given(SHAPES, POLYGONS)
def test_any_polygons(shape, polygons):
    assert_like_pycocotools(shape, [[np.array(ring) for ring in rings] for rings in polygons])
    assert np.array_equal(painted(shape, polygons), painted(shape, polygons, naive_coco))


FAR_COORDINATES = COORDINATES | st.floats(-LARGEST, LARGEST)


@given(SHAPES, st.lists(st.tuples(FAR_COORDINATES, FAR_COORDINATES), min_size=3, max_size=6))
def test_any_ring(shape, ring):
    assert np.array_equal(painted(shape, [[ring]]), painted(shape, [[ring]], naive_coco))


def compare_with_twin(count):
    """Also run in other interpreters, with the JIT off and with bounds checks on."""
    random = np.random.default_rng(5)
    for _ in range(count):
        width, height = random.integers(1, 24, 2).tolist()
        names = random.choice(list(CLASSES), 2)
        polygons = [random_rings(random, name, width, height) for name in names]
        got = painted((height, width), polygons)
        want = painted((height, width), polygons, naive_coco)
        assert np.array_equal(got, want), ((height, width), polygons)


def test_twin():
    compare_with_twin(500)


@pytest.mark.parametrize("variable", ["DISABLE_JIT", "BOUNDSCHECK"])
def test_twin_with_other_settings_of_numba(variable, other_cache):
    code = (
        "import numba, kernels.test_fill_coco as tests\n"
        f"assert numba.config.{variable}\n"
        "tests.compare_with_twin(60)\n"
    )
    environment = {
        **os.environ,
        f"NUMBA_{variable}": "1",
        "NUMBA_CACHE_DIR": str(other_cache),  # a cached kernel would run without the checks
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    subprocess.run([sys.executable, "-W", "error", "-c", code], env=environment, check=True)


BEYOND = np.nextafter(LARGEST, np.inf)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, BEYOND, -BEYOND])
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("fill", [fill_coco, naive_coco])
def test_a_refused_point_is_named_and_nothing_is_painted(fill, axis, bad):
    points, *rest = kernel_arguments([[[(0, 0), (9, 0), (9, 9)]], [[(3, 3), (5, 3)], [(1, 1)]]])
    points = points.copy()
    points[4, axis] = bad
    points[5, axis] = bad
    out = np.full((10, 10), BACKGROUND, np.uint8)
    assert fill(out, points, *rest) == 4
    assert (out == BACKGROUND).all()


@pytest.mark.parametrize("polygons", [[], [[]], [[[]]], [[[], []], []]])
@pytest.mark.parametrize("fill", [fill_coco, naive_coco])
def test_nothing_to_paint(fill, polygons):
    assert (painted((6, 6), polygons, fill) == BACKGROUND).all()


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0)])
@pytest.mark.parametrize("fill", [fill_coco, naive_coco])
def test_no_pixels(fill, shape):
    assert painted(shape, [[[(0, 0), (9, 0), (9, 9)]] * 2], fill).size == 0


@pytest.mark.slow
def test_for_a_minute():
    random = np.random.default_rng()
    end = time.monotonic() + 60
    while time.monotonic() < end:
        width, height = random_size(random)
        names = random.choice(list(CLASSES), random.integers(1, 4))
        polygons = [random_rings(random, name, width, height) for name in names]
        assert_like_pycocotools((height, width), polygons)
        assert_like_pycocotools((height, width), [[far_ring(random, width, height, 2e3)]])
