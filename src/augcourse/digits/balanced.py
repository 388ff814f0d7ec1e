"""What the offline data sets share: the features of MNIST, and splits with the same number of each class.

In: images and labels as a package ships them. Out: TFDS splits `train` and `test`, image (28, 28, 1) uint8 in 0..255
and label int64 in 0..9, stored in rounds of one digit of each class, so that a leading slice such as `train[:20%]`
is balanced.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds
from numpy.typing import NDArray

from augcourse.settings import CLASSES, IMAGE_SHAPE

__all__ = ["BalancedDigits", "split_indices"]

SEED = 1998

Example = tuple[int, dict[str, Any]]


def split_indices(labels: NDArray[np.int64], test_per_class: int, seed: int = SEED) -> dict[str, NDArray[np.int64]]:
    """Stratified indices of `train` and `test`, each in rounds of at most one digit of every class.

    Args:
        labels: (n,) in 0..9.
        test_per_class: how many digits of each class are for `test`; all others are for `train`.
        seed: of the only generator; the same seed gives the same indices in the same order.
    """
    rng = np.random.default_rng(seed)
    by_class = [rng.permutation(np.flatnonzero(labels == digit)) for digit in range(CLASSES)]
    return {
        "train": _in_rounds([indices[test_per_class:] for indices in by_class], rng),
        "test": _in_rounds([indices[:test_per_class] for indices in by_class], rng),
    }


def _in_rounds(by_class: list[NDArray[np.int64]], rng: np.random.Generator) -> NDArray[np.int64]:
    """Deal the indices out in rounds: one of each class that has any left, in random order."""
    rounds = np.concatenate([np.arange(len(indices)) for indices in by_class])
    tie_break = rng.random(len(rounds))
    order = np.lexsort((tie_break, rounds))
    return np.concatenate(by_class)[order]


class BalancedDigits(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[call-arg]
    """A TFDS builder that needs no network: built from a file of an installed package, in a fixed order."""

    TEST_PER_CLASS: ClassVar[int]
    DESCRIPTION: ClassVar[str]
    HOMEPAGE: ClassVar[str]
    CITATION: ClassVar[str]
    LICENSE: ClassVar[str]
    url_infos = None  # nothing is downloaded, so there are no checksums to look for

    @classmethod
    @abstractmethod
    def digits(cls) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """All images (n, 28, 28, 1) in 0..255 and labels (n,) in 0..9, as the package ships them.

        Raises:
            DataError: the package's file is missing, damaged, or not the one that is expected.
        """

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=self.DESCRIPTION,
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=IMAGE_SHAPE),
                    "label": tfds.features.ClassLabel(num_classes=CLASSES),
                }
            ),
            supervised_keys=("image", "label"),
            homepage=self.HOMEPAGE,
            citation=self.CITATION,
            license=self.LICENSE,
            # The stored order is the balanced one; TFDS would shuffle it by hashed keys.
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator[Example]]:
        images, labels = self.digits()
        parts = split_indices(labels, self.TEST_PER_CLASS)
        return {split: self._generate_examples(images[indices], labels[indices]) for split, indices in parts.items()}

    def _generate_examples(self, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> Iterator[Example]:
        # The position is the key: even with shuffling disabled, TFDS writes in the order of the keys.
        for position, (image, label) in enumerate(zip(images, labels, strict=True)):
            yield position, {"image": image, "label": int(label)}
