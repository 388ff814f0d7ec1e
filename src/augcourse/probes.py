"""Probes: inputs drawn afresh by the grader, on which a student's function is run.

The seed comes from `AUGCOURSE_PROBE_SEED`. It is 0 while a student works, so that a check says the same
thing twice, and fresh for every graded notebook, so that copied outputs do not fit.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from augcourse.digits.ink import tinted
from augcourse.settings import CLASSES, IMAGE_SHAPE, Settings

if TYPE_CHECKING:
    from augcourse.train import Trained

__all__ = [
    "VARIABLE",
    "Noted",
    "Poses",
    "Warps",
    "answers",
    "augmented",
    "batches_of_pass",
    "brightness_reader",
    "clock_hands",
    "colour_chart",
    "counted",
    "digests",
    "digests_of",
    "digits",
    "distance",
    "labelled_digests",
    "landmarks",
    "matrix_with_gaps",
    "mirroring_recipe",
    "mixed_levels",
    "numbered_images",
    "numbers_in",
    "numbers_of",
    "one_pixel",
    "orders_read",
    "paired_accuracies",
    "poses",
    "quarters",
    "quarters_shown",
    "random_images",
    "random_labels",
    "read_clock",
    "right_answers",
    "rng",
    "seed",
    "spots",
    "tinted",
    "trained_on",
    "training_batches",
    "turned_about",
    "two_exams",
    "two_gaps",
    "unevenness",
    "validation_batches",
    "warps",
    "watched_batches",
    "white",
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
    """`digests_of` the images of a finite data set of pairs or of dictionaries with an `image`.

    Raises:
        ValueError: the data set has no end.
    """
    return labelled_digests(dataset)[0]


def labelled_digests(dataset: Any) -> tuple[np.ndarray, np.ndarray]:
    """`digests` and the labels (n,) beside them, of one pass through a data set of pairs or dictionaries."""
    if int(dataset.cardinality()) == -1:
        raise ValueError("expected a data set that ends, found one that repeats for ever")
    elements = [(e["image"], e["label"]) if isinstance(e, dict) else e[:2] for e in dataset.as_numpy_iterator()]
    return digests_of(np.stack([image for image, _ in elements])), np.array([label for _, label in elements])


def colour_chart(exercise: str) -> np.ndarray:
    """uint8 (28, 28, 3): nine columns of grey ink, nine of a pale colour, ten of a strong one, bright to full.

    The colour is drawn; its saturation can be halved or raised by half without leaving 0..255.
    """
    strong = rng(exercise).permutation([90.0, 130.0, 200.0])
    inks = [np.full(3, 140.0)] * 9 + [(strong + 140) / 2] * 9 + [strong] * 10
    levels = np.linspace(180, 255, 28)[:, None, None]
    return tinted(np.broadcast_to(levels, IMAGE_SHAPE), np.stack(inks))


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
    """The poses of the bright shape in pictures (n, 28, 28, 1); the median level counts as background."""
    ink = images[..., 0].astype(np.float64)
    ink = np.clip(ink - np.median(ink, axis=(1, 2), keepdims=True), 0, None)
    rows, columns = np.mgrid[: ink.shape[1], : ink.shape[2]]
    mass = ink.sum((1, 2))
    weight = ink / np.maximum(mass, 1e-9)[:, None, None]
    x, y = (weight * columns).sum((1, 2)), (weight * rows).sum((1, 2))
    dx, dy = columns - x[:, None, None], rows - y[:, None, None]
    angle = 0.5 * np.arctan2(2 * (weight * dx * dy).sum((1, 2)), (weight * (dx**2 - dy**2)).sum((1, 2)))
    return Poses(np.degrees(angle), x, y, mass)


SPOTS = ((-4.5, -3.0, 3.9), (5.5, -4.0, 2.6), (1.5, 6.0, 1.5))
"""x and y from the centre of the picture, and radius, of the three spots of `landmarks`, the largest first."""


def landmarks(paper: Any = 0, ink: Any = 255) -> np.ndarray:
    """uint8 (28, 28, 1), or (28, 28, 3) for colours: three spots of three sizes, which `warps` finds again.

    No mirror image, turn or scaling of the picture is the picture itself.

    Args:
        paper, ink: the levels outside and inside the spots: a number each, or three.
    """
    rows, columns = np.mgrid[:28, :28] - 13.5
    inside = np.zeros((28, 28), bool)
    for x, y, radius in SPOTS:
        inside |= np.hypot(columns - x, rows - y) < radius
    return np.where(inside[..., None], np.atleast_1d(ink), np.atleast_1d(paper)).astype(np.uint8)


@dataclass(frozen=True)
class Warps:
    """What happened to `landmarks` in each of n pictures: the affine map that moved its three spots.

    Attributes:
        matrix: float64 (n, 2, 2); NaN where the three spots cannot be found any more.
        shift: float64 (n, 2), sideways and down, of the picture's centre, in pixels.
        contrast: float64 (n,), brightest level minus the paper's.
    """

    matrix: np.ndarray
    shift: np.ndarray
    contrast: np.ndarray

    @property
    def lost(self) -> np.ndarray:
        """bool (n,): where the three spots cannot be found any more."""
        return np.isnan(self.matrix).any((1, 2))

    @property
    def mirrored(self) -> np.ndarray:
        """bool (n,): where left and right, or top and bottom, are exchanged."""
        return np.linalg.det(np.nan_to_num(self.matrix)) < 0

    @property
    def angle(self) -> np.ndarray:
        """float64 (n,), in degrees within ±180: how far the picture is turned, after a mirror sideways is undone.

        A picture that is mirrored top to bottom is turned by 180 degrees in this sense.
        """
        upright = np.where(self.mirrored[:, None, None], self.matrix * [-1, 1], self.matrix)
        return np.degrees(np.arctan2(upright[:, 1, 0] - upright[:, 0, 1], upright[:, 0, 0] + upright[:, 1, 1]))

    @property
    def stretch(self) -> np.ndarray:
        """float64 (n, 2): by which factors the picture is made longer and shorter; 1 and 1 without scale and shear."""
        stretch = np.linalg.svd(np.nan_to_num(self.matrix), compute_uv=False)
        return np.where(self.lost[:, None], np.nan, stretch)

    @property
    def distorted(self) -> np.ndarray:
        """bool (n,): where the picture is scaled or sheared, by more than 6 % in one direction."""
        return np.abs(self.stretch - 1).max(axis=1) > 0.06


def warps(images: np.ndarray) -> Warps:
    """What happened to the `landmarks` in pictures (n, 28, 28, channels), whatever their brightness is now."""
    found = [_spots(image.astype(np.float64).mean(axis=-1)) for image in images]
    before = np.array([(x, y, 1.0) for x, y, _ in SPOTS])
    maps = np.stack([np.linalg.solve(before, after).T for after, _ in found])
    return Warps(maps[:, :, :2], maps[:, :, 2], np.array([contrast for _, contrast in found]))


def _spots(grey: np.ndarray) -> tuple[np.ndarray, float]:
    """float64 (3, 2): x and y of the three spots, the largest first; and how much brighter they are than the paper."""
    from scipy import ndimage

    above = np.clip(grey - np.median(grey), 0, None)
    contrast = float(above.max())
    areas, n = ndimage.label(above > 0.3 * max(contrast, 1.0))
    if n < len(SPOTS):
        return np.full((3, 2), np.nan), contrast
    which = np.arange(1, n + 1)
    largest = which[np.argsort(-ndimage.sum(above, areas, which))][:3]
    # A spot's soft edge lies outside its area, and belongs to the nearest one.
    _, nearest = ndimage.distance_transform_edt(areas == 0, return_indices=True)
    owner = areas[tuple(nearest)]
    centres = np.array(ndimage.center_of_mass(above, owner, largest)) - 13.5
    return centres[:, ::-1], contrast


def unevenness(values: np.ndarray, limit: float, slack: float) -> float:
    """How far values are from being drawn evenly from -limit to limit: 0 for even ones, 1 at most.

    The largest difference of the shares below a value (Kolmogorov), when each value may be wrong by the slack.
    """
    ordered = np.sort(values)
    share = np.arange(len(ordered) + 1) / len(ordered)
    above, below = ((np.clip(ordered + step, -limit, limit) + limit) / (2 * limit) for step in (slack, -slack))
    return float(max(0.0, (share[1:] - above).max(), (below - share[:-1]).max()))


def mixed_levels(exercise: str) -> np.ndarray:
    """uint8 (28, 28, 1): a drawn grey level in every pixel, above of 0 to 255, below of 90 to 165.

    The lower half has room for a change of brightness by a third of the scale; the upper half has both ends of it.
    """
    generator = rng(f"{exercise}: levels")
    image = generator.integers(90, 166, IMAGE_SHAPE)
    image[:14] = generator.permutation(np.linspace(0, 255, 14 * 28).astype(int)).reshape(14, 28, 1)
    return image.astype(np.uint8)


def one_pixel(exercise: str, times: int) -> Any:
    """An albumentations transform that changes one pixel, another pixel by another amount each time.

    The amounts are drawn and come in turn; the largest comes once, in the middle half of `times`. The
    attribute `amounts`, int64 (times,), has them, and `calls` counts.
    """
    import albumentations as A

    generator = rng(f"{exercise}: one pixel")
    drawn = generator.integers(5, 60, times)
    drawn[generator.integers(times // 4, 3 * times // 4)] = generator.integers(70, 100)

    class OnePixel(A.ImageOnlyTransform):
        amounts = drawn
        calls = 0

        def apply(self, img: np.ndarray, **_: Any) -> np.ndarray:
            changed = img.copy()
            place = tuple(generator.integers(0, n) for n in img.shape)
            amount = int(drawn[self.calls % times])
            changed[place] = int(img[place]) + (amount if img[place] < 128 else -amount)
            self.calls += 1
            return changed

    return OnePixel(p=1.0)


def quarters() -> np.ndarray:
    """uint8 (3, 28, 28, 1): a faint, a bold and a stark picture, each of four even quarters; two levels are shared."""
    levels = np.array([[[70, 110], [150, 190]], [[255, 110], [0, 190]], [[255, 0], [243, 12]]], np.uint8)
    return levels.repeat(14, axis=1).repeat(14, axis=2)[..., None]


def quarters_shown(figure: Any, axes: Any) -> np.ndarray:
    """float64 (n, 2, 2, 3): the colour, in 0..1, in the middle of each quarter of n matplotlib axes, as drawn."""
    figure.canvas.draw()
    drawn = np.asarray(figure.canvas.buffer_rgba())[..., :3] / 255
    shown = np.empty((len(axes), 2, 2, 3))
    for i, row, column in np.ndindex(shown.shape[:3]):
        x, y = axes[i].transAxes.transform((0.25 + 0.5 * column, 0.75 - 0.5 * row))
        place = drawn[len(drawn) - int(y) - 4 : len(drawn) - int(y) + 3, int(x) - 3 : int(x) + 4]
        shown[i, row, column] = np.median(place, axis=(0, 1))
    return shown


class Noted:
    """A `predict` that keeps what became of a picture: the last one that it was asked about and that is not the same.

    Attributes:
        picture: uint8 (28, 28, 1), at first the one that is handed over.
    """

    def __init__(self, picture: np.ndarray) -> None:
        self._original = self.picture = picture.copy()

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """int64 (n,) zeros for uint8 images (n, 28, 28, 1); raises ValueError for another shape or dtype."""
        for image in _checked(images):
            if not np.array_equal(image, self._original):
                self.picture = image.copy()
        return np.zeros(len(images), np.int64)


def white() -> np.ndarray:
    """uint8 (28, 28, 1): ink everywhere, up to the edge."""
    return np.full(IMAGE_SHAPE, 255, np.uint8)


def spots(exercise: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    """uint8 (n, 28, 28, 1), one round spot in each, and int64 (n,) angles for them, from 60° to 180° either way."""
    generator = rng(f"{exercise}: spots")
    towards = generator.uniform(0, 2 * np.pi, (n, 1, 1))
    row, column = np.mgrid[:28, :28] - 13.5
    away = np.hypot(column - 9 * np.cos(towards), row - 9 * np.sin(towards))
    images = np.where(away < 3.5, 255, 0).astype(np.uint8)[..., None]
    return images, generator.integers(60, 181, n) * generator.choice([-1, 1], n)


def turned_about(before: np.ndarray, after: np.ndarray, angles: np.ndarray) -> tuple[np.ndarray, float]:
    """About which point (x, y) the spots of `spots` were turned, in pixels, and how far off the fit is.

    Args:
        before, after: uint8 (n, 28, 28, 1).
        angles: degrees (n,), positive counter-clockwise.
    """
    start, end = (np.stack([pose.x, pose.y], axis=1) for pose in (poses(before), poses(after)))
    # q = c + R (p - c), so (1 - R) c = q - R p; y grows downwards.
    cos, sin = np.cos(np.radians(angles)), np.sin(np.radians(angles))
    turns = np.moveaxis(np.array([[cos, sin], [-sin, cos]]), 2, 0)
    left = (np.eye(2) - turns).reshape(-1, 2)
    right = (end - np.einsum("nij,nj->ni", turns, start)).ravel()
    centre = np.linalg.lstsq(left, right, rcond=None)[0]
    return centre, float(np.sqrt(np.mean((left @ centre - right) ** 2)))


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
    images = _checked(images)
    row, column = np.mgrid[:28, :28] - 13.5
    ink = images[..., 0].astype(np.float64)
    angle = np.arctan2(-(ink * row).sum((1, 2)), (ink * column).sum((1, 2)))
    return np.rint(angle * CLASSES / (2 * np.pi)).astype(np.int64) % CLASSES


def _checked(images: np.ndarray) -> np.ndarray:
    images = np.asarray(images)
    if images.shape[1:] != IMAGE_SHAPE or images.dtype != np.uint8:
        raise ValueError(f"predict takes uint8 pictures of shape (n, 28, 28, 1), found {images.dtype} {images.shape}")
    return images


def mirroring_recipe() -> Any:
    """A `Recipe` for `numbered_images`: brightness ±0.3 for every class, and always a mirror for 0, 1 and 8.

    Brightness leaves the numbers readable; the mirror tells whether each picture came with its own label. Some calls
    take longer than others, so that calls side by side overtake each other.
    """
    import albumentations as A

    from augcourse.augment import Recipe
    from augcourse.recipes import SURVIVES_A_MIRROR, brightness

    def pipeline(digit: int) -> Any:
        flips = [A.HorizontalFlip(p=1.0)] if digit in SURVIVES_A_MIRROR else []
        return A.Compose([*flips, brightness()])

    class Uneven(Recipe):
        """Its streams wait before every second call, one stream before the even ones and the next before the odd."""

        def stream(self, seed: int) -> Any:
            transform, calls = super().stream(seed), itertools.count(next(streams))

            def waiting(image: np.ndarray, label: int) -> np.ndarray:
                time.sleep(0.002 * (next(calls) % 2))
                return transform(image, label)

            return waiting

    streams = itertools.count()
    return Uneven(Recipe.of({digit: pipeline(digit) for digit in range(CLASSES)}).pipelines)


def brightness_reader() -> Any:
    """A compiled Keras model that tells class k by the mean (k + 0.5) / 10 of the upper left corner of a picture.

    It takes float32 pictures in [0, 1] and needs no training; what it says of the pictures of `two_exams` is known
    exactly, and a picture that was turned, moved or mirrored shows it another corner.
    """
    import keras

    centres = (np.arange(CLASSES) + 0.5) / CLASSES
    model = keras.Sequential(
        [
            keras.layers.Input(shape=IMAGE_SHAPE),
            keras.layers.Flatten(),
            keras.layers.Dense(CLASSES, activation="softmax"),
        ]
    )
    corner = np.zeros(IMAGE_SHAPE)
    corner[_CORNER] = 1 / np.zeros(IMAGE_SHAPE)[_CORNER].size
    # The nearest centre has the largest 2 m c - c², because (m - c)² = m² - (2 m c - c²).
    model.set_weights([1000 * 2 * corner.reshape(-1, 1) * centres[None], -1000 * centres**2])
    model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


_CORNER = (slice(2, 12), slice(2, 12))


def two_exams(exercise: str) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """An easy and a hard exam for `brightness_reader`: uint8 (n, 28, 28, 1) and int64 (n,) each.

    The pictures are noise but for the corner that the reader looks at. The wrong answers are scattered.

    The reader is right about 85 to 95 % of the easy exam and about 55 to 75 % of the hard one, and the difference is no
    whole number of points, so that a rounded one is another one.
    """
    generator = rng(exercise)
    easy_n, hard_n, easy, hard = 203, 83, 0, 0
    while abs((gap := 100 * (easy / easy_n - hard / hard_n)) - round(gap)) < 0.2:
        easy = round(easy_n * generator.uniform(0.85, 0.95))
        hard = round(hard_n * generator.uniform(0.55, 0.75))

    def exam(n: int, right: int) -> tuple[np.ndarray, np.ndarray]:
        shown = generator.integers(0, CLASSES, n)
        wrong = generator.permutation(n) >= right
        images = generator.integers(0, 256, (n, *IMAGE_SHAPE), dtype=np.uint8)
        images[(slice(None), *_CORNER)] = (25.5 * (shown + 0.5)).astype(np.uint8)[:, None, None, None]
        return images, np.where(wrong, (shown + 3) % CLASSES, shown).astype(np.int64)

    return exam(easy_n, easy), exam(hard_n, hard)


def counted(dataset: Any) -> tuple[Any, list[int]]:
    """The same data set of pairs, and a list that grows by one with every pair that is read from it."""
    import tensorflow as tf

    reads: list[int] = []

    def note(label: np.ndarray) -> np.ndarray:
        reads.append(1)
        return label

    def one(image: Any, label: Any) -> tuple[Any, Any]:
        noted = tf.numpy_function(note, [label], label.dtype)
        noted.set_shape(label.shape)
        return image, noted

    return dataset.map(one), reads


def numbers_in(batches: Any, most: int) -> dict[str, np.ndarray]:
    """What is in the first `most` batches of `numbered_images`: int64 `numbers`, `labels` and batch `sizes`."""
    numbers, labels, sizes = [], [], []
    for images, label in batches.take(most).as_numpy_iterator():
        numbers.append(numbers_of(images.reshape(-1, *IMAGE_SHAPE)))
        labels.append(np.ravel(label))
        sizes.append(len(images) if images.ndim == 4 else 1)
    return {
        "numbers": np.concatenate(numbers),
        "labels": np.concatenate(labels).astype(np.int64),
        "sizes": np.array(sizes, np.int64),
    }


def training_batches(images: np.ndarray, labels: np.ndarray, seed: int) -> Any:
    """Endless float32 batches in [0, 1] of uint8 digits, in the order in which `train.train` uses them.

    A model that is fitted to them for `SETTINGS.steps` steps ends where `train.train` with this seed ends.
    """
    import tensorflow as tf

    from augcourse.train import image_order

    pictures, classes = tf.constant(images), tf.constant(labels)

    def batch(rows: Any) -> tuple[Any, Any]:
        return tf.cast(tf.gather(pictures, rows), tf.float32) / 255.0, tf.gather(classes, rows)

    return tf.data.Dataset.from_tensor_slices(image_order(len(labels), seed)).repeat().map(batch).prefetch(2)


def watched_batches(images: np.ndarray, labels: np.ndarray, seed: int, settings: Settings) -> tuple[Any, list[int]]:
    """Endless float32 batches in [0, 1] of uint8 digits, in another order in every pass over them.

    With them comes a list: for each pass that was begun, how many batches were read in it. Batches that TensorFlow
    reads ahead are counted, so that at least as many were read as were used. `batches_of_pass` has the orders.
    """
    import tensorflow as tf

    passes: list[int] = []

    def one_pass() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        number = len(passes)
        passes.append(0)
        for rows in itertools.cycle(batches_of_pass(number, len(labels), seed, settings)):
            passes[number] += 1
            yield images[rows].astype(np.float32) / np.float32(255), labels[rows]

    spec = (tf.TensorSpec((None, *IMAGE_SHAPE), tf.float32), tf.TensorSpec((None,), tf.int64))
    dataset = tf.data.Dataset.from_generator(one_pass, output_signature=spec)
    return dataset.apply(tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)), passes


def batches_of_pass(number: int, n: int, seed: int, settings: Settings) -> np.ndarray:
    """int64 (steps, batch_size): which of n pictures is in which batch of this pass over `watched_batches`."""
    from augcourse.train import image_order

    return image_order(n, seed + number, settings)


def orders_read(passes: Sequence[int], n: int, seed: int, settings: Settings) -> list[np.ndarray]:
    """The ways in which batches may have been taken from `watched_batches`: int64 (steps, batch_size) each.

    A training takes them all from one pass, or begins a new pass with every point of its curve; it may have looked at
    a batch before. So this is the first pass that is long enough, and the first row of passes that are.
    """
    points = settings.steps // settings.epoch_steps
    short = [count >= settings.epoch_steps for count in passes]
    whole = [k for k, count in enumerate(passes) if count >= settings.steps][:1]
    rows = [k for k in range(len(short) - points + 1) if all(short[k : k + points])][:1]

    def of_pass(k: int) -> np.ndarray:
        return batches_of_pass(k, n, seed, settings)

    found = [of_pass(k) for k in whole]
    return found + [np.concatenate([of_pass(k + i)[: settings.epoch_steps] for i in range(points)]) for k in rows]


def trained_on(images: np.ndarray, labels: np.ndarray, order: np.ndarray, seed: int, settings: Settings) -> Trained:
    """The arm that `train.train` makes of exactly these batches: `order` is int64 (steps, batch_size), of rows."""
    from dataclasses import replace

    from augcourse.train import image_order, train

    rows = order.ravel()
    as_used = replace(settings, steps=len(order))
    place = image_order(len(rows), seed, as_used).ravel()  # every picture is used once, so this is a permutation
    pictures, classes = np.empty((len(rows), *IMAGE_SHAPE), np.uint8), np.empty(len(rows), np.int64)
    pictures[place], classes[place] = images[rows], labels[rows]
    return train(pictures, classes, seed=seed, settings=as_used)


def distance(weights: list[np.ndarray], reference: list[np.ndarray]) -> float:
    """How far weights lie from others, as a share of the length of the others."""
    mine, others = (np.concatenate([np.ravel(w) for w in arm]) for arm in (weights, reference))
    return float(np.linalg.norm(mine - others) / np.linalg.norm(others))


def validation_batches() -> Any:
    """Finite float32 batches in [0, 1] of the validation digits, each digit once."""
    import tensorflow as tf

    from augcourse import data

    images, labels = data.load_arrays(data.VALIDATION)
    return tf.data.Dataset.from_tensor_slices((images.astype(np.float32) / 255.0, labels)).batch(200)


def answers(exercise: str, n: int, absent: int) -> tuple[np.ndarray, np.ndarray]:
    """int64 (n,) labels without the digit `absent`, and int64 (n,) predictions, better for some."""
    labels = random_labels(exercise, n, absent=absent)
    generator = rng(f"{exercise}: predictions")
    share_right = generator.permutation(np.linspace(0.35, 0.95, CLASSES))
    wrong = generator.choice(CLASSES, size=n, p=generator.dirichlet(np.full(CLASSES, 2.0)))
    return labels, np.where(generator.random(n) < share_right[labels], labels, wrong).astype(np.int64)


def matrix_with_gaps(exercise: str, absent: int) -> np.ndarray:
    """int64 (10, 10), rows true, columns predicted: one digit does not occur, another is never recognised."""
    labels, predictions = answers(exercise, 2000, absent=absent)
    never = rng(f"{exercise}: never").choice([digit for digit in range(CLASSES) if digit != absent])
    predictions = np.where((labels == never) & (predictions == never), (never + 1) % CLASSES, predictions)
    matrix = np.zeros((CLASSES, CLASSES), np.int64)
    np.add.at(matrix, (labels, predictions), 1)
    return matrix


def two_gaps(exercise: str) -> dict[str, dict[str, list[float]]]:
    """Two histories, of 12 and of 7 points in 0..1: one whose gap is positive, and one whose gap is negative."""
    generator = rng(exercise)
    low, high = generator.uniform(0.3, 0.6, (2, 12)), generator.uniform(0.65, 1.0, (2, 12))
    return {
        "positive": {"accuracy": high[0].tolist(), "val_accuracy": low[0].tolist()},
        "negative": {"accuracy": low[1, :7].tolist(), "val_accuracy": high[1, :7].tolist()},
    }


def paired_accuracies(exercise: str, runs: int) -> tuple[np.ndarray, np.ndarray]:
    """float64 (runs,) accuracies in 0..1 of both arms: draws move both, and by more than the gain varies."""
    generator = rng(exercise)
    baseline = 0.8 + generator.normal(0, 0.03, runs)
    return baseline, baseline + generator.uniform(0.03, 0.08) + generator.normal(0, 0.01, runs)


def right_answers(exercise: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    """bool (n,) and (n,), n >= 60: whether either model was right about each image; they differ on 24 to 36."""
    generator = rng(exercise)
    first = generator.random(n) < 0.8
    second = first.copy()
    only_first, only_second = generator.integers(6, 12), generator.integers(18, 26)
    differ = generator.permutation(n)[: only_first + only_second]
    first[differ], second[differ] = True, False
    first[differ[only_first:]], second[differ[only_first:]] = False, True
    return first, second


def random_images(exercise: str, n: int) -> np.ndarray:
    """uint8 (n, 28, 28, 1): noise, each picture with a largest grey level of its own."""
    generator = rng(exercise)
    largest = generator.integers(100, 256, (n, 1, 1, 1))
    return generator.integers(0, largest + 1, (n, *IMAGE_SHAPE)).astype(np.uint8)
