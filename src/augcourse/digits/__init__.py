"""TFDS builders of the course's digits; importing this package registers `uci_digits` with `tfds.load`."""

from augcourse.digits.uci_digits import UciDigits

__all__ = ["UciDigits"]
