"""`config_v*.json`, which says what the labels of a version are."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

import segfmt

UNLABELED = "void--unlabeled"


class Label(msgspec.Struct):
    """One label; its place in the list is its id."""

    name: str
    color: tuple[int, int, int]
    readable: str = ""
    instances: bool = False
    evaluate: bool = True


class Config(msgspec.Struct):
    """A config file; whatever else is in it is skipped."""

    labels: list[Label]


CONFIG = msgspec.json.Decoder(Config)


@dataclass(frozen=True, eq=False)
class Labels:
    """The labels of a version.

    Attributes
    ----------
    classes
        One for each label that is read as itself.
    becomes
        uint8 (256,): the id that each label is read as.
    counted
        bool (256,): whether objects of a label are told apart.
    """

    classes: segfmt.ClassTable
    becomes: npt.NDArray[np.uint8]
    counted: npt.NDArray[np.bool_]


def read_labels(path: Path, *, unevaluated_as_ignore: bool) -> Labels:
    """Read a config file; `FormatError` if it is none.

    `readable` names a class, such as "Road", unless several labels have it, and `name`, such as
    `construction--flat--road`, is its alias. `void--unlabeled` is ignore, and so become the other
    labels that are not evaluated, if asked for.
    """
    labels = segfmt.load_json(path, CONFIG)[0].labels
    if len(labels) > 256:
        raise segfmt.FormatError(f"has {len(labels)} labels, and masks have 8 bits", path=path)
    counts = Counter(segfmt.normal_name(label.readable) for label in labels)
    kept, left_out = [], []
    try:
        for id, label in enumerate(labels):
            if unevaluated_as_ignore and not label.evaluate and label.name != UNLABELED:
                left_out.append(id)
                continue
            folded = segfmt.normal_name(label.readable)
            name = label.readable if folded and counts[folded] == 1 else label.name
            info = segfmt.ClassInfo(id, name, label.color, aliases=(label.name,))
            kept.append(replace(info, role="ignore") if label.name == UNLABELED else info)
        table = segfmt.ClassTable(kept)
        table = table.with_ignore() if left_out else table
    except ValueError as error:
        raise segfmt.FormatError(f"is no table of labels: {error}", path=path) from error
    becomes = np.arange(256, dtype=np.uint8)
    if left_out and table.ignore:
        becomes[left_out] = table.ignore.id
    counted = np.zeros(256, bool)
    counted[[id for id, label in enumerate(labels) if label.instances and id not in left_out]] = 1
    return Labels(table, becomes, counted)
