"""Released notebooks in other homes: one copied alone into an empty folder needs nothing but the installed package."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from tests.conftest import DEFAULT

import augcourse
from augcourse import build

ROOT = Path(__file__).parents[2]
PACKAGE = Path(augcourse.__file__).parents[1]
UNSOLVED = {"NotImplementedError", "HandinError", "NameError"}  # a stub, its check, what was to be made by it


def executed(notebook: Path) -> list[NotebookNode]:
    """Run a notebook as `jupyter execute` does, errors included, with the repository out of sight; return its code.

    Nothing is prepared: the data set has to be made on the way.
    """
    folder = notebook.parent
    kept = [word for path in (sys.prefix, str(PACKAGE), str(folder)) for word in ("--bind", path, path)]
    hidden = ["bwrap", "--dev-bind", "/", "/", "--tmpfs", str(ROOT), *kept, "--chdir", str(folder), "--"]
    environment = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "HOME": str(folder),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    }
    command = [sys.executable, "-m", "jupyter", "execute", "--allow-errors", "--inplace", str(notebook)]
    subprocess.run([*hidden, *command], env=environment, check=True, capture_output=True, timeout=300)
    return [cell for cell in nbformat.read(notebook, as_version=4).cells if cell.cell_type == "code"]


def said(cell: NotebookNode) -> str:
    """What a cell printed."""
    return "".join(output.get("text", "") for output in cell.outputs)


def errors(cell: NotebookNode) -> list[str]:
    """What a cell raised."""
    return [output.ename for output in cell.outputs if output.output_type == "error"]


def depends_on_exercises(cell: NotebookNode) -> bool:
    """An exercise, what records and checks it, or a picture of what it does."""
    return "nbgrader" in cell.metadata or "show" in cell.metadata.get("tags", [])


@pytest.mark.slow
def test_a_released_notebook_alone_in_a_folder_lacks_nothing_but_the_answers(tmp_path):
    step = build.STEPS[0]
    code = executed(Path(shutil.copy(build.notebook_path(ROOT, "release", step), tmp_path)))
    assert said(code[0]).startswith(f"{step} runs on {DEFAULT} (")
    assert all(cell.execution_count for cell in code)
    assert not [errors(cell) for cell in code if errors(cell) and not depends_on_exercises(cell)]
    assert {name for cell in code for name in errors(cell)} == UNSOLVED | {"CheckFailed"}  # questions without answers


@pytest.mark.slow
@pytest.mark.parametrize("step", build.STEPS[1:])
def test_what_a_later_step_runs_before_any_answer_runs_alone_in_a_folder(step, tmp_path):
    notebook = nbformat.read(build.notebook_path(ROOT, "release", step), as_version=4)
    notebook.cells = [cell for cell in notebook.cells if not depends_on_exercises(cell)]
    nbformat.write(notebook, tmp_path / f"{step}.ipynb")
    code = executed(tmp_path / f"{step}.ipynb")
    assert said(code[0]).startswith(f"{step} runs on {DEFAULT} (")
    assert not [errors(cell) for cell in code if errors(cell)]
