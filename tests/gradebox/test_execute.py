"""What GradedExecute makes of the class of conftest.py, under an unchanged `nbgrader autograde`."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from traitlets import TraitError

from gradebox.execute import GradedExecute, clear_stale

from .conftest import (
    ANSWERS,
    FULL_MARKS,
    HONEST,
    NO_MARKS,
    STDERR,
    Course,
    GradedClass,
    answered,
    error_names,
    labelled,
)

pytestmark = pytest.mark.slow


def text_of(cell: nbformat.NotebookNode) -> str:
    return "".join(output.get("text", "") + output.get("evalue", "") for output in cell.outputs)


@pytest.mark.parametrize("student", ["a_careful", "z_careful"])
def test_honest_work_before_and_after_the_broken_submissions_gets_full_marks(graded_class: GradedClass, student):
    assert graded_class.course.marks(student) == FULL_MARKS


def test_the_run_over_a_broken_class_ends_well(graded_class: GradedClass):
    assert graded_class.returncode == 0, graded_class.log


def test_every_submission_has_a_mark_and_a_graded_notebook(graded_class: GradedClass):
    course = graded_class.course
    students = [folder.name for folder in (course.root / "submitted").iterdir() if (folder / "sums").is_dir()]
    assert set(ANSWERS) <= set(students)
    for student in students:
        assert None not in course.marks(student).values()
        assert course.graded(student).cells


@pytest.mark.parametrize(
    ("student", "cell", "ending"),
    [
        ("endless", "double", "CellTimedOut"),
        ("stubborn", "double", "CellTimedOut"),
        ("exits", "triple", "KernelDied"),
        ("floods", "double", "TooMuchOutput"),
    ],
)
def test_an_early_end_is_named_on_the_cell_where_it_happened(graded_class: GradedClass, student, cell, ending):
    assert ending in error_names(labelled(graded_class.course.graded(student), cell))


@pytest.mark.parametrize(
    ("student", "ending"),
    [("stubborn", "CellTimedOut"), ("exits", "KernelDied"), ("floods", "TooMuchOutput")],
)
def test_the_cells_after_an_early_end_say_why_they_did_not_run(graded_class: GradedClass, student, ending):
    cell = labelled(graded_class.course.graded(student), "test_triple")
    assert error_names(cell) == ["NotRun"]
    assert ending in text_of(cell)


@pytest.mark.parametrize("student", ["stubborn", "floods"])
def test_what_did_not_run_scores_zero(graded_class: GradedClass, student):
    assert graded_class.course.marks(student) == NO_MARKS


def test_after_an_interrupted_cell_the_later_cells_run(graded_class: GradedClass):
    assert graded_class.course.marks("endless") == {"test_double": 0.0, "test_triple": 1.0}


def test_marks_earned_before_the_kernel_died_stay(graded_class: GradedClass):
    assert graded_class.course.marks("exits") == {"test_double": 2.0, "test_triple": 0.0}


def test_a_crashing_answer_costs_only_its_own_marks(graded_class: GradedClass):
    assert graded_class.course.marks("crashing") == {"test_double": 0.0, "test_triple": 1.0}


def test_the_submission_does_not_choose_the_kernel(graded_class: GradedClass):
    assert graded_class.course.marks("other_kernel") == FULL_MARKS


def test_text_that_cannot_be_encoded_does_not_cost_the_submission(graded_class: GradedClass):
    assert graded_class.course.marks("surrogate") == FULL_MARKS
    assert text_of(labelled(graded_class.course.graded("surrogate"), "double")) == "before\ufffdafter\n"


def test_a_warning_on_stderr_in_a_graded_cell_costs_no_marks(graded_class: GradedClass):
    assert graded_class.course.marks("warns") == FULL_MARKS


def test_a_warning_on_stderr_in_a_graded_cell_is_logged(graded_class: GradedClass):
    lines = [line for line in graded_class.log.splitlines() if "warns, sums/sums, test_double: stderr" in line]
    assert any("careful" in line for line in lines)


def test_a_cell_tagged_to_be_skipped_is_not_run(graded_class: GradedClass):
    folder = graded_class.course.root / "autograded" / "a_careful" / "sums"
    assert not (folder / "shown").exists()


def test_a_student_cannot_tag_a_graded_cell_away(graded_class: GradedClass):
    assert graded_class.course.marks("skipping") == NO_MARKS


def test_a_stale_handin_is_removed_before_grading(graded_class: GradedClass):
    course = graded_class.course
    assert (course.root / "submitted/a_careful/sums/handin/old.txt").exists()
    assert not (course.root / "autograded/a_careful/sums/handin").exists()


def test_a_fresh_variable_differs_between_notebooks_and_is_recorded(graded_class: GradedClass):
    graded = [graded_class.course.graded(student) for student in ("a_careful", "z_careful", "extra")]
    seeds = [int(notebook.metadata.gradebox.environment["PROBE_SEED"]) for notebook in graded]
    assert len(set(seeds)) == 3
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_the_configured_environment_reaches_the_kernel(graded_class: GradedClass):
    cell = labelled(graded_class.course.graded("a_careful"), "test_double")
    assert text_of(cell) == "tiny\n"


def test_what_a_student_writes_into_our_metadata_does_not_count(graded_class: GradedClass):
    assert graded_class.course.marks("forged") == FULL_MARKS


@pytest.fixture(scope="module")
def failed_then_graded(
    course: Course,
) -> tuple[Course, subprocess.CompletedProcess[str], dict[str, float | None]]:
    """A submission graded first on a machine without the kernel, then with the recorded seed given."""
    for student in ("lucky", "unlucky"):
        course.hand_in(student, "pair", "one.ipynb", answered(course.release("pair", "one"), HONEST))
    slow = {**HONEST, "triple": "import time\ntime.sleep(60)"}
    course.hand_in("lucky", "pair", "two.ipynb", answered(course.release("pair", "two"), slow))
    failed = course.nbgrader("autograde", "pair", "--GradedExecute.kernel_name=absent")
    marks = course.marks("unlucky", "pair", "one")
    again = course.nbgrader(
        "autograde",
        "pair",
        *(f"--GradedExecute.environment={each}" for each in ("PROBE_SEED=7", "COURSE=tiny")),
    )
    assert again.returncode == 0, again.stderr
    return course, failed, marks


def test_a_failure_of_the_grader_is_reported_in_one_line(failed_then_graded):
    _, failed, _ = failed_then_graded
    assert failed.returncode != 0
    lines = [line for line in failed.stderr.splitlines() if "GraderFailed, no mark given" in line]
    assert [line for line in lines if "unlucky, pair/one" in line and "jupyter kernelspec list" in line]


def test_a_failure_of_the_grader_gives_no_mark(failed_then_graded):
    _, _, marks = failed_then_graded
    assert marks == {"test_double": None, "test_triple": None}


def test_a_submission_that_the_grader_failed_is_marked_the_next_time(failed_then_graded):
    course, _, _ = failed_then_graded
    assert course.marks("unlucky", "pair", "one") == FULL_MARKS


def test_a_given_value_takes_the_place_of_a_fresh_one(failed_then_graded):
    course, _, _ = failed_then_graded
    assert course.graded("lucky", "pair", "one").metadata.gradebox.environment["PROBE_SEED"] == "7"


def test_a_missing_notebook_scores_zero_beside_one_that_is_there(failed_then_graded):
    course, _, _ = failed_then_graded
    assert course.marks("unlucky", "pair", "two") == NO_MARKS
    assert "two.ipynb was not handed in" in course.graded("unlucky", "pair", "two").cells[0].source


def test_a_notebook_that_takes_too_long_as_a_whole_is_ended(failed_then_graded):
    course, _, _ = failed_then_graded
    notebook = course.graded("lucky", "pair", "two")
    assert "NotebookTimedOut" in error_names(labelled(notebook, "triple"))
    assert error_names(labelled(notebook, "test_triple")) == ["NotRun"]
    assert course.marks("lucky", "pair", "two") == {"test_double": 2.0, "test_triple": 0.0}


def test_validate_does_not_take_a_warning_for_a_failure(course: Course, monkeypatch):
    monkeypatch.setenv("COURSE", "tiny")
    path = course.root / "mine" / "sums.ipynb"
    path.parent.mkdir()
    notebook = answered(course.release("sums", "sums"), {**HONEST, "double": STDERR, "explain": "So."})
    nbformat.write(notebook, path)
    done = course.nbgrader("validate", str(path))
    assert "Success" in done.stdout, done.stdout + done.stderr


def test_clearing_removes_files_and_folders_by_name(tmp_path: Path):
    (tmp_path / "handin").mkdir()
    for name in ("handin/array.npz", "result.npz", "kept.py"):
        (tmp_path / name).touch()
    assert clear_stale(tmp_path, ["handin", "*.npz"]) == ["handin", "result.npz"]
    assert [path.name for path in tmp_path.iterdir()] == ["kept.py"]


def test_clearing_does_not_follow_a_link_out_of_the_folder(tmp_path: Path):
    outside, folder = tmp_path / "outside", tmp_path / "folder"
    outside.mkdir()
    (outside / "precious").touch()
    (folder / "handin").mkdir(parents=True)
    (folder / "handin" / "link").symlink_to(outside)
    (folder / "handin2").symlink_to(outside)
    clear_stale(folder, ["handin*"])
    assert (outside / "precious").exists()
    assert not list(folder.iterdir())


@pytest.mark.parametrize("pattern", ["../elsewhere", "/tmp", "..", ""])
def test_clearing_refuses_a_path(pattern):
    with pytest.raises(TraitError, match="clear_before"):
        GradedExecute(clear_before=[pattern])


@pytest.mark.parametrize("limits", [{"time_out": 5}, {"timeout": 0}, {"timeout": "long"}])
def test_an_unknown_limit_is_refused(limits):
    with pytest.raises(TraitError, match="limits_by_step: step4"):
        GradedExecute(limits_by_step={"step4": limits})


def test_the_classroom_imports_neither_tensorflow_nor_the_course():
    code = "import sys, gradebox.errors, gradebox.intake, gradebox.execute\n"
    code += "print({'tensorflow', 'keras', 'augcourse'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=True)
    assert done.stdout.strip() == "set()"
