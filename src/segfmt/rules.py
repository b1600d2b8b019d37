"""What `check` looks for: a table of rules, as a linter's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from segfmt.errors import UsageError, did_you_mean

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that can be wrong.

    Attributes
    ----------
    code
        `SF` and three digits; the first is the group that `--select` and `--ignore` may name.
    severity
        `error`: a sample cannot be used, or would be trained on as what it is not. `warning`:
        probably not meant. `info`: nothing wrong by itself.
    title
        What is wrong, in a few words.
    mend
        What to do about it.
    """

    code: str
    severity: Severity
    title: str
    mend: str


_RULES = (
    Rule("SF101", "warning", "image without a label", "Label it, or remove it."),
    Rule("SF102", "error", "label without an image", "Add the image, or remove the label."),
    Rule("SF103", "error", "broken JSON", "Mend the file at the place that is named."),
    Rule("SF104", "error", "text in no known encoding", "Save it as UTF-8."),
    Rule("SF105", "warning", "text not in plain UTF-8", "Save it as UTF-8, without a mark."),
    Rule("SF106", "warning", "not JSON, but read", "Write numbers, or null, in its place."),
    Rule("SF107", "error", "empty file", "Get the file again: it may not have been copied whole."),
    Rule("SF108", "error", "image that does not decode", "Get the file again: it is damaged."),
    Rule("SF109", "warning", "image of another type than its name says", "Rename it."),
    Rule(
        "SF110", "warning", "image that viewers turn", "Turn the pixels, and remove the EXIF tag."
    ),
    Rule("SF111", "error", "image and label of different size", "Find the image that was labeled."),
    Rule("SF112", "error", "two samples of one name", "Rename one."),
    Rule("SF198", "error", "sample that cannot be read", "Mend what is named, or remove it."),
    Rule("SF199", "info", "noted by the reader", "Look whether that is meant."),
    Rule("SF201", "error", "label that is no class", "Give the classes by --table."),
    Rule("SF202", "error", "label that is nearly a class", "Mend the spelling."),
    Rule("SF203", "warning", "classes of nearly one name", "Make them one, if they are."),
    Rule("SF301", "warning", "polygon of under three points", "Draw it again, or remove it."),
    Rule("SF302", "warning", "polygon without an area", "Draw it again, or remove it."),
    Rule(
        "SF303", "warning", "outline that crosses itself", "Draw it again: its inside is unclear."
    ),
    Rule("SF304", "warning", "polygon outside of the image", "Look whether it is the right image."),
    Rule("SF305", "info", "polygon partly outside of the image", "It is cut off at the border."),
    Rule("SF306", "warning", "polygon drawn twice", "Remove one."),
    Rule(
        "SF307", "warning", "one outline, several classes", "Only the last is seen: remove others."
    ),
    Rule("SF308", "info", "tiny polygon", "Look whether it was a slip of the mouse."),
    Rule("SF309", "error", "coordinate that is no place", "Mend or remove that polygon."),
    Rule("SF401", "error", "JPEG mask", "Get the mask as PNG: a JPEG cannot be mended."),
    Rule("SF402", "error", "id that is no class", "Give the table that the mask was made by."),
    Rule("SF403", "error", "color that is no class", "Give the table that it was colored by."),
    Rule("SF404", "warning", "color of several classes", "Take labels that are no colors."),
    Rule("SF405", "warning", "nothing labeled", "Label it, or remove it."),
    Rule("SF406", "warning", "objects and classes disagree", "Make both from one label."),
    Rule("SF501", "warning", "blank in a file name", "Rename it."),
    Rule("SF502", "warning", "comma in a file name", "Rename it."),
    Rule("SF503", "info", "dot within a file name", "Rename it."),
    Rule("SF504", "warning", "upper-case suffix", "Rename it."),
    Rule("SF505", "info", "file name beyond ASCII", "Rename it, if it is to be read on Windows."),
    Rule("SF506", "warning", "names that differ in case only", "Rename one."),
    Rule("SF507", "warning", "file name in decomposed Unicode", "Rename it in NFC."),
    Rule("SF508", "warning", "file name that Windows refuses", "Rename it."),
    Rule("SF509", "warning", "long path", "Shorten it."),
    Rule("SF510", "warning", "file name that lists take for a comment", "Rename it."),
    Rule("SF511", "error", "name that convert refuses", "Rename it."),
    Rule("SF601", "warning", "the same image twice", "Keep one: --keep-list."),
    Rule("SF602", "warning", "nearly the same image", "Keep one of each group: --keep-list."),
    Rule("SF603", "error", "nearly the same image in several splits", "Keep them in one split."),
)
RULES: Mapping[str, Rule] = {rule.code: rule for rule in _RULES}


def chosen_rules(select: Iterable[str] = (), ignore: Iterable[str] = ()) -> frozenset[str]:
    """Return the codes of the rules that begin with any of `select` and with none of `ignore`.

    All rules, if nothing is selected. A longer prefix counts more, so that `--ignore SF5 --select
    SF501` keeps the one. Raises `UsageError` for a prefix that no rule has.

    >>> sorted(chosen_rules(["SF2"], ["SF203"]))
    ['SF201', 'SF202']
    """
    wanted, left_out = _prefixes("--select", select), _prefixes("--ignore", ignore)
    return frozenset(
        code for code in RULES if _longest(code, wanted or ("SF",)) > _longest(code, left_out)
    )


def _prefixes(flag: str, given: Iterable[str]) -> tuple[str, ...]:
    prefixes = tuple(part.strip().upper() for text in given for part in text.split(","))
    for prefix in prefixes:
        if not prefix or not any(code.startswith(prefix) for code in RULES):
            mend = did_you_mean(prefix, RULES) or "Codes: SF101 and so on, groups: SF1 to SF6."
            raise UsageError(f"{flag} {prefix}: no rule's code begins so. {mend}")
    return prefixes


def _longest(code: str, prefixes: Iterable[str]) -> int:
    return max((len(prefix) for prefix in prefixes if code.startswith(prefix)), default=0)
