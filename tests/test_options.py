from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import pytest

from segfmt import UsageError
from segfmt.options import checked, options_of


@dataclass(frozen=True)
class Factory:
    root: Path
    level: Annotated[Literal["coarse", "fine"], "which classes"] = "coarse"
    scale: float = 1.0
    last: int = 0
    strict: bool = False


def function(root: Path, *, name: str = "x") -> None: ...


def test_the_signature_is_the_schema() -> None:
    options = options_of(Factory, 1)
    assert list(options) == ["level", "scale", "last", "strict"]
    assert options["level"].choices == "coarse|fine"
    assert options["level"].help == "which classes"
    assert options["level"].default == "coarse"
    assert options["strict"].choices == "true|false"
    assert list(options_of(function, 1)) == ["name"]


def test_values_are_converted_from_text_and_kept_from_python() -> None:
    given = {"level": "fine", "scale": "2.5", "last": "30", "strict": "true"}
    expected = {"level": "fine", "scale": 2.5, "last": 30, "strict": True}
    assert checked("x", "-i", Factory, 1, given) == expected
    assert checked("x", "-i", Factory, 1, expected) == expected


def test_an_unknown_option_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r'reading x has no option -i levle. Did you mean "level"'):
        checked("reading x", "-i", Factory, 1, {"levle": "fine"})
    with pytest.raises(UsageError, match=r"It has: last, level, scale, strict"):
        checked("reading x", "-i", Factory, 1, {"qqq": "fine"})


@pytest.mark.parametrize(("name", "value"), [("level", "finest"), ("last", "3.5"), ("strict", "x")])
def test_a_value_that_does_not_fit_is_refused_with_what_does(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=f"-o {name}={value} does not fit"):
        checked("writing x", "-o", Factory, 1, {name: value})
