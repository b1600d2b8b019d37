"""pairs: `<split>/<key>.png` beside `<split>/<key>.mask.png`; line n of `names.txt` is class n."""

# ruff: noqa: ARG002, D101, D102, D103, S101 - docs/writing-a-format.md explains each part

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated

import segfmt

NAMES, MASK = "names.txt", ".mask.png"
BACKGROUND = segfmt.ClassInfo(0, "background", role="background")
IGNORE = segfmt.ClassInfo(255, "ignore", role="ignore")


def numbered(classes: Iterable[segfmt.ClassInfo]) -> segfmt.ClassTable:
    kept = [replace(info, id=id) for id, info in enumerate(classes, start=1)]
    if len(kept) > 254:
        raise segfmt.UsageError(f"{len(kept)} classes do not fit between background and ignore")
    return segfmt.ClassTable([BACKGROUND, *kept, IGNORE])


@dataclass(frozen=True)
class PairsReader:
    root: Path

    @cached_property
    def classes(self) -> segfmt.ClassTable:
        path = self.root / NAMES
        try:
            return numbered(segfmt.ClassInfo(0, name) for _, name in segfmt.read_list(path))
        except ValueError as error:  # two classes of one name
            raise segfmt.FormatError(f"names no classes: {error}", path=path) from error

    def scan(self) -> Iterator[segfmt.SampleRef]:
        paths = segfmt.walk(self.root)
        files = {segfmt.nfc(path.relative_to(self.root).as_posix()): path for path in paths}
        for name, path in files.items():
            if name.endswith(MASK):
                stem = name.removesuffix(MASK)
                split, _, key = stem.partition("/")
                yield segfmt.SampleRef(key, split, files.get(f"{stem}.png"), path)

    def load(self, ref: segfmt.SampleRef) -> segfmt.Sample:
        ids = segfmt.read_mask(ref.source)
        return segfmt.Sample(ref, ids.shape, segfmt.Mask(ids))


@dataclass(frozen=True)
class PairsWriter:
    root: Path
    classes: segfmt.ClassTable
    images: Annotated[segfmt.Placement, "how images get there"] = "copy"
    accepts: segfmt.Accepts = field(default=segfmt.Accepts(mask=True), init=False)

    def __post_init__(self) -> None:
        own = numbered(info for info in self.classes if info.role == "class")
        object.__setattr__(self, "classes", own)

    def write(self, sample: segfmt.Sample) -> segfmt.Entry:
        assert isinstance(sample.label, segfmt.Mask)
        ref = sample.ref
        notes: tuple[segfmt.Note, ...] = ()
        files = [f"{ref.split}/{ref.key}{MASK}"]
        if ref.image and self.images != "none":
            files.append(f"{ref.split}/{ref.key}.png")
            notes = segfmt.place_image(ref.image, self.root / files[1], self.images)
        segfmt.write_mask(self.root / files[0], sample.label.ids)
        return segfmt.Entry(ref.split, ref.key, tuple(files), notes)

    def finish(self, entries: Iterable[segfmt.Entry]) -> None:
        names = [info.name for info in self.classes if info.role == "class"]
        segfmt.atomic_write(self.root / NAMES, "".join(f"{name}\n" for name in names).encode())


def detect(root: Path) -> str | None:
    return f"there is a {NAMES}" if (root / NAMES).is_file() else None


HOLDS = segfmt.Holds(holes=True, ignore=True, splits=True, image_types=(".png",))


@segfmt.hookimpl
def segfmt_formats() -> list[segfmt.Format]:
    return [
        segfmt.Format(
            "pairs",
            "x.png beside x.mask.png",
            reader=PairsReader,
            writer=PairsWriter,
            detect=detect,
            holds=HOLDS,
        )
    ]
