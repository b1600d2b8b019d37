"""Scenes that benchmarks paint: fixed by their seed, never tuned to a result."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from segfmt import Polygons
from segfmt.formats.aihub import TABLE

Ring = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Scene:
    """A kind of scene: `radius` is the range of the objects' radii as shares of the height."""

    name: str
    width: int
    height: int
    polygons: int
    vertices: int
    radius: tuple[float, float]

    def __str__(self) -> str:
        return self.name

    def rings(self, seed: int = 0) -> tuple[list[Ring], npt.NDArray[np.int32]]:
        """Return star-shaped rings with one decimal, and their class ids."""
        random = np.random.default_rng([seed, self.width, self.polygons])
        rings = []
        for _ in range(self.polygons):
            count = int(random.integers(self.vertices * 3 // 4, self.vertices * 5 // 4 + 1))
            angles = np.sort(random.uniform(0, 2 * np.pi, count))
            radii = random.uniform(*self.radius) * self.height * random.uniform(0.7, 1, count)
            center = random.uniform((0, 0), (self.width, self.height))
            ring = center + np.stack([np.cos(angles), np.sin(angles)], 1) * radii[:, None]
            rings.append(np.round(ring, 1))
        return rings, random.integers(1, 26, self.polygons, np.int32)

    def batch(self, seed: int = 0) -> Polygons:
        """Return the scene as Polygons."""
        rings, ids = self.rings(seed)
        return Polygons.from_rings([[ring] for ring in rings], ids)

    def write_aihub(self, folder: Path, count: int) -> Path:
        """Write so many AIHub label files (without images) and return their folder."""
        (folder / "label").mkdir(parents=True)
        for seed in range(count):
            (folder / "label" / f"frame_{seed:06}.json").write_text(
                label_text(self, seed), encoding="utf-8"
            )
        return folder


@cache
def label_text(scene: Scene, seed: int) -> str:
    """Return an AIHub label file; made once, as several benchmarks have the same."""
    rings, ids = scene.rings(seed)
    document = {
        "Source_Image_Info": {
            "Img_name": f"frame_{seed:06}.jpg",
            "Img_path": "scene/JPEGImages",
            "Resolution": [scene.width, scene.height],
            "Copyrighter": "(주)벤치",
            "Time_zone": "주간",
        },
        "Annotation": [
            {
                "Label": TABLE.by_id(int(id)).name,
                "Type": "polygon",
                "bbox": [*ring.min(0).tolist(), *ring.max(0).tolist()],
                "area": 1.0,
                "Coordinate": ring.tolist(),
                "Data_type": "worker",
            }
            for ring, id in zip(rings, ids.tolist(), strict=True)
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=4)


FULL_HD = Scene("1920x1080, 30 polygons", 1920, 1080, 30, 40, (0.03, 0.35))
CITY = Scene("2048x1024, 100 polygons", 2048, 1024, 100, 60, (0.02, 0.25))
BUILDINGS = Scene("1024x1024, 2,000 buildings", 1024, 1024, 2000, 5, (0.004, 0.016))
