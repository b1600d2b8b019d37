"""How much was fuzzed goes into a test's report, and from there into the summary of the run."""

import pytest


@pytest.fixture
def tried(request: pytest.FixtureRequest) -> dict[str, int]:
    """Return how many inputs each dataset was tried on, to be filled in."""
    counts: dict[str, int] = {}
    request.node.user_properties.append(("tried", counts))
    return counts
