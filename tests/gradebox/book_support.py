"""A tiny course whose gradebook is written directly, through nbgrader's own interface: nothing is run."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import nbformat
import sqlalchemy as sa
from nbformat.v4 import new_code_cell, new_notebook, new_output
from nbgrader.api import Gradebook

from gradebox.classroom import LEDGER

STEPS: dict[str, dict[str, float]] = {
    "sums": {"double_test": 2, "triple_test": 1, "explain": 3},
    "recipes": {"shift_test": 4, "gain_test": 4},
}
DUE = datetime(2026, 3, 1, 12)
CLOSE = "TooCloseToCall: `+0.6 points, surely between -0.2 and +1.4`"


@dataclass(frozen=True)
class Hand:
    """One graded submission: points by exercise, None where a person is to decide."""

    points: Sequence[float | None]
    manual: Mapping[str, float] = field(default_factory=dict)
    extra: Mapping[str, float] = field(default_factory=dict)
    look_again: Sequence[str] = ()
    penalty: float = 0.0
    hours_late: float = 0.0
    comment: str = ""
    status: str = "graded"
    reason: str = ""
    seconds: float | None = 12.0
    figures: Mapping[str, object] | None = None
    picture: Mapping[str, object] | None = None
    predictions: Sequence[Mapping[str, object]] = ()
    ending: str = ""


CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "tiny"
c.SandboxProvisioner.allow_unprotected = True
"""


class TinyCourse:
    """A course folder with a configuration and a gradebook."""

    def __init__(self, root: Path, steps: Mapping[str, Mapping[str, float]] = STEPS) -> None:
        self.root, self.steps = root, steps
        root.mkdir(parents=True, exist_ok=True)
        (root / "nbgrader_config.py").write_text(CONFIG)
        with self.gradebook() as gradebook:
            for step, exercises in steps.items():
                gradebook.update_or_create_assignment(step, duedate=DUE)
                gradebook.update_or_create_notebook(step, step)
                gradebook.add_solution_cell("answer", step, step)
                for name, maximum in exercises.items():
                    kind = "code" if name.endswith("_test") else "markdown"
                    gradebook.add_grade_cell(name, step, step, max_score=maximum, cell_type=kind)
                    if kind == "markdown":
                        gradebook.add_solution_cell(name, step, step)
            LEDGER.create(gradebook.engine, checkfirst=True)

    def gradebook(self) -> Gradebook:
        return Gradebook(f"sqlite:///{self.root / 'gradebook.db'}", "tiny")

    def enrol(self, student: str, **values: str) -> None:
        with self.gradebook() as gradebook:
            gradebook.update_or_create_student(student, **values)

    def add(self, student: str, step: str, hand: Hand) -> None:
        """Write what grading would have: marks, a comment, the coordinator's note, the graded notebook."""
        with self.gradebook() as gradebook, warnings.catch_warnings():
            warnings.simplefilter("ignore", sa.exc.SAWarning)  # nbgrader's own, as it makes a submission
            gradebook.update_or_create_student(student)
            when = DUE + timedelta(hours=hand.hours_late)
            submission = gradebook.update_or_create_submission(step, student, timestamp=when)
            notebook = submission.notebooks[0]
            notebook.late_submission_penalty = hand.penalty
            for (name, _), points in zip(self.steps[step].items(), hand.points, strict=True):
                grade = gradebook.find_grade(name, step, step, student)
                grade.auto_score, grade.manual_score = points, hand.manual.get(name)
                grade.extra_credit = hand.extra.get(name)
                grade.needs_manual_grade = points is None and name not in hand.manual
                grade.needs_manual_grade |= name in hand.look_again
            if hand.comment:
                gradebook.find_comment("answer", step, step, student).auto_comment = hand.comment
            if hand.seconds is not None:
                note = {"submission_id": submission.id, "key": "", "status": hand.status, "reason": hand.reason}
                gradebook.db.execute(sa.insert(LEDGER).values(**note, seconds=hand.seconds))
            gradebook.db.commit()
        self.write_graded(student, step, hand)

    def write_graded(self, student: str, step: str, hand: Hand) -> None:
        outputs = []
        if hand.figures is not None:
            line = f"training\ngradebox.figures: {json.dumps(hand.figures)}\n"
            outputs.append(new_output("stream", name="stdout", text=line))
        for each in hand.predictions:
            outputs.append(new_output("stream", name="stdout", text=f"gradebox.prediction: {json.dumps(each)}\n"))
        if hand.picture is not None:
            outputs.append(new_output("stream", name="stdout", text=f"gradebox.picture: {json.dumps(hand.picture)}\n"))
        if hand.ending:
            outputs.append(new_output("error", ename=hand.ending, evalue="it ended", traceback=[]))
        cell = new_code_cell("assert True", outputs=outputs)
        name = list(self.steps[step])[-1]
        cell.metadata["nbgrader"] = {"grade": True, "solution": False, "grade_id": name, "points": 1}
        path = self.root / "autograded" / student / step / f"{step}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(new_notebook(cells=[cell]), path)


def gain(value: float, half: float, margin: float = 0.5) -> dict[str, object]:
    """A measurement as a graded cell prints it."""
    numbers = {"value": value, "low": value - half, "high": value + half}
    return {
        "label": "gain over the baseline",
        **numbers,
        "unit": "points",
        "reference": margin,
        "reference_label": "margin",
    }
