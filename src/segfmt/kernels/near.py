"""Which images are nearly the same, a million of them: by their hashes first, then by thumbnails.

Two hashes that differ in up to n bits are equal in one of n + 1 parts at least. So images are filed
under each part of their hash, and only those of one part are compared.

Being alike does not carry over: from the first frame of a slow drive to its last all neighbors are.
So a group is an image that is kept and those that are like it, not what a chain connects.
"""

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

_BUCKETS = 1 << 16  # of each part
# Images of one part that each is compared with, from the nearest in the list on: a bound for sets
# of which that part tells nothing.
_WINDOW = 1 << 14
# How much of the brightness and of the contrast may differ.
_BRIGHTNESS = 40.0
_CONTRAST = 1.6
# What may be left when these are taken out, on the mean and anywhere: grey levels, and a share of
# the contrast. What moves is a few cells that differ much, a new exposure all cells by little.
_MEAN_LEVEL, _MEAN_SHARE = 0.75, 0.12
_MOST_LEVEL, _MOST_SHARE = 3.0, 0.8


@njit(nogil=True, error_model="numpy")
def _bits(word: np.uint64) -> np.int64:
    """Return how many bits of a uint64 are set."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + (
        (word >> np.uint64(2)) & np.uint64(0x3333333333333333)
    )
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    word = word + (word >> np.uint64(8))  # the bytes' sums, without a product that overflows
    word = word + (word >> np.uint64(16))
    word = word + (word >> np.uint64(32))
    return np.int64(word & np.uint64(127))


@njit(nogil=True, error_model="numpy")
def _alike(thumbnails: NDArray[np.uint8], i: np.int64, j: np.int64) -> bool:
    n = thumbnails.shape[1]
    mean_i = 0.0
    mean_j = 0.0
    for k in range(n):
        mean_i += thumbnails[i, k]
        mean_j += thumbnails[j, k]
    mean_i /= n
    mean_j /= n
    if abs(mean_i - mean_j) > _BRIGHTNESS:
        return False
    contrast_i = 0.0
    contrast_j = 0.0
    for k in range(n):
        contrast_i += abs(thumbnails[i, k] - mean_i)
        contrast_j += abs(thumbnails[j, k] - mean_j)
    contrast_i /= n
    contrast_j /= n
    level = _MEAN_LEVEL / _MEAN_SHARE  # where there is less contrast, it is noise
    gain = 1.0
    if min(contrast_i, contrast_j) > level:
        gain = contrast_i / contrast_j
        if max(gain, 1 / gain) > _CONTRAST:
            return False
    contrast = min(contrast_i, contrast_j)
    most = _MOST_LEVEL + _MOST_SHARE * contrast
    total = 0.0
    for k in range(n):
        left = abs(thumbnails[i, k] - mean_i - gain * (thumbnails[j, k] - mean_j))
        if left > most:
            return False
        total += left
    return bool(total / n <= _MEAN_LEVEL + _MEAN_SHARE * contrast)


@njit(nogil=True, error_model="numpy")
def _bucket(word: np.uint64) -> np.int64:
    """Return where a part of a hash is filed: 16 bits in a row have a bucket of their own."""
    word = word ^ (word >> np.uint64(32))
    word = word ^ (word >> np.uint64(16))
    return np.int64(word & np.uint64(_BUCKETS - 1))


@njit(
    types.void(
        types.Array(types.uint64, 1, "C", readonly=True),
        types.Array(types.uint8, 2, "C", readonly=True),
        types.Array(types.int32, 1, "C", readonly=True),
        types.Array(types.int64, 1, "C", readonly=True),
        types.Array(types.uint64, 1, "C", readonly=True),
        types.int64,
        types.Array(types.int32, 1, "C"),
        types.Array(types.int32, 1, "C"),
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def group_near(
    hashes: NDArray[np.uint64],
    thumbnails: NDArray[np.uint8],
    splits: NDArray[np.int32],
    images: NDArray[np.int64],
    parts: NDArray[np.uint64],
    most: int,
    firsts: NDArray[np.int32],
    partners: NDArray[np.int32],
) -> None:
    """Find for each image one before it that is kept and like it, and one of another split.

    `hashes` are uint64 (n,), `thumbnails` uint8 (n, 256), `splits` int32 (n,), numbers from 0;
    `images` int64, those to look at, ascending; `parts` masks of a hash's bits, of which up to
    `most` may differ.

    `firsts` and `partners`, int32 (n,), come in with what is known from elsewhere: an image before
    that is like it whatever its hash says, else the image itself; one of another split, else -1.
    They go out with the image that is kept, the image itself if it is, and with the partner.
    """
    heads = np.full((parts.size, _BUCKETS), -1, np.int32)
    following = np.full((parts.size, hashes.size), -1, np.int32)
    several = False
    for i in images:
        several = several or splits[i] != splits[images[0]]
        first = np.int64(firsts[firsts[i]])
        partner = np.int64(partners[i])
        for p in range(parts.size):
            j = np.int64(heads[p, _bucket(hashes[i] & parts[p])])
            steps = 0
            while j >= 0 and steps < _WINDOW and (first == i or (several and partner < 0)):
                steps += 1
                leads = first == i and firsts[j] == j
                leaks = partner < 0 and splits[j] != splits[i]
                if (
                    (leads or leaks)
                    and _bits(hashes[i] ^ hashes[j]) <= most
                    and _alike(thumbnails, i, j)
                ):
                    if leads:
                        first = j
                    if leaks:
                        partner = j
                j = np.int64(following[p, j])
        firsts[i] = first
        partners[i] = partner
        for p in range(parts.size):
            bucket = _bucket(hashes[i] & parts[p])
            following[p, i] = heads[p, bucket]
            heads[p, bucket] = i
