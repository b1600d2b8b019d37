"""The names that plug-ins and scripts may count on."""

import subprocess
import sys

import pytest

import segfmt

PUBLIC = [
    "Accepts",
    "ClassInfo",
    "ClassTable",
    "Comparison",
    "Dataset",
    "Done",
    "Entry",
    "Executor",
    "ExecutorError",
    "Failed",
    "Finding",
    "Findings",
    "Format",
    "FormatError",
    "Holds",
    "IMAGE_SUFFIXES",
    "ImageIndex",
    "Inspection",
    "Mask",
    "Note",
    "Placement",
    "PluginError",
    "Polygons",
    "Preview",
    "Report",
    "Sample",
    "SampleRef",
    "SegfmtError",
    "Skipped",
    "UsageError",
    "Verification",
    "__version__",
    "atomic_write",
    "check",
    "check_apart",
    "check_key",
    "check_shape",
    "color_indices",
    "compare",
    "convert",
    "decode_text",
    "did_you_mean",
    "encode_png",
    "encode_rle",
    "formats",
    "hookimpl",
    "html_report",
    "image_size",
    "index_colors",
    "inspect",
    "is_stored",
    "load_color_mask",
    "load_json",
    "mapped",
    "mask_sample",
    "nfc",
    "normal_name",
    "open_dataset",
    "paint_rle",
    "parse_flat_rings",
    "parse_rings",
    "place_image",
    "place_of",
    "preview",
    "rasterize",
    "rasterize_instances",
    "read_colors",
    "read_list",
    "read_mask",
    "read_mask16",
    "read_table",
    "replacing",
    "stored_orientation",
    "table_named",
    "trace",
    "verify",
    "voc_colors",
    "walk",
    "write_color_mask",
    "write_colors",
    "write_html",
    "write_mask",
    "write_mask16",
]


def test_the_public_names_are_these() -> None:
    assert sorted(segfmt.__all__) == sorted(PUBLIC)
    assert set(PUBLIC) <= set(dir(segfmt))


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    value = getattr(segfmt, name)
    assert name in ("Placement", "__version__", "hookimpl") or value.__doc__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'fill'"):
        segfmt.fill  # noqa: B018


@pytest.mark.parametrize(
    "code",
    [
        "import segfmt.convert, segfmt.formats.voc; assert callable(segfmt.convert)",
        "from segfmt import convert, formats; import segfmt.convert; assert callable(convert)",
        "import segfmt.formats.voc, segfmt; assert 'voc' in segfmt.formats()",
        "import segfmt, sys; assert not {'numpy', 'numba', 'PIL', 'pluggy'} & set(sys.modules)",
    ],
)
def test_names_stay_what_they_are_whatever_is_imported(code: str) -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_errors_are_one_family() -> None:
    for error in ("UsageError", "PluginError", "FormatError", "ExecutorError"):
        assert issubclass(getattr(segfmt, error), segfmt.SegfmtError)
