"""The journal of a run, in `<target>/.segfmt/`: which samples are done, which files they have."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from segfmt.errors import UsageError
from segfmt.files import STATE_FOLDER
from segfmt.format import Entry
from segfmt.report import Done

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self

    from segfmt.report import Outcome

FILE = "journal.sqlite"
COMMIT_SECONDS = 1.0
SCHEMA = """
create table if not exists samples (
    split text not null, key text not null, files text not null,
    primary key (split, key)
) without rowid
"""


class Journal:
    """A record of what was written, kept by the main process alone; use it as a context manager.

    It holds entries on disk, so that memory does not grow with the dataset, and gives them back in
    the order of split and key.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        folder = target / STATE_FOLDER
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{target}: cannot be written to: {error.strerror}") from error
        try:
            self._db = sqlite3.connect(folder / FILE)
            self._db.execute(SCHEMA)
        except sqlite3.DatabaseError as error:
            raise UsageError(f"{folder / FILE}: cannot be used as a journal: {error}") from error
        self._committed = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._db.commit()
        self._db.close()

    def record(self, outcome: Outcome) -> None:
        """Take in an outcome."""
        if isinstance(outcome, Done):
            entry = outcome.entry
            self._db.execute(
                "insert or replace into samples values (?, ?, ?)",
                (entry.split, entry.key, msgspec.json.encode(entry.files).decode()),
            )
            if time.monotonic() - self._committed > COMMIT_SECONDS:
                self._db.commit()
                self._committed = time.monotonic()

    def entries(self) -> Iterator[Entry]:
        """Yield what was written, by split and key."""
        query = "select split, key, files from samples order by split, key"
        for split, key, files in self._db.execute(query):
            yield Entry(split, key, msgspec.json.decode(files, type=tuple[str, ...]))

    def clear(self) -> None:
        """Remove the files of the run before and forget them; anything else in the target stays."""
        root = self._target.resolve()
        folders: set[Path] = set()
        for entry in self.entries():
            for name in entry.files:
                path = self._target / name
                # A journal is data too: it may have been edited, or a folder swapped for a link.
                if path.parent.resolve().is_relative_to(root):
                    path.unlink(missing_ok=True)
                    folders.add(path.parent)
        for folder in sorted(folders, key=lambda path: -len(path.parts)):
            for empty in (folder, *folder.parents):
                if empty == self._target or not empty.is_dir() or any(empty.iterdir()):
                    break
                empty.rmdir()
        self._db.execute("delete from samples")
        self._db.commit()
