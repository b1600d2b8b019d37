"""Satellite land cover: polygons in metres, on files written by hand."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from rasterio.features import rasterize as gdal
from rasterio.transform import Affine

from aihub_files import write_image
from segfmt import ClassInfo, ClassTable, FormatError, Sample, UsageError, rasterize
from segfmt.formats.satellite import detect, satellite_reader

STEM = "LC_JJ_AP25_33606070_002_2019"
X0, Y0, METRES = 165432.5, 512340.25, 0.25
META = {
    "img_id": f"{STEM}_FGT.tif",
    "img_width": 16,
    "img_height": 12,
    "img_resolution": METRES,
    "coordinates": f"{X0}, {Y0}",
    "ann_id": "FGT",
    "region": "제주",
}
# In pixels, as x right and y down; `ground` makes metres of them.
OUTER, HOLE, PART = (
    [[1.3, 1.2], [10.7, 1.4], [10.2, 9.8], [1.1, 9.1], [1.3, 1.2]],
    [[4.2, 3.7], [6.9, 4.1], [5.8, 7.3], [4.2, 3.7]],
    [[12.1, 2.0], [15.9, 2.5], [14.0, 8.25], [12.1, 2.0]],
)


def ground(ring: list[list[float]]) -> list[list[float]]:
    return [[X0 + x * METRES, Y0 - y * METRES] for x, y in ring]


def feature(
    *polygons: list[list[list[float]]], name: Any = "건물", code: Any = 10, **more: Any
) -> dict[str, Any]:
    rings = [[ground(ring) for ring in polygon] for polygon in polygons]
    kind = "Polygon" if len(rings) == 1 else "MultiPolygon"
    geometry = {"type": kind, "coordinates": rings[0] if len(rings) == 1 else rings, **more}
    return {
        "type": "Feature",
        "properties": {"ANN_CD": code, "ANN_NM": name},
        "geometry": geometry,
    }


def write(path: Path, document: Any, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(json.dumps(document, ensure_ascii=False).encode(encoding))
    return path


def tile(root: Path, *features: dict[str, Any], meta: Any = META, encoding: str = "cp949") -> Path:
    write_image(root / "TS_FGT_512" / f"{STEM}_FGT.tif")
    document = {"type": "FeatureCollection", "name": STEM, "features": list(features)}
    write(root / "TL_FGT_512" / "FGT_512_Json" / f"{STEM}_FGT.json", document)
    if meta is not None:
        write(root / "TL_FGT_512" / "FGT_512_Meta" / f"{STEM}_FGT_META.json", [meta], encoding)
    return root


def read(root: Path, **options: Any) -> Sample:
    reader = satellite_reader(root, **options)
    (ref,) = reader.scan()
    return reader.load(ref)


def painted(sample: Sample) -> npt.NDArray[np.uint8]:
    return rasterize(sample.label, sample.shape)


def test_polygons_with_holes_and_parts_paint_as_gdal_does(tmp_path: Path) -> None:
    features = [
        feature([OUTER, HOLE]),
        feature([PART], [HOLE], name="수역", code=95),
        feature([PART], name="비대상지", code=100),
    ]
    sample = read(tile(tmp_path, *features[:2]))
    expected = gdal(
        [(features[0]["geometry"], 10), (features[1]["geometry"], 95)],
        (12, 16),
        transform=Affine(METRES, 0, X0, 0, -METRES, Y0),
        dtype=np.uint8,
    )
    assert {10, 95} <= set(np.unique(expected))
    assert (painted(sample) == expected).all()
    assert (sample.label.fill_rule, sample.shape) == ("center", (12, 16))
    assert sample.label.polygon_offsets.tolist() == [0, 2, 3, 4]
    assert (sample.ref.key, sample.ref.split) == (f"{STEM}_FGT", "train")
    assert not sample.notes


@pytest.mark.parametrize("encoding", ["cp949", "utf-8", "utf-8-sig", "utf-16-le"])
def test_meta_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    sample = read(tile(tmp_path, feature([OUTER]), encoding=encoding))
    assert np.allclose(sample.label.points, OUTER)


@pytest.mark.parametrize(
    ("image", "label", "meta", "split"),
    [
        (
            "TS_FGT_512/{0}_FGT.tif",
            "TL/FGT_512_Json/{0}_FGT.json",
            "TL/Meta/{0}_FGT_META.json",
            "train",
        ),
        (
            "2.Validation/원천데이터/VS_항공사진_FGT_512픽셀/{0}_FGT.tif",
            "2.Validation/라벨링데이터/항공사진_FGT_512픽셀_Json/{0}_FGT.json",
            "2.Validation/라벨링데이터/항공사진_FGT_512픽셀_Meta/{0}_FGT_META.json",
            "val",
        ),
        (
            "image/{0}_1024.tif",
            "label/ANN_JSON/{0}_FGT_1024.json",
            "label/META_JSON/{0}_FGT_META_1024.json",
            "train",
        ),
        ("a/{0}_FGT_1024.tif", "b/{0}_FGT_1024.json", "c/{0}_FGT_META_1024.json", "train"),
    ],
)
def test_layouts(tmp_path: Path, image: str, label: str, meta: str, split: str) -> None:
    write_image(tmp_path / image.format(STEM))
    write_image(tmp_path / "label" / "FGT_TIF" / f"{STEM}_FGT.tif")  # a mask
    write(tmp_path / label.format(STEM), {"features": [feature([OUTER])]})
    write(tmp_path / meta.format(STEM), [META])
    reader = satellite_reader(tmp_path)
    (ref,) = reader.scan()
    assert ref.split == split
    assert ref.image == tmp_path / image.format(STEM)
    assert ref.source.meta == tmp_path / meta.format(STEM)
    assert str(ref.source) == str(tmp_path / label.format(STEM))
    assert not reader.load(ref).notes


def test_without_meta_the_bounds_are_the_tile_and_that_is_said(tmp_path: Path) -> None:
    corner = [[0, 0], [8, 0], [8, 6], [0, 6]]
    far = [[8, 6], [16, 6], [16, 12], [8, 12]]
    sample = read(tile(tmp_path, feature([corner]), feature([far], name="밭"), meta=None))
    assert sample.label.points.tolist() == [*corner, *far]
    assert [(note.code, note.subject) for note in sample.notes] == [
        ("no META file, place approximate", "taken from the label's bounds")
    ]


def test_without_features_there_is_an_empty_mask(tmp_path: Path) -> None:
    for name, meta in (("a", META), ("b", None)):
        assert not painted(read(tile(tmp_path / name, meta=meta), dialect="landcover")).any()


def test_without_an_image_meta_tells_the_size(tmp_path: Path) -> None:
    root = tile(tmp_path, feature([OUTER]), meta={**META, "img_width": "20", "img_height": 14})
    assert read(root).shape == (12, 16)
    assert [note.code for note in read(root).notes] == ["sizes taken from the image"]
    (root / "TS_FGT_512" / f"{STEM}_FGT.tif").unlink()
    assert read(root).shape == (14, 20)
    next(root.rglob("*META.json")).unlink()
    with pytest.raises(FormatError, match="neither an image nor a META file"):
        read(root)


@pytest.mark.parametrize(
    ("name", "code", "id"),
    [
        ("건물", 10, 10),
        ("활엽수림", 10, 71),  # another product's code: the name counts
        (" 비닐 하우스", None, 55),
        ("비대상지", 100, 0),
        (None, 95, 95),
        ("", "60", 60),
        (None, 100, 0),
        (float("nan"), 30.0, 30),
    ],
)
def test_names_count_and_codes_where_there_are_none(
    tmp_path: Path, name: Any, code: Any, id: int
) -> None:
    sample = read(tile(tmp_path, feature([OUTER], name=name, code=code)))
    assert sample.label.class_ids.tolist() == [id]


@pytest.mark.parametrize(("policy", "id"), [("ignore", 255), ("background", 0)])
def test_unknown_names_follow_the_policy(tmp_path: Path, policy: str, id: int) -> None:
    root = tile(tmp_path, feature([OUTER], name="소나무"), feature([PART], name=None, code=3))
    sample = read(root, unknown_label=policy)
    assert sample.label.class_ids.tolist() == [id, id]
    assert [(note.code, note.subject) for note in sample.notes] == [
        ("unknown labels", "소나무"),
        ("unknown labels", "ANN_CD 3"),
    ]
    with pytest.raises(FormatError, match='"소나무", "ANN_CD 3"') as caught:
        read(root)
    assert caught.value.where == "features[0].properties.ANN_NM"


def test_a_table_of_another_product(tmp_path: Path) -> None:
    table = ClassTable([ClassInfo(0, "none", role="background"), ClassInfo(3, "소나무")])
    (tmp_path / "trees.json").write_bytes(table.to_json())
    root = tile(tmp_path / "set", feature([OUTER], name="소나무"), feature([PART], name="", code=3))
    options = {"table": str(tmp_path / "trees.json")}
    assert satellite_reader(root, **options).classes == table
    assert read(root, **options).label.class_ids.tolist() == [3, 3]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"coordinates": "165432.5"}, 'coordinates: "165432.5" is not "x, y"'),
        ({"coordinates": "x, y"}, 'is not "x, y"'),
        ({"img_resolution": 0}, "img_resolution: 0.0 metres a pixel cannot be"),
        ({"coordinates": f"{Y0}, {X0}"}, "has no polygon that touches its image"),
    ],
)
def test_meta_that_cannot_be(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        read(tile(tmp_path, feature([OUTER]), meta={**META, **change}))


@pytest.mark.parametrize(
    ("geometry", "reason"),
    [
        (
            {"type": "Polygon", "coordinates": [[[1, 2, 3], [4, 5, 6]]]},
            r"coordinates\[0\]\[0\]: .*3",
        ),
        ({"type": "Polygon", "coordinates": 3}, r"geometry.coordinates: is no Polygon"),
        (
            {"type": "MultiPolygon", "coordinates": [[[[1, "a"]]]]},
            r'coordinates\[0\]\[0\]\[0\].*"a"',
        ),
    ],
)
def test_coordinates_of_another_shape_are_named(
    tmp_path: Path, geometry: dict[str, Any], reason: str
) -> None:
    root = tile(tmp_path, {**feature([OUTER]), "geometry": geometry})
    with pytest.raises(FormatError, match=reason):
        read(root)


def test_what_is_no_polygon_is_left_out_and_counted(tmp_path: Path) -> None:
    line = {"type": "LineString", "coordinates": [[X0, Y0], [X0 + 1, Y0]]}
    sample = read(
        tile(
            tmp_path,
            {**feature([OUTER]), "geometry": line},
            {**feature([OUTER]), "geometry": None},
            feature([PART], name="밭"),
        )
    )
    assert sample.label.class_ids.tolist() == [60]
    assert {(note.code, note.subject) for note in sample.notes} == {
        ("shapes left out: not polygons", "LineString"),
        ("shapes left out: not polygons", "none"),
    }


def test_detect_and_options_of_the_other_dialect(tmp_path: Path) -> None:
    root = tile(tmp_path, feature([OUTER]))
    label = Path("TL_FGT_512", "FGT_512_Json", f"{STEM}_FGT.json")
    assert detect(root) == f"{label} has ANN_CD"
    with pytest.raises(UsageError, match="-i level"):
        satellite_reader(root, level="fine")
