"""The command line: the only place that prints or exits."""

from segfmt.cli.app import main

__all__ = ["main"]
