"""The command as a user types it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aihub_files import annotation, dataset, label, write_image, write_label


def segfmt(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "segfmt", *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, "COLUMNS": "80", "NO_COLOR": "1", **environment},
    )


@pytest.fixture
def source(tmp_path: Path) -> Path:
    root = dataset(tmp_path / "src", ["a", "b", "c"])
    write_image(root / "data" / "bad.jpg")
    write_label(root / "label" / "bad.json", label(annotation("pedestrain")))
    return root


def test_convert_prints_what_became_of_every_sample(source: Path, tmp_path: Path) -> None:
    result = segfmt(
        "convert", "--from", "aihub", "--to", "voc", source, tmp_path / "dst",
        "--report", tmp_path / "r.json",
    )  # fmt: skip
    assert result.returncode == 1
    words = " ".join(result.stdout.split())
    assert "3 converted train 3" in words
    assert "1 failed" in words
    assert "fill rule opencv, vertices nearest" in words
    assert (
        'label/bad.json, Annotation[0].Label: has labels that are no class: "pedestrain"' in words
    )
    assert 'Did you mean "pedestrian"?' in words
    assert '"speed bump" and "sidewalk" share the color' in words
    # Lines of nothing but paths are left whole, so that they can be copied.
    lines = [line for line in result.stdout.splitlines() if str(tmp_path) not in line]
    assert all(len(line) <= 80 for line in lines)
    assert "Traceback" not in result.stdout + result.stderr
    assert json.loads((tmp_path / "r.json").read_bytes())["done"] == 3
    assert "\x1b" not in result.stdout


def test_all_done_is_status_zero(source: Path, tmp_path: Path) -> None:
    result = segfmt(
        "convert", "--to", "voc", source, tmp_path / "dst", "--unknown-label", "background",
        "-o", "palette=voc", "--workers", 2, "--executor", "serial", "--limit", 2,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "2 converted" in " ".join(result.stdout.split())


def test_dry_run_says_so(source: Path, tmp_path: Path) -> None:
    result = segfmt("convert", "--to", "voc", source, tmp_path / "dst", "--dry-run")
    assert result.returncode == 0
    assert "4 would be converted train 4" in " ".join(result.stdout.split())
    assert "Nothing was written." in result.stdout
    assert not (tmp_path / "dst").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["convert", "--to", "vocc", "{src}", "{dst}"],
            'error: no format "vocc". Did you mean "voc"?',
        ),
        (["convert", "--to", "voc", "{src}/no", "{dst}"], "is not there"),
        (["convert", "--to", "voc", "{src}", "{src}"], "contain one another"),
        (["convert", "--to", "voc", "{src}", "{dst}", "--map", "vocc"], 'Did you mean "voc"?'),
        (
            ["convert", "--to", "voc", "{src}", "{dst}", "-o", "palete=voc"],
            'Did you mean "palette"?',
        ),
        (["convert", "--to", "voc", "{src}", "{dst}", "-o", "palette"], "give KEY=VALUE"),
        (["convert", "--to", "voc", "{src}", "{dst}", "--rounding", "up"], "truncate"),
        (["convert", "{src}", "{dst}"], "--to"),
        (["formats", "vocc"], 'Did you mean "voc"?'),
        (["convrt"], "No such command"),
    ],
)
def test_usage_errors_are_one_block_and_status_two(
    source: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    words = [part.format(src=source, dst=tmp_path / "dst") for part in arguments]
    result = segfmt(*words)
    assert result.returncode == 2
    assert message in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr
    assert not result.stdout
    assert not (tmp_path / "dst").exists()


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    result = segfmt("convert", "--to", "voc", tmp_path / "no", tmp_path / "dst", "--debug")
    assert "Traceback" in result.stderr
    assert "UsageError" in result.stderr


def test_formats_lists_and_explains() -> None:
    listing = segfmt("formats")
    assert listing.returncode == 0
    assert re.search(r"aihub +yes +\S+ +built in +AIHub", listing.stdout)
    one = segfmt("formats", "voc")
    assert "palette=classes|voc  [default: classes]" in one.stdout
    assert all(len(line) <= 80 for line in (listing.stdout + one.stdout).splitlines())


def test_version_and_bare_command() -> None:
    assert re.fullmatch(r"segfmt \d+\.\d+\.\d+\n", segfmt("--version").stdout)
    bare = segfmt()
    assert "segfmt convert --from aihub --to voc SRC DST" in bare.stdout + bare.stderr


def test_korean_names_survive_any_locale(tmp_path: Path) -> None:
    root = dataset(tmp_path / "원천 자료", ["하늘"], {"하늘": label(annotation("없는 것"))})
    result = segfmt("convert", "--to", "voc", root, tmp_path / "dst", LC_ALL="C", PYTHONUTF8="0")
    assert result.returncode == 1
    assert "Traceback" not in result.stderr


IMPORTS = """
import sys
sys.argv = {argv!r}
try:
    import segfmt.cli
    segfmt.cli.main()
except SystemExit:
    pass
print([module for module in {heavy!r} if module in sys.modules], file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("argv", "heavy"),
    [
        (["segfmt", "--help"], ["numpy", "numba", "PIL", "msgspec", "pluggy"]),
        (["segfmt", "convert", "--help"], ["numpy", "numba", "PIL", "msgspec", "pluggy"]),
        (["segfmt", "--version"], ["numpy", "numba", "PIL", "msgspec", "pluggy", "rich"]),
        (["segfmt", "formats"], ["numba"]),
        (["segfmt", "formats", "voc"], ["numba"]),
    ],
)
def test_nothing_heavy_is_imported_before_it_is_needed(argv: list[str], heavy: list[str]) -> None:
    code = IMPORTS.format(argv=argv, heavy=heavy)
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stderr.splitlines()[-1] == "[]"


EMPTY = """
import typer
app = typer.Typer(rich_markup_mode=None)
@app.command()
def a(): ...
@app.command()
def b(): ...
app()
"""


@pytest.mark.timed
def test_help_costs_little_more_than_an_empty_app() -> None:
    """At most 1.5 times; the best of several runs, as other programs only ever add."""

    def seconds(*command: str) -> float:
        started = time.perf_counter()
        subprocess.run([sys.executable, *command, "--help"], capture_output=True, check=True)
        return time.perf_counter() - started

    pairs = [(seconds("-m", "segfmt"), seconds("-c", EMPTY)) for _ in range(7)]
    assert min(ours for ours, _ in pairs) <= 1.5 * min(empty for _, empty in pairs)


def test_control_c_stops_cleanly(tmp_path: Path) -> None:
    root = dataset(tmp_path / "src", [f"{number:04}" for number in range(3000)])
    process = subprocess.Popen(
        [sys.executable, "-m", "segfmt", "convert", "--to", "voc", root, tmp_path / "dst"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    masks = tmp_path / "dst" / "VOCdevkit/VOC2012/SegmentationClass"
    deadline = time.monotonic() + 60
    while not masks.is_dir() and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Stopped" in errors
    assert "Traceback" not in errors
    assert not list(tmp_path.rglob("*.part"))
