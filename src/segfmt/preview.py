"""Samples as pictures: image, mask and both, one above the other, with a legend."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from segfmt.choosing import Choice
from segfmt.classes import ClassTable, Color
from segfmt.dataset import open_dataset
from segfmt.distinct import near_colors, recolored
from segfmt.errors import UsageError
from segfmt.files import check_key, readable
from segfmt.pictures import (
    WIDTH,
    Row,
    Swatch,
    check_picture,
    note_for,
    save_picture,
    sheet,
    text_tile,
    tile_size,
)
from segfmt.reading import executor_map, painter, remarks
from segfmt.report import Failure
from segfmt.views import NOTHING, NOTHING_COLOR, View, Viewer, ids_of, mask_tile, overlay_tile
from segfmt.warmup import compile_missing

if TYPE_CHECKING:
    from segfmt.choosing import Progress
    from segfmt.model import FillRule, Rounding

COLUMNS = ("image", "mask", "overlay")
SHEET_SAMPLES = 200  # in one picture, which then has some 100 million pixels
WIDTHS = range(64, 4097)
NO_SHAPE = (3, 4)  # of a sample of which nothing can be read


@dataclass(slots=True)
class Preview:
    """What was drawn.

    Attributes
    ----------
    samples
        `split/key` of each, in the order of the pictures.
    ids
        The ids of the classes that are there.
    files
        The pictures that were saved.
    sheet
        The picture, if it is one.
    near
        Names of classes that are there and whose colors are hard to tell apart.
    failures
        Samples of which something cannot be read; the pictures say what.
    warnings
        About the dataset.
    """

    samples: list[str] = field(default_factory=list)
    ids: set[int] = field(default_factory=set)
    files: list[Path] = field(default_factory=list)
    sheet: Image.Image | None = None
    near: list[tuple[str, str]] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def seen(self, view: View) -> View:
        """Count a sample in, and return it."""
        self.samples.append(f"{view.split}/{view.key}")
        self.ids |= ids_of([view])
        if view.error:
            self.failures.append(Failure(view.split, view.key, view.error))
        return view


@dataclass(frozen=True)
class _Style:
    """How samples are drawn."""

    classes: ClassTable
    alpha: float
    width: int
    columns: int

    @cached_property
    def _colors(self) -> dict[int, Color]:
        return {info.id: info.color for info in self.classes}

    @cached_property
    def _bare(self) -> list[int]:
        """The ids that an overlay leaves to the photo."""
        background = self.classes.background
        return [NOTHING, *([background.id] if background else [])]

    def picture(self, views: Sequence[View]) -> Image.Image:
        """Return a sheet of samples with the classes that they have."""
        ids = ids_of(views)
        shown = [info for info in self.classes if info.id in ids]
        swatches = [Swatch.of(info) for info in shown]
        if NOTHING in ids:
            swatches.append(Swatch(NOTHING_COLOR, "in no polygon"))
        rows = [self._row(view) for view in views]
        columns = min(self.columns, len(rows))
        note = note_for(shown)
        return sheet(COLUMNS, rows, swatches, note, columns=columns, tile_width=self.width)

    def _row(self, view: View) -> Row:
        size = view.size or tile_size(NO_SHAPE, self.width)
        reason = view.error or "no image"
        photo = view.photo or text_tile(reason, size)
        if view.ids is None:
            tiles = [photo, text_tile(reason, size), text_tile("", size)]
        else:
            both = overlay_tile(view, self._colors, self.alpha, self._bare)
            tiles = [photo, mask_tile(view.ids, self._colors), both]
        return Row(f"{view.split}/{view.key}", tiles)


def preview(
    src: str | os.PathLike[str],
    *,
    out: str | os.PathLike[str] | None = None,
    source: str = "auto",
    reader_options: Mapping[str, Any] | None = None,
    table: str | None = None,
    unknown_label: str | None = None,
    fill_rule: FillRule | None = None,
    rounding: Rounding | None = None,
    count: int = 12,
    keys: Iterable[str] = (),
    with_classes: Iterable[str] = (),
    worst: bool = False,
    seed: int | None = None,
    alpha: float = 0.5,
    width: int = WIDTH,
    columns: int = 1,
    distinct: bool = False,
    executor: str = "threads",
    executor_options: Mapping[str, Any] | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Preview:
    """Draw samples of a dataset: image, mask in colors, and the one over the other.

    The overlay leaves the image as it is where the mask is background. A sample that is bad is
    drawn, too: as far as it can be read, with the reason.

    Parameters
    ----------
    src, source, reader_options, table, unknown_label, fill_rule, rounding
        As for `segfmt.convert`.
    out
        A picture, by its suffix, for all samples together; or a folder, for a PNG each,
        `split/key.png`. None for the `sheet` alone.
    count, keys, with_classes, worst, seed
        Which samples: see `segfmt.choosing.Choice.of`.
    alpha
        How opaque the mask is over the image, 0 to 1.
    width
        Of each tile, in pixels.
    columns
        How many samples stand side by side.
    distinct
        Give classes colors that are told apart more easily than the dataset's own.
    executor, executor_options, workers
        As for `segfmt.convert`.
    progress
        Called with how many samples are read, and of how many.

    Raises
    ------
    SegfmtError
        If the dataset cannot be opened, or what is asked for is not there.
    """
    choice = Choice(count, tuple(keys), tuple(with_classes), worst, seed)
    folder = _checked(out, alpha, width, columns)
    given = {"table": table, "unknown_label": unknown_label}
    options = {name: value for name, value in given.items() if value is not None}
    dataset = open_dataset(src, source, **{**(reader_options or {}), **options})
    paints = painter(None, fill_rule, rounding)
    run = executor_map(executor, executor_options, workers)
    refs = choice.of(dataset, paints, run, progress)
    if folder is None and len(refs) > SHEET_SAMPLES:
        what = f"{len(refs)} samples in one picture: {SHEET_SAMPLES} at most"
        raise UsageError(f"{what}. Give --out a folder, for a picture each")
    compile_missing()
    classes = recolored(dataset.classes) if distinct else dataset.classes
    viewer = Viewer(dataset.reader, classes, paints, width, readable(os.fspath(src)))
    style = _Style(classes, alpha, width, columns)
    found = Preview(warnings=list(remarks(dataset.reader)))
    if folder is None:
        views = [found.seen(viewer(ref)) for ref in refs]
        found.sheet = style.picture(views)
        if out is not None:
            save_picture(Path(out), found.sheet)
            found.files.append(Path(out))
    else:
        for ref in refs:
            view = found.seen(viewer(ref))
            save_picture(_file_of(folder, view, found), style.picture([view]))
    shown = [info for info in classes if info.id in found.ids]
    pairs = near_colors(info.color for info in shown)
    found.near = [(shown[a].name, shown[b].name) for a, b in pairs]
    return found


def _checked(
    out: str | os.PathLike[str] | None, alpha: float, width: int, columns: int
) -> Path | None:
    """Return the folder to write to, or None for one picture; `UsageError` for what cannot be."""
    if not 0 <= alpha <= 1:
        raise UsageError(f"--alpha {alpha}: it is from 0, the image alone, to 1, the mask alone")
    if width not in WIDTHS:
        raise UsageError(f"--width {width}: it is from {WIDTHS[0]} to {WIDTHS[-1]} pixels")
    if columns < 1:
        raise UsageError(f"--columns {columns}: there must be one at least")
    if out is None:
        return None
    path = Path(out)
    if path.is_dir() or not path.suffix:
        return path
    check_picture(path)
    return None


def _file_of(folder: Path, view: View, found: Preview) -> Path:
    """Return where a sample's picture goes, and note it."""
    name = f"{view.split}/{view.key}"
    check_key(name)  # keys are data: none may lead out of the folder
    path = folder / f"{name}.png"
    found.files.append(path)
    return path
