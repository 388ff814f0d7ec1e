"""Lessons, source, release and solutions: made from one text, and told apart when they drift."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_output

from augcourse import build
from augcourse.errors import BuildError

ROOT = Path(__file__).parents[2]
FOLDERS = ("lessons", "source", "release", "solutions")


def copy_of_the_course(folder):
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("handin", ".ipynb_checkpoints"))
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    return folder


@pytest.mark.slow
def test_the_four_folders_belong_together():
    assert list(build.drift(ROOT)) == []


@pytest.mark.parametrize("step", build.STEPS)
def test_text_to_notebook_to_text_changes_nothing(step):
    text = build.lesson_path(ROOT, step).read_text(encoding="utf-8")
    assert build.text_of(build.source_of(text)) == text


@pytest.mark.parametrize("step", build.STEPS)
def test_an_edit_in_a_notebook_reaches_the_text(step, tmp_path):
    shutil.copytree(ROOT / "source" / step, tmp_path / "source" / step)
    (tmp_path / "lessons" / step).mkdir(parents=True)
    path = build.notebook_path(tmp_path, "source", step)
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[0].source += "\n\nA sentence that an instructor added."
    nbformat.write(notebook, path)
    assert "# A sentence that an instructor added." in build.write_lesson(tmp_path, step).read_text(encoding="utf-8")


def edit_text(folder, step):
    path = build.lesson_path(folder, step)
    path.write_text(path.read_text(encoding="utf-8") + "\n# %%\n1 + 1\n", encoding="utf-8")


def edit_notebook(name, change):
    def edit(folder, step):
        path = build.notebook_path(folder, name, step)
        notebook = nbformat.read(path, as_version=4)
        change(next(cell for cell in notebook.cells if cell.cell_type == "code"))
        nbformat.write(notebook, path)

    return edit


def change_source(cell):
    cell.source += "\n1 + 1"


def add_output(cell):
    cell.outputs = [new_output("stream", name="stdout", text="secret")]


def add_secret(cell):
    cell.source += "\n### BEGIN HIDDEN TESTS"


def add_error(cell):
    cell.outputs = [new_output("error", ename="E", evalue="e", traceback=[])]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("edit", "complaint"),
    [
        (edit_text, "source/step1_explore differs from lessons"),
        (edit_notebook("source", change_source), "source/step1_explore differs from lessons"),
        (edit_notebook("source", add_output), "source/step1_explore holds outputs"),
        (edit_notebook("release", change_source), "release/step1_explore differs from source"),
        (edit_notebook("release", add_output), "release/step1_explore holds outputs"),
        (edit_notebook("release", add_secret), "release/step1_explore contains solution code or hidden tests"),
        (edit_notebook("solutions", change_source), "solutions/step1_explore differs from source"),
        (edit_notebook("solutions", add_error), "solutions/step1_explore stopped with an error"),
    ],
)
def test_each_kind_of_drift_is_named(tmp_path, edit, complaint):
    folder = copy_of_the_course(tmp_path)
    edit(folder, "step1_explore")
    assert any(said.startswith(complaint) for said in build.drift(folder, ["step1_explore"]))


@pytest.mark.parametrize("step", build.STEPS)
def test_a_release_holds_no_solution_no_hidden_test_and_no_output(step):
    text = build.notebook_path(ROOT, "release", step).read_text(encoding="utf-8")
    assert not [word for word in build.SECRETS if word in text]
    assert not [cell for cell in nbformat.reads(text, 4).cells if cell.get("outputs")]


@pytest.mark.parametrize("step", build.STEPS)
def test_every_exercise_has_its_three_cells(step):
    notebook = nbformat.read(build.notebook_path(ROOT, "source", step), as_version=4)
    marked = {c["id"]: c.metadata.nbgrader for c in notebook.cells if "nbgrader" in c.metadata}
    code = {c["id"] for c in notebook.cells if c.cell_type == "code"}
    exercises = [name for name, nb in marked.items() if nb.solution and name in code]
    assert len(exercises) >= 4
    for name in exercises:
        assert marked[f"{name}_handin"].locked
        assert not marked[f"{name}_handin"].grade
        assert marked[f"{name}_test"].grade
        assert 1 <= marked[f"{name}_test"].points <= (5 if name == "questions" else 3)


@pytest.mark.parametrize("step", build.STEPS)
def test_solutions_hold_figures_with_no_error(step):
    notebook = nbformat.read(build.notebook_path(ROOT, "solutions", step), as_version=4)
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", [])]
    assert any("image/png" in out.get("data", {}) for out in outputs)
    assert not [out for out in outputs if out.output_type == "error"]


def test_ids_depend_on_the_text_alone():
    text = build.lesson_path(ROOT, "step1_explore").read_text(encoding="utf-8")
    assert [c["id"] for c in build.source_of(text).cells] == [c["id"] for c in build.source_of(text).cells]


def test_a_solution_that_does_not_run_is_named():
    with pytest.raises(BuildError, match="ZeroDivisionError"):
        build.execute(build.source_of("# %%\n1 / 0\n"))


def test_a_missing_lesson_is_one_line(tmp_path):
    with pytest.raises(BuildError, match="cannot be read"):
        build.write_source(tmp_path, "step1_explore")
