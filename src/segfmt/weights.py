"""Class weights for training where some classes have far more pixels than others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Counts = npt.NDArray[np.int64]
    Weights = npt.NDArray[np.float64]

ENET_OFFSET = 1.02  # keeps weights between 1 and 50: Paszke et al. 2016, section 5.2


@dataclass(frozen=True, slots=True)
class ClassWeights:
    """Weights of the classes `ids`, in that order; ignore is not among them.

    A class without a pixel has 1 everywhere, but for ENet, whose formula has a value for it.
    """

    ids: tuple[int, ...]
    inverse: tuple[float, ...]
    median: tuple[float, ...]
    enet: tuple[float, ...]


def inverse_frequency(pixels: Counts) -> Weights:
    """Return N / (C n), of C classes with n pixels each and N in all.

    So the mean over all pixels is 1: it is scikit-learn's `class_weight="balanced"`.

    >>> inverse_frequency(np.array([6, 2, 0])).round(3).tolist()
    [0.667, 2.0, 1.0]
    """
    classes = np.count_nonzero(pixels)
    return _where_present(pixels, lambda n: pixels.sum() / (classes * n))


def median_frequency(pixels: Counts, of_images: Counts) -> Weights:
    """Return median(f) / f, where f is a class's share of all pixels of the images that have it.

    `of_images` counts those pixels. The formula is that of Eigen and Fergus, 2015, section 6.3.2.

    >>> median_frequency(np.array([6, 2, 1]), np.array([10, 10, 2])).round(3).tolist()
    [0.833, 2.5, 1.0]
    """
    present = pixels > 0
    shares = pixels[present] / of_images[present]
    return _where_present(pixels, lambda _: np.median(shares) / shares)


def enet_weights(pixels: Counts) -> Weights:
    """Return 1 / ln(1.02 + p), where p is a class's share of all pixels: ENet's weights.

    >>> enet_weights(np.array([6, 2, 0])).round(3).tolist()
    [1.751, 4.184, 50.498]
    """
    weights: Weights = 1 / np.log(ENET_OFFSET + pixels / max(int(pixels.sum()), 1))
    return weights


def _where_present(pixels: Counts, formula: Callable[[Counts], Weights]) -> Weights:
    weights = np.ones(len(pixels))
    present = pixels > 0
    if present.any():
        weights[present] = formula(pixels[present])
    return weights
