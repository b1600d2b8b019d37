"""A conversion as a file: every option written out, so that a colleague can run it again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segfmt import __version__, plugins
from segfmt.errors import UsageError, did_you_mean
from segfmt.files import atomic_write
from segfmt.options import options_of
from segfmt.sources import sources_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from segfmt.plan import Plan

SECTIONS = {"read": "reader_options", "write": "writer_options", "execute": "executor_options"}
SPELT = {"source": "from", "target": "to"}
# Options of the reader and the writer that the command has flags for: they stand in their sections.
_IN_SECTIONS = {"table": "read", "unknown_label": "read", "images": "write"}
_ONE_RUN = frozenset(("dry_run", "report", "html"))


def save_recipe(plan: Plan, path: Path) -> None:
    """Write a plan as a recipe, a TOML file, whole or not at all; `UsageError` if it cannot be."""
    text = "".join(f"{line}\n" for line in _lines(plan))
    try:
        atomic_write(path, text.encode())
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from error


def _lines(plan: Plan) -> Iterator[str]:
    request, source, target = plan.request, plan.dataset.format, plan.target
    versions = [f"segfmt {__version__}", *map(plugins.version_of, (source.name, target.name))]
    yield f"# A recipe of {', '.join(dict.fromkeys(versions))}. Run it: segfmt run FILE"
    yield "# Paths are from the folder where it is run. What has no value is not asked for."
    yield ""
    yield "[convert]"
    for field in fields(request):
        name = field.name
        if name in _ONE_RUN or name in _IN_SECTIONS or name in SECTIONS.values():
            continue
        value = source.name if name == "source" else getattr(request, name)
        if name == "src" and len(sources_of(request.src)) > 1:
            value = sources_of(request.src)
        yield _line(SPELT.get(name, name), value)
    given = {
        "read": (source.reader, 1, {**(request.reader_options or {})}),
        "write": (target.writer, 2, {**(request.writer_options or {})}),
        "execute": (
            plugins.executor_named(request.executor).make,
            1,
            {**(request.executor_options or {})},
        ),
    }
    for name, section in _IN_SECTIONS.items():
        if getattr(request, name) is not None:
            given[section][2][name] = getattr(request, name)
    for section, (factory, leading, values) in given.items():
        yield from _section(section, factory, leading, values)


def _section(
    section: str, factory: Callable[..., Any] | None, leading: int, values: Mapping[str, Any]
) -> Iterator[str]:
    options = options_of(factory, leading) if factory else {}
    if options:
        yield ""
        yield f"[{section}]"
    named = {name.replace("-", "_"): value for name, value in values.items()}
    for name, option in options.items():
        yield f"{_line(name, named.get(name, option.default))}  # {option.choices}"


def _line(name: str, value: object) -> str:
    if value is None:
        return f"# {name} ="
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{_text(str(key))} = {_text(other)}" for key, other in value.items())
        return f"{name} = {{ {pairs} }}"
    return f"{name} = {_text(value)}"


def _text(value: object) -> str:
    """Return a value as TOML, which writes strings, numbers, truths and lists as JSON does."""
    return json.dumps(value, default=str, ensure_ascii=False).replace("\x7f", "\\u007f")


def read_recipe(path: Path) -> dict[str, Any]:
    """Return what a recipe asks of `segfmt.convert`, by keyword.

    Raises
    ------
    UsageError
        For a file that is not there or is no TOML, with the place; for what is no option.
    """
    import tomllib  # as most runs have no need of it

    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path}: is no recipe: {error}") from error
    from segfmt.plan import Request

    spelt = {SPELT.get(field.name, field.name): field.name for field in fields(Request)}
    sections = {"convert", *SECTIONS}
    asked = document.pop("convert", None)
    if not isinstance(asked, dict):
        raise UsageError(f"{path}: is no recipe: it has no [convert]")
    for name in document:
        if name not in sections or not isinstance(document[name], dict):
            raise UsageError(f"{path}: [{name}] is no part of a recipe: {', '.join(sections)}")
    for name in asked:
        if name not in spelt:
            mend = did_you_mean(name, spelt) or f"There are: {', '.join(spelt)}."
            raise UsageError(f'{path}: [convert] has no "{name}". {mend}')
    if missing := {"src", "dst", "to"} - asked.keys():
        raise UsageError(f"{path}: [convert] lacks {', '.join(sorted(missing))}")
    options = {spelt[name]: value for name, value in asked.items()}
    return options | {SECTIONS[name]: values for name, values in document.items()}
