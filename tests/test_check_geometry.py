"""Polygons as `check` sees them: against exact fractions and plain Python."""

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segfmt import ClassInfo, ClassTable, Polygons, geometry
from segfmt.geometry import polygon_findings

TABLE = ClassTable(
    [ClassInfo(0, "nothing", role="background"), ClassInfo(1, "road"), ClassInfo(2, "sky")]
)
SHAPE = (100, 100)
SQUARE = [(10, 10), (30, 10), (30, 30), (10, 30)]
Ring = list[tuple[float, float]]


def codes(*polygons: list[Ring], classes: list[int] | None = None) -> list[tuple[str, str]]:
    """Return the code and the place of each finding."""
    made = Polygons.from_rings(polygons, classes or [1] * len(polygons))
    found = polygon_findings(made, SHAPE, TABLE, 4.0)
    return sorted((one.code, one.where) for one in found)


def one(ring: Ring) -> list[str]:
    return [code for code, _ in codes([ring])]


def crosses(ring: Ring) -> bool:
    """Whether two sides cross, each having its ends on both sides of the other: exactly."""

    def side(a: tuple[Fraction, ...], b: tuple[Fraction, ...], c: tuple[Fraction, ...]) -> int:
        value = (a[0] - c[0]) * (b[1] - c[1]) - (a[1] - c[1]) * (b[0] - c[0])
        return (value > 0) - (value < 0)

    points = [tuple(Fraction(part) for part in point) for point in ring]
    sides = list(zip(points, points[1:] + points[:1], strict=True))
    return any(
        side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0
        for (a, b), (c, d) in combinations(sides, 2)
    )


numbers = st.integers(0, 7)
rings = st.lists(st.tuples(numbers, numbers), min_size=3, max_size=9)


@given(rings)
def test_crossings_are_those_of_exact_arithmetic(ring: Ring) -> None:
    distinct = len(set(ring)) >= 3
    assert ("SF303" in one(ring)) == (distinct and crosses(ring))


@given(st.lists(st.tuples(*[st.floats(0, 100, width=32)] * 2), min_size=3, max_size=9))
def test_what_is_called_a_crossing_is_one(ring: Ring) -> None:
    if "SF303" in one(ring):
        assert crosses(ring)


@given(st.lists(rings, min_size=1, max_size=6), st.integers(1, 6))
def test_rings_are_judged_each_by_itself(polygons: list[Ring], most: int) -> None:
    together = codes(*([ring] for ring in polygons[:most]))
    of_rings = {"SF301", "SF302", "SF303"}
    apart = [
        (code, f"polygon {place}")
        for place, ring in enumerate(polygons[:most])
        for code in one(ring)
        if code in of_rings
    ]
    assert [found for found in together if found[0] in of_rings] == sorted(apart)


@pytest.mark.parametrize(
    "ring",
    [
        [(10, 10), (50, 10), (50, 50), (10, 50), (10, 10)],  # closed
        [(10, 10), (50, 10), (50, 10), (50, 50)],  # a point twice in a row
        [(10, 10), (30, 30), (50, 10), (50, 50), (30, 30), (10, 50)],  # touches itself
        [
            (0, 0),
            (60, 0),
            (60, 60),
            (0, 60),
            (0, 30),
            (20, 30),
            (20, 40),
            (30, 40),
            (20, 30),
            (0, 30),
        ],
        [(0, 0), (100, 0), (100, 100), (0, 100)],  # along the border
        [(-1, -1), (101, -1), (101, 101), (-1, 101)],
    ],
    ids=["closed", "doubled", "touching", "keyhole", "border", "margin"],
)
def test_what_is_drawn_so_on_purpose_is_nothing_wrong(ring: Ring) -> None:
    assert one(ring) == []


@pytest.mark.parametrize(
    ("ring", "code"),
    [
        ([], "SF301"),
        ([(5, 5)] * 4, "SF301"),
        ([(5, 5), (9, 9), (5, 5), (9, 9)], "SF301"),
        ([(0, 0), (10, 0.1), (20, 0.2), (10, 0.1)], "SF302"),
        ([(0.1, 0.1), (0.2, 0.2), (0.3, 0.3)], "SF302"),
        ([(0, 0), (30, 0), (30, 30), (30, 0)], "SF302"),
        ([(-9, 5), (-3, 5), (-3, 50)], "SF304"),
        ([(5, 103), (50, 103), (50, 150)], "SF304"),
        ([(-1.5, 5), (50, 5), (50, 50)], "SF305"),
        ([(5, 5), (50, 5), (50, 101.5)], "SF305"),
        ([(5, 5), (7, 5), (7, 6.9), (5, 6.9)], "SF308"),
        ([(5, 5), (50, 5), (float("nan"), 50)], "SF309"),
        ([(5, 5), (50, 5), (2.0**31, 50)], "SF309"),
    ],
)
def test_faults_of_one_ring(ring: Ring, code: str) -> None:
    assert one(ring) == [code]


def test_a_hole_is_no_second_outline_nor_outside() -> None:
    hole = [(15, 15), (25, 15), (25, 25), (15, 25)]
    assert codes([SQUARE, hole]) == []
    assert codes([SQUARE, hole], [SQUARE]) == []
    assert codes([SQUARE, hole], [hole[::-1], SQUARE[2:] + SQUARE[:2]]) == [("SF306", "polygon 1")]


@given(st.integers(0, 3), st.booleans(), st.booleans())
def test_an_outline_is_the_same_however_it_is_written(start: int, back: bool, closed: bool) -> None:
    ring = SQUARE[start:] + SQUARE[:start]
    ring = ring[::-1] if back else ring
    ring = [*ring, ring[0]] if closed else ring
    assert codes([SQUARE], [ring]) == [("SF306", "polygon 1")]
    assert codes([SQUARE], [ring], classes=[1, 2]) == [("SF307", "polygon 1")]
    moved = [(x + 0.5, y) for x, y in ring]
    assert codes([SQUARE], [moved]) == []
    # Of the same bounds, and another outline.
    assert codes([SQUARE], [[(10, 10), (30, 10), (30, 30)]]) == []


def test_the_place_of_a_fault_is_said() -> None:
    bow = Polygons.from_rings([[SQUARE], [[(50, 50), (80, 80), (80, 50), (50, 81)]]], [1, 2])
    (found,) = polygon_findings(bow, SHAPE, TABLE, 4.0)
    assert (found.where, found.problem) == (
        "polygon 1",
        '"sky" crosses itself, by the side from (50, 50)',
    )


def test_a_ring_that_would_take_hours_is_left_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geometry, "TESTS", 5)
    comb = [(n % 2 * 90.0, float(n)) for n in range(90)]
    assert one(comb) == ["SF199"]


def test_of_thousands_of_faults_in_one_label_the_last_counts_for_all() -> None:
    flat = [[(n, 1), (n, 9), (n, 5)] for n in np.linspace(0, 90, 500).tolist()]
    made = Polygons.from_rings([[ring] for ring in flat], [1] * 500)
    found = list(polygon_findings(made, SHAPE, TABLE, 4.0))
    assert len(found) == geometry.LISTED
    assert sum(one.count for one in found) == 500
    assert found[-1].problem.endswith("; and 400 more")


def test_no_polygons_and_polygons_without_rings_are_nothing_wrong() -> None:
    assert codes() == []
    assert codes([]) == []
    assert codes([], [SQUARE], []) == []
