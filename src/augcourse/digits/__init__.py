"""TFDS builders of the course's digits; importing this package registers them with `tfds.load`."""

from augcourse.digits.mnist_sample import MnistSample
from augcourse.digits.uci_digits import UciDigits

__all__ = ["MnistSample", "UciDigits"]
