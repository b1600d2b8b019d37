"""What two images that look alike have in common: a perceptual hash and a tiny thumbnail.

The hash is pHash: the signs, against their median, of the 64 lowest frequencies of a cosine
transform of the image in 32 x 32 grey values (Zauner 2010). It is the same under other sizes, JPEG
qualities and brightness, and differs in few bits for a frame that has moved by little. It says too
little of images that have next to no such frequencies, as those of the night: so whether two are
alike, their thumbnails say. See `segfmt.kernels.near`.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from segfmt.imagefile import decoded, open_image

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

SIDE = 32  # of the grey image
THUMBNAIL = 16  # its side
BITS = 64
# Of a coefficient: half a grey level on the mean. What is below is what JPEG and rounding leave.
NOTHING = 16.0
_BLOCK = 1 << 20


class Look(NamedTuple):
    """How an image looks.

    `type` is Pillow's name of the file's format; `digest` is of the file's bytes, `hash` the
    perceptual one, both of 64 bits; `thumbnail` is uint8 (256,), grey values of 16 x 16.
    """

    type: str
    digest: int
    hash: int
    thumbnail: npt.NDArray[np.uint8]


def look_of(path: Path) -> Look:
    """Return how an image looks; `FormatError` if it does not decode."""
    type, grey = _grey(path)
    halves = grey.reshape(THUMBNAIL, 2, THUMBNAIL, 2).astype(np.uint16).sum((1, 3))
    thumbnail = ((halves + 2) // 4).astype(np.uint8).reshape(-1)
    return Look(type, _digest(path), perceptual_hash(grey), thumbnail)


def perceptual_hash(grey: npt.NDArray[np.uint8]) -> int:
    """Return the 64 bits of a grey image, uint8 (32, 32).

    >>> perceptual_hash(np.full((32, 32), 7, np.uint8))
    0
    """
    spectrum = _COSINES @ grey.astype(np.float64) @ _COSINES.T
    low = spectrum[_ROWS, _COLUMNS]
    low[np.abs(low) < NOTHING] = 0
    bits = np.packbits(low > np.median(low)).tobytes()
    return int.from_bytes(bits)


def _grey(path: Path) -> tuple[str, npt.NDArray[np.uint8]]:
    """Return the type of an image file, and the image in 32 x 32 grey values."""
    with open_image(path) as image:
        # A JPEG is decoded at an eighth of its size where that is enough: three times as fast.
        drafted = image.draft("L", (2 * SIDE, 2 * SIDE))
        pixels = decoded(image, path)
        if pixels.mode[0] in "IF":  # of over 8 bits, which Pillow would clip
            values = np.nan_to_num(np.asarray(pixels, np.float64))
            low, high = float(values.min()), float(values.max())
            scaled = (values - low) * (255 / max(high - low, 1))
            pixels = Image.fromarray(scaled.astype(np.uint8))
        grey = pixels.convert("RGBA" if pixels.mode == "P" else "L").convert("L")
        # Its last rows and columns may stand for less than an eighth of eight.
        box = drafted[1] if drafted else None
        small = grey.resize((SIDE, SIDE), Image.Resampling.BILINEAR, box)
        return str(image.format), np.asarray(small)


def _digest(path: Path) -> int:
    digest = blake2b(digest_size=8)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return int.from_bytes(digest.digest())


def _cosines() -> npt.NDArray[np.float64]:
    """Return the rows of the orthonormal cosine transform (DCT-II) of 32 values."""
    frequencies, places = np.mgrid[:SIDE, :SIDE]
    rows: npt.NDArray[np.float64] = np.cos(np.pi * frequencies * (2 * places + 1) / (2 * SIDE))
    rows *= np.sqrt(2 / SIDE)
    rows[0] /= np.sqrt(2)
    return rows


def _lowest() -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return rows and columns of the 64 lowest frequencies, the mean left out.

    Not in their order: neighbors tell much the same, and images are looked up by parts of the hash,
    each of which is to tell as much as it can.
    """
    places = sorted((u + v, u, v) for u in range(SIDE) for v in range(SIDE) if u + v)[:BITS]
    mixed = np.array([places[place * 25 % BITS] for place in range(BITS)])
    return mixed[:, 1], mixed[:, 2]


_COSINES = _cosines()
_ROWS, _COLUMNS = _lowest()
