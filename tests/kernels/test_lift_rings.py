"""Rings lifted out of JSON: what is left is JSON just where the whole is, and nothing is lost."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.test_numbers import anything, is_ring, rings
from segfmt.kernels.numbers import MARK, lift_rings

CANARY = -12345
BEYOND = b'9]]9e9,[[9,9]]"x":9'


class _BadTextError(Exception):
    pass


def lift(data: bytes) -> tuple[bytes, list[npt.NDArray[np.float64]], list[bytes]] | None:
    """Return the rest, the rings and their texts; None if it is refused.

    The arrays are as short as the contract allows, each the beginning of a longer one.
    """
    text = np.frombuffer(data + BEYOND, np.uint8)[: len(data)]
    rows, spanned = len(data) // 4 + 1, len(data) // 7 + 1
    rest = np.full(len(data) + 9, 7, np.uint8)
    points = np.full((rows + 9, 2), float(CANARY))
    offsets = np.full(spanned + 9, CANARY)
    spans = np.full((spanned + 9, 2), CANARY)
    slow = np.full((rows + 9, 3), CANARY)
    length, count, slow_count = lift_rings(
        text,
        rest[: len(data)],
        points[:rows],
        offsets[: spanned + 1],
        spans[:spanned],
        slow[:rows],
    )
    assert (rest[len(data) :] == 7).all()
    assert (points[rows:] == CANARY).all()
    assert (offsets[spanned + 1 :] == CANARY).all()
    assert (spans[spanned:] == CANARY).all()
    assert (slow[rows:] == CANARY).all()
    if length < 0:
        return None
    flat = points.reshape(-1)
    for index, start, end in slow[:slow_count].tolist():
        assert 0 <= index < 2 * offsets[count]
        flat[index] = float(data[start:end])
    return (
        rest[:length].tobytes(),
        [points[offsets[r] : offsets[r + 1]] for r in range(count)],
        [data[start:end] for start, end in spans[:count].tolist()],
    )


def put_back(value: Any, found: list[npt.NDArray[np.float64]]) -> Any:
    """Return a decoded rest with rings, as pairs of floats, for the marks."""
    if isinstance(value, list):
        if len(value) == 1 and isinstance(value[0], str) and value[0].startswith(chr(MARK)):
            return found[int(value[0][1:])].tolist()
        return [put_back(item, found) for item in value]
    if isinstance(value, dict):
        return {key: put_back(item, found) for key, item in value.items()}
    return value


def floats(value: Any) -> Any:
    """Return a value with the points of its rings as pairs of floats."""
    if is_ring(value) and value:
        points = [(p["x"], p["y"]) if isinstance(p, dict) else p for p in value]
        return [[float(x), float(y)] for x, y in points]
    if isinstance(value, list):
        return [floats(item) for item in value]
    if isinstance(value, dict):
        return {key: floats(item) for key, item in value.items()}
    return value


def decoded(data: bytes) -> Any:
    try:
        return json.loads(data.decode(), parse_constant=_refuse)
    except ValueError:
        return _BadTextError


def _refuse(name: str) -> Any:
    raise ValueError(name)


def assert_lifted(data: bytes) -> None:
    """Nothing else than JSON passes for it, and JSON comes back whole."""
    lifted = lift(data)
    if lifted is None:
        return
    rest, found, texts = lifted
    value = decoded(data)
    if value is _BadTextError:
        assert decoded(rest) is _BadTextError, (data, rest)
    else:
        assert put_back(decoded(rest), found) == floats(value)
    for text, ring in zip(texts, found, strict=True):
        assert floats(json.loads(text)) == ring.tolist()


@settings(max_examples=400, deadline=None, derandomize=True)
@given(anything, st.sampled_from([None, 0, 3]))
def test_json_comes_back_whole(value: object, indent: int | None) -> None:
    assert_lifted(json.dumps({"a": value, "b": [value, value]}, indent=indent).encode())


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(rings(), min_size=1, max_size=5), st.data())
def test_a_byte_off_passes_for_json_only_where_it_is(texts: list[str], data: st.DataObject) -> None:
    document = ('{"k": [' + ",".join(texts) + '], "a b": "\\"x"}').encode()
    place = data.draw(st.integers(0, len(document) - 1))
    other = data.draw(st.sampled_from(list(b'[]{},:"\\ \n019-+.eE\x00\x0b\x7f\xed')))
    for cut in (0, 1):
        assert_lifted(document[:place] + bytes([other]) + document[place + cut :])
    assert_lifted(document[:place])
    assert_lifted(document[:place] + document[place + 1 :])


@settings(max_examples=600, deadline=None, derandomize=True)
@given(st.text('[[]]{},,:"xy0129.-+eE \n\\', max_size=40))
def test_any_text(text: str) -> None:
    assert_lifted(text.encode())


@pytest.mark.parametrize("number", ["01", "-01", "1.", "-.5", "+1", "1e", "00", "- 1", "1\x0b"])
def test_what_is_no_number_in_json_is_left_to_the_decoder(number: str) -> None:
    lifted = lift(f'{{"a":[[1,{number}]]}}'.encode())
    assert lifted is not None
    assert lifted[1] == []


@pytest.mark.parametrize("text", ["1 2", "[1 2]", '"a" "b"', "tr ue", "[1, 2 3]", "- 1", "1 .5"])
def test_white_space_that_separates_stays(text: str) -> None:
    lifted = lift(text.encode())
    assert lifted is not None
    assert decoded(lifted[0]) is _BadTextError


def test_many_rings() -> None:
    many = [[[number, 0.5]] for number in range(1234)]
    for indent in (None, 1):
        lifted = lift(json.dumps({"rings": many}, indent=indent).encode())
        assert lifted is not None
        assert [ring.tolist() for ring in lifted[1]] == many


def test_a_text_with_the_mark_in_it_is_refused() -> None:
    for text in ('{"a\x7f": [[1,2]]}', '["\\\x7f0"]', "\x7f"):
        assert lift(text.encode()) is None


def test_a_text_is_refused_where_the_marks_would_not_fit() -> None:
    assert lift(b"[[1,2]]") is not None
    crowded = b"[" + b",".join([b"[[1,2]]"] * 20000) + b"]"
    lifted = lift(crowded)
    assert lifted is None or len(lifted[1]) == 20000


SPECIAL_RUN = """
import numba
from kernels import test_lift_rings as tests

assert numba.config.{flag} == 1
tests.test_any_text()
"""


@pytest.mark.parametrize("flag", ["DISABLE_JIT", "BOUNDSCHECK"])
def test_again_with_numba_flag(flag: str, other_cache: Path) -> None:
    environment = {
        **os.environ,
        f"NUMBA_{flag}": "1",
        "NUMBA_CACHE_DIR": str(other_cache),  # the cache knows neither flag
        "PYTHONPATH": os.pathsep.join(sys.path),
        "PYTHONWARNINGS": "ignore",  # without the JIT, numpy warns where integers wrap
    }
    program = SPECIAL_RUN.format(flag=flag)
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
