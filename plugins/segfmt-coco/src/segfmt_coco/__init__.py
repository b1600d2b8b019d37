"""COCO for segfmt: instances, panoptic masks, stuff maps."""

from __future__ import annotations

from segfmt import Format, Holds, hookimpl
from segfmt_coco import instances, panoptic, stuff
from segfmt_coco.instances_writer import InstancesWriter
from segfmt_coco.panoptic_writer import PanopticWriter


@hookimpl
def segfmt_formats() -> list[Format]:
    """Bring COCO's three forms."""
    return [
        Format(
            "coco",
            "COCO instances: a JSON of polygons and run lengths",
            reader=instances.InstancesReader,
            writer=InstancesWriter,
            detect=instances.detect,
            holds=Holds(polygons=True, instances=True, splits=True, colors=True, class_ids=True),
        ),
        Format(
            "coco-panoptic",
            "COCO panoptic: masks of segment ids and a JSON",
            reader=panoptic.PanopticReader,
            writer=PanopticWriter,
            detect=panoptic.detect,
            holds=Holds(
                holes=True, instances=True, ignore=True, splits=True, colors=True, class_ids=True
            ),
        ),
        Format(
            "coco-stuff",
            "COCO-Stuff: grey masks of category ids less one",
            reader=stuff.StuffReader,
            writer=stuff.StuffWriter,
            detect=stuff.detect,
            holds=Holds(holes=True, ignore=True, splits=True, class_ids=True),
        ),
    ]
