"""`preview`: what stands in the pictures pixel by pixel, which samples they show, the command."""

import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from aihub_files import annotation, dataset, label, write_image, write_label
from mask_files import write_png
from segfmt import ClassInfo, ClassTable, FormatError, Mask, Polygons, Sample, SampleRef, UsageError
from segfmt.distinct import NEAR, _distances, _seen, near_colors, recolored
from segfmt.pictures import GAP, LINE, lettering
from segfmt.preview import Preview, _file_of, preview
from segfmt.reading import painter
from segfmt.views import NOTHING, View, Viewer, largest_square

TABLE = ClassTable(
    [
        ClassInfo(0, "nothing", (0, 0, 0), "background"),
        ClassInfo(1, "길", (128, 64, 128)),
        ClassInfo(2, "sky", (70, 130, 180)),
        ClassInfo(3, "rare", (1, 250, 3)),
        ClassInfo(255, "void", (224, 224, 192), "ignore"),
    ]
)
COLORS = {info.id: info.color for info in TABLE}
WIDTH, HEIGHT = 64, 48


def blocks(*ids: int) -> np.ndarray:
    """Return a mask of blocks too small for a number to stand on."""
    pattern = np.resize(np.array(ids, np.uint8), (HEIGHT // 4, WIDTH // 4 + 1))[:, : WIDTH // 4]
    return pattern.repeat(4, 0).repeat(4, 1)


@pytest.fixture
def folder(tmp_path: Path) -> tuple[Path, dict[str, np.ndarray], np.ndarray]:
    """Return a dataset of ten samples, two with the class `rare`, its masks, and its photo."""
    root = tmp_path / "src"
    photo = np.random.default_rng(3).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    masks = {}
    for number in range(10):
        key = f"키{number}"
        masks[key] = blocks(0, 1, 2) if number not in (4, 7) else blocks(*[1] * number, 3)
        split = "val" if number > 7 else "train"
        write_png(root / "masks" / split / f"{key}.png", masks[key])
        write_png(root / "images" / split / f"{key}.png", photo)
    (root / "classes.json").write_bytes(TABLE.to_json())
    return root, masks, photo


def tile(sheet: Image.Image, row: int, column: int) -> np.ndarray:
    left = GAP + column * (WIDTH + GAP)
    top = LINE + row * (LINE + HEIGHT + GAP) + LINE
    return np.asarray(sheet)[top : top + HEIGHT, left : left + WIDTH]


def colored(ids: np.ndarray) -> np.ndarray:
    return np.array([COLORS[id] for id in ids.reshape(-1).tolist()], np.uint8).reshape(
        *ids.shape, 3
    )


def test_a_row_is_the_image_its_mask_and_both(folder: tuple) -> None:
    root, masks, photo = folder
    found = preview(root, keys=["키0"], width=WIDTH, alpha=0.25)
    ids = masks["키0"]
    assert (tile(found.sheet, 0, 0) == photo).all()
    assert (tile(found.sheet, 0, 1) == colored(ids)).all()
    both = 0.25 * colored(ids) + 0.75 * photo
    both[ids == 0] = photo[ids == 0]  # background is left as it is
    assert np.abs(tile(found.sheet, 0, 2) - both).max() <= 2
    assert found.failures == []


@pytest.mark.parametrize(("alpha", "shown"), [(0.0, "photo"), (1.0, "mask")])
def test_alpha_ends_at_the_image_and_at_the_mask(folder: tuple, alpha: float, shown: str) -> None:
    root, masks, photo = folder
    found = preview(root, keys=["키4"], width=WIDTH, alpha=alpha)
    expected = photo if shown == "photo" else colored(masks["키4"])
    assert (tile(found.sheet, 0, 2) == expected).all()


def test_a_number_stands_where_it_fits(tmp_path: Path) -> None:
    ids = np.zeros((HEIGHT, WIDTH), np.uint8)
    ids[:, 32:] = 2
    ids[:4, :4] = 3
    write_png(tmp_path / "masks" / "a.png", ids)
    (tmp_path / "classes.json").write_bytes(TABLE.to_json())
    mask = tile(preview(tmp_path, source="folder", width=WIDTH).sheet, 0, 1)
    differs = (mask != colored(ids)).any(-1)
    assert differs[:, :32].any()
    assert differs[:, 32:].any()
    assert not differs[:4, :4].any()


def test_the_legend_has_the_classes_that_are_there(folder: tuple) -> None:
    root, _, _ = folder
    without = preview(root, keys=["키0"], width=300)
    having = preview(root, keys=["키4"], width=300)
    assert without.ids == {0, 1, 2}
    assert having.ids == {1, 3}
    for found, there in ((without, (1, 2)), (having, (1, 3))):
        sheet = np.asarray(found.sheet)
        names = sheet[LINE + LINE + round(300 * HEIGHT / WIDTH) + GAP :]
        for id in (1, 2, 3, 255):
            assert (names == COLORS[id]).all(-1).any() == (id in there)


@pytest.mark.skipif(not lettering().hangul, reason="no font with Hangul is installed")
def test_korean_names_are_written_in_full() -> None:
    lettering.cache_clear()  # a test before may have hidden the fonts
    from segfmt.pictures import Swatch, legend

    pictures = [
        np.asarray(legend([Swatch.of(ClassInfo(1, name))], 240)) for name in ("하늘", "건물", "길")
    ]
    assert (pictures[0] != pictures[1]).any()  # not the same box for every letter
    ink = [(picture[:, 32:] < 128).sum() for picture in pictures]
    assert ink[2] < ink[0]


def test_samples_are_spread_over_the_list_or_drawn(folder: tuple) -> None:
    root, _, _ = folder
    assert preview(root, count=4).samples == ["train/키0", "train/키3", "train/키6", "val/키9"]
    assert len(preview(root, count=99).samples) == 10
    assert preview(root, count=1).samples == ["train/키0"]
    drawn = [preview(root, count=4, seed=seed).samples for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_samples_of_a_class_come_by_its_share(folder: tuple) -> None:
    root, _, _ = folder
    assert preview(root, with_classes=["RARE"]).samples == ["train/키4", "train/키7"]
    assert preview(root, with_classes=["rare"], count=1).samples == ["train/키4"]
    assert set(preview(root, with_classes=["rare"], seed=5).samples) == {"train/키4", "train/키7"}
    with pytest.raises(UsageError, match=r"no sample has void"):
        preview(root, with_classes=["void"])
    with pytest.raises(UsageError, match='Did you mean "rare"'):
        preview(root, with_classes=["rara"])


def test_the_worst_are_those_that_fail_and_then_those_labelled_least(folder: tuple) -> None:
    root, _, _ = folder
    (root / "masks" / "train" / "키2.png").write_bytes(b"no image")
    write_png(root / "masks" / "train" / "키6.png", blocks(0, 0, 255, 0, 255, 2))
    found = preview(root, worst=True, count=3, width=WIDTH)
    assert found.samples[:2] == ["train/키2", "train/키6"]
    assert [failure.key for failure in found.failures] == ["키2"]
    assert found.failures[0].error.startswith("masks/train/키2.png")
    assert (tile(found.sheet, 0, 0) == folder[2]).all()  # its image opens


def test_keys_name_samples_with_or_without_the_split(folder: tuple) -> None:
    root, _, _ = folder
    keys = [unicodedata.normalize("NFD", "키5"), "val/키8", "키1"]
    assert preview(root, keys=keys).samples == ["train/키5", "val/키8", "train/키1"]
    with pytest.raises(UsageError, match="no such sample"):
        preview(root, keys=["키1", "키11"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": 0}, "--count 0"),
        ({"keys": ["a"], "worst": True}, "leave"),
        ({"worst": True, "seed": 1}, "two ways"),
        ({"alpha": 1.5}, "--alpha"),
        ({"width": 3}, "--width"),
        ({"columns": 0}, "--columns"),
        ({"out": "sheet.pdf"}, "ends in .png"),
    ],
)
def test_what_cannot_be_raises_at_once(options: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        preview("nowhere", **options)


def test_a_sheet_is_bounded_and_a_folder_is_not(folder: tuple, tmp_path: Path, monkeypatch) -> None:
    root, masks, _ = folder
    monkeypatch.setattr(sys.modules[preview.__module__], "SHEET_SAMPLES", 9)
    with pytest.raises(UsageError, match="a folder"):
        preview(root, out=tmp_path / "sheet.png")
    found = preview(root, out=tmp_path / "pictures", width=WIDTH)
    assert found.sheet is None
    assert [path.relative_to(tmp_path).as_posix() for path in found.files][:1] == [
        "pictures/train/키0.png"
    ]
    assert len(found.files) == len(masks)
    with Image.open(found.files[4]) as sheet:
        assert (tile(sheet, 0, 1) == colored(masks["키4"])).all()


def test_no_key_leads_out_of_the_folder(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="no safe name"):
        _file_of(tmp_path, View("train", "../../x", None, None), Preview())


def test_samples_stand_side_by_side(folder: tuple) -> None:
    root, masks, _ = folder
    sheet = preview(root, count=4, columns=2, width=WIDTH).sheet
    assert sheet is not None
    assert (tile(sheet, 0, 4) == colored(masks["키3"])).all()
    assert (tile(sheet, 1, 1) == colored(masks["키6"])).all()


def test_distinct_colors_replace_those_of_the_dataset(folder: tuple) -> None:
    root, _, _ = folder
    table = ClassTable([*TABLE, ClassInfo(9, "twin", (129, 64, 128))])
    (root / "classes.json").write_bytes(table.to_json())
    write_png(root / "masks" / "train" / "키0.png", blocks(0, 1, 9))
    assert preview(root, keys=["키0"]).near == [("길", "twin")]
    found = preview(root, keys=["키0"], width=WIDTH, distinct=True)
    assert found.near == []
    colors = {info.id: info.color for info in recolored(table)}
    assert colors[0] == (0, 0, 0)
    assert colors[255] == (255, 255, 255)
    mask = tile(found.sheet, 0, 1)
    assert (mask[blocks(0, 1, 9) == 9] == colors[9]).all()


def test_oklab_is_that_of_the_article() -> None:
    seen = _seen(np.array([[255, 0, 0], [255, 255, 255], [0, 0, 0]], np.uint8))
    assert seen[0, 0] == pytest.approx([0.62796, 0.22486, 0.12585], abs=1e-4)
    assert seen[:, 1] == pytest.approx(np.tile([1, 0, 0], (3, 1)), abs=1e-3)
    assert seen[:, 2] == pytest.approx(0)


def test_colors_that_only_some_people_tell_apart_are_near() -> None:
    person, vegetation = (220, 20, 60), (107, 142, 35)  # Cityscapes'
    seen = _seen(np.array([person, vegetation], np.uint8))
    normal, deuteranope, _ = _distances(seen[:, :1], seen[:, 1])
    assert normal > 4 * NEAR
    assert deuteranope < NEAR
    assert near_colors([person, (0, 0, 255), vegetation]) == [(0, 2)]


def test_distinct_colors_are_no_two_of_them_near_and_the_same_each_time() -> None:
    classes = ClassTable(
        ClassInfo(id, f"class {id}", role="background" if id == 0 else "class") for id in range(33)
    )
    colors = [info.color for info in recolored(classes)]
    assert near_colors([*colors, (255, 255, 255)]) == []
    fewer = [info.color for info in recolored(ClassTable(list(classes)[:6]))]
    assert fewer == colors[:6]
    many = ClassTable(ClassInfo(id, f"class {id}") for id in range(1000))
    assert len({info.color for info in recolored(many)}) == 1000


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**144), st.integers(1, 4))
def test_the_largest_square_is_that_of_looking_everywhere(
    height: int, width: int, bits: int, least: int
) -> None:
    pixels = [bool(bits >> place & 1) for place in range(height * width)]
    spot = np.array(pixels).reshape(height, width)
    x, y, side = largest_square(spot)
    assert largest_square(spot, least) == ((x, y, side) if side >= least else (0, 0, 0))
    assert spot[y : y + side, x : x + side].sum() == side * side
    larger = side + 1
    assert not any(
        spot[top : top + larger, left : left + larger].sum() == larger * larger
        for top in range(height - side)
        for left in range(width - side)
    )


@dataclass(frozen=True)
class OneSample:
    """A reader of one sample that it is given."""

    sample: Sample

    def scan(self) -> Iterator[SampleRef]:
        yield self.sample.ref

    def load(self, ref: SampleRef) -> Sample:
        return self.sample


def view_of(sample: Sample, classes: ClassTable = TABLE, width: int = 8) -> View:
    return Viewer(OneSample(sample), classes, painter(None, None, None), width, "")(sample.ref)


SQUARES = [[[(0, 0), (3, 0), (3, 3), (0, 3)]], [[(2, 2), (6, 2), (6, 6), (2, 6)]]]


@pytest.mark.parametrize("count", [2, 300, 60000])
def test_more_classes_than_a_byte_holds(count: int) -> None:
    classes = ClassTable(ClassInfo(id, f"class {id}") for id in (7, count))
    ref = SampleRef("x")
    view = view_of(Sample(ref, (8, 8), Polygons.from_rings(SQUARES, [7, count])), classes)
    shares = {part.id: part.share * 64 for part in view.parts}
    assert shares == {7: 12, count: 25, NOTHING: 27}
    assert view.ids is not None
    assert (view.ids[0, 0], view.ids[6, 6], view.ids[7, 7]) == (7, count, NOTHING)
    ids = np.full((8, 8), count, np.uint16)
    masked = view_of(Sample(ref, (8, 8), Mask(ids)), classes)  # type: ignore[arg-type]
    assert [(part.name, part.share) for part in masked.parts] == [(f"class {count}", 1.0)]


def test_polygons_of_over_255_classes_in_one_sample() -> None:
    rings = [[[(n % 32, n // 32)] * 3] for n in range(600)]
    classes = ClassTable(ClassInfo(id, f"class {id}") for id in range(600))
    view = view_of(
        Sample(SampleRef("x"), (32, 32), Polygons.from_rings(rings, range(600))), classes, width=32
    )
    assert view.ids is not None
    assert (view.ids.reshape(-1)[:600] == np.arange(600)).all()


def test_an_image_inside_the_label_file_is_shown() -> None:
    file = BytesIO()
    Image.new("RGB", (8, 8), (9, 99, 199)).save(file, "PNG")
    mask = Mask(np.zeros((8, 8), np.uint8))
    sample = Sample(SampleRef("x", embedded=True), (8, 8), mask, image=file.getvalue())
    view = view_of(sample)
    assert view.error == ""
    assert view.photo is not None
    assert view.photo.getpixel((3, 3)) == (9, 99, 199)


def test_an_image_is_turned_where_its_label_is(tmp_path: Path) -> None:
    image = Image.new("RGB", (16, 8), "red")
    image.paste("blue", (0, 0, 8, 8))
    exif = Image.Exif()
    exif[0x0112] = 6  # its left is to be shown on top
    image.save(tmp_path / "a.png", exif=exif)
    ref = SampleRef("a", image=tmp_path / "a.png")
    turned = view_of(Sample(ref, (16, 8), Mask(np.zeros((16, 8), np.uint8))), width=8).photo
    stored = view_of(Sample(ref, (8, 16), Mask(np.zeros((8, 16), np.uint8))), width=16).photo
    assert turned is not None
    assert stored is not None
    assert (turned.size, turned.getpixel((4, 2))) == ((8, 16), (0, 0, 255))
    assert (stored.size, stored.getpixel((12, 4))) == ((16, 8), (255, 0, 0))


def test_sixteen_bits_are_spread_over_what_is_seen(tmp_path: Path) -> None:
    ramp = np.linspace(3000, 4000, 32 * 32).astype(np.uint16).reshape(32, 32)
    ramp[0, 0] = 65535  # a glint
    Image.fromarray(ramp).save(tmp_path / "a.png")
    ref = SampleRef("a", image=tmp_path / "a.png")
    photo = view_of(Sample(ref, (32, 32), Mask(np.zeros((32, 32), np.uint8)))).photo
    assert photo is not None
    grey = np.asarray(photo)[..., 0]
    assert grey[1, 0] < 50
    assert grey[7, 5] > 200


def test_an_image_that_does_not_open_is_said_beside_the_mask(folder: tuple) -> None:
    root, masks, _ = folder
    path = root / "images" / "train" / "키0.png"
    path.write_bytes(path.read_bytes()[:2000])
    found = preview(root, keys=["키0"], width=WIDTH)
    assert "키0.png" in found.failures[0].error
    assert (tile(found.sheet, 0, 1) == colored(masks["키0"])).all()


def segfmt(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "segfmt", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, check=False, encoding="utf-8")


def test_the_command_saves_a_sheet_and_says_what_is_bad(tmp_path: Path) -> None:
    root = dataset(tmp_path / "src", ["a", "b"])
    write_image(root / "data" / "zebra.jpg")
    write_label(root / "label" / "zebra.json", label(annotation("pedestrain")))
    good = segfmt("preview", root, "--out", tmp_path / "a.png", "--key", "a", "--distinct")
    assert (good.returncode, good.stderr) == (0, "")
    assert "1 sample: " in good.stdout
    with Image.open(tmp_path / "a.png") as sheet:
        assert sheet.width == 3 * (480 + GAP) + GAP
    bad = segfmt("preview", root, "--out", tmp_path / "b.png", "--worst", "--width", 100)
    assert bad.returncode == 1
    assert 'Did you mean "pedestrian"?' in " ".join(bad.stdout.split())
    none = segfmt("preview", root, "--out", tmp_path / "c.png", "--with-class", "zebra")
    assert none.returncode == 2
    assert not (tmp_path / "c.png").exists()
