"""Makes the pictures of the documentation: ``python docs/make_pictures.py``.

They come from the demo data and from the fill kernels alone, the same every time; a test fails if
the masks of `fill-rules.png` are not what the kernels paint today.
"""

import hashlib
import sys
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

import segfmt

HERE = Path(__file__).parent
IMAGES = HERE / "images"
sys.path.insert(0, str(HERE / "demo"))

# A ring with slopes of every kind, a thin end, and no whole number.
RING = [
    (2.4, 3.7), (8.7, 1.4), (12.5, 4.6), (20.6, 2.7), (13.6, 7.3), (16.3, 11.6), (9.5, 9.2),
    (4.3, 11.3), (6.4, 7.5),
]  # fmt: skip
SHAPE = (13, 22)
TITLES = {
    "opencv": "opencv: cv2.fillPoly, vertices rounded",
    "pillow": "pillow: ImageDraw.polygon",
    "center": "center: GDAL, rasterio",
    "coco": "coco: pycocotools",
}
FINER = 3  # painted so many times larger, and reduced, for smooth lines
CELL = 24 * FINER
GAP, TITLE, LEGEND = 18 * FINER, 34 * FINER, 44 * FINER
PAPER, GRID, INK = (255, 255, 255), (206, 206, 206), (20, 20, 20)
BOTH, SOME, LINE = (186, 208, 232), (244, 202, 128), (0, 60, 140)


def masks() -> dict[str, npt.NDArray[np.uint8]]:
    """Return the mask of the ring by each rule."""
    from fill_rules import painted

    return painted(segfmt.Polygons.from_rings([[RING]], [1]), SHAPE)


def digest() -> str:
    """Return what `fill-rules.png` keeps of the masks that it shows."""
    return hashlib.sha256(np.stack(list(masks().values())).tobytes()).hexdigest()


def cell(draw: ImageDraw.ImageDraw, x: int, y: int, kind: str) -> None:
    """Draw one pixel, magnified; hatches and crosses say without color what it is."""
    box = (x, y, x + CELL, y + CELL)
    draw.rectangle(box, {"all": BOTH, "some": SOME}.get(kind, PAPER), GRID, FINER)
    if kind == "some":
        for step in range(CELL // 4, 2 * CELL, CELL // 4):
            low, high = max(0, step - CELL), min(step, CELL)
            draw.line((x + low, y + step - low, x + high, y + step - high), INK, FINER)
    if kind == "others":
        near, far = CELL * 3 // 8, CELL * 5 // 8
        draw.line((x + near, y + near, x + far, y + far), INK, FINER)
        draw.line((x + near, y + far, x + far, y + near), INK, FINER)


def fill_rules() -> Image.Image:
    """Return the ring as each rule paints it: what all paint, what only some do, what others do."""
    shown = masks()
    stack = np.stack(list(shown.values())).astype(bool)
    every, some = stack.all(0), stack.any(0)
    font = ImageFont.load_default(15 * FINER)
    height, width = (side * CELL for side in SHAPE)
    size = (2 * width + 3 * GAP, 2 * (height + TITLE) + GAP + LEGEND)
    sheet = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet)
    for index, (rule, ids) in enumerate(shown.items()):
        left = GAP + index % 2 * (width + GAP)
        top = TITLE + index // 2 * (height + TITLE)
        title = f"{TITLES[rule]} - {np.count_nonzero(ids)} pixels"
        draw.text((left, top - TITLE * 3 // 4), title, INK, font)
        for (row, column), id in np.ndenumerate(ids):
            inside = "all" if every[row, column] else "some"
            outside = "others" if some[row, column] else "none"
            cell(draw, left + column * CELL, top + row * CELL, inside if id else outside)
        ring = [(left + x * CELL, top + y * CELL) for x, y in RING]
        draw.line([*ring, ring[0]], LINE, 2 * FINER, "curve")
        for x, y in ring:
            draw.circle((x, y), 4 * FINER, LINE)
    x, y = GAP, size[1] - LEGEND + GAP // 3
    for kind, words in (
        ("all", "painted by all four"),
        ("some", "painted here, not by all"),
        ("others", "not painted here, but by another"),
    ):
        cell(draw, x, y, kind)
        draw.text((x + CELL + GAP // 2, y + FINER), words, INK, font)
        x += CELL + GAP + int(draw.textlength(words, font)) + GAP
    return sheet.reduce(FINER)


def favicon() -> Image.Image:
    """Return a polygon on a few pixels."""
    side = 64
    icon = Image.new("RGBA", (side, side))
    draw = ImageDraw.Draw(icon)
    for row, columns in enumerate(("0110", "1111", "0111", "0010")):
        for column, on in enumerate(columns):
            if on == "1":
                draw.rectangle((column * 16, row * 16, column * 16 + 14, row * 16 + 14), BOTH)
    ring = [(20, 4), (58, 20), (44, 58), (4, 26)]
    draw.line([*ring, ring[0]], (48, 63, 159), 6, "curve")
    return icon


def main() -> None:
    """Write all pictures."""
    from contact_sheet import contact_sheet, listed
    from make_dataset import make_dataset

    text = PngImagePlugin.PngInfo()
    text.add_text("masks", digest())
    fill_rules().quantize(32).save(IMAGES / "fill-rules.png", pnginfo=text, optimize=True)
    favicon().save(IMAGES / "favicon.png", optimize=True)
    with tempfile.TemporaryDirectory() as scratch:
        source, target = Path(scratch, "demo/aihub"), Path(scratch, "demo/voc")
        make_dataset(source)
        segfmt.convert(source, target, source="aihub", target="voc")
        base = target / "VOCdevkit/VOC2012"
        for name, count, width in (("demo", 4, 1104), ("tutorial", 1, 1200)):
            sheet = contact_sheet(base, listed(base, count))
            small = sheet.resize((width, sheet.height * width // sheet.width), reducing_gap=3)
            small.save(IMAGES / f"{name}.jpg", quality=64, optimize=True)
        drawn = Path(scratch, "differences.png")
        segfmt.compare(source, target, fill_rule="pillow", limit=1, out=drawn)
        with Image.open(drawn) as image:
            image.quantize(256).save(IMAGES / "differences.png", optimize=True)


if __name__ == "__main__":
    main()
