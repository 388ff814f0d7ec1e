"""Every single mistake, cell by cell: it breaks its own exercise, says why, and cannot reach another one.

A variant's cells run as they stand in the notebook: set-up, the exercise's own cell and its hand-in cell in one
namespace; the graded cell in an empty one. `test_marks.py` sends a part of the variants through nbgrader.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import symtable

import matplotlib as mpl
import pytest

from augcourse import build, samples
from augcourse.checks import MISTAKES

from .course import DATASETS, ROOT, SMOKE

BANK = {step: importlib.import_module(f"tests.variants.{step}").VARIANTS for step in build.STEPS}


def text_of(step):
    return build.lesson_path(ROOT, step).read_text(encoding="utf-8")


def code_cells(text):
    return [cell for cell in build.source_of(text).cells if cell.cell_type == "code"]


def exercises(step):
    return [c["id"] for c in code_cells(text_of(step)) if c.metadata.get("nbgrader", {}).get("solution")]


def message_of(text, exercise):
    """What the graded cell of an exercise says of a lesson's text; empty when it is content."""
    sources = {cell["id"]: cell.source for cell in code_cells(text)}
    student: dict[str, object] = {"__name__": "__main__"}
    for source in list(sources.values())[:2]:
        exec(source, student)
    # A stopped cell is no news here: the hand-in records why it stopped.
    with contextlib.suppress(Exception):
        exec(sources[exercise], student)
        exec(sources[f"{exercise}_handin"], student)
    try:
        exec(sources[f"{exercise}_test"], {"__name__": "__main__"})
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


@pytest.fixture
def notebook_folder(data_sets, tmp_path, monkeypatch, request):
    for name, value in data_sets(request.getfixturevalue("dataset")).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AUGCOURSE_PROBE_SEED", str(int.from_bytes(os.urandom(3), "big")))
    monkeypatch.chdir(tmp_path)
    mpl.use("agg")


def grouped(step, dataset, *values, **kwargs):
    return pytest.param(dataset, step, *values, marks=pytest.mark.xdist_group(f"{dataset}-{step}"), **kwargs)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(
    ("dataset", "step", "variant"),
    [
        grouped(s, d, v, id=f"{d}-{s}-{v.name}")
        for d in (*DATASETS, *SMOKE)
        for s in build.STEPS
        for v in (BANK[s] if d in DATASETS else BANK[s][:1])
    ],
)
def test_a_mistake_breaks_its_exercise_and_the_message_names_it(notebook_folder, dataset, step, variant):
    message = message_of(samples.edited(text_of(step), variant.edits), variant.exercise)
    assert message, "the graded cell is content with a mistake"
    assert re.search(variant.says, message), message


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(
    ("dataset", "step", "exercise"),
    [
        grouped(s, d, e, id=f"{d}-{s}-{e}")
        for d in (*DATASETS, *SMOKE)
        for s in build.STEPS
        for e in exercises(s)
        if e != "conclusion"
    ],
)
def test_the_solution_satisfies_fresh_probes(notebook_folder, dataset, step, exercise):
    assert message_of(text_of(step), exercise) == ""


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
