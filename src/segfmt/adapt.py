"""Between polygons and masks: the one place that knows both."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import numpy as np

from segfmt.errors import UsageError
from segfmt.model import FillRule, Mask, Note, Polygons, Rounding, Sample, offsets_of
from segfmt.objects import number_objects, paint_objects
from segfmt.raster import check_shape, rasterize, rasterize_instances, trace
from segfmt.scratch import canvas

if TYPE_CHECKING:
    import numpy.typing as npt

    from segfmt.format import Accepts

_DROPPED = Note("object numbers dropped", "the target has no place for them")
_ROUND = {"truncate": np.trunc, "nearest": np.rint, "floor": np.floor}


@dataclass(frozen=True)
class Adapter:
    """Makes a sample's label into what the writer accepts, without changing a pixel.

    `background` is the id of what no label covers, None if the classes have none. `fill_rule` and
    `rounding` override the reader's.
    """

    accepts: Accepts
    background: int | None
    fill_rule: FillRule | None = None
    rounding: Rounding | None = None

    def __call__(self, sample: Sample) -> tuple[Sample, str]:
        """Return the sample as the writer takes it, and the rule its polygons were painted by."""
        if isinstance(sample.label, Polygons) and self.accepts.polygons:
            polygons = self.ruled(sample.label)
            label = self._as_they_are(polygons)
            if label is not None:
                return replace(sample, label=label), polygons.rule_in_words
        painted, rule = self._as_mask(sample, numbered=self.accepts.numbered)
        return self._from_mask(painted), rule

    def as_mask(self, sample: Sample) -> tuple[Sample, str]:
        """Return the sample with a mask for its label, and the rule it was painted by, if any.

        Objects are numbered class by class, whatever the writer wants.
        """
        return self._as_mask(sample, numbered=False)

    def _as_mask(self, sample: Sample, *, numbered: bool) -> tuple[Sample, str]:
        if isinstance(sample.label, Mask):
            return sample, ""
        polygons, notes = self.ruled(sample.label), sample.notes
        if polygons.instance_ids is not None and not self.accepts.instances:
            notes = (*notes, *([_DROPPED] if polygons.instance_ids.any() else []))
            polygons = replace(polygons, instance_ids=None)
        label = self._painted(polygons, sample.shape, numbered=numbered)
        return replace(sample, label=label, notes=notes), polygons.rule_in_words

    def ruled(self, polygons: Polygons) -> Polygons:
        """Return the polygons under the rule that they are painted by."""
        if self.fill_rule is None and self.rounding is None:
            return polygons
        return replace(
            polygons,
            fill_rule=self.fill_rule or polygons.fill_rule,
            rounding=self.rounding or polygons.rounding,
        )

    def _from_mask(self, sample: Sample) -> Sample:
        assert isinstance(sample.label, Mask)  # noqa: S101 - painted before
        mask, notes = sample.label, sample.notes
        if mask.instances is not None and not self.accepts.instances:
            if mask.instances.any():
                notes = (*notes, _DROPPED)
            mask = replace(mask, instances=None)
        elif mask.instances is not None and self.accepts.numbered:
            numbers = mask.instances
            if numbers.dtype != np.uint8:  # those of polygons are painted as they are to be
                mask = _numbered(mask.ids, number_objects(mask.ids, numbers))
        if self.accepts.mask:
            same = mask is sample.label and notes is sample.notes
            return sample if same else replace(sample, label=mask, notes=notes)
        label = trace(
            mask,
            fill_rule=self.accepts.fill_rule or "center",
            holes=self.accepts.holes,
            background=_unused(mask) if self.background is None else self.background,
        )
        return replace(sample, label=label, notes=notes)

    def _as_they_are(self, polygons: Polygons) -> Polygons | None:
        """Return the polygons as the target can hold them with the same pixels, or None."""
        accepts = self.accepts
        if accepts.fill_rule not in (None, polygons.fill_rule):
            return None
        single = bool((np.diff(polygons.polygon_offsets) == 1).all())
        if accepts.holes != "rings" and not single:
            return None
        if polygons.instance_ids is not None and not accepts.instances:
            polygons = replace(polygons, instance_ids=None)
        if polygons.fill_rule == "opencv" and accepts.rounding not in (None, polygons.rounding):
            # Whole numbers are the same under every rounding.
            points = _ROUND[polygons.rounding](polygons.points) + 0.0  # no minus zero
            polygons = replace(polygons, points=points, rounding=accepts.rounding)
        return _without_empty(polygons)

    def _painted(self, polygons: Polygons, shape: tuple[int, int], *, numbered: bool) -> Mask:
        check_shape(shape)
        if self.background is None:
            raise UsageError("the classes have no background for what no polygon covers")
        if numbered and polygons.instance_ids is not None:
            return _numbered(*paint_objects(polygons, shape, self.background))
        ids = rasterize(polygons, shape, background=self.background, out=canvas("mask", shape))
        if polygons.instance_ids is None:
            return Mask(ids)
        return Mask(ids, rasterize_instances(polygons, shape))


def _numbered(ids: npt.NDArray[np.uint8], objects: npt.NDArray[np.uint8]) -> Mask:
    return Mask(ids, cast("npt.NDArray[np.uint16]", objects))  # declared for all other writers


def _unused(mask: Mask) -> int:
    """Return an id that the mask has not, so that every pixel of it gets a polygon."""
    free = np.bincount(mask.ids.reshape(-1), minlength=256) == 0
    if not free.any():
        raise UsageError("the classes have no background, and no id of 256 is left for one")
    return int(free.argmax())


def _without_empty(polygons: Polygons) -> Polygons:
    """Leave out rings of no points, which paint nothing and which files cannot hold."""
    lengths = np.diff(polygons.ring_offsets)
    if lengths.all():
        return polygons
    owner = np.repeat(np.arange(len(polygons)), np.diff(polygons.polygon_offsets))[lengths > 0]
    rings = np.bincount(owner, minlength=len(polygons))
    kept = rings > 0
    instances = polygons.instance_ids
    return replace(
        polygons,
        ring_offsets=offsets_of(lengths[lengths > 0]),
        polygon_offsets=offsets_of(rings[kept]),
        class_ids=polygons.class_ids[kept],
        instance_ids=None if instances is None else instances[kept],
    )
