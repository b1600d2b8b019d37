"""Objects numbered over all classes, against NumPy."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from segfmt import FormatError, Polygons, rasterize, rasterize_instances
from segfmt.kernels.objects import close_up, find_painted
from segfmt.model import FillRule
from segfmt.objects import VOID, number_objects, paint_objects
from segfmt.scratch import scratch


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


@pytest.mark.parametrize("rule", ["opencv", "pillow", "center", "coco"])
@pytest.mark.parametrize("background", [0, 7, VOID])
@pytest.mark.parametrize("count", [0, 5, 60, 300])
def test_objects_of_polygons_are_painted_as_they_would_be_numbered(
    rule: FillRule, background: int, count: int
) -> None:
    """Some are covered by later ones, some are void, some are none, some have several parts."""
    random = np.random.default_rng(count)
    shape, size = (50, 70), 40 if count < 100 else 9
    corners = random.uniform(-10, 70, (count, 1, 2))
    polygons = Polygons.from_rings(
        [[ring] for ring in corners + random.uniform(0, size, (count, 5, 2))],
        random.choice([0, 1, 3, 254, VOID], count),
        instance_ids=random.integers(0, 90, count),
        fill_rule=rule,
    )
    ids = rasterize(polygons, shape, background=background)
    numbers = rasterize_instances(polygons, shape)
    for name in ("mask", "objects"):
        scratch(name, (51, 71))[:] = 5  # another sample's
    classes, objects = paint_objects(polygons, shape, background)
    assert np.array_equal(classes, ids)
    assert np.array_equal(objects, naive(ids, numbers))


def test_an_object_that_is_painted_far_from_its_points_counts() -> None:
    """Pillow counts in float32: this line paints three pixels, one beside its end."""
    cars = [[[(107, 3), (-153076865, -1)]], [[(0, 0), (109, 0), (109, 40), (0, 40)]]]
    polygons = Polygons.from_rings(cars, [26, 26], instance_ids=[1, 2], fill_rule="pillow")
    classes, objects = paint_objects(polygons, (60, 200), 0)
    numbers = rasterize_instances(polygons, (60, 200))
    assert set(np.unique(numbers)) == {0, 1, 2}
    assert np.array_equal(objects, naive(classes, numbers))


def test_more_polygons_than_a_byte_holds_may_be_covered() -> None:
    def squares(places: range) -> Polygons:
        rings = [[[(x, 1), (x + 0.4, 1), (x + 0.4, 2), (x, 2)]] for x in places]
        numbers = range(1, len(rings) + 1)
        return Polygons.from_rings(rings, [1] * len(rings), instance_ids=[*numbers])

    for places, fits in ((range(254), True), (range(255), False)):
        if fits:
            _, objects = paint_objects(squares(places), (4, 300), 0)
            assert objects.max() == 254
        else:
            with pytest.raises(FormatError, match=r"255 objects.*instances=false"):
                paint_objects(squares(places), (4, 300), 0)
    covered = Polygons.from_rings(
        [[[(0, 0), (9, 0), (9, 9)]] for _ in range(400)],
        [1] * 400,
        instance_ids=[*range(1, 401)],
    )
    classes, objects = paint_objects(covered, (12, 12), 0)
    assert np.array_equal(classes, rasterize(covered, (12, 12)))
    assert objects.max() == 1


FAR = st.floats(-(2.0**26), 2.0**26)  # where float32 is off by whole pixels
COORDINATES = st.floats(-20, 160) | FAR
RINGS = st.lists(st.tuples(COORDINATES, COORDINATES), min_size=1, max_size=4)


@given(
    st.lists(st.lists(RINGS, max_size=2), max_size=6),
    st.sampled_from(["opencv", "pillow", "center", "coco"]),
    st.data(),
)
def test_what_is_left_of_painted_polygons_is_found(
    rings: list[list[list[tuple[float, float]]]], rule: FillRule, data: st.DataObject
) -> None:
    values = data.draw(arrays.arrays(np.uint8, len(rings), elements=st.integers(1, 4)))
    polygons = Polygons.from_rings(rings, values, fill_rule=rule)
    painted = np.zeros((30, 140), np.uint8)
    rasterize(polygons, (30, 135), out=painted[:, :135])
    painted[:, 135:] = values.max(initial=0)  # beyond the image, where nobody looks
    present = np.zeros(256, np.uint8)
    flat = polygons.points, polygons.ring_offsets, polygons.polygon_offsets
    find_painted(painted, 135, *flat, values, present)
    assert np.flatnonzero(present).tolist() == [*filter(None, np.unique(painted[:, :135]))]


@given(st.data())
def test_gaps_between_values_are_closed(data: st.DataObject) -> None:
    few = data.draw(arrays.arrays(np.uint8, st.integers(0, 90)))
    values = np.repeat(few, data.draw(st.sampled_from([1, 7, 64, 400])))
    free = sorted({*range(1, 255)} - {*few.tolist()})
    missing = np.array(sorted(data.draw(st.sets(st.sampled_from(free), max_size=30))), np.uint8)
    expected = [
        value if value == VOID else value - np.count_nonzero(missing < value) for value in values
    ]
    close_up(values, missing, np.uint8(VOID))
    assert values.tolist() == expected
