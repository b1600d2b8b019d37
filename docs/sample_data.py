"""The datasets that the snippets of the documentation work on: one of each format, all small."""

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import segfmt

SHAPE = (24, 32)
SCENES = [f"train/{stem}" for stem in "abcd"] + [f"val/{stem}" for stem in "ef"]
CITIES = [f"train/aachen/aachen_{n:06}_000019" for n in range(4)]
CITIES += [f"val/munster/munster_{n:06}_000019" for n in range(2)]
NUMBERS = [f"train/{n:06}_10" for n in range(36)]  # more than the 30 that `--split last=30` takes
INDOOR = ["background", "sofa", "car", "person"]

# What each is made of: the class table, classes from the back to the front, keys, and options.
MADE: dict[str, tuple[str, list[str], list[str], dict[str, Any]]] = {
    "aihub": ("aihub-driving", ["road", "sky", "vehicle", "pedestrian"], SCENES, {}),
    "cityscapes": ("cityscapes", ["road", "building", "car", "person"], CITIES, {}),
    "kitti": ("kitti", ["road", "sky", "car", "person"], NUMBERS, {}),
    "satellite": ("satellite", ["background", "building", "road"], SCENES, {}),
    "coco": ("voc", INDOOR, SCENES, {"ignore_to": "background"}),
    "voc": ("voc", INDOOR, SCENES, {}),
    "colors": ("voc", INDOOR, SCENES, {"writer_options": {"masks": "color"}}),
}
# What pages mean by names that are none of these.
# What COCO has for download.
COCO_ZIPS = {
    "annotations": "annotations_trainval2017",
    "train": "train2017",
    "val": "val2017",
}
STAND_INS = {"folder": "colors", "A": "voc", "B": "voc", "KITTI": "kitti", "PREDICTIONS": "kitti"}


def mask(seed: int, ids: list[int]) -> np.ndarray:
    """Return one class below, one above, and boxes of the others before them."""
    random = np.random.default_rng(seed)
    painted = np.full(SHAPE, ids[0], np.uint8)
    painted[: SHAPE[0] // 3] = ids[1]
    for id in ids[2:]:
        y, x = random.integers(1, SHAPE[0] // 2, 2)
        painted[y : y + 8, x : x + 8] = id
    return painted


def image(path: Path, seed: int) -> None:
    """Write a picture of noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 256, (*SHAPE, 3), np.uint8)
    Image.fromarray(noise).save(path)


def make_datasets(root: Path) -> None:
    """Write every dataset into the folder of its name."""
    for name, (table, classes, keys, options) in MADE.items():
        drawn = root / f"{name}.drawn"
        ids = {info.name: info.id for info in segfmt.table_named(table)}
        for index, key in enumerate(keys):
            shown = classes if index % 3 else classes[:-1]  # the foremost class is not everywhere
            segfmt.write_mask(drawn / f"masks/{key}.png", mask(index, [ids[c] for c in shown]))
            image(drawn / f"images/{key}.jpg", index)
        target = "folder" if name == "colors" else name
        report = segfmt.convert(
            drawn, root / name, source="folder", target=target, table=table, **options
        )
        assert report.done == len(keys)
        shutil.rmtree(drawn)
        for own in (".segfmt", "classes.json", "labelmap.txt"):  # nobody else's have these
            for path in (root / name).rglob(own):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    make_ade20k_full(root / "ade20k-full")
    zip_aihub(root / "aihub", root / "aihub-zip")
    shutil.copytree(root / "aihub-zip", root / "083.download")
    for folder, name in COCO_ZIPS.items():
        with zipfile.ZipFile(root / f"{name}.zip", "w") as archive:
            for path in sorted((root / "coco" / folder).iterdir()):
                archive.write(path, path.relative_to(root / "coco"))
    for name, kind in (("labels", "L"), ("images", "S")):
        shutil.copy(root / f"aihub-zip/Training/T{kind}_1.zip", root / f"{name}.zip")
    (root / "map.toml").write_text('"car" = "car"\n')
    for number in range(6, 36):
        square = np.zeros((224, 224), np.uint8)
        square[112:] = 1
        segfmt.write_mask(root / f"predictions/val/{number:06}_10.png", square)


def zip_aihub(folder: Path, root: Path) -> None:
    """Pack a set as AIHub has it for download: `Training/TS_1.zip`, `Training/TL_1.zip`, ..."""
    for split in ("Training", "Validation"):
        (root / split).mkdir(parents=True)
        for kind, letter in (("원천데이터", "S"), ("라벨링데이터", "L")):
            files = [path for path in (folder / split / kind).rglob("*") if path.is_file()]
            with zipfile.ZipFile(root / split / f"{split[0]}{letter}_1.zip", "w") as archive:
                for path in files:
                    archive.write(path, path.relative_to(folder / split / kind))


def make_ade20k_full(root: Path) -> None:
    """Write one image of ADE20K's full release, which segfmt reads but does not write."""
    names = {1: "car", 2: "person"}
    stem = root / "images/ADE/training/urban/street/ADE_train_00000001"
    image(stem.with_suffix(".jpg"), 0)
    ids = mask(0, [0, 1, 2])
    Image.fromarray(np.stack([0 * ids, ids, 0 * ids], -1)).save(f"{stem}_seg.png")
    things = [
        {"name": name, "name_ndx": id, "parts": {"part_level": 0}} for id, name in names.items()
    ]
    stem.with_suffix(".json").write_text(json.dumps({"annotation": {"object": things}}))
