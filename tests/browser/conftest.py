"""A class of one student and one instructor, who work through JupyterLab once; the tests ask what they saw.

The acts follow each other: the instructor releases, the student works and hands in, the instructor grades and returns,
the student reads. Each act has a browser of its own, which is closed when it ends.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from augcourse.build import STEPS

from .lab import CHROMIUM, FAILED, Lab, copy_course, open_page, running_lab
from .people import Formgrader, StudentDesk, solutions

EXPLORE, COMPARE = "step1_explore", "step5_compare"
MISTAKE = ("np.bincount(labels, minlength=10)", "np.bincount(labels)")
CONCLUSION = (
    "The recipe gains four points over eight runs. The 9 lost. A shift keeps the label. Other pens are untested."
)
COMMENT = "Which interval?"


@pytest.fixture(scope="session")
def home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def lab(tmp_path_factory, home, data_sets) -> Iterator[Lab]:
    """JupyterLab on a copy of the course, with the data that all tests share."""
    if CHROMIUM is None:
        pytest.skip("the package 'chromium' is not installed")
    FAILED.unlink(missing_ok=True)
    course = tmp_path_factory.mktemp("lab") / "course"
    course.mkdir()
    copy_course(course)
    environment = {**os.environ, **data_sets()}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    for name in ("NBGRADER_EXCHANGE", "PYTEST_CURRENT_TEST"):
        environment.pop(name, None)
    with running_lab(course, home, environment) as lab:
        yield lab


@dataclass(frozen=True)
class Released:
    """What the instructor saw on releasing a step: its state before, after taking it back, and in the end."""

    before: str
    taken_back: str
    generated: str
    after: str


@pytest.fixture(scope="session")
def released(lab, home) -> Released:
    with open_page(home) as page:
        grader = Formgrader(page, lab)
        status = grader.row(EXPLORE).locator("td.status")
        before = status.inner_text()
        grader.press(grader.row(EXPLORE), "release")
        taken_back = status.inner_text()
        generated = grader.press(grader.row(EXPLORE), "assign")
        grader.press(grader.row(EXPLORE), "release")
        grader.picture("released")
        return Released(before, taken_back, generated, status.inner_text())


@dataclass(frozen=True)
class HandedIn:
    """What the student saw, from the first page to the last click on *Submit*."""

    first_page: str
    kernels: int
    notices: int
    asked: list[str]
    fetched: list[str]
    hint: str
    with_a_mistake: str
    without: str
    sight: str
    submitted: list[str]


@pytest.fixture(scope="session")
def handed_in(lab, home, released) -> HandedIn:
    with open_page(home) as page:
        student = StudentDesk(page, lab.address, "student")
        first_page = student.first_page.inner_text()
        student.picture("first-page")
        notices = page.locator(".Toastify__toast").count()
        student.open_list()
        for step in STEPS:
            student.fetch(step)
        student.picture("fetched")
        fetched = [step for step in STEPS if student.row("fetched", step).count() == 1]

        student.open_step(EXPLORE)
        answers = dict(solutions(lab.course, EXPLORE))
        right = answers["class_counts"]
        answers["class_counts"] = right.replace(*MISTAKE)
        gradebook = str(lab.course / "gradebook.db")
        sight = f"\nprint('the gradebook is in sight:', __import__('os').path.exists({gradebook!r}))"
        for answer in answers.values():
            student.write(student.cell(answer.splitlines()[0]), answer)
        student.run_all()
        hint = student.output("one count per class", "minlength")
        student.picture("hint")
        with_a_mistake = student.validate("not-yet-valid")
        student.write(student.cell(right.splitlines()[0]), right + sight)
        student.run_all()
        seen = student.output("def class_counts", "the gradebook is in sight: ")
        without = student.validate("validated")
        student.show("Assignments")
        student.submit(EXPLORE)

        student.open_step(COMPARE)
        answer = solutions(lab.course, COMPARE)["worst_first"]
        student.write(student.cell(answer.splitlines()[0]), answer)
        student.write(student.cell("YOUR ANSWER HERE"), CONCLUSION)
        page.keyboard.press("Shift+Enter")
        student.picture("conclusion")
        student.save()
        student.show("Assignments")
        student.submit(COMPARE)
        student.picture("submitted")
        submitted = [step for step in STEPS if student.row("submitted", step).count() == 1]
        page.get_by_role("button", name="New Launcher").first.click()
        page.locator(".jp-LauncherCard").first.wait_for()
        kernels = page.locator(".jp-LauncherCard[data-category=Notebook]").count()
        checks = (hint, with_a_mistake, without, seen)
        return HandedIn(first_page, kernels, notices, student.asked, fetched, *checks, submitted)


@dataclass(frozen=True)
class Returned:
    """What the instructor saw on collecting, grading and returning."""

    collected: dict[str, str]
    graded: dict[str, str]
    by_hand: str
    feedback: dict[str, str]
    asked: list[str]


@pytest.fixture(scope="session")
def returned(lab, home, handed_in) -> Returned:
    with open_page(home) as page:
        grader = Formgrader(page, lab)
        steps = (EXPLORE, COMPARE)
        collected = {step: grader.press(grader.row(step), "collect") for step in steps}
        grader.picture("collected")
        graded = {step: grader.autograde(step) for step in steps}
        grader.grade_by_hand(COMPARE, "conclusion", "3", COMMENT)
        by_hand = grader.score(COMPARE)
        feedback = {}
        for step in steps:
            feedback[step] = grader.press(grader.row(step), "generate-feedback")
            feedback[step] += grader.press(grader.row(step), "release-feedback")
        return Returned(collected, graded, by_hand, feedback, grader.asked)


@pytest.fixture(scope="session")
def feedback(lab, home, returned) -> dict[str, str]:
    """The text of each feedback page, as the student opened it."""
    with open_page(home) as page:
        student = StudentDesk(page, lab.desk("student"), "student")
        student.open_list()
        pages = {}
        for step in (EXPLORE, COMPARE):
            student.show("Assignments")
            pages[step] = student.read_feedback(step)
            student.picture(f"feedback-{step}")
        return pages
