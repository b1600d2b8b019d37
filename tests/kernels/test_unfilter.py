"""PNG as segfmt reads it, against Pillow's reader and writer."""

import io
import struct
import zlib

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from segfmt.pngread import decode_png

SIGNATURE = b"\x89PNG\r\n\x1a\n"
KINDS = {"L": (0, 8, 1), "RGB": (2, 8, 3), "P": (3, 8, 1), "RGBA": (6, 8, 4), "I;16": (0, 16, 2)}


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(rows: list[bytes], width: int, mode: str, *, parts: int = 1) -> bytes:
    """Return a PNG of rows that are filtered already, its data in so many chunks."""
    color, depth, _ = KINDS[mode]
    header = struct.pack(">IIBBBBB", width, len(rows), depth, color, 0, 0, 0)
    packed = zlib.compress(b"".join(rows))
    size = -(-len(packed) // parts)
    data = [chunk(b"IDAT", packed[i : i + size]) for i in range(0, len(packed), size)]
    palette = chunk(b"PLTE", bytes(range(256)) * 3) if mode == "P" else b""
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + palette
        + b"".join(data)
        + chunk(b"IEND", b"")
    )


def pillow(data: bytes) -> npt.NDArray[np.generic]:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)


@settings(max_examples=150)
@given(st.data())
def test_every_filter_is_undone_as_pillow_does(data: st.DataObject) -> None:
    mode = data.draw(st.sampled_from(sorted(KINDS)))
    width, height = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 6))
    row = st.binary(min_size=width * KINDS[mode][2], max_size=width * KINDS[mode][2])
    rows = [bytes([data.draw(st.integers(0, 4))]) + data.draw(row) for _ in range(height)]
    file = png(rows, width, mode, parts=data.draw(st.integers(1, 3)))
    found = decode_png(file)
    assert found is not None
    assert np.array_equal(found, pillow(file))


@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40))), st.booleans())
def test_what_pillow_writes_is_read(mask: npt.NDArray[np.uint8], optimize: bool) -> None:
    for pixels in (mask, np.stack([mask] * 3, -1), mask.astype(np.uint16) * 257):
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG", optimize=optimize)
        found = decode_png(file.getvalue())
        assert found is not None
        assert found.dtype == pixels.dtype
        assert np.array_equal(found, pixels)


@pytest.mark.parametrize("interlace", [0, 1])
@pytest.mark.parametrize("bits", [1, 2, 4])
def test_what_is_not_decoded_here_is_left_to_pillow(bits: int, interlace: int) -> None:
    header = struct.pack(">IIBBBBB", 8, 1, bits, 0, 0, 0, interlace)
    rows = zlib.compress(b"\0" + b"\xaa" * bits)
    file = SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    assert decode_png(file) is None


def test_damage_of_every_byte_is_left_to_pillow() -> None:
    whole = png([b"\0" + bytes(range(20))] * 9, 20, "L")
    expected = decode_png(whole)
    for place in range(len(whole)):
        flipped = whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :]
        for changed in (whole[:place], flipped):
            found = decode_png(changed)
            assert found is None or np.array_equal(found, expected)


def test_more_and_less_data_than_the_header_says_is_left_to_pillow() -> None:
    rows = [b"\0" + bytes(20)] * 5
    header = png(rows, 20, "L")[:33]
    for count in (4, 6, 10_000):
        packed = chunk(b"IDAT", zlib.compress(b"".join([rows[0]] * count)))
        assert decode_png(header + packed + chunk(b"IEND", b"")) is None
    assert decode_png(png([b"\5" + bytes(20)], 20, "L")) is None  # there is no filter 5


@settings(max_examples=300)
@given(st.data())
def test_rows_of_runs_are_undone_as_pillow_does(data: st.DataObject) -> None:
    """As of masks: hardly a byte is not 0, now and then in the midst of a block that goes on."""
    mode = data.draw(st.sampled_from(sorted(KINDS)))
    step = KINDS[mode][2]
    width, height = data.draw(st.integers(1, 150)), data.draw(st.integers(1, 4))
    rows = []
    for _ in range(height):
        row = bytearray(width * step)
        for place in data.draw(st.lists(st.integers(0, width * step - 1), max_size=4)):
            row[place] = data.draw(st.integers(1, 255))
        rows.append(bytes([data.draw(st.sampled_from([0, 1, 1, 2, 3, 4, 4]))]) + bytes(row))
    file = png(rows, width, mode)
    found = decode_png(file)
    assert found is not None
    assert np.array_equal(found, pillow(file))
