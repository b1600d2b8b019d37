"""From labels and attributes to classes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Literal
from xml.etree.ElementTree import Element

from segfmt import ClassInfo, ClassTable, FormatError, UsageError, normal_name, voc_colors
from segfmt_cvat import _sidewalk
from segfmt_cvat._document import OtherXmlError, children

Color = tuple[int, int, int]
Row = tuple[str, Color | None]
Role = Literal["class", "background", "ignore"]
IGNORE = 255
BACKGROUND = "background"
IGNORE_NAMES = frozenset({"ignore", "ignored", "void", "__ignore__"})
_HEX = re.compile(r"#([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})")


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of a label: the values that it may have, None if there is no list of them."""

    default: str
    values: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Label:
    """A label as the head of a file declares it."""

    name: str
    color: Color | None
    attributes: dict[str, Attribute]


@dataclass(frozen=True, slots=True)
class Classes:
    """What labels become.

    `split_by` has, by folded name of each label that an attribute splits, that attribute and its
    default; `sidewalk` tells AIHub's set, whose masks are painted by another rule.
    """

    table: ClassTable
    split_by: dict[str, tuple[str, str]]
    sidewalk: bool
    warnings: tuple[str, ...]

    def class_of(self, shape: Element) -> str:
        """Return the name of a shape's class."""
        name = shape.get("label", "")
        found = self.split_by.get(normal_name(name)) if self.split_by else None
        if found is None:
            return name
        attribute, value = found
        for child in shape:
            if child.tag == "attribute" and child.get("name") == attribute:
                value = (child.text or "").strip()
        return f"{name}/{value}"


def read_classes(paths: Iterable[Path], attributes: str) -> Classes:
    """Return the classes of all files together, in order; broken files are left to the listing."""
    labels: dict[str, Label] = {}
    warnings, others, bare = [], [], []
    for path in paths:
        try:
            declared = list(_declared(path))
            if not declared and (declared := list(_drawn(path))):
                bare.append(path.name)
        except OtherXmlError:
            others.append(path.name)
            continue
        except FormatError:
            continue
        for label in declared:
            known = labels.get(normal_name(label.name), label)
            labels[normal_name(label.name)] = _merged(known, label)
            if known.name != label.name:
                warnings.append(f'labels "{known.name}" and "{label.name}" are taken for one')
    if bare:
        warnings.append(f"labels are declared in no head of {_some(bare)}: they are those drawn")
    if others:
        warnings.append(f"XML files that are not CVAT's are left out: {_some(others)}")
    sidewalk = _is_sidewalk(labels)
    wanted = [part.strip() for part in attributes.split(",") if part.strip()]
    if attributes == "auto":
        wanted = [_sidewalk.ATTRIBUTE] if sidewalk else []
    split_by = _split_by(labels.values(), wanted)
    official = sidewalk and wanted == [_sidewalk.ATTRIBUTE]
    table = class_table(_rows(labels.values(), split_by, official=official))
    return Classes(table, split_by, sidewalk, tuple(dict.fromkeys(warnings)))


def _merged(one: Label, other: Label) -> Label:
    """Return the label with the attributes and values that either declaration of it has."""
    attributes = {**other.attributes, **one.attributes}
    for name in one.attributes.keys() & other.attributes.keys():
        ours, theirs = one.attributes[name].values, other.attributes[name].values
        if ours is not None and theirs is not None:
            values = tuple(dict.fromkeys((*ours, *theirs)))
            attributes[name] = replace(one.attributes[name], values=values)
    return replace(one, attributes=attributes)


def _declared(path: Path) -> Iterator[Label]:
    """Yield the labels that the head of a file declares; points of skeletons are none."""
    for child in children(path):
        if child.tag in ("image", "track"):
            return
        if child.tag == "meta":
            for label in child.place.read().iterfind(".//labels/label"):
                name = _text(label, "name")
                if name and not _text(label, "parent"):
                    yield Label(name, _color(_text(label, "color")), dict(_attributes(label)))


def _attributes(label: Element) -> Iterator[tuple[str, Attribute]]:
    for attribute in label.iterfind("attributes/attribute"):
        values: tuple[str, ...] | None = None
        kind = _text(attribute, "input_type")
        if kind == "checkbox":
            values = ("false", "true")
        elif kind in ("select", "radio"):
            lines = _text(attribute, "values").splitlines()
            values = tuple(line.strip() for line in lines if line.strip())
        if name := _text(attribute, "name"):
            yield name, Attribute(_text(attribute, "default_value"), values)


def _drawn(path: Path) -> Iterator[Label]:
    """Yield the labels of the shapes themselves, with all values that their attributes have."""
    found: dict[str, dict[str, dict[str, None]]] = {}
    with suppress(FormatError):  # of a broken file, what stands before the break
        for child in children(path):
            for shape in child.place.read() if child.tag == "image" else ():
                attributes = found.setdefault(shape.get("label", ""), {})
                for one in shape.iterfind("attribute"):
                    values = attributes.setdefault(one.get("name", ""), {})
                    values[(one.text or "").strip()] = None
    for name, attributes in found.items():
        if name:
            pairs = attributes.items()
            yield Label(name, None, {key: Attribute("", tuple(values)) for key, values in pairs})


def _is_sidewalk(labels: dict[str, Label]) -> bool:
    if not labels.keys() >= _sidewalk.LABELS:
        return False
    surface = labels["sidewalk"].attributes.get(_sidewalk.ATTRIBUTE)
    return surface is not None and "blocks" in (surface.values or ())


def _split_by(labels: Iterable[Label], wanted: list[str]) -> dict[str, tuple[str, str]]:
    """Return the attribute that splits each label: the first of the wanted ones that it has."""
    split_by: dict[str, tuple[str, str]] = {}
    known: dict[str, None] = {}
    for label in labels:
        known.update(dict.fromkeys(label.attributes))
        name = next((name for name in wanted if name in label.attributes), None)
        if name is None:
            continue
        attribute = label.attributes[name]
        if attribute.values is None:
            raise UsageError(
                f'-i attributes: "{name}" of the label "{label.name}" is free text or a number, '
                "and has no list of values to make classes of"
            )
        split_by[normal_name(label.name)] = (name, attribute.default)
    for name in wanted:
        if name not in known:
            has = ", ".join(known) or "none"
            raise UsageError(f'-i attributes: no label has an attribute "{name}". There are: {has}')
    return split_by


def _rows(
    labels: Iterable[Label], split_by: dict[str, tuple[str, str]], *, official: bool
) -> list[Row]:
    """Return the names of the classes in order, with their colors if they have their own."""
    rows: list[Row] = list(_sidewalk.COLORS.items()) if official else []
    fixed = {name for name, _ in rows}
    for label in labels:
        own: list[Row] = [(label.name, label.color)]
        if split := split_by.get(normal_name(label.name)):
            values = label.attributes[split[0]].values or ()
            # The label's own color would be that of all of them.
            own = [(f"{label.name}/{value}", None) for value in values]
        rows += (row for row in own if normal_name(row[0]) not in fixed)
    return rows


def role_of(name: str) -> Role:
    """Return the role that a label's name says: CVAT itself knows none."""
    folded = normal_name(name)
    if folded == BACKGROUND:
        return "background"
    return "ignore" if folded in IGNORE_NAMES else "class"


def class_table(rows: Iterable[Row]) -> ClassTable:
    """Return the classes, numbered from 1; background is 0, a label or not, and ignore 255."""
    colors = voc_colors()
    free = (id for id in count(1) if id != IGNORE)
    infos: list[ClassInfo] = []
    for name, color in rows:
        role = role_of(name)
        if any(info.role == role for info in infos):
            role = "class"
        id = {"background": 0, "ignore": IGNORE}.get(role)
        id = next(free) if id is None else id
        infos.append(ClassInfo(id, name, color or colors[id % len(colors)], role))
    if not any(info.role == "background" for info in infos):
        infos.insert(0, ClassInfo(0, BACKGROUND, role="background"))
    try:
        return ClassTable(infos)
    except ValueError as error:
        raise UsageError(f"labels do not make classes: {error}") from error


def _text(element: Element, tag: str) -> str:
    return (element.findtext(tag) or "").strip()


def _color(text: str) -> Color | None:
    found = _HEX.fullmatch(text)
    return (int(found[1], 16), int(found[2], 16), int(found[3], 16)) if found else None


def _some(names: list[str]) -> str:
    return f"{len(names)} files, such as {names[0]}" if len(names) > 1 else names[0]
