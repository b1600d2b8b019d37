"""PNG masks read through ISA-L: most of what reading a mask costs is unpacking it."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, cast

import numpy as np
from isal import isal_zlib

if TYPE_CHECKING:
    import numpy.typing as npt

# Its stubs do not say that it is an exception.
_Damaged: type[Exception] = cast("type[Exception]", isal_zlib.error)
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Bytes a pixel, by bit depth and color type: grey, RGB, palette, RGBA, and grey of 16 bits.
_STEPS = {(8, 0): 1, (8, 2): 3, (8, 3): 1, (8, 6): 4, (16, 0): 2}


def decode_png(data: bytes) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16] | None:
    """Return the samples of a PNG as they are stored: (H, W), or (H, W, 3 or 4) of colors.

    uint8, or uint16 of 16-bit grey; palettes are not applied. None for what is left to a general
    decoder: other depths and kinds, interlaced images, and whatever is damaged in any way.
    """
    header = _header(data)
    if header is None:
        return None
    width, height, step = header
    parts = []
    place = 33  # after the signature and IHDR
    while True:
        if place + 12 > len(data):
            return None
        size, kind = struct.unpack_from(">I4s", data, place)
        end = place + 12 + size
        if end > len(data):
            return None
        check = isal_zlib.crc32(memoryview(data)[place + 4 : end - 4])
        if check != struct.unpack_from(">I", data, end - 4)[0]:
            return None
        if kind == b"IEND":
            break
        if kind == b"IDAT":
            parts.append(memoryview(data)[place + 8 : end - 4])
        place = end
    expected = height * (width * step + 1)
    unpacker = isal_zlib.decompressobj()
    try:
        # One byte more than there should be shows that there is more.
        raw = unpacker.decompress(b"".join(parts), expected + 1)
    except _Damaged:
        return None
    return _rows(raw, width, height, step) if len(raw) == expected and unpacker.eof else None


def _header(data: bytes) -> tuple[int, int, int] | None:
    """Return width, height and bytes a pixel, if it is a kind of PNG that is decoded here."""
    if len(data) < 33 or not data.startswith(_SIGNATURE) or data[12:16] != b"IHDR":
        return None
    width, height, depth, color, packing, filters, interlaced = struct.unpack_from(
        ">IIBBBBB", data, 16
    )
    step = _STEPS.get((depth, color), 0)
    return (width, height, step) if step and not (packing or filters or interlaced) else None


def _rows(
    raw: bytes, width: int, height: int, step: int
) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16] | None:
    from segfmt.kernels.unfilter import unfilter

    out = np.empty(height * width * step, np.uint8)
    if unfilter(np.frombuffer(raw, np.uint8), width * step, step, out) >= 0:
        return None
    if step == 2:
        return out.view(">u2").astype(np.uint16).reshape(height, width)
    return out.reshape((height, width) if step == 1 else (height, width, step))
