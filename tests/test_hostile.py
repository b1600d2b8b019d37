"""Datasets made for harm: nothing leaves the target, is run, or grows without bound."""

import ast
import io
import json
import os
import re
import struct
import subprocess
import sys
import unicodedata
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import segfmt
from aihub_files import SQUARE, annotation, dataset, label, write_image, write_label
from fuzz.mutate import chunk
from fuzz.seeds import Seed, seeds
from segfmt import FormatError, Report, SegfmtError, UsageError, check_key, open_dataset, write_mask
from segfmt.files import fits_windows
from segfmt.limits import FILE_BYTES, LIMITS, LINES, PIXELS, POINTS, RINGS

ROOT = Path(__file__).parents[1]


def convert(root: Path, out: Path, source: str = "aihub", **options: Any) -> Report:
    return segfmt.convert(root, out, source=source, target="voc", executor="serial", **options)


def only_error(report: Report) -> str:
    assert (report.done, report.failed) == (0, 1)
    assert not report.failures[0].traceback
    return report.failures[0].error


# Limits


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.variable)
def test_a_limit_is_named_where_it_is_met(limit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    limit.check(limit.default, Path("x"))
    with pytest.raises(FormatError, match=f"x: has .* {limit.unit}, over .*{limit.variable}"):
        limit.check(limit.default + 1, Path("x"))
    monkeypatch.setenv(limit.variable, str(limit.default + 1))
    limit.check(limit.default + 1)


@pytest.mark.parametrize("value", ["-1", "0", "many", "1e9", "99999999999999999999"])
def test_a_limit_that_is_none_is_refused_before_anything_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv(POINTS.variable, value)
    with pytest.raises(UsageError, match=f"SEGFMT_MAX_POINTS={value}: give a number from 1"):
        convert(dataset(tmp_path / "src", ["a"]), tmp_path / "dst")


def test_limits_hold_in_worker_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = dataset(tmp_path / "src", ["a"])
    options = {"source": "aihub", "target": "voc", "executor": "processes", "workers": 1}
    assert segfmt.convert(root, tmp_path / "one", **options).ok
    monkeypatch.setenv(POINTS.variable, "3")
    assert "has 4 points" in only_error(segfmt.convert(root, tmp_path / "two", **options))
    monkeypatch.delenv(POINTS.variable)
    assert segfmt.convert(root, tmp_path / "three", **options).ok


def test_points_and_rings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    square = annotation(points=SQUARE * 10)
    root = dataset(tmp_path / "src", ["a"], {"a": label(square, square)})
    for limit, count in ((POINTS, 80), (RINGS, 2)):
        monkeypatch.setenv(limit.variable, str(count))
        assert convert(root, tmp_path / "dst", overwrite=True).ok
        monkeypatch.setenv(limit.variable, str(count - 1))
        problem = f"a.json: has {count} {limit.unit}, over the limit of {count - 1}"
        assert problem in only_error(convert(root, tmp_path / "dst", overwrite=True))
        monkeypatch.delenv(limit.variable)


def test_points_are_counted_before_there_is_memory_for_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(POINTS.variable, "1000")
    monkeypatch.setattr(np, "empty", None)
    with pytest.raises(FormatError, match="has 1,001 points"):
        segfmt.parse_rings([b"[" + b"[1,1]," * 1000 + b"[1,1]]"], Path("x"), ["a"])


def test_a_mask_that_is_nothing_but_corners_is_not_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    dots = np.indices((100, 100)).sum(0).astype(np.uint8) % 2
    assert len(segfmt.trace(dots)) == 5000
    monkeypatch.setenv(POINTS.variable, "19999")
    with pytest.raises(FormatError, match="has 20,000 points, over the limit"):
        segfmt.trace(dots)


def test_label_files_that_are_too_large_are_not_read(tmp_path: Path) -> None:
    root = dataset(tmp_path / "src", ["a"])
    with (root / "label" / "a.json").open("r+b") as file:
        file.truncate(300 << 20)
    error = only_error(convert(root, tmp_path / "dst"))
    assert "a.json: has 314,572,800 bytes, over the limit of 134,217,728" in error
    assert FILE_BYTES.variable in error


def test_lists_and_tables_that_are_too_large_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_mask(tmp_path / "SegmentationClass" / "a.png", np.zeros((2, 2), np.uint8))
    names = tmp_path / "ImageSets" / "Segmentation" / "train.txt"
    segfmt.atomic_write(names, b"a\r" * 9)
    monkeypatch.setenv(LINES.variable, "8")
    with pytest.raises(FormatError, match=r"train\.txt: has 9 lines"):
        list(open_dataset(tmp_path, "voc"))
    monkeypatch.setenv(FILE_BYTES.variable, "17")
    with pytest.raises(FormatError, match=r"train\.txt: has 18 bytes"):
        list(open_dataset(tmp_path, "voc"))
    with pytest.raises(FormatError, match=r"classes\.json: has 20 bytes"):
        (tmp_path / "classes.json").write_bytes(b"[]" + b" " * 18)
        segfmt.read_table(tmp_path / "classes.json")


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_has_the_name_of_a_list_and_is_no_file(tmp_path: Path, kind: str) -> None:
    write_mask(tmp_path / "SegmentationClass" / "a.png", np.zeros((2, 2), np.uint8))
    names = tmp_path / "ImageSets" / "Segmentation" / "train.txt"
    names.parent.mkdir(parents=True)
    names.mkdir() if kind == "folder" else os.mkfifo(names)
    with pytest.raises(FormatError, match=r"train\.txt: is not a file"):
        list(open_dataset(tmp_path, "voc"))


@pytest.mark.parametrize("nested", ["[" * 100_000, '{"Annotation":' * 100_000, '[{"a":' * 50_000])
def test_nesting(tmp_path: Path, nested: str) -> None:
    root = dataset(tmp_path / "src", ["a"])
    (root / "label" / "a.json").write_text(nested)
    assert "nested too deep" in only_error(convert(root, tmp_path / "dst"))


# Images that are bombs


def png(width: int, height: int, data: bytes, *, depth: int = 8, color: int = 0) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    palette = chunk(b"PLTE", bytes(768)) if color == 3 else b""
    rest = palette + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + rest


def patched(format: str, place: int, sizes: str, width: int, height: int) -> bytes:
    """Return a small image whose header says that it is large."""
    file = io.BytesIO()
    Image.new("L", (16, 12)).save(file, format)
    data = bytearray(file.getvalue())
    struct.pack_into(sizes, data, place, width, height)
    return bytes(data)


def tiff(width: int, height: int) -> bytes:
    tags = [(256, width), (257, height), (258, 8), (259, 1), (262, 1), (273, 8), (279, 1)]
    rows = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + rows + bytes(4)


def webp(width: int, height: int) -> bytes:
    sizes = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + sizes
    return b"RIFF" + struct.pack("<I", len(body)) + body


def zeros(size: int) -> bytes:
    packer = zlib.compressobj(9)
    block = bytes(1 << 20)
    parts = [packer.compress(block) for _ in range(size >> 20)]
    return b"".join([*parts, packer.flush()])


SIZE = (60_000, 60_000)
TOO_LARGE = "60000 x 60000: has 3,600,000,000 pixels, over the limit"
BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "png": (lambda: png(*SIZE, zeros(1 << 20)), TOO_LARGE),
    "png, palette": (lambda: png(*SIZE, zeros(1 << 20), color=3), TOO_LARGE),
    "png, two gigabytes a side": (lambda: png(2**31 - 1, 2**31 - 1, b""), "pixels, over the limit"),
    "bmp": (lambda: patched("BMP", 18, "<II", *SIZE), TOO_LARGE),
    "gif": (lambda: patched("GIF", 6, "<HH", *SIZE), TOO_LARGE),
    "tiff": (lambda: tiff(*SIZE), TOO_LARGE),
    "webp": (lambda: webp(16_000, 60_000), "damaged WEBP|pixels, over the limit"),
    "jpeg": (
        lambda: b"\xff\xd8\xff\xc0\0\x0b\x08\xea\x60\xea\x60\1\1\x11\0",
        "JPEG|over the limit",
    ),
    # Within the limit: what is behind the header is another matter.
    "png, cut off": (lambda: png(20_000, 20_000, zeros(1 << 20)[:500]), "does not decode"),
    "png, palette, cut off": (
        lambda: png(20_000, 20_000, zeros(1 << 20)[:500], color=3),
        "does not decode",
    ),
    "png, too little": (lambda: png(100, 100, zlib.compress(bytes(99))), "does not decode"),
    "png, a chunk of 4 GB": (
        lambda: png(9, 9, b"")[:33] + struct.pack(">I", 2**32 - 1) + b"IDATx",
        "does not decode|more memory",
    ),
}
SMALL_MEMORY = """
import resource, sys
from pathlib import Path
import segfmt
from segfmt.kernels import unfilter
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
for path in sorted(Path(sys.argv[1]).iterdir()):
    for read in (segfmt.read_mask, segfmt.image_size):
        try:
            print(f"{path.stem}\\t{read.__name__}\\t{read(path)}".replace("\\n", " "))
        except segfmt.FormatError as error:
            print(f"{path.stem}\\t{read.__name__}\\t{error}")
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], str]:
    """Return what reading each bomb comes to, in a process with 2 GB of addresses."""
    folder = tmp_path_factory.mktemp("bombs")
    for name, (make, _) in BOMBS.items():
        (folder / f"{name}.png").write_bytes(make())
    (folder / "fine.png").write_bytes(png(2, 2, zlib.compress(bytes(6))))
    command = [sys.executable, "-c", SMALL_MEMORY, str(folder)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    rows = (line.split("\t", 2) for line in result.stdout.splitlines())
    return {(name, read): text for name, read, text in rows}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_in_little_memory(told: dict[tuple[str, str], str], name: str) -> None:
    assert told["fine", "image_size"] == "(2, 2)"
    error = told[name, "read_mask"]
    assert f"{name}.png" in error
    assert re.search(BOMBS[name][1], error)
    if "over the limit" in error:
        assert told[name, "image_size"] == error


def test_more_data_than_the_header_says_is_not_unpacked(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(4, 4, zeros(200 << 20)))
    code = (
        "import sys, segfmt, pathlib\n"
        "print(segfmt.read_mask(pathlib.Path(sys.argv[1])).shape)\n"
        "status = open('/proc/self/status').read()\n"
        "print(int(status.split('VmHWM:')[1].split()[0]) >> 10)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "a.png")]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    shape, megabytes = result.stdout.splitlines()
    assert shape == "(4, 4)"
    assert int(megabytes) < 190


@pytest.mark.parametrize("size", [(10**9, 10**9), (65_536, 65_536), (2**29 + 1, 1)])
def test_a_label_of_a_size_beyond_the_limit(tmp_path: Path, size: tuple[int, int]) -> None:
    write_label(tmp_path / "src" / "a.json", label(annotation(), size=size))
    error = only_error(convert(tmp_path / "src", tmp_path / "dst", missing_image="keep"))
    assert f"{size[0]} x {size[1]}: has" in error
    assert PIXELS.variable in error


def test_sides_of_65536_are_nothing_special(tmp_path: Path) -> None:
    ids = np.zeros((2, 65_536), np.uint8)
    ids[1, -1] = 1
    write_mask(tmp_path / "src" / "masks" / "a.png", ids)
    assert convert(tmp_path / "src", tmp_path / "dst", "folder", missing_image="keep").ok
    (sample,) = open_dataset(tmp_path / "dst", "voc")
    assert (sample.label.ids == ids).all()


@pytest.mark.parametrize("edit", [{}, {"resize": "65535x1"}])
def test_an_image_that_no_jpeg_can_hold_is_told(tmp_path: Path, edit: dict[str, str]) -> None:
    for name in ("images", "masks"):
        write_mask(tmp_path / "src" / name / "a.png", np.zeros((1, 65_535), np.uint8))
    if edit:  # by which the image stays PNG, and is not written twice
        write_image(tmp_path / "src" / "images" / "a.png", (65_500, 1)).rename(
            tmp_path / "src" / "images" / "a.jpg"
        )
        write_mask(tmp_path / "src" / "masks" / "a.png", np.zeros((1, 65_500), np.uint8))
    error = only_error(convert(tmp_path / "src", tmp_path / "dst", "folder", **edit))
    assert "is 65535 x 1, and JPEG has up to 65,500 pixels a side" in error


PEAK = """
import json, sys
from importlib import import_module
from pkgutil import iter_modules
from PIL import Image
import segfmt
from segfmt import kernels

def peak():
    return int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) << 10

Image.init()
for module in iter_modules(kernels.__path__, "segfmt.kernels."):
    import_module(module.name)
small, large, out, source, target = sys.argv[1:6]
options = {"source": source, "target": target, "executor": "serial", "missing_image": "keep"}
assert segfmt.convert(small, out + "-small", **options).ok
open("/proc/self/clear_refs", "w").write("5")  # the high-water mark begins anew
base = peak()
report = segfmt.convert(large, out, **options)
assert report.ok and report.done == 1, report.failures
print(peak() - base)
"""
SIDE = 4000
BYTES_A_PIXEL = 16  # as docs/reliability.md states it; measured are 2 to 12.7


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux tells the peak")
@pytest.mark.parametrize(
    ("source", "target"),
    [("folder", "voc"), ("aihub", "voc"), ("folder", "aihub"), ("folder", "cityscapes")],
)
def test_memory_for_a_large_image_is_bounded(tmp_path: Path, source: str, target: str) -> None:
    random = np.random.default_rng(0)
    for name, side in (("small", 64), ("large", SIDE)):
        angles = np.sort(random.uniform(0, 2 * np.pi, (200, 50)), axis=1)
        centers, radii = (
            random.uniform(0, side, (200, 1, 2)),
            random.uniform(side / 99, side / 9, (200, 1)),
        )
        rings = centers + np.stack((radii * np.cos(angles), radii * np.sin(angles)), axis=-1)
        if source == "aihub":
            areas = [annotation("road", ring.tolist()) for ring in rings]
            write_label(tmp_path / name / "a.json", label(*areas, size=(side, side)))
        else:
            polygons = segfmt.Polygons.from_rings([[ring] for ring in rings], [1, 2] * 100)
            write_mask(tmp_path / name / "masks/a.png", segfmt.rasterize(polygons, (side, side)))
            table = segfmt.ClassTable(
                [
                    segfmt.ClassInfo(0, "background", role="background"),
                    segfmt.ClassInfo(1, "road", (1, 1, 1)),
                    segfmt.ClassInfo(2, "building", (2, 2, 2)),
                ]
            )
            (tmp_path / name / "classes.json").write_bytes(table.to_json())
    folders = [str(tmp_path / name) for name in ("small", "large", "out")]
    command = [sys.executable, "-c", PEAK, *folders, source, target]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) / SIDE**2 < BYTES_A_PIXEL


# Names


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("..", 'a part ".."'),
        ("a/../../b", 'a part ".."'),
        ("./a", 'a part "."'),
        ("a//b", 'a part ""'),
        ("/a", "not a relative path"),
        ("C:/a", "not a relative path"),
        ("C:a", "not a relative path"),
        ("a\\..\\b", "backslash"),
        ("a\0b", "control"),
        ("a\nb", "control"),
        ("a\x85b", "control"),
        ("a\u2028b", "control"),
        ("a\u202egnp.b", "invisible"),
        ("a\u200bb", "invisible"),
        ("\ufeffa", "invisible"),
        ("a\u00adb", "invisible"),
        ("a\ud800", "not UTF-8"),
        ("a\udcff", "not UTF-8"),
        ("a" * 241, "over 240 bytes"),
        ("한" * 81, "over 240 bytes"),
        ("/".join(["a" * 100] * 10), "over 1000 bytes"),
    ],
)
def test_names_that_are_refused(key: str, problem: str) -> None:
    with pytest.raises(FormatError, match="is no safe name for a file") as caught:
        check_key(key)
    assert problem in caught.value.problem
    str(caught.value).encode()


@pytest.mark.parametrize("key", ["a b", "가나/다", "é", "e\u0301", "😀", "a..", "-rf", "$HOME"])
def test_names_that_are_odd_and_safe(tmp_path: Path, key: str) -> None:
    write_mask(tmp_path / "src" / "masks" / f"{key}.png", np.ones((2, 2), np.uint8))
    report = convert(tmp_path / "src", tmp_path / "dst", "folder", missing_image="keep")
    assert report.ok
    (ref,) = open_dataset(tmp_path / "dst", "voc").refs()
    assert ref.key == unicodedata.normalize("NFC", key)
    assert {path.name for path in tmp_path.iterdir()} == {"src", "dst"}


@pytest.mark.parametrize(
    ("key", "fits"),
    [
        ("con", False),
        ("Aux.v2", False),
        ("a/NUL/b", False),
        ("com1", False),
        ("lpt¹", False),
        ("prn .x", False),
        ("CONOUT$", False),
        ("at 12:30", False),
        ('a"b', False),
        ("a?", False),
        ("a|b", False),
        ("a./b", False),
        ("a /b", False),
        ("console", True),
        ("com10", True),
        ("a.con", True),
        ("a/b.", True),
        ("a b", True),
        ("가/나", True),
    ],
)
def test_names_that_windows_cannot_have_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, fits: bool
) -> None:
    assert fits_windows(key) is fits
    write_mask(tmp_path / "src" / "masks" / f"{key}.png", np.ones((2, 2), np.uint8))
    report = convert(tmp_path / "src", tmp_path / "dst", "folder", missing_image="keep")
    assert report.done == 1
    assert ("names that Windows cannot have" in report.notes) is not fits
    monkeypatch.setattr("segfmt.files.os.name", "nt")
    if fits:
        check_key(key)
    else:
        with pytest.raises(FormatError, match="Windows cannot have it"):
            check_key(key)


@pytest.mark.parametrize("one_case", [False, True])
def test_names_that_differ_in_case_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_case: bool
) -> None:
    monkeypatch.setattr("segfmt.listing.ONE_CASE", one_case)
    root = tmp_path / "src"
    for place, key in enumerate(["Train/a", "Train/B", "train/A", "train/c", "val/C", "train/É"]):
        write_mask(root / "masks" / f"{key}.png", np.full((2, 2), place, np.uint8))
    write_mask(root / "masks/train/e\u0301.png", np.ones((2, 2), np.uint8))
    report = convert(root, tmp_path / "dst", "folder", missing_image="keep")
    clashing = [failure.key for failure in report.failures]
    told = [text for text in report.warnings if "in case alone" in text]
    if one_case:
        assert clashing == ["a", "é"]
        assert "has the same name as" in report.failures[0].error
        assert (report.done, told) == (5, [])
    else:
        assert (report.done, clashing) == (7, [])
        assert told[0].startswith("2 names differ from another in case alone, such as ")


def test_what_a_reader_says_of_names_that_are_no_utf8_can_be_reported(tmp_path: Path) -> None:
    write_mask(tmp_path / "src" / "SegmentationClass" / "a.png", np.zeros((2, 2), np.uint8))
    lists = tmp_path / "src" / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("a")
    (lists / "b\udcff.txt").write_text("b")
    report = convert(tmp_path / "src", tmp_path / "dst", "voc", missing_image="keep")
    assert "b\\udcff.txt is left out" in str(report.warnings).replace("\\\\", "\\")


# Links


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[Seed]:
    return seeds(tmp_path_factory.mktemp("seeds"))[0]


def put(root: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        segfmt.atomic_write(root / name, data)


def content(root: Path, seed: Seed) -> Any:
    """Return all that reading a dataset gives, or None where it is refused for other reasons."""
    try:
        opened = open_dataset(root, seed.format, **seed.options)
        samples = [
            (sample.ref.key, sample.ref.split, sample.ref.image, repr(sample.label), sample.shape)
            for sample in opened
        ]
        return opened.classes, samples
    except SegfmtError as error:
        return "leads out" if "leads out of the dataset" in str(error) else None


def test_no_file_of_any_format_may_be_a_link_out(tmp_path: Path, found: list[Seed]) -> None:
    """A file that is a link is refused, or else not read at all: without it all is the same."""
    for seed in found:
        for number, name in enumerate(seed.files):
            rest = {other: data for other, data in seed.files.items() if other != name}
            root, without = (tmp_path / f"{seed.name} {number}" / part for part in ("a", "b"))
            put(root, rest)
            put(without, rest)
            outside = tmp_path / "outside" / seed.name / name
            segfmt.atomic_write(outside, seed.files[name])
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).symlink_to(outside)
            got = content(root, seed)
            if got not in ("leads out", None):
                assert repr(got).replace(str(root), "") == repr(content(without, seed)).replace(
                    str(without), ""
                ), f"{seed.name}: {name} is read through a link that leads out"


def test_lists_may_be_links_where_that_is_meant(tmp_path: Path) -> None:
    root = tmp_path / "src"
    write_mask(root / "SegmentationClass" / "a.png", np.zeros((2, 2), np.uint8))
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "train.txt").write_text("a\n")
    (root / "ImageSets").mkdir()
    (root / "ImageSets" / "Segmentation").symlink_to(tmp_path / "lists")
    with pytest.raises(FormatError, match=r"train\.txt: is a link that leads out"):
        list(open_dataset(root, "voc"))
    assert len(list(open_dataset(root, "voc", follow_links=True))) == 1


def test_links_in_the_target_are_replaced_and_not_followed(tmp_path: Path) -> None:
    root, out = dataset(tmp_path / "src", ["a"]), tmp_path / "dst"
    assert convert(root, out).ok
    secret = tmp_path / "secret"
    secret.write_text("mine")
    for name in ("SegmentationClass/a.png", "JPEGImages/a.jpg", "labelmap.txt"):
        path = out / "VOCdevkit" / "VOC2012" / name
        path.unlink()
        path.symlink_to(secret)
    assert convert(root, out, overwrite=True).ok
    assert secret.read_text() == "mine"
    assert not any(path.is_symlink() for path in out.rglob("*"))


@pytest.mark.parametrize("name", ["report.json", "journal.sqlite", "new"])
def test_the_state_of_a_run_is_not_written_through_a_link(tmp_path: Path, name: str) -> None:
    root, out = dataset(tmp_path / "src", ["a"]), tmp_path / "dst"
    secret = tmp_path / "secret"
    secret.write_text("")
    (out / ".segfmt").mkdir(parents=True)
    (out / ".segfmt" / name).symlink_to(secret)
    with pytest.raises(UsageError, match="is a link that leads out of the target"):
        convert(root, out, overwrite=True)
    assert secret.read_text() == ""


# Nothing is run

# What runs code, or makes objects of whatever data says; and where it is meant, and what of.
DANGEROUS = {
    *("eval", "exec", "compile", "__import__", "input", "breakpoint"),
    *("pickle.load", "pickle.loads", "pickle.Unpickler", "marshal.load", "marshal.loads"),
    *("shelve.open", "dill.loads", "joblib.load", "torch.load", "numpy.load", "np.load"),
    *(
        "yaml.unsafe_load",
        "yaml.full_load",
        "yaml.load_all",
        "os.system",
        "os.popen",
        "os.startfile",
    ),
    *("runpy.run_path", "importlib.import_module", "ctypes.CDLL", "code.interact"),
}
MODULES = {"subprocess", "pty", "dill", "joblib", "shelve", "marshal", "cloudpickle", "runpy"}
MEANT = {
    "src/segfmt/__init__.py: importlib.import_module": "its own modules, by name",
    "src/segfmt/cli/app.py: importlib.import_module": "its own commands, by name",
    "src/segfmt/listing.py: pickle.loads": "what this process wrote to its own new file",
    "src/segfmt/testing/reader.py: pickle.loads": "what it pickled the moment before",
    "src/segfmt/warmup.py: subprocess": "Python on its own modules",
}


def name_of(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{name_of(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def dangers(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name for name in names if name in DANGEROUS)
            if node.module in MODULES:
                yield str(node.module)
            if node.module == "xml.etree.ElementTree":  # it parses; defusedxml is for that
                yield from (name for name in names if not name.endswith(".Element"))
        elif isinstance(node, ast.Attribute | ast.Name):
            name = name_of(node)
            if name in DANGEROUS or name.startswith(("os.exec", "os.spawn", "os.posix_spawn")):
                yield name
        elif isinstance(node, ast.Call):
            name = name_of(node.func)
            words = {word.arg: name_of(word.value) for word in node.keywords}
            loaders = {name_of(argument) for argument in node.args} | {words.get("Loader", "")}
            if name == "yaml.load" and not loaders & {"yaml.BaseLoader", "yaml.SafeLoader"}:
                yield name
            if name == "Image.open" and "formats" not in words:  # Pillow runs EPS
                yield name
            if any(word.arg in ("allow_pickle", "shell") for word in node.keywords):
                yield f"{name} with {sorted(words)}"


def test_no_code_of_ours_runs_what_a_dataset_says() -> None:
    paths = [*(ROOT / "src").rglob("*.py"), *ROOT.glob("plugins/*/src/**/*.py")]
    assert len(paths) > 100
    found = {
        f"{path.relative_to(ROOT).as_posix()}: {danger}"
        for path in paths
        for danger in dangers(path)
    }
    assert found == MEANT.keys()


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_postscript_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Pillow hands EPS to Ghostscript, whatever the file is called."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for program in ("gs", "gswin32c", "gswin64c"):
        (programs / program).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        (programs / program).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    root = dataset(tmp_path / "src", ["b"])
    file = io.BytesIO()
    Image.new("RGB", (16, 12)).save(file, "EPS")
    image = write_image(root / "data" / name)
    image.write_bytes(file.getvalue())
    write_label(root / "label" / "a.json")
    report = convert(root, tmp_path / "dst", reader_options={"table": ""}, resize="8x8")
    assert (report.done, report.failed) == (1, 1)
    assert "is not an image of a kind that is read" in report.failures[0].error
    assert not (tmp_path / "ran").exists()


def test_a_file_of_lists_may_say_what_it_likes(tmp_path: Path) -> None:
    """Names in lists are looked up among what is there, and nothing else is ever opened."""
    write_mask(tmp_path / "SegmentationClass" / "a.png", np.zeros((2, 2), np.uint8))
    names = tmp_path / "ImageSets" / "Segmentation" / "train.txt"
    segfmt.atomic_write(
        names, b"a\n../../etc/passwd\n/etc/passwd\nfile:///etc/passwd\na\0b\n$(id)\n"
    )
    report = convert(tmp_path, tmp_path.with_name("dst-of-lists"), "voc", missing_image="keep")
    assert (report.done, report.failed) == (1, 5)
    assert not any(failure.traceback for failure in report.failures)
    assert json.loads(report.to_json())["failed"] == 5
