"""The class's verdict on one's own notebook: no instructor, no gradebook and no sandbox, since one's own code may run.

Enters: a notebook and the course's folder, with `source/`. Leaves: points and a reason for each exercise. The same
code that grades a class grades it here, in a throw-away course of its own; only the two kernels are plain ones.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.apps import NbGraderAPI
from traitlets.config import Config

from gradebox import records
from gradebox.border import last_words
from gradebox.classroom import Classroom, CourseError, read_files
from gradebox.commands import programs_of_python, run_commands
from gradebox.summary import Summarise, printed, reason
from gradebox.work import Order, Result, carry_out

__all__ = ["Checked", "Exercise", "check", "course_of", "step_of"]

MAX_FILES_BESIDE = 100  # of one's own, beside the notebook; and a million bytes each
PLAIN = {
    "SplitExecute": {"kernel_name": "python3", "trusted_kernel_name": "python3"},
    "SandboxProvisioner": {"allow_unprotected": True},  # one's own code, with one's own rights
}


@dataclass(frozen=True)
class Exercise:
    """One graded cell.

    Attributes:
        name: the cell's `grade_id`.
        points: None where a person gives them.
        maximum: what there is to get.
        reason: why points were lost or a person decides, as the test says it; empty if there is nothing to say.
    """

    name: str
    points: float | None
    maximum: float
    reason: str


@dataclass(frozen=True)
class Checked:
    """What the class's tests say of a notebook."""

    step: str
    result: Result
    exercises: tuple[Exercise, ...]

    @property
    def is_complete(self) -> bool:
        """Whether every point that a test can give is there."""
        return self.result.status == "graded" and all(each.points in (None, each.maximum) for each in self.exercises)


def course_of(notebook: Path) -> Path:
    """The nearest folder with nbgrader_config.py and source/, above the notebook or above the current folder.

    Raises:
        CourseError: there is none.
    """
    for start in (notebook.resolve().parent, Path.cwd()):
        for folder in (start, *start.parents):
            if (folder / "nbgrader_config.py").is_file() and (folder / "source").is_dir():
                return folder
    raise CourseError(
        f"no course around {notebook}: run this in the course's folder, the one with nbgrader_config.py and source/, "
        "or name it with --course"
    )


def step_of(notebook: Path, course: Path) -> str:
    """The step whose exercises a notebook holds, whatever it is called.

    Raises:
        CourseError: it cannot be read, or has no exercise of this course.
    """
    try:
        own = _names(nbformat.reads(notebook.read_text(encoding="utf-8"), as_version=4))
    except FileNotFoundError:
        raise CourseError(f"{notebook} is not there") from None
    except (OSError, ValueError, AttributeError, nbformat.ValidationError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise CourseError(f"{notebook} cannot be read as a notebook ({reason})") from None
    sources = sorted((course / "source").glob("*/*.ipynb"))
    shared = {path.parent.name: len(own & _names(nbformat.read(path, as_version=4))) for path in sources}
    if not any(shared.values()):
        raise CourseError(
            f"{notebook} has no exercise of this course; its steps are {', '.join(sorted(shared)) or 'none'}"
        )
    return max(shared, key=lambda step: shared[step])


def check(notebook: Path, course: Path) -> Checked:
    """Run a notebook and the class's tests.

    Raises:
        CourseError: no notebook of this course, or a course that cannot be released.
        SetUpError: what the course needs to grade (`c.Classroom.worker_setup`) cannot be made.
    """
    step = step_of(notebook, course)
    Classroom(course)  # the policy may find folders from where it lies, and name them in the environment for its copy
    with _thrown_away(course, step) as work:
        classroom = Classroom(work, Config(PLAIN))
        run_commands(classroom.worker_setup)
        with classroom.gradebook() as engine:
            kit = classroom.kit(step, engine)
            exercises = records.read(engine, [step]).steps[0].exercises
        names = sorted(path.name for path in (work / "source" / step).glob("*.ipynb"))
        ignore = [*classroom.course.ignore, "*.ipynb"]
        files, notes = read_files(notebook.parent, ignore, 1_000_000, MAX_FILES_BESIDE, 1_000_000 * MAX_FILES_BESIDE)
        content = dict(files) | {(notebook.name if notebook.name in names else names[0]): notebook.read_bytes()}
        order = Order("you", step, tuple(sorted(content.items())), tuple(notes))
        result = carry_out(kit, order, "")
        plain = Summarise(config=classroom.config).plain_errors
    return Checked(step, result, tuple(_exercises(exercises, result, plain)))


@contextmanager
def _thrown_away(course: Path, step: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="gradebox-check-", ignore_cleanup_errors=True) as folder:
        work = Path(folder).resolve()
        shutil.copy(course / "nbgrader_config.py", work)
        ignored = shutil.ignore_patterns("handin", ".ipynb_checkpoints")
        shutil.copytree(course / "source" / step, work / "source" / step, ignore=ignored)
        api = NbGraderAPI(config=Classroom(work).config)
        api.coursedir.root = str(work)
        with programs_of_python():
            done = api.generate_assignment(step)
        if not done["success"]:
            raise CourseError(f"{step} cannot be released from source/: {last_words(done)}")
        yield work


def _names(notebook: NotebookNode) -> set[str]:
    named = (cell.metadata.get("nbgrader", {}) for cell in notebook.cells)
    return {each["grade_id"] for each in named if each.get("grade") and "grade_id" in each}


def _exercises(exercises: Sequence[records.Exercise], result: Result, plain: Sequence[str]) -> Iterator[Exercise]:
    marks = {mark.cell_id: mark for mark in result.marks}
    cells = {
        (Path(name).stem, cell.metadata.get("nbgrader", {}).get("grade_id")): cell
        for name, content in result.files
        if name.endswith(".ipynb")
        for cell in nbformat.reads(content.decode(), as_version=4).cells
    }
    for each in exercises:
        mark, cell = marks.get(each.cell_id), cells.get((each.notebook, each.name))
        said = "" if cell is None else reason(cell, plain)
        if mark is None:
            yield Exercise(each.name, 0.0, each.maximum, said or result.reason)
        elif mark.needs_manual_grade:
            yield Exercise(each.name, None, each.maximum, said or "a person reads it")
        else:
            is_part = cell is not None and 0 < (mark.auto_score or 0.0) < each.maximum
            yield Exercise(each.name, mark.auto_score, each.maximum, said or (printed(cell) if is_part else ""))
