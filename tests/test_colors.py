"""Color masks in and out, as readers and users see them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segfmt import ClassInfo, ClassTable, FormatError, UsageError, color_indices, index_colors
from segfmt.colors import load_color_mask, write_color_mask
from segfmt.imagefile import write_colors
from segfmt.tables import AIHUB_DRIVING

TABLE = ClassTable(
    [
        ClassInfo(0, "nothing", (0, 0, 0), "background"),
        ClassInfo(3, "road", (128, 64, 128)),
        ClassInfo(4, "way", (128, 64, 128)),
        ClassInfo(9, "sky", (70, 130, 180)),
    ]
)


def test_colors_become_ids_and_back() -> None:
    ids = np.array([[0, 9, 9], [9, 0, 0]], np.uint8)
    rgb = color_indices(ids, TABLE)
    assert rgb[0, 1].tolist() == [70, 130, 180]
    assert (index_colors(rgb, TABLE) == ids).all()


def test_a_mask_is_written_in_its_colors(tmp_path: Path) -> None:
    ids = np.array([[0, 9, 9], [9, 200, 3]], np.uint8)
    write_color_mask(tmp_path / "a.png", ids, TABLE)
    write_colors(tmp_path / "b.png", color_indices(ids, TABLE))
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "RGB"
        assert image.getpixel((1, 1)) == (0, 0, 0)  # no class
        assert image.getpixel((2, 1)) == (128, 64, 128)


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (64, 65), (1, 33)])
def test_every_shape_and_view(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(sum(shape))
    table = ClassTable(info for info in AIHUB_DRIVING if info.name != "sidewalk")
    ids = random.choice([info.id for info in table], shape).astype(np.uint8)
    rgb = color_indices(ids, table)
    assert (index_colors(rgb, table) == ids).all()
    assert (index_colors(np.transpose(rgb, (1, 0, 2)), table) == ids.T).all()
    assert (index_colors(rgb[:, ::-1], table) == ids[:, ::-1]).all()


def test_unknown_colors_are_named_with_count_place_and_nearest() -> None:
    rgb = color_indices(np.full((4, 5), 9, np.uint8), TABLE)
    rgb[2, 3] = (71, 130, 180)
    rgb[3, :2] = (120, 60, 120)
    with pytest.raises(FormatError) as caught:
        index_colors(rgb, TABLE)
    assert str(caught.value).startswith(
        "pixel x=3, y=2: has 3 pixels of colors that no class has: "
        '(120, 60, 120) on 2, nearest "road" (128, 64, 128); '
        '(71, 130, 180) on 1, nearest "sky" (70, 130, 180)'
    )


def test_unknown_colors_follow_the_policy() -> None:
    rgb = np.full((2, 2, 3), 5, np.uint8)
    assert (index_colors(rgb, TABLE, unknown="background") == 0).all()
    assert (index_colors(rgb, TABLE.with_ignore(), unknown="ignore") == 255).all()
    with pytest.raises(UsageError, match="no class is that"):
        index_colors(rgb, TABLE, unknown="ignore")


def test_a_shared_color_is_an_error_only_where_a_pixel_has_it() -> None:
    rgb = color_indices(np.full((2, 2), 9, np.uint8), TABLE)
    assert (index_colors(rgb, TABLE) == 9).all()
    rgb[1, 0] = (128, 64, 128)
    with pytest.raises(FormatError, match=r'pixel x=0, y=1: .* is that of "road" and "way"'):
        index_colors(rgb, TABLE)


def test_a_readers_mask_says_what_its_colors_do_not_tell(tmp_path: Path) -> None:
    rgb = color_indices(np.array([[3, 9]], np.uint8), TABLE)
    Image.fromarray(rgb).save(tmp_path / "m.png")
    mask, notes = load_color_mask(tmp_path / "m.png", TABLE)
    assert mask.ids.tolist() == [[3, 9]]
    assert mask.ambiguous == ((3, 4),)
    assert not notes
    assert load_color_mask(tmp_path / "m.png", TABLE, ambiguous="first")[0].ambiguous == ()


@pytest.mark.parametrize(("mode", "name"), [("RGB", "m.jpg"), ("L", "m.png")])
def test_what_is_no_color_mask_is_refused(tmp_path: Path, mode: str, name: str) -> None:
    Image.new(mode, (4, 4)).save(tmp_path / name)
    with pytest.raises(FormatError, match=name):
        load_color_mask(tmp_path / name, TABLE)


def test_unknown_colors_of_a_file_name_it_and_are_counted(tmp_path: Path) -> None:
    Image.new("RGBA", (4, 4), (1, 2, 3, 4)).save(tmp_path / "m.png")
    with pytest.raises(FormatError, match=r"m\.png"):
        load_color_mask(tmp_path / "m.png", TABLE)
    _, notes = load_color_mask(tmp_path / "m.png", TABLE, unknown="background")
    assert [(note.subject, note.count) for note in notes] == [("(1, 2, 3)", 16)]
