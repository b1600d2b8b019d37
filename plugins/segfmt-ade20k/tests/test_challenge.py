"""The scene parsing challenge: masks written by hand, and the rules of those who load them."""

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

import segfmt
from segfmt_ade20k import ADE20K, Ade20kReader, Ade20kWriter, detect

MASK = np.array([[1, 1, 150, 3], [0, 13, 21, 3]], np.uint8)


def put(path: Path, array: npt.NDArray[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)
    return path


def dataset(root: Path) -> Path:
    for folder, name in (("training", "ADE_train_00000001"), ("validation", "ADE_val_00000001")):
        put(root / "images" / folder / f"{name}.jpg", np.zeros((2, 4, 3), np.uint8))
        put(root / "annotations" / folder / f"{name}.png", MASK)
    return root


def pixels(path: Path) -> npt.NDArray[Any]:
    with Image.open(path) as image:
        return np.asarray(image)


@pytest.mark.parametrize("base", ["", "ADEChallengeData2016"])
def test_the_folder_and_the_one_that_the_archive_unpacks_to(tmp_path: Path, base: str) -> None:
    root = dataset(tmp_path / base)
    reader = Ade20kReader(tmp_path)
    refs = list(reader.scan())
    assert [(ref.split, ref.key) for ref in refs] == [
        ("train", "ADE_train_00000001"),
        ("val", "ADE_val_00000001"),
    ]
    assert refs[0].image == root / "images/training/ADE_train_00000001.jpg"
    assert pickle.loads(pickle.dumps((reader, refs))) == (reader, refs)
    sample = reader.load(refs[1])
    assert (sample.label.ids == MASK).all()
    assert sample.shape == (2, 4)
    assert reader.warnings == ()
    assert detect(tmp_path) == "there are images/training and annotations/training"


def test_a_test_set_without_masks_is_left_out_and_told(tmp_path: Path) -> None:
    dataset(tmp_path)
    put(tmp_path / "images/testing/ADE_test_00000001.jpg", np.zeros((2, 4, 3), np.uint8))
    reader = Ade20kReader(tmp_path)
    assert {ref.split for ref in reader.scan()} == {"train", "val"}
    assert reader.warnings == (
        "images without a mask are left out: 1, such as testing/ADE_test_00000001",
    )


def test_splits_may_have_other_names_or_none(tmp_path: Path) -> None:
    for folder in ("", "training/scene", "night"):
        put(tmp_path / "annotations" / folder / "a.b.png", MASK)
    refs = list(Ade20kReader(tmp_path).scan())
    assert [(ref.split, ref.key) for ref in refs] == [
        ("train", "a.b"),
        ("night", "a.b"),
        ("train", "scene/a.b"),
    ]


def test_what_is_no_png_is_no_mask(tmp_path: Path) -> None:
    dataset(tmp_path)
    (tmp_path / "annotations/training/Thumbs.db").write_bytes(b"")
    assert len(list(Ade20kReader(tmp_path).scan())) == 2


def test_links_that_lead_out_are_followed_only_on_request(tmp_path: Path) -> None:
    src = dataset(tmp_path / "src")
    (tmp_path / "elsewhere").mkdir()
    (src / "images").rename(tmp_path / "elsewhere/images")
    (src / "images").symlink_to(tmp_path / "elsewhere/images")
    with pytest.raises(segfmt.FormatError, match="is a link that leads out of the dataset"):
        list(Ade20kReader(src).scan())
    assert all(ref.image for ref in Ade20kReader(src, follow_links=True).scan())


def test_masks_that_cannot_be_right(tmp_path: Path) -> None:
    src = dataset(tmp_path / "src")
    path = src / "annotations/training/ADE_train_00000001.png"
    reader = Ade20kReader(src)
    ref = next(reader.scan())
    put(path, np.zeros((2, 5), np.uint8))
    with pytest.raises(segfmt.FormatError, match=r"00001\.png: is 5 x 2, but its image 4 x 2"):
        reader.load(ref)
    put(path, np.zeros((2, 4, 3), np.uint8))
    with pytest.raises(segfmt.FormatError, match="is no index mask: its mode is RGB"):
        reader.load(ref)
    put(path, np.full((2, 4), 151, np.uint8))
    report = segfmt.convert(src, tmp_path / "dst", target="folder", limit=1)
    (failure,) = report.failures
    assert "has the id 151, which is no class" in failure.error


def test_the_classes_are_those_of_the_devkit() -> None:
    assert len(ADE20K) == 151
    assert [ADE20K.by_id(id).name for id in (1, 2, 13, 21, 59, 131, 150)] == [
        "wall",
        "building",
        "person",
        "car",
        "screen door",
        "screen",
        "flag",
    ]
    assert ADE20K.by_name("car, auto, automobile, machine, motorcar").id == 21
    assert ADE20K.by_name("television receiver").id == 90  # as MMSegmentation has it
    assert "wheel" not in ADE20K  # a synonym of bicycle
    assert ADE20K.ignore == ADE20K.by_id(0)
    assert ADE20K.background is None
    assert [ADE20K.by_id(id).color for id in (1, 7, 75, 81, 139, 150)] == [
        (120, 120, 120),
        (140, 140, 140),
        (0, 255, 173),
        (255, 0, 245),
        (173, 0, 255),
        (92, 0, 255),
    ]
    assert [info.id for _, infos in ADE20K.shared_colors().items() for info in infos] == [7, 49]


def reduce_zero_label(mask: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Restate what MMSegmentation does to annotations of ADE20K."""
    mask = mask.copy()
    mask[mask == 0] = 255
    mask -= 1
    mask[mask == 254] = 255
    return mask


def test_ignore_is_what_loaders_ignore(tmp_path: Path) -> None:
    report = segfmt.convert(dataset(tmp_path / "src"), tmp_path / "dst", target="voc")
    assert report.ok, report.failures
    found = pixels(tmp_path / "dst/VOCdevkit/VOC2012/SegmentationClass/ADE_val_00000001.png")
    assert ((found == 255) == (reduce_zero_label(MASK) == 255)).all()
    assert (found[MASK > 0] == MASK[MASK > 0]).all()
    back = segfmt.convert(
        tmp_path / "dst", tmp_path / "back", source="voc", target="ade20k", images="none"
    )
    assert back.ok, back.failures
    base = tmp_path / "back/ADEChallengeData2016"
    assert (pixels(base / "annotations/validation/ADE_val_00000001.png") == MASK).all()


def test_the_tree_is_that_of_the_archive(tmp_path: Path) -> None:
    image = put(tmp_path / "a.jpg", np.zeros((2, 4, 3), np.uint8))
    writer = Ade20kWriter(tmp_path / "dst", ADE20K)
    keys = {"train": "ADE_train_00000001", "val": "서울/1", "test": "x", "night": "y"}
    entries = [
        writer.write(segfmt.Sample(segfmt.SampleRef(key, split, image), (2, 4), segfmt.Mask(MASK)))
        for split, key in keys.items()
    ]
    writer.finish(entries)
    base = tmp_path / "dst/ADEChallengeData2016"
    files = [path.relative_to(base).as_posix() for path in base.rglob("*") if path.is_file()]
    places = ("training/ADE_train_00000001", "validation/서울/1", "testing/x", "night/y")
    assert sorted(files) == sorted(
        name for at in places for name in (f"images/{at}.jpg", f"annotations/{at}.png")
    )
    with Image.open(base / "annotations/testing/x.png") as found:
        assert found.mode == "L"
        assert (np.asarray(found) == MASK).all()
    assert (base / "images/testing/x.jpg").read_bytes() == image.read_bytes()


def test_what_is_background_or_ignore_becomes_0_and_that_is_told(tmp_path: Path) -> None:
    classes = [
        segfmt.ClassInfo(0, "nothing", role="background"),
        segfmt.ClassInfo(1, "car"),
        segfmt.ClassInfo(255, "void", role="ignore"),
    ]
    src = tmp_path / "src"
    segfmt.atomic_write(src / "classes.json", segfmt.ClassTable(classes).to_json())
    put(src / "images/a.jpg", np.zeros((1, 3, 3), np.uint8))
    put(src / "masks/a.png", np.array([[0, 1, 255]], np.uint8))
    report = segfmt.convert(src, tmp_path / "dst", target="ade20k")
    assert report.ok, report.failures
    assert '"nothing" becomes "other objects", which loaders ignore' in report.warnings
    found = pixels(tmp_path / "dst/ADEChallengeData2016/annotations/training/a.png")
    assert found.tolist() == [[0, 21, 0]]


def test_a_class_that_is_none_of_the_150_is_a_plan_error(tmp_path: Path) -> None:
    src = tmp_path / "src"
    put(src / "images/a.jpg", np.zeros((1, 3, 3), np.uint8))
    put(src / "masks/a.png", np.array([[0, 1, 2]], np.uint8))
    classes = [{"id": 0, "name": "b", "role": "background"}]
    classes += [{"id": 1, "name": "wheel"}, {"id": 2, "name": "Sky"}]
    (src / "classes.json").write_text(json.dumps(classes))
    with pytest.raises(segfmt.UsageError, match='the target has no class named "wheel"'):
        segfmt.convert(src, tmp_path / "dst", target="ade20k")
    assert not (tmp_path / "dst").exists()
    segfmt.convert(src, tmp_path / "dst", target="ade20k", map={"wheel": "bicycle", "sky": "sky"})
    found = pixels(tmp_path / "dst/ADEChallengeData2016/annotations/training/a.png")
    assert found.tolist() == [[0, 128, 3]]
