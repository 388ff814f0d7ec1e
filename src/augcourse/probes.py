"""Probes: inputs drawn afresh by the grader, on which a student's function is run.

The seed comes from `AUGCOURSE_PROBE_SEED`. It is 0 while a student works, so that a check says the same
thing twice, and fresh for every graded notebook, so that copied outputs do not fit.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from augcourse.settings import CLASSES, IMAGE_SHAPE

__all__ = [
    "VARIABLE",
    "Poses",
    "augmented",
    "bar",
    "clock_hands",
    "digests",
    "digests_of",
    "digits",
    "numbered_images",
    "numbers_of",
    "poses",
    "random_labels",
    "read_clock",
    "rng",
    "seed",
    "tinted",
]

VARIABLE = "AUGCOURSE_PROBE_SEED"


def seed() -> int:
    """The probe seed of this process."""
    return int(os.environ.get(VARIABLE, "0"))


def rng(exercise: str) -> np.random.Generator:
    """The generator that belongs to an exercise: the same stream in the locked cell and in the hidden test."""
    return np.random.default_rng((seed(), zlib.crc32(exercise.encode())))


def numbered_images(n: int, background: int = 0) -> np.ndarray:
    """uint8 (n, 28, 28, 1): image i says its number i < 65,536 in 16 bright or dark squares.

    The code survives changes of brightness and lossless files, so that a test can tell which image went where.
    """
    images = np.full((n, *IMAGE_SHAPE), background, np.uint8)
    for i in range(n):
        for bit in range(16):
            row, column = divmod(bit, 4)
            value = 160 if i >> bit & 1 else 80
            images[i, 2 + 6 * row : 8 + 6 * row, 2 + 6 * column : 8 + 6 * column] = value
    return images


def numbers_of(images: np.ndarray) -> np.ndarray:
    """int64 (n,): the numbers that `numbered_images` wrote, from images (n, 28, 28, 1) of any scale."""
    squares = images[:, 2:26, 2:26, 0].astype(np.float64).reshape(-1, 4, 6, 4, 6).mean((2, 4)).reshape(-1, 16)
    # Square 15 is dark below 32,768 images, so it is the measure of dark; bright is at least 1.2 times as bright.
    dark = squares.min(axis=1, keepdims=True)
    return ((squares > 1.2 * dark + 1e-9) << np.arange(16)).sum(axis=1)


def digits(exercise: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    """n digits drawn without replacement from the pool: uint8 (n, 28, 28, 1) and int64 (n,)."""
    from augcourse import data

    images, labels = data.load_arrays(data.POOL)
    chosen = rng(exercise).choice(len(labels), size=n, replace=False)
    return images[chosen], labels[chosen]


def random_labels(exercise: str, n: int, absent: int | None = None) -> np.ndarray:
    """int64 (n,) unbalanced random labels; `absent` names a class that does not occur."""
    generator = rng(exercise)
    weights = generator.uniform(0.5, 2.0, CLASSES)
    if absent is not None:
        weights[absent] = 0
    return generator.choice(CLASSES, size=n, p=weights / weights.sum()).astype(np.int64)


def digests_of(images: np.ndarray) -> np.ndarray:
    """uint64 (n,): the first eight bytes of each image's SHA-256, for uint8 images (n, 28, 28, 1)."""
    first = [hashlib.sha256(np.ascontiguousarray(image).tobytes()).digest()[:8] for image in images]
    return np.frombuffer(b"".join(first), "<u8").astype(np.uint64)


def digests(dataset: Any) -> np.ndarray:
    """`digests_of` the images of a finite data set of pairs or of dictionaries with an `image`."""
    elements = dataset.as_numpy_iterator()
    return digests_of(np.stack([e["image"] if isinstance(e, dict) else e[0] for e in elements]))


def bar() -> np.ndarray:
    """uint8 (28, 28, 1): a lying bar in the middle of a black picture; `poses` finds it again."""
    image = np.zeros(IMAGE_SHAPE, np.uint8)
    image[11:17, 4:24] = 200
    return image


def tinted(images: np.ndarray, ink: tuple[int, int, int]) -> np.ndarray:
    """uint8 (..., 28, 28, 3): grey pictures (..., 28, 28, 1) drawn again in coloured ink on black paper.

    Args:
        ink: red, green and blue of full ink, each in 0..255.
    """
    return np.rint(images / 255.0 * np.array(ink)).astype(np.uint8)


def augmented(exercise: str, transform: Any, image: np.ndarray, n: int) -> np.ndarray:
    """uint8 (n, ...): one picture sent n times through an albumentations transform, seeded by the exercise.

    Raises:
        ValueError: the transform returns pictures of several shapes.
    """
    import albumentations as A

    compose = A.Compose([transform], seed=int(rng(exercise).integers(2**31)))
    return np.stack([compose(image=image)["image"] for _ in range(n)])


@dataclass(frozen=True)
class Poses:
    """Where the bright shape of each picture lies, from its intensity moments (Hu 1962).

    Attributes:
        angle: float64 (n,), of the long axis, in degrees within ±90; 0 is lying.
        x, y: float64 (n,), the centre in pixels; 13.5 is the middle of the picture.
        mass: float64 (n,), summed intensity above the background.
    """

    angle: np.ndarray
    x: np.ndarray
    y: np.ndarray
    mass: np.ndarray


def poses(images: np.ndarray) -> Poses:
    """The poses of the bright shape in pictures (n, 28, 28, 1) of any scale; the median counts as background."""
    ink = images[..., 0].astype(np.float64)
    ink = np.clip(ink - np.median(ink, axis=(1, 2), keepdims=True), 0, None)
    rows, columns = np.mgrid[: ink.shape[1], : ink.shape[2]]
    mass = ink.sum((1, 2))
    weight = ink / np.maximum(mass, 1e-9)[:, None, None]
    x, y = (weight * columns).sum((1, 2)), (weight * rows).sum((1, 2))
    dx, dy = columns - x[:, None, None], rows - y[:, None, None]
    angle = 0.5 * np.arctan2(2 * (weight * dx * dy).sum((1, 2)), (weight * (dx**2 - dy**2)).sum((1, 2)))
    return Poses(np.degrees(angle), x, y, mass)


def clock_hands(hours: np.ndarray) -> np.ndarray:
    """uint8 (n, 28, 28, 1): a bright spot at hour 0..9 of a clock that has ten hours.

    Hour 0 points to the right, and the hours run counter-clockwise, 36° each: turning a picture by 36° moves
    its hour by one, whatever the interpolation.
    """
    angle = 2 * np.pi * np.asarray(hours)[:, None, None] / CLASSES
    row, column = np.mgrid[:28, :28] - 13.5
    distance = np.hypot(column - 9 * np.cos(angle), row + 9 * np.sin(angle))
    return np.where(distance < 3.5, 255, 0).astype(np.uint8)[..., None]


def read_clock(images: np.ndarray) -> np.ndarray:
    """int64 (n,): the hours 0..9 that `clock_hands` drew, for uint8 images (n, 28, 28, 1).

    Raises:
        ValueError: another shape or dtype.
    """
    images = np.asarray(images)
    if images.shape[1:] != IMAGE_SHAPE or images.dtype != np.uint8:
        raise ValueError(
            f"predict takes uint8 images of shape (n, 28, 28, 1), found {images.dtype} of shape {images.shape}"
        )
    row, column = np.mgrid[:28, :28] - 13.5
    ink = images[..., 0].astype(np.float64)
    angle = np.arctan2(-(ink * row).sum((1, 2)), (ink * column).sum((1, 2)))
    return np.rint(angle * CLASSES / (2 * np.pi)).astype(np.int64) % CLASSES


def mirroring_recipe() -> Any:
    """A `Recipe` for `numbered_images`: brightness ±0.3 for every class, and always a mirror for 0, 1 and 8.

    Brightness leaves the numbers readable; the mirror tells whether each picture came with its own label.
    """
    import albumentations as A

    from augcourse.augment import Recipe
    from augcourse.recipes import SURVIVES_A_MIRROR, brightness

    flips = {digit: [A.HorizontalFlip(p=1.0)] if digit in SURVIVES_A_MIRROR else [] for digit in range(CLASSES)}
    return Recipe.of({digit: A.Compose([*flips[digit], brightness()]) for digit in range(CLASSES)})


def brightness_reader() -> Any:
    """A Keras model, compiled, that reads float32 pictures (n, 28, 28, 1) in [0, 1]: class k is mean (k + 0.5) / 10.

    It needs no training, and what it says of the pictures of `two_exams` is known exactly.
    """
    import keras

    centres = (np.arange(CLASSES) + 0.5) / CLASSES
    model = keras.Sequential(
        [
            keras.layers.Input(shape=IMAGE_SHAPE),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(CLASSES, activation="softmax"),
        ]
    )
    # The nearest centre has the largest 2 m c - c², because (m - c)² = m² - (2 m c - c²).
    model.set_weights([1000 * 2 * centres[None], -1000 * centres**2])
    model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def two_exams(exercise: str) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """An easy and a hard exam for `brightness_reader`: each uint8 (n, 28, 28, 1) plain grey and int64 (n,) labels.

    The reader is right about 85 to 95 % of the easy exam and about 55 to 75 % of the hard one.
    """
    generator = rng(exercise)

    def exam(n: int, right: float) -> tuple[np.ndarray, np.ndarray]:
        shown = generator.integers(0, CLASSES, n)
        wrong = np.arange(n) >= round(right * n)
        images = np.zeros((n, *IMAGE_SHAPE), np.uint8) + (25.5 * (shown + 0.5)).astype(np.uint8)[:, None, None, None]
        return images, np.where(wrong, (shown + 3) % CLASSES, shown).astype(np.int64)

    return exam(200, generator.uniform(0.85, 0.95)), exam(80, generator.uniform(0.55, 0.75))
