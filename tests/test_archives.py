"""Zip archives in place of folders: names, what is refused, and the same result as unpacked."""

import pickle
import shutil
import stat
import struct
import subprocess
import sys
import unicodedata
import zipfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import segfmt
from aihub_files import annotation, dataset, label, write_image, write_label
from segfmt import FormatError, UsageError
from segfmt.archives import Archive
from segfmt.files import walk
from segfmt.recipe import read_recipe
from segfmt.sources import as_source, source_remarks

KOREAN = "도로_가"


def pack(path: Path, members: Mapping[str, bytes], encoding: str = "", method: int = 8) -> Path:
    """Write an archive; with `encoding`, names are in it, and not marked as UTF-8."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not encoding:
        with zipfile.ZipFile(path, "w", method) as file:
            for name, data in members.items():
                file.writestr(name, data)
        return path
    # zipfile marks every name that is not ASCII: names of as many letters are put in later.
    placeholders = {
        f"{number:03}".ljust(len(name.encode(encoding)), "_"): name.encode(encoding)
        for number, name in enumerate(members)
    }
    pack(path, dict(zip(placeholders, members.values(), strict=True)), method=method)
    data = path.read_bytes()
    for placeholder, name in placeholders.items():
        assert data.count(placeholder.encode()) == 2
        data = data.replace(placeholder.encode(), name)
    path.write_bytes(data)
    return path


def pack_folder(path: Path, folder: Path, **options: object) -> Path:
    files = {
        unicodedata.normalize("NFC", file.relative_to(folder).as_posix()): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }
    return pack(path, files, **options)  # type: ignore[arg-type]


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".segfmt" not in path.parts
    }


def names_in(path: Path) -> list[str]:
    root = as_source(path)
    return [file.relative_to(root).as_posix() for file in walk(root)]


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    """Return AIHub's download tree as it is when every archive is a folder beside itself."""
    root = tmp_path / "unpacked"
    for split, sign in (("Training", "T"), ("Validation", "V")):
        for number in (1, 2):
            stem = f"{KOREAN}{split}{number}"
            write_image(
                root / split / "01.원천데이터" / f"{sign}S_{number}" / "주간" / f"{stem}.jpg"
            )
            write_label(
                root / split / "02.라벨링데이터" / f"{sign}L_{number}" / "주간" / f"{stem}.json"
            )
    return root


def packed(unpacked: Path, root: Path, encoding: str) -> Path:
    """Return the same tree as AIHub ships it."""
    for split in unpacked.iterdir():
        for kind in split.iterdir():
            for folder in kind.iterdir():
                pack_folder(
                    root / split.name / kind.name / f"{folder.name}.zip", folder, encoding=encoding
                )
    return root


def convert(src: object, dst: Path, **options: object) -> segfmt.Report:
    options = {"source": "aihub", "target": "voc", **options}
    report = segfmt.convert(src, dst, **options)  # type: ignore[arg-type]
    assert report.ok, report.failures
    assert not report.skipped
    return report


@pytest.mark.parametrize("encoding", ["", "cp949", "utf-8"])
def test_a_tree_of_archives_is_read_as_if_unpacked(
    unpacked: Path, tmp_path: Path, encoding: str
) -> None:
    root = packed(unpacked, tmp_path / "packed", encoding)
    convert(unpacked, tmp_path / "a")
    report = convert(root, tmp_path / "b", workers=2)
    assert files_of(tmp_path / "a") == files_of(tmp_path / "b")
    assert report.splits == {"train": 2, "val": 2}
    assert "archives read in place: 8" in report.warnings


@pytest.mark.parametrize("executor", ["serial", "processes"])
def test_archives_given_one_by_one(unpacked: Path, tmp_path: Path, executor: str) -> None:
    root = packed(unpacked, tmp_path / "packed", "cp949")
    given = sorted(root.rglob("*1.zip"))
    assert len(given) == 4
    report = convert(given, tmp_path / "b", executor=executor, workers=2)
    assert report.splits == {"train": 1, "val": 1}
    assert all(str(path) in report.source for path in given)
    whole = convert(unpacked, tmp_path / "a")
    assert whole.done == 4
    of_first = {name: data for name, data in files_of(tmp_path / "a").items() if "1." in name}
    assert of_first.items() <= files_of(tmp_path / "b").items()


def test_labels_and_images_in_an_archive_each(tmp_path: Path) -> None:
    src = dataset(tmp_path / "src", [KOREAN, "b"])
    labels = pack_folder(tmp_path / "labels.zip", src / "label", encoding="cp949")
    images = pack_folder(tmp_path / "images.zip", src / "data", method=0)
    convert(src, tmp_path / "a")
    convert([labels, images], tmp_path / "b")
    assert files_of(tmp_path / "a") == files_of(tmp_path / "b")


@pytest.mark.parametrize(("labels", "images"), [("TL.zip", "TS.zip"), ("TL_1.zip", "TS_1.zip")])
def test_a_folder_beside_an_archive(tmp_path: Path, labels: str, images: str) -> None:
    src = dataset(tmp_path / "src", ["a"])
    archive = pack_folder(tmp_path / labels, src / "label")
    folder = (src / "data").rename(tmp_path / Path(images).stem)
    assert convert([archive, folder], tmp_path / "out").done == 1


def test_the_command_takes_several(tmp_path: Path) -> None:
    src = dataset(tmp_path / "src", ["a"])
    given = [pack_folder(tmp_path / f"{name}.zip", src / name) for name in ("label", "data")]
    command = ["convert", "--from", "aihub", "--to", "voc", *given, tmp_path / "out"]
    result = subprocess.run(
        [sys.executable, "-m", "segfmt", *map(str, command)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "out/VOCdevkit/VOC2012/SegmentationClass/a.png").is_file()


def test_one_archive_is_the_root(tmp_path: Path) -> None:
    src = dataset(tmp_path / "src", ["a", "b"])
    convert(src, tmp_path / "a", target="folder")
    archive = pack_folder(tmp_path / "gt.zip", tmp_path / "a")
    found = segfmt.open_dataset(archive)
    assert found.format.name == "folder"
    assert [(ref.split, ref.key) for ref in found.refs()] == [
        (ref.split, ref.key) for ref in segfmt.open_dataset(tmp_path / "a").refs()
    ]
    assert len(list(found)) == 2


def test_archives_beside_what_was_unpacked_are_left_alone(tmp_path: Path) -> None:
    src = dataset(tmp_path / "src", ["a"])
    pack_folder(src / "TL_1.zip", src / "label")
    assert as_source(src) == src
    assert convert(src, tmp_path / "out").done == 1


def test_listing_is_in_the_order_of_folders(tmp_path: Path) -> None:
    names = ["b/x.json", "b.json", "나/1.json", "가/2.json", "a/z.json", "A.json", "b/a/1.json"]
    names.append(unicodedata.normalize("NFD", "각.json"))
    for name in names:
        write_label(tmp_path / "tree" / name)
    hidden = {".x.json": b"", "__MACOSX/a.json": b"", "a/._z.json": b"", "a/": b""}
    files = dict.fromkeys(reversed(names), b"{}")
    archive = pack(tmp_path / "tree.zip", {**files, **hidden})
    expected = [unicodedata.normalize("NFC", name) for name in names_in(tmp_path / "tree")]
    assert names_in(archive) == expected


def test_archives_in_one_folder_name_their_split(tmp_path: Path) -> None:
    src = dataset(tmp_path / "src", ["a"])
    for sign in "TV":
        for name, kind in (("label", "L"), ("data", "S")):
            pack_folder(tmp_path / "zips" / f"{sign}{kind}_도로.zip", src / name)
    assert convert(tmp_path / "zips", tmp_path / "out", target="folder").splits == {
        "train": 1,
        "val": 1,
    }


def test_names_of_other_encodings(tmp_path: Path) -> None:
    """What short Korean names are in UTF-8 is read too: `치` in cp949 is a letter of UTF-8."""
    assert names_in(pack(tmp_path / "a.zip", {"치.json": b""}, "cp949")) == ["치.json"]
    decomposed = unicodedata.normalize("NFD", "가각/치.json")
    assert names_in(pack(tmp_path / "b.zip", {decomposed: b""}, "utf-8")) == ["가각/치.json"]
    assert names_in(pack(tmp_path / "c.zip", {"é.json": b""}, "latin-1")) == ["Θ.json"]
    assert names_in(pack(tmp_path / "d.zip", {r"x\y.json": b""})) == ["x/y.json"]


def test_members_that_climb_are_left_out_and_reported(tmp_path: Path) -> None:
    src = dataset(tmp_path / "src", ["a"])
    good = {f"label/{path.name}": path.read_bytes() for path in (src / "label").iterdir()}
    good |= {f"data/{path.name}": path.read_bytes() for path in (src / "data").iterdir()}
    bad = ["../a.json", "x/../../b.json", "/etc/c.json", "C:/d.json", r"..\e.json", "f\tg.json"]
    archive = pack(tmp_path / "set.zip", {**good, **dict.fromkeys(bad, b"{}")})
    with zipfile.ZipFile(archive, "a") as file:
        link = zipfile.ZipInfo("label/link.json")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(link, "/etc/passwd")
    before = set(tmp_path.rglob("*"))
    report = convert(archive, tmp_path / "out")
    assert report.done == 1
    said = [line for line in report.warnings if "left out" in line]
    assert said == [
        "set.zip: members left out, as their names lead out of it, are links or come twice: 7, "
        'such as "../a.json"'
    ]
    assert {
        path for path in set(tmp_path.rglob("*")) - before if tmp_path / "out" not in path.parents
    } == {tmp_path / "out"}


def test_a_nul_in_a_name(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", {"aXb.json": b"1", "c.json": b"2"})
    path.write_bytes(path.read_bytes().replace(b"aXb.json", b"a\0b.json"))
    archive = Archive(str(path))
    assert (archive.refused, list(archive.walk(""))) == (["a\0b.json"], ["c.json"])


def test_members_of_one_name(tmp_path: Path) -> None:
    names = ["각.json", unicodedata.normalize("NFD", "각.json")]
    archive = Archive(str(pack(tmp_path / "a.zip", {name: name.encode() for name in names})))
    assert archive.refused == ["각.json"]
    assert archive.read("각.json") == names[0].encode()


def fails_with(tmp_path: Path, archive: Path, *words: str) -> None:
    """Assert that the sample of `bad.json` fails with these words, and the others do not."""
    report = segfmt.convert(
        archive, tmp_path / "out", source="aihub", target="voc", missing_image="keep"
    )
    assert (report.done, report.failed) == (1, 1)
    for word in (*words, f"{archive}/bad.json"):
        assert word in report.failures[0].error


def two(tmp_path: Path, method: int = 8, **extra: bytes) -> Path:
    good = write_label(tmp_path / "good.json", label(annotation())).read_bytes()
    return pack(
        tmp_path / "a.zip", {"good.json": good, "bad.json": extra.get("bad", good)}, "", method
    )


def flags_set(path: Path, flag: int) -> None:
    """Set a flag of the last member, in its header and in the list of members."""
    data = bytearray(path.read_bytes())
    local, central = data.rfind(b"PK\3\4"), data.rfind(b"PK\1\2")
    for place in (local + 6, central + 8):
        struct.pack_into("<H", data, place, struct.unpack_from("<H", data, place)[0] | flag)
    path.write_bytes(data)


def test_an_encrypted_member_fails(tmp_path: Path) -> None:
    archive = two(tmp_path)
    flags_set(archive, 1)
    fails_with(tmp_path, archive, "is encrypted")


def test_another_method_fails(tmp_path: Path) -> None:
    with zipfile.ZipFile(archive := two(tmp_path), "a") as file:
        file.writestr("c.json", "x", zipfile.ZIP_BZIP2)
    with pytest.raises(FormatError, match="method 12"):
        Archive(str(archive)).read("c.json")


@pytest.mark.parametrize("method", [0, 8])
def test_a_damaged_member_fails(tmp_path: Path, method: int) -> None:
    archive = two(tmp_path, method)
    data = bytearray(archive.read_bytes())
    place = data.rfind(b"PK\3\4") + 30 + len("bad.json") + 20
    data[place] ^= 0xFF
    archive.write_bytes(data)
    fails_with(tmp_path, archive, "damaged")


def test_a_large_member_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = two(tmp_path, bad=b"[" + b" " * 100_000)
    monkeypatch.setenv("SEGFMT_MAX_MEMBER_BYTES", "50_000")
    fails_with(tmp_path, archive, "100,001 bytes when unpacked", "SEGFMT_MAX_MEMBER_BYTES")


def test_a_bomb_fails_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = two(tmp_path, bad=bytes(1 << 20))
    monkeypatch.setenv("SEGFMT_MAX_DENSE_BYTES", "500_000")
    fails_with(tmp_path, archive, "over 200 times its packed size", "SEGFMT_MAX_DENSE_BYTES")


def test_a_member_that_lies_about_its_size_fails(tmp_path: Path) -> None:
    """It says 10 bytes and unpacks to a million, of which eleven are ever held."""
    archive = two(tmp_path, bad=bytes(1 << 20))
    data = bytearray(archive.read_bytes())
    struct.pack_into("<I", data, data.rfind(b"PK\1\2") + 24, 10)
    archive.write_bytes(data)
    fails_with(tmp_path, archive, "damaged")


def test_only_the_start_is_unpacked_for_a_header(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_image(tmp_path / "big.bmp", (700, 500))
    archive = pack(tmp_path / "a.zip", {"big.bmp": (tmp_path / "big.bmp").read_bytes()})
    asked = []
    read = Archive.read
    monkeypatch.setattr(
        Archive, "read", lambda self, name, stop=None: asked.append(stop) or read(self, name, stop)
    )
    assert segfmt.image_size(as_source(archive) / "big.bmp") == (500, 700)
    assert asked == [1 << 16]


@pytest.mark.parametrize("method", [0, 8])
def test_threads_read_side_by_side(tmp_path: Path, method: int) -> None:
    files = {f"{number}.json": bytes([number]) * 70_000 for number in range(40)}
    archive = Archive(str(pack(tmp_path / "a.zip", files, method=method)))
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(archive.read, files)) == list(files.values())
        starts = pool.map(archive.read, files, [10] * len(files))
        assert list(starts) == [data[:10] for data in files.values()]


def test_paths_are_light_and_work_in_another_process(tmp_path: Path) -> None:
    archive = pack(tmp_path / "a.zip", {"x/y.json": b"{}"})
    path = next(walk(as_source(archive)))
    pickled = pickle.dumps(path)
    assert len(pickled) < 300 + len(str(path))
    script = "import pickle, sys; print(pickle.loads(sys.stdin.buffer.read()).read_bytes())"
    result = subprocess.run(
        [sys.executable, "-c", script], input=pickled, capture_output=True, check=True
    )
    assert result.stdout == b"b'{}'\n"


def test_a_recipe_names_every_source(tmp_path: Path) -> None:
    src = dataset(tmp_path / "src", ["a"])
    given = [pack_folder(tmp_path / f"{name}.zip", src / name) for name in ("data", "label")]
    convert(given, tmp_path / "a", save=tmp_path / "recipe.toml")
    again = {**read_recipe(tmp_path / "recipe.toml"), "dst": tmp_path / "b"}
    assert segfmt.convert(**again).done == 1
    assert files_of(tmp_path / "a") == files_of(tmp_path / "b")


def test_a_run_from_archives_is_resumed_for_the_same_archives(tmp_path: Path) -> None:
    src = dataset(tmp_path / "src", ["a"])
    given = [pack_folder(tmp_path / f"{name}.zip", src / name) for name in ("data", "label")]
    convert(given, tmp_path / "out")
    again = convert(reversed(given), tmp_path / "out", resume=True)
    assert "this run was finished before: nothing was left to do" in again.warnings
    other = pack_folder(tmp_path / "labels.zip", src / "label")
    with pytest.raises(UsageError, match=r"--src: was .*label\.zip, is .*labels\.zip"):
        convert([given[0], other], tmp_path / "out", resume=True)


def test_what_cannot_be_a_source_is_refused(tmp_path: Path) -> None:
    archive = pack(tmp_path / "a" / "TL_1.zip", {"x.json": b"{}"})
    (tmp_path / "a" / "text.txt").write_text("x")
    for given, words in (
        ([], "no source"),
        ([archive, archive], "given twice"),
        ([archive, tmp_path / "a"], "within another source"),
        ([archive, tmp_path / "no.zip"], "is not there"),
        ([archive, tmp_path / "a" / "text.txt"], "neither a folder nor"),
        ([archive, "memory://x"], "each must be a folder"),
    ):
        with pytest.raises(UsageError, match=words):
            as_source(given)


def test_parts_of_an_archive_are_to_be_joined_first(tmp_path: Path) -> None:
    whole = pack(tmp_path / "whole.zip", {"x.json": b"{}" * 100}).read_bytes()
    folder = tmp_path / "parts"
    folder.mkdir()
    (folder / "TS_1.zip.part0").write_bytes(whole[:60])
    (folder / "TS_1.zip.part60").write_bytes(whole[60:])
    for given in (folder, folder / "TS_1.zip.part0"):
        with pytest.raises(UsageError, match=r"part of an archive\. Join the parts first"):
            as_source(given)
    shutil.copy(folder / "TS_1.zip.part60", folder / "TS_1.zip")
    with pytest.raises(FormatError, match="no zip archive, or a damaged one"):
        names_in(folder / "TS_1.zip")


def test_archives_in_archives_are_reported(tmp_path: Path) -> None:
    inner = pack(tmp_path / "inner.zip", {"x.json": b"{}"}).read_bytes()
    root = as_source(pack(tmp_path / "outer.zip", {"inner.zip": inner, "a.json": b"{}"}))
    assert source_remarks(root)[1] == "outer.zip: archives in it are left out: 1"


def test_links_to_what_is_packed_are_refused(tmp_path: Path) -> None:
    archive = pack_folder(tmp_path / "set.zip", dataset(tmp_path / "src", ["a"]))
    with pytest.raises(UsageError, match="cannot be links"):
        segfmt.convert(archive, tmp_path / "out", source="aihub", target="voc", images="symlink")


def test_another_archive_of_the_same_name_is_read_anew(tmp_path: Path) -> None:
    assert names_in(pack(tmp_path / "a.zip", {"x.json": b""})) == ["x.json"]
    assert names_in(pack(tmp_path / "a.zip", {"y.json": b""})) == ["y.json"]


def test_the_target_may_be_beside_the_archive_but_not_in_its_tree(tmp_path: Path) -> None:
    src = dataset(tmp_path / "src", ["a"])
    archive = pack_folder(tmp_path / "zips" / "set.zip", src)
    with pytest.raises(UsageError, match="contain one another"):
        convert(tmp_path / "zips", tmp_path / "zips" / "out")
    assert convert(archive, tmp_path / "zips" / "out").done == 1


def test_what_a_folder_of_archives_is_need_not_be_said(tmp_path: Path) -> None:
    whole = dataset(tmp_path / "whole", ["a", "b"])
    for name in ("data", "label"):
        pack_folder(tmp_path / "src" / f"{name}.zip", whole / name)
    report = segfmt.convert(tmp_path / "src", tmp_path / "dst", target="voc")
    assert (report.source_format, report.done, report.ok) == ("aihub", 2, True)
