"""A dataset of annotation files: what the readers of instances and panoptic masks share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from posixpath import splitext
from typing import Any
from urllib.parse import urlsplit

import segfmt
from segfmt import FormatError, Note, SampleRef
from segfmt_coco.categories import Categories, read_categories
from segfmt_coco.index import ImageRecord, Index, Source, read_index
from segfmt_coco.layout import AnnotationFile, FileIndex, Kind, Parts, annotation_files, parts_of


@dataclass(frozen=True)
class _Contents:
    """What stays in the main process: the indexes, the files below the root, what is odd."""

    indexes: list[tuple[AnnotationFile, Index]]
    files: FileIndex
    remarks: list[str]


@dataclass(frozen=True)
class Annotations:
    """The annotation files of a kind below a root, and the images that they are of.

    Goes to other processes without what it has read: there only `categories` is asked for.
    """

    root: Path
    kind: Kind
    pattern: str
    follow_links: bool
    background: bool
    ignore: bool

    def __getstate__(self) -> dict[str, Any]:
        """Return the fields, and the classes, which are small."""
        self.categories  # noqa: B018 - so that no other process reads the files for them
        return {name: value for name, value in vars(self).items() if name != "_contents"}

    @cached_property
    def _contents(self) -> _Contents:
        paths = list(segfmt.walk(self.root, follow_links=self.follow_links))
        found, remarks = annotation_files(self.root, self.kind, self.pattern, paths)
        indexes = [(file, read_index(file.path)) for file in found]
        for _, index in indexes:
            if index.strays:
                what = f"{index.strays} annotations of images that it does not list"
                remarks.append(f"{index.path.name} has {what}")
            unmasked = len(index.images) - sum(map(bool, index.names))
            if self.kind == "panoptic" and unmasked:
                what = f"{unmasked} images without a mask, which are left out"
                remarks.append(f"{index.path.name} has {what}")
        return _Contents(indexes, FileIndex(self.root, paths), remarks)

    @cached_property
    def categories(self) -> Categories:
        """The classes of all files together."""
        indexes = (index for _, index in self._contents.indexes)
        return read_categories(indexes, background=self.background, ignore=self.ignore)

    @property
    def remarks(self) -> list[str]:
        """What is to be said of the dataset as a whole."""
        return [*self._contents.remarks, *self.categories.remarks]

    def refs(self) -> Iterator[SampleRef]:
        """List the images of all files, each with where its annotations are.

        An image without annotations is one, too. Of two images of one id, whose annotations cannot
        be told apart, neither can be loaded. Of panoptic files, images for which no mask is named
        are left out.
        """
        for file, index in self._contents.indexes:
            places = [parts_of(_file_name(image)) for image in index.images]
            masks = [(file.path.stem, *parts_of(name)) if name else () for name in index.names]
            find = self._contents.files.finder(file, places)
            find_mask = self._contents.files.finder(file, masks, masks=True)
            twice = {id for id, n in Counter(one.id for one in index.images).items() if n > 1}
            for number, (image, parts) in enumerate(zip(index.images, places, strict=True)):
                if self.kind == "panoptic" and not (masks and masks[number]):
                    continue
                problem = "has an id that another image has, too" if image.id in twice else ""
                problem = problem if parts else "has no file_name"
                source = Source(
                    file.path,
                    image.id,
                    _shape(image),
                    index.spans_of(number),
                    find_mask(masks[number]) if masks else None,
                    problem,
                    index.crc,
                )
                yield SampleRef(
                    _key(parts or parts_of(str(image.id))), file.split, find(parts), source
                )


def _file_name(image: ImageRecord) -> str:
    if image.file_name or not image.coco_url:
        return image.file_name or ""
    # LVIS: http://images.cocodataset.org/train2017/000000000001.jpg
    return "/".join(urlsplit(image.coco_url).path.split("/")[-2:])


def _shape(image: ImageRecord) -> tuple[int, int] | None:
    height, width = image.height or 0, image.width or 0
    return (height, width) if height > 0 and width > 0 else None


def _key(parts: Parts) -> str:
    path = "/".join(parts)
    stem, suffix = splitext(path)
    return stem if suffix.lower() in segfmt.IMAGE_SUFFIXES else path


def size_of(ref: SampleRef) -> tuple[tuple[int, int], list[Note]]:
    """Return (height, width) of a sample: what its annotations were drawn on.

    The file says it, or else the image. Where both do, they must agree, unless the image is turned
    by its EXIF, or the file has height and width the wrong way round, which is reported.
    """
    source: Source = ref.source
    said = source.shape
    where = f"image {source.image_id}"
    if ref.image is None:
        if said is None:
            problem = "has no height and width, and no image that could tell"
            raise FormatError(problem, path=source.path, where=where)
        segfmt.check_shape(said, source.path, where)
        return said, []
    stored = segfmt.image_size(ref.image)
    if said in (None, stored):
        return stored, []
    if said == stored[::-1]:
        if segfmt.stored_orientation(ref.image)[0] in range(5, 9):
            return said, []  # drawn on the image as viewers turn it, which the core sees to
        words = f"{said[1]} x {said[0]} is said, and {stored[1]} x {stored[0]} is right"
        return stored, [Note("height and width are the wrong way round", words)]
    raise FormatError(
        f"is said to be {said[1]} x {said[0]}, but {ref.image} is {stored[1]} x {stored[0]}",
        path=source.path,
        where=where,
        mend="Annotations of an image of another size would not fit: is it the right image?",
    )


def counted(notes: list[Note]) -> tuple[Note, ...]:
    """Return notes of one each as one for all of a kind."""
    return tuple(replace(note, count=count) for note, count in Counter(notes).items())
