"""Pictures of labels for the eye: colored masks, where they differ, legends, sheets."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from segfmt.colors import color_indices
from segfmt.errors import UsageError
from segfmt.files import nfc, replacing, with_folder
from segfmt.imagefile import load_image

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from segfmt.classes import ClassInfo, ClassTable, Color

WIDTH = 480  # of a tile
GAP = 8
LINE = 26
SWATCH = 24
LEGEND_COLUMN = 240
FONT_SIZE = 15
PAPER, INK = (250, 250, 250), (30, 30, 30)
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
# With Hangul, as Linux, Windows and macOS have them; Pillow knows the folders.
HANGUL_FONTS = (
    "NotoSansCJK-Regular.ttc",
    "NotoSansKR-Regular.otf",
    "NotoSansKR-Regular.ttf",
    "NotoSansKR-VF.ttf",
    "NanumGothic.ttf",
    "NanumBarunGothic.ttf",
    "malgun.ttf",
    "AppleSDGothicNeo.ttc",
    "UnDotum.ttf",
    "gulim.ttc",
)
NO_HANGUL = (
    "No font with Hangul is installed here, so that such names are left out and only their numbers "
    "stand. Noto Sans CJK and NanumGothic have it."
)
LATIN = "\u024f"  # the last letter that Pillow's own font may have


class Lettering(NamedTuple):
    """A font, and whether it has Hangul."""

    font: ImageFont.FreeTypeFont
    hangul: bool

    def can(self, text: str) -> bool:
        """Return whether the font has the letters of a text."""
        return self.hangul or all(letter <= LATIN for letter in text)


class Row(NamedTuple):
    """A line of tiles, of equal height, and what stands above it."""

    title: str
    tiles: Sequence[Image.Image]


@dataclass(frozen=True, slots=True)
class Swatch:
    """A color and what it means."""

    color: Color
    text: str

    @classmethod
    def of(cls, info: ClassInfo, *, numbered: bool = True) -> Swatch:
        """Return that of a class: id and name; the id alone where there are no letters for it."""
        name = nfc(info.name)
        if not lettering().can(name):
            return cls(info.color, str(info.id))
        return cls(info.color, f"{info.id} {name}" if numbered else name)


@lru_cache(maxsize=1)
def lettering() -> Lettering:
    """Return the first font with Hangul that is installed, else the one that Pillow brings."""
    for name in HANGUL_FONTS:
        try:
            return Lettering(ImageFont.truetype(name, FONT_SIZE), True)
        except OSError:
            continue
    font = ImageFont.load_default(FONT_SIZE)
    assert isinstance(font, ImageFont.FreeTypeFont)  # noqa: S101 - as it has a size
    return Lettering(font, False)


def check_picture(path: Path) -> None:
    """Raise `UsageError` unless a picture can be saved under that name."""
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"--out {path}: give a name that ends in {', '.join(SUFFIXES)}")


def tile_size(shape: tuple[int, int], width: int = WIDTH) -> tuple[int, int]:
    """Return (width, height) of the tile of an image of that (height, width)."""
    return width, max(1, round(width * shape[0] / shape[1]))


def color_tile(ids: npt.NDArray[np.uint8], classes: ClassTable) -> Image.Image:
    """Return a mask, uint8 (H, W), in its classes' colors."""
    height, width = ids.shape
    small = Image.fromarray(ids).resize(tile_size((height, width)), Image.Resampling.NEAREST)
    return Image.fromarray(color_indices(np.asarray(small), classes))


def photo_tile(path: Path, shape: tuple[int, int]) -> Image.Image:
    """Return an image in the size of the tile of a label of that (height, width)."""
    return rgb(load_image(path)).resize(tile_size(shape), Image.Resampling.BILINEAR)


def rgb(image: Image.Image) -> Image.Image:
    """Return an image as RGB; of more than 8 bits, what it has is spread over 0 to 255."""
    if image.mode.startswith(("I", "F")):
        values = np.nan_to_num(np.asarray(image, np.float64))
        # All but the darkest and the brightest pixel of a hundred: one glint must not blacken it.
        low, high = np.percentile(values, (1, 99))
        spread = (values - low) / max(high - low, 1) * 255
        image = Image.fromarray(spread.clip(0, 255).astype(np.uint8))
    if "transparency" in image.info:  # which Pillow warns about in some modes
        image = image.convert("RGBA")
    return image.convert("RGB")


def spot_tile(spots: npt.NDArray[np.bool_]) -> Image.Image:
    """Return a mode-1 tile that shows every spot, however small: of a block, any pixel counts."""
    width, height = tile_size((spots.shape[0], spots.shape[1]))
    for axis, size in ((0, height), (1, width)):
        length = spots.shape[axis]
        starts = np.arange(size) * length // size
        if size <= length:
            spots = np.logical_or.reduceat(spots, starts, axis=axis)
        else:
            spots = spots.take(starts, axis=axis)
    return Image.fromarray(spots)


def legend(swatches: Iterable[Swatch], width: int) -> Image.Image:
    """Return colors and what they mean, in as many columns as fit."""
    listed = list(swatches)
    columns = max(1, width // LEGEND_COLUMN)
    picture = Image.new("RGB", (width, -(-len(listed) // columns) * LINE), PAPER)
    draw = ImageDraw.Draw(picture)
    for place, swatch in enumerate(listed):
        row, column = divmod(place, columns)
        x, y = column * (width // columns), row * LINE
        draw.rectangle((x, y + 5, x + SWATCH, y + 19), fill=swatch.color, outline=INK)
        room = width // columns - SWATCH - 2 * GAP
        _write(draw, (x + SWATCH + GAP, y + 3), swatch.text, room)
    return picture


def text_tile(text: str, size: tuple[int, int]) -> Image.Image:
    """Return a tile of that (width, height) with as many lines of a text as fit."""
    tile = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(tile)
    font = lettering().font
    rest, y = text.strip(), 4
    while rest and y + LINE <= size[1]:
        end = len(rest)
        while end > 1 and draw.textlength(rest[:end], font) > size[0] - 2 * GAP:
            end = (rest.rfind(" ", 0, end) + 1 or end) - 1  # at a blank, else wherever it is full
        _write(draw, (GAP, y), rest[:end], size[0] - GAP)
        rest, y = rest[end:].lstrip(), y + LINE
    return tile


def note_for(classes: Iterable[ClassInfo]) -> str:
    """Return what a sheet has to say of names that it has no letters for, if there are any."""
    return "" if all(lettering().can(nfc(info.name)) for info in classes) else NO_HANGUL


def sheet(
    headings: Sequence[str],
    rows: Iterable[Row],
    swatches: Iterable[Swatch],
    note: str = "",
    *,
    columns: int = 1,
    tile_width: int = WIDTH,
) -> Image.Image:
    """Return rows of tiles under headings, with a legend and a note below.

    `columns` rows stand side by side.
    """
    listed = list(rows)
    bands = [listed[start : start + columns] for start in range(0, len(listed), columns)]
    heights = [LINE + max(t.height for row in band for t in row.tiles) + GAP for band in bands]
    row_width = len(headings) * (tile_width + GAP)
    width = columns * row_width + GAP
    names = legend(swatches, width - 2 * GAP)
    height = LINE + sum(heights) + names.height + 2 * GAP + LINE * bool(note)
    picture = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(picture)
    for place, heading in enumerate([*headings] * columns):
        _write(draw, (GAP + place * (tile_width + GAP), 4), heading, tile_width)
    y = LINE
    for band, band_height in zip(bands, heights, strict=True):
        for column, row in enumerate(band):
            left = GAP + column * row_width
            _write(draw, (left, y + 3), row.title, row_width - GAP)
            for place, tile in enumerate(row.tiles):
                picture.paste(tile, (left + place * (tile_width + GAP), y + LINE))
        y += band_height
    picture.paste(names, (GAP, y + GAP))
    _write(draw, (GAP, height - LINE), note, width - GAP)
    return picture


def save_picture(path: Path, picture: Image.Image) -> None:
    """Save a picture, whole or not at all, in the format of its name."""
    format = Image.registered_extensions()[path.suffix.lower()]
    with replacing(path) as part:
        with_folder(path, lambda: picture.save(part, format))


def _write(draw: ImageDraw.ImageDraw, place: tuple[int, int], text: str, room: int) -> None:
    """Write a line, cut off where it would be wider than `room`."""
    letters = lettering()
    shown = "".join(letter if letters.can(letter) else "?" for letter in nfc(text))
    if draw.textlength(shown, letters.font) > room:
        while shown and draw.textlength(shown + "...", letters.font) > room:
            shown = shown[:-1]
        shown += "..."
    draw.text(place, shown, INK, letters.font)
