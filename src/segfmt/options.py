"""Options of formats and executors: a factory's signature is the schema."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec

from segfmt.errors import UsageError, did_you_mean


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a factory; `help` is what its `Annotated[type, help]` says."""

    name: str
    type: Any
    default: Any
    help: str

    @property
    def choices(self) -> str:
        """What may be given, in words that fit a table."""
        if get_origin(self.type) is Literal:
            return "|".join(str(value) for value in get_args(self.type))
        if self.type is bool:
            return "true|false"
        return getattr(self.type, "__name__", str(self.type))


def options_of(factory: Callable[..., Any], leading: int) -> dict[str, Option]:
    """Return the options of a factory: its parameters after the `leading` positional ones."""
    parameters = list(inspect.signature(factory, eval_str=True).parameters.values())[leading:]
    options = {}
    for parameter in parameters:
        hint = str if parameter.annotation is parameter.empty else parameter.annotation
        text = ""
        if get_origin(hint) is Annotated:
            hint, text = get_args(hint)[:2]
        options[parameter.name] = Option(parameter.name, hint, parameter.default, text)
    return options


def checked(
    owner: str, flag: str, factory: Callable[..., Any], leading: int, given: Mapping[str, Any]
) -> dict[str, Any]:
    """Return `given` with every value converted to its option's type.

    `owner` and `flag` are for the message of the `UsageError` that an unknown option, or a value
    that does not fit, gets: such as `format voc` and `-o`. Dashes in names may stand for
    underscores.
    """
    options = options_of(factory, leading)
    values = {}
    for raw_name, value in given.items():
        name = raw_name.replace("-", "_")
        if name not in options:
            known = ", ".join(sorted(options)) or "none"
            mend = did_you_mean(name, options)
            raise UsageError(
                f"{owner} has no option {flag} {raw_name}. {mend or f'It has: {known}.'}"
            )
        try:
            values[name] = msgspec.convert(value, options[name].type, strict=False)
        except msgspec.ValidationError as error:
            choices = options[name].choices
            raise UsageError(
                f"{owner}: {flag} {raw_name}={value} does not fit: give {choices}"
            ) from error
    return values
