"""The fuzz's own line in the summary of a test run: a fuzz that tries nothing passes, too."""

import pytest

TRIED: pytest.StashKey[dict[str, int]] = pytest.StashKey()


@pytest.fixture
def tried(request: pytest.FixtureRequest) -> dict[str, int]:
    """Return how many inputs each dataset was tried on, to be filled in."""
    return request.config.stash.setdefault(TRIED, {})


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    counts = config.stash.get(TRIED, {})
    if counts:
        listed = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
        terminalreporter.write_sep("-", "fuzz of the readers")
        terminalreporter.write_line(f"{sum(counts.values())} damaged datasets: {listed}")
