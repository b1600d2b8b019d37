"""Which class of one dataset is which of another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from segfmt.classes import ClassInfo, ClassTable
from segfmt.classmap import Rest, mapped_classes
from segfmt.errors import UsageError
from segfmt.remap import ClassMap, class_map
from segfmt.tables import VOID_COLOR, anonymous_table


@dataclass(frozen=True, slots=True)
class CommonClasses:
    """The classes that two datasets are compared under, numbered from 0, and the way there."""

    table: ClassTable
    a: ClassMap
    b: ClassMap


def common_classes(
    a: ClassTable,
    b: ClassTable,
    classes: str | Mapping[str, int] | None,
    map: str | Path | Mapping[str, str] | None,
    rest: Rest | None,
) -> CommonClasses:
    """Return B's classes with what A's become: by role and by name, never by id or color.

    `map` and `rest` say what A's classes become, as for `mapped_classes`. With `classes` only those
    are compared; all else of either side becomes background, or what `rest` says.

    Raises `UsageError` where a class of A has none in B.
    """
    mapped, adopted = mapped_classes(a, classes, map, rest)
    if classes is None:
        return classes_through(a, mapped, b)
    table = _from_zero(adopted, a, b)
    others = table.ignore if rest == "ignore" else table.background
    assert others is not None  # noqa: S101 - `mapped_classes` gives one to what is left
    of_b = {info.id: info if info.role != "class" else others for info in b}
    of_b |= {info.id: mapped[same.id] for info in b if (same := _same(info, a)) is not None}
    reached = {info.name for info in of_b.values()}
    if missing := [
        info.name for info in adopted if info.role == "class" and info.name not in reached
    ]:
        raise UsageError(f"B has no class named {', '.join(missing)}. {_names(b)}")
    return CommonClasses(table, class_map(a, mapped, table), class_map(b, of_b, table))


def classes_through(a: ClassTable, mapped: Mapping[int, ClassInfo], b: ClassTable) -> CommonClasses:
    """Return B's classes with what A's become, where that is known by id."""
    table = _from_zero(b, a)
    try:
        to_table = class_map(a, mapped, table)
    except UsageError as error:
        nameless = b == anonymous_table() != a
        hint = "B keeps no class names: if its ids are A's, give -b table=FILE|NAME. " * nameless
        raise UsageError(f"comparing A with B as the target: {hint}{error}") from error
    return CommonClasses(table, to_table, class_map(b, {info.id: info for info in b}, table))


def _same(info: ClassInfo, table: ClassTable) -> ClassInfo | None:
    names = (table.get(name) for name in (info.name, *info.aliases))
    found = next((other for other in names if other is not None), None)
    return found if found and found.role == info.role else None


def _names(table: ClassTable) -> str:
    return f"It has: {', '.join(info.name for info in table if info.role == 'class')}."


def _from_zero(classes: Iterable[ClassInfo], *sides: ClassTable) -> ClassTable:
    """Return the classes under ids from 0, with the roles that the two sides need.

    Ids from 0 make the smallest confusion matrix, and fit 8 bits where the datasets' own do not.
    """
    infos = list(classes)
    table = ClassTable(infos)
    if any(side.ignore for side in sides) and not table.ignore:
        infos.append(_role_class("ignore", table))
    if not table.background and not table.ignore:
        infos.append(_role_class("background", table))
    return ClassTable(replace(info, id=id) for id, info in enumerate(infos))


def _role_class(role: Literal["background", "ignore"], table: ClassTable) -> ClassInfo:
    """Return a class for a role that no class of the table has, though one may have its name."""
    name = f"{role} (of A)" if role in table else role
    return ClassInfo(0, name, VOID_COLOR if role == "ignore" else (0, 0, 0), role)
