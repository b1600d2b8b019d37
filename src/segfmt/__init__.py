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
    "classes": ("ClassInfo", "ClassTable"),
    "colors": ("color_indices", "index_colors"),
    "convert": ("convert",),
    "dataset": ("Dataset", "open_dataset"),
    "errors": ("ExecutorError", "FormatError", "PluginError", "SegfmtError", "UsageError"),
    "files": ("atomic_write", "nfc", "walk"),
    "format": ("Accepts", "Entry", "Executor", "Format"),
    "hookspecs": ("hookimpl",),
    "imagefile": ("Placement", "image_size", "place_image", "read_mask", "write_mask"),
    "model": ("Mask", "Note", "Polygons", "Sample", "SampleRef"),
    "plugins": ("formats",),
    "png": ("encode_png",),
    "raster": ("rasterize", "trace"),
    "report": ("Done", "Failed", "Report", "Skipped"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}
__all__ = [
    "Accepts",
    "ClassInfo",
    "ClassTable",
    "Dataset",
    "Done",
    "Entry",
    "Executor",
    "ExecutorError",
    "Failed",
    "Format",
    "FormatError",
    "Mask",
    "Note",
    "Placement",
    "PluginError",
    "Polygons",
    "Report",
    "Sample",
    "SampleRef",
    "SegfmtError",
    "Skipped",
    "UsageError",
    "__version__",
    "atomic_write",
    "color_indices",
    "convert",
    "encode_png",
    "formats",
    "hookimpl",
    "image_size",
    "index_colors",
    "nfc",
    "open_dataset",
    "place_image",
    "rasterize",
    "read_mask",
    "trace",
    "walk",
    "write_mask",
]

if TYPE_CHECKING:
    from segfmt.classes import ClassInfo, ClassTable
    from segfmt.colors import color_indices, index_colors
    from segfmt.convert import convert
    from segfmt.dataset import Dataset, open_dataset
    from segfmt.errors import (
        ExecutorError,
        FormatError,
        PluginError,
        SegfmtError,
        UsageError,
    )
    from segfmt.files import atomic_write, nfc, walk
    from segfmt.format import Accepts, Entry, Executor, Format
    from segfmt.hookspecs import hookimpl
    from segfmt.imagefile import Placement, image_size, place_image, read_mask, write_mask
    from segfmt.model import Mask, Note, Polygons, Sample, SampleRef
    from segfmt.plugins import formats
    from segfmt.png import encode_png
    from segfmt.raster import rasterize, trace
    from segfmt.report import Done, Failed, Report, Skipped


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
