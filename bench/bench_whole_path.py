"""JSON files to VOC mask files, start-up, and memory."""

from __future__ import annotations

import itertools
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import segfmt
from figures import PEAK, SHORT, add_row
from opponents import WHOLE_PATH
from scenes import CITY, FULL_HD, Scene
from segfmt.formats.aihub import TABLE

MASKS = Path("VOCdevkit/VOC2012/SegmentationClass")


def convert(source: Path, target: Path, workers: int) -> None:
    report = segfmt.convert(
        source,
        target,
        source="aihub",
        target="voc",
        workers=workers,
        images="none",
        missing_image="keep",
    )
    assert report.ok


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("scene", [FULL_HD, CITY], ids=str)
@pytest.mark.parametrize(
    ("opponent", "images", "rounds", "target"),
    [("OpenCV script", 100, 12, ">= 3.5"), ("blog scripts", 2, 3, ">= 150")],
)
def test_whole_path(
    paired: Callable[..., float],
    folder: Path,
    opponent: str,
    images: int,
    rounds: int,
    target: str,
    scene: Scene,
    workers: int,
) -> None:
    """Times are for an image; the blog scripts, at a second each, are given fewer."""
    ours = scene.write_aihub(folder / "ours", 100)
    their_images = min(images * workers, 100)
    theirs = scene.write_aihub(folder / "theirs", their_images)
    counter = itertools.count()
    targets: dict[str, Path] = {}

    def fresh(who: str) -> Path:
        if who in targets:
            shutil.rmtree(targets[who])
        targets[who] = folder / f"{who}-{next(counter)}"
        return targets[who]

    paired(
        f"Whole path, JSON to VOC masks, {workers} worker{'s' * (workers > 1)}",
        scene.name,
        opponent,
        lambda: convert(ours, fresh("us"), workers),
        lambda: WHOLE_PATH[opponent](theirs, fresh("them"), workers),
        rounds,
        target,
        (100, their_images),
    )
    same_masks(targets["us"] / MASKS, targets["them"], exact=opponent == "OpenCV script")


def same_masks(ours: Path, theirs: Path, *, exact: bool) -> None:
    """Assert that the two wrote the same ids.

    The blog's ids pass through colors, so of the two classes that share one, the later wins: where
    it differs from ours, and only there, the color must be that one.
    """
    shared = {info.id for infos in TABLE.shared_colors().values() for info in infos}
    for path in sorted(theirs.glob("frame_*[0-9].png")):
        with Image.open(ours / path.name) as mine, Image.open(path) as other:
            ids, their_ids = np.asarray(mine), np.asarray(other)
        differ = ids != their_ids
        assert not (exact and differ.any())
        assert set(np.unique(ids[differ])) | set(np.unique(their_ids[differ])) <= shared


def run(*command: str, **environment: str) -> float:
    started = time.perf_counter()
    # Both sides with their modules compiled, as pip leaves them.
    inherited = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(
        [sys.executable, *command], check=True, capture_output=True, env=inherited | environment
    )
    return time.perf_counter() - started


SCRIPT = """
import sys, segfmt
segfmt.convert(sys.argv[1], sys.argv[2], source="aihub", target="voc", images="none",
               missing_image="keep")
"""
# Numba loads SciPy where it finds it, a quarter of a second, as soon as a kernel is loaded. It is
# here because tests want it: segfmt does not bring it.
ALONE = f"import sys; sys.modules['scipy'] = None\n{SCRIPT}"
COMMAND = ["-m", "segfmt", "convert", "--from", "aihub", "--to", "voc", "--images", "none"]
COMMAND += ["--missing-image", "keep"]


def test_start_up(folder: Path) -> None:
    source = FULL_HD.write_aihub(folder / "one", 1)
    counter = itertools.count()

    def first_mask(cache: str, *program: str) -> float:
        target = folder / f"out-{next(counter)}"
        cached = str(folder / cache)
        return run(*program, str(source), str(target), NUMBA_CACHE_DIR=cached)

    for name, cache, program, rounds, target in (
        # The first leaves what the others find.
        ("segfmt.convert, cold: kernels compiled", "cache-{}", ["-c", SCRIPT], 3, ""),
        ("segfmt.convert, warm", "cache-0", ["-c", ALONE], 15, "<= 3"),
        ("segfmt.convert, warm, SciPy there", "cache-0", ["-c", SCRIPT], 15, ""),
        ("the command, warm", "cache-0", COMMAND, 15, ""),
    ):
        times = [
            (first_mask(cache.format(number), *program), run("-c", "import numba"))
            for number in range(max(1, rounds // 3) if SHORT else rounds)
        ]
        add_row(
            "Start to first mask (ours / theirs)",
            name,
            "python -c 'import numba'",
            statistics.median(ours / theirs for ours, theirs in times),
            target,
            f"{statistics.median(ours for ours, _ in times):.2f} s",
            f"{statistics.median(theirs for _, theirs in times):.2f} s",
        )


MEMORY = f"""
import sys, segfmt
report = segfmt.convert(sys.argv[1], sys.argv[2], source="aihub", target="voc", workers=2,
                        images="none", missing_image="keep")
assert report.done == int(sys.argv[3])
{PEAK}
print(peak)
"""


def peak_megabytes(folder: Path, count: int) -> float:
    source = FULL_HD.write_aihub(folder / f"src-{count}", min(count, 50))
    labels = sorted((source / "label").iterdir())
    for number in range(len(labels), count):
        os.link(labels[number % len(labels)], source / "label" / f"frame_{number:06}.json")
    result = subprocess.run(
        [sys.executable, "-c", MEMORY, str(source), str(folder / f"dst-{count}"), str(count)],
        check=True,
        capture_output=True,
        text=True,
    )
    return int(result.stdout) / 1024


def test_memory(folder: Path) -> None:
    few, many = peak_megabytes(folder, 200), peak_megabytes(folder, 2000)
    add_row(
        "Peak memory (2,000 samples / 200 samples)",
        FULL_HD.name,
        "itself at 200",
        many / few,
        "<= 1.1",
        f"{many:.0f} MB",
        f"{few:.0f} MB",
    )
