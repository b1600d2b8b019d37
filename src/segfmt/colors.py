"""Color masks: from colors to ids, and back."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np

from segfmt.errors import FormatError, UsageError
from segfmt.files import atomic_write
from segfmt.imagefile import read_colors
from segfmt.model import Mask, Note
from segfmt.png import encode_png_in_colors

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import numpy.typing as npt

    from segfmt.classes import ClassInfo, ClassTable

UnknownColor = Literal["error", "ignore", "background"]
AmbiguousColor = Literal["error", "first"]
LISTED = 5  # unknown colors that a message names


def index_colors(
    rgb: npt.NDArray[np.uint8], classes: ClassTable, *, unknown: UnknownColor = "error"
) -> npt.NDArray[np.uint8]:
    """Return the index mask, uint8 (H, W), of a color mask, uint8 (H, W, 3).

    Raises
    ------
    FormatError
        For colors that no class has, with count, place and nearest class, unless `unknown` says
        what their pixels become; for pixels of a color that several classes share.
    UsageError
        If pixels are to become a role that no class has.

    >>> from segfmt import ClassInfo, ClassTable
    >>> table = ClassTable([ClassInfo(0, "sky", (9, 9, 9)), ClassInfo(7, "road", (1, 2, 3))])
    >>> index_colors(np.array([[[1, 2, 3], [9, 9, 9]]], np.uint8), table)
    array([[7, 0]], dtype=uint8)
    """
    ids, groups, _ = _indexed(rgb, classes, unknown)
    for group in groups:
        if (ids == group[0].id).any():
            y, x = np.unravel_index(int((ids == group[0].id).argmax()), ids.shape)
            names = " and ".join(f'"{info.name}"' for info in group)
            raise FormatError(
                f"the color {group[0].color} is that of {names}", where=f"pixel x={x}, y={y}"
            )
    return ids


def color_indices(ids: npt.NDArray[np.uint8], classes: ClassTable) -> npt.NDArray[np.uint8]:
    """Return the color mask, uint8 (H, W, 3), of an index mask, uint8 (H, W).

    Ids that are no class are black.
    """
    from segfmt.kernels.lut import color_indices as kernel

    height, width = ids.shape
    out = np.empty((height, 3 * width), np.uint8)
    kernel(np.ascontiguousarray(ids), classes.palette(), out, 0)
    return out.reshape(height, width, 3)


def write_color_mask(path: Path, ids: npt.NDArray[np.uint8], classes: ClassTable) -> None:
    """Write an index mask, uint8 (H, W), as RGB PNG in its classes' colors, whole or not at all.

    Ids that are no class are black. The same file as `write_colors` makes of `color_indices`,
    without the array of colors between them.
    """
    atomic_write(path, encode_png_in_colors(ids, classes.palette()))


def load_color_mask(
    path: Path,
    classes: ClassTable,
    *,
    unknown: UnknownColor = "error",
    ambiguous: AmbiguousColor = "error",
) -> tuple[Mask, tuple[Note, ...]]:
    """Read a color mask for a reader's `load`; return the mask and what is to be reported.

    A color that several classes share becomes the first of them. Whether that matters, only the map
    to the target's classes can tell, so the mask says which ids are not told apart; `first` says
    that it does not matter. Raises what `read_colors` and `index_colors` do.
    """
    rgb = read_colors(path)
    try:
        ids, groups, notes = _indexed(rgb, classes, unknown)
    except FormatError as error:
        error.path = path
        raise
    if ambiguous == "first":
        return Mask(ids), notes
    shared = tuple(tuple(info.id for info in group) for group in groups)
    return Mask(ids, ambiguous=shared), notes


def _indexed(
    rgb: npt.NDArray[np.uint8], classes: ClassTable, unknown: UnknownColor
) -> tuple[npt.NDArray[np.uint8], list[tuple[ClassInfo, ...]], tuple[Note, ...]]:
    """Return ids, the groups of classes that share a color, and notes."""
    from segfmt.kernels.lut import index_colors as kernel

    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3:
        raise ValueError(f"rgb must be uint8 (H, W, 3), not {rgb.dtype} {rgb.shape}")
    role = getattr(classes, unknown) if unknown != "error" else None
    if unknown != "error" and role is None:
        raise UsageError(f"unknown colors cannot become {unknown}: no class is that")
    table, multiplier, shift = _table(tuple(classes))
    flat = np.ascontiguousarray(rgb).reshape(-1)
    words = flat[: flat.size // 4 * 4].view("<u4").astype(np.uint32, copy=False)
    ids = np.empty(rgb.shape[:2], np.uint8)
    value = np.uint8(role.id if role else 0)
    count, first = kernel(flat, words, table, multiplier, shift, value, ids.reshape(-1))
    groups = list(classes.shared_colors().values())
    if not count:
        return ids, groups, ()
    strange = _strange_colors(flat.reshape(-1, 3), classes)
    if role is None:
        y, x = divmod(first, rgb.shape[1])
        raise _unknown_error(strange, count, x, y, classes)
    notes = tuple(Note("pixels of unknown color", str(color), n) for color, n in strange)
    return ids, groups, notes


@lru_cache(maxsize=8)
def _table(
    classes: tuple[ClassInfo, ...],
) -> tuple[npt.NDArray[np.uint32], np.uint32, np.uint32]:
    from segfmt.kernels.lut import color_table

    first: dict[tuple[int, int, int], int] = {}
    for info in classes:
        if info.id > 255:
            raise UsageError(f'class "{info.name}" has the id {info.id}: masks end at 255')
        first.setdefault(info.color, info.id)
    colors = np.array(list(first), np.uint8).reshape(-1, 3)
    table, multiplier, shift = color_table(colors, np.array(list(first.values()), np.uint8))
    return table, np.uint32(multiplier), np.uint32(shift)


def _strange_colors(
    pixels: npt.NDArray[np.uint8], classes: Iterable[ClassInfo]
) -> list[tuple[tuple[int, int, int], int]]:
    """Return the colors that no class has, each with its count of pixels, most frequent first."""
    keys = pixels.astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)
    found, counts = np.unique(keys, return_counts=True)
    known = {r << 16 | g << 8 | b for r, g, b in (info.color for info in classes)}
    rows = sorted(
        zip(counts.tolist(), found.tolist(), strict=True), key=lambda row: (-row[0], row[1])
    )
    return [
        ((key >> 16, key >> 8 & 255, key & 255), count) for count, key in rows if key not in known
    ]


def _unknown_error(
    strange: list[tuple[tuple[int, int, int], int]], count: int, x: int, y: int, classes: ClassTable
) -> FormatError:
    named = []
    for color, n in strange[:LISTED]:
        nearest = min(
            classes,
            key=lambda info: sum((a - b) ** 2 for a, b in zip(color, info.color, strict=True)),
        )
        named.append(f'{color} on {n}, nearest "{nearest.name}" {nearest.color}')
    more = len(strange) - LISTED
    words = "; ".join(named) + (f"; and {more} more" if more > 0 else "")
    return FormatError(
        f"has {count} pixel{'s' * (count > 1)} of colors that no class has: {words}",
        where=f"pixel x={x}, y={y}",
        mend="Give the table it was colored by, or -i unknown=ignore or background.",
        notes=[Note("pixels of unknown color", str(color), n) for color, n in strange[:LISTED]],
    )


def recode_ids(ids: npt.NDArray[np.uint8], lut: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return `lut[ids]`, uint8 (H, W), by a table uint8 (256,): at a tenth of NumPy's time."""
    from segfmt.kernels.lut import remap_ids

    out = np.empty(ids.shape, np.uint8)
    flat = np.ascontiguousarray(ids).reshape(-1)
    remap_ids(flat, np.ascontiguousarray(lut), out.reshape(-1), np.empty(256, np.uint8))
    return out
