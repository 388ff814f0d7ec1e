"""A test that cannot decide: no zero and no mark, but nbgrader's flag and a comment with the figures."""

import csv
import html
import re
from collections.abc import Callable
from dataclasses import dataclass

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_output
from nbgrader.api import Gradebook

from gradebox.marks import SaveGrades, sentence, undecided, undecided_cells

from .conftest import Course, GradedClass, error_names, exam, label, labelled
from .split_support import FULL_MARKS, HONEST, NO_MARKS, READ, SPLIT_CONFIG, hand_in, make_course, source_notebook

NAME = "TooCloseToCall"
FIGURES = "mean gain +0.4 points over 3 runs, -0.7 < gain < +1.5"
HIDDEN = f"""class {NAME}(Exception):
    pass
off_by = work["value"] - 2 * probe
if off_by == 1:
    raise {NAME}("{FIGURES}.")
assert off_by == 0, "your double is off" """
CLOSE = {**HONEST, "double": "def double(x):\n    return 2 * x + 1"}
WRONG = {"double": "def double(x):\n    return 2 * x + 5", "triple": "def triple(x):\n    return -1"}
FAKE = f"""class {NAME}(Exception):
    pass
def fake(*arguments, **named):
    raise {NAME}("give me to a person")
"""
UNDECIDED = {"test_double": None, "test_triple": 1.0}


@dataclass(frozen=True)
class State:
    """What the gradebook says of the undecided cell."""

    auto_score: float | None
    manual_score: float | None
    score: float
    flagged: bool
    comment: str | None


def state(course: Course, student: str) -> State:
    with Gradebook(f"sqlite:///{course.root / 'gradebook.db'}") as gradebook:
        grade = gradebook.find_grade("test_double", "sums", "sums", student)
        comment = gradebook.find_comment("double", "sums", "sums", student).comment
        return State(grade.auto_score, grade.manual_score, grade.score, grade.needs_manual_grade, comment)


def others(course: Course, student: str) -> tuple[bool, str | None]:
    """Flag and comment of the exercise beside the undecided one."""
    with Gradebook(f"sqlite:///{course.root / 'gradebook.db'}") as gradebook:
        grade = gradebook.find_grade("test_triple", "sums", "sums", student)
        return grade.needs_manual_grade, gradebook.find_comment("triple", "sums", "sums", student).comment


def grade_by_hand(course: Course, student: str, points: float) -> None:
    """As the formgrader's page does it."""
    with Gradebook(f"sqlite:///{course.root / 'gradebook.db'}") as gradebook:
        grade = gradebook.find_grade("test_double", "sums", "sums", student)
        grade.manual_score, grade.needs_manual_grade = points, False
        gradebook.db.commit()


def run(course: Course, *arguments: str) -> None:
    done = course.nbgrader(*arguments)
    assert done.returncode == 0, done.stderr


def pretending(notebook: nbformat.NotebookNode) -> None:
    """Raise the error wherever a student can: in answers, in cells of their own, in place of the tests."""
    notebook.cells.insert(0, new_code_cell(f"{FAKE}import builtins\nbuiltins.{NAME} = {NAME}\nfake()"))
    forged = new_output("error", ename=NAME, evalue="forged", traceback=[])
    for name in FULL_MARKS:
        labelled(notebook, name).update(source=f"{FAKE}fake()", outputs=[forged])
    labelled(notebook, "double").source += "\nfake()"
    notebook.cells.append(new_code_cell(f"Path('handin/double.json').write_text('{NAME}')\n{FAKE}fake()"))


def poisoning(notebook: nbformat.NotebookNode) -> None:
    """Let the test itself raise it, where it runs in the student's kernel."""
    labelled(notebook, "double").source += f"\n{FAKE}Path.read_bytes = fake"


def course_of(tmp_path_factory: pytest.TempPathFactory, name: str, config: str = SPLIT_CONFIG) -> Course:
    notebook = source_notebook()
    labelled(notebook, "test_double").source = READ.format(name="double", hidden=HIDDEN)
    return make_course(tmp_path_factory.mktemp(name), config, notebook)


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> GradedClass:
    course = course_of(tmp_path_factory, "marks")
    for student in ("close", "deciding", "by_hand", "decided_by_hand"):
        hand_in(course, student, CLOSE)
    hand_in(course, "careful", HONEST)
    hand_in(course, "hurried", WRONG)
    hand_in(course, "pretending", WRONG, pretending)
    done = course.nbgrader("autograde", "sums")
    assert done.returncode == 0, done.stderr
    return GradedClass(course, done.returncode, done.stderr)


@pytest.mark.slow
def test_an_undecided_cell_has_no_mark_and_waits_for_a_person(graded):
    assert graded.course.marks("close") == UNDECIDED
    assert state(graded.course, "close").flagged


@pytest.mark.slow
def test_the_comment_holds_the_figures_and_says_that_a_person_decides(graded):
    comment = state(graded.course, "close").comment
    assert comment == sentence(f"{NAME}: `{FIGURES}`", "test_double")
    assert comment == f"{NAME}: `{FIGURES}`. There is no automatic mark for `test_double`: a person decides."


@pytest.mark.slow
def test_the_log_names_student_step_and_cell(graded):
    lines = [line for line in graded.log.splitlines() if "close, sums/sums, test_double" in line]
    assert any(NAME in line and FIGURES in line and "by hand" in line for line in lines)


@pytest.mark.slow
def test_the_exercise_beside_it_is_marked_as_ever(graded):
    assert others(graded.course, "close") == (False, None)


@pytest.mark.slow
@pytest.mark.parametrize(("student", "marks"), [("careful", FULL_MARKS), ("hurried", NO_MARKS)])
def test_decided_work_has_its_mark_and_neither_flag_nor_comment(graded, student, marks):
    assert graded.course.marks(student) == marks
    assert (state(graded.course, student).flagged, state(graded.course, student).comment) == (False, None)
    assert others(graded.course, student) == (False, None)


@pytest.mark.slow
def test_no_error_of_a_students_counts_where_tests_have_a_kernel_of_their_own(graded):
    cells = [cell for cell in graded.course.graded("pretending").cells if cell.cell_type == "code"]
    assert [NAME in error_names(cell) for cell in cells].count(True) >= 3  # a student can raise it
    assert graded.course.marks("pretending") == NO_MARKS
    assert not state(graded.course, "pretending").flagged
    assert NAME not in str(state(graded.course, "pretending").comment)


@pytest.mark.slow
def test_the_feedback_page_shows_the_figures_in_the_comment_as_they_are(graded):
    run(graded.course, "generate_feedback", "sums", "--student=close")
    page = (graded.course.root / "feedback" / "close" / "sums" / "sums.html").read_text()
    comment = page.split("<b>Comment:</b>")[1].split("</div>")[0]
    shown = html.unescape(re.sub(r"<[^>]+>", "", comment))
    assert f"{NAME}: {FIGURES}. There is no automatic mark for test_double: a person decides." in shown


@pytest.mark.slow
def test_the_export_counts_what_is_decided(graded):
    run(graded.course, "export", "--to=grades.csv")
    with (graded.course.root / "grades.csv").open() as rows:
        scores = {row["student_id"]: float(row["score"]) for row in csv.DictReader(rows)}
    assert (scores["close"], scores["careful"], scores["hurried"]) == (1.0, 3.0, 0.0)


@pytest.mark.slow
def test_a_run_that_decides_gives_the_mark_and_removes_flag_and_comment(graded):
    course = graded.course
    assert state(course, "deciding").flagged
    hand_in(course, "deciding", HONEST)
    run(course, "autograde", "sums", "--student=deciding", "--force")
    assert state(course, "deciding") == State(2.0, None, 2.0, False, None)


@pytest.mark.slow
def test_a_grade_by_hand_survives_a_run_that_cannot_decide(graded):
    course = graded.course
    grade_by_hand(course, "by_hand", 1.5)
    run(course, "autograde", "sums", "--student=by_hand", "--force")
    now = state(course, "by_hand")
    assert (now.auto_score, now.manual_score, now.score) == (None, 1.5, 1.5)
    assert now.flagged  # as nbgrader flags every grade by hand after a run
    assert FIGURES in str(now.comment)


@pytest.mark.slow
def test_a_grade_by_hand_survives_a_run_that_decides(graded):
    course = graded.course
    grade_by_hand(course, "decided_by_hand", 1.5)
    hand_in(course, "decided_by_hand", HONEST)
    run(course, "autograde", "sums", "--student=decided_by_hand", "--force")
    now = state(course, "decided_by_hand")
    assert (now.auto_score, now.manual_score, now.score, now.comment) == (2.0, 1.5, 1.5, None)


@pytest.mark.slow
def test_in_one_kernel_a_students_error_asks_for_a_person_and_gains_nothing(tmp_path_factory):
    config = SPLIT_CONFIG.replace('trusted_kernel_name = "python3"', 'trusted_kernel_name = ""')
    course = course_of(tmp_path_factory, "one_kernel", config)
    hand_in(course, "poisoning", WRONG, poisoning)
    run(course, "autograde", "sums")
    now = state(course, "poisoning")
    assert (now.auto_score, now.score, now.flagged) == (None, 0.0, True)


def failed(ename: str, evalue: str = "figures", **flags: bool) -> nbformat.NotebookNode:
    cell = exam("test", 1, "pass")
    cell.metadata["nbgrader"].update(flags)
    cell.outputs = [new_output("error", ename=ename, evalue=evalue, traceback=[])]
    return cell


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (failed(NAME), f"{NAME}: `figures`"),
        (failed(NAME, ""), NAME),
        (failed(NAME, "a `b`\n  c."), f"{NAME}: `a 'b' c`"),
        (failed("AssertionError", NAME), None),
        (failed(NAME, grade=False), None),
        (failed(NAME, solution=True), None),
    ],
)
def test_only_an_error_of_that_name_on_a_tested_cell_is_undecided(cell, said):
    assert undecided(cell, [NAME]) == said


def answer(name: str) -> nbformat.NotebookNode:
    return label(new_code_cell(name), name, solution=True)


def named(name: str, ename: str = NAME) -> nbformat.NotebookNode:
    return label(failed(ename), name, grade=True, locked=True, points=1)


Cells = Callable[[], list[nbformat.NotebookNode]]


@pytest.mark.parametrize(
    ("cells", "commented"),
    [
        (lambda: [answer("a"), answer("b"), named("t"), answer("c")], {"b": ["t"]}),
        (lambda: [answer("a"), named("t"), named("u")], {"a": ["t", "u"]}),
        (lambda: [answer("a"), named("t"), answer("b"), named("u", "ValueError")], {"a": ["t"]}),
        (lambda: [named("t"), answer("a"), answer("b")], {"a": ["t"]}),
        (lambda: [named("t")], {}),
    ],
)
def test_the_comment_stands_at_the_nearest_solution_before(cells: Cells, commented: dict[str, list[str]]):
    comments = SaveGrades().comments(cells())
    assert {name: re.findall(r"mark for `(\w+)`", text) for name, text in comments.items()} == commented


def test_undecided_cells_are_read_back_from_the_comment_that_names_them():
    cells = [answer("a"), named("t"), named("test"), named("u", "ValueError"), named("v", "OutOfReach")]
    cells[2].outputs[0].evalue = "There is no automatic mark for `u`: a person decides."
    grades = SaveGrades(manual_errors=[NAME, "OutOfReach"])
    [comment] = grades.comments(cells).values()
    assert undecided_cells(comment, grades.manual_errors, ["u", "v", "test", "t"]) == ["v", "test", "t"]
    assert undecided_cells(comment, [NAME], ["t", "v"]) == ["t"]


@pytest.mark.parametrize(
    "text", ["", f"{NAME} is for `t`", f"no {sentence(NAME, 't')}", f"{sentence(NAME, 't')} Or not."]
)
def test_what_a_person_wrote_names_no_undecided_cell(text):
    assert undecided_cells(text, [NAME], ["t"]) == []
