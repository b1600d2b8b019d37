"""Colors to ids and back, against NumPy."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segfmt.kernels.lut import color_indices, color_table, index_colors, remap_ids


def indexed(
    rgb: np.ndarray, colors: np.ndarray, ids: np.ndarray, unknown: int = 255
) -> tuple[np.ndarray, int, int]:
    table, multiplier, shift = color_table(colors, ids)
    flat = np.ascontiguousarray(rgb).reshape(-1)
    words = flat[: len(flat) // 4 * 4].view(np.uint32)
    out = np.full(len(flat) // 3, 77, np.uint8)
    count, first = index_colors(flat, words, table, multiplier, shift, unknown, out)
    return out, count, first


def expected(rgb: np.ndarray, colors: np.ndarray, ids: np.ndarray, unknown: int) -> np.ndarray:
    flat = rgb.reshape(-1, 3)
    out = np.full(len(flat), unknown, np.uint8)
    for color, id in zip(colors, ids, strict=True):
        out[(flat == color).all(1)] = id
    return out


def check(rgb: np.ndarray, colors: np.ndarray, ids: np.ndarray) -> None:
    out, count, first = indexed(rgb, colors, ids, 254)
    truth = expected(rgb, colors, ids, 254)
    strange = ~(rgb.reshape(-1, 1, 3) == colors).all(2).any(1)
    assert (out == truth).all()
    assert count == strange.sum()
    assert first == (int(strange.argmax()) if count else -1)


def palette(random: np.random.Generator, count: int, black: bool = False) -> np.ndarray:
    keys = random.choice(1 << 24, count, replace=False)
    keys[0] = 0 if black else keys[0]
    keys = np.unique(keys)
    random.shuffle(keys)
    return np.stack([keys >> 16, keys >> 8 & 255, keys & 255], 1).astype(np.uint8)


@pytest.mark.parametrize("count", [1, 2, 20, 255])
@pytest.mark.parametrize("kind", ["noise", "runs", "one"])
@pytest.mark.parametrize("strangers", [0, 0.01, 1])
def test_every_remainder_of_a_block(count: int, kind: str, strangers: float) -> None:
    random = np.random.default_rng([count, len(kind)])
    colors = palette(random, count, black=count == 20)
    ids = random.permutation(256)[: len(colors)].astype(np.uint8)
    for size in [*range(1, 140, 1 if count < 255 else 13), 1000]:
        places = random.integers(0, len(colors), size)
        if kind == "runs":
            places = np.repeat(places, 50)[:size]
        if kind == "one":
            places[:] = 0
        rgb = colors[places]
        strange = random.random(size) < strangers
        rgb[strange] = random.integers(0, 256, (strange.sum(), 3))
        check(rgb, colors, ids)


@given(st.data())
def test_neighboring_colors_are_told_apart(data: st.DataObject) -> None:
    near = st.integers(0, 2)
    color = st.tuples(near, near, near)
    colors = np.array(data.draw(st.lists(color, unique=True, min_size=1, max_size=27)), np.uint8)
    pixels = np.array(data.draw(st.lists(color, min_size=1, max_size=80)), np.uint8)
    check(pixels, colors, np.arange(len(colors), dtype=np.uint8))


def test_an_unknown_run_is_counted_to_its_end() -> None:
    rgb = np.zeros((500, 3), np.uint8)
    rgb[100:420] = 9
    out, count, first = indexed(rgb, np.zeros((1, 3), np.uint8), np.array([3], np.uint8))
    assert (count, first) == (320, 100)
    assert (out[100:420] == 255).all()
    assert (out[:100] == 3).all()


def test_black_is_no_color_unless_it_is_one() -> None:
    rgb = np.zeros((40, 3), np.uint8)
    _, count, _ = indexed(rgb, np.array([[1, 0, 0]], np.uint8), np.array([0], np.uint8))
    assert count == 40


def test_the_table_is_always_the_same() -> None:
    colors = palette(np.random.default_rng(5), 255)
    ids = np.arange(len(colors), dtype=np.uint8)
    first, second = color_table(colors, ids), color_table(colors, ids)
    assert (first[0] == second[0]).all()
    assert first[1:] == second[1:]
    assert len(first[0]) <= 1 << 16


@pytest.mark.parametrize("lead", [0, 1])
@pytest.mark.parametrize("width", [1, 63, 64, 65, 200])
def test_ids_become_colors(width: int, lead: int) -> None:
    random = np.random.default_rng(width)
    colors = random.integers(0, 256, (256, 3), np.uint8)
    ids = np.repeat(random.integers(0, 256, (3, width), np.uint8), 3, axis=0)
    ids[random.integers(9, size=4), random.integers(width, size=4)] = 7  # in rows all alike
    out = np.full((9, lead + 3 * width), 200, np.uint8)
    color_indices(ids, colors, out, lead)
    assert (out[:, lead:].reshape(9, width, 3) == colors[ids]).all()
    assert (out[:, :lead] == 200).all()


@pytest.mark.parametrize("run", [1, 7, 300])
def test_remapping_tells_what_occurs(run: int) -> None:
    random = np.random.default_rng(run)
    lut = random.integers(0, 256, 256, np.uint8)
    for size in (1, 63, 64, 65, 127, 128, 129, 1000):
        ids = np.repeat(random.integers(0, 256, size, np.uint8), run)[:size]
        out, used = np.empty(size, np.uint8), np.zeros(256, np.uint8)
        remap_ids(ids, lut, out, used)
        assert (out == lut[ids]).all()
        assert set(np.flatnonzero(used)) == set(ids.tolist())


@pytest.mark.parametrize("flag", ["NUMBA_DISABLE_JIT", "NUMBA_BOUNDSCHECK"])
def test_plain_and_checked_code_agree(flag: str, other_cache: Path) -> None:
    code = (
        "import warnings; warnings.simplefilter('ignore', RuntimeWarning)\n"
        "import numpy as np, test_lut\n"
        "random = np.random.default_rng(0)\n"
        "colors = test_lut.palette(random, 20)\n"
        "for size in range(1, 140):\n"
        "    rgb = colors[np.repeat(random.integers(0, 20, size), 5)[:size]]\n"
        "    rgb[random.random(size) < 0.1] = 3\n"
        "    test_lut.check(rgb, colors, np.arange(20, dtype=np.uint8))\n"
    )
    environment = {flag: "1", "NUMBA_CACHE_DIR": str(other_cache)}
    folders = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        env={**os.environ, **environment, "PYTHONPATH": folders},
    )
