"""What the labels of a labelme dataset mean: `classes.json`, `labels.txt`, or the labels alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import segfmt
from segfmt import ClassInfo, ClassTable

BACKGROUND, IGNORE = "_background_", "__ignore__"  # the labels that labelme2voc takes for these
TABLE, LABELS = "classes.json", "labels.txt"
LISTS = (LABELS, "class_names.txt")  # what labelme2voc reads, and what it writes
VOID = 255  # as which labelme saves ignore


def dataset_table(root: Path, given: str) -> ClassTable | None:
    """Return the classes of the table that was given, or else of a file in the root, if any.

    Raises `UsageError` for a name that is none, `FormatError` for a file that is none.
    """
    if given:
        path = Path(given)
        names = path.suffix.lower() == ".txt" and path.name != "labelmap.txt" and path.is_file()
        return _with_roles(read_names(path) if names else segfmt.table_named(given))
    if (root / TABLE).is_file():
        return _with_roles(segfmt.read_table(root / TABLE))
    paths = (root / name for name in LISTS)
    return next((read_names(path) for path in paths if path.is_file()), None)


def read_names(path: Path) -> ClassTable:
    """Read the list of labels, one a line, that labelme2voc takes; `FormatError` if it is none.

    Ids count the lines from `_background_`, which is 0, blank ones too; in a list without it, the
    first class is 1.
    """
    lines = [(number, segfmt.nfc(name)) for number, name in segfmt.read_list(path)]
    zero = next((number for number, name in lines if name == BACKGROUND), None)
    if zero is None:
        zero = 1 if lines and lines[0][1] == IGNORE else 0
    rows = [(number - zero, name) for number, name in lines if name not in (BACKGROUND, IGNORE)]
    if early := [name for id, name in rows if id < 0]:
        raise segfmt.FormatError(
            f'has "{early[0]}" before "{BACKGROUND}", which is 0',
            path=path,
            mend=f'Only "{IGNORE}" stands before it.',
        )
    try:
        return _table(rows, ignore=IGNORE in {name for _, name in lines})
    except ValueError as error:
        raise segfmt.FormatError(f"is no list of classes: {error}", path=path) from error


def collected(labels: Iterable[str]) -> ClassTable:
    """Return the classes that labels name, numbered from 1 by name.

    Spellings that differ in case and white space alone are one class.
    """
    spellings: dict[str, list[str]] = {}
    for label in sorted({segfmt.nfc(label) for label in labels}):
        if label not in (BACKGROUND, IGNORE) and (name := segfmt.normal_name(label)):
            spellings.setdefault(name, []).append(label)
    names = sorted(spelt[0] for spelt in spellings.values())
    return _table(list(enumerate(names, start=1)), ignore=IGNORE in labels)


def _table(rows: list[tuple[int, str]], *, ignore: bool) -> ClassTable:
    colors = segfmt.voc_colors()  # which imgviz gives labelme's masks, too
    classes = [ClassInfo(id, name, colors[id % 256]) for id, name in rows]
    last = max((id for id, _ in rows), default=0)
    if ignore:
        classes.append(ClassInfo(max(VOID, last + 1), IGNORE, colors[VOID], "ignore"))
    return ClassTable([ClassInfo(0, BACKGROUND, role="background"), *classes])


def _with_roles(table: ClassTable) -> ClassTable:
    """Return a table that knows labelme's labels of background and ignore, and has a background.

    What no shape covers must be something, also where every pixel of the source was a class.
    """
    labels = {"background": (BACKGROUND,), "ignore": (IGNORE,)}
    classes = [replace(info, aliases=(*info.aliases, *labels.get(info.role, ()))) for info in table]
    if table.background is None:
        used = {info.id for info in table}
        free = next(id for id in range(len(used) + 1) if id not in used)
        classes.append(ClassInfo(free, BACKGROUND, role="background"))
    return ClassTable(classes)
