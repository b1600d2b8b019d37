"""Reading Cityscapes, held against what cityscapesScripts draws."""

import os
import pickle
import unicodedata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from PIL import Image

from cityscapes_files import (
    CORE,
    SQUARE,
    Document,
    document,
    documents,
    drawn,
    instance_image,
    json2instanceimg,
    json2labelimg,
    only,
    painted,
    pixels,
    put,
    put_image,
    shape_of,
)
from segfmt import FormatError, Mask
from segfmt.formats.cityscapes import CityscapesReader, detect


@settings(max_examples=60, deadline=None, derandomize=True)
@given(documents)
def test_polygons_paint_as_json2labelimg_and_json2instanceimg_do(doc: Document) -> None:
    with TemporaryDirectory() as folder:
        root = Path(folder)
        put(root, "polygons", doc)
        sample, train = only(root), only(root, ids="train")
    assert sample.shape == train.shape == (doc["imgHeight"], doc["imgWidth"])
    assert (painted(sample)[0] == json2labelimg(doc, "ids")).all()
    assert (instance_image(sample) == json2instanceimg(doc, "ids")).all()
    assert (painted(train)[0] == json2labelimg(doc, "trainIds")).all()
    assert (instance_image(train) == json2instanceimg(doc, "trainIds")).all()


def test_every_kind_of_label_says_the_same(tmp_path: Path) -> None:
    car = shape_of("car", [[0, 0], [2, 0], [2, 4]])
    doc = document(shape_of("road"), car, shape_of("cargroup", [[5, 5], [7, 5]]), car)
    put(tmp_path, "polygons", doc)
    for kind, array in drawn(doc).items():
        put(tmp_path, kind, array.astype(np.uint16) if kind == "instanceIds" else array)
    ids, instances = json2labelimg(doc, "ids"), json2instanceimg(doc, "ids")
    for kind in ("labelIds", "polygons", "instanceIds"):
        sample = only(tmp_path, labels=kind)
        assert (painted(sample)[0] == ids).all(), kind
        assert (instance_image(sample) == instances).all(), kind
    sample = only(tmp_path, labels="labelTrainIds")
    assert isinstance(sample.label, Mask)
    assert (sample.label.ids == ids).all()  # 255 is unlabeled, and nothing else is in the picture
    assert (instance_image(sample) == instances).all()
    assert (only(tmp_path, labels="color").label.ids == ids).all()


@pytest.mark.parametrize("kind", ["labelIds", "polygons", "instanceIds", "labelTrainIds", "color"])
def test_train_ids_on_request(tmp_path: Path, kind: str) -> None:
    doc = document(
        shape_of("parking", [[0, 0], [7, 0], [7, 5], [0, 5]]),
        shape_of("road"),
        shape_of("caravan", [[5, 0], [7, 0], [7, 5], [5, 5]]),
        shape_of("rider", [[0, 4], [7, 5], [0, 5]]),
    )
    put(
        tmp_path,
        kind,
        doc
        if kind == "polygons"
        else drawn(doc)[kind].astype(np.uint16 if kind == "instanceIds" else np.uint8),
    )
    put(tmp_path, "instanceIds", json2instanceimg(doc, "ids").astype(np.uint16))
    reader = CityscapesReader(tmp_path, labels=kind, ids="train")
    (ref,) = reader.scan()
    sample = reader.load(ref)
    if kind == "color":
        assert (sample.label.ids == json2labelimg(doc, "trainIds")).all()
    else:
        assert (painted(sample)[0] == json2labelimg(doc, "trainIds")).all()
        assert (instance_image(sample) == json2instanceimg(doc, "trainIds")).all()
    assert len(reader.classes) == 20
    assert reader.classes.background is None
    assert reader.classes.by_name("rider").id == 12
    assert reader.classes.ignore is not None
    assert reader.classes.ignore.id == 255


def test_auto_takes_of_each_sample_the_first_there_is(tmp_path: Path) -> None:
    order = ("labelIds", "polygons", "instanceIds", "labelTrainIds", "color")
    doc = document(shape_of("road"))
    for first in range(5):
        for kind in order[first:]:
            content = (
                doc
                if kind == "polygons"
                else drawn(doc)[kind].astype(np.uint16 if kind == "instanceIds" else np.uint8)
            )
            put(tmp_path, kind, content, f"ulm_000000_{first:06}")
    reader = CityscapesReader(tmp_path)
    assert [ref.source.stem.split("_")[-1] for ref in reader.scan()] == list(order)
    for ref in reader.scan():
        sample = reader.load(ref)
        ids = sample.label.ids if isinstance(sample.label, Mask) else painted(sample)[0]
        assert (ids == json2labelimg(doc, "ids")).all()


def test_splits_keys_and_images(tmp_path: Path) -> None:
    for split, gt, city in (
        ("train", "gtFine", "aachen"),
        ("val", "gtFine", "ulm"),
        ("train_extra", "gtCoarse", "bonn"),
        ("train", "gtCoarse", "aachen"),
    ):
        core = f"{city}_000000_000019"
        for folder, name in ((gt, f"{core}_{gt}_labelIds"), ("leftImg8bit", f"{core}_leftImg8bit")):
            path = tmp_path / folder / split / city / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((2, 3), 7, np.uint8)).save(path)
    # An image without labels is no sample, and other packages have other folders.
    (tmp_path / "leftImg8bit" / "train" / "aachen" / "aachen_000001_000019_leftImg8bit.png").touch()
    (tmp_path / "camera" / "train" / "aachen").mkdir(parents=True)
    (tmp_path / "camera" / "train" / "aachen" / f"{CORE}_camera.json").touch()
    reader = CityscapesReader(tmp_path)
    refs = list(reader.scan())
    assert [(ref.split, ref.key) for ref in refs] == [
        ("train", f"aachen/{CORE}"),
        ("val", "ulm/ulm_000000_000019"),
    ]
    assert refs[0].image == tmp_path / "leftImg8bit/train/aachen" / f"{CORE}_leftImg8bit.png"
    assert "gtCoarse is there" in reader.warnings[0]
    coarse = CityscapesReader(tmp_path, quality="coarse")
    assert [ref.split for ref in coarse.scan()] == ["train", "train_extra"]
    assert coarse.warnings == ()
    assert pickle.loads(pickle.dumps((reader, refs[0]))) == (reader, refs[0])


def test_coarse_alone_needs_no_option(tmp_path: Path) -> None:
    put(tmp_path, "labelIds", np.zeros((6, 8), np.uint8), gt="gtCoarse")
    put(tmp_path, "instanceIds", np.full((6, 8), 26003, np.uint16), gt="gtCoarse")
    sample = only(tmp_path, labels="instanceIds")
    assert sample.label.ids.tolist() == [[26] * 8] * 6
    assert sample.label.instances.tolist() == [[4] * 8] * 6
    assert only(tmp_path, labels="instanceIds", instances=False).label.instances is None


def test_folders_of_the_archives_one_below_and_names_in_nfd(tmp_path: Path) -> None:
    city = "münchen"
    core = f"{city}_000000_000019"
    label = put(tmp_path / "gtFine_trainvaltest", "labelIds", np.zeros((6, 8), np.uint8), core)
    image = put_image(tmp_path / "leftImg8bit_trainvaltest", core)
    decomposed = unicodedata.normalize("NFD", image.name)
    image.rename(image.with_name(decomposed))
    (ref,) = CityscapesReader(tmp_path).scan()
    assert ref.key == f"{city}/{core}"
    assert ref.source == label
    assert ref.image is not None
    assert ref.image.name == decomposed
    assert detect(tmp_path) == "there is a folder gtFine"
    assert detect(tmp_path / "gtFine_trainvaltest" / "gtFine") is None


def test_what_instance_ids_say_of_other_pixels_is_dropped_and_counted(tmp_path: Path) -> None:
    put(tmp_path, "labelIds", np.array([[26, 26, 24, 11, 11]], np.uint8))
    put(tmp_path, "instanceIds", np.array([[26000, 26, 26001, 11, 11004]], np.uint16))
    sample = only(tmp_path)
    assert sample.label.ids.tolist() == [[26, 26, 24, 11, 11]]
    assert sample.label.instances.tolist() == [[1, 0, 0, 0, 5]]
    assert [(note.code, note.count) for note in sample.notes] == [
        ("pixels of another class in instanceIds", 1)
    ]
    put(tmp_path, "instanceIds", np.array([[26000, 26]], np.uint16))
    with pytest.raises(FormatError, match="is 2 x 1, another size"):
        only(tmp_path)


def test_train_ids_that_become_label_ids_say_what_becomes_of_255(tmp_path: Path) -> None:
    put(tmp_path, "labelTrainIds", np.array([[0, 18, 255]], np.uint8))
    sample = only(tmp_path)
    assert sample.label.ids.tolist() == [[7, 33, 0]]
    assert sample.notes[0].code == "trainId 255 read as unlabeled"
    assert only(tmp_path, ids="train").notes == ()
    put(tmp_path, "labelTrainIds", np.array([[0, 18], [0, 19]], np.uint8))
    with pytest.raises(FormatError, match="value 19, which stands for no class") as caught:
        only(tmp_path)
    assert caught.value.where == "pixel x=1, y=1"


@pytest.mark.parametrize(
    ("kind", "value"), [("labelIds", 34), ("instanceIds", 34), ("instanceIds", 34000)]
)
def test_ids_of_no_class_are_refused(tmp_path: Path, kind: str, value: int) -> None:
    path = put(tmp_path, kind, np.array([[7, value]], np.uint16 if value > 255 else np.uint8))
    with pytest.raises(FormatError, match=f"value {value}, which stands for no class") as caught:
        only(tmp_path, ids="train")
    assert caught.value.path == path


def test_colors_that_classes_share_are_told_not_guessed(tmp_path: Path) -> None:
    pole, black, car = (153, 153, 153), (0, 0, 0), (0, 0, 142)
    put(tmp_path, "color", np.array([[pole, black, car]], np.uint8))
    sample = only(tmp_path)
    assert sample.label.ids.tolist() == [[17, 0, 26]]
    assert sample.label.ambiguous == ((0, 1, 2, 3, 4), (17, 18))
    assert only(tmp_path, ambiguous="first").label.ambiguous == ()
    train = only(tmp_path, ids="train")
    assert train.label.ids.tolist() == [[5, 255, 13]]
    assert train.label.ambiguous == ((5, 255),)  # pole and polegroup; all blacks are 255


def test_a_color_of_no_class(tmp_path: Path) -> None:
    rgba = np.array([[(128, 64, 128, 255), (128, 64, 129, 255)]], np.uint8)
    path = put(tmp_path, "color", rgba)
    with pytest.raises(FormatError, match='nearest "road"') as caught:
        only(tmp_path)
    assert caught.value.path == path
    assert only(tmp_path, unknown_label="background").label.ids.tolist() == [[7, 0]]
    assert only(tmp_path, unknown_label="ignore").label.ids.tolist() == [[7, 255]]
    assert only(tmp_path, unknown_label="ignore", ids="train").label.ids.tolist() == [[0, 255]]


def test_unknown_labels_fail_or_become_what_was_asked(tmp_path: Path) -> None:
    deleted = shape_of("rubbish", deleted=1)
    put(tmp_path, "polygons", document(deleted, shape_of("raod"), shape_of("raodgroup")))
    with pytest.raises(FormatError, match='"raod", "raodgroup"') as caught:
        only(tmp_path)
    assert caught.value.where == "objects[1].label"
    assert caught.value.mend == 'Did you mean "road"?'
    sample = only(tmp_path, unknown_label="ignore")
    assert sample.label.class_ids.tolist() == [255, 255]
    assert [(note.code, note.subject) for note in sample.notes] == [
        ("unknown labels", "raod"),
        ("unknown labels", "raodgroup"),
    ]
    assert only(tmp_path, unknown_label="background").label.class_ids.tolist() == [0, 0]
    assert CityscapesReader(tmp_path, unknown_label="ignore").classes.by_id(255).role == "ignore"


def test_polygons_that_pillow_cannot_draw_are_dropped_but_counted(tmp_path: Path) -> None:
    car = shape_of("car", [[1, 1], [3, 3]])
    put(tmp_path, "polygons", document(shape_of("car", [[2, 2]]), shape_of("sky", []), car))
    sample = only(tmp_path)
    assert sample.label.instance_ids.tolist() == [2]
    notes = {note.subject: note.count for note in sample.notes}
    assert notes == {"car": 1, "sky": 1}


def test_sizes_are_compared(tmp_path: Path) -> None:
    put(tmp_path, "polygons", document(shape_of("road")))
    put_image(tmp_path, size=(9, 6))
    sample = only(tmp_path)
    assert sample.shape == (6, 8)
    assert sample.notes[0].code == "sizes taken from the label"
    assert sample.notes[0].subject == "label 8 x 6, image 9 x 6"
    put(tmp_path, "polygons", {"objects": []})
    assert only(tmp_path).shape == (6, 9)
    put(tmp_path, "labelIds", np.zeros((6, 8), np.uint8))
    with pytest.raises(FormatError, match="is 8 x 6, but its image 9 x 6"):
        only(tmp_path)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"objects": []}, "does not say how large its image is"),
        (document({"label": "road"}), "is not there"),
        (document(shape_of("road", [1, 2, 3, 4])), "flat list of numbers"),
        (document({"polygon": SQUARE}), "missing required field `label`"),
        (b'{"imgHeight": 6, "objects": [', "is broken JSON"),
        (b"", "is empty"),
    ],
)
def test_bad_polygons_are_told_with_the_file(tmp_path: Path, content: Any, problem: str) -> None:
    path = put(tmp_path, "polygons", content)
    with pytest.raises(FormatError, match=problem) as caught:
        only(tmp_path)
    assert caught.value.path == path


def test_a_label_file_that_was_asked_for_and_is_missing_fails_that_sample(tmp_path: Path) -> None:
    put(tmp_path, "labelIds", np.zeros((6, 8), np.uint8))
    with pytest.raises(FormatError, match=f"{CORE}_gtFine_polygons.json: is missing"):
        only(tmp_path, labels="polygons")


REAL = os.environ.get("SEGFMT_REAL_DATA", "")


@pytest.mark.skipif(not REAL, reason="SEGFMT_REAL_DATA names no folder of real files")
def test_files_of_another_tool() -> None:
    folder = Path(REAL) / "cityscapes/open-edge-platform__datumaro/cityscapes_dataset"
    reader = CityscapesReader(folder / "dataset")
    samples = [reader.load(ref) for ref in reader.scan()]
    assert [sample.ref.split for sample in samples] == ["test", "test", "train", "val"]
    for sample in samples:
        assert isinstance(sample.label, Mask)
        assert sample.ref.image is not None
        stored = pixels(sample.ref.source).astype(int)
        assert (sample.label.ids == np.where(stored >= 1000, stored // 1000, stored)).all()
    # Its own number 19 for background is no trainId.
    reader = CityscapesReader(folder / "train_dataset", labels="labelTrainIds")
    with pytest.raises(FormatError, match="value 19"):
        reader.load(next(reader.scan()))
