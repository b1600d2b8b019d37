"""Keep-lists: which samples of a dataset to convert, one `split/key` a line."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from segfmt.errors import UsageError
from segfmt.files import nfc, readable, replacing
from segfmt.jsonfile import decode_text
from segfmt.limits import LINES, read_whole

if TYPE_CHECKING:
    import numpy.typing as npt

    from segfmt.model import SampleRef

SHOWN = 3  # unknown lines that a message names


class KeepList:
    """The samples that a keep-list names, in 9 bytes each."""

    def __init__(self, path: Path, names: Iterable[str]) -> None:
        self._path = path
        numbers = np.fromiter((_number(name) for name in names), np.uint64)
        self._numbers: npt.NDArray[np.uint64] = np.unique(numbers)
        self._seen = np.zeros(len(self._numbers), np.bool_)

    def __len__(self) -> int:
        return len(self._numbers)

    def __contains__(self, ref: SampleRef) -> bool:
        number = np.uint64(_number(_name(ref)))
        place = int(np.searchsorted(self._numbers, number))
        if place == len(self._numbers) or self._numbers[place] != number:
            return False
        self._seen[place] = True
        return True

    def kept(self, refs: Iterable[SampleRef]) -> Iterator[SampleRef]:
        """Yield the samples that are on the list.

        When they are through, `UsageError` for a list that names others besides: it is another
        dataset's, or was made under other options.
        """
        for ref in refs:
            if ref in self:
                yield ref
        missing = int((~self._seen).sum())
        if missing:
            unknown = set(self._numbers[~self._seen].tolist())
            names = (name for name in _lines(self._path) if _number(name) in unknown)
            shown = ", ".join(name for name, _ in zip(names, range(SHOWN), strict=False))
            more = ", ..." if missing > SHOWN else ""
            raise UsageError(
                f"--keep-list {self._path} names {missing:,} samples that the source has not: "
                f"{shown}{more}. Was it made of this dataset?"
            )


def read_keep_list(path: Path) -> KeepList:
    """Read a keep-list; `UsageError` if it is not there or names nothing."""
    if not path.is_file():
        raise UsageError(f"--keep-list {path} is not there: segfmt check --keep-list writes one")
    keep = KeepList(path, _lines(path))
    if not len(keep):
        raise UsageError(f"--keep-list {path} names no sample")
    return keep


def write_keep_list(path: Path, refs: Iterable[SampleRef]) -> int:
    """Write the names of samples, one a line; return how many."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with replacing(path) as part, part.open("w", encoding="utf-8", newline="\n") as file:
        for ref in refs:
            file.write(f"{_name(ref)}\n")
            count += 1
    return count


def _name(ref: SampleRef) -> str:
    """Return a sample's line; a name with a line's end in it, which none converts, as one."""
    return "\\n".join(readable(f"{ref.split}/{ref.key}").splitlines())


def _lines(path: Path) -> Iterator[str]:
    text = decode_text(read_whole(path), path).removeprefix("\ufeff")
    for number, line in enumerate(io.StringIO(text), 1):
        LINES.check(number, path)
        if name := line.rstrip("\r\n"):
            yield name


def _number(name: str) -> int:
    return int.from_bytes(blake2b(nfc(name).encode(), digest_size=8).digest())
