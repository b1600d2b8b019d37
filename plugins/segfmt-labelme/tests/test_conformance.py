"""The format against the conformance kit."""

from pathlib import Path

import numpy as np
from labelme_files import document, mask_of, put, put_image, put_labels, shape_of

from segfmt.testing import FormatConformance

MASK = np.ones((3, 4), bool)


class TestLabelme(FormatConformance):
    format = "labelme"

    def make(self, root: Path, name: str) -> None:
        shapes = [
            shape_of("road"),
            shape_of("자전거", [[4, 3], [6, 5]], "circle", group_id=2),
            mask_of("__ignore__", MASK, (2, 2)),
        ]
        for split in ("train", "val"):
            folder = root / split / name
            put(folder / f"{name}.json", document(*shapes, imagePath=f"{name}.png"))
            put_image(folder / f"{name}.png")
        put_labels(root)


class TestWithoutLabels(TestLabelme):
    def make(self, root: Path, name: str) -> None:
        super().make(root, name)
        (root / "labels.txt").unlink()
