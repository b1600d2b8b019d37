"""Which rule it is that a reader's error or note tells of.

Errors are told apart by the facts, not by their words: by what they note, and by a look at the file
that they name. So a format that nobody has heard of is sorted as a built-in one is.
"""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from functools import lru_cache
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, cast

from segfmt.errors import FormatError, did_you_mean
from segfmt.findings import Finding
from segfmt.imagefile import IMAGE_SUFFIXES, image_size, load_image, mask_mode
from segfmt.jsonfile import decode_text
from segfmt.limits import read_whole
from segfmt.tables import anonymous_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from segfmt.classes import ClassTable
    from segfmt.model import Note, SampleRef

TEXT_SUFFIXES = frozenset({".json", ".geojson", ".xml", ".txt", ".csv"})
UNKNOWN_LABELS = frozenset({"unknown labels", "unknown types"})
SLIP_LETTERS = 6  # of a name: shorter ones are near to others by nature, as `car` to `cart`
# What readers note that is a rule's; all else is SF199.
RULE_OF_NOTE = {
    "images without a label file, taken for background": "SF101",
    "not JSON, but read": "SF106",
    "sizes taken from the image": "SF111",
    "sizes taken from the label": "SF111",
    "height and width are the wrong way round": "SF111",
    "polygons dropped: under 2 points": "SF301",
    "polygons dropped: under 3 points": "SF301",
    "shapes dropped: wrong number of points": "SF301",
    "pixels of unknown color": "SF403",
    "pixels of another class in instance": "SF406",
    "pixels of another class in instanceIds": "SF406",
    "pixels of another label in instances": "SF406",
}


def of_notes(notes: Iterable[Note], classes: ClassTable, file: str) -> Iterator[Finding]:
    """Yield what the reader's notes on a sample mean."""
    for note in notes:
        if note.code in UNKNOWN_LABELS:
            yield _unknown_label(note, classes, file)
            continue
        code = RULE_OF_NOTE.get(note.code, "SF199")
        pixels = "pixels of" in note.code
        problem = f"{note.code}: {note.subject}" if note.subject else note.code
        if pixels:
            problem += f", {note.count:,} pixels"
        yield Finding(code, problem, file=file, count=1 if pixels else note.count)


def of_error(
    error: Exception, ref: SampleRef, classes: ClassTable, root: Path
) -> Iterator[Finding]:
    """Yield what it is that made a sample impossible to read."""
    if not isinstance(error, FormatError):
        text = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
        yield Finding("SF198", text, file=file_name(ref.source or ref.key, root))
        return
    path = error.path if error.path is not None else ref.source
    file = file_name(path or ref.key, root)
    noted = list(of_notes(error.notes, classes, file))
    if noted:
        for found in noted:
            yield Finding(
                found.code, found.problem, "", "", file, error.where, found.mend, found.count
            )
        return
    path = Path(path) if isinstance(path, str) else path
    # Paths into stores are no `Path`, but speak as one.
    code = _rule_of(cast("Path", path), error, ref) if isinstance(path, PurePath) else "SF198"
    yield Finding(code, error.problem, file=file, where=error.where, mend=error.mend)


def file_name(path: object, root: Path) -> str:
    """Return the POSIX path of a file below the dataset's folder; other texts as they are."""
    if isinstance(path, PurePath) and path.is_relative_to(root):
        return path.relative_to(root).as_posix()
    return str(path)


def of_table(classes: ClassTable) -> Iterator[Finding]:
    """Yield classes whose names differ by a slip: signs, a plural, a letter, two swapped."""
    known: dict[str, str] = {}
    for info in classes if classes != anonymous_table() else ():
        spellings = _spellings(info.name)
        for other in sorted({known[spelling] for spelling in spellings if spelling in known}):
            yield Finding("SF203", f'"{info.name}" and "{other}" are two classes of the table')
        for spelling in spellings:
            known.setdefault(spelling, info.name)


def _spellings(name: str) -> list[str]:
    """Return what names have in common that one slip makes of one another.

    Without one letter each they are the same, whether a letter is wrong, left out, or two swapped.
    """
    plain = "".join(letter for letter in name.casefold() if letter.isalnum()).removesuffix("s")
    if len(plain) < SLIP_LETTERS:
        return [plain]
    letters = (place for place, letter in enumerate(plain) if not letter.isdigit())
    return [plain, *(plain[:place] + plain[place + 1 :] for place in letters)]


def paths_in(value: object) -> Iterator[Path]:
    """Yield the paths in a reader's own source, whatever it is; those into stores, too."""
    if isinstance(value, PurePath):
        yield cast("Path", value)
    elif isinstance(value, tuple):
        for part in value:
            yield from paths_in(part)
    elif is_dataclass(value):
        for one in fields(value):
            yield from paths_in(getattr(value, one.name))


@lru_cache(maxsize=64)  # of a file that many samples share once will do
def of_text(path: Path) -> str:
    """Return what is wrong with how a text file is encoded, if anything."""
    try:
        data = read_whole(path)
        decode_text(data, path)
    except (OSError, FormatError):
        return ""  # loading it will tell
    if data.startswith(b"\xef\xbb\xbf"):
        return "begins with a byte-order mark, which json.load and many others refuse"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "is not UTF-8, and read as what it seems to be: UTF-16 or cp949"
    return ""


def _unknown_label(note: Note, classes: ClassTable, file: str) -> Finding:
    problem = f'"{note.subject}" is no class'
    mend = did_you_mean(note.subject, (info.name for info in classes))
    return Finding("SF202" if mend else "SF201", problem, file=file, mend=mend, count=note.count)


def _rule_of(path: Path, error: FormatError, ref: SampleRef) -> str:
    try:
        if not path.is_file():
            return "SF198"
        if path.stat().st_size == 0:
            return "SF107"
        if path.suffix.lower() in IMAGE_SUFFIXES:
            return _rule_of_image(path, error, ref)
        if path.suffix.lower() in TEXT_SUFFIXES:
            return _rule_of_text(path)
    except (OSError, FormatError):  # gone by now, or over a limit
        pass
    return "SF198"


def _rule_of_image(path: Path, error: FormatError, ref: SampleRef) -> str:
    try:
        size = image_size(path)
    except FormatError:
        return "SF108"
    if path != ref.image:
        try:
            mask_mode(path)
        except FormatError:
            return "SF401"
        if error.where.startswith("pixel "):
            return "SF402"
        if ref.image is not None and sorted(size) != sorted(image_size(ref.image)):
            return "SF111"
    try:
        load_image(path)
    except FormatError:
        return "SF108"
    return "SF198"


def _rule_of_text(path: Path) -> str:
    data = read_whole(path)
    try:
        text = decode_text(data, path).removeprefix("\ufeff")
    except FormatError:
        return "SF104"
    if not text.strip():
        return "SF107"
    if path.suffix.lower() in (".json", ".geojson"):
        try:
            json.loads(text)
        except ValueError:
            return "SF103"
        except RecursionError:
            return "SF198"
    return "SF198"
