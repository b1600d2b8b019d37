"""The number scanner against the json module, bit for bit, and against texts of any other shape."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segfmt.jsonfile import parse_flat_rings
from segfmt.kernels.numbers import scan_flat_rings, scan_rings

BEYOND = b'9]]9e9,[[9,9]]"x":9'  # text behind the end that would be read as more of the same
CANARY = -12345


def scan(
    values: Sequence[str], beyond: bytes = BEYOND
) -> tuple[int, list[npt.NDArray[np.float64]], list[str]]:
    """Return the first bad ring or -1, the good rings before it, and the texts left to `float`.

    The arrays are as short as the contract allows, each the beginning of a longer one.
    """
    data = "".join(values).encode()
    text = np.frombuffer(data + beyond, np.uint8)[: len(data)]
    rows = len(data) // 4 + 1
    all_points = np.full((rows + 9, 2), float(CANARY))
    all_slow = np.full((rows + 9, 3), CANARY)
    offsets = np.full(len(values) + 1, CANARY)
    bad, slow_count = scan_rings(text, all_points[:rows], offsets, all_slow[:rows])
    assert (all_points[rows:] == CANARY).all()
    assert (all_slow[rows:] == CANARY).all()
    good = len(values) if bad < 0 else bad
    assert offsets[0] == 0
    assert (offsets[good + 1 :] == CANARY).all()
    flat = all_points.reshape(-1)
    slow_texts = []
    for index, start, end in all_slow[:slow_count].tolist():
        assert 0 <= index < 2 * rows
        if bad < 0:
            slow_texts.append(data[start:end].decode())
            flat[index] = float(data[start:end])
    return bad, [all_points[offsets[r] : offsets[r + 1]] for r in range(good)], slow_texts


def expected_ring(text: str) -> npt.NDArray[np.float64]:
    # parse_int, because float keeps the sign of -0, as int does not.
    ring = json.loads(text, parse_int=float)
    points = [(p["x"], p["y"]) if isinstance(p, dict) else p for p in ring]
    return np.array(points, float).reshape(-1, 2)


def assert_read(values: Sequence[str]) -> list[str]:
    bad, rings, slow = scan(values)
    assert bad == -1
    for text, ring in zip(values, rings, strict=True):
        assert ring.tobytes() == expected_ring(text).tobytes(), text
    return slow


spaces = st.text(" \t\r\n", max_size=3)
numbers = st.one_of(
    st.integers(-5000, 5000).map(str),
    st.integers().map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(json.dumps),
    st.floats(-5000, 5000).map(lambda value: f"{value:.3f}"),
    st.from_regex(r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,30})?([eE][-+]?[0-9]{1,3})?", fullmatch=True),
)


@st.composite
def points(draw: st.DrawFn) -> str:
    x, y = draw(numbers), draw(numbers)
    tokens = draw(
        st.sampled_from(
            [
                ["[", x, ",", y, "]"],
                ["{", '"x"', ":", x, ",", '"y"', ":", y, "}"],
                ["{", '"y"', ":", y, ",", '"x"', ":", x, "}"],
            ]
        )
    )
    return "".join(token + draw(spaces) for token in tokens)


@st.composite
def rings(draw: st.DrawFn) -> str:
    inside = ("," + draw(spaces)).join(draw(st.lists(points(), max_size=6)))
    return f"{draw(spaces)}[{draw(spaces)}{inside}]{draw(spaces)}"


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(rings(), max_size=5))
def test_reads_as_json_does(values: list[str]) -> None:
    assert_read(values)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.lists(
        st.lists(st.tuples(*[st.floats(allow_nan=False, allow_infinity=False)] * 2)), max_size=4
    ),
    st.sampled_from([None, 0, 2, "\t"]),
)
def test_reads_what_json_dumps(values: list[Any], indent: int | str | None) -> None:
    assert_read([json.dumps(ring, indent=indent) for ring in values])


def test_decimals_are_rounded_correctly() -> None:
    """Every count of digits and decimals in place: 200,000 numbers against float()."""
    source = random.Random(1)
    texts = []
    for _ in range(200_000):
        digits = str(source.randrange(10 ** source.randint(1, 15)))
        decimals = source.randint(0, 22)
        padded = digits.rjust(decimals + 1, "0")
        place = len(padded) - decimals
        texts.append(padded[:place] + ("." + padded[place:] if decimals else ""))
    bad, (ring,), slow = scan(["[" + ",".join(f"[{text},-{text}]" for text in texts) + "]"])
    assert (bad, slow) == (-1, [])
    expected = np.array([(float(text), -float(text)) for text in texts])
    assert ring.tobytes() == expected.tobytes()


IN_PLACE = """
    0 -0 -0.0 0.000 1 -17 1920.50 100000000000000 123456789012345 0.123456789012345
    99999.9999999999 0.0000000123456789012345 0.0000000000000000000001
"""
LEFT_TO_THE_CALLER = """
    1e5 -1E-5 1.5e+3 0e0 1e400 1e-400 1234567890123456 9007199254740993 0.1234567890123456
    12345678.90123456 0.30000000000000004 0.00000000000000000000001
    9999999999999999999999999999999999999999
"""


@pytest.mark.parametrize("number", IN_PLACE.split())
def test_parsed_in_place(number: str) -> None:
    assert assert_read([f"[[{number},{number}]]"]) == []


@pytest.mark.parametrize("number", LEFT_TO_THE_CALLER.split())
def test_left_to_the_caller(number: str) -> None:
    assert assert_read([f"[[1,{number}],[{number} ,2]]", f"[[ {number},3]]"]) == [number] * 3


def test_minus_zero_stays_minus_zero() -> None:
    _, (ring,), _ = scan(["[[-0,0],[-0.0,-0e1]]"])
    assert np.signbit(ring).tolist() == [[True, False], [True, True]]


def test_empty_rings_and_no_rings() -> None:
    assert scan([])[:2] == (-1, [])
    assert [len(ring) for ring in scan(["[]", " [ ] ", "[[1,2]]", "[\n]"])[1]] == [0, 0, 1, 0]


GOOD = ["[[1,2],[3.5,-4e1]]", "[]", '[{"y": 6, "x": 5}]']


OTHER_SHAPES = r"""
    null true "a" "[[1,2]]" 1 NaN {} {"x":1,"y":2}
    [1] [1,2] [1,2,3,4] [null] ["a"] [""] [NaN] [{}]
    [[]] [[1]] [[1,2,3]] [[1,2],[]] [[1,2],[3]] [[1,2],3] [[1,2],null]
    [[[1,2]]] [[1,[2]]] [[[1],2]] [[[1,2],[3,4]]] [[1,2],[[3,4]]] [[1,{"x":1}]]
    [["1",2]] [[1,"2"]] [[1,null]] [[true,2]] [[1,false]]
    [[NaN,1]] [[1,NaN]] [[Infinity,1]] [[1,-Infinity]]
    [{"x":1}] [{"x":1,"x":2}] [{"y":1,"y":2}] [{"x":1,"y":2,"z":3}] [{"x":1,"z":2,"y":3}]
    [{"X":1,"Y":2}] [{"a":1,"b":2}] [{"xx":1,"yy":2}] [{"":1,"y":2}] [{"\"":1,"y":2}]
    [{"x":"1","y":2}] [{"x":1,"y":null}] [{"x":1,"y":NaN}] [{"x":[1,2],"y":3}]
    [{"x":{"x":1,"y":2},"y":3}]
"""


@pytest.mark.parametrize(
    "value", [*OTHER_SHAPES.split(), '[{" x":1,"y":2}]', '[{"x ":1,"y":2}]', "[[1 2]]", "[[1,2 3]]"]
)
def test_other_shapes_are_refused(value: str) -> None:
    for place in range(len(GOOD) + 1):
        values = [*GOOD[:place], value, *GOOD[place:]]
        bad, before, _ = scan(values)
        assert bad == place
        assert [len(ring) for ring in before] == [2, 0, 1][:place]
    assert scan([value, value])[0] == 0


@pytest.mark.parametrize("number", ["", "-", "+1", ".5", "e5", "1e", "1e+", "1E-"])
def test_no_number_is_left_to_the_caller_that_float_refuses(number: str) -> None:
    assert scan([f"[[{number},2]]"])[0] == 0
    assert scan([f"[[1,{number}]]"])[0] == 0


def is_ring(value: object) -> bool:
    def is_number(part: object) -> bool:
        return isinstance(part, int | float) and not isinstance(part, bool)

    def is_point(point: object) -> bool:
        if isinstance(point, dict):
            return point.keys() == {"x", "y"} and all(map(is_number, point.values()))
        return isinstance(point, list) and len(point) == 2 and all(map(is_number, point))

    return isinstance(value, list) and all(map(is_point, value))


leaves = st.one_of(
    st.integers(-99, 99),
    st.floats(-9, 9),
    st.none(),
    st.booleans(),
    st.text("[]{},:xy19 \\", max_size=3),
)
anything = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, min_size=2, max_size=2)
        | st.lists(inner, max_size=3)
        | st.fixed_dictionaries({"x": inner, "y": inner})
        | st.dictionaries(st.sampled_from(["x", "y", "xy", ""]), inner, max_size=3)
    ),
    max_leaves=12,
)


@settings(max_examples=500, deadline=None, derandomize=True)
@given(anything)
def test_takes_rings_alone_of_all_json(value: object) -> None:
    text = json.dumps(value)
    if is_ring(value):
        assert_read([text, "[]"])
    else:
        assert scan([text, "[]"])[0] == 0


@settings(max_examples=500, deadline=None, derandomize=True)
@given(st.lists(st.text('[]{},:"xy019.-+eE \n', max_size=30), max_size=3))
def test_no_text_makes_it_leave_its_arrays(values: list[str]) -> None:
    assert_stays_inside(values)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(rings(), st.data())
def test_cut_off_texts_are_refused(ring: str, data: st.DataObject) -> None:
    cut = ring.rstrip()[: data.draw(st.integers(0, len(ring.rstrip()) - 1))]
    assert assert_stays_inside([ring, cut]) == 1


def assert_stays_inside(values: Sequence[str]) -> int:
    """`scan` sees what is written beyond the arrays; reading beyond the text would tell here."""
    bad, good_rings, _ = scan(values, b"")
    again = scan(values)
    assert bad == again[0]
    for ring, same in zip(good_rings, again[1], strict=True):
        assert bad >= 0 or ring.tobytes() == same.tobytes()
    return bad


SPECIAL_RUN = """
import numba
from kernels import test_numbers as tests

assert numba.config.{flag} == 1
assert hasattr(tests.scan_rings, "signatures") == ({flag!r} != "DISABLE_JIT")
tests.test_takes_rings_alone_of_all_json()
tests.test_cut_off_texts_are_refused()
tests.test_no_text_makes_flat_rings_leave_their_arrays()
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
    code = SPECIAL_RUN.format(flag=flag)
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=300)


def flat(polygons: Any) -> bool:
    """Whether a value is what COCO has for polygons."""
    return (
        isinstance(polygons, list)
        and bool(polygons)
        and all(
            isinstance(ring, list)
            and ring
            and len(ring) % 2 == 0
            and all(isinstance(part, int | float) and not isinstance(part, bool) for part in ring)
            for ring in polygons
        )
    )


@settings(max_examples=500, deadline=None, derandomize=True)
@given(
    st.lists(
        st.one_of(
            anything,
            st.lists(st.lists(st.floats(-9, 9), min_size=2, max_size=6), min_size=1, max_size=3),
        ),
        max_size=4,
    )
)
def test_flat_rings_are_read_as_json_reads_them(values: list[Any]) -> None:
    found = parse_flat_rings([json.dumps(value).encode() for value in values])
    if not all(map(flat, values)):
        assert found is None
        return
    assert found is not None
    points, ring_offsets, polygon_offsets = found
    rings = np.split(points, ring_offsets[1:-1]) if len(ring_offsets) > 1 else []
    again = [
        [ring.reshape(-1).tolist() for ring in rings[first:end]]
        for first, end in pairwise(polygon_offsets.tolist())
    ]
    assert again == [[[float(x) for x in ring] for ring in value] for value in values]


@pytest.mark.parametrize("number", [*IN_PLACE.split(), *LEFT_TO_THE_CALLER.split()])
def test_flat_rings_have_the_numbers_that_float_reads(number: str) -> None:
    found = parse_flat_rings([f"[[1,{number}],[{number} ,2, 3,4]]".encode()])
    assert found is not None
    assert found[0].reshape(-1).tolist() == [1, float(number), float(number), 2, 3, 4]


@settings(max_examples=500, deadline=None, derandomize=True)
@given(st.lists(st.text("[],019.-+eE \n", max_size=30), max_size=3))
def test_no_text_makes_flat_rings_leave_their_arrays(values: list[str]) -> None:
    data = "".join(values).encode()
    text = np.frombuffer(data + b"1,2],[3,4]]", np.uint8)[: len(data)]
    rows = len(data) // 2 + 1
    coordinates = np.full(rows + 9, float(CANARY))
    rings = np.full(len(data) // 3 + 2 + 9, CANARY)
    polygons = np.full(len(values) + 1, CANARY)
    slow = np.full((rows + 9, 3), CANARY)
    scan_flat_rings(text, coordinates[:rows], rings[: len(data) // 3 + 2], polygons, slow[:rows])
    assert (coordinates[rows:] == CANARY).all()
    assert (rings[len(data) // 3 + 2 :] == CANARY).all()
    assert (slow[rows:] == CANARY).all()
