"""An environment for each peer, so that their pins do not fight.

`environments/NAME.txt` has all that is installed, in the versions that were measured, and nothing
else is: image-dataset-converter asks for a package of depth images too (pyzfp), which fetches
sources while it is built, and which masks do without.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

FILES = Path(__file__).parent / "environments"
# labelme2voc.py is an example, in the source distribution alone.
EXAMPLES = {"labelme": "examples/semantic_segmentation/labelme2voc.py"}


class MissingPeerError(Exception):
    """A peer cannot be installed here; the message says why."""


def python_of(name: str, folder: Path) -> Path:
    """Return the interpreter of the environment, which is made below `folder` if it is not there.

    Raises `MissingPeerError` if that fails.
    """
    requirements = (FILES / f"{name}.txt").read_text(encoding="ascii")
    environment = folder / f"venv-{name}"
    python = environment / "bin" / "python"
    ready = environment / "ready"
    if ready.is_file() and ready.read_text(encoding="ascii") == requirements:
        return python
    shutil.rmtree(environment, ignore_errors=True)
    print(f"installing {name}", file=sys.stderr, flush=True)
    _run(sys.executable, "-m", "venv", str(environment))
    pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    _run(*pip, "install", "--no-deps", "-r", str(FILES / f"{name}.txt"))
    if name in EXAMPLES:
        version = next(line for line in requirements.split() if line.startswith(f"{name}=="))
        source = ["download", "--no-deps", "--no-binary", name, "--dest", str(environment), version]
        _run(*pip, *source)
        _extract(environment, EXAMPLES[name])
    ready.write_text(requirements, encoding="ascii")
    return python


def _extract(environment: Path, example: str) -> None:
    archive = next(environment.glob("*.tar.gz"))
    with tarfile.open(archive) as files:
        member = files.extractfile(f"{archive.name.removesuffix('.tar.gz')}/{example}")
        assert member is not None
        (environment / Path(example).name).write_bytes(member.read())


def _run(*command: str) -> None:
    result = subprocess.run(command, check=False, capture_output=True, text=True)
    if result.returncode:
        lines = [line for line in result.stderr.splitlines() if line.lower().startswith("error")]
        raise MissingPeerError((lines or [f"{command[0]} ended with {result.returncode}"])[-1])
