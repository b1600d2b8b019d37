"""Objects numbered over all classes, against NumPy."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from segfmt import FormatError
from segfmt.objects import VOID, number_objects


def naive(ids: npt.NDArray[np.uint8], numbers: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint8]:
    """Number pairs by sorting them, a pixel at a time."""
    pairs = list(zip(ids.reshape(-1).tolist(), numbers.reshape(-1).tolist(), strict=True))
    objects = sorted({pair for pair in pairs if pair[1] and pair[0] != VOID})
    place = {pair: number for number, pair in enumerate(objects, start=1)}
    out = [VOID if pair[0] == VOID else place.get(pair, 0) for pair in pairs]
    return np.array(out, np.uint8).reshape(ids.shape)


@given(st.data())
def test_agrees_with_the_naive_twin(data: st.DataObject) -> None:
    shape = data.draw(st.tuples(st.integers(1, 4), st.integers(1, 90)))
    few = data.draw(arrays.arrays(np.uint8, shape, elements=st.sampled_from([0, 1, 7, 254, 255])))
    values = st.sampled_from([0, 1, 2, 300, 65535])
    numbers = data.draw(arrays.arrays(np.uint16, shape, elements=values))
    repeat = data.draw(st.sampled_from([1, 7, 64, 200]))  # runs as long as the kernel's blocks
    ids, numbers = np.repeat(few, repeat, axis=1), np.repeat(numbers, repeat, axis=1)
    assert np.array_equal(number_objects(ids, numbers), naive(ids, numbers))


@pytest.mark.parametrize("changed", range(0, 200, 13))
def test_one_pixel_in_a_run_is_seen(changed: int) -> None:
    ids, numbers = np.full((2, 100), 3, np.uint8), np.ones((2, 100), np.uint16)
    numbers.reshape(-1)[changed] = 2
    assert np.array_equal(number_objects(ids, numbers), naive(ids, numbers))


def test_more_objects_than_a_byte_holds_are_refused() -> None:
    with pytest.raises(FormatError, match="255 objects"):
        number_objects(np.ones((1, 255), np.uint8), np.arange(1, 256, dtype=np.uint16)[None])
