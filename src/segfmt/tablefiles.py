"""Class tables that datasets keep beside their masks, whatever the file is called."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from segfmt.classes import ClassInfo, ClassTable, Color, Role
from segfmt.errors import FormatError
from segfmt.files import inside
from segfmt.jsonfile import load_json
from segfmt.lists import read_list
from segfmt.tables import read_table, table_named

if TYPE_CHECKING:
    from collections.abc import Iterable


class Meta(msgspec.Struct):
    """What is read of datumaro's `dataset_meta.json`; `segmentation_colors` are by id."""

    label_map: dict[int, str]
    segmentation_colors: list[Color | None] = []
    background_label: int | None = None


META = msgspec.json.Decoder(Meta, strict=False)


def dataset_table(root: Path, given: str = "", *, follow_links: bool = False) -> ClassTable | None:
    """Return the class table that was given, by name or file, or else the one in the root, if any.

    `UsageError` for a name that is none, `FormatError` for a file that is none, or that is a link
    out of the root unless `follow_links`.
    """
    if given:
        path = Path(given)
        read = TABLE_FILES.get(path.name)
        return read(path) if read and path.is_file() else table_named(given)
    found = (name for name in TABLE_FILES if (root / name).is_file())
    paths = (inside(root / name, root, follow_links=follow_links) for name in found)
    return next((TABLE_FILES[path.name](path) for path in paths), None)


def read_meta(path: Path) -> ClassTable:
    """Read the classes that datumaro writes beside its formats; `FormatError` if there are none."""
    meta, _ = load_json(path, META)
    colors = dict(enumerate(meta.segmentation_colors))
    roles: dict[int | None, Role] = {meta.background_label: "background"}
    return _table(
        path,
        (
            ClassInfo(id, name, colors.get(id) or (0, 0, 0), roles.get(id, "class"))
            for id, name in meta.label_map.items()
        ),
    )


def read_label_colors(path: Path) -> ClassTable:
    """Read CamVid's `label_colors.txt`, `r g b name` a line; `FormatError` if it is none.

    The file has no ids: the first black class is the background and gets 0, the others follow in
    the order of the file.
    """
    rows: list[tuple[Color, str]] = []
    for number, line in read_list(path):
        *parts, name = line.split(None, 3)
        if len(parts) != 3 or not all(part.isdecimal() for part in parts):
            raise FormatError("is not r g b name", path=path, where=f"line {number}")
        rows.append(((int(parts[0]), int(parts[1]), int(parts[2])), name))
    black = next((row for row in rows if not any(row[0])), None)
    if black:
        rows.remove(black)
        rows.insert(0, black)
    return _table(
        path,
        (
            ClassInfo(id, name, color, "background" if black and id == 0 else "class")
            for id, (color, name) in enumerate(rows)
        ),
    )


def _table(path: Path, classes: Iterable[ClassInfo]) -> ClassTable:
    try:
        return ClassTable(classes)
    except ValueError as error:
        raise FormatError(f"is no class table: {error}", path=path) from error


TABLE_FILES = {
    "classes.json": read_table,
    "dataset_meta.json": read_meta,
    "labelmap.txt": read_table,
    "label_colors.txt": read_label_colors,
}
