"""Label files: a line an object, its class and then the shares of its points."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

import segfmt

Ring = npt.NDArray[np.float64]
Shares = npt.NDArray[np.float32]

TOLERANCE = 0.01  # how far off the image Ultralytics lets a box lie
BOX = 4
_NUMBERS = msgspec.json.Decoder(list[float])


class Line(NamedTuple):
    """A line of a label file: `number` from 1, the class as YOLO numbers it.

    `shares` are (N, 2), of the image's width and height: the points, or of a box its four corners.
    """

    number: int
    id: int
    shares: Shares
    is_box: bool

    @property
    def is_cut_off(self) -> bool:
        """Whether it is not all within the image."""
        return not 0 <= self.shares.min() <= self.shares.max() <= 1


def read_label(path: Path) -> list[Line]:
    """Read a label file, which may be empty; `FormatError` where Ultralytics would drop the image.

    Shares are float32, as Ultralytics has them: their pixels depend on it.
    """
    return [_line(path, number, text) for number, text in segfmt.read_list(path)]


def _line(path: Path, number: int, text: str) -> Line:
    where = f"line {number}"
    values = _values(text)
    with np.errstate(over="ignore"):  # to infinity, which is refused
        shares = np.empty(0, np.float32) if values is None else values[1:].astype(np.float32)
    if values is None or not (np.isfinite(values[0]) and np.isfinite(shares).all()):
        raise segfmt.FormatError(
            "has something else than numbers", path=path, where=where, mend="Mend that line."
        )
    id = float(values[0])
    if not id.is_integer():
        raise segfmt.FormatError(f"begins with {id:g}, which is no class", path=path, where=where)
    if len(shares) != BOX and (len(shares) < 6 or len(shares) % 2):
        raise segfmt.FormatError(
            f"has {len(shares)} numbers after the class: neither an outline, which is x and y of "
            "three points or more, nor a box",
            path=path,
            where=where,
            mend="If the last is a confidence, as predictions have it, remove it."
            if len(shares) % 2
            else "",
        )
    is_box = len(shares) == BOX
    line = Line(number, int(id), _corners(shares) if is_box else shares.reshape(-1, 2), is_box)
    if is_box or line.is_cut_off:
        box = shares if is_box else _box(line.shares)
        if box.max() > 1 + TOLERANCE or box.min() < -TOLERANCE or box[2:].min() < 0:
            worst = shares[np.abs(shares - 0.5).argmax()]
            raise segfmt.FormatError(
                f"has {worst:g}, and shares of the image's width and height are 0 to 1",
                path=path,
                where=where,
                mend="Divide pixels by the image's width and height.",
            )
    return line


def _values(text: str) -> npt.NDArray[np.float64] | None:
    if "," not in text:
        try:
            # As JSON, numbers are read in a fifth of the time; tabs and `.5` are none of that.
            return np.array(_NUMBERS.decode(f"[{text.replace(' ', ',')}]"))
        except msgspec.DecodeError:
            pass
    try:
        return np.array([float(part) for part in text.split()])
    except ValueError:
        return None


def _box(points: Shares) -> Shares:
    """Return the box of an outline: the x and y of its center, its width and height."""
    low, high = points.min(axis=0), points.max(axis=0)
    return np.concatenate([(low + high) / 2, high - low])


def _corners(box: Shares) -> Shares:
    x, y, width, height = box
    left, right, top, bottom = x - width / 2, x + width / 2, y - height / 2, y + height / 2
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    return np.array(corners, np.float32)


def to_pixels(shares: Shares, shape: tuple[int, int]) -> Ring:
    """Return points in pixels as Ultralytics has them: the product in float32."""
    return (shares * np.array(shape[::-1], np.float32)).astype(np.float64)


def label_text(ids: Sequence[int], rings: Sequence[Ring], shape: tuple[int, int]) -> bytes:
    """Return a label file: a line for each ring, in pixels within the image, and its YOLO class.

    Six decimals, as Ultralytics and CVAT write; nine for images so large that six would not tell
    pixels apart. Loaders cut shares times size to whole numbers, or round them, in float32 or
    float64: a share that any of them would take for a pixel before its own is moved up by one in
    the last place, so that all read the pixel that was meant.
    """
    if not rings:
        return b""
    places = 6 if max(shape) < 10**5 else 9
    points = np.concatenate(rings)
    ticks = np.stack([_ticks(points[:, axis], shape[1 - axis], places) for axis in (0, 1)], axis=1)
    # Cells of one width, " 0.123456": text by array operations is ten times faster than by number.
    rest = ticks.reshape(-1)
    cells = np.empty((len(rest), places + 3), np.uint8)
    for place in range(places + 2, 2, -1):
        rest, digit = np.divmod(rest, 10)
        cells[:, place] = digit
    cells[:, 1] = rest
    cells += np.uint8(ord("0"))
    cells[:, 0], cells[:, 2] = ord(" "), ord(".")
    text = cells.tobytes()
    ends = np.cumsum([len(ring) for ring in rings]) * 2 * (places + 3)
    starts = [0, *ends[:-1].tolist()]
    return b"".join(
        b"%d%b\n" % (id, text[start:end])
        for id, start, end in zip(ids, starts, ends.tolist(), strict=True)
    )


def _ticks(values: npt.NDArray[np.float64], size: int, places: int) -> npt.NDArray[np.uint32]:
    """Return the shares of `values` in a size as whole numbers of the last decimal."""
    scale = 10**places
    step = 1 if places == 6 else 240  # more than float32 may be off
    whole = np.trunc(values)
    ticks = np.rint(values * scale / size)
    shares = ticks / scale
    cut = np.trunc(shares * size), np.trunc(shares.astype(np.float32) * np.float32(size))
    ticks += step * (np.minimum(*cut) < whole)
    ticks -= step * (np.maximum(*cut) > whole)
    return np.asarray(ticks, np.uint32)
