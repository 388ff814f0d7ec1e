"""Marks: the solutions get all of them, the untouched release none, and a single mistake costs its own exercise."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import nbformat
import pytest

from augcourse import build, samples
from tests.variants.variant import graded_by_nbgrader

from . import course
from .course import Graded

DATASETS = ("uci_digits", "mnist")


def variants(dataset, step):
    """On MNIST, `test_variants.py` examines them all, and nbgrader adds nothing that it had not shown before."""
    bank = importlib.import_module(f"tests.variants.{step}").VARIANTS
    return graded_by_nbgrader(bank) if dataset == "uci_digits" else ()


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
    assert graded.points[variant.exercise] == 0
    assert re.search(variant.says, graded.messages[variant.exercise]), graded.messages[variant.exercise]
