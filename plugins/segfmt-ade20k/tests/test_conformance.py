"""Both formats against the conformance kit."""

import json
from pathlib import Path

import numpy as np
from full_files import put
from PIL import Image

import segfmt
from segfmt.testing import FormatConformance, ReaderConformance


class TestAde20k(FormatConformance):
    format = "ade20k"

    def make(self, root: Path, name: str) -> None:
        for split in ("training", "validation"):
            image = root / f"images/{split}/{name}.jpg"
            image.parent.mkdir(parents=True)
            Image.new("RGB", (6, 4), (90, 60, 30)).save(image)
            mask = np.array([[0, 1, 150, 2, 2, 2]] * 4, np.uint8)
            segfmt.write_mask(root / f"annotations/{split}/{name}.png", mask)

    def make_source(self, root: Path, *, ignore: bool = False, same_key: bool = False) -> Path:
        super().make_source(root, ignore=ignore, same_key=same_key)
        if not ignore:  # a set without background, as this format has none
            path = root / "classes.json"
            classes = json.loads(path.read_bytes())
            classes[0] |= {"name": "void", "role": "ignore"}
            path.write_text(json.dumps(classes))
        return root

    def test_ignore_stays_apart_from_background_or_is_refused(self, tmp_path: Path) -> None:
        # There is no background to keep it apart from: what is that becomes ignore, which is told.
        src = self.make_source(tmp_path / "src", ignore=True)
        report = self.convert_to(src, tmp_path / "dst")
        assert report.ok, report.failures
        assert '"background" becomes "other objects", which loaders ignore' in report.warnings


class TestAde20kFull(ReaderConformance):
    format = "ade20k-full"

    def make(self, root: Path, name: str) -> None:
        ids = np.array([[0, 64, 20, 20, 64, 64]] * 4)
        names = {64: "ashcan, trash can", 20: "airplane, aeroplane, plane"}
        for split in ("training", "validation"):
            put(root / f"images/ADE/{split}/urban/street/{name}", ids, names, ids > 20)
