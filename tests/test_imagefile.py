import io
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from aihub_files import write_image
from segfmt import FormatError, encode_png, image_size, place_image, read_mask, write_mask

MASKS = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=40))
PALETTE = np.random.default_rng(0).integers(0, 256, (256, 3), np.uint8)


def stored(path: Path) -> tuple[str | None, str]:
    with Image.open(path) as image:
        return image.format, image.mode


@given(MASKS, st.booleans())
def test_masks_come_back_from_pillow_as_they_were(ids: np.ndarray, colored: bool) -> None:
    png = encode_png(ids, PALETTE if colored else None)
    image = Image.open(io.BytesIO(png))
    image.verify()
    image = Image.open(io.BytesIO(png))
    assert image.mode == ("P" if colored else "L")
    assert (np.asarray(image) == ids).all()
    if colored:
        assert image.getpalette() == PALETTE.reshape(-1).tolist()
        assert (np.asarray(image.convert("RGB")) == PALETTE[ids]).all()


def test_encoding_is_deterministic_and_takes_views() -> None:
    ids = np.random.default_rng(1).integers(0, 20, (64, 80), np.uint8)
    assert encode_png(ids) == encode_png(ids.copy())
    assert encode_png(ids.T) == encode_png(np.ascontiguousarray(ids.T))
    assert encode_png(ids[::2, ::2]) == encode_png(ids[::2, ::2].copy())


@pytest.mark.parametrize(
    "ids", [np.zeros((2, 2), np.int64), np.zeros((2, 2, 3), np.uint8), np.zeros((0, 2), np.uint8)]
)
def test_what_is_no_mask_is_refused(ids: np.ndarray) -> None:
    with pytest.raises(ValueError, match="ids must be uint8"):
        encode_png(ids)


@pytest.mark.parametrize("mode", ["P", "L", "1"])
def test_read_mask_gives_ids_as_stored(tmp_path: Path, mode: str) -> None:
    ids = np.random.default_rng(2).integers(0, 2, (9, 7), np.uint8)
    image = Image.fromarray(ids)
    if mode == "P":
        image.putpalette([200, 0, 0] * 256)
    if mode == "1":
        image = Image.fromarray(ids.astype(bool))
    image.save(tmp_path / "mask.png")
    assert stored(tmp_path / "mask.png") == ("PNG", mode)
    found = read_mask(tmp_path / "mask.png")
    assert found.dtype == np.uint8
    assert (found == ids).all()


@pytest.mark.parametrize(
    ("name", "mode", "reason"),
    [
        ("m.jpg", "L", "JPEG, which cannot hold class ids"),
        ("m.png", "RGB", "its mode is RGB"),
        ("m.png", "I;16", "its mode is I;16"),
    ],
)
def test_read_mask_refuses_what_would_change_ids(
    tmp_path: Path, name: str, mode: str, reason: str
) -> None:
    Image.new(mode, (8, 8)).save(tmp_path / name)
    with pytest.raises(FormatError, match=reason):
        read_mask(tmp_path / name)


def test_write_mask_makes_folders(tmp_path: Path) -> None:
    write_mask(tmp_path / "a" / "m.png", np.ones((3, 4), np.uint8))
    assert (read_mask(tmp_path / "a" / "m.png") == 1).all()


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".tif", ".webp"])
def test_image_size_is_height_and_width(tmp_path: Path, suffix: str) -> None:
    assert image_size(write_image(tmp_path / f"x{suffix}", (16, 12))) == (12, 16)


def test_a_header_larger_than_pillows_own_bound_is_read(tmp_path: Path) -> None:
    rows = encode_png(np.zeros((20000, 20000), np.uint8))
    (tmp_path / "x.png").write_bytes(rows)
    assert image_size(tmp_path / "x.png") == (20000, 20000)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is an empty file"),
        (b"no image at all", "is not an image"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0", "is a damaged PNG"),
        (b"\xff\xd8\xff\xe0", "is a damaged JPEG"),
    ],
)
def test_what_is_no_image_is_named_with_the_reason(
    tmp_path: Path, data: bytes, reason: str
) -> None:
    path = tmp_path / "사진.jpg"
    path.write_bytes(data)
    with pytest.raises(FormatError, match=reason) as caught:
        image_size(path)
    assert "사진.jpg" in str(caught.value)


@pytest.mark.parametrize("how", ["copy", "hardlink", "symlink"])
def test_a_jpeg_is_placed_byte_for_byte(tmp_path: Path, how: str) -> None:
    source = write_image(tmp_path / "a.JPEG")
    target = tmp_path / "out" / "b.jpg"
    assert place_image(source, target, how) == ()
    assert target.read_bytes() == source.read_bytes()
    assert target.is_symlink() == (how == "symlink")
    assert source.samefile(target) == (how != "copy")
    assert [path.name for path in target.parent.iterdir()] == ["b.jpg"]


def test_none_places_nothing(tmp_path: Path) -> None:
    assert place_image(tmp_path / "not there", tmp_path / "b.jpg", "none") == ()
    assert not (tmp_path / "b.jpg").exists()


def test_a_png_under_a_jpeg_name_is_reencoded_and_said(tmp_path: Path) -> None:
    source = write_image(tmp_path / "a.png")
    source = source.rename(tmp_path / "liar.jpg")
    (note,) = place_image(source, tmp_path / "b.jpg")
    assert (note.code, note.subject) == ("images re-encoded", "PNG to JPEG (lossy)")
    assert stored(tmp_path / "b.jpg") == ("JPEG", "RGB")


def test_an_image_with_alpha_becomes_jpeg(tmp_path: Path) -> None:
    Image.new("RGBA", (4, 4), (1, 2, 3, 4)).save(tmp_path / "a.png")
    place_image(tmp_path / "a.png", tmp_path / "b.jpg")
    assert stored(tmp_path / "b.jpg") == ("JPEG", "RGB")


def test_a_hard_link_that_is_refused_becomes_a_copy_and_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    source = write_image(tmp_path / "a.jpg")
    (note,) = place_image(source, tmp_path / "b.jpg", "hardlink")
    assert note.subject == "no hard link: Invalid cross-device link"
    assert (tmp_path / "b.jpg").read_bytes() == source.read_bytes()


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_a_truncated_image_is_refused_and_nothing_is_left(tmp_path: Path, suffix: str) -> None:
    whole = write_image(tmp_path / f"a{suffix}", (300, 200)).read_bytes()
    (tmp_path / f"a{suffix}").write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(FormatError, match="does not decode"):
        place_image(tmp_path / f"a{suffix}", tmp_path / "out" / f"b{suffix}")
    assert not (tmp_path / "out").exists()


def test_a_whole_jpeg_with_something_behind_it_is_placed(tmp_path: Path) -> None:
    source = write_image(tmp_path / "a.jpg")
    source.write_bytes(source.read_bytes() + b"trailer of a camera" * 1000)
    assert place_image(source, tmp_path / "b.jpg") == ()
