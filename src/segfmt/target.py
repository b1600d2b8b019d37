"""Source and target: what is refused before anything is read or written; where state is kept."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from segfmt.errors import UsageError
from segfmt.files import STATE_FOLDER, atomic_write
from segfmt.places import is_stored
from segfmt.sources import sources_of

if TYPE_CHECKING:
    from collections.abc import Iterator

JOURNAL = "journal.sqlite"
REPORT_FILE = "report.json"


def check_folders(root: Path, out: Path, *, overwrite: bool, resume: bool) -> None:
    """Raise `UsageError` unless `out` is a place to write to, apart from `root`.

    It must be empty unless `overwrite`, or unless there is a run in it to `resume`; and no link in
    it may lead out of it.
    """
    if overwrite and resume:
        raise UsageError("--resume goes on with a run and --overwrite replaces it: give one")
    real_out = out.resolve()
    for source in sources_of(root):
        real_source = source.resolve()
        if real_out.is_relative_to(real_source) or real_source.is_relative_to(real_out):
            raise UsageError(
                f"{out} and {source} contain one another; give a target outside of the source"
            )
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; give a folder to write to")
    known = _journal_of(out) is not None
    if not overwrite and not (resume and known) and out.is_dir() and any(out.iterdir()):
        again = "--resume to go on with the run there, or " if known else ""
        raise UsageError(
            f"{out} is not empty. "
            f"Give another folder, {again or 'or '}--overwrite to replace what segfmt wrote there"
        )
    for folder, names, files in os.walk(out) if not is_stored(out) else ():
        # Other files are replaced, links as they are; those of the state are written in place.
        written = [*names, *files] if Path(folder) == out / STATE_FOLDER else names
        for path in (Path(folder, name) for name in written):
            if path.is_symlink() and not path.resolve().is_relative_to(real_out):
                raise UsageError(f"{path} is a link that leads out of the target; remove it")


def state_root(out: Path) -> Path:
    """Return the folder that holds a target's `.segfmt` while a run goes on.

    That is the target itself, or for a URL one of this machine: below `SEGFMT_STATE`, or else where
    the system keeps caches.
    """
    if not is_stored(out):
        return out
    chosen = os.environ.get("SEGFMT_STATE")
    return (Path(chosen) if chosen else _cache()) / blake2b(
        str(out).encode(), digest_size=12
    ).hexdigest()


def _cache() -> Path:
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home())
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "segfmt" / "targets"


def _journal_of(out: Path) -> Path | None:
    """Return the journal of the run before: this machine's, if a stopped run left one here."""
    places = dict.fromkeys(root / STATE_FOLDER / JOURNAL for root in (state_root(out), out))
    return next((path for path in places if path.is_file()), None)


def fetch_state(out: Path) -> None:
    """See to it that the journal of the run before into `out` is where this machine keeps it."""
    here, found = state_root(out) / STATE_FOLDER / JOURNAL, _journal_of(out)
    if found and is_stored(found):
        here.parent.mkdir(parents=True, exist_ok=True)
        here.write_bytes(found.read_bytes())


def publish_state(out: Path) -> None:
    """Put what is known of a run into a target of a store, and nowhere else."""
    if is_stored(out):
        folder = state_root(out) / STATE_FOLDER
        for name in (JOURNAL, REPORT_FILE):
            atomic_write(out / STATE_FOLDER / name, (folder / name).read_bytes())
        shutil.rmtree(folder.parent)


@contextmanager
def fetched_state(out: Path) -> Iterator[None]:
    """Have the journal of a target here for reading, while in here."""
    borrowed = is_stored(out) and not (state_root(out) / STATE_FOLDER / JOURNAL).is_file()
    fetch_state(out)
    try:
        yield
    finally:
        if borrowed:
            shutil.rmtree(state_root(out), ignore_errors=True)
