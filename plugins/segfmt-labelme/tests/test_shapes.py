"""What shapes paint, held against labelme: its rules restated, and itself where it can be run.

SEGFMT_LABELME_PYTHON names a Python that has labelme 6.3.1.
"""

import json
import os
import random
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from labelme_files import (
    IDS,
    SQUARE,
    Document,
    document,
    documents,
    mask_of,
    objects,
    only,
    painted,
    put,
    put_image,
    put_labels,
    read,
    same_parts,
    shape_of,
    shapes_to_label,
)

import segfmt

labelme = pytest.mark.skipif(
    "SEGFMT_LABELME_PYTHON" not in os.environ,
    reason="SEGFMT_LABELME_PYTHON names no Python that has labelme",
)


def check_against(sample: segfmt.Sample, ids: Any, numbers: Any) -> None:
    assert (painted(sample) == np.where(ids < 0, 255, ids)).all()
    is_class = (ids > 0) & (ids < 255)  # background and ignore are no objects here
    assert same_parts(np.where(is_class, numbers, 0), objects(sample))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(documents())
def test_shapes_are_painted_as_labelme_paints_them(doc: Document) -> None:
    with TemporaryDirectory() as folder:
        root = Path(folder)
        put(root / "a.json", doc)
        put_labels(root)
        check_against(only(root), *shapes_to_label(doc))


JUDGE = """
import sys
from pathlib import Path
import numpy as np
from labelme import LabelFile
from labelme.utils import img_data_to_arr, shapes_to_label

root = Path(sys.argv[1])
names = (root / "labels.txt").read_text(encoding="utf-8").split("\\n")
values = {name: place - 1 for place, name in enumerate(names)}
for path in sorted(root.rglob("*/*.json")):
    if ".segfmt" not in path.parts:
        label = LabelFile(str(path))
        shape = img_data_to_arr(label.image_data).shape
        np.save(path.with_suffix(".npy"), np.stack(shapes_to_label(shape, label.shapes, values)))
"""


def judge(root: Path) -> None:
    """Have labelme load all label files below a folder, and save what it paints beside them."""
    subprocess.run(
        [os.environ["SEGFMT_LABELME_PYTHON"], "-c", JUDGE, str(root)],
        check=True,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "LOGURU_LEVEL": "WARNING"},
    )


def random_document(drawer: random.Random) -> Document:
    """Return shapes of all types at any place, under ids, names and groups."""
    width, height = drawer.randint(1, 60), drawer.randint(1, 40)
    counts = {"polygon": (3, 9), "linestrip": (2, 6), "oriented_rectangle": (4, 4), "point": (1, 1)}
    shapes = []
    for _ in range(drawer.randint(0, 9)):
        kind = drawer.choice([*counts, "rectangle", "circle", "line", "mask"])
        label, group = drawer.choice(list(IDS)), drawer.choice([None, None, 0, 1, 5])
        count = drawer.randint(*counts.get(kind, (2, 2)))
        points = [[drawer.uniform(-20, 70), drawer.uniform(-20, 60)] for _ in range(count)]
        if drawer.random() < 0.3:
            points = [[round(x), round(y)] for x, y in points]
        if kind == "mask":
            x, y = drawer.randrange(width), drawer.randrange(height)
            pixels = np.random.default_rng(drawer.randrange(2**32)).random((height - y, width - x))
            shapes.append(mask_of(label, pixels < drawer.random(), (x, y), group_id=group))
        else:
            shapes.append(shape_of(label, points, kind, group_id=group))
    return document(*shapes, size=(width, height))


@labelme
def test_labelme_itself_paints_the_same(tmp_path: Path) -> None:
    drawer = random.Random(5)
    docs = [random_document(drawer) for _ in range(80)]
    assert sum(len(doc["shapes"]) for doc in docs) > 300
    put_labels(tmp_path)
    for number, doc in enumerate(docs):
        put(tmp_path / f"{number:03}" / "a.json", doc)
        put_image(tmp_path / f"{number:03}" / "a.png", (doc["imageWidth"], doc["imageHeight"]))
    judge(tmp_path)
    dataset = segfmt.open_dataset(tmp_path)
    for ref in dataset.refs():
        ids, numbers = np.load(ref.source.with_suffix(".npy"))
        check_against(dataset.reader.load(ref), ids, numbers)


def test_a_polygon_and_what_covers_it(tmp_path: Path) -> None:
    sample = read(
        tmp_path,
        shape_of("road"),
        shape_of("자전거", [[3.9, 2.2], [6.7, 5.9]], "rectangle"),
        shape_of("_background_", [[0, 3], [9, 3], [9, 3]]),
        shape_of("__ignore__", [[0, 0], [0, 9], [0, 9]]),
    )
    assert painted(sample).tolist() == [
        [255, 0, 0, 0, 0, 0, 0, 0],
        [255, 1, 1, 1, 1, 0, 0, 0],
        [255, 1, 1, 2, 2, 2, 2, 0],
        [255, 0, 0, 0, 0, 0, 0, 0],
        [255, 0, 0, 2, 2, 2, 2, 0],
        [255, 0, 0, 2, 2, 2, 2, 0],
    ]
    assert sample.label.fill_rule == "pillow"
    assert sample.label.class_ids.tolist() == [1, 2, 0, 255]
    assert sample.label.instance_ids.tolist() == [1, 1, 0, 0]


def test_a_mask_with_a_hole_and_parts_is_one_object(tmp_path: Path) -> None:
    mask = np.array([[1, 1, 1, 0, 1], [1, 0, 1, 0, 0], [1, 1, 1, 0, 1]], bool)
    sample = read(
        tmp_path, shape_of("road", [[0, 0], [7, 5]], "rectangle"), mask_of("자전거", mask)
    )
    assert (painted(sample)[:3, :5] == np.where(mask, 2, 1)).all()
    assert set(sample.label.instance_ids[1:].tolist()) == {1}


def test_objects_are_a_class_and_a_group_or_a_shape_without_one(tmp_path: Path) -> None:
    groups = [
        ("road", 4),
        ("자전거", 4),
        ("road", None),
        ("road", 4),
        ("road", None),
        ("road", "4"),
    ]
    sample = read(tmp_path, *(shape_of(label, group_id=group) for label, group in groups))
    assert sample.label.instance_ids.tolist() == [1, 1, 2, 1, 3, 4]
    assert only(tmp_path, instances=False).label.instance_ids is None


@pytest.mark.parametrize("shape_type", [{"shape_type": None}, {}], ids=["null", "missing"])
def test_a_shape_without_a_type_is_a_polygon(tmp_path: Path, shape_type: Document) -> None:
    shape = {"label": "road", "points": SQUARE, **shape_type}
    assert (painted(read(tmp_path, shape)) == painted(read(tmp_path, shape_of("road")))).all()


def test_what_x_anylabeling_writes_otherwise(tmp_path: Path) -> None:
    corners = [[1, 1], [5, 1], [5, 4], [1, 4]]
    by_two = painted(read(tmp_path, shape_of("road", [[5, 4], [1, 1]], "rectangle")))
    assert (painted(read(tmp_path, shape_of("road", corners, "rectangle"))) == by_two).all()
    slanted = [[3, 0], [6, 3], [4, 5], [1, 2]]
    as_polygon = painted(read(tmp_path, shape_of("road", slanted)))
    for kind in ("rotation", "oriented_rectangle"):
        assert (painted(read(tmp_path, shape_of("road", slanted, kind))) == as_polygon).all()


@pytest.mark.parametrize(
    ("kind", "count"),
    [
        ("polygon", 0),
        ("polygon", 2),
        ("rectangle", 3),
        ("oriented_rectangle", 3),
        ("circle", 1),
        ("line", 3),
        ("linestrip", 1),
        ("point", 2),
        ("mask", 4),
    ],
)
def test_a_shape_of_too_few_points_is_dropped_and_counted(
    tmp_path: Path, kind: str, count: int
) -> None:
    broken = shape_of("road", [[1, 1]] * count, kind)
    sample = read(tmp_path, broken, shape_of("자전거"), broken)
    assert (painted(sample) == painted(read(tmp_path / "b", shape_of("자전거")))).all()
    note = segfmt.Note("shapes dropped: wrong number of points", f"{kind} of {count}", 2)
    assert sample.notes == (note,)


MASK = np.ones((2, 3), bool)


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        (
            shape_of("road", kind="polygn"),
            'shapes[1].shape_type: is "polygn", which is no type of shape that labelme can paint. '
            'Did you mean "polygon"?',
        ),
        (
            shape_of("road", kind="cuboid"),
            'shapes[1].shape_type: is "cuboid", which is no type of shape that labelme can paint. '
            "There are: circle, line, linestrip, mask, oriented_rectangle, point, polygon, "
            "rectangle, rotation.",
        ),
        (
            {**mask_of("road", MASK), "points": [[0, 0], [3, 1]]},
            "shapes[1].mask: is 3 x 2, and its box in the image 4 x 2 at (0, 0). Mend or remove "
            "that shape.",
        ),
        (
            {**mask_of("road", MASK), "points": [[-1, 0], [1, 1]]},
            "shapes[1].mask: is 3 x 2, and its box in the image 3 x 2 at (-1, 0). Mend or remove "
            "that shape.",
        ),
        (
            mask_of("road", MASK, (6, 0)),
            "shapes[1].mask: is 3 x 2, and its box in the image 2 x 2 at (6, 0). Mend or remove "
            "that shape.",
        ),
        (
            mask_of("road", np.zeros((2, 3, 3), np.uint8)),
            "shapes[1].mask: is an image in color, not a mask",
        ),
        (
            {**mask_of("road", MASK), "mask": "AAAA"},
            "shapes[1].mask: is no PNG in base64: cannot identify image file",
        ),
        (
            {**mask_of("road", MASK), "mask": "A"},
            "shapes[1].mask: is no PNG in base64: Invalid base64-encoded string",
        ),
        (shape_of("road", [[0, 0], [1, 1]], "mask"), "shapes[1].mask: is no PNG in base64: "),
        (
            shape_of("road", [[1, "x"], [2, 2], [3, 3]]),
            'shapes[1].points[0]: has the coordinate "x", no number. Mend or remove that polygon.',
        ),
        (
            shape_of("road", [[0, 0], [2e5, 0]], "circle"),
            "shapes[1].points: is a circle with a radius of over 100000. Mend or remove that "
            "shape.",
        ),
        (
            shape_of("road", [[0, 0], [1e200, 1e200]], "circle"),
            "shapes[1].points: is over 16777216 pixels away. Mend or remove that shape.",
        ),
        (
            shape_of("road", [[1e300, 0], [0, 0]], "line"),
            "shapes[1].points: is over 16777216 pixels away. Mend or remove that shape.",
        ),
    ],
)
def test_a_shape_that_cannot_be_painted_fails_the_sample(
    tmp_path: Path, shape: Document, words: str
) -> None:
    with pytest.raises(segfmt.FormatError) as caught:
        read(tmp_path, shape_of("자전거"), shape)
    assert str(caught.value).startswith(f"{tmp_path / 'a.json'}, {words}")


def test_json_that_python_writes_of_nan_is_told_as_such(tmp_path: Path) -> None:
    text = json.dumps(document(shape_of("road", [[0, 0], [float("nan"), 1], [3, 3]])))
    put(tmp_path / "a.json", text.encode())
    with pytest.raises(segfmt.FormatError, match=r'shapes\[0\].points\[1\]: .* "NaN", no number'):
        only(tmp_path)
