"""The hooks through which formats and executors reach segfmt."""

from __future__ import annotations

from collections.abc import Sequence

import pluggy

from segfmt.format import Executor, Format

hookspec = pluggy.HookspecMarker("segfmt")
hookimpl = pluggy.HookimplMarker("segfmt")


@hookspec
def segfmt_formats() -> Sequence[Format]:
    """Return the formats that this plug-in brings."""
    return ()


@hookspec
def segfmt_executors() -> Sequence[Executor]:
    """Return the executors that this plug-in brings."""
    return ()
