"""Which label, image and list files of a satellite set belong together, whatever its folders."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path, PureWindowsPath

from segfmt.files import nfc, walk
from segfmt.imagefile import IMAGE_SUFFIXES
from segfmt.lists import read_list
from segfmt.pairing import SPLITS, place_of

# A folder whose name is made of such words alone says what lies in it, and is no part of a key:
# `train_buildings_data`, `LV2_validation_set`, `TL_FGT_512`, `2.라벨링데이터`.
_LABEL_WORDS = frozenset(
    {"label", "labels", "labeling", "labelling", "라벨링데이터", "라벨", "tl", "vl"}
)
_OBJECT_WORDS = frozenset({"object", "objects"})
_SPLIT_WORDS = {**SPLITS, "validate": "val", "ts": "train", "tl": "train", "vs": "val", "vl": "val"}
_WORDS = (
    _LABEL_WORDS
    | _OBJECT_WORDS
    | _SPLIT_WORDS.keys()
    | {"building", "buildings", "road", "roads", "data", "dataset", "set", "image", "images", "img"}
    | {"asset", "assets", "png", "tif", "json", "ann", "annotation", "annotations"}
    | {"meta", "metadata", "fgt", "데이터", "원천데이터", "항공사진", "위성영상", "위성사진"}
)
_NUMBER = re.compile(r"[a-z]{0,3}\d+(?:픽셀)?")

Place = tuple[str | None, str]


def place(relative: Path) -> Place:
    """Return the split that a path names, or None, and the key of its sample.

    >>> place(Path("Training/train_roads_labeling/BLD00001_PS3_K3A_NIA0276.json"))
    ('train', 'BLD00001_PS3_K3A_NIA0276')
    """
    split: str | None = None
    kept = []
    for part in relative.parent.parts:
        words = _words(part)
        if not words & _WORDS or not all(_NUMBER.fullmatch(word) for word in words - _WORDS):
            kept.append(part)
        elif split is None:
            split = next((_SPLIT_WORDS[word] for word in words & _SPLIT_WORDS.keys()), None)
    named, key = place_of(Path(*kept, relative.name))
    return split or named, key


@lru_cache(maxsize=1024)  # the same few folders for every file
def _words(name: str) -> frozenset[str]:
    return frozenset(re.findall(r"[^\W_]+", nfc(name).casefold()))


def _is_in(relative: Path, words: frozenset[str]) -> bool:
    return any(_words(part) & words for part in relative.parent.parts)


@dataclass(frozen=True, slots=True)
class LabelFiles:
    """The label files of one image, as a sample's source."""

    paths: tuple[Path, ...]

    def __str__(self) -> str:
        return ", ".join(map(str, self.paths))


@dataclass
class Files:
    """The files of a dataset; `objects` counts the labels that are in a folder of objects."""

    root: Path
    labels: list[Path] = field(default_factory=list)
    images: dict[str, list[tuple[Place, Path]]] = field(default_factory=dict)
    lists: list[tuple[str, Path]] = field(default_factory=list)
    objects: int = 0

    @classmethod
    def below(cls, root: Path, follow_links: bool) -> Files:
        """Look through a folder. Images in a folder of labels are masks, and left out."""
        files = cls(root)
        for path in walk(root, follow_links=follow_links):
            suffix = path.suffix.lower()
            relative = path.relative_to(root)
            if suffix == ".json":
                if _is_in(relative, _OBJECT_WORDS):
                    files.objects += 1
                else:
                    files.labels.append(path)
            elif suffix in IMAGE_SUFFIXES and not _is_in(relative, _LABEL_WORDS):
                files.images.setdefault(nfc(path.stem), []).append((place(relative), path))
            elif suffix in (".csv", ".txt"):
                told = {SPLITS[word] for word in _words(path.stem) if word in SPLITS}
                if len(told) == 1:
                    files.lists.append((told.pop(), path))
        return files

    def place(self, label: Path) -> Place:
        """Return the split and key of a label file."""
        return place(label.relative_to(self.root))

    def image(self, split: str | None, key: str) -> Path | None:
        """Return the image of that key in that split, or what comes nearest without contradiction.

        Sets that keep buildings and roads apart have an image of both twice: the first is taken.
        """
        known = [
            (other, path)
            for other, path in self.images.get(key.rpartition("/")[2], [])
            if other[0] == split or None in (other[0], split)
        ]
        for exact in ((split, key), (None, key)):
            if same := [path for other, path in known if other == exact]:
                return same[0]
        alike = [path for other, path in known if other[1] == key] or [path for _, path in known]
        return alike[0] if len(alike) == 1 else None

    def listed(self) -> dict[str, list[str]]:
        """Return the splits of each name in the lists: one a line, with or without extension."""
        splits: dict[str, list[str]] = {}
        for split, path in self.lists:
            for _, line in read_list(path):
                name = PureWindowsPath(line.split(",")[0].strip(' "'))
                if name.suffix.lower() in IMAGE_SUFFIXES | {".json"}:
                    name = name.with_suffix("")
                known = splits.setdefault(nfc(name.as_posix()), [])
                if split not in known:
                    known.append(split)
        return splits
