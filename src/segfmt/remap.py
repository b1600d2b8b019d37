"""From the source's ids to the target's: one look-up table a run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from segfmt.errors import FormatError, UsageError
from segfmt.model import Mask, Polygons
from segfmt.pairs import recode_pairs

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from segfmt.classes import ClassInfo, ClassTable

IgnoreTo = Literal["background"]
UNMAPPED = -1


@dataclass(frozen=True, eq=False)
class ClassMap:
    """What each source id becomes.

    `lut` is int32 (256 or more,): the target's id, or -1 for ids that are no class of the source.
    `background` is the target's id of what no label covers, None if it has none; `table` and
    `source` are the target's classes and the source's.
    """

    lut: npt.NDArray[np.int32]
    background: int | None
    table: ClassTable
    source: ClassTable

    def polygons(self, polygons: Polygons) -> Polygons:
        """Return the polygons under the target's ids; a few numbers, so map before painting."""
        class_ids = self.lut[polygons.class_ids]
        if polygons.instance_ids is None:
            same = np.array_equal(class_ids, polygons.class_ids)
            return polygons if same else replace(polygons, class_ids=class_ids)
        mapped = replace(polygons, class_ids=class_ids)
        numbers = self._numbers(polygons.class_ids, polygons.instance_ids)
        return replace(mapped, instance_ids=numbers.astype(np.int32))

    def mask(self, mask: Mask) -> Mask:
        """Return the mask under the target's ids.

        `mask.ids` may be uint16, the result's are uint8. Raises `FormatError` for an id that is no
        class, and for a pixel whose color several classes share that become different ones.
        """
        from segfmt.kernels.lut import remap_ids

        wide = mask.ids.dtype == np.uint16
        lut = np.full(65536 if wide else 256, UNMAPPED, np.int32)
        lut[: len(self.lut)] = self.lut[: len(lut)]
        fits = (lut >= 0) & (lut <= 255)
        narrow = np.where(fits, lut, 0).astype(np.uint8)
        if wide:
            ids = narrow[mask.ids]
            used = (np.bincount(mask.ids.reshape(-1), minlength=len(lut)) > 0).astype(np.uint8)
        else:
            ids = np.empty(mask.ids.shape, np.uint8)
            used = np.zeros(256, np.uint8)
            flat = np.ascontiguousarray(mask.ids).reshape(-1)
            remap_ids(flat, narrow, ids.reshape(-1), used)
        for group in mask.ambiguous:
            if used[group[0]] and len({int(lut[id]) for id in group}) > 1:
                names = " and ".join(f'"{self.source.by_id(id).name}"' for id in group)
                raise FormatError(
                    f"has pixels of a color that {names} share",
                    where=_first(mask.ids, group[0]),
                    mend="Map them to one class, take labels that are no colors, or give "
                    "-i ambiguous=first.",
                )
        for id in np.flatnonzero(used & ~fits).tolist():
            raise FormatError(
                f"has the id {id}, which is no class of the dataset", where=_first(mask.ids, id)
            )
        if mask.instances is None:
            return Mask(ids)
        return Mask(ids, recode_pairs(mask.ids, mask.instances, self._numbers))

    def _numbers(
        self, class_ids: npt.NDArray[np.integer[Any]], numbers: npt.NDArray[np.integer[Any]]
    ) -> npt.NDArray[np.int32]:
        """Return object numbers under the target's classes: none twice where classes become one.

        Objects of what becomes background or ignore are none any more.
        """
        result = np.where(self._of_objects[class_ids], numbers, 0).astype(np.int32)
        if not self._merges:
            return result
        for target in np.unique(self.lut[class_ids[result > 0]]).tolist():
            here = (self.lut[class_ids] == target) & (result > 0)
            if len(np.unique(class_ids[here])) > 1:
                pairs = np.stack([class_ids[here], numbers[here]])
                result[here] = np.unique(pairs, axis=1, return_inverse=True)[1].reshape(-1) + 1
        return result

    @cached_property
    def _of_objects(self) -> npt.NDArray[np.bool_]:
        """Whether a source id becomes a class, which may have objects."""
        return np.isin(self.lut, [info.id for info in self.table if info.role == "class"])

    @cached_property
    def _merges(self) -> bool:
        """Whether classes become one."""
        becomes = self.lut[self._of_objects]
        return len(np.unique(becomes)) < len(becomes)


def class_map(
    source: ClassTable,
    mapped: Mapping[int, ClassInfo],
    target: ClassTable,
    ignore_to: IgnoreTo | None = None,
) -> ClassMap:
    """Return the map from the source's ids to the target's.

    `mapped` says what each source class becomes; that is found in the target by role and by name,
    never by id or color. A target without a background takes ignore for it.

    Raises
    ------
    UsageError
        With the names of all classes that have none in the target, and a map to edit; or if there
        is ignore and the target cannot hold it.
    """
    background = target.background or target.ignore
    lut = np.full(max([256, *(info.id + 1 for info in source)]), UNMAPPED, np.int32)
    missing = []
    for info in source:
        wanted = mapped[info.id]
        found = target.get(wanted.name) if wanted.role == "class" else background
        if wanted.role == "ignore":
            found = target.ignore or (background if ignore_to else None)
            if found is None and ignore_to:
                raise UsageError(
                    f'"{wanted.name}" cannot become the background, which neither the source nor '
                    "the target has: leave --ignore-to out"
                )
            if found is None:
                raise UsageError(
                    f'the target cannot hold "{wanted.name}" apart from the background. '
                    "Give --ignore-to background if it may become that"
                )
        if found is None:
            missing.append(info)
        else:
            lut[info.id] = found.id
    if missing:
        raise UsageError(_missing_names(missing, source, mapped, target))
    return ClassMap(lut, None if background is None else background.id, target, source)


def _first(ids: npt.NDArray[np.uint8], id: int) -> str:
    y, x = np.unravel_index(int((ids == id).argmax()), ids.shape)
    return f"pixel x={x}, y={y}"


def _missing_names(
    missing: list[ClassInfo],
    source: ClassTable,
    mapped: Mapping[int, ClassInfo],
    target: ClassTable,
) -> str:
    names = ", ".join(f'"{info.name}"' for info in missing)
    known = ", ".join(info.name for info in target if info.role == "class")
    lines = [
        f'"{info.name}" = "{"background" if info in missing else mapped[info.id].name}"'
        for info in source
        if info.role == "class"
    ]
    return "\n".join(
        [
            f"the target has no class named {names}.",
            f"It has: {known}.",
            "Save this as map.toml, say what each class is to become, and give --map map.toml:",
            "",
            *lines,
        ]
    )
