"""What image-dataset-converter does to masks, shown."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import numpy as np
from idc.tool.convert import main
from PIL import Image
from small import square, tell, write_coco


def convert(source: Path, out: Path) -> None:
    """Convert COCO polygons to indexed PNG."""
    annotations = str(source / "instances_train.json")
    command = ["from-coco-od", "--input", annotations, "od-to-is", "--labels", "one", "two"]
    main([*command, "to-indexed-png-is", "--annotations_only", "--output", str(out)])


def classes_order_polygons(folder: Path) -> str:
    """Where polygons overlap, the class named last is on top, whatever the order in the file.

    By design: a layer a class.
    """
    shapes = [(2, square(8, 8, 20)), (1, square(8, 8, 20))]
    convert(write_coco(folder / "coco", shapes, flat=True), folder / "out")
    with Image.open(folder / "out" / "a.png") as mask:
        top = np.asarray(mask)[16, 16]
    return f"first two, then one in the file: the pixel is {top}" if top == 2 else ""


def needs_licenses(folder: Path) -> str:
    """COCO files without `licenses`, for which loaders do not ask, are not converted."""
    shapes = [(1, square(8, 8, 20))]
    source = write_coco(folder / "coco", shapes, flat=True, licenses=False)
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        convert(source, folder / "out")
    written = len(list((folder / "out").rglob("*.png")))
    return f"{said.getvalue().strip().splitlines()[-1]} Masks written: 0" if not written else ""


def parts_are_lost(folder: Path) -> str:
    """Of an object in several polygons, as COCO has of what is partly hidden, the first is kept.

    It warns of it.
    """
    source = write_coco(folder / "coco", [(1, square(4, 4, 10))], flat=True)
    file = source / "instances_train.json"
    document = json.loads(file.read_text(encoding="utf-8"))
    part = [value for point in square(40, 40, 10) for value in point]
    document["annotations"][0]["segmentation"].append(part)
    file.write_text(json.dumps(document), encoding="utf-8")
    convert(source, folder / "out")
    with Image.open(folder / "out" / "a.png") as mask:
        ids = np.asarray(mask)
    return f"first part {ids[8, 8]}, second part {ids[45, 45]}" if not ids[45, 45] else ""


if __name__ == "__main__":
    tell("image-dataset-converter", classes_order_polygons, needs_licenses, parts_are_lost)
