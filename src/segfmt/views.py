"""Samples as they are looked at: the image, the mask in colors, and both, in the size of a tile."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from segfmt.edits import unpacked, upright
from segfmt.files import nfc, readable
from segfmt.imagefile import load_image
from segfmt.model import Mask
from segfmt.pictures import lettering, rgb, tile_size
from segfmt.raster import rasterize, rasterize_instances
from segfmt.report import Failed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    import numpy.typing as npt

    from segfmt.adapt import Adapter
    from segfmt.classes import ClassTable, Color
    from segfmt.format import Reader
    from segfmt.model import Polygons, Sample, SampleRef

    Ids = npt.NDArray[np.int32]

NOTHING = -1  # the id of pixels that no polygon covers, where no class is the background
NOTHING_COLOR = (0, 0, 0)
INK, OUTLINE = (255, 255, 255), (0, 0, 0)  # of ids, on any color


class Part(NamedTuple):
    """A class in one sample: its id, its name, and its share of the sample's pixels."""

    id: int
    name: str
    share: float


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One sample, made small.

    Attributes
    ----------
    photo
        The image, RGB; None if there is none, or it does not decode.
    ids
        int32 (height, width), class ids, as large as the photo; None if the label cannot be read.
    parts
        The classes that it has, the largest first.
    error
        What is wrong with it, if anything is.
    """

    split: str
    key: str
    photo: Image.Image | None
    ids: Ids | None
    parts: tuple[Part, ...] = ()
    error: str = ""

    @property
    def size(self) -> tuple[int, int] | None:
        """(width, height) of its tiles."""
        if self.photo is not None:
            return self.photo.size
        return None if self.ids is None else (self.ids.shape[1], self.ids.shape[0])


@dataclass(frozen=True)
class Viewer:
    """Reads samples to be looked at, `width` pixels wide.

    `painter` paints their polygons; errors name files below `root`, which is left out.
    """

    reader: Reader
    classes: ClassTable
    painter: Adapter
    width: int
    root: str

    def __call__(self, ref: SampleRef) -> View:
        """Read one sample. Whatever is wrong with it is in the view's `error`."""
        try:
            sample = self.reader.load(ref)
            ids = self._ids(sample)
        except Exception as error:  # noqa: BLE001 - the others are to be seen all the same
            failed = Failed.of(ref, error)
            return self.of_failed(ref, failed.error)
        values, counts = np.unique(ids, return_counts=True)
        order = np.argsort(-counts, kind="stable").tolist()
        parts = tuple(self._part(int(values[n]), int(counts[n]) / ids.size) for n in order)
        size = tile_size(sample.shape, self.width)
        view = View(readable(ref.split), nfc(readable(ref.key)), None, _shrunk(ids, size), parts)
        try:
            return replace(view, photo=self._photo(sample, size))
        except Exception as error:  # noqa: BLE001 - as above
            return replace(view, error=self._below(Failed.of(ref, error).error))

    def of_failed(self, ref: SampleRef, error: str) -> View:
        """Return what there is to see of a sample that failed: its image, if that opens."""
        photo = None
        if ref.image is not None:
            try:
                whole = rgb(ImageOps.exif_transpose(load_image(ref.image)))
                photo = _resized(whole, tile_size((whole.height, whole.width), self.width))
            except Exception:  # noqa: BLE001 - that it fails is known
                photo = None
        return View(
            readable(ref.split), nfc(readable(ref.key)), photo, None, (), self._below(error)
        )

    def _below(self, error: str) -> str:
        return readable(error).replace(f"{self.root}/", "")

    def _part(self, id: int, share: float) -> Part:
        return Part(id, self._names.get(id, "no class"), share)

    @cached_property
    def _names(self) -> dict[int, str]:
        names = {info.id: nfc(readable(info.name)) for info in self.classes}
        return {**names, NOTHING: "in no polygon"}

    def _ids(self, sample: Sample) -> Ids:
        if isinstance(sample.label, Mask):
            return sample.label.ids.astype(np.int32)
        polygons = self.painter.ruled(sample.label)
        background = self.classes.background
        used = np.unique(polygons.class_ids)
        places = np.searchsorted(used, polygons.class_ids).astype(np.int32) + 1
        ids = np.append(background.id if background else NOTHING, used).astype(np.int32)
        return ids[_painted(polygons, places, sample.shape)]

    def _photo(self, sample: Sample, size: tuple[int, int]) -> Image.Image | None:
        with TemporaryDirectory() as folder, unpacked(sample, Path(folder)) as whole:
            if whole.ref.image is None:
                return None
            image = load_image(whole.ref.image)
            if upright(whole)[0] != 1:
                image = ImageOps.exif_transpose(image)
            return _resized(rgb(image), size)


def mask_tile(ids: Ids, colors: Mapping[int, Color]) -> Image.Image:
    """Return class ids, int32 (height, width), in colors; the id stands on its largest spot."""
    tile = _colored(ids, colors)
    draw_ids(ImageDraw.Draw(tile), ids, INK, OUTLINE)
    return tile


def overlay_tile(
    view: View, colors: Mapping[int, Color], alpha: float, bare: Collection[int]
) -> Image.Image:
    """Return the photo under the mask, which is `alpha` opaque; ids of `bare` show the photo."""
    assert view.ids is not None  # noqa: S101 - the caller looked
    tile = _colored(view.ids, colors)
    if view.photo is not None:
        opacity = np.where(np.isin(view.ids, list(bare)), 0, round(alpha * 255)).astype(np.uint8)
        tile = Image.composite(tile, view.photo, Image.fromarray(opacity))
    draw_ids(ImageDraw.Draw(tile), view.ids, INK, OUTLINE)
    return tile


def draw_ids(draw: ImageDraw.ImageDraw, ids: Ids, ink: Color | int, outline: Color | int) -> None:
    """Write the id of each class on its largest square spot, if it fits in there.

    So that what a region is can be read where its color tells it from no other.
    """
    font = lettering().font
    for id in np.unique(ids).tolist():
        text = "-" if id == NOTHING else str(id)
        left, top, right, bottom = draw.textbbox((0, 0), text, font, stroke_width=1)
        x, y, side = largest_square(ids == id, int(max(right - left, bottom - top)) + 1)
        if side:
            center = (x + side // 2, y + side // 2)
            draw.text(center, text, ink, font, "mm", stroke_width=1, stroke_fill=outline)


def largest_square(spot: npt.NDArray[np.bool_], least: int = 1) -> tuple[int, int, int]:
    """Return left, top and side of the largest square within a region, bool (height, width).

    The side is 0 if none of `least` fits in.
    """
    sums = np.zeros((spot.shape[0] + 1, spot.shape[1] + 1), np.int32)
    np.cumsum(np.cumsum(spot, 0), 1, out=sums[1:, 1:])
    x = y = side = 0
    low, high = least, min(spot.shape)
    tried = low  # most regions are too small, which one look tells
    while low <= high:  # where one fits, smaller ones fit
        inside = sums[tried:, tried:] - sums[:-tried, tried:] - sums[tried:, :-tried]
        full = inside + sums[:-tried, :-tried] == tried * tried
        if full.any():
            y, x = (int(place) for place in np.unravel_index(int(full.argmax()), full.shape))
            side, low = tried, tried + 1
        else:
            high = tried - 1
        tried = (low + high) // 2
    return x, y, side


def ids_of(views: Iterable[View]) -> set[int]:
    """Return the ids that views have, in regions too small to be seen, too."""
    return {part.id for view in views for part in view.parts}


def _painted(
    polygons: Polygons, numbers: npt.NDArray[np.int32], shape: tuple[int, int]
) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
    """Paint polygons in these numbers, from 1, on 0."""
    if numbers.max(initial=0) > 255:
        return rasterize_instances(replace(polygons, instance_ids=numbers), shape)
    return rasterize(replace(polygons, class_ids=numbers, instance_ids=None), shape)


def _colored(ids: Ids, colors: Mapping[int, Color]) -> Image.Image:
    values, places = np.unique(ids, return_inverse=True)
    palette = np.array([colors.get(id, NOTHING_COLOR) for id in values.tolist()], np.uint8)
    return Image.fromarray(palette[places.reshape(ids.shape)])


def _shrunk(ids: Ids, size: tuple[int, int]) -> Ids:
    """Return ids in the size, (width, height), of a tile, each pixel's that is under its center."""
    rows, columns = (
        ((np.arange(length) + 0.5) * whole / length).astype(np.intp)
        for length, whole in zip(size[::-1], ids.shape, strict=True)
    )
    return np.asarray(ids[rows[:, None], columns], np.int32)


def _resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return image.resize(size, Image.Resampling.BILINEAR)
