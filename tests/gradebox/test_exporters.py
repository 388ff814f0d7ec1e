"""Marks leave in the columns that other systems read, a missing mark is no zero, and no name is a formula."""

from __future__ import annotations

import csv
import logging
from pathlib import Path

import pytest
from nbgrader.plugins.export import CsvExportPlugin
from traitlets.config import Config

from gradebox.exporters import CanvasExporter, ExerciseExporter, MoodleExporter, harmless
from gradebox.marks import sentence

from .book_support import CLOSE, Hand, TinyCourse

NAMES = {
    "careful": {"first_name": 'Ann, called "A"', "last_name": "O'Neill", "lms_user_id": "4711"},
    "=cmd|'/c calc'!A1": {"first_name": "@SUM(1)", "last_name": "+1", "lms_user_id": "12a"},
    "ünï ☃": {"first_name": "two\nlines", "last_name": ""},
}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> TinyCourse:
    course = TinyCourse(tmp_path_factory.mktemp("exports"))
    for student, names in NAMES.items():
        course.enrol(student, **names)
        course.add(student, "sums", Hand([2, 0.5, None], manual={"explain": 2.25}, extra={"explain": 0.5}, penalty=1))
    course.add("careful", "recipes", Hand([4, 3]))
    course.add("close", "recipes", Hand([4, None], comment=sentence(CLOSE, "gain_test")))
    course.add("unlucky", "recipes", Hand([None, None], status="grader failed", reason="the worker died"))
    course.add("unread", "sums", Hand([2, 1, None]))
    course.add("regraded", "sums", Hand([2, 1, None], manual={"explain": 3}, look_again=["explain"]))
    course.add("hopeless", "sums", Hand([0, 0, None], manual={"explain": 0}, penalty=5, hours_late=30))
    course.enrol("absent")
    return course


@pytest.fixture
def export(course, tmp_path):
    def run(kind: type, **settings: object) -> list[list[str]]:
        to = tmp_path / "out.csv"
        plugin = kind(config=Config({kind.__name__: settings}), to=str(to))
        with course.gradebook() as gradebook:
            plugin.export(gradebook)
        with to.open(encoding="utf-8", newline="") as file:
            return list(csv.reader(file))

    return run


def columns(rows: list[list[str]], key: str) -> dict[str, dict[str, str]]:
    return {row[rows[0].index(key)]: dict(zip(rows[0], row, strict=True)) for row in rows[1:]}


def test_canvas_reads_its_own_head_and_points_possible(export):
    head, points, *students = export(CanvasExporter)
    assert head == ["Student", "ID", "SIS Login ID", "Section", "recipes", "sums"]
    assert points[0].strip() == "Points Possible"
    assert points[4:] == ["8", "6"]
    assert len(students) == 9


@pytest.mark.parametrize(("kind", "key"), [(CanvasExporter, "SIS Login ID"), (MoodleExporter, "ID number")])
@pytest.mark.parametrize(
    ("student", "recipes", "sums"),
    [
        ("careful", "7", "4.25"),
        ("close", "", ""),
        ("unlucky", "", ""),
        ("unread", "", ""),
        ("regraded", "", ""),
        ("hopeless", "", "0"),
        ("absent", "", ""),
    ],
)
def test_only_a_final_mark_is_a_number(export, kind, key, student, recipes, sums):
    row = columns(export(kind), key)[student]
    assert (row["recipes"], row["sums"]) == (recipes, sums)


def test_where_all_is_marked_the_scores_are_those_of_nbgraders_export(export, course, tmp_path):
    plugin = CsvExportPlugin(to=str(tmp_path / "theirs.csv"), student=["careful", "hopeless"], assignment=["sums"])
    with course.gradebook() as gradebook:
        gradebook.find_student("careful").first_name = "Ann"  # nbgrader's own file has no quotes around a comma
        plugin.export(gradebook)
    with (tmp_path / "theirs.csv").open() as file:
        theirs = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    ours = columns(export(CanvasExporter), "SIS Login ID")
    assert theirs == {name: float(ours[name]["sums"]) for name in theirs}


def test_one_warning_names_the_work_without_a_mark(export, caplog):
    with caplog.at_level(logging.WARNING):
        export(MoodleExporter)
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert "unlucky, recipes (the grader failed)" in warnings[0]
    for each in ("close, recipes", "unread, sums", "regraded, sums"):
        assert f"{each} (needs a person)" in warnings[0]
    assert "absent" not in warnings[0]
    assert "careful" not in warnings[0]


@pytest.mark.parametrize("kind", [CanvasExporter, MoodleExporter, ExerciseExporter])
def test_no_cell_is_a_formula_and_every_name_comes_through(export, kind):
    rows = export(kind)
    cells = [cell for row in rows for cell in row]
    assert not [cell for cell in cells if cell.startswith(tuple("=+-@\t\r\n＝＋－＠"))]
    plain = {cell.removeprefix("'") for cell in cells}
    assert set(NAMES) <= plain
    assert all(any(NAMES[who]["first_name"] in cell for cell in cells) for who in ("careful", "ünï ☃"))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝"])
def test_text_that_starts_a_formula_is_quoted_and_numbers_are_not(start):
    assert harmless(f"{start}1") == f"'{start}1"
    assert harmless(-1.5) == "-1.5"


def test_canvas_gets_its_own_number_only_where_it_is_one(export):
    rows = columns(export(CanvasExporter), "SIS Login ID")
    assert rows["careful"]["ID"] == "4711"
    assert rows["'=cmd|'/c calc'!A1"]["ID"] == ""


def test_a_step_goes_under_its_title_elsewhere_and_absence_may_be_a_zero(export):
    settings = {"columns": {"sums": "Sums (815)"}, "not_submitted": "0"}
    rows = columns(export(CanvasExporter, **settings), "SIS Login ID")
    assert rows["careful"]["Sums (815)"] == "4.25"
    assert rows["absent"]["Sums (815)"] == "0"
    assert rows["unread"]["Sums (815)"] == ""


def test_moodle_has_a_column_of_addresses_only_if_it_identifies_every_row(tmp_path, export):
    assert "Email address" not in export(MoodleExporter)[0]
    course = TinyCourse(tmp_path / "all")
    course.enrol("careful", email="careful@school.example")
    with course.gradebook() as gradebook:
        MoodleExporter(to=str(tmp_path / "all.csv")).export(gradebook)
    assert "careful@school.example" in (tmp_path / "all.csv").read_text()


def test_the_exercise_table_has_every_student_step_and_exercise_once(export, course):
    rows = [dict(zip(ExerciseExporter.head, row, strict=True)) for row in export(ExerciseExporter)[1:]]
    keys = [(row["student"], row["step"], row["exercise"]) for row in rows]
    assert len(keys) == len(set(keys)) == 9 * 5
    found = dict(zip(keys, rows, strict=True))
    explained = found["careful", "sums", "explain"]
    assert [explained[name] for name in ("automatic", "manual", "extra_credit", "score", "max_score")] == [
        *("", "2.25", "0.5", "2.75", "3")
    ]
    assert explained["late_penalty"] == "1"
    assert found["close", "recipes", "gain_test"]["status"] == "needs a person"
    assert found["close", "recipes", "shift_test"]["status"] == "graded"
    assert found["absent", "sums", "explain"]["status"] == "not submitted"
    assert found["unlucky", "recipes", "gain_test"]["flags"] == "grader failed"
    assert found["regraded", "sums", "explain"]["flags"] == "look again"
    assert found["hopeless", "sums", "explain"]["flags"] == "late"


@pytest.mark.slow
def test_nbgraders_command_finds_the_exporter_and_what_lies_ungraded(course):
    from .conftest import Course

    (course.root / "submitted" / "absent" / "sums").mkdir(parents=True)
    options = ("--exporter=gradebox.exporters.CanvasExporter", "--CanvasExporter.not_submitted=0", "--to=out.csv")
    done = Course(course.root).nbgrader("export", *options)
    assert done.returncode == 0, done.stderr
    assert "absent, sums (not graded yet)" in done.stderr
    with (course.root / "out.csv").open(encoding="utf-8", newline="") as file:
        row = columns(list(csv.reader(file)), "SIS Login ID")["absent"]
    assert (row["recipes"], row["sums"]) == ("0", "")


def test_only_what_is_asked_for_is_exported_and_a_typing_error_is_named(course, tmp_path, caplog):
    to = tmp_path / "some.csv"
    plugin = CanvasExporter(to=str(to), assignment=["sums", "smus"], student=["careful"])
    with caplog.at_level(logging.WARNING), course.gradebook() as gradebook:
        plugin.export(gradebook)
    assert len(to.read_text().splitlines()) == 3
    assert "smus" in caplog.text


def test_a_file_that_cannot_be_written_ends_in_one_line(course, tmp_path):
    plugin = CanvasExporter(to=str(Path(tmp_path, "no such folder", "out.csv")))
    with course.gradebook() as gradebook, pytest.raises(SystemExit, match="cannot be written"):
        plugin.export(gradebook)
