"""Unusual but correct work keeps all marks, cell by cell, on fresh probes."""

from __future__ import annotations

import pytest

from augcourse import samples
from tests.variants.unusual import UNUSUAL

from .cells import code_cells, grade_here, grouped, outcome_of, text_of
from .course import DATASETS


@pytest.fixture
def notebook_folder(data_sets, tmp_path, monkeypatch, request):
    grade_here(data_sets(request.getfixturevalue("dataset")), monkeypatch, tmp_path)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(
    ("dataset", "step", "work"),
    [grouped(d, s, w, id=f"{d}-{s}-{w.name}") for d in DATASETS for s, bank in UNUSUAL.items() for w in bank],
)
def test_unusual_work_that_is_right_keeps_all_marks(notebook_folder, dataset, step, work):
    outcome = outcome_of(samples.edited(text_of(step), work.edits), work.exercise)
    assert outcome.message == ""
    assert outcome.points == outcome.maximum


@pytest.mark.parametrize(("step", "bank"), UNUSUAL.items())
def test_unusual_work_changes_the_cell_of_its_own_exercise_alone(step, bank):
    before = {cell["id"]: cell.source for cell in code_cells(text_of(step))}
    for work in bank:
        after = {cell["id"]: cell.source for cell in code_cells(samples.edited(text_of(step), work.edits))}
        assert work.step == step
        assert {name for name in before if before[name] != after[name]} == {work.exercise}, work.name


def test_the_bank_is_large_enough():
    assert min(len(bank) for bank in UNUSUAL.values()) >= 10
