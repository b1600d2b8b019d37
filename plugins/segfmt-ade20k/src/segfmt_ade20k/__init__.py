"""ADE20K: the scene parsing challenge of 150 classes, and the full release of 2021."""

import segfmt
from segfmt_ade20k.challenge import Ade20kReader, Ade20kWriter, detect
from segfmt_ade20k.classes import ADE20K
from segfmt_ade20k.full import Ade20kFullReader, detect_full


@segfmt.hookimpl
def segfmt_formats() -> list[segfmt.Format]:
    """Bring both releases of ADE20K."""
    return [
        segfmt.Format(
            "ade20k",
            "ADE20K, 150 classes: images, annotations by split",
            reader=Ade20kReader,
            writer=Ade20kWriter,
            detect=detect,
            table=ADE20K,
            holds=segfmt.Holds(holes=True, ignore=True, splits=True, image_types=(".jpg",)),
        ),
        segfmt.Format(
            "ade20k-full",
            "ADE20K 2021, over 3000 classes: _seg.png, .json by scene",
            reader=Ade20kFullReader,
            detect=detect_full,
            holds=segfmt.Holds(
                holes=True, instances=True, ignore=True, splits=True, class_ids=True
            ),
        ),
    ]
