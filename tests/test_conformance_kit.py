"""The conformance kit finds what it is there to find: every test of it fails for some fault."""

import inspect
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import broken_formats as broken
import segfmt
from aihub_files import write_image
from segfmt import Format, Holds, plugins
from segfmt.formats.folder import FolderReader, FolderWriter, detect
from segfmt.testing import FormatConformance
from test_conformance import MASK

FAULTS = [
    ("the_record_is_fit", {"summary": ""}, "say in a line"),
    ("the_record_is_fit", {"summary": "x" * 61}, "does not fit a line"),
    ("every_option", {"reader": broken.helpless}, "depth: annotate it"),
    ("every_option", {"reader": broken.demanding}, "depth: no default"),
    ("scan_gives_the_same", {"reader": broken.Reordering}, "another each time"),
    ("scan_does_not_go_by", {"reader": broken.DiskOrdered}, "the order of the disk"),
    ("scan_reads_no_image", {"reader": broken.Peeking}, "is an empty file"),
    ("reader_and_refs_go", {"reader": broken.Heavy}, "a ref must be light"),
    ("keys_are_safe", {"reader": broken.Climbing}, "no safe name"),
    ("keys_are_safe", {"reader": broken.Repeating}, "several samples have one key"),
    ("labels_fit", {"reader": broken.WrongIds}, "are in no class table"),
    ("labels_fit", {"reader": broken.Transposing}, "the mask is"),
    ("a_corrupt_file", {"reader": broken.Mute}, "nothing was said"),
    ("a_corrupt_file", {"reader": broken.Nameless}, "do not name"),
    ("an_empty_folder", {"reader": broken.Phantom}, "samples in an empty folder"),
    ("samples_convert", {"reader": broken.Littering}, "reading changed the source"),
    ("an_archive_is_read", {"reader": broken.OfThisDisk}, "NotADirectoryError"),
    ("names_are_the_same", {"reader": broken.Decomposing}, "keys must be NFC"),
    ("names_are_the_same", {"reader": broken.Literal}, "others in NFD"),
    ("auto_knows", {"detect": broken.eager}, "claims an empty folder"),
    ("auto_knows", {"detect": broken.blind}, "does not know"),
    ("every_sample_is_written", {"writer": broken.Straying}, "written outside"),
    ("a_url_is_written", {"writer": broken.Local}, "no attribute 'mkdir'"),
    ("no_unfinished_file", {"writer": broken.Untidy}, "unfinished files are left"),
    ("executors_and_order", {"writer": broken.Appending}, "the order of samples shows"),
    ("executors_and_order", {"writer": broken.ByThread}, "threads differ from serial"),
    ("a_sample_that_fails", {"writer": broken.MaskFirst}, "something is left"),
    ("entries_name_all_files", {"writer": broken.Unlisted}, "does not name every file"),
    ("one_key_in_two_splits", {"writer": broken.OnePlace}, "to one file"),
    ("a_sample_without_an_image", {"writer": broken.OnePlace}, "NoneType"),
    ("ids_beyond_eight_bits", {"writer": broken.AnyId}, "masks cannot hold"),
    ("ignore_stays_apart", {"writer": broken.Merging}, "not read back as they were"),
    ("it_holds", {"holds": Holds(class_ids=True)}, "`splits` are held, but not declared"),
    ("it_holds", {"holds": Holds(splits=True), "writer": broken.Transcoding}, "image_types"),
    ("what_is_written", {"writer": broken.Lossy}, "not read back as they were"),
    ("what_is_written", {"writer": broken.Renaming}, "not read back as they were"),
    ("what_is_written", {"writer": broken.Forgetful}, "are not read back"),
]


class Kit(FormatConformance):
    format = "broken"

    def make(self, root: Path, name: str) -> None:
        for split in ("train", "val"):
            write_image(root / "images" / split / f"{name}.jpg")
            segfmt.write_mask(root / "masks" / split / f"{name}.png", MASK)
            segfmt.write_mask(root / "masks" / split / f"{name}_2.png", MASK)


def kit_tests() -> list[str]:
    return [name.removeprefix("test_") for name in dir(Kit) if name.startswith("test_")]


@pytest.mark.parametrize(("test", "fault", "reason"), FAULTS)
def test_a_fault_is_found(
    test: str,
    fault: dict[str, Any],
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = Format("broken", "a format with a fault", FolderReader, FolderWriter, detect)
    host = plugins.host()
    formats = {**host.formats, "broken": replace(whole, **fault)}
    del formats["folder" if test == "auto_knows" else "voc"]  # which the kit reads and writes
    monkeypatch.setattr(plugins, "host", lambda: replace(host, formats=formats))
    (name,) = [name for name in kit_tests() if name.startswith(test)]
    kit, work = Kit(), tmp_path / "work"
    (work / "made").mkdir(parents=True)
    given: dict[str, Any] = {"tmp_path": work, "monkeypatch": monkeypatch, "which": "images"}
    check = getattr(kit, f"test_{name}")
    if "made" in inspect.signature(check).parameters:
        kit.make(work / "made", "frame_1")
        given["made"] = work / "made"
    else:
        (work / "made").rmdir()
    if "source" in inspect.signature(check).parameters:
        given["source"] = kit.make_source(work / "src")
    wanted = {key: given[key] for key in inspect.signature(check).parameters}
    with pytest.raises((AssertionError, segfmt.FormatError), match=reason):
        check(**wanted)


def test_every_test_of_the_kit_has_its_fault() -> None:
    assert all(any(name.startswith(test) for test, _, _ in FAULTS) for name in kit_tests())
