"""The format against the conformance kit."""

from pathlib import Path

import numpy as np

import segfmt
from segfmt.testing import FormatConformance


class TestPairs(FormatConformance):
    format = "pairs"

    def make(self, root: Path, name: str) -> None:
        mask = np.array([[0, 1, 2], [255, 1, 0]], np.uint8)
        segfmt.write_mask(root / "train" / f"{name}.png", mask * 100)
        segfmt.write_mask(root / "train" / f"{name}.mask.png", mask)
        segfmt.atomic_write(root / "names.txt", "road\n자전거\n".encode())
