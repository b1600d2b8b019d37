"""`fill_center` against rasterio, which is GDAL's fill, and against its naive twin."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.features import rasterize

from kernels.naive_center import naive_center
from kernels.polygon_classes import CLASSES, flatten, random_polygon, random_size
from segfmt.kernels.fill_center import fill_center as kernel

BACKGROUND = 200
LARGEST = 2.0**31 - 1
FAR = [2.0**20, 2.0**24, 2.0**30, LARGEST]


def fill_center(out, *arguments):
    return kernel(out, *arguments, out.shape[1])


def kernel_arguments(polygons):
    """Polygons as lists of rings, as a kernel takes them; their ids are 1, 2, 3..."""
    rings = [[np.reshape(ring, (-1, 2)) for ring in polygon] for polygon in polygons]
    return *flatten(rings), np.arange(1, len(polygons) + 1, dtype=np.uint8)


def painted(shape, polygons, fill=fill_center):
    out = np.full(shape, BACKGROUND, np.uint8)
    assert fill(out, *kernel_arguments(polygons)) == -1
    return out


def rasterio(shape, polygons):
    shapes = [
        ({"type": "Polygon", "coordinates": rings}, value)
        for value, polygon in enumerate(polygons, 1)
        if (rings := closed_rings(polygon))
    ]
    if not shapes:  # rasterize raises
        return np.full(shape, BACKGROUND, np.uint8)
    return rasterize(shapes, shape, fill=BACKGROUND, dtype="uint8")


def closed_rings(polygon):
    """Closed, as GeoJSON wants them, without those that rasterio refuses in the first place."""
    rings = [np.reshape(ring, (-1, 2)).tolist() for ring in polygon]
    rings = [ring if ring[:1] == ring[-1:] else [*ring, ring[0]] for ring in rings]
    return [ring for ring in rings if len(ring) > 3]


def assert_like_rasterio(shape, polygons):
    got, want = painted(shape, polygons), rasterio(shape, polygons)
    differs = np.argwhere(got != want)
    assert not len(differs), (shape, [closed_rings(p) for p in polygons], differs[:5])


def with_ties(random, ring):
    """Move a ring to where GDAL has ties to break, one time in two."""
    match random.integers(8):
        case 0:  # centers of pixels
            return np.floor(ring) + 0.5
        case 1:  # lines of rows: horizontal edges count
            return np.c_[ring[:, 0], np.floor(ring[:, 1]) + 0.5]
        case 2:  # a breath beside centers and corners
            beside = [0, 0.5, 0.5 - 2**-40, 0.5 + 2**-40, 1 - 2**-40]
            return np.floor(ring) + random.choice(beside, ring.shape)
        case 3:  # centers, and vertices too close to each other to show a turn
            ring = np.repeat(np.floor(ring) + 0.5, random.integers(1, 3, len(ring)), axis=0)
            return ring + random.choice([0, 0, 0, 1e-6, 9e-6, 1.1e-5], ring.shape)
    return ring


def random_rings(random, name, width, height):
    """A polygon of a class, with ties, at times with rings of a second class."""
    rings = random_polygon(random, name, width, height)
    if random.random() < 0.3:
        rings += random_polygon(random, random.choice(list(CLASSES)), width, height)
    rings = [with_ties(random, ring) for ring in rings]
    if random.random() < 0.2:
        rings[0] = np.concatenate([rings[0], rings[0][:1]])
    return rings


@pytest.mark.parametrize("name", CLASSES)
def test_polygons_are_painted_as_rasterio_paints_them(name):
    random = np.random.default_rng([1, *name.encode()])
    for _ in range(1200):
        width, height = random_size(random)
        assert_like_rasterio((height, width), [random_rings(random, name, width, height)])


@pytest.mark.parametrize("largest", FAR)
def test_coordinates_far_outside(largest):
    random = np.random.default_rng([2, int(largest)])
    for _ in range(300):
        width, height = random_size(random)
        assert_like_rasterio((height, width), [[far_ring(random, width, height, largest)]])


def far_ring(random, width, height, largest):
    ring = random.uniform(-3, np.add((width, height), 3), (random.integers(3, 12), 2))
    far = random.choice([-1, 1], ring.shape) * (largest - random.integers(0, 4, ring.shape))
    return with_ties(random, np.where(random.random(ring.shape) < 0.4, far, ring)).clip(
        -LARGEST, LARGEST
    )


def test_later_polygons_are_painted_over_earlier_ones():
    random = np.random.default_rng(3)
    polygons = [random_rings(random, name, 320, 240) for name in [*CLASSES] * 5]
    assert_like_rasterio((240, 320), polygons)


def test_a_center_on_a_left_edge_is_out_and_on_a_right_edge_in():
    ring = [(1.5, 0), (4.5, 0), (4.5, 2), (1.5, 2)]
    columns = np.flatnonzero(painted((2, 7), [[ring]])[0] == 1)
    assert columns.tolist() == [2, 3, 4]


def test_a_hole_is_not_painted_but_a_second_polygon_is():
    square, hole = [(0, 0), (6, 0), (6, 6), (0, 6)], [(2, 2), (4, 2), (4, 4), (2, 4)]
    with_hole = painted((6, 6), [[square, hole]])
    assert (with_hole[2:4, 2:4] == BACKGROUND).all()
    assert (with_hole == 1).sum() == 32
    assert (painted((6, 6), [[square], [hole]])[2:4, 2:4] == 2).all()


COORDINATES = st.one_of(
    st.integers(-3, 12),
    st.integers(-6, 24).map(lambda half: half / 2),
    st.integers(-2, 10).map(lambda row: row + 0.5),
    st.floats(-3, 12),
    st.floats(-LARGEST, LARGEST),
)
RINGS = st.lists(st.tuples(COORDINATES, COORDINATES), max_size=8)
POLYGONS = st.lists(st.lists(RINGS, max_size=3), max_size=3)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.tuples(st.integers(1, 10), st.integers(1, 10)), POLYGONS)
def test_any_polygons(shape, polygons):
    assert_like_rasterio(shape, polygons)
    assert np.array_equal(painted(shape, polygons), painted(shape, polygons, naive_center))


def compare_with_twin(count):
    """Also run in other interpreters, with the JIT off and with bounds checks on."""
    random = np.random.default_rng(4)
    for _ in range(count):
        width, height = random.integers(1, 24, 2).tolist()
        names = random.choice(list(CLASSES), 2)
        polygons = [random_rings(random, name, width, height) for name in names]
        got = painted((height, width), polygons)
        want = painted((height, width), polygons, naive_center)
        assert np.array_equal(got, want), ((height, width), polygons)


def test_twin():
    compare_with_twin(500)


@pytest.mark.parametrize("variable", ["DISABLE_JIT", "BOUNDSCHECK"])
def test_twin_with_other_settings_of_numba(variable, other_cache):
    code = (
        "import numba, kernels.test_fill_center as tests\n"
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


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 2.0**31, -(2.0**31), LARGEST + 0.5])
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("fill", [fill_center, naive_center])
def test_a_refused_point_is_named_and_nothing_is_painted(fill, axis, bad):
    points, *rest = kernel_arguments([[[(0, 0), (9, 0), (9, 9)]], [[(3, 3), (5, 3)], [(1, 1)]]])
    points = points.copy()
    points[4, axis] = bad
    points[5, axis] = bad
    out = np.full((10, 10), BACKGROUND, np.uint8)
    assert fill(out, points, *rest) == 4
    assert (out == BACKGROUND).all()


TWO_POINTS = [(1, 2.5), (4, 2.5)]


@pytest.mark.parametrize(
    "polygons",
    [[], [[]], [[[]]], [[[], TWO_POINTS, []]], [[], [[(1, 1)]], []], [[[*TWO_POINTS, (1, 2.5)]]]],
)
@pytest.mark.parametrize("fill", [fill_center, naive_center])
def test_nothing_to_paint(fill, polygons):
    assert (painted((6, 6), polygons, fill) == BACKGROUND).all()


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0)])
@pytest.mark.parametrize("fill", [fill_center, naive_center])
def test_no_pixels(fill, shape):
    assert painted(shape, [[[(0, 0), (9, 0), (9, 9)]] * 2], fill).size == 0


@pytest.mark.slow
def test_for_a_minute():
    random = np.random.default_rng()
    end = time.monotonic() + 60
    while time.monotonic() < end:
        width, height = random_size(random)
        name = random.choice(list(CLASSES))
        assert_like_rasterio((height, width), [random_rings(random, name, width, height)])
        largest = random.choice(FAR)
        assert_like_rasterio((height, width), [[far_ring(random, width, height, largest)]])
