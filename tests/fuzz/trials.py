"""Reads damaged datasets, in a process of its own that may not have much of anything.

`python -m fuzz.trials FOLDER SECONDS SEED [NAME ...]` prints a line of JSON for each dataset of
`seeds`: how many inputs were tried, and the faults. What is asked of a reader: it works, or raises
a `SegfmtError`, and soon; it takes no more memory than it is given, writes nothing outside of the
target, and starts nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Iterator
from importlib import import_module
from itertools import count, islice
from pathlib import Path
from pkgutil import iter_modules
from random import Random
from tempfile import mkdtemp
from types import FrameType
from typing import Any

import segfmt
from fuzz.mutate import OUTSIDE, Tree, mutate
from fuzz.seeds import Seed, seeds
from segfmt import SegfmtError, kernels

MEMORY = 3 << 30  # address space, of which the interpreter and numba's code take one
CPU_SECONDS = 5.0  # for an input; each is read in milliseconds
WAIT_SECONDS = 30  # by the clock on the wall, for what waits and does nothing
# Small, so that what is within them is done soon; that they hold is tried, too.
LIMITS = {
    "SEGFMT_MAX_PIXELS": "4000000",
    "SEGFMT_MAX_POINTS": "100000",
    "SEGFMT_MAX_RINGS": "100000",
    "SEGFMT_MAX_LINES": "100000",
    "SEGFMT_MAX_FILE_BYTES": "1000000",
}
CONTENT = b"nobody's business"
STARTS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork")
# Which of an event's arguments is a path that is changed.
WRITES = {
    "os.rename": (0, 1),
    "os.link": (1,),
    "os.symlink": (1,),
    **dict.fromkeys(("os.remove", "os.rmdir", "os.mkdir", "os.chmod", "os.truncate"), (0,)),
}


class Fault(Exception):
    """What no input may bring about."""


class TooSlow(BaseException):
    """Raised by the clock; no handler of ours takes it for a fault of the input's."""


class Guard:
    """Watches what the interpreter does to files outside of a folder, and what it starts."""

    def __init__(self, folder: Path) -> None:
        self.inside = folder.resolve()
        self.seen: list[str] = []
        self.watching = False
        sys.addaudithook(self._hook)

    def _hook(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.watching:
            return
        if event in STARTS or event == "pickle.find_class":
            self.seen.append(f"{event} {args[:2]}")
        elif event == "open":
            path, mode, flags = args
            writes = mode is None and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
            if writes or (mode and set(mode) & set("wax+")):
                self._check(event, path)
        elif event in WRITES:
            for place in WRITES[event]:
                self._check(event, args[place])

    def _check(self, event: str, path: Any) -> None:
        # A name alone is one below an open folder: `shutil.rmtree`, which follows no link.
        if isinstance(path, str | bytes | os.PathLike) and "/" in os.fsdecode(path):
            given = Path(os.fsdecode(path))
            real = given.parent.resolve() / given.name
            if self.inside not in real.parents and "__pycache__" not in real.parts:
                self.seen.append(f"{event} {real}")


def put(root: Path, tree: Tree) -> None:
    """Write a dataset; what has no place in the file system stays away."""
    for name, item in tree.items():
        path = root / name
        with contextlib.suppress(OSError, UnicodeEncodeError):
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(item, bytes):
                path.write_bytes(item)
            elif item.kind == "folder":
                path.mkdir()
            elif item.kind == "pipe":
                os.mkfifo(path)
            else:
                path.symlink_to(item.to)


def read(root: Path, seed: Seed) -> None:
    """Read a dataset as a caller of the library would."""
    dataset = segfmt.open_dataset(root, seed.format, **seed.options)
    tuple(getattr(dataset.reader, "warnings", ()))
    assert len(dataset.classes) >= 0
    for ref in islice(dataset.refs(), 20):
        try:
            segfmt.check_key(ref.key)
            dataset.reader.load(ref)
        except segfmt.SegfmtError as error:
            assert str(error)


def convert(root: Path, out: Path, seed: Seed) -> None:
    """Convert a dataset: a report must come of it, without a traceback in it."""
    report = segfmt.convert(
        root, out, source=seed.format, target="voc", executor="serial", reader_options=seed.options
    )
    assert report.done + report.skipped + report.failed == report.total
    if bad := [failure for failure in report.failures if failure.traceback]:
        raise Fault(bad[0].traceback)


def attempt(work: Path, seed: Seed, tree: Tree, guard: Guard, *, whole: bool) -> str:
    """Return what went wrong with an input, or nothing."""
    root, out = work / "src", work / "dst"
    put(root, tree)
    problem = ""
    signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
    signal.alarm(WAIT_SECONDS)
    guard.watching = True
    try:
        if whole:
            convert(root, out, seed)
        else:
            read(root, seed)
    except SegfmtError as error:
        if not str(error):
            problem = "an error without a word"
    except TooSlow:
        problem = f"took too long: {traceback.format_exc()}"
    except Fault as error:
        problem = str(error)
    except Exception:  # noqa: BLE001 - which is what is looked for
        problem = traceback.format_exc()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.alarm(0)
        guard.watching = False
    if guard.seen:
        problem += f"\ndid what it may not: {guard.seen}"
        guard.seen.clear()
    names = sorted(path.name for path in work.iterdir())
    secret = work / OUTSIDE / "x"
    if not set(names) <= {"src", "dst", OUTSIDE} or secret.read_bytes() != CONTENT:
        problem += f"\nleft something outside: {names}"
    if out.is_dir() and any(
        CONTENT in path.read_bytes() for path in out.rglob("*") if path.is_file()
    ):
        problem += "\ncarried off what a link led to"
    return problem


def site(problem: str) -> str:
    """Return what tells faults apart: the last line, and where in our code it was."""
    lines = [line for line in problem.splitlines() if line.strip()]
    places = [line for line in lines if "segfmt" in line and line.lstrip().startswith("File")]
    return f"{places[-1].strip() if places else ''} {lines[-1][:60]}"


def fuzz(folder: Path, seed: Seed, number: int, seconds: float) -> Iterator[tuple[int, Tree, str]]:
    """Yield inputs that brought about a fault; last the number of all that were tried."""
    # In memory where there is such a file system: writing is what takes longest.
    shared = Path("/dev/shm")
    place = mkdtemp(prefix="segfmt-fuzz-", dir=shared if shared.is_dir() else folder)
    guard = Guard(Path(place))
    work = Path(place, "work")
    begun = time.monotonic()
    for index in count():
        if time.monotonic() - begun > seconds and index:
            break
        random = Random(f"{number} {seed.name} {index}")
        tree, done = mutate(seed.files, random)
        (work / OUTSIDE).mkdir(parents=True)
        (work / OUTSIDE / "x").write_bytes(CONTENT)
        problem = attempt(work, seed, tree, guard, whole=index % 8 == 0)
        if problem:
            yield index, tree, f"{'; '.join(done)}\n{problem}"
        shutil.rmtree(work)
    shutil.rmtree(place)
    yield index, {}, ""


def confine() -> None:
    """Take from this process what the inputs must not get."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.environ.update(LIMITS)

    def too_slow(number: int, frame: FrameType | None) -> None:
        raise TooSlow

    for number in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(number, too_slow)
    warnings.simplefilter("ignore")  # Pillow tells of every oddity
    warnings.simplefilter("error", RuntimeWarning)  # numpy of every overflow that nobody meant


def child(folder: Path, seed: Seed, number: int, seconds: float) -> None:
    """Fuzz one dataset and print what came of it."""
    confine()
    tried = 0
    faults: dict[str, str] = {}
    for tried, tree, problem in fuzz(folder, seed, number, seconds):
        if problem and site(problem) not in faults:
            kept = folder / f"input-{tried}"
            put(kept, tree)
            faults[site(problem)] = f"input {tried}, kept in {kept}: {problem}"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    tell(seed, tried, list(faults.values()), peak)


def tell(seed: Seed, tried: int, faults: list[str], peak: int = 0) -> None:
    """Print what came of a dataset."""
    line = {"name": seed.name, "format": seed.format, "tried": tried, "peak_mb": peak}
    print(json.dumps(line | {"faults": faults}), flush=True)


def main() -> None:
    """Fuzz every dataset, each in a process of its own, as one may be killed."""
    folder, seconds, number, *names = sys.argv[1:]
    found, none = seeds(Path(folder, "seeds"))
    for module in iter_modules(kernels.__path__, "segfmt.kernels."):
        import_module(module.name)  # here, as numba unpickles what it has compiled
    for seed in found:
        if names and seed.name not in names:
            continue
        place = Path(folder, seed.name.replace(" ", "-"))
        place.mkdir()
        pid = os.fork()
        if pid == 0:
            try:
                child(place, seed, int(number), float(seconds))
            except BaseException:  # noqa: BLE001 - whatever it is, the parent tells
                traceback.print_exc()
                os._exit(70)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        if status:
            fault = f"the process ended with {os.waitstatus_to_exitcode(status)}: see {place}"
            tell(seed, 0, [fault])
    print(json.dumps({"none": none}), flush=True)


if __name__ == "__main__":
    main()
