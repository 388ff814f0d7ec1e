"""Checks: the gap before the hint, and a hint that is a question."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from augcourse import checks, data, mosaic, recipes
from augcourse.compare import Verdict
from gradebox import figures


def test_a_true_condition_says_nothing(capsys):
    checks.expect(True, "anything")
    assert capsys.readouterr().out == ""


def test_a_failure_says_expected_and_got_before_the_likely_reason():
    with pytest.raises(checks.CheckFailed) as failure:
        checks.expect(False, "a property", expected=1, got=2, mistake="frozen randomness")
    lines = str(failure.value).splitlines()
    assert [line.split(":")[0].strip() for line in lines] == [
        "a property", "expected", "got", "likely", "ask", "look at",
    ]  # fmt: skip


def test_a_failed_check_is_an_assertion_for_nbgrader():
    assert issubclass(checks.CheckFailed, AssertionError)


@pytest.mark.parametrize(
    "fails",
    ["checks.expect(False, 'seven')", "raise checks.TooCloseToCall('seven')", "raise errors.HandinError('seven')"],
)
def test_a_notebook_shows_what_a_check_says_and_no_traceback(fails, tmp_path):
    program = f"from augcourse import checks, errors; {fails}"
    words = [sys.executable, "-m", "IPython", "--HistoryManager.enabled=False", "-c", program]
    environment = {**os.environ, "IPYTHONDIR": str(tmp_path)}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert "seven" in done.stdout
    assert "Traceback" not in done.stdout
    assert len(done.stdout.strip().splitlines()) == 1


@pytest.mark.parametrize("name", list(checks.MISTAKES))
def test_every_hint_is_a_question_and_a_short_pointer(name):
    hint = checks.MISTAKES[name]
    assert hint.question.endswith("?")
    assert len(hint.pointer) < 60


SAID = Verdict("beats the baseline", 4.1, 2.2, 6.0, 2, 0.5, 0.99)


def test_a_verdict_says_its_figures_to_the_grader_and_to_nobody_else(capsys, monkeypatch):
    checks.verdict(SAID)
    assert capsys.readouterr().out == ""
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    checks.verdict(SAID)
    [measured] = figures.measurements(capsys.readouterr().out)
    assert (measured.low, measured.value, measured.high, measured.reference) == (2.2, 4.1, 6.0, 0.5)


def test_a_verdict_that_is_too_close_says_its_figures_before_it_asks_for_a_person(capsys, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    with pytest.raises(checks.TooCloseToCall):
        checks.verdict(replace(SAID, outcome="too close to call", low=0.1))
    assert len(list(figures.measurements(capsys.readouterr().out))) == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mnist_sample", "mnist", "uci_digits"])
def test_a_judged_recipe_is_shown_on_digits_that_students_have(capsys, monkeypatch, data_sets, name):
    for variable, value in data_sets(name).items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    checks.verdict(replace(SAID, recipe=recipes.geometric()))
    [picture] = figures.pictures(capsys.readouterr().out)
    assert picture.alt
    shown = np.asarray(Image.open(io.BytesIO(picture.png)))
    images, _ = mosaic.digits_of(name)
    pool, _ = data.load_arrays(data.POOL, name)
    for place, image in enumerate(images):
        left = place * (28 + mosaic.GAP)
        assert (shown[:28, left : left + 28] == image[..., 0]).all()
        assert (pool == image).all(axis=(1, 2, 3)).any()
    assert (shown[30:58, :28] != shown[:28, :28]).any()


def parts_with(**lost: float) -> checks.Parts:
    parts = checks.Parts("exercise", 3)
    for name, points in lost.items():
        with parts.part(name, points):
            checks.expect(False, f"about {name}")
    return parts


def test_parts_that_are_all_right_give_all_points(capsys):
    parts = checks.Parts("exercise", 3)
    with parts.part("order", 1.5):
        checks.expect(True, "about order")
    assert parts.points() is None
    assert "passed" in capsys.readouterr().out


def test_grading_gives_the_points_of_the_parts_that_are_right_and_names_the_others(monkeypatch, capsys):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert parts_with(order=1, exam=0.5).points() == 1.5
    said = capsys.readouterr().out
    assert "order (1 point): about order" in said
    assert "exam (0.5 points): about exam" in said
    assert said.endswith("1.5 of 3 points so far; not right yet: order, exam.\n")


def test_grading_gives_nothing_where_every_part_is_lost(monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    with pytest.raises(checks.CheckFailed, match=r"about order\n.*about exam"):
        parts_with(order=1, exam=2).points()


def test_a_students_own_run_stops_at_a_lost_part():
    with pytest.raises(checks.CheckFailed, match="2 of 3 points so far"):
        parts_with(order=1).points()


def test_an_error_of_a_check_itself_is_not_a_lost_part():
    parts = checks.Parts("exercise", 3)
    with pytest.raises(ZeroDivisionError), parts.part("order", 1):
        1 / 0  # noqa: B018
    assert not parts.lost
