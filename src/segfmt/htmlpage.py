"""One self-contained HTML page: what is on it, and how large it may become."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

from segfmt.words import percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import Template

    from segfmt.htmlpictures import Figure

SIZE = 5_000_000  # bytes: what can still be sent by mail, and opens on a phone
_ASSETS = {
    "style": "report.css",
    "script": "report.js",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """How many of each thing a page holds; what there is beyond them is counted on it."""

    remarks: int = 50
    classes: int = 2000
    figures: int = 1000
    failures: int = 1000
    sizes: int = 50
    splits: int = 100
    notes: int = 200

    def halved(self) -> Limits:
        """Return limits for a page of about half the size."""
        return Limits(
            *(max(1, value // 2) for value in (self.remarks, self.classes, self.figures)),
            *(max(1, value // 2) for value in (self.failures, self.sizes, self.splits, self.notes)),
        )


class ClassRow(NamedTuple):
    """A class in the table."""

    id: int
    name: str
    color: str
    role: str
    pixels: int
    share: float
    samples: int
    polygons: int
    objects: int


class SizeRow(NamedTuple):
    """A size of images in the table."""

    width: int
    height: int
    samples: int


class SplitRow(NamedTuple):
    """A split in the table."""

    name: str
    samples: int
    share: float


class FailureRow(NamedTuple):
    """A sample that something is wrong with."""

    sample: str
    what: str
    reason: str


class NoteRow(NamedTuple):
    """Something that was noted of samples."""

    code: str
    times: int
    samples: int
    subjects: str


@dataclass(slots=True)
class Page:
    """What is on a page; text is data, whatever it holds, and is escaped.

    `pointer` says where there is all of what is too much for the page.
    """

    title: str
    version: str
    verdict: str
    good: bool
    pointer: str
    places: list[str] = field(default_factory=list)
    facts: list[tuple[str, str]] = field(default_factory=list)
    remarks: list[tuple[str, list[str]]] = field(default_factory=list)
    classes: list[ClassRow] = field(default_factory=list)
    config: str = ""
    sizes: list[SizeRow] = field(default_factory=list)
    splits: list[SplitRow] = field(default_factory=list)
    notes: list[NoteRow] = field(default_factory=list)
    failures: list[FailureRow] = field(default_factory=list)
    figures: Sequence[Figure] = ()
    legend: list[ClassRow] = field(default_factory=list)
    problems: Sequence[Figure] = ()

    @property
    def drawn(self) -> bool:
        """Whether any class has polygons."""
        return any(row.polygons for row in self.classes)

    @property
    def told_apart(self) -> bool:
        """Whether any class has objects."""
        return any(row.objects for row in self.classes)

    @property
    def most(self) -> float:
        """The largest share of pixels that a class has: the whole length of a bar."""
        return max((row.share for row in self.classes), default=0)


def render(page: Page) -> bytes:
    """Return the page as HTML in UTF-8: no longer than `SIZE`, with fewer rows if need be."""
    limits = Limits()
    while len(html := _rendered(page, limits)) > SIZE:
        limits = limits.halved()
    return html


def clipped(text: str, length: int) -> str:
    """Return a text without the part beyond a length.

    >>> clipped("pedestrian", 8)
    'pedestr…'
    """
    return text if len(text) <= length else text[: length - 1] + "…"


def _rendered(page: Page, limits: Limits) -> bytes:
    own = {name: _asset(file) for name, file in _ASSETS.items()}
    # The policy lets the browser run these alone, and nothing that a name might smuggle in.
    hashes = {name: _hash(text) for name, text in own.items()}
    text = _template().render(page=page, limits=limits, hashes=hashes, **own)
    # Names that are no UTF-8, from archives that were unpacked in the wrong encoding.
    return text.encode("utf-8", "backslashreplace")


@cache
def _asset(name: str) -> str:
    return (files("segfmt") / "templates" / name).read_text(encoding="utf-8")


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["clip"] = clipped
    environment.filters["percent"] = percent
    return environment.from_string(_asset("report.html"))


def _hash(text: str) -> str:
    """Return what a content security policy calls a script or style by."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
