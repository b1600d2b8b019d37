"""CVAT datasets for tests, written as text."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import segfmt

SIZE = (12, 16)  # height, width
SQUARE = "2.00,2.00;9.00,2.00;9.00,7.00;2.00,7.00"
ROAD = "<label><name>road</name><color>#804080</color></label>"
SKY = "<label><name>하늘</name><color>#4682b4</color></label>"


def document(*images: str, labels: str = ROAD + SKY, head: str | None = None) -> str:
    """Return a document of `<image>` elements; `head` is its meta, if not one of the labels."""
    if head is None:
        head = f"<meta><task><labels>{labels}</labels></task></meta>"
    body = "\n".join(images)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f"<annotations>\n<version>1.1</version>\n{head}\n{body}\n</annotations>\n"
    )


def image(name: str, *shapes: str, size: tuple[int, int] = SIZE, **attributes: Any) -> str:
    height, width = size
    given = {"id": 0, "name": name, "width": width, "height": height, **attributes}
    inside = "\n  ".join(shapes)
    return f"<image{_written(given)}>\n  {inside}\n</image>"


def polygon(label: str = "road", points: str = SQUARE, *inside: str, **attributes: Any) -> str:
    given = {"label": label, "points": points, **attributes}
    return f"<polygon{_written(given)}>{''.join(inside)}</polygon>"


def shape(tag: str, label: str = "road", **attributes: Any) -> str:
    return f"<{tag}{_written({'label': label, **attributes})}/>"


def _written(attributes: dict[str, Any]) -> str:
    return "".join(f' {key}="{value}"' for key, value in attributes.items() if value is not None)


def value(text: str, name: str = "attribute") -> str:
    return f'<attribute name="{name}">{text}</attribute>'


def attribute(name: str, kind: str, values: Sequence[str] = (), default: str = "") -> str:
    lines = "\n".join(values)
    return (
        f"<attribute><name>{name}</name><input_type>{kind}</input_type>"
        f"<default_value>{default}</default_value><values>{lines}</values></attribute>"
    )


def label(name: str, *attributes: str, more: str = "") -> str:
    return f"<label><name>{name}</name>{more}<attributes>{''.join(attributes)}</attributes></label>"


def write_image(path: Path, size: tuple[int, int] = SIZE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((*size, 3), 90, np.uint8)).save(path)
    return path


def write(path: Path, text: str, encoding: str = "utf-8", declared: str = "") -> Path:
    named = text.replace('encoding="utf-8"', f'encoding="{declared or encoding}"', 1)
    segfmt.atomic_write(path, named.encode(encoding))
    return path


def one(root: Path, *shapes: str, labels: str = ROAD + SKY, **options: Any) -> segfmt.Sample:
    """Return the only sample of a dataset that is written with these shapes."""
    write(root / "annotations.xml", document(image("x.jpg", *shapes), labels=labels))
    write_image(root / "images/x.jpg")
    return only(root, **options)


def only(root: Path, **options: Any) -> segfmt.Sample:
    (sample,) = segfmt.open_dataset(root, "cvat", **options)
    return sample


def painted(sample: segfmt.Sample) -> np.ndarray:
    if isinstance(sample.label, segfmt.Mask):
        return sample.label.ids
    return segfmt.rasterize(sample.label, sample.shape)


def counts(sample: segfmt.Sample) -> dict[tuple[str, str], int]:
    return {(note.code, note.subject): note.count for note in sample.notes}
