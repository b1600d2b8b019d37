"""Source and target folders: what is refused before anything is read or written."""

from __future__ import annotations

import os
from pathlib import Path

from segfmt.errors import UsageError


def check_folders(root: Path, out: Path, overwrite: bool) -> None:
    """Raise `UsageError` unless `out` is a place to write to, apart from `root`.

    It must be empty unless `overwrite`, and no link in it may lead out of it.
    """
    real_root, real_out = root.resolve(), out.resolve()
    if real_out.is_relative_to(real_root) or real_root.is_relative_to(real_out):
        raise UsageError(
            f"{out} and {root} contain one another; give a target outside of the source"
        )
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; give a folder to write to")
    if not overwrite and out.is_dir() and any(out.iterdir()):
        raise UsageError(
            f"{out} is not empty. "
            "Give another folder, or --overwrite to replace what segfmt wrote there"
        )
    for folder, names, _ in os.walk(out):
        for path in (Path(folder, name) for name in names):
            if path.is_symlink() and not path.resolve().is_relative_to(real_out):
                raise UsageError(f"{path} is a link that leads out of the target; remove it")
