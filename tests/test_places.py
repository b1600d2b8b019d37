"""Sources and targets behind URLs: what comes out is what folders give, byte for byte."""

import pickle
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from zlib import crc32

import pytest

import segfmt
import segfmt.remote
from aihub_files import dataset, write_image
from segfmt import ClassInfo, ClassTable, ExecutorError, FormatError, UsageError
from segfmt.files import STATE_FOLDER, walk
from segfmt.places import as_place, at_hand
from segfmt.tables import read_table
from segfmt.target import state_root
from test_matrix import FORMATS, OPTIONS, TABLE, masks

fsspec = pytest.importorskip("fsspec", reason="needs the extra segfmt[remote]")


@pytest.fixture(autouse=True)
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[fsspec.AbstractFileSystem]:
    """Give an empty memory:// and a state folder of the test's own; nobody waits."""
    monkeypatch.setenv("SEGFMT_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(segfmt.remote, "FIRST_DELAY", 0.001)
    store = fsspec.filesystem("memory")
    yield store
    store.store.clear()
    store.pseudo_dirs[:] = [""]


def files_at(root: str | Path) -> dict[str, bytes]:
    """Return what a target holds besides its state."""
    place = as_place(root)
    files = walk(place) if place.is_dir() else ()
    return {path.relative_to(place).as_posix(): path.read_bytes() for path in files}


def upload(folder: Path, url: str) -> str:
    for path in walk(folder):
        (as_place(url) / path.relative_to(folder).as_posix()).write(path.read_bytes())  # type: ignore[attr-defined]
    return url


def convert(src: object, dst: object, **options: object) -> segfmt.Report:
    options = {"source": "aihub", "target": "voc", **options}
    return segfmt.convert(src, dst, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def datasets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the same dataset in every format."""
    root = tmp_path_factory.mktemp("places")
    for name, ids in masks().items():
        write_image(root / "folder" / "images" / f"{name}.jpg", (64, 48))
        segfmt.write_mask(root / "folder" / "masks" / f"{name}.png", ids)
    (root / "folder" / "classes.json").write_bytes(TABLE.to_json())
    for name in FORMATS:
        if name != "folder":
            segfmt.convert(root / "folder", root / name, target=name, **OPTIONS.get(name, {}))
    return {name: root / name for name in FORMATS}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_reads_and_writes_urls(
    datasets: dict[str, Path], tmp_path: Path, name: str
) -> None:
    url = upload(datasets[name], "memory://src")
    detected = segfmt.open_dataset(url)
    assert detected.format.name == name
    for target in dict.fromkeys(("folder", name)):
        options = OPTIONS.get(target, {})
        there = segfmt.convert(url, f"memory://{target}", target=target, **options)
        here = segfmt.convert(datasets[name], tmp_path / target, target=target, **options)
        assert (there.done, there.failures) == (4, [])
        assert files_at(f"memory://{target}") == files_at(tmp_path / target)
        assert there.splits == here.splits


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_reads_archives(datasets: dict[str, Path], tmp_path: Path, name: str) -> None:
    from test_archives import pack_folder

    archive = pack_folder(tmp_path / "set.zip", datasets[name])
    assert segfmt.convert(archive, tmp_path / "a", target="folder").done == 4
    assert segfmt.convert(datasets[name], tmp_path / "b", target="folder").done == 4
    assert files_at(tmp_path / "a") == files_at(tmp_path / "b")


def test_korean_and_nested_names(tmp_path: Path) -> None:
    src = dataset(tmp_path / "src", ["가 각#1%", "b+c"])
    assert convert(src, "memory://가/나").ok
    convert(src, tmp_path / "out")
    assert files_at("memory://가/나") == files_at(tmp_path / "out")


def test_edits_and_reencoded_images(tmp_path: Path) -> None:
    src = dataset(tmp_path / "src", ["a"])
    for number, options in enumerate(({"tile": "8x8"}, {"target": "kitti"})):
        upload(src, "memory://src")
        classes = {} if number == 0 else {"classes": "road"}
        there = convert("memory://src", f"memory://out{number}", **options, **classes)
        here = convert(src, tmp_path / f"out{number}", **options, **classes)
        assert (there.done, there.failures) == (here.done, [])
        assert files_at(f"memory://out{number}") == files_at(tmp_path / f"out{number}")


def test_the_journal_is_kept_here_and_uploaded_at_the_end(
    tmp_path: Path, memory: fsspec.AbstractFileSystem
) -> None:
    src = dataset(tmp_path / "src", ["a", "b"])
    convert(src, "memory://out")
    assert {PurePosixPath(name).name for name in memory.find("/out/.segfmt")} == {
        "journal.sqlite",
        "report.json",
    }
    assert not list((tmp_path / "state").iterdir())
    assert segfmt.verify("memory://out").ok
    again = convert(src, "memory://out", resume=True)
    assert "this run was finished before: nothing was left to do" in again.warnings
    with pytest.raises(UsageError, match=r"memory://out is not empty.*--resume to go on"):
        convert(src, "memory://out")


def test_overwrite_removes_what_was_written_and_nothing_else(
    tmp_path: Path, memory: fsspec.AbstractFileSystem
) -> None:
    src = dataset(tmp_path / "src", ["a", "b"])
    convert(src, "memory://out")
    memory.pipe_file("/out/mine.txt", b"mine")
    convert(src, "memory://out", overwrite=True, target="folder")
    names = files_at("memory://out")
    assert "mine.txt" in names
    assert not [name for name in names if name.startswith("VOCdevkit")]


def test_verify_finds_what_has_changed(tmp_path: Path, memory: fsspec.AbstractFileSystem) -> None:
    convert(dataset(tmp_path / "src", ["a", "b"]), "memory://out")
    base = "/out/VOCdevkit/VOC2012/SegmentationClass"
    memory.pipe_file(f"{base}/a.png", memory.cat_file(f"{base}/a.png") + b"x")
    memory.rm_file(f"{base}/b.png")
    faults = {
        fault.name.rpartition("/")[2]: fault.problem
        for fault in segfmt.verify("memory://out").faults
    }
    assert "is missing" in faults["b.png"]
    assert "bytes long, not" in faults["a.png"]


def test_convert_verifies_what_it_wrote_to_a_url(tmp_path: Path) -> None:
    report = convert(dataset(tmp_path / "src", ["a", "b"]), "memory://out", verify=True)
    assert (report.verified, report.differing) == (2, [])


def test_a_failed_upload_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fails = failing(monkeypatch, "b.png", 3, OSError("reset by peer"))
    assert convert(dataset(tmp_path / "src", ["a", "b"]), "memory://out").done == 2
    assert fails == [3]


def test_an_upload_that_keeps_failing_fails_its_sample_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    src = dataset(tmp_path / "src", ["a", "b", "c"])
    with monkeypatch.context() as patch:
        fails = failing(patch, "b.png", 100, OSError("reset by peer"))
        report = convert(src, "memory://out")
    assert (report.done, report.failed, fails) == (2, 1, [4])
    url = "memory://out/VOCdevkit/VOC2012/SegmentationClass/b.png"
    assert report.failures[0].error == f"{url}: reset by peer (tried 4 times)"
    assert convert(src, "memory://out", resume=True).done == 3
    convert(src, tmp_path / "out")
    assert files_at("memory://out") == files_at(tmp_path / "out")


def test_a_store_that_refuses_ends_the_run_which_can_be_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: fsspec.AbstractFileSystem
) -> None:
    src = dataset(tmp_path / "src", ["a", "b", "c"])
    with monkeypatch.context() as patch:
        fails = failing(patch, "b.png", 100, PermissionError("Access Denied"))
        with pytest.raises(ExecutorError, match=r"b\.png: cannot be written: the store refuses"):
            convert(src, "memory://out", executor="serial")
    assert fails == [1]
    assert not memory.exists("/out/.segfmt")
    assert (state_root(as_place("memory://out")) / STATE_FOLDER / "journal.sqlite").is_file()
    with pytest.raises(UsageError, match="--resume to go on"):
        convert(src, "memory://out")
    assert convert(src, "memory://out", resume=True).done == 3
    convert(src, tmp_path / "out")
    assert files_at("memory://out") == files_at(tmp_path / "out")


def failing(monkeypatch: pytest.MonkeyPatch, end: str, times: int, error: Exception) -> list[int]:
    """Make uploads of such files fail; the list's number counts how many did."""
    failed = [0]
    store = type(fsspec.filesystem("memory"))
    put = store.pipe_file

    def flaky(self: object, path: str, *args: object, **options: object) -> object:
        if path.endswith(end) and failed[0] < times:
            failed[0] += 1
            raise error
        return put(self, path, *args, **options)

    monkeypatch.setattr(store, "pipe_file", flaky)
    return failed


def test_stores_that_write_bit_by_bit_get_a_temporary_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: fsspec.AbstractFileSystem
) -> None:
    moved = []
    move = type(memory).mv
    monkeypatch.setattr(segfmt.remote, "WHOLE", frozenset())
    monkeypatch.setattr(
        type(memory), "mv", lambda self, a, b, **options: moved.append((a, b)) or move(self, a, b)
    )
    src = dataset(tmp_path / "src", ["a"])
    convert(src, "memory://out")
    convert(src, tmp_path / "out")
    assert files_at("memory://out") == files_at(tmp_path / "out")
    assert ("/out/.segfmt/.report.json.part", "/out/.segfmt/report.json") in moved
    assert not [name for name in memory.find("/") if name.endswith(".part")]


def test_an_image_is_fetched_once_a_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: fsspec.AbstractFileSystem
) -> None:
    src = dataset(tmp_path / "src", ["a"])
    write_image(src / "data" / "a.bmp", (500, 400))
    (src / "data" / "a.jpg").unlink()
    upload(src, "memory://src")
    asked = []
    cat = type(memory).cat_file
    monkeypatch.setattr(
        type(memory),
        "cat_file",
        lambda self, path, start=None, end=None: (
            asked.append((path, end)) or cat(self, path, start, end)
        ),
    )
    assert convert("memory://src", "memory://out", target="folder").done == 1
    of_image = [end for path, end in asked if path.endswith("a.bmp")]
    assert of_image.count(None) == 1
    asked.clear()
    assert segfmt.image_size(as_place("memory://src/data/a.bmp")) == (400, 500)
    assert [end for _, end in asked] == [1 << 16]


def test_paths_speak_as_pathlib_does(memory: fsspec.AbstractFileSystem) -> None:
    root = as_place("memory://bucket/가")
    assert str(root / "x" / "y.tar.png") == "memory://bucket/가/x/y.tar.png"
    path = root / "x" / "y.png"
    assert (path.name, path.stem, path.suffix, path.parent.name) == ("y.png", "y", ".png", "x")
    assert path.relative_to(root).as_posix() == "x/y.png"
    assert path == pickle.loads(pickle.dumps(path))
    assert hash(path) == hash(as_place(str(path)))
    assert path.with_name("z.json") in {root / "x/z.json"}
    assert not path.exists()
    memory.pipe_file("/bucket/가/x/y.png", b"abc" * 50_000)
    memory.pipe_file("/bucket/가/w.txt", b"1\n2")
    assert (path.is_file(), path.is_dir(), path.parent.is_dir()) == (True, False, True)
    assert [other.name for other in root.iterdir()] == ["w.txt", "x"]
    assert list(root.glob("*/y.png")) == [path]
    memory.pipe_file("/same/same/same.txt", b"")
    assert list(as_place("memory://same").iterdir()) == [as_place("memory://same/same")]
    assert list(root.glob("*.txt")) == [root / "w.txt"]
    assert path.stat().st_size == 150_000
    assert (root / "w.txt").read_text() == "1\n2"
    with (root / "w.txt").open() as file:
        assert list(file) == ["1\n", "2"]
    with path.open("rb") as file:
        assert file.seek(149_998) == 149_998
        assert (file.read(10), file.read(1)) == (b"bc", b"")
        file.seek(-3, 2)
        assert (file.tell(), file.read()) == (149_997, b"abc")
    with pytest.raises(ValueError, match="written whole"):
        path.open("wb")
    with pytest.raises(FileNotFoundError):
        (root / "no.txt").read_bytes()
    path.unlink()
    assert not path.exists()
    path.unlink(missing_ok=True)


def test_what_is_at_hand_is_forgotten_after_the_sample(memory: fsspec.AbstractFileSystem) -> None:
    path = as_place("memory://a/b.txt")
    with at_hand():
        memory.pipe_file("/a/b.txt", b"1")
        assert path.read_bytes() == b"1"
        memory.pipe_file("/a/b.txt", b"2")
        assert path.read_bytes() == b"1"
    assert path.read_bytes() == b"2"


def test_a_file_is_mapped_wherever_it_is(
    tmp_path: Path, memory: fsspec.AbstractFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    memory.pipe("/b/a.json", b"0123456789")
    (tmp_path / "a.json").write_bytes(b"0123456789")
    for path in (as_place("memory://b/a.json"), tmp_path / "a.json"):
        with segfmt.mapped(path) as data:
            assert data[3:5] == b"34"
            data[3:5] = b"xx"
        with segfmt.mapped(path) as data:
            assert bytes(data) == path.read_bytes() == b"0123456789"  # what was written is gone
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]  # the copy has no name
    memory.pipe("/b/empty", b"")
    with pytest.raises(ValueError, match="empty"):
        segfmt.mapped(as_place("memory://b/empty"))


def test_a_copy_is_made_once_of_a_file_that_stays_the_same(
    memory: fsspec.AbstractFileSystem,
) -> None:
    path = as_place("memory://b/a.json")
    memory.pipe("/b/a.json", b"0123")
    with segfmt.mapped(path) as listed:
        crc = crc32(listed)
    memory.pipe("/b/a.json", b"4567")
    with segfmt.mapped(path, crc) as data:  # as it was listed
        assert bytes(data) == b"0123"
    with segfmt.mapped(path) as data:  # as it is
        assert bytes(data) == b"4567"
    with pytest.raises(FormatError, match=r"a\.json: has changed since it was listed"):
        segfmt.mapped(path, crc)
    memory.pipe("/b/a.json", b"")
    with pytest.raises(FormatError, match="has changed"):
        segfmt.mapped(path, crc)


def test_local_paths_stay_pathlibs(tmp_path: Path) -> None:
    for text in (str(tmp_path), "C:/data", "x:y", "data/s3:/x", "."):
        assert type(as_place(text)) is type(Path())
        assert as_place(text) == Path(text)
    assert as_place(f"file://{tmp_path}") == tmp_path
    assert str(as_place(Path("memory://a/b"))) == "memory://a/b"


def test_a_upath_is_taken_by_its_url() -> None:
    upath = pytest.importorskip("upath", reason="needs universal-pathlib")
    assert str(as_place(upath.UPath("memory://a/b"))) == "memory://a/b"
    with pytest.raises(UsageError, match="storage options of its own"):
        as_place(upath.UPath("memory://a/b", something=1))


def test_what_cannot_be_followed_is_refused(tmp_path: Path) -> None:
    src = dataset(tmp_path / "src", ["a"])
    upload(src, "memory://src")
    for source, target, options, words in (
        (src, "nosuch://x", {}, "nosuch"),
        ("zip://a::memory://x.zip", tmp_path / "out", {}, "plain URL"),
        ("memory://nothing", tmp_path / "out", {}, "is not there"),
        ("memory://src/data/a.jpg", tmp_path / "out", {}, "is a file"),
        ("memory://src", "memory://src/out", {}, "contain one another"),
        ("memory://src/label", "memory://src", {}, "contain one another"),
        ("memory://src", tmp_path / "out", {"images": "hardlink"}, "cannot be links"),
        (src, "memory://out", {"images": "symlink"}, "cannot be links"),
        (src, "memory://out", {"executor": "processes"}, "this process alone"),
        (src, "memory://src/data/a.jpg", {}, "is a file"),
    ):
        with pytest.raises(UsageError, match=words):
            convert(source, target, **options)


def test_without_the_extra_an_error_says_what_to_install(tmp_path: Path) -> None:
    script = (
        "import sys; sys.modules['fsspec'] = None\n"
        "import segfmt\n"
        "try:\n    segfmt.convert('memory://a', 'b', target='voc')\n"
        "except segfmt.UsageError as error:\n    print(error)"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert "pip install segfmt[remote]" in result.stdout


def test_a_local_run_does_not_load_fsspec(tmp_path: Path) -> None:
    script = (
        "import sys, segfmt\n"
        "segfmt.convert(sys.argv[1], sys.argv[2], source='aihub', target='voc')\n"
        "print('fsspec' in sys.modules)"
    )
    src = dataset(tmp_path / "src", ["a"])
    command = [sys.executable, "-c", script, str(src), str(tmp_path / "out")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "False\n"


def test_ignore_is_kept_apart_behind_urls_too() -> None:
    table = ClassTable([ClassInfo(0, "background", role="background"), ClassInfo(1, "road")])
    path = as_place("memory://x/classes.json")
    segfmt.atomic_write(path, table.with_ignore().to_json())
    assert read_table(path).ignore is not None
