"""What a dataset may ask of this machine: far beyond honest data, adjusted by the environment.

The environment, and no option, as it is what worker processes, tests and notebooks all have. Each
bound is asked before what it bounds is held in memory.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segfmt.errors import FormatError, UsageError
from segfmt.places import is_stored

if TYPE_CHECKING:
    from pathlib import Path


PREFIX = "SEGFMT_MAX_"
# Of a pipe one would wait for ever, already while opening it.
_READING = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)


@dataclass(frozen=True, slots=True)
class Limit:
    """A bound: the environment variable that sets it, its default, the highest value, its unit."""

    variable: str
    default: int
    most: int
    unit: str

    @property
    def value(self) -> int:
        """The bound in force; `UsageError` where the variable is no number within its range."""
        text = os.environ.get(self.variable)
        if not text:
            return self.default
        digits = text.replace("_", "")
        if not digits.isdecimal() or not 0 < int(digits) <= self.most:
            raise UsageError(f"{self.variable}={text}: give a number from 1 to {self.most}")
        return int(digits)

    def check(self, count: int, path: Path | None = None, where: str = "") -> None:
        """Raise `FormatError` if a file has more than the bound.

        >>> POINTS.check(10**9, where="polygon 3")
        Traceback (most recent call last):
        ...
        segfmt.errors.FormatError: polygon 3: has 1,000,000,000 points, over the limit of ...
        """
        limit = self.value
        if count > limit:
            raise FormatError(
                f"has {count:,} {self.unit}, over the limit of {limit:,}",
                path=path,
                where=where,
                mend=f"If that is meant, raise it by the environment variable {self.variable}.",
            )


# An image of 20,000 x 20,000 has 4 * 10^8. The formats' own tools count pixels in 32 bits.
PIXELS = Limit("SEGFMT_MAX_PIXELS", 2**29, 2**31 - 1, "pixels")
# Files that are read whole: labels, lists, class tables. Decoded they take 3 times as much, made to
# harm up to 30.
FILE_BYTES = Limit("SEGFMT_MAX_FILE_BYTES", 2**27, 2**40, "bytes")
LINES = Limit("SEGFMT_MAX_LINES", 10_000_000, 2**31 - 1, "lines")
POINTS = Limit("SEGFMT_MAX_POINTS", 10_000_000, 2**31 - 1, "points")
RINGS = Limit("SEGFMT_MAX_RINGS", 2_000_000, 2**31 - 1, "rings")
# What a member of an archive may unpack to. The second bound is for what is much larger than it is
# packed: honest labels shrink to a fiftieth, and DEFLATE ends at a thousandth.
DENSE = 200
MEMBER_BYTES = Limit("SEGFMT_MAX_MEMBER_BYTES", 2**30, 2**40, "bytes when unpacked")
DENSE_BYTES = Limit(
    "SEGFMT_MAX_DENSE_BYTES",
    2**26,
    2**40,
    f"bytes when unpacked, over {DENSE} times its packed size",
)

LIMITS = (PIXELS, FILE_BYTES, LINES, POINTS, RINGS, MEMBER_BYTES, DENSE_BYTES)


def check_environment() -> None:
    """Raise `UsageError` if the environment sets a limit to what none can be."""
    for limit in LIMITS:
        limit.value  # noqa: B018 - the property checks


def set_limits() -> dict[str, str]:
    """Return the variables that the environment sets, for a process that has another."""
    return {name: text for name, text in os.environ.items() if name.startswith(PREFIX)}


def use_limits(limits: dict[str, str]) -> None:
    """Have the environment set these limits, and no others."""
    for name in set_limits():
        del os.environ[name]
    os.environ.update(limits)


def read_whole(path: Path) -> bytes:
    """Return a file's bytes; `FormatError` if it is none, or over the limit."""
    try:
        if is_stored(path):
            FILE_BYTES.check(path.stat().st_size, path)
            return path.read_bytes()
        # By the system's calls, which cost half of what a file object does.
        handle = os.open(path, _READING)
        try:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                raise FormatError("is not a file", path=path)
            FILE_BYTES.check(status.st_size, path)
            return _read(handle, status.st_size)
        finally:
            os.close(handle)
    except OSError as error:
        raise FormatError(f"cannot be read: {error.strerror}", path=path) from error


def _read(handle: int, size: int) -> bytes:
    data = os.read(handle, size + 1)
    if len(data) == size:
        return data
    # Its size is not known to the system, it is still being written, or it is over 2 GB.
    parts = [data]
    while data := os.read(handle, 1 << 20):
        parts.append(data)
    return b"".join(parts)
