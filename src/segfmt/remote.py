"""What URLs lead to, through fsspec: object stores such as `s3://` and `gs://`, and `memory://`.

Endpoints and credentials are fsspec's and the stores' own business: the environment, or files such
as `~/.config/fsspec/*.json`, so that worker processes have them too.
"""

from __future__ import annotations

import errno
import os
import time
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from segfmt.errors import UsageError
from segfmt.files import PART, nfc
from segfmt.places import StoredPath, StoreRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Self

    from segfmt.places import Kind

ATTEMPTS = 4
FIRST_DELAY = 0.5  # seconds; doubled from attempt to attempt
# Of fsspec's names: what is written there is there as a whole under its name, or not at all.
WHOLE = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oci", "oss", "memory"})
_NOT_THERE = (FileNotFoundError, IsADirectoryError, NotADirectoryError, NotImplementedError)
T = TypeVar("T")


class RemotePath(StoredPath):
    """A path of what a URL leads to."""

    __slots__ = ()

    @classmethod
    def checked(cls, url: str) -> Self:
        """Return the path of a URL; `UsageError` if it cannot be followed, or nobody answers."""
        if "::" in url or "?" in url:
            raise UsageError(f"{url}: give a plain URL, without `::` or `?`")
        path = cls(url)
        if len(path.parts) == 1 and path.parts[0] != "memory:":
            raise UsageError(f"{url} names no bucket")
        try:
            path.kind()
        except OSError as error:
            raise UsageError(f"{url}: {error.strerror}") from error
        return path

    def __str__(self) -> str:
        scheme, colon, rest = super().__str__().partition(":/")
        return f"{scheme}://{rest}" if colon else scheme

    def __fspath__(self) -> str:
        return str(self)

    @property
    def _store(self) -> Any:
        return _file_system(os.getpid(), self.parts[0].removesuffix(":"))

    @property
    def _key(self) -> str:
        return str(self._store._strip_protocol(str(self)))

    def kind(self) -> Kind:
        """Return what is there, "" for nothing."""
        try:
            info = self._tried(lambda: self._store.info(self._key))
        except (FileNotFoundError, NotADirectoryError):
            return ""
        return "folder" if info["type"] == "directory" else "file"

    def iterdir(self) -> Iterator[Self]:
        """Yield what a folder holds, by name in NFC; nothing where there is no folder."""
        try:
            names = self._tried(lambda: self._store.ls(self._key, detail=False))
        except FileNotFoundError:
            return
        keys = {str(name).strip("/") for name in names}
        keys.discard(self._key.strip("/"))  # a folder may be there as an object of its own name
        for name in sorted(sorted(key.rpartition("/")[2] for key in keys), key=nfc):
            yield self / name

    def walk(self, *, follow_links: bool = False) -> Iterator[Self]:  # noqa: ARG002 - has no links
        """Yield the files below: see `segfmt.files.walk`. The store lists them at one go."""
        prefix = f"{self._key.rstrip('/')}/"
        names = [
            str(key).removeprefix(prefix)
            for key in self._tried(lambda: self._store.find(self._key))
            if str(key).startswith(prefix)
        ]
        # NUL is in no name and sorts as the end of a name does.
        for name in sorted(sorted(names), key=lambda name: nfc(name.replace("/", "\0"))):
            parts = name.split("/")
            if not any(part[:1] in ("", ".") or part == "__MACOSX" for part in parts):
                yield self / name

    def fetch(self, stop: int | None = None) -> bytes:
        """Return a file's bytes up to `stop`, or all."""
        store, key = self._store, self._key

        def get() -> bytes:
            if stop is None:
                return bytes(store.cat_file(key))
            try:
                return bytes(store.cat_file(key, start=0, end=stop))
            except OSError:
                if store.info(key)["size"] == 0:  # of which there is no range
                    return b""
                raise

        return self._tried(get)

    def size(self) -> int:
        """Return how many bytes a file has; `FileNotFoundError` where there is none."""
        info = self._tried(lambda: self._store.info(self._key))
        if info["type"] == "directory":
            raise IsADirectoryError(errno.EISDIR, "is a folder", str(self))
        return int(info["size"])

    def write(self, data: bytes) -> None:
        """Write a file: whole, or not at all where the store can do that or can rename."""
        store, key = self._store, self._key
        protocols = store.protocol if isinstance(store.protocol, tuple) else (store.protocol,)

        def put() -> None:
            if not WHOLE.isdisjoint(protocols):
                store.pipe_file(key, data)
                return
            folder, _, name = key.rpartition("/")
            part = f"{folder}/.{name}{PART}"
            store.makedirs(folder, exist_ok=True)
            store.pipe_file(part, data)
            store.mv(part, key)

        try:
            self._tried(put)
        except (PermissionError, FileNotFoundError) as error:  # of a bucket that is not there
            raise StoreRefusedError(
                errno.EACCES, f"cannot be written: {_words(error)}", str(self)
            ) from error

    def unlink(self, *, missing_ok: bool = False) -> None:
        """Remove a file."""
        if not missing_ok or self.exists():
            self._tried(lambda: self._store.rm_file(self._key))

    def _tried(self, call: Callable[[], T]) -> T:
        """Call, and again after a while where it was the network or the store that failed."""
        for attempt in range(ATTEMPTS):
            try:
                return call()
            except _NOT_THERE:
                raise
            # Stores raise what their libraries raise, which have no class in common.
            except Exception as error:
                if isinstance(error, PermissionError) or "Credential" in type(error).__name__:
                    text = f"the store refuses: {_words(error)}"
                    raise PermissionError(errno.EACCES, text, str(self)) from error
                if attempt == ATTEMPTS - 1:
                    problem = f"{_words(error)} (tried {ATTEMPTS} times)"
                    raise OSError(errno.EIO, problem, str(self)) from error
            time.sleep(FIRST_DELAY * 2**attempt)
        raise AssertionError("unreachable")


def _words(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error or type(error).__name__)


@cache
def _file_system(process: int, scheme: str) -> Any:  # noqa: ARG001 - a fork needs its own
    try:
        from fsspec import filesystem
    except ImportError as error:
        raise UsageError("URLs need fsspec: pip install segfmt[remote]") from error
    try:
        # What others write meanwhile, or this run before, must be seen.
        return filesystem(scheme, use_listings_cache=False)
    except ImportError as error:
        raise UsageError(f"{scheme}://: {error}. Try pip install segfmt[remote]") from error
    except ValueError as error:
        raise UsageError(f"{scheme}://: {error}") from error
