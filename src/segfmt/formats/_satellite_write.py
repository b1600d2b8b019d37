"""Writing satellite GeoJSON with `*_imcoords`: a file of buildings and a file of roads an image."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np

from segfmt.classes import ClassInfo, ClassTable
from segfmt.files import atomic_write
from segfmt.format import Accepts, Entry
from segfmt.formats._imcoords import COARSE, Level
from segfmt.formats._imcoords_shapes import FINE, ROADS, Kind, type_id
from segfmt.formats._satellite_files import place
from segfmt.imagefile import Placement, place_image
from segfmt.model import Mask, Note, Polygons, Sample
from segfmt.raster import rasterize, trace

BACKGROUND = 0
KINDS: tuple[Kind, ...] = ("building", "road")
# What a building or a road is where nobody said more.
OTHER = {"building": FINE.by_name("기타"), "road": FINE.by_name("Unclassified")}


@dataclass(frozen=True)
class SatelliteWriter:
    """Writes `<split>/images/<key>.png` and `<split>/labels/building/`, `labels/road/<key>.json`.

    The format has classes of its own and no ignore. Its loaders paint all roads over all buildings,
    so polygons that were painted in another order are traced anew.
    """

    root: Path
    classes: ClassTable
    level: Annotated[
        Level, "classes: building and road, or the 7 types of buildings and the 6 of roads"
    ] = "coarse"
    layout: Annotated[
        Literal["separate", "merged"],
        "`labels/building/` and `labels/road/`, or both in `labels/<key>.json`",
    ] = "separate"
    vertices: Annotated[
        Literal["exact", "keep"],
        "polygons drawn for another fill rule or order: traced anew, the same pixels, or kept",
    ] = "exact"
    images: Annotated[Placement, "how images get there; other images are re-encoded as PNG"] = (
        "copy"
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", COARSE if self.level == "coarse" else FINE)

    @property
    def accepts(self) -> Accepts:
        """Single rings under the rule that this format's tools paint by; masks are traced here."""
        if self.vertices == "keep":
            return Accepts(polygons=True, mask=True, holes="keyhole")
        return Accepts(
            polygons=True, mask=True, holes="keyhole", fill_rule="opencv", rounding="truncate"
        )

    def write(self, sample: Sample) -> Entry:
        """Write the label files, also those without a polygon, and put the image into place."""
        ref = sample.ref
        image = f"{ref.split}/images/{ref.key}.png"
        polygons, notes = self._polygons(sample)
        features = self._features(polygons, Path(image).name)
        if self.layout == "separate":
            documents = {f"labels/{kind}": features[kind] for kind in KINDS}
        else:
            documents = {"labels": [*features["building"], *features["road"]]}
        files = []
        placed = ref.image is not None and self.images != "none"
        if ref.image is not None and placed:
            # First, because it is what may fail.
            notes += place_image(ref.image, self.root / image, self.images)
        for folder, rows in documents.items():
            label = f"{ref.split}/{folder}/{ref.key}.json"
            document = {"type": "FeatureCollection", "features": rows}
            atomic_write(self.root / label, msgspec.json.encode(document))
            files.append(label)
        if place(Path(files[0])) != (ref.split, ref.key):
            notes.append(Note("reads back under another name", f"{ref.split}/{ref.key}"))
        if placed:
            files.append(image)
        return Entry(ref.split, ref.key, tuple(files), tuple(notes))

    def _polygons(self, sample: Sample) -> tuple[Polygons, list[Note]]:
        """Return polygons that give the sample's pixels when roads are painted over buildings."""
        label = sample.label
        notes = []
        if isinstance(label, Polygons):
            # Background, then buildings, then roads: so loaders see it, whatever the file says.
            rank = np.searchsorted([BACKGROUND + 1, self._first_road], label.class_ids, "right")
            in_order = not (rank[:-1] > rank[1:]).any()
            if self.vertices == "keep":
                if not in_order or (label.fill_rule, label.rounding) != ("opencv", "truncate"):
                    words = f"{label.rule_in_words}, roads over buildings"
                    notes.append(Note("vertices kept, pixels may differ", words))
                return label, notes
            if in_order:
                return label, notes
            notes.append(Note("images traced anew", "buildings or background over roads"))
            label = Mask(rasterize(label, sample.shape, background=BACKGROUND))
        traced = trace(label, fill_rule="opencv", holes="keyhole", background=BACKGROUND)
        return traced, notes

    @property
    def _first_road(self) -> int:
        return COARSE.by_name("road").id if self.level == "coarse" else ROADS + 1

    def _features(self, polygons: Polygons, image: str) -> dict[Kind, list[dict[str, Any]]]:
        features: dict[Kind, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
        points = polygons.points.tolist()
        offsets = polygons.ring_offsets.tolist()
        for index, id in enumerate(polygons.class_ids.tolist()):
            if id == BACKGROUND:
                continue
            info = self.classes.by_id(id)
            kind: Kind = "building" if id < self._first_road else "road"
            fine = info if self.level == "fine" else OTHER[kind]
            ring = points[offsets[index] : offsets[index + 1]]
            features[kind].append(_feature(kind, fine, _text(ring), image))
        return features

    def finish(self, entries: Iterable[Entry]) -> None:
        """Write nothing: this format says nothing about the dataset as a whole."""


def _feature(kind: Kind, info: ClassInfo, text: str, image: str) -> dict[str, Any]:
    coordinates = {f"{each}_imcoords": "EMPTY" for each in ("object", *KINDS)}
    coordinates[f"{kind}_imcoords"] = text
    return {
        "type": "Feature",
        "geometry": None,  # where on earth the tile lies is not known
        "properties": {
            **coordinates,
            "image_id": image,
            "ingest_time": "",
            "type_id": type_id(info),
            # The first alias is how the data itself spells it: loaders compare by it.
            "type_name": (*info.aliases, info.name)[0],
        },
    }


def _text(ring: list[list[float]]) -> str:
    ring = ring + ring[-1:] * (3 - len(ring))  # a dot or a line: not every loader takes under three
    return ",".join(f"{part:.0f}" if part % 1 == 0 else repr(part) for xy in ring for part in xy)
