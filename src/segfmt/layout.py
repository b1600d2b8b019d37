"""Which folders hold a dataset's images and which its masks: by their names, or as told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from segfmt.errors import UsageError
from segfmt.files import nfc
from segfmt.pairing import SPLITS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

SPLIT = "{split}"
# Lower case. `<split>annot` beside `<split>` is how SegNet's CamVid has it.
IMAGE_FOLDERS = frozenset(
    {"images", "image", "imgs", "img", "img_dir", "jpegimages", "data", "rgb", "input", "inputs"}
)
MASK_FOLDERS = frozenset(
    {"masks", "mask", "labels", "label", "annotations", "annotation", "ann_dir", "annots"}
    | {"segmentationclass", "segmentation", "seg", "gt", "gts", "groundtruth", "ground_truth"}
)
ANNOT_FOLDERS = frozenset(f"{split}annot" for split in SPLITS)
SHOWN_FOLDERS = 8


def folder_patterns(
    root: Path, counts: Mapping[str, int], images: str, masks: str, *, told_apart: bool
) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return what the folders of images match and those of masks: see `place_in`.

    Parameters
    ----------
    root
        For messages.
    counts
        Every folder with image files, POSIX below the root, and how many it has.
    images, masks
        What the user named, or "": then the one that a well-known name gives away.
    told_apart
        Masks differ from images by their file names, so that both may be in one folder.

    Raises
    ------
    UsageError
        With all folders that were seen, where that leaves none or several.
    """
    seen = set(_named(counts))
    of_images, of_masks = (
        [given] if given else sorted(name for kind, name in seen if kind == which)
        for which, given in (("images", images), ("masks", masks))
    )
    if of_masks == [f"{SPLIT}annot"]:
        of_images = of_images or [SPLIT]
    if told_apart:
        of_images = of_images or of_masks or ["."]
        of_masks = of_masks or of_images
    mask_pattern = _only(root, "masks", of_masks, counts)
    if not of_images and all(place_in(mask_pattern, folder) for folder in counts):
        return mask_pattern, mask_pattern  # masks alone: every image is missing
    return _only(root, "images", of_images, counts), mask_pattern


def place_in(pattern: re.Pattern[str], folder: str) -> tuple[str, str] | None:
    """Return the split that a folder's path names, or "", and its rest, which begins a key.

    None if the folder is not what the pattern is for.
    """
    match = pattern.fullmatch(folder if folder != "." else "")
    if match is None:
        return None
    parts = [part for part in f"{match['before'] or ''}/{match['after'] or ''}".split("/") if part]
    split = match.groupdict().get("split")
    if split is None:
        split = next((part for part in parts if part.casefold() in SPLITS), "")
        if split:
            parts.remove(split)
    return SPLITS.get(split.casefold(), split), "".join(f"{part}/" for part in parts)


def _named(folders: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """Yield which kind of file each folder's path says it holds, and the name that says so."""
    for folder in folders:
        for part in reversed(folder.casefold().split("/")):
            if part in IMAGE_FOLDERS:
                yield "images", part
            elif part in MASK_FOLDERS:
                yield "masks", part
            elif part in ANNOT_FOLDERS:
                yield "masks", f"{SPLIT}annot"
            else:
                continue
            break  # the innermost name counts: of `data/masks`, `masks`


def _only(root: Path, kind: str, names: list[str], counts: Mapping[str, int]) -> re.Pattern[str]:
    if len(names) == 1:
        pattern = _pattern(names[0])
        if any(place_in(pattern, folder) for folder in counts):
            return pattern
        problem = f'has no folder "{names[0]}" with image files'
    elif names:
        problem = f"has several folders that could be that of the {kind}: {', '.join(names)}"
    else:
        problem = f"has no folder whose name says that it is that of the {kind}"
    shown = [f"{folder} ({count})" for folder, count in counts.items()]
    more = len(shown) - SHOWN_FOLDERS
    listed = ", ".join(shown[:SHOWN_FOLDERS]) + (f" and {more} more" if more > 0 else "")
    raise UsageError(
        f"{root} {problem}. Image files are in: {listed or 'none'}. Give -i {kind}=FOLDER"
    )


def _pattern(folder: str) -> re.Pattern[str]:
    """Return what matches the folder wherever it is, `{split}` standing for any name."""
    parts = nfc(folder).replace("\\", "/").split("/")
    text = "/".join(part for part in parts if part not in ("", "."))
    if not text:
        return re.compile("(?P<before>.*)(?P<after>)")
    middle = re.escape(text).replace(re.escape(SPLIT), "(?P<split>[^/]+)", 1)
    return re.compile(f"(?:(?P<before>.*?)/)??{middle}(?:/(?P<after>.*))?", re.IGNORECASE)
