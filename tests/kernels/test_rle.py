"""The kernels of COCO run lengths against their naive twins."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels.mask_kinds import KINDS, random_mask
from kernels.naive_coco import naive_counts, naive_paint, naive_string
from segfmt.kernels.rle_encode import write_strings
from segfmt.kernels.rle_paint import NEGATIVE, TOO_LONG, parse_strings
from segfmt.rle import encode_rle, paint_rle


def written(counts):
    text, offsets = np.zeros(6 * len(counts), np.uint8), np.zeros(2, np.int64)
    write_strings(np.array(counts, np.uint32), np.array([0, len(counts)]), text, offsets)
    return text[: offsets[1]].tobytes().decode()


def parsed(string):
    text = np.frombuffer(string.encode(), np.uint8)
    counts, lengths = np.zeros(len(text), np.int64), np.zeros(1, np.int64)
    refused, place, fault = parse_strings(text, np.array([0, len(text)]), counts, lengths)
    return counts[: lengths[0]].tolist() if refused < 0 else (place, fault)


COUNTS = st.integers(0, 40) | st.integers(0, 2**29 - 1) | st.sampled_from([2**29 - 1, 2**25 - 16])


@given(st.lists(COUNTS, max_size=12))
def test_numbers_of_up_to_30_bits(counts):
    assert written(counts) == naive_string(counts)
    assert parsed(naive_string(counts)) == counts


def test_longer_numbers_are_refused():
    assert parsed(naive_string([2**29])) == (6, TOO_LONG)
    assert parsed(naive_string([3, 2**29, 3])) == (7, TOO_LONG)


@given(st.lists(COUNTS, min_size=2, max_size=12))
def test_counts_below_zero_are_refused(counts):
    below = [*counts[:2], 5, *counts[2:], -1]
    string = naive_string(below)
    assert parsed(string) == (len(string) - 1, NEGATIVE)


def compare_with_twins(count):
    """Also run in other interpreters, with the JIT off and with bounds checks on."""
    random = np.random.default_rng(6)
    for number in range(count):
        ids = random_mask(random, [*KINDS][number % len(KINDS)], 24)
        strings, counts = encode_rle(ids), encode_rle(ids, compressed=False)
        assert list(strings) == list(counts) == np.unique(ids).tolist()
        for id, row in counts.items():
            assert row.tolist() == naive_counts(ids == id)
            assert strings[id].decode() == naive_string(row.tolist())
        # Runs of any length, empty ones too, over each other.
        rows = [
            np.diff([0, *np.sort(random.integers(0, ids.size + 1, n)), ids.size]).tolist()
            for n in random.integers(0, 12, 5)
        ]
        expected = np.full(ids.shape, 9, np.uint8)
        for value, row in enumerate(rows):
            naive_paint(expected, row, value)
        mixed = [naive_string(row) if random.random() < 0.5 else row for row in rows]
        assert (paint_rle(mixed, range(5), ids.shape, background=9) == expected).all()


def test_twins():
    compare_with_twins(300)


@pytest.mark.parametrize("variable", ["DISABLE_JIT", "BOUNDSCHECK"])
def test_twins_with_other_settings_of_numba(variable, other_cache):
    code = (
        "import numba, kernels.test_rle as tests\n"
        f"assert numba.config.{variable}\n"
        "tests.compare_with_twins(60)\n"
    )
    environment = {
        **os.environ,
        f"NUMBA_{variable}": "1",
        "NUMBA_CACHE_DIR": str(other_cache),  # a cached kernel would run without the checks
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    subprocess.run([sys.executable, "-W", "error", "-c", code], env=environment, check=True)
