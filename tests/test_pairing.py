import unicodedata
from pathlib import Path

import pytest

from segfmt.pairing import ImageIndex, place_of

ROOT = Path("/set")


@pytest.mark.parametrize(
    ("path", "split", "key"),
    [
        ("label/x.json", None, "x"),
        ("x.json", None, "x"),
        ("Training/라벨링데이터/scene/x.json", "train", "scene/x"),
        ("라벨링데이터/Validation/scene/x.json", "val", "scene/x"),
        ("1.Training/[라벨]서울_1/x.json", "train", "서울_1/x"),
        (
            "01-1.정식개방데이터/Training/02.라벨링데이터/TL_3/x.json",
            "train",
            "01-1.정식개방데이터/3/x",
        ),
        ("Test/TLaneSet/x.json", "test", "TLaneSet/x"),
        ("val/images/x.y.jpg", "val", "x.y"),
        ("train/train/x.jpg", "train", "train/x"),
    ],
)
def test_split_and_key_come_from_the_place(path: str, split: str | None, key: str) -> None:
    assert place_of(Path(path)) == (split, key)


def test_keys_are_nfc() -> None:
    nfd = unicodedata.normalize("NFD", "장면/하늘")
    assert place_of(Path(nfd + ".json")) == (None, "장면/하늘")


def index(*paths: str) -> ImageIndex:
    images = ImageIndex(ROOT)
    for path in paths:
        images.add(ROOT / path)
    return images


@pytest.mark.parametrize(
    ("label", "images", "found"),
    [
        ("label/x.json", ["data/x.jpg"], "data/x.jpg"),
        ("label/x.json", ["data/y.jpg"], None),
        ("x.json", ["x.jpg"], "x.jpg"),
        (
            "Training/라벨링데이터/s/x.json",
            ["Training/원천데이터/s/x.jpg"],
            "Training/원천데이터/s/x.jpg",
        ),
        # the same stem in two scenes, or two splits: the answering place wins
        ("label/a/x.json", ["data/a/x.jpg", "data/b/x.jpg"], "data/a/x.jpg"),
        (
            "Training/label/x.json",
            ["Training/data/x.jpg", "Validation/data/x.jpg"],
            "Training/data/x.jpg",
        ),
        # one place says more than the other, and nothing contradicts
        ("label/x.json", ["data/2021/x.jpg"], "data/2021/x.jpg"),
        ("label/a/x.json", ["x.jpg"], "x.jpg"),
        # never a guess
        ("label/a/x.json", ["data/b/x.jpg"], None),
        ("Training/label/x.json", ["Validation/data/x.jpg"], None),
        ("label/x.json", ["data/a/x.jpg", "data/b/x.jpg"], None),
        ("label/x.json", ["data/x.jpg", "data/x.png"], None),
    ],
)
def test_the_image_is_the_one_in_the_answering_place(
    label: str, images: list[str], found: str | None
) -> None:
    stem = Path(label).stem
    assert index(*images).near(ROOT / label, stem) == (found and ROOT / found)


def test_stems_are_compared_in_nfc() -> None:
    images = index(unicodedata.normalize("NFD", "data/하늘.jpg"))
    assert images.near(ROOT / "label/하늘.json", "하늘") is not None


@pytest.mark.parametrize(
    ("name", "folder", "found"),
    [
        ("b.jpg", "", "data/b.jpg"),
        ("x.jpg", "s1/JPEGImages", "data/s1/JPEGImages/x.jpg"),
        ("x.jpg", "s2\\JPEGImages", "data/s2/JPEGImages/x.jpg"),
        ("x.jpg", "s3", None),
        ("", "", None),
        ("../../etc/b.jpg", "", "data/b.jpg"),
        ("x.jpg", "../../etc", None),
        ("x.jpg", "/etc", None),
    ],
)
def test_an_image_is_found_by_what_the_label_names(
    name: str, folder: str, found: str | None
) -> None:
    images = index("data/b.jpg", "data/s1/JPEGImages/x.jpg", "data/s2/JPEGImages/x.jpg")
    assert images.named(ROOT / "label/a.json", name, folder) == (found and ROOT / found)
