"""Folders of images and masks, against hand-written files and the scripts that are in use."""

import os
import unicodedata
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

import segfmt
from aihub_files import SQUARE, annotation, label, write_image, write_label
from segfmt import (
    ClassInfo,
    ClassTable,
    FormatError,
    Mask,
    Sample,
    SampleRef,
    UsageError,
    open_dataset,
)
from segfmt.formats.folder import FolderReader, FolderWriter, detect

REAL = Path(os.environ.get("SEGFMT_REAL_DATA", ""))
TABLE = ClassTable(
    [
        ClassInfo(0, "background", (0, 0, 0), "background"),
        ClassInfo(1, "road", (128, 64, 128)),
        ClassInfo(7, "하늘", (70, 130, 180)),
        ClassInfo(255, "ignore", (224, 224, 192), "ignore"),
    ]
)
IDS = np.array([[0, 1, 7], [255, 7, 1]], np.uint8)
COLORS = np.array(
    [
        [(0, 0, 0), (128, 64, 128), (70, 130, 180)],
        [(224, 224, 192), (70, 130, 180), (128, 64, 128)],
    ],
    np.uint8,
)


def save(path: Path, pixels: npt.NDArray[np.uint8] | None = None, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if pixels is None:
        pixels = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    Image.fromarray(pixels).save(path, **options)
    return path


def pair(root: Path, image: str, mask: str, pixels: npt.NDArray[np.uint8] = IDS) -> Path:
    save(root / image)
    save(root / mask, pixels)
    return root


def with_table(root: Path, table: ClassTable = TABLE) -> Path:
    segfmt.atomic_write(root / "classes.json", table.to_json())
    return root


def listed(root: Path, **options: Any) -> list[tuple[str, str, str | None]]:
    """Return split, key and image of every sample."""
    return [
        (ref.split, ref.key, ref.image and ref.image.relative_to(root).as_posix())
        for ref in FolderReader(root, **options).scan()
    ]


def only(root: Path, **options: Any) -> Sample:
    (sample,) = open_dataset(root, "folder", **options)
    return sample


def ids_of(sample: Sample) -> npt.NDArray[np.uint8]:
    assert isinstance(sample.label, Mask)
    return sample.label.ids


@pytest.mark.parametrize(
    ("images", "masks"),
    [
        ("images", "masks"),
        ("img", "labels"),
        ("data", "gt"),
        ("JPEGImages", "SegmentationClass"),
        ("img_dir", "ann_dir"),
        ("data/images", "data/masks"),
    ],
)
def test_folders_are_found_by_their_names(tmp_path: Path, images: str, masks: str) -> None:
    pair(tmp_path, f"{images}/scene/a.jpg", f"{masks}/scene/a.png")
    above = images.rpartition("/")[0]
    key = f"{above}/scene/a" if above else "scene/a"
    assert listed(tmp_path) == [("train", key, f"{images}/scene/a.jpg")]


@pytest.mark.parametrize("layout", ["{}/{}/scene/a", "{1}/{0}/scene/a"])
@pytest.mark.parametrize(("folder", "split"), [("val", "val"), ("Validation", "val")])
def test_a_folder_named_like_a_split_is_one(
    tmp_path: Path, layout: str, folder: str, split: str
) -> None:
    images, masks = layout.format("images", folder), layout.format("masks", folder)
    pair(tmp_path, f"{images}.jpg", f"{masks}.png")
    assert listed(tmp_path) == [(split, "scene/a", f"{images}.jpg")]


def test_images_in_no_split_serve_masks_in_any(tmp_path: Path) -> None:
    pair(tmp_path, "images/a.jpg", "masks/train/a.png")
    pair(tmp_path, "images/b.jpg", "masks/val/b.png")
    assert listed(tmp_path) == [("train", "a", "images/a.jpg"), ("val", "b", "images/b.jpg")]


def test_segnets_layout_of_camvid(tmp_path: Path) -> None:
    pair(tmp_path, "train/a.png", "trainannot/a.png")
    pair(tmp_path, "val/b.png", "valannot/b.png")
    assert listed(tmp_path) == [("train", "a", "train/a.png"), ("val", "b", "val/b.png")]


def test_folders_that_are_named_may_have_any_name(tmp_path: Path) -> None:
    pair(tmp_path, "photos/dir/a.jpg", "truth/color/dir/a.png")
    save(tmp_path / "truth" / "edges" / "a.png", IDS)
    options = {"images": "photos", "masks": "truth/color"}
    assert listed(tmp_path, **options) == [("train", "dir/a", "photos/dir/a.jpg")]
    options = {"images": "./photos/", "masks": "truth\\color"}
    assert listed(tmp_path, **options) == [("train", "dir/a", "photos/dir/a.jpg")]


def test_a_placeholder_makes_any_folder_a_split(tmp_path: Path) -> None:
    pair(tmp_path, "train_extra/rgb/a.jpg", "train_extra/truth/a.png")
    assert listed(tmp_path, images="{split}/rgb", masks="{split}/truth") == [
        ("train_extra", "a", "train_extra/rgb/a.jpg")
    ]


def test_masks_told_by_their_suffix_may_stand_beside_images(tmp_path: Path) -> None:
    pair(tmp_path, "data/a.jpg", "data/a_color.png")
    save(tmp_path / "data" / "b.png")
    assert listed(tmp_path, suffix="_color") == [("train", "a", "data/a.jpg")]
    pair(tmp_path / "flat", "1_sat.jpg", "1_mask.png")
    options = {"suffix": "_mask", "image_suffix": "_sat"}
    assert listed(tmp_path / "flat", **options) == [("train", "1", "1_sat.jpg")]


def test_a_suffix_chooses_among_masks(tmp_path: Path) -> None:
    pair(tmp_path, "images/a.png", "gt/a_labelIds.png")
    save(tmp_path / "gt" / "a_color.png", COLORS)
    assert listed(tmp_path, suffix="_labelIds") == [("train", "a", "images/a.png")]


@pytest.mark.parametrize("suffix", [".JPG", ".jpeg", ".png", ".bmp", ".tif", ".webp"])
def test_images_may_have_any_suffix(tmp_path: Path, suffix: str) -> None:
    pair(tmp_path, f"images/a{suffix}", "masks/a.png")
    assert listed(tmp_path) == [("train", "a", f"images/a{suffix}")]


def test_of_two_images_of_one_name_none_is_taken(tmp_path: Path) -> None:
    pair(tmp_path, "images/a.png", "masks/a.png")
    save(tmp_path / "images" / "a.jpg")
    assert listed(tmp_path) == [("train", "a", None)]


def test_masks_without_images_are_listed(tmp_path: Path) -> None:
    save(tmp_path / "masks" / "a.png", IDS)
    assert listed(tmp_path) == [("train", "a", None)]


def test_names_in_nfc_and_nfd_meet(tmp_path: Path) -> None:
    nfd = unicodedata.normalize("NFD", "하늘")
    pair(tmp_path, f"images/{nfd}/{nfd}.jpg", "masks/하늘/하늘_색.png")
    suffix = unicodedata.normalize("NFD", "_색")
    assert listed(tmp_path, suffix=suffix) == [
        ("train", "하늘/하늘", f"images/{nfd}/{nfd}.jpg"),
    ]


@pytest.mark.parametrize(
    ("files", "options", "reason"),
    [
        (["photos/a.jpg", "masks/a.png"], {}, r"no folder whose name says .* of the images"),
        (["images/a.jpg", "truth/a.png"], {}, r"no folder whose name says .* of the masks"),
        (["images/a.jpg", "gt/a.png", "seg/a.png"], {}, r"several .* of the masks: gt, seg"),
        (["rgb/a.jpg", "img/a.jpg", "gt/a.png"], {}, r"several .* of the images: img, rgb"),
        (["images/a.jpg", "masks/a.png"], {"masks": "mask"}, r'no folder "mask" with image files'),
        (["images/a.jpg", "masks/a.png"], {"images": "../x"}, r'no folder "../x"'),
        (["images/a.jpg"], {}, r"Image files are in: images \(1\)\. Give -i masks=FOLDER"),
        ([], {}, "Image files are in: none"),
        ([f"d{number}/a.png" for number in range(12)], {}, r"d5 \(1\) and 4 more"),
        (["data/a.png"], {"images": "data", "masks": "data"}, "need -i suffix"),
    ],
)
def test_what_is_not_clear_is_an_error_that_lists_what_was_seen(
    tmp_path: Path, files: list[str], options: dict[str, str], reason: str
) -> None:
    for file in files:
        save(tmp_path / file)
    with pytest.raises(UsageError, match=reason):
        listed(tmp_path, **options)


@pytest.mark.parametrize("palette", [False, True])
def test_index_masks_are_read_as_they_are(tmp_path: Path, palette: bool) -> None:
    with_table(pair(tmp_path, "images/a.jpg", "masks/a.png"))
    if palette:
        segfmt.write_mask(tmp_path / "masks" / "a.png", IDS, TABLE.palette())
    sample = only(tmp_path)
    assert sample.shape == (2, 3)
    assert (ids_of(sample) == IDS).all()


def test_bilevel_masks_are_ids_0_and_1(tmp_path: Path) -> None:
    save(tmp_path / "images" / "a.jpg")
    (tmp_path / "masks").mkdir()
    Image.fromarray(IDS == 1).save(tmp_path / "masks" / "a.png")
    assert (ids_of(only(tmp_path)) == (IDS == 1)).all()


def test_color_masks_are_read_by_the_table(tmp_path: Path) -> None:
    with_table(pair(tmp_path, "images/a.jpg", "masks/a.png", COLORS))
    assert (ids_of(only(tmp_path)) == IDS).all()
    alpha = np.dstack([COLORS, np.full((2, 3), 255, np.uint8)])
    save(tmp_path / "masks" / "a.png", alpha)
    assert (ids_of(only(tmp_path)) == IDS).all()


def test_a_palette_counts_as_colors_where_that_is_asked(tmp_path: Path) -> None:
    with_table(pair(tmp_path, "images/a.jpg", "masks/x.jpg"))
    (tmp_path / "masks" / "x.jpg").unlink()
    Image.fromarray(COLORS).quantize(8).save(tmp_path / "masks" / "a.png")
    assert (ids_of(only(tmp_path, mode="color")) == IDS).all()
    assert not (ids_of(only(tmp_path)) == IDS).all()


@pytest.mark.parametrize(
    ("mask", "options", "reason"),
    [
        ("a.jpg", {}, "is a JPEG, which cannot hold class ids: its compression changes them"),
        ("a.png", {"mode": "index"}, "is no index mask: its mode is RGB"),
    ],
)
def test_masks_that_cannot_be_are_refused_with_the_reason(
    tmp_path: Path, mask: str, options: dict[str, Any], reason: str
) -> None:
    with_table(pair(tmp_path, "images/a.png", f"masks/{mask}", COLORS))
    with pytest.raises(FormatError, match=reason) as caught:
        only(tmp_path, **options)
    assert caught.value.path == tmp_path / "masks" / mask


def test_sixteen_bits_are_no_index_mask(tmp_path: Path) -> None:
    pair(tmp_path, "images/a.png", "masks/a.png", IDS.astype(np.uint16))
    with pytest.raises(FormatError, match="its mode is I;16"):
        only(tmp_path)


def test_a_color_mask_without_a_table_says_what_to_give(tmp_path: Path) -> None:
    pair(tmp_path, "images/a.jpg", "masks/a.png", COLORS)
    with pytest.raises(FormatError, match=r"nothing says which color .* Give --table") as caught:
        only(tmp_path)
    assert caught.value.path == tmp_path / "masks" / "a.png"


def test_without_a_table_classes_are_numbered_and_that_is_said(tmp_path: Path) -> None:
    reader = FolderReader(pair(tmp_path, "images/a.jpg", "masks/a.png"))
    assert reader.classes.by_id(7).name == "class_7"
    assert "Give --table" in reader.warnings[0]
    assert FolderReader(with_table(tmp_path)).warnings == ()


def test_an_unknown_color_follows_the_policy(tmp_path: Path) -> None:
    stray = COLORS.copy()
    stray[1, 2] = (1, 2, 3)
    table = ClassTable(info for info in TABLE if info.role != "ignore")
    stray[1, 0] = (0, 0, 0)
    with_table(pair(tmp_path, "images/a.jpg", "masks/a.png", stray), table)
    with pytest.raises(FormatError) as caught:
        only(tmp_path)
    assert caught.value.path == tmp_path / "masks" / "a.png"
    assert ids_of(only(tmp_path, unknown="ignore")).tolist() == [[0, 1, 7], [0, 7, 255]]
    assert ids_of(only(tmp_path, unknown="background")).tolist() == [[0, 1, 7], [0, 7, 0]]


def test_ignore_needs_an_id_that_is_free(tmp_path: Path) -> None:
    with_table(tmp_path, ClassTable([ClassInfo(255, "road")]))
    with pytest.raises(UsageError, match="share the id 255"):
        _ = FolderReader(tmp_path, unknown="ignore").classes


@pytest.fixture
def twins(tmp_path: Path) -> Path:
    """Give masks of two classes that share a color, one of which has no other pixel."""
    table = ClassTable([*TABLE, ClassInfo(9, "street", (128, 64, 128))])
    root = with_table(tmp_path / "src", table)
    pair(root, "images/both.png", "masks/both.png", COLORS)
    return pair(root, "images/none.png", "masks/none.png", np.zeros_like(COLORS))


def test_a_shared_color_is_an_error_where_a_pixel_has_it(twins: Path, tmp_path: Path) -> None:
    report = segfmt.convert(twins, tmp_path / "dst", source="folder", target="folder")
    assert (report.done, report.failed) == (1, 1)
    assert report.failures[0].key == "both"
    options = {"ambiguous": "first"}
    report = segfmt.convert(
        twins, tmp_path / "first", source="folder", target="folder", reader_options=options
    )
    assert report.ok
    written = segfmt.read_mask(tmp_path / "first" / "masks" / "train" / "both.png")
    assert (written == IDS).all()


def test_a_shared_color_is_none_where_its_classes_become_one(twins: Path, tmp_path: Path) -> None:
    report = segfmt.convert(
        twins, tmp_path / "dst", source="folder", target="folder", classes="road=1,street=1"
    )
    assert report.ok
    written = segfmt.read_mask(tmp_path / "dst" / "masks" / "train" / "both.png")
    assert written.tolist() == [[0, 1, 0], [255, 0, 1]]


DATUMARO = """\
{"label_map": {"0": "void", "1": "road", "2": "하늘"}, "background_label": "0",
 "segmentation_colors": [[0, 0, 0], [128, 64, 128], [70, 130, 180]]}
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("dataset_meta.json", DATUMARO),
        ("labelmap.txt", "# name:rgb\nvoid:0,0,0::\nroad:128,64,128::\n하늘:70,130,180::\n"),
        ("label_colors.txt", "128 64 128\t\troad\n70 130 180 하늘\r\n0 0 0 void"),
    ],
)
@pytest.mark.parametrize("given", [False, True])
def test_tables_of_other_tools_are_read(tmp_path: Path, name: str, text: str, given: bool) -> None:
    colors = np.where(COLORS == (224, 224, 192), 0, COLORS).astype(np.uint8)
    root = pair(tmp_path / "set", "images/a.png", "masks/a.png", colors)
    path = (tmp_path if given else root) / name
    path.write_bytes(text.encode())
    options = {"table": str(path)} if given else {}
    classes = open_dataset(root, "folder", **options).classes
    assert [(info.id, info.name, info.role) for info in classes] == [
        (0, "void", "background"),
        (1, "road", "class"),
        (2, "하늘", "class"),
    ]
    assert ids_of(only(root, **options)).tolist() == [[0, 1, 2], [0, 2, 1]]


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("label_colors.txt", "0 0 0 void\n1 2 road", "line 2: is not r g b name"),
        ("label_colors.txt", "0 0 300 void", "color .* is not three of 0..255"),
        ("label_colors.txt", "1 1 1 a\n2 2 2 a", 'share the name "a"'),
        ("dataset_meta.json", "{}", "missing required field `label_map`"),
        ("dataset_meta.json", '{"label_map": {"x": "a"}}', "Expected `int`"),
        ("dataset_meta.json", '{"label_map": {"0": "a", "1": "A"}}', "share the name"),
    ],
)
def test_tables_that_are_none_are_refused(
    tmp_path: Path, name: str, text: str, reason: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(FormatError, match=reason) as caught:
        _ = FolderReader(tmp_path).classes
    assert caught.value.path == tmp_path / name


def test_a_table_may_be_a_built_in_one(tmp_path: Path) -> None:
    pair(tmp_path, "images/a.png", "masks/a.png", np.full((2, 3, 3), (192, 128, 128), np.uint8))
    assert (ids_of(only(tmp_path, table="voc")) == 15).all()
    with pytest.raises(UsageError, match="neither a class table nor a file"):
        _ = FolderReader(tmp_path, table="vocc").classes


def test_a_mask_must_be_as_large_as_its_image(tmp_path: Path) -> None:
    save(tmp_path / "images" / "a.png", np.zeros((4, 3), np.uint8))
    save(tmp_path / "masks" / "a.png", IDS)
    with pytest.raises(FormatError, match="is 3 x 2, but its image 3 x 4") as caught:
        only(tmp_path)
    assert caught.value.path == tmp_path / "masks" / "a.png"
    # Turned by its EXIF orientation the image may be what the mask was drawn on.
    save(tmp_path / "images" / "a.png", np.zeros((3, 2), np.uint8))
    assert only(tmp_path).shape == (2, 3)


@pytest.mark.parametrize(
    ("files", "seen"),
    [
        (["images/a.jpg", "masks/a.png"], "there are folders images and masks"),
        (["train/Images/a.jpg", "train/Masks/a.png"], "there are folders Images and Masks"),
        (["val/a.png", "valannot/a.png"], "there are folders val and valannot"),
        (["images/a.jpg", "masks/a.json"], None),
        (["images/a.jpg", "labels/a.png"], None),
        (["images/a.jpg", "annotations/a.png"], None),
        (["JPEGImages/a.jpg", "SegmentationClass/a.png"], None),
        (["leftImg8bit/train/b/a.png", "gtFine/train/b/a.png"], None),
        ([], None),
    ],
)
def test_auto_fires_on_names_that_no_other_format_has(
    tmp_path: Path, files: list[str], seen: str | None
) -> None:
    for file in files:
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    assert detect(tmp_path) == seen


@pytest.mark.skipif(not REAL.parts, reason="SEGFMT_REAL_DATA names no folder")
def test_real_sets_of_datumaro_and_camvid() -> None:
    base = REAL / "common_semseg/open-edge-platform__datumaro/common_semantic_segmentation_dataset"
    samples = list(open_dataset(base / "dataset"))
    assert [ids_of(sample).tolist() for sample in samples] == [
        [[3, 3, 5, 3, 3]],
        [[1, 1, 1, 4, 4]],
    ]
    camvid = REAL / "camvid/open-edge-platform__datumaro/camvid_dataset"
    splits = [(ref.split, ref.key) for ref in open_dataset(camvid).refs()]
    assert splits == [
        ("test", "0001TP_008550"),
        ("test", "0001TP_008580"),
        ("train", "0001TP_006690"),
        ("val", "0016E5_07959"),
    ]


def sample_of(image: Path | None, key: str = "scene/a", split: str = "train") -> Sample:
    return Sample(SampleRef(key, split, image), (2, 3), Mask(IDS))


def files_below(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def test_the_tree_and_its_entry(tmp_path: Path) -> None:
    image = save(tmp_path / "src" / "x.JPG", format="JPEG")
    writer = FolderWriter(tmp_path / "dst", TABLE)
    entry = writer.write(sample_of(image, split="val"))
    writer.finish([entry])
    assert entry.files == ("masks/val/scene/a.png", "images/val/scene/a.JPG")
    assert files_below(tmp_path / "dst") == [
        "classes.json",
        "images/val/scene/a.JPG",
        "masks/val/scene/a.png",
    ]
    assert (tmp_path / "dst" / entry.files[1]).read_bytes() == image.read_bytes()
    assert (tmp_path / "dst" / "classes.json").read_bytes() == TABLE.to_json()


@pytest.mark.parametrize(
    ("options", "mode", "pixels"),
    [({}, "P", IDS), ({"palette": False}, "L", IDS), ({"masks": "color"}, "RGB", COLORS)],
)
def test_masks_are_what_was_asked_for(
    tmp_path: Path, options: dict[str, Any], mode: str, pixels: npt.NDArray[np.uint8]
) -> None:
    FolderWriter(tmp_path, TABLE, **options).write(sample_of(None))
    with Image.open(tmp_path / "masks/train/scene/a.png") as mask:
        assert mask.mode == mode
        assert (np.asarray(mask) == pixels).all()
        assert (np.asarray(mask.convert("RGB")) == COLORS).all() == (mode != "L")


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp", ".webp", ".jpeg"])
def test_images_keep_their_bytes_whatever_they_are(tmp_path: Path, suffix: str) -> None:
    image = save(tmp_path / f"x{suffix}")
    FolderWriter(tmp_path / "dst", TABLE).write(sample_of(image))
    placed = tmp_path / "dst" / f"images/train/scene/a{suffix}"
    assert placed.read_bytes() == image.read_bytes()


def test_images_whose_name_is_wrong_keep_their_bytes_too(tmp_path: Path) -> None:
    image = save(tmp_path / "x.jpg", format="PNG")
    entry = FolderWriter(tmp_path / "dst", TABLE).write(sample_of(image))
    assert (tmp_path / "dst" / entry.files[1]).read_bytes() == image.read_bytes()
    assert entry.notes == ()


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
def test_a_truncated_image_fails_before_anything_is_written(tmp_path: Path, suffix: str) -> None:
    image = save(tmp_path / f"x{suffix}", np.arange(3000, dtype=np.uint8).reshape(30, 100))
    image.write_bytes(image.read_bytes()[:-40])
    with pytest.raises(FormatError, match=r"does not decode|is a damaged"):
        FolderWriter(tmp_path / "dst", TABLE).write(sample_of(image))
    assert not (tmp_path / "dst").exists() or not files_below(tmp_path / "dst")


@pytest.mark.parametrize("images", ["hardlink", "symlink", "none"])
def test_images_are_placed_as_asked(tmp_path: Path, images: Any) -> None:
    image = save(tmp_path / "x.png")
    entry = FolderWriter(tmp_path / "dst", TABLE, images=images).write(sample_of(image))
    placed = tmp_path / "dst" / "images/train/scene/a.png"
    assert len(entry.files) == (1 if images == "none" else 2)
    assert placed.exists() == (images != "none")
    assert images == "none" or placed.samefile(image)


def test_a_shared_color_is_noted_for_whom_it_concerns(tmp_path: Path) -> None:
    table = ClassTable([*TABLE, ClassInfo(9, "street", (128, 64, 128))])
    writer = FolderWriter(tmp_path, table, masks="color")
    (note,) = writer.write(sample_of(None)).notes
    assert (note.code, note.subject) == ("colors that several classes share", "road and street")
    blank = Sample(SampleRef("b"), (2, 3), Mask(np.zeros_like(IDS)))
    assert writer.write(blank).notes == ()
    assert FolderWriter(tmp_path, table).write(sample_of(None)).notes == ()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"image_folder": "../out"}, "no safe name"),
        ({"mask_folder": "/abs"}, "no safe name"),
        ({"suffix": "/../../x"}, "no safe name"),
        ({"suffix": "/x"}, 'has no "/"'),
        ({"image_folder": "data", "mask_folder": "data"}, "need -o suffix"),
    ],
)
def test_folders_that_cannot_be_are_refused(
    tmp_path: Path, options: dict[str, str], reason: str
) -> None:
    with pytest.raises(segfmt.SegfmtError, match=reason):
        FolderWriter(tmp_path, TABLE, **options)


def test_an_id_beyond_eight_bits_is_a_plan_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match='"far" has the id 256'):
        FolderWriter(tmp_path, ClassTable([ClassInfo(256, "far")]))


def test_without_splits_in_the_path_keys_must_differ(tmp_path: Path) -> None:
    for split in ("train", "val"):
        pair(tmp_path / "src", f"images/{split}/a.png", f"masks/{split}/a.png")
    options = {"mask_folder": "masks"}
    with pytest.raises(FormatError, match="was written for val/a and for another"):
        segfmt.convert(
            with_table(tmp_path / "src"),
            tmp_path / "dst",
            source="folder",
            target="folder",
            writer_options=options,
        )


@pytest.mark.parametrize("masks", ["index", "color"])
@pytest.mark.parametrize(
    ("image_folder", "mask_folder", "suffix"),
    [
        ("images/{split}", "masks/{split}", ""),
        ("{split}/images", "{split}/masks", "_gt"),
        ("{split}", "{split}annot", ""),
        ("data/{split}", "data/{split}", "_color"),
    ],
)
def test_what_is_written_is_found_and_read_back(
    tmp_path: Path, masks: str, image_folder: str, mask_folder: str, suffix: str
) -> None:
    src, dst = with_table(tmp_path / "src"), tmp_path / "dst"
    pair(src, "images/train/scene/a.jpg", "masks/train/scene/a.png")
    pair(src, "images/val/하늘.png", "masks/val/하늘.png", 255 - IDS[:, ::-1] & 1)
    options = {
        "masks": masks,
        "image_folder": image_folder,
        "mask_folder": mask_folder,
        "suffix": suffix,
    }
    segfmt.convert(src, dst, source="folder", target="folder", writer_options=options)
    again = open_dataset(dst, "folder", suffix=suffix)
    assert again.classes == TABLE
    before, after = list(open_dataset(src, "folder")), list(again)
    assert [(s.ref.split, s.ref.key) for s in after] == [(s.ref.split, s.ref.key) for s in before]
    for one, other in zip(before, after, strict=True):
        assert (ids_of(one) == ids_of(other)).all()
        assert one.ref.image and other.ref.image
        assert one.ref.image.read_bytes() == other.ref.image.read_bytes()


def test_color_masks_are_those_of_the_script_that_paints_aihub_labels(tmp_path: Path) -> None:
    points = [[1.5, 2.4], [13.2, 0.6], [9.7, 10.5], [3.3, 8.8]]
    annotations = [("sky", SQUARE), ("road", points), ("building", SQUARE[:2])]
    write_image(tmp_path / "src" / "data" / "x.jpg")
    write_label(
        tmp_path / "src" / "label" / "x.json",
        label(*(annotation(name, ring) for name, ring in annotations)),
    )
    # The script: black, then each polygon of three points or more, rounded as float32.
    colors = {"sky": (30, 144, 255), "road": (130, 130, 130)}
    expected = np.zeros((12, 16, 3), np.uint8)
    for name, ring in annotations:
        if len(ring) >= 3:
            vertices = np.array(np.around(np.array(ring, np.float32)), np.int32)
            cv2.fillPoly(expected, [vertices], colors[name][::-1])
    segfmt.convert(
        tmp_path / "src",
        tmp_path / "dst",
        source="aihub",
        target="folder",
        images="none",
        writer_options={"masks": "color", "mask_folder": "data", "suffix": "_color"},
    )
    assert files_below(tmp_path / "dst" / "data") == ["x_color.png"]
    assert (cv2.imread(str(tmp_path / "dst" / "data" / "x_color.png")) == expected).all()


def test_color_labels_become_the_palette_labels_of_the_script_that_indexes_them(
    tmp_path: Path,
) -> None:
    table = segfmt.open_dataset(tmp_path, "folder", table="voc").classes
    ids = np.array([[0, 1, 15], [20, 255, 7]], np.uint8)
    colors = table.palette()[ids]
    root = pair(tmp_path / "src", "images/a.png", "labels/a.png", colors)
    # The script: for each color of VOC's map, the pixels that have it get its place in the map.
    cmap = np.zeros((256, 3), np.uint8)
    for index in range(256):
        for bit in range(8):
            for channel in range(3):
                cmap[index, channel] |= (index >> (3 * bit + channel) & 1) << (7 - bit)
    expected = np.zeros(ids.shape, np.uint8)
    for index, color in enumerate(cmap):
        expected[np.where(np.all(colors == color, axis=-1))] = index
    segfmt.convert(root, tmp_path / "dst", source="folder", target="folder", table="voc")
    with Image.open(tmp_path / "dst" / "masks" / "train" / "a.png") as mask:
        assert mask.mode == "P"
        assert (np.asarray(mask)[colors.any(-1)] == ids[colors.any(-1)]).all()
        labeled = np.asarray(mask) != 255  # the script's map has no void
        assert (np.asarray(mask) == expected)[labeled].all()
        assert mask.getpalette()[: 3 * 21] == cmap[:21].reshape(-1).tolist()
