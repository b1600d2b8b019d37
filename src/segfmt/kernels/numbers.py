"""Vertices straight out of JSON text, without a Python object for any number."""

import numpy as np
import numpy.typing as npt
from numba import njit, types

Text = npt.NDArray[np.uint8]

_MINUS, _PLUS, _DOT, _ZERO, _NINE, _SMALL_E = (ord(character) for character in "-+.09e")
_COMMA, _COLON, _QUOTE, _SPACE, _LETTER_X, _LETTER_Y = (ord(character) for character in ',:" xy')
_OPEN_LIST, _CLOSE_LIST, _OPEN_OBJECT, _CLOSE_OBJECT = (ord(character) for character in "[]{}")
_TO_SMALL = ord("e") ^ ord("E")

# float64 holds integers of 15 digits and 10^22 exactly, so one division of such gives the float
# that is nearest to the decimal number.
_MAX_DIGITS = 15
_POWERS_OF_TEN = np.array([float(10**exponent) for exponent in range(23)])

_SIGNATURE = (
    types.Array(types.uint8, 1, "C", readonly=True),
    types.Array(types.float64, 2, "C"),
    types.Array(types.int64, 1, "C"),
    types.Array(types.int64, 2, "C"),
)

# A place beyond the text's end says that something was not as wanted. All that follows stays beyond
# it, so that one look at the end of a ring is enough.
#
# Places are cast to np.uint64 because Numba tests a signed index for being negative.


@njit(nogil=True, error_model="numpy")
def _skip_space(text: Text, at: int) -> int:
    while at < text.size and text[np.uint64(at)] <= _SPACE:
        at += 1
    return at


@njit(nogil=True, error_model="numpy")
def _expect(text: Text, at: int, wanted: int) -> int:
    """Return the place after the next character that is no white space, which must be `wanted`."""
    at = _skip_space(text, at)
    return at + 1 if at < text.size and text[np.uint64(at)] == wanted else text.size + 1


@njit(nogil=True, error_model="numpy")
def _scan_axis(text: Text, at: int) -> tuple[int, int]:
    """Return the axis that the key "x" or "y" means, and the place after its colon."""
    at = _expect(text, at, _QUOTE)
    if at + 1 < text.size and text[np.uint64(at + 1)] == _QUOTE:
        if text[np.uint64(at)] == _LETTER_X:
            return 0, _expect(text, at + 2, _COLON)
        if text[np.uint64(at)] == _LETTER_Y:
            return 1, _expect(text, at + 2, _COLON)
    return 0, text.size + 1


# Inlined, at its one call, because that measured 5 to 8 % faster.
@njit(nogil=True, error_model="numpy", inline="always")
def _scan_number(text: Text, at: int) -> tuple[int, float, bool]:
    """Return the place after the number at `at`, its value, and whether that is exact."""
    negative = at < text.size and text[np.uint64(at)] == _MINUS
    if negative:
        at += 1
    first = at
    mantissa = np.int64(0)
    while at < text.size and _ZERO <= text[np.uint64(at)] <= _NINE:
        mantissa = mantissa * 10 + (np.int64(text[np.uint64(at)]) - _ZERO)
        at += 1
    digits = at - first
    if digits == 0:
        return text.size + 1, 0.0, True
    decimals = 0
    if at < text.size and text[np.uint64(at)] == _DOT:
        at += 1
        decimals = -at
        if mantissa == 0:  # then leading zeros are no significant digits
            digits = 0
            while at < text.size and text[np.uint64(at)] == _ZERO:
                at += 1
        first = at
        while at < text.size and _ZERO <= text[np.uint64(at)] <= _NINE:
            mantissa = mantissa * 10 + (np.int64(text[np.uint64(at)]) - _ZERO)
            at += 1
        digits += at - first
        decimals += at
    exact = digits <= _MAX_DIGITS and decimals < _POWERS_OF_TEN.size
    if at < text.size and text[np.uint64(at)] | _TO_SMALL == _SMALL_E:
        exact = False
        at += 1
        if at < text.size and (text[np.uint64(at)] == _MINUS or text[np.uint64(at)] == _PLUS):
            at += 1
        first = at
        while at < text.size and _ZERO <= text[np.uint64(at)] <= _NINE:
            at += 1
        if at == first:
            return text.size + 1, 0.0, True
    value = float(mantissa) / _POWERS_OF_TEN[decimals if exact else 0]
    return at, -value if negative else value, exact  # the float is negated, so -0 stays -0.0


@njit(_SIGNATURE, cache=True, nogil=True, error_model="numpy")
def scan_rings(
    text: Text,
    points: npt.NDArray[np.float64],
    ring_offsets: npt.NDArray[np.int64],
    slow: npt.NDArray[np.int64],
) -> tuple[int, int]:
    """Parse rings: JSON lists of points, each `[x, y]` or `{"x": x, "y": y}` in either order.

    `text` is `ring_offsets.size - 1` valid JSON values, one behind the other. Ring r becomes
    `points[ring_offsets[r]:ring_offsets[r + 1]]`, an empty list a ring of no points. Coordinates
    are what `float()` reads; those with an exponent or more than 15 significant digits are left to
    the caller to read: row by row, `slow` gets the index into `points.ravel()` of each, and its
    start and end in `text`.

    `points` and `slow` need `len(text) // 4 + 1` rows each; nothing beyond these is written,
    whatever the text.

    Returns the index of the first value that is no such ring, or -1 if there is none, and the
    number of rows in `slow`.
    """
    at = 0
    count = 0
    slow_count = 0
    ring_offsets[0] = 0
    for ring in range(ring_offsets.size - 1):
        at = _expect(text, at, _OPEN_LIST)
        after = _expect(text, at, _CLOSE_LIST)
        more = after > text.size
        if not more:
            at = after
        while more:
            after = _expect(text, at, _OPEN_LIST)
            named = after > text.size
            at = _expect(text, at, _OPEN_OBJECT) if named else after
            axis_before = -1
            for place in range(2):
                axis = place
                if named:
                    axis, at = _scan_axis(text, at)
                    if axis == axis_before:
                        at = text.size + 1
                    axis_before = axis
                start = _skip_space(text, at)
                at, value, exact = _scan_number(text, start)
                points[count, axis] = value
                if not exact:
                    slow[slow_count, 0] = 2 * count + axis
                    slow[slow_count, 1] = start
                    slow[slow_count, 2] = at
                    slow_count += 1
                if place == 0:
                    at = _expect(text, at, _COMMA)
            at = _expect(text, at, _CLOSE_OBJECT if named else _CLOSE_LIST)
            count += 1
            after = _expect(text, at, _COMMA)
            more = after <= text.size
            at = after if more else _expect(text, at, _CLOSE_LIST)
        if at > text.size:
            return ring, slow_count
        ring_offsets[ring + 1] = count
    return -1, slow_count
