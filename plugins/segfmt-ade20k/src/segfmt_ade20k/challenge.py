"""The scene parsing challenge: `ADEChallengeData2016/{images,annotations}/{training,validation}`.

Masks are of mode L: 1 to 150 are the classes, 0 is `other objects`, which the devkit leaves out of
the evaluation and loaders out of training: they subtract 1 and ignore what has become -1 or 255. So
0 is ignore here, and there is no background.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import segfmt
from segfmt_ade20k.classes import ADE20K, OTHER

BASE = "ADEChallengeData2016"
IMAGES, MASKS = "images", "annotations"
FOLDERS = {"train": "training", "val": "validation", "test": "testing"}
SPLITS = {folder: split for split, folder in FOLDERS.items()}


@dataclass(frozen=True)
class Ade20kReader:
    """Reads the masks of all splits; images without one, as those of a test set, are left out."""

    root: Path
    follow_links: Annotated[bool, "follow links that lead out of the dataset"] = False

    @property
    def classes(self) -> segfmt.ClassTable:
        """The 150 of the challenge, and ignore."""
        return ADE20K

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is to be said of the dataset as a whole."""
        images, masks = self._files()
        left = images.keys() - masks.keys()
        if not left:
            return ()
        return (f"images without a mask are left out: {len(left)}, such as {min(left)}",)

    def scan(self) -> Iterator[segfmt.SampleRef]:
        """List the masks, each with its image."""
        images, masks = self._files()
        for name, path in masks.items():
            folder, slash, key = name.partition("/")
            if not slash:
                folder, key = FOLDERS["train"], name
            yield segfmt.SampleRef(key, SPLITS.get(folder, folder), images.get(name), path)

    def load(self, ref: segfmt.SampleRef) -> segfmt.Sample:
        """Read one mask."""
        return segfmt.mask_sample(ref, ref.source, segfmt.Mask(segfmt.read_mask(ref.source)))

    def _files(self) -> tuple[dict[str, Path], dict[str, Path]]:
        """Return images and masks by their paths below their folders, without suffix, in NFC."""
        base = base_of(self.root)
        found: dict[str, dict[str, Path]] = {IMAGES: {}, MASKS: {}}
        for path in segfmt.walk(base, follow_links=self.follow_links):
            place = segfmt.nfc(path.relative_to(base).with_suffix("").as_posix())
            kind, _, name = place.partition("/")
            if kind == IMAGES or (kind == MASKS and path.suffix.lower() == ".png"):
                found[kind].setdefault(name, path)
        return found[IMAGES], found[MASKS]


@dataclass(frozen=True)
class Ade20kWriter:
    """Writes masks of the 150 classes, 0 for everything else."""

    root: Path
    classes: segfmt.ClassTable
    images: Annotated[
        segfmt.Placement, "how images get there; PNG images are re-encoded as JPEG"
    ] = "copy"
    accepts: segfmt.Accepts = field(default=segfmt.Accepts(mask=True), init=False)
    warnings: tuple[str, ...] = field(default=(), init=False)

    def __post_init__(self) -> None:
        if self.classes.background:
            remark = f'"{self.classes.background.name}" becomes "{OTHER}", which loaders ignore'
            object.__setattr__(self, "warnings", (remark,))
        object.__setattr__(self, "classes", ADE20K)

    def write(self, sample: segfmt.Sample) -> segfmt.Entry:
        """Write `annotations/<split>/<key>.png`, and the image to `images/<split>/<key>.jpg`."""
        assert isinstance(sample.label, segfmt.Mask)  # noqa: S101 - what `accepts` says
        ref = sample.ref
        place = f"{FOLDERS.get(ref.split, ref.split)}/{ref.key}"
        files = [f"{BASE}/{MASKS}/{place}.png"]
        notes: tuple[segfmt.Note, ...] = ()
        if ref.image is not None and self.images != "none":
            files.append(f"{BASE}/{IMAGES}/{place}.jpg")
            notes = segfmt.place_image(ref.image, self.root / files[1], self.images)
        segfmt.write_mask(self.root / files[0], sample.label.ids)
        return segfmt.Entry(ref.split, ref.key, tuple(files), notes)

    def finish(self, entries: Iterable[segfmt.Entry]) -> None:
        """Write nothing more: splits are folders, and the classes are known."""


def base_of(root: Path) -> Path:
    """Return the folder of the dataset: `root`, or the one in it that the archive unpacks to."""
    return root / BASE if (root / BASE).is_dir() else root


def detect(root: Path) -> str | None:
    """Tell it by the folders of a split."""
    base = base_of(root)
    for folder in SPLITS:
        if (base / IMAGES / folder).is_dir() and (base / MASKS / folder).is_dir():
            return f"there are {IMAGES}/{folder} and {MASKS}/{folder}"
    return None
