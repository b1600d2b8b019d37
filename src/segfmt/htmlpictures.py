"""Samples as pictures that stand in an HTML page itself."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from segfmt.views import NOTHING, NOTHING_COLOR, draw_ids
from segfmt.words import percent

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    import numpy.typing as npt

    from segfmt.classes import ClassTable, Color
    from segfmt.views import View

JPEG_QUALITY = 75
INK, OUTLINE = 255, 254  # of ids, as places in the mask's palette
LARGEST = 254  # classes in one mask; more are as good as none to look at
NAMED = 8  # classes under a picture


@dataclass(frozen=True, slots=True)
class Figure:
    """A sample in a page; `photo` and `mask` are data URIs, or empty.

    The mask is transparent where it is background, and `ground` is what shows there.
    """

    title: str
    width: int
    height: int
    photo: str
    mask: str
    ground: str
    ids: frozenset[int]
    parts: str
    error: str

    @property
    def weight(self) -> int:
        """Its bytes in the page, near enough."""
        return len(self.photo) + len(self.mask)


def figures(views: Iterable[View], classes: ClassTable, room: int) -> list[Figure]:
    """Return figures of those with anything to see, until `room`, in bytes, is used up."""
    colors = {info.id: info.color for info in classes}
    background = classes.background
    bare = [NOTHING, *([background.id] if background else [])]
    ground = hex_color(background.color if background else NOTHING_COLOR)
    made = []
    for view in views:
        if view.size is None:
            continue
        figure = _figure(view, colors, bare, ground)
        room -= figure.weight
        if room < 0:
            break
        made.append(figure)
    return made


def hex_color(color: Color) -> str:
    """Return a color as HTML has it.

    >>> hex_color((255, 0, 16))
    '#ff0010'
    """
    return "#{:02x}{:02x}{:02x}".format(*color)


def _figure(view: View, colors: Mapping[int, Color], bare: Collection[int], ground: str) -> Figure:
    assert view.size is not None  # noqa: S101 - the caller looked
    named = [_in_words(part.id, part.name, part.share) for part in view.parts[:NAMED]]
    more = len(view.parts) - NAMED
    return Figure(
        f"{view.split}/{view.key}",
        *view.size,
        "" if view.photo is None else _uri(view.photo, "jpeg", quality=JPEG_QUALITY),
        "" if view.ids is None else _mask_uri(view.ids, colors, bare),
        ground,
        frozenset(part.id for part in view.parts),
        ", ".join(named) + (f" and {more} more" if more > 0 else ""),
        view.error,
    )


def _in_words(id: int, name: str, share: float) -> str:
    return f"{name if id == NOTHING else f'{id} {name}'} {percent(share)}"


def _mask_uri(
    ids: npt.NDArray[np.int32], colors: Mapping[int, Color], bare: Collection[int]
) -> str:
    """Return a mask as a palette PNG, transparent in the ids of `bare`."""
    values, places = np.unique(ids, return_inverse=True)
    shown = values[:LARGEST].tolist()
    image = Image.fromarray(places.reshape(ids.shape).clip(0, LARGEST - 1).astype(np.uint8))
    palette = np.zeros((256, 3), np.uint8)
    palette[: len(shown)] = [colors.get(id, NOTHING_COLOR) for id in shown]
    palette[INK] = 255
    image.putpalette(palette.reshape(-1).tolist())
    draw_ids(ImageDraw.Draw(image), ids, INK, OUTLINE)
    opacity = bytes(0 if id in bare else 255 for id in shown)
    return _uri(image, "png", transparency=opacity, optimize=True)


def _uri(image: Image.Image, format: str, **options: object) -> str:
    file = io.BytesIO()
    image.save(file, format, **options)
    return f"data:image/{format};base64,{base64.b64encode(file.getvalue()).decode()}"
