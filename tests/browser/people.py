"""What a student and an instructor do in JupyterLab, click by click."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import nbformat
from playwright.sync_api import FrameLocator, Locator, Page, TimeoutError, expect

from .lab import ELSEWHERE, SCREENSHOTS, WAIT_S, Lab

__all__ = ["Formgrader", "StudentDesk", "solutions"]

PICTURES = itertools.count(1)


class Desk:
    """JupyterLab in a browser."""

    def __init__(self, page: Page, address: str, who: str) -> None:
        self.page, self.who = page, who
        self.asked: list[str] = []  # of other machines
        page.on("request", lambda request: self.asked.append(request.url) if ELSEWHERE.match(request.url) else None)
        page.goto(address)
        expect(page.get_by_role("menuitem", name="Nbgrader", exact=True)).to_be_visible()
        expect(self.first_page).to_be_visible()

    @property
    def first_page(self) -> Locator:
        return self.page.locator(".jp-MarkdownViewer").filter(has_text="Start here")

    def choose(self, menu: str, entry: str) -> None:
        self.page.get_by_role("menuitem", name=menu, exact=True).click()
        self.page.get_by_role("menuitem", name=entry, exact=True).click()

    def show(self, tab: str) -> None:
        self.page.get_by_role("tab", name=tab, exact=True).click()

    def picture(self, what: str) -> None:
        """Keep a screenshot, as `build/screenshots/<number>-<who>-<what>.png`."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{next(PICTURES):02}-{self.who}-{what}.png")

    def close_dialog(self) -> str:
        """Read JupyterLab's dialog, and close it."""
        dialog = self.page.get_by_role("dialog")
        text = dialog.inner_text()
        dialog.get_by_role("button", name="Ok").click()
        expect(dialog).to_be_hidden()
        return text


class StudentDesk(Desk):
    """A student: the list of assignments, notebooks, feedback."""

    @property
    def list(self) -> Locator:
        return self.page.locator("#nbgrader-assignment-list")

    def open_list(self) -> None:
        self.choose("Nbgrader", "Assignment List")
        expect(self.list.get_by_text("Loading, please wait")).to_have_count(3)  # all of them hidden again
        for line in self.list.get_by_text("Loading, please wait").all():
            expect(line).to_be_hidden()

    def row(self, part: str, step: str) -> Locator:
        return self.list.locator(f"#{part}_assignments_list > .list_item").filter(has_text=step)

    def fetch(self, step: str) -> None:
        self.row("released", step).get_by_role("button", name="Fetch", exact=True).click()
        expect(self.row("fetched", step)).to_be_visible()

    def submit(self, step: str) -> None:
        self.row("fetched", step).get_by_role("button", name="Submit", exact=True).click()
        expect(self.row("submitted", step)).to_be_visible()

    def open_step(self, step: str) -> None:
        row = self.row("fetched", step)
        row.get_by_role("button", name=step).click()
        row.get_by_role("link", name=step, exact=True).click()
        expect(self.page.get_by_role("tab", name=f"{step}.ipynb")).to_have_attribute("aria-selected", "true")
        expect(self.notebook.locator(".jp-Cell").first).to_be_visible()

    @property
    def notebook(self) -> Locator:
        return self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook")

    def cell(self, text: str) -> Locator:
        """The cell that begins with, or holds, this text; scrolled to, since JupyterLab keeps only some in the page."""
        found = self.notebook.locator(".jp-Cell").filter(has_text=text).first
        self._scroll_to(found)
        return found

    def _scroll_to(self, place: Locator) -> None:
        """Turn the wheel from the top until the place is there: JupyterLab keeps only some cells in a page."""
        self.notebook.hover()
        self.page.mouse.wheel(0, -100_000)
        for _ in range(200):
            self.page.evaluate("() => new Promise(requestAnimationFrame)")
            if place.count():
                break
            self.page.mouse.wheel(0, 600)
        place.scroll_into_view_if_needed()

    def write(self, cell: Locator, text: str) -> None:
        """Put `text` in the place of all that a cell holds."""
        editor = cell.locator(".cm-content")
        if not editor.is_visible():
            cell.locator(".jp-MarkdownOutput").dblclick()
        editor.click()
        expect(cell.locator(".cm-focused")).to_be_visible()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(text)

    def run_all(self) -> None:
        self.choose("Run", "Run All Cells")

    def output(self, cell: str, text: str) -> str:
        """The output of the cell that holds `cell`, as soon as there is one that holds `text`."""
        deadline = time.monotonic() + WAIT_S
        while True:  # running all cells scrolls to the end, at some time
            output = self.cell(cell).locator(".jp-OutputArea-output").filter(has_text=text)
            try:
                output.wait_for(timeout=5000)
            except TimeoutError:
                if time.monotonic() > deadline:
                    raise
            else:
                return output.text_content() or ""

    def save(self) -> None:
        self.page.keyboard.press("Control+S")
        expect(self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")).to_be_visible()
        expect(self.page.locator(".lm-TabBar-tab.jp-mod-current.jp-mod-dirty")).to_have_count(0)

    def validate(self, picture: str) -> str:
        """Press Validate above the notebook; keep a picture of the dialog, and return what it says."""
        self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)").get_by_role("button", name="Validate").click()
        expect(self.page.get_by_role("dialog")).to_contain_text("Validation Results")
        self.picture(picture)
        return self.close_dialog()

    def read_feedback(self, step: str) -> str:
        """Fetch the feedback, open it from the list of files, and return the page's text."""
        row = self.row("submitted", step)
        row.get_by_role("button", name="Fetch Feedback").click()
        row.get_by_text("(view feedback)").last.click()
        self.page.locator(".jp-DirListing-item").filter(has_text=f"{step}.html").dblclick()
        page = self.page.frame_locator(".jp-HTMLViewer iframe:visible").locator("body")
        expect(page).to_contain_text("Points")
        return page.inner_text()


class Formgrader(Desk):
    """An instructor, in the formgrader."""

    def __init__(self, page: Page, lab: Lab) -> None:
        super().__init__(page, lab.desk("instructor"), "instructor")
        self.choose("Nbgrader", "Formgrader")
        expect(self.row("step5_compare")).to_be_visible()

    @property
    def frame(self) -> FrameLocator:
        return self.page.frame_locator("iframe[src*=formgrader]")

    def in_list(self) -> None:
        """Go to the list of steps, and wait until it is a new one."""
        with self._loaded("assignments"):
            self.frame.get_by_role("link", name="Manage Assignments").first.click()
        expect(self.row("step5_compare")).to_be_visible()

    def row(self, text: str) -> Locator:
        return self.frame.get_by_role("row").filter(has_text=text)

    def press(self, row: Locator, column: str) -> str:
        """Press a button in a row; return what the message says, and close it."""
        row.locator(f"td.{column} a").click()
        message = self.frame.locator(".modal.in")
        expect(message).to_contain_text("Log Output")
        text = message.inner_text()
        message.get_by_role("button", name="OK").click()
        expect(self.frame.locator(".modal-backdrop")).to_have_count(0)
        return text

    def autograde(self, step: str) -> str:
        """Grade the only submission to a step; return the message."""
        self.row(step).locator("td.num-submissions a").click()
        submission = self.frame.locator("tbody tr")
        expect(submission.locator("td.autograde a")).to_be_visible()
        message = self.press(submission, "autograde")
        expect(submission).not_to_contain_text("needs autograding")
        self.picture(f"graded-{step}")
        self.in_list()
        return message

    def score(self, step: str) -> str:
        """The score of the only submission to a step, as the list of submissions shows it."""
        self.in_list()
        self.row(step).locator("td.num-submissions a").click()
        score = self.frame.locator("tbody tr td.score")
        expect(score).to_contain_text("/")
        text = score.inner_text()
        self.in_list()
        return text

    def grade_by_hand(self, step: str, exercise: str, points: str, comment: str) -> None:
        """Give the only submission points and a comment for a written answer."""
        self.frame.get_by_role("link", name="Manual Grading").first.click()
        path = self.frame.locator(".breadcrumb")
        for level in ("Manual Grading", step):
            expect(path).to_have_text(re.compile(rf"{level}\s*$"))
            self.frame.locator("tbody").get_by_role("link", name=step).click()
        with self._loaded("grades"), self._loaded("comments"):
            self.frame.locator("tbody").get_by_role("link", name="Submission #1").click()
        expect(self.frame.locator(f"#{exercise}")).to_have_class(re.compile("needs_manual_grade"))
        self._fill(f"#{exercise}", points)
        self._fill(f"#{exercise}-comment", comment)
        self.picture("by-hand")
        path.get_by_role("link", name="Manual Grading").click()

    def _loaded(self, what: str) -> AbstractContextManager[object]:
        return self.page.expect_response(lambda answer: f"/formgrader/api/{what}" in answer.url)

    def _fill(self, field: str, value: str) -> None:
        """Type into a field and leave it; the page saves what was typed."""
        self.frame.locator(field).fill(value)
        with self.page.expect_response(lambda answer: answer.request.method == "PUT" and answer.ok):
            self.frame.locator(field).press("Tab")
        expect(self.frame.locator(field)).to_have_value(value)


def solutions(course: Path, step: str) -> Mapping[str, str]:
    """The name of each exercise of a step → the instructor's solution, as a student would type it."""
    notebook = nbformat.read(course / "source" / step / f"{step}.ipynb", as_version=4)
    labelled = {c.metadata["nbgrader"]["grade_id"]: c for c in notebook.cells if "nbgrader" in c.metadata}
    return {
        name: "\n".join(line for line in cell.source.splitlines() if "### " not in line)
        for name, cell in labelled.items()
        if cell.metadata["nbgrader"]["solution"] and cell.cell_type == "code"
    }
