"""What a student expected: written down before a result is shown, kept as a hand-in, and worth no marks either way.

`predict` and `predicted` run in the student's notebook. `tell` runs where marks are given: it holds the class's
predictions against what was measured, for the report (`gradebox.figures` reads its lines).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from augcourse import handin
from augcourse.errors import HandinError

__all__ = ["predict", "predicted", "tell"]

EXERCISE = "predictions"
LONGEST = 80  # characters of a question, and of an answer
MOST = 20  # predictions of a notebook

_made: dict[str, str] = {}


def predict(question: str, answer: object) -> None:
    """Write down what you expect, before you look. A wrong guess costs nothing.

    Args:
        question: what the prediction is about; the name under which it is shown again.
        answer: a word or a number; `...` means that you have not predicted yet.
    """
    if answer is ...:
        _made.pop(_short(question), None)
        print("No prediction yet: replace the three dots by your guess, and run this cell again.")
    else:
        _made[_short(question)] = _short(answer)
        print(f"Noted. {_short(question)}: you predict {_short(answer)}.")
    with handin.record(EXERCISE) as out:
        out.facts(answers=dict(list(_made.items())[:MOST]))


def predicted(question: str, measured: object) -> None:
    """Show a prediction beside what came out.

    Args:
        question: the name that `predict` was given.
        measured: what was measured, as a word, a number or a short sentence.
    """
    own = _made.get(_short(question))
    told = f"you predicted {own}" if own else "you have not predicted"
    print(f"{_short(question)}: {told}; measured: {measured}.")


def tell(measured: Mapping[str, object]) -> None:
    """While a notebook is graded, print each of its predictions beside what was measured, a line each.

    Nothing is lost without predictions, or with damaged ones.

    Args:
        measured: what was measured, by the questions that `predict` was given.
    """
    if os.environ.get("NBGRADER_EXECUTION") != "autograde":
        return
    try:
        answers = handin.read(EXERCISE).fact("answers", dict)
    except HandinError:
        return
    for question, result in measured.items():
        answer = answers.get(_short(question))
        if isinstance(answer, str) and answer.strip():
            line = {"question": _short(question), "answer": _short(answer), "measured": _short(result)}
            print("gradebox.prediction:", json.dumps(line))


def _short(text: object) -> str:
    return " ".join(str(text).split())[:LONGEST]
