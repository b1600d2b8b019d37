"""Image files: headers, index masks as PNG, photographs put in their place."""

from __future__ import annotations

import os
import shutil
import struct
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

import numpy as np
from isal import isal_zlib
from PIL import Image, ImageFile, UnidentifiedImageError

from segfmt.errors import FormatError
from segfmt.files import atomic_write, replacing, with_folder
from segfmt.model import MAX_PIXELS, Note
from segfmt.scratch import scratch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy.typing as npt

Placement = Literal["copy", "hardlink", "symlink", "none"]
IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"})
JPEG_QUALITY = 95
TAIL = (
    4096  # where the end mark of a whole file is looked for: some cameras write a trailer behind it
)

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_END_MARKS = {"JPEG": b"\xff\xd9", "PNG": b"IEND\xaeB`\x82"}
_FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG"}


def image_size(path: Path) -> tuple[int, int]:
    """Return (height, width) of an image as it is stored, from its header.

    An EXIF orientation is not applied: labels are drawn on stored pixels unless they say otherwise.
    Raises `FormatError` for a file that is no image, is empty, or has over 2^31 - 1 pixels.
    """
    with _open(path) as image:
        return image.height, image.width


def encode_png(ids: npt.NDArray[np.uint8], palette: npt.NDArray[np.uint8] | None = None) -> bytes:
    """Return an 8-bit PNG of an index mask: mode P with `palette`, uint8 (n, 3), else mode L.

    `ids` is uint8 (H, W). Rows are stored unfiltered and packed by ISA-L at its level 1: on masks
    that is ten times as fast as zlib's default for a file a quarter larger, and loaders read it
    back faster too. The same mask gives the same bytes under the same version of `isal` on the same
    kind of CPU.

    >>> import io
    >>> png = encode_png(np.array([[0, 1]], np.uint8), np.array([[0, 0, 0], [128, 0, 0]], np.uint8))
    >>> Image.open(io.BytesIO(png)).mode
    'P'
    """
    if ids.dtype != np.uint8 or ids.ndim != 2 or 0 in ids.shape:
        raise ValueError(f"ids must be uint8 (H, W), not {ids.dtype} {ids.shape}")
    height, width = ids.shape
    rows = scratch("png rows", (height, width + 1))
    rows[:, 0] = 0
    rows[:, 1:] = ids
    color_type = 0 if palette is None else 3
    chunks = [
        _PNG_SIGNATURE,
        _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, color_type, 0, 0, 0)),
    ]
    if palette is not None:
        if palette.dtype != np.uint8 or palette.ndim != 2 or palette.shape[1] != 3:
            raise ValueError(f"palette must be uint8 (n, 3), not {palette.dtype} {palette.shape}")
        chunks.append(_chunk(b"PLTE", palette.tobytes()))
    chunks += [_chunk(b"IDAT", isal_zlib.compress(rows, 1)), _chunk(b"IEND", b"")]
    return b"".join(chunks)


def write_mask(
    path: Path, ids: npt.NDArray[np.uint8], palette: npt.NDArray[np.uint8] | None = None
) -> None:
    """Write an index mask as PNG, whole or not at all: see `encode_png`."""
    atomic_write(path, encode_png(ids, palette))


def read_mask(path: Path) -> npt.NDArray[np.uint8]:
    """Return an index mask as uint8 (H, W): ids as stored, of modes P, L and 1.

    Raises `FormatError` for colors, 16 bits, JPEG (which changes ids) and files that do not decode.
    """
    with _open(path) as image:
        if image.format == "JPEG":
            raise FormatError(
                "is a JPEG, which cannot hold class ids: its compression changes them",
                path=path,
                mend="Get the mask as PNG; a JPEG cannot be mended.",
            )
        if image.mode not in ("P", "L", "1"):
            raise FormatError(
                f"is no index mask: its mode is {image.mode}, not P, L or 1", path=path
            )
        return np.asarray(_decoded(image, path), np.uint8)


def place_image(source: Path, target: Path, how: Placement = "copy") -> tuple[Note, ...]:
    """Put an image under a new name; return what is to be reported of it.

    What decides is the file's content, not its name. Where the target's extension asks for another
    format, the image is re-encoded (JPEG at quality 95, colors not subsampled). A file whose end is
    missing raises `FormatError`. A hard link that the file systems refuse becomes a copy, reported.
    """
    if how == "none":
        return ()
    with _open(source) as image:
        wanted = _FORMATS[target.suffix.lower()]
        if image.format != wanted:
            _transcode(image, source, target, wanted)
            lossy = " (lossy)" if wanted == "JPEG" else ""
            return (Note("images re-encoded", f"{image.format} to {wanted}{lossy}"),)
        _check_whole(image, source)
    note: tuple[Note, ...] = ()
    with replacing(target) as temporary:
        if how == "hardlink":
            try:
                with_folder(target, lambda: os.link(source, temporary))
            except OSError as error:
                if isinstance(error, FileNotFoundError):
                    raise
                note = (Note("images copied", f"no hard link: {error.strerror}"),)
                with_folder(target, lambda: shutil.copyfile(source, temporary))
        elif how == "symlink":
            with_folder(target, lambda: temporary.symlink_to(source.resolve()))
        else:
            with_folder(target, lambda: shutil.copyfile(source, temporary))
    return note


def _chunk(kind: bytes, data: bytes) -> bytes:
    return b"".join(
        (
            struct.pack(">I", len(data)),
            kind,
            data,
            struct.pack(">I", zlib.crc32(data, zlib.crc32(kind))),
        )
    )


@contextmanager
def _open(path: Path) -> Iterator[ImageFile.ImageFile]:
    """Open an image without decoding it.

    `Image.open` warns about large images through a process-wide setting that is not ours to change,
    so the decoder is chosen here and the bound is our own.
    """
    with path.open("rb") as file:
        start = file.read(16)
        file.seek(0)
        if not start:
            raise FormatError("is an empty file, not an image", path=path)
        name = _format_of(start)
        if name is None:
            raise FormatError("is not an image that Pillow knows", path=path)
        try:
            image = Image.OPEN[name][0](file, str(path))
        except (SyntaxError, OSError, ValueError, struct.error, IndexError, TypeError) as error:
            raise FormatError(f"is a damaged {name} image: {error}", path=path) from error
        if 0 in image.size or image.width * image.height > MAX_PIXELS:
            raise FormatError(f"has the impossible size {image.width} x {image.height}", path=path)
        yield image


def _format_of(start: bytes) -> str | None:
    # The common decoders first: loading all of Pillow's costs more than the first hundred images.
    for load in (Image.preinit, Image.init):
        load()
        for name in Image.ID:
            accept = Image.OPEN[name][1]
            if accept is not None and accept(start) is True:
                return name
    return None


def _decoded(image: ImageFile.ImageFile, path: Path) -> Image.Image:
    try:
        image.load()
    except (OSError, SyntaxError, ValueError, UnidentifiedImageError) as error:
        raise FormatError(f"does not decode: {error}", path=path) from error
    return image


def _check_whole(image: ImageFile.ImageFile, path: Path) -> None:
    """Raise `FormatError` for a truncated file, decoding it only where its end mark is missing."""
    mark = _END_MARKS[image.format or ""]
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
        whole = mark in file.read()
    if not whole:
        _decoded(image, path)


def _transcode(image: ImageFile.ImageFile, source: Path, target: Path, format: str) -> None:
    decoded = _decoded(image, source)
    if format == "JPEG" and decoded.mode not in ("RGB", "L"):
        decoded = decoded.convert("RGB")
    options = {"quality": JPEG_QUALITY, "subsampling": 0} if format == "JPEG" else {}
    profile = image.info.get("icc_profile")
    with replacing(target) as temporary:
        with_folder(target, lambda: decoded.save(temporary, format, icc_profile=profile, **options))
