"""The full release of 2021: masks written by hand, and the rule of its own toolkit."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from full_files import put, put_json, thing
from PIL import Image

import segfmt
from segfmt_ade20k import Ade20kFullReader, detect_full

CAR = "car, auto, automobile, machine, motorcar"
LIGHT = "traffic light, traffic signal, stoplight"
NAMES = {401: CAR, 2836: LIGHT, 64: "ashcan, trash can, garbage can"}
IDS = np.array([[401, 401, 2836, 0], [401, 64, 2836, 2836]])
NUMBERS = np.array([[1, 2, 255, 0], [1, 1, 9, 9]])
PLACE = "images/ADE/training/urban/street/ADE_train_00016869"


def dataset(root: Path) -> Path:
    put(root / PLACE, IDS, NAMES, NUMBERS)
    return root


def only(root: Path, **options: Any) -> segfmt.Sample:
    reader = Ade20kFullReader(root, **options)
    (ref,) = reader.scan()
    return reader.load(ref)


def pixels(path: Path) -> npt.NDArray[Any]:
    with Image.open(path) as image:
        return np.asarray(image)


def class_mask(path: Path) -> npt.NDArray[np.int32]:
    """Restate how `loadAde20K` of the release's toolkit finds the classes."""
    seg = pixels(path)
    classes: npt.NDArray[np.int32] = (seg[:, :, 0] / 10).astype(np.int32) * 256 + seg[:, :, 1]
    return classes


def test_classes_and_objects_are_in_the_channels(tmp_path: Path) -> None:
    dataset(tmp_path)
    reader = Ade20kFullReader(tmp_path)
    (ref,) = reader.scan()
    assert (ref.split, ref.key) == ("train", "urban/street/ADE_train_00016869")
    assert ref.image == tmp_path / f"{PLACE}.jpg"
    assert pickle.loads(pickle.dumps((reader, ref))) == (reader, ref)
    label = reader.load(ref).label
    assert label.ids.dtype == np.uint16
    assert (label.ids == IDS).all()
    assert (label.instances == NUMBERS).all()
    assert only(tmp_path, instances=False).label.instances is None


def test_it_is_told_by_its_folder(tmp_path: Path) -> None:
    dataset(tmp_path / "archive")
    assert detect_full(tmp_path / "archive") == "there is a folder images/ADE"
    assert detect_full(tmp_path) == "there is a folder archive/images/ADE"
    assert detect_full(tmp_path / "archive/images") is None


def test_every_color_is_read_as_the_toolkit_reads_it(tmp_path: Path) -> None:
    red, green = np.meshgrid(np.arange(256), np.arange(256))
    path = tmp_path / "a_seg.png"
    Image.fromarray(np.stack([red, green, green], axis=-1).astype(np.uint8)).save(path)
    assert (only(tmp_path).label.ids == class_mask(path)).all()


def test_names_are_short_where_that_is_clear(tmp_path: Path) -> None:
    names = NAMES | {7: "screen door, screen", 8: "screen, silver screen", 9: "screen, CRT"}
    put(tmp_path / "a", [[7, 8, 9]], names)
    classes = Ade20kFullReader(tmp_path).classes
    assert {info.id: info.name for info in classes} == {
        0: "unlabeled",
        7: "screen door",
        8: "screen, silver screen",
        9: "screen, CRT",
        64: "ashcan",
        401: "car",
        2836: "traffic light",
    }
    assert classes.by_name(CAR).id == 401
    assert classes.ignore == classes.by_id(0)
    assert classes.shared_colors() == {}


def test_classes_of_one_name_and_without_a_name(tmp_path: Path) -> None:
    put(tmp_path / "a", [[1, 2, 3, 4]], {1: "plant pot", 2: "Plantpot", 3: " ", 4: "Unlabeled"})
    assert [info.name for info in Ade20kFullReader(tmp_path).classes] == [
        "unlabeled (0)",
        "plant pot (1)",
        "Plantpot (2)",
        "class_3",
        "Unlabeled (4)",
    ]


def test_parts_are_left_out_and_told(tmp_path: Path) -> None:
    put(tmp_path / PLACE, IDS, NAMES, parts={1279: "housing"})
    (tmp_path / f"{PLACE}_parts_1.png").write_bytes(b"")
    (tmp_path / PLACE).mkdir()
    (tmp_path / PLACE / "instance_000_ADE_train_00016869.png").write_bytes(b"")
    reader = Ade20kFullReader(tmp_path)
    assert "housing" not in reader.classes
    assert reader.warnings == ("parts of objects are not read: 1 images have masks of them",)
    assert len(list(reader.scan())) == 1


def test_names_in_latin_1_and_a_single_object_without_a_list(tmp_path: Path) -> None:
    put(tmp_path / "a", [[1, 2]], {1: "wall"})
    put_json(tmp_path / "a", [thing(1, "wall"), thing(2, "papier-mâché")], "latin-1")
    put(tmp_path / "b", [[3, 3]], {})
    put_json(tmp_path / "b", thing(3, "소파"))
    reader = Ade20kFullReader(tmp_path)
    assert [info.name for info in reader.classes] == ["unlabeled", "wall", "papier-mâché", "소파"]
    assert reader.warnings == ()


def test_json_files_that_contradict_or_are_broken_are_told(tmp_path: Path) -> None:
    put(tmp_path / "a", [[1, 1]], {1: "wall"})
    put(tmp_path / "b", [[1, 1]], {1: "walls", 2: "sky"})
    put(tmp_path / "c", [[2, 2]], {})
    (tmp_path / "c.json").write_text('{"annotation": {"object": [')
    put_json(tmp_path / "d", [thing(5, "of no mask")])
    reader = Ade20kFullReader(tmp_path)
    assert [info.name for info in reader.classes] == ["unlabeled", "wall", "sky"]
    several, broken = reader.warnings
    assert several == (
        '1 classes have several names, of which the first is taken, such as 1: "wall" and "walls"'
    )
    assert broken.startswith("1 JSON files are not read, so that names may be missing: ")
    assert "c.json, line 1, column 28: is broken JSON" in broken
    assert len(list(reader.scan())) == 3


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[]", "Expected `object`, got `array`"),
        ('{"annotation": {"object": [{"name": 1, "name_ndx": 2}]}}', "Expected `str`, got `int`"),
        ('{"annotation": {}}', "missing required field `object`"),
    ],
)
def test_json_of_another_shape_says_what_is_wrong(tmp_path: Path, text: str, problem: str) -> None:
    put(tmp_path / "a", [[1, 1]], {})
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(
        segfmt.UsageError, match="does not say what its classes are called"
    ) as error:
        _ = Ade20kFullReader(tmp_path).classes
    assert problem in str(error.value)


def test_releases_before_2021_need_a_table(tmp_path: Path) -> None:
    put(tmp_path / "src/images/ADE/validation/a", [[401, 2836]], {})
    (tmp_path / "src/images/ADE/validation/a.json").rename(tmp_path / "src/a_atr.txt")
    reader = Ade20kFullReader(tmp_path / "src")
    with pytest.raises(segfmt.UsageError, match=r"_atr\.txt .* without their ids: give --table"):
        _ = reader.classes
    table = tmp_path / "table.json"
    classes = [segfmt.ClassInfo(0, "none", role="ignore"), segfmt.ClassInfo(401, "car")]
    classes += [segfmt.ClassInfo(2836, "light")]
    table.write_bytes(segfmt.ClassTable(classes).to_json())
    report = segfmt.convert(
        tmp_path / "src", tmp_path / "dst", target="folder", table=str(table), classes="light,car"
    )
    assert report.ok, report.failures
    assert pixels(next((tmp_path / "dst").rglob("a.png"))).tolist() == [[2, 1]]


def test_links_that_lead_out_are_followed_only_on_request(tmp_path: Path) -> None:
    src = dataset(tmp_path / "src")
    (tmp_path / "elsewhere").mkdir()
    (src / "images").rename(tmp_path / "elsewhere/images")
    (src / "images").symlink_to(tmp_path / "elsewhere/images")
    with pytest.raises(segfmt.FormatError, match="is a link that leads out of the dataset"):
        list(Ade20kFullReader(src).scan())
    assert all(ref.image for ref in Ade20kFullReader(src, follow_links=True).scan())


def test_a_damaged_mask_fails_that_sample(tmp_path: Path) -> None:
    path = dataset(tmp_path) / f"{PLACE}_seg.png"
    Image.fromarray(np.zeros((2, 4), np.uint8)).save(path)
    with pytest.raises(segfmt.FormatError, match="is no color mask: its mode is L"):
        only(tmp_path)
    Image.fromarray(np.zeros((3, 4, 3), np.uint8)).save(path)
    with pytest.raises(segfmt.FormatError, match="is 4 x 3, but its image 4 x 2"):
        only(tmp_path)


def test_more_classes_than_8_bits_hold_are_a_plan_error(tmp_path: Path) -> None:
    dataset(tmp_path / "src")
    with pytest.raises(segfmt.UsageError, match="Give --classes"):
        segfmt.convert(tmp_path / "src", tmp_path / "dst", target="voc")
    with pytest.raises(segfmt.UsageError, match="8-bit mask"):
        segfmt.convert(tmp_path / "src", tmp_path / "dst", target="folder")
    assert not (tmp_path / "dst").exists()


def test_chosen_classes_are_8_bits(tmp_path: Path) -> None:
    dataset(tmp_path / "src")
    report = segfmt.convert(
        tmp_path / "src", tmp_path / "dst", target="voc", classes="traffic light=1,car=2"
    )
    assert report.ok, report.failures
    base = tmp_path / "dst/VOCdevkit/VOC2012"
    found = pixels(base / "SegmentationClass/urban/street/ADE_train_00016869.png")
    becomes = {401: 2, 2836: 1, 64: 0, 0: 255}
    assert found.tolist() == [[becomes[id] for id in row] for row in IDS.tolist()]
    objects = pixels(base / "SegmentationObject/urban/street/ADE_train_00016869.png")
    pairs = np.stack([IDS, NUMBERS], axis=-1).reshape(-1, 2)
    kept = np.isin(IDS, [401, 2836])
    groups = np.unique(pairs, axis=0, return_inverse=True)[1].reshape(IDS.shape)
    assert len(np.unique(objects[kept])) == len(np.unique(groups[kept])) == 4
    assert (objects[IDS == 64] == 0).all()


def test_a_map_takes_the_full_release_to_the_challenge(tmp_path: Path) -> None:
    dataset(tmp_path / "src")
    file = tmp_path / "map.toml"
    file.write_text(f'"{CAR}" = "car"\n"traffic light" = "traffic light"\n')
    report = segfmt.convert(
        tmp_path / "src", tmp_path / "dst", target="ade20k", map=file, rest="ignore"
    )
    assert report.ok, report.failures
    base = tmp_path / "dst/ADEChallengeData2016"
    found = pixels(base / "annotations/training/urban/street/ADE_train_00016869.png")
    becomes = {401: 21, 2836: 137, 64: 0, 0: 0}
    assert found.tolist() == [[becomes[id] for id in row] for row in IDS.tolist()]


def test_an_id_that_no_file_names_fails_that_sample(tmp_path: Path) -> None:
    put(tmp_path / "src/images/ADE/training/a", [[401, 402]], {401: CAR})
    report = segfmt.convert(tmp_path / "src", tmp_path / "dst", target="voc", classes="car")
    (failure,) = report.failures
    assert "has the id 402, which is no class of the dataset" in failure.error


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_the_index_is_never_unpickled(tmp_path: Path) -> None:
    dataset(tmp_path / "src")
    index = tmp_path / "src/index_ade20k.pkl"
    index.write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    report = segfmt.convert(tmp_path / "src", tmp_path / "dst", target="voc", classes="car")
    assert report.ok
    assert not (tmp_path / "sprung").exists()
    pickle.loads(index.read_bytes())
    assert (tmp_path / "sprung").exists()
