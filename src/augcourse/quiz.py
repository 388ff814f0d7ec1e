"""Multiple-choice questions: answers are a hand-in, the key stands in a hidden test, every wrong choice has a reason.

The questions are text in the notebook, readable everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping

from augcourse import checks, handin

__all__ = ["answers", "mark"]


def answers(work: handin.Handin, choices: Mapping[int, str]) -> dict[int, str]:
    """The handed-in answers, each one of its question's letters.

    Args:
        work: the hand-in; its fact `answers` maps the number of a question, as text, to a letter.
        choices: for each question, its letters, such as "abcd".

    Raises:
        CheckFailed: a question has no answer, or one that is none of its letters.
    """
    given = {str(number): str(letter).strip().lower() for number, letter in work.fact("answers", dict).items()}
    open_ones = [number for number, letters in choices.items() if given.get(str(number), "") not in [*letters]]
    checks.expect(
        not open_ones,
        "every question has one letter as its answer",
        expected="; ".join(f"{number}: {', '.join(choices[number])}" for number in open_ones),
        got={number: given.get(str(number)) for number in open_ones},
        why="a question mark still stands there, or a word instead of a letter",
    )
    return {number: given[str(number)] for number in choices}


def mark(parts: checks.Parts, given: Mapping[int, str], key: Mapping[int, tuple[str, Mapping[str, str]]]) -> None:
    """Take the points of each wrongly answered question from `parts`, with the reason of the choice that was made.

    Args:
        parts: of the exercise; all questions are worth the same.
        given: the answers, as `answers` returns them.
        key: for each question, the right letter, and for every other letter why it is wrong.
    """
    worth = parts.maximum / len(key)
    for number, (right, reasons) in key.items():
        if given[number] != right:
            parts.lose(f"question {number}", worth, f"{given[number]} is not right: {reasons[given[number]]}")
