"""Docs that would go stale unnoticed."""

import re
from pathlib import Path

import pytest

import segfmt
import segfmt.plugins
from segfmt.options import options_of

DOCS = Path(__file__).parents[1] / "docs"
ORIGINS = segfmt.plugins.host().origins
FORMATS = {
    name: record for name, record in segfmt.formats().items() if ORIGINS[name].startswith("segfmt:")
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_and_option_has_its_place(name: str) -> None:
    page = (DOCS / "formats" / f"{name}.md").read_text(encoding="utf-8")
    record = FORMATS[name]
    for factory, leading in ((record.reader, 1), (record.writer, 2)):
        for option in options_of(factory, leading).values() if factory else ():
            default = str(option.default).lower() if option.type is bool else option.default
            assert re.search(rf"^\| `{option.name}` \| .+ \| `{default}` \|", page, re.MULTILINE)


@pytest.mark.parametrize("page", [DOCS.parent / "README.md", *sorted(DOCS.rglob("*.md"))], ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_every_hook_is_explained_where_plugins_are_written() -> None:
    from segfmt import hookspecs

    guide = (DOCS / "writing-a-format.md").read_text(encoding="utf-8")
    hooks = [name for name in vars(hookspecs) if name.startswith("segfmt_")]
    assert hooks
    assert [name for name in hooks if name not in guide] == []


def test_every_option_of_convert_is_explained() -> None:
    import inspect

    pages = "".join((DOCS / name).read_text(encoding="utf-8") for name in ("runs.md", "classes.md"))
    names = set(inspect.signature(segfmt.convert).parameters)
    names -= {"src", "dst", "progress"}
    spelt = {"source": "from", "target": "to", "reader_options": "i", "writer_options": "o"}
    spelt["executor_options"] = "x"
    flags = {spelt.get(name, name).replace("_", "-") for name in names}
    missing = [f for f in flags if not re.search(rf"(?<![\w-])--?{re.escape(f)}(?![\w-])", pages)]
    assert missing == []
