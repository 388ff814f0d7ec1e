"""A class on one page: a file with figures and tables, for the instructor.

Enters: a graded course. Leaves: one HTML file without scripts, and without anything to load from elsewhere.

A graded cell can say what it measured. It prints a line for each measurement, the prefix and a JSON object:

    gradebox.figures: {"label": "gain over the baseline", "value": 4.1, "low": 2.2, "high": 6.0}

`label` (text), `value`, `low` and `high` (finite numbers, `low` ≤ `value` ≤ `high`) are required. `unit` (text),
`reference` (a number that the interval is held against) and `reference_label` (text) may follow. It is a line on
stdout because that is what `gradebox.feedback` lets out of a trusted kernel. Measurements are read from graded cells
that are no answers, below `autograded/`; with one kernel for all cells a student can print such a line, too.
"""

import hashlib
import hmac
import json
import math
import os
import re
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from nbformat import reader

from gradebox import charts, errors
from gradebox.classroom import Classroom, CourseError
from gradebox.errors import GradeboxError, SubmissionFault
from gradebox.marks import SaveGrades
from gradebox.records import Book, Step, Work, read

__all__ = ["FIGURES_PREFIX", "Measurement", "ReportError", "item_statistics", "make", "measurements"]

FIGURES_PREFIX = "gradebox.figures:"
MAX_LABEL = 80  # characters of a measurement's texts
MAX_LINES = 20  # measurements of one cell
FEW = 30  # students: with fewer, a discrimination is a hint
ENDINGS = frozenset(
    name for name in errors.__all__ if issubclass(getattr(errors, name), SubmissionFault) and name != "SubmissionFault"
) - {"NotRun"}


class ReportError(GradeboxError):
    """The report cannot be written; the message says what to do."""


@dataclass(frozen=True)
class Measurement:
    """What a graded cell measured of one student's work; the numbers are finite, in `unit`."""

    label: str
    value: float
    low: float
    high: float
    unit: str = ""
    reference: float | None = None
    reference_label: str = "reference"

    @property
    def is_above(self) -> bool | None:
        """Whether the interval is above the reference; None where it holds it, or where there is no reference."""
        if self.reference is None:
            return None
        return True if self.low > self.reference else False if self.high < self.reference else None


@dataclass(frozen=True)
class _Graded:
    """What the autograded notebooks of one submission say; `readable` is false where one of them is missing."""

    readable: bool
    measured: tuple[Measurement, ...]
    endings: tuple[str, ...]


@dataclass(frozen=True)
class _Flag:
    kind: str
    student: str
    step: str
    says: str


def make(root: Path, steps: Sequence[str], to: Path, pseudonyms: bool = False) -> Path:
    """Write the report of these steps; return its path.

    Args:
        root: the course's folder.
        steps: names of steps; all that the gradebook knows if empty.
        to: the file to write.
        pseudonyms: name students by what only the key in `.gradebox/` can tie to them, and leave out every text that
            could name them.

    Raises:
        CourseError: an unknown step, or a gradebook that cannot be used.
        ReportError: a file that cannot be written.
    """
    classroom = Classroom(root)
    with classroom.gradebook() as engine:
        everything = read(engine)
        _check_steps(steps, [step.name for step in everything.steps])
        chosen = tuple(dict.fromkeys(steps)) or tuple(step.name for step in everything.steps)
        folders = {(each.student, each.step) for each in classroom.submissions(chosen)}
        others = {student for student, _ in folders}
        book = read(engine, chosen, others=others, handed_in=lambda student, step: (student, step) in folders)
    shown = _pseudonyms(classroom.root, [person.id for person in book.people]) if pseudonyms else None
    undecided = tuple(SaveGrades(config=classroom.config).manual_errors)
    page = _page(book, partial(_read_graded, classroom), shown, undecided, classroom.course.course_id)
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(page, encoding="utf-8")
    except OSError as error:
        raise ReportError(f"{to} cannot be written ({error.strerror}): name another file with --to") from None
    return to


def _check_steps(steps: Sequence[str], known: Sequence[str]) -> None:
    for step in steps:
        if step not in known:
            raise CourseError(f"no such step: {step}; the gradebook knows {', '.join(known) or 'none'}")


# Names


def _pseudonyms(root: Path, students: Iterable[str]) -> dict[str, str]:
    """By student: `student 3f2a`. The digits are those of an HMAC, more of them where two students share four."""
    key = _key(root / ".gradebox" / "pseudonyms.key")
    digests = {name: hmac.new(key, name.encode(), hashlib.sha256).hexdigest() for name in students}

    def length(digest: str) -> int:
        others = [each for each in digests.values() if each != digest]
        return next(n for n in range(4, len(digest) + 1) if not any(each[:n] == digest[:n] for each in others))

    return {name: f"student {digest[: length(digest)]}" for name, digest in digests.items()}


def _key(path: Path) -> bytes:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(os.urandom(32))
        except FileExistsError:
            pass
        key = path.read_bytes()
    except OSError as error:
        raise ReportError(f"the key of the pseudonyms, {path}, cannot be used ({error.strerror})") from None
    if len(key) < 32:
        raise ReportError(f"the key of the pseudonyms, {path}, is damaged: restore it, or remove it for new pseudonyms")
    return key


# What graded notebooks say


def measurements(text: str) -> Iterator[Measurement]:
    """The measurements among the lines of a cell's output; what is not well formed is passed over."""
    lines = (line for line in text.splitlines() if line.startswith(FIGURES_PREFIX))
    for line, _ in zip(lines, range(MAX_LINES), strict=False):
        try:
            found = json.loads(line.removeprefix(FIGURES_PREFIX))
            numbers = {name: float(found[name]) for name in ("value", "low", "high")}
            reference = None if found.get("reference") is None else float(found["reference"])
            label = _short(found["label"])
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
            continue
        finite = all(math.isfinite(each) for each in (*numbers.values(), reference or 0.0))
        if not (label and finite and numbers["low"] <= numbers["value"] <= numbers["high"]):
            continue
        unit, held_against = _short(found.get("unit", "")), _short(found.get("reference_label", ""))
        yield Measurement(label, **numbers, unit=unit, reference=reference, reference_label=held_against or "reference")


def _short(text: Any) -> str:
    return " ".join(str(text).split())[:MAX_LABEL]


def _read_graded(classroom: Classroom, work: Work) -> _Graded:
    course = classroom.course
    folder = Path(course.format_path(course.autograded_directory, work.student, work.step.name))
    if not folder.is_absolute():
        folder = classroom.root / folder
    measured: list[Measurement] = []
    endings: set[str] = set()
    readable = True
    for name in dict.fromkeys(exercise.notebook for exercise in work.step.exercises):
        try:
            cells = _cells(folder / f"{name}.ipynb")
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            readable = False
            continue
        for cell, outputs in cells:
            endings |= {str(output.get("ename")) for output in outputs} & ENDINGS
            if cell.get("grade") and not cell.get("solution"):
                measured += measurements("".join(_stdout(outputs)))
    return _Graded(readable, tuple(measured), tuple(sorted(endings)))


def _cells(path: Path) -> list[tuple[Any, list[Any]]]:
    """nbgrader's label and the outputs of each cell; a file that is no notebook raises what it likes."""
    notebook = reader.reads(path.read_text(encoding="utf-8"))
    return [(cell.metadata.get("nbgrader", {}), cell.get("outputs", [])) for cell in notebook.cells]


def _stdout(outputs: Iterable[Any]) -> Iterator[str]:
    for output in outputs:
        if output.get("output_type") == "stream" and output.get("name") == "stdout":
            yield output.text if isinstance(output.text, str) else "".join(output.text)


# Statistics


def item_statistics(points: pd.DataFrame, maxima: Sequence[float]) -> pd.DataFrame:
    """Difficulty and discrimination of the exercises of one test.

    Args:
        points: float (students, exercises), in points; NaN where there is no mark.
        maxima: points that each exercise gives.

    Returns:
        By exercise: `difficulty`, the mean share of its points, in 0..1 without extra credit (so easy is high);
        `discrimination`, its corrected item-total correlation (Pearson's, with the sum of the *other* exercises;
        Nunnally and Bernstein 1994), in -1..1; `students`, with a mark. An exercise without a mark, or one that gives
        no points, has NaN; so has a discrimination where all have the same score. For the correlations, exercises that
        wait for half of the students or more are left out, and then students who lack a mark.
    """
    marked = points.loc[:, points.notna().mean() > 0.5].dropna(axis="index")
    rows = {}
    for name, maximum in zip(points.columns, maxima, strict=True):
        own = points[name].dropna()
        difficulty = own.mean() / maximum if len(own) and maximum else math.nan
        rows[name] = (difficulty, _discrimination(marked, name), len(own))
    return pd.DataFrame.from_dict(rows, orient="index", columns=["difficulty", "discrimination", "students"])


def _discrimination(marked: pd.DataFrame, name: Any) -> float:
    if name not in marked or len(marked) < 3:
        return math.nan
    own, rest = marked[name], marked.drop(columns=name).sum(axis="columns").round(9)
    if own.nunique() < 2 or rest.nunique() < 2:
        return math.nan
    return float(own.corr(rest))


def _points(works: Sequence[Work], step: Step) -> pd.DataFrame:
    rows = [[math.nan if mark.waits or mark.score is None else mark.score for mark in work.marks] for work in works]
    return pd.DataFrame(rows, columns=range(len(step.exercises)), dtype=float)


# The page


def _page(
    book: Book,
    graded: Callable[[Work], _Graded],
    shown: dict[str, str] | None,
    undecided: Sequence[str],
    course: str,
) -> str:
    names = shown or {person.id: person.id for person in book.people}
    people = sorted(book.people, key=lambda person: names[person.id])
    said = {key: graded(work) for key, work in book.works.items() if work.marks}
    drawn = charts.Sheet()
    figures = [
        *_distributions(book, drawn),
        *_exercises(book, drawn),
        *_intervals(book, said, names, drawn),
    ]
    works = [book.works[person.id, step.name] for step in book.steps for person in people]
    flags = [flag for work in works for flag in _flags(work, said, names, undecided, shown is not None)]
    table = [(names[each.id], [_cell(book.works[each.id, step.name]) for step in book.steps]) for each in people]
    environment = Environment(autoescape=True, loader=PackageLoader("gradebox"), undefined=StrictUndefined)
    environment.trim_blocks = environment.lstrip_blocks = True
    return environment.get_template("report.html.j2").render(
        course=course or "course",
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        steps=book.steps,
        counts=_counts(works, said),
        sections=figures,
        flags=sorted(flags, key=lambda flag: (ORDER.index(flag.kind), flag.step)),
        waiting=_waiting(book, names),
        times=_times(book),
        table=table,
        pseudonyms=shown is not None,
        unread=_unread(book, said),
    )


ORDER = ("grader failed", "too close to call", "ended early", "late", "flagged by a person", "look again")


def _counts(works: Sequence[Work], said: dict[tuple[str, str], _Graded]) -> list[tuple[int, str]]:
    failed = sum(work.grader_failed for work in works)
    counted = [
        (sum(work.is_marked for work in works), "graded"),
        (sum(work.status == "needs a person" and not work.grader_failed for work in works), "need a person"),
        (failed, "grader failed"),
        (sum(work.status == "not graded yet" for work in works), "not graded yet"),
        (sum(work.status == "not submitted" for work in works), "not submitted"),
    ]
    return [each for each in counted if each[0] or each[1] == "graded"]


@dataclass(frozen=True)
class _Figure:
    heading: str
    svg: Markup | None
    caption: str


@dataclass(frozen=True)
class _Section:
    title: str
    text: str
    figures: list[_Figure]


def _distributions(book: Book, drawn: charts.Sheet) -> Iterator[_Section]:
    figures = []
    for step in book.steps:
        works = [work for work in book.of_step(step) if work.marks]
        marked = [work for work in works if work.is_marked]
        if not works:
            figures.append(_Figure(step.name, None, "No submission has been graded."))
            continue
        if not marked or not step.maximum:
            why = "No submission has all its marks yet." if step.maximum else "This step gives no points."
            figures.append(_Figure(step.name, None, why))
            continue
        shares = [work.score / step.maximum for work in marked]
        median = statistics.median(shares)
        scores = [work.score for work in marked]
        caption = (
            f"{_many(len(marked), 'student')}; median {_number(median * step.maximum)} of "
            f"{_number(step.maximum)} points, from {_number(min(scores))} to {_number(max(scores))}."
        )
        if len(works) > len(marked):
            caption += f" {_many(len(works) - len(marked), 'submission')} without all marks not shown."
        title = f"Scores of {step.name}"
        figures.append(_Figure(step.name, drawn.histogram(shares, median, title, caption), caption))
    yield _Section(
        "Scores",
        "How many students earned which share of a step’s points, penalties included. The triangle marks the median.",
        figures,
    )


def _exercises(book: Book, drawn: charts.Sheet) -> Iterator[_Section]:
    figures = []
    for step in book.steps:
        works = [work for work in book.of_step(step) if work.marks]
        if not works or not step.exercises:
            figures.append(_Figure(step.name, None, "No submission has been graded." if not works else "No exercises."))
            continue
        items = item_statistics(_points(works, step), [exercise.maximum for exercise in step.exercises])
        labels = _exercise_names(step)
        if not items["students"].any():
            figures.append(_Figure(step.name, None, "No exercise has a mark yet."))
            continue
        shares = [
            (share, label) for label, share in zip(labels, items["difficulty"], strict=True) if not math.isnan(share)
        ]
        worth = list(zip(labels, items["discrimination"], strict=True))
        caption = f"Fewest points: {min(shares)[1]}, {min(shares)[0]:.0%} on average." if shares else ""
        if weak := [label for label, value in worth if value < 0]:
            caption += f" Below zero, so the stronger students did worse: {', '.join(weak)}."
        flat = [label for label, value in worth if math.isnan(value)]
        if len(flat) == len(labels):
            caption += " No discrimination: fewer than three students, or all with the same score."
        elif flat:
            caption += f" No discrimination (no marks, or all the same): {', '.join(flat)}."
        students = int(items["students"].max())
        if students < FEW and len(flat) < len(labels):
            caption += f" With {_many(students, 'student')} a discrimination is a hint, not a finding."
        figures.append(
            _Figure(
                step.name,
                drawn.items(labels, items["difficulty"], items["discrimination"], f"Exercises of {step.name}", caption),
                caption.strip(),
            )
        )
    yield _Section(
        "Exercises",
        "Left: the mean share of an exercise’s points, low where it was hard. Right: discrimination, the correlation "
        "of its points with those of the step’s other exercises, high where it tells strong from weak work.",
        figures,
    )


def _exercise_names(step: Step) -> list[str]:
    several = len({exercise.notebook for exercise in step.exercises}) > 1
    names = [f"{each.notebook}: {each.name}" if several else each.name for each in step.exercises]
    short = [name.removesuffix("_test") for name in names]
    return short if len(set(short)) == len(names) else names


def _intervals(
    book: Book, said: dict[tuple[str, str], _Graded], names: dict[str, str], drawn: charts.Sheet
) -> Iterator[_Section]:
    figures = []
    for step in book.steps:
        found: dict[str, list[tuple[str, Measurement]]] = {}
        for person in book.people:
            for each in said[person.id, step.name].measured if (person.id, step.name) in said else ():
                found.setdefault(each.label, []).append((names[person.id], each))
        for label, rows in found.items():
            rows.sort(key=lambda row: (row[1].value, row[0]))
            judged = [each.is_above for _, each in rows if each.reference is not None]
            caption = f"{_many(len(rows), 'student')}."
            if judged:
                caption = (
                    f"Of {_many(len(rows), 'student')}, {judged.count(True)} are above the "
                    f"{rows[0][1].reference_label}, {judged.count(False)} below, "
                    f"and {judged.count(None)} too close to call."
                )
            title = f"{label[:1].upper()}{label[1:]}, {step.name}"
            figures.append(_Figure(title, drawn.intervals(rows, title, caption), caption))
    if figures:
        yield _Section(
            "Measured by the tests",
            "Each student’s value with its interval, as the graded cells printed them. Filled: the whole interval is "
            "above the dashed line. Open: the line is in it. Cross: the interval is below.",
            figures,
        )


def _flags(
    work: Work,
    said: dict[tuple[str, str], _Graded],
    names: dict[str, str],
    undecided: Sequence[str],
    hides_texts: bool,
) -> Iterator[_Flag]:
    graded = said.get((work.student, work.step.name))
    flag = partial(_Flag, student=names[work.student], step=work.step.name)
    if work.grader_failed:
        hidden = "the reason is in the report with names" if hides_texts else work.reason or "no reason noted"
        yield flag("grader failed", says=hidden)
    elif work.waiting:
        waiting = [exercise.name for exercise in work.waiting]
        for text in work.comments:
            if any(text.startswith(f"{name}: ") or text.startswith(f"{name}.") for name in undecided):
                cells = [name for name in waiting if f"`{name}`" in text]
                if cells:
                    says = ", ".join(cells) if hides_texts else text.split(": ", 1)[-1].replace("`", "")
                    yield flag("too close to call", says=says)
    endings = tuple(work.reason.split(", ")) if work.grader == "graded" and work.reason else ()
    endings = endings or (graded.endings if graded else ())
    if endings:
        yield flag("ended early", says="; ".join(f"{name}: {_meaning(name)}" for name in endings))
    if work.late:
        penalty = sum(work.penalties.values())
        lost = f"; {_number(penalty)} {'point' if penalty == 1 else 'points'} taken off" if penalty else "; no penalty"
        yield flag("late", says=_lateness(work.late) + lost)
    if work.flagged:
        yield flag("flagged by a person", says=", ".join(work.flagged))
    again = [mark.exercise.name for mark in work.marks if mark.waits and mark.manual is not None]
    if again:
        yield flag("look again", says=f"graded again after a grade by hand: {', '.join(again)}")


def _meaning(name: str) -> str:
    if name not in ENDINGS:
        return "an ending that this version does not know"
    sentence = " ".join((getattr(errors, name).__doc__ or "").split()).rstrip(".")
    return sentence[:1].lower() + sentence[1:]


def _lateness(late: timedelta) -> str:
    hours, minutes = divmod(int(late.total_seconds()) // 60, 60)
    days, hours = divmod(hours, 24)
    parts = [_many(days, "day") if days else "", f"{hours} h" if hours else "", f"{minutes} min" if not days else ""]
    return "by " + " ".join(part for part in parts if part)


def _waiting(book: Book, names: dict[str, str]) -> list[tuple[str, str, int, int, str]]:
    """Step, exercise, how many wait, of how many, and who: one row per exercise, not one per student."""
    rows = []
    for step in book.steps:
        works = [work for work in book.of_step(step) if work.marks and not work.grader_failed]
        for exercise in step.exercises:
            who = [names[work.student] for work in works if exercise in work.waiting]
            if who:
                rows.append((step.name, exercise.name, len(who), len(works), ", ".join(sorted(who))))
    return rows


def _times(book: Book) -> list[tuple[str, int, str, str, str]]:
    rows = []
    for step in book.steps:
        seconds = [work.seconds for work in book.of_step(step) if work.seconds is not None]
        if seconds:
            each, longest, total = statistics.median(seconds), max(seconds), sum(seconds)
            rows.append((step.name, len(seconds), _duration(each), _duration(longest), _duration(total)))
    return rows


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    if seconds < 600:
        return f"{int(seconds) // 60} min {int(seconds) % 60} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


@dataclass(frozen=True)
class _Cell:
    text: str
    note: str
    state: str


def _cell(work: Work) -> _Cell:
    if work.grader_failed:
        return _Cell("–", "grader failed", "failed")
    if work.is_marked:
        return _Cell(_number(work.score), "", "graded")
    if work.status == "needs a person":
        return _Cell(_number(work.score), f"+ {len(work.waiting)} waiting", "waits")
    return _Cell("–", work.status, "missing")


def _unread(book: Book, said: dict[tuple[str, str], _Graded]) -> list[str]:
    """Steps with graded work whose autograded notebooks are not there, in words."""
    lines = []
    for step in book.steps:
        works = [work for work in book.of_step(step) if work.marks and not work.grader_failed]
        missing = sum(not said[work.student, step.name].readable for work in works)
        if missing:
            lines.append(f"{step.name}: the autograded notebooks of {missing} of {_many(len(works), 'student')}")
    return lines


def _many(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _number(value: float) -> str:
    return re.sub(r"\.0+$", "", f"{value:.1f}") if abs(value - round(value, 1)) < 1e-9 else f"{value:.2f}"
