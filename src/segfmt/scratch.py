"""Arrays that each thread uses again for one sample after another."""

from __future__ import annotations

import math
import threading
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

_buffers = threading.local()
_canvases = threading.local()


def scratch(name: str, shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """Return this thread's uint8 array of that name, with whatever stood in it before.

    It is good until the thread asks for that name again. Pages fresh from the system cost more than
    painting a mask into them, or packing it: on full HD, half of all the time of a conversion.
    """
    size = math.prod(shape)
    buffer: npt.NDArray[np.uint8] | None = getattr(_buffers, name, None)
    if buffer is None or buffer.size < size:
        buffer = np.empty(size, np.uint8)
        setattr(_buffers, name, buffer)
    return buffer[:size].reshape(shape)


class Canvas(NamedTuple):
    """Memory for an image and a byte before each row, in three views.

    `pixels` is (H, W). `rows` has the byte before each row, `wide` the one behind, which is that of
    the next: both are contiguous, (H, W + 1).
    """

    pixels: npt.NDArray[np.uint8]
    rows: npt.NDArray[np.uint8]
    wide: npt.NDArray[np.uint8]


def canvas(name: str, shape: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Return a `scratch` of (H, W) pixels with room for a byte before each row.

    What is painted here need not be moved to become a PNG, which wants that byte: see `canvas_of`.
    """
    height, width = shape
    flat = scratch(name, (height * (width + 1) + 1,))
    rows, wide = flat[:-1].reshape(height, width + 1), flat[1:].reshape(height, width + 1)
    made = Canvas(wide[:, :width], rows, wide)
    setattr(_canvases, name, made)
    return made.pixels


def canvas_of(pixels: npt.NDArray[Any]) -> Canvas | None:
    """Return the canvas of this thread that these are the pixels of, or None."""
    for own in vars(_canvases).values():
        if own.pixels is pixels:
            found: Canvas = own
            return found
    return None
