"""What flows through a conversion: samples, their labels, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from segfmt.classes import ClassInfo, ClassTable
from segfmt.limits import POINTS, RINGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import numpy.typing as npt

__all__ = [
    "ClassInfo",
    "ClassTable",
    "FillRule",
    "Holes",
    "Mask",
    "Note",
    "Polygons",
    "Rounding",
    "Sample",
    "SampleRef",
]

FillRule = Literal["opencv", "pillow", "center", "coco"]
Rounding = Literal["truncate", "nearest", "floor"]
Holes = Literal["rings", "painter", "keyhole"]
_FILL_RULES, _ROUNDINGS = get_args(FillRule), get_args(Rounding)


@dataclass(frozen=True, slots=True, eq=False)
class Polygons:
    """Polygons of one image, as flat arrays, in painting order: later ones cover earlier ones.

    Ring r is `points[ring_offsets[r]:ring_offsets[r + 1]]`, polygon p has the rings
    `polygon_offsets[p]` to `polygon_offsets[p + 1]`: holes and parts, filled even-odd together;
    under the rule `coco`, which knows no holes, they are united.

    Attributes
    ----------
    points
        float64 (N, 2), as (x, y) in pixels; x to the right, y down. Whether an integer is a pixel's
        centre or its corner is the fill rule's business.
    ring_offsets, polygon_offsets
        int64 (R + 1,) and (P + 1,), from 0, never falling, to N and R.
    class_ids
        int32 (P,).
    instance_ids
        int32 (P,) or None: polygons of one class and one number, from 1, are one object; 0 is none.
    fill_rule, rounding
        How the pixels are found: a property of where the annotations come from. `rounding` makes
        the vertices whole numbers and counts for the rule `opencv` alone.

    Raises
    ------
    FormatError
        For more points or rings than the limits allow.
    ValueError
        For arrays that do not fit together.
    """

    points: npt.NDArray[np.float64]
    ring_offsets: npt.NDArray[np.int64]
    polygon_offsets: npt.NDArray[np.int64]
    class_ids: npt.NDArray[np.int32]
    instance_ids: npt.NDArray[np.int32] | None = None
    fill_rule: FillRule = "opencv"
    rounding: Rounding = "nearest"

    def __post_init__(self) -> None:
        POINTS.check(len(self.points))
        RINGS.check(len(self.ring_offsets) - 1)
        # The kernels index without checks, so what they index by is checked here, once.
        if self.points.ndim != 2 or self.points.shape[1] != 2:
            raise ValueError(f"points must be (N, 2), not {self.points.shape}")
        _check_offsets("ring_offsets", self.ring_offsets, len(self.points))
        _check_offsets("polygon_offsets", self.polygon_offsets, len(self.ring_offsets) - 1)
        for name in ("class_ids", "instance_ids"):
            ids = getattr(self, name)
            if ids is not None and ids.shape != (len(self),):
                raise ValueError(f"{name} must be ({len(self)},), not {ids.shape}")
        if self.fill_rule not in _FILL_RULES:
            raise ValueError(f'no fill rule "{self.fill_rule}": {_FILL_RULES}')
        if self.rounding not in _ROUNDINGS:
            raise ValueError(f'no rounding "{self.rounding}": {_ROUNDINGS}')

    def __len__(self) -> int:
        return len(self.polygon_offsets) - 1

    @property
    def rule_in_words(self) -> str:
        """The fill rule, with the rounding where that counts."""
        return f"opencv, vertices {self.rounding}" if self.fill_rule == "opencv" else self.fill_rule

    @classmethod
    def from_rings(
        cls,
        rings: Sequence[Sequence[npt.ArrayLike]],
        class_ids: Sequence[int] | npt.NDArray[np.integer[Any]],
        *,
        instance_ids: Sequence[int] | npt.NDArray[np.integer[Any]] | None = None,
        fill_rule: FillRule = "opencv",
        rounding: Rounding = "nearest",
    ) -> Polygons:
        """Make Polygons of nested lists: one entry a polygon, each a list of (n, 2) rings.

        >>> square = [[(1, 1), (4, 1), (4, 4), (1, 4)]]
        >>> polygons = Polygons.from_rings([square], [7])
        >>> len(polygons), polygons.points.shape
        (1, (4, 2))
        """
        flat = [
            np.asarray(ring, np.float64).reshape(-1, 2) for polygon in rings for ring in polygon
        ]
        return cls(
            np.concatenate(flat) if flat else np.empty((0, 2)),
            offsets_of([len(ring) for ring in flat]),
            offsets_of([len(polygon) for polygon in rings]),
            np.asarray(class_ids, np.int32),
            None if instance_ids is None else np.asarray(instance_ids, np.int32),
            fill_rule,
            rounding,
        )


def offsets_of(lengths: Sequence[int] | npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.int64]:
    """Return int64 (n + 1,): where each of n parts of these lengths starts, and where all end.

    >>> offsets_of([3, 0, 4]).tolist()
    [0, 3, 3, 7]
    """
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def _check_offsets(name: str, offsets: npt.NDArray[np.int64], end: int) -> None:
    if offsets.ndim != 1 or not len(offsets) or offsets[0] != 0 or offsets[-1] != end:
        raise ValueError(f"{name} must go from 0 to {end}")
    if (offsets[1:] < offsets[:-1]).any():
        raise ValueError(f"{name} must never fall")


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """An index mask.

    Attributes
    ----------
    ids
        uint8 (H, W); rows may lie apart in memory. A reader whose table has ids beyond 255 gives
        uint16, which the class map makes uint8: no writer sees another type, so none is declared.
    instances
        uint16 (H, W) or None: object numbers from 1, 0 where there is none; an object is a class
        and a number. Writers that want them `numbered` over all classes get uint8.
    ambiguous
        Groups of ids that the source's colors do not tell apart: in `ids` the first of a group
        stands for any of it.
    """

    ids: npt.NDArray[np.uint8]
    instances: npt.NDArray[np.uint16] | None = None
    ambiguous: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class SampleRef:
    """Names one sample without holding it: light and picklable, so that it may cross processes.

    Attributes
    ----------
    key
        Relative POSIX path without extension, unique in its split.
    split
        `train` where the source knows none.
    image
        The image file, or None where the source has none.
    source
        Whatever else the reader needs to load it: small and picklable.
    embedded
        Whether the image is no file, but in the label file: `Sample.image` is to give it.
    """

    key: str
    split: str = "train"
    image: Path | None = None
    source: Any = None
    embedded: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """Something about a sample that the report counts: `code`, of what, how many times.

    `code` is a phrase that the summary prints, the same for all of its kind; `subject` tells the
    cases apart, such as the label that was unknown.
    """

    code: str
    subject: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One sample, loaded. Lives inside one worker only.

    Attributes
    ----------
    shape
        (height, width).
    image
        The bytes of the image file, where the dataset has it in the label file. Writers find it at
        `ref.image`, as any other.
    """

    ref: SampleRef
    shape: tuple[int, int]
    label: Polygons | Mask
    notes: tuple[Note, ...] = ()
    image: bytes | None = None


def merge_notes(*groups: Iterable[Note]) -> tuple[Note, ...]:
    """Join notes, those of one code and subject into one.

    >>> merge_notes([Note("dropped", "lane")], [Note("dropped", "lane", 2)])
    (Note(code='dropped', subject='lane', count=3),)
    """
    counts: dict[tuple[str, str], int] = {}
    for group in groups:
        for note in group:
            counts[note.code, note.subject] = counts.get((note.code, note.subject), 0) + note.count
    return tuple(Note(code, subject, count) for (code, subject), count in counts.items())
