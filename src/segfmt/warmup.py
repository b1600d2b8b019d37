"""Compiling the kernels ahead: once a machine, several at a time."""

from __future__ import annotations

import os
import pkgutil
import subprocess
import sys
from pathlib import Path

from segfmt import kernels
from segfmt.errors import SegfmtError


def kernel_modules() -> list[str]:
    """Return the names of the kernel modules."""
    return [module.name for module in pkgutil.iter_modules(kernels.__path__)]


_complete: set[str] = set()  # cache folders that this process has found to have all kernels


def missing() -> list[str]:
    """Return the kernel modules that numba's cache has nothing of.

    Looks at file names alone, so that it costs nothing; whether what is there still fits this CPU
    and this version, numba finds out when it loads it.
    """
    folders = [Path(path) / "__pycache__" for path in kernels.__path__]
    if chosen := os.environ.get("NUMBA_CACHE_DIR"):
        folders = [Path(chosen)]
    elif not any(os.access(path, os.W_OK) for path in kernels.__path__):
        folders.append(Path.home() / ".cache" / "numba")
    cached = {path.name.split(".")[0] for folder in folders for path in folder.rglob("*.nbi")}
    return [name for name in kernel_modules() if name not in cached]


def compile_missing() -> list[str]:
    """Compile what `missing` names, each in a process of its own; return those names.

    Without this the first sample of every worker would wait for every kernel in turn.
    """
    folder = os.environ.get("NUMBA_CACHE_DIR", "")
    if folder in _complete:
        return []
    names = missing()
    started = [
        subprocess.Popen(  # noqa: S603 - our own interpreter and modules
            [sys.executable, "-c", f"import segfmt.kernels.{name}"],
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in names
    ]
    for name, process in zip(names, started, strict=True):
        _, errors = process.communicate()
        if process.returncode:
            raise SegfmtError(f"kernel {name} does not compile:\n{errors.strip()}")
    _complete.add(folder)
    return names
