"""A class on one page: a file with figures and tables, for the instructor.

Enters: a graded course. Leaves: one HTML file without scripts, and without anything to load from elsewhere.

What graded cells measured (`gradebox.figures`) is read from those that are no answers, below `autograded/`; with one
kernel for all cells a student can print such a line, too.
"""

import hashlib
import hmac
import math
import os
import re
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from gradebox import charts
from gradebox.classroom import Classroom, CourseError
from gradebox.errors import GradeboxError, meaning
from gradebox.figures import Measurement, Picture, Prediction, Said, read_graded
from gradebox.files import write_whole
from gradebox.marks import SaveGrades, undecided_cells
from gradebox.page import environment
from gradebox.plain import visible
from gradebox.records import Book, Step, Work, read

__all__ = ["ReportError", "item_statistics", "make"]

FEW = 30  # students: with fewer, a discrimination is a hint
BEST = 3  # students whose pictures are shown for a step
MOST_ANSWERS = 5  # different predictions of one question that are listed
MOST = 0.5  # a share of the students: an exercise with the marks of no more says too little of the class


class ReportError(GradeboxError):
    """The report cannot be written; the message says what to do."""


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
        write_whole(to, page, errors="backslashreplace")  # a folder's name may be no UTF-8
    except OSError as error:
        advice = "free some space, or name another file with --to"
        raise ReportError(f"{to} cannot be written ({error.strerror}), and is as it was: {advice}") from None
    return to


def _check_steps(steps: Sequence[str], known: Sequence[str]) -> None:
    for step in steps:
        if step not in known:
            raise CourseError(f"no such step: {step}; the gradebook knows {', '.join(known) or 'none'}")


# Names


def _pseudonyms(root: Path, students: Iterable[str]) -> dict[str, str]:
    """By student: `student 3f2a`. The digits are those of an HMAC, more of them where two students share four."""
    key = _key(root / ".gradebox" / "pseudonyms.key")
    digests = {
        name: hmac.new(key, name.encode(errors="surrogatepass"), hashlib.sha256).hexdigest() for name in students
    }
    starts = {name: [digest[:length] for length in range(4, len(digest) + 1)] for name, digest in digests.items()}
    having = Counter(start for each in starts.values() for start in each)
    return {name: f"student {next(start for start in each if having[start] == 1)}" for name, each in starts.items()}


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


def _read_graded(classroom: Classroom, work: Work) -> Said:
    course = classroom.course
    folder = Path(course.format_path(course.autograded_directory, work.student, work.step.name))
    names = dict.fromkeys(exercise.notebook for exercise in work.step.exercises)
    return read_graded(folder / f"{name}.ipynb" for name in names)


# Statistics


def item_statistics(points: pd.DataFrame, maxima: Sequence[float]) -> pd.DataFrame:
    """Difficulty and discrimination of the exercises of one test.

    Args:
        points: float (students, exercises), in points; NaN where there is no mark.
        maxima: points that each exercise gives.

    Returns:
        By exercise: `difficulty`, the mean share of its points, in 0..1 without extra credit (so easy is high);
        `discrimination`, its corrected item-total correlation (Pearson's, with the sum of the *other* exercises;
        Nunnally and Bernstein 1994), in -1..1; `students`, with a mark; `complete`, students that the correlations are
        of, the same for all exercises. An exercise without a mark, or one that gives no points, has NaN; so has a
        discrimination where all have the same score, or of fewer than three students. For the correlations, exercises
        that wait for half of the students or more are left out, and then students who lack a mark.
    """
    marked = points.loc[:, points.notna().mean() > MOST].dropna(axis="index")
    rest = (-marked.sub(marked.sum(axis="columns"), axis="index")).round(9)
    varied = (marked.nunique() > 1) & (rest.nunique() > 1) & (len(marked) > 2)
    return pd.DataFrame(
        {
            "difficulty": points.mean() / pd.Series(maxima, index=points.columns, dtype=float).replace(0, math.nan),
            "discrimination": marked.corrwith(rest).where(varied),
            "students": points.count(),
            "complete": len(marked),
        },
        index=points.columns,
    )


def _points(works: Sequence[Work], step: Step) -> pd.DataFrame:
    rows = [[math.nan if mark.waits or mark.score is None else mark.score for mark in work.marks] for work in works]
    return pd.DataFrame(rows, columns=range(len(step.exercises)), dtype=float)


# The page


def _page(
    book: Book,
    graded: Callable[[Work], Said],
    shown: dict[str, str] | None,
    undecided: Sequence[str],
    course: str,
) -> str:
    names = shown or {person.id: visible(person.id) for person in book.people}
    people = sorted(book.people, key=lambda person: names[person.id])
    said = {key: graded(work) for key, work in book.works.items() if work.marks}
    drawn = charts.Sheet()
    sections = [_distributions(book, drawn), _exercises(book, drawn), _intervals(book, said, names, drawn)]
    sections += [_predictions(book, said, 1 if shown is None else 2), _pictures(book, said, names)]
    works = [book.works[person.id, step.name] for step in book.steps for person in people]
    flags = [flag for work in works for flag in _flags(work, said, names, undecided, shown is not None)]
    table = [(names[each.id], [_cell(book.works[each.id, step.name]) for step in book.steps]) for each in people]
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            course=course or "course",
            made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
            steps=book.steps,
            counts=_counts(works),
            sections=sections,
            flags=sorted(flags, key=lambda flag: (ORDER.index(flag.kind), flag.step)),
            waiting=_waiting(book, names),
            times=_times(book),
            table=table,
            pseudonyms=shown is not None,
            unread=_unread(book, said),
        )
    )


ORDER = ("grader failed", "too close to call", "ended early", "late", "flagged by a person", "look again")


def _counts(works: Sequence[Work]) -> list[tuple[int, str]]:
    counted = [
        (sum(work.is_marked for work in works), "graded"),
        (sum(work.status == "needs a person" and not work.grader_failed for work in works), "need a person"),
        (sum(work.grader_failed for work in works), "grader failed"),
        (sum(work.status == "not graded yet" for work in works), "not graded yet"),
        (sum(work.status == "not submitted" for work in works), "not submitted"),
    ]
    return [each for each in counted if each[0] or each[1] == "graded"]


@dataclass(frozen=True)
class _Figure:
    heading: str
    svg: Markup | None
    caption: str
    picture: Picture | None = None


@dataclass(frozen=True)
class _Section:
    title: str
    text: str
    figures: list[_Figure]


def _distributions(book: Book, drawn: charts.Sheet) -> _Section:
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
    return _Section(
        "Scores",
        "How many students earned which share of a step’s points, penalties included. The triangle marks the median.",
        figures,
    )


def _exercises(book: Book, drawn: charts.Sheet) -> _Section:
    figures = []
    for step in book.steps:
        works = [work for work in book.of_step(step) if work.marks]
        if not works or not step.exercises:
            figures.append(_Figure(step.name, None, "No submission has been graded." if not works else "No exercises."))
            continue
        items = item_statistics(_points(works, step), [exercise.maximum for exercise in step.exercises])
        items.index = pd.Index(_exercise_names(step))
        items["difficulty"] = items["difficulty"].where(items["students"] > MOST * len(works))
        if not items["students"].any():
            figures.append(_Figure(step.name, None, "No exercise has a mark yet."))
            continue
        caption = _of_items(items, len(works))
        title = f"Exercises of {step.name}"
        svg = None
        if items["students"].max() > MOST * len(works):
            svg = drawn.items(list(items.index), items["difficulty"], items["discrimination"], title, caption)
        figures.append(_Figure(step.name, svg, caption))
    return _Section(
        "Exercises",
        "Left: the mean share of an exercise’s points, low where it was hard. Right: discrimination, the correlation "
        "of its points with those of the step’s other exercises, high where it tells strong from weak work.",
        figures,
    )


def _of_items(items: pd.DataFrame, students: int) -> str:
    """What the figure of a step's exercises shows, in words; `students` have a graded submission."""
    said = []
    shares = items["difficulty"].dropna()
    if len(shares):
        lowest = min(zip(shares, shares.index, strict=True))
        said.append(f"Fewest points: {lowest[1]}, {lowest[0]:.0%} on average.")
    few = items["students"][items["students"] <= MOST * students]
    if len(few):
        said.append(
            f"No bar yet: {', '.join(f'{name} ({count} of {students} marked)' for name, count in few.items())}."
        )
    worth = items["discrimination"]
    if weak := list(worth.index[worth < 0]):
        said.append(f"Below zero, so the stronger students did worse: {', '.join(weak)}.")
    flat = list(worth.index[worth.isna()])
    if len(items) == 1:
        said.append("No discrimination: there is no other exercise.")
    elif len(flat) == len(items):
        said.append("No discrimination: fewer than three students, or all with the same score.")
    elif flat:
        said.append(f"No discrimination (too few marks, or all the same): {', '.join(flat)}.")
    complete = int(items["complete"].max())
    if complete < FEW and len(flat) < len(items):
        said.append(f"With {_many(complete, 'student')} a discrimination is a hint, not a finding.")
    return " ".join(said)


def _exercise_names(step: Step) -> list[str]:
    several = len({exercise.notebook for exercise in step.exercises}) > 1
    names = [f"{each.notebook}: {each.name}" if several else each.name for each in step.exercises]
    short = [name.removesuffix("_test") for name in names]
    return short if len(set(short)) == len(names) else names


def _intervals(book: Book, said: dict[tuple[str, str], Said], names: dict[str, str], drawn: charts.Sheet) -> _Section:
    figures = []
    for step in book.steps:
        # What shares an axis and a dashed line shares a figure.
        found: dict[tuple[Any, ...], list[tuple[str, Measurement]]] = {}
        for person in book.people:
            for each in said[person.id, step.name].measured if (person.id, step.name) in said else ():
                found.setdefault(each.kind, []).append((names[person.id], each))
        for (label, _, reference, reference_label), rows in found.items():
            rows.sort(key=lambda row: (row[1].value, row[0]))
            caption = _many(len({name for name, _ in rows}), "student")
            if len({name for name, _ in rows}) < len(rows):
                caption = f"{_many(len(rows), 'measurement')} of {caption}"
            if reference is None:
                caption = f"{caption}."
            else:
                judged = [each.is_above for _, each in rows]
                caption = (
                    f"Of {caption}, {judged.count(True)} are above the {reference_label}, "
                    f"{judged.count(False)} below, and {judged.count(None)} too close to call."
                )
            title = f"{label[:1].upper()}{label[1:]}, {step.name}"
            figures.append(_Figure(title, drawn.intervals(rows, title, caption), caption))
    return _Section(
        "Measured by the tests",
        "Each student’s value with its interval, as the graded cells printed them. Filled: the whole interval is "
        "above the dashed line. Open: the line is in it. Cross: the interval is below.",
        figures,
    )


def _predictions(book: Book, said: dict[tuple[str, str], Said], least: int) -> _Section:
    """Counts of answers; one that fewer than `least` students gave may say who they are, and is among the others."""
    figures = []
    for step in book.steps:
        asked: dict[str, list[Prediction]] = {}
        for person in book.people:
            for each in said[person.id, step.name].predicted if (person.id, step.name) in said else ():
                asked.setdefault(each.question, []).append(each)
        for question, made in asked.items():
            given = Counter(each.answer for each in made).most_common(MOST_ANSWERS)
            counted = [(answer, count) for answer, count in given if count >= least]
            others = len(made) - sum(count for _, count in counted)
            told = [f"{answer} ({count})" for answer, count in counted] + ([f"others ({others})"] if others else [])
            measured = " or ".join(dict.fromkeys(each.measured for each in made))
            caption = f"Measured: {measured}. Predicted by {_many(len(made), 'student')}: {', '.join(told)}."
            figures.append(_Figure(f"{question[:1].upper()}{question[1:]}, {step.name}", None, caption))
    return _Section(
        "Predicted, then measured",
        "What students wrote down before the result was shown. A prediction earns nothing and costs nothing.",
        figures,
    )


def _pictures(book: Book, said: dict[tuple[str, str], Said], names: dict[str, str]) -> _Section:
    figures = []
    for step in book.steps:
        shown = [
            (max((each.value for each in spoken.measured), default=-math.inf), names[student], spoken)
            for (student, name), spoken in said.items()
            if name == step.name and spoken.pictures
        ]
        for _, name, spoken in sorted(shown, key=lambda each: (-each[0], each[1]))[:BEST]:
            measured = max(spoken.measured, key=lambda each: each.value, default=None)
            value = f": {measured.value:.3g} {measured.unit}".rstrip() if measured else ""
            picture = spoken.pictures[0]
            figures.append(_Figure(f"{charts.shown(name)}, {step.name}{value}", None, picture.alt, picture))
    return _Section(
        "Drawn by the tests",
        f"What tests drew of the work with the highest measured values, at most {BEST} for each step.",
        figures,
    )


def _flags(
    work: Work,
    said: dict[tuple[str, str], Said],
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
            if cells := undecided_cells(text, undecided, waiting):
                says = ", ".join(cells) if hides_texts else text.split(": ", 1)[-1].replace("`", "")
                yield flag("too close to call", says=says)
    endings = tuple(work.reason.split(", ")) if work.grader == "graded" and work.reason else ()
    endings = endings or (graded.endings if graded else ())
    if endings:
        yield flag("ended early", says="; ".join(f"{name}: {meaning(name)}" for name in endings))
    if work.late:
        penalty = sum(work.penalties.values())
        lost = f"; {_number(penalty)} {'point' if penalty == 1 else 'points'} taken off" if penalty else "; no penalty"
        yield flag("late", says=_lateness(work.late) + lost)
    if work.flagged:
        yield flag("flagged by a person", says=", ".join(work.flagged))
    again = [mark.exercise.name for mark in work.marks if mark.waits and mark.manual is not None]
    if again:
        yield flag("look again", says=f"graded again after a grade by hand: {', '.join(again)}")


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


def _unread(book: Book, said: dict[tuple[str, str], Said]) -> list[str]:
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
