"""What the trusted kernel makes of the instructor's cells, without any submission."""

import os
from pathlib import Path

import pytest
from nbformat.v4 import new_output
from traitlets.config import Config

from gradebox.errors import GraderFailed
from gradebox.intake import InstructorCell
from gradebox.trusted import TrustedRun, bound_result, check_runs, run_trusted

pytestmark = pytest.mark.slow


def run(folder: Path, *sources: str, kernel: str = "python3", cell_timeout_s: int = 20, max_bytes: int = 10_000):
    cells = [InstructorCell(f"test_{place}", "code", source, "", True, True) for place, source in enumerate(sources)]
    where = TrustedRun(kernel, folder, {**os.environ, "GIVEN": "here"}, cell_timeout_s, max_bytes)
    return run_trusted(cells, where, Config())


def test_cells_run_in_order_in_their_folder_and_environment(tmp_path):
    (tmp_path / "work.json").write_text("{}")
    first, second = run(tmp_path, "import os\nfound = os.listdir()", "print(found, os.environ['GIVEN'])")
    assert (first.outputs, second.outputs[0].text) == ([], "['work.json'] here\n")


def test_an_error_is_an_output_and_the_next_cell_runs(tmp_path):
    first, second = run(tmp_path, "assert False, 'off'", "print('on')")
    assert [(output.output_type, output.evalue) for output in first.outputs] == [("error", "off")]
    assert second.outputs[0].text == "on\n"


@pytest.mark.parametrize(
    ("source", "options"),
    [
        ("import os\nos._exit(1)", {}),
        ("import time\ntime.sleep(60)", {"cell_timeout_s": 1}),
        ("print('x' * 20_000)", {}),
        ("1", {"kernel": "absent"}),
    ],
    ids=["dies", "takes too long", "writes too much", "does not start"],
)
def test_a_trusted_kernel_that_does_not_finish_is_a_failure_of_the_grader(tmp_path, source, options):
    with pytest.raises(GraderFailed, match=r"trusted kernel|too much output"):
        run(tmp_path, source, **options)


@pytest.mark.parametrize("name", ["NameError", "ModuleNotFoundError", "SyntaxError"])
def test_a_graded_cell_that_does_not_run_by_itself_is_no_zero(name):
    with pytest.raises(GraderFailed, match="test_double does not run by itself"):
        check_runs("test_double", [new_output("error", ename=name, evalue="np", traceback=[])])


def test_a_failed_assertion_is_no_failure_of_the_grader():
    check_runs("test_double", [new_output("error", ename="AssertionError", evalue="", traceback=[])])


@pytest.mark.parametrize(
    ("result", "mark"), [("1.5", 1.5), ("-1", 0.0), ("nan", 0.0), ("inf", 0.0), ("9", 2.0), ("0", 0.0)]
)
def test_a_result_is_a_mark_between_nothing_and_all_points(result, mark):
    output = new_output("execute_result", data={"text/plain": result})
    assert float(bound_result(output, 2.0).data["text/plain"]) == mark
