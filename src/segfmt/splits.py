"""Dealing samples out to splits, the same on every machine and in every run."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from segfmt.errors import UsageError

GRID = 10_000


@dataclass(frozen=True, slots=True)
class Split:
    """What `--split` asks for: exactly one of the three.

    `last` samples by key, or `every` n-th one, become val and the rest train; or `shares` of the
    samples become what they name, by a hash of the key, so that adding samples moves no other.
    """

    last: int = 0
    every: int = 0
    shares: tuple[tuple[str, float], ...] = ()

    def deal(self, place: int, count: int, key: str) -> str:
        """Return the split of the sample of that key, at that place of so many by key."""
        if self.last:
            return "val" if place >= count - self.last else "train"
        if self.every:
            return "val" if place % self.every == self.every - 1 else "train"
        return self._share(key)

    def _share(self, key: str) -> str:
        digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        place = int.from_bytes(digest) % GRID
        for name, share in self.shares:
            place -= round(share * GRID)
            if place < 0:
                return name
        return "train"


def parse_split(text: str) -> Split:
    """Read `last=30`, `every=10`, or shares such as `val=0.1,test=0.1`, the rest being train.

    >>> parse_split("last=30")
    Split(last=30, every=0, shares=())
    """
    pairs = [part.partition("=")[::2] for part in text.split(",")]
    try:
        if len(pairs) == 1 and pairs[0][0] in ("last", "every"):
            count = int(pairs[0][1])
            if count < 1:
                raise ValueError
            return Split(last=count) if pairs[0][0] == "last" else Split(every=count)
        shares = tuple((name.strip(), float(share)) for name, share in pairs)
        if not all(name and 0 < share < 1 for name, share in shares):
            raise ValueError
        if sum(share for _, share in shares) > 1 or len(dict(shares)) < len(shares):
            raise ValueError
    except ValueError:
        raise UsageError(
            f"--split {text}: give last=30, every=10, or shares such as val=0.1,test=0.1"
        ) from None
    return Split(shares=shares)
