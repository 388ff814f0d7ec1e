"""The classroom's tree of errors.

GradeboxError
├── GraderFailed             our own machinery failed: no mark is given, and the submission is graded again
└── SubmissionFault          the submission's own doing: an error on its cells, and the rest is marked
    ├── MissingNotebook      a notebook of the step was not handed in
    ├── UnreadableNotebook   a file that is not a notebook, or a damaged one
    ├── CellTimedOut         a cell ran for longer than a cell may
    ├── NotebookTimedOut     the cells together ran for longer than a notebook may
    ├── TooMuchOutput        the cells wrote more than a notebook may hold
    ├── KernelDied           the process that runs the cells ended while one of them ran
    ├── BadMessage           that process sent what is no message of a kernel
    ├── OutOfMemory          that process was killed from outside: it had taken too much memory
    ├── HandinRefused        a file that was not copied for the graded cells
    └── NotRun               a cell after one of the endings above

The class is the name and the message the sentence that a student reads below the cell. A message about
a submission is about the work; the message of `GraderFailed` is about the run, and says what to do next.
"""

__all__ = [
    "ENDINGS",
    "BadMessage",
    "CellTimedOut",
    "GradeboxError",
    "GraderFailed",
    "HandinRefused",
    "KernelDied",
    "MissingNotebook",
    "NotRun",
    "NotebookTimedOut",
    "OutOfMemory",
    "SubmissionFault",
    "TooMuchOutput",
    "UnreadableNotebook",
    "meaning",
]


class GradeboxError(Exception):
    """Anything the classroom can explain in one line."""

    @property
    def name(self) -> str:
        """The name under which a student or an instructor meets this error."""
        return type(self).__name__


class GraderFailed(GradeboxError):  # noqa: N818 - the name that an instructor reads
    """Our own machinery failed: no mark is given, and the submission is graded again."""


class SubmissionFault(GradeboxError):  # noqa: N818 - not an error of ours
    """The submission's own doing: it becomes an error on its cells, and the rest is marked."""


class MissingNotebook(SubmissionFault):
    """A notebook of the step was not handed in."""


class UnreadableNotebook(SubmissionFault):
    """A file that is not a notebook, or a damaged one."""


class CellTimedOut(SubmissionFault):
    """A cell ran for longer than a cell may."""


class NotebookTimedOut(SubmissionFault):
    """The cells together ran for longer than a notebook may."""


class TooMuchOutput(SubmissionFault):
    """The cells wrote more than a notebook may hold."""


class KernelDied(SubmissionFault):
    """The process that runs the cells ended while one of them ran."""


class BadMessage(SubmissionFault):
    """The process that runs the cells sent something that is no message of a kernel, and was ended."""


class OutOfMemory(SubmissionFault):
    """The process that runs the cells was killed from outside, as the system does to end a shortage of memory."""


class HandinRefused(SubmissionFault):
    """A file that was not copied to where the graded cells, or the student's own, would find it."""


class NotRun(SubmissionFault):
    """A cell that stands after a notebook's end."""


ENDINGS = frozenset(each.__name__ for each in SubmissionFault.__subclasses__()) - {"NotRun"}
"""The names of all endings that a submission can have of itself."""


def meaning(ending: str) -> str:
    """What the name of an ending means, as part of a sentence."""
    if ending not in ENDINGS:
        return "an ending that this version does not know"
    sentence = " ".join((globals()[ending].__doc__ or "").split()).rstrip(".")
    return sentence[:1].lower() + sentence[1:]
