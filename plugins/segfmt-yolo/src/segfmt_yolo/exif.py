"""Images that their EXIF turns on the side: loaders of YOLO turn them, so labels must be turned."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

import segfmt

_T = TypeVar("_T", bound=np.generic)

# What each of these orientations does to pixels: mirror them at the diagonal or not, then so many
# quarter turns to the left.
_TURNS = {5: (True, 0), 6: (False, 3), 7: (True, 2), 8: (False, 1)}


def upright_size(image: Path) -> tuple[int, int]:
    """Return the (height, width) that viewers, and `cv2.imread`, show an image in."""
    orientation, (height, width) = segfmt.stored_orientation(image)
    return (width, height) if orientation in _TURNS else (height, width)


def turn_of(sample: segfmt.Sample) -> int:
    """Return the orientation that a sample's label has yet to be turned by, 0 if there is none.

    That is where it was drawn on stored pixels, which its size tells unless the image is square.
    """
    if sample.ref.image is None:
        return 0
    orientation, stored = segfmt.stored_orientation(sample.ref.image)
    as_stored = sample.shape == stored and stored[0] != stored[1]
    return orientation if orientation in _TURNS and as_stored else 0


def turned(mask: segfmt.Mask, orientation: int) -> segfmt.Mask:
    """Return a mask of stored pixels as the image is shown."""
    objects = mask.instances
    return segfmt.Mask(
        _turned(mask.ids, orientation), None if objects is None else _turned(objects, orientation)
    )


def _turned(pixels: npt.NDArray[_T], orientation: int) -> npt.NDArray[_T]:
    mirrored, quarters = _TURNS[orientation]
    return np.ascontiguousarray(np.rot90(pixels.T if mirrored else pixels, quarters))
