"""How well two masks agree: confusion, accuracy, intersection over union."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from segfmt.classes import Role

if TYPE_CHECKING:
    import numpy.typing as npt

    from segfmt.classes import ClassTable

    Confusion = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ClassAgreement:
    """What there is of one class in A, in B, and in both at one place.

    Pixels that A ignores are left out, but for ignore itself. `iou` is both / (a + b - both), and
    None for ignore and for a class that neither has.
    """

    name: str
    role: Role
    pixels_a: int
    pixels_b: int
    both: int
    iou: float | None


@dataclass(frozen=True, slots=True)
class Scores:
    """What a confusion matrix comes to.

    Attributes
    ----------
    pixels, ignored, differing
        All pixels, those that A ignores, and those of another class in B. Where B has no ignore,
        what A ignores is not counted as differing.
    accuracy
        The share of pixels, those that A ignores left out, that are of the same class in B.
    miou
        The mean of the classes' IoU; a class that neither has does not count.
    """

    pixels: int
    ignored: int
    differing: int
    accuracy: float | None
    miou: float | None

    @property
    def share(self) -> float:
        """The share of pixels that differ."""
        return self.differing / self.pixels if self.pixels else 0.0


@dataclass(frozen=True)
class Scorer:
    """Works out scores of confusion matrices, int64 (classes, classes): rows are A, columns B.

    The ids of `table` count from 0. `ignore_in_b` is whether B can tell ignore.
    """

    table: ClassTable
    ignore_in_b: bool

    def scores(self, confusion: Confusion) -> Scores:
        """Return the figures over all classes."""
        counted = self._counted(confusion)
        pixels, total = int(confusion.sum()), int(counted.sum())
        compared = confusion if self.ignore_in_b else counted
        ious = self.ious(confusion)
        present = ious[~np.isnan(ious)]
        return Scores(
            pixels,
            pixels - total,
            int(compared.sum() - np.trace(compared)),
            int(np.trace(counted)) / total if total else None,
            math.fsum(present.tolist()) / len(present) if len(present) else None,
        )

    def ious(self, confusion: Confusion) -> npt.NDArray[np.float64]:
        """Return each class's IoU, NaN for ignore and for classes that neither side has."""
        counted = self._counted(confusion)
        both = np.diagonal(counted)
        union = counted.sum(0) + counted.sum(1) - both
        ious = np.full(len(union), np.nan)
        np.divide(both, union, out=ious, where=union > 0)
        if self.table.ignore:
            ious[self.table.ignore.id] = np.nan
        return ious

    def classes(self, confusion: Confusion) -> tuple[ClassAgreement, ...]:
        """Return the figures of each class."""
        counted = self._counted(confusion)
        ious = self.ious(confusion)
        rows = []
        for info in self.table:
            part = confusion if info.role == "ignore" else counted
            of_a, of_b = int(part[info.id].sum()), int(part[:, info.id].sum())
            iou = None if np.isnan(ious[info.id]) else float(ious[info.id])
            both = int(part[info.id, info.id])
            rows.append(ClassAgreement(info.name, info.role, of_a, of_b, both, iou))
        return tuple(rows)

    def _counted(self, confusion: Confusion) -> Confusion:
        """Return the matrix without the pixels that A ignores."""
        if self.table.ignore is None:
            return confusion
        counted = confusion.copy()
        counted[self.table.ignore.id] = 0
        return counted
