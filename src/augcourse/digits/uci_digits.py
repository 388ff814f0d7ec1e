"""The offline data set: 1,797 handwritten UCI digits with the features of MNIST.

In: `sklearn.datasets.load_digits`, 8 × 8 float64 in 0..16, from the wheel. Out: the TFDS data set
`uci_digits`, splits `train` and `test`, image (28, 28, 1) uint8 in 0..255 and label int64 in 0..9.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import cv2
import numpy as np
import tensorflow_datasets as tfds
from numpy.typing import NDArray

from augcourse.settings import CLASSES, IMAGE_SHAPE

__all__ = ["UciDigits", "enlarge", "split_indices"]

SEED = 1998
TEST_PER_CLASS = 46

Example = tuple[int, dict[str, Any]]

_DESCRIPTION = """\
Handwritten digits of 43 writers, published by the UCI Machine Learning Repository as Optical Recognition
of Handwritten Digits. This copy is the one that ships inside scikit-learn: the 1,797 digits of the original
test set, by 13 writers, as bitmaps of 8 x 8 cells in 17 grey levels. Here they are enlarged to 28 x 28 uint8,
so that they have the features of MNIST; they are not MNIST. `train` and `test` are a random stratified split:
the same 13 writers appear in both, so a test accuracy says nothing about new writers. The digits of every
split are stored in rounds of one digit of each class, so that a leading slice such as `train[:20%]` is
balanced.
"""
_HOMEPAGE = "https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits"
_CITATION = """\
@misc{alpaydin1998optical,
  author = {Alpaydin, Ethem and Kaynak, Cenk},
  title = {Optical Recognition of Handwritten Digits},
  year = {1998},
  howpublished = {UCI Machine Learning Repository},
  doi = {10.24432/C50P49}
}
"""


def enlarge(bitmap: NDArray[np.float64]) -> NDArray[np.uint8]:
    """One 8 × 8 bitmap in 0..16 as a (28, 28, 1) uint8 image in 0..255, by bicubic interpolation."""
    # The whole frame is enlarged, without a border: the bitmaps have margins of their own at the sides, and a
    # border as wide as MNIST's would leave 2.5 instead of 3.5 pixels per cell of digits this coarse.
    # The bicubic kernel overshoots at the edge of a stroke; without the clip those pixels would wrap around.
    size = (IMAGE_SHAPE[1], IMAGE_SHAPE[0])
    pixels = cv2.resize(bitmap * (255 / 16), size, interpolation=cv2.INTER_CUBIC)
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8).reshape(IMAGE_SHAPE)


def split_indices(labels: NDArray[np.int64], seed: int = SEED) -> dict[str, NDArray[np.int64]]:
    """Stratified indices of `train` and `test`, each in rounds of at most one digit of every class.

    Args:
        labels: (n,) in 0..9.
        seed: of the only generator; the same seed gives the same indices in the same order.
    """
    rng = np.random.default_rng(seed)
    by_class = [rng.permutation(np.flatnonzero(labels == digit)) for digit in range(CLASSES)]
    return {
        "train": _in_rounds([indices[TEST_PER_CLASS:] for indices in by_class], rng),
        "test": _in_rounds([indices[:TEST_PER_CLASS] for indices in by_class], rng),
    }


def _in_rounds(by_class: list[NDArray[np.int64]], rng: np.random.Generator) -> NDArray[np.int64]:
    """Deal the indices out in rounds: one of each class that has any left, in random order."""
    rounds = np.concatenate([np.arange(len(indices)) for indices in by_class])
    tie_break = rng.random(len(rounds))
    order = np.lexsort((tie_break, rounds))
    return np.concatenate(by_class)[order]


class UciDigits(tfds.core.GeneratorBasedBuilder):
    """The TFDS builder `uci_digits`: built offline, deterministic, in a fixed order."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "Bicubic 28 x 28, 46 test digits per class, stored in balanced rounds."}  # noqa: RUF012
    url_infos = None  # nothing is downloaded, so there are no checksums to look for

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=_DESCRIPTION,
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=IMAGE_SHAPE),
                    "label": tfds.features.ClassLabel(num_classes=CLASSES),
                }
            ),
            supervised_keys=("image", "label"),
            homepage=_HOMEPAGE,
            citation=_CITATION,
            # The stored order is the balanced one; TFDS would shuffle it by hashed keys.
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator[Example]]:
        from sklearn.datasets import load_digits  # a second, which nobody needs to read what was once prepared

        digits = load_digits()
        parts = split_indices(digits.target)
        return {split: self._generate_examples(digits, indices) for split, indices in parts.items()}

    def _generate_examples(self, digits: Mapping[str, Any], indices: NDArray[np.int64]) -> Iterator[Example]:
        # The position is the key: even with shuffling disabled, TFDS writes in the order of the keys.
        for position, index in enumerate(indices):
            yield position, {"image": enlarge(digits["images"][index]), "label": int(digits["target"][index])}
