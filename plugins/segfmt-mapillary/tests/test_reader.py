"""Mapillary Vistas: masks written by hand, and the rules of the demo that comes with them."""

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from vistas_files import (
    BARRIER,
    BIRD,
    EGO,
    GROUP,
    PERSON,
    ROAD,
    ROWS,
    UNLABELED,
    put,
    put_config,
    put_instances,
)

import segfmt
from segfmt_mapillary import VistasReader, detect

IDS = np.array([[ROAD, PERSON, PERSON, BIRD], [GROUP, BARRIER, EGO, UNLABELED]])
NUMBERS = np.array([[0, 0, 1, 0], [0, 0, 0, 0]])
KEY = "M2kh294N9c72sICO990Uew"


def dataset(root: Path) -> Path:
    put_config(root / "config_v2.0.json")
    put(root / "training", "v2.0", KEY, IDS, NUMBERS)
    return root


def only(root: Path, **options: Any) -> segfmt.Sample:
    reader = VistasReader(root, **options)
    (ref,) = reader.scan()
    return reader.load(ref)


def pixels(path: Path) -> npt.NDArray[Any]:
    with Image.open(path) as image:
        return np.asarray(image)


def test_labels_are_places_in_the_config(tmp_path: Path) -> None:
    dataset(tmp_path)
    put(tmp_path / "validation", "v2.0", KEY, IDS)
    (tmp_path / "training/v2.0/labels/Thumbs.db").write_bytes(b"")
    put(tmp_path / "preview", "v2.0", KEY, IDS)
    reader = VistasReader(tmp_path)
    refs = list(reader.scan())
    assert [(ref.split, ref.key) for ref in refs] == [("train", KEY), ("val", KEY)]
    assert refs[0].image == tmp_path / f"training/images/{KEY}.jpg"
    assert pickle.loads(pickle.dumps((reader, refs))) == (reader, refs)
    sample = reader.load(refs[0])
    assert (sample.label.ids == IDS).all()
    assert sample.notes == ()
    assert reader.warnings == ()
    assert [(info.id, info.name, info.color) for info in reader.classes] == [
        (id, row[0], row[2]) for id, row in enumerate(ROWS)
    ]
    assert reader.classes.by_name("construction--flat--road").id == ROAD
    assert reader.classes.ignore == reader.classes.by_id(UNLABELED)
    assert reader.classes.background is None


def test_labels_and_objects_are_those_of_the_demo(tmp_path: Path) -> None:
    dataset(tmp_path)
    label = only(tmp_path).label
    instance_array = np.array(Image.open(tmp_path / f"training/v2.0/instances/{KEY}.png"))
    assert (np.array(instance_array / 256, dtype=np.uint8) == label.ids).all()
    # Numbers start at 0 there, which here is what no object has; labels without objects have none.
    demo = np.array(instance_array % 256, dtype=np.uint8)
    counts = np.isin(label.ids, [PERSON, BIRD])
    assert (label.instances == np.where(counts, demo + 1, 0)).all()
    assert label.instances.tolist() == [[0, 1, 2, 1], [0, 0, 0, 0]]
    assert label.instances.dtype == np.uint16


def test_instances_are_left_out_on_request_and_where_there_are_none(tmp_path: Path) -> None:
    dataset(tmp_path)
    assert only(tmp_path, instances=False).label.instances is None
    (tmp_path / f"training/v2.0/instances/{KEY}.png").unlink()
    sample = only(tmp_path)
    assert sample.label.instances is None
    (note,) = sample.notes  # while other images have one
    assert (note.code, note.subject) == ("instance masks missing", f"train/{KEY}")
    (tmp_path / "training/v2.0/instances").rmdir()
    assert not only(tmp_path).notes


def test_the_256th_object(tmp_path: Path) -> None:
    put_config(tmp_path / "config_v2.0.json")
    put(tmp_path / "training", "v2.0", "a", [[BIRD]], [[255]])
    assert only(tmp_path).label.instances.tolist() == [[256]]


def test_pixels_of_another_label_are_no_object_and_counted(tmp_path: Path) -> None:
    path = dataset(tmp_path) / f"training/v2.0/labels/{KEY}.png"
    values = IDS.astype(np.uint16) * 256
    values[0, 1] = ROAD * 256 + 7
    put_instances(path, values)
    sample = only(tmp_path)
    assert sample.label.instances.tolist() == [[0, 0, 1, 1], [0, 0, 0, 0]]
    assert sample.notes == (segfmt.Note("pixels of another label in instances", "", 1),)
    put_instances(path, np.zeros((3, 4), np.uint16))
    with pytest.raises(segfmt.FormatError, match="is 4 x 3, another size than its label mask"):
        only(tmp_path)


def test_the_newest_version_is_read_unless_one_is_named(tmp_path: Path) -> None:
    dataset(tmp_path)
    old = [row for row in ROWS if row[4] or row[0] == "Unlabeled"]
    put_config(tmp_path / "config_v1.2.json", old)
    put(tmp_path / "training", "v1.2", KEY, [[0, 1, 2, 3]])
    reader = VistasReader(tmp_path)
    assert len(reader.classes) == 7
    assert reader.warnings == (
        "labels of v2.0 are read, not those of v1.2: -i version=v1.2 reads these",
    )
    reader = VistasReader(tmp_path, version="v1.2")
    assert [info.name for info in reader.classes] == [row[0] for row in old]
    assert only(tmp_path, version="v1.2").label.ids.tolist() == [[0, 1, 2, 3]]
    assert reader.warnings == ()
    assert list(VistasReader(tmp_path, version="v1.1").scan()) == []


@pytest.mark.parametrize("config", ["config.json", "config_v1.2.json"])
def test_labels_right_below_the_split(tmp_path: Path, config: str) -> None:
    put_config(tmp_path / config)
    put(tmp_path / "training", "", KEY, IDS, NUMBERS)
    label = only(tmp_path).label
    assert (label.ids == IDS).all()
    assert label.instances.max() == 2
    assert detect(tmp_path) == f"there are {config} and labels of v1.1"


def test_a_split_without_labels_is_left_out_and_told(tmp_path: Path) -> None:
    dataset(tmp_path)
    (tmp_path / "testing/images").mkdir(parents=True)
    reader = VistasReader(tmp_path)
    assert [ref.split for ref in reader.scan()] == ["train"]
    assert reader.warnings == ("testing has no labels of v2.0: its images are left out",)


def test_labels_that_are_not_evaluated_become_ignore_on_request(tmp_path: Path) -> None:
    dataset(tmp_path)
    reader = VistasReader(tmp_path, ignored="unevaluated")
    assert [info.name for info in reader.classes] == [row[0] for row in ROWS if row[4]] + [
        "Unlabeled"
    ]
    label = only(tmp_path, ignored="unevaluated").label
    left_out = np.isin(IDS, [BARRIER, GROUP])
    assert (label.ids == np.where(left_out, UNLABELED, IDS)).all()
    rows = [row for row in ROWS if row[0] != "Unlabeled"]
    put_config(tmp_path / "config_v2.0.json", rows)
    assert only(tmp_path, ignored="unevaluated").label.ids[1, 0] == 255
    assert VistasReader(tmp_path, ignored="unevaluated").classes.ignore.id == 255
    assert VistasReader(tmp_path).classes.ignore is None


def test_readable_names_that_are_not_one_labels_own(tmp_path: Path) -> None:
    rows = [(" ", "a--sign", (1, 1, 1), False, True), ("Sign", "b--sign", (2, 2, 2), False, True)]
    rows.append(("sign", "c--sign", (3, 3, 3), False, True))
    put_config(tmp_path / "config_v2.0.json", rows)
    names = [info.name for info in VistasReader(tmp_path).classes]
    assert names == ["a--sign", "b--sign", "c--sign"]


def test_a_config_is_needed(tmp_path: Path) -> None:
    dataset(tmp_path)
    (tmp_path / "config_v2.0.json").rename(tmp_path / "config.json")
    assert detect(tmp_path) is None
    with pytest.raises(segfmt.UsageError, match=r"has no config_v2\.0\.json, which says what") as e:
        _ = VistasReader(tmp_path).classes
    assert "copy it there" in str(e.value)


@pytest.mark.parametrize(
    ("labels", "problem"),
    [
        ([{"name": "a"}], "missing required field `color`"),
        ([{"name": "a", "color": [1, 2]}], "Expected `array` of length 3"),
        ([{"name": "a", "color": [1, 2, 256]}], "is no table of labels: .* is not three of 0..255"),
        ([{"name": "a", "color": [1, 2, 3]}] * 2, 'is no table of labels: .* share the name "a"'),
        ([{"name": str(n), "color": [0, 0, 0]} for n in range(257)], "has 257 labels, and masks"),
    ],
)
def test_a_config_that_is_none(tmp_path: Path, labels: Any, problem: str) -> None:
    dataset(tmp_path)
    path = tmp_path / "config_v2.0.json"
    path.write_text(json.dumps({"labels": labels}))
    with pytest.raises(segfmt.FormatError, match=problem) as error:
        _ = VistasReader(tmp_path).classes
    assert error.value.path == path


def test_links_that_lead_out_are_followed_only_on_request(tmp_path: Path) -> None:
    src = dataset(tmp_path / "src")
    (tmp_path / "elsewhere").mkdir()
    (src / "training").rename(tmp_path / "elsewhere/training")
    (src / "training").symlink_to(tmp_path / "elsewhere/training")
    with pytest.raises(segfmt.FormatError, match="is a link that leads out of the dataset"):
        list(VistasReader(src).scan())
    assert all(ref.image for ref in VistasReader(src, follow_links=True).scan())


def test_masks_that_cannot_be_right(tmp_path: Path) -> None:
    path = dataset(tmp_path) / f"training/v2.0/labels/{KEY}.png"
    segfmt.write_mask(path, np.zeros((2, 5), np.uint8))
    with pytest.raises(segfmt.FormatError, match="is 5 x 2, but its image 4 x 2"):
        only(tmp_path, instances=False)
    Image.fromarray(np.zeros((2, 4, 3), np.uint8)).save(path)
    with pytest.raises(segfmt.FormatError, match="is no index mask: its mode is RGB"):
        only(tmp_path)


def test_a_label_that_the_config_lacks_fails_that_sample(tmp_path: Path) -> None:
    src = dataset(tmp_path / "src")
    put(src / "training", "v2.0", KEY, [[ROAD, 7, 7]])
    report = segfmt.convert(
        src, tmp_path / "dst", target="voc", reader_options={"instances": False}
    )
    (failure,) = report.failures
    assert "has the id 7, which is no class of the dataset" in failure.error


def test_a_conversion_to_voc_and_back_to_the_ids(tmp_path: Path) -> None:
    report = segfmt.convert(dataset(tmp_path / "src"), tmp_path / "dst", target="voc")
    assert report.ok, report.failures
    base = tmp_path / "dst/VOCdevkit/VOC2012"
    found = pixels(base / f"SegmentationClass/{KEY}.png")
    assert (found == np.where(IDS == UNLABELED, 255, IDS)).all()
    assert pixels(base / f"SegmentationObject/{KEY}.png").tolist() == [[0, 2, 3, 1], [0, 0, 0, 255]]
    (ref,) = segfmt.open_dataset(tmp_path / "dst", "voc").refs()
    assert (ref.split, ref.key) == ("train", KEY)


def test_classes_of_other_formats_are_found_by_name(tmp_path: Path) -> None:
    src = dataset(tmp_path / "src")
    put(src / "training", "v2.0", KEY, [[ROAD, PERSON, EGO, UNLABELED]])
    report = segfmt.convert(
        src,
        tmp_path / "dst",
        target="cityscapes",
        reader_options={"instances": False},
        map="cityscapes",
        rest="background",
        ignore_to="background",
    )
    assert report.ok, report.failures
    (path,) = (tmp_path / "dst").rglob("*_labelIds.png")
    assert pixels(path).tolist() == [[7, 24, 1, 0]]
