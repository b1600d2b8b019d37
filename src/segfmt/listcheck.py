"""What the list of samples shows, and no sample alone: images left over, names that collide."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from segfmt.diagnosis import file_name, paths_in
from segfmt.files import walk
from segfmt.findings import Finding
from segfmt.imagefile import IMAGE_SUFFIXES

if TYPE_CHECKING:
    import numpy.typing as npt

    from segfmt.listing import Listing
    from segfmt.model import SampleRef


class ListCheck:
    """Remembers of each sample's files and name 8 bytes each."""

    def __init__(self) -> None:
        self._used = array("Q")
        self._names = array("Q")
        self._splits = array("i")
        self._split_numbers: dict[str, int] = {}
        # Where images of samples lie, and of what type: masks may be in the same folders.
        self._kinds: set[tuple[Path, str]] = set()

    def saw(self, ref: SampleRef) -> None:
        """Take in the next sample of the list."""
        self._names.append(_number(_name(ref)))
        self._splits.append(self._split_numbers.setdefault(ref.split, len(self._split_numbers)))
        if ref.image is not None:
            self._kinds.add((ref.image.parent, ref.image.suffix.lower()))
        for path in paths_in((ref.image, ref.source)):
            self._used.append(_number(str(path)))

    @property
    def splits(self) -> npt.NDArray[np.int32]:
        """A number for the split of each sample, in the order of the list."""
        return np.array(self._splits, np.int32)

    def images_without_label(self, root: Path) -> Iterator[Finding]:
        """Yield the images among those of samples that no sample has."""
        used = _sorted(self._used)
        for path in walk(root, follow_links=True):
            suffix = path.suffix.lower()
            if suffix not in IMAGE_SUFFIXES or (path.parent, suffix) not in self._kinds:
                continue
            number = np.uint64(_number(str(path)))
            place = int(np.searchsorted(used, number))
            if place == len(used) or used[place] != number:
                yield Finding("SF101", "belongs to no sample", file=file_name(path, root))

    def names_in_other_case(self, jobs: Listing) -> Iterator[tuple[int, Finding]]:
        """Yield samples whose name differs from another's in case only, with their places."""
        numbers = np.array(self._names, np.uint64)
        order = np.argsort(numbers, kind="stable")
        again = order[1:][numbers[order[1:]] == numbers[order[:-1]]]
        if not len(again):
            return
        wanted, seen = set(numbers[again].tolist()), dict[int, str]()
        for place, job in enumerate(jobs):
            number = int(numbers[place])
            if number not in wanted:
                continue
            name = f"{job.split}/{job.ref.key}"
            if number in seen:
                problem = f"differs from {seen[number]} in case only: Windows and macOS keep one"
                yield place, Finding("SF506", problem, job.split, job.ref.key)
            seen.setdefault(number, name)


def doubles(jobs: Listing, root: Path) -> Iterable[Finding]:
    """Yield the samples that have the split and key of another, and so are left out."""
    for job, first in jobs.doubles:
        problem = f"has the split and key of {file_name(first, root)}, which is the one that counts"
        file = file_name(job.ref.source, root)
        yield Finding("SF112", problem, job.split, job.ref.key, file)


def _name(ref: SampleRef) -> str:
    return f"{ref.split}/{ref.key}".casefold()


def _number(text: str) -> int:
    data = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(data, digest_size=8).digest())


def _sorted(numbers: array[int]) -> npt.NDArray[np.uint64]:
    found = np.array(numbers, np.uint64)
    found.sort()
    return found
