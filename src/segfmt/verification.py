"""Is a finished dataset still what was written? `segfmt verify`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from segfmt.dataset import Dataset, open_dataset
from segfmt.errors import FormatError, SegfmtError, UsageError
from segfmt.files import Written, readable, sum_of
from segfmt.journal import Journal
from segfmt.model import Mask, Sample
from segfmt.places import as_place
from segfmt.reading import executor_map
from segfmt.target import fetched_state

Progress = Callable[["Verification", int], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """One file or sample that is not as it was written."""

    name: str
    problem: str


@dataclass(slots=True)
class Verification:
    """What was found; JSON-able.

    `samples` were written and `files` looked at; `read` labels were read back and decoded.
    """

    target: str
    format: str
    samples: int = 0
    files: int = 0
    read: int = 0
    faults: list[Fault] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether everything is as it was written."""
        return not self.faults

    def to_json(self) -> bytes:
        """Return it as indented UTF-8 JSON."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"


def verify(
    dst: str | os.PathLike[str],
    *,
    labels: bool = True,
    executor: str = "threads",
    executor_options: Mapping[str, Any] | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Verification:
    """Compare a target with the journal of the run that wrote it, and read its labels back.

    Parameters
    ----------
    dst
        The folder that `convert` wrote.
    labels
        Whether to decode every label, too, and look whether its ids are within the classes.
    executor, executor_options, workers
        As for `convert`.
    progress
        Called with what is found so far and the number of files.

    Raises
    ------
    UsageError
        If there is no journal, if it is in use, or if the run was not finished.
    """
    root = as_place(dst)
    run = executor_map(executor, executor_options, workers)
    with fetched_state(root), Journal(root, read_only=True) as journal:
        if journal.state != "finished":
            raise UsageError(f"{root}: the run was not finished. Go on with convert --resume")
        name = journal.fingerprint["--target"].partition(" ")[0]
        found = Verification(readable(str(root)), name, journal.entry_count)
        total = sum(len(files) for _, _, files in journal.written()) + len(list(journal.lists()))
        for fault in run(_Checked(root), _files(journal)):
            found.files += 1
            found.faults += [fault] if fault else []
            if progress:
                progress(found, total)
    if labels:
        _read_back(found, root, run)
    found.faults.sort(key=lambda fault: fault.name)
    return found


def _files(journal: Journal) -> Iterator[Written]:
    for _, _, files in journal.written():
        yield from files
    yield from journal.lists()


@dataclass(frozen=True)
class _Checked:
    """Compares one file with what was written."""

    root: Path

    def __call__(self, file: Written) -> Fault | None:
        path = self.root / file.name
        try:
            status = path.stat()
            if file.sum is None:
                return None
            if status.st_size != file.size:
                return Fault(file.name, f"is {status.st_size} bytes long, not {file.size}")
            if sum_of(path) != file.sum:
                return Fault(file.name, "has changed: its bytes are not those that were written")
        except FileNotFoundError:
            return Fault(file.name, "is missing")
        except OSError as error:
            return Fault(file.name, f"cannot be read: {error.strerror}")
        return None


def _read_back(found: Verification, root: Path, run: Any) -> None:
    """Read every label as whoever trains on it will, and look at its ids."""
    try:
        dataset = open_dataset(root, found.format)
        refs = dataset.refs()
        for fault in run(_Read(dataset), refs):
            found.read += 1
            found.faults += [fault] if fault else []
    except SegfmtError as error:
        found.warnings.append(f"labels were not read back: {error}")
        return
    if found.read != found.samples:
        problem = f"{found.samples} samples were written, {found.read} are read back"
        found.faults.append(Fault(".", problem))


class _Read:
    """Reads one sample back; says what is wrong with it."""

    def __init__(self, dataset: Dataset) -> None:
        self._reader = dataset.reader
        self._ids = np.array([info.id for info in dataset.classes])

    def __call__(self, ref: Any) -> Fault | None:
        name = readable(f"{ref.split}/{ref.key}")
        try:
            strange = self._strange(self._reader.load(ref))
        except (FormatError, OSError) as error:
            return Fault(name, f"cannot be read back: {error}")
        if len(strange):
            return Fault(name, f"has the id {strange[0]}, which is no class of the dataset")
        return None

    def _strange(self, sample: Sample) -> Any:
        label = sample.label
        if isinstance(label, Mask):
            used = np.flatnonzero(np.bincount(label.ids.reshape(-1)))
        else:
            used = np.unique(label.class_ids)
        return np.setdiff1d(used, self._ids)
