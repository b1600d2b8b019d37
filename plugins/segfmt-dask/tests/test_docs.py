"""The page on clusters."""

import re
from pathlib import Path

import segfmt.plugins
from segfmt.options import options_of
from segfmt_dask import make

PAGE = Path(__file__).parents[3] / "docs/cluster.md"


def test_every_option_has_its_row_and_help() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for option in options_of(make, 1).values():
        default = str(option.default).lower() if option.type is bool else option.default
        assert re.search(rf"^\| `{option.name}` \| .+ \| `{default}` \|", page, re.MULTILINE)
        assert option.help


def test_python_on_the_page_is_python() -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        compile(block, "cluster.md", "exec")


def test_it_is_found_by_name() -> None:
    record = segfmt.plugins.executor_named("dask")
    assert record.make is make
    assert len(record.summary) <= 60
