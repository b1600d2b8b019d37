"""Class ids as training code wants them: 0 to n - 1 without gaps, and 255 for ignore."""

from __future__ import annotations

from dataclasses import replace

from segfmt.classes import ClassTable
from segfmt.errors import UsageError

IGNORE = 255


def ignore_as_255(classes: ClassTable, masks: str) -> ClassTable:
    """Return the classes with ignore, if they have it, under the id 255.

    Loaders leave out 255 and nothing else: under another id ignore would be trained on as a class.
    `masks` names what is written in the message of the `UsageError` for a class beyond 254.
    """
    for info in classes:
        if info.role != "ignore" and info.id >= IGNORE:
            raise UsageError(
                f'class "{info.name}" has the id {info.id}: {masks} end at 254, as 255 is ignore. '
                "Give it another id with --classes"
            )
    return ClassTable(
        replace(info, id=IGNORE) if info.role == "ignore" else info for info in classes
    )


def plus_ignore(classes: ClassTable) -> ClassTable:
    """Return the classes with 255 as ignore, unless they have ignore, or a class of that id."""
    taken = "ignore" in classes or any(info.id == IGNORE for info in classes)
    return classes if taken else classes.with_ignore()


def check_contiguous(classes: ClassTable, reader: str) -> None:
    """Raise `UsageError`, with a way to renumber, unless the ids are 0 to n - 1; ignore may differ.

    `reader` is who wants it so: a class list, in which the place of a name is its id.
    """
    kept = sorted((info for info in classes if info.role != "ignore"), key=lambda info: info.id)
    ids = [info.id for info in kept]
    if ids != list(range(len(ids))):
        named = (info.name for info in kept if info.role == "class")
        pairs = ",".join(f"{name}={id}" for id, name in enumerate(named, start=1))
        raise UsageError(
            f"{reader} wants ids from 0 without gaps, and these are {', '.join(map(str, ids))}. "
            f'Renumber them: --classes "{pairs}", the background being 0'
        )
