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
