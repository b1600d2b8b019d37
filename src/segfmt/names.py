"""File names that some loader chokes on."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

from segfmt.errors import FormatError
from segfmt.files import check_key, fits_windows, readable
from segfmt.findings import Finding
from segfmt.imagefile import IMAGE_SUFFIXES

LONGEST = 200  # of the 260 letters that Windows allows a path, its folders there included


class _Trouble(NamedTuple):
    code: str
    has: Callable[[PurePosixPath], bool]
    problem: str


_TROUBLES = (
    _Trouble(
        "SF501",
        lambda path: any(letter.isspace() for letter in str(path)),
        "loaders of lists split their lines at blanks: ESPNet, DeepLab, VOC's two columns",
    ),
    _Trouble(
        "SF502",
        lambda path: "," in str(path),
        "ESPNet and EdgeNets split the lines of their lists at commas",
    ),
    _Trouble(
        "SF503",
        lambda path: "." in path.stem,
        'scripts that split names at "." take what stands before the first for the stem',
    ),
    _Trouble(
        "SF504",
        lambda path: path.suffix != path.suffix.lower(),
        'glob("*.jpg") and MMSegmentation\'s img_suffix do not find it but on Windows',
    ),
    _Trouble(
        "SF505",
        lambda path: not str(path).isascii(),
        "OpenCV's imread does not open it on Windows",
    ),
    _Trouble(
        "SF507",
        lambda path: not unicodedata.is_normalized("NFC", str(path)),
        "written on a Mac: it is another name than the one that is typed, for all that compare",
    ),
    _Trouble(
        "SF508", lambda path: not fits_windows(str(path)), "it cannot be unpacked or copied there"
    ),
    _Trouble(
        "SF509",
        lambda path: len(str(path)) > LONGEST,
        f"over {LONGEST} letters below the dataset's folder: Windows' tools end at 260 in all",
    ),
    _Trouble(
        "SF510",
        lambda path: path.name.startswith(("#", ";")),
        "numpy.loadtxt and readers of lists leave out lines that begin so",
    ),
)


def name_findings(name: str, split: str, key: str) -> Iterator[Finding]:
    """Yield what may become of a sample's name: the path of its image, or else its key."""
    path = PurePosixPath(readable(name))
    if path.suffix.lower() not in IMAGE_SUFFIXES:
        path = path.with_name(f"{path.name}.png")  # so that a dot in a key is no suffix
    for code, has, problem in _TROUBLES:
        if has(path):
            yield Finding(code, problem)
    try:
        check_key(split)
        check_key(key)
    except FormatError as error:
        yield Finding("SF511", error.problem)
