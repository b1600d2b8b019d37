"""A conversion saved as a file, and run again."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import segfmt
from aihub_files import annotation, dataset, label
from segfmt.recipe import read_recipe
from segfmt.testing.record import files_below


@pytest.fixture
def source(tmp_path: Path) -> Path:
    labels = {name: label(annotation("sky"), annotation("없는 것")) for name in ("하늘", "b", "c")}
    return dataset(tmp_path / "src", list(labels), labels)


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "segfmt", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, check=False)


def test_a_saved_command_runs_again_and_gives_the_same(source: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    options = ["--classes", "sky=3", "--unknown-label", "ignore", "-o", "palette=voc"]
    options += ["--split", "val=0.4", "--fill-rule", "pillow", "--images", "hardlink"]
    first = command("convert", "--to", "voc", source, tmp_path / "a", *options, "--save", recipe)
    assert first.returncode == 0, first.stderr
    again = command("run", recipe, "--dst", tmp_path / "b", "--workers", "1")
    assert again.returncode == 0, again.stderr
    assert files_below(tmp_path / "a") == files_below(tmp_path / "b")
    assert len(files_below(tmp_path / "b")) > 6


def test_every_default_is_written_out(source: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    segfmt.convert(
        source,
        tmp_path / "dst",
        target="voc",
        unknown_label="ignore",
        map={"sky": "하늘"},
        rest="ignore",
        save=recipe,
        dry_run=True,
    )
    text = recipe.read_text(encoding="utf-8")
    document = tomllib.loads(text)
    assert document["convert"]["from"] == "aihub"  # what `auto` found
    assert document["convert"]["map"] == {"sky": "하늘"}
    assert document["convert"]["min_pixels"] == 1
    assert "# limit =\n" in text
    assert document["read"]["unknown_label"] == "ignore"
    assert document["read"]["follow_links"] is False
    assert document["write"]["images"] == "copy"
    assert 'palette = "classes"  # classes|voc' in text
    assert read_recipe(recipe)["reader_options"]["unknown_label"] == "ignore"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[convert", "is no recipe"),
        ("", "has no [convert]"),
        ("[convert]\nsrc='a'\ndst='b'\nto='voc'\nclases='x'", 'Did you mean "classes"?'),
        ("[convert]\nsrc='a'\nto='voc'", "lacks dst"),
        ("[convert]\nsrc='a'\ndst='b'\nto='voc'\n[reed]\n", "[reed] is no part of a recipe"),
    ],
)
def test_what_is_no_recipe_is_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text(text)
    result = command("run", tmp_path / "recipe.toml")
    assert result.returncode == 2
    assert message in " ".join(result.stderr.split())


def test_an_option_that_a_format_lacks_is_refused(source: Path, tmp_path: Path) -> None:
    segfmt.convert(source, tmp_path / "d", target="voc", save=tmp_path / "r.toml", dry_run=True)
    text = (tmp_path / "r.toml").read_text(encoding="utf-8").replace("palette", "pallete")
    (tmp_path / "r.toml").write_text(text, encoding="utf-8")
    result = command("run", tmp_path / "r.toml")
    assert result.returncode == 2
    assert 'Did you mean "palette"?' in " ".join(result.stderr.split())
