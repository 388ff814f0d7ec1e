"""Arrays in, statistics out: gains, intervals, McNemar, confusion, verdict. No training, no plotting.

The resampling unit is a *run*: one draw of the labelled digits and one seed, shared by both arms.
Accuracies enter in 0..1, gains leave in percentage points.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as _mcnemar

from augcourse.settings import CLASSES, SETTINGS, Settings

if TYPE_CHECKING:
    from augcourse.augment import Recipe

__all__ = [
    "Interval",
    "Verdict",
    "chance_of_winning",
    "confusion_matrix",
    "gain_needed",
    "interval",
    "limits",
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
        mean_gain: mean paired gain, in percentage points.
        low, high: one-sided confidence limits of the mean gain: at least `low`, at most `high`.
        runs: number of paired runs.
        margin: what the limits are held against, in percentage points.
        chance: the probability that the augmented model beats the baseline on one fresh draw and seed, in 0..1.
        least_digit: the digit that gained least, where gains were measured by digit.
        least_gain: its mean paired gain, in percentage points of that digit.
        recipe: what was judged, where gains were measured for a recipe.
    """

    outcome: Literal["beats the baseline", "does not", "too close to call"]
    mean_gain: float
    low: float
    high: float
    runs: int
    margin: float
    chance: float
    least_digit: int | None = None
    least_gain: float | None = None
    recipe: Recipe | None = None

    def sentence(self) -> str:
        """The verdict with its figures, for a student."""
        return (
            f"{self.outcome}: mean paired gain {self.mean_gain:+.1f} points over {self.runs} runs, "
            f"limits {self.low:+.1f} and {self.high:+.1f}; the margin is {self.margin:+.1f}"
        )

    def in_other_words(self) -> str:
        """The same result for a reader who asks not for a mean but for a chance, and for who lost (in two sentences).

        A mean can hide a class that lost (Balestriero, Bottou and LeCun 2022, arXiv:2204.03632).
        """
        said = (
            f"On ten fresh labels per class and a fresh seed, the augmented model beats the baseline "
            f"with a probability of {_percent(self.chance)}."
        )
        if self.least_digit is None or self.least_gain is None:
            return said
        return f"{said} The digit that gained least is {self.least_digit}: {self.least_gain:+.1f} points."


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


def limits(gains: np.ndarray, settings: Settings = SETTINGS) -> tuple[float, float]:
    """Lower and upper one-sided confidence limits of the mean gain at one look, in the unit of the gains.

    A few runs say little about their own spread. So their variance is moderated by what is known of other
    recipes' (Smyth 2004, doi:10.2202/1544-6115.1027): the known variance counts as `spread_runs` more degrees of
    freedom of Student's t. The error rate is shared out evenly over the looks (Bonferroni; Dunn 1961), so that
    it holds for the whole sequence, whenever it stops. Gains that are all zero have limits of zero: a recipe
    that changes no answer in any run changes nothing.

    Args:
        gains: float (runs,) paired gains, at least two.
        settings: `looks`, `error_rate`, `spread_points` and `spread_runs` are used.

    Raises:
        ValueError: fewer than two runs; one run has no spread.
    """
    gains = np.asarray(gains, np.float64)
    if gains.size < 2:
        raise ValueError(f"a verdict needs at least two runs, found {gains.size}")
    if not gains.any():
        return 0.0, 0.0
    freedom, variance = _spread(gains, settings)
    of_mean = {"df": freedom, "loc": gains.mean(), "scale": np.sqrt(variance / gains.size)}
    error = settings.error_rate / len(settings.looks)
    return float(stats.t.ppf(error, **of_mean)), float(stats.t.isf(error, **of_mean))


def _spread(gains: np.ndarray, settings: Settings) -> tuple[int, float]:
    """Degrees of freedom and variance of single gains, moderated by what is known of other recipes'."""
    known, own = settings.spread_runs, gains.size - 1
    variance = (known * settings.spread_points**2 + own * gains.var(ddof=1)) / (known + own)
    return known + own, float(variance)


def chance_of_winning(gains: np.ndarray, settings: Settings = SETTINGS) -> float:
    """The probability in 0..1 that the next paired gain, on a fresh draw and seed, is above zero.

    From the predictive distribution of one more run: Student's t about the mean, with the spread of single gains and
    the uncertainty of the mean itself. Gains that are all zero have none: a recipe that changes no answer never wins.

    Args:
        gains: float (runs,) paired gains, at least two.
        settings: `spread_points` and `spread_runs` are used, as by `limits`.

    Raises:
        ValueError: fewer than two runs; one run has no spread.
    """
    gains = np.asarray(gains, np.float64)
    if gains.size < 2:
        raise ValueError(f"a chance needs at least two runs, found {gains.size}")
    if not gains.any():
        return 0.0
    freedom, variance = _spread(gains, settings)
    return float(stats.t.sf(0.0, freedom, loc=gains.mean(), scale=np.sqrt(variance * (1 + 1 / gains.size))))


def _percent(share: float) -> str:
    """A probability in whole percent; never 0 or 100 unless it is exactly so."""
    if 0 < share < 0.01:
        return "under 1 %"
    if 0.99 < share < 1:
        return "over 99 %"
    return f"{100 * share:.0f} %"


def verdict(gains: np.ndarray, settings: Settings = SETTINGS) -> Verdict:
    """One look at the gains: both limits of the mean on one side of the margin decide, otherwise it is too close.

    Args:
        gains: float (runs,) paired gains in percentage points, at least two.
        settings: those of `limits`, and `margin_points`.
    """
    low, high = limits(gains, settings)
    margin = settings.margin_points
    outcome: Literal["beats the baseline", "does not", "too close to call"] = "too close to call"
    if low > margin:
        outcome = "beats the baseline"
    elif high < margin:
        outcome = "does not"
    return Verdict(outcome, float(np.mean(gains)), low, high, len(gains), margin, chance_of_winning(gains, settings))


def gain_needed(runs: int, settings: Settings = SETTINGS) -> float:
    """The mean gain in points that a pass needs at a look of `limits`, where the gains spread as other recipes' do.

    Args:
        runs: how many gains the look has.
        settings: `margin_points` and those of `limits`.
    """
    freedom = settings.spread_runs + runs - 1
    error = settings.error_rate / len(settings.looks)
    return settings.margin_points + float(stats.t.isf(error, freedom)) * settings.spread_points / runs**0.5


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
