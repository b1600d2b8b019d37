"""What the tests have workers do; importable, as workers import it."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import segfmt


def square(number: int) -> int:
    return number * number


def slow_square(number: int) -> int:
    time.sleep(0.02)
    return number * number


def fail_on_five(number: int) -> int:
    if number == 5:
        raise OSError("five")
    return number


def process_of(number: int) -> tuple[int, int]:
    time.sleep(0.01)
    return number, os.getpid()


class Job(NamedTuple):
    """As segfmt's own: what it is about has a name."""

    ref: segfmt.SampleRef


def die_on_five(job: Job) -> str:
    if job.ref.key == "frame_5":
        os.kill(os.getpid(), signal.SIGKILL)
    return job.ref.key


@dataclass(frozen=True)
class Writes:
    """Says where it writes, as segfmt's own does."""

    target: Path

    def __call__(self, number: int) -> int:
        return number


@dataclass(frozen=True)
class DiesOnce(Writes):
    """Kills its worker at the item 5, in the middle of a file, the first time."""

    def __call__(self, number: int) -> int:
        unfinished = self.target / ".unfinished.part"
        if number == 5 and not unfinished.exists():
            unfinished.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return number
