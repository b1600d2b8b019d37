"""Mean and standard deviation of images, as training code normalizes by them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from segfmt.imagefile import load_image

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

# Pillow's modes of 8-bit channels; it would clip deeper ones to 8 bits.
EIGHT_BITS = frozenset(
    {"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB", "HSV"}
)
Triple = tuple[float, float, float]


def color_counts(path: Path) -> npt.NDArray[np.int64] | None:
    """Return how often each value of red, green and blue stands in an image, int64 (3, 256).

    None for channels that are not of 8 bits. Grey counts for all three, and alpha is left out, as
    loaders have it. Raises `FormatError` for a file that does not decode.
    """
    image = load_image(path)
    if image.mode not in EIGHT_BITS:
        return None
    if image.mode == "P":
        image = image.convert("RGBA")  # from which alpha goes without a warning
    if image.mode != "RGB":
        image = image.convert("RGB")
    return np.array(image.histogram(), np.int64).reshape(3, 256)


def mean_and_std(counts: npt.NDArray[np.int64]) -> tuple[Triple, Triple]:
    """Return mean and standard deviation, 0 to 255, of values that stand there so often.

    `counts` is int64 (3, 256), no row all zero. Every pixel counts the same, so that large images
    count for more, and the variance is divided by their number. Sums are whole numbers, which
    nothing is lost of.

    >>> mean_and_std(np.eye(3, 256, 10, dtype=np.int64) + np.eye(3, 256, 14, dtype=np.int64))
    ((12.0, 13.0, 14.0), (2.0, 2.0, 2.0))
    """
    means, stds = [], []
    for row in counts.tolist():
        n = sum(row)
        total = sum(value * count for value, count in enumerate(row))
        squares = sum(value * value * count for value, count in enumerate(row))
        means.append(total / n)
        stds.append(math.sqrt(n * squares - total * total) / n)
    return (means[0], means[1], means[2]), (stds[0], stds[1], stds[2])
