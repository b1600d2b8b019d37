"""Trace a label mask into rings: the borders of all its components, in one linear pass.

A component is a 4-connected set of pixels of one label. Its borders run on cracks, the sides that
its pixels share with other labels or with the outside, and keep the component on the right: one
outer border, clockwise as y grows downwards, and one anticlockwise round each hole. Where two of
its pixels touch at a corner only, a border turns right: the touch does not connect them. A ring is
the turns of a border, from the upper left of its topmost row on; nothing is merged or smoothed.

- Under `center` rings run on pixel corners. No pixel center lies on them: parity alone decides.
- Under `opencv` and `pillow` they run through the centers of the pixels on the border's right.
  Moving a border there passes over no center of another label, and those it comes to lie on belong
  to the component: a filler that paints the even-odd inside *and* the boundary paints the
  component. Right angles keep it so. (Pillow computes in float32: whole numbers below 2^24.)

All nine pairs of a fill rule and a way with holes are exact, for these reasons and by fuzz against
rasterio, OpenCV and Pillow:

- `rings`: a polygon is a component, its outer ring and those of its holes, in any painting order.
  Even-odd under `center` and `opencv`. `pillow` combines the fills of single rings by parity, where
  a hole's ring through the component's own pixels would take these out as well: there the holes are
  the outer rings of the components that lie directly in them, which filled are the holes exactly.
- `painter`: a polygon is a component filled, holes and all, in raster order of first pixels. What
  encloses another component begins in an earlier row, as components are 4-connected; of 8-connected
  ones two can enclose each other. Background that something painted encloses is a polygon too.
- `keyhole`: a polygon is one ring, in any painting order. A cut joins each hole to the next border
  on the left, along the row above the hole: pixels of the component all the way.
"""

import threading
from typing import Any, NamedTuple

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from segfmt.limits import POINTS

# One more is a turn to the right.
_RIGHT, _DOWN, _LEFT, _UP = range(4)

# The byte of a pixel corner has bit `heading` if a crack leaves the corner that way, and bit
# 4 + `heading` if a border that starts so is still to follow: an outer one starts to the right, one
# round a hole downwards.
_CRACK_RIGHT, _CRACK_DOWN, _CRACK_LEFT, _CRACK_UP = (1 << heading for heading in range(4))
_START = 16
_OUTER = _START << _RIGHT
_HOLE = _START << _DOWN
# The border round the pixel to the upper right passes straight on here, and has been tagged.
_TAGGED = 128

# Kinds of turns, as sets of bits 4 * heading + next heading.
_DOWN_TURNS = sum(1 << (4 * a + b) for a in range(4) for b in range(4) if _DOWN in (a, b))
_LEFT_TURNS = sum(1 << (4 * a + b) for a in range(4) for b in range(4) if _LEFT in (a, b))
# These go round the pixel to the upper right of the corner, where only one border can have one: so
# one tag a corner will do.
_TAGGED_TURNS = sum(
    1 << (4 * a + b) for a, b in ((_RIGHT, _UP), (_LEFT, _UP), (_LEFT, _DOWN), (_UP, _LEFT))
)

# LLVM makes vector code of a loop over 128 bytes; one over 64 it unrolls, five times slower.
_BLOCK = 128

_RINGS, _NESTED_RINGS, _PAINTER, _KEYHOLE = range(4)

_KEPT_BYTES = 1 << 25
_MOST_CORNERS = 1 << 29

_Bytes = NDArray[np.uint8]
_Int32s = NDArray[np.int32]
_Int64s = NDArray[np.int64]


def _readonly(dtype: types.Type, ndim: int) -> types.Array:
    return types.Array(dtype, ndim, "C", readonly=True)


@njit(
    [
        types.void(_readonly(label, 2), types.uint8, types.boolean, types.uint8[:, ::1])
        for label in (types.uint8, types.uint32)
    ],
    cache=True,
    nogil=True,
    error_model="numpy",
)
def mark_cracks(
    labels: NDArray[Any], background: int, with_background: bool, corners: _Bytes
) -> None:
    """Write the bytes of all pixel corners, (H + 1, W + 1).

    An outer border starts at the upper left of a pixel unlike its left and its upper neighbor; if
    these two and the one between them are alike, the border of a hole may start there too.
    """
    height, width = labels.shape
    for y in range(height + 1):
        above = labels[max(y - 1, 0)]
        below = labels[min(y, height - 1)]
        row = corners[y]
        crack_down = np.uint8(0 if y == height else _CRACK_DOWN)
        crack_up = np.uint8(0 if y == 0 else _CRACK_UP)
        for x in range(1, width):
            right = above[x] != below[x]
            left = above[x - 1] != below[x - 1]
            down = below[x - 1] != below[x]
            up = above[x - 1] != above[x]
            start = right & down
            outer = start & ((np.uint8(below[x]) != background) | with_background)
            hole = start & (not left) & (not up)
            hole &= (np.uint8(above[x]) != background) | with_background
            row[x] = (
                (np.uint8(_CRACK_RIGHT) if right else np.uint8(0))
                | (crack_down if down else np.uint8(0))
                | (np.uint8(_CRACK_LEFT) if left else np.uint8(0))
                | (crack_up if up else np.uint8(0))
                | (np.uint8(_OUTER) if outer else np.uint8(0))
                | (np.uint8(_HOLE) if hole else np.uint8(0))
            )
        row[0] = crack_down | crack_up
        row[width] = crack_down | crack_up
        # The outline of the mask is cracks.
        outline = y in (0, height)
        for x in range(0, width, 1 if outline else max(width - 1, 1)):
            if outline or above[x] != below[x]:
                row[x] |= np.uint8(_CRACK_RIGHT)
                row[x + 1] |= np.uint8(_CRACK_LEFT)
    both = _CRACK_RIGHT | _CRACK_DOWN
    for y in range(height):
        for x in range(1 if y else width):
            wanted = with_background or np.uint8(labels[y, x]) != background
            if corners[y, x] & both == both and wanted:
                corners[y, x] |= np.uint8(_OUTER)


@njit(nogil=True, error_model="numpy")
def _follow(
    corners: _Bytes,
    stride: int,
    start: int,
    first: int,
    centered: bool,
    tags: _Int32s,
    turns: _Int32s,
    n: int,
) -> int:
    """Follow the border that leaves `start` with heading `first`; return n plus its turns.

    They are written to `turns[n]` and on, as far as there is room; the one at the start is first.
    """
    down_turns = _DOWN_TURNS if centered else 0
    left_turns = _LEFT_TURNS if centered else 0
    corner = start
    heading = first
    begin = n
    n += 1
    # Branches, not tables: a turn is often guessed wrong, but a table makes every step wait for the
    # one before.
    while True:
        if heading & 1:
            corner += (2 - heading) * stride
        else:
            corner += 1 - heading
        byte = int(corners[np.uint64(corner)])
        right = (heading + 1) & 3
        if byte >> right & 1:
            turn = right
        elif byte >> heading & 1:
            continue
        else:
            turn = (heading + 3) & 3
        corners[np.uint64(corner)] = np.uint8(byte & ~(_START << turn))
        kind = 4 * heading + turn
        closed = corner == start  # No border passes its start twice.
        place = begin if closed else n
        # Corner 0, which nobody asks, takes the other tags: another branch is what this saves.
        tags[np.uint64(corner if _TAGGED_TURNS >> kind & 1 else 0)] = place
        if place < len(turns):
            inward = (down_turns >> kind & 1) + (left_turns >> kind & 1) * stride
            turns[np.uint64(place)] = corner - inward
        if closed:
            return n
        n += 1
        heading = turn


@njit(nogil=True, error_model="numpy")
def _find_turn(
    corners: _Bytes, tags: _Int32s, corner: int, mask: int, straight: int, step: int
) -> int:
    """Look along the border that passes `corner`, while it goes straight on, for a tagged turn.

    The corners on the way get the tag too, so that none is passed twice.
    """
    end = corner
    while corners[np.uint64(end)] & (mask | _TAGGED) == straight:
        end += step
    turn = tags[np.uint64(end)]
    while end != corner:
        end -= step
        tags[np.uint64(end)] = turn
        corners[np.uint64(end)] |= np.uint8(_TAGGED)
    return int(turn)


@njit(nogil=True, error_model="numpy")
def _border_of(ends: _Int64s, n_borders: int, turn: int) -> int:
    low = 0
    high = n_borders
    while low < high:
        middle = (low + high) // 2
        if ends[middle] <= turn:
            low = middle + 1
        else:
            high = middle
    return low


@njit(
    types.void(
        types.uint8[:, ::1],
        types.boolean,
        types.boolean,
        types.int32[::1],
        types.int32[::1],
        types.int64[::1],
        types.int64[::1],
        types.int64[::1],
        types.int64[::1],
        types.int64[::1],
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
    locals={"n": types.int64},  # Else `_follow` is compiled for a literal 0 as well.
)
def follow_borders(
    corners: _Bytes,
    with_background: bool,
    centered: bool,
    tags: _Int32s,
    turns: _Int32s,
    ends: _Int64s,
    first_pixels: _Int64s,
    parents: _Int64s,
    cuts: _Int64s,
    counts: _Int64s,
) -> None:
    """Follow the borders that `corners` has starts of, in raster order of these.

    Turns are indices into the flattened `corners`, if `centered` of the upper left corner of the
    pixel whose center the ring goes through. Border b has those before `turns[ends[b]]`.

    Of an outer border `first_pixels[b]` is an index into the labels, and `parents[b]` the outer
    border of the component round it or -1, as always without background, when nobody asks. Of a
    hole `first_pixels[b]` is -1, `parents[b]` the outer border of its component, and a cut from its
    start to the left ends on the edge that `turns[cuts[b]]` begins.

    `tags` is memory for one number a corner. `counts` gets the numbers of borders and of turns. If
    there is no room for as many, nothing else is of use: mark the corners anew and call again.
    """
    stride = corners.shape[1]
    flat = corners.reshape(-1)
    room = len(ends)
    n_borders = 0
    n = 0
    for block in range(0, len(flat), _BLOCK):
        if block + _BLOCK <= len(flat):
            bits = np.uint8(0)
            for i in range(_BLOCK):
                bits = np.uint8(bits | flat[np.uint64(block + i)])
            if bits & (_OUTER | _HOLE) == 0:
                continue
        for corner in range(block, min(block + _BLOCK, len(flat))):
            if flat[np.uint64(corner)] & (_OUTER | _HOLE) == 0:
                continue
            for start in (_HOLE, _OUTER):
                if flat[np.uint64(corner)] & start == 0:
                    continue
                cut = -1
                parent = -1
                if start == _HOLE:
                    # The component's next border on the left either turns to the left there, below
                    # this row of pixels, or passes upwards.
                    left = corner - 1
                    while flat[np.uint64(left)] & (_CRACK_LEFT | _CRACK_UP) == 0:
                        left -= 1
                    if flat[np.uint64(left)] & _CRACK_UP:
                        mask = _CRACK_RIGHT | _CRACK_DOWN
                        cut = _find_turn(flat, tags, left, mask, _CRACK_DOWN, stride)
                    else:
                        cut = int(tags[np.uint64(left)])
                    parent = _border_of(ends, min(n_borders, room), cut)
                    if parent < room and first_pixels[parent] < 0:
                        parent = parents[parent]
                elif with_background and corner >= stride:
                    # What is round the neighbor above is round this component too; or if the
                    # border between them is a hole's, its parent, the neighbor itself.
                    mask = _CRACK_LEFT | _CRACK_UP
                    turn = _find_turn(flat, tags, corner, mask, _CRACK_LEFT, -1)
                    neighbor = _border_of(ends, min(n_borders, room), turn)
                    if neighbor < room:
                        parent = parents[neighbor]
                heading = _DOWN if start == _HOLE else _RIGHT
                n = _follow(flat, stride, corner, heading, centered, tags, turns, n)
                if n_borders < room:
                    ends[n_borders] = n
                    first_pixels[n_borders] = -1 if start == _HOLE else corner - corner // stride
                    parents[n_borders] = parent
                    cuts[n_borders] = cut
                n_borders += 1
    counts[0] = n_borders
    counts[1] = n


@njit(nogil=True, error_model="numpy")
def _write_ring(
    turns: _Int32s,
    ends: _Int64s,
    root: int,
    cuts: _Int64s,
    hole_at: _Int32s,
    next_hole: _Int32s,
    outside: _Int32s,
    stride: int,
    points: NDArray[np.float64],
    n: int,
) -> int:
    """Write the ring of border `root`, and on the way those of the holes that cuts join to it.

    Returns n plus its points. `hole_at[turn]`, unless empty, is the hole with a cut from the edge
    after that turn, and `next_hole[hole]` the next one from there; -1 is none. `outside` is memory
    for the way back.
    """
    begin = n
    border = root
    first = ends[border - 1] if border else 0
    end = ends[border]
    turn = first
    hole = -1
    last_x = -1
    last_y = -1
    while True:
        if hole < 0 and turn < end:
            y = int(np.uint32(turns[np.uint64(turn)]) // np.uint32(stride))
            x = int(turns[np.uint64(turn)] - y * stride)
            if turn < len(hole_at):
                hole = hole_at[np.uint64(turn)]
            turn += 1
        elif hole >= 0:
            # Out along the cut, which is level with the hole's first turn.
            outside[hole] = border
            border = hole
            first = ends[border - 1]
            end = ends[border]
            turn = first
            hole = -1
            x = int(turns[cuts[border]] % stride)
            y = int(turns[first] // stride)
            if (
                n > begin + 1
                and last_x == x
                and last_y == y
                and points[n - 2, 1] == y
                and points[n - 2, 0] < x
            ):
                n -= 1  # The cut goes straight on from the edge before.
                continue
        elif border != root:
            # Back along the cut. It goes straight on if the edge it began on leads to the left.
            joint = cuts[border]
            hole = next_hole[border]
            x = int(turns[joint] % stride)
            y = int(turns[first] // stride)
            border = outside[border]
            first = ends[border - 1] if border else 0
            end = ends[border]
            turn = joint + 1
            if turns[turn if turn < end else first] - turns[joint] > -stride:
                continue
        else:
            break
        if x != last_x or y != last_y:
            points[np.uint64(n), 0] = x
            points[np.uint64(n), 1] = y
            n += 1
            last_x = x
            last_y = y
    if n > begin + 1 and points[begin, 0] == last_x and points[begin, 1] == last_y:
        n -= 1
    # A single pixel has one point and a line two, but readers of polygons want three.
    while n < begin + 3:
        points[n, 0] = points[n - 1, 0]
        points[n, 1] = points[n - 1, 1]
        n += 1
    return n


@njit(
    types.void(
        _readonly(types.int32, 1),
        _readonly(types.int64, 1),
        _readonly(types.int64, 1),
        _readonly(types.int64, 1),
        _readonly(types.int64, 1),
        _readonly(types.boolean, 1),
        types.int64,
        types.int64,
        types.float64[:, ::1],
        types.int64[::1],
        types.int64[::1],
        types.int64[::1],
        types.int64[::1],
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
    locals={"n": types.int64},  # Else `_write_ring` is compiled for a literal 0 as well.
)
def write_polygons(
    turns: _Int32s,
    ends: _Int64s,
    first_pixels: _Int64s,
    parents: _Int64s,
    cuts: _Int64s,
    foreground: NDArray[np.bool_],
    mode: int,
    stride: int,
    points: NDArray[np.float64],
    ring_offsets: _Int64s,
    polygon_offsets: _Int64s,
    polygon_pixels: _Int64s,
    counts: _Int64s,
) -> None:
    """Write the polygons of all components; `counts` gets the numbers of points, rings, polygons.

    There must be room for all turns, twice if rings are nested, and four points a border more.
    `foreground[b]` says of an outer border whether its component is.
    """
    n_borders = len(ends)
    is_painted = np.empty(n_borders, np.bool_)
    outside = np.empty(n_borders, np.int32)
    # Linked lists: by border of the rings inside it, or by turn of the holes with a cut from there.
    inner = np.empty(n_borders, np.int32)
    following = np.empty(n_borders, np.int32)
    hole_at = np.empty(len(turns) if mode == _KEYHOLE else 0, np.int32)
    for turn in range(len(hole_at)):
        hole_at[turn] = -1
    for b in range(n_borders):
        inner[b] = -1
        following[b] = -1
        is_outer = first_pixels[b] >= 0
        is_painted[b] = is_outer and foreground[b]
        if mode == _PAINTER and is_outer and parents[b] >= 0 and is_painted[parents[b]]:
            is_painted[b] = True
        if mode == _KEYHOLE and not is_outer:
            # Of several cuts from one edge, which leads upwards, the last comes first.
            following[b] = hole_at[cuts[b]]
            hole_at[cuts[b]] = b
    if mode in (_RINGS, _NESTED_RINGS):
        for b in range(n_borders - 1, -1, -1):
            if parents[b] >= 0 and (first_pixels[b] >= 0) == (mode == _NESTED_RINGS):
                following[b] = inner[parents[b]]
                inner[parents[b]] = b
    n = 0
    n_rings = 0
    n_polygons = 0
    ring_offsets[0] = 0
    polygon_offsets[0] = 0
    for b in range(n_borders):
        if not is_painted[b]:
            continue
        ring = b
        while ring >= 0:
            n = _write_ring(turns, ends, ring, cuts, hole_at, following, outside, stride, points, n)
            n_rings += 1
            ring_offsets[n_rings] = n
            ring = int(inner[b] if ring == b else following[ring])
        polygon_pixels[n_polygons] = first_pixels[b]
        n_polygons += 1
        polygon_offsets[n_polygons] = n_rings
    counts[0] = n
    counts[1] = n_rings
    counts[2] = n_polygons


class Traced(NamedTuple):
    """Polygons as flat arrays.

    Ring r is `points[ring_offsets[r]:ring_offsets[r + 1]]`, as (x, y); polygon p has the rings from
    `polygon_offsets[p]` to `polygon_offsets[p + 1]`, the outer one first. `first_pixels[p]` is the
    index of its first pixel in the flattened labels: what they say there is the polygon's.
    """

    points: NDArray[np.float64]
    ring_offsets: _Int64s
    polygon_offsets: _Int64s
    first_pixels: _Int64s


_kept = threading.local()


def _scratch(name: str, length: int, dtype: type[np.generic]) -> NDArray[Any]:
    """Memory that the thread keeps for its next mask: fresh pages cost more than the tracing."""
    array: NDArray[Any] | None = getattr(_kept, name, None)
    if array is None or len(array) < length:
        array = np.empty(length, dtype)
        if array.nbytes <= _KEPT_BYTES:
            setattr(_kept, name, array)
    return array[:length]


def trace_labels(labels: NDArray[Any], background: int, fill_rule: str, holes: str) -> Traced:
    """Trace the components of a label mask to polygons that are this mask when painted in order.

    Parameters
    ----------
    labels
        (H, W), C-contiguous: uint8 class ids; or uint32, the class id in the lowest 8 bits and
        above these what else tells components apart, `instances.astype(np.uint32) << 8 | ids`.
    background
        The class id without polygons, except where `painter` has to paint it over something.
    fill_rule
        `center`, `opencv` or `pillow`. Rings have three points at least: that of a pixel or of a
        line repeats its last.
    holes
        `rings`, `painter` or `keyhole`.

    Raises
    ------
    ValueError
        For a fill rule or a way with holes that is none of these, and above 2^29 pixel corners.
    FormatError
        For more turns than the limit of points.

    >>> mask = np.array([[0, 7, 7], [0, 7, 7]], np.uint8)
    >>> traced = trace_labels(mask, 0, "center", "rings")
    >>> traced.points.tolist()
    [[1.0, 0.0], [3.0, 0.0], [3.0, 2.0], [1.0, 2.0]]
    >>> mask.reshape(-1)[traced.first_pixels].tolist()
    [7]
    """
    if fill_rule not in ("center", "opencv", "pillow"):
        raise ValueError(f'no way is known to trace exactly for fill rule "{fill_rule}"')
    if holes not in ("rings", "painter", "keyhole"):
        raise ValueError(f'holes must be "rings", "painter" or "keyhole", not "{holes}"')
    height, width = labels.shape
    stride = width + 1
    n_corners = (height + 1) * stride
    if n_corners > _MOST_CORNERS:
        raise ValueError(f"a mask of {width} x {height} pixels is too large to trace")
    if labels.size == 0:
        nothing, offsets = np.empty(0, np.int64), np.zeros(1, np.int64)
        return Traced(np.empty((0, 2)), offsets, offsets, nothing)
    mode = {"rings": _RINGS, "painter": _PAINTER, "keyhole": _KEYHOLE}[holes]
    if (fill_rule, holes) == ("pillow", "rings"):
        mode = _NESTED_RINGS
    with_background = mode in (_NESTED_RINGS, _PAINTER)

    counts = np.empty(3, np.int64)
    corners = _scratch("corners", n_corners, np.uint8).reshape(height + 1, stride)
    tags = _scratch("tags", n_corners, np.int32)
    # Noise has up to four turns a corner. To count them first costs every mask more than it saves.
    n_borders, n_turns = n_corners // 16, n_corners
    while True:
        turns = _scratch("turns", n_turns, np.int32)
        borders = _scratch("borders", 4 * n_borders, np.int64).reshape(4, n_borders)
        ends, first_pixels, parents, cuts = borders
        mark_cracks(labels, background, with_background, corners)
        follow_borders(
            corners,
            with_background,
            fill_rule != "center",
            tags,
            turns,
            ends,
            first_pixels,
            parents,
            cuts,
            counts,
        )
        n_borders, n_turns, _ = counts.tolist()
        POINTS.check(n_turns)  # of a pattern of dots 70 bytes a pixel, in a file of next to nothing
        if n_borders <= len(ends) and n_turns <= len(turns):
            break
    ends, first_pixels, parents, cuts = borders[:, :n_borders]
    foreground = labels.reshape(-1)[first_pixels].astype(np.uint8) != background

    times = 2 if mode == _NESTED_RINGS else 1
    points = np.empty((times * n_turns + 4 * n_borders, 2))
    ring_offsets, polygon_offsets, polygon_pixels = np.empty((3, times * n_borders + 1), np.int64)
    write_polygons(
        turns[:n_turns],
        ends,
        first_pixels,
        parents,
        cuts,
        foreground,
        mode,
        stride,
        points,
        ring_offsets,
        polygon_offsets,
        polygon_pixels,
        counts,
    )
    n, n_rings, n_polygons = counts.tolist()
    points.resize((n, 2), refcheck=False)
    return Traced(
        points,
        ring_offsets[: n_rings + 1],
        polygon_offsets[: n_polygons + 1],
        polygon_pixels[:n_polygons],
    )
