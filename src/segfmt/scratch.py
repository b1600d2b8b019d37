"""Arrays that each thread uses again for one sample after another."""

from __future__ import annotations

import math
import threading
from typing import Any

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


def canvas(name: str, shape: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Return a `scratch` of (H, W) pixels with room for a byte before each row.

    What is painted here need not be moved to become a PNG, which wants that byte: see `rows_of`.
    """
    rows = scratch(name, (shape[0], shape[1] + 1))
    pixels = rows[:, 1:]
    setattr(_canvases, name, (pixels, rows))
    return pixels


def rows_of(pixels: npt.NDArray[Any]) -> npt.NDArray[np.uint8] | None:
    """Return the rows of this thread's `canvas` that this is, uint8 (H, W + 1), or None."""
    for own, rows in vars(_canvases).values():
        if own is pixels:
            found: npt.NDArray[np.uint8] = rows
            return found
    return None
