"""What is asked of a format, whether it is read or written."""

# ruff: noqa: D102, S101 - tests assert, and their names say what

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import segfmt
from segfmt.files import STATE_FOLDER
from segfmt.options import options_of

KOREAN = "하늘"  # two code points in NFC, five in NFD


class Conformance:
    """What is asked of readers and writers alike.

    Attributes
    ----------
    format
        The name, as typed after `--from` and `--to`. The plug-in must be installed.
    reader_options, writer_options
        What the tests read and write with.
    """

    format: ClassVar[str]
    reader_options: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    writer_options: ClassVar[Mapping[str, Any]] = MappingProxyType({})

    @property
    def record(self) -> segfmt.Format:
        """The format as its plug-in brings it."""
        return segfmt.formats()[self.format]

    def open(self, root: Path) -> segfmt.Dataset:
        """Open a dataset of this format."""
        return segfmt.open_dataset(root, self.format, **self.reader_options)

    def test_the_record_is_fit_to_be_listed(self) -> None:
        record = self.record
        assert record.name == record.name.lower()
        assert record.summary, "say in a line what it is"
        assert len(record.summary) <= 60, "the summary does not fit a line of `segfmt formats`"

    def test_every_option_has_a_default_and_says_what_it_is(self) -> None:
        for factory, leading in ((self.record.reader, 1), (self.record.writer, 2)):
            for option in options_of(factory, leading).values() if factory else ():
                assert option.default is not inspect.Parameter.empty, f"{option.name}: no default"
                assert option.help, f'{option.name}: annotate it as Annotated[type, "what it is"]'


def files_below(root: Path) -> dict[str, str]:
    """Return the hash of every file below the root, the state of the run left out."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and STATE_FOLDER not in path.parts
    }
