"""A recipe → one small picture of what it does to the ten digits, as a PNG.

The digits are from the pool, which students have: nothing of `test` is in such a picture.
"""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from augcourse import data
from augcourse.augment import Recipe
from augcourse.digits import ink
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


def of_recipe(recipe: Recipe, name: str | None = None, *, on_ink: bool = False) -> bytes:
    """A PNG: ten digits in the first row, and below them what the recipe makes of each, `TRIES` times.

    Args:
        on_ink: each digit is written with its favourite pen (`augcourse.digits.ink`).

    Raises:
        RecipeError: a transform of the recipe stops.
    """
    images, labels = digits_of(name)
    if on_ink:
        images = ink.favourite_pen(images, labels, seed=0, share=1.0)
    return png([images, *(recipe.apply(images, labels, seed=seed) for seed in range(TRIES))])


def png(rows: list[np.ndarray]) -> bytes:
    """Rows of pictures, uint8 (n, height, width, 1 or 3) each, as one PNG; a wider gap follows the first row."""
    count, height, width, channels = rows[0].shape
    above = [place * (height + GAP) + (GAP if place else 0) for place in range(len(rows))]
    sheet = np.full((above[-1] + height, count * (width + GAP) - GAP, channels), PAPER, np.uint8)
    for top, row in zip(above, rows, strict=True):
        for place, picture in enumerate(row):
            left = place * (width + GAP)
            sheet[top : top + height, left : left + width] = picture
    written = io.BytesIO()
    Image.fromarray(sheet[..., 0] if channels == 1 else sheet).save(written, "PNG", optimize=True)
    return written.getvalue()
