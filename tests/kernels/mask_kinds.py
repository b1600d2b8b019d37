"""Random index masks of twelve kinds, each hard on a tracer in its own way."""

import cv2
import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.uint8]


def noise(random: np.random.Generator, height: int, width: int, classes: int) -> Mask:
    return random.integers(0, classes, (height, width), np.uint8)


def blocks(random: np.random.Generator, height: int, width: int, classes: int) -> Mask:
    side = int(random.integers(2, 7))
    coarse = noise(random, height // side + 1, width // side + 1, classes)
    return np.kron(coarse, np.ones((side, side), np.uint8))[:height, :width]


def smooth(random: np.random.Generator, height: int, width: int, classes: int) -> Mask:
    field = cv2.GaussianBlur(random.random((height, width)), (0, 0), random.uniform(0.6, 6))
    share = (field - field.min()) / (np.ptp(field) + 1e-9)
    return np.minimum(share * classes, classes - 1).astype(np.uint8)


def crosses(random: np.random.Generator, height: int, width: int, classes: int) -> Mask:
    """Diagonals, whose pixels touch at corners alone."""
    y, x = np.mgrid[:height, :width]
    rising, falling = random.integers(2, 6, 2)
    return (((x + y) % rising == 0) + 2 * ((x - y) % falling == 0)).astype(np.uint8) % classes


def lines(random: np.random.Generator, height: int, width: int, classes: int) -> Mask:
    mask = np.zeros((height, width), np.uint8)
    for _ in range(random.integers(1, 12)):
        ends = random.integers(-5, [width + 5, height + 5], (2, 2)).tolist()
        cv2.line(mask, *ends, int(random.integers(classes)), 1, int(random.choice([4, 8])))
    return mask


def nested(random: np.random.Generator, height: int, width: int, classes: int) -> Mask:
    y, x = np.mgrid[:height, :width]
    dx, dy = np.abs(x - width * random.random()), np.abs(y - height * random.random())
    distance = [np.hypot(dx, dy), dx + dy, np.maximum(dx, dy)][random.integers(3)]
    return ((distance / random.uniform(1, 4)).astype(int) % classes).astype(np.uint8)


def checkers(random: np.random.Generator, height: int, width: int, classes: int) -> Mask:
    y, x = np.mgrid[:height, :width] // random.integers(1, 4)
    return ((x + y) % random.choice([2, classes])).astype(np.uint8)


def strips(random: np.random.Generator, height: int, width: int, classes: int) -> Mask:
    """One or two pixels high or wide."""
    runs = np.repeat(noise(random, 1, max(height, width), classes), random.integers(1, 4), axis=1)
    strip = np.repeat(runs[:, : max(height, width)], random.integers(1, 3), axis=0)
    return strip if width > height else strip.T


def specks(random: np.random.Generator, height: int, width: int, classes: int) -> Mask:
    mask = np.full((height, width), random.integers(classes), np.uint8)
    return with_noise(random, mask, classes, random.uniform(0, 0.3))


def ellipses(random: np.random.Generator, height: int, width: int, classes: int) -> Mask:
    """Filled and hollow, with a little noise."""
    mask = np.zeros((height, width), np.uint8)
    for _ in range(random.integers(1, 15)):
        middle = random.integers(0, [width, height]).tolist()
        axes = random.integers(0, [width // 2 + 1, height // 2 + 1]).tolist()
        thickness = int(random.choice([-1, -1, 1, 3]))
        angle, value = random.uniform(0, 360), int(random.integers(classes))
        cv2.ellipse(mask, middle, axes, angle, 0, 360, value, thickness)
    return with_noise(random, mask, classes, 0.05)


def combs(random: np.random.Generator, height: int, width: int, classes: int) -> Mask:
    mask = np.zeros((height, width), np.uint8)
    for _ in range(random.integers(1, 8)):
        y, x = random.integers(0, [height, width])
        down, right = random.integers(1, 4, 2)
        mask[y : random.integers(y, height) + 1 : down, x::right] = random.integers(classes)
    return mask


def voronoi(random: np.random.Generator, height: int, width: int, classes: int) -> Mask:
    seeds = random.random((random.integers(1, 20), 2)) * [height, width]
    grid = np.stack(np.mgrid[:height, :width], axis=-1)
    nearest = np.square(grid[:, :, np.newaxis] - seeds).sum(axis=-1).argmin(axis=-1)
    return noise(random, 1, len(seeds), classes)[0][nearest]


def with_noise(random: np.random.Generator, mask: Mask, classes: int, share: float) -> Mask:
    return np.where(random.random(mask.shape) < share, noise(random, *mask.shape, classes), mask)


KINDS = {
    kind.__name__: kind
    for kind in (
        noise,
        blocks,
        smooth,
        crosses,
        lines,
        nested,
        checkers,
        strips,
        specks,
        ellipses,
        combs,
        voronoi,
    )
}


def random_mask(random: np.random.Generator, name: str, longest: int = 48) -> Mask:
    """A mask of one kind, of 2 to 8 classes and of sides up to `longest`."""
    height, width = random.integers(1, longest + 1, 2).tolist()
    mask = KINDS[name](random, height, width, int(random.integers(2, 9)))
    return np.ascontiguousarray(mask)
