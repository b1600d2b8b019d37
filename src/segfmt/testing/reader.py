"""What a reader must do."""

# ruff: noqa: D102, S101 - tests assert, and their names say what

from __future__ import annotations

import os
import pickle
import shutil
from collections.abc import Callable
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Self
from unicodedata import normalize

import numpy as np
import pytest

import segfmt
from segfmt.files import check_key
from segfmt.imagefile import IMAGE_SUFFIXES
from segfmt.testing.record import KOREAN, Conformance, files_below

NAME = "frame_1"
MAX_REF = 4096  # bytes of a pickled SampleRef: it crosses processes, its sample does not


class ReaderConformance(Conformance):
    """What a reader must do. Write `make`; `corrupt` too if a sample has no label file.

    Attributes
    ----------
    detected
        Whether `--from auto` is to know what `make` writes.
    """

    detected: ClassVar[bool] = True

    def make(self, root: Path, name: str) -> None:  # noqa: ARG002 - for whoever writes it
        """Write a small valid dataset below `root`; the names of its files are made of `name`."""
        pytest.fail("write make(self, root, name)")

    def corrupt(self, root: Path) -> Path:
        """Damage one file of what `make` wrote, and return it.

        As it is here, half of the file that is the first sample's `source` is cut off.
        """
        source = next(self.open(root).refs()).source
        if not isinstance(source, Path):
            pytest.fail("write corrupt(self, root): the samples' source is no path")
        source.write_bytes(source.read_bytes()[: source.stat().st_size // 2])
        return source

    def convert_from(self, src: Path, dst: Path, **options: Any) -> segfmt.Report:
        """Convert from this format; samples without an image count too."""
        return segfmt.convert(
            src,
            dst,
            source=self.format,
            target="folder",
            reader_options=self.reader_options,
            missing_image="keep",
            **options,
        )

    @pytest.fixture
    def made(self, tmp_path: Path) -> Path:
        """Give the root of a dataset that `make` wrote."""
        root = tmp_path / "made"
        root.mkdir()
        self.make(root, NAME)
        return root

    def test_scan_gives_the_same_each_time(self, made: Path) -> None:
        dataset = self.open(made)
        refs = list(dataset.refs())
        assert refs, "no samples"
        assert list(dataset.refs()) == refs, "the list is another each time"
        assert list(self.open(made).refs()) == refs, "the list is another each time"

    def test_scan_does_not_go_by_the_order_of_the_disk(
        self, made: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        refs = list(self.open(made).refs())
        listdir = os.listdir
        monkeypatch.setattr(os, "scandir", partial(_Backwards, os.scandir))
        monkeypatch.setattr(os, "listdir", lambda path=".": listdir(path)[::-1])
        assert list(self.open(made).refs()) == refs, "the list goes by the order of the disk"

    def test_scan_reads_no_image(self, made: Path) -> None:
        refs = list(self.open(made).refs())
        for path in made.rglob("*"):
            if path.suffix.lower() in IMAGE_SUFFIXES:
                path.write_bytes(b"")
        assert list(self.open(made).refs()) == refs, "the list is another without pixels"

    def test_reader_and_refs_go_to_other_processes(self, made: Path) -> None:
        reader = self.open(made).reader
        refs = list(reader.scan())
        again = pickle.loads(pickle.dumps(reader))  # noqa: S301 - pickled the moment before
        assert list(again.scan()) == refs, "a pickled reader lists other samples"
        for ref in refs:
            data = pickle.dumps(ref)
            assert len(data) <= MAX_REF, (
                f"{ref.key}: a ref must be light, and has {len(data)} bytes"
            )
            same = pickle.loads(data)  # noqa: S301 - pickled the moment before
            assert same == ref, f"{ref.key}: a pickled ref is another"
            assert _equal(again.load(same), reader.load(ref)), (
                f"{ref.key}: a pickled reader differs"
            )

    def test_keys_are_safe_and_unique_in_their_split(self, made: Path) -> None:
        refs = list(self.open(made).refs())
        for ref in refs:
            check_key(ref.key)
            check_key(ref.split)
            assert ref.image is None or ref.image.is_file(), f"{ref.image} is not there"
        unique = {(ref.split, ref.key) for ref in refs}
        assert len(unique) == len(refs), "several samples have one key in one split"

    def test_labels_fit_their_images_and_the_class_table(self, made: Path) -> None:
        dataset = self.open(made)
        known = {info.id for info in dataset.classes}
        for sample in dataset:
            label, key = sample.label, sample.ref.key
            if isinstance(label, segfmt.Mask):
                wide = any(info.id > 255 for info in dataset.classes)
                types = (np.uint8, np.uint16) if wide else (np.uint8,)
                assert label.ids.dtype in types, f"{key}: ids are {label.ids.dtype}, not uint8"
                assert label.ids.shape == sample.shape, f"{key}: the mask is {label.ids.shape}"
                used = set(np.unique(label.ids).tolist())
            else:
                segfmt.rasterize(label, sample.shape)
                used = set(label.class_ids.tolist())
            assert used <= known, f"{key}: {sorted(used - known)} are in no class table"
            if sample.ref.image is not None:
                size = segfmt.image_size(sample.ref.image)
                assert size == sample.shape, f"{key}: image {size}, label {sample.shape}"

    def test_a_corrupt_file_is_a_format_error_that_names_it(self, made: Path) -> None:
        path = self.corrupt(made)
        errors: list[segfmt.FormatError] = []
        try:
            dataset = self.open(made)
            for ref in dataset.refs():
                try:
                    dataset.reader.load(ref)
                except segfmt.FormatError as error:
                    errors.append(error)
        except segfmt.FormatError as error:
            errors.append(error)
        assert errors, f"{path} is corrupt, and nothing was said"
        assert any(path.name in str(error) for error in errors), f"{errors} do not name {path}"

    def test_an_empty_folder_has_no_samples(self, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        try:
            refs = list(self.open(tmp_path / "empty").refs())
        except segfmt.SegfmtError:
            refs = []
        assert refs == [], "samples in an empty folder"
        # That converting it is refused is ours; that it is in words is the reader's.
        with pytest.raises((segfmt.SegfmtError, OSError)):
            self.convert_from(tmp_path / "empty", tmp_path / "dst")
        assert not (tmp_path / "dst").exists()

    def test_samples_convert_in_threads_as_one_by_one(self, made: Path, tmp_path: Path) -> None:
        before = files_below(made)
        for executor in ("serial", "threads"):
            report = self.convert_from(made, tmp_path / executor, executor=executor)
            assert report.ok, report.failures
            assert report.done == report.total
        serial, threads = files_below(tmp_path / "serial"), files_below(tmp_path / "threads")
        assert serial == threads, "loading in threads gives other labels"
        assert files_below(made) == before, "reading changed the source"

    def test_an_archive_is_read_as_its_folder_is(self, made: Path, tmp_path: Path) -> None:
        archive = Path(shutil.make_archive(str(tmp_path / "packed"), "zip", made))
        for name, src in (("of folder", made), ("of archive", archive)):
            report = self.convert_from(src, tmp_path / name, executor="threads")
            assert report.ok, report.failures
        found, expected = (files_below(tmp_path / f"of {kind}") for kind in ("archive", "folder"))
        assert found == expected, "a zip archive is read as something else"

    @pytest.mark.parametrize("which", ["everything", "images"])
    def test_names_are_the_same_in_nfc_and_nfd(self, tmp_path: Path, which: str) -> None:
        root, other = tmp_path / "nfc", tmp_path / "nfd"
        root.mkdir()
        self.make(root, KOREAN)
        shutil.copytree(root, other)
        refs = list(self.open(root).refs())
        assert all(normalize("NFC", ref.key) == ref.key for ref in refs), "keys must be NFC"
        images = {ref.image.relative_to(root) for ref in refs if ref.image is not None}
        for path in sorted(other.rglob("*"), key=lambda path: len(path.parts), reverse=True):
            if which == "everything" or path.relative_to(other) in images:
                path.rename(path.with_name(normalize("NFD", path.name)))
        found = list(self.open(other).refs())
        assert _places(found) == _places(refs), "keys or images are others in NFD"
        for ref, same in zip(found, refs, strict=True):
            one, two = self.open(other).reader.load(ref), self.open(root).reader.load(same)
            assert _equal(one, two), f"{ref.key}: the label is another in NFD"

    def test_auto_knows_the_format_and_claims_no_empty_folder(
        self, made: Path, tmp_path: Path
    ) -> None:
        detect = self.record.detect
        if detect is None or not self.detected:
            pytest.skip("the format must be named, or this form of it")
        (tmp_path / "empty").mkdir()
        assert detect(made), "detect does not know what make wrote"
        assert detect(tmp_path / "empty") is None, "detect claims an empty folder"
        opened = segfmt.open_dataset(made, **self.reader_options)
        assert opened.format.name == self.format, f"--from auto takes it for {opened.format.name}"


class _Backwards:
    """What `os.scandir` returns, a context manager and an iterator, from its end."""

    def __init__(self, scandir: Callable[..., Any], path: Any = ".") -> None:
        with scandir(path) as entries:
            self._entries = list(entries)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None: ...

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> os.DirEntry[str]:
        if not self._entries:
            raise StopIteration
        entry: os.DirEntry[str] = self._entries.pop()
        return entry


def _equal(one: segfmt.Sample, other: segfmt.Sample) -> bool:
    """Whether two samples are the same, whatever root they were read from."""
    if type(one.label) is not type(other.label) or one.shape != other.shape:
        return False
    pairs = [
        (getattr(one.label, field.name), getattr(other.label, field.name))
        for field in fields(one.label)
    ]
    return all(np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b for a, b in pairs)


def _places(refs: list[segfmt.SampleRef]) -> list[tuple[str, str, bool]]:
    return [(ref.split, ref.key, ref.image is not None) for ref in refs]
