"""segfmt, as `segfmt.convert` is called; no images are written, as by most peers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from measured import in_memory, measure

import segfmt

IN_MEMORY = "colors to ids, in memory"
# For each other job: the dataset's folder, and what convert is given.
JOBS: dict[str, tuple[str, dict[str, Any]]] = {
    "class masks": (
        "coco",
        {"source": "coco", "target": "voc", "reader_options": {"instances": False}},
    ),
    "class and object masks": ("coco", {"source": "coco", "target": "voc"}),
    "class masks, images copied": (
        "labelme",
        {
            "source": "labelme",
            "target": "voc",
            "reader_options": {"instances": False},
            "images": "copy",
        },
    ),
    "labelTrainIds": (
        "cityscapes",
        {
            "source": "cityscapes",
            "target": "cityscapes",
            "reader_options": {"ids": "train", "instances": False},
            "writer_options": {"ids": "train", "labels": "labelTrainIds"},
        },
    ),
    "colors to ids": (
        "voc-color",
        {
            "source": "voc",
            "target": "cityscapes",
            "writer_options": {"labels": "labelIds,instanceIds,color"},
            "ignore_to": "background",
        },
    ),
}


def convert(data: Path, out: Path, variant: str) -> float | None:
    if variant == IN_MEMORY:
        dataset = segfmt.open_dataset(data / "voc-color", "voc")
        return in_memory(data, out, lambda rgb: segfmt.index_colors(rgb, dataset.classes))
    folder, options = JOBS[variant]
    options = {"images": "none", **options}
    report = segfmt.convert(data / folder, out, executor="serial", **options)
    assert report.ok, report.failures
    return None


if __name__ == "__main__":
    measure(convert, ["segfmt", "segfmt-coco", "numba", "numpy", "isal"])
