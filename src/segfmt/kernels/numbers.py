"""Vertices straight out of JSON text, without a Python object for any number."""

import numpy as np
import numpy.typing as npt
from numba import njit, types

Text = npt.NDArray[np.uint8]

_MINUS, _PLUS, _DOT, _ZERO, _NINE, _SMALL_E = (ord(character) for character in "-+.09e")
_COMMA, _COLON, _QUOTE, _SPACE, _LETTER_X, _LETTER_Y = (ord(character) for character in ',:" xy')
_OPEN_LIST, _CLOSE_LIST, _OPEN_OBJECT, _CLOSE_OBJECT = (ord(character) for character in "[]{}")
_TAB, _NEWLINE, _RETURN, _BACKSLASH = (ord(character) for character in "\t\n\r\\")
_STRIDE = 8
MARK = 0x7F  # DEL: it is in no text that rings are lifted out of, so it tells what stands for them
_TO_SMALL = ord("e") ^ ord("E")

# float64 holds integers of 15 digits and 10^22 exactly, so one division of such gives the float
# that is nearest to the decimal number.
_MAX_DIGITS = 15
_POWERS_OF_TEN = np.array([float(10**exponent) for exponent in range(23)])

_TEXT = types.Array(types.uint8, 1, "C", readonly=True)
_POINTS = types.Array(types.float64, 2, "C")
_OFFSETS = types.Array(types.int64, 1, "C")
_ROWS = types.Array(types.int64, 2, "C")

# A place beyond the text's end says that something was not as wanted. All that follows stays beyond
# it, so that one look at the end of a ring is enough.
#
# Places are cast to np.uint64 because Numba tests a signed index for being negative.


@njit(nogil=True, error_model="numpy")
def _is_space(character: int) -> bool:
    return character <= _SPACE and character in (_SPACE, _NEWLINE, _RETURN, _TAB)


@njit(nogil=True, error_model="numpy")
def _skip_space(text: Text, at: int) -> int:
    while at < text.size and _is_space(text[np.uint64(at)]):
        at += 1
        # Indented files are spaces for the most part.
        more = at + _STRIDE <= text.size
        while more:
            other = np.uint8(0)
            for k in range(_STRIDE):
                other |= text[np.uint64(at + k)] ^ np.uint8(_SPACE)
            more = other == 0
            if more:
                at += _STRIDE
                more = at + _STRIDE <= text.size
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


# Inlined, at each of its two calls, because that measured 5 to 8 % faster.
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
    if digits == 0 or (digits > 1 and text[np.uint64(first)] == _ZERO):
        return text.size + 1, 0.0, True
    decimals = 0
    if at < text.size and text[np.uint64(at)] == _DOT:
        at += 1
        decimals = -at
        point = at
        if mantissa == 0:  # then leading zeros are no significant digits
            digits = 0
            while at < text.size and text[np.uint64(at)] == _ZERO:
                at += 1
        first = at
        while at < text.size and _ZERO <= text[np.uint64(at)] <= _NINE:
            mantissa = mantissa * 10 + (np.int64(text[np.uint64(at)]) - _ZERO)
            at += 1
        if at == point:
            return text.size + 1, 0.0, True
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


@njit(nogil=True, error_model="numpy")
def _scan_ring(
    text: Text,
    at: int,
    points: npt.NDArray[np.float64],
    count: int,
    slow: npt.NDArray[np.int64],
    slow_count: int,
) -> tuple[int, int, int]:
    """Parse a ring at `at` into `points` from row `count` on, and `slow` from row `slow_count` on.

    Returns the place after it and the two rows after it; a place beyond the text's end where there
    is no ring.
    """
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
    return at, count, slow_count


@njit(
    types.UniTuple(types.int64, 2)(_TEXT, _POINTS, _OFFSETS, _ROWS),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def scan_rings(
    text: Text,
    points: npt.NDArray[np.float64],
    ring_offsets: npt.NDArray[np.int64],
    slow: npt.NDArray[np.int64],
) -> tuple[int, int]:
    """Parse rings: JSON lists of points, each `[x, y]` or `{"x": x, "y": y}` in either order.

    `text` is `ring_offsets.size - 1` JSON values, one behind the other. Ring r becomes
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
        at, count, slow_count = _scan_ring(text, at, points, count, slow, slow_count)
        if at > text.size:
            return ring, slow_count
        ring_offsets[ring + 1] = count
    return -1, slow_count


@njit(
    types.UniTuple(types.int64, 3)(
        _TEXT, types.Array(types.uint8, 1, "C"), _POINTS, _OFFSETS, _ROWS, _ROWS
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def lift_rings(
    text: Text,
    rest: npt.NDArray[np.uint8],
    points: npt.NDArray[np.float64],
    ring_offsets: npt.NDArray[np.int64],
    spans: npt.NDArray[np.int64],
    slow: npt.NDArray[np.int64],
) -> tuple[int, int, int]:
    """Take the rings out of a whole JSON text, which may be broken, and leave the rest of it.

    What is a ring of at least one point, and how it is parsed, is as in `scan_rings`; ring r stands
    at `spans[r]`, start and end in `text`. In `rest` it is a list of one string, of MARK and r, as
    no field that may be a ring is one of strings. White space that separates nothing is left out.
    So `rest` is JSON if and only if `text` is.

    `rest` is as long as `text`, `points` and `slow` as there, `spans` needs `len(text) // 7 + 1`
    rows and `ring_offsets` one more.

    Returns the lengths of `rest`, of `spans` and of `slow`. The first is -1 if MARK is in `text`
    itself, or if what stands for the rings would be longer than they are.
    """
    at = 0
    filled = 0
    rings = 0
    count = 0
    slow_count = 0
    ring_offsets[0] = 0
    structural = True  # the last character that was left has no need of white space after it
    while at < text.size:
        character = text[np.uint64(at)]
        if _is_space(character):
            if not structural:
                rest[np.uint64(filled)] = _SPACE
                filled += 1
                structural = True
            at = _skip_space(text, at)
            continue
        if character == _OPEN_LIST:
            after, counted, slow_counted = _scan_ring(text, at, points, count, slow, slow_count)
            if after <= text.size and counted > count:
                count, slow_count = counted, slow_counted
                spans[rings, 0] = at
                spans[rings, 1] = after
                at = after
                digits = 1
                number = rings
                while number >= 10:
                    number //= 10
                    digits += 1
                if filled + digits + 5 > at:
                    return -1, rings, slow_count
                rest[np.uint64(filled)] = _OPEN_LIST
                rest[np.uint64(filled + 1)] = _QUOTE
                rest[np.uint64(filled + 2)] = MARK
                filled += 3 + digits
                number = rings
                for place in range(1, digits + 1):
                    rest[np.uint64(filled - place)] = _ZERO + number % 10
                    number //= 10
                rest[np.uint64(filled)] = _QUOTE
                rest[np.uint64(filled + 1)] = _CLOSE_LIST
                filled += 2
                rings += 1
                ring_offsets[rings] = count
                structural = False
                continue
        if character == MARK:
            return -1, rings, slow_count
        rest[np.uint64(filled)] = character
        filled += 1
        at += 1
        structural = character in (_COMMA, _COLON, _OPEN_LIST, _OPEN_OBJECT)
        if character == _QUOTE:
            ended = False
            while at < text.size and not ended:
                character = text[np.uint64(at)]
                if character == MARK:
                    return -1, rings, slow_count
                rest[np.uint64(filled)] = character
                filled += 1
                at += 1
                ended = character == _QUOTE
                if character == _BACKSLASH and at < text.size and text[np.uint64(at)] != MARK:
                    rest[np.uint64(filled)] = text[np.uint64(at)]
                    filled += 1
                    at += 1
    return filled, rings, slow_count


@njit(
    types.UniTuple(types.int64, 2)(
        _TEXT, types.Array(types.float64, 1, "C"), _OFFSETS, _OFFSETS, _ROWS
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def scan_flat_rings(
    text: Text,
    coordinates: npt.NDArray[np.float64],
    ring_offsets: npt.NDArray[np.int64],
    polygon_offsets: npt.NDArray[np.int64],
    slow: npt.NDArray[np.int64],
) -> tuple[int, int]:
    """Parse polygons as COCO has them: JSON lists of rings, each a list `[x, y, x, y, ...]`.

    `text` is `polygon_offsets.size - 1` JSON values, one behind the other. Offsets are as those of
    `Polygons`, in points. Numbers, `slow` and what is written are as in `scan_rings`, but that
    `coordinates` and `slow` need `len(text) // 2 + 1` rows, `ring_offsets` `len(text) // 3 + 2`.

    Returns the number of rings and that of rows in `slow`; the first is -1 if a value is anything
    else, has an odd number of coordinates, or a list in it is empty.
    """
    at = 0
    count = 0
    rings = 0
    slow_count = 0
    ring_offsets[0] = 0
    polygon_offsets[0] = 0
    for polygon in range(polygon_offsets.size - 1):
        at = _expect(text, at, _OPEN_LIST)
        more_rings = True
        while more_rings:
            at = _expect(text, at, _OPEN_LIST)
            more = True
            while more:
                start = _skip_space(text, at)
                at, value, exact = _scan_number(text, start)
                if at > text.size:
                    return -1, slow_count
                coordinates[count] = value
                if not exact:
                    slow[slow_count, 0] = count
                    slow[slow_count, 1] = start
                    slow[slow_count, 2] = at
                    slow_count += 1
                count += 1
                after = _expect(text, at, _COMMA)
                more = after <= text.size
                at = after if more else _expect(text, at, _CLOSE_LIST)
            if at > text.size or count % 2 == 1:
                return -1, slow_count
            rings += 1
            ring_offsets[rings] = count // 2
            after = _expect(text, at, _COMMA)
            more_rings = after <= text.size
            at = after if more_rings else _expect(text, at, _CLOSE_LIST)
        if at > text.size:
            return -1, slow_count
        polygon_offsets[polygon + 1] = rings
    return rings, slow_count
