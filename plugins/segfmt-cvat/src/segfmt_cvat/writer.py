"""Writing CVAT for images, as CVAT exports a project: one XML, and `images/<subset>/`."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path, PurePosixPath
from tempfile import TemporaryFile
from typing import Annotated, Literal

import segfmt
from segfmt import (
    Accepts,
    ClassTable,
    Entry,
    FormatError,
    Mask,
    Note,
    Placement,
    Polygons,
    Sample,
    UsageError,
    atomic_write,
    place_image,
    trace,
)
from segfmt_cvat._document import Place, children
from segfmt_cvat._images import sample_of
from segfmt_cvat._labels import class_table, role_of
from segfmt_cvat._runs import mask_runs

DOCUMENT = "annotations.xml"
STATE = ".segfmt/cvat"  # what is written of each image until they are joined
BACKGROUND_ID = 0  # of any table that `class_table` makes


@dataclass(frozen=True)
class CvatWriter:
    """Writes `annotations.xml` and `images/<split>/<key>`, splits being subsets.

    Background is a label of that name, and ignore too: CVAT has labels alone. Ids are those that
    labels get by their order when they are read back.
    """

    root: Path
    classes: ClassTable
    shapes: Annotated[
        Literal["polygons", "masks"],
        "what labels become: polygons, a hole being a cut, or masks of run lengths, one a class",
    ] = "polygons"
    vertices: Annotated[
        Literal["exact", "keep"],
        "polygons drawn for another fill rule: traced anew, the same pixels, or kept as drawn",
    ] = "exact"
    images: Annotated[Placement, "how images get there; they are never encoded anew"] = "copy"

    def __post_init__(self) -> None:
        if (self.shapes, self.vertices) == ("masks", "keep"):
            raise UsageError("-o vertices=keep is for polygons, not for -o shapes=masks")
        for info in self.classes:
            if info.role == "class" and role_of(info.name) != "class":
                raise UsageError(
                    f'the class "{info.name}" would read back as {role_of(info.name)}: CVAT has '
                    "labels alone. Give it another name with --map"
                )
            if not info.name.isprintable():
                raise UsageError(f"the class {info.name!r} has a character that XML cannot hold")
        by_id = sorted(self.classes, key=lambda info: info.id)
        names = (info.role if role_of(info.name) != info.role else info.name for info in by_id)
        own = class_table(zip(names, (info.color for info in by_id), strict=True))
        if self.shapes == "masks" and any(info.id > 255 for info in own):
            raise UsageError(f"{len(own)} classes are more than an 8-bit mask can tell apart")
        object.__setattr__(self, "classes", own)

    @property
    def accepts(self) -> Accepts:
        """Masks, or single rings under the rule that CVAT paints by; masks are traced here."""
        if self.shapes == "masks":
            return Accepts(mask=True, instances=True)
        if self.vertices == "keep":
            return Accepts(polygons=True, mask=True, instances=True, holes="keyhole")
        return Accepts(polygons=True, mask=True, instances=True, holes="keyhole", fill_rule="coco")

    def write(self, sample: Sample) -> Entry:
        """Put the image into place, and its `<image>` where `finish` looks for it."""
        ref = sample.ref
        suffix = ref.image.suffix if ref.image else ".jpg"
        name = f"{ref.key}{suffix}"
        files: tuple[str, ...] = ()
        notes: tuple[Note, ...] = ()
        if ref.image is not None and self.images != "none":
            files = (f"images/{ref.split}/{name}",)
            notes = place_image(ref.image, self.root / files[0], self.images, reencode=False)
        if sample_of(Path(DOCUMENT), name, ref.split) != (ref.split, ref.key):
            notes += (Note("reads back under another name", f"{ref.split}/{ref.key}"),)
        from xml.sax.saxutils import quoteattr  # here: it loads what fetches pages from servers

        shapes, told = self._drawn(sample.label)
        height, width = sample.shape
        # Behind the id, which `finish` knows.
        text = (
            f" name={quoteattr(name)} subset={quoteattr(ref.split)}"
            f' width="{width}" height="{height}">\n{"".join(shapes)}  </image>\n'
        )
        atomic_write(self._part(ref.split, ref.key), text.encode())
        return Entry(ref.split, ref.key, files, notes + told)

    def finish(self, entries: Iterable[Entry]) -> None:
        """Join the images to one file, in the order of the entries, which numbers them."""
        state = self.root / STATE
        stored = segfmt.is_stored(state)
        if not stored:
            state.mkdir(parents=True, exist_ok=True)
        subsets: Counter[str] = Counter()
        with TemporaryFile(dir=None if stored else state) as images:
            for number, entry in enumerate(entries):
                subsets[entry.split] += 1
                images.write(b'  <image id="%d"' % number)
                images.write(self._described(entry))
            images.seek(0)
            # The head stands first, and tells the subsets.
            with segfmt.replacing(self.root / DOCUMENT) as temporary, temporary.open("wb") as file:
                file.write(self._head(subsets).encode())
                shutil.copyfileobj(images, file)
                file.write(b"</annotations>\n")
        if not stored:  # where not everyone who may write may remove, and each takes a request
            shutil.rmtree(state)

    def _part(self, split: str, key: str) -> Path:
        # By hash, as a key may be a folder of another.
        name = blake2b(f"{split}\0{key}".encode(), digest_size=16).hexdigest()
        return self.root / STATE / name[:2] / name[2:]

    def _described(self, entry: Entry) -> bytes:
        """Return the `<image>` of a sample behind its id.

        What was joined before is taken from there: a run that is gone on with has no more of it.
        """
        part = self._part(entry.split, entry.key)
        if part.is_file():
            return part.read_bytes()
        place = self._joined.get((entry.split, entry.key))
        if place is None:
            raise FormatError(
                f'no longer has the image "{entry.split}/{entry.key}", which was written before',
                path=self.root / DOCUMENT,
                mend="Write it anew, with --overwrite.",
            )
        described = place.raw().split(b'"', 2)[2]
        return described[: described.rindex(b">") + 1] + b"\n"

    @cached_property
    def _joined(self) -> dict[tuple[str, str], Place]:
        """The images of the file that stands there, by split and key."""
        document = self.root / DOCUMENT
        found: dict[tuple[str, str], Place] = {}
        for child in children(document) if document.is_file() else ():
            if child.tag == "image":
                name = child.attributes["name"]
                key = name.removesuffix(PurePosixPath(name).suffix)
                found[child.attributes["subset"], key] = child.place
        return found

    def _drawn(self, label: Polygons | Mask) -> tuple[Iterator[str], tuple[Note, ...]]:
        """Return a line for each shape, and what is to be reported."""
        if isinstance(label, Mask):
            if self.shapes == "masks":
                return self._masks(label), ()
            traced = trace(label, fill_rule="coco", holes="keyhole", background=BACKGROUND_ID)
            return self._outlines(traced, layered=False), ()
        lines = self._outlines(label, layered=True)
        if label.fill_rule == "coco":
            return lines, ()
        return lines, (Note("vertices kept, pixels may differ", label.rule_in_words),)

    def _outlines(self, polygons: Polygons, *, layered: bool) -> Iterator[str]:
        """Yield a line for each polygon, all of them single rings.

        If `layered`, each is above those before it; those that were traced never overlap.
        """
        ids = polygons.class_ids.tolist()
        numbers = polygons.instance_ids
        groups = _groups(ids, [0] * len(ids) if numbers is None else numbers.tolist())
        points = polygons.points.tolist()
        offsets = polygons.ring_offsets.tolist()
        for place, (id, group) in enumerate(zip(ids, groups, strict=True)):
            ring = points[offsets[place] : offsets[place + 1]]
            ring += ring[-1:] * (3 - len(ring))  # dots and lines: CVAT knows no polygon of fewer
            text = ";".join(f"{x},{y}" for x, y in ring)
            layer = place if layered else 0
            yield self._line("polygon", id, f'points="{text}" z_order="{layer}"', group)

    def _masks(self, mask: Mask) -> Iterator[str]:
        """Yield a line for each class, and each object of it, row by row through its box."""
        runs = [run for run in mask_runs(mask) if (run.id, run.number) != (BACKGROUND_ID, 0)]
        groups = _groups([run.id for run in runs], [run.number for run in runs])
        for run, group in zip(runs, groups, strict=True):
            box = f'left="{run.left}" top="{run.top}" width="{run.width}" height="{run.height}"'
            counts = ", ".join(map(str, run.counts))
            yield self._line("mask", run.id, f'rle="{counts}" {box} z_order="0"', group)

    def _line(self, tag: str, id: int, drawn: str, group: int) -> str:
        of_group = f' group_id="{group}"' if group else ""
        return f'    <{tag} label={self._quoted[id]} occluded="0" {drawn}{of_group}/>\n'

    @cached_property
    def _quoted(self) -> dict[int, str]:
        from xml.sax.saxutils import quoteattr  # as above

        return {info.id: quoteattr(info.name) for info in self.classes}

    def _head(self, subsets: Counter[str]) -> str:
        from xml.sax.saxutils import escape  # as above

        tasks = "".join(
            _TASK.format(id=id, subset=escape(subset), size=size)
            for id, (subset, size) in enumerate(subsets.items())
        )
        labels = "".join(
            _LABEL.format(name=escape(info.name), color=bytes(info.color).hex())
            for info in self.classes
        )
        return _HEAD.format(tasks=tasks, subsets=escape("\n".join(subsets)), labels=labels)


def _groups(ids: list[int], numbers: list[int]) -> list[int]:
    """Return group ids, which count over all classes of an image, from 1; 0 is none."""
    objects = list(zip(ids, numbers, strict=True))
    numbered = sorted({one for one in objects if one[1]})
    groups = {one: group for group, one in enumerate(numbered, start=1)}
    return [groups.get(one, 0) for one in objects]


_HEAD = """\
<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta>
    <project>
      <tasks>
{tasks}      </tasks>
      <subsets>{subsets}</subsets>
      <labels>
{labels}      </labels>
    </project>
  </meta>
"""
_TASK = """\
        <task>
          <id>{id}</id>
          <name>{subset}</name>
          <size>{size}</size>
          <mode>annotation</mode>
          <subset>{subset}</subset>
        </task>
"""
_LABEL = """\
        <label>
          <name>{name}</name>
          <color>#{color}</color>
          <type>any</type>
          <attributes>
          </attributes>
        </label>
"""
