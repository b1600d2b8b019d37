"""Which annotation files there are, which split each is, and where their images lie."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Literal, NamedTuple

import segfmt
from segfmt import FormatError

Kind = Literal["instances", "panoptic"]
Parts = tuple[str, ...]  # the folders and the name of a file
LOOKED_AT = 20  # JSON files, before a folder is taken for no COCO set
END = 65536  # bytes at either end of a file that tell what it is

# How the annotation files of a kind are called, by COCO and by Roboflow.
NAMED: Mapping[Kind, tuple[str, ...]] = {
    "instances": ("instances_", "_annotations.coco.json"),
    "panoptic": ("panoptic_",),
}

_PANOPTIC = re.compile(rb'"segments_info"')
_IMAGES = re.compile(rb'"images"\s*:\s*\[\s*\{')
_ONE_IMAGE = re.compile(rb'"images"\s*:\s*\{')
_ANNOTATIONS = re.compile(rb'"image_id".*"category_id"|"category_id".*"image_id"', re.DOTALL)
# What stands beside them in COCO's archives and Datumaro's folders, and has no masks of its own.
OTHERS = ("captions", "person_keypoints", "image_info", "labels", "panoptic")
_PREFIX = re.compile(r"^(?:instances|panoptic|stuff)_")
_MASK_FOLDERS = re.compile(r"^(?:annotations?|stuffthingmaps|panoptic_.*|.*_pixelmaps|masks?)$")


class AnnotationFile(NamedTuple):
    """An annotation file, the split it is, and how its name spells that: `train2017`."""

    path: Path
    split: str
    spelt: str


def kind_of(path: Path) -> Kind | None:
    """Tell an annotation file by its first and its last bytes."""
    with path.open("rb") as file:
        seen = file.read(END)
        if not seen.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
            return None
        file.seek(max(END, file.seek(0, 2) - END))
        seen += file.read()
    if _PANOPTIC.search(seen):
        return "panoptic"
    one_image = _ONE_IMAGE.search(seen)  # as AIHub's damage sets have it, which look like COCO
    found = _IMAGES.search(seen) or (_ANNOTATIONS.search(seen) and not one_image)
    return "instances" if found else None


def annotation_files(
    root: Path, kind: Kind, pattern: str, paths: Iterable[Path]
) -> tuple[list[AnnotationFile], list[str]]:
    """Return the files of a kind among all files below the root, and what is to be said of it.

    Without a pattern that is `instances_*.json` if there are any, else whatever is of the kind and
    none of COCO's files for other tasks. `FormatError` for a pattern that none matches.
    """
    jsons = [path for path in paths if path.suffix.lower() == ".json"]
    if pattern:
        found = [path for path in jsons if fnmatchcase(_relative(path, root), pattern)]
        if not found:
            raise FormatError(f"no .json file is named {pattern}, as -i files says", path=root)
        return _with_splits(root, found), []
    kinds = {path: kind_of(path) for path in jsons}
    # What is called so and is not that is read all the same, which says what is wrong with it.
    of_kind = [
        path
        for path in jsons
        if kinds[path] == kind or (kinds[path] is None and path.name.startswith(NAMED[kind]))
    ]
    found = [path for path in of_kind if path.name.startswith(f"{kind}_")] or [
        path for path in of_kind if not path.name.startswith(OTHERS)
    ]
    left = ", ".join(path.name for path in of_kind if path not in found)
    remarks = [f"annotation files that were not read (-i files gives which are): {left}"]
    return _with_splits(root, found), remarks if left else []


def _with_splits(root: Path, paths: list[Path]) -> list[AnnotationFile]:
    return [AnnotationFile(path, *_split(path.relative_to(root), len(paths))) for path in paths]


def _split(path: Path, among: int) -> tuple[str, str]:
    """Return a file's split and how its name spells it.

    `instances_<split>` is told by its name. Of other names any part counts, then the folders; a
    file that is not the only one and says nothing is a split of its own name.
    """
    stem = segfmt.nfc(path.stem)
    spelt = _PREFIX.sub("", stem)
    if spelt != stem:
        # CVAT writes `default` where there are no splits.
        return named_split(spelt) or ("train" if spelt == "default" else spelt), spelt
    parts = [*re.split(r"[\W_]+", stem), *map(segfmt.nfc, path.parts[-2::-1])]
    for part in parts:
        if split := named_split(part):
            return split, part
    return ("train" if among == 1 else stem), stem


@lru_cache(1024)
def named_split(name: str) -> str | None:
    """Return the split that a name says, if any; a year behind it does not count.

    >>> named_split("train2017"), named_split("valid"), named_split("minitrain2017")
    ('train', 'val', None)
    """
    return segfmt.place_of(Path(re.sub(r"\d+$", "", name), "x"))[0]


def _relative(path: Path, root: Path) -> str:
    return segfmt.nfc(path.relative_to(root).as_posix())


def parts_of(file_name: str) -> Parts:
    r"""Return the folders and the name that a `file_name` says, without what leads elsewhere.

    >>> parts_of("..\\..\\upload\\1\\a.jpg"), parts_of("/data/a.jpg")
    (('upload', '1', 'a.jpg'), ('data', 'a.jpg'))
    """
    parts = segfmt.nfc(file_name).replace("\\", "/").split("/")
    return tuple(part for part in parts if part not in ("", ".", "..") and part[1:2] != ":")


class _Found(NamedTuple):
    """A file, and folders above it, below the root."""

    folders: Parts
    path: Path


class FileIndex:
    """The files below a root by name; names are compared in NFC."""

    def __init__(self, root: Path, paths: Iterable[Path]) -> None:
        self._by_name: dict[str, list[_Found]] = {}
        parts_of_folder: dict[str, Parts] = {}
        for path in paths:
            folder = str(path)[: -len(path.name)]
            if folder not in parts_of_folder:
                above = PurePosixPath(_relative(path.parent, root))
                parts_of_folder[folder] = above.parts
            found = _Found(parts_of_folder[folder], path)
            self._by_name.setdefault(segfmt.nfc(path.name), []).append(found)

    def finder(
        self, file: AnnotationFile, names: Iterable[Parts], *, masks: bool = False
    ) -> Callable[[Parts], Path | None]:
        """Return what finds the images that an annotation file names, or the masks.

        `names` are all of them. It returns None for one that is missing, and where several fit
        equally.
        """
        once = Counter(parts[-1] for parts in names if parts)

        def find(parts: Parts) -> Path | None:
            same = self._by_name.get(parts[-1], []) if parts else []
            found = self._fitting(file, parts, same, masks)
            if not found and len(parts) > 1 and len(same) == once[parts[-1]] == 1:
                # Folders of another machine: the name counts alone, where nothing else has it.
                found = self._fitting(file, parts[-1:], same, masks)
            for prefers in (
                lambda folders, _: file.spelt in folders,
                lambda folders, _: file.split in map(named_split, folders),
                lambda _, path: path.is_relative_to(file.path.parent),
            ):
                if len(found) > 1:
                    found = [one for one in found if prefers(*one)] or found
            return found[0].path if len(found) == 1 else None

        return find

    def _fitting(
        self, file: AnnotationFile, parts: Parts, files: list[_Found], masks: bool
    ) -> list[_Found]:
        """Return the files of that name whose path ends in these parts, with the folders above.

        Those of another split are left out, and unless it is masks that are looked for, PNGs in
        folders of masks.
        """
        found = []
        below = parts[:-1]
        # Else, as `trainval`, it may be of several.
        splits = {None, file.split} if named_split(file.split) else None
        for folders, path in files:
            above = folders[: len(folders) - len(below)]
            if folders[len(above) :] != below:
                continue
            if splits and any(named_split(folder) not in splits for folder in above):
                continue
            if (
                masks
                or path.suffix.lower() != ".png"
                or not any(map(_MASK_FOLDERS.match, above))
                or path.parent == file.path.parent
            ):
                found.append(_Found(above, path))
        return found
