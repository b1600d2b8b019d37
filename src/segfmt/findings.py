"""What `check` found: findings, their tally by rule, and all of them as a file."""

from __future__ import annotations

import csv
from bisect import insort
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from segfmt.errors import UsageError
from segfmt.files import readable, replacing
from segfmt.listing import Sorted
from segfmt.rules import RULES, SEVERITIES, Severity

EXAMPLES = 10  # of each rule
COLUMNS = ("code", "severity", "split", "key", "file", "where", "problem", "mend", "count")


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong.

    Attributes
    ----------
    code
        Of the rule.
    file
        POSIX path below the dataset's folder, or the sample's key where no file is to blame.
    where
        The place in it, such as `line 3, column 7` or `polygon 2`.
    problem
        What is wrong there, in one sentence without a full stop.
    mend
        What to do about this one; empty where the rule's own says it all.
    count
        How many times it is wrong there.
    """

    code: str
    problem: str
    split: str = ""
    key: str = ""
    file: str = ""
    where: str = ""
    mend: str = ""
    count: int = 1


@dataclass(slots=True)
class RuleTally:
    """How often a rule was broken, in how many samples, and its first findings in order."""

    severity: Severity
    title: str
    mend: str
    count: int = 0
    samples: int = 0
    examples: list[Finding] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Group:
    """An image and those that are nearly the same; `first` is the sample that a keep-list keeps.

    `count` is how many there are, `splits` how many of them are in each split.
    """

    first: str
    last: str
    count: int
    splits: dict[str, int]


@dataclass(frozen=True, slots=True)
class Findings:
    """What `check` found; JSON-able.

    Attributes
    ----------
    total, samples
        How many samples the source lists, and how many were looked at.
    images
        How many images were compared for duplicates.
    rules
        By code, those that were broken.
    groups
        The largest 1,000 groups of images that are nearly the same.
    duplicates
        How many images are in any such group and not its first.
    """

    source: str
    format: str
    version: str
    total: int
    samples: int
    images: int
    rules: dict[str, RuleTally]
    groups: tuple[Group, ...]
    duplicates: int
    warnings: list[str]
    seconds: float

    def count(self, severity: Severity) -> int:
        """Return how many findings are of that severity."""
        return sum(tally.count for tally in self.rules.values() if tally.severity == severity)

    def ok(self, *, strict: bool = False) -> bool:
        """Whether there is no error, and, if `strict`, no warning."""
        return not self.count("error") and not (strict and self.count("warning"))

    def to_json(self) -> bytes:
        """Return it as indented UTF-8 JSON."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"


class Collector:
    """Takes findings in any order, and keeps what a summary and a file need."""

    def __init__(self, codes: frozenset[str], *, keep_all: bool) -> None:
        """Begin; only findings of these codes count. `keep_all` if `all` is to be asked for."""
        self._codes = codes
        self._tallies: dict[str, RuleTally] = {}
        self._examples: dict[str, list[tuple[int, int, Finding]]] = {}
        self._all: Sorted[Finding] | None = Sorted(None) if keep_all else None
        self._once: set[int] = set()

    def add(self, place: int, findings: Iterable[Finding]) -> None:
        """Take in what is wrong with the sample at a place of the list."""
        counted: set[str] = set()
        for number, raw in enumerate(findings):
            if raw.code not in self._codes or (raw.code == "SF105" and self._is_known(raw)):
                continue
            found = _printable(raw)
            rule = RULES[found.code]
            tally = self._tallies.setdefault(
                found.code, RuleTally(rule.severity, rule.title, rule.mend)
            )
            tally.count += found.count
            if found.code not in counted:
                counted.add(found.code)
                tally.samples += 1
            examples = self._examples.setdefault(found.code, [])
            insort(examples, (place, number, found))
            del examples[EXAMPLES:]
            if self._all is not None:
                self._all.add((f"{place:012}", found.code, f"{number:09}"), found)

    def tallies(self) -> dict[str, RuleTally]:
        """Return the tally of each rule that was broken: errors first, then by code."""
        for code, tally in self._tallies.items():
            tally.examples = [found for _, _, found in self._examples[code]]
        order = sorted(
            self._tallies, key=lambda code: (SEVERITIES.index(RULES[code].severity), code)
        )
        return {code: self._tallies[code] for code in order}

    def all(self) -> Iterator[Finding]:
        """Yield every finding, in the order of samples, those of no sample last."""
        for _, found in self._all or ():
            yield found

    def close(self) -> None:
        """Let go of what is on disk."""
        if self._all is not None:
            self._all.close()

    def _is_known(self, found: Finding) -> bool:
        """Whether that was said of a file that many samples share."""
        known = hash(found.file)
        if known in self._once:
            return True
        self._once.add(known)
        return False


def check_findings_file(path: Path) -> None:
    """Raise `UsageError` unless the name says how findings are to be written."""
    if path.suffix.lower() not in (".csv", ".jsonl", ".ndjson"):
        raise UsageError(f"--findings {path}: give a name that ends in .csv or .jsonl")


def write_findings(path: Path, findings: Iterable[Finding]) -> None:
    """Write a line a finding: as CSV, or as JSON lines.

    CSV begins with a byte-order mark, without which Excel does not read Korean.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    as_csv = path.suffix.lower() == ".csv"
    encoding = "utf-8-sig" if as_csv else "utf-8"
    with replacing(path) as part, part.open("w", encoding=encoding, newline="") as file:
        if as_csv:
            lines = csv.writer(file, lineterminator="\n")
            lines.writerow(COLUMNS)
            lines.writerows([row[name] for name in COLUMNS] for row in map(_row, findings))
        else:
            file.writelines(msgspec.json.encode(row).decode() + "\n" for row in map(_row, findings))


def _printable(found: Finding) -> Finding:
    texts: dict[str, Any] = {
        name: readable(text) for name, text in asdict(found).items() if isinstance(text, str)
    }
    return replace(found, **texts)


def _row(found: Finding) -> dict[str, str | int]:
    rule = RULES[found.code]
    row = {**asdict(found), "severity": rule.severity, "mend": found.mend or rule.mend}
    return {name: row[name] for name in COLUMNS}
