"""Archives and URLs: what they cost folders, and what reading in place saves."""

from __future__ import annotations

import itertools
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import segfmt
from scenes import FULL_HD
from segfmt import files
from segfmt.archives import Archive

GROUP = "Places: what folders pay for archives and URLs"
IMAGES = 100


def pack(path: Path, folder: Path, method: int) -> Path:
    with zipfile.ZipFile(path, "w", method, compresslevel=6) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, file.name)
    return path


def test_writing_a_local_file(paired: Callable[..., float], folder: Path) -> None:
    """The opponent is what `atomic_write` was before it knew of stores."""
    data = os.urandom(4096)

    def before(path: Path) -> None:
        temporary = files._temporary(path)
        try:
            files._write(path, temporary, data)
            os.replace(temporary, path)  # noqa: PTH105 - as it is there
            files._record(path, (len(data), files.crc32(data)))
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    paired(
        GROUP,
        "a file of 4 KB written",
        "without the branch",
        lambda: files.atomic_write(folder / "a", data),
        lambda: before(folder / "a"),
        20,
        ">= 0.95",
        calls=2000,
    )


def test_walking_a_local_folder(paired: Callable[..., float], folder: Path) -> None:
    for number in range(5000):
        (folder / f"{number:05}.json").touch()
    paired(
        GROUP,
        "a folder of 5,000 files listed",
        "without the branch",
        lambda: list(files.walk(folder)),
        lambda: list(files._walk(folder, folder.resolve(), False, frozenset())),
        20,
        ">= 0.95",
    )


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_reading_members(paired: Callable[..., float], folder: Path, method: int) -> None:
    source = FULL_HD.write_aihub(folder / "src", IMAGES)
    path = pack(folder / "labels.zip", source / "label", method)
    ours, theirs = Archive(str(path)), zipfile.ZipFile(path)
    names = theirs.namelist()
    paired(
        "Places: members of an archive",
        f"labels {'as they are' if method == zipfile.ZIP_STORED else 'packed'}",
        "zipfile",
        lambda: [ours.read(name) for name in names],
        lambda: [theirs.read(name) for name in names],
        12,
        ">= 1",
        (IMAGES, IMAGES),
    )
    theirs.close()


@pytest.mark.parametrize("place", ["zip, as it is", "zip, packed", "memory://"])
def test_whole_path(paired: Callable[..., float], folder: Path, place: str) -> None:
    """JSON to VOC masks, one worker; the opponent is segfmt itself, with folders."""
    source = FULL_HD.write_aihub(folder / "src", IMAGES)
    counter = itertools.count()
    src: Path | str = source
    if place.startswith("zip"):
        method = zipfile.ZIP_STORED if place == "zip, as it is" else zipfile.ZIP_DEFLATED
        src = pack(folder / "labels.zip", source / "label", method)
    else:
        memory = pytest.importorskip("fsspec").filesystem("memory")
        src = "memory://src"
        for file in (source / "label").iterdir():
            memory.pipe_file(f"/src/{file.name}", file.read_bytes())

    def convert(source: Path | str, targets: list[Path]) -> None:
        for target in targets:
            shutil.rmtree(target)
        targets[:] = [folder / f"out-{next(counter)}"]
        report = segfmt.convert(
            source,
            targets[0],
            source="aihub",
            target="voc",
            workers=1,
            images="none",
            missing_image="keep",
        )
        assert report.done == IMAGES

    ours: list[Path] = []
    theirs: list[Path] = []
    paired(
        "Places: whole path, JSON to VOC masks, 1 worker",
        f"from {place}",
        "from a folder",
        lambda: convert(src, ours),
        lambda: convert(source, theirs),
        12,
        ">= 0.7",
        (IMAGES, IMAGES),
    )
