"""What `make demo` runs: makes a small AIHub dataset with faults, converts it, shows the result."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from contact_sheet import contact_sheet, listed
from make_dataset import make_dataset


def main(folder: Path) -> None:
    """Make, convert, show; everything lands in `folder`."""
    source, target, sheet = folder / "aihub", folder / "voc", folder / "contact_sheet.png"
    print(f"Making a small AIHub dataset, faults included: {source}")
    make_dataset(source)
    command = ["segfmt", "convert", "--from", "aihub", "--to", "voc", str(source), str(target)]
    print(f"\n$ {' '.join(command)}", flush=True)
    run = subprocess.run(
        [sys.executable, "-m", *command, *(["--overwrite"] if target.exists() else [])], check=False
    )
    # Status 1 says that samples failed, and some are broken on purpose.
    if run.returncode != 1:
        sys.exit(f"segfmt ended with status {run.returncode}, not 1: the faults were not seen")
    base = target / "VOCdevkit" / "VOC2012"
    contact_sheet(base, listed(base, 4)).save(sheet)
    print(f"\nThe faults were put there on purpose. Now look at {sheet}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
