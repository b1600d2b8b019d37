"""What a writer must do."""

# ruff: noqa: D102, S101 - tests assert, and their names say what

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

import segfmt
from segfmt.files import STATE_FOLDER
from segfmt.journal import Journal
from segfmt.testing.record import KOREAN, Conformance, files_below


class WriterConformance(Conformance):
    """What a writer must do; the kit makes what is written.

    Attributes
    ----------
    splits
        The splits that the format can hold; those of the samples that are written.
    class_names
        Classes that it can hold: those of the format's table unless given; else any will do.
    keeps_keys
        Whether samples have the same keys when they are read back.
    """

    splits: ClassVar[tuple[str, ...]] = ("train", "val")
    class_names: ClassVar[tuple[str, ...]] = ()
    keeps_keys: ClassVar[bool] = True

    @pytest.fixture
    def source(self, tmp_path: Path) -> Path:
        """Give a dataset of format `folder`, which is what is converted."""
        return self.make_source(tmp_path / "src")

    def make_source(self, root: Path, *, ignore: bool = False, same_key: bool = False) -> Path:
        """Write a dataset of format `folder`: Korean names, odd sizes, noise, JPEG and PNG."""
        classes = self._classes(ignore)
        segfmt.atomic_write(root / "classes.json", classes.to_json())
        ids = np.array([info.id for info in classes], np.uint8)
        for number, split in enumerate(self.splits):
            stems = (
                ["same"] if same_key else [f"{split}_1", f"scene/{split}_2", f"{split}_{KOREAN}"]
            )
            for place, stem in enumerate(stems):
                random = np.random.default_rng([number, place])
                block = 1 + 3 * (place % 2)  # single pixels, then blocks that touch at corners
                rough = ids[random.integers(0, len(ids), (5 + place, 6 + number))]
                mask = np.kron(rough, np.ones((block, block), np.uint8))
                segfmt.write_mask(root / f"masks/{split}/{stem}.png", mask)
                image = root / f"images/{split}/{stem}{'.png' if place else '.jpg'}"
                image.parent.mkdir(parents=True, exist_ok=True)
                pixels = random.integers(0, 256, (*mask.shape, 3), np.uint8)
                Image.fromarray(pixels).save(image)
        return root

    def convert_to(self, src: Path, dst: Path | str, **options: Any) -> segfmt.Report:
        """Convert to this format."""
        return segfmt.convert(
            src,
            dst,
            source="folder",
            target=self.format,
            writer_options=self.writer_options,
            **options,
        )

    def _classes(self, ignore: bool) -> segfmt.ClassTable:
        own = [info.name for info in self.record.table or () if info.role == "class"]
        names = self.class_names or own[:3] or ("road", "소형 시설", "traffic light")
        colors = [(128, 64, 128), (70, 70, 70), (250, 170, 30)]
        return segfmt.ClassTable(
            [
                segfmt.ClassInfo(0, "background", role="background"),
                *(
                    segfmt.ClassInfo(id, name, color)
                    for id, (name, color) in enumerate(zip(names, colors, strict=False), start=1)
                ),
                *([segfmt.ClassInfo(255, "ignore", (224, 224, 192), "ignore")] if ignore else []),
            ]
        )

    def test_every_sample_is_written_and_the_source_left_alone(
        self, source: Path, tmp_path: Path
    ) -> None:
        before = files_below(source)
        report = self.convert_to(source, tmp_path / "dst")
        assert report.ok, report.failures
        assert report.done == report.total == 3 * len(self.splits)
        assert files_below(source) == before, "writing changed the source"
        assert {path.name for path in tmp_path.iterdir()} == {"src", "dst"}, "written outside"

    def test_a_url_is_written_as_a_folder_is(self, source: Path, tmp_path: Path) -> None:
        fsspec = pytest.importorskip("fsspec")
        self.convert_to(source, tmp_path / "dst")
        report = self.convert_to(source, f"memory:/{tmp_path}/dst", executor="threads")
        assert report.ok, report.failures
        store, root = fsspec.filesystem("memory"), f"{tmp_path}/dst/"
        files = {name.removeprefix(root): store.cat(name) for name in store.find(root)}
        assert {
            name: hashlib.sha256(data).hexdigest()
            for name, data in files.items()
            if STATE_FOLDER not in name.split("/")
        } == files_below(tmp_path / "dst"), "a URL gets other files than a folder"

    def test_no_unfinished_file_is_left(self, source: Path, tmp_path: Path) -> None:
        self.convert_to(source, tmp_path / "dst")
        names = [Path(name).name for name in files_below(tmp_path / "dst")]
        hidden = [name for name in names if name.startswith(".")]
        assert not hidden, f"unfinished files are left: {hidden}"

    def test_executors_and_order_give_the_same_bytes(
        self, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.convert_to(source, tmp_path / "serial", executor="serial")
        expected = files_below(tmp_path / "serial")
        backwards = segfmt.Executor("backwards", "", _make_backwards)
        with monkeypatch.context() as patched:
            patched.setattr("segfmt.plugins.executor_named", lambda _name: backwards)
            self.convert_to(source, tmp_path / "backwards")
        assert files_below(tmp_path / "backwards") == expected, "the order of samples shows"
        # A process takes long to start, and one is enough to need pickling.
        for executor, workers in (("threads", 2), ("processes", 1)):
            self.convert_to(source, tmp_path / executor, executor=executor, workers=workers)
            assert files_below(tmp_path / executor) == expected, f"{executor} differ from serial"

    def test_a_sample_that_fails_leaves_nothing(self, source: Path, tmp_path: Path) -> None:
        split = self.splits[0]
        image = source / f"images/{split}/{split}_{KOREAN}.png"
        mask = source / f"masks/{split}/{split}_{KOREAN}.png"
        whole = image.read_bytes()
        image.write_bytes(whole[: len(whole) // 2])
        report = self.convert_to(source, tmp_path / "dst")
        if report.ok:
            pytest.skip("the format does not look at images")
        assert report.failed == 1
        mask.unlink()
        self.convert_to(source, tmp_path / "without")
        found, without = files_below(tmp_path / "dst"), files_below(tmp_path / "without")
        assert found == without, "something is left of a sample that failed"

    def test_entries_name_all_files_so_that_overwrite_removes_them(
        self, source: Path, tmp_path: Path
    ) -> None:
        self.convert_to(source, tmp_path / "dst")
        split = self.splits[0]
        (source / f"masks/{split}/scene/{split}_2.png").unlink()
        self.convert_to(source, tmp_path / "dst", overwrite=True)
        self.convert_to(source, tmp_path / "fresh")
        found, fresh = files_below(tmp_path / "dst"), files_below(tmp_path / "fresh")
        assert found == fresh, "Entry.files does not name every file"

    def test_one_key_in_two_splits_is_kept_apart_or_refused(self, tmp_path: Path) -> None:
        src = self.make_source(tmp_path / "src", same_key=True)
        try:
            report = self.convert_to(src, tmp_path / "dst")
        except segfmt.SegfmtError:
            return
        with Journal(tmp_path / "dst") as journal:
            files = [name for entry in journal.entries() for name in entry.files]
        assert len(set(files)) == len(files), "two samples were written to one file"
        assert report.done + report.failed == len(self.splits)

    def test_a_sample_without_an_image_is_written_or_refused(
        self, source: Path, tmp_path: Path
    ) -> None:
        shutil.rmtree(source / "images")
        report = self.convert_to(source, tmp_path / "dst", missing_image="keep")
        assert not [failure for failure in report.failures if failure.traceback], report.failures

    def test_ids_beyond_eight_bits_are_refused(self, tmp_path: Path) -> None:
        far = segfmt.ClassTable(
            [segfmt.ClassInfo(0, "background", role="background"), segfmt.ClassInfo(300, "far")]
        )
        factory = self.record.writer
        assert factory is not None, f"{self.format} has no writer"
        try:
            writer = factory(tmp_path, far, **self.writer_options)
        except segfmt.UsageError:
            return
        beyond = [info for info in writer.classes if info.id > 255]
        assert writer.accepts.polygons or not beyond, f"masks cannot hold {beyond}"

    def test_ignore_stays_apart_from_background_or_is_refused(self, tmp_path: Path) -> None:
        src = self.make_source(tmp_path / "src", ignore=True)
        try:
            report = self.convert_to(src, tmp_path / "dst")
        except segfmt.UsageError as error:
            assert "--ignore-to background" in str(error)
            assert self.convert_to(src, tmp_path / "dst", ignore_to="background").ok
            return
        assert report.ok, report.failures
        self._check_same(src, tmp_path / "dst")

    def test_it_holds_what_it_says(self, source: Path, tmp_path: Path) -> None:
        holds = self.record.holds
        if holds is None:
            pytest.skip("the format does not say what it holds")
        expected = self._classes(ignore=False)
        report = self.convert_to(source, tmp_path / "dst")
        images = [path for path in sorted((source / "images").rglob("*")) if path.is_file()]
        written = set(files_below(tmp_path / "dst").values())
        for image in images if not self.writer_options else ():
            if not holds.image_types or image.suffix in holds.image_types:
                same = hashlib.sha256(image.read_bytes()).hexdigest() in written
                assert same, f"{image.name} is not written as it was, against `image_types`"
        assert len(report.splits) == 1 or holds.splits, "`splits` are held, but not declared"
        if self.record.reader is None:
            return
        found = self.open(tmp_path / "dst").classes
        for info in expected:
            other = _class(found, info)
            if other is not None and info.role == "class":
                assert not holds.class_ids or other.id == info.id, "`class_ids` are not kept"
                assert not holds.colors or other.color == info.color, "`colors` are not kept"
        if holds.ignore:
            src = self.make_source(tmp_path / "ignoring", ignore=True)
            self.convert_to(src, tmp_path / "ignored")
            assert self.open(tmp_path / "ignored").classes.ignore, "`ignore` is not kept"

    def test_what_is_written_reads_back_as_it_was(self, source: Path, tmp_path: Path) -> None:
        self.convert_to(source, tmp_path / "dst")
        self._check_same(source, tmp_path / "dst")

    def _check_same(self, src: Path, dst: Path) -> None:
        if self.record.reader is None:
            pytest.skip("the format is not read")
        expected, found = segfmt.open_dataset(src, "folder"), self.open(dst)
        lost = [info.name for info in expected.classes if _class(found.classes, info) is None]
        assert not lost, f"classes {lost} are not read back"
        same = self._samples(found, expected.classes) == self._samples(expected, expected.classes)
        assert same, "splits, keys or masks are not read back as they were"

    def _samples(
        self, dataset: segfmt.Dataset, classes: segfmt.ClassTable
    ) -> list[tuple[str, str, tuple[int, int], str]]:
        """Return split, key, shape and hash of all masks under the ids of `classes`."""
        lut = np.full(256, 254, np.uint8)  # which no class of the kit's has
        for info in dataset.classes:
            same = _class(classes, info)
            if same is not None:
                lut[info.id] = same.id
        return sorted(
            (
                sample.ref.split,
                sample.ref.key if self.keeps_keys else "",
                sample.shape,
                hashlib.sha256(lut[_painted(sample, dataset.classes)].tobytes()).hexdigest(),
            )
            for sample in dataset
        )


def _class(classes: segfmt.ClassTable, info: segfmt.ClassInfo) -> segfmt.ClassInfo | None:
    by_role = {"background": classes.background, "ignore": classes.ignore}
    return by_role[info.role] if info.role in by_role else classes.get(info.name)


def _painted(sample: segfmt.Sample, classes: segfmt.ClassTable) -> npt.NDArray[np.uint8]:
    if isinstance(sample.label, segfmt.Mask):
        return sample.label.ids
    rest = classes.background or classes.ignore
    assert rest is not None, "the class table has neither background nor ignore"
    return segfmt.rasterize(sample.label, sample.shape, background=rest.id)


def _make_backwards(workers: int) -> Callable[..., Iterator[Any]]:  # noqa: ARG001
    return lambda fn, items: map(fn, list(items)[::-1])
