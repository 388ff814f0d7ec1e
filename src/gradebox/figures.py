"""What a graded cell says it measured: lines of its output → numbers.

A graded cell can say what it measured. It prints a line for each measurement, the prefix and a JSON object:

    gradebox.figures: {"label": "gain over the baseline", "value": 4.1, "low": 2.2, "high": 6.0}

`label` (text), `value`, `low` and `high` (numbers of at most `MAX_NUMBER` either way, `low` ≤ `value` ≤ `high`) are
required. `unit` (text), `reference` (a number that the interval is held against) and `reference_label` (text) may
follow. It is a line on stdout because that is what `gradebox.feedback` lets out of a trusted kernel.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["FIGURES_PREFIX", "MAX_NUMBER", "Measurement", "measurements"]

FIGURES_PREFIX = "gradebox.figures:"
MAX_LABEL = 80  # characters of a measurement's texts
MAX_LINES = 20  # measurements of one cell
MAX_NUMBER = 1e15  # either way: a figure's axis is some times as long as its longest interval, and must stay finite


@dataclass(frozen=True)
class Measurement:
    """What a graded cell measured of one student's work; the numbers are in `unit`, and at most `MAX_NUMBER`."""

    label: str
    value: float
    low: float
    high: float
    unit: str = ""
    reference: float | None = None
    reference_label: str = "reference"

    @property
    def is_above(self) -> bool | None:
        """Whether the interval is above the reference; None where it holds it, or where there is no reference."""
        if self.reference is None:
            return None
        return True if self.low > self.reference else False if self.high < self.reference else None


def measurements(text: str) -> Iterator[Measurement]:
    """The measurements among the lines of a cell's output; what is not well formed is passed over."""
    lines = (line for line in text.splitlines() if line.startswith(FIGURES_PREFIX))
    for line, _ in zip(lines, range(MAX_LINES), strict=False):
        try:
            found = json.loads(line.removeprefix(FIGURES_PREFIX))
            numbers = {name: float(found[name]) for name in ("value", "low", "high")}
            reference = None if found.get("reference") is None else float(found["reference"])
            label = _short(found["label"])
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
            continue
        drawable = all(abs(each) <= MAX_NUMBER for each in (*numbers.values(), reference or 0.0))  # NaN is not
        if not (label and drawable and numbers["low"] <= numbers["value"] <= numbers["high"]):
            continue
        unit, held_against = _short(found.get("unit", "")), _short(found.get("reference_label", ""))
        yield Measurement(label, **numbers, unit=unit, reference=reference, reference_label=held_against or "reference")


def _short(text: Any) -> str:
    return " ".join(str(text).split())[:MAX_LABEL]
