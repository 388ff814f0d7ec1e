"""Sample students: made from the solutions by edits that must fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from augcourse import build, samples
from augcourse.errors import BuildError

ROOT = Path(__file__).parents[2]


def test_an_edit_that_does_not_fit_exactly_once_is_an_error():
    for old in ("absent", "a"):
        with pytest.raises(BuildError, match="exactly once"):
            samples.edited("a a", [(old, "b")])


@pytest.mark.parametrize("student", samples.CLASS, ids=lambda s: s.name)
def test_every_edit_of_the_class_fits_its_lesson(student):
    for step, edits in student.work.items():
        assert samples.submission(ROOT, step, edits).cells


def test_a_submission_differs_from_the_release_in_its_solution_cells_only():
    import nbformat

    handed_in = samples.submission(ROOT, "step1_explore")
    release = nbformat.read(build.notebook_path(ROOT, "release", "step1_explore"), as_version=4)
    changed = [b for a, b in zip(release.cells, handed_in.cells, strict=True) if a.source != b.source]
    assert changed
    assert all(cell.metadata.nbgrader.solution for cell in changed)
    assert not any("BEGIN" in cell.source for cell in changed)


def test_the_class_covers_every_step_and_makes_its_points():
    assert len(samples.CLASS) >= 6
    assert {step for student in samples.CLASS for step in student.work} == set(build.STEPS)
    assert any(student.untouched for student in samples.CLASS)
    assert any(student.lost for student in samples.CLASS)
