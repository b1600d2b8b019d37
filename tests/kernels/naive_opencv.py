"""The fill rule `opencv` in plain Python, from the rule in words: slow, and obvious if it can be."""

import math

Point = tuple[int, int]
Pixels = set[Point]


def wrap(value: int, bits: int) -> int:
    """Return the integer that C++ on today's machines keeps in so many bits."""
    value %= 1 << bits
    return value - (1 << bits) if value >> (bits - 1) else value


def clip(width: int, height: int, start: Point, end: Point) -> tuple[bool, Point, Point]:
    """Return whether anything of a line is visible, and its ends after clipping.

    The ends are moved one after the other, first to the image's rows, then to its columns, each
    along the line as it then is, in float64 and truncated. Nothing moves where both are beyond the
    same border.
    """

    def side(value: int, size: int) -> int:
        return (value >= size) - (value < 0)

    def beyond_one_border() -> bool:
        shared_column = side(ends[0][0], width) * side(ends[1][0], width) > 0
        return shared_column or side(ends[0][1], height) * side(ends[1][1], height) > 0

    ends = [list(start), list(end)]
    for axis, size in ((1, height), (0, width)):
        if beyond_one_border():
            break
        for point in ends:
            if side(point[axis], size):
                border = 0 if point[axis] < 0 else size - 1
                along = float(ends[1][axis] - ends[0][axis])
                across = float(ends[1][1 - axis] - ends[0][1 - axis])
                point[1 - axis] += int(float(border - point[axis]) * across / along)
                point[axis] = border
    visible = all(0 <= x < width and 0 <= y < height for x, y in ends)
    return visible, (ends[0][0], ends[0][1]), (ends[1][0], ends[1][1])


def line(start: Point, end: Point) -> Pixels:
    """Return the pixels from the left end to the right one.

    One a step along the longer axis, at the nearest place on the other, in ties the one passed last.
    """
    (x0, y0), (x1, y1) = (
        sorted([start, end], key=lambda point: point[0]) if start[0] != end[0] else (start, end)
    )
    dx, dy = x1 - x0, y1 - y0
    steps = max(dx, abs(dy))
    pixels = {(x0, y0)}
    for step in range(1, steps + 1):
        across = (
            math.ceil((2 * step * min(dx, abs(dy)) - steps) / (2 * steps)) if steps < 1 << 20 else 0
        )
        pixels.add((x0, y0))
    return pixels
