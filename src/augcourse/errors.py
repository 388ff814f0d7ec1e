"""The course's tree of errors.

CourseError                 anything the course can explain in one line
├── DataError               a data set that is missing, damaged or cannot be written
├── RecipeError             an augmentation recipe that cannot or must not be used
├── HandinError             a hand-in that is missing, stale or malformed
├── BuildError              lessons, source, release or solutions that do not fit together
└── HubError                a class that cannot be held on this machine

Every message is one sentence or two: what happened, where, and what to do next. A message about a
student's work names the work; a message about a run names the run.
"""

__all__ = ["BuildError", "CourseError", "DataError", "HandinError", "HubError", "PlainInNotebooks", "RecipeError"]


class CourseError(Exception):
    """Anything the course can explain in one line."""


class PlainInNotebooks:
    """An error that a check raises: notebooks show its name and its message, and no traceback of the check."""

    def _render_traceback_(self) -> list[str]:
        """Called by IPython, in the place of its own traceback; returns what a notebook shows."""
        return [f"\x1b[0;31m{type(self).__name__}\x1b[0m: {self}"]


class DataError(CourseError):
    """A data set that is missing, damaged or cannot be written."""


class RecipeError(CourseError):
    """An augmentation recipe that cannot or must not be used."""


class HandinError(PlainInNotebooks, CourseError):
    """A hand-in that is missing, stale or malformed; what it quotes of one is cut to `LONGEST` characters."""

    def __init__(self, text: str) -> None:
        super().__init__(cut(text))


LONGEST = 2000  # characters of a message about a hand-in: what it quotes, a student chose


def cut(text: object) -> str:
    """The text, with an ellipsis in the place of what is beyond `LONGEST` characters."""
    whole = str(text)
    return whole if len(whole) <= LONGEST else f"{whole[:LONGEST]}…"


class BuildError(CourseError):
    """Lessons, source, release or solutions that do not fit together."""


class HubError(CourseError):
    """A class that cannot be held on this machine."""
