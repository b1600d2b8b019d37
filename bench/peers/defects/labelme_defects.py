"""What labelme2voc.py does, shown."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from PIL import Image
from small import square, tell


def images_are_encoded_again(folder: Path) -> str:
    """JPEG images are decoded and encoded again, which loses and cannot be switched off."""
    source = folder / "labelme"
    source.mkdir()
    Image.effect_noise((64, 64), 80).convert("RGB").save(source / "a.jpg", quality=95)
    document = {
        "version": "6.3.1",
        "flags": {},
        "shapes": [{"label": "one", "points": square(8, 8, 20), "shape_type": "polygon"}],
        "imagePath": "a.jpg",
        "imageData": None,
    }
    (source / "a.json").write_text(json.dumps(document), encoding="utf-8")
    script = str(Path(sys.prefix) / "labelme2voc.py")
    labels = "__ignore__,_background_,one"
    command = [sys.executable, script, str(source), str(folder / "out"), "--labels", labels]
    subprocess.run([*command, "--noobject", "--nonpy", "--noviz"], check=True, capture_output=True)
    before = (source / "a.jpg").read_bytes()
    after = (folder / "out" / "JPEGImages" / "a.jpg").read_bytes()
    return f"{len(before)} bytes became {len(after)}" if before != after else ""


if __name__ == "__main__":
    tell("labelme", images_are_encoded_again)
