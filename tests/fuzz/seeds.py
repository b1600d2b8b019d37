"""Small valid datasets of every format that is read: what the fuzz begins with."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ExifTags, Image

import segfmt
from segfmt import ClassInfo, ClassTable

TABLE = ClassTable(
    [
        ClassInfo(0, "background", (0, 0, 0), "background"),
        ClassInfo(1, "building", (70, 70, 70)),
        ClassInfo(2, "road", (128, 64, 128)),
    ]
)
IDS = np.zeros((12, 16), np.uint8)
IDS[1:9, 1:11] = 1
IDS[3:6, 3:7] = 2
IDS[4, 4] = 0
RING = [[1.5, 1], [12, 1.25], [12, 9], [1, 9]]


@dataclass(frozen=True)
class Seed:
    """A dataset: contents by path; `name` tells several of one format apart."""

    name: str
    format: str
    files: dict[str, bytes]
    options: dict[str, Any] = field(default_factory=dict)


def image(
    format: str = "PNG", mode: str = "RGB", size: tuple[int, int] = (16, 12), orientation: int = 1
) -> bytes:
    """Return an image file; without losses it is what `IDS` says where the mode and size fit."""
    picture = Image.fromarray(IDS).resize(size, Image.Resampling.NEAREST)
    if mode == "P":
        picture.putpalette(TABLE.palette().reshape(-1).tolist())
    elif mode == "I;16":
        picture = Image.fromarray(np.asarray(picture).astype(np.uint16) * 1000)
    else:
        picture = picture.convert(mode)
    file = io.BytesIO()
    options: dict[str, Any] = {}
    if format == "JPEG":
        exif = Image.Exif()
        exif[ExifTags.Base.Orientation] = orientation
        exif[ExifTags.Base.Make] = "a" * 20
        options = {"exif": exif, "icc_profile": b"x" * 128}
    picture.save(file, format, **options)
    return file.getvalue()


def _colors() -> bytes:
    file = io.BytesIO()
    Image.fromarray(TABLE.palette()[IDS]).save(file, "PNG")
    return file.getvalue()


def _json(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def by_hand() -> Iterator[Seed]:
    """Yield what no writer makes: formats that are only read, and other dialects."""
    photo, mask, rgb = image("JPEG"), image(mode="P"), _colors()
    points = [{"x": x, "y": y} for x, y in RING]
    etri = {"imgWidth": 16, "imgHeight": 12, "objects": [{"label": "road", "polygon": RING}]}
    damage = {
        "images": {"width": 16, "height": 12, "file_name": "a.jpg"},
        "annotations": [{"damage": "road", "segmentation": [[RING, RING[:3]]]}],
    }
    lanes = {
        "image": {"file_name": "a.jpg"},
        "annotations": [{"class": "road", "category": "polygon", "data": points}],
    }
    for dialect, document in (("etri", etri), ("damage", damage), ("points", lanes)):
        files = {"a/a.jpg": photo, "b/a.json": _json(document), "classes.json": TABLE.to_json()}
        yield Seed(f"aihub, {dialect}", "aihub", files, {"dialect": dialect})
    cover = {"type": "Polygon", "coordinates": [[[9 + x, 9 - y] for x, y in RING]]}
    feature = {"properties": {"ANN_CD": 10, "ANN_NM": "건물"}, "geometry": cover}
    meta = {"coordinates": "9, 9", "img_resolution": 1, "img_width": 16, "img_height": 12}
    files = {
        "TL/a_FGT.json": _json({"features": [feature]}),
        "TL/a_FGT_META.json": _json([meta]),
        "TS/a_FGT.tif": image("TIFF"),
    }
    yield Seed("satellite, land cover", "satellite", files)
    colored = {"images/a.jpg": photo, "masks/a.png": rgb}
    turned = image("JPEG", size=(12, 16), orientation=6)
    yield Seed("folder, turned", "folder", {"images/a.jpg": turned, "masks/a.png": mask})
    rows = [f"{info.name}:{','.join(map(str, info.color))}::\n" for info in TABLE]
    yield Seed("folder, colors", "folder", colored | {"labelmap.txt": "".join(rows).encode()})
    rows = [f"{' '.join(map(str, info.color))} {info.name}\n" for info in TABLE]
    yield Seed("folder, CamVid", "folder", colored | {"label_colors.txt": "".join(rows).encode()})
    names = {str(info.id): info.name for info in TABLE}
    colors = [list(info.color) for info in TABLE]
    dataset_meta = {"label_map": names, "segmentation_colors": colors, "background_label": 0}
    yield Seed("folder, datumaro", "folder", colored | {"dataset_meta.json": _json(dataset_meta)})
    base = "VOCdevkit/VOC2012"
    files = {
        f"{base}/JPEGImages/a.jpg": photo,
        f"{base}/SegmentationClass/a.png": rgb,
        f"{base}/ImageSets/Segmentation/train.txt": b"a\n",
        "labelmap.txt": b"# label:color_rgb:parts:actions\n" + _labelmap(),
    }
    yield Seed("voc, colors", "voc", files)
    files = {
        "leftImg8bit/train/x/x_1_2_leftImg8bit.png": image(),
        "gtFine/train/x/x_1_2_gtFine_polygons.json": _json(etri),
    }
    yield Seed("cityscapes, polygons", "cityscapes", files)
    labels = [
        {"readable": "Road", "name": "road", "color": [9, 9, 9], "instances": n, "evaluate": True}
        for n in (False, True, True)
    ]
    for place, label in enumerate(labels):
        label |= {"name": f"thing--{place}", "readable": f"Thing {place}"}
    files = {
        "config_v2.0.json": _json({"labels": labels}),
        "training/images/a.jpg": photo,
        "training/v2.0/labels/a.png": mask,
        "training/v2.0/instances/a.png": image(mode="I;16"),
    }
    yield Seed("mapillary", "mapillary", files)
    thing = {"name": "road", "name_ndx": 1, "parts": {"part_level": 0}}
    place = "images/ADE/training/urban/street/ADE_train_00000001"
    channels = np.stack((IDS * 0, IDS, IDS), axis=-1)
    stacked = io.BytesIO()
    Image.fromarray(channels).save(stacked, "PNG")
    things = [thing, thing | {"name": "building", "name_ndx": 2}]
    files = {
        f"{place}.jpg": photo,
        f"{place}_seg.png": stacked.getvalue(),
        f"{place}.json": _json({"annotation": {"object": things}}),
    }
    yield Seed("ade20k-full", "ade20k-full", files)


def _labelmap() -> bytes:
    return "".join(f"{info.name}:{','.join(map(str, info.color))}::\n" for info in TABLE).encode()


def _base(root: Path) -> None:
    for split, key in (("train", "a"), ("val", "b")):
        segfmt.atomic_write(root / f"images/{split}/{key}.jpg", image("JPEG"))
        segfmt.write_mask(root / f"masks/{split}/{key}.png", IDS)
    segfmt.atomic_write(root / "classes.json", TABLE.to_json())


def seeds(folder: Path) -> tuple[list[Seed], dict[str, str]]:
    """Return datasets of every format, made in `folder`; and of those without any, why not."""
    _base(folder / "base")
    found = list(by_hand())
    none: dict[str, str] = {}
    for name, record in segfmt.formats().items():
        if record.reader is None:
            none[name] = "is only written"
        elif record.writer is not None:
            found.append(Seed(name, name, _written(folder / "base", folder / name, name)))
        elif name not in {seed.format for seed in found}:
            none[name] = "is only read, and no dataset of it is in seeds.py"
    known = segfmt.formats()
    return [seed for seed in found if seed.format in known], none


def _written(base: Path, root: Path, name: str) -> dict[str, bytes]:
    attempts: list[Callable[[], segfmt.Report]] = [
        lambda: segfmt.convert(base, root, source="folder", target=name),
        # Formats whose ids begin with 0, without gaps, or with classes of their own.
        lambda: segfmt.convert(
            base, root, source="folder", target=name, classes="building=1,road=2", overwrite=True
        ),
    ]
    problems = []
    for attempt in attempts:
        try:
            report = attempt()
        except segfmt.SegfmtError as error:
            problems.append(str(error))
            continue
        if report.done == 2:
            return {
                path.relative_to(root).as_posix(): path.read_bytes()
                for path in sorted(root.rglob("*"))
                if path.is_file() and ".segfmt" not in path.parts
            }
        problems += [failure.error for failure in report.failures]
    raise AssertionError(f"no seed for {name}: {problems}")
