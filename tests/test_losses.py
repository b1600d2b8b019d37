"""What a conversion loses is told before it happens, and is so."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import segfmt
from mask_files import write_png
from segfmt import plugins
from segfmt.report import Report

TABLE = segfmt.ClassTable(
    [
        segfmt.ClassInfo(0, "background", role="background"),
        segfmt.ClassInfo(3, "road", (1, 2, 3)),
        segfmt.ClassInfo(9, "sky", (4, 5, 6)),
        segfmt.ClassInfo(255, "ignore", (224, 224, 192), "ignore"),
    ]
)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A VOC set of two splits with PNG images, objects, ignore, and ids with gaps."""
    src, root = tmp_path / "folder", tmp_path / "src"
    segfmt.atomic_write(src / "classes.json", TABLE.to_json())
    ids = np.zeros((8, 8), np.uint8)
    ids[2:5, 2:5], ids[6], ids[7] = 3, 9, 255
    for split in ("train", "val"):
        write_png(src / f"masks/{split}/{split}.png", ids)
        write_png(src / f"images/{split}/{split}.png", np.zeros((8, 8, 3), np.uint8))
    segfmt.convert(src, root, target="voc")
    return root


def run(src: Path, dst: Path, target: str, **options: Any) -> Report:
    return segfmt.convert(src, dst, target=target, dry_run=True, **options)


def test_into_a_format_that_holds_all_nothing_is_lost(source: Path, tmp_path: Path) -> None:
    report = run(source, tmp_path / "dst", "voc", strict=True)
    assert report.losses == []


def test_each_kind_of_loss_is_told(source: Path, tmp_path: Path) -> None:
    report = run(
        source,
        tmp_path / "dst",
        "kitti",
        map={"road": "road", "sky": "sky"},
        ignore_to="background",
    )
    assert report.losses == [
        "ignore: it becomes background",
        'colors: 2 classes have another, such as "road", whose (1, 2, 3) becomes (128, 64, 128)',
        "images as they are: 2 .jpg are encoded anew as .png",
    ]
    report = run(source, tmp_path / "dst", "kitti", ignore_to="background")
    assert 'ids: 2 classes have another, such as "road", whose 3 becomes 7' in report.losses
    report = run(source, tmp_path / "dst", "mmseg", classes="road=1")
    assert report.losses == ["objects: those of one class are no longer told apart"]
    report = run(source, tmp_path / "dst", "aihub", ignore_to="background")
    assert report.losses == [
        "objects: those of one class are no longer told apart",
        "holes: they become cuts or layers, which paint the same pixels",
        "ignore: it becomes background",
    ]


def test_images_that_are_not_placed_are_not_lost(source: Path, tmp_path: Path) -> None:
    report = run(source, tmp_path / "dst", "kitti", ignore_to="background", images="none")
    assert not [loss for loss in report.losses if loss.startswith("images")]


def test_strict_refuses_and_writes_nothing(source: Path, tmp_path: Path) -> None:
    with pytest.raises(segfmt.UsageError) as error:
        segfmt.convert(source, tmp_path / "dst", target="mmseg", classes="road=1", strict=True)
    assert str(error.value).splitlines() == [
        "--strict: voc to mmseg would lose",
        "  - objects: those of one class are no longer told apart",
    ]
    assert not (tmp_path / "dst").exists()


def test_strict_promises_nothing_for_a_format_that_says_nothing(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = plugins.host()
    silent = replace(host.formats["mmseg"], holds=None)
    changed = replace(host, formats={**host.formats, "mmseg": silent})
    monkeypatch.setattr(plugins, "host", lambda: changed)
    assert run(source, tmp_path / "dst", "mmseg", classes="road=1").losses == []
    with pytest.raises(segfmt.UsageError, match="mmseg does not say what it can hold"):
        run(source, tmp_path / "dst", "mmseg", classes="road=1", strict=True)


def test_every_format_that_comes_with_segfmt_says_what_it_holds() -> None:
    assert not [name for name, record in segfmt.formats().items() if record.holds is None]


def test_the_table_in_the_docs_is_made_from_the_declarations() -> None:
    page = Path(__file__).parents[1] / "docs/formats/losses.md"
    assert table() in page.read_text(encoding="utf-8"), f"it should have:\n{table()}"


def table() -> str:
    """Return what every format holds as a Markdown table."""
    heads = ["holes", "instances", "ignore", "splits", "colors", "class_ids", "image_types"]
    words = ["holes", "objects", "ignore", "splits", "colors", "class ids", "images as they are"]
    lines = [f"| format | {' | '.join(words)} |", "|---" * (len(heads) + 1) + "|"]
    for name, record in segfmt.formats().items():
        if record.holds is not None and name != "pairs":  # the guide's
            *flags, types = (getattr(record.holds, head) for head in heads)
            cells = [*("yes" if flag else "-" for flag in flags), " ".join(types) or "any"]
            lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
