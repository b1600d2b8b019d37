"""How much the fill rules differ on a dataset of polygons.

``python docs/fill_rules.py DIR`` paints every sample by each of the four rules and prints, for each
pair of them, the share of pixels that differ.
"""

import sys
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import get_args

import numpy as np
import numpy.typing as npt

import segfmt
from segfmt.model import FillRule

RULES: tuple[FillRule, ...] = get_args(FillRule)
Ids = npt.NDArray[np.uint8]


def painted(polygons: segfmt.Polygons, shape: tuple[int, int]) -> dict[str, Ids]:
    """Return the mask that each rule paints."""
    return {
        rule: segfmt.rasterize(replace(polygons, fill_rule=rule, rounding="nearest"), shape)
        for rule in RULES
    }


def at_outlines(ids: Ids) -> int:
    """Return how many pixels have another class to the left, to the right, above or below."""
    edge = np.zeros(ids.shape, bool)
    for a, b in ((np.s_[:, 1:], np.s_[:, :-1]), (np.s_[1:], np.s_[:-1])):
        other = ids[a] != ids[b]
        edge[a] |= other
        edge[b] |= other
    return int(edge.sum())


def main(folder: Path) -> None:
    """Print the shares of all pixels, of those at outlines, and the class that differs most."""
    dataset = segfmt.open_dataset(folder)
    pixels = outlines = 0
    confusion = {pair: np.zeros((256, 256), np.int64) for pair in combinations(RULES, 2)}
    for ref in dataset.refs():
        try:
            sample = dataset.reader.load(ref)
        except segfmt.FormatError:
            continue  # `segfmt inspect` says what is wrong with it
        if ref.image:
            masks = painted(sample.label, sample.shape)
            pixels += masks["opencv"].size
            outlines += at_outlines(masks["opencv"])
            for a, b in confusion:
                taken = masks[a].astype(np.uint16) << 8 | masks[b]
                counted = np.bincount(taken.ravel(), minlength=65536)
                confusion[a, b] += counted.reshape(256, 256)
    print(
        f"{pixels:,} pixels, {outlines:,} of them at outlines. By which rules, and what differs:\n"
    )
    for pair, counts in confusion.items():
        differ = pixels - counts.trace()
        either = counts.sum(0) + counts.sum(1) - counts.diagonal()
        ious = {
            info.name: counts[info.id, info.id] / either[info.id]
            for info in dataset.classes
            if info.role == "class" and either[info.id]
        }
        worst = min(ious, key=lambda name: ious[name])
        print(
            f"{' and '.join(pair):17} {differ / pixels:.2%} of all, {differ / outlines:5.1%} of"
            f" those at outlines; IoU of {worst} {ious[worst]:.2f}"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
