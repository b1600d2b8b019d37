"""Writing Cityscapes, held against cityscapesScripts: restated, and itself where it can be run.

SEGFMT_CITYSCAPESSCRIPTS_PYTHON names a Python that has cityscapesscripts, and pillow<13, which can
still save its instance images.
"""

import json
import os
import random
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import segfmt
from cityscapes_files import (
    CORE,
    KINDS,
    LABELS,
    SQUARE,
    TRAIN_OF,
    Document,
    document,
    documents,
    drawn,
    json2labelimg,
    label_path,
    only,
    painted,
    pixels,
    put,
    put_image,
    shape_of,
)
from segfmt import FormatError, Mask, Polygons, Sample, SampleRef, UsageError
from segfmt.formats._cityscapes_writer import file_name
from segfmt.formats.cityscapes import CityscapesReader, CityscapesWriter
from segfmt.raster import trace
from segfmt.tables import CITYSCAPES


@settings(max_examples=20, deadline=None, derandomize=True)
@given(documents)
def test_what_is_written_of_polygons_is_what_the_scripts_draw(doc: Document) -> None:
    with TemporaryDirectory() as folder:
        root = Path(folder)
        put(root / "src", "polygons", doc)
        sample = only(root / "src")
        CityscapesWriter(root / "dst", CITYSCAPES).write(sample)
        expected = drawn(doc)
        again = drawn(json.loads(label_path(root / "dst", "polygons").read_bytes()))
        for kind in KINDS:
            found = pixels(label_path(root / "dst", kind))
            assert (found == expected[kind]).all(), kind
            assert (found == again[kind]).all(), kind


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1))
def test_polygons_of_a_traced_mask_paint_that_mask(seed: int) -> None:
    random = np.random.default_rng(seed)
    ids = random.choice(np.array([0, 7, 11, 26, 26, 24], np.uint8), random.integers(1, 12, 2))
    numbers = np.where(np.isin(ids, [24, 26]), random.integers(0, 3, ids.shape), 0)
    mask = Mask(ids, numbers.astype(np.uint16))
    traced = trace(mask, fill_rule="pillow", holes="keyhole")
    with TemporaryDirectory() as folder:
        root = Path(folder)
        sample = Sample(SampleRef(f"aachen/{CORE}"), (ids.shape[0], ids.shape[1]), traced)
        CityscapesWriter(root, CITYSCAPES).write(sample)
        found = {kind: pixels(label_path(root, kind)) for kind in KINDS}
        doc = json.loads(label_path(root, "polygons").read_bytes())
    assert (found["labelIds"] == ids).all()
    assert (json2labelimg(doc, "ids") == ids).all()
    assert (found["labelTrainIds"] == TRAIN_OF[ids]).all()
    expected = np.where(numbers > 0, ids.astype(int) * 1000 + numbers - 1, ids)
    assert (found["instanceIds"] == expected).all()


JUDGE = """
import sys
from pathlib import Path
from cityscapesscripts.helpers.csHelpers import getCsFileInfo
from cityscapesscripts.preparation.json2labelImg import json2labelImg
from cityscapesscripts.preparation.json2instanceImg import json2instanceImg
for path in sorted(Path(sys.argv[1]).rglob("*_polygons.json")):
    assert getCsFileInfo(str(path)).type2 == "polygons"
    stem = str(path)[: -len("polygons.json")] + "judged_"
    json2labelImg(str(path), stem + "labelIds.png")
    json2labelImg(str(path), stem + "labelTrainIds.png", "trainIds")
    json2labelImg(str(path), stem + "color.png", "color")
    json2instanceImg(str(path), stem + "instanceIds.png")
"""


@pytest.mark.skipif(
    "SEGFMT_CITYSCAPESSCRIPTS_PYTHON" not in os.environ,
    reason="SEGFMT_CITYSCAPESSCRIPTS_PYTHON names no Python that has cityscapesscripts",
)
def test_cityscapesscripts_draws_the_same_of_what_is_written(tmp_path: Path) -> None:
    drawer = random.Random(4)
    writer = CityscapesWriter(tmp_path / "dst", CITYSCAPES)
    for number in range(40):
        width, height = drawer.randint(1, 60), drawer.randint(1, 40)
        items = []
        for _ in range(drawer.randint(0, 12)):
            ends = [(drawer.uniform(-20, 70), drawer.uniform(-20, 60)) for _ in range(6)]
            whole = [[round(x), round(y)] for x, y in ends]
            items.append(
                shape_of(
                    drawer.choice([*LABELS, "cargroup", "car"]),
                    drawer.choice([whole, [list(end) for end in ends]]),
                    deleted=drawer.choice([0, 0, 1]),
                )
            )
        root = tmp_path / f"src{number}"
        put(root, "polygons", document(*items, size=(width, height)), f"ulm_000000_{number:06}")
        writer.write(only(root))
        sample = only(root)
        traced = trace(Mask(*painted(sample)), fill_rule="pillow", holes="keyhole")
        writer.write(Sample(SampleRef(f"foreign/{number}"), sample.shape, traced))
    python = os.environ["SEGFMT_CITYSCAPESSCRIPTS_PYTHON"]
    subprocess.run([python, "-c", JUDGE, str(tmp_path / "dst")], check=True)
    for path in sorted((tmp_path / "dst").rglob("*_gtFine_*.png")):
        if "_judged_" not in path.name:
            judged = pixels(path.with_name(path.name.replace("_gtFine_", "_gtFine_judged_")))
            # Traced objects of several parts are as many objects to json2instanceImg.
            if "foreign" not in path.name or "instanceIds" not in path.name:
                assert (pixels(path) == (judged[..., :3] if judged.ndim == 3 else judged)).all()


def test_the_tree_is_that_of_the_archives(tmp_path: Path) -> None:
    mask = Mask(np.full((6, 8), 26, np.uint8), np.full((6, 8), 3, np.uint16))
    image = put_image(tmp_path / "src")
    traced = trace(mask, fill_rule="pillow", holes="keyhole")
    writer = CityscapesWriter(tmp_path / "dst", CITYSCAPES)
    entry = writer.write(Sample(SampleRef(f"aachen/{CORE}", image=image), (6, 8), traced))
    writer.finish([entry])
    files = [path for path in (tmp_path / "dst").rglob("*") if path.is_file()]
    assert (
        sorted(path.relative_to(tmp_path / "dst").as_posix() for path in files)
        == [
            f"gtFine/train/aachen/{CORE}_gtFine_color.png",
            f"gtFine/train/aachen/{CORE}_gtFine_instanceIds.png",
            f"gtFine/train/aachen/{CORE}_gtFine_labelIds.png",
            f"gtFine/train/aachen/{CORE}_gtFine_labelTrainIds.png",
            f"gtFine/train/aachen/{CORE}_gtFine_polygons.json",
            f"leftImg8bit/train/aachen/{CORE}_leftImg8bit.png",
        ]
        == sorted(entry.files)
    )
    for kind, mode, value in (
        ("labelIds", "L", 26),
        ("labelTrainIds", "L", 13),
        ("instanceIds", "I;16", 26002),
        ("color", "RGB", [0, 0, 142]),
    ):
        with Image.open(label_path(tmp_path / "dst", kind)) as found:
            assert (found.mode, found.size) == (mode, (8, 6))
            assert (np.asarray(found) == value).all()
    assert json.loads(label_path(tmp_path / "dst", "polygons").read_bytes()) == document(
        shape_of("car", [[0, 0], [7, 0], [7, 5], [0, 5]])
    )


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    ids = random.choice(np.array([0, 7, 26, 24], np.uint8), (6, 8))
    numbers = np.where(ids >= 24, random.integers(0, 4, ids.shape), 0).astype(np.uint16)
    labels = "labelIds, instanceIds,labelIds"
    writer = CityscapesWriter(tmp_path, CITYSCAPES, labels=labels, quality="coarse")
    assert not writer.accepts.polygons
    assert writer.accepts.instances
    ref = SampleRef(f"aachen/{CORE}", "train_extra")
    assert len(writer.write(Sample(ref, (6, 8), Mask(ids, numbers))).files) == 2
    reader = CityscapesReader(tmp_path)
    (ref,) = reader.scan()
    assert (ref.split, ref.key) == ("train_extra", f"aachen/{CORE}")
    label = reader.load(ref).label
    assert isinstance(label, Mask)
    assert (label.ids == ids).all()
    assert (label.instances == numbers).all()


def test_train_ids_are_mapped_to_on_request(tmp_path: Path) -> None:
    labels = "labelIds,labelTrainIds,instanceIds"
    writer = CityscapesWriter(tmp_path, CITYSCAPES, labels=labels, ids="train")
    assert writer.classes.background is None
    assert writer.classes.by_name("car").id == 13
    mask = Mask(np.array([[0, 13, 255]], np.uint8), np.array([[0, 1, 4]], np.uint16))
    entry = writer.write(Sample(SampleRef(f"aachen/{CORE}"), (1, 3), mask))
    assert entry.notes == ()
    assert pixels(label_path(tmp_path, "labelIds")).tolist() == [[7, 26, 0]]
    assert pixels(label_path(tmp_path, "labelTrainIds")).tolist() == [[0, 13, 255]]
    assert pixels(label_path(tmp_path, "instanceIds")).tolist() == [[7, 26000, 0]]


def test_the_thousandth_object_fits_and_the_next_does_not(tmp_path: Path) -> None:
    writer = CityscapesWriter(tmp_path, CITYSCAPES, labels="instanceIds")
    ref = SampleRef(f"aachen/{CORE}")
    ids = np.array([[24, 26]], np.uint8)
    writer.write(Sample(ref, (1, 2), Mask(ids, np.array([[1, 1000]], np.uint16))))
    assert pixels(label_path(tmp_path, "instanceIds")).tolist() == [[24000, 26999]]
    with pytest.raises(FormatError, match='object number 1001 of "car"'):
        writer.write(Sample(ref, (1, 2), Mask(ids, np.array([[1, 1001]], np.uint16))))
    outlines = Polygons.from_rings([[SQUARE]], [26], instance_ids=[1001], fill_rule="pillow")
    writer = CityscapesWriter(tmp_path / "other", CITYSCAPES)
    with pytest.raises(FormatError, match='object number 1001 of "car"'):
        writer.write(Sample(ref, (6, 8), outlines))
    assert not (tmp_path / "other").exists()


def test_numbers_of_classes_without_objects_are_dropped_and_told(tmp_path: Path) -> None:
    writer = CityscapesWriter(tmp_path, CITYSCAPES, labels="labelIds,instanceIds")
    mask = Mask(np.array([[11, 11, 26, 0]], np.uint8), np.array([[1, 2000, 2, 3]], np.uint16))
    entry = writer.write(Sample(SampleRef(f"aachen/{CORE}"), (1, 4), mask))
    assert pixels(label_path(tmp_path, "instanceIds")).tolist() == [[11, 11, 26001, 0]]
    assert [(note.code, note.subject) for note in entry.notes] == [
        ("object numbers dropped", "Cityscapes counts none of building")
    ]


def test_what_has_no_number_is_a_group(tmp_path: Path) -> None:
    outlines = Polygons.from_rings(
        [[SQUARE], [SQUARE], [SQUARE], [[[1.5, -2]]]],
        [26, 24, 11, 7],
        instance_ids=[0, 1, 0, 0],
        fill_rule="pillow",
    )
    writer = CityscapesWriter(tmp_path, CITYSCAPES)
    writer.write(Sample(SampleRef(f"aachen/{CORE}"), (6, 8), outlines))
    written = json.loads(label_path(tmp_path, "polygons").read_bytes())
    assert written == document(shape_of("cargroup"), shape_of("person"), shape_of("building"))


@pytest.mark.parametrize("labels", ["labelids", "", "labelIds,", "labelIds;color"])
def test_labels_that_are_none(tmp_path: Path, labels: str) -> None:
    with pytest.raises(UsageError, match="-o labels="):
        CityscapesWriter(tmp_path, CITYSCAPES, labels=labels)


def get_cs_file_info(name: str) -> list[str]:
    """What csHelpers.getCsFileInfo does: five parts or six, or the program ends."""
    parts = name.split("_")
    parts = parts[:-1] + parts[-1].split(".")
    assert len(parts) in (5, 6), name
    return parts


@pytest.mark.parametrize(
    ("key", "city", "core"),
    [
        (f"aachen/{CORE}", "aachen", CORE),
        (CORE, "aachen", CORE),
        ("000000_10", "image-6-2", "image-6-2_000000_000010"),
        ("2007_000032", "image-4-6", "image-4-6_002007_000032"),
        ("000000000139", "image-66", "image-66_000000_000139"),
        ("DA_00C_05_000191", "DA-00C-=2-6", "DA-00C-=2-6_000005_000191"),
        ("scene_1/frame 7", "scene-1+frame=20=01", "scene-1+frame=20=01_000000_000007"),
        ("서울/도로", "서울+도로=00", "서울+도로=00_000000_000000"),
        (f"bonn/{CORE}", "bonn+aachen-=6-6", "bonn+aachen-=6-6_000000_000019"),
    ],
)
def test_names(key: str, city: str, core: str) -> None:
    assert file_name(key) == (city, core)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.text("aA01_-/=+ .가", min_size=1, max_size=14), min_size=2, unique=True))
def test_names_parse_and_no_two_keys_share_one(keys: list[str]) -> None:
    names = [file_name(key) for key in keys]
    for city, core in names:
        assert "/" not in city
        for end in ("leftImg8bit.png", "gtFine_labelTrainIds.png", "gtCoarse_polygons.json"):
            parts = get_cs_file_info(f"{core}_{end}")
            assert parts[0] == city
            assert [len(part) for part in parts[1:3]] == [6, 6]
            assert (parts[1] + parts[2]).isdecimal()
    assert len(set(names)) == len(names)


def test_a_name_that_is_too_long_fails_the_sample() -> None:
    with pytest.raises(FormatError, match="240 bytes"):
        file_name("x" * 230)


def test_changed_names_are_listed(tmp_path: Path) -> None:
    writer = CityscapesWriter(tmp_path, CITYSCAPES, labels="labelIds")
    mask = Mask(np.zeros((1, 1), np.uint8))
    keys = ("b/2_3", f"aachen/{CORE}")
    entries = [writer.write(Sample(SampleRef(key, "val"), (1, 1), mask)) for key in keys]
    writer.finish(entries)
    names = json.loads((tmp_path / "names.json").read_bytes())
    assert names == {"val": {"b/2_3": "b+=1-1/b+=1-1_000002_000003"}}
    assert (tmp_path / "gtFine/val/b+=1-1/b+=1-1_000002_000003_gtFine_labelIds.png").exists()
    writer.finish([writer.write(Sample(SampleRef(CORE, "train"), (1, 1), mask))])
    with pytest.raises(FormatError, match="stands for two samples of val"):
        writer.finish([*entries, writer.write(Sample(SampleRef(CORE, "val"), (1, 1), mask))])


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    writer = CityscapesWriter(tmp_path / "dst", CITYSCAPES)
    image = put_image(tmp_path / "src")
    traced = trace(Mask(np.full((6, 8), 7, np.uint8)), fill_rule="pillow", holes="keyhole")
    for key in (f"aachen/{CORE}", "scene_1/0001", "scene_1/0002", "다른/장면"):
        for split in ("train", "val"):
            writer.write(Sample(SampleRef(key, split, image), (6, 8), traced))
    return tmp_path / "dst"


def test_torchvision_finds_every_target(tree: Path) -> None:
    # torchvision.datasets.Cityscapes: every file below leftImg8bit/<split>/<city>, targets by name.
    for split in ("train", "val"):
        images = tree / "leftImg8bit" / split
        targets = tree / "gtFine" / split
        count = 0
        for city in images.iterdir():
            for file in (images / city.name).iterdir():
                count += 1
                for target in ("instanceIds.png", "labelIds.png", "color.png", "polygons.json"):
                    name = "{}_{}".format(file.name.split("_leftImg8bit")[0], f"gtFine_{target}")
                    assert (targets / city.name / name).is_file()
        assert count == 4


def test_mmsegmentation_finds_every_mask(tree: Path) -> None:
    # mmseg 1.x BaseSegDataset: a recursive scan, the suffix sliced off and replaced.
    img_suffix, seg_map_suffix = "_leftImg8bit.png", "_gtFine_labelTrainIds.png"
    images = sorted((tree / "leftImg8bit" / "train").rglob(f"*{img_suffix}"))
    assert len(images) == 4
    for image in images:
        relative = image.relative_to(tree / "leftImg8bit" / "train").as_posix()
        mask = tree / "gtFine" / "train" / (relative[: -len(img_suffix)] + seg_map_suffix)
        assert set(np.unique(pixels(mask))) <= {*range(19), 255}


def test_a_conversion_to_itself_changes_nothing(tmp_path: Path) -> None:
    doc = document(shape_of("road"), shape_of("car", [[0.5, 0.5], [3.5, 2], [1, 5]]))
    put(tmp_path / "src", "polygons", doc)
    put_image(tmp_path / "src")
    report = segfmt.convert(tmp_path / "src", tmp_path / "dst", target="cityscapes")
    assert report.ok
    for kind, expected in drawn(doc).items():
        assert (pixels(label_path(tmp_path / "dst", kind)) == expected).all(), kind
    assert json.loads(label_path(tmp_path / "dst", "polygons").read_bytes()) == doc


def test_only_people_as_a_two_class_set(tmp_path: Path) -> None:
    # What many scripts do with the color images: person is 1, all else 0, shared colors or not.
    random = np.random.default_rng(2)
    ids = random.choice(np.array([0, 17, 24, 26], np.uint8), (6, 8))
    put(tmp_path / "src", "color", CITYSCAPES.palette()[ids])
    put_image(tmp_path / "src")
    report = segfmt.convert(tmp_path / "src", tmp_path / "dst", target="voc", classes="person=1")
    assert report.ok, report.failures
    (mask,) = (tmp_path / "dst").rglob("SegmentationClass/**/*.png")
    assert (pixels(mask) == (ids == 24)).all()
    report = segfmt.convert(tmp_path / "src", tmp_path / "d2", target="voc")
    assert "share" in report.failures[0].error
