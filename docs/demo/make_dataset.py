"""Write a small dataset of synthetic driving scenes in the layout of AIHub, faults included.

``python docs/demo/make_dataset.py DIR`` writes, the same every time::

    DIR/<Training|Validation>/원천데이터/<scene>/JPEGImages/<stem>.jpg
    DIR/<Training|Validation>/라벨링데이터/<scene>/<stem>.json

Ten samples are good, eight in Training and two in Validation; three more are not. What is wrong
or odd, as it is in real deliveries:

=============================  ==========================================================
file                           what about it
=============================  ==========================================================
DA_00C_AC_211006_05_000342     good; the JSON begins with a byte order mark
DA_00C_AC_211006_05_000517     good but for one more `lane` of two points, which is dropped
DA_00C_AC_211006_05_000764     good; ``Resolution`` says 1280x720, the image is 1920x1080
DA_00C_AC_211006_05_000820     fails: a label is misspelt, ``pedestrain``
DA_00C_AC_211006_05_000907     skipped: there is no image
NI_00S_HI_211012_05_000195     good; the JSON is in cp949, not in UTF-8
NI_00S_HI_211012_05_000388     fails: a comma after the last annotation
=============================  ==========================================================
"""

import json
import re
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from scenes import HEIGHT, WIDTH, Floats, Polygon, Scene, make_scene

# What lies in which folder: the image's number, which also seeds its scene, the scene, the fault.
SAMPLES: dict[tuple[str, str], list[tuple[int, Scene, str]]] = {
    ("Training", "DA_00C_AC_211006_05"): [
        (191, Scene("주간", "맑음", "교차로", "city", "city", 0, 2, ("crosswalk",)), ""),
        (342, Scene("주간", "흐림", "학교", "park", "parking", 0, 1, ("speed bump",)), "BOM"),
        (453, Scene("주간", "맑음", "강변", "park", "water", -0.0009), ""),
        (517, Scene("주간", "비", "도심", "city", "park", 0.0014), "two points"),
        (689, Scene("주간", "맑음", "주택가", "parking", "city", -0.0012, 1,
                    ("speed bump", "crosswalk")), ""),
        (764, Scene("주간", "맑음", "공사", "park", "city", -0.0018, 2, ("works",)), "resolution"),
        (820, Scene("주간", "흐림", "강변", "water", "parking", 0.0012, 2, ("works",)), "misspelt"),
        (907, Scene("주간", "흐림", "국도", "field", "field", 0, 1), "no image"),
    ],
    ("Training", "NI_00S_HI_211012_05"): [
        (195, Scene("야간", "맑음", "교차로", "city", "city", 0, 2, ("crosswalk",)), "cp949"),
        (388, Scene("야간", "흐림", "강변", "city", "water", 0.0008, 2, ("overpass",)), "comma"),
        (412, Scene("야간", "비", "도심", "city", "parking", 0.001, 1, ("crosswalk",)), ""),
    ],
    ("Validation", "DA_00C_NO_211007_04"): [
        (3943, Scene("주간", "흐림", "고속", "field", "field", -0.0016, 3, ("overpass",)), ""),
        (4120, Scene("주간", "비", "국도", "field", "park", 0.002, 1), ""),
    ],
}  # fmt: skip


def clip(polygon: Floats, margin: float) -> Floats:
    """Return what is inside the picture, or up to `margin` pixels outside (Sutherland-Hodgman)."""
    high = (WIDTH + margin, HEIGHT + margin)
    for axis, limit, sign in [(a, -margin, 1) for a in (0, 1)] + [(a, high[a], -1) for a in (0, 1)]:
        kept = []
        for p, q in zip(polygon, np.roll(polygon, -1, 0), strict=True):
            inside_p, inside_q = sign * (p[axis] - limit) >= 0, sign * (q[axis] - limit) >= 0
            if inside_p:
                kept.append(p)
            if inside_p != inside_q:
                kept.append(p + (q - p) * ((limit - p[axis]) / (q[axis] - p[axis])))
        polygon = np.reshape(kept, (-1, 2))
    return polygon


def annotation(label: str, points: Floats) -> dict[str, Any]:
    (x, y), (next_x, next_y) = points.T, np.roll(points, -1, 0).T
    corner, opposite = points.min(0), points.max(0)
    return {
        "Label": label,
        "Type": "polygon",
        "bbox": np.concatenate([corner, opposite - corner]).round(1).tolist(),
        "area": round(abs(float(x @ next_y - y @ next_x)) / 2, 1),
        "Coordinate": points.tolist(),
        "Data_type": "worker",
    }


def annotations(polygons: list[Polygon]) -> list[dict[str, Any]]:
    """Return the annotations as people draw them: most stop at the border, some go past it."""
    found = []
    for index, (label, polygon) in enumerate(polygons):
        points = clip(polygon, 2.5 if index % 4 == 1 else 0.0).round(1) + 0.0  # no -0.0
        # Nobody draws what is tiny.
        if len(points) and (entry := annotation(label, points))["area"] > 20:
            found.append(entry)
    return found


def label_text(name: str, folder: str, scene: Scene, fault: str, polygons: list[Polygon]) -> str:
    """Return the label file's text, with its fault."""
    entries = annotations(polygons)
    if fault == "two points":
        entries.append(annotation("lane", np.array([(1012.4, 655.0), (1020.1, 671.3)])))
    if fault == "misspelt":
        next(e for e in entries if e["Label"] == "pedestrian")["Label"] = "pedestrain"
    document = {
        "Source_Image_Info": {
            "Img_name": name,
            "Img_path": f"{folder}/JPEGImages",
            "Resolution": [1280, 720] if fault == "resolution" else [WIDTH, HEIGHT],
            "Copyrighter": "(주)가상도로",
            "Time_zone": scene.time_zone,
            "Location": scene.location,
            "Gps": "",
            "Weather": scene.weather,
        },
        "Annotation": entries,
    }
    text = json.dumps(document, ensure_ascii=False, indent=4)
    if fault == "comma":
        text = re.sub(r"\}(?=\s*\]\s*\}$)", "},", text)
    # A point to a line keeps the files readable and small.
    return re.sub(r"\[([-\d.,\s]+)\]", lambda match: f"[{' '.join(match[1].split())}]", text)


def write_sample(root: Path, folder: str, number: int, scene: Scene, fault: str) -> None:
    """Write one image and its label file below the root of its split."""
    stem = f"{folder}_{number:06}"
    images, labels = root / "원천데이터" / folder / "JPEGImages", root / "라벨링데이터" / folder
    images.mkdir(parents=True, exist_ok=True)
    labels.mkdir(parents=True, exist_ok=True)
    image, polygons = make_scene(scene, seed=number)
    if fault != "no image":
        image.save(images / f"{stem}.jpg", quality=88)
    text = label_text(f"{stem}.jpg", folder, scene, fault, polygons)
    encoding = {"BOM": "utf-8-sig", "cp949": "cp949"}.get(fault, "utf-8")
    (labels / f"{stem}.json").write_bytes(text.encode(encoding))


def make_dataset(root: Path) -> None:
    """Write all samples below `root`, some at a time."""
    with ProcessPoolExecutor() as pool:
        written = [
            pool.submit(write_sample, root / split, folder, *sample)
            for (split, folder), samples in SAMPLES.items()
            for sample in samples
        ]
    for sample in written:
        sample.result()


if __name__ == "__main__":
    make_dataset(Path(sys.argv[1]))
