import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from segfmt import Note, Polygons, SampleRef, UsageError, rasterize
from segfmt.errors import FormatError

SQUARE = [(1, 1), (6, 1), (6, 6), (1, 6)]
HOLE = [(3, 3), (4, 3), (4, 4), (3, 4)]


def test_rings_of_one_polygon_are_even_odd_and_polygons_paint_over() -> None:
    holed = rasterize(Polygons.from_rings([[SQUARE, HOLE]], [1]), (8, 8))
    assert holed[2, 2] == 1
    painted = rasterize(Polygons.from_rings([[SQUARE], [HOLE]], [1, 2]), (8, 8), background=9)
    assert painted[3, 3] == 2
    assert painted[0, 0] == 9
    assert painted[1, 1] == 1


def test_from_rings_of_nothing() -> None:
    empty = Polygons.from_rings([], [])
    assert len(empty) == 0
    assert rasterize(empty, (2, 3), background=5).tolist() == [[5] * 3] * 2


def test_out_is_painted_and_returned() -> None:
    out = np.full((8, 8), 77, np.uint8)
    polygons = Polygons.from_rings([[SQUARE]], [1])
    assert rasterize(polygons, (8, 8), out=out) is out
    assert set(np.unique(out)) == {0, 1}
    with pytest.raises(ValueError, match="out must be"):
        rasterize(polygons, (8, 9), out=out)


@pytest.mark.parametrize(
    "change",
    [
        {"points": np.zeros((4, 3))},
        {"ring_offsets": np.array([0, 5])},
        {"ring_offsets": np.array([0, 4, 2, 4])},
        {"polygon_offsets": np.array([1, 1])},
        {"polygon_offsets": np.array([], np.int64)},
        {"class_ids": np.array([1, 2], np.int32)},
        {"instance_ids": np.array([1, 2], np.int32)},
        {"fill_rule": "cv2"},
        {"rounding": "ceil"},
    ],
)
def test_arrays_that_do_not_fit_are_refused(change: dict) -> None:
    with pytest.raises(ValueError, match=r"must|no "):
        replace(Polygons.from_rings([[SQUARE]], [1]), **change)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e300, 2.0**31])
def test_a_point_that_is_nowhere_is_named(value: float) -> None:
    polygons = Polygons.from_rings([[SQUARE], [SQUARE, [(0, 0), (1, value), (2, 2)]]], [1, 2])
    with pytest.raises(FormatError, match="polygon 1, point 5") as caught:
        rasterize(polygons, (8, 8))
    assert str(value) in str(caught.value)


@pytest.mark.parametrize("id", [256, -1])
def test_an_id_beyond_eight_bits_is_refused_not_wrapped(id: int) -> None:
    with pytest.raises(UsageError, match=f"class id {id}"):
        rasterize(Polygons.from_rings([[SQUARE]], [id]), (8, 8))


def test_refs_and_notes_cross_processes() -> None:
    ref = SampleRef("a/b", "val", Path("x.jpg"), ("y", 3))
    assert pickle.loads(pickle.dumps(ref)) == ref
    assert pickle.loads(pickle.dumps(Note("a", "b", 2))) == Note("a", "b", 2)


@pytest.mark.parametrize("rounding", ["truncate", "nearest", "floor"])
def test_rounding_moves_vertices(rounding: str) -> None:
    ring = np.array([(-0.6, 0.5), (4.5, 0.5), (4.5, 5.5), (-0.6, 5.5)])
    rounded = {"truncate": np.trunc, "nearest": np.around, "floor": np.floor}[rounding](ring)
    ours = rasterize(Polygons.from_rings([[ring]], [1], rounding=rounding), (8, 8))
    whole = rasterize(Polygons.from_rings([[rounded]], [1]), (8, 8))
    assert (ours == whole).all()
