"""labelme: the labelme2voc.py of its source distribution, with all switched off that can be.

The script is no part of the package; `environments.py` takes it out of the source distribution.
"""

from __future__ import annotations

import contextlib
import io
import runpy
import sys
from pathlib import Path
from unittest import mock

import imgviz  # noqa: F401 - the script's imports are none of its work
import labelme  # noqa: F401
from measured import measure

SCRIPT = Path(sys.prefix) / "labelme2voc.py"
OFF = ["--noobject", "--nonpy", "--noviz"]


def convert(data: Path, out: Path, variant: str) -> None:  # noqa: ARG001 - there is one
    labels = data / "labelme" / "labels.txt"
    command = [str(SCRIPT), str(data / "labelme"), str(out), "--labels", str(labels), *OFF]
    with mock.patch.object(sys, "argv", command), contextlib.redirect_stdout(io.StringIO()):
        runpy.run_path(str(SCRIPT), run_name="__main__")


if __name__ == "__main__":
    measure(convert, ["labelme", "imgviz", "pillow", "numpy"])
