"""What the user asks of classes: `--classes` selects some, `--map` renames them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from segfmt.classes import ClassInfo, ClassTable, normal_name
from segfmt.errors import UsageError, did_you_mean
from segfmt.tables import TABLES, VOID_COLOR, read_table

Rest = Literal["background", "ignore", "error"]
Mapped = dict[int, ClassInfo]


def mapped_classes(
    source: ClassTable,
    classes: str | Mapping[str, int] | None = None,
    map: str | Path | Mapping[str, str] | ClassTable | None = None,
    rest: Rest | None = None,
) -> tuple[Mapped, ClassTable]:
    """Return what each source id becomes, and the table of all that they become.

    Parameters
    ----------
    classes
        `person=1,car=2` or `person,car` (numbered from 1): only these stay, under these ids; names
        of one id merge under the first.
    map
        A table, the name of a built-in one, or a class table's file: every class goes to that of
        its name.
        Or a TOML file, or mapping, of `"source name" = "target name"`, where `background` and
        `ignore` are the roles.
    rest
        What classes become that are not named: background (the default for `classes`), ignore, or
        an error (the default for `map`).

    Raises
    ------
    UsageError
        For names that are no class, ids that are taken, and what the map leaves out.
    """
    if rest is not None and classes is None and map is None:
        raise UsageError("--rest is for --classes and --map")
    if classes is not None and map is not None:
        raise UsageError("--classes selects and --map maps all: give one of them")
    if classes is not None:
        return _selected(source, _pairs(classes), rest or "background")
    if map is None:
        return {info.id: info for info in source}, source
    if isinstance(map, ClassTable):
        return _into_table(source, map, rest or "error")
    if isinstance(map, str) and map in TABLES:
        return _into_table(source, TABLES[map], rest or "error")
    if not isinstance(map, Mapping):
        path = Path(map)
        if not path.is_file():
            mend = did_you_mean(str(map), TABLES) or f"Tables: {', '.join(TABLES)}."
            raise UsageError(f"--map {map}: there is neither such a table nor such a file. {mend}")
        if path.suffix.lower() in (".json", ".txt"):
            return _into_table(source, read_table(path), rest or "error")
        map = _read_map(path)
    return _renamed(source, map, rest or "error")


def known(name: str, table: ClassTable) -> str:
    """Return what to say after a name that is no class: the nearest, or all there are."""
    names = [info.name for info in table]
    return did_you_mean(name, names) or f"It has: {', '.join(names[:40])}."


def without_ignore(table: ClassTable) -> ClassTable:
    """Return the table without its ignore class, for targets that make it background."""
    return ClassTable(info for info in table if info.role != "ignore")


def _pairs(classes: str | Mapping[str, int]) -> dict[str, int]:
    if isinstance(classes, Mapping):
        return dict(classes)
    pairs: dict[str, int] = {}
    for number, part in enumerate(classes.split(","), start=1):
        name, equals, id = part.rpartition("=")
        if not equals:
            name, id = part, str(number)
        if not id.strip().isdecimal() or int(id) > 255:
            raise UsageError(f"--classes {part.strip()}: give NAME=ID, an id being 0 to 255")
        if normal_name(name) in {normal_name(other) for other in pairs}:
            raise UsageError(f'--classes: "{name.strip()}" is named twice')
        pairs[name.strip()] = int(id)
    return pairs


def _selected(source: ClassTable, pairs: dict[str, int], rest: Rest) -> tuple[Mapped, ClassTable]:
    mapped: Mapped = {}
    first: dict[int, ClassInfo] = {}
    for name, id in pairs.items():
        info = source.get(name)
        if info is None:
            raise UsageError(f'--classes: the source has no class "{name}". {known(name, source)}')
        mapped[info.id] = first.setdefault(id, replace(info, id=id))
    return _completed(source, mapped, list(first.values()), rest, "--classes names")


def _into_table(source: ClassTable, table: ClassTable, rest: Rest) -> tuple[Mapped, ClassTable]:
    roles = {"background": table.background, "ignore": table.ignore}
    mapped = {
        info.id: found
        for info in source
        if (found := roles.get(info.role) or table.get(info.name)) is not None
    }
    return _completed(source, mapped, list(table), rest, "the table has")


def _read_map(path: Path) -> Mapping[str, str]:
    import tomllib  # as few runs need it

    try:
        document: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path}: cannot be read as a map: {error}") from error
    if strange := [name for name, value in document.items() if not isinstance(value, str)]:
        raise UsageError(f'{path}: "{strange[0]}" must be given a name: "source" = "target"')
    return document


def _renamed(source: ClassTable, names: Mapping[str, str], rest: Rest) -> tuple[Mapped, ClassTable]:
    mapped: Mapped = {}
    found: dict[str, ClassInfo] = {}
    roles = {"background", "ignore"}
    for name, new in names.items():
        info = source.get(name)
        if info is None:
            raise UsageError(f'--map: the source has no class "{name}". {known(name, source)}')
        if normal_name(new) not in roles:
            # Ids in the order of the map; a target with a table of its own goes by name anyway.
            kept = found.setdefault(
                normal_name(new), ClassInfo(len(found) + 1, new, info.color, "class")
            )
            mapped[info.id] = kept
    table = list(found.values())
    background, ignore = _roles(source, table)
    by_role = {"background": background, "ignore": ignore}
    for name, new in names.items():
        if normal_name(new) in roles:
            mapped[source.by_name(name).id] = by_role[normal_name(new)]
    return _completed(source, mapped, table, rest, "the map names")


def _roles(source: ClassTable, kept: list[ClassInfo]) -> tuple[ClassInfo, ClassInfo]:
    """Return the background and ignore classes of a result that has these classes."""
    roles = {info.role: info for info in kept}
    background = roles.get("background") or replace(
        source.background or ClassInfo(0, "background", role="background"), id=0
    )
    ignore = roles.get("ignore") or replace(
        source.ignore or ClassInfo(255, "ignore", VOID_COLOR, "ignore"), id=255
    )
    for info in (background, ignore):
        if info not in kept and any(info.id == other.id for other in kept):
            raise UsageError(f"id {info.id} is that of {info.role}: a class cannot have it")
    return background, ignore


def _completed(
    source: ClassTable, mapped: Mapped, kept: list[ClassInfo], rest: Rest, what: str
) -> tuple[Mapped, ClassTable]:
    """Send what is not mapped yet where its role, or `rest`, says; return the map and its table."""
    background, ignore = _roles(source, kept)
    left = [info for info in source if info.id not in mapped and info.role == "class"]
    if left and rest == "error":
        names = ", ".join(f'"{info.name}"' for info in left)
        raise UsageError(
            f"{what} nothing for {names}. Name them, or give --rest background or ignore"
        )
    for info in source:
        if info.id not in mapped:
            role = rest if info.role == "class" else info.role
            mapped[info.id] = ignore if role == "ignore" else background
    used = set(mapped.values())
    extra = [info for info in (background, ignore) if info not in kept and info in used]
    if background not in kept and background not in extra:
        extra.append(background)
    return mapped, ClassTable(sorted([*kept, *extra], key=lambda info: info.id))
