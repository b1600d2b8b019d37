"""Changing a sample's pixels, image and mask alike: orientation, size, tiles."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from segfmt.errors import UsageError
from segfmt.files import atomic_write, of_this_thread, replacing, with_folder
from segfmt.imagefile import (
    JPEG_QUALITY,
    SIDEWAYS,
    check_sides,
    load_image,
    stored_orientation,
    suffix_of,
)
from segfmt.model import Mask, Note, Sample


@dataclass(frozen=True, slots=True)
class Edits:
    """What `--resize`, `--tile` and `--overlap` ask for; sizes are (width, height)."""

    resize: tuple[int, int] | None = None
    tile: tuple[int, int] | None = None
    overlap: int = 0

    def __bool__(self) -> bool:
        return bool(self.resize or self.tile)

    def boxes(self, width: int, height: int) -> list[tuple[int, int, int, int]]:
        """Return (left, top, right, bottom) of each tile.

        Tiles at the right and at the bottom are moved in until they are whole; an image smaller
        than a tile is one, as it is.
        """
        if self.tile is None:
            return [(0, 0, width, height)]
        columns = _starts(width, self.tile[0], self.overlap)
        rows = _starts(height, self.tile[1], self.overlap)
        return [
            (x, y, min(x + self.tile[0], width), min(y + self.tile[1], height))
            for y in rows
            for x in columns
        ]


def _starts(length: int, tile: int, overlap: int) -> list[int]:
    last = max(length - tile, 0)
    return [*range(0, last, tile - overlap), last]


def parse_edits(
    resize: str | tuple[int, int] | None, tile: str | tuple[int, int] | None, overlap: int = 0
) -> Edits:
    """Read sizes such as `224x224`, width first; `UsageError` for what is none."""
    edits = Edits(_size("--resize", resize), _size("--tile", tile), overlap)
    if overlap and not edits.tile:
        raise UsageError("--overlap is for --tile")
    if edits.tile and not 0 <= overlap < min(edits.tile):
        raise UsageError(f"--overlap {overlap}: it must be less than the tile")
    return edits


def _size(flag: str, given: str | tuple[int, int] | None) -> tuple[int, int] | None:
    if given is None:
        return None
    parts = given.lower().split("x") if isinstance(given, str) else [str(side) for side in given]
    if len(parts) != 2 or not all(part.isdecimal() and 0 < int(part) < 65536 for part in parts):
        raise UsageError(f"{flag} {given}: give WIDTHxHEIGHT, such as 224x224")
    return int(parts[0]), int(parts[1])


def upright(sample: Sample) -> tuple[int, tuple[Note, ...]]:
    """Return the EXIF orientation that the label was drawn under, 1 for stored pixels, and notes.

    Viewers turn images by their EXIF, many labelling tools do not; which it was, only the size of
    the label tells.
    """
    assert sample.ref.image is not None  # noqa: S101 - asked for samples with an image
    orientation, stored = stored_orientation(sample.ref.image)
    if orientation == 1:
        return 1, ()
    turned = stored[::-1] if orientation in SIDEWAYS else stored
    if turned != stored and sample.shape == turned:
        return orientation, (Note("images turned by their EXIF orientation", str(orientation)),)
    if turned == stored:
        subject = f"orientation {orientation}: the label may be drawn on stored or on turned pixels"
        return 1, (Note("images with an EXIF orientation left as stored", subject),)
    return 1, ()


@contextmanager
def unpacked(sample: Sample, folder: Path) -> Iterator[Sample]:
    """Give the sample with the image that it holds as a file in `folder`, while in here."""
    if sample.image is None:
        yield sample
        return
    path = folder / f"unpacked-{of_this_thread()}{suffix_of(sample.image)}"
    atomic_write(path, sample.image)
    try:
        yield replace(sample, ref=replace(sample.ref, image=path), image=None)
    finally:
        path.unlink(missing_ok=True)


@contextmanager
def edited(sample: Sample, edits: Edits, orientation: int, folder: Path) -> Iterator[list[Sample]]:
    """Give the samples that one becomes, their images in `folder` until the context ends.

    The sample's label must be a mask. Images are sampled by Lanczos, masks by nearest neighbor;
    images keep their format, JPEG at quality 95.
    """
    assert isinstance(sample.label, Mask)  # noqa: S101 - the caller painted it
    image = load_image(sample.ref.image) if sample.ref.image else None
    made: list[Path] = []
    try:
        if image is not None and orientation != 1:
            image = ImageOps.exif_transpose(image)
        samples: list[Sample] = []
        for box in edits.boxes(sample.shape[1], sample.shape[0]):
            key = sample.ref.key
            if edits.tile:
                key = f"{key}_x{box[0]:05}_y{box[1]:05}"
            path = None
            if image is not None and sample.ref.image is not None:
                path = folder / f"{len(made)}-{key}{sample.ref.image.suffix}"
                made.append(path)
                _save(_image_part(image, box, edits.resize), path)
            mask = _mask_part(sample.label, box, edits.resize)
            ref = replace(sample.ref, key=key, image=path)
            height, width = mask.ids.shape
            notes = () if samples else sample.notes  # said once, however many its tiles
            samples.append(replace(sample, ref=ref, shape=(height, width), label=mask, notes=notes))
        yield samples
    finally:
        for path in made:
            path.unlink(missing_ok=True)


def _image_part(
    image: Image.Image, box: tuple[int, int, int, int], size: tuple[int, int] | None
) -> Image.Image:
    part = image if box == (0, 0, *image.size) else image.crop(box)
    if size is None or size == part.size:
        return part
    if part.mode in ("P", "1"):  # which Pillow cannot blend
        part = part.convert("RGB" if part.mode == "P" else "L")
    return part.resize(size, Image.Resampling.LANCZOS)


def _mask_part(mask: Mask, box: tuple[int, int, int, int], size: tuple[int, int] | None) -> Mask:
    left, top, right, bottom = box
    arrays: list[npt.NDArray[Any] | None] = []
    for array in (mask.ids, mask.instances):
        part = None if array is None else array[top:bottom, left:right]
        if part is not None and size is not None:
            rows = _nearest(part.shape[0], size[1])
            part = part[rows[:, None], _nearest(part.shape[1], size[0])]
        arrays.append(None if part is None else np.ascontiguousarray(part))
    assert arrays[0] is not None  # noqa: S101 - ids are always there
    return replace(mask, ids=arrays[0], instances=arrays[1])


def _nearest(length: int, size: int) -> npt.NDArray[np.int64]:
    """Return the source index under the center of each of `size` pixels, as Pillow's NEAREST.

    Pillow adds up steps, so that sums on a border between two pixels fall where rounding puts them.
    """
    steps = np.full(size, length / size)
    steps[0] *= 0.5
    return np.minimum(np.cumsum(steps).astype(np.int64), length - 1)


def _save(image: Image.Image, path: Path) -> None:
    jpeg = path.suffix.lower() in (".jpg", ".jpeg")
    options: dict[str, Any] = {"quality": JPEG_QUALITY, "subsampling": 0} if jpeg else {}
    if jpeg and image.mode not in ("RGB", "L"):
        image = image.convert("RGB")
    with replacing(path) as temporary:
        format = Image.registered_extensions()[path.suffix.lower()]
        check_sides(image.size, format)
        with_folder(path, lambda: image.save(temporary, format, **options))
