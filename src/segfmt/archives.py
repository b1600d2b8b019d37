"""Zip archives, read where they lie: their members by name, each unpacked by itself."""

from __future__ import annotations

import errno
import os
import re
import stat
import struct
import threading
import weakref
import zipfile
from contextlib import suppress
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from isal.isal_zlib import IsalError, crc32, decompressobj

from segfmt.errors import FormatError
from segfmt.files import nfc, readable
from segfmt.limits import DENSE, DENSE_BYTES, MEMBER_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

    from segfmt.places import Kind

_Damaged: type[Exception] = cast("type[Exception]", IsalError)  # its stubs call it an instance
# Parts of one archive: AIHub's, WinZip's, 7-Zip's.
PART_NAME = re.compile(r".*\.(?:zip\.part\d+|z\d\d|zip\.\d{3})", re.IGNORECASE)
JOIN_PARTS = (
    "Join the parts first, in the order of their numbers: cat $(ls -v NAME.zip.part*) > NAME.zip"
)
_ENCRYPTED, _UTF8 = 1, 1 << 11  # flags
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_DRIVE = re.compile(r"[A-Za-z]:")
_MEMBER = struct.Struct("<QQQIHH")
_seek_and_read = threading.Lock()


class _Member(NamedTuple):
    """Where a member is, and what it should unpack to."""

    place: int
    packed_size: int
    size: int
    sum: int
    method: int
    flags: int

    @classmethod
    def of(cls, info: zipfile.ZipInfo) -> Self:
        """Take over what is needed."""
        sizes = info.header_offset, info.compress_size, info.file_size
        return cls(*sizes, info.CRC, info.compress_type, info.flag_bits)

    def packed(self) -> bytes:
        """Return it in a tenth of the memory: an archive may have a million."""
        return _MEMBER.pack(*self)


class Archive:
    """The members of a zip file by name, in NFC, and the folders that their names make.

    Names without the mark of UTF-8 are cp949, as Korean Windows writes them, or UTF-8 all the same,
    as macOS does. Threads may read side by side.

    Attributes
    ----------
    refused
        Names that are no safe paths, links, and names that come again: these members are not there.
    nested
        How many members are archives themselves: those are not opened.

    Raises
    ------
    FormatError
        If the file is no zip archive, or a damaged one.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            with zipfile.ZipFile(path) as file:
                infos = file.infolist()
        except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error) as error:
            raise FormatError(
                f"is no zip archive, or a damaged one: {error}",
                path=path,
                mend=f"Get it again. If it is a part of one: {JOIN_PARTS}",
            ) from error
        self._file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        weakref.finalize(self, os.close, self._file)
        self.refused: list[str] = []
        self.nested = 0
        self._members: dict[str, bytes] = {}
        self._take_in(infos)

    def _take_in(self, infos: list[zipfile.ZipInfo]) -> None:
        # zipfile has read what has no mark as cp437, which gives every byte a letter.
        raws = [
            b"" if info.flag_bits & _UTF8 else info.orig_filename.encode("cp437") for info in infos
        ]
        encoding = _encoding(b"\n".join(raw for raw in raws if not raw.isascii()))
        for info, raw in zip(infos, raws, strict=True):
            name = nfc((raw.decode(encoding) if raw else info.orig_filename).replace("\\", "/"))
            link = stat.S_ISLNK(info.external_attr >> 16)
            clean = "/".join(part for part in name.split("/") if part != ".")
            if link or not _is_safe(name) or clean in self._members:
                self.refused.append(readable(name))
            elif not name.endswith("/"):
                self._members[clean] = _Member.of(info).packed()
                self.nested += name.lower().endswith(".zip")

    @cached_property
    def _folders(self) -> dict[str, dict[str, Kind]]:
        """What each folder holds."""
        folders: dict[str, dict[str, Kind]] = {"": {}}
        kind: Kind
        for member in self._members:
            path, kind = member, "file"
            while path:
                folder, _, name = path.rpartition("/")
                inside = folders.setdefault(folder, {})
                if name in inside:
                    break
                inside[name] = kind
                path, kind = folder, "folder"
        return folders

    def kind(self, name: str) -> Kind:
        """Return what there is of that name."""
        if name in self._members:
            return "file"
        return "folder" if name in self._folders else ""

    def children(self, folder: str) -> list[str]:
        """Return the names in a folder, in order."""
        return sorted(self._folders.get(folder, ()))

    def walk(self, folder: str) -> Iterator[str]:
        """Yield the files below a folder, folder by folder, by name; hidden ones are left out."""
        for name, kind in sorted(self._folders.get(folder, {}).items()):
            if name.startswith(".") or name == "__MACOSX":
                continue
            path = f"{folder}/{name}" if folder else name
            if kind == "folder":
                yield from self.walk(path)
            else:
                yield path

    def size(self, name: str) -> int:
        """Return how many bytes a member unpacks to; `FileNotFoundError` if there is none."""
        return self._member(name).size

    def read(self, name: str, stop: int | None = None) -> bytes:
        """Return a member's bytes up to `stop`, or all, which are then checked by their sum.

        Raises
        ------
        FileNotFoundError
            If there is no such member.
        FormatError
            If it is damaged, encrypted, packed by another method than DEFLATE, or over the limits.
        """
        member, path = self._member(name), Path(self.path, name)
        if member.flags & _ENCRYPTED:
            raise FormatError("is encrypted", path=path, mend="Unpack it with its password first.")
        if member.method not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            problem = f"is packed by method {member.method}, and segfmt unpacks DEFLATE alone"
            raise FormatError(problem, path=path, mend="Unpack the archive first.")
        MEMBER_BYTES.check(member.size, path)
        if member.size > DENSE * member.packed_size:
            DENSE_BYTES.check(member.size, path)
        whole = stop is None or stop >= member.size
        wanted = member.size if stop is None else min(stop, member.size)
        data = self._unpacked(member, wanted, whole=whole)
        # One byte more is asked for: a header may say less than there is.
        if len(data) != wanted or (whole and crc32(data) != member.sum):
            raise FormatError("is damaged: it does not unpack to what the archive says", path=path)
        return data

    def _member(self, name: str) -> _Member:
        packed = self._members.get(name)
        if packed is None:
            raise FileNotFoundError(errno.ENOENT, "is not in the archive", f"{self.path}/{name}")
        return _Member(*_MEMBER.unpack(packed))

    def _unpacked(self, member: _Member, wanted: int, *, whole: bool) -> bytes:
        head = self._at(member.place, _LOCAL_HEADER.size)
        if len(head) < _LOCAL_HEADER.size or not head.startswith(b"PK\3\4"):
            return b""
        _, name, extra = _LOCAL_HEADER.unpack(head)
        begin = member.place + _LOCAL_HEADER.size + int(name) + int(extra)
        if member.method == zipfile.ZIP_STORED:
            return self._at(begin, member.packed_size if whole else wanted)
        # What does not shrink grows by 5 bytes in 65,535.
        needed = member.packed_size if whole else wanted + wanted // 8 + 64
        packed = min(member.packed_size, needed)
        with suppress(_Damaged):
            unpacker = decompressobj(-15)
            data: bytes = unpacker.decompress(self._at(begin, packed), wanted + whole)
            return data
        return b""

    def _at(self, place: int, count: int) -> bytes:
        if hasattr(os, "pread"):  # which has no position that threads would have to share
            return os.pread(self._file, count, place)
        with _seek_and_read:
            os.lseek(self._file, place, os.SEEK_SET)
            return os.read(self._file, count)


def _encoding(names: bytes) -> str:
    """Return the encoding of names that are not marked as UTF-8, all of one archive together.

    A few cp949 syllables are UTF-8 too, of letters such as Greek; Korean in UTF-8 is beyond those.
    """
    with suppress(UnicodeDecodeError):
        if max(names.decode(), default="") >= "\u0800":
            return "utf-8"
    with suppress(UnicodeDecodeError):
        names.decode("cp949")
        return "cp949"
    return "cp437"


def _is_safe(name: str) -> bool:
    """Return whether a member's name can be a path below the archive, on any system."""
    if not name or name.startswith("/") or _DRIVE.match(name) or not name.isprintable():
        return False
    parts = name.removesuffix("/").split("/")
    return ".." not in parts and "" not in parts


@cache
def opened(path: str) -> Archive:
    """Return an archive, opened once a process: its list of members takes the time."""
    return Archive(path)
