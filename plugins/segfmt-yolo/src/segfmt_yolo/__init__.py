"""YOLO segmentation labels: `data.yaml`, and a text file of outlines beside each image."""

import segfmt
from segfmt_yolo.reader import YoloReader, detect
from segfmt_yolo.writer import YoloWriter


@segfmt.hookimpl
def segfmt_formats() -> list[segfmt.Format]:
    """Bring YOLO segmentation."""
    return [
        segfmt.Format(
            "yolo",
            "YOLO segmentation: data.yaml, a text file an image",
            reader=YoloReader,
            writer=YoloWriter,
            detect=detect,
            holds=segfmt.Holds(polygons=True, instances=True, splits=True),
        )
    ]
