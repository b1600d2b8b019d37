"""Images that are the same, or nearly: found among a million in some 50 bytes each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

import numpy as np

from segfmt.findings import Finding, Group
from segfmt.imagehash import BITS, THUMBNAIL

if TYPE_CHECKING:
    import numpy.typing as npt

    from segfmt.imagehash import Look
    from segfmt.worker import Job

GROUPS = 1000  # that are kept by name


class Images:
    """How the images of `count` samples look, by the sample's place in the list.

    Thumbnails, of which there would be too many, are in a file of the system's.
    """

    def __init__(self, count: int) -> None:
        self._digests = np.zeros(count, np.uint64)
        self._hashes = np.zeros(count, np.uint64)
        self._there = np.zeros(count, np.bool_)
        self._file = TemporaryFile(prefix="segfmt-")  # noqa: SIM115 - `close` does
        self._file.truncate(max(count, 1) * THUMBNAIL**2)
        shape = (max(count, 1), THUMBNAIL**2)
        self._thumbnails = np.asarray(np.memmap(self._file, np.uint8, "r+", shape=shape))

    def __len__(self) -> int:
        return int(self._there.sum())

    def add(self, place: int, look: Look) -> None:
        """Take in how the image of a sample looks."""
        self._digests[place], self._hashes[place] = look.digest, look.hash
        self._thumbnails[place] = look.thumbnail
        self._there[place] = True

    def grouped(self, most: int, splits: npt.NDArray[np.int32]) -> Groups:
        """Return which images are nearly the same: hashes differ in up to `most` bits, no more.

        `splits` are numbers that tell the samples' splits apart.
        """
        from segfmt.kernels.near import group_near

        images = np.flatnonzero(self._there)
        same = np.arange(len(self._there), dtype=np.int32)
        if len(images):
            order = images[np.argsort(self._digests[images], kind="stable")]
            begins = np.diff(self._digests[order], prepend=~self._digests[order[0]]) != 0
            # The first of each run of equal files is the first of them in the list.
            same[order] = order[begins][np.cumsum(begins) - 1]
        firsts, partners = same.copy(), np.where(splits == splits[same], -1, same)
        parts = np.array(list(_parts(most + 1)), np.uint64)
        thumbnails = self._thumbnails
        group_near(self._hashes, thumbnails, splits, images, parts, most, firsts, partners)
        return Groups(same, firsts, partners)

    def close(self) -> None:
        """Let go of what is on disk."""
        del self._thumbnails
        self._file.close()


def _parts(count: int) -> Iterator[np.uint64]:
    """Yield masks of the bits of a hash's parts, as equal in size as can be."""
    bounds = [BITS * part // count for part in range(count + 1)]
    for start, stop in pairwise(bounds):
        yield np.uint64((1 << stop) - (1 << start))


@dataclass(frozen=True, slots=True)
class Groups:
    """Images that are the same or nearly: int32 arrays by the sample's place in the list.

    Attributes
    ----------
    same
        The first sample whose image is the same file; the sample itself where there is no other.
    firsts
        The sample to keep whose image is nearly the same; itself if it is to be kept.
    partners
        A sample before whose image is nearly the same and of another split, -1 if there is none.
    """

    same: npt.NDArray[np.int32]
    firsts: npt.NDArray[np.int32]
    partners: npt.NDArray[np.int32]

    def __len__(self) -> int:
        """Return how many images could go."""
        return int((self.firsts != np.arange(len(self.firsts))).sum())

    def is_first(self, place: int) -> bool:
        """Whether the sample is to be kept."""
        return int(self.firsts[place]) == place

    def findings(self, jobs: Iterable[Job]) -> Iterator[tuple[int, Finding]]:
        """Yield what there is more than once, with its place; `jobs` are all samples in order."""
        own = np.arange(len(self.firsts))
        named = np.zeros(len(own), np.bool_)
        for before in (self.same, self.firsts, self.partners):
            named[before[(before != own) & (before >= 0)]] = True
        names: dict[int, str] = {}
        for place, job in enumerate(jobs):
            name = f"{job.split}/{job.ref.key}"
            if named[place]:
                names[place] = name
            if (same := int(self.same[place])) != place:
                yield place, _finding("SF601", job, f"is the same file as {names[same]}")
            elif (first := int(self.firsts[place])) != place:
                yield place, _finding("SF602", job, f"is nearly the same as {names[first]}")
            if (partner := int(self.partners[place])) >= 0:
                yield place, _finding("SF603", job, f"is nearly the same as {names[partner]}")

    def largest(self, jobs: Iterable[Job]) -> tuple[Group, ...]:
        """Return the largest groups, largest first."""
        counts = np.bincount(self.firsts, minlength=len(self.firsts))
        wanted = sorted(np.flatnonzero(counts > 1).tolist(), key=lambda place: -int(counts[place]))
        splits = {place: Counter[str]() for place in wanted[:GROUPS]}
        ends: dict[int, tuple[str, str]] = {}
        for place, job in enumerate(jobs):
            first = int(self.firsts[place])
            if first in splits:
                name = f"{job.split}/{job.ref.key}"
                splits[first][job.split] += 1
                ends[first] = (ends.get(first, (name,))[0], name)
        return tuple(
            Group(*ends[first], count.total(), dict(sorted(count.items())))
            for first, count in splits.items()
        )


def _finding(code: str, job: Job, problem: str) -> Finding:
    return Finding(code, problem, job.split, job.ref.key)
