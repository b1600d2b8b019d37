"""Annotation files from what is written sample by sample, without holding them in memory.

`write` runs in any worker and cannot know what number its image gets, so it leaves a fragment below
`.segfmt/`: a line for the image and a line for each annotation, JSON objects whose opening bracket
and ids are left out. Fragments stay, so that a run can be gone on with; `finish` numbers and joins
them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import msgspec

import segfmt
from segfmt import Entry

FOLDER = ".segfmt/coco"
# What COCO says of a dataset: many tools fail where it is missing.
HEAD: Mapping[str, Any] = {"info": {"description": "", "version": "1.0"}, "licenses": []}


def fragment_name(split: str, key: str) -> str:
    """Return where the fragment of a sample is, below the target."""
    return f"{FOLDER}/{split}/{key}.json"


def write_fragment(path: Path, records: Sequence[Mapping[str, Any]]) -> None:
    """Write the image's record and those of its annotations."""
    # Less the bracket: the ids that come first are not known yet.
    segfmt.atomic_write(path, b"".join(msgspec.json.encode(one)[1:] + b"\n" for one in records))


def read_fragment(root: Path, entry: Entry) -> list[bytes]:
    """Return the lines of a sample's fragment."""
    return (root / fragment_name(entry.split, entry.key)).read_bytes().splitlines()


@contextmanager
def assembly(root: Path) -> Iterator[Assembly]:
    """Give an empty assembly, whose spools are gone in the end."""
    folder = None if segfmt.is_stored(root) else root / FOLDER
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    with TemporaryFile(dir=folder) as images, TemporaryFile(dir=folder) as annotations:
        yield Assembly(images, annotations)


class Assembly:
    """Images and annotations of one split after the other, spooled."""

    def __init__(self, images: IO[bytes], annotations: IO[bytes]) -> None:
        self._images, self._annotations = images, annotations
        self._counts: dict[str, list[int]] = {}
        self._image_id = self._annotation_id = 0

    def add(self, split: str, image: bytes, annotations: Sequence[bytes]) -> None:
        """Add an image and its annotations, lines of a fragment; splits come one by one."""
        self._image_id += 1
        self._images.write(b'{"id":%d,%b\n' % (self._image_id, image))
        for line in annotations:
            self._annotation_id += 1
            ids = (self._annotation_id, self._image_id)
            self._annotations.write(b'{"id":%d,"image_id":%d,%b\n' % (*ids, line))
        counts = self._counts.setdefault(split, [0, 0])
        counts[0] += 1
        counts[1] += len(annotations)

    def write(
        self,
        path_of: Callable[[str], Path],
        categories: Sequence[Mapping[str, Any]],
        edit: Callable[[bytes], bytes] = bytes,
    ) -> None:
        """Write the annotation file of each split; `edit` is called with each annotation."""
        self._images.seek(0)
        self._annotations.seek(0)
        head = msgspec.json.encode({**HEAD, "categories": categories})[:-1]
        for split, (of_images, of_annotations) in self._counts.items():
            with segfmt.replacing(path_of(split)) as temporary:
                temporary.parent.mkdir(parents=True, exist_ok=True)
                with temporary.open("wb") as file:
                    file.write(head + b',"images":[\n')
                    file.writelines(_joined(self._images, of_images))
                    file.write(b'],"annotations":[\n')
                    file.writelines(map(edit, _joined(self._annotations, of_annotations)))
                    file.write(b"]}\n")


def _joined(lines: IO[bytes], count: int) -> Iterator[bytes]:
    """Yield so many lines, with commas between them."""
    for number in range(1, count + 1):
        line = lines.readline()
        yield line if number == count else line[:-1] + b",\n"
