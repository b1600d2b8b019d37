"""What Dask costs beside processes on one machine: run it as a script.

Rates are of samples from the first tenth on, so that the start of processes is told apart; runs
take turns, as a machine is not always as fast.
"""

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

import segfmt

SAMPLES, ROUNDS, WORKERS = 1000, 5, 2
EXECUTORS = ("processes", "dask")


def make_dataset(root: Path, shape: tuple[int, int]) -> Path:
    random = np.random.default_rng(0)
    picture = Image.fromarray(random.integers(0, 256, (*shape, 3), np.uint8))
    mask = np.kron(random.integers(0, 9, (20, 20)), np.ones((shape[0] // 20, shape[1] // 20)))
    for number in range(SAMPLES):
        segfmt.write_mask(root / f"masks/train/{number:04}.png", mask.astype(np.uint8))
        image = root / f"images/train/{number:04}.jpg"
        image.parent.mkdir(parents=True, exist_ok=True)
        picture.save(image)
    return root


def measure(source: Path, executor: str) -> tuple[float, float]:
    """Return samples a second, and seconds that the rest took: start, first samples, end."""
    times: list[float] = []

    def tell(report: segfmt.Report, total: int) -> None:
        if report.done:
            times.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        target = Path(folder, "dst")
        options = {"source": "folder", "target": "voc", "workers": WORKERS, "progress": tell}
        segfmt.convert(source, target, executor=executor, **options)
        whole = time.perf_counter() - begun
    first = SAMPLES // 10
    seconds = times[-1] - times[first]
    return (SAMPLES - 1 - first) / seconds, whole - seconds


def main() -> None:
    for shape in ((300, 400), (1080, 1920)):
        with tempfile.TemporaryDirectory() as folder:
            source = make_dataset(Path(folder, "src"), shape)
            found = [[measure(source, name) for name in EXECUTORS] for _ in range(ROUNDS)]
        print(f"{shape[1]}x{shape[0]}, {SAMPLES} samples, {WORKERS} workers")
        for name, runs in zip(EXECUTORS, zip(*found, strict=True), strict=True):
            rates, rest = zip(*runs, strict=True)
            rate, seconds = statistics.median(rates), statistics.median(rest)
            print(f"  {name:<10} {rate:5.0f} samples/s, and {seconds:.1f} s besides")
        ratios = [dask[0] / processes[0] for processes, dask in found]
        print(f"  dask / processes: {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
