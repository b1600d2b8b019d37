"""A picture of the samples that differ most: A, B, and where they differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps

from segfmt.errors import FormatError
from segfmt.pictures import (
    Row,
    Swatch,
    color_tile,
    note_for,
    photo_tile,
    save_picture,
    sheet,
    spot_tile,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    from segfmt.comparing import PairComparer, SampleAgreement
    from segfmt.matching import Pair

    Ids = npt.NDArray[np.uint8]

SHOWN = 8  # samples
DIFFERS, IGNORED = (230, 0, 60), (120, 160, 255)
FADED = 0.6  # towards white


def save_differences(
    path: Path, comparer: PairComparer, worst: Sequence[tuple[SampleAgreement, Pair]]
) -> None:
    """Save a sheet of the first samples; they are read again for it."""
    table = comparer.scorer.table
    used: set[int] = set()
    rows = []
    for sample, pair in worst[:SHOWN]:
        ids_a, ids_b = comparer.a.read(pair.a)[0], comparer.b.read(pair.b)[0]
        used.update(np.unique(ids_a).tolist(), np.unique(ids_b).tolist())
        tiles = (
            color_tile(ids_a, table),
            color_tile(ids_b, table),
            _difference_tile(ids_a, ids_b, pair, comparer),
        )
        scores = sample.scores
        differing = f"{scores.differing:,} of {scores.pixels:,} pixels differ"
        rows.append(Row(f"{sample.split}/{sample.key}: {differing}", tiles))
    swatches = [Swatch(DIFFERS, "differs")]
    if table.ignore and table.ignore.id in used:
        swatches.append(Swatch(IGNORED, "ignored by A"))
    classes = [info for info in table if info.id in used]
    # The ids are those of the comparison alone, which nobody knows.
    swatches += [Swatch.of(info, numbered=False) for info in classes]
    third = "where they differ" if rows else "no sample differs"
    picture = sheet(("A", "B", third), rows, swatches, note_for(classes))
    save_picture(path, picture)


def _difference_tile(ids_a: Ids, ids_b: Ids, pair: Pair, comparer: PairComparer) -> Image.Image:
    """Return the image, or the mask where there is none, faded, with what differs in red."""
    scorer = comparer.scorer
    differs, ignored = ids_a != ids_b, np.zeros(ids_a.shape, bool)
    if scorer.table.ignore:
        ignored = ids_a == scorer.table.ignore.id
        if not scorer.ignore_in_b:
            differs &= ~ignored
    base = _photo(pair, ids_a.shape) or color_tile(ids_a, scorer.table)
    grey = ImageOps.grayscale(base).convert("RGB")
    tile = Image.blend(grey, Image.new("RGB", grey.size, "white"), FADED)
    tile.paste(IGNORED, mask=spot_tile(ignored & ~differs))
    tile.paste(DIFFERS, mask=spot_tile(differs))
    return tile


def _photo(pair: Pair, shape: tuple[int, ...]) -> Image.Image | None:
    path = pair.a.image or pair.b.image
    if path is None:
        return None
    try:
        return photo_tile(path, (shape[0], shape[1]))
    except FormatError:
        return None  # a picture is for the labels, which are there
