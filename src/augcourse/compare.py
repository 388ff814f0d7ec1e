"""Arrays in, statistics out: gains, intervals, McNemar, confusion, verdict. No training, no plotting.

The resampling unit is a *run*: one draw of the labelled digits and one seed, shared by both arms.
Accuracies enter in 0..1, gains leave in percentage points.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as _mcnemar

from augcourse.settings import CLASSES, SETTINGS

__all__ = [
    "Interval",
    "Verdict",
    "confusion_matrix",
    "interval",
    "mcnemar",
    "paired_gains",
    "recall",
    "verdict",
]


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with its two-sided confidence interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the grader says of a recipe.

    Attributes:
        outcome: *beats the baseline*, *does not*, or *too close to call*.
        mean_gain, low, high: mean paired gain and its interval, in percentage points.
        runs: number of paired runs.
        margin: the mean gain that had to be reached, in percentage points.
    """

    outcome: Literal["beats the baseline", "does not", "too close to call"]
    mean_gain: float
    low: float
    high: float
    runs: int
    margin: float

    def sentence(self) -> str:
        """The verdict with its figures, for a student."""
        return (
            f"{self.outcome}: mean paired gain {self.mean_gain:+.1f} points over {self.runs} runs "
            f"(95 % interval {self.low:+.1f} to {self.high:+.1f}; the margin is {self.margin:+.1f})"
        )


def paired_gains(baseline: np.ndarray, augmented: np.ndarray) -> np.ndarray:
    """float64 (runs,): augmented minus baseline accuracy of the same run, in percentage points."""
    return 100.0 * (np.asarray(augmented, np.float64) - np.asarray(baseline, np.float64))


def interval(values: np.ndarray, confidence: float = 0.95) -> Interval:
    """Student's t interval of the mean of independent runs (scipy.stats.ttest_1samp).

    Raises:
        ValueError: fewer than two runs; one run has no interval.
    """
    values = np.asarray(values, np.float64)
    if values.size < 2:
        raise ValueError(f"an interval needs at least two runs, found {values.size}")
    mean = float(values.mean())
    if np.ptp(values) == 0:
        return Interval(mean, mean, mean)
    low, high = stats.ttest_1samp(values, 0.0).confidence_interval(confidence)
    return Interval(mean, float(low), float(high))


def verdict(gains: np.ndarray, margin: float = SETTINGS.margin_points) -> Verdict:
    """Beats the baseline when the mean paired gain reaches the margin.

    Args:
        gains: (runs,) paired gains in percentage points, at least two.
        margin: in percentage points.
    """
    spread = interval(gains)
    outcome: Literal["beats the baseline", "does not"] = "beats the baseline" if spread.mean >= margin else "does not"
    return Verdict(outcome, spread.mean, spread.low, spread.high, len(gains), margin)


def mcnemar(correct_first: np.ndarray, correct_second: np.ndarray) -> float:
    """Exact two-sided p-value of McNemar's test (McNemar 1947; statsmodels) for two models on the same images.

    Args:
        correct_first, correct_second: bool (n,), whether each model was right about each image.
    """
    first, second = np.asarray(correct_first, bool), np.asarray(correct_second, bool)
    table = [
        [np.sum(first & second), np.sum(first & ~second)],
        [np.sum(~first & second), np.sum(~first & ~second)],
    ]
    return float(_mcnemar(table, exact=True).pvalue)


def confusion_matrix(labels: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """int64 (10, 10): row is the true digit, column the predicted one."""
    matrix = np.zeros((CLASSES, CLASSES), np.int64)
    np.add.at(matrix, (np.asarray(labels), np.asarray(predictions)), 1)
    return matrix


def recall(matrix: np.ndarray) -> np.ndarray:
    """float64 (10,): the share of each true digit that was recognised, in 0..1; NaN for an absent digit."""
    totals = matrix.sum(axis=1)
    return np.divide(np.diag(matrix), totals, out=np.full(CLASSES, np.nan), where=totals > 0)
