"""What segfmt is measured against: one table, which tests check for equal results too.

Each opponent does its job as well as its library allows, prepared inputs and all, except where it
says that it is the script that people copy.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import orjson
from PIL import Image, ImageDraw

from segfmt.formats.aihub import TABLE

Mask = npt.NDArray[np.uint8]
IDS = {info.name: info.id for info in TABLE}
COLORS = {info.name: info.color for info in TABLE}


def single_threaded() -> None:
    """Pin OpenCV to one thread: workers are what is counted, and more gain it nothing here."""
    cv2.setNumThreads(1)


def fill_opencv(rings: list[npt.NDArray[np.int32]], ids: list[int], out: Mask) -> Mask:
    """A loop of one-channel cv2.fillPoly over int32 vertices prepared beforehand."""
    out.fill(0)
    for ring, id in zip(rings, ids, strict=True):
        cv2.fillPoly(out, [ring], id)
    return out


def png_opencv(ids: Mask) -> bytes:
    """cv2.imencode at its default, which beats its level 1."""
    return cv2.imencode(".png", ids)[1].tobytes()


def png_pillow(ids: Mask) -> bytes:
    """Pillow at its default."""
    import io

    buffer = io.BytesIO()
    Image.fromarray(ids).save(buffer, "PNG")
    return buffer.getvalue()


def fill_pillow(rings: list[list[tuple[float, float]]], ids: list[int], image: Image.Image) -> Mask:
    """One ImageDraw over lists of tuples prepared beforehand."""
    image.paste(0, (0, 0, *image.size))
    draw = ImageDraw.Draw(image)
    for ring, id in zip(rings, ids, strict=True):
        draw.polygon(ring, fill=id)
    return np.asarray(image)


def fill_rasterio(shapes: list[tuple[dict[str, object], int]], out: Mask) -> Mask:
    """One call of rasterio.features.rasterize over GeoJSON geometries prepared beforehand."""
    from rasterio import features

    out.fill(0)
    return features.rasterize(shapes, out=out, all_touched=False)


def index_opencv(rgb: Mask, colors: Mask) -> Mask:
    """A loop of cv2.inRange over the palette."""
    ids = np.zeros(rgb.shape[:2], np.uint8)
    for id, color in enumerate(colors):
        ids[cv2.inRange(rgb, color, color) > 0] = id
    return ids


def index_numpy(rgb: Mask, colors: Mask) -> Mask:
    """The loop of np.where(np.all(...)) that blogs print."""
    ids = np.zeros(rgb.shape[:2], np.uint8)
    for id, color in enumerate(colors):
        ids[np.where(np.all(rgb == color, axis=-1))] = id
    return ids


def trace_opencv(ids: Mask) -> list[tuple[int, list[npt.NDArray[np.int32]]]]:
    """cv2.findContours with holes, class by class, the classes' masks by cv2.compare."""
    found = []
    for id in np.flatnonzero(np.bincount(ids.reshape(-1), minlength=256)[1:]) + 1:
        mask = cv2.compare(ids, int(id), cv2.CMP_EQ)
        contours, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
        found.append((int(id), list(contours)))
    return found


def script_one(job: tuple[Path, Path]) -> None:
    """One image of an OpenCV script written well: orjson, one channel, imwrite at its default."""
    label, target = job
    document = orjson.loads(label.read_bytes())
    width, height = document["Source_Image_Info"]["Resolution"]
    mask = np.zeros((height, width), np.uint8)
    for shape in document["Annotation"]:
        if len(shape["Coordinate"]) >= 3:
            points = np.rint(np.array(shape["Coordinate"])).astype(np.int32)
            cv2.fillPoly(mask, [points], IDS[shape["Label"]])
    cv2.imwrite(str(target / f"{label.stem}.png"), mask)


def good_script(source: Path, target: Path, workers: int) -> None:
    """The well-written OpenCV script, in a pool of processes where there are several workers."""
    target.mkdir(parents=True)
    jobs = [(label, target) for label in sorted((source / "label").glob("*.json"))]
    if workers == 1:
        for job in jobs:
            script_one(job)
        return
    with ProcessPoolExecutor(workers, get_context("fork"), initializer=single_threaded) as pool:
        list(pool.map(script_one, jobs, chunksize=8))


def blog_one(job: tuple[Path, Path]) -> None:
    """One image of the two blog stages: a color mask by OpenCV, then np.where over the palette."""
    label, target = job
    with label.open(encoding="utf-8") as file:
        document = json.load(file)
    width, height = document["Source_Image_Info"]["Resolution"]
    mask = np.zeros((height, width, 3), np.uint8)
    for shape in document["Annotation"]:
        if len(shape["Coordinate"]) >= 3:
            points = np.array(np.around(np.array(shape["Coordinate"], np.float32)), np.int32)
            red, green, blue = COLORS[shape["Label"]]
            cv2.fillPoly(mask, [points], (blue, green, red))
    cv2.imwrite(str(target / f"{label.stem}_color.png"), mask)
    colors = cv2.cvtColor(cv2.imread(str(target / f"{label.stem}_color.png")), cv2.COLOR_BGR2RGB)
    ids = np.zeros((height, width), np.uint8)
    for name, color in COLORS.items():
        ids[np.where(np.all(colors == color, axis=-1))] = IDS[name]
    Image.fromarray(ids).save(target / f"{label.stem}.png")


def blog_scripts(source: Path, target: Path, workers: int) -> None:
    """The two scripts that people copy, as they stand but in one process a worker."""
    target.mkdir(parents=True)
    jobs = [(label, target) for label in sorted((source / "label").glob("*.json"))]
    if workers == 1:
        for job in jobs:
            blog_one(job)
        return
    with ProcessPoolExecutor(workers, get_context("fork"), initializer=single_threaded) as pool:
        list(pool.map(blog_one, jobs))


PNG: dict[str, Callable[[Mask], bytes]] = {"cv2.imencode": png_opencv, "Pillow": png_pillow}
WHOLE_PATH: dict[str, Callable[[Path, Path, int], None]] = {
    "OpenCV script": good_script,
    "blog scripts": blog_scripts,
}
