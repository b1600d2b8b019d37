"""Synthetic driving scenes: what stands in them and where, in metres (the world of canvas.py)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from canvas import COLORS, HEIGHT, NEAR, WIDTH, Canvas, Floats, Part, Polygon, strip, upright

__all__ = ["HEIGHT", "WIDTH", "Floats", "Polygon", "Scene", "make_scene"]

LANE, FAR = 3.3, 220.0

# Flat things that stand by the road: per label, the pieces that Canvas.parts reads.
WHEELS = "dark -.55 .34 -.55 .34 .68, dark .55 .34 .55 .34 .68, steel -.55 .34 -.55 .34"
FIGURES = {
    "pedestrian": {"pedestrian": """pants .03 .85 .22 .1 .15, dark .22 .05 .34 .05 .09,
        pants -.03 .85 -.2 .1 .15, dark -.2 .05 -.08 .05 .09, shirt -.15 1.36 -.22 .88 .1,
        shirt 0 .92 0 1.3 .38, shirt .15 1.36 .26 .9 .1, skin .26 .86 .26 .86 .1,
        skin 0 1.4 0 1.6 .13, skin .01 1.62 .01 1.6 .2, dark -.03 1.68 .02 1.68 .17"""},
    "bicycle": {"bicycle": WHEELS + """ .54, steel .55 .34 .55 .34 .54, red -.55 .34 -.1 .3 .05,
        red -.55 .34 -.2 .85 .05, red -.1 .3 -.22 .92 .05, red -.1 .3 .4 .8 .05,
        red -.2 .8 .4 .85 .05, red .55 .34 .36 1.04 .05""",
        "rider": """pants -.15 .95 .2 .78 .15, pants .2 .78 .02 .3 .12, dark .02 .26 .14 .26 .08,
        shirt -.14 .98 .06 1.36 .3, shirt .08 1.38 .36 1.06 .09, skin .15 1.54 .17 1.56 .19,
        white .1 1.63 .2 1.63 .16"""},
    "scooter": {"motorcycle": WHEELS + """ .3, steel .55 .34 .55 .34 .3, paint -.7 .6 0 .55 .28,
        paint 0 .4 .4 .36 .14, paint .5 .4 .34 1 .16, lamp .46 .8 .48 .8 .1,
        shop -.98 .75 -.45 1.2, dark .34 1.02 .24 1.06 .06""",
        "rider": """pants -.2 .85 .2 .74 .17, pants .2 .72 .2 .42 .14, dark .18 .4 .32 .4 .1,
        shirt -.2 .92 -.08 1.34 .34, shirt -.04 1.34 .3 1.06 .11, dark .02 1.58 .04 1.6 .3"""},
    "dog": {"dynamic": """fur -.25 .3 -.25 .03 .07, fur -.17 .3 -.17 .03 .07,
        fur .17 .3 .17 .03 .07, fur .26 .3 .26 .03 .07, fur -.22 .42 .22 .42 .24,
        fur .28 .46 .38 .66 .13, fur .4 .68 .5 .66 .14, fur -.3 .46 -.44 .64 .05"""},
    "bin": {"static": "green -.26 0 .26 .9, steel -.28 .93 .28 .93 .1, dark -.14 .75 .14 .75 .1"},
    "cone": {"static": """dark -.26 0 .26 .07, orange -.19 .07 .19 .07 .04 .75 -.04 .75,
        white -.13 .3 .13 .3 .09 .46 -.09 .46"""},
    "sign": {"pole": "steel 0 0 0 2.9 .08", "traffic sign": """red 0 2.7 0 2.7 .84,
        white 0 2.7 0 2.7 .64, dark -.1 2.58 -.1 2.82 .08, dark .1 2.58 .1 2.82 .12"""},
    "street lamp": {"pole": "steel 0 0 0 8 .18,steel 0 7.9 2.2 8.3 .12, lamp 1.6 8.2 2.5 8.36 .18"},
    "signal": {"pole": "steel 0 0 0 6.3 .24, steel 0 6 6.6 6 .16",
        "traffic light": """dark 5 5.85 6.1 5.85 .5, stop 5 5.85 5 5.85 .3,
        green 5.73 5.85 5.73 5.85 .3, green 6.1 5.85 6.1 5.85 .3""",
        "traffic sign": """white 1.2 5.3 3.6 6.7, green 1.27 5.37 3.53 6.63,
        white 1.6 6.2 3.1 6.2 .16, white 1.6 5.8 2.6 5.8 .16"""},
    "bridge": {"bridge": "".join(f"concrete {x} 0 {x + 2} 6," for x in range(4, 300, 25))
        + "concrete 0 5.6 300 7.2, steel 0 7.2 300 8"},
}  # fmt: skip
PASSERS_BY = ("pedestrian", "pedestrian", "pedestrian", "bicycle", "scooter", "dog", "bin", "sign")

# Vehicles: the body and its windows seen from the side, x from the tail, and half the width;
# bumpers, lights and plate seen from behind or from the front, x in half widths.
BODIES = {
    "sedan": ("0 .25 0 .75 .1 .98 .6 1.02 1.3 1.42 2.5 1.45 3.3 1.02 4.4 .8 4.6 .6 4.6 .25",
              ".85 1.04 1.4 1.36 2.45 1.39 3.1 1.04", 0.92),
    "van": ("0 .3 0 .95 .06 1.1 .35 1.72 .6 1.8 3.1 1.78 3.9 1.12 4.6 .98 4.75 .6 4.75 .3",
            ".35 1.12 .55 1.66 3 1.66 3.65 1.12", 0.96),
    "bus": ("0 .4 0 1.6 0 2.8 .2 3.1 10.7 3.1 10.9 2.7 11 1.3 11 .4",
            ".3 1.5 .3 2.6 10.6 2.6 10.6 1.5", 1.25),
}  # fmt: skip
REAR = """dark -.92 0 -.68 .34, dark .68 0 .92 .34, dark -1 .25 1 .42, white -.28 .46 .28 .6,
    stop -.98 .7 -.66 .9, stop .66 .7 .98 .9"""
FRONT = REAR.replace("stop", "lamp")


def figure(c: Canvas, x: float, z: float, name: str, scale: int = 1) -> None:
    """Paint what FIGURES calls by that name."""
    c.shadow(x, z, 0.5, 0.25)
    for label, pieces in FIGURES[name].items():
        c.thing(label, c.parts(pieces, x, z, scale))


def tree(c: Canvas, x: float, z: float, height: float) -> None:
    """Paint a trunk, and leaves as discs: dark ones first, brighter towards the light."""
    c.shadow(x, z, height * 0.25, 0.6)
    radius, green = height * 0.3, c.pick("leaf")
    parts = [Part((84, 70, 58), upright([0, 0, 0, height * 0.6, height * 0.05], x, z))]
    for count, size, shade in ((24, 0.45, 0.6), (35, 0.28, 0.8), (44, 0.2, 1.0), (40, 0.13, 1.2)):
        spread, turn = np.sqrt(c.rng.uniform(0, 1, count)) * (1 - size), c.rng.uniform(0, 7, count)
        leaves = spread * np.exp(1j * turn) + 0.2 * (shade - 0.6) * (1j - 1)
        disc = upright([0, 0, 0, 0, 2 * size * radius], x, z)
        middles = [(at.real, at.imag, 0) for at in leaves * radius + height * 0.68j]
        parts += [Part(green * shade, np.add(disc, middle)) for middle in middles]
    c.thing("vegetation", parts)


def building(c: Canvas, x: float, z: float, side: int, depth: float, height: float) -> None:
    """Paint the walls towards the camera and towards the road, with windows and shops."""
    wall, floors, gap = c.pick("wall"), round(height / 3.3), c.rng.uniform(0.04, 0.22)
    parts = []
    near, inner, far = np.array([(x + side * 13, z), (x, z), (x, z + depth)])
    for start, along, sun in ((near, inner - near, -0.1), (inner, far - inner, 0.1)):
        columns = round(np.hypot(*along) / 2.6)

        def cell(left: float, right: float, low: float, high: float) -> Floats:
            u, v = np.take([left, right, low, high], [(0, 1, 1, 0), (2, 2, 3, 3)])
            (a, b), (da, db) = start, along / columns  # noqa: B023, called in this round only
            return np.stack([a + da * u, height / floors * v, b + db * u], 1)

        parts.append(Part(wall * (1 + sun * side), cell(0, columns, 0, floors)))
        for v, u in np.ndindex(floors, columns):
            lit = c.night and c.rng.random() < (0.25 if v else 0.6)
            glass = np.array((190, 150, 96) if lit else (74, 90, 108)) * c.rng.uniform(0.6, 1.1)
            low, high = (0.3, 0.8) if v else (0.02, 0.6)
            parts.append(Part(glass, cell(u + gap, u + 1 - gap, v + low, v + high), lit))
            if v == 0:
                parts.append(Part(c.pick("shop"), cell(u + 0.03, u + 0.97, 0.68, 0.95), lit))
    c.thing("building", parts)


def guardrail(c: Canvas, x: float) -> None:
    """Paint posts, and a rail along the road."""
    steel = COLORS["steel"][0]
    parts = [Part(steel, upright([-0.07, 0, 0.07, 0.7], x, z)) for z in np.arange(4.0, 44, 4)]
    for color, low, high in (((176, 180, 182), 0.45, 0.8), (steel, 0.58, 0.66)):
        parts.append(Part(color, strip(x, x, NEAR, 120, low, high)))
    c.thing("guardrail", parts)


def vehicle(c: Canvas, x: float, z: float, name: str, oncoming: bool) -> None:
    """Paint a body between its two sides; what faces away comes first and gets covered."""
    body, glass, width = BODIES[name]
    profile, windows = (np.array(text.split(), float).reshape(-1, 2) for text in (body, glass))
    paint, length = c.pick("paint"), float(profile[-1, 0])

    def at(points: Floats, *sides: int) -> Floats:
        """Return points of the profile on the left (-1), on the right (1) or across."""
        w, y = points.T
        half = width * (1 - 0.3 * np.clip(y - 1, 0, 0.7) * (name != "bus"))
        ahead = z + (length - w if oncoming else w)
        lines = [np.stack([x + side * half, y, ahead], 1) for side in sides]
        return np.concatenate([lines[0], *(line[::-1] for line in lines[1:])])

    c.shadow(x, z + length / 2, width * 1.1, length / 2 + 0.2)
    parts = []
    for i in range(len(profile) - 1):
        edge, face = profile[i : i + 2], at(profile[i : i + 2], -1, 1)
        run, rise = np.ptp(edge, 0)
        parts.append(Part(paint * (0.85 if rise > run else 1.1), face))
        if edge[:, 1].min() >= 1 and rise > 0.1:
            parts.append(Part((52, 62, 74), face + 0.14 * (face.mean(0) - face)))
    parts.sort(key=lambda part: -float(part.shape[:, 2].mean()))
    for side in (-1, 1):
        tail, nose = c.project(at(profile[[0, -1]], side))[:, 0]
        if side * (tail - nose) * (1 if oncoming else -1) > 0:  # this side is seen
            parts += [Part(paint * 0.95, at(profile, side)), Part((44, 54, 66), at(windows, side))]
            for hub in (0.19 * length, 0.8 * length):
                for color, size in (((24, 24, 26), 0.7), ((128, 130, 134), 0.42)):
                    wheel = upright([hub, 0.35, hub, 0.35, size], 0, 0)
                    parts.append(Part(color, at(wheel[:, :2], side)))
    c.thing("vehicle", parts + c.parts(FRONT if oncoming else REAR, x, z, width))


@dataclass(frozen=True)
class Scene:
    """What a picture shows; the road's borders are city, park, parking, water or field."""

    time_zone: str
    weather: str
    location: str
    left: str
    right: str
    curve: float = 0.0  # of the road, 1/m, positive to the right
    lanes: int = 2  # in each direction
    extras: tuple[str, ...] = ()  # of crosswalk, speed bump, overpass, works

    @property
    def half(self) -> float:
        """Half the road's width."""
        return LANE * self.lanes + 0.4


def road(c: Canvas, scene: Scene) -> None:
    """Paint the road and all that is painted on it."""
    white, yellow = COLORS["white"][0], (226, 178, 52)
    half, lanes, extras = scene.half, scene.lanes, scene.extras
    c.ground("road", (92, 93, 96), strip(-half, half, NEAR, FAR))
    for x in (np.arange(-lanes, lanes) + 0.5) * LANE:
        for tire in (x - 0.8, x + 0.8):
            c.ground("", (50, 50, 54), strip(tire - 0.3, tire + 0.3, NEAR, 90), 44)
    for x, color in ((-0.12, yellow), (0.12, yellow), (0.3 - half, white), (half - 0.3, white)):
        c.ground("lane", color, strip(x - 0.07, x + 0.07, NEAR, 130))
    for x in [side * n * LANE for n in range(1, lanes) for side in (-1, 1)]:
        for z in np.arange(3.5, 80, 13):
            c.ground("lane", white, strip(x - 0.07, x + 0.07, z, z + 5))
    for label, bars, z0, z1 in (("crosswalk", white, 11.5, 15.5), ("speed bump", yellow, 7, 8.8)):
        if label in extras:
            c.ground(label, (88, 88, 92), strip(0.3 - half, half - 0.3, z0, z1))
            for x in np.arange(0.5 - half, half - 0.8, 1):
                c.ground("", bars, strip(x, x + 0.55, z0, z1))
    if "crosswalk" in extras:
        c.ground("road mark", white, strip(0.3, half - 0.4, 9.4, 9.9))
    for x in (np.arange(lanes) + 0.5) * LANE:
        arrow = upright([-0.08, 0, 0.08, 0, 0.08, 3, 0.4, 3, 0, 5, -0.4, 3, -0.08, 3], x, 0)
        lying = c.project(arrow[:, [0, 2, 1]] + (0, 0, 17 if "speed bump" in extras else 4.3))
        c.fill(c.tone(white, 10), lying)
        c.polygons.append(("road mark", lying))


def border(c: Canvas, scene: Scene, side: int) -> None:
    """Paint the ground left (-1) or right (1) of the road, and plan what stands on it."""
    kind = scene.left if side < 0 else scene.right
    built, uniform = kind in ("city", "parking"), c.rng.uniform
    bay = 2.4 if kind == "parking" else 0.0

    def beyond(distance: float) -> float:
        return side * (scene.half + distance)

    def band(label: str, color: ArrayLike, near: float, far: float, rise: float = 0.0) -> None:
        c.ground(label, color, strip(beyond(near), beyond(far), NEAR, FAR, 0.15 - rise, 0.15))

    band("vegetation", (92, 112, 62), 0, 400, 0.15)
    if kind == "water":
        band("water", 0.7 * np.array(c.haze) / c.light, 2.2, 800)
        c.later(100, figure, beyond(8), 100, "bridge", side)
    if kind in ("water", "field"):
        c.later(20, guardrail, beyond(0.7))
    else:
        band("sidewalk", (172, 162, 152), bay + 0.3, bay + (10 if built else 5))
        band("", (206, 176, 70), bay + 1.6, bay + 1.9)  # tactile paving
        band("curb", (190, 190, 186), bay, bay + 0.3, 0.15)
        for z in np.arange(8, 70, 8) + uniform(0, 4):
            c.later(z, figure, beyond(bay + uniform(1.2, 4)), z, c.rng.choice(PASSERS_BY), -side)
    for z in np.arange(0.0, 60, 6) if bay else ():
        c.ground("parking place", (106, 106, 110), strip(beyond(0), beyond(bay), z, z + 6))
        c.ground("", COLORS["white"][0], strip(beyond(0), beyond(bay), z + 5.85, z + 6))
        if z and uniform() < 0.6:
            c.later(z, vehicle, beyond(1.3), z + 0.7, c.rng.choice(["sedan", "van"]), side < 0)
    for z in np.arange(14.0, 150, 24):
        c.later(z, figure, beyond(bay + 0.7), z, "street lamp", -side)
    for z in np.arange(10, 160, 17 if built else 60 if kind == "water" else 8) + uniform(0, 5):
        x = bay + 1.2 if built else 1.5 if kind == "water" else uniform(5.5, 14)
        c.later(z, tree, beyond(x), z, uniform(4, 7.5))
    z = 5.0
    while z < 170 and built:
        depth, height = uniform(9, 22), uniform(7, 30) if kind == "city" else uniform(6, 9)
        c.later(z + depth, building, beyond(bay + uniform(5, 6)), z, side, depth, height)
        z += depth + uniform(0.5, 4)


def traffic(c: Canvas, scene: Scene) -> None:
    """Plan vehicles on the lanes, people on the crossing, and what the scene's extras ask for."""
    crossing, lanes, half = "crosswalk" in scene.extras, scene.lanes, scene.half
    for lane in range(-lanes, lanes):
        z = c.rng.uniform(*((19, 30) if crossing or lane == lanes // 2 else (11, 26)))
        while z < 130:
            name = c.rng.choice(["sedan", "sedan", "sedan", "van", "van", "bus"])
            c.later(z, vehicle, (lane + 0.5) * LANE, z, name, lane < 0)
            z += c.rng.uniform(16, 50)
    if crossing:
        for side in (-1, 1) if lanes > 1 else (1,):
            c.later(19, figure, side * (half + 0.7), 19, "signal", -side)
        for x, name in ((-2.2, "pedestrian"), (0.2, "pedestrian"), (3, "bicycle"), (-5, "scooter")):
            z = c.rng.uniform(12, 15)
            c.later(z, figure, x, z, name, int(c.rng.choice([-1, 1])))
    for z in range(9, 40, 4) if "works" in scene.extras else ():
        c.later(z, figure, half - 1.2 - z / 30, z, "cone")
    if "overpass" in scene.extras:
        c.later(60, figure, -150, 60, "bridge")


def make_scene(scene: Scene, seed: int) -> tuple[Image.Image, list[Polygon]]:
    """Return the photo, and its labels and polygons in painting order."""
    eye = LANE * (scene.lanes // 2 + 0.5)
    canvas = Canvas(scene.time_zone, scene.weather, scene.curve, eye, seed)
    canvas.backdrop()
    border(canvas, scene, -1)
    border(canvas, scene, 1)
    road(canvas, scene)
    traffic(canvas, scene)
    for _, paint in sorted(canvas.waiting, key=lambda entry: -entry[0]):
        paint()
    return canvas.develop(), canvas.polygons
