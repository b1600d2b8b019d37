"""The ways in which AIHub's label files write outlines, made into flat arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from segfmt.errors import FormatError
from segfmt.jsonfile import parse_rings
from segfmt.model import offsets_of

Form = Literal["pairs", "dicts", "flat", "nested"]
Ring = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Outlines:
    """Polygons of several objects, flat as in `Polygons`; `owners` are the objects' places."""

    points: npt.NDArray[np.float64]
    ring_offsets: npt.NDArray[np.int64]
    polygon_offsets: npt.NDArray[np.int64]
    owners: npt.NDArray[np.int64]

    def without_stubs(self) -> tuple[Outlines, npt.NDArray[np.int64]]:
        """Return the rings of three points or more, and the owners of the others."""
        lengths = np.diff(self.ring_offsets)
        whole = lengths >= 3
        if whole.all():
            return self, self.owners[:0]
        polygons = len(self.owners)
        polygon_of = np.repeat(np.arange(polygons), np.diff(self.polygon_offsets))
        counts = np.bincount(polygon_of[whole], minlength=polygons)
        kept = counts > 0
        rest = Outlines(
            self.points[np.repeat(whole, lengths)],
            offsets_of(lengths[whole]),
            offsets_of(counts[kept]),
            self.owners[kept],
        )
        return rest, self.owners[polygon_of[~whole]]


def of_pairs(points: npt.NDArray[np.float64], ring_offsets: npt.NDArray[np.int64]) -> Outlines:
    """Return the outlines of objects that have one ring each."""
    each = np.arange(len(ring_offsets))
    return Outlines(points, ring_offsets, each, each[:-1])


def parse_outlines(
    form: Form, raws: Sequence[bytes | msgspec.Raw], path: Path, places: Sequence[str]
) -> Outlines:
    """Parse the outlines of objects, JSON slices of one form; `FormatError` for what is none.

    `pairs` are [[x, y], ...], `dicts` [{"x": x, "y": y}, ...], `flat` [x, y, ...]; `nested` is a
    list of polygons, each a list of rings of pairs, holes among them. `places` names each slice.
    """
    if form == "pairs":
        return of_pairs(*parse_rings(raws, path, places))
    objects = [_decoded(form, raw, path, place) for raw, place in zip(raws, places, strict=True)]
    polygons = [polygon for parts in objects for polygon in parts]
    rings = [ring for polygon in polygons for ring in polygon]
    return Outlines(
        np.array([point for ring in rings for point in ring], np.float64).reshape(-1, 2),
        offsets_of([len(ring) for ring in rings]),
        offsets_of([len(polygon) for polygon in polygons]),
        np.repeat(np.arange(len(objects)), [len(parts) for parts in objects]),
    )


class _Point(msgspec.Struct):
    x: float
    y: float


_DICTS = msgspec.json.Decoder(list[_Point])
_FLAT = msgspec.json.Decoder(list[float])
_NESTED = msgspec.json.Decoder(list[list[list[tuple[float, float]]]])


def _decoded(
    form: Form, raw: bytes | msgspec.Raw, path: Path, place: str
) -> Sequence[Sequence[Ring]]:
    try:
        if form == "dicts":
            return [[[(point.x, point.y) for point in _DICTS.decode(raw)]]]
        if form == "flat":
            numbers = _FLAT.decode(raw)
            return [[list(zip(numbers[::2], numbers[1::2], strict=True))]]
        return _NESTED.decode(raw)
    except ValueError as error:  # what msgspec raises is one, too
        raise FormatError(
            f"is no outline as this dialect writes it: {error}",
            path=path,
            where=place,
            mend="Mend or remove that polygon.",
        ) from None
