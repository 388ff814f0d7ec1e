"""Panels: in a notebook that a person looks at, and nowhere else; what a student's work says stays text."""

from __future__ import annotations

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

CHECK = """
from augcourse import checks
checks.expect(False, 'a property', expected='<b>1</b>', got=2, mistake='frozen randomness')
"""
PASSED = "from augcourse import checks\nchecks.passed('rotation')"


def run(source, tmp_path, monkeypatch, execution=""):
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    if execution:
        monkeypatch.setenv("NBGRADER_EXECUTION", execution)
    else:
        monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    notebook = new_notebook(cells=[new_code_cell(source)])
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=120, allow_errors=True, resources=resources).execute()
    nbformat.validate(notebook)
    return notebook.cells[0].outputs


def test_a_failed_check_is_a_panel_with_its_words_as_text_beside_it(tmp_path, monkeypatch):
    panel, error = run(CHECK, tmp_path, monkeypatch)
    assert "Where to look" in panel.data["text/html"]
    assert "&lt;b&gt;1&lt;/b&gt;" in panel.data["text/html"], "what a student's work says is not HTML"
    for words in ("a property", "expected", "what stands after `map`?"):
        assert words in panel.data["text/plain"]
    assert error.output_type == "error"
    assert len(error.traceback) == 1
    assert error.traceback[0] == "CheckFailed: a property"


def test_a_passed_check_is_a_tick_that_says_that_hidden_tests_follow(tmp_path, monkeypatch):
    [panel] = run(PASSED, tmp_path, monkeypatch)
    assert "✓" in panel.data["text/html"]
    assert panel.data["text/plain"] == "rotation: passed the visible check; grading runs hidden tests as well."


@pytest.mark.parametrize("execution", ["autograde", "validate"])
def test_graders_read_text(execution, tmp_path, monkeypatch):
    [error] = run(CHECK, tmp_path, monkeypatch, execution)
    assert error.output_type == "error"
    assert "expected: <b>1</b>" in "\n".join(error.traceback)
    [printed] = run(PASSED, tmp_path, monkeypatch, execution)
    assert printed.output_type == "stream"
