"""*Validate* opens on the reason: the name of the check and what it said, without the check's code."""

from __future__ import annotations

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from gradebox.validate import ReasonFirst

LABEL = {"schema_version": 3, "task": False, "cell_type": "code"}
CHECK = "secret_of_the_check = 7\nassert 1 + 1 == 3, 'one and one are two'"


def notebook(tmp_path, own="own = 1", check=CHECK):
    locked = {"grade": True, "locked": True, "solution": False, "points": 1, "grade_id": "sums_test", **LABEL}
    answer = {"grade": False, "locked": False, "solution": True, "grade_id": "sums", **LABEL}
    cells = [new_code_cell(own, metadata={"nbgrader": answer}), new_code_cell(check, metadata={"nbgrader": locked})]
    path = tmp_path / "sums.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    return str(path)


@pytest.fixture
def validator(monkeypatch, tmp_path):
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    return ReasonFirst(ignore_checksums=True)


def test_a_failed_check_is_named_and_its_reason_told_and_its_code_is_not(validator, tmp_path):
    [failed] = validator.validate(notebook(tmp_path))["failed"]
    assert failed["source"] == "# the check of sums"
    assert "one and one are two" in failed["raw_error"]


def test_what_passes_has_nothing_to_tell(validator, tmp_path):
    assert validator.validate(notebook(tmp_path, check="assert True")) == {}
