"""Convert semantic-segmentation datasets between formats, exactly and fast.

>>> import segfmt
>>> polygons = segfmt.Polygons.from_rings([[[(1, 1), (3, 1), (3, 3)]]], [1])
>>> segfmt.rasterize(polygons, (5, 5)).sum()
np.uint64(6)
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# Names load on first use: `segfmt --help` must not wait for numpy, nor `import segfmt` for Pillow.
_HOMES = {
    "checking": ("check",),
    "classes": ("ClassInfo", "ClassTable", "normal_name"),
    "colors": ("color_indices", "index_colors", "load_color_mask", "write_color_mask"),
    "comparison": ("Comparison", "compare"),
    "convert": ("convert",),
    "dataset": ("Dataset", "open_dataset"),
    "errors": (
        "ExecutorError",
        "FormatError",
        "PluginError",
        "SegfmtError",
        "UsageError",
        "did_you_mean",
    ),
    "files": ("atomic_write", "check_key", "nfc", "replacing", "walk"),
    "findings": ("Finding", "Findings"),
    "format": ("Accepts", "Entry", "Executor", "Format", "Holds"),
    "hookspecs": ("hookimpl",),
    "htmlreport": ("html_report", "write_html"),
    "imagefile": (
        "IMAGE_SUFFIXES",
        "Placement",
        "image_size",
        "place_image",
        "read_colors",
        "read_mask",
        "read_mask16",
        "stored_orientation",
        "write_colors",
        "write_mask",
        "write_mask16",
    ),
    "inspection": ("Inspection", "inspect"),
    "jsonfile": ("decode_text", "load_json", "parse_flat_rings", "parse_rings"),
    "listed": ("check_apart", "mask_sample"),
    "lists": ("read_list",),
    "model": ("Mask", "Note", "Polygons", "Sample", "SampleRef"),
    "pairing": ("ImageIndex", "place_of"),
    "places": ("is_stored", "mapped"),
    "plugins": ("formats",),
    "png": ("encode_png",),
    "preview": ("Preview", "preview"),
    "raster": ("check_shape", "rasterize", "rasterize_instances", "trace"),
    "report": ("Done", "Failed", "Report", "Skipped"),
    "tables": ("read_table", "table_named", "voc_colors"),
    "verification": ("Verification", "verify"),
    "rle": ("encode_rle", "paint_rle"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}
__all__ = [
    "IMAGE_SUFFIXES",
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

if TYPE_CHECKING:
    from segfmt.checking import check
    from segfmt.classes import ClassInfo, ClassTable, normal_name
    from segfmt.colors import color_indices, index_colors, load_color_mask, write_color_mask
    from segfmt.comparison import Comparison, compare
    from segfmt.convert import convert
    from segfmt.dataset import Dataset, open_dataset
    from segfmt.errors import (
        ExecutorError,
        FormatError,
        PluginError,
        SegfmtError,
        UsageError,
        did_you_mean,
    )
    from segfmt.files import atomic_write, check_key, nfc, replacing, walk
    from segfmt.findings import Finding, Findings
    from segfmt.format import Accepts, Entry, Executor, Format, Holds
    from segfmt.hookspecs import hookimpl
    from segfmt.htmlreport import html_report, write_html
    from segfmt.imagefile import (
        IMAGE_SUFFIXES,
        Placement,
        image_size,
        place_image,
        read_colors,
        read_mask,
        read_mask16,
        stored_orientation,
        write_colors,
        write_mask,
        write_mask16,
    )
    from segfmt.inspection import Inspection, inspect
    from segfmt.jsonfile import decode_text, load_json, parse_flat_rings, parse_rings
    from segfmt.listed import check_apart, mask_sample
    from segfmt.lists import read_list
    from segfmt.model import Mask, Note, Polygons, Sample, SampleRef
    from segfmt.pairing import ImageIndex, place_of
    from segfmt.places import is_stored, mapped
    from segfmt.plugins import formats
    from segfmt.png import encode_png
    from segfmt.preview import Preview, preview
    from segfmt.raster import check_shape, rasterize, rasterize_instances, trace
    from segfmt.report import Done, Failed, Report, Skipped
    from segfmt.rle import encode_rle, paint_rle
    from segfmt.tables import read_table, table_named, voc_colors
    from segfmt.verification import Verification, verify


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'segfmt' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"segfmt.{_HOME_OF[name]}"), name)
    globals()[name] = value  # asked once
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """The package itself, in which `convert` and `formats` stay the functions.

    Importing a submodule sets it as an attribute of its package, which would put the modules of
    those names in the functions' place.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOME_OF and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
