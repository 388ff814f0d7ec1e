"""Statistics: each agrees with a library's own, or with arithmetic that anyone can redo."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from sklearn.metrics import confusion_matrix as sklearn_confusion_matrix
from sklearn.metrics import recall_score
from statsmodels.stats.proportion import proportion_confint

from augcourse import compare
from augcourse.settings import SETTINGS

RNG = np.random.default_rng(0)
LABELS, PREDICTIONS = RNG.integers(0, 10, 300), RNG.integers(0, 10, 300)


def test_gains_are_paired_and_in_percentage_points():
    assert compare.paired_gains(np.array([0.8, 0.9]), np.array([0.85, 0.88])) == pytest.approx([5.0, -2.0])


@given(st.lists(st.floats(-20, 20), min_size=2, max_size=12).filter(lambda v: np.ptp(v) > 1e-3))
def test_the_interval_is_students(values):
    spread = compare.interval(np.array(values))
    low, high = stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))
    assert (spread.low, spread.high) == pytest.approx((low, high), abs=1e-6)


def test_the_interval_covers_the_truth_as_often_as_it_says():
    samples = np.random.default_rng(1).normal(2.0, 1.5, (2000, 5))
    hits = np.mean([low <= 2.0 <= high for _, low, high in map(_tuple, samples)])
    assert stats.binomtest(int(hits * 2000), 2000, 0.95).pvalue > 0.001


def _tuple(sample):
    spread = compare.interval(sample)
    return spread.mean, spread.low, spread.high


def test_one_run_has_no_interval():
    with pytest.raises(ValueError, match="at least two runs"):
        compare.interval(np.array([3.0]))


def test_equal_gains_have_an_interval_of_no_width():
    assert compare.interval(np.array([1.0, 1.0])) == compare.Interval(1.0, 1.0, 1.0)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_mcnemar_is_the_exact_binomial_test_of_the_discordant_images(pairs):
    first, second = (np.array(column) for column in zip(*pairs, strict=True))
    only_first, only_second = int(np.sum(first & ~second)), int(np.sum(~first & second))
    n = only_first + only_second
    wanted = stats.binomtest(only_first, n).pvalue if n else 1.0
    assert compare.mcnemar(first, second) == pytest.approx(wanted)


def test_confusion_and_recall_are_those_of_scikit_learn():
    matrix = compare.confusion_matrix(LABELS, PREDICTIONS)
    assert np.array_equal(matrix, sklearn_confusion_matrix(LABELS, PREDICTIONS, labels=range(10)))
    assert compare.recall(matrix) == pytest.approx(recall_score(LABELS, PREDICTIONS, average=None, labels=range(10)))


def test_an_absent_digit_has_no_recall():
    assert np.isnan(compare.recall(compare.confusion_matrix(np.array([1]), np.array([1])))[2])


@pytest.mark.parametrize(
    ("gains", "outcome"),
    [
        ([4.0, 5.0, 3.0], "beats the baseline"),
        ([-4.0, -5.0, -3.0], "does not"),
        ([0.0, 0.0, 0.0], "does not"),
        ([1.5, 0.4, 0.0], "too close to call"),
        ([6.0, -1.0, 2.0], "too close to call"),
    ],
)
def test_the_verdict_follows_the_gains_and_their_spread(gains, outcome):
    assert compare.verdict(np.array(gains)).outcome == outcome


def test_the_verdict_says_its_figures():
    said = compare.verdict(np.array([4.0, 5.0, 3.0]))
    sentence = said.sentence()
    for figure in ("+4.0 points", "3 runs", f"{said.low:+.1f} and {said.high:+.1f}", "+0.5"):
        assert figure in sentence


def test_one_run_is_no_verdict():
    with pytest.raises(ValueError, match="at least two runs"):
        compare.verdict(np.array([5.0]))


@given(arrays(np.float64, st.integers(2, 8), elements=st.floats(-20, 20)), st.floats(-5, 5))
def test_limits_hold_the_mean_and_move_with_the_gains(gains, by):
    low, high = compare.limits(gains)
    assert low <= gains.mean() <= high
    moved = gains + by
    if gains.any() and moved.any():
        assert compare.limits(moved) == pytest.approx((low + by, high + by), abs=1e-9)


@given(arrays(np.float64, 5, elements=st.floats(-20, 20)))
def test_more_looks_or_a_smaller_error_rate_never_narrow_the_limits(gains):
    low, high = compare.limits(gains)
    for stricter in (replace(SETTINGS, looks=(3, 5, 8, 13)), replace(SETTINGS, error_rate=0.01)):
        wide = compare.limits(gains, stricter)
        assert wide[0] <= low
        assert wide[1] >= high


def test_without_prior_knowledge_the_limits_are_those_of_students_t():
    gains = np.array([1.0, 2.0, 4.0, 4.5])
    alone = replace(SETTINGS, spread_runs=0, looks=(4,))
    wanted = compare.interval(gains, 1 - 2 * SETTINGS.error_rate)
    assert compare.limits(gains, alone) == pytest.approx((wanted.low, wanted.high))


@pytest.mark.parametrize(
    ("true_gain", "spread"),
    [(SETTINGS.margin_points, 0.7), (SETTINGS.margin_points, SETTINGS.spread_points), (0.0, 2.5), (-1.0, 3.0)],
)
def test_the_whole_sequence_keeps_its_error_rate(true_gain, spread):
    """At the margin for a spread up to the known one; for a recipe that gains nothing, for nearly twice as much."""
    rng = np.random.default_rng(0)
    rows = rng.normal(true_gain, spread, (2000, max(SETTINGS.looks)))
    outcomes = [[compare.verdict(row[:n]).outcome for n in SETTINGS.looks] for row in rows]
    wrong = sum("beats the baseline" in each for each in outcomes)
    assert proportion_confint(wrong, len(rows), method="beta", alpha=0.1)[0] <= SETTINGS.error_rate


# The chance of winning

GAINS = arrays(np.float64, st.integers(2, 8), elements=st.floats(-20, 20))


def test_gains_that_are_all_zero_never_win():
    assert compare.chance_of_winning(np.zeros(4)) == 0


@pytest.mark.parametrize("gains", [[-3.0, 3.0], [-1.0, -1.0, 2.0], [0.5, -0.5, 0.0, 0.0]])
def test_a_mean_of_zero_with_any_spread_is_an_even_chance(gains):
    assert compare.chance_of_winning(np.array(gains)) == pytest.approx(0.5)


@given(GAINS)
def test_a_chance_is_a_probability(gains):
    assert 0 <= compare.chance_of_winning(gains) <= 1


@given(GAINS, st.floats(0.01, 5))
def test_the_chance_grows_with_the_mean(gains, more):
    if gains.any() and (gains + more).any():
        assert compare.chance_of_winning(gains + more) >= compare.chance_of_winning(gains)


@given(GAINS)
def test_what_one_arm_wins_the_other_loses(gains):
    if gains.any():
        assert compare.chance_of_winning(-gains) == pytest.approx(1 - compare.chance_of_winning(gains), abs=1e-9)


@given(st.floats(0.5, 5), st.floats(0, 10), st.floats(0.1, 10))
def test_gains_that_agree_win_more_surely_than_gains_that_scatter(mean, spread, more):
    agree, scatter = (mean + np.array([-1.0, 0.0, 1.0]) * width for width in (spread, spread + more))
    assert compare.chance_of_winning(agree) > compare.chance_of_winning(scatter)


@given(GAINS.filter(lambda gains: np.ptp(gains) > 1e-3))
def test_without_prior_knowledge_the_chance_is_of_students_prediction(gains):
    """One more value lies above zero with the probability that its t statistic does (Geisser 1993)."""
    alone = replace(SETTINGS, spread_runs=0)
    statistic = gains.mean() / (gains.std(ddof=1) * np.sqrt(1 + 1 / len(gains)))
    assert compare.chance_of_winning(gains, alone) == pytest.approx(stats.t.cdf(statistic, len(gains) - 1), abs=1e-9)


def test_known_spread_counts_as_so_many_degrees_of_freedom():
    gains = np.array([1.0, 2.0, 4.5])
    pooled = (6 * 1.3**2 + np.sum((gains - 2.5) ** 2)) / 8
    wanted = stats.t.cdf(2.5 / np.sqrt(pooled * (1 + 1 / 3)), 8)
    known = replace(SETTINGS, spread_runs=6, spread_points=1.3)
    assert compare.chance_of_winning(gains, known) == pytest.approx(wanted)


@pytest.mark.parametrize("gains", [[0.3, 2.0], [-1.0, 0.5, 0.2], [2.0, 2.5, 1.0, 3.0]])
def test_the_chance_is_that_of_a_simulation(gains):
    """Draws a spread and a mean that fit the gains, and one more gain from them."""
    rng = np.random.default_rng(0)
    values, known, draws = np.array(gains), SETTINGS.spread_runs, 200_000
    freedom = known + len(values) - 1
    squares = known * SETTINGS.spread_points**2 + np.sum((values - values.mean()) ** 2)
    spread = np.sqrt(squares / rng.chisquare(freedom, draws))
    mean = rng.normal(values.mean(), spread / np.sqrt(len(values)))
    wins = int(np.sum(rng.normal(mean, spread) > 0))
    assert stats.binomtest(wins, draws, compare.chance_of_winning(values)).pvalue > 0.001


def test_the_chance_comes_true_as_often_as_it_says():
    """Over recipes of every worth: runs whose spread is the known one, and the next run of the same recipe."""
    rng = np.random.default_rng(1)
    worth = rng.normal(0, 3, 4000)
    runs = rng.normal(worth[:, None], SETTINGS.spread_points, (4000, 3))
    chances = np.array([compare.chance_of_winning(gains[:2]) for gains in runs])
    between = (chances > 0.6) & (chances < 0.9)
    won = runs[between, 2] > 0
    assert abs(won.mean() - chances[between].mean()) < 0.05


def test_a_verdict_has_the_chance_of_its_gains():
    gains = np.array([1.5, 0.4, 2.0])
    assert compare.verdict(gains).chance == compare.chance_of_winning(gains)


SAID = compare.verdict(np.array([4.0, 5.0, 3.0]))


@pytest.mark.parametrize(
    ("chance", "words"),
    [
        *((0.0, "0 %"), (1e-6, "under 1 %"), (0.0099, "under 1 %"), (0.01, "1 %"), (0.734, "73 %"), (0.5, "50 %")),
        *((0.99, "99 %"), (0.9901, "over 99 %"), (0.9999, "over 99 %"), (1.0, "100 %")),
    ],
)
def test_a_chance_is_said_in_whole_percents_and_never_as_certainty(chance, words):
    assert replace(SAID, chance=chance).in_other_words().endswith(f" with a probability of {words}.")


def test_other_words_name_the_digit_that_gained_least_and_how_much():
    said = replace(SAID, least_digit=8, least_gain=-2.34).in_other_words()
    assert said.endswith(" The digit that gained least is 8: -2.3 points.")


def test_other_words_say_nothing_of_digits_where_none_were_measured():
    assert "digit that" not in SAID.in_other_words()


@pytest.mark.parametrize("runs", SETTINGS.looks)
def test_a_pass_needs_the_gain_that_it_is_said_to_need(runs):
    """For gains whose spread is the known one."""
    pattern = np.resize([1.0, -1.0], runs)
    pattern *= SETTINGS.spread_points / pattern.std(ddof=1)
    outcomes = [compare.verdict(compare.gain_needed(runs) + by + pattern).outcome for by in (-0.01, 0.01)]
    assert outcomes == ["too close to call", "beats the baseline"]


def test_more_runs_need_less_gain():
    needed = [compare.gain_needed(runs) for runs in SETTINGS.looks]
    assert needed == sorted(needed, reverse=True)
    assert needed[-1] > SETTINGS.margin_points
