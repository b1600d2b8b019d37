"""Image files: headers, index masks as PNG, photographs put in their place."""

from __future__ import annotations

import os
import shutil
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from PIL import Image, ImageFile

from segfmt.errors import FormatError
from segfmt.files import STATE_FOLDER, atomic_write, replacing, with_folder
from segfmt.limits import PIXELS
from segfmt.model import Note
from segfmt.places import is_stored
from segfmt.png import encode_png, encode_png16, encode_png_colors
from segfmt.pngread import decode_png

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy.typing as npt

Placement = Literal["copy", "hardlink", "symlink", "none"]
IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"})
JPEG_QUALITY = 95
ORIENTATION = 0x0112  # the tag of EXIF
SIDEWAYS = range(5, 9)  # its values that turn an image on its side
TAIL = (
    4096  # where the end mark of a whole file is looked for: some cameras write a trailer behind it
)

# In the order in which they are asked. Pillow has decoders for forty formats more, which nobody has
# images of, and that of EPS executes the file, by Ghostscript.
_DECODERS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP", "GIF", "JPEG2000", "AVIF")
_last = threading.local()  # the header that was read last
_END_MARKS = {"JPEG": b"\xff\xd9", "PNG": b"IEND\xaeB`\x82"}
_SIDES = {"JPEG": 65_500, "WEBP": 16_383}  # of libjpeg and libwebp
_FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG"}


def image_size(path: Path) -> tuple[int, int]:
    """Return (height, width) of an image as it is stored, from its header.

    An EXIF orientation is not applied: labels are drawn on stored pixels unless they say otherwise.
    Raises `FormatError` for a file that is no image, is empty, or has more pixels than the limit.
    """
    return _header(path)[1]


def stored_orientation(path: Path) -> tuple[int, tuple[int, int]]:
    """Return an image's EXIF orientation, 1 (as stored) to 8, and its stored (height, width)."""
    return _header(path)


def _header(path: Path) -> tuple[int, tuple[int, int]]:
    """Return orientation and (height, width), of the same file as last time without opening it.

    A reader asks for the size, then the core for the orientation: a tenth of a small sample's time.
    """
    status = None if is_stored(path) else path.stat()
    file = status and (path, status.st_mtime_ns, status.st_size, status.st_ino)
    if file is None or getattr(_last, "file", None) != file:
        with open_image(path) as image:
            _last.header = _orientation(image), (image.height, image.width)
        _last.file = file
    header: tuple[int, tuple[int, int]] = _last.header
    return header


def _orientation(image: ImageFile.ImageFile) -> int:
    # Asking for the EXIF of a file that has none would look for XMP too.
    if "exif" not in image.info:
        return 1
    try:
        found = image.getexif().get(ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - whatever is damaged in it, viewers show the image as stored
        return 1
    return found if found in range(2, 9) else 1


def suffix_of(data: bytes) -> str:
    """Return the suffix that an image file's content asks for, `.png` if no decoder knows it."""
    name = _format_of(data[:16])
    return {"JPEG": ".jpg", "BMP": ".bmp", "TIFF": ".tif", "WEBP": ".webp"}.get(name or "", ".png")


def load_image(path: Path) -> Image.Image:
    """Return an image, decoded; `FormatError` if it does not decode."""
    with open_image(path) as image:
        return decoded(image, path).copy()


def write_mask(
    path: Path, ids: npt.NDArray[np.uint8], palette: npt.NDArray[np.uint8] | None = None
) -> None:
    """Write an index mask as PNG, whole or not at all: see `encode_png`."""
    atomic_write(path, encode_png(ids, palette))


def write_mask16(path: Path, values: npt.NDArray[np.uint16]) -> None:
    """Write uint16 (H, W), such as instance ids, as 16-bit grey PNG, whole or not at all."""
    atomic_write(path, encode_png16(values))


def write_colors(path: Path, rgb: npt.NDArray[np.uint8]) -> None:
    """Write a color mask, uint8 (H, W, 3), as RGB PNG, whole or not at all."""
    atomic_write(path, encode_png_colors(rgb))


def mask_mode(path: Path) -> str:
    """Return Pillow's name of a mask's mode, such as P, L or RGB, from its header.

    Raises `FormatError` for a JPEG, whose compression changes ids and colors.
    """
    with open_image(path) as image:
        return _mode(image, path)


def read_mask(path: Path) -> npt.NDArray[np.uint8]:
    """Return an index mask as uint8 (H, W): ids as stored, of modes P, L and 1.

    Raises `FormatError` for colors, 16 bits, JPEG (which changes ids) and files that do not decode.
    """
    with open_image(path) as image:
        if _mode(image, path) not in ("P", "L", "1"):
            problem = f"is no index mask: its mode is {image.mode}, not P, L or 1"
            raise FormatError(problem, path=path)
        return np.asarray(_samples(image, path), np.uint8)


def read_mask16(path: Path) -> npt.NDArray[np.uint16]:
    """Return a grey mask of up to 16 bits as uint16 (H, W), such as instance ids.

    Raises `FormatError` for any other mode, values beyond 16 bits, JPEG and files that do not
    decode.
    """
    with open_image(path) as image:
        if _mode(image, path) not in ("I;16", "I;16B", "I", "L"):
            problem = f"is no 16-bit mask: its mode is {image.mode}, not I;16"
            raise FormatError(problem, path=path)
        values = _samples(image, path)
        if values.min() < 0 or values.max() > 65535:
            raise FormatError("has values beyond 16 bits", path=path)
        return values.astype(np.uint16)


def read_colors(path: Path) -> npt.NDArray[np.uint8]:
    """Return a color mask as uint8 (H, W, 3), of modes RGB, RGBA (alpha dropped) and P.

    Raises `FormatError` for any other mode, JPEG and files that do not decode.
    """
    with open_image(path) as image:
        if _mode(image, path) not in ("RGB", "RGBA", "P"):
            raise FormatError(f"is no color mask: its mode is {image.mode}, not RGB", path=path)
        if image.mode == "P":
            pixels = np.asarray(decoded(image, path).convert("RGB"))
        else:
            pixels = _samples(image, path)
        return np.ascontiguousarray(pixels[..., :3])


def place_image(
    source: Path, target: Path, how: Placement = "copy", *, reencode: bool = True
) -> tuple[Note, ...]:
    """Put an image under a new name; return what is to be reported of it.

    What decides is the file's content, not its name. Where the target's extension asks for JPEG or
    PNG and it is another, the image is re-encoded (JPEG at quality 95, colors not subsampled),
    unless `reencode` is false. A file whose end is missing raises `FormatError`. A hard link that
    the file systems refuse becomes a copy, reported.
    """
    if how == "none":
        return ()
    if STATE_FOLDER in source.parts:  # there for this sample alone, and no longer
        how = "copy"
    with open_image(source) as image:
        wanted = _FORMATS.get(target.suffix.lower())
        if reencode and wanted and image.format != wanted:
            _transcode(image, source, target, wanted)
            lossy = " (lossy)" if wanted == "JPEG" else ""
            return (Note("images re-encoded", f"{image.format} to {wanted}{lossy}"),)
        _check_whole(image, source)
    if is_stored(source) or is_stored(target):
        atomic_write(target, source.read_bytes())
        return ()
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


@contextmanager
def open_image(path: Path) -> Iterator[ImageFile.ImageFile]:
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
            raise FormatError("is not an image of a kind that is read", path=path)
        try:
            image = Image.OPEN[name][0](file, str(path))
        except Exception as error:  # decoders raise whatever they stumble over
            raise _fault(f"is a damaged {name} image", error, path) from error
        size = f"{image.width} x {image.height}"
        if 0 in image.size:
            raise FormatError(f"has the impossible size {size}", path=path)
        PIXELS.check(image.width * image.height, path, size)
        yield image


def _format_of(start: bytes) -> str | None:
    # The common decoders first: loading all of Pillow's costs more than the first hundred images.
    for load in (Image.preinit, Image.init):
        load()
        for name in _DECODERS:
            accept = Image.OPEN[name][1] if name in Image.OPEN else None
            if accept is not None and accept(start) is True:
                return name
    return None


def _mode(image: ImageFile.ImageFile, path: Path) -> str:
    if image.format == "JPEG":
        raise FormatError(
            "is a JPEG, which cannot hold class ids: its compression changes them",
            path=path,
            mend="Get the mask as PNG; a JPEG cannot be mended.",
        )
    return str(image.mode)


def _samples(image: ImageFile.ImageFile, path: Path) -> npt.NDArray[Any]:
    """Return an image's samples as they are stored; `FormatError` if it does not decode."""
    if image.format == "PNG":
        # At a fifth of Pillow's time. What it does not know, or finds damaged, Pillow tells of.
        samples = decode_png(path.read_bytes())
        if samples is not None:
            return samples
    return np.asarray(decoded(image, path))


def decoded(image: ImageFile.ImageFile, path: Path) -> Image.Image:
    """Return the image with its pixels read; `FormatError` if it does not decode."""
    try:
        image.load()
    except Exception as error:  # as above
        raise _fault("does not decode", error, path) from error
    return image


def _fault(problem: str, error: Exception, path: Path) -> FormatError:
    if isinstance(error, MemoryError):
        mend = "Try fewer --workers; if that does not help, it is damaged."
        return FormatError("takes more memory than there is", path=path, mend=mend)
    return FormatError(f"{problem}: {error}", path=path)


def _check_whole(image: ImageFile.ImageFile, path: Path) -> None:
    """Raise `FormatError` for a truncated file, decoding it only where no end mark is found."""
    mark = _END_MARKS.get(image.format or "")
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
        whole = mark is not None and mark in file.read()
    if not whole:
        decoded(image, path)


def check_sides(size: tuple[int, int], format: str, path: Path | None = None) -> None:
    """Raise `FormatError` for a (width, height) that a format's encoder does not write."""
    most = _SIDES.get(format, max(size))
    if max(size) > most:
        problem = f"is {size[0]} x {size[1]}, and {format} has up to {most:,} pixels a side"
        raise FormatError(problem, path=path, mend="Give --resize or --tile.")


def _transcode(image: ImageFile.ImageFile, source: Path, target: Path, format: str) -> None:
    pixels = decoded(image, source)
    check_sides(pixels.size, format, source)
    if format == "JPEG" and pixels.mode not in ("RGB", "L"):
        pixels = pixels.convert("RGB")
    options = {"quality": JPEG_QUALITY, "subsampling": 0} if format == "JPEG" else {}
    profile = image.info.get("icc_profile")
    with replacing(target) as temporary:
        with_folder(target, lambda: pixels.save(temporary, format, icc_profile=profile, **options))
