"""`data.yaml`: the names of the classes, and where the images of each split are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import segfmt

NAME = "data.yaml"
SPLITS = {"train": "train", "val": "val", "validation": "val", "valid": "val", "test": "test"}
BACKGROUND = segfmt.ClassInfo(0, "background", role="background")
MAX_CLASSES = 65535
_NULLS = ("", "~", "null", "Null", "NULL")
_NO_SPLITS = ("path", "download")
_SIGNS = tuple(
    re.compile(rf"^[\"']?({keys})[\"']?\s*:".encode(), re.MULTILINE)
    for keys in ("names|nc", "train|val|test")
)


@dataclass(frozen=True)
class DataFile:
    """What a YAML file says of a dataset.

    `names` are by YOLO's class ids. `splits` has the folders, lists and images of each split as
    they are written, below `base`. `remarks` is what is to be told of it.
    """

    path: Path
    names: Mapping[int, str]
    splits: Mapping[str, tuple[str, ...]]
    base: str
    remarks: tuple[str, ...]

    def class_table(self, *, ignore: bool) -> tuple[segfmt.ClassTable, int]:
        """Return the classes, `ignore` among them or not, and what YOLO's ids are raised by.

        YOLO has no id for what no outline covers, and masks need one: that is 0, and YOLO's ids
        come after it. Where one of the names is `background`, that class is it, and all ids stay.
        """
        try:
            named = segfmt.ClassTable(segfmt.ClassInfo(id, name) for id, name in self.names.items())
            found = named.get("background")
            added = 0 if found else 1
            table = segfmt.ClassTable(
                [
                    *([] if found else [BACKGROUND]),
                    *(_placed(info, added, info is found) for info in named),
                    *([_ignore(max(self.names) + added)] if ignore else []),
                ]
            )
        except ValueError as error:
            raise segfmt.FormatError(
                f"has names that cannot be told apart as classes: {error}",
                path=self.path,
                where="names",
            ) from error
        return table, added


def _placed(info: segfmt.ClassInfo, added: int, is_background: bool) -> segfmt.ClassInfo:
    id = info.id + added
    color = (0, 0, 0) if is_background else segfmt.voc_colors()[id % 256]
    return replace(info, id=id, color=color, role="background" if is_background else "class")


def _ignore(last: int) -> segfmt.ClassInfo:
    return segfmt.ClassInfo(max(255, last + 1), "ignore", (224, 224, 192), "ignore")


def seems_data(path: Path) -> bool:
    """Whether a YAML file looks like that of a dataset: it has names, and splits."""
    with path.open("rb") as file:
        start = file.read(1 << 20)
    return all(sign.search(start) for sign in _SIGNS)


def candidates(root: Path) -> list[Path]:
    """Return the YAML files in a folder that look like that of a dataset: `data.yaml`, or all."""
    if (root / NAME).is_file():
        return [root / NAME]
    files = (path for path in root.iterdir() if path.suffix.lower() in (".yaml", ".yml"))
    return sorted(path for path in files if path.is_file() and seems_data(path))


def find_data(root: Path, given: str = "") -> Path:
    """Return the YAML file that was given, below the root, or the one that is there."""
    if given:
        if not (root / given).is_file():
            raise segfmt.UsageError(f"-i data={given}: {root / given} is not there")
        return root / given
    found = candidates(root)
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise segfmt.UsageError(f"{root} has several YAML files with names: {names}. Give -i data=")
    if not found:
        raise segfmt.UsageError(
            f"{root} has no YAML file with the names of classes and the folders of splits. "
            "Write a data.yaml, such as: {names: [road, car], train: images/train}"
        )
    return found[0]


def read_data(path: Path) -> DataFile:
    """Read `data.yaml`; `FormatError` if it is broken or is not that of outlines."""
    document = _document(path)
    if "kpt_shape" in document:
        raise segfmt.FormatError(
            "has kpt_shape: its labels hold keypoints, not outlines", path=path, where="kpt_shape"
        )
    names, remarks = _names(path, document)
    splits: dict[str, tuple[str, ...]] = {}
    for key, value in document.items():
        entries = value if isinstance(value, list) else [value]
        if key in SPLITS or (key not in _NO_SPLITS and any(map(_names_images, entries))):
            if not all(isinstance(entry, str) for entry in entries):
                raise segfmt.FormatError("is no path, nor a list of paths", path=path, where=key)
            given = tuple(entry for entry in entries if entry not in _NULLS)
            if given:
                split = SPLITS.get(key, segfmt.nfc(key))
                splits[split] = splits.get(split, ()) + given
    base = document.get("path", "")
    return DataFile(path, names, splits, "" if base in _NULLS else str(base), tuple(remarks))


def _names_images(entry: object) -> bool:
    """Whether a value of another key is a path to images, so that the key is a split too."""
    return isinstance(entry, str) and "images" in re.split(r"[/\\]", entry)


def _document(path: Path) -> dict[str, Any]:
    import yaml  # here, as segfmt loads every plug-in at each start

    text = segfmt.decode_text(path.read_bytes(), path)
    where = ""
    try:
        # Text, lists and maps are all that this loader makes: a class called `no` stays `no`, where
        # the rules of YAML 1.1 would have it false.
        document = yaml.load(text, yaml.BaseLoader)  # noqa: S506
    except yaml.MarkedYAMLError as error:
        problem = f"is broken YAML: {error.problem}"
        if error.problem_mark:
            where = f"line {error.problem_mark.line + 1}, column {error.problem_mark.column + 1}"
    except (yaml.YAMLError, RecursionError) as error:
        problem = f"is broken YAML: {str(error).splitlines()[0]}"
    else:
        if isinstance(document, dict):
            return document
        problem = "is no map of keys to values"
    raise segfmt.FormatError(problem, path=path, where=where)


def _names(path: Path, document: Mapping[str, Any]) -> tuple[dict[int, str], list[str]]:
    names, said = document.get("names"), document.get("nc")
    count = _number(said)
    if names in (None, *_NULLS):
        if count is None or not 0 < count <= MAX_CLASSES:
            raise segfmt.FormatError(
                "has no names of classes", path=path, mend="Write names: [road, car]."
            )
        remark = f"{path.name} has no names: its {count} classes are called class_0 and so on"
        return {id: f"class_{id}" for id in range(count)}, [remark]
    pairs: Iterable[tuple[Any, Any]]
    if isinstance(names, list):
        pairs = enumerate(names)
    elif isinstance(names, dict):
        pairs = [(_number(id), name) for id, name in names.items()]
    else:
        pairs = [(None, names)]
    found: dict[int, str] = {}
    for id, name in pairs:
        if id is None or id < 0 or not isinstance(name, str):
            raise segfmt.FormatError(
                "is neither a list of names nor a map of numbers to names",
                path=path,
                where="names",
                mend="Write names: [road, car], or {0: road, 1: car}.",
            )
        found[id] = name
    if said is not None and count != len(found):
        return found, [f"{path.name}: nc is {said}, and there are {len(found)} names, which count"]
    return found, []


def _number(text: object) -> int | None:
    """Return the whole number that a text is, also as `10.0`, or None."""
    try:
        number = float(str(text))
    except ValueError:
        return None
    return int(number) if number.is_integer() else None


def data_text(classes: segfmt.ClassTable, splits: Iterable[str], *, as_list: bool) -> bytes:
    """Return `data.yaml` for these classes and splits.

    Ultralytics wants the keys train and val, if without a value, and takes the file's own folder
    for the dataset as long as there is no `path`: a relative one it would look for elsewhere.
    """
    import yaml  # as above

    names = [info.name for info in classes if info.role == "class"]
    there = set(splits)
    keys = ["train", "val", *sorted(there - {"train", "val"})]
    document: dict[str, Any] = {key: f"images/{key}" if key in there else None for key in keys}
    document["nc"] = len(names)
    document["names"] = names if as_list else dict(enumerate(names))
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=1000).encode()
