"""Makes docs/reference/ from the code: ``python docs/make_reference.py [--check]``.

What the command line, the formats and the package say of themselves stands there as they say it.
With --check nothing is written, and pages that would change are an error that names them.
"""

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, get_origin

import typer
from typer.testing import CliRunner

import segfmt
from segfmt.cli.app import app
from segfmt.options import Option, options_of
from segfmt.plugins import OFFERED, OFFERED_EXECUTORS, host

REFERENCE = Path(__file__).parent / "reference"
MADE = "<!-- Made by docs/make_reference.py: change the code, not this page. -->\n"
HELP_WIDTH = 88
SHOWN_PARAMETERS = 7


def cli() -> Iterator[str]:
    """Yield the page of commands: what `--help` says of each."""
    yield "# Commands\n"
    yield "What `segfmt COMMAND --help` says. Exit statuses and options are explained where each"
    yield "command has its page; options of formats are [on a page of their own](formats.md).\n"
    commands = typer.main.get_command(app).commands
    for words in ([], *([name] for name in commands)):
        shown = CliRunner().invoke(
            app, [*words, "--help"], prog_name="segfmt", terminal_width=HELP_WIDTH
        )
        lines = [line.rstrip() for line in shown.output.strip().splitlines()]
        yield f"## {' '.join(['segfmt', *words])}\n"
        yield "\n".join(["```text", *lines, "```\n"])


def formats() -> Iterator[str]:
    """Yield the page of formats and executors, with their options."""
    yield "# Formats, executors and their options\n"
    yield "What `segfmt formats NAME` shows. Options of reading are given as `-i KEY=VALUE`, those"
    yield "of writing as `-o KEY=VALUE`, those of executors as `-x KEY=VALUE`. The pages of the"
    yield "formats say more.\n"
    found = host()
    if missing := sorted(set(OFFERED) - set(found.formats)):
        sys.exit(f"the reference tells of formats that are not installed: {', '.join(missing)}")
    for name, record in found.formats.items():
        package = found.origins[name].partition(":")[0]
        if package != "segfmt" and name not in OFFERED:
            continue  # of somebody else
        yield f"## {name}\n"
        install = f" `pip install {package}`." if package != "segfmt" else ""
        yield f"{record.summary}.{install} [Its page](../formats/{page_of(name)}).\n"
        yield from options("Reading", record.reader, 1)
        yield from options("Writing", record.writer, 2)
    yield "## Executors\n"
    yield "`--executor NAME` is how samples are run side by side.\n"
    for name, executor in found.executors.items():
        package = OFFERED_EXECUTORS.get(name)
        install = f" `pip install {package}`." if package else ""
        yield f"### {name}\n\n{executor.summary}.{install}\n"
        yield from options("Options", executor.make, 1)


def page_of(name: str) -> str:
    """Return the page that tells of a format: its own, or that of its family."""
    pages = [path.stem for path in (REFERENCE.parent / "formats").glob("*.md")]
    return max((page for page in pages if name.startswith(page)), key=len) + ".md"


def options(title: str, factory: Callable[..., Any] | None, leading: int) -> Iterator[str]:
    """Yield a table of a factory's options."""
    if factory is None:
        yield f"{title}: not supported.\n"
        return
    found = options_of(factory, leading)
    if not found:
        yield f"{title}: no options.\n"
        return
    yield f"{title}:\n\n| option | values | default | |\n|---|---|---|---|"
    for option in found.values():
        default = str(option.default).lower() if option.type is bool else option.default
        shown = "" if default in ("", None) else code(default)
        yield f"| {code(option.name)} | {values(option)} | {shown} | {cell(option.help)} |"
    yield ""


def values(option: Option) -> str:
    """Return what an option may be: one of some words, or anything of a type."""
    if get_origin(option.type) is Literal or option.type is bool:
        return ", ".join(code(choice) for choice in option.choices.split("|"))
    return {"str": "text", "int": "a number", "float": "a number"}.get(
        option.choices, cell(option.choices)
    )


def python() -> Iterator[str]:
    """Yield the page of public names, with the first line of what each says of itself."""
    yield "# Public names\n"
    yield "All that `import segfmt` gives; `help()` of a name says the rest."
    yield "[From Python](../python.md) shows how they are used.\n"
    public = {name: getattr(segfmt, name) for name in segfmt.__all__ if not name.startswith("_")}
    functions = {name for name, value in public.items() if inspect.isfunction(value)}
    classes = {name for name, value in public.items() if inspect.isclass(value)}
    errors = {name for name in classes if issubclass(public[name], Exception)}
    groups: list[tuple[str, Iterable[str]]] = [
        ("Functions", functions),
        ("Classes", classes - errors),
        ("Errors", errors),
    ]
    for title, names in groups:
        yield f"## {title}\n\n| name | |\n|---|---|"
        for name in sorted(names):
            call = signature(public[name]) if name in functions else ""
            yield f"| {code(name + call)} | {cell(first_line(public[name]))} |"
        yield ""
    yield "`IMAGE_SUFFIXES` is what names of images may end in; `Placement` is the type of"
    yield "`--images`; `hookimpl` marks a plug-in's hooks.\n"
    rest = set(public) - functions - classes
    assert rest == {"IMAGE_SUFFIXES", "Placement", "hookimpl"}, f"say what these are: {rest}"


def first_line(value: object) -> str:
    """Return the sentence with which a docstring begins."""
    return " ".join((inspect.getdoc(value) or "").split("\n\n")[0].split())


def signature(function: Callable[..., Any]) -> str:
    """Return a function's parameters by name, the first few where there are many."""
    shown, keywords = [], False
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not keywords:
            shown.append("*")
            keywords = True
        stars = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}
        optional = "=" if parameter.default is not parameter.empty else ""
        shown.append(stars.get(parameter.kind, "") + parameter.name + optional)
    if len(shown) > SHOWN_PARAMETERS:
        shown = [*shown[: SHOWN_PARAMETERS - 2], "..."]
    return f"({', '.join(shown)})"


def code(text: object) -> str:
    return f"`{cell(str(text))}`"


def cell(text: str) -> str:
    """Return text that does not end a table's cell."""
    return text.replace("|", "\\|")


def pages() -> dict[Path, str]:
    """Return every page with what it is to hold."""
    made = {"cli": cli, "formats": formats, "python": python}
    return {
        REFERENCE / f"{name}.md": MADE + "\n" + "\n".join(page()).rstrip() + "\n"
        for name, page in made.items()
    }


def main(check: bool) -> None:
    """Write the pages, or say which are stale."""
    stale = [
        path
        for path, text in pages().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    if check and stale:
        sys.exit(f"stale, run docs/make_reference.py: {', '.join(path.name for path in stale)}")
    REFERENCE.mkdir(exist_ok=True)
    for path in stale:
        path.write_text(pages()[path], encoding="utf-8")
        print(f"made {path.name}")


if __name__ == "__main__":
    main(sys.argv[1:] == ["--check"])
