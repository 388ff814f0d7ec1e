"""The stored calibration: what the rule says of the stored gains, without a wrong verdict, in all of its blocks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from augcourse import calibrate
from augcourse.settings import SETTINGS

FOLDER = Path(__file__).parents[2] / "docs" / "results"


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return pd.read_csv(FOLDER / "calibration.csv")


def test_every_stored_verdict_follows_from_its_gains_by_the_rule_of_today(table):
    assert (calibrate.redecided(table) == table.outcome).all()


def test_every_recipe_of_the_bank_was_judged_in_every_block(table):
    for _, part in table.groupby("dataset"):
        counts = part.groupby("block").recipe.agg(lambda names: set(names) == set(calibrate.BANK))
        assert counts.all()
        assert not part.duplicated(["block", "recipe"]).any()
    assert len(table[table.dataset == "mnist_sample"]) >= 20 * len(calibrate.BANK)


def test_no_wrong_verdict_was_found(table):
    found = calibrate.rates(calibrate.truths(table)).set_index("error").found
    assert found.filter(like="wrong").sum() == 0


def test_the_table_and_its_page_belong_together(table):
    assert (FOLDER / "calibration.md").read_text(encoding="utf-8") == calibrate._markdown(calibrate.truths(table))


def test_a_wrong_pass_would_be_counted(table):
    flip = table.recipe == "horizontal flip"
    forged = table.assign(outcome=np.where(flip, "beats the baseline", table.outcome))
    found = calibrate.rates(calibrate.truths(forged)).found
    assert found.iloc[0] == flip.sum()


def test_the_runs_of_two_blocks_share_nothing():
    first, second = calibrate.runs_of(0), calibrate.runs_of(1)
    assert len(first) == max(SETTINGS.looks)
    assert not {run.draw for run in first} & {run.draw for run in second}
    assert not {run.seed for run in first} & {run.seed for run in second}


def test_useful_recipes_are_seldom_too_close_and_the_two_fours_get_the_verdicts_that_the_lesson_promises(table):
    here = table[table.dataset == "mnist_sample"]
    found = calibrate.rates(calibrate.truths(here)).set_index("error")
    close = found.filter(like="too close", axis=0).iloc[0]
    assert close.found / close.verdicts < 0.02
    said = here.groupby("recipe").outcome.value_counts()
    assert said.get(("the label-aware four", "beats the baseline"), 0) >= 19
    assert said.get(("the tutorial's four", "does not"), 0) >= 18


def test_whole_blocks_hold_every_run(table):
    whole = calibrate.whole_blocks(table)
    assert len(whole) >= 2 * len(calibrate.BANK)
    assert (whole.groupby("block").recipe.nunique() == len(calibrate.BANK)).all()


def test_residuals_are_of_the_first_looks_and_have_no_mean(table):
    here = table[table.dataset == "mnist_sample"]
    off = calibrate.residuals(here)
    assert abs(off.mean()) < 1e-3
    assert len(off) % (2 * here.block.nunique()) == 0


def test_both_rules_are_asked_about_the_same_gains_and_neither_passes_a_useless_recipe(table):
    both = calibrate.both_rules(table)
    assert set(both.rule) == {"the grader's rule", "the second opinion"}
    wrong = [row for column in both.filter(like="wrong") for row in both[column]]
    assert all(each.startswith("0 of ") for each in wrong)
