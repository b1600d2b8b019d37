"""What a dataset is read from: a folder, archives in place of folders, or what a URL leads to.

An archive is read as the folder of its stem would be, were it unpacked at its place:
`Training/TL_1.zip` as `Training/TL_1/`. One that is the source by itself is the root.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

from segfmt.archives import JOIN_PARTS, PART_NAME, Archive, opened
from segfmt.errors import UsageError
from segfmt.files import nfc, walk
from segfmt.imagefile import IMAGE_SUFFIXES
from segfmt.places import StoredPath, as_place, as_stored, is_stored

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

    from segfmt.places import Kind

Given = str | os.PathLike[str]
DATA_SUFFIXES = IMAGE_SUFFIXES | {".json", ".geojson", ".xml"}
SUFFIXES = (".zip", ".ZIP")


class ArchivePath(StoredPath):
    """A path among archives that stand for folders, and whatever else is there.

    `given` is what a root of several sources is made of; no other path has it.
    """

    __slots__ = ("given",)
    given: tuple[Path, ...]

    def kind(self) -> Kind:
        """Return what is there, "" for nothing."""
        archive, name = _located(str(self))
        if archive:
            return archive.kind(name)
        path = Path(self)
        return "folder" if path.is_dir() else "file" if path.is_file() else ""

    def iterdir(self) -> Iterator[Self]:
        """Yield what a folder holds, archives by their stems."""
        archive, name = _located(str(self))
        if several := _several(self):
            parts = {_mounted(path).relative_to(self).parts[0] for path in several}
        elif archive:
            parts = set(archive.children(name))
        else:
            folder = Path(self)
            # Nothing where there is no folder, as `Path.glob` has it, which asks.
            parts = {_mounted(path).name for path in folder.iterdir()} if folder.is_dir() else set()
        for part in sorted(sorted(parts), key=nfc):
            yield self / part

    def walk(self, *, follow_links: bool = False) -> Iterator[Self]:
        """Yield the files below, those of archives too: see `segfmt.files.walk`."""
        archive, name = _located(str(self))
        if several := _several(self):
            for path in several:
                below = _mounted(path) if _is_archive(path) else _source(path)
                for file in walk(below, follow_links=follow_links):
                    yield type(self)(file.as_posix())
        elif archive:
            prefix = f"{name}/" if name else ""
            for member in archive.walk(name):
                yield self / member.removeprefix(prefix)
        else:
            for path in walk(Path(self), follow_links=follow_links):
                mounted = type(self)(_mounted(path).as_posix())
                if _is_archive(path):
                    yield from mounted.walk()
                else:
                    yield mounted

    def fetch(self, stop: int | None = None) -> bytes:
        """Return a file's bytes up to `stop`, or all."""
        archive, name = _located(str(self))
        if archive:
            return archive.read(name, stop)
        with Path(self).open("rb") as file:
            return file.read(-1 if stop is None else stop)

    def size(self) -> int:
        """Return how many bytes a file has, unpacked; `FileNotFoundError` where there is none."""
        archive, name = _located(str(self))
        return archive.size(name) if archive else Path(self).stat().st_size

    def resolve(self) -> Self:
        """Return the absolute path."""
        return type(self)(Path(self).resolve().as_posix())


def as_source(src: Given | Sequence[Given]) -> Path:
    """Return the root to read a dataset from.

    A folder that has archives and, outside of them, neither images nor labels is one of archives;
    in any other, archives are left alone.

    Raises
    ------
    UsageError
        For parts of an archive; for several sources that are not there, are not all folders or
        archives of this machine, or hold one another.
    """
    if isinstance(src, str | os.PathLike):
        _inside.cache_clear()  # archives may be other ones than a while ago
        opened.cache_clear()
        return _source(as_place(src))
    given = [as_place(one) for one in src]
    if len(given) == 1:
        return as_source(given[0])
    if not given:
        raise UsageError("there is no source")
    for path in given:
        if is_stored(path):
            raise UsageError(f"{path}: of several sources, each must be a folder or a .zip file")
        if not (path.is_dir() or _is_archive(_joined(path))):
            what = "is neither a folder nor a .zip archive" if path.exists() else "is not there"
            unpacked = " or is unpacked beside it: give the folder" * (path.suffix in SUFFIXES)
            raise UsageError(f"{path} {what}{unpacked}")
    mounts = [Path(os.path.abspath(_mounted(path))) for path in given]  # noqa: PTH100 - links stay
    for path, mount in zip(given, mounts, strict=True):
        if sum(mount.is_relative_to(other) for other in mounts) > 1:
            raise UsageError(f"{path} is given twice, or within another source")
    root = ArchivePath(Path(os.path.commonpath([mount.parent for mount in mounts])).as_posix())
    root.given = tuple(
        sorted((Path(os.path.abspath(path)) for path in given), key=lambda path: nfc(str(path)))  # noqa: PTH100
    )
    return cast("Path", root)


def sources_of(root: Path) -> tuple[Path, ...]:
    """Return what a root was made of: what the user gave."""
    return _several(root) or (root,)


def source_remarks(root: Path) -> list[str]:
    """Return what is to be said of the archives that a dataset is read from."""
    archives = list(_archives(root))
    if not archives:
        return []
    remarks = [f"archives read in place: {len(archives)}"]
    for archive in archives:
        name = Path(archive.path).name
        if refused := archive.refused:
            remarks.append(
                f"{name}: members left out, as their names lead out of it, are links or come "
                f'twice: {len(refused)}, such as "{refused[0]}"'
            )
        if archive.nested:
            remarks.append(f"{name}: archives in it are left out: {archive.nested}")
    return remarks


def _archives(root: Path) -> Iterator[Archive]:
    for path in sources_of(root) if isinstance(as_stored(root), ArchivePath) else ():
        place = Path(path)
        if place.is_file():
            yield opened(place.as_posix())
        elif isinstance(_source(place), ArchivePath):
            files = walk(place, follow_links=True)
            yield from (opened(file.as_posix()) for file in files if _is_archive(file))


def _several(root: object) -> tuple[Path, ...]:
    # A path made of another has the class, but not the attribute.
    return getattr(root, "given", ())


def _source(path: Path) -> Path:
    if is_stored(path) or not path.exists():
        return path
    one = path.is_file() and _joined(path).suffix in SUFFIXES
    if one or (path.is_dir() and _holds_archives_alone(path)):
        return cast("Path", ArchivePath(path.as_posix()))
    return path


def _joined(path: Path) -> Path:
    """Return the path; `UsageError` if it is a part of an archive."""
    if PART_NAME.fullmatch(path.name):
        raise UsageError(f"{path} is a part of an archive. {JOIN_PARTS}")
    return path


def _holds_archives_alone(folder: Path) -> bool:
    """Return whether there are archives in a folder and no data; ends at the first file of data."""
    found, part = False, ""
    for path in _files(folder):
        suffix = os.path.splitext(path)[1]  # noqa: PTH122 - a million of them
        if suffix.lower() in DATA_SUFFIXES:
            return False
        found = found or suffix in SUFFIXES
        if PART_NAME.fullmatch(path):
            part = path
    if part:
        _joined(Path(part))
    return found


def _files(folder: str | Path) -> Iterator[str]:
    """Yield files as the disk has them: unsorted, so that the first comes at once."""
    folders = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith(".") or entry.name == "__MACOSX":
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                else:
                    yield entry.path
    except OSError:
        return  # `walk` will meet the same error and tell
    for path in folders:
        yield from _files(path)


def _is_archive(path: Path) -> bool:
    """Return whether a file is an archive that is not unpacked beside itself."""
    return path.suffix in SUFFIXES and path.is_file() and not path.with_suffix("").is_dir()


def _mounted(path: Path) -> Path:
    """Return the folder that an archive stands for; anything else stands for itself."""
    if not _is_archive(path):
        return path
    return cast("Path", ArchivePath(path.with_suffix("").as_posix()))


def _located(text: str) -> tuple[Archive | None, str]:
    """Return the archive that a path leads into, and the name in it."""
    folder, _, name = text.rpartition("/")
    archive, inner = _inside(folder)
    if archive:
        return archive, nfc(f"{inner}/{name}" if inner else name)
    return _inside(text)


@lru_cache(maxsize=1 << 14)  # folders
def _inside(folder: str) -> tuple[Archive | None, str]:
    if not folder or os.path.isdir(folder):  # noqa: PTH112 - text as it is
        return None, ""
    for suffix in ("", *SUFFIXES):
        path = folder + suffix
        if path.endswith(SUFFIXES) and os.path.isfile(path):  # noqa: PTH113
            return opened(path), ""
    above, _, name = folder.rpartition("/")
    archive, inner = _inside(above)
    return archive, nfc(f"{inner}/{name}" if inner else name) if archive else ""
