"""`segfmt warmup`."""

from __future__ import annotations


def warmup() -> None:
    """Compile the kernels now, so that no conversion has to wait for it."""
    from segfmt import warmup as compiling
    from segfmt.cli.output import say_compiling

    say_compiling()
    names = compiling.compile_missing()
    print(f"Compiled {', '.join(names)}." if names else "Every kernel is compiled already.")
