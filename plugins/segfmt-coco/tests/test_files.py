"""Annotation files: where they and their images lie, how they are saved, and what they cost."""

import json
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from coco_files import (
    CATEGORIES,
    annotation,
    dataset,
    document,
    image,
    notes,
    pixels,
    rle,
    write_image,
    write_json,
)

import segfmt
from segfmt import FormatError
from segfmt.testing.record import files_below

TRAIN = "annotations/instances_train2017.json"
KINDS = ("instances", "captions", "person_keypoints")
Names = dict[tuple[str, str], str | None]


def names(root: Path, **options: Any) -> Names:
    """Return the image of each sample by split and key, below the root."""
    return {
        (ref.split, ref.key): ref.image and ref.image.relative_to(root).as_posix()
        for ref in segfmt.open_dataset(root, "coco", **options).refs()
    }


def write(root: Path, files: dict[str, list[str]], images: list[str]) -> Path:
    """Write annotation files that name these images, and images."""
    for name, file_names in files.items():
        records = [image(id, file_name) for id, file_name in enumerate(file_names, start=1)]
        write_json(root / name, document([annotation()], records))
    for name in images:
        write_image(root / name)
    return root


@pytest.mark.parametrize(
    ("files", "images", "expected"),
    [
        (  # COCO's own
            {
                "annotations/instances_train2017.json": ["1.jpg"],
                "annotations/instances_val2017.json": ["1.jpg"],
            },
            ["train2017/1.jpg", "val2017/1.jpg"],
            {("train", "1"): "train2017/1.jpg", ("val", "1"): "val2017/1.jpg"},
        ),
        (  # annotations of 2014 beside images of both years
            {"annotations/instances_val2014.json": ["1.jpg"]},
            ["val2014/1.jpg", "val2017/1.jpg"],
            {("val", "1"): "val2014/1.jpg"},
        ),
        (  # Datumaro's
            {"annotations/instances_train.json": ["s/1.jpg"]},
            ["images/train/s/1.jpg"],
            {("train", "s/1"): "images/train/s/1.jpg"},
        ),
        (  # CVAT's
            {"annotations/instances_default.json": ["1.jpg"]},
            ["images/1.jpg"],
            {("train", "1"): "images/1.jpg"},
        ),
        (  # Roboflow's
            {
                "train/_annotations.coco.json": ["1.jpg"],
                "valid/_annotations.coco.json": ["1.jpg"],
            },
            ["train/1.jpg", "valid/1.jpg"],
            {("train", "1"): "train/1.jpg", ("val", "1"): "valid/1.jpg"},
        ),
        (  # Label Studio's
            {"result.json": [r"images\1.jpg", "images/2.jpg"]},
            ["images/1.jpg", "images/2.jpg"],
            {("train", "images/1"): "images/1.jpg", ("train", "images/2"): "images/2.jpg"},
        ),
        (  # paths of another machine, and two of one name
            {"train.json": [r"C:\up\1.jpg", "../../up/2.jpg", "/x/3.jpg", "/y/3.jpg"]},
            ["images/1.jpg", "images/2.jpg", "images/3.jpg"],
            {
                ("train", "up/1"): "images/1.jpg",
                ("train", "up/2"): "images/2.jpg",
                ("train", "x/3"): None,
                ("train", "y/3"): None,
            },
        ),
        (  # splits that are none of the three, and images of two of them
            {"annotations/instances_trainval.json": ["1.jpg", "2.jpg"]},
            ["train2017/1.jpg", "val2017/2.jpg"],
            {("trainval", "1"): "train2017/1.jpg", ("trainval", "2"): "val2017/2.jpg"},
        ),
        (  # files whose names say nothing
            {"cars.json": ["1.jpg"], "vans.json": ["2.jpg"]},
            ["1.jpg", "2.jpg"],
            {("cars", "1"): "1.jpg", ("vans", "2"): "2.jpg"},
        ),
        (  # a PNG mask is no image, and one of another split neither
            {"annotations/instances_train.json": ["1.png", "2.jpg"]},
            ["stuffthingmaps/train/1.png", "val/2.jpg"],
            {("train", "1"): None, ("train", "2"): None},
        ),
        (
            {"annotations/instances_train.json": ["1.png"]},
            ["stuffthingmaps/train/1.png", "train/1.png", "annotations/panoptic_train/1.png"],
            {("train", "1"): "train/1.png"},
        ),
    ],
)
def test_where_files_lie(
    tmp_path: Path, files: dict[str, list[str]], images: list[str], expected: Names
) -> None:
    assert names(write(tmp_path, files, images)) == expected


def test_lvis_names_images_by_their_urls(tmp_path: Path) -> None:
    record = image(1, coco_url="http://images.cocodataset.org/val2017/1.jpg")
    del record["file_name"]
    write_json(tmp_path / "lvis_v1_train.json", document([annotation()], [record]))
    write_image(tmp_path / "val2017/1.jpg")
    assert names(tmp_path) == {("train", "val2017/1"): "val2017/1.jpg"}


def test_files_for_other_tasks_are_left_out_unless_asked_for(tmp_path: Path) -> None:
    dataset(tmp_path, annotation())
    for name in ("captions_train2017", "stuff_train2017"):
        write_json(tmp_path / f"annotations/{name}.json", document([], [image(1, "b.jpg")]))
    write_json(tmp_path / "info.json", {"about": "nothing"})
    opened = segfmt.open_dataset(tmp_path, "coco")
    assert [ref.key for ref in opened.refs()] == ["a"]
    (warning,) = opened.reader.warnings
    assert warning.endswith(": captions_train2017.json, stuff_train2017.json")
    assert names(tmp_path, files="annotations/stuff_*.json") == {("train", "b"): None}
    (tmp_path / TRAIN).unlink()
    assert names(tmp_path) == {("train", "b"): None}
    with pytest.raises(FormatError, match=r"no .json file is named other.json"):
        names(tmp_path, files="other.json")


def test_detection_files_and_missing_info_are_fine(tmp_path: Path) -> None:
    one = annotation(extra={"keypoints": [1, 2, 3]}, keypoints=[0, 0, 0], segmentation=[])
    (sample,) = segfmt.open_dataset(dataset(tmp_path, one))
    assert notes(sample) == {"annotations without segmentation": 1}


def test_images_that_cannot_be_told_apart_fail_and_others_do_not(tmp_path: Path) -> None:
    images = [image(1, "a.jpg"), image(1, "b.jpg"), image(2, "c.jpg"), {"id": 3}]
    strays = [annotation(image_id=2), annotation(image_id=99), annotation(image_id="1")]
    root = dataset(tmp_path / "src", *strays, images=images)
    for name in "bc":
        write_image(root / f"train2017/{name}.jpg")
    report = segfmt.convert(
        root, tmp_path / "dst", source="coco", target="folder", missing_image="keep"
    )
    assert (report.done, report.failed) == (1, 3)
    assert "has an id that another image has, too" in report.failures[1].error
    assert "image 3: has no file_name" in report.failures[0].error
    assert any("2 annotations of images that it does not list" in one for one in report.warnings)


@pytest.mark.parametrize(
    ("said", "size", "expected"),
    [
        ((None, None), (12, 8), (8, 12)),
        ((0, 0), (12, 8), (8, 12)),
        ((8, 12), None, (8, 12)),
        (("8", 12.0), (12, 8), (8, 12)),
        ((12, 8), (12, 8), (8, 12)),
        ((None, None), None, "no height and width, and no image"),
        ((-8, 12), None, "no height and width, and no image"),
        ((10**6, 10**6), None, "1,000,000,000,000 pixels, over the limit"),
        ((80, 120), (12, 8), r"said to be 120 x 80, but .*a.jpg is 12 x 8"),
    ],
)
def test_the_size_is_said_or_the_images(
    tmp_path: Path, said: Any, size: Any, expected: Any
) -> None:
    root = dataset(tmp_path, annotation(), images=[image(height=said[0], width=said[1])])
    if size is None:
        (root / "train2017/a.jpg").unlink()
    (ref,) = segfmt.open_dataset(root).refs()
    reader = segfmt.open_dataset(root).reader
    if isinstance(expected, str):
        with pytest.raises(FormatError, match=expected):
            reader.load(ref)
    else:
        sample = reader.load(ref)
        assert sample.shape == expected
        assert ("height and width are the wrong way round" in notes(sample)) == (said == (12, 8))


def test_what_was_drawn_on_an_image_turned_by_its_exif_is_left_so(tmp_path: Path) -> None:
    root = dataset(
        tmp_path / "src", annotation([[1, 8, 5, 8, 5, 11]]), images=[image(height=12, width=8)]
    )
    exif = segfmt_exif(6)
    write_image(root / "train2017/a.jpg", (12, 8), exif=exif)
    (sample,) = segfmt.open_dataset(root)
    assert (sample.shape, sample.notes) == ((12, 8), ())
    report = segfmt.convert(root, tmp_path / "dst", source="coco", target="folder")
    assert report.notes["images turned by their EXIF orientation"].count == 1


def segfmt_exif(orientation: int) -> Any:
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
def test_encodings(tmp_path: Path, encoding: str, indent: int | None) -> None:
    shapes = [annotation(), annotation(rle(np.eye(8, 12)), 90)]
    value = document(shapes, [image(1, "사진.jpg", note='"}], 메모')])
    path = write_json(tmp_path / TRAIN, value)
    path.write_bytes(json.dumps(value, ensure_ascii=False, indent=indent).encode(encoding))
    (sample,) = segfmt.open_dataset(tmp_path)
    assert sample.ref.key == "사진"
    assert np.unique(pixels(sample)).tolist() == [0, 1, 90]
    assert "칫솔" in segfmt.open_dataset(tmp_path).classes


def test_numbers_that_are_none_do_not_matter_where_they_are_not_read(tmp_path: Path) -> None:
    strange = annotation(area=float("nan"), bbox=[float("-inf")], text='NaN, "Infinity"')
    root = dataset(
        tmp_path, strange, annotation(image_id=2, id=2), images=[image(), image(2, "b.jpg")]
    )
    first, second = segfmt.open_dataset(root)
    assert {note.subject: note.count for note in first.notes} == {"NaN": 1, "-Infinity": 1}
    assert second.notes == ()
    assert np.count_nonzero(pixels(first)) == 12


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty"),
        ('{"images": [{"id": 1},', r"byte 22: is broken JSON: .*truncated.* may be cut off"),
        ('{"images": [{"id": 1}],\n "annotations": oops}', "line 2, column 17: is broken JSON"),
        ('{"images": [{"id": 1}], "annotations": {}}', "is no annotation file: .*`object`"),
        ('{"images": [{"file_name": "a"}]}', r"images\[0\]: .*missing required field `id`"),
        ('{"images": [{"id": 1}], "annotations": [{"id": 1}]}', r"annotations\[0\]: .*`image_id`"),
        ('{"images": [{"id": 1}], "categories": [{"id": 1}]}', r"categories\[0\]: .*`name`"),
    ],
)
def test_a_broken_file_says_where(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "annotations/instances_train.json"
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(FormatError, match=problem) as caught:
        names(tmp_path, files="annotations/*")
    assert str(caught.value).startswith(str(path))


def test_utf_16_is_refused(tmp_path: Path) -> None:
    path = write_json(tmp_path / TRAIN, {})
    path.write_bytes(json.dumps(document([])).encode("utf-16"))
    with pytest.raises(FormatError, match=r"UTF-16.*Save it as UTF-8"):
        names(tmp_path, files="*.json")


def test_a_file_that_changes_under_the_run_is_noticed(tmp_path: Path) -> None:
    root = dataset(tmp_path, annotation())
    reader = segfmt.open_dataset(root).reader
    (ref,) = reader.scan()
    write_json(root / TRAIN, document([], images=[image(note="x" * 300)]))
    with pytest.raises(FormatError, match="has changed since it was listed"):
        reader.load(ref)


def categories(*rows: tuple[int, str, str]) -> list[dict[str, Any]]:
    return [{"id": id, "name": name, "supercategory": above} for id, name, above in rows]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (  # labelme's converter
            [(0, "_background_", ""), (1, "car", "")],
            [(0, "_background_", "background"), (1, "car", "class")],
        ),
        (  # Roboflow's, whose category 0 is what the others are of
            [(0, "cars", "none"), (1, "van", "cars"), (2, "bus", "cars")],
            [
                (0, "background", "background"),
                (3, "cars", "class"),
                (1, "van", "class"),
                (2, "bus", "class"),
            ],
        ),
        (
            [(1, "other", "sky"), (2, "Other", "ground"), (3, "other", "ground")],
            [
                (0, "background", "background"),
                (1, "other (sky)", "class"),
                (2, "Other (2)", "class"),
                (3, "other (3)", "class"),
            ],
        ),
        ([], [(0, "background", "background")]),
    ],
)
def test_categories_become_classes(tmp_path: Path, rows: Any, expected: Any) -> None:
    opened = segfmt.open_dataset(dataset(tmp_path, categories=categories(*rows)), "coco")
    assert [(info.id, info.name, info.role) for info in opened.classes] == expected
    assert bool(opened.reader.warnings) == any(row[0] in (2, 3) for row in expected)


def test_a_category_of_id_0_is_painted_as_what_it_became(tmp_path: Path) -> None:
    root = dataset(tmp_path, annotation(category_id=0), categories=categories((0, "kite", "")))
    (sample,) = segfmt.open_dataset(root)
    assert pixels(sample)[3, 3] == 1
    assert segfmt.open_dataset(root).classes.get("kite").color == (128, 0, 0)  # and not black
    (warning,) = segfmt.open_dataset(root).reader.warnings
    assert '"kite" has the category id 0' in warning


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([(1, "car", ""), (1, "van", "")], 'category 1 is both "car" and "van".*-i files'),
        ([(-1, "car", "")], 'category "car"|"car" has the category id -1'),
        ([(1, "background", ""), (2, "_background_", "")], "make no class table"),
    ],
)
def test_categories_that_contradict_each_other(tmp_path: Path, rows: Any, problem: str) -> None:
    root = dataset(tmp_path, categories=categories(*rows))
    with pytest.raises(FormatError, match=problem):
        print(segfmt.open_dataset(root, "coco").classes)


def test_two_files_may_have_different_categories(tmp_path: Path) -> None:
    for split, one in (("train", CATEGORIES[:2]), ("val", CATEGORIES[1:])):
        write_json(
            tmp_path / f"annotations/instances_{split}.json",
            document([annotation(category_id=one[-1]["id"])], categories=one),
        )
    opened = segfmt.open_dataset(tmp_path)
    assert [info.id for info in opened.classes] == [0, 1, 18, 90]
    assert [pixels(sample)[3, 3] for sample in opened] == [18, 90]


def test_what_goes_to_other_processes_is_small(tmp_path: Path) -> None:
    images = [image(id, f"{id}.jpg") for id in range(200)]
    shapes = [annotation(image_id=id % 200) for id in range(2000)]
    opened = segfmt.open_dataset(dataset(tmp_path, *shapes, images=images))
    refs = list(opened.refs())
    assert len(pickle.dumps(opened.reader)) < 2000
    assert max(len(pickle.dumps(ref)) for ref in refs) < 800
    assert all(len(opened.reader.load(ref).label) == 10 for ref in refs)
    grouped = [annotation(image_id=id // 10) for id in range(2000)]
    (ref, *_) = segfmt.open_dataset(dataset(tmp_path, *grouped, images=images)).refs()
    assert len(ref.source.spans) == 16  # one after the other: one span


PEAK = """
import sys
from pathlib import Path
from segfmt_coco.instances import InstancesReader

def read(root):
    reader = InstancesReader(Path(root))
    for ref in reader.scan():
        reader.load(ref)

def peak():  # not getrusage's, which a child inherits from the process that started it
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024

read(sys.argv[1])
before = peak()
read(sys.argv[2])
print(peak() - before)
"""


def test_a_large_file_takes_less_than_three_times_its_size(tmp_path: Path) -> None:
    small = dataset(tmp_path / "small", annotation())
    big = dataset(tmp_path / "big")
    ring = [round(10 + 3.37 * n % 100, 2) for n in range(60)]
    images = [image(id, f"{id}.jpg", flickr_url="x" * 60) for id in range(2000)]
    annotations = (
        json.dumps(annotation([ring], id=id, image_id=id * 7 % 2000)) for id in range(40000)
    )
    text = json.dumps(document([], images)).replace(
        '"annotations": []', f'"annotations": [{",".join(annotations)}]'
    )
    path = big / TRAIN
    path.write_text(text)
    size = path.stat().st_size
    assert size > 15_000_000
    command = [sys.executable, "-c", PEAK, str(small), str(big)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert size // 2 < int(done.stdout) < 3 * size


@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_the_archives_of_coco_are_read_as_they_are_downloaded(
    tmp_path: Path, executor: str
) -> None:
    root = tmp_path / "coco"
    for split, name in (("train2017", "1"), ("val2017", "2")):
        for kind in KINDS:
            text = document([annotation()], [image(1, f"{name}.jpg")])
            write_json(root / "annotations" / f"{kind}_{split}.json", text)
        write_image(root / split / f"{name}.jpg")
    archives = []
    for folder, name in (
        ("annotations", "annotations_trainval2017"),
        ("train2017", "train2017"),
        ("val2017", "val2017"),
    ):
        archives.append(tmp_path / f"{name}.zip")
        with zipfile.ZipFile(archives[-1], "w", zipfile.ZIP_DEFLATED) as file:
            for path in sorted((root / folder).iterdir()):
                file.write(path, path.relative_to(root))
    options: dict[str, Any] = {"source": "coco", "target": "voc", "workers": 2}
    report = segfmt.convert(archives, tmp_path / "a", executor=executor, **options)
    assert report.ok, report.failures
    assert report.splits == {"train": 1, "val": 1}
    assert any("captions_train2017.json" in warning for warning in report.warnings)
    segfmt.convert(root, tmp_path / "b", **options)
    assert files_below(tmp_path / "a") == files_below(tmp_path / "b")


def test_an_annotation_file_behind_a_url_is_read_as_it_is_now(tmp_path: Path) -> None:
    store = pytest.importorskip("fsspec").filesystem("memory")
    url = f"memory:/{tmp_path}"
    for category in (1, 90):
        text = json.dumps(document([annotation(category_id=category)]))
        store.pipe(f"{tmp_path}/annotations/instances_train.json", text.encode())
        (sample,) = segfmt.open_dataset(url, "coco")
        assert set(np.unique(pixels(sample))) == {0, category}


def test_a_file_that_is_cut_off_after_it_was_listed_is_told(tmp_path: Path) -> None:
    root = dataset(tmp_path, annotation())
    opened = segfmt.open_dataset(root, "coco")
    (ref,) = opened.refs()
    (root / TRAIN).write_bytes((root / TRAIN).read_bytes()[:40])
    with pytest.raises(FormatError, match="has changed since it was listed"):
        opened.reader.load(ref)


@pytest.mark.parametrize(
    ("name", "data", "problem"),
    [
        ("annotations/instances_val2017.json", b"", "is empty"),
        ("annotations/instances_val2017.json", "{}".encode("utf-16"), "is UTF-16"),
        ("annotations/instances_val2017.json", b"<html>404</html>", "is broken JSON"),
        ("annotations/instances_val2017.json", b'{"categories":[{"id":1,', "is broken JSON"),
        ("valid/_annotations.coco.json", b"[1]", "is no annotation file"),
    ],
)
def test_a_file_that_is_called_so_and_cannot_be_read_is_told(
    tmp_path: Path, name: str, data: bytes, problem: str
) -> None:
    """Else its whole split would be missing without a word."""
    root = dataset(tmp_path, annotation())
    if name.startswith("valid"):
        (root / TRAIN).rename(root / "train2017/_annotations.coco.json")
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_bytes(data)
    with pytest.raises(FormatError, match=f"{name.rpartition('/')[2]}.*{problem}"):
        list(segfmt.open_dataset(root, "coco").refs())


def test_what_is_left_out_is_named(tmp_path: Path) -> None:
    sample = next(iter(segfmt.open_dataset(dataset(tmp_path, annotation([[1, 1, 2, 2]])), "coco")))
    (note,) = sample.notes
    assert (note.code, note.subject) == ("polygons dropped: under 3 points", "annotation 1")


def test_an_annotation_that_is_none_any_more_is_told(tmp_path: Path) -> None:
    root = dataset(tmp_path, annotation())
    opened = segfmt.open_dataset(root, "coco")
    (ref,) = opened.refs()
    ((start, end),) = np.frombuffer(ref.source.spans, np.int64).reshape(-1, 2).tolist()
    data = bytearray((root / TRAIN).read_bytes())
    data[start:end] = b"null".ljust(end - start)
    (root / TRAIN).write_bytes(data)
    with pytest.raises(FormatError, match=r"image 1, annotation \[0\]: Expected `object`"):
        opened.reader.load(ref)
