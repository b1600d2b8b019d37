"""Ids and object numbers together, against a look at each pixel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from segfmt.pairs import recode_pairs


@given(st.data(), st.sampled_from([np.uint8, np.uint16]), st.sampled_from([np.uint8, np.uint16]))
def test_every_pixel_becomes_what_its_pair_does(
    data: st.DataObject, of_ids: type, of_numbers: type
) -> None:
    shape = data.draw(st.tuples(st.integers(1, 4), st.integers(1, 40)))
    repeat = data.draw(st.sampled_from([1, 7, 64, 200]))  # runs as long as the kernel's blocks
    few = [st.sampled_from([0, 1, 200, int(np.iinfo(kind).max)]) for kind in (of_ids, of_numbers)]
    ids, numbers = (
        np.repeat(data.draw(arrays.arrays(kind, shape, elements=some)), repeat, axis=1)
        for kind, some in zip((of_ids, of_numbers), few, strict=True)
    )
    seen: list[tuple[int, int]] = []

    def becomes(
        ids: npt.NDArray[np.int64], numbers: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int64]:
        seen.extend(zip(ids.tolist(), numbers.tolist(), strict=True))
        return (31 * ids + numbers) % 65536

    got = recode_pairs(ids, numbers, becomes)
    assert got.dtype == np.uint16
    assert np.array_equal(got, (31 * ids.astype(np.int64) + numbers) % 65536)
    pairs = zip(ids.reshape(-1).tolist(), numbers.reshape(-1).tolist(), strict=True)
    assert seen == sorted(set(pairs))


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("largest", [3, 33_018, 65_535])
def test_few_ids_far_apart_with_large_numbers(kind: type, largest: int) -> None:
    """As where trainIds, void being 255, stand beside Cityscapes' instance ids."""
    random = np.random.default_rng(largest)
    ids = random.choice(np.array([0, 18, np.iinfo(kind).max], kind), (40, 130))
    numbers = random.choice(np.array([0, 7, largest], np.uint16), ids.shape)
    got = recode_pairs(ids, numbers, lambda ids, numbers: (ids + 5 * numbers) % 65536)
    assert np.array_equal(got, (ids.astype(np.int64) + 5 * numbers.astype(np.int64)) % 65536)


@pytest.mark.parametrize("ids", [np.zeros((9, 8), np.uint8)[:, ::2], np.zeros((4, 9), np.uint8).T])
def test_views_are_read(ids: npt.NDArray[np.uint8]) -> None:
    numbers = np.arange(ids.size, dtype=np.uint16).reshape(ids.shape)
    assert np.array_equal(recode_pairs(ids, numbers, lambda _, numbers: numbers), numbers)
