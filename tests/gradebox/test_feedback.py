"""What students read of the hidden tests, and what they do not."""

import html
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from gradebox.feedback import MARKER, REDACTED, HideHiddenTests, cut, messages, redact

from .conftest import Course, exam, label
from .split_support import (
    HIDDEN_DOUBLE,
    HIDDEN_TRIPLE,
    HONEST,
    MESSAGE,
    READ,
    REFERENCE,
    SECRET,
    SPLIT_CONFIG,
    WRONG,
    hand_in,
    make_course,
)

BEGIN, END = "BEGIN HIDDEN TESTS", "END HIDDEN TESTS"
TEST = READ.format(name="double", hidden=HIDDEN_DOUBLE)
LEAKS = [line.strip() for line in f"{HIDDEN_DOUBLE}\n{HIDDEN_TRIPLE}".splitlines() if len(line.strip()) > 8]


def error(evalue: str, *traceback: str) -> nbformat.NotebookNode:
    return new_output("error", ename="AssertionError", evalue=evalue, traceback=list(traceback))


def test_a_hidden_region_is_cut_and_marked():
    shown, hidden = cut(TEST, BEGIN, END)
    assert shown.splitlines()[-1] == MARKER
    assert SECRET in hidden
    assert not any(line in shown for line in LEAKS)


def test_the_marker_keeps_the_indentation_so_that_the_cell_is_still_code():
    source = "if True:\n    ### BEGIN HIDDEN TESTS\n    x = 1\n    ### END HIDDEN TESTS\n    pass"
    shown, _ = cut(source, BEGIN, END)
    compile(shown, "cell", "exec")
    assert f"    {MARKER}" in shown


def test_a_region_without_an_end_reaches_to_the_end_of_the_cell():
    assert cut(f"a\n### {BEGIN}\nb\nc", BEGIN, END) == (f"a\n{MARKER}", ["b", "c"])


@given(st.text())
def test_a_cell_without_delimiters_stays_as_it_is(source):
    if BEGIN not in source and END not in source:
        assert cut(source, BEGIN, END) == (source, [])


@given(st.lists(st.sampled_from([f"### {BEGIN}", f"### {END}", "shown", "hidden"])))
def test_no_line_between_delimiters_is_shown(lines):
    inside, expected = False, 0
    for line in lines:
        inside = True if BEGIN in line else False if END in line else inside
        expected += line in ("shown", "hidden") and not inside
    shown, _ = cut("\n".join(lines), BEGIN, END)
    assert sum(line in ("shown", "hidden") for line in shown.split("\n")) == expected


def test_a_traceback_becomes_the_message():
    shown = messages([error("off by one", "File x", f"-> {SECRET}", "During handling of")], [SECRET])
    assert shown[0].traceback == ["\x1b[0;31mAssertionError\x1b[0m: off by one"]


def test_a_message_that_quotes_a_hidden_line_loses_that_line_only():
    shown = messages([error(f"in user code:\n    {SECRET}\nfailed")], [SECRET])
    assert shown[0].evalue == f"in user code:\n{REDACTED}\nfailed"


def test_a_coloured_quote_is_found():
    coloured = SECRET.replace("=", "\x1b[1m=\x1b[0m")
    assert redact(coloured, [SECRET]) == REDACTED


def test_a_short_hidden_line_does_not_redact_messages():
    assert redact("pass the exam", ["pass"]) == "pass the exam"


def test_what_was_printed_is_a_message_and_stderr_is_not():
    streams = [new_output("stream", name=name, text=name) for name in ("stdout", "stderr")]
    assert [output.text for output in messages(streams, [])] == ["stdout"]


@pytest.mark.parametrize("kind", ["display_data", "execute_result"])
def test_a_rich_output_is_not_shown(kind):
    rich = new_output(kind, data={"text/html": REFERENCE, "text/plain": f"array([{REFERENCE}])"})
    assert messages([rich], []) == []


def test_a_part_of_the_points_is_shown_as_a_number_alone():
    data = {"text/plain": "1.5", "text/html": REFERENCE}
    shown = messages([new_output("execute_result", data=data, metadata={"data": REFERENCE})], [])
    assert shown[0].data == {"text/plain": "1.5"}
    assert REFERENCE not in str(shown)


def test_what_the_student_wrote_and_saw_stays():
    mine = new_code_cell("x = 1", outputs=[error("mine", "my own traceback")])
    essay = label(new_markdown_cell(f"### {BEGIN}\nI quote."), "essay", grade=True, solution=True)
    notebook = new_notebook(cells=[mine, essay])
    before = str(notebook)
    HideHiddenTests().preprocess(notebook, {})
    assert str(notebook) == before


def test_hiding_twice_changes_nothing():
    notebook = new_notebook(cells=[exam("test_double", 2, TEST)])
    notebook.cells[0].outputs = [error(MESSAGE, SECRET)]
    once, _ = HideHiddenTests().preprocess(notebook, {})
    before = str(once)
    assert str(HideHiddenTests().preprocess(once, {})[0]) == before


def text_of(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", page))


@pytest.fixture(scope="module")
def returned(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A class graded with split execution, and the same with one kernel, each with its feedback."""
    course = make_course(tmp_path_factory.mktemp("feedback"))
    one_kernel = SPLIT_CONFIG.replace('trusted_kernel_name = "python3"', 'trusted_kernel_name = ""')
    crashing = {**WRONG, "double": f"{WRONG['double']}\nraise RuntimeError('my own crash')"}
    for mode, config in (("split", SPLIT_CONFIG), ("one", one_kernel)):
        (course.root / "nbgrader_config.py").write_text(config)
        for student, answers in (("careful", HONEST), ("hurried", WRONG), ("crashing", crashing)):
            hand_in(course, f"{mode}_{student}", answers)
        for command in (("autograde", "sums", "--student"), ("generate_feedback", "sums", "--student")):
            for student in ("careful", "hurried", "crashing"):
                done = course.nbgrader(*command, f"{mode}_{student}")
                assert done.returncode == 0, done.stderr
    return course


def page_of(course: Course, student: str) -> str:
    return (course.root / "feedback" / student / "sums" / "sums.html").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("student", ["careful", "hurried", "crashing"])
@pytest.mark.parametrize("mode", ["split", "one"])
def test_no_page_shows_a_line_or_the_data_of_a_hidden_test(returned, mode, student):
    page = page_of(returned, f"{mode}_{student}")
    shown = text_of(page)
    assert not [line for line in LEAKS if line in shown or line in page]
    assert REFERENCE not in page
    assert "log of the test" not in shown


@pytest.mark.slow
@pytest.mark.parametrize("student", ["split_careful", "split_hurried"])
def test_every_page_shows_the_visible_part_and_that_hidden_tests_ran(returned, student):
    shown = text_of(page_of(returned, student))
    assert 'assert work["probe"] == probe' in shown
    assert shown.count(MARKER) == 2


@pytest.mark.slow
def test_a_page_shows_what_a_hidden_test_says(returned):
    shown = text_of(page_of(returned, "split_hurried"))
    assert f"AssertionError: {MESSAGE}" in shown
    assert "AssertionError: the triple is off" in shown


@pytest.mark.slow
def test_a_page_shows_the_students_own_traceback(returned):
    assert "RuntimeError: my own crash" in text_of(page_of(returned, "split_crashing"))


@pytest.mark.slow
def test_the_outputs_in_the_graded_notebook_are_clean_already(returned):
    outputs = [cell.get("outputs", []) for cell in returned.graded("split_hurried").cells]
    assert not [line for line in LEAKS if line in str(outputs)]


@pytest.mark.slow
def test_nbconvert_makes_a_copy_to_share(returned, tmp_path: Path):
    graded = returned.root / "autograded" / "split_hurried" / "sums" / "sums.ipynb"
    option = "--NotebookExporter.preprocessors=gradebox.feedback.HideHiddenTests"
    command = [sys.executable, "-m", "nbconvert", "--to", "notebook", option, str(graded)]
    subprocess.run([*command, "--output-dir", str(tmp_path)], capture_output=True, timeout=100, check=True)
    copy = nbformat.read(tmp_path / "sums.ipynb", as_version=4)
    texts = str([(cell.source, cell.get("outputs")) for cell in copy.cells])
    assert SECRET in graded.read_text()
    assert MESSAGE in texts
    assert not [line for line in LEAKS if line in texts]
