"""The VOC reader, and VOC written with objects."""

import os
import unicodedata
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

import segfmt
from aihub_files import write_image
from mask_files import write_png
from segfmt import ClassInfo, ClassTable, FormatError, Mask, Sample, SampleRef, UsageError
from segfmt.adapt import Adapter
from segfmt.formats.voc import VocReader, VocWriter, colormap, detect
from segfmt.objects import number_objects
from segfmt.tables import TABLES

IDS = np.zeros((12, 16), np.uint8)
IDS[2:6, 2:8] = 15
IDS[2:6, 8:14] = 1
IDS[6:10, 2:8] = 255
REAL = os.environ.get("SEGFMT_REAL_DATA")


def dataset(base: Path, *keys: str, lists: dict[str, str] | None = None) -> Path:
    """Write a palette mask and a JPEG image for each key, and lists."""
    for key in keys:
        write_png(base / "SegmentationClass" / f"{key}.png", IDS, colormap())
        write_image(base / "JPEGImages" / f"{key}.jpg")
    for name, text in (lists or {}).items():
        path = base / "ImageSets" / "Segmentation" / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return base


def read(root: Path, **options: Any) -> list[Sample]:
    return list(segfmt.open_dataset(root, "voc", **options))


def names(root: Path, **options: Any) -> list[tuple[str, str]]:
    return [(ref.split, ref.key) for ref in VocReader(root, **options).scan()]


@pytest.mark.parametrize(
    "at", [".", "VOC2012", "VOCdevkit/VOC2012", "VOCdevkit/mine", "TrainVal/VOCdevkit/VOC2011"]
)
def test_the_dataset_is_found_where_archives_unpack_it(tmp_path: Path, at: str) -> None:
    dataset(tmp_path / at, "2007_000032")
    (sample,) = read(tmp_path)
    assert (sample.label.ids == IDS).all()
    assert sample.label.instances is None
    assert sample.shape == (12, 16)
    assert sample.ref.image == tmp_path / at / "JPEGImages" / "2007_000032.jpg"
    assert detect(tmp_path) == "there is a folder " + (Path(at) / "SegmentationClass").as_posix()


def test_one_of_several_datasets_must_be_named(tmp_path: Path) -> None:
    for year in ("VOC2007", "VOC2012"):
        dataset(tmp_path / "VOCdevkit" / year, "a")
    with pytest.raises(UsageError, match=r"VOCdevkit/VOC2007, VOCdevkit/VOC2012\. Give one"):
        read(tmp_path)
    assert names(tmp_path / "VOCdevkit" / "VOC2007") == [("train", "a")]


def test_without_a_table_the_classes_are_vocs(tmp_path: Path) -> None:
    reader = VocReader(dataset(tmp_path, "a"))
    assert reader.classes == TABLES["voc"]
    assert len(reader.classes) == 22
    assert reader.classes.ignore.id == 255
    assert reader.warnings == ("no class table was found: classes are VOC's own 20. Give --table",)


@pytest.mark.parametrize("mode", ["P", "L", "1"])
def test_ids_are_the_values_as_stored(tmp_path: Path, mode: str) -> None:
    ids = IDS % 2 if mode == "1" else IDS
    values = ids.astype(bool) if mode == "1" else ids
    path = tmp_path / "SegmentationClass" / "a.png"
    write_png(path, values, np.zeros((256, 3)) if mode == "P" else None)
    with Image.open(path) as image:
        assert image.mode == mode
    (sample,) = read(tmp_path)
    assert sample.label.ids.dtype == np.uint8
    assert (sample.label.ids == ids).all()


def test_a_color_mask_reads_as_the_script_of_the_palette_note_does(tmp_path: Path) -> None:
    # The script: BGR to RGB, then `np.where(np.all(label == color))` for each row of the color map.
    rng = np.random.default_rng(1)
    ids = rng.integers(0, 7, (12, 16)).astype(np.uint8)
    (tmp_path / "SegmentationClass").mkdir()
    cv2.imwrite(str(tmp_path / "SegmentationClass" / "a.png"), colormap()[ids][..., ::-1])
    rows = (",".join(map(str, colormap()[id].tolist())) for id in range(7))
    text = "".join(f"class {id}:{row}::\n" for id, row in enumerate(rows))
    (tmp_path / "labelmap.txt").write_text("# label:color_rgb:parts:actions\n" + text)

    label = cv2.cvtColor(
        cv2.imread(str(tmp_path / "SegmentationClass" / "a.png")), cv2.COLOR_BGR2RGB
    )
    expected = np.zeros(label.shape[:2], np.uint8)
    for index, color in enumerate(colormap()):
        expected[np.where(np.all(label == color, axis=-1))] = index
    (sample,) = read(tmp_path)
    assert (sample.label.ids == expected).all()
    assert (expected == ids).all()


@pytest.mark.parametrize("alpha", [False, True])
def test_a_color_mask_without_a_labelmap_is_in_vocs_colors(tmp_path: Path, alpha: bool) -> None:
    colors = colormap()[IDS]
    if alpha:
        colors = np.dstack([colors, np.full(IDS.shape, 255, np.uint8)])
    write_png(tmp_path / "SegmentationClass" / "a.png", colors)
    (sample,) = read(tmp_path)
    assert (sample.label.ids == IDS).all()


def test_a_color_of_no_class_fails_or_becomes_what_was_asked(tmp_path: Path) -> None:
    colors = colormap()[IDS]
    colors[0, 3] = (1, 2, 3)
    path = write_png(tmp_path / "SegmentationClass" / "a.png", colors)
    with pytest.raises(FormatError, match="1 pixel of colors that no class has") as caught:
        read(tmp_path)
    assert caught.value.path == path
    (sample,) = read(tmp_path, unknown="ignore")
    assert sample.label.ids[0, 3] == 255
    (sample,) = read(tmp_path, unknown="background")
    assert sample.label.ids[0, 3] == 0


def test_a_shared_color_is_left_for_the_map_to_judge(tmp_path: Path) -> None:
    text = "background:0,0,0::\nbump:255,20,145::\nsidewalk:255,20,145::\n"
    (tmp_path / "labelmap.txt").write_text(text)
    mask = np.zeros((12, 16, 3), np.uint8)
    mask[3, 3] = (255, 20, 145)
    write_png(tmp_path / "SegmentationClass" / "a.png", mask)
    write_image(tmp_path / "JPEGImages" / "a.jpg")
    (sample,) = read(tmp_path)
    assert sample.label.ambiguous == ((1, 2),)
    assert sample.label.ids[3, 3] == 1


def test_a_labelmap_names_classes_in_its_order(tmp_path: Path) -> None:
    (tmp_path / "labelmap.txt").write_text("void:0,0,0::\ncat:1,2,3::\n")
    classes = VocReader(tmp_path).classes
    assert (classes.background.name, classes.ignore.name) == ("void", "ignore")
    text = "# comment\ncat:1,2,3:head,tail:\nbackground:0,0,0::\nvoid:224,224,192::\ndog:4,5,6::\n"
    (tmp_path / "labelmap.txt").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    dataset(tmp_path, "a")
    assert list(VocReader(tmp_path).classes) == [
        ClassInfo(0, "cat", (1, 2, 3)),
        ClassInfo(1, "background", (0, 0, 0), "background"),
        ClassInfo(255, "void", (224, 224, 192), "ignore"),
        ClassInfo(3, "dog", (4, 5, 6)),
    ]


def test_labelmes_class_names(tmp_path: Path) -> None:
    dataset(tmp_path, "a")
    (tmp_path / "class_names.txt").write_text("_background_\naeroplane\n사람", encoding="utf-8")
    assert list(VocReader(tmp_path).classes) == [
        ClassInfo(0, "_background_", (0, 0, 0), "background"),
        ClassInfo(1, "aeroplane", (128, 0, 0)),
        ClassInfo(2, "사람", (0, 128, 0)),
        ClassInfo(255, "ignore", (224, 224, 192), "ignore"),
    ]


def test_which_table_counts(tmp_path: Path) -> None:
    base = dataset(tmp_path / "VOCdevkit" / "VOC2012", "a")

    def first(**options: Any) -> str:
        return next(info.name for info in VocReader(tmp_path, **options).classes if info.id == 1)

    assert first() == "aeroplane"
    (base / "class_names.txt").write_text("_background_\nfrom names")
    assert first() == "from names"
    (base / "labelmap.txt").write_text("b:0,0,0::\nfrom labelmap:1,1,1::\n")
    assert first() == "from labelmap"
    table = ClassTable([ClassInfo(0, "b", role="background"), ClassInfo(1, "from json")])
    (tmp_path / "classes.json").write_bytes(table.to_json())
    assert first() == "from json"
    assert VocReader(tmp_path).classes == table  # which says all there is
    assert first(table="satellite") == "building"
    assert first(table=str(base / "class_names.txt")) == "from names"
    with pytest.raises(UsageError, match="neither a class table nor a file"):
        first(table="satelite")


def test_a_palette_that_contradicts_the_table_is_told(tmp_path: Path) -> None:
    dataset(tmp_path, "a")
    (tmp_path / "labelmap.txt").write_text("b:0,0,0::\ncat:7,7,7::\n")
    assert VocReader(tmp_path).warnings == (
        'a.png: its palette has (128, 0, 0) for 1 ("cat"), the class table (7, 7, 7). Ids are taken'
        " as they are; see to it that the names fit",
    )
    # What void looks like is nobody's business.
    (tmp_path / "labelmap.txt").write_text("b:0,0,0::\ncat:128,0,0::\nvoid:9,9,9::\n")
    assert VocReader(tmp_path).warnings == ()
    (sample,) = read(tmp_path)
    assert (sample.label.ids == IDS).all()


@pytest.mark.parametrize("color", [False, True])
def test_objects_are_read_and_their_boundary_is_none(tmp_path: Path, color: bool) -> None:
    dataset(tmp_path, "a")
    objects = np.zeros((12, 16), np.uint8)
    objects[2:6, 2:5] = 1
    objects[2:6, 5:8] = 2
    objects[2:6, 8:14] = 3
    objects[5:10, 2:8] = 255
    objects[0, 0] = 7  # on background: no object
    expected = np.where(objects == 255, 0, objects)
    expected[0, 0] = 0
    path = tmp_path / "SegmentationObject" / "a.png"
    if color:
        write_png(path, colormap()[objects])
    else:
        write_png(path, objects, colormap())
    (sample,) = read(tmp_path)
    assert sample.label.instances.dtype == np.uint16
    assert (sample.label.instances == expected).all()


def test_objects_of_another_size_fail_the_sample(tmp_path: Path) -> None:
    dataset(tmp_path, "a")
    write_png(tmp_path / "SegmentationObject" / "a.png", IDS[:5])
    with pytest.raises(FormatError, match=r"SegmentationObject.a.png: is not as large"):
        read(tmp_path)


def test_lists_give_splits(tmp_path: Path) -> None:
    lists = {"train": "a\nsub/b\n", "val": "c\n", "trainval": "a\nsub/b\nc\n"}
    dataset(tmp_path, "a", "sub/b", "c", lists=lists)
    assert names(tmp_path) == [("train", "a"), ("train", "sub/b"), ("val", "c")]
    refs = list(VocReader(tmp_path).scan())
    assert [ref.image for ref in refs] == [
        tmp_path / "JPEGImages" / name for name in ("a.jpg", "sub/b.jpg", "c.jpg")
    ]


def test_trainval_alone_is_a_split(tmp_path: Path) -> None:
    dataset(tmp_path, "a", lists={"trainval": "a\n"})
    assert names(tmp_path) == [("trainval", "a")]


def test_lists_as_other_systems_save_them(tmp_path: Path) -> None:
    dataset(tmp_path, "a", "sub/b", "가", lists={"train": "\ufeffa\r\n\r\n sub\\b \r\n"})
    decomposed = unicodedata.normalize("NFD", "가")
    (tmp_path / "ImageSets" / "Segmentation" / "val.txt").write_text(decomposed, encoding="utf-8")
    assert names(tmp_path) == [("train", "a"), ("train", "sub/b"), ("val", "가")]


def test_without_lists_every_mask_is_for_training(tmp_path: Path) -> None:
    dataset(tmp_path, "b", "a", "sub/c")
    assert names(tmp_path) == [("train", "a"), ("train", "b"), ("train", "sub/c")]


@pytest.mark.parametrize("line", ["a -1", "a  1", "/JPEGImages/a.jpg /SegmentationClass/a.png"])
def test_lists_of_two_columns_are_refused(tmp_path: Path, line: str) -> None:
    dataset(tmp_path, "a", lists={"train": f"a\n{line}\n"})
    with pytest.raises(FormatError, match=r"train.txt, line 2: has two columns"):
        names(tmp_path)


def test_a_blank_in_a_name_is_no_column(tmp_path: Path) -> None:
    dataset(tmp_path, "scene 1", lists={"train": "scene 1\n"})
    assert names(tmp_path) == [("train", "scene 1")]


def test_a_test_list_without_masks_is_left_out_and_told(tmp_path: Path) -> None:
    dataset(tmp_path, "a", "b", lists={"train": "a\n", "test": "x\ny\n"})
    reader = VocReader(tmp_path)
    assert names(tmp_path) == [("train", "a")]
    assert reader.warnings[1:] == (
        "test.txt is left out: none of its 2 samples has a mask",
        "masks in no list are left out: 1, such as b",
    )


def test_a_missing_mask_among_others_is_a_failed_sample(tmp_path: Path) -> None:
    dataset(tmp_path / "src", "a", lists={"train": "a\nb\n"})
    write_image(tmp_path / "src" / "JPEGImages" / "b.jpg")
    report = segfmt.convert(tmp_path / "src", tmp_path / "dst", source="voc", target="voc")
    assert (report.done, report.failed) == (1, 1)
    assert report.failures[0].key == "b"
    assert report.failures[0].error.endswith('train.txt, line 2: names "b", which has no mask')


def test_images_of_other_kinds_are_found_and_jpeg_comes_first(tmp_path: Path) -> None:
    dataset(tmp_path, "a", "b", "c")
    write_image(tmp_path / "JPEGImages" / "a.png")
    (tmp_path / "JPEGImages" / "b.jpg").rename(tmp_path / "JPEGImages" / "b.PNG")
    (tmp_path / "JPEGImages" / "c.jpg").unlink()
    images = [ref.image and ref.image.name for ref in VocReader(tmp_path).scan()]
    assert images == ["a.jpg", "b.PNG", None]


def test_another_folder_of_masks(tmp_path: Path) -> None:
    dataset(tmp_path, "a")
    write_png(tmp_path / "SegmentationClassAug" / "a.png", IDS // 15)
    write_png(tmp_path / "SegmentationObjectAug" / "a.png", IDS // 15)
    (sample,) = read(tmp_path, masks="SegmentationClassAug")
    assert (sample.label.ids == IDS // 15).all()
    assert set(np.unique(sample.label.instances)) == {0, 1, 17}


def test_masks_that_hold_no_ids_fail(tmp_path: Path) -> None:
    dataset(tmp_path, "wide")
    write_png(tmp_path / "SegmentationClass" / "deep.png", IDS.astype(np.uint16))
    Image.fromarray(IDS).save(tmp_path / "SegmentationClass" / "lossy.jpg")
    write_image(tmp_path / "JPEGImages" / "wide.jpg", (17, 12))
    reader = VocReader(tmp_path)
    for ref, problem in zip(
        reader.scan(),
        ["its mode is I;16", "is a JPEG", "wide.png: is 16 x 12, but its image 17 x 12"],
        strict=True,
    ):
        with pytest.raises(FormatError, match=problem):
            reader.load(ref)


def test_detection_keeps_to_voc(tmp_path: Path) -> None:
    (tmp_path / "SegmentationClass").mkdir()
    assert detect(tmp_path) is None
    (tmp_path / "ImageSets").mkdir()
    assert detect(tmp_path) == "there is a folder SegmentationClass"


def written(tmp_path: Path, mask: Mask, classes: ClassTable = TABLES["voc"]) -> Path:
    writer = VocWriter(tmp_path, classes, base="out")
    sample, _ = Adapter(writer.accepts, 0)(Sample(SampleRef("a"), mask.ids.shape, mask))
    entry = writer.write(sample)
    writer.finish([entry])
    assert all((tmp_path / file).is_file() for file in entry.files)
    return tmp_path / "out"


def test_objects_are_numbered_over_all_classes(tmp_path: Path) -> None:
    ids = np.array([[0, 1, 1, 15, 15, 255]], np.uint8)
    instances = np.array([[0, 2, 9, 2, 0, 4]], np.uint16)
    base = written(tmp_path, Mask(ids, instances))
    with Image.open(base / "SegmentationObject" / "a.png") as image:
        assert image.mode == "P"
        assert np.reshape(image.getpalette(), (-1, 3)).tolist() == colormap().tolist()
        assert np.asarray(image).tolist() == [[0, 1, 2, 3, 0, 255]]
    assert not (written(tmp_path / "x", Mask(ids)) / "SegmentationObject").exists()


def test_254_objects_are_the_most(tmp_path: Path) -> None:
    numbers = np.arange(255, dtype=np.uint16)[None] * 257
    ids = np.full(numbers.shape, 3, np.uint8)
    assert number_objects(ids, numbers).tolist() == [list(range(255))]
    ids[0, 0], numbers[0, 0] = 255, 1
    assert number_objects(ids, numbers).tolist() == [[255, *range(1, 255)]]
    ids[0, 0], numbers[0, 0] = 4, 1
    with pytest.raises(FormatError, match="has 255 objects"):
        number_objects(ids, numbers)


def test_objects_survive_a_round_trip(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    ids = rng.choice([0, 1, 15, 255], (9, 11)).astype(np.uint8)
    instances = np.where(np.isin(ids, [0, 255]), 0, rng.integers(0, 4, ids.shape))
    base = written(tmp_path, Mask(ids, instances.astype(np.uint16)))
    (sample,) = read(base)
    assert (sample.label.ids == ids).all()
    pairs = {
        (id, number, new)
        for id, number, new in zip(
            ids.flat, instances.flat, sample.label.instances.flat, strict=True
        )
        if number
    }
    objects = {pair[:2] for pair in pairs}
    assert len(pairs) == len(objects) == len({new for *_, new in pairs})
    assert ((sample.label.instances == 0) == (instances == 0)).all()


def test_ignore_becomes_255_which_is_what_loaders_leave_out(tmp_path: Path) -> None:
    table = ClassTable([ClassInfo(0, "other", role="ignore"), ClassInfo(1, "wall")])
    classes = VocWriter(tmp_path, table).classes
    assert [(info.id, info.name) for info in classes] == [(255, "other"), (1, "wall")]
    with pytest.raises(UsageError, match='"sea" has the id 255: VOC masks end at 254'):
        VocWriter(tmp_path, ClassTable([ClassInfo(255, "sea")]))


def test_one_name_in_two_splits_is_told_and_can_be_kept_apart(tmp_path: Path) -> None:
    lists = {"train": "a\nb\n", "small": "a\n"}
    dataset(tmp_path / "src", "a", "b", lists=lists)
    with pytest.raises(FormatError, match=r'"a" is in the splits small and train.*split_folders'):
        segfmt.convert(tmp_path / "src", tmp_path / "dst", source="voc", target="voc")
    segfmt.convert(
        tmp_path / "src",
        tmp_path / "apart",
        source="voc",
        target="voc",
        writer_options={"split_folders": True},
    )
    assert names(tmp_path / "apart") == [
        ("small", "small/a"),
        ("train", "train/a"),
        ("train", "train/b"),
    ]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    lists = {"train": "a\n", "val": "sub/b\n"}
    dataset(tmp_path / "src", "a", "sub/b", lists=lists)
    segfmt.convert(tmp_path / "src", tmp_path / "dst", target="voc")
    again = VocReader(tmp_path / "dst")
    assert again.classes == TABLES["voc"]
    assert [(ref.split, ref.key) for ref in again.scan()] == [("train", "a"), ("val", "sub/b")]
    for ref in again.scan():
        assert (again.load(ref).label.ids == IDS).all()


@pytest.mark.skipif(not REAL, reason="SEGFMT_REAL_DATA names no folder")
def test_real_masks_hold_vocs_ids() -> None:
    root = Path(REAL or "") / "voc" / "lightly-ai__labelformat" / "pascalvoc"
    samples = read(root)
    assert [sample.ref.key for sample in samples] == ["2007_000032", "subdir/2007_000033"]
    assert set(np.unique(samples[0].label.ids)) == {0, 1, 15, 255}
    assert len(VocReader(root).warnings) == 1  # no table: nothing else is wrong


@pytest.mark.skipif(not REAL, reason="SEGFMT_REAL_DATA names no folder")
def test_real_color_masks_and_a_test_list() -> None:
    root = Path(REAL or "") / "voc" / "open-edge-platform__datumaro" / "voc_dataset"
    reader = VocReader(root / "voc_dataset1")
    (ref,) = reader.scan()
    label = reader.load(ref).label
    assert (ref.split, ref.key) == ("train", "2007_000001")
    assert set(np.unique(label.ids)) == {2}
    assert set(np.unique(label.instances)) == {1}
    assert "test.txt is left out: none of its 1 samples has a mask" in reader.warnings
