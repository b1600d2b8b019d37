"""Many samples: neither memory nor the time for one may grow with their number."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from figures import PEAK, SHORT, add_row

FEW, MANY = (2_000, 20_000) if SHORT else (20_000, 200_000)
LINKS = 15_000  # of one file: file systems have their limits
RUN = f"""
import sys, time, segfmt
segfmt.convert(*sys.argv[1:3], source="aihub", target="voc", limit=1, workers=2)
started = time.perf_counter()
report = segfmt.convert(*sys.argv[1:3], source="aihub", target="voc", workers=2, overwrite=True,
                        images=sys.argv[3])
assert report.ok and report.done == report.total
seconds = time.perf_counter() - started
{PEAK}
print(peak, seconds)
"""


def small_samples(root: Path, count: int) -> Path:
    """Make so many images of 32 x 32 with labels of two polygons, all links to a few files."""
    (root / "data").mkdir(parents=True)
    (root / "label").mkdir()
    pixels = io.BytesIO()
    Image.fromarray(np.zeros((32, 32, 3), np.uint8)).save(pixels, "JPEG")
    image = pixels.getvalue()
    outlines = [[[3, 3], [28, 4], [20, 28]], [[0, 20], [31, 20], [31, 31], [0, 31]]]
    label = json.dumps(
        {
            "Source_Image_Info": {"Img_name": "", "Img_path": "", "Resolution": [32, 32]},
            "Annotation": [
                {"Label": name, "Type": "polygon", "Coordinate": outline}
                for name, outline in zip(("sky", "road"), outlines, strict=True)
            ],
        }
    ).encode()
    for folder, suffix, content in (("data", "jpg", image), ("label", "json", label)):
        for number in range(count):
            path = root / folder / f"DA_00C_AC_211006_05_{number:06}.{suffix}"
            if number % LINKS == 0:
                first = path
                path.write_bytes(content)
            else:
                os.link(first, path)
    return root


def measured(folder: Path, count: int) -> tuple[float, float]:
    """Return the peak memory in MB and the microseconds a sample of converting so many."""
    source = small_samples(folder / f"src-{count}", count)
    command = [sys.executable, "-c", RUN, str(source), str(folder / f"dst-{count}"), "none"]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    memory, seconds = result.stdout.split()
    return int(memory) / 1024, float(seconds) / count * 1e6


def test_many_samples(folder: Path) -> None:
    (few, few_each), (many, many_each) = measured(folder, FEW), measured(folder, MANY)
    group = f"Many small samples ({MANY:,} / {FEW:,})"
    add_row(
        group,
        "peak memory",
        f"itself at {FEW:,}",
        many / few,
        "<= 1.2",
        f"{many:.0f} MB",
        f"{few:.0f} MB",
    )
    add_row(
        group,
        "time a sample",
        f"itself at {FEW:,}",
        many_each / few_each,
        "<= 1.1",
        f"{many_each:.0f} us",
        f"{few_each:.0f} us",
    )
