"""List files: one entry a line, in whatever way they were saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segfmt.jsonfile import decode_text
from segfmt.limits import LINES, read_whole

if TYPE_CHECKING:
    from pathlib import Path


def read_list(path: Path) -> list[tuple[int, str]]:
    """Return (line number from 1, text) of each line that is not blank, stripped.

    BOM, CRLF, UTF-16 and cp949 are understood, as in `decode_text`, which says what it raises.
    """
    text = decode_text(read_whole(path), path).removeprefix("\ufeff")
    lines = text.splitlines()
    LINES.check(len(lines), path)
    return [(number, line.strip()) for number, line in enumerate(lines, 1) if line.strip()]
