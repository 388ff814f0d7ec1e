"""One student graded again, and a test changed after release: the commands of docs/grading.md, step by step."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from .conftest import Course, answered, exam, labelled
from .split_support import FULL_MARKS, HONEST, READ, WRONG, make_course

pytestmark = pytest.mark.slow
DOCUMENT = (Path(__file__).parents[2] / "docs" / "grading.md").read_text(encoding="utf-8")
LENIENT = READ.format(name="double", hidden="assert work['value'] >= probe, 'your double is too small'")


def grade(course: Course, *words: str) -> dict[tuple[str, str], dict[str, object]]:
    """By student and step: what `gradebox grade` said."""
    command = [sys.executable, "-m", "gradebox.cli", "grade", *words, "--json"]
    done = subprocess.run(command, cwd=course.root, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return {(row["student"], row["step"]): row for row in rows}


def kept(results: dict[tuple[str, str], dict[str, object]]) -> set[tuple[str, str]]:
    return {key for key, row in results.items() if row["kept"]}


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """Two steps, two students, all graded, and one grade by hand."""
    course = make_course(tmp_path_factory.mktemp("graded"))
    shutil.copytree(course.root / "source" / "sums", course.root / "source" / "more")
    (course.root / "source" / "more" / "sums.ipynb").rename(course.root / "source" / "more" / "more.ipynb")
    assert course.nbgrader("generate_assignment", "more").returncode == 0
    for student, answers in (("careful", HONEST), ("hurried", WRONG)):
        notebook = answered(course.release("sums", "sums"), answers)
        course.hand_in(student, "sums", "sums.ipynb", notebook)
        course.hand_in(student, "more", "more.ipynb", answered(course.release("more", "more"), answers))
    grade(course, "sums", "more")
    with Gradebook(f"sqlite:///{course.root / 'gradebook.db'}") as gradebook:
        gradebook.find_grade("test_triple", "sums", "sums", "hurried").manual_score = 0.5
        gradebook.find_comment("triple", "sums", "sums", "hurried").manual_comment = "half a point for the idea"
        gradebook.db.commit()
    return course


@pytest.fixture
def course(graded: Course, tmp_path: Path) -> Course:
    """A course of its own, as `graded` left it."""
    shutil.copytree(graded.root, tmp_path / "course")
    return Course(tmp_path / "course")


def by_hand(course: Course) -> tuple[float | None, str | None, bool]:
    with Gradebook(f"sqlite:///{course.root / 'gradebook.db'}") as gradebook:
        grade = gradebook.find_grade("test_triple", "sums", "sums", "hurried")
        comment = gradebook.find_comment("triple", "sums", "sums", "hurried")
        return grade.manual_score, comment.manual_comment, grade.needs_manual_grade


def change(course: Course, edit: Callable[[nbformat.NotebookNode], None]) -> subprocess.CompletedProcess[str]:
    """Edit the step's source, and take it into the gradebook."""
    path = course.root / "source" / "sums" / "sums.ipynb"
    notebook = nbformat.read(path, as_version=4)
    edit(notebook)
    nbformat.write(notebook, path)
    return course.nbgrader("generate_assignment", "sums", "--force")


def lenient(notebook: nbformat.NotebookNode) -> None:
    labelled(notebook, "test_double").source = LENIENT


def test_one_student_is_graded_again_and_nobody_else(course):
    before = (course.root / "autograded" / "careful" / "sums" / "sums.ipynb").stat().st_mtime_ns
    assert kept(grade(course, "sums", "--student", "hurried")) == {("hurried", "sums")}
    again = grade(course, "sums", "--student", "hurried", "--force")
    assert set(again) == {("hurried", "sums")}
    assert not kept(again)
    assert (course.root / "autograded" / "careful" / "sums" / "sums.ipynb").stat().st_mtime_ns == before
    assert by_hand(course) == (0.5, "half a point for the idea", True)


def test_a_new_hand_in_is_graded_without_being_asked(course):
    course.hand_in("hurried", "sums", "sums.ipynb", answered(course.release("sums", "sums"), HONEST))
    results = grade(course, "sums", "more")
    assert kept(results) == {("careful", "sums"), ("careful", "more"), ("hurried", "more")}
    assert course.marks("hurried") == FULL_MARKS


def test_a_changed_hidden_test_grades_its_step_again_and_no_other(course):
    release = (course.root / "release" / "sums" / "sums.ipynb").read_bytes()
    assert course.marks("hurried") == {"test_double": 0.0, "test_triple": 0.0}
    assert change(course, lenient).returncode == 0
    assert (course.root / "release" / "sums" / "sums.ipynb").read_bytes() == release
    results = grade(course, "sums", "more")
    assert kept(results) == {("careful", "more"), ("hurried", "more")}
    assert course.marks("hurried") == {"test_double": 2.0, "test_triple": 0.0}
    assert course.marks("careful") == FULL_MARKS
    assert by_hand(course) == (0.5, "half a point for the idea", True)


def test_other_points_count_from_the_next_grading_on(course):
    def worth_five(notebook: nbformat.NotebookNode) -> None:
        labelled(notebook, "test_double").metadata["nbgrader"]["points"] = 5

    assert change(course, worth_five).returncode == 0
    grade(course, "sums")
    assert course.marks("careful") == {"test_double": 5.0, "test_triple": 1.0}


def test_a_new_exercise_is_refused_and_everything_stays_as_it_was(course):
    def one_more(notebook: nbformat.NotebookNode) -> None:
        notebook.cells.append(exam("test_more", 1, "assert True"))

    assert change(course, one_more).returncode != 0
    assert course.marks("careful") == FULL_MARKS
    assert by_hand(course)[:2] == (0.5, "half a point for the idea")


def test_feedback_made_again_shows_the_new_points(course):
    assert course.nbgrader("generate_feedback", "sums").returncode == 0
    page = course.root / "feedback" / "hurried" / "sums" / "sums.html"
    assert "Score: 0.5 / 3" in page.read_text(encoding="utf-8")
    assert change(course, lenient).returncode == 0
    grade(course, "sums")
    assert course.nbgrader("generate_feedback", "sums", "--force").returncode == 0
    assert "Score: 2.5 / 3" in page.read_text(encoding="utf-8")


def test_the_document_has_these_commands():
    commands = set(re.findall(r"^(?:nbgrader|gradebox) .*?(?=\s{2,}#|$)", DOCUMENT, re.M))
    for words in (
        "gradebox grade step4_train --student careful --force",
        "nbgrader generate_assignment step4_train --force",
        "gradebox grade step4_train",
        "nbgrader generate_feedback step4_train --force",
    ):
        assert words in commands
