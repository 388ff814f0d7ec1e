"""Coloured ink: grey digits, written with a pen of one of ten colours on black paper.

In training each class has its favourite pen, so that a model can read the pen instead of the digit; at test time any
pen writes any digit (after the Coloured MNIST of Arjovsky, Bottou, Gulrajani and Lopez-Paz 2019, arXiv:1907.02893).

In: uint8 pictures (n, 28, 28, 1) in 0..255. Out: uint8 pictures (n, 28, 28, 3), red, green and blue.
"""

from __future__ import annotations

import colorsys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augcourse.settings import CLASSES

__all__ = ["FAVOURITE_SHARE", "PENS", "any_pen", "favourite_pen", "tinted"]

FAVOURITE_SHARE = 0.8
"""The share of a class's training digits that are written with its favourite pen."""

PENS: NDArray[np.float64] = 255 * np.array([colorsys.hsv_to_rgb(pen / CLASSES, 1, 1) for pen in range(CLASSES)])
"""float64 (10, 3): full ink of each pen, ten hues at equal distances; pen k is the favourite of digit k."""


def tinted(images: NDArray[np.uint8], ink: Any) -> NDArray[np.uint8]:
    """uint8 (..., 28, 28, 3): grey pictures (..., 28, 28, 1) drawn again in coloured ink on black paper.

    Args:
        ink: red, green and blue of full ink, each in 0..255; or (28, 3), one ink per column; or (n, 1, 1, 3), one
            ink per picture.
    """
    return np.rint(images / 255.0 * np.asarray(ink)).astype(np.uint8)


def any_pen(images: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
    """uint8 (n, 28, 28, 3): every digit with a pen drawn at random, all ten equally likely.

    Args:
        images: uint8 (n, 28, 28, 1).
        seed: of `np.random.default_rng`; equal arguments give equal pictures.
    """
    return _written(images, np.random.default_rng(seed).integers(CLASSES, size=len(images)))


def favourite_pen(
    images: NDArray[np.uint8], labels: NDArray[np.integer], seed: int, share: float = FAVOURITE_SHARE
) -> NDArray[np.uint8]:
    """uint8 (n, 28, 28, 3): a share of each class with its favourite pen, the others with a pen drawn at random.

    Exactly the share, to the nearest whole digit: ten labels of a class are too few to leave it to chance.

    Args:
        images: uint8 (n, 28, 28, 1).
        labels: int (n,) in 0..9.
        seed: of `np.random.default_rng`; equal arguments give equal pictures.
        share: of each class, in 0..1.
    """
    rng = np.random.default_rng(seed)
    pens = np.array(labels, np.int64)
    for digit in range(CLASSES):
        of_class = rng.permutation(np.flatnonzero(labels == digit))
        others = of_class[round(share * len(of_class)) :]
        pens[others] = (digit + rng.integers(1, CLASSES, size=len(others))) % CLASSES
    return _written(images, pens)


def _written(images: NDArray[np.uint8], pens: NDArray[np.int64]) -> NDArray[np.uint8]:
    return tinted(images, PENS[pens][:, None, None, :])
