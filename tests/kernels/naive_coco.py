"""The fill rule `coco` and COCO's run lengths in plain Python, as close to the words as can be."""

from bisect import bisect_left
from itertools import groupby


def naive_coco(out, points, ring_offsets, polygon_offsets, ids):
    if out.size == 0:
        return -1
    for i, point in enumerate(points.tolist()):
        if not all(abs(c) <= 2**27 for c in point):
            return i
    for p, value in enumerate(ids.tolist()):
        for r in range(polygon_offsets[p], polygon_offsets[p + 1]):
            ring = points[ring_offsets[r] : ring_offsets[r + 1]].tolist()
            for row, column in pixels_of_ring(ring, *out.shape):
                out[row, column] = value
    return -1


def pixels_of_ring(ring, height, width):
    """Yield (row, column) where the column has an odd number of crossings so far."""
    vertices = [(int(5 * x + 0.5), int(5 * y + 0.5)) for x, y in ring]
    for column in range(width):
        rows = [
            crossing(*ends, column)
            for ends in zip(vertices, vertices[1:] + vertices[:1], strict=True)
            if min(ends)[0] <= 5 * column + 2 < max(ends)[0]
        ]
        for row in range(height):
            if sum(crossed <= row for crossed in rows) % 2:
                yield row, column


def crossing(start, end, column):
    """Return the row in which the edge's samples step from 5 * column + 2 to the next, or back."""
    dx, dy = abs(start[0] - end[0]), abs(start[1] - end[1])
    if dx >= dy:
        (x0, y0), (x1, y1) = sorted([start, end])
        slope = (y1 - y0) / dx
        y = min(int(y0 + slope * (x - x0) + 0.5) for x in (5 * column + 2, 5 * column + 3))
    else:
        (y0, x0), (y1, x1) = sorted([start[::-1], end[::-1]])
        slope = (x1 - x0) / dy

        def is_beyond(t):
            return (int(x0 + slope * t + 0.5) > 5 * column + 2) == (x1 > x0)

        y = y0 + bisect_left(range(dy), True, key=is_beyond) - 1
    return max((y + 2) // 5, 0)


def naive_counts(mask):
    """Return the counts of a mask of booleans."""
    runs = [(inside, len(list(run))) for inside, run in groupby(mask.T.ravel().tolist())]
    return [0] * (not runs or runs[0][0]) + [length for _, length in runs]


def naive_string(counts):
    text = ""
    for i, count in enumerate(counts):
        number = count - counts[i - 2] if i > 2 else count
        while not -16 <= number < 16:
            text += chr(48 + 32 + number % 32)
            number //= 32
        text += chr(48 + number % 32)
    return text


def naive_paint(out, counts, value):
    """Paint a mask of counts that sum to the size of `out`."""
    height = out.shape[0]
    at = 0
    for i, count in enumerate(counts):
        for pixel in range(at, at + count):
            if i % 2:
                out[pixel % height, pixel // height] = value
        at += count
