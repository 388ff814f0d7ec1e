"""The sample class: graded from end to end with the instructor's own commands, whatever is handed in."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from augcourse import build, demo
from augcourse.samples import Student

ROOT = Path(__file__).parents[2]
STEP = "step1_explore"

KILLS_ITS_KERNEL = (("return np.bincount(labels, minlength=10)", "__import__('os')._exit(1)"),)
WARNS = (
    ("return np.bincount(labels, minlength=10)", "import sys, warnings; warnings.warn('a deliberate warning')\n"
     "    print('and a line on stderr', file=sys.stderr); return np.bincount(labels, minlength=10)"),
)  # fmt: skip
STUDENTS = (
    Student("careful", "answers as the instructor does", {STEP: ()}),
    Student("crashing", "kills the kernel", {STEP: KILLS_ITS_KERNEL}),
    Student("untouched", "hands the release in", {STEP: ()}, untouched=True),
    Student("forgetful", "hands another file in", {}, lost=(STEP,)),
    Student("warned", "is right, and prints to stderr", {STEP: WARNS}),
)


@pytest.fixture(scope="module")
def graded(tmp_path_factory, data_sets):
    folder = tmp_path_factory.mktemp("demo") / "class"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in data_sets().items():
            patch.setenv(name, value)
        status = demo.run(ROOT, folder, STUDENTS, [STEP])
    return status, folder


def scores(folder):
    with (folder / "grades.csv").open() as file:
        return {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}


def feedback(folder, student):
    return (folder / "feedback" / student / STEP / f"{STEP}.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_every_submission_is_marked_and_the_exit_status_says_so(graded):
    status, folder = graded
    assert status == 0
    assert set(scores(folder)) == {student.name for student in STUDENTS}


@pytest.mark.slow
def test_good_work_gets_full_marks_after_and_before_bad_work(graded):
    marks = scores(graded[1])
    assert marks["careful"] == marks["warned"] == 15
    assert marks["untouched"] == marks["forgetful"] == 0


@pytest.mark.slow
def test_what_was_done_before_the_crash_keeps_its_marks(graded):
    assert scores(graded[1])["crashing"] == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("student", "says"),
    [
        ("crashing", "KernelDied"),
        ("crashing", "not run, because an earlier cell ended"),
        ("forgetful", "MissingNotebook"),
        ("untouched", "not solved yet"),
    ],
)
def test_the_feedback_gives_the_reason(graded, student, says):
    assert says in feedback(graded[1], student)


@pytest.mark.slow
def test_what_an_instructor_has_afterwards_is_there(graded):
    folder = graded[1]
    for name in ("release", "submitted", "autograded", "feedback", ".gradebox/logs"):
        assert (folder / name).is_dir()
    assert build.notebook_path(folder, "release", STEP).read_text() == (
        build.notebook_path(ROOT, "release", STEP).read_text()
    )
