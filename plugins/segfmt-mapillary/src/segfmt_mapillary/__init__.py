"""Mapillary Vistas: street scenes, 66 or 124 classes, some of them with objects told apart."""

import segfmt
from segfmt_mapillary.reader import VistasReader, detect


@segfmt.hookimpl
def segfmt_formats() -> list[segfmt.Format]:
    """Bring Mapillary Vistas."""
    return [
        segfmt.Format(
            "mapillary",
            "Mapillary Vistas: images, labels, instances by version",
            reader=VistasReader,
            detect=detect,
            holds=segfmt.Holds(holes=True, instances=True, ignore=True, splits=True, colors=True),
        )
    ]
