"""Sample students: submissions made from the instructor's solutions by editing their text.

Nothing is kept by hand: a submission is the release notebook with the solution cells of the edited lesson
put in, so that a change of a lesson reaches every sample, and an edit that no longer fits is an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from augcourse import build
from augcourse.errors import BuildError

__all__ = ["CLASS", "Edit", "Student", "edited", "submission"]

Edit = tuple[str, str]
"""(old, new): `old` occurs exactly once in the lesson, inside a solution."""


@dataclass(frozen=True)
class Student:
    """A sample student, named by role.

    Attributes:
        point: what this student is there to show.
        work: step → edits on the solutions; only these steps are handed in.
        untouched: hand in the release as it is.
        lost: steps handed in without their notebook.
    """

    name: str
    point: str
    work: dict[str, tuple[Edit, ...]]
    untouched: bool = False
    lost: tuple[str, ...] = ()


def edited(text: str, edits: Sequence[Edit]) -> str:
    """The lesson's text after the edits.

    Raises:
        BuildError: an `old` does not occur exactly once.
    """
    for old, new in edits:
        if text.count(old) != 1:
            raise BuildError(f"an edit should fit exactly once, but fits {text.count(old)} times: {old!r}")
        text = text.replace(old, new)
    return text


def submission(root: Path, step: str, edits: Sequence[Edit] = ()) -> NotebookNode:
    """The notebook of a student who wrote the instructor's solutions, with these edits.

    Args:
        root: the repository, with `lessons/` and `release/`.
        step: the name of a step.
        edits: what this student wrote differently.
    """
    lesson = build.source_of(edited(build.lesson_path(root, step).read_text(encoding="utf-8"), edits))
    answers = {c["id"]: c.source for c in lesson.cells if c.metadata.get("nbgrader", {}).get("solution")}
    notebook = nbformat.read(build.notebook_path(root, "release", step), as_version=4)
    for cell in notebook.cells:
        if cell["id"] in answers:
            cell.source = _without_markers(answers[cell["id"]])
    return notebook


def _without_markers(source: str) -> str:
    lines = source.splitlines()
    return "\n".join(line for line in lines if "### BEGIN SOLUTION" not in line and "### END SOLUTION" not in line)


CLASS: tuple[Student, ...] = (Student("careful", "the instructor's own answers", dict.fromkeys(build.STEPS, ())),)
"""The sample class of `make demo`."""
