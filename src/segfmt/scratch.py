"""Arrays that each thread uses again for one sample after another."""

from __future__ import annotations

import math
import threading

import numpy as np
import numpy.typing as npt

_buffers = threading.local()


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
