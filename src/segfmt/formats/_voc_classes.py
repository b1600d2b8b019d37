"""What names the classes of a VOC dataset, and VOC's color map."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from segfmt.classes import ClassInfo, ClassTable, normal_name
from segfmt.errors import FormatError
from segfmt.lists import read_list
from segfmt.tables import read_table, voc_colors

TABLE_FILES = ("classes.json", "labelmap.txt", "class_names.txt")
IGNORE_NAMES = frozenset({"ignore", "ignored", "void", "__ignore__"})  # in labelmaps of other tools
VOID = 255


def colormap() -> npt.NDArray[np.uint8]:
    """Return uint8 (256, 3): the color that VOC's own tools give each index."""
    return np.array(voc_colors(), np.uint8)


OBJECT_COLORS = ClassTable(
    ClassInfo(index, f"object {index}", color) for index, color in enumerate(voc_colors())
)


def read_classes(path: Path) -> ClassTable:
    """Read a file of `TABLE_FILES`; `FormatError` if it is none."""
    if path.name == "classes.json":
        return read_table(path)
    try:
        return _with_roles(read_table(path)) if path.name == "labelmap.txt" else _names(path)
    except ValueError as error:
        raise FormatError(f"is no class table: {error}", path=path) from error


def _names(path: Path) -> ClassTable:
    """Read labelme's `class_names.txt`: the name on line n has the id n - 1 and VOC's color."""
    colors = voc_colors()
    return ClassTable(
        ClassInfo(line - 1, name, colors[min(line, 256) - 1], "class" if line > 1 else "background")
        for line, name in read_list(path)
    )


def _with_roles(table: ClassTable) -> ClassTable:
    """Return a labelmap's classes with the roles that their names say, ignore as 255."""
    background = table.get("background") or table.background
    ignore = next(
        (info for info in table if info.id and normal_name(info.name) in IGNORE_NAMES), None
    )
    return ClassTable(
        replace(info, id=VOID, role="ignore")
        if info is ignore
        else replace(info, role="background" if info is background else "class")
        for info in table
    )
