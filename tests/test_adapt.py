"""Between polygons and masks: whatever the writer accepts, not a pixel changes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from segfmt import Accepts, Mask, Polygons, Sample, SampleRef, rasterize, trace
from segfmt.adapt import Adapter
from segfmt.raster import rasterize_instances

SHAPE = (40, 50)
RULES = ["opencv", "pillow", "center"]
HOLES = ["rings", "painter", "keyhole"]


def drawn(rule: str, rounding: str = "nearest", rings: int = 1, numbers: bool = False) -> Polygons:
    random = np.random.default_rng(len(rule) + rings)
    polygons = [
        [random.uniform(-5, 55, (random.integers(3, 8), 2)) for _ in range(rings)] for _ in range(9)
    ]
    return Polygons.from_rings(
        polygons,
        random.integers(1, 4, 9),
        instance_ids=random.integers(0, 700, 9) if numbers else None,
        fill_rule=rule,
        rounding=rounding,
    )


def sample(label: Any) -> Sample:
    return Sample(SampleRef("a", image=Path("a.jpg")), SHAPE, label)


def painted(label: Polygons | Mask) -> np.ndarray:
    return label.ids if isinstance(label, Mask) else rasterize(label, SHAPE)


@pytest.mark.parametrize("source", RULES)
@pytest.mark.parametrize("target", [*RULES, None])
@pytest.mark.parametrize("holes", HOLES)
@pytest.mark.parametrize("rings", [1, 2])
def test_polygons_for_polygon_writers(source: Any, target: Any, holes: Any, rings: int) -> None:
    label = drawn(source, rings=rings)
    accepts = Accepts(polygons=True, mask=False, holes=holes, fill_rule=target)
    adapted, rule = Adapter(accepts, 0)(sample(label))
    assert isinstance(adapted.label, Polygons)
    assert rule.startswith(source)
    assert target in (None, adapted.label.fill_rule)
    if holes != "rings":
        assert len(adapted.label) == len(adapted.label.ring_offsets) - 1
    assert (painted(adapted.label) == rasterize(label, SHAPE)).all()


@pytest.mark.parametrize("source", ["truncate", "nearest", "floor"])
@pytest.mark.parametrize("target", ["truncate", "nearest", "floor"])
def test_vertices_are_made_whole_where_roundings_differ(source: Any, target: Any) -> None:
    label = drawn("opencv", source)
    accepts = Accepts(polygons=True, mask=False, fill_rule="opencv", rounding=target)
    adapted, _ = Adapter(accepts, 0)(sample(label))
    assert isinstance(adapted.label, Polygons)
    assert adapted.label.rounding == target
    assert len(adapted.label.points) == len(label.points)
    assert (painted(adapted.label) == rasterize(label, SHAPE)).all()


@pytest.mark.parametrize("rule", RULES)
def test_masks_for_mask_writers(rule: Any) -> None:
    label = drawn(rule)
    adapted, _ = Adapter(Accepts(), 3)(sample(label))
    assert isinstance(adapted.label, Mask)
    assert (adapted.label.ids == rasterize(label, SHAPE, background=3)).all()


def test_overrides_win_over_the_readers_rule() -> None:
    label = drawn("opencv")
    adapted, rule = Adapter(Accepts(), 0, "opencv", "floor")(sample(label))
    assert rule == "opencv, vertices floor"
    expected = Polygons.from_rings(
        [[ring] for ring in np.split(np.floor(label.points), label.ring_offsets[1:-1])],
        label.class_ids,
    )
    assert (adapted.label.ids == rasterize(expected, SHAPE)).all()


@pytest.mark.parametrize("count", [9, 300, 70_000])
def test_object_numbers_are_those_of_the_polygon_on_top(count: int) -> None:
    random = np.random.default_rng(count)
    corners = random.integers(0, 40, (count, 2))
    rings = [[np.array([(x, y), (x + 2, y), (x + 2, y + 2)])] for x, y in corners]
    numbers = random.integers(0, 60_000, count)
    label = Polygons.from_rings(rings, np.ones(count, int), instance_ids=numbers)
    expected = np.zeros(SHAPE, np.int64)
    last = Polygons.from_rings(rings[-300:], np.ones(min(count, 300), int))
    for place in range(len(last)):
        one = Polygons.from_rings([rings[-300:][place]], [1])
        expected[rasterize(one, SHAPE) > 0] = numbers[-300:][place] + 1
    found = rasterize_instances(label, SHAPE)
    seen = expected > 0
    assert (found[seen] == expected[seen] - 1).all()


def test_object_numbers_travel_or_are_reported() -> None:
    label = drawn("opencv", numbers=True)
    kept, _ = Adapter(Accepts(instances=True), 0)(sample(label))
    assert kept.label.instances is not None
    assert not kept.notes
    dropped, _ = Adapter(Accepts(), 0)(sample(label))
    assert dropped.label.instances is None
    assert [note.code for note in dropped.notes] == ["object numbers dropped"]
    accepts = Accepts(
        polygons=True, mask=False, instances=True, holes="keyhole", fill_rule="pillow"
    )
    traced, _ = Adapter(accepts, 0)(sample(kept.label))
    assert (painted(traced.label) == kept.label.ids).all()
    inside = kept.label.ids > 0
    again = rasterize_instances(traced.label, SHAPE)
    assert (again[inside] == kept.label.instances[inside]).all()


@given(
    hnp.arrays(
        np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.integers(0, 3)
    ),
    st.sampled_from(RULES),
    st.sampled_from(HOLES),
    st.integers(0, 3),
)
def test_a_traced_mask_paints_itself(
    ids: np.ndarray, rule: Any, holes: Any, background: int
) -> None:
    polygons = trace(ids, fill_rule=rule, holes=holes, background=background)
    assert (rasterize(polygons, ids.shape, background=background) == ids).all()
