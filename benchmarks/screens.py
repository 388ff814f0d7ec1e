"""Screenshots of what people see: into `build/screens/`, and those that README and the site show into `docs/_static/`.

    python -m benchmarks.screens

A notebook in JupyterLab as a student opens it, with a check that fails and with its solutions, at 1400 and 700 pixels;
and the sample pages of `docs/samples/` at 1400 and 400. It needs Chromium and asks no other machine.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect
from tests.browser.lab import CHROMIUM, copy_course, open_page, running_lab
from tests.browser.people import StudentDesk, solutions

ROOT = Path(__file__).parents[1]
SCREENS, SITE = ROOT / "build" / "screens", ROOT / "docs" / "_static" / "screens"
SHOWN = ("notebook-failed-wide",)
STEP, EXERCISE = "step1_explore", "class_counts"
MISTAKE = ("np.bincount(labels, minlength=10)", "np.bincount(labels)")
WIDTHS = {"wide": (1400, 900), "narrow": (700, 900)}
PAGES = {"feedback": "feedback_careful_step4.html", "report": "report.html"}


def main() -> None:
    """Make every screenshot anew."""
    if CHROMIUM is None:
        raise SystemExit("the package 'chromium' is not installed: `apt-get install chromium` brings it")
    SCREENS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="screens-") as folder:
        home, course = Path(folder, "home"), Path(folder, "course")
        home.mkdir()
        course.mkdir()
        copy_course(course)
        environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        environment.pop("NBGRADER_EXCHANGE", None)
        with open_page(home) as page:
            _samples(page)
        with running_lab(course, home, environment) as lab, open_page(home) as page:
            _notebook(page, StudentDesk(page, lab.address, "student"), course)
    SITE.mkdir(parents=True, exist_ok=True)
    for name in SHOWN:
        shutil.copy(SCREENS / f"{name}.png", SITE)


def _notebook(page: Page, student: StudentDesk, course: Path) -> None:
    student.open_list()
    student.fetch(STEP)
    student.open_step(STEP)
    page.keyboard.press("Control+B")  # the list of files makes room
    _keep(page, student, "untouched", "What is in the data?")
    answers = dict(solutions(course, STEP))
    right = answers[EXERCISE]
    answers[EXERCISE] = right.replace(*MISTAKE)
    for answer in answers.values():
        student.write(student.cell(answer.splitlines()[0]), answer)
    student.run_all()
    student.output("one count per class", "minlength")
    _keep(page, student, "failed", "one count per class")
    page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)").get_by_role("button", name="Validate").click()
    expect(page.get_by_role("dialog")).to_contain_text("Validation Results")
    page.screenshot(path=SCREENS / "validate.png")
    student.close_dialog()
    student.write(student.cell(right.splitlines()[0]), right)
    student.run_all()
    student.output("class_counts: passed", "passed")
    _keep(page, student, "passed", "class_counts: passed")


def _keep(page: Page, student: StudentDesk, what: str, where: str) -> None:
    for width, (across, down) in WIDTHS.items():
        page.set_viewport_size({"width": across, "height": down})
        student.cell(where)
        page.wait_for_timeout(500)
        page.screenshot(path=SCREENS / f"notebook-{what}-{width}.png")
    page.set_viewport_size({"width": 1400, "height": 900})


def _samples(page: Page) -> None:
    for name, file in PAGES.items():
        page.goto((ROOT / "docs" / "samples" / file).as_uri())
        for width, size in {"wide": (1400, 900), "phone": (400, 800)}.items():
            page.set_viewport_size({"width": size[0], "height": size[1]})
            page.screenshot(path=SCREENS / f"{name}-{width}.png")


if __name__ == "__main__":
    main()
