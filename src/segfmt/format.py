"""What a format is: the records and protocols that a plug-in provides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from segfmt.classes import ClassTable
from segfmt.model import FillRule, Holes, Note, Rounding, Sample, SampleRef

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Accepts:
    """What a writer takes as a sample's label; what it does not take is made into what it does.

    Attributes
    ----------
    polygons, mask
        Which it takes; a writer of both gets whichever the source has.
    instances
        Whether it keeps object numbers.
    numbered
        Whether it wants objects numbered over all classes of an image, as one byte holds them:
        `Mask.instances` then is uint8, 1 to 254, and 255 where the class is 255.
    holes
        For polygons: `rings` if one may have several, filled even-odd; else how holes are put into
        single rings: `painter`, where the order counts, or `keyhole`, where it does not.
    fill_rule, rounding
        For polygons: how whoever reads them will paint them; None if any way is kept with them.
    """

    polygons: bool = False
    mask: bool = True
    instances: bool = False
    numbered: bool = False
    holes: Holes = "rings"
    fill_rule: FillRule | None = None
    rounding: Rounding | None = None


@dataclass(frozen=True, slots=True)
class Holds:
    """What a dataset of a format can hold; what it cannot is told before it is lost.

    Attributes
    ----------
    polygons
        Outlines, rather than pixels.
    holes
        Holes in what is labeled, however they are written.
    instances
        Objects of one class told apart.
    ignore
        Ignore apart from background.
    splits
        Several splits.
    colors
        A color for each class.
    image_types
        Suffixes of images that it takes as they are, by copy or link; without any, all: others are
        encoded anew.
    class_ids
        Class ids as they are.
    """

    polygons: bool = False
    holes: bool = False
    instances: bool = False
    ignore: bool = False
    splits: bool = False
    colors: bool = False
    image_types: tuple[str, ...] = ()
    class_ids: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """What a writer wrote for one sample: `files` are POSIX paths below the target."""

    split: str
    key: str
    files: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()


class Reader(Protocol):
    """Reads one dataset; picklable, as it is sent to worker processes.

    Made by `factory(root, **options)`. The factory's keyword parameters, with their types and
    defaults, are the format's reading options.
    """

    @property
    def classes(self) -> ClassTable:
        """Every class that `load` may give."""

    def scan(self) -> Iterator[SampleRef]:
        """List the samples, always the same; cheap: no image or mask is read."""

    def load(self, ref: SampleRef) -> Sample:
        """Read one sample; `FormatError` if its files are not what they should be."""


class Writer(Protocol):
    """Writes one dataset; picklable, as it is sent to worker processes.

    Made by `factory(root, classes, **options)`, where `classes` is what the source's classes
    become.
    """

    @property
    def classes(self) -> ClassTable:
        """Every class as it is written."""

    @property
    def accepts(self) -> Accepts:
        """What kind of label `write` takes."""

    def write(self, sample: Sample) -> Entry:
        """Write one sample's files: called once for each, in any order, in any worker.

        The sample's arrays are used again for the next one: what is to be kept is to be copied.
        """

    def finish(self, entries: Iterable[Entry]) -> None:
        """Write what is about the whole dataset, such as lists; entries come by split and key."""


@dataclass(frozen=True, slots=True)
class Format:
    """A dataset format: what `segfmt_formats` hooks return.

    Attributes
    ----------
    name
        Lower case, as typed after `--from` and `--to`.
    summary
        One line for `segfmt formats`.
    reader, writer
        Factories, or None where the format is only written, or only read.
    detect
        Called with a folder; says in a few words what in it shows this format, or returns None.
    table
        The class table that every dataset of this format has, if there is one.
    holds
        What its datasets can hold, as read, and as written with the options' defaults. Without it
        nobody is told what a conversion loses.
    """

    name: str
    summary: str
    reader: Callable[..., Reader] | None = None
    writer: Callable[..., Writer] | None = None
    detect: Callable[[Path], str | None] | None = None
    table: ClassTable | None = None
    holds: Holds | None = None


class Map(Protocol):
    """Calls `fn` with every item and yields the results as they come, in any order.

    Takes items from the iterator only as places come free, so that memory stays bounded. Closing
    the generator stops it: what has begun ends, nothing more begins.
    """

    def __call__(self, fn: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Yield `fn(item)` of every item."""


@dataclass(frozen=True, slots=True)
class Executor:
    """A way to run samples side by side: what `segfmt_executors` hooks return.

    `make(workers, **options)` returns a `Map`.
    """

    name: str
    summary: str
    make: Callable[..., Map]
