"""Every single mistake, cell by cell: it breaks its own exercise, says why, and cannot reach another one.

`cells.py` says how its cells run. `test_marks.py` sends a part of the variants through nbgrader.
"""

from __future__ import annotations

import importlib
import re
import symtable

import pytest

from augcourse import build, samples
from augcourse.checks import MISTAKES

from .cells import code_cells, exercises, grade_here, grouped, outcome_of, text_of
from .course import DATASETS, SMOKE

BANK = {step: importlib.import_module(f"tests.variants.{step}").VARIANTS for step in build.STEPS}


@pytest.fixture
def notebook_folder(data_sets, tmp_path, monkeypatch, request):
    grade_here(data_sets(request.getfixturevalue("dataset")), monkeypatch, tmp_path)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(
    ("dataset", "step", "variant"),
    [
        grouped(d, s, v, id=f"{d}-{s}-{v.name}")
        for d in (*DATASETS, *SMOKE)
        for s in build.STEPS
        for v in (BANK[s] if d in DATASETS else BANK[s][:1])
    ],
)
def test_a_mistake_breaks_its_exercise_and_the_message_names_it(notebook_folder, dataset, step, variant):
    outcome = outcome_of(samples.edited(text_of(step), variant.edits), variant.exercise)
    assert outcome.message, "the graded cell is content with a mistake"
    assert re.search(variant.says, outcome.message), outcome.message
    assert outcome.points == variant.keeps, outcome.message


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(
    ("dataset", "step", "exercise"),
    [
        grouped(d, s, e, id=f"{d}-{s}-{e}")
        for d in (*DATASETS, *SMOKE)
        for s in build.STEPS
        for e in exercises(s)
        if e != "conclusion"
    ],
)
def test_the_solution_satisfies_fresh_probes(notebook_folder, dataset, step, exercise):
    outcome = outcome_of(text_of(step), exercise)
    assert outcome.message == ""
    assert outcome.points == outcome.maximum


@pytest.mark.parametrize("step", build.STEPS)
def test_a_variant_changes_the_cell_of_its_own_exercise_alone(step):
    before = {cell["id"]: cell.source for cell in code_cells(text_of(step))}
    for variant in BANK[step]:
        after = {cell["id"]: cell.source for cell in code_cells(samples.edited(text_of(step), variant.edits))}
        assert {name for name in before if before[name] != after[name]} == {variant.exercise}, variant.name


@pytest.mark.parametrize("step", build.STEPS)
def test_a_hand_in_uses_no_answer_of_another_exercise(step):
    """So a mistake cannot cost the marks of another exercise, however it goes wrong."""
    cells = {cell["id"]: cell for cell in code_cells(text_of(step))}
    answers = {
        name: set(symtable.symtable(cells[name].source, name, "exec").get_identifiers()) for name in exercises(step)
    }
    for name in exercises(step):
        if f"{name}_handin" not in cells:
            continue
        used = set(symtable.symtable(cells[f"{name}_handin"].source, name, "exec").get_identifiers())
        for other, defined in answers.items():
            assert other == name or not used & defined, f"{name}_handin uses {used & defined} of {other}"


@pytest.mark.parametrize("mistake", list(MISTAKES))
def test_every_mistake_of_the_course_has_a_variant(mistake):
    shown = f"{mistake}\n{MISTAKES[mistake].question}\n{MISTAKES[mistake].pointer}"
    assert any(re.search(variant.says, shown) for variants in BANK.values() for variant in variants)


def test_the_bank_is_large_enough():
    assert sum(len(v) for v in BANK.values()) >= 25
    assert min(len(v) for v in BANK.values()) >= 4
