"""What is written, and that loaders read from it what was meant."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image, ImageOps
from yolo_files import SHAPE, dataset, one, ultralytics, write_image, write_text

import segfmt
from segfmt_yolo.labels import label_text, read_label, to_pixels
from segfmt_yolo.writer import YoloWriter

TABLE = segfmt.ClassTable(
    [
        segfmt.ClassInfo(0, "nothing", role="background"),
        segfmt.ClassInfo(1, "road"),
        segfmt.ClassInfo(2, "자전거"),
        segfmt.ClassInfo(3, "car"),
    ]
)
Ids = npt.NDArray[np.uint8]


def written(
    root: Path, label: segfmt.Mask | segfmt.Polygons, shape: tuple[int, int], **options: object
) -> tuple[bytes, set[tuple[str, str, int]]]:
    """Write one sample without an image; return its label file, and notes."""
    entry = YoloWriter(root, TABLE, **options).write(
        segfmt.Sample(segfmt.SampleRef("x"), shape, label)
    )
    found = {(note.code, note.subject, note.count) for note in entry.notes}
    return (root / "labels/train/x.txt").read_bytes(), found


def polygons(*rings: tuple[int, list[tuple[float, float]]], **options: object) -> segfmt.Polygons:
    options = {"fill_rule": "opencv", "rounding": "truncate", **options}
    return segfmt.Polygons.from_rings(
        [[ring] for _, ring in rings], [id for id, _ in rings], **options
    )


def box(x: int, y: int, right: int, bottom: int) -> list[tuple[float, float]]:
    return [(x, y), (right, y), (right, bottom), (x, bottom)]


def folders(root: Path, masks: dict[str, Ids], table: segfmt.ClassTable = TABLE) -> Path:
    """Write a dataset of format `folder`, `split/key` by mask."""
    for name, ids in masks.items():
        write_image(root / f"images/{name}.jpg", ids.shape)
        segfmt.write_mask(root / f"masks/{name}.png", ids)
    write_text(root / "classes.json", table.to_json())
    return root


def square(id: int = 1) -> Ids:
    ids = np.zeros(SHAPE, np.uint8)
    ids[3:10, 4:13] = id
    return ids


def test_the_tree_and_its_files(tmp_path: Path) -> None:
    masks = {"train/a": square(2), "val/city/b": np.zeros(SHAPE, np.uint8)}
    report = segfmt.convert(
        folders(tmp_path / "src", masks), tmp_path / "dst", source="folder", target="yolo"
    )
    assert report.ok
    files = sorted(
        path.relative_to(tmp_path / "dst").as_posix()
        for path in (tmp_path / "dst").rglob("*.*")
        if path.is_file() and ".segfmt" not in path.parts
    )
    assert files == [
        "data.yaml",
        "images/train/a.jpg",
        "images/val/city/b.jpg",
        "labels/train/a.txt",
        "labels/val/city/b.txt",
    ]
    label = "1 0.250000 0.250000 0.750000 0.250000 0.750000 0.750000 0.250000 0.750000\n"
    assert (tmp_path / "dst/labels/train/a.txt").read_text() == label
    assert (tmp_path / "dst/labels/val/city/b.txt").read_bytes() == b""
    assert (tmp_path / "dst/data.yaml").read_text(encoding="utf-8") == (
        "train: images/train\nval: images/val\nnc: 3\nnames:\n  0: road\n  1: 자전거\n  2: car\n"
    )


def test_names_as_a_list_and_what_yaml_would_misread(tmp_path: Path) -> None:
    table = segfmt.ClassTable([*TABLE, segfmt.ClassInfo(4, "no"), segfmt.ClassInfo(9, "a: #1")])
    src = folders(tmp_path / "src", {"test/a": square()}, table)
    segfmt.convert(
        src, tmp_path / "dst", source="folder", target="yolo", writer_options={"names": "list"}
    )
    data = yaml.safe_load((tmp_path / "dst/data.yaml").read_bytes())
    # Ultralytics wants the keys train and val, be there such a split or not.
    assert data == {
        "train": None,
        "val": None,
        "test": "images/test",
        "nc": 5,
        "names": ["road", "자전거", "car", "no", "a: #1"],
    }
    names = [info.name for info in segfmt.open_dataset(tmp_path / "dst").classes]
    assert names == ["background", "road", "자전거", "car", "no", "a: #1"]


def test_ids_are_numbered_without_gaps(tmp_path: Path) -> None:
    table = segfmt.ClassTable(
        [
            segfmt.ClassInfo(7, "road"),
            segfmt.ClassInfo(3, "car"),
            segfmt.ClassInfo(5, "rest", role="background"),
        ]
    )
    found = YoloWriter(tmp_path, table).classes
    assert [(info.id, info.name) for info in found] == [(0, "rest"), (1, "car"), (2, "road")]


def test_ignore_needs_the_users_word(tmp_path: Path) -> None:
    src = folders(tmp_path / "src", {"train/a": square(255)}, TABLE.with_ignore())
    with pytest.raises(segfmt.UsageError, match="--ignore-to background"):
        segfmt.convert(src, tmp_path / "dst", source="folder", target="yolo")


# Numbers


@settings(max_examples=300, deadline=None)
@given(size=st.integers(1, 60000), data=st.data())
def test_whole_pixels_come_back_however_they_are_read(size: int, data: st.DataObject) -> None:
    values = data.draw(st.lists(st.integers(0, size), min_size=3, max_size=9))
    ring = np.array([(value, 0) for value in values], np.float64)
    _, *numbers = label_text([0], [ring], (1, size)).split()
    for kind in (np.float32, np.float64):
        pixels = np.array(numbers[::2], kind) * kind(size)
        assert np.trunc(pixels).tolist() == values
        assert np.rint(pixels).tolist() == values


@pytest.mark.parametrize("size", [99_999, 100_000, 1_000_003, 2_000_000])
def test_wide_images_have_more_digits(size: int) -> None:
    ring = np.random.default_rng(0).integers(0, size, (2000, 2)).astype(np.float64)
    text = label_text([0], [ring], (size, size)).split()[1:]
    shares = np.array(text, np.float64)
    for pixels in (shares * size, shares.astype(np.float32) * np.float32(size)):
        assert (np.trunc(pixels) == ring.reshape(-1)).all()


@settings(max_examples=200, deadline=None)
@given(size=st.integers(1, 9000), part=st.floats(0, 1))
def test_fractions_stay_in_their_pixel(size: int, part: float) -> None:
    value = part * size
    _, number, *_ = label_text([0], [np.full((3, 2), value)], (size, size)).split()
    share = np.float64(number)
    assert abs(share * size - value) <= 1.6e-6 * size
    assert np.trunc(share * size) == np.trunc(value)
    assert np.trunc(np.float32(share) * np.float32(size)) == np.trunc(value)


@settings(max_examples=100, deadline=None)
@given(shares=st.lists(st.integers(0, 10**6), min_size=6, max_size=6), size=st.integers(1, 8192))
def test_what_yolo_wrote_is_written_again_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, shares: list[int], size: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "again.txt"
    path.write_text(f"2 {' '.join(f'{share / 10**6:.6f}' for share in shares)}\n")
    ring = to_pixels(read_label(path)[0].shares, (size, size))
    again = label_text([2], [ring], (size, size))
    assert (np.array(again.split(), float) - np.array(path.read_text().split(), float) == 0).all()


# Masks


@settings(max_examples=150, deadline=None)
@given(
    ids=hnp.arrays(
        np.uint8, st.tuples(st.integers(1, 14), st.integers(1, 14)), elements=st.integers(0, 3)
    ),
    zoom=st.integers(1, 5),
)
def test_a_mask_comes_back_in_whatever_order_it_is_painted(
    tmp_path_factory: pytest.TempPathFactory, ids: Ids, zoom: int
) -> None:
    mask = np.kron(ids, np.ones((zoom, zoom), np.uint8))
    label, _ = written(tmp_path_factory.getbasetemp(), segfmt.Mask(mask), mask.shape)
    assert (ultralytics(label, mask.shape) == mask).all()
    out = np.zeros_like(mask)
    for line in reversed(label.splitlines()):
        id, *shares = line.split()
        points = np.array(shares, np.float64).reshape(-1, 2) * mask.shape[::-1]
        cv2.fillPoly(out, [np.rint(points).astype(np.int32)], int(id) + 1)
    assert (out == mask).all()


def test_holes_are_cut_open_and_counted(tmp_path: Path) -> None:
    ids = square()
    ids[5, 6], ids[7, 8:10] = 0, 2
    label, found = written(tmp_path, segfmt.Mask(ids), SHAPE)
    assert [line.split()[0] for line in label.splitlines()] == [b"0", b"1"]
    assert (ultralytics(label, SHAPE) == ids).all()
    assert found == {("holes joined to the outside by a cut", "road", 2)}


def test_dots_and_lines_have_three_points(tmp_path: Path) -> None:
    ids = np.zeros(SHAPE, np.uint8)
    ids[2, 3], ids[5, 2:9] = 1, 2
    label, _ = written(tmp_path, segfmt.Mask(ids), SHAPE)
    assert all(len(line.split()) >= 7 for line in label.splitlines())
    assert (ultralytics(label, SHAPE) == ids).all()


# Objects


def parted() -> segfmt.Mask:
    """Return a car of two parts behind a road, and one beside it."""
    ids, objects = np.zeros(SHAPE, np.uint8), np.zeros(SHAPE, np.uint16)
    ids[2:8, 1:12], objects[2:8, 1:12] = 3, 1
    ids[1:11, 5:7], objects[1:11, 5:7] = 1, 1
    ids[9:11, 9:12], objects[9:11, 9:12] = 3, 2
    return segfmt.Mask(ids, objects)


def test_parts_of_an_object_are_lines_of_their_own(tmp_path: Path) -> None:
    mask = parted()
    label, found = written(tmp_path, mask, SHAPE)
    assert len(label.splitlines()) == 4
    assert (ultralytics(label, SHAPE) == mask.ids).all()
    assert found == {("objects of several parts, a line for each", "car", 1)}


def test_parts_are_joined_on_request_and_what_that_paints_is_counted(tmp_path: Path) -> None:
    mask = parted()
    label, found = written(tmp_path, mask, SHAPE, parts="bridge")
    assert len(label.splitlines()) == 3
    # The cut is behind the road, which is smaller and so painted over it.
    assert (ultralytics(label, SHAPE) == mask.ids).all()
    assert found == {("objects of several parts, joined by cuts", "car", 1)}
    mask.ids[1:11, 5:7], mask.instances[1:11, 5:7] = 0, 0
    label, found = written(tmp_path, mask, SHAPE, parts="bridge")
    assert (ultralytics(label, SHAPE) != mask.ids).sum() == 2
    assert found == {
        ("objects of several parts, joined by cuts", "car", 1),
        ("pixels painted by cuts between parts", "", 2),
    }


def test_many_parts_are_joined_at_their_nearest_points(tmp_path: Path) -> None:
    ids = np.zeros((20, 40), np.uint8)
    ids[2:6, 2:6] = ids[2:6, 30:36] = ids[12:16, 4:8] = ids[14:18, 32:34] = 2
    label, _ = written(
        tmp_path, segfmt.Mask(ids, (ids > 0).astype(np.uint16)), ids.shape, parts="bridge"
    )
    assert len(label.splitlines()) == 1
    painted = ultralytics(label, ids.shape)
    assert (painted[ids > 0] == 2).all()
    assert (painted != ids).sum() < 24 + 6 + 8 + 6  # straight cuts, not all over the image


def test_parts_can_be_refused(tmp_path: Path) -> None:
    with pytest.raises(segfmt.FormatError, match=r'a "car", .* Give -o parts=split or bridge'):
        written(tmp_path, parted(), SHAPE, parts="refuse")
    whole = parted()
    whole.instances[whole.ids == 3] = 0
    assert written(tmp_path, whole, SHAPE, parts="refuse")[1] == set()


def test_parts_of_drawn_objects(tmp_path: Path) -> None:
    rings = [(3, box(1, 1, 3, 3)), (3, box(8, 1, 10, 3)), (3, box(1, 8, 3, 10))]
    label = polygons(*rings, instance_ids=[1, 1, 2])
    text, found = written(tmp_path, label, SHAPE, parts="bridge")
    assert len(text.splitlines()) == 2
    assert ("objects of several parts, joined by cuts", "car", 1) in found


# Polygons


def test_outlines_keep_their_vertices(tmp_path: Path) -> None:
    label = polygons((1, [(1.5, 1), (9.5, 2), (7, 10.25)]))
    text, found = written(tmp_path, label, SHAPE)
    assert text == b"0 0.093750 0.083334 0.593750 0.166667 0.437500 0.854167\n"
    assert (ultralytics(text, SHAPE) == segfmt.rasterize(label, SHAPE)).all()
    assert not found


def test_the_larger_are_written_first(tmp_path: Path) -> None:
    label = polygons((1, box(1, 1, 3, 3)), (2, box(5, 1, 14, 10)))
    text, found = written(tmp_path, label, SHAPE)
    assert [line.split()[0] for line in text.splitlines()] == [b"1", b"0"]
    assert not found


@pytest.mark.parametrize(
    ("rings", "reason"),
    [
        ([(1, box(2, 2, 4, 4)), (2, box(1, 1, 9, 9))], "the larger over the smaller"),
        ([(1, box(1, 1, 9, 9)), (0, box(2, 2, 4, 4))], "background over other classes"),
        ([(1, box(-3, 1, 9, 9))], "vertices outside of the image"),
        ([(1, box(1, 1, 9, 12.5))], "vertices outside of the image"),
    ],
)
def test_what_loaders_would_paint_otherwise_is_traced(
    tmp_path: Path, rings: list[tuple[int, list[tuple[float, float]]]], reason: str
) -> None:
    label = polygons(*rings, instance_ids=[1] * len(rings))
    text, found = written(tmp_path, label, SHAPE)
    assert (ultralytics(text, SHAPE) == segfmt.rasterize(label, SHAPE)).all()
    assert ("images traced anew", reason, 1) in found


def test_vertices_are_kept_on_request(tmp_path: Path) -> None:
    rings = [(1, box(2.6, 2, 4, 4)), (2, box(1, 1, 9, 9))]
    text, found = written(tmp_path, polygons(*rings, rounding="nearest"), SHAPE, vertices="keep")
    assert text.startswith(b"0 0.162500")
    assert found == {
        ("vertices kept, pixels may differ", "opencv, vertices nearest, later over earlier", 1)
    }
    assert written(tmp_path, polygons(*rings[::-1]), SHAPE, vertices="keep")[1] == set()


def test_other_fill_rules_come_as_masks_or_are_kept(tmp_path: Path) -> None:
    ring = [(1, 1), (9, 2), (7, 10)]
    lines = {}
    for vertices in ("exact", "keep"):
        accepts = YoloWriter(tmp_path, TABLE, vertices=vertices).accepts
        lines[vertices] = accepts.fill_rule
    assert lines == {"exact": "opencv", "keep": None}
    text, found = written(tmp_path, polygons((1, ring), fill_rule="pillow"), SHAPE, vertices="keep")
    assert len(text.split()) == 7
    assert found == {("vertices kept, pixels may differ", "pillow, later over earlier", 1)}


def test_nothing_is_a_negative(tmp_path: Path) -> None:
    assert written(tmp_path, polygons(), SHAPE) == (b"", set())
    assert written(tmp_path, segfmt.Mask(np.zeros(SHAPE, np.uint8)), SHAPE) == (b"", set())


# Images


def image_sample(path: Path, ids: Ids) -> segfmt.Sample:
    return segfmt.Sample(segfmt.SampleRef("x", image=path), ids.shape, segfmt.Mask(ids))


@pytest.mark.parametrize(
    ("name", "becomes"), [("x.PNG", ".png"), ("x.tif", ".tif"), ("x.gif", ".png")]
)
def test_images_keep_their_type_if_loaders_know_it(tmp_path: Path, name: str, becomes: str) -> None:
    image = write_image(tmp_path / name)
    entry = YoloWriter(tmp_path / "dst", TABLE).write(image_sample(image, square()))
    assert entry.files == ("labels/train/x.txt", f"images/train/x{becomes}")
    assert (tmp_path / "dst" / entry.files[1]).is_file()
    assert bool(entry.notes) == (name == "x.gif")


def test_without_images_there_are_labels_alone(tmp_path: Path) -> None:
    image = write_image(tmp_path / "x.jpg")
    writer = YoloWriter(tmp_path / "dst", TABLE, images="none")
    assert writer.write(image_sample(image, square())).files == ("labels/train/x.txt",)


def test_a_key_with_a_folder_images_is_where_loaders_look(tmp_path: Path) -> None:
    src = folders(tmp_path / "src", {"train/a/images/x": square(3)})
    # The reader of folders would take `images` for what it is, so the key comes from elsewhere.
    ref = segfmt.SampleRef("a/images/x", image=src / "images/train/a/images/x.jpg")
    writer = YoloWriter(tmp_path / "dst", TABLE)
    entry = writer.write(segfmt.Sample(ref, SHAPE, segfmt.Mask(square(3))))
    writer.finish([entry])
    assert entry.files == ("images/train/a/labels/x.txt", "images/train/a/images/x.jpg")
    sample = one(tmp_path / "dst")
    assert sample.ref.key == "a/images/x"
    assert (segfmt.rasterize(sample.label, SHAPE) == square(3)).all()


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_labels_are_turned_with_images_that_loaders_turn(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = tmp_path / "x.png"
    ids = square()
    ids[2, 1], ids[4, 5:9] = 2, 3
    Image.fromarray(ids).save(image, exif=exif)
    with Image.open(image) as stored:
        shown = np.asarray(ImageOps.exif_transpose(stored))
    sample = image_sample(image, ids)
    numbered = segfmt.Mask(ids, (ids > 0).astype(np.uint16))
    drawn = polygons((1, box(4, 3, 12, 9)), (3, box(5, 4, 8, 4)), (2, [(1, 2)]))
    for label in (sample.label, numbered, drawn):
        entry = YoloWriter(tmp_path / "dst", TABLE).write(
            segfmt.Sample(sample.ref, ids.shape, label)
        )
        text = (tmp_path / "dst/labels/train/x.txt").read_bytes()
        assert (ultralytics(text, shown.shape) == shown).all()
        codes = [note.code for note in entry.notes]
        assert "labels turned as EXIF turns their images" in codes


# There and back


BASE = Path("VOCdevkit/VOC2012")


def test_voc_to_yolo_and_back_keeps_every_pixel(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    masks = {
        f"{split}/하늘_{split}{zoom}": np.kron(
            random.integers(0, 4, (30, 41), np.uint8), np.ones((zoom, zoom), np.uint8)
        )
        for split in ("train", "val")
        for zoom in (1, 3)
    }
    folders(tmp_path / "folder", masks)
    segfmt.convert(tmp_path / "folder", tmp_path / "voc", source="folder", target="voc")
    assert segfmt.convert(tmp_path / "voc", tmp_path / "yolo", source="voc", target="yolo").ok
    report = segfmt.convert(
        tmp_path / "yolo",
        tmp_path / "again",
        source="yolo",
        target="voc",
        reader_options={"instances": False},  # far more lines than VOC can number
    )
    assert report.ok, report.failures
    for name, ids in masks.items():
        mask = BASE / "SegmentationClass" / f"{Path(name).name}.png"
        assert (segfmt.read_mask(tmp_path / "again" / mask) == ids).all()
    lists = [
        {path.name: path.read_bytes() for path in (tmp_path / root / BASE).rglob("ImageSets/*/*")}
        for root in ("voc", "again")
    ]
    assert lists[0] == lists[1]


def test_objects_of_voc_come_back(tmp_path: Path) -> None:
    mask = parted()
    folders(tmp_path / "folder", {"train/x": mask.ids})
    segfmt.convert(tmp_path / "folder", tmp_path / "voc", source="folder", target="voc")
    numbers = np.where(mask.ids == 1, 3, mask.instances).astype(np.uint8)
    segfmt.write_mask(tmp_path / "voc" / BASE / "SegmentationObject/x.png", numbers)
    options = {"writer_options": {"parts": "bridge"}}
    segfmt.convert(tmp_path / "voc", tmp_path / "yolo", source="voc", target="yolo", **options)
    segfmt.convert(tmp_path / "yolo", tmp_path / "again", source="yolo", target="voc")
    again = segfmt.read_mask(tmp_path / "again" / BASE / "SegmentationObject/x.png")
    pairs = set(zip(numbers.flat, again.flat, strict=True))
    assert len(pairs) == len({one for one, _ in pairs}) == len({two for _, two in pairs}) == 4


def test_yolo_to_yolo_keeps_the_text(tmp_path: Path) -> None:
    label = (
        "0 0.117188 0.250000 0.750000 0.250000 0.753906 0.750000 0.250000 0.750123\n"
        "2 0.375000 0.250000 0.500000 0.333333 0.500000 0.500000 0.375000 0.500000\n"
    )
    root = dataset(tmp_path / "src", label)
    assert segfmt.convert(root, tmp_path / "dst", source="yolo", target="yolo").ok
    assert (tmp_path / "dst/labels/train/a.txt").read_text() == label
