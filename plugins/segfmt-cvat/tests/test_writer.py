"""Writing: what stands in the file, what CVAT's own importer makes of it, and what reads back."""

from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, parse

import cvat_rules
import numpy as np
import pytest
from cvat_files import document, image, painted, polygon, shape, write, write_image
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import segfmt
from segfmt import ClassInfo, ClassTable, Mask, Polygons, Sample, SampleRef, UsageError
from segfmt_cvat._runs import mask_runs
from segfmt_cvat.reader import CvatReader
from segfmt_cvat.writer import CvatWriter

# pycocotools 2.0.11 knows NumPy 2 but for this.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
CLASSES = ClassTable(
    [
        ClassInfo(0, "nothing", (9, 9, 9), "background"),
        ClassInfo(3, "road", (128, 64, 128)),
        ClassInfo(7, 'a & "b" <소형>', (1, 2, 3)),
        ClassInfo(255, "void", (224, 224, 192), "ignore"),
    ]
)
SIZES = st.tuples(st.integers(1, 7), st.integers(1, 7))
MASK = np.array([[0, 1, 1, 1], [0, 1, 2, 1], [0, 1, 1, 1]], np.uint8)


def written(root: Path, *samples: Sample, classes: ClassTable = CLASSES, **options: Any) -> Path:
    """Write samples, in reverse, and return the file."""
    writer = CvatWriter(root, classes, **options)
    entries = [writer.write(sample) for sample in reversed(samples)]
    writer.finish(sorted(entries, key=lambda entry: (entry.split, entry.key)))
    return root / "annotations.xml"


def sample(
    key: str, label: Polygons | np.ndarray | Mask, split: str = "train", image: Path | None = None
) -> Sample:
    if isinstance(label, np.ndarray):
        label = Mask(label)
    size = label.ids.shape if isinstance(label, Mask) else (12, 16)
    return Sample(SampleRef(key, split, image), size, label)


def images_of(path: Path) -> list[Element]:
    return parse(path).getroot().findall("image")


HEAD = """\
<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta>
    <project>
      <tasks>
        <task>
          <id>0</id>
          <name>train</name>
          <size>2</size>
          <mode>annotation</mode>
          <subset>train</subset>
        </task>
        <task>
          <id>1</id>
          <name>val</name>
          <size>1</size>
          <mode>annotation</mode>
          <subset>val</subset>
        </task>
      </tasks>
      <subsets>train
val</subsets>
      <labels>
        <label>
          <name>background</name>
          <color>#090909</color>
          <type>any</type>
          <attributes>
          </attributes>
        </label>
        <label>
          <name>road</name>
          <color>#804080</color>
          <type>any</type>
          <attributes>
          </attributes>
        </label>
        <label>
          <name>a &amp; "b" &lt;소형&gt;</name>
          <color>#010203</color>
          <type>any</type>
          <attributes>
          </attributes>
        </label>
        <label>
          <name>void</name>
          <color>#e0e0c0</color>
          <type>any</type>
          <attributes>
          </attributes>
        </label>
      </labels>
    </project>
  </meta>
"""


def test_the_file_by_hand(tmp_path: Path) -> None:
    ring = [(0, 0), (4, 0), (4, 2.5), (0.125, 2)]
    drawn = Polygons.from_rings([[ring], [ring[:3]]], [1, 255], fill_rule="coco")
    photo = write_image(tmp_path / "src/x.JPG")
    path = written(
        tmp_path / "dst",
        sample("s/a", drawn, image=photo),
        sample("s/b", MASK[:, 2:]),
        sample("a", MASK * 0, "val"),
    )
    assert path.read_text(encoding="utf-8") == HEAD + (
        '  <image id="0" name="s/a.JPG" subset="train" width="16" height="12">\n'
        '    <polygon label="road" occluded="0"'
        ' points="0.0,0.0;4.0,0.0;4.0,2.5;0.125,2.0" z_order="0"/>\n'
        '    <polygon label="void" occluded="0" points="0.0,0.0;4.0,0.0;4.0,2.5" z_order="1"/>\n'
        "  </image>\n"
        '  <image id="1" name="s/b.jpg" subset="train" width="2" height="3">\n'
        '    <polygon label="road" occluded="0" points="0.0,0.0;2.0,0.0;2.0,3.0;0.0,3.0;'
        '0.0,2.0;1.0,2.0;1.0,1.0;0.0,1.0" z_order="0"/>\n'
        '    <polygon label=\'a &amp; "b" &lt;소형&gt;\' occluded="0"'
        ' points="0.0,1.0;1.0,1.0;1.0,2.0;0.0,2.0" z_order="0"/>\n'
        "  </image>\n"
        '  <image id="2" name="a.jpg" subset="val" width="4" height="3">\n'
        "  </image>\n"
        "</annotations>\n"
    )
    assert (tmp_path / "dst/images/train/s/a.JPG").read_bytes() == photo.read_bytes()
    assert not (tmp_path / "dst/.segfmt/cvat").exists()


def test_masks_by_hand(tmp_path: Path) -> None:
    (found,) = images_of(written(tmp_path, sample("a", MASK), shapes="masks"))
    assert [dict(mask.attrib) for mask in found] == [
        {
            "label": "road",
            "occluded": "0",
            "rle": "0, 4, 1, 4",
            "left": "1",
            "top": "0",
            "width": "3",
            "height": "3",
            "z_order": "0",
        },
        {
            "label": 'a & "b" <소형>',
            "occluded": "0",
            "rle": "0, 1",
            "left": "2",
            "top": "1",
            "width": "1",
            "height": "1",
            "z_order": "0",
        },
    ]


@given(arrays(np.uint8, SIZES, elements=st.integers(0, 2)))
def test_runs_are_what_plain_python_counts(ids: np.ndarray) -> None:
    numbers = np.where(ids == 2, np.arange(ids.size).reshape(ids.shape) % 3, 0).astype(np.uint16)
    found = {(run.id, run.number): run for run in mask_runs(Mask(ids, numbers))}
    assert found.keys() == set(zip(ids.ravel().tolist(), numbers.ravel().tolist(), strict=True))
    for (id, number), run in found.items():
        rows, columns = np.nonzero((ids == id) & (numbers == number))
        assert (run.left, run.top) == (columns.min(), rows.min())
        assert (run.width, run.height) == (np.ptp(columns) + 1, np.ptp(rows) + 1)
        box = np.s_[run.top : run.top + run.height, run.left : run.left + run.width]
        expected, value = [0], False
        for pixel in ((ids[box] == id) & (numbers[box] == number)).ravel():
            if pixel != value:
                expected.append(0)
                value = pixel
            expected[-1] += 1
        assert run.counts == expected


@pytest.mark.parametrize("shapes", ["polygons", "masks"])
@given(data=st.data())
@settings(max_examples=40)
def test_cvat_paints_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, shapes: str
) -> None:
    size = data.draw(SIZES)
    ids = data.draw(arrays(np.uint8, size, elements=st.sampled_from([0, 1, 2, 255])))
    numbers = data.draw(arrays(np.uint16, size, elements=st.integers(0, 3)))
    numbers[(ids == 0) | (ids == 255)] = 0
    root = tmp_path_factory.mktemp("cvat")
    path = written(root, sample("a", Mask(ids, numbers)), shapes=shapes)
    own = CvatWriter(root, CLASSES).classes
    (found,) = images_of(path)
    assert (cvat_rules.export(found, {info.name: info.id for info in own}) == ids).all()
    (again,) = segfmt.open_dataset(root, "cvat")
    assert (painted(again) == ids).all()
    objects = _objects(again)
    assert (objects is not None) == numbers.any()
    for id in (1, 2) if objects is not None else ():
        before, after = numbers[ids == id].tolist(), objects[ids == id].tolist()
        pairs = set(zip(before, after, strict=True))  # numbers may change, objects may not
        assert len(pairs) == len(set(before)) == len(set(after))
        assert {(0, n) for n in after if (0, n) in pairs} <= {(0, 0)}


def _objects(loaded: Sample) -> np.ndarray | None:
    label = loaded.label
    if isinstance(label, Mask):
        return label.instances
    if label.instance_ids is None:
        return None
    return segfmt.rasterize(replace(label, class_ids=label.instance_ids), loaded.shape)


def test_importers_find_what_they_ask_for(tmp_path: Path) -> None:
    # What CVAT's importer takes without a default, and datumaro's of a project.
    path = written(tmp_path, sample("a", MASK), sample("a", MASK, "val"), shapes="masks")
    root = parse(path).getroot()
    assert [task.findtext("subset") for task in root.iter("task")] == ["train", "val"]
    assert [int(task.findtext("id")) for task in root.iter("task")] == [0, 1]
    assert root.findtext("meta/project/subsets") == "train\nval"
    for found in root.findall("image"):
        assert {"id", "name", "subset", "width", "height"} <= set(found.keys())
        for mask in found:
            assert {"label", "occluded", "z_order"} <= set(mask.keys())
            runs = [int(count) for count in mask.get("rle").split(",")]
            assert sum(runs) == int(mask.get("width")) * int(mask.get("height"))


def test_objects_become_groups_over_all_classes(tmp_path: Path) -> None:
    ids = np.array([[1, 1, 2, 2, 1]], np.uint8)
    numbers = np.array([[4, 2, 2, 0, 0]], np.uint16)
    for shapes in ("polygons", "masks"):
        (found,) = images_of(
            written(tmp_path / shapes, sample("a", Mask(ids, numbers)), shapes=shapes)
        )
        groups = {(one.get("label"), one.get("group_id")) for one in found}
        two = 'a & "b" <소형>'
        assert groups == {("road", "1"), ("road", "2"), (two, "3"), ("road", None), (two, None)}


def test_vertices_are_kept_if_asked(tmp_path: Path) -> None:
    ring = [(1, 1), (5.5, 1), (5, 4)]
    drawn = Polygons.from_rings([[ring], [ring[:2]], [ring[:1]]], [1, 2, 1], fill_rule="pillow")
    writer = CvatWriter(tmp_path, CLASSES, vertices="keep")
    assert writer.accepts.fill_rule is None
    entry = writer.write(sample("a", drawn))
    writer.finish([entry])
    (found,) = images_of(tmp_path / "annotations.xml")
    assert [one.get("points") for one in found] == [
        "1.0,1.0;5.5,1.0;5.0,4.0",
        "1.0,1.0;5.5,1.0;5.5,1.0",
        "1.0,1.0;1.0,1.0;1.0,1.0",
    ]
    assert [(note.code, note.subject) for note in entry.notes] == [
        ("vertices kept, pixels may differ", "pillow")
    ]


@pytest.mark.parametrize(
    ("classes", "options", "reason"),
    [
        (CLASSES, {"shapes": "masks", "vertices": "keep"}, "is for polygons"),
        (ClassTable([ClassInfo(1, "Void")]), {}, '"Void" would read back as ignore'),
        (ClassTable([ClassInfo(1, "a\x00b")]), {}, "XML cannot hold"),
        (
            ClassTable(ClassInfo(id, f"c{id}") for id in range(1, 257)),
            {"shapes": "masks"},
            "257 classes are more",
        ),
    ],
)
def test_what_cannot_be_written_is_refused_at_once(
    tmp_path: Path, classes: ClassTable, options: dict[str, Any], reason: str
) -> None:
    with pytest.raises(UsageError, match=reason):
        CvatWriter(tmp_path, classes, **options)


def test_ids_are_those_of_reading_back(tmp_path: Path) -> None:
    written(tmp_path, sample("a", MASK))
    own = CvatWriter(tmp_path, CLASSES).classes
    assert [(info.id, info.name) for info in own] == [
        (0, "background"),
        (1, "road"),
        (2, 'a & "b" <소형>'),
        (255, "void"),
    ]
    assert CvatReader(tmp_path).classes == own


@pytest.mark.parametrize(("split", "key"), [("Training", "a"), ("default", "a")])
def test_what_reads_back_under_another_name_is_told(tmp_path: Path, split: str, key: str) -> None:
    entry = CvatWriter(tmp_path, CLASSES).write(sample(key, MASK, split))
    assert [note.code for note in entry.notes] == ["reads back under another name"]


@pytest.mark.parametrize("key", ["images/a", "train/a", "a.jpg", "data/하늘", "x y/v1.2"])
def test_keys_read_back_as_they_are(tmp_path: Path, key: str) -> None:
    photo = write_image(tmp_path / "a.png", MASK.shape)
    for split in ("train", "val"):
        for name in (key, "a"):
            root = tmp_path / "dst"
            assert CvatWriter(root, CLASSES).write(sample(name, MASK, split, photo)).notes == ()
    written(
        root,
        *(sample(name, MASK, split, photo) for split in ("train", "val") for name in (key, "a")),
    )
    found = [(ref.split, ref.key, ref.image) for ref in CvatReader(root).scan()]
    expected = [(s, n, root / f"images/{s}/{n}.png") for s in ("train", "val") for n in (key, "a")]
    assert sorted(found) == sorted(expected)


def test_a_run_that_is_gone_on_with_has_all_images(tmp_path: Path) -> None:
    images = [
        image(f"{name}.jpg", polygon(), shape("ellipse", cx=9, cy=9, rx=3, ry=2)) for name in "abc"
    ]
    write(tmp_path / "src/x.xml", document(*images))
    for name in "abc":
        write_image(tmp_path / f"src/{name}.jpg")
    whole = (tmp_path / "src/b.jpg").read_bytes()
    (tmp_path / "src/b.jpg").write_bytes(whole[: len(whole) // 2])
    options: dict[str, Any] = {"source": "cvat", "target": "cvat"}
    assert segfmt.convert(tmp_path / "src", tmp_path / "dst", **options).failed == 1
    (tmp_path / "src/b.jpg").write_bytes(whole)
    assert segfmt.convert(tmp_path / "src", tmp_path / "dst", resume=True, **options).ok
    assert segfmt.convert(tmp_path / "src", tmp_path / "new", **options).done == 3
    again, fresh = (tmp_path / name / "annotations.xml" for name in ("dst", "new"))
    assert again.read_bytes() == fresh.read_bytes()


def test_an_image_that_is_gone_from_the_file_is_told(tmp_path: Path) -> None:
    writer = CvatWriter(tmp_path, CLASSES)
    entry = writer.write(sample("s/a", MASK))
    writer.finish([entry])
    (tmp_path / "annotations.xml").unlink()
    with pytest.raises(segfmt.FormatError, match='no longer has the image "train/s/a"'):
        CvatWriter(tmp_path, CLASSES).finish([entry])


@pytest.mark.parametrize("shapes", ["polygons", "masks"])
def test_to_voc_and_back(tmp_path: Path, shapes: str) -> None:
    drawn = polygon("road"), polygon("하늘", "1,1;4.5,3;12,11", z_order=-1)
    write(tmp_path / "src/x.xml", document(image("s/a.jpg", *drawn, subset="Validation")))
    write_image(tmp_path / "src/images/s/a.jpg")
    segfmt.convert(tmp_path / "src", tmp_path / "voc", source="cvat", target="voc")
    report = segfmt.convert(
        tmp_path / "voc", tmp_path / "dst", target="cvat", writer_options={"shapes": shapes}
    )
    assert report.ok
    (before,) = segfmt.open_dataset(tmp_path / "src", "cvat")
    (after,) = segfmt.open_dataset(tmp_path / "dst", "auto")
    assert (after.ref.split, after.ref.key) == ("val", "s/a")
    assert (painted(before) == painted(after)).all()
    assert {1, 2} <= set(np.unique(painted(after)).tolist())


def test_polygons_of_cvat_keep_their_vertices(tmp_path: Path) -> None:
    drawn = polygon("road", "1.25,1.00;4.50,3.00;12.00,11.10"), polygon("하늘", z_order=-1)
    write(tmp_path / "src/x.xml", document(image("a.jpg", *drawn)))
    write_image(tmp_path / "src/a.jpg")
    segfmt.convert(tmp_path / "src", tmp_path / "dst", source="cvat", target="cvat")
    (found,) = images_of(tmp_path / "dst/annotations.xml")
    assert [(one.get("label"), one.get("z_order")) for one in found] == [
        ("하늘", "0"),
        ("road", "1"),
    ]
    assert found[1].get("points") == "1.25,1.0;4.5,3.0;12.0,11.1"
