"""Files and folders: walks that stay inside, safe names, writes that are whole or not there."""

from __future__ import annotations

import os
import re
import stat
import threading
import unicodedata
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple, TypeVar, cast

from isal.isal_zlib import crc32

from segfmt.errors import FormatError
from segfmt.places import as_stored, is_stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STATE_FOLDER = ".segfmt"
PART = ".part"
LONGEST_KEY = 1000  # bytes, of the 4096 that Linux allows a path
_NOT_ON_WINDOWS = re.compile(
    r'[<>:"|?*]|[. ]/|(?:^|/)(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[1-9¹²³]) *(?:[./]|$)',
    re.IGNORECASE,
)
_BLOCK = 1 << 20
# Of this process alone: two machines that share a disk have processes of one number.
_PROCESS = os.urandom(4).hex()
_recording = threading.local()
T = TypeVar("T")


Recorded = dict[str, "tuple[Path, tuple[int, int] | None]"]


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
    if stored := as_stored(root):
        yield from cast("Iterator[Path]", stored.walk(follow_links=follow_links))
    else:
        yield from _walk(root, root.resolve(), follow_links, frozenset())


def _walk(folder: Path, root: Path, follow_links: bool, seen: frozenset[Path]) -> Iterator[Path]:
    try:
        with os.scandir(folder) as entries:
            # Names with their kinds: of a folder of a million files, entries would take 200 MB.
            # NUL is in no name and sorts as the end of a name does.
            listed = [f"{entry.name}\0{_kind(entry)}" for entry in entries]
    except OSError as error:
        raise FormatError(f"cannot be read: {error.strerror}", path=folder) from error
    listed.sort()
    listed.sort(key=nfc)
    for entry in listed:
        name, _, kind = entry.partition("\0")
        # Hidden: our own state, and what macOS leaves beside every file it copies (`._name`).
        if name.startswith(".") or name == "__MACOSX":
            continue
        path = folder / name
        links = seen
        if "link" in kind:
            real = path.resolve()
            if real in seen:
                continue
            if not follow_links and not real.is_relative_to(root):
                raise _leads_out(path, real)
            links = seen | {real}
        if "folder" in kind:
            yield from _walk(path, root, follow_links, links)
        elif "file" in kind:
            yield path


def inside(path: Path, root: Path, *, follow_links: bool = False) -> Path:
    """Return a path that no walk has found, such as a list's; raise what `walk` does of links."""
    if not follow_links and not is_stored(path):
        real = Path(os.path.realpath(path))
        if not real.is_relative_to(os.path.realpath(root)):
            raise _leads_out(path, real)
    return path


def _leads_out(path: Path, real: Path) -> FormatError:
    return FormatError(
        f"is a link that leads out of the dataset, to {real}",
        path=path,
        mend="If that is meant, give -i follow_links=true.",
    )


def _kind(entry: os.DirEntry[str]) -> str:
    kind = "folder" if entry.is_dir() else "file" if entry.is_file() else ""
    return f"{kind} link" if entry.is_symlink() else kind


def fits_windows(key: str) -> bool:
    """Return whether Windows can have files and folders of a sample's key.

    It has no parts such as `con` or `aux.v2`, which are devices, no folders that end in a dot or a
    blank, and none of the letters that `check_key` leaves and Windows does not: `<>:"|?*`.

    >>> fits_windows("city/frame_1"), fits_windows("aux/frame_1"), fits_windows("12:30")
    (True, False, False)
    """
    return _NOT_ON_WINDOWS.search(key) is None


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
        problem = "it has a backslash, an invisible or a control character"
    elif bad := [part for part in key.split("/") if part in ("", ".", "..")]:
        problem = f'it has a part "{bad[0]}"'
    elif any(len(part.encode(errors="replace")) > 240 for part in key.split("/")):
        problem = "a part of it is over 240 bytes long"
    elif len(key.encode()) > LONGEST_KEY:
        problem = f"it is over {LONGEST_KEY} bytes long"
    elif os.name == "nt" and not fits_windows(key):
        problem = "Windows cannot have it"
    if problem:
        raise FormatError(f'"{readable(key)}" is no safe name for a file: {problem}', mend=mend)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, and rename it to `path` when all went well.

    Folders are made as needed. Whatever happens, no half-written file stands under the final name,
    and an exception leaves no temporary file. Readers see the old file or the new one, never a
    mixture. For a path in a store, the temporary file is one of this machine.
    """
    if is_stored(path):
        with TemporaryDirectory(prefix="segfmt-") as folder:
            local = Path(folder, path.name)
            yield local
            atomic_write(path, local.read_bytes())
        return
    temporary = Path(_temporary(path))
    try:
        yield temporary
        temporary.replace(path)
        _record(path, None)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def atomic_write(path: Path, data: bytes) -> None:
    """Write a file so that it is whole or not there; folders are made as needed."""
    if stored := as_stored(path):
        stored.write(data)
        _record(path, (len(data), crc32(data)))
        return
    # By the system's calls: Python's file objects cost as much as a small mask takes to write, and
    # threads wait for each other at each.
    temporary = _temporary(path)
    try:
        _write(path, temporary, data)
        os.replace(temporary, path)  # noqa: PTH105
        _record(path, (len(data), crc32(data)))
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _write(path: Path, temporary: str, data: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
    handle = with_folder(path, lambda: os.open(temporary, flags, 0o666))
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(handle, rest) :]
    finally:
        os.close(handle)


def of_this_thread() -> str:
    """Return a name that no other thread has, of any process on any machine."""
    # Threads of two processes have one number, and processes of two machines.
    return f"{_PROCESS}-{os.getpid():x}-{threading.get_ident():x}"


def _temporary(path: Path) -> str:
    # Short, so that it fits wherever the final name fits; one thread writes one file at a time.
    own = f".{of_this_thread()}{PART}"
    return os.path.join(os.path.dirname(path), own)  # noqa: PTH118, PTH120 - as above


def with_folder(path: Path, write: Callable[[], T]) -> T:
    """Call `write`, and again after making `path`'s folder where that is what was missing."""
    try:
        return write()
    except FileNotFoundError:
        # Asking afterwards saves a system call a file: all but the first find their folder there.
        path.parent.mkdir(parents=True, exist_ok=True)
        return write()


@contextmanager
def recording() -> Iterator[Recorded]:
    """Give the files that this thread writes whole while in here: path, size and sum, by name."""
    files: Recorded = {}
    _recording.files = files
    try:
        yield files
    finally:
        _recording.files = None


def _record(path: Path, known: tuple[int, int] | None) -> None:
    files: Recorded | None = getattr(_recording, "files", None)
    if files is not None:
        files[str(path)] = path, known


def written(root: Path, name: str, recorded: Recorded) -> Written:
    """Return what a file below `root` is: as it was recorded, or else by reading it."""
    # Joined as text first: paths cost as much to make as all else here.
    of_text = recorded.get(os.path.join(root, name))  # noqa: PTH118
    path, known = of_text or recorded.get(str(root / name)) or (root / name, None)
    if known:
        return Written(name, *known)
    if is_stored(path):
        return Written(name, path.stat().st_size, sum_of(path))
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode) or status.st_nlink > 1:
        return Written(name, 0, None)
    return Written(name, status.st_size, sum_of(path))


def sum_of(path: Path) -> int:
    """Return the CRC-32 of a file."""
    sum = 0
    with path.open("rb", buffering=0) as file:
        while block := file.read(_BLOCK):
            sum = crc32(block, sum)
    return sum


def sweep(root: Path) -> None:
    """Remove the unfinished files that a killed run left below `root`."""
    if is_stored(root):
        return  # what is left there has the name of the file that comes next
    for folder, _, names in os.walk(root):
        for name in names:
            if name.startswith(".") and name.endswith(PART):
                (Path(folder) / name).unlink(missing_ok=True)
