"""COCO run lengths, both ways, against pycocotools."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as pycocotools

from kernels.mask_kinds import KINDS, random_mask
from segfmt import FormatError, UsageError
from segfmt.rle import encode_rle, paint_rle

# pycocotools 2.0.11 hands arrays over in a way that NumPy 2 no longer likes.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def string_of(inside: np.ndarray) -> bytes:
    return pycocotools.encode(np.asfortranarray(inside, np.uint8))["counts"]


def decoded(rle: bytes | str | list[int], shape: tuple[int, int]) -> np.ndarray:
    given = {"size": list(shape), "counts": rle}
    if not isinstance(rle, bytes | str):
        given = pycocotools.frPyObjects(given, *shape)
    return pycocotools.decode(given) == 1


def check(ids: np.ndarray) -> None:
    """Encode every id as pycocotools does, and paint what came out."""
    strings, counts = encode_rle(ids), encode_rle(ids, compressed=False)
    assert list(strings) == list(counts) == np.unique(ids).tolist()
    for id, string in strings.items():
        assert string == string_of(ids == id)
        listed = {"size": list(ids.shape), "counts": counts[id].tolist()}
        assert pycocotools.frPyObjects(listed, *ids.shape)["counts"] == string
        assert counts[id].dtype == np.uint32
    texts = [string.decode() for string in strings.values()]
    lists = [row.tolist() for row in counts.values()]
    for rles in (list(strings.values()), texts, list(counts.values()), lists):
        assert (paint_rle(rles, list(strings), ids.shape, background=77) == ids).all()


@pytest.mark.parametrize("kind", KINDS)
def test_masks_of_every_kind(kind: str) -> None:
    random = np.random.default_rng([*kind.encode()])
    for longest in [12] * 60 + [48] * 60 + [150] * 3:
        check(random_mask(random, kind, longest))


@pytest.mark.parametrize(
    "shape",
    [(1, 1), (1, 2), (2, 1), (1, 200), (200, 1), (63, 65), (64, 64), (65, 63), (2, 129), (3, 300)],
)
@pytest.mark.parametrize("n_ids", [1, 2, 256])
def test_noise_of_every_shape(shape: tuple[int, int], n_ids: int) -> None:
    random = np.random.default_rng([*shape, n_ids])
    for _ in range(5):
        check(random.integers(0, n_ids, shape, np.uint8))


def test_every_id_at_once() -> None:
    check(np.arange(256, dtype=np.uint8).reshape(16, 16))
    check(np.random.default_rng(0).integers(0, 256, (300, 400), np.uint8))


@pytest.mark.parametrize("id", [0, 255])
def test_an_id_that_fills_the_image(id: int) -> None:
    check(np.full((9, 70), id, np.uint8))


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0)])
def test_no_pixels(shape: tuple[int, int]) -> None:
    assert encode_rle(np.empty(shape, np.uint8)) == {}
    assert encode_rle(np.empty(shape, np.uint8), compressed=False) == {}
    assert paint_rle(["0", "", [], [0]], [1, 2, 3, 4], shape).shape == shape


def test_an_array_in_any_order_of_memory() -> None:
    ids = np.random.default_rng(0).integers(0, 3, (40, 60), np.uint8)
    for view in (np.asfortranarray(ids), ids[::2, 1::3], ids[::-1]):
        assert encode_rle(view) == encode_rle(np.ascontiguousarray(view))


def test_later_masks_are_painted_over_earlier_ones() -> None:
    random = np.random.default_rng(1)
    for _ in range(150):
        shape = tuple(random.integers(1, 70, 2).tolist())
        expected = np.full(shape, 9, np.uint8)
        rles = []
        for id in range(8):
            inside = np.zeros(shape, np.uint8)
            top, left = random.integers(0, shape)
            inside[top : top + random.integers(1, 50), left : left + random.integers(1, 50)] = 1
            inside &= random.random(shape) < random.choice([0.5, 1, 1])
            expected[inside == 1] = id
            counts = encode_rle(inside, compressed=False).get(1, np.array([inside.size]))
            rles.append([string_of(inside), string_of(inside).decode(), counts][id % 3])
        assert (paint_rle(rles, range(8), shape, background=9) == expected).all()


@st.composite
def shapes_and_counts(draw: st.DrawFn) -> tuple[tuple[int, int], list[int]]:
    """A shape, and counts that fill it, empty runs among them."""
    height, width = draw(st.tuples(st.integers(1, 12), st.integers(1, 12)))
    ends = draw(st.lists(st.integers(0, height * width), max_size=20).map(sorted))
    return (height, width), np.diff([0, *ends, height * width]).tolist()


@given(shapes_and_counts())
def test_any_counts(drawn: tuple[tuple[int, int], list[int]]) -> None:
    shape, counts = drawn
    expected = decoded(counts, shape)
    assert (paint_rle([counts], [1], shape) == expected).all()
    string = pycocotools.frPyObjects({"size": shape, "counts": counts}, *shape)["counts"]
    assert (paint_rle([string], [1], shape) == expected).all()


CHARACTERS = st.integers(48, 111).map(chr) | st.sampled_from("/p 0\0~é\ud800")


@given(st.text(CHARACTERS, max_size=12) | st.binary(max_size=12))
def test_any_string_is_refused_or_read_as_pycocotools_reads_it(text: str | bytes) -> None:
    for shape in ((1, 3), (5, 7)):
        try:
            painted = paint_rle([text], [1], shape)
        except FormatError:
            continue
        assert (painted == decoded(text, shape)).all()


def test_every_string_of_two_characters() -> None:
    accepted = 0
    for text in (a + b for a in map(chr, range(46, 114)) for b in map(chr, range(46, 114))):
        try:
            painted = paint_rle([text], [1], (3, 4))
        except FormatError:
            continue
        accepted += 1
        assert (painted == decoded(text, (3, 4))).all()
    assert accepted == 13 + 1  # two counts that sum to 12, or one count in two characters


def test_a_string_cut_anywhere_is_refused() -> None:
    ids = np.random.default_rng(0).integers(0, 2, (30, 40), np.uint8)
    for string in encode_rle(ids).values():
        for end in range(len(string)):
            with pytest.raises(FormatError):
                paint_rle([string[:end]], [1], ids.shape)


@pytest.mark.parametrize(
    ("rle", "message"),
    [
        ("24000", r"rle 1: counts sum to 10, not to 2 \* 3 = 6"),
        ("21", r"rle 1: counts sum to 3, not to 2 \* 3 = 6"),
        (b"", r"rle 1: counts sum to 0, not to 2 \* 3 = 6"),
        ("oooooo0", r"rle 1, character 6: the string has a number of over 30 bits"),
        ("2P", r"rle 1, character 2: the string is cut off within a number"),
        ("2/", r'rle 1, character 1: the string has a character that is none of "0" to "o"'),
        ("222p", r"rle 1, character 3: the string has a character"),
        ("22é", r"rle 1, character 2: the string has a character"),
        ("22\ud800", r"rle 1, character 2: the string has a character"),
        (b"22\0", r"rle 1, character 2: the string has a character"),
        ("1O", r"rle 1, character 1: the string has a negative count"),
        ("212M", r"rle 1, character 3: the string has a negative count"),
        ([2, 5], r"rle 1: counts sum to 7, not to 2 \* 3 = 6"),
        ([], r"rle 1: counts sum to 0, not to 2 \* 3 = 6"),
        ([7, -1], r"rle 1: the count -1 is negative"),
        ([2**62, 2**62, 2**62, 2**62, 6], "rle 1: counts sum to 18446744073709551622, not"),
        (np.array([2**63, 2**63, 6], np.uint64), "rle 1: the count -9223372036854775808"),
        ([2**70], "rle 1: is neither a string nor a list of whole numbers"),
        ([2.0, 4.0], "rle 1: is neither a string nor"),
        (["2", "4"], "rle 1: is neither a string nor"),
        ([[2, 4]], "rle 1: is neither a string nor"),
        ([[2], [2, 2]], "rle 1: is neither a string nor"),
        (None, "rle 1: is neither a string nor"),
        (6, "rle 1: is neither a string nor"),
    ],
)
def test_what_is_refused_is_named_and_nothing_is_painted(rle: object, message: str) -> None:
    out = np.full((2, 3), 9, np.uint8)
    for good in ("06", [0, 6]):
        with pytest.raises(FormatError, match=f"^{message}"):
            paint_rle([good, rle], [1, 2], (2, 3), background=None, out=out)
        assert (out == 9).all()


def test_ids_must_fit_the_mask() -> None:
    with pytest.raises(UsageError, match="class id 256 does not fit"):
        paint_rle(["06", "06"], [255, 256], (2, 3))
    with pytest.raises(UsageError, match="class id -1 does not fit"):
        paint_rle(["06"], [-1], (2, 3))
    with pytest.raises(ValueError, match=r"class_ids must be \(2,\), not \(1,\)"):
        paint_rle(["06", "06"], [1], (2, 3))


def test_out_is_painted_over_or_over_the_background() -> None:
    out = np.full((2, 3), 5, np.uint8)
    assert paint_rle(["222"], [8], (2, 3), background=None, out=out) is out
    assert out.tolist() == [[5, 8, 5], [5, 8, 5]]
    assert paint_rle([[1, 1, 4]], [8], (2, 3), background=3, out=out) is out
    assert out.tolist() == [[3, 3, 3], [8, 3, 3]]
    assert paint_rle([], [], (2, 3), out=out).tolist() == [[0, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize(
    "out",
    [np.zeros((3, 2), np.uint8), np.zeros((2, 3), np.int8), np.zeros((2, 6), np.uint8)[:, ::2]],
)
def test_out_must_be_a_mask_of_that_shape(out: np.ndarray) -> None:
    with pytest.raises(ValueError, match="out must be a C-contiguous uint8 array"):
        paint_rle(["06"], [1], (2, 3), out=out)


def test_no_background_without_out() -> None:
    with pytest.raises(ValueError, match="there is no out"):
        paint_rle(["06"], [1], (2, 3), background=None)


def test_masks_beyond_the_limits_are_refused() -> None:
    with pytest.raises(FormatError, match="limit of RLE strings"):
        encode_rle(np.broadcast_to(np.uint8(0), (2**14, 2**15)))
    with pytest.raises(FormatError, match="over the limit of"):
        encode_rle(np.broadcast_to(np.uint8(0), (2**16, 2**15)), compressed=False)
    with pytest.raises(FormatError, match="over the limit of"):
        paint_rle([], [], (2**16, 2**15))
    with pytest.raises(ValueError, match=r"ids must be uint8 \(H, W\), not int64 \(2, 3\)"):
        encode_rle(np.zeros((2, 3), np.int64))
    with pytest.raises(ValueError, match=r"not uint8 \(3,\)"):
        encode_rle(np.zeros(3, np.uint8))
