"""cityscapesScripts: json2labelImg for each file, as csCreateTrainIdLabelImgs calls it."""

from __future__ import annotations

from pathlib import Path

from cityscapesscripts.preparation.json2labelImg import json2labelImg
from measured import measure


def convert(data: Path, out: Path, variant: str) -> None:  # noqa: ARG001 - there is one
    out.mkdir(parents=True)
    for label in sorted((data / "cityscapes/gtFine").glob("*/*/*_polygons.json")):
        name = label.name.replace("_polygons.json", "_labelTrainIds.png")
        json2labelImg(str(label), str(out / name), "trainIds")


if __name__ == "__main__":
    measure(convert, ["cityscapesscripts", "pillow", "numpy"])
