"""COCO run lengths (RLE) of every id of an index mask, all at once.

A mask of one id is read column by column; its counts are the lengths of runs outside and inside in
turn, outside first, so that the first is 0 if the first pixel is inside. All ids share one list of
runs, and each id's counts follow from where its own runs start and end.
"""

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

_U = np.uint64
_ID_BITS = 8
_IDS = 256

# Columns read together, one cache line of each row: column by column each line is read 64 times.
_STRIP = 64

_FIVE_BITS = 0x1F
_SIGN = 0x10
_MORE = 0x20
_ZERO = ord("0")


@njit(
    types.int64(types.Array(types.uint8, 2, "C", readonly=True), types.Array(types.int64, 1, "C")),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def find_runs(ids: NDArray[np.uint8], runs: NDArray[np.int64]) -> int:
    """Write `position << 8 | id` of each run of equal ids, column by column; return their number.

    The position counts the pixels before it. `runs` must hold one for each column and one for each
    pixel unlike the one above it. `ids` must not be empty.
    """
    height, width = ids.shape
    changes = np.empty((min(_STRIP, width), height), np.int64)
    ends = np.empty(_STRIP, np.int64)
    n = 0
    last = -1
    for left in range(0, width, _STRIP):
        columns = min(_STRIP, width - left)
        for x in range(columns):
            changes[x, 0] = ids[0, left + x]
            ends[x] = 1
        for y in range(1, height):
            difference = np.uint8(0)
            for x in range(columns):
                difference |= ids[_U(y), _U(left + x)] ^ ids[_U(y - 1), _U(left + x)]
            if difference:
                for x in range(columns):
                    id = ids[_U(y), _U(left + x)]
                    if id != ids[_U(y - 1), _U(left + x)]:
                        changes[_U(x), _U(ends[_U(x)])] = y << _ID_BITS | np.int64(id)
                        ends[_U(x)] += 1
        for x in range(columns):
            column = (left + x) * height << _ID_BITS
            first = 1 if changes[x, 0] == last else 0
            for k in range(first, ends[x]):
                runs[_U(n)] = column + changes[_U(x), _U(k)]
                n += 1
            last = changes[x, ends[x] - 1] & (_IDS - 1)
    return n


@njit(
    types.void(
        types.Array(types.int64, 1, "C", readonly=True),
        types.int64,
        types.Array(types.uint32, 1, "C"),
        types.Array(types.int64, 1, "C"),
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def count_runs(
    runs: NDArray[np.int64], size: int, counts: NDArray[np.uint32], offsets: NDArray[np.int64]
) -> None:
    """Write the counts of all ids, id c's from `offsets[c]` to `offsets[c + 1]`, (257,).

    `runs` are those of a mask of `size` pixels. `counts` must hold two for each run and one more
    for each id.
    """
    n_runs = np.zeros(_IDS, np.int64)
    for run in runs:
        n_runs[_U(run & (_IDS - 1))] += 1
    last = runs[-1] & (_IDS - 1)
    offsets[0] = 0
    for id in range(_IDS):
        # The last pixel ends a run of its id; any other id has a run outside to follow.
        n_outside_at_end = 1 if n_runs[id] > 0 and id != last else 0
        offsets[id + 1] = offsets[id] + 2 * n_runs[id] + n_outside_at_end
    at = offsets[:_IDS].copy()
    ends = np.zeros(_IDS, np.int64)
    for k in range(runs.size):
        id = runs[_U(k)] & (_IDS - 1)
        start = runs[_U(k)] >> _ID_BITS
        end = runs[_U(k + 1)] >> _ID_BITS if k + 1 < runs.size else size
        counts[_U(at[id])] = start - ends[id]
        counts[_U(at[id] + 1)] = end - start
        at[id] += 2
        ends[id] = end
    for id in range(_IDS):
        if at[id] < offsets[id + 1]:
            counts[at[id]] = size - ends[id]


@njit(
    types.void(
        types.Array(types.uint32, 1, "C", readonly=True),
        types.Array(types.int64, 1, "C", readonly=True),
        types.Array(types.uint8, 1, "C"),
        types.Array(types.int64, 1, "C"),
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def write_strings(
    counts: NDArray[np.uint32],
    offsets: NDArray[np.int64],
    text: NDArray[np.uint8],
    text_offsets: NDArray[np.int64],
) -> None:
    """Write counts as COCO's compressed strings, one behind the other.

    From the fourth on, a count is written as its difference to the one two before. A number has
    characters of five bits, lowest first, each with a sixth that says whether more follow; in the
    last the fifth bit is the sign. `text` must hold six characters a count, enough for 30 bits.
    """
    at = 0
    text_offsets[0] = 0
    for k in range(offsets.size - 1):
        start = offsets[k]
        for i in range(start, offsets[k + 1]):
            rest = np.int64(counts[_U(i)])
            if i - start > 2:
                rest -= np.int64(counts[_U(i - 2)])
            more = True
            while more:
                character = rest & _FIVE_BITS
                rest >>= 5
                more = rest != (-1 if character & _SIGN else 0)
                text[_U(at)] = (character | (_MORE if more else 0)) + _ZERO
                at += 1
        text_offsets[k + 1] = at
