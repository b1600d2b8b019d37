"""The format against the conformance kit: as CVAT exports it, as masks, and AIHub's sidewalks."""

from pathlib import Path
from typing import ClassVar

from cvat_files import document, image, polygon, write, write_image
from sidewalk_files import SURFACE_LABELS, surface

from segfmt.testing import FormatConformance, ReaderConformance


def cut(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[:-40])
    return path


class TestCvat(FormatConformance):
    format = "cvat"

    def make(self, root: Path, name: str) -> None:
        shapes = polygon(), polygon("하늘", z_order=3)
        images = image(f"a/{name}.jpg", *shapes), image(f"b/{name}.jpg", polygon())
        write(root / "annotations.xml", document(*images))
        write_image(root / f"images/a/{name}.jpg")
        write_image(root / f"images/b/{name}.jpg")

    def corrupt(self, root: Path) -> Path:
        return cut(root / "annotations.xml")


class TestMasks(FormatConformance):
    format = "cvat"
    writer_options: ClassVar = {"shapes": "masks"}

    def make(self, root: Path, name: str) -> None:
        mask = '<mask label="road" rle="1, 2, 3" left="2" top="3" width="3" height="2"/>'
        write(root / "annotations.xml", document(image(f"{name}.jpg", polygon("하늘"), mask)))
        write_image(root / f"images/{name}.jpg")

    def corrupt(self, root: Path) -> Path:
        return cut(root / "annotations.xml")


class TestSidewalk(ReaderConformance):
    format = "cvat"

    def make(self, root: Path, name: str) -> None:
        for folder in ("Surface_001", "Surface_002"):
            shapes = surface("sidewalk", "blocks"), surface("bike_lane")
            text = document(image(f"{name}.jpg", *shapes), labels=SURFACE_LABELS)
            write(root / folder / f"{name}.xml", text)
            write_image(root / folder / f"{name}.jpg")
            write_image(root / folder / "MASK" / f"{name}.png")

    def corrupt(self, root: Path) -> Path:
        return cut(next(root.rglob("*.xml")))
