"""CVAT's XML, streamed: the children of its root, and where in the file each of them stands."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, ParseError, fromstring

from segfmt import FormatError

ROOT = "annotations"
CHUNK = 1 << 16
_DECLARED = re.compile(rb"""<\?xml[^>]*?\sencoding\s*=\s*["']([\w.:-]+)""")
_KOREAN = frozenset({"cp949", "euc_kr"})


class OtherXmlError(Exception):
    """The root of an XML file is another than CVAT's."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an element stands: bytes of a file, so that one image is read without the others."""

    path: Path
    line: int
    start: int
    size: int
    codec: str

    def __str__(self) -> str:
        return f"{self.path}, line {self.line}"

    def raw(self) -> bytes:
        """Return the element as it is written, and what stands behind it up to the next tag."""
        with self.path.open("rb") as file:
            file.seek(self.start)
            return file.read(self.size)

    def read(self) -> Element:
        """Parse the element; `FormatError` if the file is no longer what it was when listed."""
        try:
            text = self.raw().decode(self.codec)
            # Text on the way to the next tag would be that of another root.
            element: Element = fromstring(text[: text.rfind(">") + 1], forbid_dtd=True)
        except (ParseError, DefusedXmlException, UnicodeDecodeError) as error:
            raise FormatError(
                f"has changed since it was listed: {error}",
                path=self.path,
                where=f"line {self.line}",
            ) from error
        return element


class Child(NamedTuple):
    """A child of the root, without what is in it."""

    tag: str
    attributes: dict[str, str]
    place: Place


class _Target:
    """What the parser calls: notes where the root's children begin and end."""

    def __init__(self, path: Path, codec: str) -> None:
        self.expat: Any = None
        self.ended: list[Child] = []
        self._path, self._codec = path, codec
        self._depth = 0
        self._open: tuple[str, dict[str, str], int, int] = ("", {}, 0, 0)
        self._pending = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.flush()
        self._depth += 1
        if self._depth == 1 and tag != ROOT:
            raise OtherXmlError
        if self._depth == 2:
            at = self.expat
            self._open = (tag, attributes, at.CurrentLineNumber, at.CurrentByteIndex)

    def end(self, tag: str) -> None:  # noqa: ARG002 - the parser's signature
        self.flush()
        self._pending = self._depth == 2
        self._depth -= 1

    def flush(self) -> None:
        """Take the open child as ended: expat tells where a tag begins, so the next one tells."""
        if self._pending:
            self._pending = False
            tag, attributes, line, start = self._open
            size = self.expat.CurrentByteIndex - start
            self.ended.append(
                Child(tag, attributes, Place(self._path, line, start, size, self._codec))
            )

    def close(self) -> None:
        """Nothing is left to do at the end of the file."""


def children(path: Path) -> Iterator[Child]:
    """Yield the children of the root, holding no more than a block of the file.

    Raises
    ------
    OtherXmlError
        If it is no file of CVAT's.
    FormatError
        For broken XML, after the children before the break; for a document type declaration, with
        or without entities; for an encoding that is not read.
    """
    with path.open("rb") as file:
        head = file.read(CHUNK)
        codec, override = _codec_of(head)
        target = _Target(path, codec)
        parser = DefusedXMLParser(target=target, encoding=override, forbid_dtd=True)
        target.expat = parser.parser
        try:
            block = head
            while block:
                parser.feed(block)
                yield from _taken(target, override)
                block = file.read(CHUNK)
            parser.close()
        except ParseError as error:
            target.flush()
            yield from _taken(target, override)
            raise _broken(path, error) from error
        except DefusedXmlException as error:
            raise FormatError(
                "declares a document type, which CVAT never does and attacks are made of",
                path=path,
                where=f"line {target.expat.CurrentLineNumber}",
                mend="If the file is trusted, remove its <!DOCTYPE ...>.",
            ) from error
        except (LookupError, ValueError) as error:  # what expat makes of other encodings
            raise FormatError(
                f"is in an encoding that is not read: {error}",
                path=path,
                mend="Save it as UTF-8.",
            ) from error
        yield from _taken(target, override)


def _codec_of(head: bytes) -> tuple[str, str | None]:
    """Return how to decode slices of the file, and what expat is to take it for, if not itself.

    Expat knows no encodings of several bytes but Unicode's. In the Korean ones no byte of a letter
    is one of markup, so that they parse as Latin-1, and places are those of the file.
    """
    for mark, name in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if head.startswith((mark, "<".encode(name))):
            return name, None
    declared = _DECLARED.search(head[:200])
    try:
        name = codecs.lookup(declared[1].decode()).name if declared else "utf-8"
    except LookupError:
        return "utf-8", None  # expat says so, too
    return ("cp949", "iso-8859-1") if name in _KOREAN else (name, None)


def _taken(target: _Target, override: str | None) -> Iterator[Child]:
    """Yield the children that have ended, their attributes as they are meant."""
    ended, target.ended = target.ended, []
    for child in ended:
        if override is None:
            yield child
        else:
            meant = {
                name: value.encode(override).decode(child.place.codec)
                for name, value in child.attributes.items()
            }
            yield child._replace(attributes=meant)


def _broken(path: Path, error: ParseError) -> FormatError:
    if path.stat().st_size == 0:
        return FormatError("is empty", path=path)
    problem = str(error).partition(": line ")[0]
    line, column = error.position
    cut = problem in ("no element found", "unclosed token")
    return FormatError(
        f"is broken XML: {problem}",
        path=path,
        where=f"line {line}, column {column + 1}",
        mend="The file may be cut off. Images before that are read." if cut else "",
    )
