"""Two rules on the same gains: what each says, and how often it says so of recipes of known worth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from augcourse import calibrate, power
from augcourse.compare import gain_needed, limits
from augcourse.settings import GRADING

FOLDER = Path(__file__).parents[2] / "docs" / "results"
RUNS = max(GRADING.looks)


@pytest.fixture(scope="module")
def curve() -> pd.DataFrame:
    return pd.read_csv(FOLDER / "power.csv")


def rows(gain: float, n: int = RUNS, spread: float = 1.3) -> np.ndarray:
    """Gains with exactly this mean and standard deviation."""
    raw = np.random.default_rng(0).normal(size=n)
    return gain + spread * (raw - raw.mean()) / raw.std(ddof=1)


@pytest.mark.parametrize("rule", power.RULES.values(), ids=list(power.RULES))
def test_a_large_gain_passes_a_large_loss_fails_and_the_margin_itself_is_too_close(rule):
    assert power.sequential(rule, rows(8))[0] == "beats the baseline"
    assert power.sequential(rule, rows(-8))[0] == "does not"
    assert power.sequential(rule, rows(GRADING.margin_points)) == ("too close to call", RUNS)


@pytest.mark.parametrize("rule", power.RULES.values(), ids=list(power.RULES))
def test_a_recipe_that_changes_nothing_does_not_beat_the_baseline(rule):
    assert rule(np.zeros(2), GRADING) == "does not"


def test_too_few_sign_flips_decide_nothing_however_large_the_gain():
    assert power.second_opinion(rows(50, n=4)) == "too close to call"
    assert power.second_opinion(rows(50, n=8)) == "beats the baseline"


def test_the_second_opinion_gives_equal_answers_for_equal_gains():
    gains = rows(1.4)
    assert len({power.second_opinion(gains) for _ in range(3)}) == 1


@pytest.mark.parametrize("runs", GRADING.looks)
def test_the_gain_that_a_pass_needs_is_where_the_lower_limit_meets_the_margin(runs):
    needed = gain_needed(runs, GRADING)
    spread = GRADING.spread_points
    assert limits(rows(needed + 0.01, runs, spread), GRADING)[0] > GRADING.margin_points
    assert limits(rows(needed - 0.01, runs, spread), GRADING)[0] < GRADING.margin_points


def test_a_pass_needs_less_gain_after_more_runs():
    needed = [gain_needed(runs, GRADING) for runs in GRADING.looks]
    assert needed == sorted(needed, reverse=True)


def test_the_stored_curve_rises_with_the_true_gain_for_either_rule(curve):
    for _, part in curve.groupby("rule"):
        share = part.sort_values("true gain")["beats the baseline"].to_numpy()
        assert np.diff(share).min() > -0.04  # the shares are of some hundred rows each
        assert share[0] == pytest.approx(0, abs=0.01)
        assert share[-1] > 0.95


def test_a_recipe_that_gains_nothing_seldom_passes_by_the_stored_curve(curve):
    useless = curve[(curve.rule == "the grader's rule") & (curve["true gain"] <= 0)]
    assert useless["beats the baseline"].max() <= GRADING.error_rate


def test_a_row_of_the_stored_curve_can_be_made_again(curve):
    table = pd.read_csv(FOLDER / "calibration.csv")
    again = power.curve(calibrate.residuals(table[table.dataset == "mnist_sample"]), true_gains=[2.0])
    stored = curve[curve["true gain"] == 2.0].reset_index(drop=True)
    for outcome in power.OUTCOMES:
        assert again[outcome].to_numpy() == pytest.approx(stored[outcome].to_numpy(), abs=1e-4)


def test_the_page_of_the_curve_belongs_to_what_is_stored(curve):
    table = pd.read_csv(FOLDER / "calibration.csv")
    assert (FOLDER / "power.md").read_text(encoding="utf-8") == calibrate._power_markdown(table, curve)
