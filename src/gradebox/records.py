"""The gradebook as plain data: who handed in what, and which mark each exercise has.

Enters: the engine of an nbgrader gradebook. Leaves: a `Book`, with one `Work` for each student and step, whether
handed in or not. Nothing is written. Exports and the report read the same book, so they agree on what a mark is:
an exercise that waits for a person has none, which is not zero.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa
from nbgrader import api

from gradebox.classroom import LEDGER

__all__ = ["Book", "Exercise", "Mark", "Person", "Status", "Step", "Work", "read"]

Status = Literal["graded", "needs a person", "not graded yet", "not submitted"]


@dataclass(frozen=True)
class Person:
    """A student as the gradebook has them; `number` is the user's id in a learning management system."""

    id: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    number: str = ""


@dataclass(frozen=True)
class Exercise:
    """A cell with points, of one notebook of a step."""

    cell_id: str
    notebook: str
    name: str
    maximum: float


@dataclass(frozen=True)
class Step:
    """A step (nbgrader's assignment) with its exercises, as the gradebook's rows come.

    As a rule they come as they were made, notebook by notebook and cell by cell; nbgrader notes no order.
    """

    name: str
    exercises: tuple[Exercise, ...]

    @property
    def maximum(self) -> float:
        """The points of all exercises together."""
        return sum(exercise.maximum for exercise in self.exercises)


@dataclass(frozen=True)
class Mark:
    """What one exercise of one student has earned.

    `waits` is nbgrader's flag for a grade by hand, and also set where there is no score at all: a grader that
    failed, a test that could not decide, an answer that nobody has read. `extra` counts on top of the score.
    """

    exercise: Exercise
    automatic: float | None = None
    manual: float | None = None
    extra: float | None = None
    waits: bool = True

    @property
    def score(self) -> float | None:
        """Points with extra credit; a grade by hand has precedence. None as long as there is neither."""
        given = self.manual if self.manual is not None else self.automatic
        return None if given is None else given + (self.extra or 0.0)


@dataclass(frozen=True)
class Work:
    """One student's work on a step.

    Attributes:
        marks: one for each exercise; empty if there is no graded submission.
        penalties: points taken off for lateness, by notebook.
        late: by how much it was late, after any extension.
        flagged: notebooks that a person flagged in the formgrader.
        comments: what the grader said of answers.
        grader: what the class's coordinator noted: *graded*, *grader failed*, or empty if it never saw the work.
        reason: why the grader failed, or the names under which the work ended early.
        seconds: time that grading took.
        handed_in: when, in UTC without saying so; None where nbgrader has no time.
    """

    student: str
    step: Step
    status: Status
    marks: tuple[Mark, ...] = ()
    penalties: Mapping[str, float] = field(default_factory=dict)
    late: timedelta = timedelta()
    flagged: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()
    grader: str = ""
    reason: str = ""
    seconds: float | None = None
    handed_in: datetime | None = None

    @property
    def is_marked(self) -> bool:
        """Whether every exercise has its final mark."""
        return self.status == "graded"

    @property
    def waiting(self) -> tuple[Exercise, ...]:
        """The exercises that wait for a person."""
        return tuple(mark.exercise for mark in self.marks if mark.waits)

    @property
    def grader_failed(self) -> bool:
        """Whether the grader failed, and neither a person nor nbgrader itself has graded it since.

        nbgrader's own autograde leaves the coordinator's note as it is, but gives automatic marks.
        """
        unmarked = all(mark.automatic is None for mark in self.marks)
        return self.grader == "grader failed" and self.status == "needs a person" and unmarked

    @property
    def score(self) -> float:
        """Points so far, less the penalties, and never below zero: as in nbgrader's own export."""
        earned = sum(mark.score or 0.0 for mark in self.marks)
        return max(0.0, earned - sum(self.penalties.values()))


@dataclass(frozen=True)
class Book:
    """Students and steps, and the work of each student on each step."""

    people: tuple[Person, ...]
    steps: tuple[Step, ...]
    works: Mapping[tuple[str, str], Work]

    def of_step(self, step: Step) -> list[Work]:
        """The work of all students on a step, in their order."""
        return [self.works[person.id, step.name] for person in self.people]


def read(
    engine: sa.Engine,
    steps: Sequence[str] = (),
    students: Sequence[str] = (),
    *,
    others: Iterable[str] = (),
    handed_in: Callable[[str, str], bool] = lambda student, step: False,
) -> Book:
    """Read the gradebook.

    Args:
        engine: an nbgrader gradebook's.
        steps, students: names to keep; all if empty. Unknown names are passed over.
        others: students to list even if the gradebook does not know them.
        handed_in: whether there is a submission of a student to a step; asked where the gradebook has none.
    """
    with engine.connect() as connection:
        tables = _Tables(connection)
        known = tables.people()
        known |= {name: Person(name) for name in others if name not in known}
        people = tuple(known[name] for name in sorted(known) if not students or name in students)
        by_name = {step.name: step for step in tables.steps()}
        kept = tuple(by_name[name] for name in dict.fromkeys(steps or by_name) if name in by_name)
        submitted = tables.works({step.name: step for step in kept})
    works = {}
    for person in people:
        for step in kept:
            work = submitted.get((person.id, step.name))
            if work is None:
                status: Status = "not graded yet" if handed_in(person.id, step.name) else "not submitted"
                work = Work(person.id, step, status)
            works[person.id, step.name] = work
    return Book(people, kept, works)


class _Tables:
    """nbgrader's tables, each read whole: a class needs no query per student."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection

    def _rows(self, *columns: Any) -> Sequence[Any]:
        return self.connection.execute(sa.select(*columns)).all()

    def people(self) -> dict[str, Person]:
        found = {}
        for row in self._rows(*api.Student.__table__.c):
            given = (row.first_name, row.last_name, row.email, row.lms_user_id)
            found[row.id] = Person(row.id, *(each or "" for each in given))
        return found

    def steps(self) -> list[Step]:
        notebooks = {row.id: row for row in self._rows(*api.Notebook.__table__.c)}
        points = {
            row.id: row.max_score
            for kind in (api.GradeCell, api.TaskCell)
            for row in self._rows(kind.__table__.c.id, kind.__table__.c.max_score)
        }
        exercises: dict[str, list[Exercise]] = {}
        for row in self._rows(*api.BaseCell.__table__.c):
            if row.id in points:
                notebook = notebooks[row.notebook_id]
                exercise = Exercise(row.id, notebook.name, row.name, points[row.id])
                exercises.setdefault(notebook.assignment_id, []).append(exercise)
        rows = sorted(self._rows(*api.Assignment.__table__.c), key=lambda row: row.name)
        return [Step(row.name, tuple(exercises.get(row.id, ()))) for row in rows]

    def works(self, steps: Mapping[str, Step]) -> dict[tuple[str, str], Work]:
        assignments = {row.id: row for row in self._rows(*api.Assignment.__table__.c) if row.name in steps}
        notebooks: dict[str, list[Any]] = {}
        for row in self._rows(*api.SubmittedNotebook.__table__.c):
            notebooks.setdefault(row.assignment_id, []).append(row)
        names = {row.id: row.name for row in self._rows(api.Notebook.__table__.c.id, api.Notebook.__table__.c.name)}
        grades = {(row.notebook_id, row.cell_id): row for row in self._rows(*api.Grade.__table__.c)}
        comments: dict[str, list[str]] = {}
        for row in self._rows(api.Comment.__table__.c.notebook_id, api.Comment.__table__.c.auto_comment):
            if row.auto_comment:
                comments.setdefault(row.notebook_id, []).append(row.auto_comment)
        ledger = {}
        if sa.inspect(self.connection).has_table(LEDGER.name):
            ledger = {row.submission_id: row for row in self._rows(*LEDGER.c)}
        found = {}
        for row in self._rows(*api.SubmittedAssignment.__table__.c):
            if row.assignment_id not in assignments:
                continue
            assignment = assignments[row.assignment_id]
            step, own = steps[assignment.name], notebooks.get(row.id, [])
            by_name = {names[each.notebook_id]: each for each in own}
            marks = tuple(_mark(each, by_name.get(each.notebook), grades) for each in step.exercises)
            noted = ledger.get(row.id)
            found[row.student_id, step.name] = Work(
                row.student_id,
                step,
                "needs a person" if any(mark.waits for mark in marks) else "graded",
                marks,
                {name: each.late_submission_penalty or 0.0 for name, each in by_name.items()},
                _late(row, assignment),
                tuple(sorted(name for name, each in by_name.items() if each.flagged)),
                tuple(text for each in own for text in comments.get(each.id, ())),
                noted.status if noted else "",
                (noted.reason or "") if noted else "",
                noted.seconds if noted else None,
                row.timestamp,
            )
        return found


def _mark(exercise: Exercise, notebook: Any, grades: Mapping[tuple[str, str], Any]) -> Mark:
    row = grades.get((notebook.id, exercise.cell_id)) if notebook is not None else None
    if row is None:
        return Mark(exercise)
    waits = bool(row.needs_manual_grade) or (row.auto_score is None and row.manual_score is None)
    return Mark(exercise, row.auto_score, row.manual_score, row.extra_credit, waits)


def _late(submission: Any, assignment: Any) -> timedelta:
    if submission.timestamp is None or assignment.duedate is None:
        return timedelta()
    due = assignment.duedate + (submission.extension or timedelta())
    return max(timedelta(), submission.timestamp - due)
