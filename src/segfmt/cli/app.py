"""The commands. Nothing heavy is imported before a command runs: `--help` must be instant."""

from __future__ import annotations

import io
import sys
from collections import UserDict
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from segfmt import __version__

if TYPE_CHECKING:
    from typer.core import TyperCommand

EXIT_USAGE = 2
# `segfmt NAME` is the function of that name in the module of that name.
COMMANDS = {
    "convert": "Convert a dataset to another format.",
    "formats": "List the formats, or one format's options.",
    "inspect": "Show what a dataset is: splits, sizes, classes, their shares.",
    "check": "Look for what is wrong with a dataset.",
    "preview": "Draw samples: image, mask in colors, and the one over the other.",
    "compare": "Compare the labels of two datasets, whatever their formats.",
    "report": "Write what a dataset holds as one HTML page.",
    "verify": "Check that a folder still is what convert wrote.",
    "run": "Run a conversion from its recipe.",
    "warmup": "Compile the kernels now, so that no conversion has to wait.",
}


class _OnDemand(UserDict[str, Any]):
    """Commands by name, each imported when it is asked for: all of them cost as much as typer."""

    def __init__(self) -> None:
        super().__init__(dict.fromkeys(COMMANDS))

    def __getitem__(self, name: str) -> TyperCommand:
        if self.data[name] is None:
            alone = typer.Typer(add_completion=False, rich_markup_mode=None)
            alone.command(name)(getattr(import_module(f"segfmt.cli.{name}"), name))
            self.data[name] = typer.main.get_command(alone)
        command: TyperCommand = self.data[name]
        return command


class _Commands(TyperGroup):
    """The list of commands, which is shown without them."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = _OnDemand()

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - typer's own
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


app = typer.Typer(
    name="segfmt",
    cls=_Commands,
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def main() -> NoReturn:
    """Run the command line and exit: 0 all done, 1 some samples failed, 2 it could not begin."""
    debug = "--debug" in sys.argv
    for stream in (sys.stdout, sys.stderr):
        # A name that the terminal cannot show must not end a run.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except Exception as error:
        if debug:
            raise
        from segfmt.cli.output import print_error

        print_error(error)
        sys.exit(EXIT_USAGE)
    sys.exit(0)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"segfmt {__version__}")
        raise typer.Exit


@app.callback()
def segfmt(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_version, is_eager=True),
    ] = False,
) -> None:
    """Convert semantic-segmentation datasets between formats, exactly and fast.

    Begin with: segfmt convert --from aihub --to voc SRC DST
    """
