"""What is to be done, worked out and checked before anything is written."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from segfmt import __version__, plugins
from segfmt.adapt import Adapter
from segfmt.classes import ClassTable
from segfmt.classmap import Rest, known, mapped_classes, without_ignore
from segfmt.dataset import Dataset, open_dataset
from segfmt.edits import parse_edits
from segfmt.errors import UsageError
from segfmt.files import readable
from segfmt.format import Format, Map, Writer
from segfmt.losses import losses
from segfmt.model import FillRule, Rounding
from segfmt.options import checked, options_of
from segfmt.places import is_stored
from segfmt.reading import executor_map, remarks
from segfmt.remap import ClassMap, IgnoreTo, class_map
from segfmt.sources import source_remarks, sources_of
from segfmt.splits import Split, parse_split
from segfmt.tables import TABLES
from segfmt.worker import MissingImage, Presence, Worker

# What changes how a run goes but not what comes out: it may differ from one --resume to the next.
_ONLY_HOW = frozenset(
    {"dst", "executor", "executor_options", "workers", "dry_run", "fail_fast", "strict", "verify"}
    | {"report", "html"}
)


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the user asks for: the options of `segfmt.convert`, which explains each."""

    src: Path
    dst: Path
    source: str = "auto"
    target: str
    reader_options: Mapping[str, Any] | None = None
    writer_options: Mapping[str, Any] | None = None
    classes: str | Mapping[str, int] | None = None
    map: str | Path | Mapping[str, str] | None = None
    rest: Rest | None = None
    ignore_to: IgnoreTo | None = None
    table: str | None = None
    unknown_label: str | None = None
    only_with: str | None = None
    min_pixels: int = 1
    split: str | None = None
    keep_list: str | os.PathLike[str] | None = None
    missing_image: MissingImage = "skip"
    images: str | None = None
    resize: str | tuple[int, int] | None = None
    tile: str | tuple[int, int] | None = None
    overlap: int = 0
    fill_rule: FillRule | None = None
    rounding: Rounding | None = None
    executor: str = "threads"
    executor_options: Mapping[str, Any] | None = None
    workers: int | None = None
    limit: int | None = None
    dry_run: bool = False
    fail_fast: bool = False
    strict: bool = False
    verify: bool = False
    report: str | os.PathLike[str] | None = None
    html: str | os.PathLike[str] | None = None


@dataclass(frozen=True)
class Plan:
    """A request, made definite: how each sample is read, changed and written, and by whom."""

    request: Request
    dataset: Dataset
    target: Format
    writer: Writer
    worker: Worker
    class_map: ClassMap
    run: Map
    split: Split | None
    losses: list[str]
    images_placed: bool
    fingerprint: dict[str, str]

    @property
    def reading_options(self) -> dict[str, Any]:
        """The options by which what is written is read: those that reading and writing share."""
        reader, writer = self.target.reader, self.target.writer
        if reader is None or writer is None:
            return {}
        reads, writes = options_of(reader, 1), options_of(writer, 2)
        return {
            name: getattr(self.writer, name)
            for name, option in reads.items()
            if name in writes and writes[name].type == option.type and hasattr(self.writer, name)
        }

    @property
    def remarks(self) -> list[str]:
        """What the reader, the writer and the classes have to say about the dataset as a whole."""
        return [
            *source_remarks(self.request.src),
            *remarks(self.dataset.reader),
            *remarks(self.writer),
            *_of_colors(self.writer.classes),
        ]


def make_plan(request: Request) -> Plan:
    """Work a request out.

    Raises
    ------
    SegfmtError
        For anything in it that is wrong or does not go together.
    """
    given = _given(unknown_label=request.unknown_label, table=request.table)
    options = {**(request.reader_options or {}), **given}
    dataset = open_dataset(request.src, request.source, **options)
    # Readers that paint some labels by themselves are to do it by the rule that is asked for.
    rule = _given(fill_rule=request.fill_rule, rounding=request.rounding)
    own = options_of(dataset.format.reader, 1) if dataset.format.reader else {}
    if rule := {name: value for name, value in rule.items() if name in own}:
        dataset = open_dataset(request.src, dataset.format.name, **{**options, **rule})
    asked = (request.classes, _table_of(request.map), request.rest)
    mapped, adopted = mapped_classes(dataset.classes, *asked)
    if request.ignore_to:
        adopted = without_ignore(adopted)
    target = plugins.format_named(request.target)
    options = {**(request.writer_options or {}), **_given(images=request.images)}
    writer = _writer(target, request.dst, adopted, options)
    if not writer.accepts.polygons:
        _check_narrow(adopted)
    to_target = class_map(dataset.classes, mapped, writer.classes, request.ignore_to)
    if request.rounding and request.fill_rule not in (None, "opencv"):
        raise UsageError(f"--rounding is for the fill rule opencv, not {request.fill_rule}")
    edits = parse_edits(request.resize, request.tile, request.overlap)
    images = options.get("images")
    if request.verify and (edits or target.reader is None):
        reason = "--resize and --tile make other samples" if edits else f"{target.name} is not read"
        raise UsageError(f"--verify: {reason}, so there is nothing to compare")
    if edits and images in ("symlink", "hardlink"):
        raise UsageError("--resize and --tile make new images: they cannot be links")
    _check_places(request, images)
    worker = Worker(
        dataset.reader,
        writer,
        to_target,
        Adapter(writer.accepts, to_target.background, request.fill_rule, request.rounding),
        request.missing_image,
        edits,
        _presence(request.only_with, request.min_pixels, dataset.classes, to_target),
        request.dst,
    )
    chosen = request.classes is not None or request.map is not None
    lost = losses(dataset.format, target, writer.accepts, mapped, to_target, ids_chosen=chosen)
    return Plan(
        request,
        dataset,
        target,
        writer,
        worker,
        to_target,
        executor_map(request.executor, request.executor_options, request.workers),
        parse_split(request.split) if request.split else None,
        lost,
        images != "none",
        _fingerprint(request, dataset, target, to_target),
    )


def _check_places(request: Request, images: str | None) -> None:
    for path in (request.src, request.dst):
        if not is_stored(path):
            continue
        if images in ("symlink", "hardlink"):
            raise UsageError(f"{path} is no folder of this machine: images there cannot be links")
        if str(path).startswith("memory:") and request.executor not in ("serial", "threads"):
            raise UsageError(f"{path} is seen by this process alone: give --executor threads")


def _table_of(
    map: str | Path | Mapping[str, str] | None,
) -> str | Path | Mapping[str, str] | ClassTable | None:
    """Return the table that every dataset of a format has, where the map is that format's name."""
    record = plugins.formats().get(map) if isinstance(map, str) and map not in TABLES else None
    return record.table if record and record.table else map


def _fingerprint(
    request: Request, dataset: Dataset, target: Format, to_target: ClassMap
) -> dict[str, str]:
    """Return what decides what comes out, by the name under which the user knows it."""
    known = {
        f"--{field.name.replace('_', '-')}": _text(getattr(request, field.name) or None)
        for field in fields(request)
        if field.name not in _ONLY_HOW
    }
    for flag, format in (("--source", dataset.format), ("--target", target)):
        known[flag] = f"{format.name} ({plugins.version_of(format.name)})"
    ids = {info.name: int(to_target.lut[info.id]) for info in to_target.source}
    return {
        **known,
        "--src": readable(", ".join(str(path.resolve()) for path in sources_of(request.src))),
        "ids of classes": _text(ids),
        "classes written": to_target.table.to_json().decode(),
        "segfmt": __version__,
    }


def _text(value: object) -> str:
    return readable(json.dumps(value, default=str, ensure_ascii=False, sort_keys=True))


def _writer(format: Format, out: Path, classes: ClassTable, options: Mapping[str, Any]) -> Writer:
    if format.writer is None:
        writable = ", ".join(name for name, other in plugins.formats().items() if other.writer)
        raise UsageError(f"{format.name} cannot be written, only read. Writable: {writable}")
    values = checked(f"writing {format.name}", "-o", format.writer, 2, options)
    try:
        return format.writer(out, classes, **values)
    except UsageError:
        _check_narrow(classes)  # which says what to do, whatever the writer stumbled over
        raise


def _check_narrow(classes: ClassTable) -> None:
    beyond = [info for info in classes if info.id > 255]
    if beyond:
        raise UsageError(
            f"{len(beyond)} of {len(classes)} classes have ids beyond the 255 of an 8-bit mask, "
            f'such as {beyond[0].id}, "{beyond[0].name}". Give --classes NAME=ID,... with those '
            "that matter, or --map FILE|TABLE --rest ignore"
        )


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _of_colors(classes: ClassTable) -> list[str]:
    warnings = []
    for color, infos in classes.shared_colors().items():
        names = " and ".join(f'"{info.name}"' for info in infos)
        warnings.append(f"{names} share the color {color}: tell them apart by id, never by color")
    return warnings


def _presence(
    names: str | None, pixels: int, source: ClassTable, to_target: ClassMap
) -> Presence | None:
    if names is None:
        if pixels != 1:
            raise UsageError("--min-pixels is for --only-with")
        return None
    ids = []
    for name in names.split(","):
        info = source.get(name) or to_target.table.get(name)
        if info is None:
            mend = known(name, source)
            raise UsageError(f'--only-with: there is no class "{name.strip()}". {mend}')
        if source.get(name):
            ids.append(info.id)
        else:
            ids += [other.id for other in source if to_target.lut[other.id] == info.id]
    return Presence(tuple(ids), names, pixels)
