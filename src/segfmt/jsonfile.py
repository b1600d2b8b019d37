"""Label files in JSON: any encoding they come in, and errors that say where."""

from __future__ import annotations

import codecs
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import numpy as np

from segfmt.errors import FormatError
from segfmt.limits import POINTS, read_whole
from segfmt.model import Note, offsets_of
from segfmt.scratch import scratch

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

T = TypeVar("T")

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it starts with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decode_text(data: bytes, path: Path) -> str:
    """Return the text of a file in UTF-8, UTF-16 or UTF-32 with or without BOM, or else cp949.

    cp949 is what Korean Windows writes. Raises `FormatError` where none of these fits.
    """
    encoding = next((name for mark, name in _BOMS if data.startswith(mark)), "")
    # JSON and lists begin with ASCII, so NULs beside the first character tell a UTF-16 without BOM.
    if not encoding and data[:2].count(0) == 1:
        encoding = "utf-16-be" if data[0] == 0 else "utf-16-le"
    for name in (encoding,) if encoding else ("utf-8", "cp949"):
        try:
            return data.decode(name)
        except UnicodeDecodeError as error:
            failure = error
    raise FormatError(
        f"is neither UTF-8, UTF-16 nor cp949 text: {failure.reason} at byte {failure.start}",
        path=path,
        mend="Save it as UTF-8.",
    )


def load_json(path: Path, decoder: msgspec.json.Decoder[T]) -> tuple[T, tuple[Note, ...]]:
    """Decode a JSON file by a msgspec decoder; return the value and what is to be reported.

    The tolerant way, for files that are not plain UTF-8 or write NaN, is taken only where the fast
    one fails. NaN and infinities become the strings "NaN", "Infinity", "-Infinity".

    Raises
    ------
    FormatError
        For broken JSON, with line and column; for a field of the wrong type, with its path; for a
        file over the limit.
    """
    data = read_whole(path)
    try:
        return decoder.decode(data), ()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _load_tolerantly(path, data, decoder)


def _load_tolerantly(
    path: Path, data: bytes, decoder: msgspec.json.Decoder[T]
) -> tuple[T, tuple[Note, ...]]:
    text = decode_text(data, path)
    constants: list[str] = []

    def keep(name: str) -> str:
        constants.append(name)
        return name

    try:
        value: Any = json.loads(text.removeprefix("\ufeff"), parse_constant=keep)
        decoded = decoder.decode(msgspec.json.encode(value))
    except json.JSONDecodeError as error:
        raise _broken(path, text, error) from None
    except msgspec.ValidationError as error:
        problem, _, where = str(error).partition(" - at ")
        raise FormatError(
            f"is not as this format has it: {problem}",
            path=path,
            where=where.strip("`").removeprefix("$."),
        ) from None
    except RecursionError:
        raise FormatError("has brackets nested too deep to be a label file", path=path) from None
    except (ValueError, UnicodeEncodeError) as error:
        raise FormatError(f"cannot be read as JSON: {error}", path=path) from None
    return decoded, tuple(Note("not JSON, but read", name) for name in constants)


def _broken(path: Path, text: str, error: json.JSONDecodeError) -> FormatError:
    if not text.strip():
        return FormatError("is empty", path=path)
    before = text[: error.pos].rstrip()
    after = text[error.pos :].lstrip()
    # Python < 3.13 points behind the stray comma, 3.13 at it.
    if before.endswith(",") and after[:1] in ("]", "}"):
        place, closing = len(before) - 1, after[0]
    elif after.startswith(",") and after[1:].lstrip()[:1] in ("]", "}"):
        place, closing = len(text) - len(after), after[1:].lstrip()[0]
    else:
        return FormatError(
            f"is broken JSON: {error.msg}",
            path=path,
            where=f"line {error.lineno}, column {error.colno}",
            mend="The file may be cut off." if not after else "",
        )
    line = text.count("\n", 0, place) + 1
    column = place - text.rfind("\n", 0, place)
    return FormatError(
        f'is broken JSON: a comma with nothing between it and the "{closing}"',
        path=path,
        where=f"line {line}, column {column}",
        mend="Remove that comma.",
    )


_OPENING, _CLOSING = b'["\x7f', b'"]'  # of what stands for a ring
_MARK = re.compile(rb'\["\x7f(\d+)"\]')


@dataclass(frozen=True, slots=True)
class LiftedRings:
    """The rings of a JSON text, parsed, and the text without them, in which a mark is for each.

    Decoding takes as long as the text is, and threads wait for one another meanwhile; of a label
    file nearly all is coordinates, which are parsed side by side.

    Attributes
    ----------
    text
        JSON if the whole is; where a ring was, a list of one string, which decodes as
        `msgspec.Raw` and as nothing that a ring would not decode as, but a list of strings.
    points, offsets
        Ring r is `points[offsets[r]:offsets[r + 1]]`, float64 (n, 2).
    """

    text: bytes
    points: npt.NDArray[np.float64]
    offsets: npt.NDArray[np.int64]
    _whole: bytes
    _spans: npt.NDArray[np.int64]

    def original(self, raw: bytes | memoryview) -> bytes:
        """Return what stood in the whole text where `raw` is now: marks in it are rings again."""

        def ring(mark: re.Match[bytes]) -> bytes:
            start, end = self._spans[int(mark[1])].tolist()
            return self._whole[start:end]

        return _MARK.sub(ring, bytes(raw))

    def taken(
        self, raws: Sequence[bytes | memoryview]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]] | None:
        """Return points and offsets of the rings that `raws` are for; None if one is for none."""
        numbers = self._numbers(raws)
        if numbers is None:
            return None
        lengths = self.offsets[1:] - self.offsets[:-1]
        if numbers == list(range(len(lengths))):
            return self.points, self.offsets
        chosen = np.array(numbers, np.int64)
        offsets = offsets_of(lengths[chosen])
        places = np.arange(offsets[-1]) + np.repeat(
            self.offsets[chosen] - offsets[:-1], lengths[chosen]
        )
        return self.points[places], offsets

    def _numbers(self, raws: Sequence[bytes | memoryview]) -> list[int] | None:
        joined = b"".join(raws)
        if not (joined.startswith(_OPENING) and joined.endswith(_CLOSING)):
            return None
        marks = joined[len(_OPENING) : -len(_CLOSING)].split(_CLOSING + _OPENING)
        if len(marks) != len(raws) or not all(map(bytes.isdigit, marks)):
            return None
        return [int(mark) for mark in marks]


def lift_rings(data: bytes) -> LiftedRings | None:
    """Take the rings out of a JSON text, each a list of one or more points, wherever it stands.

    Rings are as `parse_rings` reads them. Returns None for a text that has to be decoded whole,
    being very large, or having in it what marks a ring. Whether it is JSON, decoding tells.
    """
    from segfmt.kernels import numbers

    if len(data) > POINTS.value:  # there may be more points than the limit, which is told apart
        return None
    text = np.frombuffer(data, np.uint8)
    rows = len(text) // 4 + 1
    # What is found is little, and the room for what could be found is used again.
    rest = scratch("text without rings", text.shape)
    points = scratch("points of rings", (rows * 16,)).view(np.float64).reshape(-1, 2)
    spans = scratch("spans of rings", (rows * 16,)).view(np.int64).reshape(-1, 2)
    offsets = scratch("offsets of rings", ((rows + 1) * 8,)).view(np.int64)
    slow = scratch("slow numbers", (rows * 24,)).view(np.int64).reshape(-1, 3)
    length, rings, slow_count = numbers.lift_rings(text, rest, points, offsets, spans, slow)
    if length < 0:
        return None
    lifted = LiftedRings(
        rest[:length].tobytes(),
        points[: offsets[rings]].copy(),
        offsets[: rings + 1].copy(),
        data,
        spans[:rings].copy(),
    )
    _read_slow(lifted.points, data, slow[:slow_count])
    return lifted


def _read_slow(points: npt.NDArray[np.float64], data: bytes, slow: npt.NDArray[np.int64]) -> None:
    flat = points.reshape(-1)
    for index, start, end in slow.tolist():
        flat[index] = float(data[start:end])


def parse_rings(
    raws: Sequence[bytes | memoryview], path: Path, places: Sequence[str]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Return points float64 (N, 2) and ring offsets of JSON slices like `[[x, y], ...]`.

    Numbers come out as `float()` reads them. `places` names each slice for the message of the
    `FormatError` that one of another shape raises.
    """
    from segfmt.kernels.numbers import scan_rings

    data = b"".join(raws)
    if len(data) > POINTS.value:  # else there is no need to count
        POINTS.check(data.count(b"[") - len(raws), path)
    text = np.frombuffer(data, np.uint8)
    points = np.empty((len(text) // 4 + 1, 2))
    offsets = np.zeros(len(raws) + 1, np.int64)
    slow = np.empty((len(text) // 4 + 1, 3), np.int64)
    bad, slow_count = scan_rings(text, points, offsets, slow)
    if bad >= 0:
        raise _bad_ring(bytes(raws[bad]), path, places[bad])
    _read_slow(points, data, slow[:slow_count])
    return points[: offsets[-1]], offsets


def parse_flat_rings(
    raws: Sequence[bytes | memoryview],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64], npt.NDArray[np.int64]] | None:
    """Return points, ring offsets and polygon offsets of JSON slices `[[x, y, x, y, ...], ...]`.

    They are as those of `Polygons`, a polygon a slice. Numbers come out as `float()` reads them.
    Returns None if a slice is anything else, a list in it is empty or one has an odd number of
    coordinates: whoever reads them one by one can tell which.

    >>> points, rings, polygons = parse_flat_rings([b"[[1, 2, 3, 4]]"])
    >>> points.tolist(), rings.tolist(), polygons.tolist()
    ([[1.0, 2.0], [3.0, 4.0]], [0, 2], [0, 1])
    """
    from segfmt.kernels.numbers import scan_flat_rings

    data = b"".join(raws)
    if len(data) > POINTS.value:  # there may be more than the limit, which is told apart
        return None
    text = np.frombuffer(data, np.uint8)
    rows = len(text) // 2 + 1
    coordinates = scratch("points of rings", (rows * 8,)).view(np.float64)
    ring_offsets = scratch("offsets of rings", ((rows + 1) * 8,)).view(np.int64)
    polygon_offsets = np.zeros(len(raws) + 1, np.int64)
    slow = scratch("slow numbers", (rows * 24,)).view(np.int64).reshape(-1, 3)
    rings, slow_count = scan_flat_rings(text, coordinates, ring_offsets, polygon_offsets, slow)
    if rings < 0:
        return None
    points = coordinates[: 2 * ring_offsets[rings]].reshape(-1, 2).copy()
    _read_slow(points, data, slow[:slow_count])
    return points, ring_offsets[: rings + 1].copy(), polygon_offsets


def _bad_ring(raw: bytes, path: Path, place: str) -> FormatError:
    """Say what is wrong with a slice that the number scanner refused."""
    problem = "is not a list of points [x, y]"
    try:
        ring = msgspec.json.decode(raw)
    except (ValueError, RecursionError):  # no UTF-8, or brackets without end, in what was not read
        ring = None
    if isinstance(ring, list):
        if ring and all(isinstance(item, int | float) for item in ring):
            problem = "is a flat list of numbers, not a list of points [x, y]"
        for index, point in enumerate(ring):
            if isinstance(point, list) and len(point) == 2:
                strange = [part for part in point if not isinstance(part, int | float)]
                if not strange:
                    continue
                problem = (
                    f"has the coordinate {msgspec.json.encode(strange[0]).decode()[:40]}, no number"
                )
            elif isinstance(point, list):
                problem = f"has a point of {len(point)} values, not [x, y]"
            else:
                break
            place = f"{place}[{index}]"
            break
    return FormatError(problem, path=path, where=place, mend="Mend or remove that polygon.")
