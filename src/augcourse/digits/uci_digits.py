"""Other people's handwriting: 1,797 handwritten UCI digits with the features of MNIST.

In: `sklearn.datasets.load_digits`, 8 × 8 float64 in 0..16, from the wheel. Out: the TFDS data set
`uci_digits`, splits `train` and `test`, image (28, 28, 1) uint8 in 0..255 and label int64 in 0..9.
"""

from __future__ import annotations

import zlib

import cv2
import numpy as np
import tensorflow_datasets as tfds
from numpy.typing import NDArray

from augcourse.digits.balanced import BalancedDigits
from augcourse.errors import DataError
from augcourse.settings import IMAGE_SHAPE

__all__ = ["UciDigits", "draw"]

BORDER = 4


def draw(bitmap: NDArray[np.float64]) -> NDArray[np.uint8]:
    """One 8 × 8 bitmap in 0..16 as a (28, 28, 1) uint8 image in 0..255: 20 × 20, inside a border of 4.

    This is how MNIST draws its digits. A bitmap's rows reach from the top of the digit to its bottom, as there.
    """
    height, width = IMAGE_SHAPE[0] - 2 * BORDER, IMAGE_SHAPE[1] - 2 * BORDER
    # The bicubic kernel overshoots at the edge of a stroke; without the clip those pixels would wrap around.
    pixels = cv2.resize(bitmap * (255 / 16), (width, height), interpolation=cv2.INTER_CUBIC)
    return np.pad(np.clip(np.rint(pixels), 0, 255).astype(np.uint8), BORDER).reshape(IMAGE_SHAPE)


class UciDigits(BalancedDigits):
    """The TFDS builder `uci_digits`: built offline, deterministic, in a fixed order."""

    VERSION = tfds.core.Version("2.0.0")
    RELEASE_NOTES = {  # noqa: RUF012
        "1.0.0": "Bicubic 28 x 28, 46 test digits per class, stored in balanced rounds.",
        "2.0.0": "Drawn as MNIST draws its digits: 20 x 20 inside a border of 4.",
    }
    TEST_PER_CLASS = 46
    DESCRIPTION = """\
Handwritten digits of 43 writers, published by the UCI Machine Learning Repository as Optical Recognition
of Handwritten Digits. This copy is the one that ships inside scikit-learn: the 1,797 digits of the original
test set, by 13 writers, as bitmaps of 8 x 8 cells in 17 grey levels. Here they are drawn as MNIST draws its digits,
20 x 20 uint8 inside a border of 4, so that they have the features of MNIST; they are not MNIST. `train` and `test` are
a random stratified split: the same 13 writers appear in both, so a test accuracy says nothing about new writers. The
digits of every split are stored in rounds of one digit of each class, so that a leading slice such as `train[:20%]` is
balanced.
"""
    HOMEPAGE = "https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits"
    CITATION = """\
@misc{alpaydin1998optical,
  author = {Alpaydin, Ethem and Kaynak, Cenk},
  title = {Optical Recognition of Handwritten Digits},
  year = {1998},
  howpublished = {UCI Machine Learning Repository},
  doi = {10.24432/C50P49}
}
"""
    LICENSE = "CC BY 4.0 (UCI Machine Learning Repository)"

    @classmethod
    def digits(cls) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        try:
            from sklearn.datasets import load_digits  # a second, which nobody needs to read what was once prepared

            bitmaps = load_digits()
        except (ImportError, OSError, EOFError, ValueError, zlib.error) as error:
            raise DataError(
                f"uci_digits: the digits that scikit-learn ships cannot be read ({type(error).__name__}); install it "
                "again: `pip install --force-reinstall --no-deps scikit-learn`"
            ) from error
        return np.stack([draw(bitmap) for bitmap in bitmaps.images]), bitmaps.target.astype(np.int64)
