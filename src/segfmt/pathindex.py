"""Files by name, a million of them without a gigabyte: what listing a dataset looks up."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

HELD = 10_000  # files in memory, some 4 MB; more go to a temporary file of the system's


class PathIndex(Mapping[str, Path]):
    """A mapping of names to files below `root`, in the order in which they were added."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._prefix = os.path.join(root, "")  # noqa: PTH118 - with the separator at its end
        self._held: dict[str, str] = {}
        self._db: sqlite3.Connection | None = None

    def add(self, name: str, path: Path) -> None:
        """Take in a file, in place of any other of that name."""
        # Cut off rather than `relative_to`, which takes longer than all the rest.
        self._held[name] = str(path).removeprefix(self._prefix)
        if len(self._held) >= HELD:
            self._spill()

    def __getitem__(self, name: str) -> Path:
        place = self._held.get(name)
        if place is None and self._db is not None:
            row = self._db.execute("select path from paths where name = ?", (_bytes(name),))
            place = next((_text(path) for (path,) in row), None)
        if place is None:
            raise KeyError(name)
        return self._root / place

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._rows())

    def __len__(self) -> int:
        if self._db is None:
            return len(self._held)
        self._spill()
        return int(self._db.execute("select count(*) from paths").fetchone()[0])

    def pairs(self) -> Iterator[tuple[str, Path]]:
        """Yield names and files: `items` would look each up again."""
        return ((name, self._root / place) for name, place in self._rows())

    def _rows(self) -> Iterator[tuple[str, str]]:
        if self._db is None:
            yield from self._held.items()
            return
        self._spill()
        for name, path in self._db.execute("select name, path from paths order by place"):
            yield _text(name), _text(path)

    def _spill(self) -> None:
        if self._db is None:
            # Listing may go on in another thread than it began in, never in two at once.
            self._db = sqlite3.connect("", check_same_thread=False)
            self._db.execute("pragma journal_mode=off")
            self._db.execute(
                "create table paths (place integer primary key, name blob unique, path blob)"
            )
        self._db.executemany(
            "insert into paths (name, path) values (?, ?)"
            " on conflict (name) do update set path = excluded.path",
            ((_bytes(name), _bytes(path)) for name, path in self._held.items()),
        )
        self._held.clear()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")
