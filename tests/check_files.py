"""Builds small datasets with one fault each, as the tests of `check` want them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from aihub_files import annotation, label, write_label
from mask_files import write_png
from segfmt import ClassInfo, ClassTable
from segfmt.tables import TABLES

SIZE = (64, 48)
TABLE = ClassTable(
    [
        ClassInfo(0, "nothing", (0, 0, 0), "background"),
        ClassInfo(1, "road", (128, 64, 128)),
        ClassInfo(2, "sky", (70, 130, 180)),
        ClassInfo(3, "lane", (70, 130, 180)),
        ClassInfo(255, "void", (224, 224, 192), "ignore"),
    ]
)
Build = Callable[[Path], None]


def picture(seed: int, size: tuple[int, int] = SIZE) -> Image.Image:
    """Return a picture with something in it, another for each seed."""
    blocks = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
    return Image.fromarray(blocks).resize(size, Image.Resampling.BICUBIC)


def save_picture(path: Path, seed: int, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture(seed).save(path, **{"quality": 90, **options})
    return path


def document(*points: Any, name: str = "road", size: tuple[int, int] = SIZE) -> dict[str, Any]:
    """Return an AIHub label with a polygon of each list of points besides a good one."""
    good = annotation("sky", [[2, 2], [60, 3], [58, 20]])
    return label(good, *(annotation(name, list(one)) for one in points), size=size)


def clean_polygons(root: Path) -> None:
    """Write two AIHub samples of which nothing is wrong."""
    for seed, stem in enumerate("ab"):
        save_picture(root / "data" / f"{stem}.jpg", seed)
        write_label(root / "label" / f"{stem}.json", document())


def clean_masks(root: Path) -> None:
    """Write two samples of a folder of masks of which nothing is wrong."""
    (root / "masks").mkdir(parents=True)
    (root / "classes.json").write_bytes(TABLE.to_json())
    for seed, stem in enumerate("ab"):
        save_picture(root / "images" / f"{stem}.jpg", seed)
        ids = np.zeros(SIZE[::-1], np.uint8)
        ids[20:, :] = 1
        write_png(root / "masks" / f"{stem}.png", ids)


def polygons(*points: Any, **options: Any) -> Build:
    """Return what gives sample b these polygons besides."""

    def build(root: Path) -> None:
        clean_polygons(root)
        write_label(root / "label/b.json", document(*points, **options))

    return build


def text(data: bytes) -> Build:
    """Return what makes these bytes the label file of sample b."""

    def build(root: Path) -> None:
        clean_polygons(root)
        (root / "label/b.json").write_bytes(data)

    return build


def named(stem: str, suffix: str = ".jpg") -> Build:
    """Return what gives sample b another name."""

    def build(root: Path) -> None:
        clean_polygons(root)
        (root / "data/b.jpg").rename(root / "data" / f"{stem}{suffix}")
        (root / "label/b.json").rename(root / "label" / f"{stem}.json")

    return build


def rgb(color: tuple[int, int, int]) -> Build:
    """Return what makes the mask of sample b one of colors, with a pixel of this one."""

    def build(root: Path) -> None:
        clean_masks(root)
        colors = np.full((*SIZE[::-1], 3), TABLE.by_name("road").color, np.uint8)
        colors[5, 7] = color
        write_png(root / "masks/b.png", colors)

    return build


def then(build: Build, change: Build) -> Build:
    """Return what makes a dataset and then changes it."""

    def both(root: Path) -> None:
        build(root)
        change(root)

    return both


def _turned(root: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    save_picture(root / "data/b.jpg", 1, exif=exif)


def _of_two_folders(root: Path) -> None:
    (root / "json").mkdir()
    shutil.copy(root / "label/b.json", root / "json/b.json")


def _cut(root: Path) -> None:
    path = root / "data/b.jpg"
    path.write_bytes(path.read_bytes()[:-200])


def _table(root: Path) -> None:
    more = ClassInfo(99, "traffic-lights", (1, 2, 3))
    (root / "classes.json").write_bytes(ClassTable([*TABLES["aihub-driving"], more]).to_json())


def _id(root: Path) -> None:
    ids = np.ones(SIZE[::-1], np.uint8)
    ids[5, 7] = 77
    write_png(root / "masks/b.png", ids)


def _jpeg_mask(root: Path) -> None:
    (root / "masks/b.png").unlink()
    save_picture(root / "masks/b.jpg", 9)


def _instances(root: Path) -> None:
    ids = np.full(SIZE[::-1], 7, np.uint8)
    values = np.full(SIZE[::-1], 7 * 256, np.uint16)
    ids[:9, :9], values[:9, :9] = 26, 26 * 256 + 1
    values[5, 7] = 24 * 256
    training = root / "training"
    save_picture(training / "image_2/000000_10.png", 0)
    write_png(training / "semantic/000000_10.png", ids)
    write_png(training / "instance/000000_10.png", values)


def _splits(root: Path) -> None:
    for seed, split in ((0, "Training"), (0, "Validation"), (1, "Training")):
        save_picture(root / split / "data" / f"{seed}.jpg", seed, quality=len(split) * 5)
        write_label(root / split / "label" / f"{seed}.json", document())


def _train_ids(root: Path) -> None:
    """Write a sample of Cityscapes of which the reader has something to note."""
    stem = "city/city_000000_000000"
    ids = np.zeros(SIZE[::-1], np.uint8)
    ids[5, 7] = 255
    save_picture(root / "leftImg8bit/train" / f"{stem}_leftImg8bit.png", 0)
    write_png(root / "gtFine/train" / f"{stem}_gtFine_labelTrainIds.png", ids)


@dataclass(frozen=True)
class Fault:
    """A dataset in which a rule is broken once; `besides` are rules that then are, too."""

    build: Build
    besides: frozenset[str] = frozenset()
    source: str = "aihub"


TRIANGLE = [[10, 10], [40, 12], [30, 30]]
GOOD = json.dumps(document())
FAULTS = {
    "SF101": Fault(then(clean_polygons, lambda root: save_picture(root / "data/c.jpg", 7))),
    "SF102": Fault(then(clean_polygons, lambda root: (root / "data/b.jpg").unlink())),
    "SF103": Fault(text(b'{"Annotation": [')),
    "SF104": Fault(text(b'{"Annotation": "\xff\xff\x80"}')),
    "SF105": Fault(text(GOOD.encode("utf-8-sig"))),
    "SF106": Fault(text(GOOD.replace("1.0, 1.0]", "NaN, 1.0]").encode())),
    "SF107": Fault(text(b"")),
    "SF108": Fault(then(clean_polygons, _cut)),
    "SF109": Fault(
        then(clean_polygons, lambda root: save_picture(root / "data/b.jpg", 7, format="PNG"))
    ),
    "SF110": Fault(then(clean_polygons, _turned)),
    "SF111": Fault(polygons(size=(99, 48))),
    "SF112": Fault(then(clean_polygons, _of_two_folders)),
    "SF198": Fault(text(b'{"Annotation": 5, "Source_Image_Info": {}}')),
    "SF199": Fault(_train_ids, source="cityscapes"),
    "SF201": Fault(polygons(TRIANGLE, name="zeppelin")),
    "SF202": Fault(polygons(TRIANGLE, name="pedestrain")),
    "SF203": Fault(then(clean_polygons, _table)),
    "SF301": Fault(polygons([[5, 5], [9, 9]])),
    "SF302": Fault(polygons([[5, 5], [9, 9], [7, 7]])),
    "SF303": Fault(polygons([[5, 5], [40, 40], [40, 5], [5, 45]])),
    "SF304": Fault(polygons([[95, 5], [99, 9], [70, 20]])),
    "SF305": Fault(polygons([[95, 5], [99, 9], [7, 20]])),
    "SF306": Fault(polygons(TRIANGLE, [*TRIANGLE[1::-1], TRIANGLE[2], TRIANGLE[2]])),
    "SF307": Fault(polygons([[2, 2], [60, 3], [58, 20]])),
    "SF308": Fault(polygons([[10, 10], [12, 10], [11, 11]])),
    "SF309": Fault(polygons([[10, 10], [1e300, 12], [30, 30]])),
    "SF401": Fault(then(clean_masks, _jpeg_mask), source="folder"),
    "SF402": Fault(then(clean_masks, _id), source="folder"),
    "SF403": Fault(rgb((1, 2, 3)), source="folder"),
    "SF404": Fault(rgb(TABLE.by_name("sky").color), source="folder"),
    "SF405": Fault(
        then(clean_polygons, lambda root: write_label(root / "label/b.json", label(size=SIZE)))
    ),
    "SF406": Fault(_instances, source="kitti"),
    "SF501": Fault(named("b 2")),
    "SF502": Fault(named("b,2")),
    "SF503": Fault(named("b.2")),
    "SF504": Fault(named("b", ".JPG")),
    "SF505": Fault(named("길")),
    "SF506": Fault(named("A")),
    "SF507": Fault(named("e\u0301"), frozenset({"SF505"})),
    "SF508": Fault(named("aux")),
    "SF509": Fault(named("b" * 199)),
    "SF510": Fault(named("#b")),
    "SF511": Fault(named("b\\2")),
    "SF601": Fault(
        then(clean_polygons, lambda root: shutil.copy(root / "data/a.jpg", root / "data/b.jpg"))
    ),
    "SF602": Fault(
        then(clean_polygons, lambda root: save_picture(root / "data/b.jpg", 0, quality=70))
    ),
    "SF603": Fault(_splits, frozenset({"SF602"})),
}
