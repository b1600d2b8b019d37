"""The fill rule `pillow` in plain Python: as slow as the rule's words, and as close to them."""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

ONE = np.float32(1)
HALF = np.float32(0.5)


def naive_pillow(out, points, ring_offsets, polygon_offsets, ids):
    if out.size == 0:
        return -1
    for i, point in enumerate(points.tolist()):
        if not all(math.isfinite(c) and abs(int(c)) < 2**31 for c in point):
            return i
    for p, value in enumerate(ids.tolist()):
        covered = set()
        for r in range(polygon_offsets[p], polygon_offsets[p + 1]):
            ring = points[ring_offsets[r] : ring_offsets[r + 1]].tolist()
            if len(ring) >= 2:
                covered ^= pixels_of_ring([(int(x), int(y)) for x, y in ring], *out.shape)
        for row, column in covered:
            out[row, column] = value
    return -1


@dataclass
class Edge:
    x0: int
    y0: int
    x1: int
    y1: int

    def __post_init__(self):
        self.top = min(self.y0, self.y1)
        self.bottom = max(self.y0, self.y1)
        if self.top != self.bottom:
            dx = np.float32(wrapped(self.x1 - self.x0))
            self.slope = dx / np.float32(wrapped(self.y1 - self.y0))

    def x(self, y):
        return np.float32(wrapped(y - self.y0)) * self.slope + np.float32(self.x0)

    def ends_at(self, y):
        return y in (self.top, self.bottom)

    def exists_at(self, y):
        return self.top <= y <= self.bottom


def pixels_of_ring(vertices, height, width):
    if vertices[0] != vertices[-1]:
        vertices = [*vertices, vertices[0]]
    edges = [Edge(*a, *b) for a, b in pairwise(vertices)]
    horizontal = [edge for edge in edges if edge.top == edge.bottom]
    sloping = [edge for edge in edges if edge.top != edge.bottom]
    bottom = max(edge.bottom for edge in edges)
    spans = [(edge.y0, min(edge.x0, edge.x1), max(edge.x0, edge.x1)) for edge in horizontal]
    for y in range(height):
        values = []
        for i, edge in enumerate(sloping):
            if not edge.exists_at(y):
                continue
            if y == edge.bottom and y != bottom:
                values += [edge.x(y), edge.x(y)]
            elif edge.ends_at(y) and edge.slope != 0:
                values.append(corner_x(edge, sloping[:i], y))
            else:
                values.append(edge.x(y))
        values.sort()
        for left, right in zip(values[::2], values[1::2], strict=False):
            spans.append((y, first_pixel(left), last_pixel(right)))
    return {
        (y, x)
        for y, start, end in spans
        if 0 <= y < height and end < 2**31
        for x in range(max(start, 0), min(end, width - 1) + 1)
    }


def corner_x(edge, earlier, y):
    x = edge.x(y)
    neighbor = y - 1 if y == edge.bottom else y + 1
    for other in earlier:
        if (
            other.slope != 0
            and other.ends_at(y)
            and other.exists_at(neighbor)
            and rounded(other.x(y)) == rounded(x)
        ):
            xs = (edge.x(neighbor), other.x(neighbor))
            if x > max(xs) + ONE:
                return np.float32(rounded(max(xs)) + 1)
            if x < min(xs) - ONE:
                return np.float32(rounded(min(xs)) - 1)
            return x
    return x


def rounded(x):
    """Half away from zero."""
    return math.copysign(math.floor(abs(float(x)) + 0.5), x)


def first_pixel(x):
    return math.floor(x + HALF) if x >= 0 else -math.floor(-float(x) + 0.5)


def last_pixel(x):
    return math.ceil(x - HALF) if x >= 0 else -math.ceil(-float(x) - 0.5)


def wrapped(i):
    """As a C int holds it."""
    return (i + 2**31) % 2**32 - 2**31
