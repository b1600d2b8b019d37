"""An annotation file, by place: half a gigabyte of it never stands in memory as objects."""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, TypeVar
from zlib import crc32

import msgspec
import numpy as np
import numpy.typing as npt

import segfmt
from segfmt import FormatError, Note

T = TypeVar("T")
ImageId = int | str


class ImageRecord(msgspec.Struct, gc=False):
    """What is read of one of `images`; LVIS has no `file_name`, its URL ends in one."""

    id: ImageId
    file_name: str | None = None
    coco_url: str | None = None
    height: int | None = None
    width: int | None = None


Channel = Annotated[int, msgspec.Meta(ge=0, le=255)]


class Category(msgspec.Struct):
    """What is read of one of `categories`; color and isthing are panoptic's."""

    id: int
    name: str
    supercategory: str | None = None
    color: tuple[Channel, Channel, Channel] | None = None
    isthing: int | bool | None = None


class _Document(msgspec.Struct):
    images: msgspec.Raw = msgspec.Raw(b"[]")
    annotations: list[msgspec.Raw] | None = None
    categories: msgspec.Raw = msgspec.Raw(b"[]")


class _Owner(msgspec.Struct, gc=False):
    """Of an annotation what tells where it belongs; only panoptic's have a `file_name`."""

    image_id: ImageId
    file_name: str = ""


_DOCUMENT = msgspec.json.Decoder(_Document)
_IMAGES = msgspec.json.Decoder(list[ImageRecord] | None, strict=False)
_CATEGORIES = msgspec.json.Decoder(list[Category] | None, strict=False)
_RAWS = msgspec.json.Decoder(list[msgspec.Raw])
_OWNERS = msgspec.json.Decoder(list[_Owner] | None)

_BOM = b"\xef\xbb\xbf"
# Strings are matched to be passed over; what Python's json writes for numbers that are none is not.
_NO_NUMBER = re.compile(rb'"(?:[^"\\]|\\.)*+"|(NaN|-?Infinity)', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Source:
    """Where the annotations of one image are: `spans` are int64 pairs, start and end in bytes.

    Annotations that follow one another in the file are one span, commas between them. `crc` is the
    CRC-32 of a file that is not of this machine.
    """

    path: Path
    image_id: ImageId
    shape: tuple[int, int] | None
    spans: bytes = field(repr=False)
    mask: Path | None = None
    problem: str = ""
    crc: int | None = None

    def __str__(self) -> str:
        return f"{self.path}, image {self.image_id}"

    def read(self, decoder: msgspec.json.Decoder[list[T]]) -> tuple[list[T], list[Note]]:
        """Return the image's annotations, in the order of the file, and what is to be reported."""
        if self.problem:
            raise FormatError(self.problem, path=self.path, where=f"image {self.image_id}")
        found: list[T] = []
        notes: list[Note] = []
        for part in self._parts():
            try:
                decoded, strange = _decoded(bytearray(b"[%b]" % part), decoder)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                raise self._error(error, part) from None
            found += decoded
            notes += (Note("not JSON, but read", name) for name in strange)
        return found, notes

    def _parts(self) -> Iterator[bytes]:
        stored = segfmt.is_stored(self.path)
        with segfmt.mapped(self.path, self.crc) if stored else self.path.open("rb") as file:
            for start, end in np.frombuffer(self.spans, np.int64).reshape(-1, 2).tolist():
                file.seek(start)
                part = file.read(end - start)
                if len(part) < end - start:
                    raise FormatError("has changed since it was listed", path=self.path)
                yield part

    def _error(self, error: Exception, part: bytes) -> FormatError:
        if not isinstance(error, msgspec.ValidationError):
            return FormatError("has changed since it was listed", path=self.path)
        problem, _, place = str(error).partition(" - at ")
        found = re.match(r"`\$\[(\d+)\](.*)`", place)
        where = f"image {self.image_id}"
        if found:
            raws, _ = _decoded(bytearray(b"[%b]" % part), _RAWS)
            value = msgspec.json.decode(raws[int(found[1])])
            id = value.get("id") if isinstance(value, dict) else None
            named = f"{where}, annotation [{found[1]}]" if id is None else f"annotation {id}"
            where = f"{named}{found[2]}"
        if "got `str`" in problem and any(match[1] for match in _NO_NUMBER.finditer(part)):
            problem = "has a coordinate that is no number, such as NaN"
        return FormatError(
            problem, path=self.path, where=where, mend="Mend or remove that annotation."
        )


@dataclass(frozen=True)
class Index:
    """What an annotation file has, and where.

    The annotations of image i are the spans `bounds[i]` to `bounds[i + 1]`. `names` are those of
    panoptic masks, by image. `strays` counts annotations of images that are not listed. `crc` is as
    `Source` has it.
    """

    path: Path
    images: list[ImageRecord]
    categories: list[Category]
    spans: npt.NDArray[np.int64]
    bounds: npt.NDArray[np.int64]
    names: list[str]
    strays: int
    crc: int | None

    def spans_of(self, image: int) -> bytes:
        """Return what `Source` has for the annotations of an image."""
        return self.spans[self.bounds[image] : self.bounds[image + 1]].tobytes()


def read_index(path: Path) -> Index:
    """Go through an annotation file once.

    Raises
    ------
    FormatError
        For a file that is no JSON object, with line and column, or is not UTF-8 or cp949; for
        images, categories and annotations without what tells them apart.
    """
    with path.open("rb") as file:
        start = file.read(4)
        if not start:
            raise FormatError("is empty", path=path)
        if 0 in start:
            raise FormatError(
                "is UTF-16 or UTF-32", path=path, mend="Save it as UTF-8, as COCO's tools want it."
            )
    data = segfmt.mapped(path)
    crc = crc32(data) if segfmt.is_stored(path) else None
    try:
        document, _ = _decoded(memoryview(data)[start.startswith(_BOM) * len(_BOM) :], _DOCUMENT)
    except msgspec.ValidationError as error:
        raise FormatError(f"is no annotation file: {error}", path=path) from None
    except RecursionError:
        raise FormatError("has brackets nested too deep to be COCO", path=path) from None
    except msgspec.DecodeError as error:
        raise _broken(path, data, str(error)) from None
    images = _records(path, "images", document.images, _IMAGES)
    categories = _records(path, "categories", document.categories, _CATEGORIES)
    raws = document.annotations or []
    owners = _records(path, "annotations", _list_of(raws, data), _OWNERS)
    return _grouped(path, crc, images, categories, owners, _spans_of(raws, data))


def _list_of(raws: list[msgspec.Raw], data: mmap.mmap) -> msgspec.Raw | memoryview:
    """Return the list in the file that these are the elements of."""
    if not raws:
        return msgspec.Raw(b"[]")
    base = _address(data)
    last = _address(raws[-1]) - base + len(raws[-1])
    start = data.rfind(b"[", 0, _address(raws[0]) - base)
    return memoryview(data)[start : data.find(b"]", last) + 1]


def _spans_of(raws: list[msgspec.Raw], data: mmap.mmap) -> npt.NDArray[np.int64]:
    """Return where in the file these objects, elements of one list, begin and end."""
    spans: list[int] = []
    # Slices that point into the file: where the first one does is where it is. To ask each would
    # take as long as all else; but between two of a list there are a comma and white space alone.
    end = _address(raws[0]) - _address(data) if raws else 0
    for raw in raws:
        begin = data.find(b"{", end)
        end = begin + len(raw)
        spans += (begin, end)
    return np.array(spans, np.int64).reshape(-1, 2)


def _address(buffer: Any) -> int:
    address: int = np.frombuffer(buffer, np.uint8).__array_interface__["data"][0]
    return address


def _grouped(
    path: Path,
    crc: int | None,
    images: list[ImageRecord],
    categories: list[Category],
    owners: list[_Owner],
    spans: npt.NDArray[np.int64],
) -> Index:
    """Put the annotations in the order of their images, those of one image as in the file."""
    numbers = {image.id: number for number, image in enumerate(images)}
    owner = np.fromiter((numbers.get(one.image_id, -1) for one in owners), np.int64, len(owners))
    order = np.argsort(owner, kind="stable")
    order = order[np.searchsorted(owner[order], 0) :]
    owner = owner[order]
    names = [""] * len(images) if any(one.file_name for one in owners) else []
    if names:
        for place, image in zip(order.tolist(), owner.tolist(), strict=True):
            names[image] = owners[place].file_name
    first = np.ones(len(order), bool)  # of a run of neighbors of one image
    first[1:] = (np.diff(order) != 1) | (np.diff(owner) != 0)
    last = np.roll(first, -1)
    runs = np.stack([spans[order[first], 0], spans[order[last], 1]], axis=1)
    bounds = np.searchsorted(owner[first], np.arange(len(images) + 1))
    return Index(path, images, categories, runs, bounds, names, len(owners) - len(order), crc)


def _decoded(data: Any, decoder: msgspec.json.Decoder[T]) -> tuple[T, list[str]]:
    """Return the value, and the numbers that were none; those are made strings, in place."""
    try:
        return decoder.decode(data), []
    except msgspec.DecodeError as error:
        if "invalid character" not in str(error):
            raise
    strange = []
    for match in _NO_NUMBER.finditer(data):
        if match[1]:
            strange.append(bytes(match[1]).decode())
            data[match.start()] = data[match.end() - 1] = ord('"')
    return decoder.decode(data), strange


def _records(
    path: Path,
    name: str,
    raw: msgspec.Raw | memoryview,
    decoder: msgspec.json.Decoder[list[T] | None],
) -> list[T]:
    try:
        return decoder.decode(raw) or []
    except msgspec.ValidationError as error:
        problem, _, place = str(error).partition(" - at ")
        where = name + place.strip("`").removeprefix("$")
        raise FormatError(f"is not as COCO has it: {problem}", path=path, where=where) from None
    except UnicodeDecodeError:
        # What Korean Windows writes; structure and quotes are the same bytes there.
        text = segfmt.decode_text(bytes(raw), path)
        return _records(path, name, msgspec.Raw(text.encode()), decoder)


def _broken(path: Path, data: mmap.mmap, problem: str) -> FormatError:
    """Say in which line and column msgspec, which counts bytes, met the fault."""
    found = re.search(r" \(byte (\d+)\)$", problem)
    if found is None:
        where, mend = f"byte {len(data)}", "The file may be cut off."
    else:
        before = data[: int(found[1])]
        line, column = before.count(b"\n") + 1, len(before) - before.rfind(b"\n")
        where, mend = f"line {line}, column {column}", ""
        problem = problem[: found.start()]
    return FormatError(f"is broken JSON: {problem}", path=path, where=where, mend=mend)
