"""Samples that list files name: what readers of masks and lists have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from segfmt.errors import FormatError
from segfmt.files import nfc
from segfmt.imagefile import image_size
from segfmt.lists import read_list
from segfmt.model import Mask, Note, Sample, SampleRef

Lists = Mapping[Path, Mapping[int, str]]  # of each list file, the key on each line


@dataclass(frozen=True, slots=True)
class BadLine:
    """The source of a sample that a list names and that cannot be read: where, and why."""

    list: Path
    line: int
    problem: str

    def error(self) -> FormatError:
        """Return what loading the sample is to raise."""
        return FormatError(self.problem, path=self.list, where=f"line {self.line}")


def read_lists(paths: Iterable[Path]) -> Lists:
    """Read lists of one key a line; keys are in NFC, backslashes become slashes."""
    return {
        path: {line: nfc(text.replace("\\", "/")) for line, text in read_list(path)}
        for path in paths
    }


def listed_samples(
    lists: Lists, masks: Mapping[str, Path], images: Mapping[str, Path]
) -> Iterator[SampleRef]:
    """Yield the samples that the lists name, a list's name being their split.

    A list none of whose keys has a mask, as that of a test set without labels, is left out. In
    another one a key without a mask is a sample of a `BadLine`.
    """
    for path, keys in lists.items():
        if any(key in masks for key in keys.values()):
            for line, key in keys.items():
                source = masks.get(key) or BadLine(path, line, f'names "{key}", which has no mask')
                yield SampleRef(key, nfc(path.stem), images.get(key), source)


def list_remarks(lists: Lists, masks: Mapping[str, Path]) -> list[str]:
    """Return what `listed_samples` leaves out: lists without masks, masks without a list."""
    remarks = [
        f"{path.name} is left out: none of its {len(keys)} samples has a mask"
        for path, keys in lists.items()
        if not any(key in masks for key in keys.values())
    ]
    named = {key for keys in lists.values() for key in keys.values()}
    if lists and (unnamed := [key for key in masks if key not in named]):
        remarks.append(f"masks in no list are left out: {len(unnamed)}, such as {unnamed[0]}")
    return remarks


def mask_sample(ref: SampleRef, path: Path, mask: Mask, notes: tuple[Note, ...] = ()) -> Sample:
    """Return the sample of a mask from `path`; `FormatError` unless it is as large as its image."""
    height, width = mask.ids.shape
    size = image_size(ref.image) if ref.image else (height, width)
    if sorted(size) != sorted((height, width)):  # an image may be turned by its EXIF
        problem = f"is {width} x {height}, but its image {size[1]} x {size[0]}"
        raise FormatError(problem, path=path)
    return Sample(ref, (height, width), mask, notes)


def check_apart(lists: Mapping[str, Iterable[str]], option: str) -> None:
    """Raise `FormatError` if a name stands in several splits' lists, as both would have one file.

    `option` is what keeps splits apart.
    """
    owner: dict[str, str] = {}
    for split, names in lists.items():
        for name in names:
            other = owner.setdefault(name, split)
            if other != split:
                raise FormatError(
                    f'"{name}" is in the splits {other} and {split}, and was written to one file',
                    mend=f"Give {option}.",
                )
