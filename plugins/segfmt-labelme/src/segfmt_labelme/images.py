"""The image of a label file: where it is, or what of it is in the label file."""

from __future__ import annotations

import base64
import binascii
import io
import posixpath
from pathlib import Path, PureWindowsPath

import msgspec
from PIL import Image

import segfmt
from segfmt import FormatError, Note, SampleRef

FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP", "GIF")  # of images, as segfmt reads them
MAX_PIXELS = 2**31 - 1  # of one image, as in segfmt


class _Label(msgspec.Struct):
    label: str


class Head(msgspec.Struct):
    """What is looked at before a label file is loaded: reading no more is several times faster."""

    shapes: list[_Label] = []
    imagePath: str | None = None  # noqa: N815 - the file's name
    imageData: msgspec.Raw = msgspec.Raw(b"null")  # noqa: N815


_HEAD = msgspec.json.Decoder(Head)


class Images:
    """The images of a dataset, as label files name them."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._index = segfmt.ImageIndex(root)
        self._by_path: dict[str, Path] = {}

    def add(self, path: Path) -> None:
        """Take in an image."""
        self._index.add(path)
        self._by_path[segfmt.nfc(path.relative_to(self._root).as_posix())] = path

    def of(self, label: Path) -> tuple[Path | None, bool]:
        """Return the image of a label file, and whether it is in the label file itself.

        It is what the label file names, else the one named as that or as the label, else none.
        The name is only compared with what was found below the root, so nothing outside can be
        named.
        """
        head = head_of(label)
        path = self._found(label, head)
        return path, path is None and head is not None and bytes(head.imageData)[:1] == b'"'

    def _found(self, label: Path, head: Head | None) -> Path | None:
        named = PureWindowsPath((head and head.imagePath) or "")  # reads / and \ alike
        folder = label.parent.relative_to(self._root).as_posix()
        place = posixpath.normpath(posixpath.join(folder, named.as_posix()))
        return (
            self._by_path.get(segfmt.nfc(place))
            or (self._index.near(label, named.stem) if named.stem else None)
            or self._index.near(label, label.stem)
        )


def size_of(
    ref: SampleRef, said: tuple[int, int] | None, embedded: bytes | None
) -> tuple[tuple[int, int], tuple[Note, ...]]:
    """Return (height, width) of the image as its label was drawn, and what differs from it."""
    if ref.image is not None:
        found = segfmt.image_size(ref.image)
        # labelme shows images as their EXIF turns them; the core then turns the image, too.
        if said == found[::-1] != found and segfmt.stored_orientation(ref.image)[0] >= 5:
            return said, ()
    elif embedded is not None:
        found = _embedded_size(embedded, ref.source)
    else:
        return _said(said, ref.source), ()
    if said == found:
        return found, ()
    words = f"label {said[1]} x {said[0]}" if said else "label none"
    return found, (Note("sizes taken from the image", f"{words}, image {found[1]} x {found[0]}"),)


def _said(said: tuple[int, int] | None, path: Path) -> tuple[int, int]:
    where = "imageHeight, imageWidth"
    if said is None:
        problem = "does not say how large its image is, and the image is missing"
        raise FormatError(problem, path=path, where=where)
    if min(said) < 1 or said[0] * said[1] > MAX_PIXELS:
        problem = f"says the impossible size {said[1]} x {said[0]}"
        raise FormatError(problem, path=path, where=where)
    return said


def _embedded_size(data: bytes, path: Path) -> tuple[int, int]:
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            return image.height, image.width
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        # Without the address of Pillow's object, which is another each time.
        problem = f"is no image in base64: {str(error).partition(' <')[0]}"
        raise FormatError(problem, path=path, where="imageData") from error


def renamed(named: str | None, image: Path) -> tuple[Note, ...]:
    """Return what is to be reported of an image that is not called as its label file names it."""
    name = segfmt.nfc(PureWindowsPath(named or "").name)
    if not name or name == segfmt.nfc(image.name):
        return ()
    return (Note("images found under another name than imagePath", f"{image.name} for {name}"),)


def head_of(path: Path) -> Head | None:
    """Return what is to be known of a label file early, or None if `load` will not read it."""
    try:
        return segfmt.load_json(path, _HEAD)[0]
    except (FormatError, OSError):
        return None


def decoded_image(data: msgspec.Raw, path: Path) -> bytes | None:
    """Return the image file that a label file has in itself, if it has one."""
    try:
        text = msgspec.json.decode(data, type=str | None)
        return base64.b64decode(text) if text else None
    except (binascii.Error, ValueError) as error:
        problem = f"is no image in base64: {error}"
        raise segfmt.FormatError(problem, path=path, where="imageData") from error
