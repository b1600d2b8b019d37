"""Measure segfmt beside its peers on one worker, compare their masks, and print the tables.

    python bench/peers/run.py                    all: half an hour
    python bench/peers/run.py --peers pillow,opencv --images 5 --rounds 1
    python bench/peers/run.py --defects          what peers do wrong, shown

Each is measured in a process of its own, segfmt right before each peer and right after it, so that
a ratio is of neighbors in time; figures are medians of the rounds. Environments are made below
build/peers, the report goes to build/bench/peers.md and peers.json.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from environments import MissingPeerError, python_of
from make_data import make_data
from pixels import Pixels, compare
from report import markdown
from roster import JOBS, PEERS, Peer

HERE = Path(__file__).parent
BUILD, REPORT = Path("build/peers"), Path("build/bench")
# One thread for each library that would take more.
THREADS = ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "NUMBA", "GDAL")
ONE_WORKER = {f"{name}_NUM_THREADS": "1" for name in THREADS} | {"OPENCV_FOR_THREADS_NUM": "1"}


@dataclass(frozen=True)
class Run:
    """What a process took: its conversion's seconds, its own, its memory."""

    seconds: float
    whole: float
    peak_mib: float
    versions: dict[str, str]


@dataclass
class Result:
    """What was measured of a peer, a round each, and of segfmt beside it."""

    peer: Peer
    ours: list[Run] = field(default_factory=list)  # warm: their `seconds` count
    theirs: list[Run] = field(default_factory=list)
    our_starts: list[Run] = field(default_factory=list)  # from the start: their `whole` counts
    their_starts: list[Run] = field(default_factory=list)
    pixels: Pixels | None = None
    missing: str = ""


@dataclass(frozen=True)
class Bench:
    """The dataset, that of the warm-up, and where results go."""

    data: Path
    warm_up: Path
    scratch: Path

    def run(self, python: Path | str, script: str, variant: str, *, warm: bool) -> tuple[Run, Path]:
        """Run a script in a process of its own and return what it took, and its output.

        Raises `RuntimeError` with what it says if it fails.
        """
        out, figures = self.scratch / script, self.scratch / "figures.json"
        shutil.rmtree(out, ignore_errors=True)
        command = [str(python), str(HERE / script), str(self.data), str(out), str(figures)]
        command += ["--variant", variant]
        if warm:
            command += ["--warm-up", str(self.warm_up)]
        started = time.perf_counter()
        result = subprocess.run(
            command, check=False, capture_output=True, text=True, env={**os.environ, **ONE_WORKER}
        )
        whole = time.perf_counter() - started
        if result.returncode:
            raise RuntimeError(f"{script} failed: {result.stderr.strip()}")
        return Run(whole=whole, **json.loads(figures.read_text(encoding="utf-8"))), out

    def measure_round(self, result: Result, python: Path | str, images: int, *, last: bool) -> None:
        """Measure segfmt, the peer and segfmt again, warm and from the start; compare masks last.

        Others share the machine, and come and go within seconds.
        """
        peer = result.peer
        for ours, theirs, warm in (
            (result.ours, result.theirs, True),
            (result.our_starts, result.their_starts, False),
        ):
            before, our_out = self.run(sys.executable, "peer_segfmt.py", peer.job, warm=warm)
            try:
                run, their_out = self.run(python, peer.script, peer.variant, warm=warm)
            except RuntimeError as error:
                raise MissingPeerError(f"failed: {str(error).splitlines()[-1]}") from error
            after, _ = self.run(sys.executable, "peer_segfmt.py", peer.job, warm=warm)
            ours.append(between(before, after))
            theirs.append(run)
        if last:
            result.pixels = compare(peer, JOBS[peer.job], our_out, their_out, images)


def between(before: Run, after: Run) -> Run:
    """Return what lies in the middle of two runs."""
    return replace(
        before,
        seconds=(before.seconds + after.seconds) / 2,
        whole=(before.whole + after.whole) / 2,
        peak_mib=max(before.peak_mib, after.peak_mib),
    )


def chosen(names: str | None) -> Iterator[Peer]:
    """Yield the peers of these keys, or all."""
    known = {peer.key: peer for peer in PEERS}
    for name in names.split(",") if names else known:
        if name not in known:
            sys.exit(f"there is no peer {name!r}; there are {', '.join(known)}")
        yield known[name]


def scratch() -> Path | None:
    """Return memory to write to, if there is any, so that no disk is measured."""
    shm = Path("/dev/shm")
    return shm if shm.is_dir() and shutil.disk_usage(shm).free > 4 << 30 else None


def measured(bench: Bench, results: list[Result], images: int, rounds: int) -> None:
    """Fill in the results, round by round; a peer that fails is missing from then on."""
    for number in range(rounds):
        for result in results:
            peer = result.peer
            if result.missing:
                continue
            print(f"round {number + 1} of {rounds}: {peer.name}", file=sys.stderr, flush=True)
            try:
                python = python_of(peer.environment, BUILD) if peer.environment else sys.executable
                bench.measure_round(result, python, images, last=number + 1 == rounds)
            except MissingPeerError as error:
                result.missing = str(error)


def show_defects() -> int:
    """Run the scripts in defects/ in their environments; return 1 if a claim is not seen."""
    gone = 0
    for script in sorted((HERE / "defects").glob("*_defects.py")):
        name = script.stem.removesuffix("_defects").replace("_", "-")
        try:
            python = python_of(name, BUILD)
        except MissingPeerError as error:
            print(f"{name} is missing: {error}")
            continue
        result = subprocess.run(
            [python, script], check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        print(result.stdout.decode(), flush=True)
        gone |= result.returncode != 0
    return gone


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--defects", action="store_true", help="show what peers do wrong instead")
    parser.add_argument("--peers", help=f"some of {', '.join(peer.key for peer in PEERS)}")
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--report", type=Path, default=REPORT, help="folder for the report")
    arguments = parser.parse_args()
    if arguments.defects:
        sys.exit(show_defects())
    results = [Result(peer) for peer in chosen(arguments.peers)]
    data = make_data(BUILD / f"data-{arguments.images}", arguments.images)
    warm_up = make_data(BUILD / "data-2", 2)
    with tempfile.TemporaryDirectory(prefix="segfmt-peers-", dir=scratch()) as folder:
        bench = Bench(data, warm_up, Path(folder))
        measured(bench, results, arguments.images, arguments.rounds)
    arguments.report.mkdir(parents=True, exist_ok=True)
    command = " ".join(["python bench/peers/run.py", *sys.argv[1:]])
    text = markdown(results, command, arguments.images, arguments.rounds)
    (arguments.report / "peers.md").write_text(text, encoding="utf-8")
    document = [asdict(result) for result in results]
    (arguments.report / "peers.json").write_text(
        json.dumps(document, indent=2) + "\n", encoding="utf-8"
    )
    print(text, end="")
    unexplained = [each.peer.name for each in results if each.pixels and each.pixels.explained]
    if unexplained:
        sys.exit(f"masks differ, and it is not known why: {', '.join(unexplained)}")


if __name__ == "__main__":
    main()
