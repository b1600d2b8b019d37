"""From the source's classes to the target's: one look-up table a run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from segfmt.errors import FormatError, UsageError
from segfmt.model import Mask, Polygons

if TYPE_CHECKING:
    import numpy.typing as npt

    from segfmt.classes import ClassTable

UNMAPPED = -1


@dataclass(frozen=True, eq=False)
class ClassMap:
    """What each source id becomes.

    `lut` is int32 (highest source id + 1,): the target's id, or -1 for ids that are no class of the
    source. `background` is the target's id of what no label covers.
    """

    lut: npt.NDArray[np.int32]
    background: int

    def polygons(self, polygons: Polygons) -> Polygons:
        """Return the polygons under the target's ids; a few numbers, so map before painting."""
        return replace(polygons, class_ids=self.lut[polygons.class_ids])

    def mask(self, mask: Mask) -> Mask:
        """Return the mask under the target's ids; `FormatError` for an id that is no class."""
        lut = np.full(256, UNMAPPED, np.int32)
        lut[: len(self.lut)] = self.lut[:256]
        ids = lut[mask.ids]
        if ids.min() < 0:
            y, x = np.unravel_index(int(ids.argmin()), ids.shape)
            raise FormatError(
                f"has the id {mask.ids[y, x]}, which is no class of the dataset",
                where=f"pixel x={x}, y={y}",
            )
        return Mask(ids.astype(np.uint8), mask.instances)


def map_classes(source: ClassTable, target: ClassTable) -> ClassMap:
    """Map by role and by name, never by id or color.

    Raises `UsageError` with the names of all classes that have none in the target.
    """
    by_role = {"background": target.background, "ignore": target.ignore}
    lut = np.full(max((info.id for info in source), default=-1) + 1, UNMAPPED, np.int32)
    missing = []
    for info in source:
        other = by_role.get(info.role) or target.get(info.name)
        if other is None:
            missing.append(info.name)
        else:
            lut[info.id] = other.id
    if missing:
        raise UsageError(f"the target has no class named {', '.join(missing)}")
    if target.background is None:
        raise UsageError("the target's classes have no background for what no label covers")
    return ClassMap(lut, target.background.id)
