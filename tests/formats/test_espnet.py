"""EdgeNets' lists, against its loaders' parsing and the script that the format is known from."""

import os
import shutil
import unicodedata
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

import segfmt
from aihub_files import write_image
from mask_files import read_png, write_png
from segfmt import ClassInfo, ClassTable, FormatError, Mask, Sample, SampleRef, UsageError
from segfmt.formats.espnet import EspnetReader, EspnetWriter, detect
from segfmt.formats.voc import colormap
from segfmt.tables import NO_TABLE, TABLES

SHAPE = (12, 16)
IDS = np.zeros(SHAPE, np.uint8)
IDS[2:6, 2:8] = 1
TABLE = ClassTable([ClassInfo(0, "background", role="background"), ClassInfo(1, "person")])


def edgenets(root: Path, flavor: str, split: str, classes: int = 2) -> list[tuple[str, str]]:
    """Return the pairs of files that the constructor of EdgeNets' dataset collects."""
    base = {"custom": root, "cityscapes": root, "voc": root / "VOC2012"}[flavor]
    folder = base / "list" if flavor == "voc" else base
    pairs = []
    with (folder / f"{split}.txt").open() as lines:
        for line in lines:
            if flavor == "custom":
                fields = line.split(",")
                rgb = str(base / "images") + os.sep + fields[0].strip()
                label = str(base / "annotations") + os.sep + fields[1].strip()
            elif flavor == "cityscapes":
                fields = line.split(",")
                rgb = str(base) + os.sep + fields[0].rstrip()
                label = str(base) + os.sep + fields[1].rstrip()
            else:
                rgb = str(base) + os.sep + line.split()[0]
                label = str(base) + os.sep + line.split()[1]
            assert Path(rgb).is_file()
            assert Path(label).is_file()
            values = np.unique(read_png(Path(label)))
            if flavor == "custom":
                assert 0 <= np.min(values) <= np.max(values) < classes
            pairs.append((rgb, label))
    return pairs


def source(root: Path, *keys: str, suffix: str = ".jpg", ids: Any = IDS) -> Path:
    """Write a VOC dataset of two classes; keys in `val/` make the split val."""
    lists: dict[str, list[str]] = {}
    for name in keys:
        split, _, key = name.rpartition(":")
        lists.setdefault(split or "train", []).append(key)
        write_image(root / "JPEGImages" / f"{key}{suffix}")
        write_png(root / "SegmentationClass" / f"{key}.png", ids)
    for split, names in lists.items():
        path = root / "ImageSets" / "Segmentation" / f"{split}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(names))
    table = TABLE.with_ignore() if 255 in ids else TABLE
    (root / "classes.json").write_bytes(table.to_json())
    return root


def convert(root: Path, out: Path, **options: Any) -> segfmt.Report:
    writer_options = {
        name: options.pop(name) for name in ("flavor", "image_suffix") if name in options
    }
    options = {"ignore_to": "background", **options}
    return segfmt.convert(
        root, out, source="voc", target="espnet", writer_options=writer_options, **options
    )


def test_custom_lists_are_relative_to_their_folders(tmp_path: Path) -> None:
    root = source(tmp_path / "src", "b", "city/a", "val:c")
    convert(root, tmp_path / "dst")
    dst = tmp_path / "dst"
    assert (dst / "train.txt").read_bytes() == (
        b"train/b.jpg,train/b.png\ntrain/city/a.jpg,train/city/a.png\n"
    )
    assert (dst / "val.txt").read_bytes() == b"val/c.jpg,val/c.png\n"
    assert len(edgenets(dst, "custom", "train")) == 2
    image, mask = edgenets(dst, "custom", "val")[0]
    assert (image, mask) == (
        str(dst / "images" / "val" / "c.jpg"),
        str(dst / "annotations" / "val" / "c.png"),
    )
    with Image.open(mask) as opened:
        assert opened.mode == "L"
    assert (read_png(Path(mask)) == IDS).all()
    assert Path(image).read_bytes() == (root / "JPEGImages" / "c.jpg").read_bytes()
    assert '"name": "person"' in (dst / "classes.json").read_text()


def test_cityscapes_lists_begin_with_a_slash_and_have_no_blank(tmp_path: Path) -> None:
    key = "aachen/aachen_000000_000019"
    writer = EspnetWriter(tmp_path / "dst", TABLE, flavor="cityscapes")
    assert writer.classes == TABLES["cityscapes-train"]
    image = write_image(tmp_path / "a.png")
    ids = np.where(IDS, 11, 255).astype(np.uint8)
    ref = SampleRef(key, "train", image)
    entry = writer.write(Sample(ref, SHAPE, Mask(ids)))
    writer.finish([entry])
    assert (tmp_path / "dst" / "train.txt").read_text() == (
        f"/leftImg8bit/train/{key}_leftImg8bit.png,/gtFine/train/{key}_gtFine_labelTrainIds.png\n"
    )
    ((_, mask),) = edgenets(tmp_path / "dst", "cityscapes", "train")
    assert (read_png(Path(mask)) == ids).all()


def test_voc_lists_are_split_by_a_blank(tmp_path: Path) -> None:
    ids = np.where(IDS, 1, 255).astype(np.uint8)
    root = source(tmp_path / "src", "a", "val:b", suffix=".png", ids=ids)
    report = convert(root, tmp_path / "dst", flavor="voc", ignore_to=None)
    lists = tmp_path / "dst" / "VOC2012" / "list"
    assert (lists / "train_aug.txt").read_text() == (
        "/JPEGImages/train/a.jpg /SegmentationClassAug/train/a.png\n"
    )
    ((_, mask),) = edgenets(tmp_path / "dst", "voc", "val")
    assert (read_png(Path(mask)) == ids).all()
    assert report.notes["images re-encoded"].count == 2
    assert "in a list that EdgeNets does not read" not in report.notes
    assert (tmp_path / "dst" / "VOC2012" / "classes.json").is_file()


def test_custom_has_no_place_for_ignore(tmp_path: Path) -> None:
    ids = np.where(IDS, 1, 255).astype(np.uint8)
    root = source(tmp_path / "src", "a", ids=ids)
    with pytest.raises(UsageError, match="--ignore-to background"):
        convert(root, tmp_path / "dst", ignore_to=None)
    convert(root, tmp_path / "dst")
    ((_, mask),) = edgenets(tmp_path / "dst", "custom", "train")
    assert (read_png(Path(mask)) == IDS).all()


@pytest.mark.parametrize("flavor", ["custom", "voc"])
def test_ids_with_gaps_are_refused_with_a_way_out(tmp_path: Path, flavor: Any) -> None:
    table = ClassTable([*TABLE, ClassInfo(7, "road"), ClassInfo(255, "x", role="ignore")])
    with pytest.raises(UsageError, match=r'these are 0, 1, 7\. .*--classes "person=1,road=2"'):
        EspnetWriter(tmp_path, table, flavor=flavor)


@pytest.mark.parametrize(
    ("flavor", "key", "problem"),
    [
        ("custom", "a,b", "has a comma in its name"),
        ("cityscapes", "a,b", "has a comma in its name"),
        ("voc", "a b", "has a blank in its name"),
        ("custom", "a b", ""),
        ("cityscapes", "a b", ""),
        ("voc", "a,b", ""),
    ],
)
def test_names_that_a_list_cannot_hold_fail(
    tmp_path: Path, flavor: Any, key: str, problem: str
) -> None:
    writer = EspnetWriter(tmp_path / "dst", TABLE, flavor=flavor)
    sample = Sample(SampleRef(key, "val", write_image(tmp_path / "x.jpg")), SHAPE, Mask(IDS))
    if problem:
        with pytest.raises(FormatError, match=problem):
            writer.write(sample)
        assert not (tmp_path / "dst").exists()
    else:
        writer.finish([writer.write(sample)])
        assert len(edgenets(tmp_path / "dst", flavor, "val")) == 1


def test_a_byte_order_mark_in_a_name_fails(tmp_path: Path) -> None:
    report = convert(source(tmp_path / "src", "a", "x\ufeff"), tmp_path / "dst")
    assert (report.done, report.failed) == (1, 1)
    assert "control character" in report.failures[0].error


def test_lists_that_edgenets_does_not_read_are_written_and_told(tmp_path: Path) -> None:
    report = convert(source(tmp_path / "src", "a", "test:b"), tmp_path / "dst")
    tally = report.notes["in a list that EdgeNets does not read"]
    assert tally.subjects == {"test.txt": 1}
    assert (tmp_path / "dst" / "test.txt").read_text() == "test/b.jpg,test/b.png\n"


def test_a_label_without_an_image_is_in_no_list(tmp_path: Path) -> None:
    root = source(tmp_path / "src", "a", "b")
    (root / "JPEGImages" / "b.jpg").unlink()
    report = convert(root, tmp_path / "dst", missing_image="keep")
    assert report.notes["in no list: image missing"].subjects == {"train/b": 1}
    assert (tmp_path / "dst" / "annotations" / "train" / "b.png").is_file()
    assert len(edgenets(tmp_path / "dst", "custom", "train")) == 1


def test_the_format_of_images(tmp_path: Path) -> None:
    root = source(tmp_path / "src", "a", suffix=".jpg")
    for key, suffix in (("b", ".JPEG"), ("c", ".bmp"), ("d", ".png")):
        source(root, key, suffix=suffix)
    (root / "ImageSets" / "Segmentation" / "train.txt").write_text("a\nb\nc\nd\n")
    convert(root, tmp_path / "dst")
    images = tmp_path / "dst" / "images" / "train"
    assert sorted(path.name for path in images.iterdir()) == ["a.jpg", "b.jpeg", "c.png", "d.png"]
    convert(root, tmp_path / "png", image_suffix=".png")
    images = tmp_path / "png" / "images" / "train"
    assert sorted(path.name for path in images.iterdir()) == ["a.png", "b.png", "c.png", "d.png"]
    with pytest.raises(UsageError, match=r"-o image_suffix=\.jpg or \.png"):
        convert(root, tmp_path / "none", images="none")
    convert(root, tmp_path / "none", images="none", image_suffix=".png")
    assert (tmp_path / "none" / "train.txt").read_text().startswith("train/a.png,train/a.png\n")
    assert not (tmp_path / "none" / "images").exists()


def listed(root: Path, text: str, name: str = "train.txt") -> Path:
    root.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(text.encode())
    return root


def custom(root: Path, text: str) -> Path:
    """Write `a` and `b` in the layout of custom lists, and train.txt."""
    for name in ("a", "b"):
        write_image(root / "images" / f"{name}.jpg")
        write_png(root / "annotations" / f"{name}.png", IDS)
    return listed(root, text)


def keys(root: Path, **options: Any) -> list[tuple[str, str]]:
    return [(ref.split, ref.key) for ref in EspnetReader(root, **options).scan()]


@pytest.mark.parametrize(
    "text",
    [
        "a.jpg,a.png\nb.jpg,b.png\n",
        "a.jpg,a.png\nb.jpg,b.png",
        "a.jpg, a.png \r\nb.jpg ,b.png\r\n",
        "a.jpg,a.png,more,columns\n/b.jpg,./b.png\n",
        "\ufeffa.jpg,a.png\n\nb.jpg,b.png\n\n",
    ],
)
def test_custom_lists_are_read(tmp_path: Path, text: str) -> None:
    root = custom(tmp_path, text)
    assert keys(root) == [("train", "a"), ("train", "b")]
    for sample in segfmt.open_dataset(root, "espnet"):
        assert (sample.label.ids == IDS).all()
        assert sample.ref.image == root / "images" / f"{sample.ref.key}.jpg"


def test_names_are_found_whatever_their_normal_form(tmp_path: Path) -> None:
    name = unicodedata.normalize("NFD", "하늘")
    write_image(tmp_path / "images" / f"{name}.jpg")
    write_png(tmp_path / "annotations" / "하늘.png", IDS)
    listed(tmp_path, f"하늘.jpg,{name}.png\n")
    assert keys(tmp_path) == [("train", "하늘")]
    assert len(list(segfmt.open_dataset(tmp_path, "espnet"))) == 1


def test_links_out_of_the_dataset_are_followed_if_asked(tmp_path: Path) -> None:
    root = custom(tmp_path / "src", "a.jpg,a.png\nc.jpg,a.png\n")
    (root / "images" / "c.jpg").symlink_to(write_image(tmp_path / "c.jpg"))
    with pytest.raises(FormatError, match="leads out of the dataset"):
        keys(root)
    assert keys(root, follow_links=True) == [("train", "a"), ("train", "c")]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("b.jpg b.png", '"b.jpg b.png" has no comma between image and mask'),
        ("# comment", '"# comment" has no comma'),
        ("b.jpg,c.png", 'names "c.png", which is not in annotations'),
        ("c.jpg,b.png", 'names "c.jpg", which is not in images'),
        ("b.jpg,../images/b.jpg", 'names "../images/b.jpg", which is not in annotations'),
        ("b.jpg,", 'names "", which is not in annotations'),
    ],
)
def test_a_bad_line_is_a_failed_sample_that_names_it(
    tmp_path: Path, line: str, problem: str
) -> None:
    root = custom(tmp_path / "src", f"a.jpg,a.png\n\n{line}\n")
    report = segfmt.convert(root, tmp_path / "dst", source="espnet", target="voc")
    assert (report.total, report.done, report.failed) == (2, 1, 1)
    assert f"{root / 'train.txt'}, line 3: {problem}" in report.failures[0].error


def test_a_mask_must_be_as_large_as_its_image(tmp_path: Path) -> None:
    root = custom(tmp_path, "a.jpg,a.png\n")
    write_image(root / "images" / "a.jpg", (8, 8))
    with pytest.raises(FormatError, match=r"a.png: is 16 x 12, but its image 8 x 8"):
        list(segfmt.open_dataset(root, "espnet"))


def cityscapes(root: Path, text: str) -> Path:
    write_image(root / "leftImg8bit" / "train" / "x" / "x_1_2_leftImg8bit.png")
    write_png(root / "gtFine" / "train" / "x" / "x_1_2_gtFine_labelTrainIds.png", IDS)
    return listed(root, text)


IMAGE = "leftImg8bit/train/x/x_1_2_leftImg8bit.png"
LABEL = "gtFine/train/x/x_1_2_gtFine_labelTrainIds.png"


@pytest.mark.parametrize(
    "line", [f"/{IMAGE},/{LABEL}", f"{IMAGE},{LABEL}", f"/{IMAGE} ,/{LABEL} \r"]
)
def test_cityscapes_lists_are_read(tmp_path: Path, line: str) -> None:
    root = cityscapes(tmp_path, f"{line}\n")
    assert keys(root) == [("train", "x/x_1_2")]
    assert EspnetReader(root).classes == TABLES["cityscapes-train"]
    assert EspnetReader(root).warnings == ()


def test_cityscapes_lists_keep_the_blank_after_a_comma(tmp_path: Path) -> None:
    root = cityscapes(tmp_path, f"{IMAGE}, {LABEL}\n")
    with pytest.raises(FormatError, match=r"line 1: .*EdgeNets keeps the blank before it"):
        list(segfmt.open_dataset(root, "espnet"))
    assert keys(root, flavor="custom") == [("train", "leftImg8bit/train/x/x_1_2_leftImg8bit")]


@pytest.mark.parametrize("at", [".", "VOC2012"])
def test_voc_lists_are_read(tmp_path: Path, at: str) -> None:
    base = tmp_path / at
    write_image(base / "JPEGImages" / "a.jpg")
    write_png(base / "SegmentationClassAug" / "a.png", IDS)
    line = "/JPEGImages/a.jpg\t /SegmentationClassAug/a.png\n"
    for name in ("train_aug", "val", "train", "trainval"):
        listed(base / "list", line, f"{name}.txt")
    listed(base / "list", "a\n", "train_id.txt")
    assert keys(tmp_path) == [("train", "a"), ("val", "a")]
    assert EspnetReader(tmp_path).classes == TABLES["voc"]
    assert detect(tmp_path) == "train_aug.txt lists images and masks"


def test_the_layout_of_rgb_beside_label(tmp_path: Path) -> None:
    write_image(tmp_path / "train" / "rgb" / "a_leftImg8bit.png")
    write_png(tmp_path / "train" / "label" / "a_gtFine_color.png", np.dstack([IDS] * 3))
    listed(tmp_path, "train/rgb/a_leftImg8bit.png,train/label/a_gtFine_color.png\n")
    (sample,) = segfmt.open_dataset(tmp_path, "espnet")
    assert (sample.ref.split, sample.ref.key) == ("train", "a_leftImg8bit")
    assert (sample.label.ids == IDS).all()
    assert [note.code for note in sample.notes] == ["RGB masks read by their grey values"]


def test_a_color_mask_is_refused(tmp_path: Path) -> None:
    root = custom(tmp_path, "a.jpg,a.png\n")
    write_png(root / "annotations" / "a.png", colormap()[IDS])
    with pytest.raises(FormatError, match="is a color mask"):
        list(segfmt.open_dataset(root, "espnet"))


def test_where_names_come_from(tmp_path: Path) -> None:
    root = custom(tmp_path, "a.jpg,a.png\n")
    reader = EspnetReader(root)
    assert reader.classes.by_id(1).name == "class_1"
    assert reader.warnings == (NO_TABLE,)
    (root / "classes.json").write_bytes(TABLE.to_json())
    assert EspnetReader(root).classes == TABLE
    assert EspnetReader(root).warnings == ()
    assert EspnetReader(root, table="satellite").classes == TABLES["satellite"]


def test_other_files_are_lists_if_their_first_line_is(tmp_path: Path) -> None:
    root = custom(tmp_path, "a.jpg,a.png\n")
    listed(root, "b.jpg,b.png\nbad\n", "test.txt")
    listed(root, "Read this, please.\n", "README.txt")
    listed(root, "", "empty.txt")
    (root / "binary.txt").write_bytes(b"\xff\xfe\xff")
    assert keys(root) == [("test", "b"), ("test", "test.txt line 2"), ("train", "a")]


def test_detection(tmp_path: Path) -> None:
    assert detect(tmp_path) is None
    root = custom(tmp_path / "custom", "a.jpg,a.png\n")
    assert detect(root) == "train.txt lists images and masks"
    assert detect(listed(tmp_path / "other", "a.jpg a.png\n")) is None
    # Lists do not keep a Cityscapes folder from being Cityscapes.
    assert detect(cityscapes(tmp_path / "cityscapes", f"{IMAGE},{LABEL}\n")) is None
    (tmp_path / "custom" / "ImageSets").mkdir()
    assert detect(root) is None


@pytest.mark.parametrize("flavor", ["custom", "cityscapes", "voc"])
def test_what_is_written_is_read_again(tmp_path: Path, flavor: Any) -> None:
    table = TABLES["cityscapes-train"] if flavor == "cityscapes" else TABLE
    writer = EspnetWriter(tmp_path / "dst", table, flavor=flavor)
    image = write_image(tmp_path / "x.jpg")
    refs = [SampleRef(key, split, image) for split in ("train", "val") for key in ("a", "sub/b")]
    writer.finish([writer.write(Sample(ref, SHAPE, Mask(IDS))) for ref in refs])
    reader = EspnetReader(tmp_path / "dst")
    again = list(reader.scan())
    assert [(ref.split, ref.key) for ref in again] == [(ref.split, ref.key) for ref in refs]
    assert reader.classes == writer.classes
    for ref in again:
        assert (reader.load(ref).label.ids == IDS).all()


def note_2(cities: Path, out: Path, split: str) -> None:
    """Take people out of Cityscapes as the script for ESPNet does."""
    human = [60, 20, 220]
    for folder in ("images", "annotations"):
        (out / folder / split).mkdir(parents=True)
    lines = []
    for color in sorted((cities / "gtFine" / split).glob("*/*_gtFine_color.png")):
        picture = cv2.imread(str(color))
        if not (picture == human).all(axis=2).any():
            continue
        kept = cv2.bitwise_and(
            picture, picture, mask=cv2.inRange(picture, np.array(human), np.array(human))
        )
        kept[np.where((kept == human).all(axis=2))] = [1, 1, 1]
        grey = cv2.cvtColor(kept, cv2.COLOR_BGR2GRAY)
        cv2.imwrite(str(out / "annotations" / split / color.name), grey)
        name = color.name.replace("_gtFine_color.png", "_leftImg8bit.png")
        image = cities / "leftImg8bit" / split / color.name.split("_")[0] / name
        shutil.copy(image, out / "images" / split / name)
        lines.append(f"{split}/{name},{split}/{color.name}\n")
    (out / f"{split}.txt").write_text("".join(lines))


def test_people_of_cityscapes_as_the_script_takes_them(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    cities = tmp_path / "cityscapes"
    for city, seed in (("aachen", 24), ("bochum", 7), ("zurich", 24)):
        ids = rng.choice([7, seed, 11, 25], SHAPE).astype(np.uint8)
        name = f"{city}_000000_000019"
        write_image(cities / "leftImg8bit" / "train" / city / f"{name}_leftImg8bit.png")
        folder = cities / "gtFine" / "train" / city
        write_png(folder / f"{name}_gtFine_labelIds.png", ids)
        colors = TABLES["cityscapes"].palette()[ids]
        write_png(folder / f"{name}_gtFine_color.png", colors)
    note_2(cities, tmp_path / "script", "train")
    segfmt.convert(
        cities,
        tmp_path / "segfmt",
        source="cityscapes",
        target="espnet",
        classes="person=1",
        only_with="person",
    )
    theirs = edgenets(tmp_path / "script", "custom", "train")
    ours = edgenets(tmp_path / "segfmt", "custom", "train")
    assert len(ours) == len(theirs) == 2
    for (image, mask), (their_image, their_mask) in zip(ours, theirs, strict=True):
        assert Path(image).read_bytes() == Path(their_image).read_bytes()
        assert (read_png(Path(mask)) == read_png(Path(their_mask))).all()
    # What the script wrote can be read, too.
    assert len(list(segfmt.open_dataset(tmp_path / "script", "espnet"))) == 2
