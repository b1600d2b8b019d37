import os
from pathlib import Path

import pytest

from segfmt import FormatError, atomic_write
from segfmt.files import check_key, replacing, walk


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


def test_walk_is_sorted_and_leaves_hidden_files_out(tmp_path: Path) -> None:
    names = ["b/2.txt", "b/1.txt", "a.txt", ".hidden/x", "b/._1.txt", "__MACOSX/y", "가/나.txt"]
    for name in names:
        touch(tmp_path / name)
    found = [path.relative_to(tmp_path).as_posix() for path in walk(tmp_path)]
    assert found == ["a.txt", "b/1.txt", "b/2.txt", "가/나.txt"]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_link_that_leads_out_is_refused_unless_meant(tmp_path: Path, kind: str) -> None:
    outside = touch(tmp_path / "outside" / "x.json")
    root = tmp_path / "root"
    touch(root / "a.json")
    (root / "link").symlink_to(outside if kind == "file" else outside.parent)
    with pytest.raises(FormatError, match=r"root/link: is a link that leads out.*follow_links"):
        list(walk(root))
    assert len(list(walk(root, follow_links=True))) == 2


def test_links_inside_are_followed_and_cycles_end(tmp_path: Path) -> None:
    touch(tmp_path / "real" / "x.json")
    (tmp_path / "alias").symlink_to(tmp_path / "real")
    (tmp_path / "real" / "loop").symlink_to(tmp_path)
    found = list(walk(tmp_path))
    assert tmp_path / "real" / "x.json" in found
    assert tmp_path / "alias" / "x.json" in found
    assert len(found) < 20


def test_a_folder_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: Path) -> None:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(FormatError, match="cannot be read: Permission denied"):
        list(walk(tmp_path))


@pytest.mark.parametrize(
    "key",
    ["", "/etc/passwd", "../x", "a/../b", "a//b", "./a", "a\\b", "C:/x", "a\0b", "a\nb", "가" * 90],
)
def test_keys_that_could_leave_the_target_or_break_a_list_are_refused(key: str) -> None:
    with pytest.raises(FormatError, match="no safe name"):
        check_key(key)


@pytest.mark.parametrize("key", ["a", "a/b.c", "도시/장면 1", "...", "-x"])
def test_ordinary_keys_pass(key: str) -> None:
    check_key(key)


def test_atomic_write_makes_folders_and_leaves_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b" / "c.bin"
    atomic_write(target, b"one")
    atomic_write(target, b"two")
    assert target.read_bytes() == b"two"
    assert list(target.parent.iterdir()) == [target]


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    target = tmp_path / "c.bin"
    atomic_write(target, b"one")

    def half() -> None:
        with replacing(target) as temporary:
            temporary.write_bytes(b"ha")
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        half()
    assert target.read_bytes() == b"one"
    assert list(tmp_path.iterdir()) == [target]


def test_the_longest_name_that_a_file_system_takes_can_be_written(tmp_path: Path) -> None:
    target = tmp_path / ("x" * 240 + ".png")
    atomic_write(target, b"data")
    assert target.read_bytes() == b"data"
