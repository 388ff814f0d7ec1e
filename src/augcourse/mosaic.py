"""A recipe → one small picture of what it does to the ten digits, as a PNG.

The digits are from the pool, which students have: nothing of `test` is in such a picture.
"""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from augcourse import data
from augcourse.augment import Recipe
from augcourse.settings import CLASSES

__all__ = ["TRIES", "digits_of", "of_recipe", "png"]

TRIES = 3
"""How often each digit is sent through the recipe."""

GAP = 2  # pixels between pictures
PAPER = 255


def digits_of(name: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """One digit of each class from the pool, the same ones each time: uint8 (10, 28, 28, 1) and int64 (10,)."""
    images, labels = data.load_arrays(data.POOL, name)
    first = [int(np.flatnonzero(labels == digit)[0]) for digit in range(CLASSES)]
    return images[first], labels[first]


def of_recipe(recipe: Recipe, name: str | None = None) -> bytes:
    """A PNG: ten digits in the first row, and below them what the recipe makes of each, `TRIES` times.

    Raises:
        RecipeError: a transform of the recipe stops.
    """
    images, labels = digits_of(name)
    return png([images, *(recipe.apply(images, labels, seed=seed) for seed in range(TRIES))])


def png(rows: list[np.ndarray]) -> bytes:
    """Rows of grey pictures, uint8 (n, height, width, 1) each, as one PNG; a wider gap follows the first row."""
    count, height, width = rows[0].shape[:3]
    above = [place * (height + GAP) + (GAP if place else 0) for place in range(len(rows))]
    sheet = np.full((above[-1] + height, count * (width + GAP) - GAP), PAPER, np.uint8)
    for top, row in zip(above, rows, strict=True):
        for place, picture in enumerate(row):
            left = place * (width + GAP)
            sheet[top : top + height, left : left + width] = picture[..., 0]
    written = io.BytesIO()
    Image.fromarray(sheet).save(written, "PNG", optimize=True)
    return written.getvalue()
