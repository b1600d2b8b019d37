"""What the tests of several kernels share."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def other_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache for kernels with bounds checks, as numba's own knows no such flag.

    One for the whole run, so that kernels which several tests import are compiled once.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # the run's own; what is above is of this process of it
    return folder / "other-cache"
