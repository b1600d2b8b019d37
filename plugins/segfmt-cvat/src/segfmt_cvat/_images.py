"""Which sample an `<image>` is, and which of the files that were found is its image."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from segfmt import IMAGE_SUFFIXES, nfc, place_of

# What CVAT calls the subset of tasks that were given none.
NO_SUBSET = frozenset({"", "default"})
SplitAndKey = tuple[str | None, str]


def sample_of(document: Path, name: str, subset: str) -> SplitAndKey:
    """Return the split of an image, None if nothing names one, and its key.

    `document` is the XML file, below the root; `name` and `subset` are what it says of the image.
    With a subset the name is the key as it stands. Without, folders may name the split, and those
    that only say what is in them are no part of the key.
    """
    stem = stem_of(name)
    split, key = _place(document.parent / stem)
    if subset:
        # The document's own folders still tell several documents apart.
        _, folder = _place(document.parent / "x")
        key = f"{folder.removesuffix('x')}{stem}"
    if subset not in NO_SUBSET:
        split = split_of(subset)
    return split or _place(Path(document.stem, "x"))[0], key


def split_of(subset: str) -> str:
    """Return the split that a subset is: `Train` and `Validation` are `train` and `val`."""
    return _place(Path(subset, "x"))[0] or nfc(subset)


def stem_of(name: str) -> str:
    """Return an image's name without its extension; frames of videos have none."""
    path = posix(name)
    suffix = PurePosixPath(path).suffix
    return path.removesuffix(suffix) if suffix.lower() in IMAGE_SUFFIXES else path


def posix(name: str) -> str:
    """Return an image's name with slashes, in NFC."""
    return nfc(name.replace("\\", "/"))


def _place(path: Path) -> SplitAndKey:
    return place_of(Path(f"{path}.x"))  # which takes off one extension


class Images:
    """The images below a root, by the split and key that their places give them, and by name."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._by_place: dict[SplitAndKey, list[Path]] = {}
        self._by_name: dict[str, list[Path]] = {}

    def add(self, path: Path) -> None:
        """Take in an image."""
        place = place_of(path.relative_to(self._root))
        self._by_place.setdefault(place, []).append(path)
        self._by_name.setdefault(nfc(path.name), []).append(path)

    def find(self, document: Path, name: str, subset: str, split: str | None) -> Path | None:
        """Return the image of that name in the place that answers to the document's.

        That is beside it, in `images/`, in either's folder of the split, or the like; else the one
        image below the root that has this name. None if there is none, or several.
        """
        stem = stem_of(name)
        for folder in dict.fromkeys((document.parent / subset, document.parent)):
            named, key = _place(folder / stem)
            for place in dict.fromkeys(((named, key), (split, key), (None, key))):
                if found := self._by_place.get(place):
                    return found[0] if len(found) == 1 else self._called(found, name)
        return self._called(self._by_name.get(PurePosixPath(posix(name)).name, []), name)

    def _called(self, paths: list[Path], name: str) -> Path | None:
        """Return the one whose path ends in the whole name; of several, the shortest such."""
        end = f"/{posix(name)}"
        ending = [path for path in paths if f"/{self._relative(path)}".endswith(end)]
        lengths = [len(path.parts) for path in ending]
        if lengths.count(min(lengths, default=0)) != 1:
            return None
        return ending[lengths.index(min(lengths))]

    def _relative(self, path: Path) -> str:
        return nfc(path.relative_to(self._root).as_posix())
