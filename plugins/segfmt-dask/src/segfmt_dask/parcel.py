"""What is sent to workers: the work, once, and chunks of items; all as bytes.

Dask looks into the arguments of tasks for futures, and its scheduler unpickles them. Bytes pass
both, and so a scheduler need not have segfmt.
"""

from __future__ import annotations

import pickletools
import platform
from collections.abc import Callable
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, entry_points, version
from typing import TYPE_CHECKING, Any

from distributed.protocol.pickle import dumps, loads

from segfmt_dask._segfmt import STATE_FOLDER

if TYPE_CHECKING:
    from pathlib import Path

Task = Callable[[bytes, bytes], bytes | str]
MEND = "Install there what is installed here, best from one image or one lock file"


def pack(fn: Callable[[Any], Any], target: Path | None) -> bytes:
    """Return what workers are to do, and what each must have to do it as it would be done here."""
    work = dumps(fn)
    packed: bytes = dumps((_versions(work), target, work))
    return packed


def task() -> Task:
    """Return what workers call with a parcel and a chunk; it returns the results, pickled.

    Or a text: why that worker cannot do it. It is a closure, which is pickled by value: a worker
    that cannot unpickle a task dies of it, and one without segfmt is to say that it has none.
    """

    def run_chunk(parcel: bytes, chunk: bytes) -> bytes | str:
        try:
            from segfmt_dask.parcel import run
        except ImportError as error:
            return f"a Dask worker on {platform.node()} has no segfmt-dask: {error}. {MEND}"
        return run(parcel, chunk)

    return run_chunk


def run(parcel: bytes, chunk: bytes) -> bytes | str:
    """Call the parcel's function with each of the chunk's items, as `task` says."""
    try:
        fn = _opened(parcel)
    except _UnfitError as error:
        return f"a Dask worker on {platform.node()} {error}"
    results: bytes = dumps([fn(item) for item in loads(chunk)])
    return results


class _UnfitError(Exception):
    """What is wrong with a worker."""


# Kept from chunk to chunk; several, as several runs may share the workers of a cluster.
@lru_cache(maxsize=4)
def _opened(parcel: bytes) -> Callable[[Any], Any]:
    versions: dict[str, str]
    target: Path | None
    versions, target, work = loads(parcel)
    differing = [
        f"{name} {_installed(name)}, not {wanted}"
        for name, wanted in versions.items()
        if _installed(name) != wanted
    ]
    if differing:
        raise _UnfitError(f"has {'; '.join(differing)}. {MEND}")
    # The run has made it. Without it, what is written would stay on the worker's own disk.
    if target and not (target / STATE_FOLDER).is_dir():
        mend = "" if target.is_absolute() else ", and give SRC and DST as absolute paths"
        raise _UnfitError(
            f"does not see the target {target}. Use a disk that all share, under one path{mend}"
        )
    try:
        fn: Callable[[Any], Any] = loads(work)
    except ImportError as error:
        raise _UnfitError(f"cannot do the work: {error}. {MEND}") from error
    return fn


def _versions(work: bytes) -> dict[str, str]:
    """Return the versions of segfmt and of the plug-ins that unpickling `work` imports."""
    packages = {"segfmt", "segfmt_dask"}
    for _, word, _ in pickletools.genops(work):
        if isinstance(word, str):  # among them the full names of modules
            packages.add(word.partition(".")[0])
    return {
        point.dist.name: point.dist.version
        for point in entry_points(group="segfmt")
        if point.dist and point.module.partition(".")[0] in packages
    }


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
