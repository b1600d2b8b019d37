"""docs/writing-a-format.md, followed word by word from an empty folder."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "writing-a-format.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "plugins" / "segfmt-example"
# Text before a block, its language, its code; the text says into which file the code goes.
BLOCKS = re.findall(r"([^\n]*)\n\n```(\w+)\n(.*?)```", GUIDE, re.DOTALL)


def files() -> dict[str, str]:
    """Return the files that the guide has one write, its blocks joined as it says."""
    parts: dict[str, list[str]] = {}
    for text, _, code in BLOCKS:
        if name := re.search(r"In `([\w/.]+)`(?:, \w+)?:$", text):
            parts.setdefault(name[1], []).append(code)
    return {name: "\n\n".join(codes) for name, codes in parts.items()}


def test_every_block_is_a_file_a_command_or_a_snippet() -> None:
    assert GUIDE.count("```") == 2 * len(BLOCKS)
    assert {language for _, language, _ in BLOCKS} == {"sh", "toml", "python"}


@pytest.mark.parametrize("name", files())
def test_the_guides_files_are_those_of_the_example(name: str) -> None:
    assert files()[name] == (EXAMPLE / name).read_text(encoding="utf-8")


def test_the_example_has_no_file_that_the_guide_does_not_make() -> None:
    written = {
        path.relative_to(EXAMPLE).as_posix()
        for path in EXAMPLE.rglob("*")
        if path.suffix in (".py", ".toml") and "build" not in path.parts
    }
    assert written == set(files())


def test_snippets_run() -> None:
    given = [(text, code) for text, language, code in BLOCKS if language == "python"]
    snippets = [code for text, code in given if not re.search(r"In `[\w/.]+`", text)]
    assert len(snippets) == 2
    names: dict[str, object] = {}
    for code in snippets:
        exec(compile(code, "guide", "exec"), names)


def test_from_an_empty_folder_to_a_passing_kit(tmp_path: Path) -> None:
    first, rest = (code for _, language, code in BLOCKS if language == "sh")
    installed = tmp_path / "site"
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONPATH": os.pathsep.join([str(installed), str(tmp_path / "plugin" / "src")]),
    }

    def shell(code: str) -> str:
        result = subprocess.run(
            ["sh", "-e", "-c", code],
            cwd=tmp_path / "plugin",
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    (tmp_path / "plugin").mkdir()
    shell(first)
    for name, text in files().items():
        (tmp_path / "plugin" / name).write_text(text, encoding="utf-8")
    install, *commands = rest.splitlines()
    assert install.startswith("pip install -e ")
    pretend_install(tmp_path / "plugin" / "pyproject.toml", installed)
    shown, tested = (shell(command) for command in commands)
    assert "images=copy|hardlink|symlink|none" in shown
    assert re.search(r"\d+ passed", tested)
    assert "failed" not in tested
    assert "skipped" not in tested


def pretend_install(pyproject: Path, site: Path) -> None:
    """Do what matters of `pip install -e`: make the entry points known."""
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir(parents=True)
    lines = [f"{name} = {value}" for name, value in project["entry-points"]["segfmt"].items()]
    (info / "entry_points.txt").write_text("\n".join(["[segfmt]", *lines, ""]))
    metadata = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (info / "METADATA").write_text(metadata)
