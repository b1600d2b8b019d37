"""Satellite labels of AIHub and SIA in GeoJSON: buildings and roads in pixels, or land cover."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from segfmt.errors import UsageError
from segfmt.files import walk
from segfmt.format import Format, Holds, Reader
from segfmt.formats._imcoords import COARSE, ImcoordsReader, Level, UnknownLabel
from segfmt.formats._landcover import LandcoverReader
from segfmt.formats._satellite_write import SatelliteWriter
from segfmt.hookspecs import hookimpl

Dialect = Literal["imcoords", "landcover"]
_SIGNS: tuple[tuple[bytes, Dialect], ...] = (
    (b'_imcoords"', "imcoords"),
    (b'"ANN_CD"', "landcover"),
    (b'"img_resolution"', "landcover"),
)


def satellite_reader(
    root: Path,
    dialect: Annotated[
        Literal["auto", "imcoords", "landcover"],
        "buildings and roads with `*_imcoords`, or land cover with `ANN_NM`; `auto` looks",
    ] = "auto",
    level: Annotated[
        Level, "of imcoords: building and road, or the 7 types of buildings and the 6 of roads"
    ] = "coarse",
    lists: Annotated[
        Literal["use", "ignore"],
        "of imcoords: splits from lists such as `train.csv` where there are, or from folders alone",
    ] = "use",
    table: Annotated[
        str, "of landcover: class table, a built-in one's name, or a file; else the usual names"
    ] = "",
    unknown_label: Annotated[
        UnknownLabel,
        "a type or a land cover that is no class: fail the sample, or paint it as ignore (255) or "
        "background",
    ] = "error",
    follow_links: Annotated[bool, "follow links that lead out of the dataset"] = False,
) -> Reader:
    """Open a dataset of either dialect; `UsageError` for an option of the other."""
    if dialect == "auto":
        seen = _seen(root)
        dialect = seen[1] if seen else "imcoords"
    if dialect == "imcoords":
        if table:
            raise UsageError("--table is for land cover: buildings and roads have their own table")
        return ImcoordsReader(root, level, lists, unknown_label, follow_links)
    if (level, lists) != ("coarse", "use"):
        raise UsageError("-i level and -i lists are for buildings and roads, not for land cover")
    return LandcoverReader(root, table, unknown_label, follow_links)


def _seen(root: Path) -> tuple[str, Dialect] | None:
    """Return what shows a dialect in the first label files below the folder, and which."""
    jsons = (path for path in walk(root) if path.suffix.lower() == ".json")
    for _, path in zip(range(5), jsons, strict=False):
        with path.open("rb") as file:
            start = file.read(65536)
        for sign, dialect in _SIGNS:
            if sign in start:
                words = sign.decode().strip('"_')
                return f"{path.relative_to(root)} has {words}", dialect
    return None


def detect(root: Path) -> str | None:
    """Tell a satellite set by the first label files below the folder."""
    seen = _seen(root)
    return seen[0] if seen else None


@hookimpl
def segfmt_formats() -> list[Format]:
    """Bring satellite GeoJSON."""
    return [
        Format(
            "satellite",
            "AIHub/SIA satellite GeoJSON: buildings, roads; land cover",
            reader=satellite_reader,
            writer=SatelliteWriter,
            detect=detect,
            table=COARSE,
            holds=Holds(polygons=True, splits=True, image_types=(".png",)),
        )
    ]
