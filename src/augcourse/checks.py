"""Checks and hints: what a student reads when something is not right yet.

A failing check says what was expected, what was found, and the likely reason: the gap before the hint. The
likely reasons are the mistakes that everybody makes once, each as a question and a pointer, never the answer.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from augcourse import panel
from augcourse.errors import HandinError, PlainInNotebooks, cut

if TYPE_CHECKING:
    from augcourse.augment import Recipe
    from augcourse.compare import Verdict

__all__ = ["MISTAKES", "CheckFailed", "Hint", "Parts", "TooCloseToCall", "expect", "passed", "verdict"]


class CheckFailed(PlainInNotebooks, AssertionError):  # noqa: N818 - the name that a student reads
    """A check or hidden test that failed; its text is for the student.

    Attributes:
        told: what `expect` was given, by name (`what`, `expected`, `got`, `likely`, `ask`, `look at`); empty for a
            message that is only text.
    """

    def __init__(self, text: str, told: Mapping[str, object] | None = None) -> None:
        super().__init__(text)
        self.told = dict(told or {})
        self._shown = False

    def _render_traceback_(self) -> list[str]:
        """Called by IPython, twice: where a person looks on, a panel, and one line that names the check."""
        if not panel.is_watched():
            return super()._render_traceback_()
        if not self._shown:
            panel.failed(str(self), self.told)
            self._shown = True
        return [f"{type(self).__name__}: {str(self).splitlines()[0]}"]


class TooCloseToCall(PlainInNotebooks, Exception):  # noqa: N818 - the name that a student reads
    """The grader's runs cannot decide: no mark is given, and a person looks at the figures."""


@dataclass(frozen=True, slots=True)
class Hint:
    """A misconception: the question that leads out of it, and where to look."""

    question: str
    pointer: str


MISTAKES: dict[str, Hint] = {
    "augmentation taken for more rows": Hint(
        "How many batches had an epoch before, and how many now?", "compare `cardinality` on both sides"
    ),
    "frozen randomness": Hint("Is the first digit of epoch two the same as of epoch one?", "what stands after `map`?"),
    "map's result thrown away": Hint("Which name holds the new data set?", "data sets are immutable"),
    "augmented validation data": Hint("Do two evaluations of the same weights agree?", "where is `augment` called?"),
    "augmented, then split": Hint("Could a validation digit have a twin in training?", "split first"),
    "float image into a uint8 transform": Hint(
        "How many grey levels are left after brightness?", "print dtype, min and max"
    ),
    "lost static shape": Hint("What does `element_spec` say on both sides of the map?", "`set_shape`"),
    "validation above training is a bug": Hint(
        "Which of the two exams was harder?", "evaluate the training digits un-augmented"
    ),
    "stronger is better": Hint("Cover the label: what would a stranger call this picture?", "`keeps_label`"),
    "one run is proof": Hint("Would the sign survive another seed, and ten other labels?", "the paired gains"),
}


def expect(
    condition: Any,
    what: str,
    *,
    expected: Any = None,
    got: Any = None,
    mistake: str | None = None,
    why: str = "",
) -> None:
    """Pass silently, or fail with what was expected, what was found, and the likely reason.

    Args:
        condition: true when the work is right.
        what: the property that is examined, as a short clause.
        expected, got: shown when given.
        mistake: a key of `MISTAKES`; its question and pointer are shown.
        why: the likely reason in words of its own.

    Raises:
        CheckFailed: the condition is false.
    """
    if condition:
        return
    hint = {} if mistake is None else {"ask": MISTAKES[mistake].question, "look at": MISTAKES[mistake].pointer}
    likely = "; ".join(filter(None, (why, mistake)))
    said = {"expected": expected, "got": got, "likely": likely or None, **hint}
    told = {name: cut(text) for name, text in said.items() if text is not None}
    lines = [what, *(f"  {name + ':':<10}{text}" for name, text in told.items())]
    raise CheckFailed("\n".join(lines), {"what": what, **told})


@dataclass
class Parts:
    """The parts of an exercise: each earns points of its own, and each that is lost is named.

    A graded cell that ends in `parts.points()` gives what was not lost: nbgrader takes a number at the end of a graded
    cell for a part of its points.

    Attributes:
        exercise: the name of the exercise.
        maximum: points of the graded cell; what all parts are worth together.
        lost: (name, points, reason) of each lost part, in order.
    """

    exercise: str
    maximum: float
    lost: list[tuple[str, float, str]] = field(default_factory=list)

    @contextmanager
    def part(self, name: str, points: float) -> Iterator[None]:
        """Lose these points, and no others, if a check fails inside; the checks after it in the block do not run."""
        try:
            yield
        except (CheckFailed, HandinError) as error:
            self.lose(name, points, str(error))

    def lose(self, name: str, points: float, reason: str) -> None:
        """Lose a part; a part that is lost already does not cost twice."""
        if name not in [lost for lost, _, _ in self.lost]:
            self.lost.append((name, points, reason))

    def points(self) -> float | None:
        """While a notebook is graded: the points that remain; None, which is all of them, if no part is lost.

        What is printed, or raised, names each lost part with its reason.

        Raises:
            CheckFailed: nothing remains; or a part is lost and this is no grading, but a student's own run, which
                should stop at what is not right yet, and whose *Validate* shows errors alone.
        """
        if not self.lost:
            passed(self.exercise)
            return None
        remain = max(0.0, round(self.maximum - sum(points for _, points, _ in self.lost), 2))
        told = [f"{name} ({_points(points)}): {reason}" for name, points, reason in self.lost]
        names = ", ".join(name for name, _, _ in self.lost)
        told.append(f"{self.exercise}: {remain:g} of {_points(self.maximum)} so far; not right yet: {names}.")
        if remain == 0 or os.environ.get("NBGRADER_EXECUTION") != "autograde":
            raise CheckFailed("\n".join(told))
        print("\n".join(told))
        return remain


def _points(points: float) -> str:
    return f"{points:g} point{'' if points == 1 else 's'}"


def verdict(said: Verdict, *, why: str = "", mistake: str | None = None, on_ink: bool = False) -> None:
    """Pass where the verdict is *beats the baseline*; fail, or ask for a person, with the figures.

    While a notebook is graded, it prints the gain with its limits, and what the recipe does to the ten digits, as
    `gradebox.figures` reads them: for the student's feedback and the instructor's report.

    Args:
        said: what `measure.judge` returned.
        why, mistake: those of `expect`, for a recipe that does not beat the baseline.
        on_ink: it was judged on coloured ink, which is said with the figures and drawn.

    Raises:
        CheckFailed: the recipe does not beat the baseline.
        TooCloseToCall: as many runs as the grader trains cannot tell. Grading sets nbgrader's flag for a grade by
            hand where it meets this name (`gradebox.marks`), and gives no mark of its own.
    """
    if os.environ.get("NBGRADER_EXECUTION") == "autograde":  # elsewhere, nobody reads these lines but people
        print("gradebox.figures:", json.dumps(_figures(said, on_ink)))
        if said.recipe is not None:
            print("gradebox.picture:", json.dumps(_picture(said.recipe, on_ink)))
    if said.outcome == "too close to call":
        raise TooCloseToCall(f"{said.sentence()}. {said.in_other_words()} Your instructor decides.")
    expect(
        said.outcome == "beats the baseline",
        "the grader trained both models itself, with your recipe and without any",
        expected=f"a mean paired gain whose lower limit is above {said.margin:+g} points",
        got=f"{said.sentence()}. {said.in_other_words()}",
        why=why,
        mistake=mistake,
    )


def _figures(said: Verdict, on_ink: bool) -> dict[str, object]:
    return {
        "label": "gain over the baseline on coloured ink" if on_ink else "gain over the baseline",
        "value": float(said.mean_gain),
        "low": float(said.low),
        "high": float(said.high),
        "unit": "points",
        "reference": said.margin,
        "reference_label": "margin",
        "note": said.in_other_words(),
    }


def _picture(recipe: Recipe, on_ink: bool) -> dict[str, str]:
    from augcourse import mosaic

    return {
        "label": "what your recipe does to a digit in coloured ink" if on_ink else "what your recipe does to a digit",
        "alt": "The digits 0 to 9 in a row, and below each of them what the recipe makes of it, "
        f"in {mosaic.TRIES} tries.",
        "png": base64.b64encode(mosaic.of_recipe(recipe, on_ink=on_ink)).decode(),
    }


def passed(exercise: str) -> None:
    """Say that an exercise passed its visible check, and what that is worth."""
    text = f"{exercise}: passed the visible check; grading runs hidden tests as well."
    if panel.is_watched():
        panel.passed(text)
    else:
        print(text)
