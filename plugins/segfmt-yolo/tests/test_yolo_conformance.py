"""The format against the conformance kit."""

from pathlib import Path
from typing import ClassVar

from yolo_files import DATA, SQUARE, write_image, write_text

from segfmt.testing import FormatConformance


class TestYolo(FormatConformance):
    format = "yolo"

    def make(self, root: Path, name: str) -> None:
        write_text(root / "data.yaml", DATA)
        for split in ("train", "val"):
            write_image(root / f"images/{split}/{name}.jpg")
            write_text(root / f"labels/{split}/{name}.txt", f"0 {SQUARE}\n1 {SQUARE}")

    def corrupt(self, root: Path) -> Path:
        path = next(root.rglob("labels/train/*.txt"))
        path.write_bytes(path.read_bytes()[:-5])
        return path


class TestYoloOfLists(TestYolo):
    reader_options: ClassVar = {"order": "file"}
    writer_options: ClassVar = {"names": "list", "parts": "bridge", "vertices": "keep"}

    def make(self, root: Path, name: str) -> None:
        super().make(root, name)
        lines = "train: train.txt\nval: [images/val]\nnames: {0: road, 1: 자전거}\n"
        write_text(root / "data.yaml", lines)
        write_text(root / "train.txt", f"./images/train/{name}.jpg\n")
