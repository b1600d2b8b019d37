"""Colors to ids, ids to colors, ids to ids: look-ups that skip long runs.

Label masks are mostly runs of one color, so a block that goes on as the pixel before it is written
without a look-up. Where it does not, a perfect hash takes one multiplication and one load a pixel:
a table of all 2^24 colors falls out of the cache on noise, and a compare a color is what makes
`cv2.inRange` slow.
"""

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

# Pixels. LLVM makes vector code of the loops over a block; half or twice as many were slower.
_BLOCK = 32
_BLOCK_BYTES = 3 * _BLOCK
_U = np.uint64
_EMPTY = np.uint32(255)  # the entry of no color: its upper bytes are black's
_MULTIPLIER = 0x9E3779B1  # any odd start will do; Knuth's spreads well
_BYTES = types.Array(types.uint8, 1, "C")
_READ_BYTES = types.Array(types.uint8, 1, "C", readonly=True)
_READ_ROWS = types.Array(types.uint8, 2, "C", readonly=True)
_READ_WORDS = types.Array(types.uint32, 1, "C", readonly=True)


def color_table(
    colors: NDArray[np.uint8], ids: NDArray[np.uint8]
) -> tuple[NDArray[np.uint32], int, int]:
    """Return the hash table of distinct colors, uint8 (n, 3), its multiplier and its shift.

    An entry is blue, green, red and id, from the highest byte down. Always the same for the same
    colors: multipliers are tried in one order, and twice as large a table after each thousand.
    """
    words = colors.astype(np.uint32)
    keys = words[:, 0] << 8 | words[:, 1] << 16 | words[:, 2] << 24
    # Of multipliers for a table of n * n / 8 entries, every fiftieth or so sends no two colors to
    # one slot; for 255 colors it is 32 kB, which fits the first cache.
    bits = max(4, (len(keys) ** 2 // 8).bit_length())
    attempt = 0
    while True:
        multiplier = (_MULTIPLIER * (2 * attempt + 1)) & 0xFFFFFFFF
        slots = keys * np.uint32(multiplier) >> np.uint32(32 - bits)
        if len(np.unique(slots)) == len(keys):
            break
        attempt += 1
        bits += attempt % 1000 == 0
    # Black hashes to slot 0 under every multiplier: elsewhere an entry of black stands for no
    # color, and in slot 0 anything else does.
    table = np.zeros(1 << bits, np.uint32)
    table[0] = np.uint32(0xFFFFFF00)
    table[slots] = keys | ids
    return table, multiplier, 32 - bits


@njit(
    types.UniTuple(types.int64, 2)(
        _READ_BYTES, _READ_WORDS, _READ_WORDS, types.uint32, types.uint32, types.uint8, _BYTES
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def index_colors(
    rgb: NDArray[np.uint8],
    words: NDArray[np.uint32],
    table: NDArray[np.uint32],
    multiplier: np.uint32,
    shift: np.uint32,
    unknown: np.uint8,
    out: NDArray[np.uint8],
) -> tuple[int, int]:
    """Write the id of each pixel's color; return how many colors are unknown and the first's pixel.

    Parameters
    ----------
    rgb
        uint8 (3 * n,), red, green, blue of each pixel.
    words
        The same bytes, as many as make whole little-endian uint32, so that four pixels are three
        loads.
    table, multiplier, shift
        From `color_table`.
    unknown
        Written for colors that are not in the table.
    out
        uint8 (n,).
    """
    n = out.size
    count = 0
    first = -1
    value = unknown
    known = False
    start = 0
    while start < n:
        stop = min(start + _BLOCK, n)
        if stop - start == _BLOCK:
            if start > 0:
                byte = 3 * start
                difference = np.uint8(0)
                for k in range(_BLOCK_BYTES):
                    difference |= rgb[_U(byte + k)] ^ rgb[_U(byte + k - 3)]
                if difference == 0:
                    for k in range(_BLOCK):
                        out[_U(start + k)] = value
                    if not known:
                        count += _BLOCK
                    start = stop
                    continue
            # Entries differ from keys in the id's byte alone, if the color is known.
            strange = np.uint32(0)
            pixel = _U(start)
            word = _U(start // 4 * 3)
            for _ in range(_BLOCK // 4):
                a, b, c = words[word], words[word + _U(1)], words[word + _U(2)]
                key0 = np.uint32(a << np.uint32(8))
                key1 = np.uint32((a >> np.uint32(24) << np.uint32(8)) | (b << np.uint32(16)))
                key2 = np.uint32((b >> np.uint32(16) << np.uint32(8)) | (c << np.uint32(24)))
                key3 = np.uint32(c & np.uint32(0xFFFFFF00))
                entry0 = table[_U(np.uint32(key0 * multiplier) >> shift)]
                entry1 = table[_U(np.uint32(key1 * multiplier) >> shift)]
                entry2 = table[_U(np.uint32(key2 * multiplier) >> shift)]
                entry3 = table[_U(np.uint32(key3 * multiplier) >> shift)]
                strange |= (entry0 ^ key0) | (entry1 ^ key1) | (entry2 ^ key2) | (entry3 ^ key3)
                out[pixel] = np.uint8(entry0)
                out[pixel + _U(1)] = np.uint8(entry1)
                out[pixel + _U(2)] = np.uint8(entry2)
                out[pixel + _U(3)] = np.uint8(entry3)
                pixel += _U(4)
                word += _U(3)
            if strange <= _EMPTY:
                value = out[_U(stop - 1)]
                known = True
                start = stop
                continue
        # The rest of the image, and blocks with an unknown color, pixel by pixel.
        for i in range(start, stop):
            byte = 3 * i
            key = np.uint32(
                np.uint32(rgb[_U(byte)]) << np.uint32(8)
                | np.uint32(rgb[_U(byte + 1)]) << np.uint32(16)
                | np.uint32(rgb[_U(byte + 2)]) << np.uint32(24)
            )
            entry = table[_U(np.uint32(key * multiplier) >> shift)]
            known = (entry ^ key) <= _EMPTY
            value = np.uint8(entry) if known else unknown
            out[_U(i)] = value
            if not known:
                if first < 0:
                    first = i
                count += 1
        start = stop
    return count, first


@njit(
    types.void(_READ_ROWS, _READ_ROWS, types.Array(types.uint8, 2, "C"), types.int64),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def color_indices(
    ids: NDArray[np.uint8], palette: NDArray[np.uint8], out: NDArray[np.uint8], lead: int
) -> None:
    """Write the color of each id, uint8 (H, W), by a palette, uint8 (256, 3).

    `out` is uint8 (H, lead + 3 * W): the first `lead` bytes of a row are left alone, as PNG has its
    own there.
    """
    height, width = ids.shape
    for y in range(height):
        start = 0
        while start < width:
            stop = min(start + 2 * _BLOCK, width)
            byte = lead + 3 * start
            if y > 0 and stop - start == 2 * _BLOCK:
                difference = np.uint8(0)
                for k in range(2 * _BLOCK):
                    difference |= ids[_U(y), _U(start + k)] ^ ids[_U(y - 1), _U(start + k)]
                if difference == 0:  # as in the row above, where masks are nearly everywhere
                    for k in range(2 * _BLOCK_BYTES):
                        out[_U(y), _U(byte + k)] = out[_U(y - 1), _U(byte + k)]
                    start = stop
                    continue
            for x in range(start, stop):
                id = _U(ids[_U(y), _U(x)])
                out[_U(y), _U(byte)] = palette[id, 0]
                out[_U(y), _U(byte + 1)] = palette[id, 1]
                out[_U(y), _U(byte + 2)] = palette[id, 2]
                byte += 3
            start = stop


@njit(
    types.void(_READ_BYTES, _READ_BYTES, _BYTES, _BYTES),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def remap_ids(
    ids: NDArray[np.uint8],
    lut: NDArray[np.uint8],
    out: NDArray[np.uint8],
    used: NDArray[np.uint8],
) -> None:
    """Write `lut[id]` of each id, uint8 (n,), and 1 to `used`, uint8 (256,), for ids that occur."""
    n = ids.size
    start = 0
    while start < n:
        stop = min(start + 2 * _BLOCK, n)
        if start > 0 and stop - start == 2 * _BLOCK:
            difference = np.uint8(0)
            for k in range(2 * _BLOCK):
                difference |= ids[_U(start + k)] ^ ids[_U(start + k - 1)]
            if difference == 0:
                value = out[_U(start - 1)]
                for k in range(2 * _BLOCK):
                    out[_U(start + k)] = value
                start = stop
                continue
        for i in range(start, stop):
            id = _U(ids[_U(i)])
            out[_U(i)] = lut[id]
            used[id] = 1
        start = stop
