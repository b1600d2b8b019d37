"""Source and target folders: what is refused before anything is read or written."""

from __future__ import annotations

import os
from pathlib import Path

from segfmt.errors import UsageError
from segfmt.files import STATE_FOLDER

JOURNAL = "journal.sqlite"


def check_folders(root: Path, out: Path, *, overwrite: bool, resume: bool) -> None:
    """Raise `UsageError` unless `out` is a place to write to, apart from `root`.

    It must be empty unless `overwrite`, or unless there is a run in it to `resume`; and no link in
    it may lead out of it.
    """
    if overwrite and resume:
        raise UsageError("--resume goes on with a run and --overwrite replaces it: give one")
    real_root, real_out = root.resolve(), out.resolve()
    if real_out.is_relative_to(real_root) or real_root.is_relative_to(real_out):
        raise UsageError(
            f"{out} and {root} contain one another; give a target outside of the source"
        )
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; give a folder to write to")
    known = (out / STATE_FOLDER / JOURNAL).is_file()
    if not overwrite and not (resume and known) and out.is_dir() and any(out.iterdir()):
        again = "--resume to go on with the run there, or " if known else ""
        raise UsageError(
            f"{out} is not empty. "
            f"Give another folder, {again or 'or '}--overwrite to replace what segfmt wrote there"
        )
    for folder, names, _ in os.walk(out):
        for path in (Path(folder, name) for name in names):
            if path.is_symlink() and not path.resolve().is_relative_to(real_out):
                raise UsageError(f"{path} is a link that leads out of the target; remove it")
