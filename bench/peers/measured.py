"""What the scripts of all peers share; it runs in each one's environment: standard library only."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import shutil
import statistics
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


def peak_mib() -> float:
    """Return the most memory that this process held.

    Not getrusage's ru_maxrss, which a child inherits from the process that started it.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def measure(convert: Callable[[Path, Path, str], float | None], packages: Iterable[str]) -> None:
    """Convert what the command line names, and write what it took as JSON.

    Seconds are those of `convert` alone, imports apart, or those that it returns. With `--warm-up`,
    another dataset is converted first, for what is only done once in a process, and what takes less
    than three seconds is then done up to fifteen times, of which the median counts.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("figures", type=Path)
    parser.add_argument("--variant", default="")
    parser.add_argument("--warm-up", type=Path)
    arguments = parser.parse_args()
    times = 1
    if arguments.warm_up:
        convert(arguments.warm_up, arguments.out, arguments.variant)
        times = 15
    seconds: list[float] = []
    while len(seconds) < times and sum(seconds) < 3:
        shutil.rmtree(arguments.out, ignore_errors=True)
        started = time.perf_counter()
        took = convert(arguments.data, arguments.out, arguments.variant)
        seconds.append(time.perf_counter() - started if took is None else took)
    figures = {
        "seconds": statistics.median(seconds),
        "peak_mib": peak_mib(),
        "versions": {name: importlib.metadata.version(name) for name in packages},
    }
    arguments.figures.write_text(json.dumps(figures), encoding="utf-8")


def in_memory(
    data: Path, out: Path, index: Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.integer[Any]]]
) -> float:
    """Make ids of the color masks, read and written outside of the time; return the seconds."""
    import numpy as np
    from PIL import Image

    out.mkdir(parents=True)
    seconds = 0.0
    for path in sorted((data / "voc-color" / "SegmentationClass").iterdir()):
        with Image.open(path) as image:
            rgb = np.asarray(image.convert("RGB"))
        started = time.perf_counter()
        ids = index(rgb)
        seconds += time.perf_counter() - started
        Image.fromarray(ids.astype(np.uint8)).save(out / path.name, compress_level=1)
    return seconds
