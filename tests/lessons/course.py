"""A throw-away copy of the course in which submissions are graded for real, with nbgrader's own command."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook, MissingEntry

from augcourse import build
from tests.conftest import DEFAULT, SHARED_MNIST

ROOT = Path(__file__).parents[2]
DATASETS = (DEFAULT, "uci_digits")
"""What every lesson is tested on."""
SMOKE = ("mnist",) if SHARED_MNIST.is_dir() else ()
"""What a few cheap tests run on as well, where its files are beside the project."""


@dataclass(frozen=True)
class Graded:
    """One graded notebook: points and messages by the name of the exercise, and all that its cells printed."""

    points: dict[str, float]
    maximum: dict[str, float]
    messages: dict[str, str]
    printed: str

    def lost(self) -> set[str]:
        """Names of the exercises that did not get full marks."""
        return {name for name, points in self.points.items() if points < self.maximum[name]}


def grade(
    work: Path,
    step: str,
    submissions: Mapping[str, nbformat.NotebookNode],
    environment: Mapping[str, str],
    policy: str = "",
) -> dict[str, Graded]:
    """Release a step into the empty folder `work`, submit, autograde, and read the gradebook.

    `policy` is added to the course's own nbgrader_config.py.
    """
    build.release_into(ROOT, work, [step])
    with (work / "nbgrader_config.py").open("a", encoding="utf-8") as config:
        config.write(f"\n{policy}\n")
    for student, notebook in submissions.items():
        path = work / "submitted" / student / step / f"{step}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(notebook, path)
    tools = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", "autograde", step, "--create"],
        cwd=work,
        env={**os.environ, **environment, "PATH": tools},
        capture_output=True,
        text=True,
        timeout=2400,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return {student: _graded(work, step, student) for student in submissions}


def _graded(work: Path, step: str, student: str) -> Graded:
    notebook = nbformat.read(work / "autograded" / student / step / f"{step}.ipynb", as_version=4)
    messages = {
        cell.metadata.nbgrader.grade_id.removesuffix("_test"): "\n".join(
            f"{out.ename}: {out.evalue}" if out.output_type == "error" else out.get("text", "") for out in cell.outputs
        )
        for cell in notebook.cells
        if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("grade")
    }
    printed = "".join(out.get("text", "") for cell in notebook.cells for out in cell.get("outputs", []))
    points, maximum = {}, {}
    with Gradebook(f"sqlite:///{work}/gradebook.db") as gradebook:
        try:
            submitted = gradebook.find_submission_notebook(step, step, student)
        except MissingEntry:
            return Graded({}, {}, messages, printed)
        for grade_ in submitted.grades:
            if grade_.cell_type == "code":
                name = grade_.name.removesuffix("_test")
                points[name], maximum[name] = float(grade_.score), float(grade_.max_score)
    return Graded(points, maximum, messages, printed)
