"""Everything that segfmt raises on purpose.

    SegfmtError
     ├── UsageError      what was asked for cannot be done: an option, a class map, a target folder
     ├── PluginError     a plug-in is broken, missing, or clashes with another
     ├── FormatError     a file of the dataset is not what its format says
     └── ExecutorError   workers could not be started, or died

A `FormatError` that is raised while one sample is read or written makes that sample `Failed`;
raised anywhere else, like the other three, it ends the run.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    from segfmt.model import Note


class SegfmtError(Exception):
    """Base of every error that segfmt raises on purpose."""


class UsageError(SegfmtError):
    """What was asked for cannot be done as asked."""


class PluginError(SegfmtError):
    """A plug-in is broken, missing, or clashes with another."""


class ExecutorError(SegfmtError):
    """Workers could not be started, or died."""


class FormatError(SegfmtError):
    """A file is not what its format says.

    Parameters
    ----------
    problem
        What is wrong, in one sentence without a full stop.
    path
        The file.
    where
        The place in it: `line 3, column 7`, or a field such as `Annotation[4].Label`.
    mend
        What the user can do about it.
    notes
        What else is to be counted in the report for this sample.
    """

    def __init__(
        self,
        problem: str,
        *,
        path: str | PathLike[str] | None = None,
        where: str = "",
        mend: str = "",
        notes: Iterable[Note] = (),
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.path = path
        self.where = where
        self.mend = mend
        self.notes = tuple(notes)

    def __str__(self) -> str:
        place = ", ".join(part for part in (str(self.path or ""), self.where) if part)
        text = f"{place}: {self.problem}" if place else self.problem
        return f"{text}. {self.mend}" if self.mend else text


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `Did you mean "..."?` for the nearest known word, or nothing.

    >>> did_you_mean("pedestrain", ["road", "pedestrian"])
    'Did you mean "pedestrian"?'
    >>> did_you_mean("zebra", ["road"])
    ''
    """
    names = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(word.casefold(), names, n=1, cutoff=0.7)
    return f'Did you mean "{names[close[0]]}"?' if close else ""
