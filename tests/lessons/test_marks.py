"""Marks: the solutions get all of them, the untouched release none, and a single mistake costs its own exercise."""

from __future__ import annotations

import builtins
import importlib
import re
import symtable
from pathlib import Path

import nbformat
import pytest

from augcourse import build, samples
from tests.conftest import DEFAULT
from tests.variants.variant import graded_by_nbgrader

from . import course
from .course import DATASETS, SMOKE, Graded


def variants(dataset, step):
    """On other data, `test_variants.py` examines them all, and nbgrader adds nothing that it had not shown before."""
    bank = importlib.import_module(f"tests.variants.{step}").VARIANTS
    return graded_by_nbgrader(bank) if dataset == DEFAULT else ()


@pytest.fixture(scope="session")
def graded_class(tmp_path_factory, data_sets):
    """(dataset, step) → the graded submissions of the solution, the release and every variant, made once."""
    done: dict[tuple[str, str], dict[str, Graded]] = {}

    def get(dataset: str, step: str) -> dict[str, Graded]:
        if (dataset, step) not in done:
            submissions = {
                "solution": samples.submission(course.ROOT, step),
                "untouched": nbformat.read(build.notebook_path(course.ROOT, "release", step), as_version=4),
                **{v.name: samples.submission(course.ROOT, step, v.edits) for v in variants(dataset, step)},
            }
            work: Path = tmp_path_factory.mktemp(f"{dataset}-{step}")
            done[dataset, step] = course.grade(work, step, submissions, data_sets(dataset))
        return done[dataset, step]

    return get


def in_group(dataset: str, step: str, *values: object) -> object:
    return pytest.param(dataset, step, *values, marks=pytest.mark.xdist_group(f"{dataset}-{step}"))


EVERY_STEP = [in_group(dataset, step) for dataset in DATASETS for step in build.STEPS]
EVERY_STEP += [in_group(dataset, build.STEPS[0]) for dataset in SMOKE]
EVERY_VARIANT = [
    in_group(dataset, step, variant)
    for dataset in DATASETS
    for step in build.STEPS
    for variant in variants(dataset, step)
]


@pytest.mark.slow
@pytest.mark.parametrize(("dataset", "step"), EVERY_STEP)
def test_the_solution_gets_all_automatic_marks(graded_class, dataset, step):
    solution = graded_class(dataset, step)["solution"]
    assert solution.points
    assert not solution.lost(), solution.messages


@pytest.mark.slow
@pytest.mark.parametrize(("dataset", "step"), EVERY_STEP)
def test_the_untouched_release_gets_no_mark(graded_class, dataset, step):
    untouched = graded_class(dataset, step)["untouched"]
    assert untouched.points
    assert sum(untouched.points.values()) == 0


@pytest.mark.slow
@pytest.mark.parametrize(("dataset", "step", "variant"), EVERY_VARIANT, ids=lambda v: getattr(v, "name", v))
def test_a_mistake_costs_its_own_exercise_and_no_other(graded_class, dataset, step, variant):
    graded = graded_class(dataset, step)[variant.name]
    assert graded.lost() == {variant.exercise}, graded.messages
    assert graded.points[variant.exercise] == variant.keeps
    assert re.search(variant.says, graded.messages[variant.exercise]), graded.messages[variant.exercise]


@pytest.mark.slow
@pytest.mark.parametrize(("dataset", "step"), [in_group(DEFAULT, step) for step in ("step1_explore", "step3_augment")])
def test_cells_that_are_passed_over_change_no_mark(graded_class, tmp_path, data_sets, dataset, step):
    wrong = variants(dataset, step)[0]
    submissions = {
        "solution": samples.submission(course.ROOT, step),
        wrong.name: samples.submission(course.ROOT, step, wrong.edits),
    }
    everything_runs = "c.GradedExecute.skip_tags = []"
    whole = course.grade(tmp_path, step, submissions, data_sets(dataset), everything_runs)
    shown = nbformat.read(tmp_path / "autograded" / "solution" / step / f"{step}.ipynb", as_version=4)
    assert any(is_shown(cell) and cell.execution_count for cell in shown.cells), "nothing more was run"
    for student, graded in whole.items():
        assert graded.points == graded_class(dataset, step)[student].points, student


def is_shown(cell):
    return cell.cell_type == "code" and "show" in cell.metadata.get("tags", [])


def names_of(table, which):
    """Names of a cell's own namespace, in its functions too, for which `which` of their symbols holds."""
    own = table.get_type() == "module"
    found = {s.get_name() for s in table.get_symbols() if (own or s.is_global()) and which(s)}
    return found.union(*(names_of(child, which) for child in table.get_children()))


@pytest.mark.parametrize("step", build.STEPS)
def test_no_cell_that_is_run_uses_a_name_from_one_that_is_passed_over(step):
    """So that grading, which passes the cells tagged `show` over, runs into no missing name."""
    notebook = nbformat.read(build.notebook_path(course.ROOT, "source", step), as_version=4)
    run, passed_over = set(dir(builtins)), set()
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        table = symtable.symtable(cell.source, cell["id"], "exec")
        bound = names_of(table, lambda s: s.is_assigned() or s.is_imported())
        if is_shown(cell):
            passed_over |= bound
        else:
            run |= bound
            missing = names_of(table, lambda s: s.is_referenced()) & passed_over - run
            assert not missing, f"{cell['id']} uses {missing}"
    assert passed_over, "no cell is tagged"
