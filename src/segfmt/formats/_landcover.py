"""The satellite dialect of AIHub's land-cover maps: polygons in metres, placed by a META file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from segfmt.classes import ClassInfo, ClassTable
from segfmt.errors import FormatError, did_you_mean
from segfmt.formats._satellite_files import Files, Place
from segfmt.imagefile import image_size
from segfmt.jsonfile import load_json, parse_rings
from segfmt.model import Note, Polygons, Sample, SampleRef, merge_notes, offsets_of
from segfmt.tables import table_named

UnknownLabel = Literal["error", "ignore", "background"]

# Ids are the product's ANN_CD; another product gives one code another meaning, so names count.
TABLE = ClassTable(
    [
        ClassInfo(0, "비대상지", (0, 0, 0), "background"),
        ClassInfo(10, "건물", (230, 25, 75)),
        ClassInfo(20, "주차장", (245, 130, 48)),
        ClassInfo(30, "도로", (128, 64, 128)),
        ClassInfo(40, "가로수", (210, 245, 60)),
        ClassInfo(50, "논", (255, 225, 25)),
        ClassInfo(55, "비닐하우스", (70, 240, 240)),
        ClassInfo(60, "밭", (170, 110, 40)),
        ClassInfo(71, "활엽수림", (60, 180, 75)),
        ClassInfo(75, "침엽수림", (0, 100, 0)),
        ClassInfo(80, "나지", (220, 190, 255)),
        ClassInfo(95, "수역", (0, 130, 200)),
    ]
)
CODES = {str(info.id): info for info in TABLE} | {"100": TABLE.by_id(0)}


class Properties(msgspec.Struct):
    """What is read of a feature."""

    ANN_CD: str | float | None = None
    ANN_NM: str | None = None


class Geometry(msgspec.Struct):
    """A GeoJSON geometry, its coordinates as they are written."""

    type: str
    coordinates: msgspec.Raw = msgspec.Raw()


class Feature(msgspec.Struct):
    """One polygon or several."""

    properties: Properties
    geometry: Geometry | None = None


class Collection(msgspec.Struct):
    """A label file."""

    features: list[Feature]


class Meta(msgspec.Struct):
    """What is read of a META file: the upper left corner, metres a pixel, and the size."""

    coordinates: str
    img_resolution: float
    img_width: int = 0
    img_height: int = 0


COLLECTION = msgspec.json.Decoder(Collection)
META = msgspec.json.Decoder(list[Meta], strict=False)  # numbers stand there as text, too
POLYGON = msgspec.json.Decoder(list[msgspec.Raw])
MULTIPOLYGON = msgspec.json.Decoder(list[list[msgspec.Raw]])


@dataclass(frozen=True, slots=True)
class Tile:
    """The files of one sample, as its source."""

    label: Path
    meta: Path | None

    def __str__(self) -> str:
        return str(self.label)


@dataclass(frozen=True)
class LandcoverReader:
    """Reads land cover, painted where a pixel's centre is inside."""

    root: Path
    table: str = ""
    unknown_label: UnknownLabel = "error"
    follow_links: bool = False

    @cached_property
    def classes(self) -> ClassTable:
        """The given table or the usual one; with `ignore` where unknown names become that."""
        table = table_named(self.table) if self.table else TABLE
        return table.with_ignore() if self.unknown_label == "ignore" else table

    def scan(self) -> Iterator[SampleRef]:
        """List the labels, each with its image and its META file."""
        files = Files.below(self.root, self.follow_links)
        metas: dict[str, list[tuple[Place, Path]]] = {}
        for path in files.labels:
            if "_META" in path.stem:
                named = path.with_stem(path.stem.replace("_META", ""))
                metas.setdefault(named.stem, []).append((files.place(named), path))
        for label in files.labels:
            if "_META" in label.stem:
                continue
            split, key = files.place(label)
            # Of images and META files, the one in the same place or the only one.
            near = metas.get(label.stem, [])
            same = [path for where, path in near if where == (split, key)]
            meta = same or [path for _, path in near]
            image = files.image(split, key) or files.image(split, key.replace("_FGT", ""))
            source = Tile(label, meta[0] if len(meta) == 1 else None)
            yield SampleRef(key, split or "train", image, source)

    def load(self, ref: SampleRef) -> Sample:
        """Read one label file."""
        tile: Tile = ref.source
        collection, notes = load_json(tile.label, COLLECTION)
        shape, corner, size_notes = _frame(tile, ref.image)
        ids, class_notes = self._class_ids(tile.label, collection.features)
        polygons, polygon_notes = _polygons(tile.label, collection.features, ids)
        if corner is None:
            placed, words = _by_bounds(polygons.points, shape), "taken from the label's bounds"
            size_notes.append(Note("no META file, place approximate", words))
        else:
            x0, y0, metres = corner
            placed = _pixels(polygons.points, x0, y0, metres, metres)
        if len(placed) and not ((placed.max(0) > 0) & (placed.min(0) < shape[::-1])).all():
            raise FormatError(
                "has no polygon that touches its image",
                path=tile.label,
                mend=f"Check coordinates and img_resolution of {tile.meta}.",
            )
        merged = merge_notes(notes, size_notes, class_notes, polygon_notes)
        return Sample(ref, shape, replace(polygons, points=placed), merged)

    def _class_ids(self, path: Path, features: list[Feature]) -> tuple[list[int], list[Note]]:
        ids: list[int] = []
        unknown: list[tuple[int, str]] = []
        for index, feature in enumerate(features):
            info = self._class(feature.properties)
            if info is None:
                name = _name(feature.properties) or f"ANN_CD {_code(feature.properties)}"
                unknown.append((index, name))
                info = getattr(self.classes, self.unknown_label, None)
            ids.append(info.id if info else 0)
        notes = list(merge_notes(Note("unknown labels", name) for _, name in unknown))
        if unknown and self.unknown_label == "error":
            names = ", ".join(f'"{note.subject}"' for note in notes)
            raise FormatError(
                f"has land cover that is no class: {names}",
                path=path,
                where=f"features[{unknown[0][0]}].properties.ANN_NM",
                mend=did_you_mean(unknown[0][1], (info.name for info in self.classes))
                or "Give the classes by --table, or --unknown-label ignore or background.",
                notes=notes,
            )
        return ids, notes

    def _class(self, properties: Properties) -> ClassInfo | None:
        """Return the class that is named; by code only where there is no name."""
        if name := _name(properties):
            return self.classes.get(name)
        code = _code(properties)
        known = {str(info.id): info for info in self.classes} if self.table else CODES
        return known.get(code)


def _name(properties: Properties) -> str:
    name = (properties.ANN_NM or "").strip()
    return "" if name == "NaN" else name


def _code(properties: Properties) -> str:
    return str(properties.ANN_CD).removesuffix(".0")


def _frame(
    tile: Tile, image: Path | None
) -> tuple[tuple[int, int], tuple[float, float, float] | None, list[Note]]:
    """Return (height, width), the corner and metres a pixel if a META file tells, and notes."""
    if tile.meta is None:
        if image is None:
            problem = "has neither an image nor a META file that says how large it is"
            raise FormatError(problem, path=tile.label)
        return image_size(image), None, []
    metas, loaded = load_json(tile.meta, META)
    notes = list(loaded)
    if not metas:
        raise FormatError("is empty", path=tile.meta)
    meta = metas[0]
    parts = meta.coordinates.split(",")
    try:
        x0, y0 = (float(part) for part in parts)
    except ValueError:
        problem = f'"{meta.coordinates}" is not "x, y"'
        raise FormatError(problem, path=tile.meta, where="coordinates") from None
    if not meta.img_resolution > 0:
        problem = f"{meta.img_resolution} metres a pixel cannot be"
        raise FormatError(problem, path=tile.meta, where="img_resolution")
    said = (meta.img_height, meta.img_width)
    if image is None:
        if min(said) < 1:
            problem = "does not say how large the image is, and the image is missing"
            raise FormatError(problem, path=tile.meta, where="img_width and img_height")
        return said, (x0, y0, meta.img_resolution), notes
    shape = image_size(image)
    if shape != said:
        words = f"label {said[1]} x {said[0]}, image {shape[1]} x {shape[0]}"
        notes.append(Note("sizes taken from the image", words))
    return shape, (x0, y0, meta.img_resolution), notes


def _polygons(path: Path, features: list[Feature], ids: list[int]) -> tuple[Polygons, list[Note]]:
    """Return the polygons in metres, those of a MultiPolygon one after another, and notes."""
    raws: list[msgspec.Raw] = []
    places: list[str] = []
    counts: list[int] = []
    owners: list[int] = []
    notes = []
    for index, feature in enumerate(features):
        geometry = feature.geometry
        kind = geometry.type if geometry else "none"
        if geometry is None or kind not in ("Polygon", "MultiPolygon"):
            notes.append(Note("shapes left out: not polygons", kind))
            continue
        where = f"features[{index}].geometry.coordinates"
        try:
            if kind == "Polygon":
                parts = [POLYGON.decode(geometry.coordinates)]
            else:
                parts = MULTIPOLYGON.decode(geometry.coordinates)
        except msgspec.MsgspecError as error:
            problem = f"is no {kind}: {error}"
            raise FormatError(problem, path=path, where=where) from None
        for part, rings in enumerate(parts):
            raws += rings
            prefix = where if kind == "Polygon" else f"{where}[{part}]"
            places += [f"{prefix}[{ring}]" for ring in range(len(rings))]
            counts.append(len(rings))
            owners.append(index)
    points, offsets = parse_rings(raws, path, places)
    class_ids = np.asarray(ids, np.int32)[owners] if owners else np.empty(0, np.int32)
    return Polygons(points, offsets, offsets_of(counts), class_ids, fill_rule="center"), notes


def _by_bounds(points: npt.NDArray[np.float64], shape: tuple[int, int]) -> npt.NDArray[np.float64]:
    """Return pixels if the polygons together are as large as the image."""
    if not len(points):
        return points
    low, high = points.min(0), points.max(0)
    across, down = np.maximum(high - low, np.finfo(np.float64).tiny) / shape[::-1]
    return _pixels(points, low[0], high[1], across, down)


def _pixels(
    points: npt.NDArray[np.float64], x0: float, y0: float, across: float, down: float
) -> npt.NDArray[np.float64]:
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite, painting refuses
        return np.column_stack(((points[:, 0] - x0) / across, (y0 - points[:, 1]) / down))
