"""Masks compared pixel by pixel."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from make_data import HEIGHT, WIDTH, shapes, stem
from roster import Ids, Masks, Peer

from segfmt import Polygons, rasterize


@dataclass(frozen=True)
class Pixels:
    """How many pixels differ, of how many.

    `explained` counts against what segfmt paints by the peer's rule and in its order, `plain`
    against the masks that segfmt wrote in the same job.
    """

    of: int
    explained: int
    plain: int


def compare(peer: Peer, ours: Masks, our_out: Path, their_out: Path, images: int) -> Pixels:
    """Compare the masks of all images."""
    explained = plain = 0
    for number in range(images):
        theirs = peer.masks.read(their_out, stem(number))
        explained += int((theirs != painted(number, peer)).sum())
        plain += int((theirs != ours.read(our_out, stem(number))).sum())
    return Pixels(images * WIDTH * HEIGHT, explained, plain)


def painted(number: int, peer: Peer) -> Ids:
    """Return what segfmt paints of an image's polygons as the peer does."""
    found = shapes(number)
    if peer.order == "reversed":
        found.reverse()
    elif peer.order == "by class":
        found.sort(key=lambda shape: shape[0])
    kept = np.float32 if peer.float32 else np.float64
    rings = [[ring.astype(kept)] for _, ring in found]
    ids = np.array([id for id, _ in found])
    return rasterize(Polygons.from_rings(rings, ids, fill_rule=peer.rule), (HEIGHT, WIDTH))
