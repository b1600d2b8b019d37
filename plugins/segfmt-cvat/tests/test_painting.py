"""Pixels, held against CVAT's own export, and against OpenCV for the sidewalk set."""

import random
from pathlib import Path
from xml.etree.ElementTree import fromstring

import cv2
import cvat_rules
import numpy as np
import pytest
from cvat_files import (
    SIZE,
    attribute,
    document,
    image,
    label,
    one,
    only,
    painted,
    polygon,
    shape,
    value,
    write,
)
from sidewalk_files import SURFACE_LABELS, surface

from segfmt import Mask, Polygons, open_dataset
from segfmt_cvat._ellipse import ellipse_inside

# pycocotools 2.0.11 knows NumPy 2 but for this.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
IDS = {"road": 1, "하늘": 2, "c": 3}
LABELS = "".join(map(label, IDS))


def number(rng: random.Random, high: float) -> str:
    return f"{rng.uniform(-3, high + 3):.2f}"


def any_shape(rng: random.Random, size: tuple[int, int]) -> str:
    height, width = size
    tag = rng.choice(["polygon", "polygon", "box", "mask", "ellipse", "polyline"])
    given: dict[str, object] = {"label": rng.choice(list(IDS)), "z_order": rng.randint(0, 2)}
    if tag in ("polygon", "polyline"):
        pairs = [f"{number(rng, width)},{number(rng, height)}" for _ in range(rng.randint(3, 8))]
        given["points"] = ";".join(pairs)
    elif tag == "box":
        given |= {"xtl": number(rng, width), "ytl": number(rng, height)}
        given |= {"xbr": number(rng, width), "ybr": number(rng, height)}
        given["rotation"] = rng.choice([None, f"{rng.uniform(0, 360):.2f}"])
    elif tag == "ellipse":
        given |= {"cx": number(rng, width), "cy": number(rng, height)}
        given |= {"rx": f"{rng.uniform(0, 9):.2f}", "ry": f"{rng.uniform(0, 30):.2f}"}
        given["rotation"] = rng.choice([None, f"{rng.uniform(0, 360):.2f}"])
    else:
        left, top = rng.randrange(width), rng.randrange(height)
        w, h = rng.randint(1, width - left), rng.randint(1, height - top)
        bounds = sorted(rng.randint(0, w * h) for _ in range(rng.randint(0, 6)))
        runs = np.diff([0, *bounds, w * h]).tolist()
        given |= {"rle": ", ".join(map(str, runs)), "left": left, "top": top}
        given |= {"width": w, "height": h}
    return shape(tag, **given)


@pytest.mark.parametrize("seed", range(60))
def test_every_shape_covers_what_cvat_exports(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    size = rng.randint(1, 40), rng.randint(1, 40)
    text = image("x.jpg", *(any_shape(rng, size) for _ in range(rng.randint(0, 9))), size=size)
    write(tmp_path / "a.xml", document(text, labels=LABELS))
    expected = cvat_rules.export(fromstring(text), IDS)
    assert (painted(only(tmp_path)) == expected).all()


def test_outlines_alone_stay_polygons_and_pixels_make_a_mask(tmp_path: Path) -> None:
    box = shape("box", xtl=1, ytl=1, xbr=4, ybr=3)
    sample = one(tmp_path, polygon(), box)
    assert isinstance(sample.label, Polygons)
    assert sample.label.fill_rule == "coco"
    assert sample.label.points[4:].tolist() == [[1, 1], [4, 1], [4, 3], [1, 3]]
    ellipse = shape("ellipse", cx=5, cy=5, rx=2, ry=1)
    assert isinstance(one(tmp_path, polygon(), box, ellipse).label, Mask)


def test_layers_go_before_the_order_of_the_file(tmp_path: Path) -> None:
    sample = one(
        tmp_path,
        polygon("road", z_order=5),
        polygon("하늘", z_order=-1),
        polygon("하늘", z_order=5),
    )
    assert sample.label.class_ids.tolist() == [2, 1, 2]


def test_a_mask_by_hand(tmp_path: Path) -> None:
    mask = shape("mask", "하늘", rle="1, 3, 2", left=4, top=2, width=3, height=2)
    expected = np.zeros(SIZE, np.uint8)
    expected[2:7, 2:9] = 1
    expected[2, 5:7] = 2
    expected[3, 4] = 2
    assert (painted(one(tmp_path, polygon(), mask)) == expected).all()


def test_ids_beyond_255_among_masks(tmp_path: Path) -> None:
    names = [f"c{place}" for place in range(300)]
    mask = shape("mask", "c299", rle="0, 4", left=0, top=0, width=2, height=2)
    sample = one(tmp_path, polygon("c1"), mask, labels="".join(map(label, names)))
    table = {info.name: info.id for info in open_dataset(tmp_path, "cvat").classes}
    assert sample.label.ids.dtype == np.uint16
    assert sample.label.ids[0, 0] == table["c299"] > 255
    assert sample.label.ids[4, 4] == table["c1"] == 2


@pytest.mark.parametrize("seed", range(20))
def test_the_sidewalk_set_is_painted_as_its_masks_are(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    rings, shapes = [], []
    for kind, wanted in (("blocks", 1), ("cement", 2), ("damaged", 6), ("other", 7)):
        points = [(rng.uniform(-2, 18), rng.uniform(-2, 14)) for _ in range(rng.randint(3, 7))]
        text = ";".join(f"{x:.2f},{y:.2f}" for x, y in points)
        z = rng.randint(0, 9)
        shapes.append(surface("sidewalk", kind, text, z_order=z))
        rings.append((z, np.array([pair.split(",") for pair in text.split(";")], float), wanted))
    expected = np.zeros(SIZE, np.uint8)
    for _, ring, wanted in sorted(rings, key=lambda row: row[0]):
        cv2.fillPoly(expected, [ring.astype(np.int32)], wanted)
    sample = one(tmp_path, *shapes, labels=SURFACE_LABELS)
    assert (sample.label.fill_rule, sample.label.rounding) == ("opencv", "truncate")
    assert (painted(sample) == expected).all()


@pytest.mark.parametrize("seed", range(300))
def test_ellipses_are_opencvs(seed: int) -> None:
    rng = random.Random(seed)
    height, width = rng.randint(1, 50), rng.randint(1, 50)
    reach = rng.choice([3, 12, 40, 400])  # far beyond the image, too: lines are clipped there
    center = rng.randint(-reach, width + reach), rng.randint(-reach, height + reach)
    radii = rng.randint(0, reach), rng.randint(0, reach)
    angle = rng.randint(-400, 400)
    expected = np.zeros((height, width), np.uint8)
    cv2.ellipse(expected, center, radii, angle, 0, 360, 1, thickness=-1)
    assert (ellipse_inside(center, radii, angle, (height, width)) == expected).all()


def test_an_ellipse_by_hand() -> None:
    rows = ["..#..", ".###.", "#####", ".###.", "..#.."]
    found = ellipse_inside((2, 2), (2, 2), 0, (5, 5))
    assert ["".join(".#"[pixel] for pixel in row) for row in found.astype(int)] == rows


def test_attributes_and_objects_go_with_pixels(tmp_path: Path) -> None:
    labels = label("car", attribute("state", "select", ["parked", "moving"], "parked"))
    mask = shape("mask", "car", rle="0, 4", left=0, top=0, width=2, height=2, group_id=7)
    shapes = polygon("car", "5,5;9,5;9,9;5,9", value("moving", "state"), group_id=3), mask
    sample = one(tmp_path, *shapes, labels=labels, attributes="state")
    assert sample.label.ids[0, 0] == 1
    assert sample.label.ids[6, 6] == 2
    assert sample.label.instances[[0, 6, 11], [0, 6, 15]].tolist() == [1, 1, 0]
