"""What a conversion will lose, told before it happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segfmt.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from segfmt.classes import ClassInfo
    from segfmt.classmap import Mapped
    from segfmt.format import Accepts, Format
    from segfmt.remap import ClassMap


def losses(
    source: Format,
    target: Format,
    accepts: Accepts,
    mapped: Mapped,
    to_target: ClassMap,
    *,
    ids_chosen: bool,
) -> list[str]:
    """Return what of the source's labels the target cannot hold, one phrase each.

    `mapped` is what the user made of the source's classes: what that changes is no loss, nor are
    ids if `ids_chosen`. Formats that do not declare what they hold lose nothing here.
    """
    if target.holds is None:
        return []
    lost = []
    if source.holds is not None:
        if source.holds.instances and not accepts.instances:
            lost.append("objects: those of one class are no longer told apart")
        if source.holds.holes and not target.holds.holes:
            lost.append("holes: they become cuts or layers, which paint the same pixels")
    if any(info.role == "ignore" for info in mapped.values()) and not to_target.table.ignore:
        lost.append("ignore: it becomes background")
    classes = [(id, info) for id, info in mapped.items() if info.role == "class"]
    kept = bool(target.holds.colors or target.table)
    lost += _of_classes("color", [_colors(to_target, id, info, kept) for id, info in classes])
    if not ids_chosen:
        lost += _of_classes("id", [_ids(to_target, id, info) for id, info in classes])
    return lost


def losses_of_samples(
    target: Format, splits: Collection[str], suffixes: Mapping[str, int]
) -> list[str]:
    """Return what of the samples the target cannot hold: their splits, their kinds of images."""
    if target.holds is None:
        return []
    lost = []
    if len(splits) > 1 and not target.holds.splits:
        lost.append(f"splits: {', '.join(sorted(splits))} become one")
    kept = {_suffix(suffix) for suffix in target.holds.image_types}
    others = {suffix: count for suffix, count in suffixes.items() if _suffix(suffix) not in kept}
    if kept and others:
        counts = ", ".join(f"{count} {suffix}" for suffix, count in sorted(others.items()))
        lost.append(f"images as they are: {counts} are encoded anew as {' or '.join(sorted(kept))}")
    return lost


def refuse(lost: list[str], source: Format, target: Format) -> None:
    """Raise `UsageError` if anything is lost, or if nobody knows, as `--strict` asks."""
    if target.holds is None or source.holds is None:
        silent = target if target.holds is None else source
        raise UsageError(
            f"--strict: {silent.name} does not say what it can hold, so nothing can be promised"
        )
    if lost:
        lines = "\n".join(f"  - {loss}" for loss in lost)
        raise UsageError(f"--strict: {source.name} to {target.name} would lose\n{lines}")


def _colors(
    to_target: ClassMap, id: int, info: ClassInfo, kept: bool
) -> tuple[str, object, object] | None:
    becomes = to_target.table.by_id(int(to_target.lut[id]))
    color = becomes.color if kept else None
    return None if color == info.color else (info.name, info.color, color)


def _ids(to_target: ClassMap, id: int, info: ClassInfo) -> tuple[str, object, object] | None:
    becomes = int(to_target.lut[id])
    return None if becomes == info.id else (info.name, info.id, becomes)


def _of_classes(what: str, changes: list[tuple[str, object, object] | None]) -> list[str]:
    changed = [change for change in changes if change]
    if not changed:
        return []
    name, old, new = changed[0]
    becomes = "is kept nowhere" if new is None else f"becomes {new}"
    count = f"{len(changed)} classes have" if len(changed) > 1 else "one class has"
    return [f'{what}s: {count} another, such as "{name}", whose {old} {becomes}']


def _suffix(suffix: str) -> str:
    return {".jpeg": ".jpg", ".tiff": ".tif"}.get(suffix.lower(), suffix.lower())
