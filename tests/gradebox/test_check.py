"""One's own notebook, checked as the class's would be: the same points, with reasons; one line for what is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from gradebox.check import Checked, check, course_of, step_of
from gradebox.classroom import CourseError

from .conftest import Course, answered, labelled
from .split_support import FULL_MARKS, HONEST, MESSAGE, READ, SECRET, make_course, source_notebook
from .test_marks import CLOSE, FIGURES, HIDDEN, UNDECIDED


@pytest.fixture(scope="module")
def own_course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return make_course(tmp_path_factory.mktemp("course"))


def work(course: Course, answers: dict[str, str], name: str = "sums") -> Path:
    folder = course.root / "mine"
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.ipynb"
    nbformat.write(answered(course.release("sums", "sums"), answers), path)
    return path


def points(checked: Checked) -> dict[str, float | None]:
    return {each.name: each.points for each in checked.exercises}


def test_honest_work_has_every_point_whatever_its_file_is_called(own_course):
    for name in ("sums", "my final version (3)"):
        checked = check(work(own_course, HONEST, name), own_course.root)
        assert points(checked) == FULL_MARKS
        assert checked.is_complete


def test_a_lost_point_comes_with_the_message_of_its_test_and_no_line_of_it(own_course):
    notebook = work(own_course, {**HONEST, "double": "def double(x):\n    return 2 * x + 1"})
    checked = check(notebook, own_course.root)
    assert points(checked) == {**FULL_MARKS, "test_double": 0.0}
    (lost,) = [each.reason for each in checked.exercises if each.points == 0]
    assert MESSAGE in lost
    assert SECRET not in lost
    assert not checked.is_complete


def test_it_needs_no_program_on_the_path_but_the_systems(own_course):
    words = [
        sys.executable,
        "-m",
        "gradebox.cli",
        "check",
        str(work(own_course, HONEST)),
        "--course",
        str(own_course.root),
    ]
    done = subprocess.run(
        words, env={**os.environ, "PATH": os.defpath}, capture_output=True, text=True, timeout=500, check=False
    )
    assert done.returncode == 0, done.stderr


def test_what_the_class_leaves_to_a_person_is_no_zero_here(tmp_path):
    notebook = source_notebook()
    labelled(notebook, "test_double").source = READ.format(name="double", hidden=HIDDEN)
    undecided = make_course(tmp_path, notebook=notebook)
    checked = check(work(undecided, CLOSE), undecided.root)
    assert points(checked) == UNDECIDED
    (reason,) = [each.reason for each in checked.exercises if each.points is None]
    assert FIGURES in reason


FINDS_FOLDERS = """
import os
os.environ.setdefault("FOUND_FROM", os.path.dirname(os.path.abspath(__file__)))
"""


def test_what_the_policy_finds_from_its_own_folder_holds_for_the_copy_that_is_graded(tmp_path, monkeypatch):
    course = make_course(tmp_path)
    config = course.root / "nbgrader_config.py"
    config.write_text(config.read_text() + FINDS_FOLDERS)
    notebook = work(course, HONEST)
    monkeypatch.setenv("FOUND_FROM", "elsewhere")
    monkeypatch.delenv("FOUND_FROM")
    check(notebook, course.root)
    assert os.environ["FOUND_FROM"] == str(course.root)


def test_nothing_is_written_to_the_course_or_beside_the_notebook(own_course):
    def everything() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in own_course.root.rglob("*") if path.is_file()}

    notebook = work(own_course, HONEST)
    before = everything()
    check(notebook, own_course.root)
    assert everything() == before


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "cannot be read as a notebook"),
        (b"\xff\xfe", "cannot be read as a notebook"),
        (nbformat.writes(new_notebook(cells=[new_code_cell("1")])).encode(), "its steps are sums"),
        (None, "is not there"),
    ],
    ids=["cut off", "no text", "another course's", "absent"],  # a cell's id is another one each time
)
def test_what_is_no_notebook_of_the_course_is_one_line(own_course, tmp_path, content, says):
    path = tmp_path / "other.ipynb"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CourseError, match=says) as raised:
        step_of(path, own_course.root)
    assert len(str(raised.value).splitlines()) == 1


def test_the_course_is_found_around_the_notebook(own_course, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert course_of(work(own_course, HONEST)) == own_course.root
    with pytest.raises(CourseError, match="--course"):
        course_of(tmp_path / "lost.ipynb")


def test_the_command_says_it_as_a_table_and_by_its_exit_code(own_course):
    for answers, code in ((HONEST, 0), ({}, 3)):
        words = [sys.executable, "-m", "gradebox.cli", "check", str(work(own_course, answers))]
        done = subprocess.run(words, cwd="/", capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == code, done.stderr
        assert "double" in done.stdout
        assert ("3 of 3" in done.stdout) == (code == 0)
    done = subprocess.run([*words[:-1], "/nowhere.ipynb"], cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) <= 2
    assert "Traceback" not in done.stderr
