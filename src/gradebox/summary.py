"""A student's step in short: the points of each exercise with the reason for each lost one, and what was measured.

Enters: a graded notebook whose hidden tests are hidden (`gradebox.feedback`), and the gradebook. Leaves: a `Summary`,
in `resources["gradebox"]["summary"]`, for the head of the feedback page (`gradebox.page`). Other students are numbers
without names in it, and only if there are enough of them.
"""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from nbconvert.filters import strip_ansi
from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Integer, List, Unicode

from gradebox.figures import Measurement, Picture, Said, read_graded, without_lines
from gradebox.marks import SaveGrades, undecided_cells
from gradebox.records import Book, Mark, Person, Work, read

__all__ = ["Comparison", "Outcome", "Summarise", "Summary", "printed", "reason"]

State = Literal["full", "part", "none", "waits"]

MAX_PRINTED = 2000  # characters of what a test printed that stand as the reason for a part of the points


@dataclass(frozen=True)
class Outcome:
    """What came of one exercise.

    Attributes:
        cell: the `grade_id` of its graded cell.
        name: what a reader calls it.
        points: with extra credit; None as long as there are none.
        state: *full* points, a *part* of them, *none*, or an exercise that *waits* for a person.
        why: the reason for what is missing; may have several lines. Empty if there is nothing to say.
        comments: what a person, or nbgrader, wrote to the answer.
    """

    cell: str
    name: str
    points: float | None
    maximum: float
    state: State
    why: str = ""
    comments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """One of the student's figures beside the others' values, sorted and bare; none if fewer than `fewest` have one."""

    own: Measurement
    others: tuple[float, ...] = ()
    fewest: int = 0

    @property
    def median(self) -> float:
        """What half of the others reach."""
        return statistics.median(self.others)


@dataclass(frozen=True)
class Summary:
    """The head of a feedback page."""

    person: Person
    step: str
    notebook: str
    outcomes: tuple[Outcome, ...]
    penalty: float
    handed_in: datetime | None
    late: timedelta
    endings: tuple[str, ...]
    comparisons: tuple[Comparison, ...]
    pictures: tuple[Picture, ...]

    @property
    def maximum(self) -> float:
        """The points that there are to get."""
        return sum(each.maximum for each in self.outcomes)

    @property
    def score(self) -> float:
        """The points so far, less the penalty for lateness, and never below zero."""
        return max(0.0, sum(each.points or 0.0 for each in self.outcomes) - self.penalty)

    @property
    def waiting(self) -> tuple[Outcome, ...]:
        """What waits for a person."""
        return tuple(each for each in self.outcomes if each.state == "waits")


def reason(cell: NotebookNode, plain: Sequence[str] = ("AssertionError",)) -> str:
    """The first error of a cell, as its test words it; empty without one.

    Args:
        cell: a graded cell.
        plain: names of errors whose text is a sentence for a reader; others go before their text.
    """
    for output in cell.get("outputs", ()):
        if output.output_type == "error":
            text = strip_ansi(output.evalue).strip()
            name = "" if text and output.ename in plain else output.ename
            return f"{name}: {text}" if name and text else name or text
    return ""


class Summarise(NbGraderPreprocessor):
    """Sums up a graded notebook for its student.

    For `c.GenerateFeedback.preprocessors`, after `HideHiddenTests`. nbgrader makes one for all pages of a run: the
    class is read once.
    """

    fewest_others = Integer(
        5, min=2, help="How many other students a figure must have to be shown beside a student's own, without names."
    ).tag(config=True)
    plain_errors = List(
        Unicode(),
        ["AssertionError"],
        help="Names of errors whose text is a sentence for the student: it is shown without the name.",
    ).tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._books: dict[tuple[str, str], Book] = {}
        self._said: dict[tuple[str, str], dict[str, Said]] = {}

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Sum a notebook up. Called by the exporter, before the notebook is rendered."""
        place = resources["nbgrader"]
        book = self._book(place)
        work = book.works[place["student"], place["assignment"]]
        person = next(each for each in book.people if each.id == work.student)
        found = resources.setdefault("gradebox", {})
        said: Said = found.get("said", Said())
        marks = [mark for mark in work.marks if mark.exercise.notebook == place["notebook"]]
        undecided = SaveGrades(config=self.config).manual_errors
        found["summary"] = Summary(
            person=person,
            step=work.step.name,
            notebook=place["notebook"],
            outcomes=tuple(_outcomes(marks, nb.cells, undecided, self.plain_errors)),
            penalty=work.penalties.get(place["notebook"], 0.0),
            handed_in=work.handed_in,
            late=work.late,
            endings=said.endings,
            comparisons=tuple(
                Comparison(own, self._others(book, work, place, own), self.fewest_others) for own in said.measured
            ),
            pictures=said.pictures,
        )
        return nb, resources

    def _book(self, place: Mapping[str, Any]) -> Book:
        key = (place["db_url"], place["assignment"])
        if key not in self._books:
            with Gradebook(place["db_url"]) as gradebook:
                self._books[key] = read(gradebook.engine, [place["assignment"]])
        return self._books[key]

    def _others(self, book: Book, work: Work, place: Mapping[str, Any], own: Measurement) -> tuple[float, ...]:
        """The others' values of a measurement, one for each student, without an order that tells whose they are."""
        values = []
        for student, said in self._class(book, work, place).items():
            same = [each.value for each in said.measured if each.kind == own.kind]
            if student != work.student and same:
                values.append(same[0])
        return tuple(sorted(values)) if len(values) >= self.fewest_others else ()

    def _class(self, book: Book, work: Work, place: Mapping[str, Any]) -> dict[str, Said]:
        key = (place["db_url"], place["assignment"])
        course = getattr(getattr(self.parent, "parent", None), "coursedir", None)  # exporter, then GenerateFeedback
        if key not in self._said:
            names = dict.fromkeys(exercise.notebook for exercise in work.step.exercises)
            self._said[key] = {}
            for each in book.of_step(work.step):
                if course is not None and each.marks:
                    folder = course.format_path(course.autograded_directory, each.student, each.step.name)
                    self._said[key][each.student] = read_graded(Path(folder, f"{name}.ipynb") for name in names)
        return self._said[key]


def _outcomes(
    marks: Sequence[Mark], cells: Sequence[NotebookNode], undecided: Sequence[str], plain: Sequence[str]
) -> Iterator[Outcome]:
    labelled = {_label(cell)["grade_id"]: cell for cell in cells if "grade_id" in _label(cell)}
    comments = _comments(cells, undecided, [mark.exercise.name for mark in marks])
    for mark in marks:
        exercise = mark.exercise
        cell = labelled.get(exercise.name)
        is_answer = cell is not None and (utils.is_solution(cell) or utils.is_task(cell))
        said = "" if cell is None or is_answer else reason(cell, plain)
        state = _state(mark)
        if cell is None:
            why = "" if state == "full" else "there is no such cell in the graded notebook"
        else:
            why = _why(mark, state, said, "" if is_answer else printed(cell))
        name = exercise.name.removesuffix("_test")
        yield Outcome(
            exercise.name, name, mark.score, exercise.maximum, state, why, tuple(comments.get(exercise.name, ()))
        )


def _state(mark: Mark) -> State:
    if mark.waits or mark.score is None:
        return "waits"
    if mark.score >= mark.exercise.maximum:
        return "full"
    return "part" if mark.score > 0 else "none"


def _why(mark: Mark, state: State, said: str, printed: str) -> str:
    if state == "waits":
        if mark.manual is not None:
            return "graded by a person, who looks again, since grading ran once more after that"
        return f"a person decides: {said}" if said else "a person reads it"
    by_hand = "graded by a person" if mark.manual is not None else ""
    if state == "full":
        return by_hand
    if state == "part" and not said and not by_hand:
        return printed or "a part of the points; the test does not say why"
    return "; ".join(each for each in (by_hand, said) if each) or "no answer that a test could give points to"


def printed(cell: NotebookNode) -> str:
    """What a test printed for a reader, as the reason for a part of its points."""
    outputs = (output for output in cell.get("outputs", ()) if output.output_type == "stream")
    return without_lines("".join(output.text for output in outputs)).strip()[-MAX_PRINTED:]


def _comments(
    cells: Sequence[NotebookNode], undecided: Sequence[str], exercises: Sequence[str]
) -> dict[str, list[str]]:
    """By exercise: the comments to its answer. A comment belongs to the next graded cell, or else to the last one."""
    said: dict[str, list[str]] = {}
    waiting: list[str] = []
    last = ""
    for cell in cells:
        label = _label(cell)
        text = str(label.get("comment") or "").strip()
        if text and not undecided_cells(text, undecided, exercises):  # the cell itself says that, and why
            waiting.append(text)
        if utils.is_grade(cell) or utils.is_task(cell):
            last = label["grade_id"]
            said.setdefault(last, []).extend(waiting)
            waiting = []
    if waiting and last:
        said[last].extend(waiting)
    return said


def _label(cell: NotebookNode) -> Mapping[str, Any]:
    return cell.metadata.get("nbgrader", {})
