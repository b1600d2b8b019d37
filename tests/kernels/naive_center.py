"""The fill rule `center` in plain Python: as slow as the rule's words, and as close to them."""

import math
from itertools import pairwise


def naive_center(out, points, ring_offsets, polygon_offsets, ids):
    height, width = out.shape
    if out.size == 0:
        return -1
    for i, point in enumerate(points.tolist()):
        if not all(abs(c) <= 2**31 - 1 for c in point):
            return i
    for p, value in enumerate(ids.tolist()):
        rings = []
        for r in range(polygon_offsets[p], polygon_offsets[p + 1]):
            ring = points[ring_offsets[r] : ring_offsets[r + 1]].tolist()
            if ring[:1] != ring[-1:]:
                ring.append(ring[0])
            if len(ring) > 3:
                rings.append(ring if is_clockwise(ring) else ring[::-1])
        for row in range(height):
            for start, stop in spans_of_row(rings, row + 0.5):
                for column in range(max(start, 0), min(stop, width)):
                    out[row, column] = value
    return -1


def spans_of_row(rings, y):
    """Pixels between pairs of crossings, and those of horizontal edges that run to the left."""
    crossings = []
    for ring in rings:
        for (x0, y0), (x1, y1) in pairwise(ring):
            if y0 == y1 == y and x0 > x1:
                yield math.floor(x1 + 0.5), math.floor(x0 + 0.5)
            (y_low, x_low), (y_high, x_high) = sorted([(y0, x0), (y1, x1)])
            if y_low <= y < y_high:
                x = (y - y_low) * (x_high - x_low) / (y_high - y_low) + x_low
                crossings.append(math.floor(x + 0.5))
    crossings.sort()
    yield from zip(crossings[::2], crossings[1::2], strict=True)


def is_clockwise(ring):
    """Whether a closed ring turns clockwise where y points up."""
    *vertices, _ = ring
    pivot = min(vertices, key=lambda vertex: (vertex[1], -vertex[0]))
    i = vertices.index(pivot)
    before, after = vertices[i - 1], vertices[(i + 1) % len(vertices)]
    if vertices.count(pivot) == 1 and not is_close(before, pivot) and not is_close(after, pivot):
        dx0, dy0 = before[0] - pivot[0], before[1] - pivot[1]
        dx1, dy1 = after[0] - pivot[0], after[1] - pivot[1]
        turn = dx1 * dy0 - dx0 * dy1
        if turn != 0:
            return turn < 0
    # Green's formula over the closed ring, in GDAL's order.
    area = ring[0][0] * (ring[1][1] - ring[0][1])
    for i in range(1, len(ring) - 1):
        area += ring[i][0] * (ring[i + 1][1] - ring[i - 1][1])
    area += ring[-1][0] * (ring[-1][1] - ring[-2][1])
    return area < 0


def is_close(a, b):
    return abs(a[0] - b[0]) < 1e-5 and abs(a[1] - b[1]) < 1e-5
