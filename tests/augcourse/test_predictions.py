"""Predictions: kept as they were made, answered beside the result, and never a reason to lose anything."""

from __future__ import annotations

import json

import pytest

from augcourse import handin, predictions
from gradebox import figures


@pytest.fixture(autouse=True)
def notebook(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(predictions, "_made", {})


def test_a_prediction_is_shown_beside_what_was_measured(capsys):
    predictions.predict("shift or rotation", "rotation")
    predictions.predicted("shift or rotation", "shift")
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "shift or rotation: you predicted rotation; measured: shift."


def test_three_dots_are_no_prediction_and_say_what_to_do(capsys):
    predictions.predict("how many", ...)
    predictions.predicted("how many", 100)
    first, last = capsys.readouterr().out.splitlines()
    assert "replace the three dots" in first
    assert last == "how many: you have not predicted; measured: 100."
    assert handin.read("predictions").fact("answers", dict) == {}


def test_the_last_of_several_predictions_counts():
    for guess in (1, 2.5):
        predictions.predict("points", guess)
    assert handin.read("predictions").fact("answers", dict) == {"points": "2.5"}


def test_the_report_reads_what_the_grader_tells(monkeypatch, capsys):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    predictions.predict("shift or rotation", "rotation")
    predictions.predict("not asked any more", "x")
    capsys.readouterr()
    predictions.tell({"shift or rotation": "shift", "not predicted": 3})
    [told] = figures.predictions(capsys.readouterr().out)
    assert told == figures.Prediction("shift or rotation", "rotation", "shift")


@pytest.mark.parametrize("facts", [None, {}, {"answers": []}, {"answers": {"q": 7}}, {"answers": {"q": " \n "}}])
def test_missing_or_damaged_predictions_cost_nothing(facts, monkeypatch, capsys):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    if facts is not None:
        with handin.record("predictions") as out:
            out.facts(**facts)
    predictions.tell({"q": 1})
    assert capsys.readouterr().out == ""


def test_a_student_reads_no_line_that_is_for_the_report(capsys):
    predictions.predict("q", 1)
    capsys.readouterr()
    predictions.tell({"q": 2})
    assert capsys.readouterr().out == ""


def test_a_prediction_is_bounded(monkeypatch):
    predictions.predict("q" * 1000, "long " * 1000)
    answers = handin.read("predictions").fact("answers", dict)
    assert len(json.dumps(answers)) < 400
