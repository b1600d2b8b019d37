"""Which images and labels a dataset has, and in which split."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

import segfmt
from segfmt_yolo.datafile import DataFile

# What Ultralytics takes for an image, of what Pillow can read.
SUFFIXES = frozenset(
    {".avif", ".bmp", ".jp2", ".jpeg", ".jpg", ".mpo", ".png", ".tif", ".tiff", ".webp"}
)
IMAGES, LABELS = "images", "labels"


def label_of(stem: str) -> str:
    """Return the path of an image's label, both without extension, POSIX below the root.

    The last folder `images` becomes `labels`, as in Ultralytics' `img2label_paths`.

    >>> label_of("images/train/a/x"), label_of("train/images/x"), label_of("x")
    ('labels/train/a/x', 'train/labels/x', 'x')
    """
    return _swapped(stem, IMAGES, LABELS)


def _swapped(stem: str, old: str, new: str) -> str:
    before, found, after = f"/{stem}".rpartition(f"/{old}/")
    return f"{before}/{new}/{after}"[1:] if found else stem


@dataclass(frozen=True)
class _Found:
    """A sample of a split: where its image is or would be, without extension, and its files."""

    stem: str
    image: Path | None
    label: Path | None


class _Tree:
    """The files of a dataset by their paths below the root, POSIX and in NFC."""

    def __init__(self, root: Path, follow_links: bool) -> None:
        self.images: dict[str, Path] = {}
        self.texts: dict[str, Path] = {}
        for path in segfmt.walk(root, follow_links=follow_links):
            suffix = path.suffix.lower()
            if suffix in SUFFIXES or suffix == ".txt":
                name = segfmt.nfc(path.relative_to(root).as_posix())
                (self.texts if suffix == ".txt" else self.images)[name] = path
        self.labels = {_stem(name): path for name, path in self.texts.items()}
        stems = {_stem(name) for name in self.images}
        # Labels whose image is missing, by the stem that the image would have.
        self.widows = {
            stem: path
            for label, path in self.labels.items()
            if LABELS in label.split("/")[:-1]
            and path.stem != "classes"  # names of classes, as some tools leave them there
            and (stem := _swapped(label, LABELS, IMAGES)) not in stems
        }
        self.folders = {""}
        for name in (*self.images, *self.widows):
            folder = name.rpartition("/")[0]
            while folder not in self.folders:
                self.folders.add(folder)
                folder = folder.rpartition("/")[0]

    def has(self, name: str) -> bool:
        """Whether a folder with samples, a text file or an image has this path."""
        return name in self.folders or name in self.texts or name in self.images

    def found(self, name: str) -> _Found:
        """Return the sample of an image, be it there or not."""
        stem = _stem(name)
        return _Found(stem, self.images.get(name), self.labels.get(label_of(stem)))

    def below(self, folder: str) -> Iterator[_Found]:
        """Yield the samples of a folder, those whose image is missing last."""
        start = f"{folder}/" if folder else ""
        yield from (self.found(name) for name in self.images if name.startswith(start))
        for stem, label in self.widows.items():
            if stem.startswith(start):
                yield _Found(stem, None, label)


def list_samples(
    root: Path, data: DataFile, follow_links: bool
) -> tuple[list[segfmt.SampleRef], list[str]]:
    """Return the samples of all splits, and what is to be told of them.

    A split of which no image has a label file is left out: its images are not labeled, rather than
    without any object.
    """
    tree = _Tree(root, follow_links)
    own = data.path.parent
    base = (own.relative_to(root).as_posix() if own.is_relative_to(root) else "", data.base)
    refs: list[segfmt.SampleRef] = []
    remarks: list[str] = []
    used: set[Path] = set()
    for split, entries in data.splits.items():
        found: dict[str, _Found] = {}
        folders: list[str] = []
        for entry in entries:
            samples, folder, told = _samples(tree, (*base, entry))
            found.update((sample.stem, sample) for sample in samples)
            folders += [] if folder is None else [folder]
            remarks += [f"{split}: {remark}" for remark in told]
        used.update(sample.image for sample in found.values() if sample.image)
        if not any(sample.label for sample in found.values()):
            if found:
                remarks.append(f"{split}: left out, none of {len(found)} images has a label file")
            continue
        folder = folders[0] if len(folders) == len(entries) == 1 else None
        refs += [
            segfmt.SampleRef(_key(sample.stem, folder), split, sample.image, sample.label)
            for sample in found.values()
        ]
    if left := [name for name, path in tree.images.items() if path not in used]:
        remarks.append(f"images in no split are left out: {len(left)}, such as {left[0]}")
    return refs, remarks


def _samples(tree: _Tree, entry: tuple[str, ...]) -> tuple[list[_Found], str | None, list[str]]:
    """Return the samples of a folder, a list or an image; the folder if it is one; remarks."""
    places, as_written = _places(*entry)
    place = next((place for place in places if tree.has(place)), None)
    if place is None:
        return [], None, [f'"{entry[-1]}" is not there, and left out']
    plain = (as_written and place == places[0]) or entry[-1].strip("/") == place
    told = [] if plain else [f'"{entry[-1]}" is taken for {place}']
    if place in tree.images:
        return [tree.found(place)], None, told
    if place in tree.texts:
        samples, remarks = _listed(tree, place)
        return samples, None, told + remarks
    return list(tree.below(place)), place, told


def _listed(tree: _Tree, name: str) -> tuple[list[_Found], list[str]]:
    """Return the samples of a list file, and remarks."""
    folder = name.rpartition("/")[0]
    samples, elsewhere, others = [], [], []
    for _, line in segfmt.read_list(tree.texts[name]):
        if PureWindowsPath(line).suffix.lower() not in SUFFIXES:
            others.append(line)
            continue
        places, as_written = _places(folder, line)
        known = (
            next((place for place in places if place in tree.images), None)
            or next((place for place in places if _stem(place) in tree.widows), None)
            or next((place for place in places if place.startswith(f"{IMAGES}/")), places[0])
        )
        if known != places[0] or not as_written:
            elsewhere.append(f"{line} for {known}")
        samples.append(tree.found(known))
    remarks = []
    if elsewhere:
        remarks.append(f"{name}: {len(elsewhere)} paths lead elsewhere, as {elsewhere[0]}")
    if others:
        remarks.append(f"{name}: {len(others)} lines are no images, as {others[0]}")
    return samples, remarks


def _places(*texts: str) -> tuple[list[str], bool]:
    """Return where below the root a path may lead, best first; and whether it is a relative one.

    `texts` are joined as paths are, of whatever system. What is returned is only ever compared with
    what is below the root: a path of another machine is found by its end, and none leads outside.

    >>> _places("", "../coco8-seg", "images/train")
    (['coco8-seg/images/train', 'images/train', 'train'], True)
    """
    parts: list[str] = []
    relative = True
    for text in texts:
        path = PureWindowsPath(text)
        if path.anchor:
            parts, relative = [], False
        for part in path.parts[bool(path.anchor) :]:
            if part == "..":
                del parts[-1:]
            else:
                parts.append(segfmt.nfc(part))
    return ["/".join(parts[start:]) for start in range(max(len(parts), 1))], relative


def _stem(name: str) -> str:
    """Return a path without its extension, which begins at the last dot."""
    folder, slash, file = name.rpartition("/")
    return folder + slash + (file.rpartition(".")[0] or file)


def _key(stem: str, folder: str | None) -> str:
    """Return a sample's key: its path in the split's folder, else without split and kinds."""
    if folder is None:
        return segfmt.place_of(Path(f"{stem}.txt"))[1]
    inside = stem[len(folder) + 1 :] if folder else stem
    if IMAGES in folder.split("/"):
        return inside
    before, _, after = f"/{inside}".rpartition(f"/{IMAGES}/")
    return f"{before}/{after}".strip("/")
