"""Questions: one letter each, a reason for every wrong one, and no points lost twice."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest

from augcourse import build, checks, handin, quiz

from ..lessons.course import ROOT

CHOICES = {1: "abc", 2: "abcd"}
KEY = {1: ("b", {"a": "too few", "c": "too many"}), 2: ("d", {"a": "no", "b": "never", "c": "not that"})}


@pytest.fixture
def work(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def handed_in(**answers):
        with handin.record("questions") as out:
            out.facts(answers={name.removeprefix("q"): letter for name, letter in answers.items()})
        return handin.read("questions")

    return handed_in


def test_all_right_answers_lose_nothing(work):
    parts = checks.Parts("questions", 2)
    quiz.mark(parts, quiz.answers(work(q1="B ", q2="d"), CHOICES), KEY)
    assert parts.lost == []


def test_a_wrong_answer_loses_its_own_question_and_hears_why(work):
    parts = checks.Parts("questions", 2)
    quiz.mark(parts, quiz.answers(work(q1="c", q2="d"), CHOICES), KEY)
    assert parts.lost == [("question 1", 1.0, "c is not right: too many")]


@pytest.mark.parametrize("letter", ["?", "", "e", "ab", "the second", 7])
def test_what_is_no_letter_of_the_question_is_asked_for_again(work, letter):
    with pytest.raises(checks.CheckFailed, match=re.compile("2: a, b, c, d", re.S)):
        quiz.answers(work(q1="b", q2=letter), CHOICES)


def test_a_missing_answer_is_asked_for(work):
    with pytest.raises(checks.CheckFailed, match="every question has one letter"):
        quiz.answers(work(q1="b"), CHOICES)


@pytest.mark.parametrize("step", build.STEPS)
def test_the_key_is_in_no_release(step):
    """Only a hidden test names right letters and reasons; the student's stub has question marks."""
    for folder, has in (("source", True), ("release", False)):
        text = build.notebook_path(ROOT, folder, step).read_text(encoding="utf-8")
        assert ("quiz.mark(" in text) == has
        assert ('answers = {1: \\"?\\"' in text) is True
        assert bool(re.search(r"answers = \{1: \\\"[a-d]", text)) == has


@pytest.mark.parametrize("step", build.STEPS)
def test_each_wrong_choice_has_a_reason_and_each_step_five_questions(step):
    cells = {cell["id"]: cell for cell in build.source_of(build.lesson_path(ROOT, step).read_text()).cells}
    graded = cells["questions_test"].source
    taken: dict[str, Any] = {}
    fake = SimpleNamespace(
        answers=lambda work, choices: taken.update(choices=choices),
        mark=lambda parts, given, key: taken.update(key=key),
    )
    names: dict[str, Any] = {"quiz": fake, "handin": SimpleNamespace(read=lambda name: None), "parts": None}
    start = graded.index("given = quiz.answers")
    exec(graded[start:].replace("parts.points()", ""), names)
    choices, key = taken["choices"], taken["key"]
    assert sorted(choices) == sorted(key) == [1, 2, 3, 4, 5]
    for number, letters in choices.items():
        right, reasons = key[number]
        assert {right, *reasons} == set(letters)
        assert all(len(reason) > 15 for reason in reasons.values())
    assert len({right for right, _ in key.values()}) > 1
