"""A dataset opened for reading: samples one by one, whatever the format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from segfmt import plugins
from segfmt.classes import ClassTable
from segfmt.errors import UsageError
from segfmt.files import walk
from segfmt.format import Format, Reader
from segfmt.limits import check_environment
from segfmt.model import Sample, SampleRef
from segfmt.options import checked
from segfmt.sources import Given, as_source

LOOKED_AT = 1000  # files, where nothing is recognized


class Dataset:
    """Iterate it for `Sample`s.

    A sample that cannot be read raises `FormatError` when its turn comes.
    """

    def __init__(self, format: Format, reader: Reader) -> None:
        self.format = format
        self.reader = reader

    @property
    def classes(self) -> ClassTable:
        """Every class that a label may have."""
        return self.reader.classes

    def refs(self) -> Iterator[SampleRef]:
        """List the samples without reading them."""
        return self.reader.scan()

    def __iter__(self) -> Iterator[Sample]:
        return map(self.reader.load, self.refs())


def open_dataset(src: Given | Sequence[Given], format: str = "auto", **options: Any) -> Dataset:
    """Open the dataset in a folder, in archives or at a URL; `options` are the format's.

    Raises `UsageError` if there is no such folder, format or option, if the format is not clear, or
    if the environment sets a limit to what none can be.
    """
    check_environment()
    root = as_source(src)
    if not root.is_dir():
        what = (
            "is a file; give the folder of the dataset, or a .zip archive of this machine"
            if root.exists()
            else "is not there"
        )
        raise UsageError(f"{root} {what}")
    found = detected(root) if format == "auto" else plugins.format_named(format)
    if found.reader is None:
        raise UsageError(f"{found.name} cannot be read, only written. Readable: {_readable()}")
    values = checked(f"reading {found.name}", "-i", found.reader, 1, options)
    return Dataset(found, found.reader(root, **values))


def detected(root: Path) -> Format:
    """Return the one format that recognizes the folder."""
    seen = {
        name: reason
        for name, record in plugins.formats().items()
        if record.detect is not None and (reason := record.detect(root))
    }
    if len(seen) == 1:
        return plugins.format_named(next(iter(seen)))
    if seen:
        reasons = "; ".join(f"{name} ({reason})" for name, reason in seen.items())
        raise UsageError(f"{root} could be several formats: {reasons}. Give --from")
    raise UsageError(
        f"{root} looks like no known format: {_contents(root)}. "
        f"Give --from, one of: {_readable()}; folder takes any images beside any masks{_offered()}"
    )


def _offered() -> str:
    """Say which formats are to be had besides, and of which packages."""
    there = plugins.formats()
    names: dict[str, list[str]] = {}
    for name, package in plugins.OFFERED.items():
        if name not in there:
            names.setdefault(package, []).append(name)
    told = ", ".join(f"{', '.join(own)} ({package})" for package, own in names.items())
    return f". Not installed: {told}" if told else ""


def _contents(root: Path) -> str:
    """Say in a few words what a folder holds, as its first files show."""
    seen: Counter[str] = Counter()
    tops: dict[str, None] = {}
    for path in islice(walk(root, follow_links=True), LOOKED_AT):
        place = path.relative_to(root)
        seen[place.suffix.lower() or "without suffix"] += 1
        if len(place.parts) > 1:
            tops[place.parts[0]] = None
    if not seen:
        return "it has no files"
    folders = f" in {', '.join(list(tops)[:5])}" if tops else ""
    kinds = ", ".join(f"{count} {suffix}" for suffix, count in seen.most_common(4))
    return f"it has {kinds}{folders}"


def _readable() -> str:
    return ", ".join(name for name, record in plugins.formats().items() if record.reader)
