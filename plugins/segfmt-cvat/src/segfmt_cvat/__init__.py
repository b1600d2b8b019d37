"""CVAT for images 1.1, and AIHub's sidewalk sets, which are in it."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import segfmt
from segfmt_cvat._document import OtherXmlError, children
from segfmt_cvat.reader import CvatReader, is_xml
from segfmt_cvat.writer import CvatWriter

LOOKED_AT = 5  # files


def detect(root: Path) -> str | None:
    """Tell CVAT by the first XML files below the folder."""
    for path in islice(filter(is_xml, segfmt.walk(root)), LOOKED_AT):
        try:
            first = next(children(path), None)
        except (OtherXmlError, segfmt.FormatError):
            continue
        if first is not None and first.tag in ("version", "meta", "image"):
            return f"{path.relative_to(root)} has <annotations> with <{first.tag}>"
    return None


@segfmt.hookimpl
def segfmt_formats() -> list[segfmt.Format]:
    """Bring CVAT for images."""
    return [
        segfmt.Format(
            "cvat",
            "CVAT for images 1.1: XML of polygons, boxes and masks",
            reader=CvatReader,
            writer=CvatWriter,
            detect=detect,
            holds=segfmt.Holds(
                polygons=True, instances=True, ignore=True, splits=True, colors=True
            ),
        )
    ]
