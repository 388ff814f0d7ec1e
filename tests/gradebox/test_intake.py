"""What may be handed in, and what becomes of it."""

import itertools
import json
from pathlib import Path

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from gradebox.errors import MissingNotebook, UnreadableNotebook
from gradebox.intake import InstructorCell, mend, read_notebook

from .conftest import FULL_MARKS, NO_MARKS, UNREADABLE, GradedClass, error_names

RECORD = (
    InstructorCell("setup", "code", "import os", "0" * 32, locked=True),
    InstructorCell("answer", "code", "def f(): ...", "1" * 32, locked=False, solution=True),
    InstructorCell("test", "code", "assert f()", "2" * 32, locked=True, grade=True, points=2.0),
    InstructorCell("essay", "markdown", "Explain.", "3" * 32, locked=False, grade=True, solution=True),
)


def names(cells: list[nbformat.NotebookNode]) -> list[str]:
    return [cell.metadata.get("nbgrader", {}).get("grade_id", "") for cell in cells]


def submission() -> list[nbformat.NotebookNode]:
    return [original.as_cell() for original in RECORD]


def test_an_untouched_notebook_needs_no_mending():
    cells, reasons = mend(submission(), RECORD)
    assert names(cells) == ["setup", "answer", "test", "essay"]
    assert reasons == []


def test_a_missing_graded_cell_goes_before_the_next_labelled_one():
    cells = submission()
    cells[2] = new_code_cell("my = 'own'")
    mended, reasons = mend(cells, RECORD)
    assert names(mended) == ["setup", "answer", "", "test", "essay"]
    assert "`test`" in reasons[0]


def test_cells_missing_at_the_end_follow_the_students_own():
    mended, _ = mend([new_code_cell("def f(): return 1")], RECORD)
    assert names(mended) == ["", "setup", "test", "essay"]


def test_a_missing_answer_is_not_replaced_by_its_stub():
    cells = submission()
    cells[1] = new_code_cell("def f(): return 1")
    mended, _ = mend(cells, RECORD)
    assert "def f(): ..." not in [cell.source for cell in mended]


def test_of_two_graded_cells_with_one_label_the_first_counts():
    cells = [*submission(), RECORD[2].as_cell("print('a copy')")]
    mended, reasons = mend(cells, RECORD)
    assert names(mended) == ["setup", "answer", "test", "essay", ""]
    assert reasons == ["the cell `test` stood there 2 times: one of them counts"]


def test_of_two_answers_with_one_label_the_edited_one_counts():
    cells = [*submission(), RECORD[3].as_cell("Because.")]
    mended, _ = mend(cells, RECORD)
    essay = next(cell for cell, name in zip(mended, names(mended), strict=True) if name == "essay")
    assert essay.source == "Because."


def test_a_changed_label_is_restored_from_the_record():
    cells = submission()
    cells[2].metadata["nbgrader"].update(grade=False, points=100, schema_version=1)
    mended, reasons = mend(cells, RECORD)
    assert mended[2].metadata["nbgrader"] == RECORD[2].metadata()
    assert "`test`" in reasons[0]


def test_a_changed_cell_type_is_restored_with_the_students_text():
    cells = submission()
    cells[3] = new_code_cell("Because.", metadata=cells[3].metadata)
    mended, _ = mend(cells, RECORD)
    assert (mended[3].cell_type, mended[3].source) == ("markdown", "Because.")


def test_a_label_from_another_notebook_is_dropped():
    stranger = InstructorCell("stranger", "code", "1", "4" * 32, locked=True).as_cell()
    mended, reasons = mend([*submission(), stranger], RECORD)
    assert "nbgrader" not in mended[-1].metadata
    assert len(reasons) == 1


@given(st.lists(st.integers(0, 3), max_size=8))
def test_mending_leaves_each_protected_cell_once_and_a_second_time_changes_nothing(chosen):
    cells = [RECORD[index].as_cell(f"edit {place}") for place, index in enumerate(chosen)]
    mended, _ = mend(cells, RECORD)
    kept = [name for name in names(mended) if name]
    assert len(kept) == len(set(kept))
    assert {"setup", "test", "essay"} <= set(kept)
    again, _ = mend(mended, RECORD)
    assert again == mended


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.one_of(st.binary(max_size=200), st.recursive(st.none() | st.text(), st.lists).map(json.dumps)))
def test_no_content_makes_reading_fail_in_another_way(tmp_path: Path, content):
    path = tmp_path / "step.ipynb"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UnreadableNotebook, match=r"step\.ipynb"):
        read_notebook(path, 10_000)


@pytest.mark.parametrize("cut", range(0, 100, 7))
def test_a_notebook_cut_off_anywhere_is_unreadable(tmp_path: Path, cut):
    text = nbformat.writes(new_notebook(cells=[new_markdown_cell("text", id="a"), new_code_cell("1", id="b")]))
    path = tmp_path / "step.ipynb"
    path.write_text(text[: len(text) * cut // 100])
    with pytest.raises(UnreadableNotebook):
        read_notebook(path, 10_000)


def test_a_notebook_is_read_as_it_was_written(tmp_path: Path):
    notebook = new_notebook(cells=[new_code_cell("print('ü')", id="a")])
    path = tmp_path / "step.ipynb"
    nbformat.write(notebook, path)
    assert read_notebook(path, 10_000) == notebook


def test_an_old_notebook_format_is_read(tmp_path: Path):
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""}}
    cell = {"cell_type": "code", "collapsed": False, "input": ["1 + 1"], "language": "python"}
    path = tmp_path / "step.ipynb"
    path.write_text(json.dumps({**old, "worksheets": [{"cells": [{**cell, "metadata": {}, "outputs": []}]}]}))
    assert read_notebook(path, 10_000).cells[0].source == "1 + 1"


def test_metadata_that_the_format_forbids_is_dropped(tmp_path: Path):
    notebook = new_notebook(cells=[new_code_cell("1", id="a")])
    document = {**notebook, "metadata": {"kernelspec": {}}}
    path = tmp_path / "step.ipynb"
    path.write_text(json.dumps(document))
    assert read_notebook(path, 10_000).metadata == {}


def test_text_that_cannot_be_written_back_is_unreadable(tmp_path: Path):
    path = tmp_path / "step.ipynb"
    path.write_text(json.dumps(new_notebook(cells=[new_code_cell("'\ud800'", id="a")])))
    with pytest.raises(UnreadableNotebook, match="surrogates"):
        read_notebook(path, 10_000)


def test_a_link_is_not_followed(tmp_path: Path):
    target, link = tmp_path / "target.ipynb", tmp_path / "step.ipynb"
    nbformat.write(new_notebook(), target)
    link.symlink_to(target)
    with pytest.raises(UnreadableNotebook, match="not a regular file"):
        read_notebook(link, 10_000)


def test_a_missing_notebook_names_what_lies_there_instead(tmp_path: Path):
    (tmp_path / "step (1).ipynb").touch()
    with pytest.raises(MissingNotebook, match=r"step \(1\)\.ipynb"):
        read_notebook(tmp_path / "step.ipynb", 10_000)


REASONS = {
    "not_json": "not valid JSON",
    "empty_file": "is empty",
    "not_utf8": "not UTF-8",
    "a_list": "names no notebook format",
    "no_cells": "not a valid notebook",
    "future_format": "not a valid notebook",
    "oversized": "larger than 200,000 bytes",
    "nested": "not valid JSON",
    "truncated": "damaged or cut off",
    "no_notebook": "was not handed in",
    "renamed": "the folder holds sums (1).ipynb instead",
}


def test_every_unreadable_submission_has_its_reason_tested():
    assert set(UNREADABLE) <= set(REASONS)


@pytest.mark.slow
@pytest.mark.parametrize(("student", "reason"), REASONS.items())
def test_an_unreadable_submission_scores_zero_with_its_reason_on_top(graded_class: GradedClass, student, reason):
    assert graded_class.course.marks(student) == NO_MARKS
    assert reason in graded_class.course.graded(student).cells[0].source


@pytest.mark.slow
@pytest.mark.parametrize("student", REASONS)
def test_an_unreadable_submission_waits_for_no_grading_by_hand(graded_class: GradedClass, student):
    assert graded_class.course.explanation(student) == (0.0, False)


@pytest.mark.slow
@pytest.mark.parametrize(("student", "reason"), REASONS.items())
def test_the_instructor_reads_the_reason_in_the_log(graded_class: GradedClass, student, reason):
    lines = graded_class.log.splitlines()
    assert [line for line in lines if f"{student}, sums/sums: " in line and reason in line]


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["UnreadableNotebook", "MissingNotebook"])
def test_an_unreadable_submission_is_not_run(graded_class: GradedClass, ending):
    student = {"UnreadableNotebook": "truncated", "MissingNotebook": "renamed"}[ending]
    cells = [cell for cell in graded_class.course.graded(student).cells if cell.cell_type == "code"]
    assert set(itertools.chain.from_iterable(map(error_names, cells))) == {ending}


@pytest.mark.slow
@pytest.mark.parametrize("student", ["duplicated", "deleted", "stripped", "relabelled", "extra"])
def test_honest_work_with_damaged_labels_gets_full_marks(graded_class: GradedClass, student):
    assert graded_class.course.marks(student) == FULL_MARKS


@pytest.mark.slow
@pytest.mark.parametrize("student", ["duplicated", "deleted", "stripped", "relabelled"])
def test_what_was_mended_stands_on_top_of_the_notebook(graded_class: GradedClass, student):
    note = graded_class.course.graded(student).cells[0].source
    assert note.startswith("**Note from the grader**")
    assert "test_double" in note


@pytest.mark.slow
def test_an_answer_without_its_label_waits_for_grading_by_hand(graded_class: GradedClass):
    assert graded_class.course.explanation("stripped") == (None, True)


@pytest.mark.slow
def test_an_unknown_notebook_is_named_in_the_log(graded_class: GradedClass):
    assert "Skipping unknown notebook" in graded_class.log
    assert "scratch.ipynb" in graded_class.log
