"""Which image belongs to which label, and which split and key a file's place gives it."""

from __future__ import annotations

import operator
import os
import re
from pathlib import Path, PurePosixPath, PureWindowsPath

from segfmt.files import nfc
from segfmt.pathindex import PathIndex

SPLITS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
# Folders that say what kind of file is in them: they tell an image's path from its label's and
# nothing else. `TS_`, `VL_` and the like are how AIHub names its archives: training or validation,
# source or label.
_KINDS = frozenset(
    {"data", "image", "images", "img", "imgs", "jpegimages", "원천데이터", "원시데이터", "원천"}
    | {"label", "labels", "json", "annotation", "annotations", "라벨링데이터", "라벨데이터", "라벨"}
)
Place = tuple[str | None, tuple[str, ...]]
_NUMBER = re.compile(r"^[\d.\-_ ]+(?=\D)")
_KIND_PREFIX = re.compile(r"^(?:\[(?:원천|원시|라벨|라벨링)\]|(?P<split>[TV])[SL](?=[\d_]|$)_?)")
_PREFIX_SPLITS = {"T": "train", "V": "val"}


def place_of(relative: Path) -> tuple[str | None, str]:
    """Return the split that a path names, or None, and the key of its sample.

    The key is the path without the split and without folders that only say what kind of file they
    hold.

    >>> place_of(Path("Training/02.라벨링데이터/TL_scene_1/x.json"))
    ('train', 'scene_1/x')
    >>> place_of(Path("VL_scene_1/x.json"))
    ('val', 'scene_1/x')
    """
    return _named(_place(relative.parent), relative)


def _named(place: Place, path: Path) -> tuple[str | None, str]:
    split, folders = place
    return split, "/".join((*folders, nfc(path.stem)))


def _place(folder: Path) -> Place:
    split: str | None = None
    of_archive: str | None = None  # what all archives in one folder have instead
    kept = []
    for raw in folder.parts:
        part = nfc(raw)
        bare = _NUMBER.sub("", part).casefold()
        if split is None and bare in SPLITS:
            split = SPLITS[bare]
        elif bare not in _KINDS:
            if (prefix := _KIND_PREFIX.match(part)) and prefix["split"]:
                of_archive = of_archive or _PREFIX_SPLITS[prefix["split"]]
            rest = _KIND_PREFIX.sub("", part)
            if rest:
                kept.append(rest)
    return split or of_archive, tuple(kept)


class ImageIndex:
    """The images of a dataset by stem, compared in NFC."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._by_stem = PathIndex(root)
        self._more: dict[str, list[Path]] = {}  # of stems that several have: few do
        self._places: dict[str, Place] = {}

    def __bool__(self) -> bool:
        return len(self._by_stem) > 0

    def add(self, path: Path) -> None:
        """Take in an image."""
        stem = nfc(path.stem)
        if stem in self._by_stem:
            self._more.setdefault(stem, []).append(path)
        else:
            self._by_stem.add(stem, path)

    def near(self, label: Path, stem: str) -> Path | None:
        """Return the image of that stem in the place that answers to the label's.

        That is the one in the same split and under the same folders. If none is, the one image in a
        place that does not contradict: a split or folders that only one of the two names. None
        where that leaves none, or several.
        """
        images = self._of(stem)
        if not images:
            return None
        place = self._place(label)
        places = [self._place(image) for image in images]
        for fits in (operator.eq, _compatible):
            found = [
                image for image, other in zip(images, places, strict=True) if fits(place, other)
            ]
            if found:
                return found[0] if len(found) == 1 else None
        return None

    def place_of(self, label: Path) -> tuple[str | None, str]:
        """Return `place_of` a label, or any other file below the root."""
        return _named(self._place(label), label)

    def named(self, label: Path, name: str, folder: str) -> Path | None:
        """Return the image of that file name, the one below `folder` if there are several.

        Both come out of a label file. They are only ever compared with what was found below the
        root, so nothing outside it can be named.
        """
        windows = PureWindowsPath(name)
        image = self.near(label, windows.stem)
        if image is not None or not name:
            return image
        tail = PurePosixPath(nfc(PureWindowsPath(folder).as_posix()), nfc(windows.name)).parts
        same = [image for image in self._of(windows.stem) if _parts(image)[-len(tail) :] == tail]
        return same[0] if len(same) == 1 else None

    def _place(self, path: Path) -> Place:
        # Folders are few, and to work one out costs as much as all else that listing does.
        folder = os.path.dirname(path)  # noqa: PTH120 - a tenth of the cost of `parent`
        if folder not in self._places:
            self._places[folder] = _place(path.parent.relative_to(self._root))
        return self._places[folder]

    def _of(self, stem: str) -> list[Path]:
        stem = nfc(stem)
        first = self._by_stem.get(stem)
        return [] if first is None else [first, *self._more.get(stem, ())]


def _compatible(one: Place, other: Place) -> bool:
    """Whether neither place names a split or a folder that the other contradicts."""
    if None not in (one[0], other[0]) and one[0] != other[0]:
        return False
    return set(one[1]) <= set(other[1]) or set(one[1]) >= set(other[1])


def _parts(path: Path) -> tuple[str, ...]:
    return tuple(nfc(part) for part in path.parts)
