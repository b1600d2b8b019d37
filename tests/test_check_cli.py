"""`segfmt check` as it is typed: what it prints, and how it ends."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from check_files import FAULTS, clean_polygons, polygons
from segfmt.cli.check import github_annotations
from segfmt.findings import Finding, Findings, RuleTally
from segfmt.rules import RULES


def segfmt(*arguments: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "segfmt", *map(str, arguments)],
        capture_output=True,
        check=False,
        env={**os.environ, "COLUMNS": "80", "NO_COLOR": "1", "LC_ALL": "C", "PYTHONUTF8": "0"},
    )


def test_the_table_fits_and_says_where_and_what_to_do(tmp_path: Path) -> None:
    FAULTS["SF202"].build(tmp_path)
    (tmp_path / "data/a.jpg").rename(tmp_path / "data/a a.jpg")
    result = segfmt("check", "--from", "aihub", tmp_path)
    text = result.stdout.decode()
    assert result.returncode == 1, result.stderr
    lines = [line for line in text.splitlines() if str(tmp_path) not in line]
    assert all(len(line) <= 80 for line in lines)
    assert re.search(r"^SF202 +error +label that is nearly a class +1 +1$", text, re.MULTILINE)
    assert 'label/b.json, Annotation[1].Label: "pedestrain" is no class. Did you' in text
    assert "Mend: Mend the spelling." in text
    assert "2 errors, 1 warning, 0 for information" in text


def test_exit_status_tells_errors_from_warnings_from_a_start_that_failed(tmp_path: Path) -> None:
    clean, warned = tmp_path / "clean", tmp_path / "warned"
    clean_polygons(clean)
    FAULTS["SF303"].build(warned)
    assert b"Nothing is wrong." in segfmt("check", clean, "--strict").stdout
    assert segfmt("check", clean, "--strict").returncode == 0
    assert segfmt("check", warned).returncode == 0
    assert segfmt("check", warned, "--strict").returncode == 1
    assert segfmt("check", warned, "--strict", "--ignore", "SF303").returncode == 0
    for bad in (["--select", "SF9"], ["--json", "--github"], ["--findings", "x.txt"]):
        assert segfmt("check", clean, *bad).returncode == 2
    assert segfmt("check", tmp_path / "no").returncode == 2


def test_json_is_utf8_and_says_all(tmp_path: Path) -> None:
    polygons([[9, 9], [40, 9], [9, 40]], name="비행기")(tmp_path)
    result = segfmt("check", tmp_path, "--json", "--select", "SF2")
    found = json.loads(result.stdout.decode("utf-8"))
    (example,) = found["rules"]["SF201"]["examples"]
    assert (example["problem"], example["file"]) == ('"비행기" is no class', "label/b.json")
    assert (found["samples"], found["format"]) == (2, "aihub")


def test_annotations_are_workflow_commands(tmp_path: Path) -> None:
    FAULTS["SF103"].build(tmp_path)
    result = segfmt("check", "--from", "aihub", tmp_path, "--github")
    error, summary = result.stdout.decode().splitlines()
    assert error.startswith(f"::error file={tmp_path}/label/b.json,line=1,col=")
    assert ",title=SF103 broken JSON::label/b.json, line 1, column " in error
    assert summary == "::notice title=segfmt check::1 errors, 0 warnings"
    assert result.returncode == 1


@pytest.mark.parametrize("count", [3, 2000])
def test_annotations_are_escaped_and_bounded(count: int) -> None:
    rules = {}
    for code in list(RULES)[:8]:
        rule = RULES[code]
        examples = [Finding(code, "100% bad,\nreally: so", file="a:b,c.png")] * 10
        rules[code] = RuleTally(rule.severity, rule.title, rule.mend, count, 9, examples)
    found = Findings("src", "voc", "1", 9, 9, 9, rules, (), 0, [], 1.0)
    *lines, summary = github_annotations(found)
    assert len(lines) == 50
    assert lines[0].startswith("::warning file=src/a%3Ab%2Cc.png,title=SF101 ")
    assert "100%25 bad,%0Areally: so" in lines[0]
    assert ("findings more than are shown" in summary) == (8 * count > 50)


def test_a_sample_in_a_file_of_many_is_named() -> None:
    from segfmt.cli.check import _sentence

    in_one = Finding("SF102", "has no image", "train", "x/y", "all.json")
    assert _sentence(in_one) == "all.json, train/x/y: has no image"
    assert (
        _sentence(Finding("SF102", "has no image", "train", "x/y", "y.json"))
        == "y.json: has no image"
    )
    shown_by_chance = Finding("SF102", "has no image", "train", "1", "instances_train2017.json")
    assert _sentence(shown_by_chance).startswith("instances_train2017.json, train/1:")
    assert _sentence(Finding("SF601", "is twice", "train", "x/y")) == "train/x/y: is twice"
    assert _sentence(Finding("SF203", "are two", mend="Do")) == "are two. Do"
