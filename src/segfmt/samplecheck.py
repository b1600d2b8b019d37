"""What is wrong with one sample: the work that `check` hands out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from segfmt.counting import id_counts
from segfmt.diagnosis import TEXT_SUFFIXES, file_name, of_error, of_notes, of_text, paths_in
from segfmt.edits import unpacked
from segfmt.findings import Finding
from segfmt.geometry import polygon_findings
from segfmt.imagefile import stored_orientation
from segfmt.imagehash import look_of
from segfmt.model import Mask
from segfmt.names import name_findings
from segfmt.places import at_hand

if TYPE_CHECKING:
    import numpy.typing as npt

    from segfmt.classes import ClassTable
    from segfmt.format import Reader
    from segfmt.imagehash import Look
    from segfmt.model import Sample, SampleRef

_TYPES = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".bmp": "BMP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WEBP",
}


class Listed(NamedTuple):
    """A sample and its place in the list."""

    place: int
    ref: SampleRef


class Checked(NamedTuple):
    """What is wrong with a sample, and how its image looks, if that was asked and can be told."""

    place: int
    findings: tuple[Finding, ...]
    look: Look | None


@dataclass(frozen=True)
class SampleChecker:
    """Checks samples; `decode` if their images are to be decoded, too."""

    reader: Reader
    classes: ClassTable
    root: Path
    decode: bool
    tiny: float

    def __call__(self, listed: Listed) -> Checked:
        """Check one sample. Whatever goes wrong with it becomes a finding."""
        with at_hand():
            return self._checked(*listed)

    def _checked(self, place: int, ref: SampleRef) -> Checked:
        image = ref.key if ref.image is None else file_name(ref.image, self.root)
        label = next((file_name(path, self.root) for path in paths_in(ref.source)), ref.key)
        sample: Sample | None = None
        found: list[Finding] = []
        try:
            sample = self.reader.load(ref)
            found += of_notes(sample.notes, self.classes, label)
            found += (replace(one, file=label) for one in self._of_label(sample))
        except Exception as error:  # noqa: BLE001 - a bad sample must not end the run
            found += of_error(error, ref, self.classes, self.root)
        look: Look | None = None
        try:
            look, of_image = self._of_image(ref, sample)
            found += (replace(one, file=image) for one in of_image)
        except Exception as error:  # noqa: BLE001 - as above
            damage = of_error(error, replace(ref, source=ref.image), self.classes, self.root)
            known = {(one.code, one.file) for one in found}
            found += (one for one in damage if (one.code, one.file) not in known)
        if ref.image is None and not ref.embedded:
            found.append(Finding("SF102", "has no image", file=label))
        found += self._of_texts(ref)
        found += (replace(one, file=image) for one in name_findings(image, ref.split, ref.key))
        own = tuple(replace(one, split=ref.split, key=ref.key) for one in found)
        return Checked(place, own, look)

    @cached_property
    def _ids(self) -> npt.NDArray[np.int64]:
        return np.array([info.id for info in self.classes], np.int64)

    @cached_property
    def _labeled(self) -> npt.NDArray[np.int64]:
        """The ids of what is labeled: neither background nor ignore."""
        return np.array([info.id for info in self.classes if info.role == "class"], np.int64)

    def _of_label(self, sample: Sample) -> Iterator[Finding]:
        label = sample.label
        if isinstance(label, Mask):
            yield from self._of_mask(label)
            return
        yield from polygon_findings(label, sample.shape, self.classes, self.tiny)
        strange = np.setdiff1d(label.class_ids, self._ids)
        if len(strange):
            yield Finding("SF402", f"has polygons of id {strange[0]}, which is no class")
        if not np.isin(label.class_ids, self._labeled).any():
            yield Finding("SF405", "has no polygon of a class")

    def _of_mask(self, mask: Mask) -> Iterator[Finding]:
        counts = id_counts(mask.ids)
        present = np.flatnonzero(counts)
        for id in np.setdiff1d(present, self._ids).tolist():
            y, x = np.unravel_index(int((mask.ids == id).argmax()), mask.ids.shape)
            problem = f"has the id {id} on {counts[id]:,} pixels, which is no class"
            yield Finding("SF402", problem, where=f"pixel x={x}, y={y}")
        for group in mask.ambiguous:
            if pixels := int(counts[group[0]]):
                names = " and ".join(f'"{self.classes.by_id(id).name}"' for id in group)
                color = self.classes.by_id(group[0]).color
                problem = f"has the color {color}, which {names} share, on {pixels:,} pixels"
                yield Finding("SF404", problem)
        if not np.isin(present, self._labeled).any() and np.isin(present, self._ids).all():
            yield Finding("SF405", "has nothing but background and ignore")

    def _of_image(self, ref: SampleRef, sample: Sample | None) -> tuple[Look | None, list[Finding]]:
        found: list[Finding] = []
        if ref.image is None:
            if sample is None or sample.image is None or not self.decode:
                return None, found
            with TemporaryDirectory() as folder, unpacked(sample, Path(folder)) as whole:
                assert whole.ref.image is not None  # noqa: S101 - what `unpacked` is for
                return look_of(whole.ref.image), found
        orientation, _ = stored_orientation(ref.image)
        if orientation != 1:
            problem = f"has the EXIF orientation {orientation}: some tools turn it, others do not"
            found.append(Finding("SF110", problem))
        if not self.decode:
            return None, found
        look = look_of(ref.image)
        suffix = ref.image.suffix.lower()
        if _TYPES.get(suffix, look.type) != look.type:
            found.append(Finding("SF109", f"is {look.type}, not what {suffix} says"))
        return look, found

    def _of_texts(self, ref: SampleRef) -> Iterator[Finding]:
        for path in paths_in(ref.source):
            if path.suffix.lower() in TEXT_SUFFIXES and (problem := of_text(path)):
                yield Finding("SF105", problem, file=file_name(path, self.root))
