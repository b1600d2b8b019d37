"""image-dataset-converter: COCO polygons, `od-to-is`, indexed PNG without the images."""

from __future__ import annotations

from pathlib import Path

from idc.tool.convert import main
from measured import measure


def convert(data: Path, out: Path, variant: str) -> None:  # noqa: ARG001 - there is one
    labels = (data / "classes.txt").read_text(encoding="utf-8").splitlines()
    annotations = str(data / "coco-flat/instances_train.json")
    command = ["from-coco-od", "--input", annotations, "od-to-is", "--labels", *labels]
    main([*command, "to-indexed-png-is", "--annotations_only", "--output", str(out)])


if __name__ == "__main__":
    measure(convert, ["image-dataset-converter", "pillow", "numpy"])
