"""What is wrong with the polygons of a label."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from segfmt.findings import Finding

if TYPE_CHECKING:
    import numpy.typing as npt

    from segfmt.classes import ClassTable
    from segfmt.model import Polygons

LISTED = 100  # findings of one rule in one sample; the last counts for all that follow
# Pixels beyond the border that are not told: people draw to the border's far side, and tools round.
MARGIN = 1.0
FARTHEST = 2.0**31  # what the fill rules can count to
UNDECIDED = -2  # in place of a crossing, after so many
TESTS = 200_000_000  # pairs of sides of a ring, half a second
FLAT = 1e-9  # of what the ring's bounds hold: areas below are what rounding leaves of none


def polygon_findings(
    polygons: Polygons, shape: tuple[int, int], classes: ClassTable, tiny: float
) -> Iterator[Finding]:
    """Yield what is wrong with polygons on an image of that (height, width).

    `tiny` is the area in pixels below which a polygon is told of.
    """
    counts: dict[str, int] = {}
    kept: dict[str, list[Finding]] = {}
    for found in _Polygons(polygons, shape, classes, tiny).findings():
        counts[found.code] = counts.get(found.code, 0) + 1
        some = kept.setdefault(found.code, [])
        if len(some) < LISTED:
            some.append(found)
    for code, some in kept.items():
        yield from some[:-1]
        last = some[-1]
        more = counts[code] - len(some) + 1
        text = f"{last.problem}; and {more - 1:,} more" if more > 1 else last.problem
        yield Finding(code, text, where=last.where, count=more)


class _Polygons:
    """The polygons of one label, measured."""

    def __init__(
        self, polygons: Polygons, shape: tuple[int, int], classes: ClassTable, tiny: float
    ) -> None:
        self.polygons, self.shape, self.classes, self.tiny = polygons, shape, classes, tiny
        offsets = polygons.polygon_offsets
        self.owners = np.repeat(np.arange(len(polygons)), np.diff(offsets))

    def findings(self) -> Iterator[Finding]:
        finite = (np.abs(self.polygons.points) < FARTHEST).all(1)
        if not finite.all():
            yield from self._no_places(np.flatnonzero(~finite))
            return  # of which nothing can be measured
        self.areas, self.facts = _measured(self.polygons)
        yield from self._of_rings()
        whole = np.flatnonzero(self.facts[:, 0] == 3)
        if len(whole):
            yield from self._of_polygons(whole)

    def _no_places(self, points: npt.NDArray[np.int64]) -> Iterator[Finding]:
        rings = np.searchsorted(self.polygons.ring_offsets, points, "right") - 1
        _, firsts = np.unique(self.owners[rings], return_index=True)
        for place in firsts.tolist():
            x, y = self.polygons.points[points[place]].tolist()
            yield self._found("SF309", self.owners[rings[place]], f"has the point ({x:g}, {y:g})")

    def _of_rings(self) -> Iterator[Finding]:
        distinct, crossing = self.facts.T
        flat = (self.areas[:, 0] <= FLAT * _extents(self.areas[:, 1:])) & (crossing == -1)
        for ring in np.flatnonzero((distinct < 3) | (crossing != -1) | flat).tolist():
            code, problem = self._fault(ring, *self.facts[ring].tolist())
            yield self._found(code, self.owners[ring], problem)

    def _fault(self, ring: int, distinct: int, crossing: int) -> tuple[str, str]:
        """Return the code and the problem of a ring with one."""
        if not distinct:
            return "SF301", "has no points"
        x, y = self.polygons.points[max(crossing, self.polygons.ring_offsets[ring])].tolist()
        if distinct < 3:
            return "SF301", f"has but {distinct} point{'s' * (distinct > 1)}, at ({x:g}, {y:g})"
        if crossing >= 0:
            return "SF303", f"crosses itself, by the side from ({x:g}, {y:g})"
        if crossing == UNDECIDED:
            return "SF199", "has too many sides to look whether it crosses itself"
        return "SF302", f"has no area, at ({x:g}, {y:g})"

    def _of_polygons(self, whole: npt.NDArray[np.int64]) -> Iterator[Finding]:
        """Yield what is wrong with polygons as such, by those rings that are any."""
        starts = np.flatnonzero(np.diff(self.owners[whole], prepend=-1))
        polygons = self.owners[whole][starts]
        bounds = np.hstack(
            [
                np.minimum.reduceat(self.areas[whole, 1:3], starts),
                np.maximum.reduceat(self.areas[whole, 3:5], starts),
            ]
        )
        yield from self._outside(polygons, bounds)
        areas = np.maximum.reduceat(self.areas[whole, 0], starts)
        clear = np.maximum.reduceat(self.facts[whole, 1], starts) < 0
        tiny = clear & (areas > FLAT * _extents(bounds)) & (areas < self.tiny)
        for place in np.flatnonzero(tiny).tolist():
            x, y = bounds[place, :2].tolist()
            problem = f"covers {areas[place]:g} pixels, at ({x:g}, {y:g})"
            yield self._found("SF308", polygons[place], problem)
        # To compare outlines takes long, bounds do not.
        _, kinds, counts = np.unique(bounds, axis=0, return_inverse=True, return_counts=True)
        yield from self._drawn_twice(polygons[counts[kinds.reshape(-1)] > 1].tolist())

    def _outside(
        self, polygons: npt.NDArray[np.int64], bounds: npt.NDArray[np.float64]
    ) -> Iterator[Finding]:
        height, width = self.shape
        size = np.array([width, height])
        beyond = (bounds[:, :2] < -MARGIN).any(1) | (bounds[:, 2:] > size + MARGIN).any(1)
        for place in np.flatnonzero(beyond).tolist():
            left, top, right, bottom = bounds[place].tolist()
            wholly = right < 0 or bottom < 0 or left > width or top > height
            problem = (
                f"is {'' if wholly else 'partly '}outside: x {left:g} to {right:g}, "
                f"y {top:g} to {bottom:g}, the image is {width} x {height}"
            )
            yield self._found("SF304" if wholly else "SF305", polygons[place], problem)

    def _drawn_twice(self, polygons: list[int]) -> Iterator[Finding]:
        first: dict[bytes, int] = {}
        ids = self.polygons.class_ids
        for polygon in polygons:
            outline = self._outline(polygon)
            other = first.setdefault(outline, polygon)
            if other == polygon or not outline:
                continue
            problem = f"has the outline of polygon {other}"
            if ids[other] == ids[polygon]:
                yield self._found("SF306", polygon, problem)
            else:
                yield self._found("SF307", polygon, f"{problem}, which is {self._name(other)}")

    def _outline(self, polygon: int) -> bytes:
        """Return what polygons of the same rings have in common, however these are written."""
        first, last = self.polygons.polygon_offsets[polygon : polygon + 2].tolist()
        offsets = self.polygons.ring_offsets
        if (self.facts[first:last, 0] < 3).any():
            return b""
        rings = sorted(
            _canonical(self.polygons.points[offsets[ring] : offsets[ring + 1]])
            for ring in range(first, last)
        )
        return blake2b(b"".join(rings), digest_size=16).digest()

    def _found(self, code: str, polygon: int, problem: str) -> Finding:
        return Finding(code, f"{self._name(polygon)} {problem}", where=f"polygon {polygon}")

    def _name(self, polygon: int) -> str:
        id = int(self.polygons.class_ids[polygon])
        return next((f'"{info.name}"' for info in self.classes if info.id == id), f"id {id}")


def _measured(polygons: Polygons) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Return what `measure_rings` writes of each ring."""
    from segfmt.kernels.rings import measure_rings

    points, offsets = np.ascontiguousarray(polygons.points), polygons.ring_offsets
    lengths = np.diff(offsets)
    following = np.arange(1, len(points) + 1)
    following[offsets[1:][lengths > 0] - 1] = offsets[:-1][lengths > 0]
    least = np.minimum(points[:, 0], points[following, 0])
    order = np.lexsort((least, np.repeat(np.arange(len(lengths)), lengths)))
    areas, facts = np.empty((len(lengths), 5)), np.empty((len(lengths), 2), np.int64)
    measure_rings(points, offsets, order, TESTS, areas, facts)
    return areas, facts


def _extents(bounds: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the square of width and height together, of bounds (N, 4)."""
    extents: npt.NDArray[np.float64] = (bounds[:, 2:] - bounds[:, :2]).sum(1) ** 2
    return extents


def _canonical(ring: npt.NDArray[np.float64]) -> bytes:
    """Return a ring's bytes, the same wherever it begins, whichever way it goes, closed or not."""
    ring = ring + 0.0  # no -0.0
    moved = (ring != np.roll(ring, 1, axis=0)).any(1)
    ring = ring[moved]
    turned = []
    for points in (ring, ring[::-1]):
        smallest = points[np.lexsort((points[:, 1], points[:, 0]))[0]]
        starts = np.flatnonzero((points == smallest).all(1))
        turned += [np.roll(points, -start, axis=0).tobytes() for start in starts[:LISTED]]
    return min(turned)
