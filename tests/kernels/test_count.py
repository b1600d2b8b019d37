"""Counting ids and pairs, against plain Python and scikit-learn."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix

from segfmt.kernels.count import count_ids, count_pairs

SIZES = (0, 1, 63, 64, 65, 127, 128, 129, 192, 1000)


def check(a: np.ndarray, b: np.ndarray) -> None:
    """Compare with counters, on top of counts that stood there before."""
    pairs = np.full((256, 256), 7, np.int64)
    count_pairs(a, b, pairs)
    expected = Counter(zip(a.tolist(), b.tolist(), strict=True))
    assert {(i, j): n for (i, j), n in np.ndenumerate(pairs - 7) if n} == expected
    counts = np.full(256, 7, np.int64)
    count_ids(a, counts)
    assert {i: n for i, n in enumerate((counts - 7).tolist()) if n} == Counter(a.tolist())


def runs(random: np.random.Generator, size: int, run: int) -> np.ndarray:
    return np.repeat(random.integers(0, 256, size, np.uint8), run)[:size]


@pytest.mark.parametrize("run", [1, 5, 64, 200, 1000])
@pytest.mark.parametrize("other_run", [1, 70, 1000])
def test_every_remainder_of_a_block(run: int, other_run: int) -> None:
    random = np.random.default_rng([run, other_run])
    for size in SIZES:
        check(runs(random, size, run), runs(random, size, other_run))


RUN = st.tuples(st.integers(0, 255), st.integers(1, 150))


@given(st.lists(RUN, max_size=12), st.lists(RUN, max_size=12))
def test_runs_of_any_length(first: list[tuple[int, int]], second: list[tuple[int, int]]) -> None:
    a, b = (np.repeat(*np.array(part or [(0, 0)]).T).astype(np.uint8) for part in (first, second))
    size = min(len(a), len(b))
    check(a[:size], b[:size])


def test_it_is_the_confusion_matrix_of_scikit_learn() -> None:
    random = np.random.default_rng(3)
    a, b = random.integers(0, 9, 5000, np.uint8), random.integers(0, 9, 5000, np.uint8)
    pairs = np.zeros((9, 9), np.int64)
    count_pairs(a, b, pairs)
    assert (pairs == confusion_matrix(a, b)).all()


@pytest.mark.parametrize("flag", ["DISABLE_JIT", "BOUNDSCHECK"])
def test_plain_and_checked_code_agree(flag: str, other_cache: Path) -> None:
    code = (
        "import numpy as np, test_count\n"
        "random = np.random.default_rng(0)\n"
        "for size in test_count.SIZES:\n"
        "    test_count.check(*(test_count.runs(random, size, run) for run in (70, 130)))\n"
    )
    environment = {f"NUMBA_{flag}": "1", "NUMBA_CACHE_DIR": str(other_cache)}
    folders = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        env={**os.environ, **environment, "PYTHONPATH": folders},
    )
