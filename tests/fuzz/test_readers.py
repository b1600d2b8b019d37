"""Every reader on damaged datasets, for a fixed time each: see `trials`.

The inputs of a run are those of its seed, as many as there was time for. SEGFMT_FUZZ_SECONDS, for
each dataset, and SEGFMT_FUZZ_SEED choose others; what made a fault is kept with the test's files.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import segfmt
from fuzz.trials import MEMORY

SECONDS = 0.4  # a dataset; there are some thirty
LONG = 60.0
TESTS = Path(__file__).parents[1]


def run(folder: Path, seconds: float, *names: str) -> list[dict[str, Any]]:
    """Fuzz in a process of its own, as what is asked of it is taken from it for good."""
    seed = os.environ.get("SEGFMT_FUZZ_SEED", "0")
    command = [sys.executable, "-m", "fuzz.trials", str(folder), str(seconds), seed, *names]
    result = subprocess.run(command, cwd=TESTS, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def check(lines: list[dict[str, Any]], tried: dict[str, int]) -> None:
    *found, last = lines
    for name, reason in last["none"].items():
        print(f"{name} is not tried: it {reason}")
    formats = {name for name, record in segfmt.formats().items() if record.reader}
    assert formats - last["none"].keys() <= {line["format"] for line in found}
    faults = [f"{line['name']}: {fault}" for line in found for fault in line["faults"]]
    assert not faults, "\n\n".join(faults)
    for line in found:
        tried[line["name"]] = line["tried"]
        assert line["tried"] > 0
        assert line["peak_mb"] < MEMORY >> 20


def test_readers_work_or_say_what_is_wrong(tmp_path: Path, tried: dict[str, int]) -> None:
    check(run(tmp_path, SECONDS), tried)


@pytest.mark.slow
def test_readers_for_long(tmp_path: Path, tried: dict[str, int]) -> None:
    check(run(tmp_path, float(os.environ.get("SEGFMT_FUZZ_SECONDS", LONG))), tried)


FAULTS = {
    "raise KeyError('a')": "KeyError",
    "import time; time.sleep(60)": "took too long",
    "while True: pass": "took too long",
    "bytearray(4 << 30)": "MemoryError",
    "open('/tmp/segfmt-fuzz', 'w').close()": "did what it may not: .*segfmt-fuzz",
    "os.symlink('a', '/tmp/segfmt-fuzz-link')": "did what it may not: .*segfmt-fuzz-link",
    "import subprocess; subprocess.run(['true'])": "did what it may not: .*subprocess.Popen",
    "import pickle; pickle.loads(pickle.dumps(os.system))": "did what it may not: .*pickle",
    "(self.root.parent / 'x').mkdir()": "left something outside",
    "raise segfmt.FormatError('')": "an error without a word",
    "pass": "^$",
}
NOTICED = """
import json, os, shutil, sys
from pathlib import Path
import segfmt
from fuzz import trials
from fuzz.seeds import by_hand
from segfmt.formats.folder import FolderReader

seed = next(seed for seed in by_hand() if seed.format == "folder")
trials.CPU_SECONDS, trials.WAIT_SECONDS = 0.5, 2
trials.confine()
folder = Path(sys.argv[1])
guard = trials.Guard(folder)
found = {}
for number, code in enumerate(json.loads(sys.argv[2])):
    work = folder / str(number)
    (work / trials.OUTSIDE).mkdir(parents=True)
    (work / trials.OUTSIDE / "x").write_bytes(trials.CONTENT)
    names = {"os": os, "segfmt": segfmt}
    FolderReader.scan = lambda self: exec(code, names | {"self": self}) or iter(())
    found[code] = trials.attempt(work, seed, dict(seed.files), guard, whole=False)
print(json.dumps(found))
"""


def test_the_fuzz_notices_what_it_looks_for(tmp_path: Path) -> None:
    command = [sys.executable, "-c", NOTICED, str(tmp_path), json.dumps(list(FAULTS))]
    result = subprocess.run(command, cwd=TESTS, capture_output=True, text=True, check=False)
    for name in ("segfmt-fuzz", "segfmt-fuzz-link"):
        Path("/tmp", name).unlink(missing_ok=True)
    found = json.loads(result.stdout or "{}")
    for code, expected in FAULTS.items():
        assert re.search(expected, found[code], re.DOTALL), (code, found[code], result.stderr)
