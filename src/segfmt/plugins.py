"""The plug-in host: finds formats and executors, built-in and installed alike."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version
from operator import itemgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

import pluggy

from segfmt import hookspecs
from segfmt.errors import PluginError, UsageError, did_you_mean
from segfmt.format import Executor, Format

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

GROUP = "segfmt"
# What the plug-ins bring that are kept with segfmt: whoever asks for it is told where it is.
OFFERED = MappingProxyType(
    {
        "ade20k": "segfmt-ade20k",
        "ade20k-full": "segfmt-ade20k",
        "coco": "segfmt-coco",
        "coco-panoptic": "segfmt-coco",
        "coco-stuff": "segfmt-coco",
        "cvat": "segfmt-cvat",
        "labelme": "segfmt-labelme",
        "mapillary": "segfmt-mapillary",
        "yolo": "segfmt-yolo",
    }
)
OFFERED_EXECUTORS = MappingProxyType({"dask": "segfmt-dask"})
Record = TypeVar("Record", Format, Executor)


@dataclass(frozen=True, slots=True)
class Host:
    """What was found: records by name, which plug-in each came from, and what is broken and why."""

    formats: Mapping[str, Format]
    executors: Mapping[str, Executor]
    origins: Mapping[str, str]
    broken: Mapping[str, str]


def load_host(points: Iterable[EntryPoint]) -> Host:
    """Load the plug-ins behind entry points, one by one.

    One that cannot be loaded, or that misspells a hook, is a warning that names its distribution
    and is left out; two that claim one name are a `PluginError` that names both.
    """
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    broken: dict[str, str] = {}
    # Each distribution is asked once: its name stands in its metadata, read for every question.
    names: dict[int, str] = {}
    found: list[tuple[str, EntryPoint]] = []
    for point in points:
        if id(point.dist) not in names:
            names[id(point.dist)] = point.dist.name if point.dist else "unknown"
        found.append((f"{names[id(point.dist)]}:{point.name}", point))
    for origin, point in sorted(found, key=itemgetter(0)):
        try:
            manager.register(point.load(), name=origin)
            manager.check_pending()
        except Exception as error:  # noqa: BLE001 - a stranger's import may raise anything
            if manager.has_plugin(origin):
                manager.unregister(name=origin)
            broken[origin] = f"{type(error).__name__}: {error}"
            warnings.warn(f"plug-in {origin} is left out: {broken[origin]}", stacklevel=2)
    formats = _collect(manager, "segfmt_formats", Format, broken)
    executors = _collect(manager, "segfmt_executors", Executor, broken)
    return Host(
        MappingProxyType({name: record for name, (_, record) in formats.items()}),
        MappingProxyType({name: record for name, (_, record) in executors.items()}),
        MappingProxyType({name: origin for name, (origin, _) in formats.items()}),
        MappingProxyType(broken),
    )


@cache
def host() -> Host:
    """Return the host of everything that is installed; found once a process."""
    return load_host(entry_points(group=GROUP))


def formats() -> Mapping[str, Format]:
    """Return every format that was found, by name; read-only.

    >>> "aihub" in formats()
    True
    """
    return host().formats


def format_named(name: str) -> Format:
    """Return the format of that name; `UsageError` with the nearest names if there is none."""
    return _named("format", name, formats(), OFFERED)


@cache
def version_of(name: str) -> str:
    """Return which distribution brings the format of that name, and its version."""
    origin = host().origins.get(name, "unknown").partition(":")[0]
    try:
        return f"{origin} {version(origin)}"
    except PackageNotFoundError:
        return origin


def executor_named(name: str) -> Executor:
    """Return the executor of that name; `UsageError` if there is none."""
    return _named("executor", name, host().executors, OFFERED_EXECUTORS)


def _named(what: str, name: str, known: Mapping[str, Record], offered: Mapping[str, str]) -> Record:
    if name in known:
        return known[name]
    if name in offered:
        raise UsageError(
            f'the {what} "{name}" comes with a package of its own. '
            f"Install it: pip install {offered[name]}"
        )
    all_known = {*known, *offered}
    mend = did_you_mean(name, all_known) or f"There are: {', '.join(sorted(all_known))}."
    raise UsageError(f'no {what} "{name}". {mend}')


def _collect(
    manager: pluggy.PluginManager, hook: str, kind: type[Record], broken: dict[str, str]
) -> dict[str, tuple[str, Record]]:
    found: dict[str, tuple[str, Record]] = {}
    for implementation in getattr(manager.hook, hook).get_hookimpls():
        origin = implementation.plugin_name
        try:
            records = list(implementation.function())
            if strange := [record for record in records if not isinstance(record, kind)]:
                raise TypeError(f"{hook} returned {strange[0]!r}, not a {kind.__name__}")
        except Exception as error:  # noqa: BLE001 - a stranger's hook may raise anything
            broken[origin] = f"{type(error).__name__}: {error}"
            warnings.warn(f"plug-in {origin} is left out: {broken[origin]}", stacklevel=3)
            continue
        for record in records:
            if record.name in found:
                other = found[record.name][0]
                raise PluginError(
                    f'"{record.name}" is brought by both {other} and {origin}; uninstall one'
                )
            found[record.name] = (origin, record)
    return dict(sorted(found.items()))
