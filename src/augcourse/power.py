"""Two rules on the same gains, and how often each says what of a recipe that truly gains so many points.

*The grader's rule* is `compare.verdict`: a moderated t interval, at the looks of the settings. *The second opinion*
asks for two things that assume no normal distribution: a bias-corrected and accelerated bootstrap interval of the mean
(Efron 1987, doi:10.1080/01621459.1987.10478410; scipy.stats.bootstrap) on one side of the margin, and a sign-flip
permutation test against the margin (Fisher 1935; scipy.stats.permutation_test), at the same looks and error rates.

In: paired gains in percentage points, as `calibrate` has stored them. No training.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import stats

from augcourse.compare import verdict
from augcourse.settings import GRADING, Settings

__all__ = ["OUTCOMES", "RULES", "Said", "curve", "grader", "second_opinion", "sequential"]

OUTCOMES = ("beats the baseline", "too close to call", "does not")

Said = tuple[str, int]
"""An outcome, and after how many runs it was reached."""

TRUE_GAINS = tuple(np.arange(-1, 5.01, 0.25))
"""Where the curve of power is drawn, in percentage points."""

SEQUENCES = {"the grader's rule": 1000, "the second opinion": 400}
"""Rule → how many rows of eight runs are drawn for each true gain; resampling takes its time."""

_RESAMPLES = 1999


def grader(gains: np.ndarray, settings: Settings = GRADING) -> str:
    """What the grader's rule says of float (runs,) gains at one look."""
    return verdict(gains, settings).outcome


def second_opinion(gains: np.ndarray, settings: Settings = GRADING) -> str:
    """What bootstrap and sign-flip test together say of float (runs,) gains at one look.

    Gains that are all zero are *does not*, as by the grader's rule. The resampling is seeded: equal gains give equal
    answers.
    """
    gains = np.asarray(gains, np.float64)
    if not gains.any():
        return "does not"
    error, over = settings.error_rate / len(settings.looks), gains - settings.margin_points
    # 2 to the power of the runs is the number of sign flips: with fewer runs than this no p-value is small enough.
    if 2.0 ** -len(gains) > error:
        return "too close to call"
    above, below = _sign_flip(over, "greater"), _sign_flip(over, "less")
    if min(above, below) > error:
        return "too close to call"
    low, high = _bca(over, error)
    if low > 0 and above <= error:
        return "beats the baseline"
    return "does not" if high < 0 and below <= error else "too close to call"


def _sign_flip(over: np.ndarray, alternative: Literal["greater", "less"]) -> float:
    def mean(sample: np.ndarray, axis: int) -> np.ndarray:
        return sample.mean(axis=axis)

    test: Any = stats.permutation_test
    return float(test((over,), mean, permutation_type="samples", alternative=alternative, vectorized=True).pvalue)


def _bca(over: np.ndarray, error: float) -> tuple[float, float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        found = stats.bootstrap(
            (over,), np.mean, confidence_level=1 - 2 * error, n_resamples=_RESAMPLES, method="BCa", rng=0
        ).confidence_interval
    return float(found.low), float(found.high)


RULES: dict[str, Callable[[np.ndarray, Settings], str]] = {
    "the grader's rule": grader,
    "the second opinion": second_opinion,
}
"""Name → what it says at one look."""


def sequential(rule: Callable[[np.ndarray, Settings], str], gains: np.ndarray, settings: Settings = GRADING) -> Said:
    """Look as the grader looks: after so many runs, and again with more while it is too close.

    Args:
        gains: float (runs,), as many as the last look.
    """
    outcome, look = "too close to call", 0
    for look in settings.looks:
        outcome = rule(gains[:look], settings)
        if outcome != "too close to call":
            break
    return outcome, look


def curve(residuals: np.ndarray, true_gains: Sequence[float] = TRUE_GAINS, seed: int = 0) -> pd.DataFrame:
    """How often each rule says what, for recipes that truly gain so many points.

    Rows of runs are drawn with replacement from what real runs were off their recipe's mean, and moved to a true gain.

    Args:
        residuals: float (n,) gains of real runs minus the mean gain of their recipe, in percentage points.
        true_gains: in percentage points.
        seed: of the draws; every rule and true gain sees the same rows.

    Returns:
        a row per rule and true gain: `rule`, `true gain`, the share of each outcome in 0..1, and `runs per verdict`.
    """
    most, rows = max(GRADING.looks), []
    drawn = np.random.default_rng(seed).choice(residuals, size=(max(SEQUENCES.values()), most))
    for name, rule in RULES.items():
        for gain in true_gains:
            said = [sequential(rule, gain + row) for row in drawn[: SEQUENCES[name]]]
            outcomes = [outcome for outcome, _ in said]
            shares = {outcome: outcomes.count(outcome) / len(said) for outcome in OUTCOMES}
            runs = float(np.mean([look for _, look in said]))
            rows.append({"rule": name, "true gain": gain, **shares, "runs per verdict": runs})
    return pd.DataFrame(rows)
