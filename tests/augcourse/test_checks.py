"""Checks: the gap before the hint, and a hint that is a question."""

from __future__ import annotations

import pytest

from augcourse import checks


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


@pytest.mark.parametrize("name", list(checks.MISTAKES))
def test_every_hint_is_a_question_and_a_short_pointer(name):
    hint = checks.MISTAKES[name]
    assert hint.question.endswith("?")
    assert len(hint.pointer) < 60
