"""Readers and writers with one fault each, for the conformance kit to find."""

import itertools
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated
from unicodedata import normalize

import numpy as np

from segfmt import (
    ClassInfo,
    ClassTable,
    Entry,
    FormatError,
    Mask,
    Sample,
    SampleRef,
    atomic_write,
    image_size,
    place_image,
    write_mask,
)
from segfmt.formats.folder import FolderReader, FolderWriter

calls = itertools.count()


class Reordering(FolderReader):
    def scan(self) -> Iterator[SampleRef]:
        refs = list(super().scan())
        yield from refs[:: 1 if next(calls) % 2 else -1]


class DiskOrdered(FolderReader):
    def scan(self) -> Iterator[SampleRef]:
        by_name = {ref.source.name: ref for ref in super().scan()}
        for folder, _, names in os.walk(self.root):
            yield from (by_name[name] for name in names if "masks" in folder and name in by_name)


class Peeking(FolderReader):
    def scan(self) -> Iterator[SampleRef]:
        for ref in super().scan():
            image_size(ref.source)
            yield ref


class Heavy(FolderReader):
    def scan(self) -> Iterator[SampleRef]:
        for ref in super().scan():
            yield replace(ref, source=[0] * 5000)


class Climbing(FolderReader):
    def scan(self) -> Iterator[SampleRef]:
        for ref in super().scan():
            yield replace(ref, key=f"../{ref.key}")


class Repeating(FolderReader):
    def scan(self) -> Iterator[SampleRef]:
        for ref in super().scan():
            yield replace(ref, key="same")


class Phantom(FolderReader):
    def scan(self) -> Iterator[SampleRef]:
        yield SampleRef("phantom", source=self.root)


class Decomposing(FolderReader):
    def scan(self) -> Iterator[SampleRef]:
        for ref in super().scan():
            yield replace(ref, key=normalize("NFD", ref.key))


class Literal(FolderReader):
    """Looks for the image under the very name of the mask."""

    def scan(self) -> Iterator[SampleRef]:
        for ref in super().scan():
            name = ref.source.relative_to(self.root / "masks").with_suffix(".jpg")
            image = self.root / "images" / name
            yield replace(ref, image=image if image.exists() else None)


class WrongIds(FolderReader):
    classes = ClassTable([ClassInfo(0, "background", role="background")])


class Transposing(FolderReader):
    def load(self, ref: SampleRef) -> Sample:
        sample = super().load(ref)
        return replace(sample, label=Mask(sample.label.ids.T))


class Mute(FolderReader):
    def load(self, ref: SampleRef) -> Sample:
        try:
            return super().load(ref)
        except FormatError:
            return Sample(ref, (1, 1), Mask(np.zeros((1, 1), np.uint8)))


class Nameless(FolderReader):
    def load(self, ref: SampleRef) -> Sample:
        try:
            return super().load(ref)
        except FormatError as error:
            raise FormatError("is broken") from error


class Littering(FolderReader):
    def load(self, ref: SampleRef) -> Sample:
        (self.root / "cache").touch()
        return super().load(ref)


class OfThisDisk(FolderReader):
    def load(self, ref: SampleRef) -> Sample:
        with open(ref.source, "rb"):  # noqa: PTH123 - which takes it for a path of this machine
            return super().load(ref)


def helpless(root: Path, depth: int = 1) -> FolderReader:
    return FolderReader(root)


def demanding(root: Path, depth: Annotated[int, "how deep to look"]) -> FolderReader:
    return FolderReader(root)


class Straying(FolderWriter):
    def write(self, sample: Sample) -> Entry:
        atomic_write(self.root.parent / "log.txt", b"")
        return super().write(sample)


class Local(FolderWriter):
    def write(self, sample: Sample) -> Entry:
        (self.root / "masks").mkdir(parents=True, exist_ok=True)
        return super().write(sample)


class Untidy(FolderWriter):
    def write(self, sample: Sample) -> Entry:
        entry = super().write(sample)
        (self.root / ".half.part").touch()
        return entry


class Appending(FolderWriter):
    def write(self, sample: Sample) -> Entry:
        entry = super().write(sample)
        with (self.root / "list.txt").open("a") as file:
            file.write(f"{sample.ref.key}\n")
        return entry


class ByThread(FolderWriter):
    def write(self, sample: Sample) -> Entry:
        entry = super().write(sample)
        main = threading.current_thread() is threading.main_thread()
        atomic_write(self.root / "thread.txt", str(main).encode())
        return entry


class MaskFirst(FolderWriter):
    def write(self, sample: Sample) -> Entry:
        mask = f"masks/{sample.ref.split}/{sample.ref.key}.png"
        write_mask(self.root / mask, sample.label.ids)
        return super().write(sample)


class Unlisted(FolderWriter):
    def write(self, sample: Sample) -> Entry:
        return replace(super().write(sample), files=())


class OnePlace(FolderWriter):
    def write(self, sample: Sample) -> Entry:
        ref = sample.ref
        image = f"images/{ref.key}{ref.image.suffix}"
        place_image(ref.image, self.root / image)
        write_mask(self.root / f"masks/{ref.key}.png", sample.label.ids)
        return Entry(ref.split, ref.key, (image, f"masks/{ref.key}.png"))


@dataclass(frozen=True)
class AnyId(FolderWriter):
    def __post_init__(self) -> None: ...


class Merging(FolderWriter):
    def write(self, sample: Sample) -> Entry:
        ids = np.where(sample.label.ids == 255, 0, sample.label.ids).astype(np.uint8)
        return super().write(replace(sample, label=Mask(ids)))


class Lossy(FolderWriter):
    def write(self, sample: Sample) -> Entry:
        ids = sample.label.ids.copy()
        ids[-1, -1] ^= 1
        return super().write(replace(sample, label=Mask(ids)))


class Renaming(FolderWriter):
    def write(self, sample: Sample) -> Entry:
        flat = replace(sample.ref, key=sample.ref.key.replace("/", "_"))
        return super().write(replace(sample, ref=flat))


class Forgetful(FolderWriter):
    def finish(self, entries: object) -> None:
        names = ClassTable(replace(info, name=f"c{info.id}") for info in self.classes)
        atomic_write(self.root / "classes.json", names.to_json())


def eager(root: Path) -> str | None:
    return "a folder"


def blind(root: Path) -> str | None:
    return None


class Transcoding(FolderWriter):
    def write(self, sample: Sample) -> Entry:
        entry = super().write(replace(sample, ref=replace(sample.ref, image=None)))
        if sample.ref.image is None:
            return entry
        name = f"images/{sample.ref.split}/{sample.ref.key}.png"
        place_image(sample.ref.image, self.root / name, "copy")
        return replace(entry, files=(*entry.files, name))
