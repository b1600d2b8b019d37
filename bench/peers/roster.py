"""Who is measured, beside which work of segfmt, what each one writes, and how it paints."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from segfmt.model import FillRule
from segfmt.tables import CITYSCAPES, CITYSCAPES_TRAIN, voc_colors

Ids = npt.NDArray[np.uint8]
Values = Literal["ids", "train ids", "label ids", "colors"]
Order = Literal["file", "reversed", "by class"]

_COLORS = np.array(voc_colors()) @ (1 << 16, 1 << 8, 1)
_LABEL_IDS = np.zeros(256, np.uint8)
for _info in CITYSCAPES_TRAIN:
    if _info.role == "class":
        _LABEL_IDS[CITYSCAPES.get(_info.name).id] = _info.id + 1


@dataclass(frozen=True)
class Masks:
    """Where masks are, and what their pixel values mean."""

    path: str
    values: Values = "ids"

    def read(self, out: Path, stem: str) -> Ids:
        """Return the ids of `make_data.shapes`, 0 where there is none."""
        with Image.open(out / self.path.format(stem)) as image:
            pixels = np.asarray(image)
        match self.values:
            case "colors":
                order = np.argsort(_COLORS)
                packed = pixels.astype(np.int64) @ (1 << 16, 1 << 8, 1)
                places = np.searchsorted(_COLORS[order], packed)
                return order[places].astype(np.uint8)
            case "train ids":
                return pixels + np.uint8(1)  # 255, none, becomes 0
            case "label ids":
                return _LABEL_IDS[pixels]
            case "ids":
                return pixels


@dataclass(frozen=True)
class Peer:
    """A row of the tables."""

    key: str
    name: str
    script: str
    job: str
    writes: str
    masks: Masks
    rule: FillRule
    paints: str
    order: Order = "file"
    float32: bool = False  # are points kept so
    variant: str = ""
    environment: str | None = None  # None: this interpreter's
    target: str = ""


# What segfmt's masks are like, for each of its jobs in peer_segfmt.py.
JOBS = {
    "class masks": Masks("VOCdevkit/VOC2012/SegmentationClass/{}.png"),
    "class and object masks": Masks("VOCdevkit/VOC2012/SegmentationClass/{}.png"),
    "class masks, images copied": Masks("VOCdevkit/VOC2012/SegmentationClass/{}.png"),
    "labelTrainIds": Masks("gtFine/train/bench/{}_gtFine_labelTrainIds.png", "train ids"),
    "colors to ids": Masks(
        "gtFine/train/bench/{}_gtFine_labelIds.png",
        "label ids",
    ),
    "colors to ids, in memory": Masks("{}.png"),
}

_DATUMARO = Peer(
    "datumaro",
    "Datumaro",
    "peer_datumaro.py",
    "class and object masks",
    "RGB PNG of classes and of objects, lists",
    Masks("SegmentationClass/{}.png", "colors"),
    "coco",
    "pycocotools, points as float32, last first",
    order="reversed",
    float32=True,
    variant="color masks",
    environment="datumaro",
    target=">= 60",
)

PEERS = (
    _DATUMARO,
    replace(
        _DATUMARO,
        key="datumaro-index",
        name="Datumaro, apply_colormap=False",
        writes="gray PNG of classes and of objects, lists",
        masks=Masks("SegmentationClass/{}.png"),
        variant="index masks",
        target="",
    ),
    replace(
        _DATUMARO,
        key="datumaro-classes",
        name="Datumaro, for class masks",
        job="class masks",
        writes="the same: object masks are not to be left out",
    ),
    Peer(
        "labelformat",
        "labelformat",
        "peer_labelformat.py",
        "class masks",
        "palette PNG of classes, class names",
        Masks("SegmentationClass/{}.png"),
        "pillow",
        "ImageDraw.polygon, in order",
        environment="labelformat",
        target=">= 20",
    ),
    Peer(
        "labelme",
        "labelme2voc.py",
        "peer_labelme.py",
        "class masks, images copied",
        "palette PNG of classes, class names, and images decoded and encoded again",
        Masks("SegmentationClass/{}.png"),
        "pillow",
        "ImageDraw.polygon, in order",
        environment="labelme",
    ),
    Peer(
        "cityscapes",
        "cityscapesScripts",
        "peer_cityscapes.py",
        "labelTrainIds",
        "gray PNG of trainIds",
        Masks("{}_gtFine_labelTrainIds.png", "train ids"),
        "pillow",
        "ImageDraw.polygon, in order",
        environment="cityscapesscripts",
    ),
    Peer(
        "idc",
        "image-dataset-converter",
        "peer_idc.py",
        "class masks",
        "palette PNG of classes",
        Masks("{}.png"),
        "pillow",
        "ImageDraw.polygon, class after class",
        order="by class",
        environment="image-dataset-converter",
    ),
    Peer(
        "supervision",
        "supervision",
        "peer_supervision.py",
        "class masks",
        "palette PNG of classes, by the Pillow script's means",
        Masks("{}.png"),
        "opencv",
        "cv2.fillPoly, rounded, in order",
        environment="supervision",
    ),
    Peer(
        "rasterio",
        "rasterio script",
        "peer_rasterio.py",
        "class masks",
        "palette PNG of classes",
        Masks("{}.png"),
        "center",
        "GDAL, in order",
        target=">= 3",
    ),
    Peer(
        "pillow",
        "Pillow script",
        "peer_pillow.py",
        "class masks",
        "palette PNG of classes",
        Masks("{}.png"),
        "pillow",
        "ImageDraw.polygon, in order",
        target=">= 3",
    ),
    Peer(
        "opencv",
        "OpenCV script",
        "peer_opencv.py",
        "class masks",
        "gray PNG of classes",
        Masks("{}.png"),
        "opencv",
        "cv2.fillPoly, rounded, in order",
        target=">= 3",
    ),
    Peer(
        "datumaro-colors",
        "Datumaro, colors to ids",
        "peer_datumaro.py",
        "colors to ids",
        "Cityscapes color, labelIds and instanceIds of VOC's RGB masks",
        Masks("gtFine/train/{}_gtFine_labelIds.png"),
        "pillow",
        "nothing: ids from the dataset's colors",
        variant="colors to ids",
        environment="datumaro",
        target=">= 100",
    ),
    Peer(
        "datumaro-unpaint",
        "Datumaro's unpaint_mask",
        "peer_datumaro.py",
        "colors to ids, in memory",
        "nothing that is timed: ids of arrays, as segfmt.index_colors",
        Masks("{}.png"),
        "pillow",
        "nothing: ids from VOC's colors",
        variant="colors to ids, in memory",
        environment="datumaro",
        target=">= 100",
    ),
)
