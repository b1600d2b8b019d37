"""Near-duplicates: what is alike, what is not, and the groups that come of it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageEnhance
from sklearn.datasets import load_sample_images

from aihub_files import write_label
from check_files import document, picture
from segfmt import FormatError, SampleRef, UsageError
from segfmt.checking import check
from segfmt.duplicates import Groups, Images
from segfmt.findings import Findings
from segfmt.imagehash import Look, look_of, perceptual_hash
from segfmt.keeplist import read_keep_list, write_keep_list

FLAT = np.full(256, 99, np.uint8)
FLAT[::2] = 120


def photographs() -> list[Image.Image]:
    return [Image.fromarray(photo) for photo in load_sample_images().images]


def text_page(seed: int) -> Image.Image:
    """Return a white page with some lines of dashes on it."""
    page = Image.new("RGB", (640, 480), "white")
    draw = ImageDraw.Draw(page)
    random = np.random.default_rng(seed)
    for y in random.integers(20, 460, 6).tolist():
        draw.line([(random.integers(0, 300), y), (random.integers(320, 640), y)], "black", 3)
    return page


def night(x: int) -> Image.Image:
    """Return a dark frame with a pair of lights."""
    frame = np.random.default_rng(x).integers(3, 6, (480, 640, 3), np.uint8)
    frame[200:230, x : x + 30] = 200
    frame[200:230, x + 80 : x + 110] = 200
    return Image.fromarray(frame)


def alike(tmp_path: Path, one: Image.Image, other: Image.Image, **options: int) -> bool:
    """Return whether two images are of one group, each saved as JPEG."""
    with closing(Images(2)) as images:
        for place, image in enumerate((one, other)):
            path = tmp_path / f"{place}.jpg"
            image.save(path, **{"quality": 90, **(options if place else {})})
            images.add(place, look_of(path))
        return len(images.grouped(4, np.zeros(2, np.int32))) == 1


@pytest.mark.parametrize("photo", photographs(), ids=["china", "flower"])
def test_changes_that_nobody_sees_are_near(tmp_path: Path, photo: Image.Image) -> None:
    whole = (20, 20, photo.width - 20, photo.height - 20)
    frame = photo.crop(whole)
    assert alike(tmp_path, frame, frame, quality=40)
    assert alike(tmp_path, frame, frame.resize((frame.width // 2, frame.height // 2)))
    assert alike(tmp_path, frame, ImageEnhance.Brightness(frame).enhance(0.85))
    assert alike(tmp_path, frame, ImageEnhance.Contrast(frame).enhance(0.9))
    for dx, dy in ((3, 0), (0, -3), (2, 2)):
        moved = photo.crop((whole[0] + dx, whole[1] + dy, whole[2] + dx, whole[3] + dy))
        assert alike(tmp_path, frame, moved)


def test_other_scenes_are_not(tmp_path: Path) -> None:
    china, flower = photographs()
    assert not alike(tmp_path, china, flower)
    assert not alike(tmp_path, china, china.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    assert not alike(tmp_path, china.crop((0, 0, 320, 300)), china.crop((320, 100, 640, 400)))
    assert not alike(tmp_path, china, ImageEnhance.Brightness(china).enhance(0.3))
    passing = china.copy()
    passing.paste((200, 30, 30), (300, 250, 400, 320))
    assert not alike(tmp_path, china, passing)


def test_textures_with_next_to_nothing_in_common_but_flatness_are_not(tmp_path: Path) -> None:
    pages = [text_page(seed) for seed in range(5)]
    nights = [night(x) for x in (40, 200, 300, 480)]
    for images in (pages, nights):
        for place, one in enumerate(images):
            assert alike(tmp_path, one, one, quality=60)
            assert not any(alike(tmp_path, one, other) for other in images[:place])
    assert not alike(tmp_path, Image.new("L", (64, 64), 0), Image.new("L", (64, 64), 255))
    assert alike(tmp_path, Image.new("L", (64, 64), 7), Image.new("L", (64, 64), 8))


def test_crops_of_one_photograph_are_not_taken_for_one_another(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    corners = [(photo, *random.integers(0, 220, 2).tolist()) for photo in photographs() * 30]
    with closing(Images(len(corners))) as images:
        for place, (photo, x, y) in enumerate(corners):
            path = tmp_path / "x.jpg"
            photo.crop((x, y, x + 200, y + 150)).save(path)
            images.add(place, look_of(path))
        firsts = images.grouped(4, np.zeros(len(corners), np.int32)).firsts
    joined = [(place, int(first)) for place, first in enumerate(firsts) if place != first]
    for place, first in joined:
        distance = abs(np.subtract(corners[place][1:], corners[first][1:])).max()
        assert corners[place][0] == corners[first][0]
        assert distance <= 6


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F"])
def test_images_of_every_mode_have_a_look(tmp_path: Path, mode: str) -> None:
    grey = picture(3).convert("L")
    if mode == "I;16":
        image = Image.fromarray(np.asarray(grey).astype(np.uint16) * 256)
    else:
        image = grey.convert(mode)
    path = tmp_path / ("x.tif" if mode in ("CMYK", "F") else "x.png")
    image.save(path, **({"transparency": bytes(range(256))} if mode == "P" else {}))
    grey.save(tmp_path / "grey.png")
    one, other = look_of(path), look_of(tmp_path / "grey.png")
    if mode != "1":  # whose pixels are other ones
        assert (one.hash ^ other.hash).bit_count() <= 4
    assert one.digest != other.digest or mode == "L"


def test_a_look_is_the_same_in_every_run(tmp_path: Path) -> None:
    picture(3).save(tmp_path / "x.png")
    look = look_of(tmp_path / "x.png")
    assert (look.type, look.thumbnail.shape, look.thumbnail.dtype) == ("PNG", (256,), np.uint8)
    assert abs(int(look.thumbnail.mean()) - int(np.asarray(picture(3).convert("L")).mean())) <= 1
    ramp = np.add.outer(np.arange(32), np.arange(32) * 4).astype(np.uint8)
    # By the formula, written out.
    n = np.arange(32)
    cosines = np.cos(np.pi * n[:, None] * (2 * n + 1) / 64) * np.where(n == 0, 1, 2**0.5)[:, None]
    spectrum = cosines @ ramp.astype(float) @ cosines.T / 32
    places = sorted((u + v, u, v) for u in range(32) for v in range(32) if u + v)[:64]
    low = np.array([spectrum[u, v] for _, u, v in places])
    low[abs(low) < 16] = 0
    bits = low > np.median(low)
    assert perceptual_hash(ramp).bit_count() == bits.sum()
    (tmp_path / "y.jpg").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(FormatError):
        look_of(tmp_path / "y.jpg")


def grouped(
    hashes: list[int], most: int, splits: list[int], digests: list[int] | None = None
) -> Groups:
    """Return the groups of images whose thumbnails are all alike."""
    files = digests or list(range(len(hashes)))
    with closing(Images(len(hashes))) as images:
        for place, (value, digest) in enumerate(zip(hashes, files, strict=True)):
            images.add(place, Look("PNG", digest, value, FLAT))
        return images.grouped(most, np.array(splits, np.int32))


@given(
    st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=6),
    st.lists(st.tuples(st.integers(0, 30), st.sets(st.integers(0, 63), max_size=6)), max_size=30),
    st.integers(0, 10),
    st.integers(1, 3),
    st.randoms(use_true_random=False),
)
def test_groups_are_those_of_all_pairs(
    seeds: list[int],
    changes: list[tuple[int, set[int]]],
    most: int,
    parts: int,
    random: Random,
) -> None:
    hashes = list(seeds)
    for source, bits in changes:
        value = hashes[source % len(hashes)]
        hashes.append(value ^ sum(1 << bit for bit in bits))
    splits = [random.randrange(parts) for _ in hashes]
    found = grouped(hashes, most, splits)
    kept: list[int] = []
    for i, (first, partner) in enumerate(zip(found.firsts, found.partners, strict=True)):
        near = {j for j in range(i) if (hashes[i] ^ hashes[j]).bit_count() <= most}
        if near & set(kept):
            assert first in near & set(kept)
        else:
            assert first == i
            kept.append(i)
        elsewhere = {j for j in near if splits[j] != splits[i]}
        assert partner in (elsewhere or {-1})


def test_a_slow_drive_is_thinned_out_not_made_one_frame() -> None:
    hashes = [(1 << n) - 1 for n in range(60)]  # each a bit from the one before
    found = grouped(hashes, 4, [0] * 60)
    assert [n for n in range(60) if found.is_first(n)] == list(range(0, 60, 5))
    assert found.partners.tolist() == [-1] * 60


def test_a_frame_is_a_leak_though_what_it_is_like_is_not_kept() -> None:
    hashes = [(1 << n) - 1 for n in range(8)]
    found = grouped(hashes, 4, [0, 0, 0, 0, 0, 1, 1, 1])
    assert found.firsts.tolist() == [0, 0, 0, 0, 0, 5, 5, 5]
    assert (found.partners[:5] == -1).all()
    assert set(found.partners[5:].tolist()) <= {1, 2, 3, 4}


def test_equal_files_are_one_group_whatever_they_show() -> None:
    found = grouped([0, 2**64 - 1, 0b1111100000], 4, [0, 0, 1], [7, 8, 7])
    assert found.firsts.tolist() == [0, 1, 0]
    assert found.partners.tolist() == [-1, -1, 0]
    assert len(grouped([], 4, [])) == 0


def write(root: Path, images: dict[str, Image.Image], quality: int = 90) -> Path:
    """Write an AIHub dataset; names are `Training/a` and so on."""
    for name, image in images.items():
        split, stem = name.split("/")
        path = root / split / "data" / f"{stem}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path, quality=quality)
        write_label(root / split / "label" / f"{stem}.json", document(size=image.size))
    return root


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    """Return a dataset of a standing car: 6 frames, of which a truck's passing changes two."""
    photo = photographs()[0]
    frames = {f"Training/f{n}": photo.crop((20 + n % 3, 20, 600 + n % 3, 400)) for n in range(4)}
    frames["Validation/f9"] = photo.crop((21, 21, 601, 401))
    frames["Training/x"] = picture(1, (580, 380))
    return write(tmp_path / "src", frames)


def found_of(root: Path, **options: object) -> Findings:
    return check(root, source="aihub", **options)  # type: ignore[arg-type]


def test_frames_of_a_standing_car_are_one_group_and_a_leak(drive: Path, tmp_path: Path) -> None:
    keep = tmp_path / "to" / "keep.txt"
    found = found_of(drive, keep_list=keep, select=["SF6"])
    (group,) = found.groups
    assert (group.first, group.last, group.count) == ("train/f0", "val/f9", 5)
    assert group.splits == {"train": 4, "val": 1}
    assert (found.duplicates, found.images) == (4, 6)
    # f0 and f3 are the same crop, and so the same file.
    tallies = {code: tally.count for code, tally in found.rules.items()}
    assert tallies == {"SF601": 1, "SF602": 3, "SF603": 1}
    assert found.rules["SF601"].examples[0].problem == "is the same file as train/f0"
    (leak,) = found.rules["SF603"].examples
    assert (leak.split, leak.key) == ("val", "f9")
    assert leak.problem.startswith("is nearly the same as train/f")
    assert keep.read_text() == "train/f0\ntrain/x\n"


def test_a_keep_list_is_written_whether_or_not_anybody_looks_for_duplicates(
    drive: Path, tmp_path: Path
) -> None:
    found = found_of(drive, keep_list=tmp_path / "keep.txt", ignore=["SF6"])
    assert not any(code.startswith("SF6") for code in found.rules)
    assert (tmp_path / "keep.txt").read_text() == "train/f0\ntrain/x\n"
    assert found_of(drive, near=0, select=["SF601"]).rules["SF601"].count == 1


def refs(*names: str) -> Iterator[SampleRef]:
    for name in names:
        split, _, key = name.partition("/")
        yield SampleRef(key, split)


def test_a_keep_list_keeps_what_it_names(tmp_path: Path) -> None:
    path = tmp_path / "keep.txt"
    assert write_keep_list(path, refs("train/a", "train/길/b c", "val/a")) == 3
    keep = read_keep_list(path)
    assert len(keep) == 3
    every = ("train/a", "train/b", "train/길/b c", "val/a", "val/b")
    kept = [f"{ref.split}/{ref.key}" for ref in keep.kept(refs(*every))]
    assert kept == ["train/a", "train/길/b c", "val/a"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp949"])
def test_a_keep_list_that_was_edited_is_understood(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "keep.txt"
    path.write_bytes("train/길\r\n\r\nval/a\r\n".encode(encoding))
    assert [*read_keep_list(path).kept(refs("train/길", "train/b", "val/a"))] == [
        *refs("train/길", "val/a")
    ]


def test_a_keep_list_of_another_dataset_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keep.txt"
    path.write_text("train/a\n" + "".join(f"train/x{n}\n" for n in range(5)))
    with pytest.raises(UsageError, match=r"5 samples .*: train/x0, train/x1, train/x2, \.\.\."):
        list(read_keep_list(path).kept(refs("train/a", "train/b")))
    path.write_text("\n")
    with pytest.raises(UsageError, match="names no sample"):
        read_keep_list(path)
    with pytest.raises(UsageError, match="not there"):
        read_keep_list(tmp_path / "no.txt")


def test_a_name_with_a_line_in_it_stays_one_line(tmp_path: Path) -> None:
    path = tmp_path / "keep.txt"
    names = ("train/a\nb", "train/c")
    write_keep_list(path, refs(*names))
    assert [*read_keep_list(path).kept(refs(*names))] == [*refs(*names)]
