"""The fill rule `opencv` in plain Python, from the rule in words: slow, with no cleverness."""

from collections.abc import Iterator, Sequence

Point = tuple[int, int]
Pixels = set[Point]


def wrap(value: int, bits: int) -> int:
    """Return what is left of an integer in so many bits, as C++ does it in practice."""
    value %= 1 << bits
    return value - (1 << bits) if value >> (bits - 1) else value


def divide(numerator: int, denominator: int) -> int:
    """Return the quotient truncated toward zero, as in C."""
    quotient = abs(numerator) // abs(denominator)
    return quotient if (numerator < 0) == (denominator < 0) else -quotient


def clip(width: int, height: int, start: Point, end: Point) -> tuple[bool, Point, Point]:
    """Return whether anything of a line is visible, and its ends after clipping.

    First both ends are moved to the image's rows, then both to its columns, each along the line
    between the ends as they then are, in float64 and truncated. Nothing (more) is moved once both
    ends are beyond the same border, so the ends of an invisible line may have moved, too.
    """
    ends = [list(start), list(end)]
    size = (width, height)

    def side(point: list[int], axis: int) -> int:
        return -1 if point[axis] < 0 else int(point[axis] >= size[axis])

    for axis in (1, 0):
        if any(side(ends[0], a) * side(ends[1], a) > 0 for a in (0, 1)):
            break
        for point in ends:
            if side(point, axis) != 0:
                border = 0 if point[axis] < 0 else size[axis] - 1
                along = float(ends[1][axis] - ends[0][axis])
                across = float(ends[1][1 - axis] - ends[0][1 - axis])
                point[1 - axis] += int(float(border - point[axis]) * across / along)
                point[axis] = border
    visible = all(side(point, axis) == 0 for point in ends for axis in (0, 1))
    return visible, (ends[0][0], ends[0][1]), (ends[1][0], ends[1][1])


def draw_line(start: Point, end: Point) -> Iterator[Point]:
    """Yield a pixel for each step along the longer axis, from the left end to the right one.

    On the other axis it is the nearest one; of two as near, the one nearer to the left end.
    """
    if end[0] < start[0]:
        start, end = end, start
    dx, dy = end[0] - start[0], abs(end[1] - start[1])
    down = 1 if start[1] < end[1] else -1
    steps, rise = max(dx, dy), min(dx, dy)
    yield start
    for step in range(1, steps + 1):
        across = -((steps - 2 * step * rise) // (2 * steps))  # step * rise / steps, rounded
        along_x, along_y = (step, across) if dx >= dy else (across, step)
        yield start[0] + along_x, start[1] + down * along_y


def polygon_pixels(width: int, height: int, rings: Sequence[Sequence[Point]]) -> Pixels:
    """Return the pixels (x, y) that one polygon covers."""
    pixels: Pixels = set()
    edges = []  # top, bottom, slope, x on the top row; both in 16.16 fixed point
    for ring in rings:
        for start, end in zip([*ring[-1:], *ring[:-1]], ring, strict=True):
            visible, clipped_start, clipped_end = clip(width, height, start, end)
            if visible:
                pixels.update(draw_line(clipped_start, clipped_end))
            if start[1] == end[1]:
                continue
            y0, y1 = clipped_start[1], clipped_end[1]
            if y0 == y1:
                y0, y1 = start[1], end[1]
            slope = divide((clipped_end[0] - clipped_start[0]) << 16, y1 - y0)
            top, bottom = sorted([start[1], end[1]])
            x, y = (clipped_start[0], y0) if start[1] < end[1] else (clipped_end[0], y1)
            edges.append((top, bottom, slope, wrap((x << 16) + (top - y) * slope, 64)))

    reached = [x for *_, x in edges] + [
        wrap(x + wrap(bottom - top, 32) * slope, 64) for top, bottom, slope, x in edges
    ]
    if not reached or max(reached) < 0 or min(reached) >= width << 16:
        return pixels
    for row in range(height):
        crossings = sorted(
            wrap(x + (row - top) * slope, 64)
            for top, bottom, slope, x in edges
            if top <= row < bottom
        )
        for left, right in zip(crossings[::2], crossings[1::2], strict=True):
            first = wrap(wrap(left + 0xFFFF, 64) >> 16, 32)
            last = wrap(right >> 16, 32)
            pixels.update((x, row) for x in range(max(first, 0), min(last, width - 1) + 1))
    return pixels


def fill(
    width: int, height: int, polygons: Sequence[Sequence[Sequence[Point]]], ids: Sequence[int]
) -> list[list[int]]:
    """Return the rows of an image of zeros, painted with the polygons in turn."""
    image = [[0] * width for _ in range(height)]
    for polygon, id in zip(polygons, ids, strict=True):
        for x, y in polygon_pixels(width, height, polygon):
            image[y][x] = id
    return image
