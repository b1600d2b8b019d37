"""What reads text, numbers and masks, on whatever hypothesis comes up with."""

import json
import math
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from segfmt import FormatError, UsageError, read_list, read_mask, read_mask16, read_table
from segfmt.classes import ClassTable
from segfmt.edits import parse_edits
from segfmt.files import check_key
from segfmt.imagefile import read_colors
from segfmt.jsonfile import decode_text, load_json, parse_rings
from segfmt.options import checked
from segfmt.png import encode_png, encode_png16, encode_png_colors

ANY = msgspec.json.Decoder(Any)
NUMBER = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**70), 2**70))
VALUE = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBER, st.text(max_size=9)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=12,
)
POINT = st.tuples(NUMBER, NUMBER)
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32")


@pytest.fixture(scope="module")
def path() -> Any:
    with TemporaryDirectory() as folder:
        yield Path(folder, "x")


@given(data=st.binary(max_size=60))
def test_text_is_decoded_or_refused(data: bytes) -> None:
    try:
        assert isinstance(decode_text(data, Path("x")), str)
    except FormatError as error:
        assert str(error).startswith("x: is neither")


@given(value=VALUE, encoding=st.sampled_from(ENCODINGS))
def test_json_comes_back_from_any_encoding(path: Path, value: Any, encoding: str) -> None:
    text = json.dumps(value)
    assume(text[0] != "\0" and len(text) > 1)
    path.write_bytes(text.encode(encoding))
    found, notes = load_json(path, ANY)
    assert json.dumps(found) == text
    assert not notes


@given(
    data=st.binary(max_size=60) | st.text('[]{},:"0e-.naN\\u\x00tf', max_size=40).map(str.encode)
)
def test_json_is_read_as_python_does_or_refused(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    try:
        found, _ = load_json(path, ANY)
    except FormatError as error:
        assert error.path == path
    else:
        json.dumps(found)


@given(depth=st.integers(3000, 200_000), bracket=st.sampled_from(["[", '{"a":']))
def test_deep_brackets_are_refused(path: Path, depth: int, bracket: str) -> None:
    closing = "]" if bracket == "[" else "}"
    path.write_text(bracket * depth + "1" + closing * depth)
    with pytest.raises(FormatError, match="nested too deep"):
        load_json(path, ANY)


@given(rings=st.lists(st.lists(POINT, max_size=5), max_size=4), indent=st.sampled_from([None, 2]))
def test_rings_are_the_numbers_that_python_reads(
    rings: list[list[tuple[float, float]]], indent: int | None
) -> None:
    raws = [json.dumps(ring, indent=indent).encode() for ring in rings]
    points, offsets = parse_rings(raws, Path("x"), [f"ring {n}" for n in range(len(raws))])
    expected = [[float(x), float(y)] for raw in raws for x, y in json.loads(raw)]
    assert points.tolist() == expected
    assert offsets.tolist() == [0, *np.cumsum([len(ring) for ring in rings]).tolist()]


@given(value=VALUE | st.lists(st.lists(VALUE, min_size=2, max_size=2)))
def test_rings_of_any_json_are_refused_or_numbers(value: Any) -> None:
    raw = json.dumps(value).encode()
    try:
        points, offsets = parse_rings([b"[[1,2]]", raw, b"[[3,4]]"], Path("x"), ["a", "b", "c"])
    except FormatError as error:
        assert error.where.startswith("b")
    else:
        assert points[0].tolist() == [1, 2]
        assert points[-1].tolist() == [3, 4]
        assert not any(math.isnan(x) for x in points.reshape(-1))
        assert offsets[-1] == len(points)


@given(raws=st.lists(st.binary(max_size=9) | st.text('[]{},:"019eE.', max_size=30).map(str.encode)))
def test_rings_of_what_is_no_json_do_no_harm(raws: list[bytes]) -> None:
    try:
        points, offsets = parse_rings(raws, Path("x"), [""] * len(raws))
    except FormatError:
        return
    assert offsets[-1] == len(points)


LINE = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="\ufeff"),
    min_size=1,
)


@given(
    lines=st.lists(LINE.filter(str.strip), min_size=1, max_size=5),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(ENCODINGS[:3]),
)
def test_lists_come_back(path: Path, lines: list[str], end: str, encoding: str) -> None:
    path.write_bytes(end.join(lines).encode(encoding))
    assert read_list(path) == [(n, line.strip()) for n, line in enumerate(lines, 1)]


@pytest.mark.parametrize("suffix", [".json", ".txt"])
@given(
    data=st.binary(max_size=60)
    | st.lists(st.text("abc:,0123456789#\n", max_size=20)).map("\n".join).map(str.encode)
    | st.lists(st.dictionaries(st.sampled_from(["id", "name", "color", "role", "x"]), VALUE))
    .map(json.dumps)
    .map(str.encode)
)
def test_class_tables_are_read_or_refused(path: Path, suffix: str, data: bytes) -> None:
    file = path.with_suffix(suffix)
    file.write_bytes(data)
    try:
        assert isinstance(read_table(file), ClassTable)
    except FormatError as error:
        assert error.path == file


def factory(
    root: Path,
    how: Annotated[Literal["a", "b"], "one of two"] = "a",
    many: Annotated[int, "a number"] = 1,
    flag: Annotated[bool, "yes or no"] = False,
) -> None:
    """Take the kinds of options that there are."""


@given(name=st.sampled_from(["how", "many", "flag"]) | st.text(max_size=8), value=VALUE)
def test_options_are_of_their_type_or_refused(name: str, value: Any) -> None:
    types = {"how": str, "many": int, "flag": bool}
    try:
        ((found, read),) = checked("format x", "-i", factory, 1, {name: value}).items()
    except UsageError as error:
        assert name in str(error)
    else:
        assert isinstance(read, types[found])


@given(text=st.text("0123456789x ٣²-", max_size=12))
def test_sizes_are_sizes_or_refused(text: str) -> None:
    try:
        size = parse_edits(text, None).resize
    except UsageError:
        return
    assert size is not None
    assert all(0 < side < 65536 for side in size)


@given(
    key=st.text(max_size=12) | st.lists(st.sampled_from(["..", ".", "", "a", "C:"])).map("/".join)
)
def test_a_key_that_passes_stays_below_any_folder(key: str) -> None:
    try:
        check_key(key)
    except FormatError:
        return
    root = Path("/target")
    assert root in Path(root, key).parents
    assert ".." not in Path(key).parts
    assert len(f"a\n{key}\nb".splitlines()) == 3


MASKS = {
    encode_png: (np.uint8, (), read_mask),
    encode_png16: (np.uint16, (), read_mask16),
    encode_png_colors: (np.uint8, (3,), read_colors),
}


@pytest.mark.parametrize("encode", MASKS)
@given(data=st.data(), shape=st.tuples(st.integers(1, 9), st.integers(1, 9)))
def test_masks_come_back_and_damaged_ones_are_refused(
    path: Path, encode: Any, data: st.DataObject, shape: tuple[int, int]
) -> None:
    dtype, channels, read = MASKS[encode]
    values = data.draw(arrays.arrays(dtype, (*shape, *channels)))
    png = encode(values)
    path.write_bytes(png)
    assert (read(path) == values).all()
    place = data.draw(st.integers(0, len(png) - 1))
    bit = data.draw(st.integers(0, 7))
    path.write_bytes(png[:place] + bytes([png[place] ^ 1 << bit]) + png[place + 1 :])
    try:
        found = read(path)
    except FormatError as error:
        assert error.path == path
    else:
        assert found.dtype == dtype
