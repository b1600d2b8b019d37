"""Painting into part of an image, and masks painted between the bytes that PNG wants."""

import io
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from segfmt import Polygons, encode_png, rasterize
from segfmt.scratch import canvas, canvas_of

RULES = ["opencv", "pillow", "center", "coco"]


def drawn(rule: str, rings: int, seed: int) -> Polygons:
    random = np.random.default_rng(seed)
    polygons = [
        [random.uniform(-20, 60, (random.integers(1, 8), 2)) for _ in range(rings)]
        for _ in range(12)
    ]
    return Polygons.from_rings(polygons, random.integers(1, 255, 12), fill_rule=rule)


@settings(deadline=None, derandomize=True)
@given(
    st.sampled_from(RULES),
    st.integers(1, 3),
    st.integers(0, 1000),
    st.tuples(st.integers(0, 9), st.integers(0, 9)),
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
)
def test_part_of_an_image_is_painted_as_a_whole_one_is(
    rule: str, rings: int, seed: int, corner: tuple[int, int], shape: tuple[int, int]
) -> None:
    """The rules look at where an image ends: it is there that the part ends."""
    polygons = drawn(rule, rings, seed)
    image = np.full((50, 50), 255, np.uint8)
    part = image[corner[0] : corner[0] + shape[0], corner[1] : corner[1] + shape[1]]
    rasterize(polygons, shape, out=part)
    assert (part == rasterize(polygons, shape)).all()
    part[:] = 255
    assert (image == 255).all()


def test_what_cannot_be_painted_into_is_refused() -> None:
    polygons = drawn("opencv", 1, 0)
    for out in (np.zeros((8, 8), np.uint8).T[::2].T, np.zeros((8, 4), np.uint8)[::-1]):
        with pytest.raises(ValueError, match="contiguous in each row"):
            rasterize(polygons, (8, 4), out=out)
    repeated = np.lib.stride_tricks.as_strided(np.zeros(8, np.uint8), (8, 4), (1, 1))
    with pytest.raises(ValueError, match="contiguous in each row"):
        rasterize(polygons, (8, 4), out=repeated)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (300, 400)])
def test_a_canvas_gives_the_png_that_a_copy_gives(shape: tuple[int, int]) -> None:
    """Whatever stood in the thread's memory before."""
    random = np.random.default_rng(1)
    canvas("mask", (400, 500))[:] = 77
    mask = canvas("mask", shape)
    mask[:] = random.integers(0, 255, shape)
    assert canvas_of(mask) is not None
    data = encode_png(mask)
    assert data == encode_png(mask.copy())
    assert (np.asarray(Image.open(io.BytesIO(data))) == mask).all()


def test_only_a_whole_canvas_of_this_thread_has_rows() -> None:
    mask = canvas("mask", (20, 30))
    assert canvas_of(mask) is not None
    for other in (mask[1:], mask[:-1, :-1], mask[:, 1:], mask.copy(), mask[::-1], mask.T):
        assert canvas_of(other) is None
        assert encode_png(other) == encode_png(other.copy())
    found = []
    thread = threading.Thread(target=lambda: found.append(canvas_of(mask)))
    thread.start()
    thread.join()
    assert found == [None]
    canvas("mask", (20, 30))
    assert canvas_of(mask) is None  # the memory is another's now
