"""What one sample of a dataset adds to the count of all: the work that `inspect` hands out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from segfmt.classes import MAX_ID, ClassTable
from segfmt.errors import FormatError
from segfmt.imagestats import color_counts
from segfmt.model import Mask, Note, Polygons, SampleRef
from segfmt.raster import rasterize, rasterize_instances
from segfmt.report import Failed
from segfmt.scratch import scratch

if TYPE_CHECKING:
    import numpy.typing as npt

    from segfmt.adapt import Adapter
    from segfmt.format import Reader

    Counts = npt.NDArray[np.int64]

BAND = 1 << 20  # pixels whose objects are looked at together, in some 30 MB


class Look(NamedTuple):
    """A sample to look at, and whether at its image's pixels too."""

    ref: SampleRef
    image: bool


@dataclass(frozen=True, slots=True, eq=False)
class SampleCounts:
    """What one sample has; arrays are by the place of a class in the table.

    Attributes
    ----------
    pixels, polygons, objects
        int64 (classes,).
    unlabeled
        Pixels that no polygon covers, where no class is the background.
    ambiguous
        Pixels of a color that several classes share, by their ids; they count for the first.
    colors
        int64 (3, 256), how often each value of red, green and blue stands in the image; None if
        that was not asked, or the image has none.
    """

    ref: SampleRef
    shape: tuple[int, int]
    pixels: Counts
    polygons: Counts
    objects: Counts
    unlabeled: int = 0
    ambiguous: dict[tuple[int, ...], int] = field(default_factory=dict)
    colors: Counts | None = None
    notes: tuple[Note, ...] = ()
    fill_rule: str = ""


@dataclass(slots=True, eq=False)
class DatasetCounts:
    """What the samples so far have; arrays are by the place of a class in the table.

    Attributes
    ----------
    samples
        int64 (classes,), how many samples have a pixel of the class.
    of_images
        int64 (classes,), pixels, those of ignore aside, of the samples that `samples` counts.
    sizes
        Samples of each (height, width).
    ambiguous, ambiguous_samples
        As in `SampleCounts`, and in how many samples there are such pixels.
    images
        How many images `colors` counts.
    """

    classes: ClassTable
    pixels: Counts = field(init=False)
    polygons: Counts = field(init=False)
    objects: Counts = field(init=False)
    samples: Counts = field(init=False)
    of_images: Counts = field(init=False)
    unlabeled: int = 0
    without_image: int = 0
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    ambiguous: Counter[tuple[int, ...]] = field(default_factory=Counter)
    ambiguous_samples: Counter[tuple[int, ...]] = field(default_factory=Counter)
    images: int = 0
    colors: Counts = field(default_factory=lambda: np.zeros((3, 256), np.int64))

    def __post_init__(self) -> None:
        for name in ("pixels", "polygons", "objects", "samples", "of_images"):
            setattr(self, name, np.zeros(len(self.classes), np.int64))

    def add(self, sample: SampleCounts) -> None:
        """Count one sample."""
        present = sample.pixels > 0
        self.pixels += sample.pixels
        self.polygons += sample.polygons
        self.objects += sample.objects
        self.samples += present
        trained_on = [info.role != "ignore" for info in self.classes]
        self.of_images[present] += sample.pixels[trained_on].sum()
        self.unlabeled += sample.unlabeled
        self.without_image += sample.ref.image is None
        self.sizes[sample.shape] += 1
        self.ambiguous.update(sample.ambiguous)
        self.ambiguous_samples.update(sample.ambiguous.keys())
        if sample.colors is not None:
            self.images += 1
            self.colors += sample.colors


@dataclass(frozen=True)
class SampleCounter:
    """Counts what samples have; `painter` paints their polygons."""

    reader: Reader
    classes: ClassTable
    painter: Adapter

    def __call__(self, look: Look) -> SampleCounts | Failed:
        """Count one sample. Whatever goes wrong with it becomes its outcome."""
        try:
            counts = self._counted(look.ref)
            if not look.image or look.ref.image is None:
                return counts
            colors = color_counts(look.ref.image)
        except Exception as error:  # noqa: BLE001 - a bad sample must not end the run
            return Failed.of(look.ref, error)
        if colors is None:
            note = Note("images left out of mean and std", "their channels are not of 8 bits")
            return replace(counts, notes=(*counts.notes, note))
        return replace(counts, colors=colors)

    @cached_property
    def _ids(self) -> Counts:
        return np.array([info.id for info in self.classes], np.int64)

    @cached_property
    def _places(self) -> npt.NDArray[np.int32]:
        """The place of each id in the table, -1 for ids that are no class."""
        places = np.full(MAX_ID + 1, -1, np.int32)
        places[self._ids] = np.arange(len(self._ids))
        return places

    def _counted(self, ref: SampleRef) -> SampleCounts:
        sample = self.reader.load(ref)
        if isinstance(sample.label, Mask):
            counts = self._of_mask(ref, sample.label)
        else:
            counts = self._of_polygons(ref, sample.label, sample.shape)
        return replace(counts, notes=sample.notes)

    def _of_mask(self, ref: SampleRef, mask: Mask) -> SampleCounts:
        by_id = id_counts(mask.ids)
        strange = np.flatnonzero((by_id > 0) & (self._places[: len(by_id)] < 0)).tolist()
        if strange:
            y, x = np.unravel_index(int((mask.ids == strange[0]).argmax()), mask.ids.shape)
            raise FormatError(
                f"has the id {strange[0]}, which is no class of the dataset",
                where=f"pixel x={x}, y={y}",
                notes=[
                    Note("pixels of ids that are no class", str(i), int(by_id[i])) for i in strange
                ],
            )
        by_id = np.append(by_id, np.zeros(MAX_ID + 1 - len(by_id), np.int64))
        none = np.zeros(len(self._ids), np.int64)
        height, width = mask.ids.shape
        return SampleCounts(
            ref,
            (height, width),
            by_id[self._ids],
            none,
            none if mask.instances is None else self._objects(mask.ids, mask.instances),
            ambiguous={ids: int(by_id[ids[0]]) for ids in mask.ambiguous if by_id[ids[0]]},
        )

    def _of_polygons(
        self, ref: SampleRef, polygons: Polygons, shape: tuple[int, int]
    ) -> SampleCounts:
        places = self._places[polygons.class_ids]
        if (places < 0).any():
            id = int(polygons.class_ids[places.argmin()])
            raise FormatError(f"has the class id {id}, which is no class of the dataset")
        ruled = self.painter.ruled(polygons)
        painted = id_counts(_painted(ruled, places + 1, shape, len(self._ids)))
        pixels, unlabeled = painted[1 : len(self._ids) + 1].copy(), int(painted[0])
        if background := self.classes.background:
            pixels[self._places[background.id]] += unlabeled
            unlabeled = 0
        numbers = polygons.instance_ids
        return SampleCounts(
            ref,
            shape,
            pixels,
            np.bincount(places, minlength=len(self._ids)),
            self._objects(
                polygons.class_ids, np.zeros_like(places) if numbers is None else numbers
            ),
            unlabeled,
            fill_rule=ruled.rule_in_words,
        )

    def _objects(self, ids: npt.NDArray[np.integer], numbers: npt.NDArray[np.integer]) -> Counts:
        """Return how many objects each class has: an object is a class and a number from 1."""
        ids, numbers = ids.reshape(-1), numbers.reshape(-1)
        found = [np.empty(0, np.int64)]
        for start in range(0, ids.size, BAND):
            part = slice(start, start + BAND)
            both = numbers[part].astype(np.int64) << 16 | ids[part]
            # Of a run of pixels of one object the first will do, which leaves few to sort.
            found.append(np.unique(both[np.flatnonzero(np.diff(both, prepend=-1))]))
        objects = np.unique(np.concatenate(found))
        objects = objects[objects >> 16 > 0]
        return np.bincount(self._places[objects & MAX_ID], minlength=len(self._ids))


def id_counts(ids: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]) -> Counts:
    """Return how often each id stands in a mask, int64 (256,) or, of a uint16 mask, (65536,)."""
    flat = np.ascontiguousarray(ids).reshape(-1)
    if flat.dtype == np.uint16:
        return np.bincount(flat, minlength=MAX_ID + 1)
    from segfmt.kernels.count import count_ids

    counts = np.zeros(256, np.int64)
    count_ids(flat.astype(np.uint8, copy=False), counts)
    return counts


def _painted(
    polygons: Polygons, numbers: npt.NDArray[np.int32], shape: tuple[int, int], largest: int
) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
    """Paint polygons in these numbers, from 1, on 0."""
    if largest > 255:
        return rasterize_instances(replace(polygons, instance_ids=numbers), shape)
    numbered = replace(polygons, class_ids=numbers, instance_ids=None)
    return rasterize(numbered, shape, out=scratch("mask", shape))
