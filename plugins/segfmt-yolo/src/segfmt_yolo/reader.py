"""Reading a YOLO segmentation dataset."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import segfmt
from segfmt_yolo.datafile import DataFile, candidates, find_data, read_data, seems_data
from segfmt_yolo.exif import upright_size
from segfmt_yolo.labels import Line, read_label, to_pixels
from segfmt_yolo.listing import list_samples
from segfmt_yolo.outlines import by_area, outlines


@dataclass(frozen=True)
class YoloReader:
    """Reads outlines as Ultralytics paints them: cut to whole pixels, the smaller over the larger.

    Class ids are YOLO's plus 1, as 0 is the background: see `DataFile.class_table`.
    """

    root: Path
    data: Annotated[
        str, "the YAML file with the names of classes, from the root; else the one that is there"
    ] = ""
    order: Annotated[
        Literal["area", "file"],
        "what is painted over what: the smaller over the larger, as Ultralytics does, or later "
        "lines over earlier ones",
    ] = "area"
    boxes: Annotated[
        Literal["error", "skip", "paint"],
        "lines that are a box: fail the sample, leave them out, or paint the box",
    ] = "error"
    instances: Annotated[bool, "take each line for an object of its own"] = True
    unknown_label: Annotated[
        Literal["error", "ignore", "background"],
        "a class id without a name: fail the sample, or paint it as ignore or background",
    ] = "error"
    follow_links: Annotated[bool, "follow links that lead out of the dataset"] = False

    @cached_property
    def _data(self) -> DataFile:
        return read_data(find_data(self.root, self.data))

    @cached_property
    def _table(self) -> tuple[segfmt.ClassTable, int]:
        return self._data.class_table(ignore=self.unknown_label == "ignore")

    @property
    def classes(self) -> segfmt.ClassTable:
        """The background and the classes of `names`."""
        return self._table[0]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is to be said of the dataset as a whole."""
        _, remarks = list_samples(self.root, self._data, self.follow_links)
        ids = []
        if self._table[1]:
            ids.append("class ids are YOLO's plus 1, since 0 is the background")
        return (*self._data.remarks, *ids, *remarks)

    def scan(self) -> Iterator[segfmt.SampleRef]:
        """List the images of all splits, and labels whose image is missing."""
        yield from list_samples(self.root, self._data, self.follow_links)[0]

    def load(self, ref: segfmt.SampleRef) -> segfmt.Sample:
        """Read one label file; an image without one, or with an empty one, has no object."""
        path: Path | None = ref.source
        if ref.image is None:
            raise segfmt.FormatError(
                "has no image, and only that says how many pixels there are", path=path
            )
        shape = upright_size(ref.image)
        if path is None:
            note = segfmt.Note("images without a label file, taken for background", ref.split)
            return segfmt.Sample(ref, shape, outlines([], []), (note,))
        kept, notes = self._kept(path, read_label(path))
        rings = [to_pixels(line.shares, shape) for line, _ in kept]
        ids = [info.id for _, info in kept]
        label = outlines(rings, ids, _numbers(ids) if self.instances else None)
        if self.order == "area":
            label = by_area(label, shape)
        return segfmt.Sample(ref, shape, label, notes)

    def _kept(
        self, path: Path, lines: list[Line]
    ) -> tuple[list[tuple[Line, segfmt.ClassInfo]], tuple[segfmt.Note, ...]]:
        """Return the lines to paint, each with its class, and notes."""
        seen: set[tuple[int, bytes]] = set()
        counts: Counter[tuple[str, str]] = Counter()
        kept = []
        for line in lines:
            info, is_known = self._class(path, line)
            if not is_known:
                counts["unknown labels", str(line.id)] += 1
            if line.is_box:
                if self.boxes == "error":
                    raise segfmt.FormatError(
                        "is a box, and no outline",
                        path=path,
                        where=f"line {line.number}",
                        mend="Give -i boxes=skip or paint.",
                    )
                done = "painted" if self.boxes == "paint" else "left out"
                counts[f"boxes {done}", info.name] += 1
            if line.is_cut_off:
                counts["outlines cut off at the edge of the image", info.name] += 1
            shape = line.id, line.shares.tobytes()
            if shape in seen:
                counts["lines that are there twice, left out", info.name] += 1
            elif not line.is_box or self.boxes == "paint":
                kept.append((line, info))
            seen.add(shape)
        return kept, tuple(
            segfmt.Note(code, subject, count) for (code, subject), count in counts.items()
        )

    def _class(self, path: Path, line: Line) -> tuple[segfmt.ClassInfo, bool]:
        """Return a line's class, and whether it is one, or what stands in for it."""
        table, added = self._table
        if line.id in self._data.names:
            return table.by_id(line.id + added), True
        stand_in = {"ignore": table.ignore, "background": table.background}.get(self.unknown_label)
        if stand_in is None:
            known = sorted(self._data.names)
            gaps = known[-1] - known[0] >= len(known)
            named = ", ".join(map(str, known)) if gaps else f"{known[0]} to {known[-1]}"
            raise segfmt.FormatError(
                f"has the class {line.id}, and {self._data.path.name} names {named}",
                path=path,
                where=f"line {line.number}",
                mend="Name it there, or give --unknown-label ignore or background.",
                notes=(segfmt.Note("unknown labels", str(line.id)),),
            )
        return stand_in, False


def _numbers(ids: list[int]) -> list[int]:
    """Return the number of each object in its class."""
    counts: Counter[int] = Counter()
    numbers = []
    for id in ids:
        counts[id] += 1
        numbers.append(counts[id])
    return numbers


def detect(root: Path) -> str | None:
    """Tell it by a YAML file with names and splits."""
    found = [path.name for path in candidates(root) if seems_data(path)]
    return f"{found[0]} has names and splits" if found else None
