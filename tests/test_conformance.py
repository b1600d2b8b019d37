"""The built-in formats run the kit that plug-ins run: one class each."""

from pathlib import Path
from typing import ClassVar

import numpy as np

import segfmt
from aihub_files import dataset, write_image
from segfmt.imagefile import write_colors
from segfmt.testing import FormatConformance, ReaderConformance, WriterConformance

MASK = np.zeros((12, 16), np.uint8)
MASK[2:8, 2:10] = 1
MASK[4, 4] = 2


class TestAihub(ReaderConformance):
    format = "aihub"

    def make(self, root: Path, name: str) -> None:
        dataset(root, [name, f"{name}_b"])


class TestFolder(FormatConformance):
    format = "folder"

    def make(self, root: Path, name: str) -> None:
        for split in ("train", "val"):
            write_image(root / "images" / split / name / f"{name}.jpg")
            segfmt.write_mask(root / "masks" / split / name / f"{name}.png", MASK)


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


class TestVoc(WriterConformance):
    format = "voc"
