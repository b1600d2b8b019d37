"""COCO run lengths (RLE): checked wrappers round the kernels that paint and encode them."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, overload

import numpy as np

from segfmt.errors import FormatError, UsageError
from segfmt.model import offsets_of
from segfmt.raster import check_shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Counts: TypeAlias = Sequence[int] | npt.NDArray[np.integer[Any]]
    Rle: TypeAlias = bytes | str | Counts

# Pixels. A number of a compressed string has 30 bits, its sign included: what pycocotools reads of
# longer ones is undefined.
_COMPRESSIBLE = 2**29


@overload
def paint_rle(
    rles: Sequence[Rle],
    class_ids: Counts,
    shape: tuple[int, int],
    *,
    background: int = 0,
    out: npt.NDArray[np.uint8] | None = None,
) -> npt.NDArray[np.uint8]: ...
@overload
def paint_rle(
    rles: Sequence[Rle],
    class_ids: Counts,
    shape: tuple[int, int],
    *,
    background: int | None,
    out: npt.NDArray[np.uint8],
) -> npt.NDArray[np.uint8]: ...
def paint_rle(
    rles: Sequence[Rle],
    class_ids: Counts,
    shape: tuple[int, int],
    *,
    background: int | None = 0,
    out: npt.NDArray[np.uint8] | None = None,
) -> npt.NDArray[np.uint8]:
    """Paint masks given as COCO run lengths, in order, into an index mask, uint8 (H, W).

    Parameters
    ----------
    rles
        Each a compressed string, as bytes or str, or counts: the lengths of runs outside and inside
        in turn, outside first, column by column. Later ones are painted over earlier ones.
    class_ids
        The id of each.
    shape
        (height, width).
    background
        The id of pixels that none covers; None keeps what is in `out`.
    out
        A C-contiguous uint8 (H, W) array to paint into.

    Raises
    ------
    FormatError
        Naming the index, for run lengths that pycocotools does not define: counts that are negative
        or do not sum to H * W; a string that is cut off, has a character that is none of the 64 or
        a number of over 30 bits. None has been painted then. Also for a shape of more pixels than
        the limit.
    UsageError
        For a class id that an 8-bit mask cannot hold.

    >>> paint_rle([[1, 4, 1], b"312"], [7, 9], (2, 3))
    array([[0, 7, 7],
           [7, 9, 0]], dtype=uint8)
    """
    from segfmt.kernels.rle_paint import paint_counts

    ids = np.asarray(class_ids, np.int64)
    if ids.shape != (len(rles),):
        raise ValueError(f"class_ids must be ({len(rles)},), not {ids.shape}")
    for id in ids[(ids < 0) | (ids > 255)][:1]:
        raise UsageError(f"class id {id} does not fit an 8-bit mask; map it to one of 0..255")
    check_shape(shape)
    counts, offsets = _flat_counts(rles)
    if out is None:
        if background is None:
            raise ValueError("background=None keeps what is in out, but there is no out")
        out = np.full(shape, background, np.uint8)
    else:
        if out.shape != shape or out.dtype != np.uint8 or not out.flags.c_contiguous:
            raise ValueError(f"out must be a C-contiguous uint8 array of shape {shape}")
        if background is not None:
            out.fill(background)
    refused = paint_counts(out, counts, offsets, ids.astype(np.uint8))
    if refused >= 0:
        raise _counts_error(refused, counts[offsets[refused] : offsets[refused + 1]], shape)
    return out


@overload
def encode_rle(
    ids: npt.NDArray[np.uint8], *, compressed: Literal[True] = True
) -> dict[int, bytes]: ...
@overload
def encode_rle(
    ids: npt.NDArray[np.uint8], *, compressed: Literal[False]
) -> dict[int, npt.NDArray[np.uint32]]: ...
@overload
def encode_rle(
    ids: npt.NDArray[np.uint8], *, compressed: bool
) -> dict[int, bytes] | dict[int, npt.NDArray[np.uint32]]: ...
def encode_rle(
    ids: npt.NDArray[np.uint8], *, compressed: bool = True
) -> dict[int, bytes] | dict[int, npt.NDArray[np.uint32]]:
    """Return the COCO run lengths of each id present in an index mask, by ascending id.

    Parameters
    ----------
    ids
        uint8 (H, W).
    compressed
        Strings, as pycocotools' `encode(ids == id)` gives them; else the counts they stand for.

    Raises
    ------
    FormatError
        For a mask of more pixels than the limit, for strings of over 2^29 - 1.

    >>> ids = np.array([[0, 7, 7], [0, 7, 9]], np.uint8)
    >>> encode_rle(ids)
    {0: b'024', 7: b'231', 9: b'51'}
    >>> encode_rle(ids, compressed=False)[7]
    array([2, 3, 1], dtype=uint32)
    """
    from segfmt.kernels.rle_encode import count_runs, find_runs, write_strings

    if ids.dtype != np.uint8 or ids.ndim != 2:
        raise ValueError(f"ids must be uint8 (H, W), not {ids.dtype} {ids.shape}")
    height, width = ids.shape
    check_shape((height, width))
    if compressed and ids.size >= _COMPRESSIBLE:
        raise FormatError(
            f"{width} x {height} pixels are beyond the limit of RLE strings, 2^29 - 1"
        )
    if ids.size == 0:
        return {}
    ids = np.ascontiguousarray(ids)
    runs = np.empty(width + np.count_nonzero(ids[1:] != ids[:-1]), np.int64)
    runs = runs[: find_runs(ids, runs)]
    counts = np.empty(2 * len(runs) + 256, np.uint32)
    offsets = np.empty(257, np.int64)
    count_runs(runs, ids.size, counts, offsets)
    present = np.flatnonzero(np.diff(offsets)).tolist()
    if not compressed:
        return {id: counts[offsets[id] : offsets[id + 1]].copy() for id in present}
    text = np.empty(6 * offsets[-1], np.uint8)
    text_offsets = np.empty(257, np.int64)
    write_strings(counts, offsets, text, text_offsets)
    return {id: text[text_offsets[id] : text_offsets[id + 1]].tobytes() for id in present}


def _flat_counts(rles: Sequence[Rle]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the counts of all, one behind the other, and where those of each start and end."""
    counts, lengths = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    first = 0
    for is_text, group in groupby(rles, lambda rle: isinstance(rle, bytes | str)):
        batch: list[Any] = list(group)
        batch_counts, batch_lengths = (_parsed if is_text else _converted)(batch, first)
        counts.append(batch_counts)
        lengths.append(batch_lengths)
        first += len(batch)
    return np.concatenate(counts), offsets_of(np.concatenate(lengths))


def _parsed(
    strings: list[bytes | str], first: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the counts of strings and how many each has; errors count from `first`."""
    from segfmt.kernels import rle_paint

    # In UTF-8 no byte of what is not ASCII is one of the 64 characters.
    texts = [
        rle.encode("utf-8", "surrogatepass") if isinstance(rle, str) else rle for rle in strings
    ]
    text_offsets = offsets_of([len(text) for text in texts])
    counts = np.empty(text_offsets[-1], np.int64)
    lengths = np.empty(len(texts), np.int64)
    text = np.frombuffer(b"".join(texts), np.uint8)
    index, place, fault = rle_paint.parse_strings(text, text_offsets, counts, lengths)
    if index >= 0:
        problem = {
            rle_paint.CUT_OFF: "is cut off within a number",
            rle_paint.STRANGE: 'has a character that is none of "0" to "o"',
            rle_paint.TOO_LONG: "has a number of over 30 bits",
            rle_paint.NEGATIVE: "has a negative count",
        }[fault]
        where = f"rle {first + index}, character {place - text_offsets[index]}"
        raise FormatError(f"the string {problem}", where=where)
    return counts[: lengths.sum()], lengths


def _converted(
    rles: list[Counts], first: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return counts one behind the other and how many each has; errors count from `first`."""
    arrays = []
    for index, rle in enumerate(rles, first):
        try:
            array = np.asarray(rle)
            # An empty list makes an array of floats.
            array = array.astype(np.int64, casting="same_kind" if array.size else "unsafe")
        except (TypeError, ValueError):
            array = np.empty((0, 0), np.int64)
        if array.ndim != 1:
            raise FormatError(
                "is neither a string nor a list of whole numbers", where=f"rle {index}"
            )
        arrays.append(array)
    return np.concatenate(arrays), np.array([len(array) for array in arrays], np.int64)


def _counts_error(index: int, counts: npt.NDArray[np.int64], shape: tuple[int, int]) -> FormatError:
    """Say what is wrong with counts that the kernel has refused."""
    numbers = counts.tolist()
    negative = [number for number in numbers if number < 0]
    if negative:
        return FormatError(f"the count {negative[0]} is negative", where=f"rle {index}")
    height, width = shape
    return FormatError(
        f"counts sum to {sum(numbers)}, not to {height} * {width} = {height * width}",
        where=f"rle {index}",
    )
