"""Shell snippets of the documentation: found, run, and the output that they show kept true.

``python docs/snippets.py`` writes the output of today into the pages.

A snippet is a block fenced as `sh`, or an indented line that begins with `segfmt`. A block fenced
as `text` right after one is its output. Comments that readers do not see stand before a fence:

<!-- status 1 -->            the exit status that the command is to end with
<!-- not run: the reason -->

What names a URL is not run either.
"""

import contextlib
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from sample_data import STAND_INS, make_datasets

FENCED = re.compile(
    r"(?:<!-- (?:status (?P<status>\d)|(?P<idle>not run: [^\n]+)) -->\n)?"
    r"```sh\n(?P<code>.*?)```\n"
    r"(?:\n```text\n(?P<output>.*?)```\n)?",
    re.DOTALL,
)
# What a line of two columns says in the second is no part of the command.
INDENTED = re.compile(r"(?<=\n)    (?P<line>segfmt [^\n]*?)(?=\n|   )")
TIMES = re.compile(r"\d+\.\d s, [\d,.]+ samples a second")
SHELL = set("|<>;&$`*?{}#~'\"\\")  # what a plain call cannot do without a shell
WIDTH = 80
HERE = Path(__file__).parent
DEMO = "python docs/demo/make_dataset.py demo/aihub\n"  # takes seconds, and several pages have it


@dataclass(frozen=True)
class Snippet:
    """A command of a page, and where the output that the page shows of it begins and ends."""

    page: Path
    line: int
    code: str
    status: int = 0
    idle: bool = False
    output: tuple[int, int] | None = None


def snippets(page: Path, text: str) -> Iterator[Snippet]:
    """Yield a page's snippets in their order."""
    fences = [match.span() for match in re.finditer(r"```.*?```", text, re.DOTALL)]
    found = {
        match.start(): Snippet(
            page,
            text.count("\n", 0, match.start("code")) + 1,
            match["code"],
            int(match["status"] or 0),
            match["idle"] is not None or "://" in match["code"],
            match.span("output") if match["output"] is not None else None,
        )
        for match in FENCED.finditer(text)
    }
    for match in INDENTED.finditer(text):
        if not any(begin < match.start() < end for begin, end in fences):
            line = text.count("\n", 0, match.start()) + 1
            code = match["line"]
            found[match.start()] = Snippet(page, line, code, idle="://" in code)
    yield from (found[place] for place in sorted(found))


def run(snippet: Snippet, folder: Path) -> str:
    """Run a snippet in `folder`; return what it prints, as 80 columns show it.

    Raises AssertionError for another exit status than the page's.
    """
    commands = [line for line in snippet.code.replace("\\\n", " ").splitlines() if line.strip()]
    commands = [line for line in commands if not line.startswith("#")]
    plain = all(line.startswith("segfmt ") and not SHELL & set(line) for line in commands)
    if plain and "--executor" not in snippet.code:  # which may start processes of its own
        runs = [_call(shlex.split(line)[1:], folder) for line in commands]
        text, status = "".join(text for text, _ in runs), max(status for _, status in runs)
    else:
        text, status = _shell(snippet.code, folder)
    where = f"{snippet.page.name}, line {snippet.line}: {snippet.code}"
    assert status == snippet.status, f"{where}ended with status {status}:\n{text}"
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def _call(arguments: list[str], folder: Path) -> tuple[str, int]:
    """Run the command line in this process, as Numba takes a second to load in another."""
    from segfmt.cli import main, output

    printed = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    output.out.width = output.err.width = WIDTH
    before, sys.argv = sys.argv, ["segfmt", *arguments]
    try:
        with (
            contextlib.chdir(folder),
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(printed),
        ):
            main()
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 1
    finally:
        sys.argv = before
    printed.seek(0)
    return printed.read(), status


def _shell(code: str, folder: Path) -> tuple[str, int]:
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "COLUMNS": str(WIDTH),
        "PYTHONIOENCODING": "utf-8",
    }
    result = subprocess.run(
        ["sh", "-e", "-c", code],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    return result.stdout, result.returncode


def with_outputs(page: Path, workspace: Path, folder: Path) -> str:
    """Run all snippets of a page in a new folder, and return the page with what they print now.

    Times are never the same twice: where nothing else differs, the page's stand.
    """
    shutil.copytree(workspace, folder, symlinks=True)
    text = page.read_text(encoding="utf-8")
    parts, end = [], 0
    for snippet in snippets(page, text):
        if snippet.idle or snippet.code == DEMO:
            continue
        stand_in(snippet, folder)
        printed = run(snippet, folder)
        if snippet.output:
            shown = text[slice(*snippet.output)]
            parts += [text[end : snippet.output[0]], _timed_as(shown, printed)]
            end = snippet.output[1]
    return "".join([*parts, text[end:]])


def stand_in(snippet: Snippet, folder: Path) -> None:
    """Put a dataset where a snippet says SRC, or the like, and means any of some format."""
    words = snippet.code.split()
    if "DST" in words and "verify" not in words:  # which looks at what is there
        shutil.rmtree(folder / "DST", ignore_errors=True)
    for word in set(words) & {"SRC", *STAND_INS}:
        spelt = words[words.index("--from") + 1] if "--from" in words else snippet.page.stem
        name = STAND_INS.get(word) or STAND_INS.get(spelt, spelt)
        shutil.rmtree(folder / word, ignore_errors=True)
        source = folder / name if (folder / name).is_dir() else folder / "aihub"
        shutil.copytree(source, folder / word)


def make_workspace(folder: Path) -> None:
    """Make what snippets find in the folder that they run in: datasets, and docs/ itself."""
    from segfmt.warmup import compile_missing

    compile_missing()  # or the first command would say that it does
    make_datasets(folder)
    (folder / "docs").symlink_to(HERE, target_is_directory=True)
    text, status = _shell(DEMO, folder)
    assert status == 0, text


def _timed_as(shown: str, printed: str) -> str:
    return shown if TIMES.sub("", shown) == TIMES.sub("", printed) else printed


def pages() -> list[Path]:
    """Return every page with snippets; writing-a-format.md has a test of its own."""
    found = [HERE.parent / "README.md", *sorted(HERE.rglob("*.md"))]
    return [
        page
        for page in found
        if page.name != "writing-a-format.md"
        and not all(snippet.idle for snippet in snippets(page, page.read_text("utf-8")))
    ]


def main() -> None:
    """Write into the pages what their snippets print."""
    with TemporaryDirectory() as scratch:
        workspace = Path(scratch, "workspace")
        make_workspace(workspace)
        for number, page in enumerate(pages()):
            text = page.read_text("utf-8")
            if any(snippet.output for snippet in snippets(page, text)):
                now = with_outputs(page, workspace, Path(scratch, str(number)))
                if now != text:
                    page.write_text(now, "utf-8")
                    print(f"changed {page}")


if __name__ == "__main__":
    main()
