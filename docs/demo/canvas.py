"""A canvas for synthetic photos: projection, paint, light and air, and the polygons to match.

World: x to the right of the road's centre line, y up, z ahead of the camera, all following the
road's curve. Everything is painted and annotated from the same projected points, so photo and
polygons line up; later polygons cover earlier ones, as nearer things cover farther ones.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw, ImageFilter

Floats = NDArray[np.float64]
Color = tuple[int, int, int]
Polygon = tuple[str, Floats]  # label, (N, 2) points in pixels

WIDTH, HEIGHT, HORIZON = 1920, 1080, 470
FOCAL, EYE_HEIGHT = 1150.0, 1.5  # pixels, metres
NEAR = 2.6  # metres; the ground there is just below the picture
OVERSAMPLE = 2  # painted larger and then reduced, for smooth edges
GRAIN = {"vegetation": 0.14, "road": 0.06, "sidewalk": 0.06, "sky": 0.0}  # others 0.02

# Zenith, haze, light, visibility in metres, and how bright clouds are.
LOOKS: dict[tuple[str, str], tuple[Color, Color, tuple[float, float, float], float, float]] = {
    ("주간", "맑음"): ((62, 118, 190), (205, 221, 235), (1.06, 1.02, 0.95), 700, 0.8),
    ("주간", "흐림"): ((150, 160, 172), (208, 212, 216), (0.86, 0.87, 0.88), 330, 0.5),
    ("주간", "비"): ((112, 121, 131), (172, 178, 183), (0.62, 0.65, 0.68), 150, 0.3),
    ("야간", "맑음"): ((9, 13, 31), (52, 48, 66), (0.34, 0.35, 0.43), 420, 0.06),
    ("야간", "흐림"): ((22, 24, 34), (66, 60, 66), (0.34, 0.34, 0.38), 300, 0.08),
    ("야간", "비"): ((16, 18, 26), (54, 52, 58), (0.3, 0.31, 0.35), 170, 0.05),
}
COLORS: dict[str, Sequence[Color]] = {  # each thing picks one
    "wall": [(196, 186, 172), (158, 108, 86), (142, 150, 158), (214, 212, 206), (182, 160, 128)],
    "paint": [(232, 232, 230), (40, 42, 46), (150, 154, 160), (150, 30, 34), (40, 66, 120)],
    "shop": [(160, 27, 24), (27, 66, 136), (24, 104, 64), (182, 141, 38), (181, 182, 181)],
    "shirt": [(170, 50, 46), (52, 78, 128), (206, 200, 186), (196, 156, 70), (90, 120, 92)],
    "pants": [(44, 50, 66), (36, 36, 40), (92, 84, 74), (70, 78, 90)],
    "leaf": [(62, 92, 44), (78, 104, 48), (92, 98, 46)],
    "fur": [(150, 104, 62), (210, 198, 176), (70, 56, 46)],
    "skin": [(206, 160, 132)], "dark": [(30, 32, 36)], "steel": [(112, 118, 124)],
    "red": [(200, 34, 30)], "orange": [(226, 92, 32)], "green": [(24, 96, 70)],
    "white": [(226, 228, 226)], "concrete": [(160, 158, 152)],
    "lamp": [(255, 232, 190)], "stop": [(255, 60, 44)],
}  # fmt: skip
LIT = ("lamp", "stop")  # shine of themselves at night


class Part(NamedTuple):
    """A piece of a thing."""

    color: ArrayLike
    shape: Floats  # (N, 3), metres
    lit: bool = False


def upright(numbers: Sequence[float], x: float, z: float, scale: float = 1) -> Floats:
    """Return a box, bar or polygon (see `parts`) that faces the camera at (x, z); -1 mirrors it."""
    if len(numbers) == 5:
        a, b, radius = complex(*numbers[:2]), complex(*numbers[2:4]), numbers[4] / 2
        cap = radius * np.exp(1j * (np.angle(b - a) + np.linspace(0.5, 1.5, 8) * np.pi))
        ring = np.concatenate([a + cap, b - cap])
        u, y = ring.real, ring.imag
    elif len(numbers) == 4:
        u, y = np.take(numbers, [(0, 2, 2, 0), (1, 1, 3, 3)])
    else:
        u, y = np.reshape(numbers, (-1, 2)).T
    return np.stack([x + scale * u, y, np.full_like(y, z)], 1)


def strip(x0: float, x1: float, z0: float, z1: float, y0: float = 0, y1: float = 0) -> Floats:
    """Return what lies between two lines along the road, with vertices to follow its curve."""
    z = np.geomspace(max(z0, NEAR), z1, 2 + int(4 * np.log(z1 / max(z0, NEAR))))
    one, other = (np.stack([0 * z + x, 0 * z + y, z], 1) for x, y in ((x0, y0), (x1, y1)))
    return np.concatenate([one, other[::-1]])


def simplify(line: Floats, tolerance: float) -> Floats:
    """Return few vertices that stay within `tolerance` of the line (Douglas-Peucker)."""
    (dx, dy), (x, y) = line[-1] - line[0], (line - line[0]).T
    offset = np.abs(dx * y - dy * x) / (np.hypot(dx, dy) + 1e-9)
    worst = int(offset.argmax())
    if len(line) < 3 or offset[worst] < tolerance:
        return line[[0, -1]]
    head, tail = simplify(line[: worst + 1], tolerance), simplify(line[worst:], tolerance)
    return np.concatenate([head[:-1], tail])


def outline(parts: Sequence[Floats]) -> Floats:
    """Return one polygon round overlapping parts: the outermost edges, column by column."""
    x0, y0 = np.concatenate(parts).T
    x1, y1 = np.concatenate([ends for part in parts for ends in (part[1:], part[:1])]).T
    xs = np.concatenate([x0, x0 - 1, x0 + 1]) / 0.7  # beside the vertices too: upright edges
    xs = np.unique((xs.round() * 0.7).clip(x0.min(), x0.max()))[:, None]
    y = y0 + (y1 - y0) * np.clip((xs - x0) / np.where(x0 == x1, 1, x1 - x0), 0, 1)
    crossed = (xs >= np.minimum(x0, x1)) & (xs <= np.maximum(x0, x1))
    top = np.column_stack([xs, np.where(crossed, y, np.inf).min(1)])
    bottom = np.column_stack([xs, np.where(crossed, y, -np.inf).max(1)])
    return np.concatenate([simplify(top, 0.8), simplify(bottom[::-1], 0.8)])


def noise(rng: np.random.Generator, size: tuple[int, int], cells: int, octaves: int) -> Floats:
    """Return smooth noise of about unit variance, with so many lumps across."""
    total = np.zeros(size[::-1])
    for octave in range(octaves):
        columns = cells * 2**octave
        rows = max(2, columns * size[1] // size[0])
        lumps = Image.fromarray(rng.normal(0, 0.5**octave, (rows, columns)).astype(np.float32))
        total += np.asarray(lumps.resize(size, Image.Resampling.BICUBIC))
    return total


class Canvas:
    """A picture under way: the paint, the glow of lamps and the polygons."""

    def __init__(self, time_zone: str, weather: str, curve: float, eye: float, seed: int) -> None:
        self.night, self.wet = time_zone == "야간", weather == "비"
        self.curve, self.eye = curve, eye  # of the road, 1/m; of the camera, x in metres
        self.rng = np.random.default_rng(seed)
        look = LOOKS[time_zone, weather]
        self.zenith, self.haze, self.light, self.visibility, self.clouds = look
        self.image = Image.new("RGB", (WIDTH * OVERSAMPLE, HEIGHT * OVERSAMPLE))
        self.glow = Image.new("RGB", (WIDTH // 4, HEIGHT // 4))
        self.brush, self.lamps = ImageDraw.Draw(self.image), ImageDraw.Draw(self.glow)
        self.glaze = ImageDraw.Draw(self.image, "RGBA")  # blends, which is slow
        self.polygons: list[Polygon] = []
        self.flat: set[str] = set()  # labels of the ground
        self.waiting: list[tuple[float, Callable[[], None]]] = []  # distance, painter

    def pick(self, name: str) -> Floats:
        """Return one of the colors of that name, a little varied."""
        choices = COLORS[name]
        return np.array(choices[int(self.rng.integers(len(choices)))]) + self.rng.normal(0, 5, 3)

    def project(self, shape: Floats) -> Floats:
        """Return the pixels of points in the world."""
        x, y, z = shape.T
        column = WIDTH / 2 + FOCAL * ((x - self.eye) / z + self.curve * z / 2)
        return np.stack([column, HORIZON + FOCAL * (EYE_HEIGHT - y) / z], 1)

    def tone(self, color: ArrayLike, distance: float, lit: bool = False) -> Color:
        """Return the color in this light and behind this much air."""
        surface = np.asarray(color, float) * (1.0 if lit and self.night else self.light)
        haze = 1 - np.exp(-distance / self.visibility)
        red, green, blue = (surface + haze * (self.haze - surface)).clip(0, 255)
        return int(red), int(green), int(blue)

    def fill(self, color: Color, polygon: Floats, alpha: int = 255) -> None:
        """Paint a polygon given in pixels of the photo."""
        brush = self.brush if alpha == 255 else self.glaze
        brush.polygon((polygon * OVERSAMPLE).ravel().tolist(), (*color, alpha))

    def ground(self, label: str, color: ArrayLike, area: Floats, alpha: int = 255) -> None:
        """Paint a strip slice by slice, for the haze; without a label it is but a stain."""
        polygon, half = self.project(area), len(area) // 2
        for i in range(half - 1):
            corners = [i, i + 1, -i - 2, -i - 1]
            self.fill(self.tone(color, float(area[corners, 2].mean())), polygon[corners], alpha)
        if label:
            self.flat.add(label)
            self.polygons.append((label, polygon))

    def shadow(self, x: float, z: float, rx: float, rz: float) -> None:
        """Darken the ground, most in the middle."""
        for size in np.linspace(1.25, 0.7, 6):
            disc = upright([0, 0, 0, 0, 2 * size], 0, 0)[:, [0, 2, 1]]
            self.fill((0, 0, 0), self.project(disc * (rx, 0, rz) + (x, 0, z)), 34)

    def later(self, z: float, painter: Callable[..., None], *details: object) -> None:
        """Keep a standing thing until the ground is done; they then come far to near."""
        self.waiting.append((z, partial(painter, self, *details)))

    def parts(self, pieces: str, x: float, z: float, scale: float = 1) -> list[Part]:
        """Read pieces, from back to front; the whole text has one color of each name.

        A piece is "color x0 y0 x1 y1" (a box), "color x0 y0 x1 y1 width" (a rounded bar) or
        "color x y x y ..." (a polygon), in metres.
        """
        colors = {name: self.pick(name) for name in COLORS}
        return [
            Part(colors[name], upright([float(n) for n in numbers], x, z, scale), name in LIT)
            for name, *numbers in (piece.split() for piece in pieces.split(","))
        ]

    def thing(self, label: str, parts: Sequence[Part]) -> None:
        """Paint parts over each other and annotate the outline of them all."""
        polygons = [self.project(part.shape) for part in parts]
        for part, polygon in zip(parts, polygons, strict=True):
            color = self.tone(part.color, float(part.shape[:, 2].mean()), part.lit)
            self.fill(color, polygon)
            if self.night:
                self.lamps.polygon((polygon / 4).ravel().tolist(), color if part.lit else (0, 0, 0))
        self.polygons.append((label, outline(polygons)))

    def backdrop(self) -> None:
        """Paint the sky, two mountain ranges and a line of trees."""
        rows = HORIZON + 12
        up = np.linspace(1, 0, rows)[:, None, None]
        sky = self.haze + (np.array(self.zenith) - self.haze) * up**1.3
        clouds = (noise(self.rng, (WIDTH, rows), 5, 5) * 0.7 + 0.1).clip(0, 1)[..., None] * up**0.5
        sky = (sky + clouds * self.clouds * (252 - sky)).clip(0, 255)
        photo = Image.fromarray(sky.astype(np.uint8))
        self.image.paste(photo.resize((self.image.width, rows * OVERSAMPLE)))
        corners = np.array([(0, 0), (WIDTH, 0), (WIDTH, rows), (0, rows)], float)
        self.polygons.append(("sky", corners))
        for label, foot, size, cells, distance, color in (
            ("mountain", 400, 130, 6, 430, (74, 96, 98)),
            ("mountain", 430, 70, 9, 260, (66, 92, 72)),
            ("vegetation", 456, 16, 60, 150, (62, 84, 50)),
        ):
            ridge = foot - size * np.abs(noise(self.rng, (97, 2), cells, 3)[0])
            skyline = np.stack([np.linspace(-3, WIDTH + 3, 97), ridge], 1)
            feet = np.array([(WIDTH + 3, rows), (-3, rows)])
            self.fill(self.tone(color, distance), np.concatenate([skyline, feet]))
            for down in np.array([(0, size / 5)]) * np.arange(1, 7)[:, None]:  # mist at the feet
                self.fill(self.haze, np.concatenate([skyline + down, feet]), 18)
            self.polygons.append((label, np.concatenate([simplify(skyline, 1.5), feet])))

    def develop(self) -> Image.Image:
        """Add what the lens sees: wet ground, headlights, halos, grain, vignette and softness."""
        photo = self.image.reduce(OVERSAMPLE)
        pixels = np.asarray(photo, float)
        labels = sorted({label for label, _ in self.polygons})
        areas = Image.new("L", photo.size)
        for label, polygon in self.polygons:
            ImageDraw.Draw(areas).polygon(polygon.ravel().tolist(), labels.index(label))
        indices = np.asarray(areas)
        y, x = np.ogrid[:HEIGHT, :WIDTH]
        if self.wet:
            mirror = photo.crop((0, 0, WIDTH, HORIZON)).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
            mirror = mirror.resize((WIDTH, HEIGHT - HORIZON)).filter(ImageFilter.GaussianBlur(9))
            wet = np.array([[0.4 * (label in self.flat)] for label in labels])
            pixels[HORIZON:] += wet[indices[HORIZON:]] * (np.asarray(mirror) - pixels[HORIZON:])
        if self.night:
            beam = np.exp(-(((x - WIDTH / 2) / 560) ** 2) - ((y - 720) / 160) ** 2)
            pixels *= 1 + 2.2 * beam[..., None] * (1, 0.95, 0.85)
            for radius, strength in ((3, 0.3), (12, 0.8)):
                halos = self.glow.filter(ImageFilter.GaussianBlur(radius)).resize(photo.size)
                pixels += np.asarray(halos) * strength
        grain = np.array([GRAIN.get(label, 0.02) for label in labels])[indices]
        shade = 1 - 0.3 * (((x - WIDTH / 2) / WIDTH) ** 2 + ((y - HEIGHT / 2) / HEIGHT) ** 2)
        shade *= 1 + grain * noise(self.rng, photo.size, 480, 2)
        pixels *= shade[..., None]
        photo = Image.fromarray(pixels.clip(0, 255, out=pixels).astype(np.uint8))
        return photo.filter(ImageFilter.GaussianBlur(0.6))
