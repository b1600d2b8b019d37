"""Class tables: the ones that are known by name, and those that datasets keep in files."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec

from segfmt.classes import ClassInfo, ClassTable, Color, Role
from segfmt.errors import FormatError, UsageError, did_you_mean
from segfmt.limits import read_whole
from segfmt.lists import read_list

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

VOID_COLOR = (224, 224, 192)
Row = tuple[int, str, Color]


def _table(
    rows: Iterable[Row],
    background: int | None = None,
    ignore: int | None = None,
    aliases: Mapping[int, tuple[str, ...]] = MappingProxyType({}),
) -> ClassTable:
    roles: dict[int | None, Role] = {background: "background", ignore: "ignore"}
    return ClassTable(
        ClassInfo(id, name, color, roles.get(id, "class"), aliases.get(id, ()))
        for id, name, color in rows
    )


# The colors of the RGB column of the published table; its hex column disagrees with it in three
# rows. Speed bump and sidewalk share one.
AIHUB_DRIVING = _table(
    [
        (0, "undefined object/area", (0, 0, 0)),
        (1, "road", (130, 130, 130)),
        (2, "lane", (255, 255, 255)),
        (3, "road mark", (184, 134, 11)),
        (4, "crosswalk", (82, 226, 82)),
        (5, "speed bump", (255, 20, 145)),
        (6, "curb", (124, 252, 0)),
        (7, "static", (255, 145, 220)),
        (8, "sidewalk", (255, 20, 145)),
        (9, "parking place", (240, 255, 255)),
        (10, "vehicle", (0, 0, 255)),
        (11, "motorcycle", (255, 240, 100)),
        (12, "bicycle", (244, 149, 81)),
        (13, "pedestrian", (255, 0, 0)),
        (14, "rider", (255, 170, 40)),
        (15, "dynamic", (255, 130, 0)),
        (16, "traffic sign", (50, 150, 215)),
        (17, "traffic light", (191, 130, 191)),
        (18, "pole", (128, 128, 0)),
        (19, "building", (0, 60, 100)),
        (20, "guardrail", (210, 110, 110)),
        (21, "sky", (30, 144, 255)),
        (22, "water", (0, 206, 209)),
        (23, "mountain", (34, 214, 178)),
        (24, "vegetation", (107, 142, 35)),
        (25, "bridge", (47, 79, 79)),
    ],
    background=0,
)

# cityscapesscripts.helpers.labels, 2.3.0: (id, name, color), and which have a trainId. The licence
# plate has id -1 and is never painted, so it is in no table.
_CITYSCAPES: list[Row] = [
    (0, "unlabeled", (0, 0, 0)),
    (1, "ego vehicle", (0, 0, 0)),
    (2, "rectification border", (0, 0, 0)),
    (3, "out of roi", (0, 0, 0)),
    (4, "static", (0, 0, 0)),
    (5, "dynamic", (111, 74, 0)),
    (6, "ground", (81, 0, 81)),
    (7, "road", (128, 64, 128)),
    (8, "sidewalk", (244, 35, 232)),
    (9, "parking", (250, 170, 160)),
    (10, "rail track", (230, 150, 140)),
    (11, "building", (70, 70, 70)),
    (12, "wall", (102, 102, 156)),
    (13, "fence", (190, 153, 153)),
    (14, "guard rail", (180, 165, 180)),
    (15, "bridge", (150, 100, 100)),
    (16, "tunnel", (150, 120, 90)),
    (17, "pole", (153, 153, 153)),
    (18, "polegroup", (153, 153, 153)),
    (19, "traffic light", (250, 170, 30)),
    (20, "traffic sign", (220, 220, 0)),
    (21, "vegetation", (107, 142, 35)),
    (22, "terrain", (152, 251, 152)),
    (23, "sky", (70, 130, 180)),
    (24, "person", (220, 20, 60)),
    (25, "rider", (255, 0, 0)),
    (26, "car", (0, 0, 142)),
    (27, "truck", (0, 0, 70)),
    (28, "bus", (0, 60, 100)),
    (29, "caravan", (0, 0, 90)),
    (30, "trailer", (0, 0, 110)),
    (31, "train", (0, 80, 100)),
    (32, "motorcycle", (0, 0, 230)),
    (33, "bicycle", (119, 11, 32)),
]
CITYSCAPES_TRAIN_IDS = MappingProxyType(
    {
        id: train
        for train, id in enumerate(
            [7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33]
        )
    }
)
CITYSCAPES = _table(_CITYSCAPES, background=0)
# Everything without a trainId is 255 there, background included: the 19 have no background.
CITYSCAPES_TRAIN = _table(
    [
        *(
            (CITYSCAPES_TRAIN_IDS[id], name, color)
            for id, name, color in _CITYSCAPES
            if id in CITYSCAPES_TRAIN_IDS
        ),
        (255, "ignore", (0, 0, 0)),
    ],
    ignore=255,
)
KITTI = CITYSCAPES  # the devkit's ids are Cityscapes' labelIds

VOC = _table(
    [
        (0, "background", (0, 0, 0)),
        (1, "aeroplane", (128, 0, 0)),
        (2, "bicycle", (0, 128, 0)),
        (3, "bird", (128, 128, 0)),
        (4, "boat", (0, 0, 128)),
        (5, "bottle", (128, 0, 128)),
        (6, "bus", (0, 128, 128)),
        (7, "car", (128, 128, 128)),
        (8, "cat", (64, 0, 0)),
        (9, "chair", (192, 0, 0)),
        (10, "cow", (64, 128, 0)),
        (11, "diningtable", (192, 128, 0)),
        (12, "dog", (64, 0, 128)),
        (13, "horse", (192, 0, 128)),
        (14, "motorbike", (64, 128, 128)),
        (15, "person", (192, 128, 128)),
        (16, "pottedplant", (0, 64, 0)),
        (17, "sheep", (128, 64, 0)),
        (18, "sofa", (0, 192, 0)),
        (19, "train", (128, 192, 0)),
        (20, "tvmonitor", (0, 64, 128)),
        (255, "void", VOID_COLOR),
    ],
    background=0,
    ignore=255,
)

SATELLITE = _table(
    [(0, "background", (0, 0, 0)), (1, "building", (128, 128, 0)), (2, "road", (128, 64, 128))],
    background=0,
)
# Ids 1 to 7 are the buildings' type_id, 11 to 16 the roads' type_id + 10.
SATELLITE_FINE = _table(
    [
        (0, "background", (0, 0, 0)),
        (1, "소형 시설", (230, 25, 75)),
        (2, "아파트", (60, 180, 75)),
        (3, "공장", (255, 225, 25)),
        (4, "컨테이너 박스", (0, 130, 200)),
        (5, "중형 단독 시설", (245, 130, 48)),
        (6, "대형 시설", (145, 30, 180)),
        (7, "기타", (170, 110, 40)),
        (11, "Motorway", (70, 240, 240)),
        (12, "Primary", (240, 50, 230)),
        (13, "Secondary", (210, 245, 60)),
        (14, "Tertiary", (250, 190, 212)),
        (15, "Residential", (0, 128, 128)),
        (16, "Unclassified", (128, 128, 128)),
    ],
    background=0,
    aliases={11: ("Mortorway",)},  # as the data spells it
)

TABLES: Mapping[str, ClassTable] = MappingProxyType(
    {
        "aihub-driving": AIHUB_DRIVING,
        "cityscapes": CITYSCAPES,
        "cityscapes-train": CITYSCAPES_TRAIN,
        "kitti": KITTI,
        "satellite": SATELLITE,
        "satellite-fine": SATELLITE_FINE,
        "voc": VOC,
    }
)


class _Row(msgspec.Struct):
    id: int
    name: str
    color: Color = (0, 0, 0)
    role: Role = "class"


def read_table(path: Path) -> ClassTable:
    """Read `classes.json` (id, name, color, role), or a `labelmap.txt` (name:r,g,b:parts:actions).

    A labelmap's ids are its lines' places, the first being 0 and the background. Where none of its
    lines has a color, they have VOC's, as masks beside it were painted. Raises
    `FormatError` for a file that is neither, or whose classes contradict one another.
    """
    try:
        if path.suffix.lower() == ".json":
            rows = msgspec.json.decode(read_whole(path), type=list[_Row])
            return ClassTable(ClassInfo(row.id, row.name, row.color, row.role) for row in rows)
        return ClassTable(_labelmap(path))
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise FormatError(
            f"is no class table: {error}",
            path=path,
            mend='A table is [{"id": 1, "name": "road", "color": [128, 64, 128]}, ...].',
        ) from error


def _labelmap(path: Path) -> Iterable[ClassInfo]:
    lines = [(number, line) for number, line in read_list(path) if not line.startswith("#")]
    # As Datumaro writes the classes of a dataset that had no colors, beside masks in VOC's.
    uncolored = all(re.match("[^:]+:(:|$)", line) for _, line in lines)
    generated = voc_colors() if uncolored else []
    for id, (number, line) in enumerate(lines):
        name, _, rest = line.partition(":")
        if uncolored:
            color = generated[min(id, 255)]  # those of one color are told apart by id alone
        else:
            parts = rest.split(":")[0].split(",")
            if len(parts) != 3 or not all(part.strip().isdigit() for part in parts):
                raise ValueError(f"line {number} is not name:r,g,b:parts:actions")
            red, green, blue = (int(part) for part in parts)
            color = red, green, blue
        yield ClassInfo(id, name, color, "class" if id else "background")


def table_named(text: str) -> ClassTable:
    """Return the table of that name, or in that file; `UsageError` if there is neither."""
    from pathlib import Path

    if text in TABLES:
        return TABLES[text]
    if not Path(text).is_file():
        mend = did_you_mean(text, TABLES) or f"Tables: {', '.join(TABLES)}."
        raise UsageError(f'"{text}" is neither a class table nor a file. {mend}')
    return read_table(Path(text))


def voc_colors() -> list[Color]:
    """Return the colors that VOC's own tools give the indices 0 to 255, no two alike.

    Bits 0, 3, 6 of the index go to red from its highest bit down, bits 1, 4, 7 to green, bits 2, 5
    to blue, as in the devkit's `VOClabelcolormap`.

    >>> colors = voc_colors()
    >>> colors[1], colors[2], colors[15]
    ((128, 0, 0), (0, 128, 0), (192, 128, 128))
    """
    return [(_spread(id), _spread(id >> 1), _spread(id >> 2)) for id in range(256)]


def _spread(bits: int) -> int:
    return sum((bits >> 3 * place & 1) << (7 - place) for place in range(3))


NO_TABLE = (
    "no class table was found: 0 is taken for background, 255 for ignore, and the rest is named "
    "class_<id>. Give --table if that is not so"
)


def anonymous_table() -> ClassTable:
    """Return class_0 to class_254 and 255 as ignore, for masks of which no names are known.

    0 is taken for the background and 255 for ignore, as nearly all loaders do; colors are VOC's.
    """
    colors = voc_colors()
    return ClassTable(
        [
            ClassInfo(0, "class_0", colors[0], "background"),
            *(ClassInfo(id, f"class_{id}", colors[id]) for id in range(1, 255)),
            ClassInfo(255, "ignore", VOID_COLOR, "ignore"),
        ]
    )
