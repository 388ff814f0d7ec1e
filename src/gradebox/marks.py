"""Marks go into the gradebook, and a verdict that no run can give goes to a person.

`SaveGrades` takes the place of nbgrader's `SaveAutoGrades` in `Autograde.autograde_preprocessors`. Stock nbgrader
takes every error of a graded cell for a wrong answer: zero points. A test that cannot decide raises an error named
in `manual_errors`, and its cell then has no automatic mark, nbgrader's flag for a grade by hand, and a comment that
holds the error's text: the figures that a person needs.

An absent mark counts as zero in nbgrader's sums, its export and its feedback pages, so the flag never gains marks.
What counts is a graded cell's outputs as they stand when marks are saved. After `SplitExecute` they come from the
trusted kernel, where the instructor's tests alone can raise such an error. With one kernel for all cells
(`GradedExecute`), a student can raise one of that name: that asks for a person in the place of a zero.
"""

from collections.abc import Sequence
from typing import Any

from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.preprocessors import SaveAutoGrades
from traitlets import List, Unicode

__all__ = ["SaveGrades", "sentence", "undecided", "undecided_cells"]

MAX_TEXT = 1000  # characters of an error's text that a comment holds
BETWEEN = "\n\n"  # what stands between the sentences of a comment: a reason has no line break


def undecided(cell: NotebookNode, names: Sequence[str]) -> str | None:
    """The first error with one of these names among the outputs of a graded cell, as text; None without one.

    The text is one line of Markdown, `Name: text`, and the error's own text is a code span in it: nbgrader's feedback
    page takes comments for Markdown and lets HTML through. A cell that is also an answer is no such cell: its outputs
    are the student's, and nbgrader leaves it to a person anyway.
    """
    if cell.cell_type != "code" or not utils.is_grade(cell) or utils.is_solution(cell):
        return None
    for output in cell.outputs:
        if output.output_type == "error" and output.ename in names:
            text = " ".join(output.evalue.replace("`", "'").split())[:MAX_TEXT].rstrip(".")
            return f"{output.ename}: `{text}`" if text else f"{output.ename}"
    return None


def sentence(reason: str, cell: str) -> str:
    """What a comment says of an undecided cell; `reason` is what `undecided` returned, `cell` the cell's label."""
    return f"{reason}. {_outcome(cell)}"


def _outcome(cell: str) -> str:
    return f"There is no automatic mark for `{cell}`: a person decides."


def undecided_cells(text: str, errors: Sequence[str], cells: Sequence[str]) -> list[str]:
    """Those of these cells that a comment says are undecided, for one of these errors.

    Args:
        text: a comment. One that a person wrote says so of no cell.
        errors: names of errors, those of `SaveGrades.manual_errors`.
        cells: labels of cells.
    """
    starts = tuple(f"{name}{follows}" for name in errors for follows in (": ", ". "))
    said = [each for each in text.split(BETWEEN) if each.startswith(starts)]
    return [cell for cell in cells if any(each.endswith(_outcome(cell)) for each in said)]


def _nearest_solution(cells: Sequence[NotebookNode], index: int) -> str | None:
    """The label of the last solution cell before `index`, or of the first one after it; None without any."""
    names = [cell.metadata["nbgrader"]["grade_id"] if utils.is_solution(cell) else None for cell in cells]
    return next((name for name in (*reversed(names[:index]), *names[index:]) if name), None)


class SaveGrades(SaveAutoGrades):
    """nbgrader's SaveAutoGrades, which leaves to a person what a test cannot decide.

    nbgrader makes one per notebook. A grade given by hand stays, as under nbgrader, and so does a comment written
    by hand, which has precedence over ours. The next run that decides gives its mark and removes our comment; it
    removes the flag too, unless there is a grade by hand: nbgrader flags those again after each run.
    """

    manual_errors = List(
        Unicode(),
        ["TooCloseToCall"],
        help="Names of errors of a graded cell on which no automatic mark is given: a person decides.",
    ).tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Save a notebook's marks. Called by the exporter, in the second of autograde's two passes."""
        place = resources["nbgrader"]
        self._place = f"{place['student']}, {place['assignment']}/{place['notebook']}"
        found = self._undecided(nb.cells)
        self._reasons = {nb.cells[index].metadata["nbgrader"]["grade_id"]: reason for index, reason in found}
        self._comments = self.comments(nb.cells)
        return super().preprocess(nb, resources)

    def comments(self, cells: Sequence[NotebookNode]) -> dict[str, str]:
        """By label of a solution cell: what is to be said there of the undecided cells that follow it.

        nbgrader has comments for answers only. A cell without a solution cell before it speaks at the next one.
        """
        said: dict[str, list[str]] = {}
        for index, reason in self._undecided(cells):
            if solution := _nearest_solution(cells, index):
                name = cells[index].metadata["nbgrader"]["grade_id"]
                said.setdefault(solution, []).append(sentence(reason, name))
        return {solution: BETWEEN.join(texts) for solution, texts in said.items()}

    def _undecided(self, cells: Sequence[NotebookNode]) -> list[tuple[int, str]]:
        found = ((index, undecided(cell, self.manual_errors)) for index, cell in enumerate(cells))
        return [(index, reason) for index, reason in found if reason]

    def _add_score(self, cell: NotebookNode, resources: dict[str, Any]) -> None:
        """Save one cell's mark, or leave it to a person. Called by nbgrader for each graded cell."""
        super()._add_score(cell, resources)
        name = cell.metadata["nbgrader"]["grade_id"]
        if name not in self._reasons:
            return
        grade = self.gradebook.find_grade(name, self.notebook_id, self.assignment_id, self.student_id)
        grade.auto_score, grade.needs_manual_grade = None, True
        self.gradebook.db.commit()
        self.log.warning("%s, %s: no mark given, grade by hand: %s", self._place, name, self._reasons[name])

    def _add_comment(self, cell: NotebookNode, resources: dict[str, Any]) -> None:
        """Save what the grader says of one cell. Called by nbgrader for each solution and each task cell."""
        super()._add_comment(cell, resources)
        name = cell.metadata["nbgrader"]["grade_id"]
        if name not in self._comments:
            return
        comment = self.gradebook.find_comment(name, self.notebook_id, self.assignment_id, self.student_id)
        comment.auto_comment = self._comments[name]
        self.gradebook.db.commit()
