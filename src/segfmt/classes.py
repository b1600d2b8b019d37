"""Classes of a dataset: ids, names, colors and what role each one plays."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import msgspec

from segfmt.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np
    import numpy.typing as npt

Color = tuple[int, int, int]
Role = Literal["class", "background", "ignore"]
MAX_ID = 65535


def normal_name(name: str) -> str:
    """Fold a class name for comparison: NFC, no case, no white space.

    Korean names arrive decomposed from macOS and spaced at will: `소형 시설` is `소형시설`.

    >>> normal_name("Traffic Light") == normal_name("traffic  light") == "trafficlight"
    True
    """
    return "".join(unicodedata.normalize("NFC", name).casefold().split())


@dataclass(frozen=True, slots=True)
class ClassInfo:
    """One class: its id in masks, its name, its color as (red, green, blue), its role.

    `background` is what no label covers; `ignore` is what training and evaluation leave out. Other
    spellings under which sources write the name go into `aliases`.
    """

    id: int
    name: str
    color: Color = (0, 0, 0)
    role: Role = "class"
    aliases: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.id <= MAX_ID:
            raise ValueError(f'class "{self.name}": id {self.id} is not within 0..{MAX_ID}')
        if not normal_name(self.name):
            raise ValueError(f"class {self.id} has no name")
        if len(self.color) != 3 or not all(0 <= part <= 255 for part in self.color):
            raise ValueError(f'class "{self.name}": color {self.color} is not three of 0..255')
        if self.role not in get_args(Role):
            raise ValueError(f'class "{self.name}": no role "{self.role}"')


class ClassTable:
    """The classes of a dataset, in order; immutable.

    Names are compared in NFC, without case or white space, aliases included. Ids and names are
    unique, and at most one class each is background and ignore; colors need not be unique:
    `shared_colors` tells which several classes have.

    >>> table = ClassTable([ClassInfo(0, "nothing", role="background"), ClassInfo(1, "road")])
    >>> table.by_name("Road").id, table.by_id(0).name, "road" in table, len(table)
    (1, 'nothing', True, 2)
    """

    __slots__ = ("_by_id", "_by_name", "_classes")

    def __init__(self, classes: Iterable[ClassInfo]) -> None:
        self._classes = tuple(classes)
        self._by_id: dict[int, ClassInfo] = {}
        self._by_name: dict[str, ClassInfo] = {}
        for info in self._classes:
            if info.id in self._by_id:
                other = self._by_id[info.id]
                raise ValueError(f'"{other.name}" and "{info.name}" share the id {info.id}')
            self._by_id[info.id] = info
            for name in (info.name, *info.aliases):
                other = self._by_name.setdefault(normal_name(name), info)
                if other is not info:
                    raise ValueError(f'"{info.name}" and "{other.name}" share the name "{name}"')
        # Names as they are spelt come in too: folding one costs ten look-ups, and labels are many.
        for info in self._classes:
            self._by_name.update(dict.fromkeys((info.name, *info.aliases), info))
        for role in ("background", "ignore"):
            names = [info.name for info in self._classes if info.role == role]
            if len(names) > 1:
                raise ValueError(f"only one class can be {role}, not {len(names)}: {names}")

    def __iter__(self) -> Iterator[ClassInfo]:
        return iter(self._classes)

    def __len__(self) -> int:
        return len(self._classes)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ClassTable) and self._classes == other._classes

    def __hash__(self) -> int:
        return hash(self._classes)

    def __repr__(self) -> str:
        names = ", ".join(f"{info.id}={info.name}" for info in self._classes[:4])
        return f"<ClassTable of {len(self)}: {names}{', ...' if len(self) > 4 else ''}>"

    def get(self, name: str) -> ClassInfo | None:
        """Return the class of that name or alias, or None."""
        return self._by_name.get(name) or self._by_name.get(normal_name(name))

    def by_name(self, name: str) -> ClassInfo:
        """Return the class of that name or alias; `KeyError` if there is none."""
        info = self.get(name)
        if info is None:
            raise KeyError(name)
        return info

    def by_id(self, id: int) -> ClassInfo:
        """Return the class of that id; `KeyError` if there is none."""
        return self._by_id[id]

    @property
    def background(self) -> ClassInfo | None:
        """The class of what no label covers."""
        return next((info for info in self._classes if info.role == "background"), None)

    @property
    def ignore(self) -> ClassInfo | None:
        """The class that training and evaluation leave out."""
        return next((info for info in self._classes if info.role == "ignore"), None)

    def with_ignore(self) -> ClassTable:
        """Return the table with an ignore class: its own, or 255 in the color VOC uses for void.

        Raises `UsageError` if a class has that id, as an 8-bit mask has no other to spare.
        """
        if self.ignore:
            return self
        for info in self:
            if info.id == 255:
                raise UsageError(
                    f'"{info.name}" and "ignore" share the id 255: give the class another, by a '
                    "table of its own"
                )
        return ClassTable([*self, ClassInfo(255, "ignore", (224, 224, 192), "ignore")])

    def shared_colors(self) -> dict[Color, tuple[ClassInfo, ...]]:
        """Return the colors that several classes have, and which: ids cannot be told from them."""
        users: dict[Color, list[ClassInfo]] = {}
        for info in self._classes:
            users.setdefault(info.color, []).append(info)
        return {color: tuple(infos) for color, infos in users.items() if len(infos) > 1}

    def to_json(self) -> bytes:
        """Return the table as `classes.json`: a list of id, name, color and role."""
        rows = [
            {"id": info.id, "name": info.name, "color": info.color, "role": info.role}
            for info in self._classes
        ]
        return msgspec.json.format(msgspec.json.encode(rows), indent=2) + b"\n"

    def palette(self, rest: npt.NDArray[np.uint8] | None = None) -> npt.NDArray[np.uint8]:
        """Return uint8 (256, 3): row i is the color of id i.

        Ids that the table lacks take their row from `rest`, uint8 (256, 3), or are black.
        """
        import numpy as np

        palette = np.zeros((256, 3), np.uint8) if rest is None else np.array(rest, np.uint8)
        for info in self._classes:
            if info.id < 256:
                palette[info.id] = info.color
        return palette
