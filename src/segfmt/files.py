"""Files and folders: walks that stay inside, safe names, writes that are whole or not there."""

from __future__ import annotations

import os
import stat
import threading
import unicodedata
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from isal.isal_zlib import crc32

from segfmt.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STATE_FOLDER = ".segfmt"
PART = ".part"
_BLOCK = 1 << 20
# Of this process alone: two machines that share a disk have processes of one number.
_PROCESS = os.urandom(4).hex()
_recording = threading.local()


class Written(NamedTuple):
    """A file as it was written: its POSIX path below the target, its size in bytes, its CRC-32.

    For links, whose bytes are not segfmt's, the size is 0 and the sum None.
    """

    name: str
    size: int
    sum: int | None


def nfc(text: str) -> str:
    """Return text in NFC: file systems and tools differ in how they spell Korean and accents."""
    return unicodedata.normalize("NFC", text)


def readable(text: str) -> str:
    r"""Return text that can be written anywhere: bytes of a name that are no UTF-8 as escapes.

    Archives made by Korean Windows unpack to such names on Linux.

    >>> print(readable("scene_\udcc7"))
    scene_\udcc7
    """
    return text.encode("utf-8", "backslashreplace").decode()


def walk(root: Path, *, follow_links: bool = False) -> Iterator[Path]:
    """Yield every file below `root`, folder by folder, by name in NFC; hidden ones are left out.

    Raises
    ------
    FormatError
        For a folder that cannot be read, and for a link that leads out of `root` unless
        `follow_links`.
    """
    yield from _walk(root, root.resolve(), follow_links, frozenset())


def _walk(folder: Path, root: Path, follow_links: bool, seen: frozenset[Path]) -> Iterator[Path]:
    try:
        with os.scandir(folder) as entries:
            listed = sorted(entries, key=lambda entry: (nfc(entry.name), entry.name))
    except OSError as error:
        raise FormatError(f"cannot be read: {error.strerror}", path=folder) from error
    for entry in listed:
        # Hidden: our own state, and what macOS leaves beside every file it copies (`._name`).
        if entry.name.startswith(".") or entry.name == "__MACOSX":
            continue
        path = folder / entry.name
        links = seen
        if entry.is_symlink():
            real = path.resolve()
            if real in seen:
                continue
            if not follow_links and not real.is_relative_to(root):
                raise FormatError(
                    f"is a link that leads out of the dataset, to {real}",
                    path=path,
                    mend="If that is meant, give -i follow_links=true.",
                )
            links = seen | {real}
        if entry.is_dir():
            yield from _walk(path, root, follow_links, links)
        elif entry.is_file():
            yield path


def check_key(key: str, mend: str = "Rename the source file.") -> None:
    """Raise `FormatError` unless a sample's key can be a path below a target folder.

    Keys come out of datasets, so they are data: none may climb out of the target, on any system.

    >>> check_key("city/frame_1")
    >>> check_key("../frame_1")
    Traceback (most recent call last):
    ...
    segfmt.errors.FormatError: "../frame_1" is no safe name for a file: it has a part "..". ...
    """
    problem = ""
    if not key or key.startswith("/") or (len(key) > 1 and key[1] == ":"):
        problem = "it is not a relative path"
    elif any("\ud800" <= letter <= "\udfff" for letter in key):
        problem = "it is not UTF-8, as when an archive is unpacked in the wrong encoding"
    elif "\\" in key or not key.isprintable():
        problem = "it has a backslash or a control character"
    elif bad := [part for part in key.split("/") if part in ("", ".", "..")]:
        problem = f'it has a part "{bad[0]}"'
    elif any(len(part.encode(errors="replace")) > 240 for part in key.split("/")):
        problem = "a part of it is over 240 bytes long"
    if problem:
        raise FormatError(f'"{readable(key)}" is no safe name for a file: {problem}', mend=mend)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, and rename it to `path` when all went well.

    Folders are made as needed. Whatever happens, no half-written file stands under the final name,
    and an exception leaves no temporary file. Readers see the old file or the new one, never a
    mixture.
    """
    # Short, so that it fits wherever the final name fits; one thread writes one file at a time.
    own = f".{_PROCESS}-{os.getpid():x}-{threading.get_ident():x}{PART}"
    temporary = path.parent / own
    try:
        yield temporary
        temporary.replace(path)
        if (recorded := getattr(_recording, "paths", None)) is not None:
            recorded.append(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def recording() -> Iterator[list[Path]]:
    """Give a list of the files that this thread writes whole while in here."""
    _recording.paths = []
    try:
        yield _recording.paths
    finally:
        _recording.paths = None


def written(root: Path, name: str) -> Written:
    """Return what a file below `root` is now, by reading it."""
    path = root / name
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode) or status.st_nlink > 1:
        return Written(name, 0, None)
    sum = 0
    with path.open("rb", buffering=0) as file:
        while block := file.read(_BLOCK):
            sum = crc32(block, sum)
    return Written(name, status.st_size, sum)


def sweep(root: Path) -> None:
    """Remove the unfinished files that a killed run left below `root`."""
    for folder, _, names in os.walk(root):
        for name in names:
            if name.startswith(".") and name.endswith(PART):
                (Path(folder) / name).unlink(missing_ok=True)


def atomic_write(path: Path, data: bytes) -> None:
    """Write a file so that it is whole or not there; folders are made as needed."""
    with replacing(path) as temporary:
        with_folder(path, lambda: temporary.write_bytes(data))


def with_folder(path: Path, write: Callable[[], object]) -> None:
    """Call `write`, and again after making `path`'s folder where that is what was missing."""
    try:
        write()
    except FileNotFoundError:
        # Asking afterwards saves a system call a file: all but the first find their folder there.
        path.parent.mkdir(parents=True, exist_ok=True)
        write()
