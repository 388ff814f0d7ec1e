"""Marks on their way out: to Canvas, to Moodle, and exercise by exercise.

    nbgrader export --exporter=gradebox.exporters.CanvasExporter --to canvas.csv

nbgrader's options `--assignment` and `--student` hold here too. Work that the grader failed on, that waits for a
person or that was not graded yet has an empty cell, and one warning names it: a zero would be a mark. A student whom
the gradebook does not know yet has no row.

A cell of text that a spreadsheet could take for a formula gets an apostrophe in front (OWASP, *CSV Injection*):
one that begins with `=`, `+`, `-`, `@`, their full-width forms, a tab or a line break. Spreadsheets show such a
cell as it was; a system that reads the file finds the apostrophe in it, and an account of that name is then found by
another column, or not at all.
"""

import csv
import io
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from nbgrader.api import Gradebook
from nbgrader.plugins.export import CsvExportPlugin, ExportPlugin
from traitlets import Dict, Unicode

from gradebox.border import complaint
from gradebox.files import write_whole
from gradebox.records import Book, Mark, Person, Work, read

__all__ = ["CanvasExporter", "ExerciseExporter", "HarmlessCsvExporter", "MoodleExporter", "harmless"]

Row = Sequence[str | float | None]

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
MAX_NAMED = 20  # pieces of work that a warning lists


def harmless(cell: str | float | None) -> str:
    """The text of a cell: numbers to four decimals, nothing for None, and no text that is a formula."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell
    return f"{round(cell, 4):.15g}"


class HarmlessCsvExporter(CsvExportPlugin):
    """nbgrader's own table of all students and steps, with no cell that a spreadsheet takes for a formula.

    For plain `nbgrader export`: `c.ExportApp.plugin_class = "gradebox.exporters.HarmlessCsvExporter"`.
    """

    def export(self, gradebook: Gradebook) -> None:
        """Write the file. Called by `nbgrader export`, with the open gradebook.

        Raises:
            SystemExit: the file cannot be written; the message says why.
        """
        named: str = self.to  # type: ignore[has-type]
        target = Path(named or "grades.csv")
        with tempfile.TemporaryDirectory(prefix="gradebox-") as folder:
            self.to = str(Path(folder, "grades.csv"))
            super().export(gradebook)
            with open(self.to, newline="", encoding="utf-8") as file:
                rows = [[_as_it_stands(cell) for cell in row] for row in csv.reader(file)]
        self.to = str(target)
        _write(target, rows)


def _write(target: Path, rows: Iterable[Iterable[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    try:
        write_whole(target, text.getvalue())
    except OSError as error:
        advice = "free some space, or name another file with --to"
        raise SystemExit(f"{target} cannot be written ({error.strerror}), and is as it was: {advice}") from None


def _as_it_stands(cell: str) -> str:
    """A cell of a table that is text already: a negative number is no formula."""
    return cell if re.fullmatch(r"-?\d+(\.\d+)?(e[+-]?\d+)?", cell, re.ASCII) else harmless(cell)


class _Exporter(ExportPlugin):
    """What the exporters have in common: reading the book, and one warning.

    The file is there when all of it is made; until then, what stood there stays.
    """

    default_name = "grades.csv"

    def __init__(self, **kwargs: Any) -> None:
        """Made by `nbgrader export` just before it opens the gradebook, on whose errors it would print a traceback.

        Raises:
            SystemExit: the gradebook cannot be used; the message says what to do.
        """
        super().__init__(**kwargs)
        course = getattr(self.parent, "coursedir", None)
        if course is not None:
            with _in_one_line(str(course.db_url)), Gradebook(course.db_url, course.course_id):
                pass

    def export(self, gradebook: Gradebook) -> None:
        """Write the file. Called by `nbgrader export`, with the open gradebook.

        Raises:
            SystemExit: the gradebook cannot be read, or the file not written; the message says why.
        """
        steps, students = [str(name) for name in self.assignment], [str(name) for name in self.student]
        with _in_one_line(str(gradebook.engine.url)):
            book = read(gradebook.engine, steps, students, handed_in=self._is_handed_in)
        self._warn_of_unknown(book, steps, students)
        target = Path(self.to or self.default_name)
        _write(target, ([harmless(cell) for cell in row] for row in self.rows(book)))
        self.log.info("%d students and %d steps are in %s", len(book.people), len(book.steps), target)
        self._warn_of_unmarked(book)

    def rows(self, book: Book) -> Iterable[Row]:
        """The file's rows, the head first. Called by `export`."""
        raise NotImplementedError

    def _is_handed_in(self, student: str, step: str) -> bool:
        course = getattr(self.parent, "coursedir", None)
        return course is not None and Path(course.format_path(course.submitted_directory, student, step)).is_dir()

    def _warn_of_unknown(self, book: Book, steps: Sequence[str], students: Sequence[str]) -> None:
        unknown = {*steps, *students} - {step.name for step in book.steps} - {person.id for person in book.people}
        if unknown:
            self.log.warning("not in the gradebook, and left out: %s", ", ".join(sorted(unknown)))

    def _warn_of_unmarked(self, book: Book) -> None:
        open_ = [work for work in book.works.values() if not work.is_marked and work.status != "not submitted"]
        if not open_:
            return
        named = [f"{work.student}, {work.step.name} ({_why(work)})" for work in open_[:MAX_NAMED]]
        if len(open_) > MAX_NAMED:
            named.append(f"and {len(open_) - MAX_NAMED} more")
        self.log.warning("no mark yet, and no zero: %s", "; ".join(named))


@contextmanager
def _in_one_line(url: str) -> Iterator[None]:
    try:
        yield
    except sa.exc.DatabaseError as error:
        reason = str(error.orig or error).splitlines()[0]
        said = (
            f"the gradebook {sa.make_url(url).render_as_string()} cannot be used ({reason}); restore it from a backup"
        )
        raise SystemExit(complaint(error, said)) from None


def _why(work: Work) -> str:
    return "the grader failed" if work.grader_failed else work.status


class _GradebookExporter(_Exporter):
    columns = Dict(
        key_trait=Unicode(),
        value_trait=Unicode(),
        help="By step: the column's title in the other system, where that is not the step's name.",
    ).tag(config=True)
    not_submitted = Unicode(
        "", help='What stands where a student handed in nothing: empty, or a number such as "0".'
    ).tag(config=True)

    def _titles(self, book: Book) -> list[str]:
        return [self.columns.get(step.name, step.name) for step in book.steps]

    def _scores(self, book: Book, person: Person) -> list[str | float | None]:
        works = [book.works[person.id, step.name] for step in book.steps]
        empty = self.not_submitted
        return [work.score if work.is_marked else empty if work.status == "not submitted" else None for work in works]


class CanvasExporter(_GradebookExporter):
    """A gradebook file for Canvas: *Grades → Import*.

    Columns as Canvas's importer reads them: `Student` (last name, first name), `ID`, `SIS Login ID`, `Section`, and one
    for each step under the title of the Canvas assignment, or that title with its number, `Explore (4711)`, set
    by `c.CanvasExporter.columns`. An unknown title makes Canvas offer a new assignment. The second row says the
    points possible.

    Canvas looks for a student by `ID`, then by login, then by name. `ID` is its own number, nbgrader's
    `lms_user_id`; anything but digits is left out, because Canvas would read `12a` as 12.
    """

    default_name = "canvas.csv"
    section = Unicode("", help="What stands in the column `Section`; Canvas needs the column, not the value.").tag(
        config=True
    )

    def rows(self, book: Book) -> Iterable[Row]:
        """The file's rows, the head first."""
        yield ["Student", "ID", "SIS Login ID", "Section", *self._titles(book)]
        yield ["    Points Possible", "", "", "", *(step.maximum for step in book.steps)]
        for person in book.people:
            number = person.number if re.fullmatch(r"[0-9]+", person.number) else ""
            yield [_sortable_name(person), number, person.id, self.section, *self._scores(book, person)]


def _sortable_name(person: Person) -> str:
    return ", ".join(part for part in (person.last_name, person.first_name) if part) or person.id


class MoodleExporter(_GradebookExporter):
    """A gradebook file for Moodle: *Grades → Import → CSV file*.

    Choose *Map from* and *Map to* alike: `ID number` (nbgrader's student id), or `Email address`. Each step is a
    column to map to a grade item; the item's maximum must be the step's, which Moodle does not learn from a file.

    Moodle's importer passes over an empty identity and then takes the row for the student above. So `Email
    address` is there only if every student has one.
    """

    default_name = "moodle.csv"

    def rows(self, book: Book) -> Iterable[Row]:
        """The file's rows, the head first."""
        emails = bool(book.people) and all(person.email.strip() for person in book.people)
        email = ["Email address"] if emails else []
        yield ["First name", "Last name", "ID number", *email, *self._titles(book)]
        for person in book.people:
            who = [person.first_name, person.last_name, person.id, *([person.email] if emails else [])]
            yield [*who, *self._scores(book, person)]


class ExerciseExporter(_Exporter):
    """One row for each student, step and exercise, for a statistician.

    `status` is *graded*, *needs a person*, *not graded yet* or *not submitted*. `late_penalty` is the notebook's and so
    stands in each of its rows. `flags` are separated by `; `: *flagged* by a person in the formgrader, *look again*
    where grading came after a grade by hand, *late*, *grader failed*.
    """

    default_name = "exercises.csv"
    head = (
        *("student", "last_name", "first_name", "step", "notebook", "exercise", "status"),
        *("automatic", "manual", "extra_credit", "score", "max_score", "late_penalty", "flags"),
    )

    def rows(self, book: Book) -> Iterable[Row]:
        """The file's rows, the head first."""
        yield self.head
        for person in book.people:
            for step in book.steps:
                work = book.works[person.id, step.name]
                marks = work.marks or tuple(Mark(exercise) for exercise in step.exercises)
                yield from (self._row(person, work, mark) for mark in marks)

    def _row(self, person: Person, work: Work, mark: Mark) -> Row:
        status = work.status if not work.marks else "needs a person" if mark.waits else "graded"
        exercise = mark.exercise
        return [
            *(person.id, person.last_name, person.first_name, work.step.name, exercise.notebook, exercise.name, status),
            *(mark.automatic, mark.manual, mark.extra, mark.score, exercise.maximum),
            work.penalties.get(exercise.notebook),
            "; ".join(self._flags(work, mark)),
        ]

    @staticmethod
    def _flags(work: Work, mark: Mark) -> Iterable[str]:
        if mark.exercise.notebook in work.flagged:
            yield "flagged"
        if mark.waits and mark.manual is not None:
            yield "look again"
        if work.late:
            yield "late"
        if work.grader_failed and mark.waits:
            yield "grader failed"
