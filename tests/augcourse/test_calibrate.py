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
    assert len(table) >= 240


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
