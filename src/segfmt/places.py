"""Places that are no folders of this machine, such as archives and what a URL leads to.

Their paths speak as pathlib's do, so that formats need not know where they read and write. All that
such a path is stands in its text: it is as light to pickle, and as good in another process.
"""

from __future__ import annotations

import io
import mmap
import os
import re
import stat
import threading
from abc import abstractmethod
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path, PurePath, PurePosixPath
from typing import IO, TYPE_CHECKING, Any, Literal, cast
from zlib import crc32

from segfmt.errors import FormatError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

Kind = Literal["file", "folder", ""]
START = 1 << 16  # bytes: the header of nearly every image, with what cameras write before it
# Of two letters at least: `C:/data` is a drive. One slash: so pathlib writes a URL down again.
_URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]+):/")
_at_hand = threading.local()
_copies: dict[StoredPath, tuple[int, int]] = {}  # CRC-32 and descriptor
_copying = threading.Lock()


class StoreRefusedError(PermissionError):
    """A store does not let this user write: no other file will fare better."""


class StoredPath(PurePosixPath):
    """A path into a store, with as much of `pathlib.Path` as readers and writers use."""

    __slots__ = ()

    @abstractmethod
    def kind(self) -> Kind:
        """Return what is there, "" for nothing."""

    @abstractmethod
    def iterdir(self) -> Iterator[Self]:
        """Yield what a folder holds, by name in NFC."""

    @abstractmethod
    def walk(self, *, follow_links: bool = False) -> Iterator[Self]:
        """Yield the files below: see `segfmt.files.walk`."""

    @abstractmethod
    def fetch(self, stop: int | None = None) -> bytes:
        """Return a file's bytes up to `stop`, or all."""

    @abstractmethod
    def size(self) -> int:
        """Return how many bytes a file has; `FileNotFoundError` where there is none."""

    def write(self, data: bytes) -> None:  # noqa: ARG002 - what cannot be done
        """Write a file, whole or not at all."""
        raise PermissionError(f"{self} is read in place and cannot be written")

    def unlink(self, *, missing_ok: bool = False) -> None:  # noqa: ARG002 - as above
        """Remove a file."""
        raise PermissionError(f"{self} is read in place and cannot be removed")

    def resolve(self) -> Self:
        """Return the path itself: stores have no links."""
        return self

    def stat(self) -> os.stat_result:
        """Return the size of a file, and that it is one; stores tell no more."""
        return os.stat_result((stat.S_IFREG | 0o444, 0, 0, 0, 0, 0, self.size(), 0, 0, 0))

    def is_file(self) -> bool:
        """Return whether there is a file."""
        return self.kind() == "file"

    def is_dir(self) -> bool:
        """Return whether there is a folder."""
        return self.kind() == "folder"

    def exists(self) -> bool:
        """Return whether there is anything."""
        return self.kind() != ""

    def glob(self, pattern: str) -> Iterator[Self]:
        """Yield what matches a pattern, part by part; `**` is not known."""
        first, _, rest = pattern.partition("/")
        if "*" not in first:
            found = iter([self / first] if (self / first).exists() else [])
        else:
            found = (path for path in self.iterdir() if fnmatchcase(path.name, first))
        for path in found:
            if rest:
                yield from path.glob(rest)
            else:
                yield path

    def read_bytes(self) -> bytes:
        """Return a file's bytes."""
        kept: dict[str, bytes] | None = getattr(_at_hand, "files", None)
        if kept is None:
            return self.fetch()
        name = str(self)
        if name not in kept:
            kept[name] = self.fetch()
        return kept[name]

    def read_text(self, encoding: str = "utf-8") -> str:
        """Return a file's text."""
        return self.read_bytes().decode(encoding)

    def open(
        self,
        mode: str = "r",
        buffering: int = -1,  # noqa: ARG002 - as pathlib has it
        encoding: str | None = None,
    ) -> IO[Any]:
        """Open a file for reading; of one of which only the start is read, no more is fetched."""
        if "r" not in mode or "+" in mode:
            raise ValueError(f"{self}: mode {mode}: files in stores are written whole")
        file = _StoredFile(self)
        if "b" in mode:
            return cast("IO[bytes]", file)
        return io.TextIOWrapper(io.BufferedReader(file), encoding)


class _StoredFile(io.RawIOBase):
    """A file whose start is fetched first, and all of it as soon as that is not enough."""

    def __init__(self, path: StoredPath) -> None:
        self._path = path
        kept: dict[str, bytes] = getattr(_at_hand, "files", None) or {}
        whole = kept.get(str(path))
        self._data = path.fetch(START) if whole is None else whole
        self._whole = whole is not None or len(self._data) < START
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_END:
            self._complete()
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: len(self._data)}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        if self._at + len(buffer) > len(self._data):
            self._complete()
        part = self._data[self._at : self._at + len(buffer)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)

    def readall(self) -> bytes:
        self._complete()
        part = self._data[self._at :]
        self._at = len(self._data)
        return part

    def _complete(self) -> None:
        if not self._whole:
            self._data, self._whole = self._path.read_bytes(), True


@contextmanager
def at_hand() -> Iterator[None]:
    """Keep what this thread reads of stores while in here: an image is asked for several times."""
    _at_hand.files = {}
    try:
        yield
    finally:
        _at_hand.files = None


def as_stored(path: PurePath) -> StoredPath | None:
    """Return the path if it leads into a store; types call paths of either kind `Path`."""
    return path if isinstance(path, StoredPath) else None


def is_stored(path: PurePath) -> bool:
    """Return whether a path leads into a store."""
    return isinstance(path, StoredPath)


def mapped(path: Path, crc: int | None = None) -> mmap.mmap:
    """Return a file's bytes as memory, in which to look here and there.

    For files that are too large to be read for each sample, such as one that has the annotations of
    a whole dataset. What is written to that memory reaches no file. Of a file in a store a process
    fetches a copy, which stays on this machine's disk as long as the process and has no name.

    With `crc`, the CRC-32 of a file in a store as it was before, a copy that is that is taken
    again; without, it is made anew. Raises `FormatError` where the file is no longer the one of
    that CRC-32, and `ValueError` for an empty file.
    """
    if stored := as_stored(path):
        with _copying:
            known, descriptor = _copies.get(stored, (None, -1))
            if crc is None or known != crc:
                if descriptor >= 0:
                    os.close(descriptor)  # who still maps it holds it by that
                    del _copies[stored]
                known, descriptor = _copies[stored] = _copy(stored)
            if crc not in (None, known):
                raise FormatError("has changed since it was listed", path=path)
            return mmap.mmap(descriptor, 0, access=mmap.ACCESS_COPY)
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)


def _copy(path: StoredPath) -> tuple[int, int]:
    """Return the CRC-32 and the descriptor of a copy, which has no name: nothing of it stays."""
    from tempfile import TemporaryFile  # here: it takes longer to load than all else of paths

    data = path.fetch()
    with TemporaryFile(prefix="segfmt-") as file:
        file.write(data)
        file.flush()
        return crc32(data), os.dup(file.fileno())


def as_place(given: str | os.PathLike[str]) -> Path:
    """Return the path of a folder or a file of this machine, or of what a URL leads to.

    Raises `UsageError` for a URL that nothing here can follow.
    """
    if isinstance(given, StoredPath):
        return cast("Path", given)
    options = getattr(given, "storage_options", None)
    if options:  # of a UPath: workers in other processes would not have them
        raise UsageError(
            f"{given} has storage options of its own ({', '.join(options)}). "
            "Set them for all of fsspec, by its configuration or by the environment"
        )
    text = str(given) if hasattr(given, "protocol") else os.fspath(given)
    found = _URL.match(text.replace("\\", "/"))
    if found is None:
        return Path(text)
    if found["scheme"] in ("file", "local"):
        return Path(text[found.end() - 1 :].replace("//", "", 1) or "/")
    from segfmt.remote import RemotePath

    return cast("Path", RemotePath.checked(text.replace("\\", "/")))
