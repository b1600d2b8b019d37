"""The format against the conformance kit."""

from pathlib import Path

import numpy as np
from vistas_files import EGO, PERSON, ROAD, UNLABELED, put, put_config

from segfmt.testing import ReaderConformance

IDS = np.array([[ROAD, ROAD, PERSON, EGO], [ROAD, PERSON, PERSON, UNLABELED]])


class TestMapillary(ReaderConformance):
    format = "mapillary"

    def make(self, root: Path, name: str) -> None:
        put_config(root / "config_v2.0.json")
        for split in ("training", "validation"):
            put(root / split, "v2.0", name, IDS, np.where(IDS == PERSON, 1, 0))


class TestMapillary11(TestMapillary):
    def make(self, root: Path, name: str) -> None:
        put_config(root / "config.json")
        put(root / "training", "", name, IDS)
