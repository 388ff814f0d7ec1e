"""What step 5 says of its figures and tables holds in the stored runs of every data set."""

from __future__ import annotations

import re
from itertools import pairwise
from math import comb, isclose

import nbformat
import numpy as np
import pytest
from scipy import stats

from augcourse import build, compare, recipes, results
from augcourse.settings import HALF, SETTINGS

from .cells import text_of
from .course import ROOT

STEP = "step5_compare"
RECIPES = 9
every_data_set = pytest.mark.parametrize("dataset", results.DATASETS)


def cell(start: str) -> str:
    """The one cell of the lesson whose text has `start`."""
    [found] = [c.source for c in build.source_of(text_of(STEP)).cells if start in c.source]
    return found


def recall_gains(dataset: str) -> list[compare.Interval]:
    """The intervals that the notebook prints of the recall of each digit, with the geometric recipe."""
    table = results.stored().query("study == 'ablation' and dataset == @dataset").sort_values("index")
    shares = {row: table[table.row == row].filter(like="recall ").to_numpy(float) for row in ("none", "geometric")}
    return [compare.interval(column) for column in 100 * (shares["geometric"] - shares["none"]).T]


def signed(number: float) -> str:
    return f"{number:+.1f}".replace("-", "−")


def with_interval(values: np.ndarray) -> list[str]:
    span = compare.interval(values)
    return [signed(number) for number in (span.mean, span.low, span.high)]


# What is taught


def test_the_worked_example_of_the_t_interval_is_calculated_correctly():
    text = cell("## 2. Would it be better again?")
    gains = np.array([84, 86, 84, 86]) - np.array([80, 84, 78, 82])
    t = stats.t.ppf(0.975, 3)
    assert "80, 84, 78, 82 %" in text
    assert "84, 86, 84, 86 %" in text
    assert f"are {', '.join(map(str, gains))} points" in text
    assert f"\\bar d = {gains.mean():g}$" in text
    assert f"= \\sqrt{{8 / 3}} = {gains.std(ddof=1):.2f}$" in text
    assert f"s / \\sqrt n = {stats.sem(gains):.2f}$" in text
    assert f"between −{t:.2f} and {t:.2f}" in text
    span = compare.interval(gains)
    assert f"\\pm {t * stats.sem(gains):.1f}$: {span.low:+.1f} to {span.high:+.1f}" in text


def test_the_worked_example_of_mcnemars_test_is_calculated_correctly():
    text = cell("## 4. Two finished models")
    told = "both models are right on 80, neither on 10, only the baseline on 2 and only the augmented model on 8"
    assert told in " ".join(text.split())
    baseline = np.repeat([True, False, True, False], [80, 10, 2, 8])
    augmented = np.repeat([True, False, False, True], [80, 10, 2, 8])
    assert (comb(10, 0), comb(10, 1), comb(10, 2)) == (1, 10, 45)
    assert isclose(compare.mcnemar(baseline, augmented), 2 * (1 + 10 + 45) / 1024)


def test_the_recipe_turns_digits_by_at_most_fifteen_degrees():
    assert "The recipe turns digits by up to 15°." in cell("## 5. Pictures that are turned")
    warps = [pipeline["transform"]["transforms"][0] for pipeline in recipes.geometric().pipelines]
    assert {tuple(warp["rotate"]) for warp in warps} == {(-15.0, 15.0)}


def test_the_four_new_runs_take_half_of_the_steps():
    assert 2 * HALF.steps == SETTINGS.steps


# What stored runs show, on every data set


@every_data_set
def test_the_ablation_has_nine_recipes_of_several_runs(dataset):
    gains = results.gains("ablation", dataset)
    assert len(gains) == RECIPES
    assert {len(values) for values in gains.values()} == {5}


@every_data_set
def test_pairs_remove_what_both_arms_share(dataset):
    """The standard error of paired gains is the smaller one, for every recipe."""
    runs = results.accuracies("ablation", dataset)
    plain = runs.pop("none")
    for name, each in runs.items():
        assert stats.sem(each - plain) < np.hypot(stats.sem(plain), stats.sem(each)), name


@every_data_set
def test_of_brightness_these_runs_cannot_tell(dataset):
    gains = results.gains("ablation", dataset)["brightness ±0.3"]
    span, verdict = compare.interval(gains), compare.verdict(gains)
    assert span.low < 0 < span.high
    assert verdict.low < SETTINGS.margin_points < verdict.high
    assert verdict.low < 0 < verdict.high, "gains and losses within the limits fit these runs"


@every_data_set
def test_every_gain_of_saturation_is_exactly_zero(dataset):
    gains = results.gains("ablation", dataset)["saturation ±0.5"]
    assert not gains.any()
    assert compare.verdict(gains).outcome == "does not"


def test_saturation_changes_no_grey_pixel():
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (20, 28, 28, 1), dtype=np.uint8), np.arange(20) % 10
    assert np.array_equal(recipes.named("saturation ±0.5").apply(images, labels, 0), images)
    assert not np.array_equal(recipes.named("brightness ±0.3").apply(images, labels, 0), images)


@every_data_set
def test_each_of_the_three_groups_has_a_recipe(dataset):
    verdicts = [compare.verdict(gains).outcome for gains in results.gains("ablation", dataset).values()]
    assert set(verdicts) == {"beats the baseline", "does not", "too close to call"}


@every_data_set
def test_a_further_label_brings_less_where_there_are_many(dataset):
    stored = results.accuracies("labels", dataset)
    means = [stored[f"none, {n}"].mean() for n in (10, 30, 100)]
    per_label = [(after - before) / more for (before, after), more in zip(pairwise(means), (20, 70), strict=True)]
    assert per_label[0] > per_label[1] > 0


@every_data_set
def test_the_hardest_digit_without_augmentation_is_known(dataset):
    table = results.stored().query("study == 'ablation' and row == 'none' and dataset == @dataset")
    assert np.isfinite(table.filter(like="recall ").to_numpy(float)).all()


# The model answer of the conclusion


def test_the_conclusion_states_the_figures_of_the_stored_runs_and_no_others():
    text = cell("*A model answer, with the figures of `mnist_sample`.*")
    gains = results.gains("ablation", "mnist_sample")
    mean, low, high = with_interval(gains["geometric"])
    assert f"gains {mean} points of test accuracy (95 % interval {low} to {high}, five runs)" in " ".join(text.split())
    expected = [mean, low, high]
    for name in ("shift ±10 %", "rotation ±15°", "brightness ±0.3"):
        expected += with_interval(gains[name])
    assert re.findall(r"[+−]\d+\.\d", text) == expected


def test_the_conclusion_says_rightly_which_digits_lost():
    text = " ".join(cell("*A model answer, with the figures of `mnist_sample`.*").split())
    spans = recall_gains("mnist_sample")
    assert not [digit for digit, span in enumerate(spans) if span.high < 0]
    unclear = [str(digit) for digit, span in enumerate(spans) if span.low <= 0 <= span.high]
    assert f"No digit's interval is below 0. For {', '.join(unclear[:-1])} and {unclear[-1]} it contains 0" in text


def test_the_conclusions_verdicts_are_the_graders():
    gains = results.gains("ablation", "mnist_sample")
    for name in ("geometric", "shift ±10 %", "rotation ±15°"):
        assert compare.verdict(gains[name]).outcome == "beats the baseline", name
    assert compare.verdict(gains["brightness ±0.3"]).outcome == "too close to call"


def test_the_conclusion_answers_its_four_demands_in_about_150_words():
    text = cell("*A model answer, with the figures of `mnist_sample`.*")
    assert all(f"**{demand}.**" in text for demand in ("Claim", "Who lost", "Why", "Limit"))
    answer = text.split("`mnist_sample`.*")[1].split("<!--")[0]
    assert 110 <= len(answer.split()) <= 170


# What students are told of their own work


def test_nothing_calls_the_courses_recipe_the_students():
    """Every student's `train_both` is tried with the same recipe, so its gain is nobody's result."""
    assert "measure.judge" not in text_of(STEP)
    assert "checks.verdict" not in text_of(STEP)


def test_the_printed_conclusion_is_made_by_the_courses_own_rule():
    solution = nbformat.read(build.notebook_path(ROOT, "solutions", STEP), as_version=4)
    printed = "".join(out.get("text", "") for cell in solution.cells for out in cell.get("outputs", []))
    gains = results.gains("ablation", "mnist_sample")
    for outcome, said in (
        ("beats the baseline", "With these recipes it does"),
        ("does not", "With these it does not"),
        ("too close to call", "With these we cannot tell"),
    ):
        [names] = re.findall(rf"{said}: (.*)\.\n", printed)
        wanted = {name for name, each in gains.items() if compare.verdict(each).outcome == outcome}
        assert set(names.split(", ")) == wanted
