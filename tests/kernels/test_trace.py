"""Masks traced and painted again: by OpenCV, Pillow and rasterio, bit for bit; and a naive twin."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from itertools import pairwise, product
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw
from rasterio.features import rasterize

from kernels.mask_kinds import KINDS, Mask, random_mask
from kernels.naive_trace import naive_trace
from segfmt.kernels.trace import Traced, trace_labels

Ring = npt.NDArray[np.float64]
Labels = npt.NDArray[np.uint8] | npt.NDArray[np.uint32]

RULES = ["center", "opencv", "pillow"]
HOLES = ["rings", "painter", "keyhole"]
PAIRS = list(product(RULES, HOLES))


def polygons_of(traced: Traced) -> list[list[Ring]]:
    assert traced.points.dtype == np.float64
    assert traced.ring_offsets[0] == traced.polygon_offsets[0] == 0
    assert traced.ring_offsets[-1] == len(traced.points)
    assert traced.polygon_offsets[-1] == len(traced.ring_offsets) - 1
    assert len(traced.first_pixels) == len(traced.polygon_offsets) - 1
    rings = [traced.points[start:end] for start, end in pairwise(traced.ring_offsets)]
    return [rings[start:end] for start, end in pairwise(traced.polygon_offsets)]


def paint_by_rasterio(mask: Mask, polygons: list[list[Ring]], values: list[int]) -> None:
    closed = ([[*ring.tolist(), ring[0].tolist()] for ring in rings] for rings in polygons)
    shapes = [{"type": "Polygon", "coordinates": rings} for rings in closed]
    if shapes:  # rasterize wants one
        rasterize(zip(shapes, values, strict=True), out=mask)


def paint_by_opencv(mask: Mask, polygons: list[list[Ring]], values: list[int]) -> None:
    for rings, value in zip(polygons, values, strict=True):
        cv2.fillPoly(mask, [ring.astype(np.int32) for ring in rings], value)


def paint_by_pillow(mask: Mask, polygons: list[list[Ring]], values: list[int]) -> None:
    canvas = Image.fromarray(mask)
    for rings, value in zip(polygons, values, strict=True):
        parts = []
        for ring in rings:
            part = Image.new("L", canvas.size) if len(rings) > 1 else canvas
            fill = 255 if len(rings) > 1 else value
            ImageDraw.Draw(part).polygon([tuple(point) for point in ring.tolist()], fill)
            parts.append(part)
        if len(rings) > 1:
            canvas.paste(value, mask=reduce(ImageChops.difference, parts))
    mask[:] = canvas


PAINTERS = {"center": paint_by_rasterio, "opencv": paint_by_opencv, "pillow": paint_by_pillow}


def assert_paints_again(
    mask: Mask, labels: Labels, background: int, rule: str, holes: str, seed: int = 0
) -> None:
    traced = trace_labels(labels, background, rule, holes)
    polygons = polygons_of(traced)
    values = mask.reshape(-1)[traced.first_pixels].tolist()
    order = np.arange(len(polygons))
    if holes != "painter":
        np.random.default_rng(seed).shuffle(order)
    again = np.full_like(mask, background)
    PAINTERS[rule](again, [polygons[i] for i in order], [values[i] for i in order])
    assert np.array_equal(again, mask), (mask.tolist(), background, rule, holes)


def compare_with_outside(
    random: np.random.Generator,
    names: Sequence[str],
    count: int,
    longest: int = 48,
    seconds: float = np.inf,
) -> int:
    """Trace so many masks of each kind, or for so long; return how many were painted again."""
    end = time.monotonic() + seconds
    for done in range(count):
        for name in names:
            mask = random_mask(random, name, longest)
            background = int(random.integers(4))
            for rule, holes in PAIRS:
                assert_paints_again(mask, mask, background, rule, holes, done)
        if time.monotonic() > end:
            return (done + 1) * len(names) * len(PAIRS)
    return count * len(names) * len(PAIRS)


@pytest.mark.parametrize("name", KINDS)
def test_fuzz_against_the_outside_tools(name: str) -> None:
    random = np.random.default_rng([1, list(KINDS).index(name)])
    compare_with_outside(random, [name], 60)
    compare_with_outside(random, [name], 2, longest=200)


@pytest.mark.slow
def test_fuzz_for_a_minute() -> None:
    seed = np.random.SeedSequence().entropy
    print("seed", seed)
    random = np.random.default_rng(seed)
    assert compare_with_outside(random, list(KINDS), 10**9, longest=120, seconds=60) > 1000


def as_twin(traced: Traced, width: int) -> list[tuple[tuple[int, int], list[list[tuple]]]]:
    firsts = [(i % width, i // width) for i in traced.first_pixels.tolist()]
    rings = [[list(map(tuple, ring.tolist())) for ring in rings] for rings in polygons_of(traced)]
    return list(zip(firsts, rings, strict=True))


def assert_like_twin(mask: Mask, background: int) -> None:
    for rule, holes in PAIRS:
        traced = as_twin(trace_labels(mask, background, rule, holes), mask.shape[1])
        assert traced == naive_trace(mask.tolist(), background, rule, holes), (rule, holes)


@pytest.mark.parametrize("name", KINDS)
def test_fuzz_against_the_naive_twin(name: str) -> None:
    random = np.random.default_rng([2, list(KINDS).index(name)])
    for _ in range(25):
        assert_like_twin(random_mask(random, name, 14), int(random.integers(3)))


masks = st.integers(1, 8).flatmap(
    lambda width: st.lists(
        st.lists(st.integers(0, 2), min_size=width, max_size=width), min_size=1, max_size=8
    )
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(masks, st.integers(0, 3))
def test_any_small_mask(rows: list[list[int]], background: int) -> None:
    mask = np.array(rows, np.uint8)
    assert_like_twin(mask, background)
    for rule, holes in PAIRS:
        assert_paints_again(mask, mask, background, rule, holes)


def mask_of(*rows: str) -> Mask:
    """A mask drawn with digits, dots for 0."""
    return np.array([[int(c) for c in row.replace(".", "0")] for row in rows], np.uint8)


RING_AND_ISLAND = mask_of("......", ".1111.", ".1..1.", ".1.21.", ".1111.")


def test_hole_rings_go_round_the_other_way() -> None:
    (outer, hole), (island,) = polygons_of(trace_labels(RING_AND_ISLAND, 0, "center", "rings"))
    assert outer.tolist() == [[1, 1], [5, 1], [5, 5], [1, 5]]
    assert hole.tolist() == [[2, 2], [2, 4], [4, 4], [4, 2]]
    assert island.tolist() == [[3, 3], [4, 3], [4, 4], [3, 4]]


def test_rings_through_centers_run_on_the_component() -> None:
    (outer, hole), (island,) = polygons_of(trace_labels(RING_AND_ISLAND, 0, "opencv", "rings"))
    assert outer.tolist() == [[1, 1], [4, 1], [4, 4], [1, 4]]
    assert hole.tolist() == outer[[0, 3, 2, 1]].tolist()
    assert island.tolist() == [[3, 3]] * 3


def test_under_pillow_holes_are_what_lies_in_them() -> None:
    polygons = polygons_of(trace_labels(RING_AND_ISLAND, 0, "pillow", "rings"))
    assert [len(rings) for rings in polygons] == [3, 1]
    assert polygons[0][1].tolist() == [[2, 2], [3, 2], [2, 2], [2, 3]]
    assert np.array_equal(polygons[0][2], polygons[1][0])


def test_painter_paints_background_over_what_encloses_it() -> None:
    traced = trace_labels(RING_AND_ISLAND, 0, "center", "painter")
    assert RING_AND_ISLAND.reshape(-1)[traced.first_pixels].tolist() == [1, 0, 2]


def test_painter_leaves_background_alone_that_no_single_component_encloses() -> None:
    mask = mask_of("112", "1.2", "122")
    traced = trace_labels(mask, 0, "center", "painter")
    assert mask.reshape(-1)[traced.first_pixels].tolist() == [1, 2]
    framed = np.pad(mask, 1)
    assert len(trace_labels(framed, 0, "center", "painter").first_pixels) == 2
    framed = np.pad(framed, 1, constant_values=3)
    assert len(trace_labels(framed, 0, "center", "painter").first_pixels) == 5


def test_keyhole_cuts_go_to_the_next_border_on_the_left() -> None:
    mask = mask_of("1111111", "11.1.11", "1111111")
    ((ring,),) = polygons_of(trace_labels(mask, 0, "center", "keyhole"))
    first_hole = [[2, 1], [2, 2], [3, 2], [3, 1]]
    second_hole = [[4, 1], [4, 2], [5, 2], [5, 1]]
    way = [[0, 1], *first_hole[:3], first_hole[3], *second_hole, [0, 1]]
    assert ring.tolist() == [[0, 0], [7, 0], [7, 3], [0, 3], *way]


@pytest.mark.parametrize("name", KINDS)
def test_rings_are_rectilinear_and_without_needless_points(name: str) -> None:
    random = np.random.default_rng([3, list(KINDS).index(name)])
    for rule, holes in PAIRS * 3:
        traced = trace_labels(random_mask(random, name), 0, rule, holes)
        for ring in (ring for rings in polygons_of(traced) for ring in rings):
            assert len(ring) >= (4 if rule == "center" else 3)
            assert np.array_equal(ring, np.trunc(ring))
            steps = np.diff(ring, axis=0, append=ring[:1])
            assert ((steps == 0).sum(axis=1) >= 1).all()
            whole = steps[steps.any(axis=1)]
            following = np.roll(whole, -1, axis=0)
            assert len(whole) == len(ring) or len(whole) in (0, 2)
            assert ((whole * following).sum(axis=1) <= 0).all()


def test_single_rings_through_centers_are_the_same_for_opencv_and_pillow() -> None:
    random = np.random.default_rng(4)
    for name, holes in product(KINDS, ["painter", "keyhole"]):
        mask = random_mask(random, name)
        ours, theirs = (trace_labels(mask, 0, rule, holes) for rule in ("opencv", "pillow"))
        for one, other in zip(ours, theirs, strict=True):
            assert np.array_equal(one, other)


def test_instances_of_one_class_are_apart() -> None:
    random = np.random.default_rng(5)
    for name in KINDS:
        for _ in range(4):
            ids = random_mask(random, name)
            instances = random.integers(0, 60_000, 3, np.uint32)
            labels = random.choice(instances, ids.shape) << 8 | ids
            background = int(random.integers(3))
            for rule, holes in PAIRS:
                assert_paints_again(ids, labels, background, rule, holes)
                numbers = np.unique(labels, return_inverse=True)[1].reshape(ids.shape)
                if holes != "painter" and rule != "pillow":
                    # The same as of a mask where each label is a class, less that of background.
                    traced = trace_labels(labels, background, rule, holes)
                    dense = trace_labels(numbers.astype(np.uint8), 255, rule, holes)
                    kept = ids.reshape(-1)[dense.first_pixels] != background
                    assert np.array_equal(traced.first_pixels, dense.first_pixels[kept])
                    rings = [p for p, keep in zip(polygons_of(dense), kept, strict=True) if keep]
                    for ours, theirs in zip(polygons_of(traced), rings, strict=True):
                        assert all(map(np.array_equal, ours, theirs))


def best_time(mask: Mask, holes: str) -> float:
    times = []
    for _ in range(5):
        start = time.perf_counter()
        trace_labels(mask, 0, "center", holes)
        times.append(time.perf_counter() - start)
    return min(times)


@pytest.mark.timed
def test_time_is_linear_in_the_length_of_edges() -> None:
    """Many questions about one edge are not one walk along it each, 300 times what this takes."""
    holes_on_one_edge = np.ones((30_001, 5), np.uint8)
    holes_on_one_edge[1:-1:2, 2] = 2
    components_under_one_edge = np.ones((2, 60_001), np.uint8)
    components_under_one_edge[1] = np.arange(60_001) % 2 + 2
    for mask, holes in ((holes_on_one_edge, "keyhole"), (components_under_one_edge, "painter")):
        cut = mask.copy()
        cut[:: 100 if holes == "keyhole" else 1, :: 100 if holes == "painter" else 1] = 0
        assert best_time(mask, holes) < 20 * best_time(cut, holes)


def test_noise_that_needs_more_room_than_is_guessed() -> None:
    mask = np.random.default_rng(6).integers(0, 19, (150, 150), np.uint8)
    for rule, holes in PAIRS:
        assert_paints_again(mask, mask, 0, rule, holes)


def test_threads_and_sizes_do_not_mix() -> None:
    random = np.random.default_rng(7)
    many = [random_mask(random, name, 150) for name in list(KINDS) * 8]
    alone = [trace_labels(mask, 0, "opencv", "keyhole") for mask in many]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda mask: trace_labels(mask, 0, "opencv", "keyhole"), many))
    for one, other in zip(alone, together, strict=True):
        assert all(map(np.array_equal, one, other))


def test_a_readonly_mask_of_one_pixel() -> None:
    mask = np.array([[9]], np.uint8)
    mask.flags.writeable = False
    assert trace_labels(mask, 0, "opencv", "rings").points.tolist() == [[0, 0]] * 3
    assert len(trace_labels(mask, 9, "opencv", "painter").points) == 0


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0)])
def test_masks_without_pixels(shape: tuple[int, int]) -> None:
    for rule, holes in PAIRS:
        assert polygons_of(trace_labels(np.zeros(shape, np.uint8), 0, rule, holes)) == []


def test_what_cannot_be_traced_is_refused() -> None:
    mask = np.zeros((2, 2), np.uint8)
    with pytest.raises(ValueError, match='fill rule "coco"'):
        trace_labels(mask, 0, "coco", "rings")
    with pytest.raises(ValueError, match='not "cut"'):
        trace_labels(mask, 0, "center", "cut")
    with pytest.raises(ValueError, match="too large"):
        trace_labels(np.broadcast_to(mask[:1, :1], (1 << 15, 1 << 15)), 0, "center", "rings")


SPECIAL_RUN = """
import numba
import numpy as np
from kernels.mask_kinds import KINDS
from kernels.test_trace import PAIRS, compare_with_outside, trace_labels
from segfmt.kernels.trace import follow_borders

assert numba.config.{flag} == 1
assert hasattr(follow_borders, "signatures") == ({flag!r} != "DISABLE_JIT")
compared = compare_with_outside(np.random.default_rng(8), list(KINDS), 4, longest=24)
assert compared == 4 * len(KINDS) * len(PAIRS)
ids = np.random.default_rng(9).integers(0, 3, (20, 20), np.uint32)
assert len(trace_labels(ids << 8 | 1, 0, "center", "rings").points)
"""


@pytest.mark.parametrize("flag", ["DISABLE_JIT", "BOUNDSCHECK"])
def test_again_with_numba_flag(flag: str, other_cache: Path) -> None:
    environment = {
        **os.environ,
        f"NUMBA_{flag}": "1",
        "NUMBA_CACHE_DIR": str(other_cache),  # the cache knows neither flag
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    code = SPECIAL_RUN.format(flag=flag)
    command = [sys.executable, "-W", "error", "-c", code]
    subprocess.run(command, env=environment, check=True, timeout=300)
