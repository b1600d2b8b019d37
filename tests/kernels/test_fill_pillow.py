"""`fill_pillow` against Pillow itself and against its naive twin."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from kernels.naive_pillow import naive_pillow
from kernels.polygon_classes import CLASSES, flatten, random_polygon, random_size
from segfmt.kernels.fill_pillow import fill_pillow as kernel

BACKGROUND = 200
LARGEST = 2.0**31 - 1
FAR = [2.0**20, 2.0**24, 2.0**30, LARGEST]


def fill_pillow(out, *arguments):
    return kernel(out, *arguments, out.shape[1])


def kernel_arguments(polygons):
    """Polygons as lists of rings, as a kernel takes them; their ids are 1, 2, 3..."""
    rings = [[np.reshape(ring, (-1, 2)) for ring in polygon] for polygon in polygons]
    return *flatten(rings), np.arange(1, len(polygons) + 1, dtype=np.uint8)


def painted(shape, polygons, fill=fill_pillow):
    out = np.full(shape, BACKGROUND, np.uint8)
    assert fill(out, *kernel_arguments(polygons)) == -1
    return out


def pillow(shape, polygons):
    """Each polygon painted where an odd number of its rings' Pillow fills cover."""
    out = np.full(shape, BACKGROUND, np.uint8)
    for value, polygon in enumerate(polygons, 1):
        covered = np.zeros(shape, bool)
        for ring in polygon:
            canvas = Image.new("L", shape[::-1])
            if len(ring) >= 2:  # Pillow raises on fewer
                ImageDraw.Draw(canvas).polygon(as_tuples(ring), fill=1)
            covered ^= np.asarray(canvas, bool)
        out[covered] = value
    return out


def as_tuples(ring):
    """The form that Pillow reads as doubles: flat lists go through float32, arrays as raw bytes."""
    return [tuple(point) for point in np.reshape(ring, (-1, 2)).tolist()]


def assert_like_pillow(shape, polygons):
    got, want = painted(shape, polygons), pillow(shape, polygons)
    differs = np.argwhere(got != want)
    assert not len(differs), (shape, [list(map(as_tuples, p)) for p in polygons], differs[:5])


@pytest.mark.parametrize("name", CLASSES)
def test_polygons_are_painted_as_pillow_paints_them(name):
    random = np.random.default_rng([1, *name.encode()])
    for _ in range(1200):
        width, height = random_size(random)
        assert_like_pillow((height, width), [random_polygon(random, name, width, height)])


def random_rings(random, width, height):
    """One polygon with the rings of several classes."""
    names = random.choice(list(CLASSES), random.integers(0, 4))
    return [ring for name in names for ring in random_polygon(random, name, width, height)]


def test_several_rings_are_painted_where_an_odd_number_of_fills_cover():
    random = np.random.default_rng(2)
    for _ in range(1000):
        width, height = random_size(random)
        polygons = [random_rings(random, width, height) for _ in range(3)]
        assert_like_pillow((height, width), polygons)


def test_a_ring_upon_itself_leaves_nothing():
    ring = [(2, 1), (9, 3), (5, 9)]
    assert (painted((12, 12), [[ring, ring]]) == BACKGROUND).all()


@pytest.mark.parametrize("largest", FAR)
def test_coordinates_far_outside(largest):
    random = np.random.default_rng([3, int(largest)])
    for _ in range(500):
        width, height = random_size(random)
        assert_like_pillow((height, width), [[far_ring(random, width, height, largest)]])


def far_ring(random, width, height, largest):
    ring = random.uniform(-3, np.add((width, height), 3), (random.integers(2, 12), 2))
    far = random.choice([-1, 1], ring.shape) * (largest - random.integers(0, 4, ring.shape))
    return np.where(random.random(ring.shape) < 0.4, far, ring)


def test_a_left_end_just_below_a_half_is_rounded_up():
    """41 * float32(1 / 82) is 0.49999997, and half more is 1 in float32."""
    ring = [(0, 0), (1, 82), (9, 82), (9, 0)]
    assert_like_pillow((83, 10), [[ring]])
    assert painted((83, 10), [[ring]])[40:43, 0].tolist() == [1, BACKGROUND, BACKGROUND]


def test_columns_beyond_the_whole_numbers_of_float32():
    """There a vertex's own pixel may stay empty: a closing edge of one point would paint it."""
    x = 2**24 + 1
    ring = [(x, 0), (x - 16, 1), (x, 0)]
    assert_like_pillow((2, x + 4), [[ring]])
    assert painted((2, x + 4), [[ring]])[0, x] == BACKGROUND


def test_later_polygons_are_painted_over_earlier_ones():
    random = np.random.default_rng(4)
    polygons = [random_polygon(random, name, 320, 240) for name in [*CLASSES] * 5]
    rings = [polygon[0] for polygon in polygons if len(polygon) == 1 and len(polygon[0]) >= 2]
    image = Image.new("L", (320, 240), BACKGROUND)
    draw = ImageDraw.Draw(image)
    for value, ring in enumerate(rings, 1):
        draw.polygon(as_tuples(ring), fill=value)
    assert np.array_equal(painted((240, 320), [[ring] for ring in rings]), np.asarray(image))


COORDINATES = st.one_of(
    st.integers(-3, 12),
    st.integers(-6, 24).map(lambda half: half / 2),
    st.floats(-3, 12),
    st.floats(-LARGEST, LARGEST),
)
RINGS = st.lists(st.tuples(COORDINATES, COORDINATES), max_size=8)
POLYGONS = st.lists(st.lists(RINGS, max_size=3), max_size=3)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.tuples(st.integers(1, 10), st.integers(1, 10)), POLYGONS)
def test_any_polygons(shape, polygons):
    assert_like_pillow(shape, polygons)
    assert np.array_equal(painted(shape, polygons), painted(shape, polygons, naive_pillow))


def compare_with_twin(count):
    """Also run in other interpreters, with the JIT off and with bounds checks on."""
    random = np.random.default_rng(5)
    for _ in range(count):
        width, height = random.integers(1, 24, 2).tolist()
        polygons = [random_rings(random, width, height) for _ in range(2)]
        got = painted((height, width), polygons)
        want = painted((height, width), polygons, naive_pillow)
        assert np.array_equal(got, want), ((height, width), polygons)


def test_twin():
    compare_with_twin(500)


@pytest.mark.parametrize("variable", ["DISABLE_JIT", "BOUNDSCHECK"])
def test_twin_with_other_settings_of_numba(variable, other_cache):
    code = (
        "import numba, kernels.test_fill_pillow as tests\n"
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


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 2.0**31, -(2.0**31), 1e300])
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("fill", [fill_pillow, naive_pillow])
def test_a_refused_point_is_named_and_nothing_is_painted(fill, axis, bad):
    points, *rest = kernel_arguments([[[(0, 0), (9, 0), (9, 9)]], [[(3, 3), (5, 3)], [(1, 1)]]])
    points = points.copy()
    points[4, axis] = bad
    points[5, axis] = bad
    out = np.full((10, 10), BACKGROUND, np.uint8)
    assert fill(out, points, *rest) == 4
    assert (out == BACKGROUND).all()


def test_fractions_beyond_the_largest_whole_coordinate_are_cut_off():
    assert_like_pillow((5, 5), [[[(-LARGEST - 0.9, 1), (LARGEST + 0.9, 2.9), (2, 3)]]])


@pytest.mark.parametrize(
    "polygons", [[], [[]], [[[]]], [[[(3, 3)]]], [[[], [(3, 3)], []]], [[], [[(1, 1)]], []]]
)
@pytest.mark.parametrize("fill", [fill_pillow, naive_pillow])
def test_nothing_to_paint(fill, polygons):
    assert (painted((6, 6), polygons, fill) == BACKGROUND).all()


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0)])
@pytest.mark.parametrize("fill", [fill_pillow, naive_pillow])
def test_no_pixels(fill, shape):
    assert painted(shape, [[[(0, 0), (9, 0), (9, 9)]] * 2], fill).size == 0


@pytest.mark.slow
def test_for_a_minute():
    random = np.random.default_rng()
    end = time.monotonic() + 60
    while time.monotonic() < end:
        width, height = random_size(random)
        name = random.choice(list(CLASSES))
        assert_like_pillow((height, width), [random_polygon(random, name, width, height)])
        assert_like_pillow((height, width), [random_rings(random, width, height)])
        largest = random.choice(FAR)
        assert_like_pillow((height, width), [[far_ring(random, width, height, largest)]])
