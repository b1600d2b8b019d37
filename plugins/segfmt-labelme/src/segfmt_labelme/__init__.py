"""labelme: a JSON of shapes beside each image, painted as labelme's `shapes_to_label` does."""

from itertools import islice
from pathlib import Path

import segfmt
from segfmt_labelme.read import LabelmeReader
from segfmt_labelme.write import LabelmeWriter

LOOKED_AT = 5  # label files
LARGEST = 2**24  # bytes of one, of which embedded images are most


def detect(root: Path) -> str | None:
    """Tell it by the first JSON files below the folder."""
    jsons = (path for path in segfmt.walk(root) if path.suffix.lower() == ".json")
    for path in islice(jsons, LOOKED_AT):
        with path.open("rb") as file:
            data = file.read(LARGEST)
        if b'"shapes"' in data and b'"imagePath"' in data:
            return f"{path.relative_to(root)} has shapes and imagePath"
    return None


@segfmt.hookimpl
def segfmt_formats() -> list[segfmt.Format]:
    """Bring labelme."""
    return [
        segfmt.Format(
            "labelme",
            "labelme: a JSON of shapes beside each image",
            reader=LabelmeReader,
            writer=LabelmeWriter,
            detect=detect,
            holds=segfmt.Holds(
                polygons=True,
                instances=True,
                ignore=True,
                splits=True,
                colors=True,
                class_ids=True,
            ),
        )
    ]
