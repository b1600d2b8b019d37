"""Categories of annotation files to a class table, and back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import segfmt
from segfmt import ClassInfo, ClassTable, FormatError, UsageError
from segfmt_coco.index import Category, Index

VOID_COLOR = (224, 224, 192)
# labelme's converter writes `_background_` and `__ignore__` as categories.
_ROLES = {
    "background": "background",
    "_background_": "background",
    "ignore": "ignore",
    "__ignore__": "ignore",
}


@dataclass(frozen=True)
class Categories:
    """The classes of a dataset, the class id of each category id, and which of those are things."""

    table: ClassTable
    ids: Mapping[int, int]
    things: frozenset[int]
    remarks: tuple[str, ...]


def read_categories(indexes: Iterable[Index], *, background: bool, ignore: bool) -> Categories:
    """Return the classes of all annotation files together.

    Class ids are category ids, but for 0: a class of that id, unless it is the background itself,
    takes the first one that is free. `background` and `ignore` say which of these is to be there.

    Raises
    ------
    FormatError
        For an id that two categories have, in one file or in two, and ids that are none.
    """
    found: dict[int, Category] = {}
    path = None
    for index in indexes:
        path = index.path
        for category in index.categories:
            if not 0 <= category.id <= 65535:
                problem = (
                    f'"{category.name}" has the category id {category.id}, not one of 0..65535'
                )
                raise FormatError(problem, path=path)
            other = found.setdefault(category.id, category)
            if _folded(other.name) != _folded(category.name):
                raise FormatError(
                    f'category {category.id} is both "{other.name}" and "{category.name}"',
                    path=path,
                    mend="Read the files one at a time with -i files.",
                )
    remarks: list[str] = []
    infos = _class_infos(found, remarks)
    ids = {id: id for id in infos}
    if 0 in infos and infos[0].role != "background":
        ids[0] = _free({*infos}, range(1, 65536))
        color = found[0].color or color_of(ids[0])
        infos[0] = replace(infos[0], id=ids[0], color=color)
        remarks.append(
            f'"{infos[0].name}" has the category id 0, which is the background\'s here: '
            f"its class id is {ids[0]}"
        )
    try:
        table = ClassTable(infos.values())
    except ValueError as error:
        raise FormatError(f"has categories that make no class table: {error}", path=path) from error
    if background:
        table = with_background(table)
    if ignore:
        table = with_ignore(table)
    things = frozenset(ids[id] for id, one in found.items() if one.isthing in (None, True))
    return Categories(table, ids, things, tuple(remarks))


def _class_infos(found: Mapping[int, Category], remarks: list[str]) -> dict[int, ClassInfo]:
    count = Counter(_folded(category.name) for category in found.values())
    pairs = Counter(map(_qualified, found.values()))
    infos = {}
    for id, category in found.items():
        name = segfmt.nfc(category.name).strip() or f"category_{id}"
        if count[_folded(category.name)] > 1:
            unique = pairs[_qualified(category)] == 1 and category.supercategory
            name = f"{name} ({category.supercategory if unique else id})"
            remarks.append(f'several categories are called "{category.name}": {id} is "{name}"')
        infos[id] = ClassInfo(id, name, category.color or color_of(id), role_of(name))
    return infos


def _qualified(category: Category) -> tuple[str, str]:
    return _folded(category.name), _folded(category.supercategory or "")


def _folded(name: str) -> str:
    """Fold a name as class tables compare them."""
    return "".join(segfmt.nfc(name).casefold().split())


def _free(taken: set[int], ids: range) -> int:
    return next(id for id in ids if id not in taken)


def color_of(id: int) -> tuple[int, int, int]:
    """Return the color of an id in VOC's color map, which goes on beyond 255.

    >>> color_of(1), color_of(255)
    ((128, 0, 0), (224, 224, 192))
    """
    red = green = blue = 0
    for bit in range(7, -1, -1):
        red |= (id & 1) << bit
        green |= (id >> 1 & 1) << bit
        blue |= (id >> 2 & 1) << bit
        id >>= 3
    return red, green, blue


def role_of(name: str) -> Any:
    """Return the role that a class of that name has."""
    return _ROLES.get(_folded(name), "class")


def as_background(info: ClassInfo) -> ClassInfo:
    """Return a class by whose name its role is known again where it is background."""
    known = info.role != "background" or role_of(info.name) == "background"
    return info if known else replace(info, name="background")


def with_ignore(classes: ClassTable) -> ClassTable:
    """Return classes that have an ignore class, 255 if that is free."""
    if classes.ignore:
        return classes
    id = _free({0, *(info.id for info in classes)}, range(255, 65536))
    return ClassTable([*classes, ClassInfo(id, "ignore", VOID_COLOR, "ignore")])


def check_eight_bits(classes: ClassTable) -> ClassTable:
    """Return the classes; `UsageError` for an id beyond what masks hold, which are written from."""
    for info in classes:
        if info.id > 255:
            raise UsageError(
                f'class "{info.name}" has the id {info.id}: masks end at 255. '
                "Give it another id with --classes"
            )
    return classes


def with_background(classes: ClassTable) -> ClassTable:
    """Return classes that have a background: what no annotation covers."""
    if classes.background:
        return classes
    id = _free({info.id for info in classes}, range(65536))
    return ClassTable([ClassInfo(id, "background", role="background"), *classes])


def written_categories(
    classes: Iterable[ClassInfo], things: frozenset[int] | None = None
) -> list[dict[str, Any]]:
    """Return `categories` of these classes, with `isthing` where `things` are told."""
    return [
        {"id": info.id, "name": info.name, "supercategory": "", "color": info.color}
        | ({} if things is None else {"isthing": int(info.id in things)})
        for info in sorted(classes, key=lambda info: info.id)
    ]
