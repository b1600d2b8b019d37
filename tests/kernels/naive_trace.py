"""What `trace_labels` is to write, in plain Python: crack by crack, with sets of pixels."""

from collections.abc import Iterator, Sequence

Place = tuple[int, int]  # (x, y) of a pixel, and of its upper left corner
Border = list[tuple[Place, int]]  # cracks: a corner and the heading that leaves it

RIGHT, DOWN, LEFT, UP = range(4)
STEPS = (1, 0), (0, 1), (-1, 0), (0, -1)
# From a corner to the pixel on the right of the crack that leaves it.
RIGHT_PIXEL = (0, 0), (-1, 0), (-1, -1), (0, -1)


def add(a: Place, b: Place) -> Place:
    return a[0] + b[0], a[1] + b[1]


def naive_trace(
    mask: Sequence[Sequence[int]], background: int, fill_rule: str, holes: str
) -> list[tuple[Place, list[list[Place]]]]:
    """Return the polygons, each its first pixel and its rings."""
    centered = fill_rule != "center"
    labels = {(x, y): label for y, row in enumerate(mask) for x, label in enumerate(row)}
    components = list(components_of(labels))
    firsts = [component[0] for component in components]
    borders = [borders_of(set(component)) for component in components]
    outer_rings = [ring_of(outer, {}, centered) for outer, _ in borders]
    foreground = [i for i, first in enumerate(firsts) if labels[first] != background]
    if holes == "keyhole":
        return [
            (firsts[i], [ring_of(borders[i][0], cuts_of(components[i], borders[i][1]), centered)])
            for i in foreground
        ]
    if holes == "rings" and fill_rule != "pillow":
        return [
            (firsts[i], [outer_rings[i], *(ring_of(hole, {}, centered) for hole in borders[i][1])])
            for i in foreground
        ]
    inside = [inside_of(component, firsts) for component in components]
    if holes == "painter":
        painted = [
            i
            for i in range(len(components))
            if i in foreground or any(i in inside[j] for j in foreground)
        ]
        return [(firsts[i], [outer_rings[i]]) for i in painted]
    return [
        (firsts[i], [outer_rings[i], *(outer_rings[j] for j in sorted(directly(inside, i)))])
        for i in foreground
    ]


def components_of(labels: dict[Place, int]) -> Iterator[list[Place]]:
    """4-connected, in raster order of first pixels, each one's first pixel first."""
    left = dict.fromkeys(labels)
    while left:
        component = [next(iter(left))]
        del left[component[0]]
        for pixel in component:
            for step in STEPS:
                near = add(pixel, step)
                if near in left and labels[near] == labels[pixel]:
                    del left[near]
                    component.append(near)
        yield component


def borders_of(component: set[Place]) -> tuple[Border, list[Border]]:
    """The outer border and those of holes, in raster order of the starts that they begin with."""
    cracks = {
        (add(pixel, (-dx, -dy)), heading)
        for pixel in component
        for heading, (dx, dy) in enumerate(RIGHT_PIXEL)
        if add(pixel, STEPS[heading - 1]) not in component
    }
    borders = []
    while cracks:
        start = min(cracks, key=lambda crack: (crack[0][1], crack[0][0]))
        border = [start]
        while True:
            cracks.discard(border[-1])
            corner, heading = border[-1]
            corner = add(corner, STEPS[heading])
            turns = ((corner, (heading + turn) % 4) for turn in (1, 0, 3))
            following = next((turn for turn in turns if turn in cracks), start)
            if following == start:
                break
            border.append(following)
        borders.append(border)
    return borders[0], borders[1:]


def cuts_of(component: list[Place], holes: list[Border]) -> dict[Place, Border]:
    """Holes by the corner where a cut to the left meets the next border of the component."""
    pixels = set(component)
    cuts = {}
    for hole in holes:
        (x, y), _ = hole[0]
        x -= 1
        while {(x - 1, y - 1), (x - 1, y)} <= pixels:
            x -= 1
        cuts[x, y] = hole
    return cuts


def path_of(border: Border, cuts: dict[Place, Border], centered: bool) -> Iterator[Place]:
    """All pixels, or corners, along a border and the holes that are cut open from it."""
    for i, (corner, leaving) in enumerate(border):
        arriving = border[i - 1][1]
        if not centered:
            yield corner
        elif (leaving - arriving) % 4 == 3:
            yield add(corner, RIGHT_PIXEL[arriving])
        if leaving == UP and centered:
            yield add(corner, RIGHT_PIXEL[leaving])
        if corner in cuts and (leaving == UP or (arriving, leaving) == (UP, LEFT)):
            hole = cuts[corner]
            y = corner[1] - centered
            way = [(x, y) for x in range(corner[0], hole[0][0][0] + (not centered))]
            yield from way
            yield from path_of(hole, cuts, centered)
            yield from reversed(way)
        if centered:
            yield add(corner, RIGHT_PIXEL[leaving])


def ring_of(border: Border, cuts: dict[Place, Border], centered: bool) -> list[Place]:
    """The path without points that are repeated or lie on the way straight on."""
    ring: list[Place] = []
    for point in path_of(border, cuts, centered):
        if ring and ring[-1] == point:
            continue
        if len(ring) > 1:
            (x0, y0), (x1, y1) = ring[-2:]
            if (x1 - x0) * (point[0] - x1) + (y1 - y0) * (point[1] - y1) > 0:
                ring.pop()
        ring.append(point)
    if len(ring) > 1 and ring[0] == ring[-1]:
        ring.pop()
    if len(ring) > 2:
        (x0, y0), (x1, y1), (x2, y2) = ring[-2], ring[-1], ring[0]
        if (x1 - x0) * (x2 - x1) + (y1 - y0) * (y2 - y1) > 0:
            ring.pop()
    return ring + ring[-1:] * (3 - len(ring))


def inside_of(component: list[Place], firsts: list[Place]) -> set[int]:
    """The components that one encloses: 8-connected paths from outside do not reach them."""
    pixels = set(component)
    right, bottom = (max(first[axis] for first in [*firsts, *component]) + 1 for axis in (0, 1))
    outside = [(-1, -1)]
    reached = set(outside)
    for pixel in outside:
        for dx in (-1, 0, 1):
            for dy in (-1, 0, 1):
                x, y = near = add(pixel, (dx, dy))
                in_frame = -1 <= x <= right and -1 <= y <= bottom
                if in_frame and near not in reached and near not in pixels:
                    reached.add(near)
                    outside.append(near)
    return {i for i, first in enumerate(firsts) if first not in reached and first not in pixels}


def directly(inside: list[set[int]], i: int) -> set[int]:
    return inside[i] - {k for j in inside[i] for k in inside[j]}
