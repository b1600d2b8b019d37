"""labelformat: its COCO input and its VOC output, as its README joins them."""

from __future__ import annotations

from pathlib import Path

from labelformat.formats import COCOInstanceSegmentationInput
from labelformat.formats.semantic_segmentation.pascalvoc import PascalVOCSemanticSegmentationOutput
from measured import measure


def convert(data: Path, out: Path, variant: str) -> None:  # noqa: ARG001 - there is one
    labels = COCOInstanceSegmentationInput(data / "coco/annotations/instances_train.json")
    PascalVOCSemanticSegmentationOutput(out).save(labels)


if __name__ == "__main__":
    measure(convert, ["labelformat", "pillow", "numpy"])
