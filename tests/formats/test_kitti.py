"""KITTI semantics: label images written by hand, and what the devkit's readme says of them."""

import json
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import segfmt
from segfmt import FormatError, Mask, Sample, SampleRef, UsageError
from segfmt.formats._kitti_write import file_name
from segfmt.formats.kitti import KittiReader, KittiWriter, detect
from segfmt.tables import CITYSCAPES_TRAIN_IDS, KITTI

IDS = np.array([[7, 7, 26, 26], [0, 11, 26, 24]], np.uint8)
NUMBERS = np.array([[0, 0, 1, 2], [0, 0, 0, 255]], np.uint16)
INSTANCE = IDS.astype(np.uint16) * 256 + NUMBERS
CONTENT = {"semantic": IDS, "instance": INSTANCE, "semantic_rgb": KITTI.palette()[IDS]}


def put(root: Path, folder: str, array: npt.NDArray[Any], name: str = "000000_10") -> Path:
    path = root / folder / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)
    return path


def dataset(root: Path, count: int = 1) -> Path:
    for number in range(count):
        name = f"{number:06}_10"
        put(root, "training/image_2", np.full((2, 4, 3), number, np.uint8), name)
        for kind, array in CONTENT.items():
            put(root, f"training/{kind}", array, name)
    return root


def only(root: Path, **options: Any) -> Sample:
    reader = KittiReader(root, **options)
    (ref,) = reader.scan()
    return reader.load(ref)


def pixels(path: Path) -> npt.NDArray[Any]:
    with Image.open(path) as image:
        return np.asarray(image)


def test_samples_are_those_with_labels(tmp_path: Path) -> None:
    dataset(tmp_path, 2)
    put(tmp_path, "testing/image_2", np.zeros((2, 4, 3), np.uint8))
    reader = KittiReader(tmp_path)
    refs = list(reader.scan())
    assert [(ref.split, ref.key) for ref in refs] == [
        ("train", "000000_10"),
        ("train", "000001_10"),
    ]
    assert refs[1].image == tmp_path / "training/image_2/000001_10.png"
    assert reader.warnings == ("testing has no labels: its images are left out",)
    assert pickle.loads(pickle.dumps((reader, refs))) == (reader, refs)
    put(tmp_path, "testing/semantic", IDS)
    assert [ref.split for ref in reader.scan()] == ["test", "train", "train"]
    assert reader.warnings == ()


def test_the_folder_of_a_split_can_be_the_root(tmp_path: Path) -> None:
    dataset(tmp_path)
    (ref,) = KittiReader(tmp_path / "training").scan()
    assert (ref.split, ref.key) == ("train", "000000_10")
    assert ref.image is not None


def test_every_kind_of_label_says_the_same(tmp_path: Path) -> None:
    dataset(tmp_path)
    for labels in ("auto", "semantic", "instance"):
        label = only(tmp_path, labels=labels).label
        assert (label.ids == IDS).all()
        assert (label.instances == NUMBERS).all()
        assert only(tmp_path, labels=labels, instances=False).label.instances is None
    label = only(tmp_path, labels="semantic_rgb").label
    assert (label.ids == IDS).all()
    assert label.ambiguous == ((0, 1, 2, 3, 4), (17, 18))
    assert only(tmp_path, labels="semantic_rgb", ambiguous="first").label.ambiguous == ()


def test_auto_takes_of_each_sample_the_first_there_is(tmp_path: Path) -> None:
    for first, name in enumerate(("a", "b", "c")):
        for kind in list(CONTENT)[first:]:
            put(tmp_path, f"training/{kind}", CONTENT[kind], name)
    refs = sorted(KittiReader(tmp_path).scan(), key=lambda ref: ref.key)
    assert [ref.source.parent.name for ref in refs] == list(CONTENT)


@pytest.mark.parametrize("labels", ["semantic", "instance", "semantic_rgb"])
def test_train_ids_on_request(tmp_path: Path, labels: str) -> None:
    ids = np.array([[7, 29, 26, 17]], np.uint8)
    numbers = np.array([[0, 3, 4, 0]], np.uint16)
    put(tmp_path, "training/semantic", ids)
    put(tmp_path, "training/instance", ids.astype(np.uint16) * 256 + numbers)
    put(tmp_path, "training/semantic_rgb", KITTI.palette()[ids])
    sample = only(tmp_path, labels=labels, ids="train")
    assert sample.label.ids.tolist() == [[0, 255, 13, 5]]
    if labels == "semantic_rgb":
        assert sample.label.ambiguous == ((5, 255),)
    else:
        assert sample.label.instances.tolist() == [[0, 0, 4, 0]]
    classes = KittiReader(tmp_path, ids="train").classes
    assert {info.id for info in classes} == {*CITYSCAPES_TRAIN_IDS.values(), 255}


def test_an_id_of_no_class_has_no_train_id(tmp_path: Path) -> None:
    path = put(tmp_path, "training/semantic", np.array([[7, 7, 40]], np.uint8))
    with pytest.raises(FormatError, match="has the id 40") as caught:
        only(tmp_path, ids="train")
    assert (caught.value.path, caught.value.where) == (path, "pixel x=2, y=0")


def test_what_instance_says_of_other_pixels_is_dropped_and_counted(tmp_path: Path) -> None:
    put(tmp_path, "training/semantic", np.array([[26, 26, 7]], np.uint8))
    put(tmp_path, "training/instance", np.array([[26 * 256 + 1, 24 * 256 + 9, 7 * 256]], np.uint16))
    sample = only(tmp_path)
    assert sample.label.instances.tolist() == [[1, 0, 0]]
    assert [(note.code, note.count) for note in sample.notes] == [
        ("pixels of another class in instance", 1)
    ]
    put(tmp_path, "training/instance", np.zeros((2, 2), np.uint16))
    with pytest.raises(FormatError, match="is 2 x 2, another size than in semantic"):
        only(tmp_path)


def test_a_label_of_another_size_than_its_image_fails(tmp_path: Path) -> None:
    put(tmp_path, "training/semantic", IDS)
    put(tmp_path, "training/image_2", np.zeros((3, 4, 3), np.uint8))
    with pytest.raises(FormatError, match="is 4 x 2, but its image 4 x 3"):
        only(tmp_path)


def test_labels_that_were_asked_for_and_are_missing_fail_that_sample(tmp_path: Path) -> None:
    put(tmp_path, "training/semantic", IDS)
    with pytest.raises(FormatError, match=r"000000_10\.png: is missing"):
        only(tmp_path, labels="instance")


def test_it_is_told_by_its_folders(tmp_path: Path) -> None:
    (tmp_path / "training" / "image_2").mkdir(parents=True)
    assert detect(tmp_path) is None  # as in other KITTI archives
    (tmp_path / "training" / "instance").mkdir()
    assert detect(tmp_path) == "there are training/image_2 and training/instance"


def test_the_tree_is_that_of_the_archive(tmp_path: Path) -> None:
    image = put(tmp_path / "src", "images", np.zeros((2, 4, 3), np.uint8))
    writer = KittiWriter(tmp_path / "dst", KITTI)
    for split in ("train", "val", "test"):
        ref = SampleRef("000000_10", split, image)
        entry = writer.write(Sample(ref, (2, 4), Mask(IDS, NUMBERS)))
        assert len(entry.files) == 4
    writer.finish([])
    files = [path for path in (tmp_path / "dst").rglob("*") if path.is_file()]
    assert sorted(path.relative_to(tmp_path / "dst").as_posix() for path in files) == sorted(
        f"{split}/{kind}/000000_10.png"
        for split in ("training", "validation", "testing")
        for kind in ("image_2", "instance", "semantic", "semantic_rgb")
    )
    training = tmp_path / "dst" / "training"
    for kind, mode in (("semantic", "L"), ("instance", "I;16"), ("semantic_rgb", "RGB")):
        with Image.open(training / kind / "000000_10.png") as found:
            assert found.mode == mode
            assert (np.asarray(found) == CONTENT[kind]).all()
    assert sorted(ref.split for ref in KittiReader(tmp_path / "dst").scan()) == [
        "test",
        "train",
        "val",
    ]


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    writer = KittiWriter(tmp_path, KITTI, labels="semantic, instance,semantic")
    assert writer.accepts.instances
    writer.write(Sample(SampleRef("000000_10"), (2, 4), Mask(IDS, NUMBERS)))
    sample = only(tmp_path)
    assert (sample.label.ids == IDS).all()
    assert (sample.label.instances == NUMBERS).all()
    assert not KittiWriter(tmp_path, KITTI, labels="semantic").accepts.instances


def test_train_ids_are_mapped_to_on_request(tmp_path: Path) -> None:
    writer = KittiWriter(tmp_path, KITTI, ids="train")
    assert writer.classes.background is None
    mask = Mask(np.array([[0, 13, 255]], np.uint8), np.array([[0, 1, 9]], np.uint16))
    writer.write(Sample(SampleRef("a"), (1, 3), mask))
    assert pixels(tmp_path / "training/semantic/a.png").tolist() == [[7, 26, 0]]
    assert pixels(tmp_path / "training/instance/a.png").tolist() == [[7 * 256, 26 * 256 + 1, 0]]


def test_one_object_too_many_fails_the_sample(tmp_path: Path) -> None:
    writer = KittiWriter(tmp_path, KITTI)
    mask = Mask(np.full((1, 2), 26, np.uint8), np.array([[255, 256]], np.uint16))
    with pytest.raises(FormatError, match='object number 256 of "car"'):
        writer.write(Sample(SampleRef("a"), (1, 2), mask))
    assert list(tmp_path.iterdir()) == []
    KittiWriter(tmp_path, KITTI, labels="semantic").write(Sample(SampleRef("a"), (1, 2), mask))


@pytest.mark.parametrize("labels", ["semantics", "", "semantic,"])
def test_labels_that_are_none(tmp_path: Path, labels: str) -> None:
    with pytest.raises(UsageError, match="-o labels="):
        KittiWriter(tmp_path, KITTI, labels=labels)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.text("ab_+=/3DF2B가", min_size=1, max_size=12), min_size=2, unique=True))
def test_no_two_keys_share_a_name(keys: list[str]) -> None:
    names = [file_name(key) for key in keys]
    assert len(set(names)) == len(names)
    assert not any("/" in name for name in names)


def test_changed_names_are_listed(tmp_path: Path) -> None:
    writer = KittiWriter(tmp_path, KITTI, labels="semantic")
    entries = [
        writer.write(Sample(SampleRef(key), (2, 4), Mask(IDS))) for key in ("000001_10", "서울/1")
    ]
    writer.finish(entries)
    assert json.loads((tmp_path / "names.json").read_bytes()) == {"train": {"서울/1": "서울+1"}}
    assert (tmp_path / "training/semantic/서울+1.png").exists()


def test_a_generator_that_pairs_sorted_listings_gets_pairs(tmp_path: Path) -> None:
    # Scripts list image_2/*.png and semantic/*.png, sort both, and take the last ones for val.
    image = put(tmp_path / "src", "images", np.zeros((2, 4, 3), np.uint8))
    writer = KittiWriter(tmp_path / "dst", KITTI)
    for key in ("scene/2", "scene/10", "000000_10", "scene-a/1"):
        writer.write(Sample(SampleRef(key, image=image), (2, 4), Mask(IDS)))
    training = tmp_path / "dst" / "training"
    images = sorted((training / "image_2").glob("*.png"))
    labels = sorted((training / "semantic").glob("*.png"))
    assert [path.name for path in images] == [path.name for path in labels]
    assert len(images) == 4


def test_road_or_not(tmp_path: Path) -> None:
    # What scripts for road segmentation do: (label == 7) is 1, all else 0.
    dataset(tmp_path / "src", 3)
    report = segfmt.convert(
        tmp_path / "src", tmp_path / "dst", target="voc", classes="road=1", split="last=1"
    )
    assert report.ok, report.failures
    base = tmp_path / "dst/VOCdevkit/VOC2012"
    for name in ("000000_10", "000001_10", "000002_10"):
        assert (pixels(base / f"SegmentationClass/{name}.png") == (IDS == 7)).all()
    assert (base / "ImageSets/Segmentation/val.txt").read_text() == "000002_10\n"


def test_a_conversion_to_itself_changes_nothing(tmp_path: Path) -> None:
    dataset(tmp_path / "src")
    report = segfmt.convert(tmp_path / "src", tmp_path / "dst", target="kitti")
    assert report.ok, report.failures
    for kind in (*CONTENT, "image_2"):
        name = f"training/{kind}/000000_10.png"
        assert (pixels(tmp_path / "dst" / name) == pixels(tmp_path / "src" / name)).all()


REAL = os.environ.get("SEGFMT_REAL_DATA", "")


@pytest.mark.skipif(not REAL, reason="SEGFMT_REAL_DATA names no folder of real files")
def test_files_of_another_tool() -> None:
    root = Path(REAL) / "kitti/open-edge-platform__datumaro/kitti_dataset"
    reader = KittiReader(root)
    samples = [reader.load(ref) for ref in reader.scan()]
    assert [(sample.ref.split, sample.ref.key) for sample in samples] == [
        ("train", "000030_10"),
        ("train", "000030_11"),
    ]
    assert [np.unique(sample.label.ids).tolist() for sample in samples] == [[3, 27], [3, 12, 31]]
    assert [np.unique(sample.label.instances).tolist() for sample in samples] == [[0, 1, 2], [0, 1]]
