"""What a dataset holds: splits, sizes, classes and their pixels, weights, mean and std."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from segfmt import __version__
from segfmt.classes import Color, Role
from segfmt.counting import DatasetCounts, Look, SampleCounter, SampleCounts
from segfmt.dataset import Dataset, open_dataset
from segfmt.errors import UsageError
from segfmt.files import readable
from segfmt.format import Entry
from segfmt.imagestats import mean_and_std
from segfmt.listing import Listing
from segfmt.model import FillRule, Rounding
from segfmt.reading import executor_map, painter, remarks
from segfmt.report import Done, Failed, Failure, Report, Tally
from segfmt.tables import anonymous_table
from segfmt.warmup import compile_missing
from segfmt.weights import ClassWeights, enet_weights, inverse_frequency, median_frequency


@dataclass(frozen=True, slots=True)
class ClassCount:
    """What there is of one class: `share` of all pixels, `samples` with a pixel of it.

    `polygons` are those drawn, seen or covered by others; `objects` those told apart by numbers.
    """

    id: int
    name: str
    color: Color
    role: Role
    pixels: int
    share: float
    samples: int
    polygons: int
    objects: int


@dataclass(frozen=True, slots=True)
class AmbiguousColor:
    """A color that several classes have; `pixels` of it, in `samples`, count for the first."""

    color: Color
    classes: tuple[str, ...]
    pixels: int = 0
    samples: int = 0


@dataclass(frozen=True, slots=True)
class ImageStats:
    """Mean and standard deviation of red, green and blue, 0 to 255, over all pixels of `images`."""

    images: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Inspection:
    """What `inspect` found; JSON-able.

    Attributes
    ----------
    total, samples
        How many samples the source lists, and how many were read.
    splits, sizes
        How many of those each split has, and each size, `WIDTHxHEIGHT`, the most frequent first.
    without_image
        Samples of which there is only the label.
    pixels, unlabeled
        All, and those that no polygon covers where no class is the background.
    classes
        By id. Where the dataset keeps no table, those beyond the last with a pixel are left out.
    weights
        None if there is no pixel but of ignore.
    images
        None if there is none, or nobody asked.
    fill_rules
        The rule that the polygons were painted by, and in how many samples.
    """

    source: str
    format: str
    version: str
    total: int
    samples: int
    splits: dict[str, int]
    sizes: dict[str, int]
    without_image: int
    pixels: int
    unlabeled: int
    classes: tuple[ClassCount, ...]
    ambiguous_colors: tuple[AmbiguousColor, ...]
    weights: ClassWeights | None
    images: ImageStats | None
    fill_rules: dict[str, int]
    notes: dict[str, Tally]
    warnings: list[str]
    failures: list[Failure]
    seconds: float

    def to_json(self) -> bytes:
        """Return it as indented UTF-8 JSON."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"


def inspect(
    src: str | os.PathLike[str],
    *,
    source: str = "auto",
    reader_options: Mapping[str, Any] | None = None,
    table: str | None = None,
    unknown_label: str | None = None,
    fill_rule: FillRule | None = None,
    rounding: Rounding | None = None,
    image_stats: bool = True,
    sample: int | None = None,
    executor: str = "threads",
    executor_options: Mapping[str, Any] | None = None,
    workers: int | None = None,
    limit: int | None = None,
    progress: Callable[[Report, int], None] | None = None,
) -> Inspection:
    """Read a whole dataset and count what it holds.

    Parameters
    ----------
    src, source, reader_options, table, unknown_label, fill_rule, rounding
        As for `segfmt.convert`.
    image_stats
        Decode the images for their mean and std: most of the work where labels are polygons.
    sample
        Take mean and std from so many images only, evenly spread over the list.
    executor, executor_options, workers, progress
        As for `segfmt.convert`.
    limit
        Look at the first so many samples only, by split and key.

    Raises
    ------
    SegfmtError
        If the dataset cannot be opened; a sample that is bad is one of the `failures`.
    """
    started = time.monotonic()
    given = {"table": table, "unknown_label": unknown_label}
    options = {name: value for name, value in given.items() if value is not None}
    dataset = open_dataset(src, source, **{**(reader_options or {}), **options})
    counter = SampleCounter(dataset.reader, dataset.classes, painter(None, fill_rule, rounding))
    run = executor_map(executor, executor_options, workers)
    report = Report(readable(os.fspath(src)), dataset.format.name, "", "", __version__)
    counts = DatasetCounts(dataset.classes)
    with closing(Listing(dataset.refs(), None, limit, None)) as jobs:
        _check_listed(jobs, Path(src), dataset, report)
        if progress:
            progress(report, len(jobs))
        compile_missing()
        wanted = len(jobs) if sample is None else sample
        for result in run(counter, _looks(jobs, wanted if image_stats else 0)):
            if isinstance(result, SampleCounts):
                counts.add(result)
                place = Entry(result.ref.split, result.ref.key)
                report.add(Done(result.ref, place, result.notes, result.fill_rule))
            else:
                report.add(result)
            if progress:
                progress(report, len(jobs))
    report.warnings += remarks(dataset.reader)
    report.settle(time.monotonic() - started)
    return _inspection(report, counts)


def _check_listed(jobs: Listing, root: Path, dataset: Dataset, report: Report) -> None:
    if not jobs.total:
        raise UsageError(f"{root} has nothing in it that {dataset.format.name} can read")
    report.total = jobs.total
    for job, first in jobs.doubles:
        error = f"{job.ref.source}: has the same name as {first}, which is the one that was used"
        report.add(Failed(job.ref, error))


def _looks(jobs: Listing, images: int) -> Iterator[Look]:
    """Yield the samples; the image is looked at of so many, evenly spread."""
    count = len(jobs)
    for place, job in enumerate(jobs):
        yield Look(job.ref, place * images // count != (place + 1) * images // count)


def _inspection(report: Report, counts: DatasetCounts) -> Inspection:
    classes = _class_counts(counts)
    images = None
    if counts.images:
        images = ImageStats(counts.images, *mean_and_std(counts.colors))
    # Equally frequent ones by size, so that equal datasets give equal results.
    sizes = sorted(counts.sizes.items(), key=lambda item: (-item[1], item[0]))
    return Inspection(
        report.source,
        report.source_format,
        report.version,
        report.total,
        report.done,
        report.splits,
        {f"{width}x{height}": count for (height, width), count in sizes},
        counts.without_image,
        int(counts.pixels.sum()) + counts.unlabeled,
        counts.unlabeled,
        classes,
        _ambiguous_colors(counts),
        _weights(counts, [count.id for count in classes if count.role != "ignore"]),
        images,
        dict(sorted(report.fill_rules.items())),
        report.notes,
        report.warnings,
        report.failures,
        report.seconds,
    )


def _class_counts(counts: DatasetCounts) -> tuple[ClassCount, ...]:
    total = max(int(counts.pixels.sum()) + counts.unlabeled, 1)
    columns = (counts.pixels, counts.samples, counts.polygons, counts.objects)
    rows = zip(counts.classes, *(column.tolist() for column in columns), strict=True)
    found = [
        ClassCount(info.id, info.name, info.color, info.role, pixels, pixels / total, *others)
        for info, pixels, *others in rows
    ]
    found.sort(key=lambda count: count.id)
    if counts.classes == anonymous_table():
        last = max((c.id for c in found if c.pixels and c.role != "ignore"), default=-1)
        found = [count for count in found if count.id <= last or count.role == "ignore"]
    return tuple(found)


def _ambiguous_colors(counts: DatasetCounts) -> tuple[AmbiguousColor, ...]:
    shared = counts.classes.shared_colors().values()
    # A reader that renumbers may give groups that are not those of its table's colors.
    groups = dict.fromkeys(tuple(info.id for info in infos) for infos in shared)
    groups.update(dict.fromkeys(sorted(counts.ambiguous)))
    return tuple(
        AmbiguousColor(
            counts.classes.by_id(ids[0]).color,
            tuple(counts.classes.by_id(id).name for id in ids),
            counts.ambiguous[ids],
            counts.ambiguous_samples[ids],
        )
        for ids in groups
    )


def _weights(counts: DatasetCounts, ids: list[int]) -> ClassWeights | None:
    place_of = {info.id: place for place, info in enumerate(counts.classes)}
    places = [place_of[id] for id in ids]
    pixels, of_images = counts.pixels[places], counts.of_images[places]
    if not pixels.any():
        return None
    return ClassWeights(
        tuple(ids),
        tuple(inverse_frequency(pixels).tolist()),
        tuple(median_frequency(pixels, of_images).tolist()),
        tuple(enet_weights(pixels).tolist()),
    )
