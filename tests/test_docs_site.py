"""The documentation: its snippets run, what it shows is true, and its site builds."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

DOCS = Path(__file__).parents[1] / "docs"
sys.path.insert(0, str(DOCS))
import make_pictures  # noqa: E402
import snippets  # noqa: E402

PAGES = sorted(DOCS.rglob("*.md"))
NOT_RUN = {
    "pip install .",
    *(f"pip install segfmt-{name}" for name in ("ade20k", "coco", "cvat", "mapillary", "yolo")),
    "make bench\nSEGFMT_BENCH=short make bench\nmake peers",
}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    snippets.make_workspace(folder)
    return folder


@pytest.mark.parametrize(
    "page", snippets.pages(), ids=lambda page: str(page.relative_to(DOCS.parent))
)
def test_snippets_run_and_print_what_the_page_shows(
    page: Path, workspace: Path, tmp_path: Path
) -> None:
    now = snippets.with_outputs(page, workspace, tmp_path / "here")
    assert now == page.read_text("utf-8"), "run: python docs/snippets.py"


def test_what_is_not_run_is_little() -> None:
    idle = {
        snippet.code.strip()
        for page in PAGES
        for snippet in snippets.snippets(page, page.read_text("utf-8"))
        if snippet.idle and "://" not in snippet.code
    }
    assert idle <= NOT_RUN


def test_a_snippet_that_fails_is_seen(tmp_path: Path) -> None:
    text = "```sh\nsegfmt formats nothing\n```\n"
    (snippet,) = snippets.snippets(Path("page.md"), text)
    with pytest.raises(
        AssertionError, match=r"page\.md, line 2: segfmt formats nothing\s+ended with status 2"
    ):
        snippets.run(snippet, tmp_path)


def test_another_output_is_seen_but_for_its_times(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    text = "```sh\n{}\n```\n\n```text\n{}\n```\n"
    (tmp_path / "workspace").mkdir()
    command = "echo 0.5 s, 20.0 samples a second; echo 3 failed"
    for number, shown in enumerate(["0.1 s, 7.0 samples a second\n3 failed", "2 failed"]):
        page.write_text(text.format(command, shown))
        now = snippets.with_outputs(page, tmp_path / "workspace", tmp_path / str(number))
        assert (now == page.read_text()) == (number == 0)


def test_the_reference_is_what_the_code_says() -> None:
    """In a process of its own, as options are shown in an order that imports can change."""
    command = [sys.executable, DOCS / "make_reference.py", "--check"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_the_picture_of_the_fill_rules_is_what_they_paint() -> None:
    with Image.open(DOCS / "images/fill-rules.png") as picture:
        assert picture.info["masks"] == make_pictures.digest(), "run: python docs/make_pictures.py"
    masks = make_pictures.masks()
    assert len({ids.tobytes() for ids in masks.values()}) == 4
    words = (DOCS / "fill-rules.md").read_text("utf-8").partition("![")[2].partition("]")[0]
    assert [int(ids.sum()) for ids in masks.values()] == [106, 93, 80, 80]
    assert re.findall(r"\b\d\d+\b", words) == ["106", "93", "80"]


def test_pictures_are_small_shown_and_described() -> None:
    shown = {
        (page.parent / place).resolve(): words
        for page in PAGES
        for words, place in re.findall(r"!\[(.*?)\]\((.*?)\)", page.read_text("utf-8"))
    }
    assert all(len(words) > 20 for words in shown.values())
    for picture in (DOCS / "images").iterdir():
        assert picture in shown or picture.stem == "favicon"
        assert picture.stat().st_size < 150_000, picture


@pytest.mark.skipif(importlib.util.find_spec("mkdocs") is None, reason="mkdocs is not installed")
def test_the_site_builds_without_a_warning_and_fetches_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", tmp_path]
    result = subprocess.run(
        command,
        cwd=DOCS.parent,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    pages = {path: path.read_text("utf-8") for path in tmp_path.rglob("*.html")}
    assert len(pages) > len(PAGES)
    for path, html in pages.items():
        fetched = re.findall(
            r"<(?:script|link|img|iframe)[^>]*(?:src|href)=\"?(\w+://[^\"> ]+)", html
        )
        assert fetched == [], path
        # A list or table without a blank line before it is one paragraph to this builder.
        for paragraph in re.findall(r"<p>.*?</p>", html, re.DOTALL):
            assert not re.search(r"\n(?:- |\d+\. |\|)", paragraph), f"{path}: {paragraph}"
