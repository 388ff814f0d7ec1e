"""A tiny nbgrader course in plain Python, and a class of submissions of which most are broken.

The class is graded once, by the real `nbgrader autograde`; the tests look at what came of it.
"""

import copy
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.api import Gradebook

CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "tiny"
c.Autograde.exporter_class = "gradebox.intake.SubmissionExporter"
c.Autograde.sanitize_preprocessors = [
    "gradebox.intake.RestoreCells",
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.DeduplicateIds",
    "nbgrader.preprocessors.OverwriteKernelspec",
    "nbgrader.preprocessors.OverwriteCells",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.Autograde.autograde_preprocessors = [
    "gradebox.execute.GradedExecute",
    "nbgrader.preprocessors.IgnorePattern",
    "nbconvert.preprocessors.ClearMetadataPreprocessor",
    "nbgrader.preprocessors.LimitOutput",
    "gradebox.marks.SaveGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.OverwriteCells.add_missing_cells = True
c.SubmissionExporter.max_notebook_bytes = 200_000
c.GradedExecute.timeout = 30
c.GradedExecute.iopub_timeout = 6
c.GradedExecute.max_output_bytes = 300_000
c.GradedExecute.limits_by_step = {"pair": {"timeout": 100, "notebook_timeout_s": 6}}
c.GradedExecute.fresh_variables = ["PROBE_SEED"]
c.GradedExecute.environment = {"COURSE": "tiny"}
merged = "import os, sys; os.dup2(1, 2); sys.stderr = sys.stdout"
c.Execute.extra_arguments = [f"--IPKernelApp.exec_lines={merged}"]
c.GradedExecute.extra_arguments = []
c.SandboxProvisioner.allow_unprotected = True
"""

DOUBLE, TRIPLE = "def double(x):\n    return 2 * x", "def triple(x):\n    return 3 * x"
HONEST = {"double": DOUBLE, "triple": TRIPLE}
FULL_MARKS = {"test_double": 2.0, "test_triple": 1.0}
NO_MARKS = {"test_double": 0.0, "test_triple": 0.0}


def answer(name: str, code: str) -> nbformat.NotebookNode:
    """An answer cell: the release holds a stub in the place of `code`."""
    head, body = code.split("\n", 1)
    cell = new_code_cell(f"{head}\n    ### BEGIN SOLUTION\n{body}\n    ### END SOLUTION")
    return label(cell, name, solution=True)


def exam(name: str, points: int, code: str) -> nbformat.NotebookNode:
    return label(new_code_cell(code), name, grade=True, locked=True, points=points)


def label(cell: nbformat.NotebookNode, name: str, **flags: object) -> nbformat.NotebookNode:
    defaults = {"schema_version": 3, "grade": False, "solution": False, "locked": False, "task": False}
    cell.metadata["nbgrader"] = {**defaults, "grade_id": name, **flags}
    return cell


def source_notebook() -> nbformat.NotebookNode:
    hidden = "### BEGIN HIDDEN TESTS\nassert double(7) == 14\n### END HIDDEN TESTS"
    shown = new_code_cell("from pathlib import Path\nPath('shown').touch()", metadata={"tags": ["show"]})
    explain = new_markdown_cell("Explain.")
    cells = [
        new_markdown_cell("# Sums"),
        label(new_code_cell("import os\nfrom pathlib import Path"), "setup", locked=True),
        answer("double", DOUBLE),
        exam("test_double", 2, f"print(os.environ['COURSE'])\nassert double(2) == 4\n{hidden}"),
        shown,
        answer("triple", TRIPLE),
        exam("test_triple", 1, "assert triple(2) == 6\nassert not Path('handin').exists()"),
        label(explain, "explain", grade=True, solution=True, points=3),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel})


@dataclass(frozen=True)
class Course:
    """A course folder, and what the last command said."""

    root: Path

    def nbgrader(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "nbgrader", *arguments]
        programs = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
        environment = {**os.environ, "PATH": programs}  # nbgrader looks for alembic there
        return subprocess.run(
            command, cwd=self.root, env=environment, capture_output=True, text=True, timeout=500, check=False
        )

    def release(self, step: str, name: str) -> nbformat.NotebookNode:
        return nbformat.read(self.root / "release" / step / f"{name}.ipynb", as_version=4)

    def hand_in(self, student: str, step: str, name: str, content: nbformat.NotebookNode | bytes) -> Path:
        path = self.root / "submitted" / student / step / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else nbformat.writes(content).encode())
        return path

    def graded(self, student: str, step: str = "sums", name: str = "sums") -> nbformat.NotebookNode:
        return nbformat.read(self.root / "autograded" / student / step / f"{name}.ipynb", as_version=4)

    def marks(self, student: str, step: str = "sums", name: str = "sums") -> dict[str, float | None]:
        """The automatic score of each graded code cell; None where the grader gave none."""
        with Gradebook(f"sqlite:///{self.root / 'gradebook.db'}") as gradebook:
            grades = gradebook.find_submission_notebook(name, step, student).grades
            return {grade.name: grade.auto_score for grade in grades if grade.cell_type == "code"}

    def explanation(self, student: str) -> tuple[float | None, bool]:
        """The automatic score of the cell that is graded by hand, and whether it waits for that."""
        with Gradebook(f"sqlite:///{self.root / 'gradebook.db'}") as gradebook:
            grade = gradebook.find_grade("explain", "sums", "sums", student)
            return grade.auto_score, grade.needs_manual_grade


def answered(release: nbformat.NotebookNode, answers: dict[str, str]) -> nbformat.NotebookNode:
    """The release with the given answers filled in."""
    notebook = copy.deepcopy(release)
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        cell.source = answers.get(name, cell.source)
    return notebook


def labelled(notebook: nbformat.NotebookNode, name: str) -> nbformat.NotebookNode:
    return next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == name)


def error_names(cell: nbformat.NotebookNode) -> list[str]:
    return [output.ename for output in cell.outputs if output.output_type == "error"]


def duplicated(notebook: nbformat.NotebookNode) -> None:
    notebook.cells += copy.deepcopy(notebook.cells[3:4]) + copy.deepcopy(notebook.cells[2:3])
    notebook.cells[-1].source = "def double(x):\n    raise ValueError('a second try')"
    for index in (-1, -2):
        notebook.cells[index].id = f"copy{-index}"


def deleted(notebook: nbformat.NotebookNode) -> None:
    del notebook.cells[3]


def stripped(notebook: nbformat.NotebookNode) -> None:
    notebook.metadata.clear()
    for cell in notebook.cells:
        cell.metadata.clear()


def relabelled(notebook: nbformat.NotebookNode) -> None:
    notebook.cells[3].metadata.nbgrader.update(grade=False, solution=False, points=50, schema_version=1)
    notebook.cells[1].metadata.nbgrader = "nonsense"


def other_kernel(notebook: nbformat.NotebookNode) -> None:
    notebook.metadata.kernelspec.name = "no-such-kernel"


def skipping(notebook: nbformat.NotebookNode) -> None:
    for cell in notebook.cells[2:6]:
        cell.metadata["tags"] = ["show", "skip-execution"]


def forged(notebook: nbformat.NotebookNode) -> None:
    notebook.metadata["gradebox"] = {"fault": {"name": "KernelDied", "sentence": "forged"}, "environment": 5}


STDERR = "def double(x):\n    import os, sys\n    print('careful', file=sys.stderr, flush=True)\n"
STDERR += "    os.write(2, b'from C')\n    return 2 * x"
STUBBORN = "import time\nwhile True:\n    try:\n        time.sleep(60)\n    except KeyboardInterrupt:\n        pass"

EDITED: dict[str, Callable[[nbformat.NotebookNode], None]] = {
    "duplicated": duplicated,
    "deleted": deleted,
    "stripped": stripped,
    "relabelled": relabelled,
    "other_kernel": other_kernel,
    "skipping": skipping,
    "forged": forged,
}
ANSWERS = {
    "a_careful": HONEST,
    "crashing": {**HONEST, "double": "raise RuntimeError('mine')"},
    "endless": {**HONEST, "double": "while True:\n    pass"},
    "stubborn": {**HONEST, "double": STUBBORN},
    "exits": {**HONEST, "triple": "import os\nos._exit(1)"},
    "floods": {**HONEST, "double": "while True:\n    print('x' * 1000)"},
    "warns": {**HONEST, "double": STDERR},
    "surrogate": {**HONEST, "double": f"print('before\\ud800after')\n{DOUBLE}"},
    "z_careful": HONEST,
}
UNREADABLE = {
    "not_json": b"{ this is not json",
    "empty_file": b"",
    "not_utf8": b'{"nbformat": 4, "cells": "\xff\xfe"}',
    "a_list": b"[]",
    "no_cells": b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}',
    "future_format": b'{"nbformat": 99, "nbformat_minor": 0, "metadata": {}, "cells": []}',
    "oversized": b" " * 200_001,
    "nested": b"[" * 100_000,
}


def hand_in_class(course: Course) -> None:
    release = course.release("sums", "sums")
    for student, answers in ANSWERS.items():
        course.hand_in(student, "sums", "sums.ipynb", answered(release, answers))
    for student, edit in EDITED.items():
        notebook = answered(release, {} if student == "skipping" else HONEST)
        edit(notebook)
        course.hand_in(student, "sums", "sums.ipynb", json.dumps(notebook).encode())
    for student, content in UNREADABLE.items():
        course.hand_in(student, "sums", "sums.ipynb", content)
    whole = nbformat.writes(answered(release, HONEST)).encode()
    course.hand_in("truncated", "sums", "sums.ipynb", whole[: len(whole) // 2])
    course.hand_in("no_notebook", "sums", "notes.txt", b"I forgot the notebook.")
    course.hand_in("renamed", "sums", "sums (1).ipynb", whole)
    course.hand_in("extra", "sums", "sums.ipynb", whole)
    course.hand_in("extra", "sums", "scratch.ipynb", b"not a notebook either")
    course.hand_in("a_careful", "sums", "handin/old.txt", b"made on another machine")


@pytest.fixture(scope="session")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """The course, with both steps released: `sums` of one notebook and `pair` of two."""
    course = Course(tmp_path_factory.mktemp("course"))
    (course.root / "nbgrader_config.py").write_text(CONFIG)
    for step, name in (("sums", "sums"), ("pair", "one"), ("pair", "two")):
        path = course.root / "source" / step / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(source_notebook(), path)
    for step in ("sums", "pair"):
        done = course.nbgrader("generate_assignment", step)
        assert done.returncode == 0, done.stderr
    return course


@dataclass(frozen=True)
class GradedClass:
    """What one `nbgrader autograde sums` over the whole class left behind."""

    course: Course
    returncode: int
    log: str


@pytest.fixture(scope="session")
def graded_class(course: Course) -> GradedClass:
    hand_in_class(course)
    done = course.nbgrader("autograde", "sums")
    return GradedClass(course, done.returncode, done.stderr)
