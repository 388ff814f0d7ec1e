"""A variant: the instructor's solution with a single mistake, or solved in an unusual way."""

from __future__ import annotations

from dataclasses import dataclass

from augcourse.samples import Edit


@dataclass(frozen=True)
class Variant:
    """One mistake: which exercise it breaks, the edits that make it, and what the message must say.

    Attributes:
        name: a short name, used as the student's id.
        exercise: the exercise that loses its marks; no other may.
        edits: (old, new) on the lesson's text.
        says: a regular expression that the message of the failed test must match.
        keeps: points of the exercise that other parts of it earn.
    """

    name: str
    exercise: str
    edits: tuple[Edit, ...]
    says: str
    keeps: float = 0.0


@dataclass(frozen=True)
class Unusual:
    """Correct work that few would write: it keeps all marks.

    Attributes:
        name: a short name.
        step: whose lesson is edited.
        exercise: the one that is solved otherwise.
        edits: (old, new) on the lesson's text.
    """

    name: str
    step: str
    exercise: str
    edits: tuple[Edit, ...]


def graded_by_nbgrader(variants: tuple[Variant, ...]) -> tuple[Variant, ...]:
    """The first variant of each exercise: those that also go the whole way through nbgrader.

    All others are examined cell by cell in `tests/lessons/test_variants.py`, at a tenth of the cost.
    """
    firsts: dict[str, Variant] = {}
    for variant in variants:
        firsts.setdefault(variant.exercise, variant)
    return tuple(firsts.values())
