"""Numbers in words, as summaries and pages give them."""

from __future__ import annotations


def many(count: int, what: str) -> str:
    """Return `1 sample`, `2,975 samples`."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def percent(share: float) -> str:
    """Return a share as a percentage in which no difference is rounded away.

    >>> percent(0.25), percent(0), percent(1), percent(1e-9), percent(0.99999999)
    ('25.00 %', '0 %', '100 %', '< 0.01 %', '> 99.99 %')
    """
    if share in (0, 1):
        return f"{share:.0%}".replace("%", " %")
    if share < 0.0001:
        return "< 0.01 %"
    return "> 99.99 %" if share > 0.9999 else f"{share:.2%}".replace("%", " %")
