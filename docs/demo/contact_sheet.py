"""One picture of a VOC dataset for the eye: image, mask and overlay side by side, with a legend."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

WIDTH = 480  # of one picture
GAP = 8
LEGEND_COLUMNS = 6
LINE = 26
PAPER, INK = (250, 250, 250), (30, 30, 30)


def picture_row(base: Path, key: str) -> tuple[list[Image.Image], set[int]]:
    """Return image, mask in its own palette, and overlay of one sample; and the ids in its mask."""
    image = Image.open(base / "JPEGImages" / f"{key}.jpg").convert("RGB")
    mask = Image.open(base / "SegmentationClass" / f"{key}.png")
    colors = mask.convert("RGB")
    size = (WIDTH, round(WIDTH * image.height / image.width))
    overlay = Image.blend(image, colors, 0.5)
    row = [
        image.resize(size, Image.Resampling.LANCZOS),
        colors.resize(size, Image.Resampling.NEAREST),
        overlay.resize(size, Image.Resampling.LANCZOS),
    ]
    return row, set(np.unique(np.asarray(mask)).tolist())


def legend(
    classes: list[dict[str, object]], width: int, font: ImageFont.FreeTypeFont
) -> Image.Image:
    """Return a swatch and a name for each class."""
    rows = -(-len(classes) // LEGEND_COLUMNS)
    sheet = Image.new("RGB", (width, rows * LINE), PAPER)
    draw = ImageDraw.Draw(sheet)
    for index, info in enumerate(classes):
        x = index % LEGEND_COLUMNS * width // LEGEND_COLUMNS
        y = index // LEGEND_COLUMNS * LINE
        draw.rectangle((x, y + 5, x + 24, y + 19), fill=tuple(info["color"]), outline=INK)
        draw.text((x + 32, y + 3), f"{info['id']} {info['name']}", INK, font)
    return sheet


def contact_sheet(base: Path, keys: list[str]) -> Image.Image:
    """Return the sheet of some samples of the VOC dataset in `base`."""
    font = ImageFont.load_default(15)
    assert isinstance(font, ImageFont.FreeTypeFont)
    rows, seen = [], set()
    for key in keys:
        row, ids = picture_row(base, key)
        rows.append(row)
        seen |= ids
    classes = json.loads((base / "classes.json").read_bytes())
    width = 3 * WIDTH + 4 * GAP
    names = legend([info for info in classes if info["id"] in seen], width - 2 * GAP, font)
    height = LINE + sum(row[0].height + GAP for row in rows) + names.height + 2 * GAP
    sheet = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(sheet)
    for column, title in enumerate(("image", "mask", "overlay")):
        draw.text((GAP + column * (WIDTH + GAP), 4), title, INK, font)
    y = LINE
    for row in rows:
        for column, picture in enumerate(row):
            sheet.paste(picture, (GAP + column * (WIDTH + GAP), y))
        y += row[0].height + GAP
    sheet.paste(names, (GAP, y + GAP))
    return sheet


def listed(base: Path, count: int) -> list[str]:
    """Return the first so many keys of a VOC dataset's training list, evenly spread."""
    keys = (base / "ImageSets" / "Segmentation" / "train.txt").read_text(encoding="utf-8").split()
    picks: npt.NDArray[np.int_] = np.linspace(0, len(keys) - 1, min(count, len(keys))).astype(int)
    return [keys[pick] for pick in picks]


if __name__ == "__main__":
    folder, target = Path(sys.argv[1]), Path(sys.argv[2])
    contact_sheet(folder, listed(folder, 4)).save(target)
