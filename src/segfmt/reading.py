"""Reading whole datasets side by side: what inspecting and comparing have in common."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from segfmt import plugins
from segfmt.adapt import Adapter
from segfmt.errors import FormatError, UsageError
from segfmt.executors import usable_cores
from segfmt.files import readable
from segfmt.format import Accepts
from segfmt.model import Mask
from segfmt.options import checked

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import numpy.typing as npt

    from segfmt.format import Map, Reader, Writer
    from segfmt.model import FillRule, Note, Rounding, SampleRef
    from segfmt.remap import ClassMap


def executor_map(name: str, options: Mapping[str, Any] | None, workers: int | None) -> Map:
    """Return the executor's map over samples; `workers` is as many as cores unless given."""
    executor = plugins.executor_named(name)
    if workers is not None and workers < 1:
        raise UsageError(f"--workers {workers}: there must be one at least")
    values = checked(f"executor {name}", "-x", executor.make, 1, options or {})
    return executor.make(workers or usable_cores(), **values)


def painter(
    background: int | None, fill_rule: FillRule | None, rounding: Rounding | None
) -> Adapter:
    """Return what paints polygons, by the rule given instead of the reader's.

    Raises `UsageError` for a rounding where the rule has none.
    """
    if rounding and fill_rule not in (None, "opencv"):
        raise UsageError(f"--rounding is for the fill rule opencv, not {fill_rule}")
    return Adapter(Accepts(), background, fill_rule, rounding)


def remarks(part: Reader | Writer) -> tuple[str, ...]:
    """Return what a reader or writer has to say of its dataset, if it is one that says such."""
    return tuple(map(readable, getattr(part, "warnings", ())))


@dataclass(frozen=True)
class MaskReader:
    """Reads samples of one dataset as masks under the classes that `class_map` leads to."""

    reader: Reader
    class_map: ClassMap
    painter: Adapter

    def read(self, ref: SampleRef) -> tuple[npt.NDArray[np.uint8], tuple[Note, ...], str]:
        """Return the ids, uint8 (H, W), what the reader noted, and the fill rule, if any.

        The array is the caller's own. Objects are left out. Whatever is wrong raises, naming the
        sample's file.
        """
        try:
            sample = self.reader.load(ref)
            label = sample.label
            if isinstance(label, Mask):
                ids = self.class_map.mask(replace(label, instances=None)).ids
                return ids, sample.notes, ""
            polygons = self.class_map.polygons(replace(label, instance_ids=None))
            painted, rule = self.painter.as_mask(replace(sample, label=polygons))
        except FormatError as error:
            if error.path is None:  # raised where the file was not known, such as while painting
                error.path = ref.source if isinstance(ref.source, os.PathLike) else ref.key
            raise
        assert isinstance(painted.label, Mask)  # noqa: S101 - what `as_mask` is for
        # What is painted stands in the thread's buffer, which the next sample is painted over.
        return painted.label.ids.copy(), sample.notes, rule
