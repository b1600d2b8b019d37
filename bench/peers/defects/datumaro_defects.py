"""What Datumaro does to masks, shown."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
from datumaro.components.annotation import Polygon
from datumaro.components.dataset import Dataset
from datumaro.util.mask_tools import mask_to_polygons
from PIL import Image
from pycocotools import mask as coco_mask
from small import square, tell, write_coco

ROAD, SKY, VOID = 0, 10, 255


def datum(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run its command."""
    command = [str(Path(sys.executable).with_name("datum")), *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def last_line(text: str) -> str:
    """Return what an error says in the end."""
    return text.strip().splitlines()[-1]


def no_masks_of_polygons(folder: Path) -> str:
    """`datum convert -if coco -f voc_segmentation` of polygons ends well and writes no mask.

    By design: shapes are not painted unless asked for, by the transform `polygons_to_masks`.
    """
    source = write_coco(folder / "coco", [(1, square(8, 8, 20))])
    out = folder / "out"
    places = ["-i", str(source), "-o", str(out)]
    result = datum("convert", "-if", "coco", "-f", "voc_segmentation", *places)
    masks = list(out.rglob("*.png"))
    if result.returncode or masks:
        return ""
    files = ", ".join(path.name for path in out.rglob("*") if path.is_file())
    return f"exit status 0, masks: 0, files: {files}"


def example_of_help_fails(folder: Path) -> str:
    """The example in `datum transform --help` is refused: the target must come last."""
    source = write_coco(folder / "coco", [(1, square(8, 8, 20))])
    example = "datum transform dataset_path:coco -t polygons_to_masks"
    if example not in datum("transform", "--help").stdout:
        return ""
    result = datum("transform", f"{source}:coco", "-t", "polygons_to_masks")
    return last_line(result.stderr) if result.returncode else ""


def many_polygons_overflow(folder: Path) -> str:
    """`datum transform -t polygons_to_masks` of COCO fails on an image of over 255 polygons."""
    shapes = [(1, square(3 * (number % 20), 3 * (number // 20), 2)) for number in range(400)]
    source = write_coco(folder / "coco", shapes)
    out = folder / "out"
    result = datum("transform", "-t", "polygons_to_masks", "-o", str(out), f"{source}:coco")
    lines = [line for line in result.stderr.splitlines() if "Error:" in line]
    return lines[0].strip() if result.returncode else ""


def order_is_reversed(folder: Path) -> str:
    """Of two polygons that overlap, the earlier lies on top: COCO files are read from their end.

    COCO states no order. Most tools that are measured here paint in the file's.
    """
    shapes = [(1, square(8, 8, 20)), (2, square(8, 8, 20))]
    dataset = Dataset.import_from(str(write_coco(folder / "coco", shapes)), "coco_instances")
    dataset.transform("polygons_to_masks")
    dataset.export(str(folder / "out"), "voc_segmentation", apply_colormap=False)
    with Image.open(folder / "out" / "SegmentationClass" / "a.png") as mask:
        top = np.asarray(mask)[16, 16]
    return f"first one, then two in the file: the pixel is {top}" if top == 1 else ""


def road_is_lost(folder: Path) -> str:
    """Of Cityscapes' labelTrainIds, 0 (road) and 255 are dropped, and written as one value."""
    city, image = folder / "gtFine" / "val" / "bonn", folder / "leftImg8bit" / "val" / "bonn"
    city.mkdir(parents=True)
    image.mkdir(parents=True)
    ids = np.full((30, 10), ROAD, np.uint8)
    ids[10:20], ids[20:] = SKY, VOID
    Image.fromarray(ids).save(city / "bonn_000000_000001_gtFine_labelTrainIds.png")
    Image.new("RGB", (10, 30)).save(image / "bonn_000000_000001_leftImg8bit.png")
    dataset = Dataset.import_from(str(folder), "cityscapes")
    labels = dataset.categories()[next(iter(dataset.categories()))]
    found = {labels[ann.label].name for item in dataset for ann in item.annotations}
    dataset.export(str(folder / "out"), "cityscapes")
    with Image.open(next((folder / "out").rglob("*_labelIds.png"))) as mask:
        out = np.asarray(mask)
    if "road" in found or out[0, 0] != out[25, 0]:
        return ""
    return f"read: {', '.join(sorted(found))}; road and 255 are both written as {out[0, 0]}"


def own_label_map_fails(folder: Path) -> str:
    """`export(..., "cityscapes", label_map="cityscapes")` fails at its end, and nothing is left.

    It does where the source has fewer labels than Cityscapes' 35.
    """
    dataset = Dataset.import_from(str(voc(folder / "voc")), "voc_segmentation")
    try:
        dataset.export(str(folder / "out"), "cityscapes", label_map="cityscapes")
    except KeyError as error:
        return f"KeyError: {error}; files left: {len(list((folder / 'out').rglob('*.png')))}"
    return ""


def objects_are_not_told_apart(folder: Path) -> str:
    """Cityscapes' instanceIds hold class ids, not objects."""
    shapes = [(1, square(2, 2, 20)), (1, square(32, 32, 20))]
    dataset = Dataset.import_from(str(write_coco(folder / "coco", shapes)), "coco_instances")
    dataset.transform("polygons_to_masks")
    dataset.export(str(folder / "out"), "cityscapes")
    with Image.open(next((folder / "out").rglob("*_instanceIds.png"))) as mask:
        first, second = np.asarray(mask)[[10, 40], [10, 40]]
    return f"two objects of class one: {first} and {second}" if first == second else ""


def void_changes_its_id(folder: Path) -> str:
    """With `apply_colormap=False`, VOC's void, which is 255, becomes 21, the place of its label."""
    dataset = Dataset.import_from(str(voc(folder / "voc")), "voc_segmentation")
    dataset.export(str(folder / "out"), "voc_segmentation", label_map="voc", apply_colormap=False)
    with Image.open(folder / "out" / "SegmentationClass" / "a.png") as mask:
        out = np.asarray(mask)
    return f"255 became {out[0, 0]}" if out[0, 0] != VOID else ""


def index_masks_with_void_are_refused(folder: Path) -> str:
    """A gray VOC mask with 255 in it is an error; palette masks are read, by their colors."""
    source = voc(folder / "voc", palette=False)
    try:
        list(Dataset.import_from(str(source), "voc_segmentation"))
    except Exception as error:  # noqa: BLE001 - whichever it is, it is what is shown
        return f"{type(error).__name__}: {last_line(str(error))}"[:200]
    return ""


def polygons_of_a_mask_are_another_mask(folder: Path) -> str:  # noqa: ARG001 - no files
    """A mask turned to polygons and back is another one: holes and lines of a pixel are lost."""
    mask = np.zeros((100, 100), bool)
    mask[10:60, 10:60] = True
    mask[25:40, 25:40] = False  # a hole
    mask[80, 10:90] = True  # a line
    back = np.zeros(mask.shape, bool)
    for polygon in mask_to_polygons(mask):
        shape = Polygon(np.asarray(polygon).tolist())
        rle = coco_mask.frPyObjects([shape.points], *mask.shape)
        back |= coco_mask.decode(rle).any(-1)
    wrong = int((mask != back).sum())
    return f"{wrong} of {mask.sum()} pixels are wrong" if wrong else ""


def voc(root: Path, *, palette: bool = True) -> Path:
    """Write a VOC dataset of one mask with void, aeroplane and background."""
    for name in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
        (root / name).mkdir(parents=True)
    ids = np.zeros((30, 10), np.uint8)
    ids[:10], ids[10:20] = VOID, 1
    mask = Image.fromarray(ids, "L")
    if palette:
        colors = np.zeros((256, 3), np.uint8)
        colors[1], colors[VOID] = (128, 0, 0), (224, 224, 192)
        mask.putpalette(colors.ravel().tolist())
        mask = mask.convert("RGB")
    mask.save(root / "SegmentationClass" / "a.png")
    Image.new("RGB", (10, 30)).save(root / "JPEGImages" / "a.jpg")
    (root / "ImageSets" / "Segmentation" / "train.txt").write_text("a\n", encoding="ascii")
    return root


if __name__ == "__main__":
    tell(
        "datumaro",
        no_masks_of_polygons,
        example_of_help_fails,
        many_polygons_overflow,
        order_is_reversed,
        road_is_lost,
        own_label_map_fails,
        objects_are_not_told_apart,
        void_changes_its_id,
        index_masks_with_void_are_refused,
        polygons_of_a_mask_are_another_mask,
    )
