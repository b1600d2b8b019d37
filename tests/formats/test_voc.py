"""The VOC writer against hand-written goldens and what VOC's loaders do."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import segfmt
from aihub_files import SQUARE, annotation, dataset, label, write_image, write_label
from segfmt import ClassInfo, ClassTable, UsageError
from segfmt.formats.voc import VocWriter, colormap

BASE = Path("VOCdevkit/VOC2012")


def converted(tmp_path: Path, **options: object) -> Path:
    root = dataset(tmp_path / "src", ["b", "a"], {"a": label(annotation("sky"))})
    write_image(root / "Validation" / "data" / "c.jpg")
    write_label(root / "Validation" / "label" / "c.json")
    segfmt.convert(root, tmp_path / "dst", source="aihub", target="voc", **options)
    return tmp_path / "dst" / BASE


def test_the_tree_is_the_one_that_loaders_expect(tmp_path: Path) -> None:
    base = converted(tmp_path)
    files = sorted(path.relative_to(base).as_posix() for path in base.rglob("*") if path.is_file())
    assert files == [
        "ImageSets/Segmentation/train.txt",
        "ImageSets/Segmentation/trainval.txt",
        "ImageSets/Segmentation/val.txt",
        "JPEGImages/a.jpg",
        "JPEGImages/b.jpg",
        "JPEGImages/c.jpg",
        "SegmentationClass/a.png",
        "SegmentationClass/b.png",
        "SegmentationClass/c.png",
        "classes.json",
        "labelmap.txt",
    ]
    lists = base / "ImageSets" / "Segmentation"
    assert (lists / "train.txt").read_bytes() == b"a\nb\n"
    assert (lists / "val.txt").read_bytes() == b"c\n"
    assert (lists / "trainval.txt").read_bytes() == b"a\nb\nc\n"


def test_a_mask_is_an_eight_bit_palette_png_of_ids(tmp_path: Path) -> None:
    base = converted(tmp_path)
    with Image.open(base / "SegmentationClass" / "a.png") as mask:
        assert mask.mode == "P"
        assert mask.info.get("transparency") is None
        palette = np.reshape(mask.getpalette(), (-1, 3))
        ids = np.asarray(mask)
    expected = np.zeros((12, 16), np.uint8)
    expected[2:8, 2:10] = 21
    assert (ids == expected).all()
    assert palette.shape == (256, 3)
    assert palette[21].tolist() == [30, 144, 255]
    assert palette[255].tolist() == [224, 224, 192]


def test_voc_colors_on_request(tmp_path: Path) -> None:
    base = converted(tmp_path, writer_options={"palette": "voc"})
    with Image.open(base / "SegmentationClass" / "a.png") as mask:
        assert mask.getpalette()[:12] == [0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0]
    assert "\nroad:128,0,0::\n" in (base / "labelmap.txt").read_text()


def test_the_color_map_is_vocs() -> None:
    known = {0: (0, 0, 0), 7: (128, 128, 128), 8: (64, 0, 0), 15: (192, 128, 128), 20: (0, 64, 128)}
    assert {id: tuple(colormap()[id].tolist()) for id in known} == known
    assert tuple(colormap()[255].tolist()) == (224, 224, 192)
    assert len(np.unique(colormap(), axis=0)) == 256


def test_class_names_stand_beside_the_data(tmp_path: Path) -> None:
    base = converted(tmp_path)
    lines = (base / "labelmap.txt").read_text().splitlines()
    assert lines[:3] == [
        "# label:color_rgb:parts:actions",
        "undefined object/area:0,0,0::",
        "road:130,130,130::",
    ]
    assert len(lines) == 27
    assert '"name": "speed bump"' in (base / "classes.json").read_text()


def test_torchvisions_listing_finds_every_pair(tmp_path: Path) -> None:
    # torchvision.datasets.VOCSegmentation: root/VOCdevkit/VOC2012, a stripped name a line, `.jpg`
    # and `.png` appended, masks handed out as the opened palette image.
    base = converted(tmp_path)
    for image_set, count in (("train", 2), ("val", 1), ("trainval", 3)):
        split = base / "ImageSets" / "Segmentation" / f"{image_set}.txt"
        with split.open() as lines:
            names = [line.strip() for line in lines]
        assert len(names) == count
        for name in names:
            with (
                Image.open(base / "JPEGImages" / f"{name}.jpg") as image,
                Image.open(base / "SegmentationClass" / f"{name}.png") as mask,
            ):
                assert image.size == mask.size


def test_mmsegmentations_loading_gets_ids(tmp_path: Path) -> None:
    # mmseg 1.x LoadAnnotations: bytes to Pillow, `unchanged`, squeezed, uint8.
    base = converted(tmp_path)
    data = (base / "SegmentationClass" / "b.png").read_bytes()
    with Image.open(io.BytesIO(data)) as mask:
        ids = np.array(mask).squeeze().astype(np.uint8)
    assert set(np.unique(ids)) == {0, 1}


def test_the_base_can_be_chosen_but_not_left(tmp_path: Path) -> None:
    root = dataset(tmp_path / "src", ["a"])
    segfmt.convert(
        root, tmp_path / "dst", source="aihub", target="voc", writer_options={"base": "mine"}
    )
    assert (tmp_path / "dst" / "mine" / "SegmentationClass" / "a.png").exists()
    with pytest.raises(segfmt.SegfmtError, match="no safe name"):
        segfmt.convert(
            root, tmp_path / "d2", source="aihub", target="voc", writer_options={"base": "../out"}
        )


def test_an_id_beyond_the_palette_is_a_plan_error(tmp_path: Path) -> None:
    table = ClassTable([ClassInfo(0, "bg", role="background"), ClassInfo(300, "far")])
    with pytest.raises(UsageError, match='"far" has the id 300'):
        VocWriter(tmp_path, table)


def test_png_images_become_jpeg_and_that_is_said(tmp_path: Path) -> None:
    write_image(tmp_path / "src" / "data" / "a.png")
    write_label(tmp_path / "src" / "label" / "a.json", label(annotation(points=SQUARE)))
    report = segfmt.convert(tmp_path / "src", tmp_path / "dst", source="aihub", target="voc")
    assert report.notes["images re-encoded"].subjects == {"PNG to JPEG (lossy)": 1}
    with Image.open(tmp_path / "dst" / BASE / "JPEGImages" / "a.jpg") as image:
        assert image.format == "JPEG"
