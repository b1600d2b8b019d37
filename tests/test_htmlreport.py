"""`report` and `convert --html`: one page, self-contained, safe, bounded; in a browser, too."""

import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from aihub_files import annotation, dataset, label, write_image, write_label
from segfmt import ClassInfo, ClassTable, Inspection, Report, UsageError, convert, inspect
from segfmt.dataset import open_dataset
from segfmt.htmlpage import SIZE, Limits
from segfmt.htmlreport import conversion_html, html_report, write_html
from segfmt.inspection import AmbiguousColor, ClassCount
from segfmt.report import Failure, Tally
from segfmt.views import Part, View

VOID = {"meta", "link", "input", "img", "br"}
HOSTILE = "</script><script>window.hacked=1</script><img src=x onerror=window.hacked=1>\"'&{{7*7}}"
TABLE = ClassTable(
    [
        ClassInfo(0, "nothing", (0, 0, 0), "background"),
        ClassInfo(1, "길", (128, 64, 128)),
        ClassInfo(2, "sky", (70, 130, 180)),
    ]
)


class Parsed(HTMLParser):
    """The elements of a page, each with its attributes and its text, in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str], list[str]]] = []
        self._open: list[tuple[str, dict[str, str], list[str]]] = []
        self.comments: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        element = (tag, {name: value or "" for name, value in attrs}, [])
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag
        if tag in ("td", "th"):
            self.handle_data("|")

    def handle_data(self, data: str) -> None:
        for _, _, texts in self._open:
            texts.append(data)

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def all(self, tag: str) -> list[tuple[dict[str, str], str]]:
        return [(attrs, "".join(text)) for name, attrs, text in self.elements if name == tag]

    def section(self, id: str) -> str:
        return next(text for attrs, text in self.all("section") if attrs["aria-labelledby"] == id)

    @property
    def text(self) -> str:
        return self.all("body")[0][1]


def page_of(path: Path) -> Parsed:
    return Parsed(path.read_bytes().decode())


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return a small AIHub dataset; one label has a misspelt class."""
    root = dataset(tmp_path / "src", ["a", "b", "c"])
    write_image(root / "data" / "zebra.jpg", (40, 30))
    write_label(root / "label" / "zebra.json", label(annotation("pedestrain")))
    return root


@pytest.fixture
def report_page(source: Path, tmp_path: Path) -> Path:
    html_report(source, out=tmp_path / "report.html")
    return tmp_path / "report.html"


def check_self_contained(page: Parsed) -> None:
    """Everything is in the page; the policy lets its own scripts and styles run and no other."""
    for tag, attrs, _ in page.elements:
        for name in ("src", "href", "action", "data", "poster", "srcset"):
            assert attrs.get(name, "data:").startswith(("data:", "#")), (tag, attrs)
        assert not any(name.startswith("on") or name == "style" for name in attrs), (tag, attrs)
    ((_, style),) = page.all("style")
    assert "url(" not in style
    assert "@import" not in style
    (policy,) = (attrs["content"] for attrs, _ in page.all("meta") if "http-equiv" in attrs)
    parts = dict(part.split(" ", 1) for part in policy.split("; "))
    assert parts["default-src"] == "'none'"
    assert parts["img-src"] == "data:"
    scripts = [text for attrs, text in page.all("script") if "type" not in attrs]
    assert parts["script-src"].split()[-len(scripts) :] == [digest(text) for text in scripts]
    assert parts["style-src"] == digest(style)
    for text in (style, *scripts):
        assert "sourceMappingURL" not in text


def digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_a_page_is_whole_and_needs_nothing_else(report_page: Path) -> None:
    page = page_of(report_page)
    check_self_contained(page)
    assert page.all("html")[0][0]["lang"] == "en"
    assert len(page.all("h1")) == 1
    ids = [attrs["id"] for _, attrs, _ in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert all(attrs["alt"] for attrs, _ in page.all("img"))
    labelled = [attrs.get("aria-labelledby") for attrs, _ in page.all("section")]
    assert set(labelled) <= set(ids)
    for tag in ("input", "select"):
        for attrs, _ in page.all(tag):  # each stands in its label
            assert any(attrs["id"] in html for html in labels(report_page)), attrs


def labels(path: Path) -> list[str]:
    return re.findall(r"<label.*?</label>", path.read_text(encoding="utf-8"), re.S)


def test_it_says_what_the_inspection_says(report_page: Path, source: Path) -> None:
    page, found = page_of(report_page), inspect(source)
    assert "1 sample of 4 cannot be read" in page.text
    road = next(info for info in found.classes if info.name == "road")
    row = next(text for _, text in page.all("tr") if "road|" in text)
    cells = [cell.strip() for cell in row.split("|")]
    share = f"{road.share:.2%}"[:-1] + " %"
    assert cells == ["1", "road", f"{road.pixels:,}", share, "", "3", "3", ""]
    assert "mean = [" in page.section("classes")
    assert 'Did you mean "pedestrian"?' in page.section("failures")
    assert str(source) not in page.section("failures")
    assert "16 x 12" in page.section("sizes")
    assert "pedestrain" in page.section("notes")


def test_bad_samples_are_shown_with_their_image(report_page: Path) -> None:
    shown = [attrs for attrs, _ in page_of(report_page).all("img") if "zebra" in attrs["alt"]]
    assert shown
    for attrs in shown:
        image = image_of(attrs["src"])
        assert image.width / image.height == pytest.approx(40 / 30, rel=0.01)


def image_of(uri: str) -> Image.Image:
    return Image.open(BytesIO(base64.b64decode(uri.partition("base64,")[2])))


def test_masks_show_classes_in_their_colors_and_leave_background_clear(tmp_path: Path) -> None:
    ids = np.zeros((30, 40), np.int32)
    ids[:, 10:] = 1
    view = View("train", "키", None, ids, (Part(1, "길", 0.75), Part(0, "nothing", 0.25)))
    found = synthetic(classes=[count_of(info) for info in TABLE])
    write_html(tmp_path / "a.html", inspection=found, classes=TABLE, samples=[view])
    page = page_of(tmp_path / "a.html")
    ((attrs, _),) = page.all("img")
    assert attrs["alt"] == "Mask of train/키: 1 길 75.00 %, 0 nothing 25.00 %"
    mask = np.asarray(image_of(attrs["src"]).convert("RGBA"))
    assert (mask[0, 0] == (0, 0, 0, 0)).all()
    assert (mask[0, 39] == (128, 64, 128, 255)).all()
    assert (mask[:, 10:] == (255, 255, 255, 255)).all(-1).any()  # of the number
    assert "no image" in page.section("pictures")
    assert [text.split() for _, text in page.all("li")] == [["0", "nothing"], ["1", "길"]]


def test_distinct_colors_are_those_of_table_and_masks(source: Path, tmp_path: Path) -> None:
    pages = []
    for distinct in (False, True):
        html_report(source, out=tmp_path / "a.html", distinct=distinct, image_stats=False)
        page = page_of(tmp_path / "a.html")
        road = [attrs["fill"] for attrs, _ in page.all("rect")]
        masks = [attrs["src"] for attrs, _ in page.all("img") if attrs["alt"].startswith("Mask")]
        colors = {f"#{r:02x}{g:02x}{b:02x}" for r, g, b in colors_of(image_of(masks[0]))}
        pages.append((road, colors & set(road)))
    assert pages[0][0] != pages[1][0]
    assert all(len(colors) >= 1 for _, colors in pages)
    assert pages[0][1] != pages[1][1]


def colors_of(image: Image.Image) -> set[tuple[int, int, int]]:
    return {tuple(row) for row in np.asarray(image.convert("RGB")).reshape(-1, 3).tolist()}


def count_of(info: ClassInfo) -> ClassCount:
    return ClassCount(info.id, info.name, info.color, info.role, 10**9, 0.1, 5, 3, 3)


def synthetic(**changes: Any) -> Inspection:
    """Return an inspection of 100,000 samples."""
    given: dict[str, Any] = {
        "source": "/d/x",
        "format": "voc",
        "version": "0",
        "total": 100_000,
        "samples": 100_000,
        "splits": {"train": 100_000},
        "sizes": {"640x480": 100_000},
        "without_image": 0,
        "pixels": 10**12,
        "unlabeled": 0,
        "classes": (),
        "ambiguous_colors": (),
        "weights": None,
        "images": None,
        "fill_rules": {},
        "notes": {},
        "warnings": [],
        "failures": [],
        "seconds": 1.0,
    }
    return Inspection(**{**given, **changes})


def noise() -> Iterator[View]:
    """Yield samples without end, of the kind that compresses least."""
    random = np.random.default_rng(0)
    for number in range(10**6):
        photo = Image.fromarray(random.integers(0, 256, (300, 400, 3), np.uint8))
        ids = random.integers(0, 250, (300, 400)).astype(np.int32)
        yield View("train", f"키{number}", photo, ids, (Part(1, "길", 1.0),), "error " * 200)


def test_a_page_of_a_hundred_thousand_samples_is_under_five_megabytes(tmp_path: Path) -> None:
    long = "<가" * 500
    classes = [count_of(ClassInfo(id, f"{long}{id}", (id % 256, 0, 0))) for id in range(3000)]
    found = synthetic(
        splits={f"{long}{n}": 1 for n in range(1000)},
        sizes={f"{n}x{n + 1}": 1 for n in range(1, 100_001)},
        classes=tuple(classes),
        ambiguous_colors=(AmbiguousColor((1, 2, 3), (long,) * 3, 5, 5),) * 1000,
        notes={
            f"{long}{n}": Tally(9, 9, dict.fromkeys(map(str, range(1000)), 1)) for n in range(500)
        },
        warnings=[long] * 1000,
        failures=[Failure("train", f"키{n}", f"/d/x/{long}") for n in range(100_000)],
    )
    table = ClassTable(ClassInfo(info.id, info.name, info.color) for info in classes)
    write_html(
        tmp_path / "a.html", inspection=found, classes=table, samples=noise(), problems=noise()
    )
    assert SIZE == 5_000_000
    assert (tmp_path / "a.html").stat().st_size <= SIZE
    page = page_of(tmp_path / "a.html")
    check_self_contained(page)
    assert len(page.all("figure")) > 4
    rows = page.section("failures").count("cannot be read")
    assert f"And {100_000 - rows:,} more : segfmt inspect --json" in " ".join(
        page.section("failures").split()
    ).replace("more:", "more :")


def test_few_rows_are_all_there(tmp_path: Path) -> None:
    limits = Limits()
    failures = [Failure("train", f"key{n}", "/d/x/f: bad") for n in range(limits.failures)]
    write_html(tmp_path / "a.html", inspection=synthetic(failures=failures))
    section = page_of(tmp_path / "a.html").section("failures")
    assert section.count("f: bad") == limits.failures
    assert "more" not in section


def hostile() -> tuple[Inspection, list[View], ClassTable]:
    info = ClassInfo(1, HOSTILE, (1, 2, 3))
    found = synthetic(
        source=HOSTILE,
        format=HOSTILE,
        splits={HOSTILE: 1},
        classes=(count_of(info),),
        ambiguous_colors=(AmbiguousColor((1, 2, 3), (HOSTILE,), 1, 1),),
        fill_rules={HOSTILE: 1},
        notes={HOSTILE: Tally(1, 1, {HOSTILE: 1, "\udcc7": 1})},
        warnings=[HOSTILE],
        failures=[Failure(HOSTILE, HOSTILE, HOSTILE)],
    )
    photo = Image.new("RGB", (40, 30))
    parts = (Part(1, HOSTILE, 1.0),)
    view = View(HOSTILE, HOSTILE, photo, np.ones((30, 40), np.int32), parts, HOSTILE)
    return found, [view], ClassTable([info])


def test_names_out_of_a_dataset_are_text_whatever_they_hold(tmp_path: Path) -> None:
    found, views, table = hostile()
    write_html(tmp_path / "a.html", inspection=found, classes=table, samples=views, problems=views)
    page = page_of(tmp_path / "a.html")
    check_self_contained(page)
    assert len(page.all("script")) == 1
    assert {attrs["src"].partition(",")[0] for attrs, _ in page.all("img")} <= {
        "data:image/png;base64",
        "data:image/jpeg;base64",
    }
    for id in ("summary", "classes", "pictures", "failures", "splits", "notes"):
        assert HOSTILE in page.section(id)


@pytest.mark.parametrize("target", ["voc", "aihub"])
def test_a_conversion_is_told_with_what_was_written(
    source: Path, tmp_path: Path, target: str
) -> None:
    dst = tmp_path / "dst"
    report = convert(source, dst, target=target)
    conversion_html(tmp_path / "a.html", report, open_dataset(source), dst)
    page = page_of(tmp_path / "a.html")
    check_self_contained(page)
    assert f"aihub to {target}" in page.text
    assert "3 samples converted, 1 failed" in page.text
    assert "road" in page.section("classes")
    assert len(page.all("figure")) == 4
    assert "not converted" in page.section("failures")


def test_bad_samples_are_found_that_were_dealt_to_another_split(
    source: Path, tmp_path: Path
) -> None:
    report = convert(source, tmp_path / "dst", target="voc", split="last=1")
    assert [failure.split for failure in report.failures] == ["val"]
    conversion_html(tmp_path / "a.html", report, open_dataset(source), tmp_path / "dst")
    images = [attrs["alt"] for attrs, _ in page_of(tmp_path / "a.html").all("img")]
    assert any("zebra" in alt for alt in images)


def test_a_target_that_is_gone_is_a_warning_on_the_page(source: Path, tmp_path: Path) -> None:
    report = convert(source, tmp_path / "dst", target="voc")
    shutil.rmtree(tmp_path / "dst" / "VOCdevkit")
    conversion_html(tmp_path / "a.html", report, open_dataset(source), tmp_path / "dst")
    text = page_of(tmp_path / "a.html").text
    assert "The target was not read back" in text
    assert "3 samples converted" in text


def test_a_dry_run_says_so(source: Path, tmp_path: Path) -> None:
    report = convert(source, tmp_path / "dst", target="voc", dry_run=True)
    conversion_html(tmp_path / "a.html", report, open_dataset(source), tmp_path / "dst")
    assert "A dry run: 4 samples would be converted" in page_of(tmp_path / "a.html").text


def test_what_was_verified_and_differs_is_told(tmp_path: Path) -> None:
    report = Report("/s", "voc", "/t", "voc", "0", 5, 5, splits={"train": 5}, verified=4)
    report.differing = [Failure("train", "x", "9 pixels differ from the source")]
    write_html(tmp_path / "a.html", report=report)
    page = page_of(tmp_path / "a.html")
    assert "5 samples converted, 1 differ from their source" in page.text
    assert "9 pixels differ" in page.section("failures")


def test_what_cannot_be_a_page_raises_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"ends in \.html"):
        html_report("nowhere", out="report.pdf")
    (tmp_path / "a.html").mkdir()
    with pytest.raises(UsageError, match="is a folder"):
        html_report("nowhere", out=tmp_path / "a.html")
    with pytest.raises(ValueError, match="give one"):
        write_html(tmp_path / "b.html")


def test_the_command_writes_a_page_and_tells_of_bad_samples(source: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "segfmt", "report", source, "--out", tmp_path / "a.html"]
    run = subprocess.run(command, capture_output=True, check=False, encoding="utf-8")
    assert (run.returncode, run.stderr) == (1, "")
    assert "3 samples read, 1 bad" in run.stdout
    assert "What the aihub dataset holds" in page_of(tmp_path / "a.html").text


# In a browser -------------------------------------------------------------------------------------


def browser_path() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return os.environ.get("SEGFMT_BROWSER") or next(filter(None, map(shutil.which, names)), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = browser_path()
    if path is None:
        pytest.skip("no Chromium is installed; SEGFMT_BROWSER names one")
    with api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path)
        yield chromium
        chromium.close()


@pytest.fixture(params=["light", "dark"])
def opened(request: Any, browser: Any) -> Iterator[Any]:
    """Return what opens a page at a width; what the console says or the page asks for fails."""
    said: list[str] = []
    contexts = []

    def open_page(path: Path, width: int) -> Any:
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=request.param
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on(
            "request",
            lambda asked: said.append(asked.url) if not asked.url.startswith("data:") else None,
        )
        page.goto(path.as_uri())
        assert said == [path.as_uri()]
        return page

    yield open_page
    assert len(said) == len(contexts)
    for context in contexts:
        context.close()


@pytest.mark.parametrize("width", [360, 1200])
def test_it_loads_and_fits_in_a_browser(opened: Any, report_page: Path, width: int) -> None:
    page = opened(report_page, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    background, ink = page.evaluate(
        "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
    )
    levels = [sum(map(int, re.findall(r"\d+", color)[:3])) for color in (background, ink)]
    assert abs(levels[0] - levels[1]) > 500
    assert max(page.evaluate(BARS)) == 1


def test_the_toggle_and_the_slider_work(opened: Any, report_page: Path) -> None:
    page = opened(report_page, 1200)

    def shown() -> tuple[float, str]:
        opacity, visibility = page.evaluate(
            "[getComputedStyle(document.querySelector('.mask')).opacity,"
            " getComputedStyle(document.querySelector('.photo')).visibility]"
        )
        return float(opacity), visibility

    assert shown() == (0.5, "visible")
    page.check("#view-mask")
    assert shown() == (1, "hidden")
    page.check("#view-image")
    assert shown() == (0, "visible")
    page.focus("#alpha")
    page.keyboard.press("ArrowRight")  # by keyboard, which also goes back to the overlay
    assert shown() == (0.55, "visible")
    assert page.text_content("#alpha-value") == "55 %"
    assert page.is_checked("#view-overlay")


BARS = "[...document.querySelectorAll('meter.bar')].map((bar) => bar.value)"


def test_the_bars_follow_their_controls(opened: Any, report_page: Path) -> None:
    page = opened(report_page, 1200)

    def given(measure: str) -> list[float]:
        values = f"[...document.querySelectorAll('meter.bar')].map((bar) => +bar.dataset.{measure})"
        return page.evaluate(values)

    shares, samples = given("share"), given("samples")
    assert page.evaluate(BARS) == pytest.approx([share / max(shares) for share in shares])
    page.select_option("#measure", "samples")
    assert page.evaluate(BARS) == pytest.approx([count / max(samples) for count in samples])
    page.select_option("#measure", "share")
    page.check("#log")
    bars = page.evaluate(BARS)
    assert max(bars) == 1
    assert min(bar for bar in bars if bar) >= 0.1
    assert [bar > 0 for bar in bars] == [share > 0 for share in shares]


def test_failures_are_found_by_typing(opened: Any, tmp_path: Path) -> None:
    failures = [Failure("train", f"key{n}", "/d/x/f: bad") for n in range(20)]
    write_html(tmp_path / "a.html", inspection=synthetic(failures=failures))
    page = opened(tmp_path / "a.html", 360)
    page.fill("#find", "KEY1")
    assert page.text_content("#found") == "11 of 20"
    assert page.locator("#failure-rows tr:visible").count() == 11


def test_hostile_names_do_nothing_in_a_browser(opened: Any, tmp_path: Path) -> None:
    found, views, table = hostile()
    write_html(tmp_path / "a.html", inspection=found, classes=table, samples=views, problems=views)
    page = opened(tmp_path / "a.html", 360)
    assert page.evaluate("window.hacked") is None


def test_it_is_of_use_without_scripts(browser: Any, report_page: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(report_page.as_uri())
    page.check("#view-mask")
    assert page.locator(".js:visible").count() == 0
    assert page.locator("#classes ~ .scroll tbody tr").first.is_visible()
    context.close()
