"""From an index mask to CVAT's masks: run lengths, row by row through a box, zeros first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from segfmt import Mask


class MaskRuns(NamedTuple):
    """The pixels of one class, or of one of its objects, in the smallest box about them."""

    id: int
    number: int
    left: int
    top: int
    width: int
    height: int
    counts: list[int]


def mask_runs(mask: Mask) -> Iterator[MaskRuns]:
    """Yield the pixels of each class and object of a mask, in that order."""
    labels = mask.ids.astype(np.uint32)
    if mask.instances is not None:
        labels |= mask.instances.astype(np.uint32) << np.uint32(8)
    width = labels.shape[1]
    begins = np.ones(labels.shape, bool)  # of a run within a row
    begins[:, 1:] = labels[:, 1:] != labels[:, :-1]
    starts = np.flatnonzero(begins)
    lengths = np.diff(starts, append=labels.size)
    codes = labels.reshape(-1)[starts]
    order = np.argsort(codes, kind="stable")
    found, firsts = np.unique(codes[order], return_index=True)
    for code, runs in zip(found.tolist(), np.split(order, firsts[1:]), strict=True):
        rows, columns = np.divmod(starts[runs], width)
        yield _in_box(code, rows, columns, lengths[runs])


def _in_box(
    code: int,
    rows: npt.NDArray[np.int64],
    columns: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
) -> MaskRuns:
    left, top = int(columns.min()), int(rows[0])
    width, height = int((columns + lengths).max()) - left, int(rows[-1]) - top + 1
    starts = (rows - top) * width + columns - left
    ends = starts + lengths
    apart = starts[1:] != ends[:-1]  # runs that fill the box's width go on in the next row
    bounds = np.column_stack((starts[np.append(True, apart)], ends[np.append(apart, True)]))
    counts = np.diff(bounds.reshape(-1), prepend=0).tolist()
    if rest := width * height - int(ends[-1]):
        counts.append(rest)
    return MaskRuns(code & 255, code >> 8, left, top, width, height, counts)
