"""The built-in formats run the kit that plug-ins run: one class each."""

import json
from pathlib import Path
from typing import ClassVar

import numpy as np

import segfmt
from aihub_files import dataset, write_image
from segfmt.imagefile import write_colors
from segfmt.testing import FormatConformance

MASK = np.zeros((12, 16), np.uint8)
MASK[2:8, 2:10] = 1
MASK[4, 4] = 2


def write_pair(image: Path, mask: Path) -> None:
    write_image(image)
    segfmt.write_mask(mask, MASK)


class TestAihub(FormatConformance):
    format = "aihub"

    def make(self, root: Path, name: str) -> None:
        dataset(root, [name, f"{name}_b"])


class TestCityscapes(FormatConformance):
    format = "cityscapes"
    keeps_keys = False

    def make(self, root: Path, name: str) -> None:
        city = name.replace("_", "-")
        core = f"train/{city}/{city}_000000_000019"
        write_pair(
            root / f"leftImg8bit/{core}_leftImg8bit.png",
            root / f"gtFine/{core}_gtFine_labelIds.png",
        )


class TestEspnet(FormatConformance):
    format = "espnet"

    def make(self, root: Path, name: str) -> None:
        write_pair(root / f"images/{name}.jpg", root / f"annotations/{name}.png")
        segfmt.atomic_write(root / "train.txt", f"{name}.jpg,{name}.png\n".encode())


class TestFolder(FormatConformance):
    format = "folder"

    def make(self, root: Path, name: str) -> None:
        for split in ("train", "val"):
            write_pair(
                root / "images" / split / name / f"{name}.jpg",
                root / "masks" / split / name / f"{name}.png",
            )


class TestFolderOfColors(FormatConformance):
    format = "folder"
    detected = False
    reader_options: ClassVar = {"suffix": "_color"}
    writer_options: ClassVar = {
        "masks": "color",
        "image_folder": "data/{split}",
        "mask_folder": "data/{split}",
        "suffix": "_color",
    }

    def make(self, root: Path, name: str) -> None:
        write_image(root / "data" / f"{name}.jpg")
        (root / "labelmap.txt").write_text("nothing:0,0,0::\nroad:128,64,128::\nsky:70,130,180::\n")
        colors = np.array([(0, 0, 0), (128, 64, 128), (70, 130, 180)], np.uint8)
        write_colors(root / "data" / f"{name}_color.png", colors[MASK])


class TestKitti(FormatConformance):
    format = "kitti"
    keeps_keys = False

    def make(self, root: Path, name: str) -> None:
        write_pair(root / f"training/image_2/{name}.png", root / f"training/semantic/{name}.png")


class TestMmseg(FormatConformance):
    format = "mmseg"
    writer_options: ClassVar = {"image_suffix": ".png"}

    def make(self, root: Path, name: str) -> None:
        write_pair(root / f"images/{name}.png", root / f"labels/{name}.png")
        segfmt.atomic_write(root / "splits/train.txt", f"{name}\n".encode())


class TestSatellite(FormatConformance):
    format = "satellite"

    def make(self, root: Path, name: str) -> None:
        write_image(root / "images" / f"{name}.png")
        properties = {"building_imcoords": "2,2,9,2,9,7,2,7", "type_id": "2", "type_name": "아파트"}
        label = {"type": "FeatureCollection", "features": [{"properties": properties}]}
        path = root / "labels" / "building" / f"{name}.json"
        segfmt.atomic_write(path, json.dumps(label).encode())

    def corrupt(self, root: Path) -> Path:
        path = next(root.rglob("*.json"))
        path.write_bytes(path.read_bytes()[:-20])
        return path


class TestVoc(FormatConformance):
    format = "voc"

    def make(self, root: Path, name: str) -> None:
        write_pair(root / f"JPEGImages/{name}.jpg", root / f"SegmentationClass/{name}.png")
        lists = root / "ImageSets" / "Segmentation"
        segfmt.atomic_write(lists / "train.txt", f"{name}\n".encode())
