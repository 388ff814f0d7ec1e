"""What was handed in becomes a notebook that can be graded.

Enters: a path below `submitted/`, where anything may lie, and the instructor's record of the notebook, which
is the gradebook's. Leaves: a valid notebook in which every graded and locked cell of the record stands once,
under the record's own metadata, with a note on top that says in plain words what had to be mended.

Two classes, both named in `nbgrader_config.py`, fit this into an unchanged `nbgrader autograde`:

    SubmissionExporter   Autograde.exporter_class: reads the file
    RestoreCells         the first of Autograde.sanitize_preprocessors: mends the cells
"""

import json
import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from glob import glob
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter
from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbformat.validator import normalize
from nbgrader import utils
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Integer

from gradebox.errors import MissingNotebook, SubmissionFault, UnreadableNotebook

__all__ = [
    "InstructorCell",
    "RestoreCells",
    "SubmissionExporter",
    "instructor_cells",
    "mend",
    "read_notebook",
]

METADATA_KEY = "gradebox"  # a notebook's metadata: what this package has to say about it
FAULT_KEY = "gradebox_fault"  # nbgrader's resources: from the exporter to RestoreCells, in one pass

_MOVED_ANSWER = "This answer's label was missing from the submission: look for it in the other cells.\n\n"


@dataclass(frozen=True)
class InstructorCell:
    """One labelled cell of a step, as the gradebook has it. `source` includes its hidden tests."""

    name: str
    cell_type: str
    source: str
    checksum: str
    locked: bool
    grade: bool = False
    solution: bool = False
    task: bool = False
    points: float = 0.0

    @property
    def protected(self) -> bool:
        """Whether the cell must stand in the graded notebook, whatever the student did to theirs."""
        return self.locked or self.grade or self.task

    @property
    def tested(self) -> bool:
        """Whether the cell's outputs decide its marks."""
        return self.grade and not self.solution and self.cell_type == "code"

    def metadata(self) -> dict[str, Any]:
        """The cell's nbgrader metadata, in nbgrader's schema 3."""
        label = {
            "schema_version": 3,
            "grade_id": self.name,
            "grade": self.grade,
            "solution": self.solution,
            "locked": self.locked,
            "task": self.task,
            "checksum": self.checksum,
            "cell_type": self.cell_type,
        }
        return label | ({"points": self.points} if self.grade or self.task else {})

    def as_cell(self, source: str | None = None) -> NotebookNode:
        """A fresh notebook cell with this cell's label, and its own source unless another is given."""
        new_cell = new_code_cell if self.cell_type == "code" else new_markdown_cell
        cell = new_cell(source=self.source if source is None else source, id=f"restored-{self.name}"[:64])
        cell.metadata["nbgrader"] = NotebookNode(self.metadata())
        return cell


def instructor_cells(resources: dict[str, Any]) -> tuple[InstructorCell, ...]:
    """Read the labelled cells of a notebook from the gradebook, in the notebook's order.

    `resources` is what nbgrader hands to its preprocessors: it names gradebook, step and notebook.
    """
    place = resources["nbgrader"]
    with Gradebook(place["db_url"]) as gradebook:
        notebook = gradebook.find_notebook(place["notebook"], place["assignment"])
        graded = {cell.name: cell.max_score for cell in notebook.grade_cells}
        tasks = {cell.name: cell.max_score for cell in notebook.task_cells}
        solutions = {cell.name for cell in notebook.solution_cells}
        return tuple(
            InstructorCell(
                name=cell.name,
                cell_type=cell.cell_type,
                source=cell.source,
                checksum=cell.checksum,
                locked=cell.locked,
                grade=cell.name in graded,
                solution=cell.name in solutions,
                task=cell.name in tasks,
                points=graded.get(cell.name, tasks.get(cell.name, 0.0)),
            )
            for cell in notebook.source_cells
        )


def read_notebook(path: Path, max_bytes: int) -> NotebookNode:
    """Read a notebook that anyone may have written.

    Returns a notebook of format 4 that is valid and can be written back as UTF-8; metadata that the format
    does not allow is dropped. Raises `MissingNotebook` or `UnreadableNotebook`, the reason in plain words.
    """
    text = _read_text(path, max_bytes)
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = f"{path.name} is damaged or cut off: it is not valid JSON ({_first_line(error)})"
        raise UnreadableNotebook(reason) from error
    if not isinstance(document, dict) or not isinstance(document.get("nbformat"), int):
        raise UnreadableNotebook(f"{path.name} is not a notebook: it names no notebook format")
    try:
        notebook = _valid_notebook(text)
        nbformat.writes(notebook).encode()
    except Exception as error:  # nbformat's converters meet a stranger's file with any exception there is
        raise UnreadableNotebook(f"{path.name} is not a valid notebook ({_first_line(error)})") from error
    return notebook


def _read_text(path: Path, max_bytes: int) -> str:
    if not os.path.lexists(path):
        others = ", ".join(sorted(other.name for other in path.parent.glob("*.ipynb")))
        hint = f"; the folder holds {others} instead" if others else ""
        raise MissingNotebook(f"{path.name} was not handed in{hint}")
    if path.is_symlink() or not path.is_file():
        raise UnreadableNotebook(f"{path.name} is not a regular file")
    with path.open("rb") as file:
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        reason = f"{path.name} is larger than {max_bytes:,} bytes; clear its outputs and hand it in again"
        raise UnreadableNotebook(reason)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableNotebook(f"{path.name} is not UTF-8 text") from error
    if not text.strip():
        raise UnreadableNotebook(f"{path.name} is empty")
    return text


def _valid_notebook(text: str) -> NotebookNode:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about missing and repeated cell ids, which are mended right here
        notebook = nbformat.convert(nbformat.reader.reads(text), 4)
        _, notebook = normalize(notebook, relax_add_props=True, strip_invalid_metadata=True)
        nbformat.validate(notebook, relax_add_props=True)
    return notebook


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:160]


def mend(cells: Sequence[NotebookNode], record: Sequence[InstructorCell]) -> tuple[list[NotebookNode], list[str]]:
    """Give every labelled cell its label back, once, and put missing protected cells where they belong.

    Returns the cells and the reasons, one sentence for each thing mended. Of several cells with one label,
    the first edited answer counts, or the first cell if the label is not an answer's. A missing cell goes
    before the next labelled cell, or to the end, so that it runs after whatever the student wrote for it.
    """
    kept, reasons = _relabel(cells, {original.name: original for original in record})
    present = {label for cell in kept if (label := _label(cell))}
    pending: list[NotebookNode] = []
    before: dict[str, list[NotebookNode]] = {}
    for original in record:
        if original.name in present:
            before[original.name], pending = pending, []
        elif original.protected:
            answer = _MOVED_ANSWER + original.source if original.solution else None
            pending.append(original.as_cell(answer))
            reasons.append(f"the cell `{original.name}` was missing: put back")
        else:
            reasons.append(f"the answer cell `{original.name}` was missing, or had lost its label")
    mended = [each for cell in kept for each in (*before.get(_label(cell), ()), cell)]
    return mended + pending, reasons


def _label(cell: NotebookNode) -> str:
    label = cell.metadata.get("nbgrader")
    name = label.get("grade_id") if isinstance(label, dict) else None
    return name if isinstance(name, str) else ""


def _relabel(cells: Sequence[NotebookNode], record: dict[str, InstructorCell]) -> tuple[list[NotebookNode], list[str]]:
    copies: dict[str, list[int]] = {}
    for index, cell in enumerate(cells):
        copies.setdefault(_label(cell), []).append(index)
    own = {_own(cells, copies[name], record[name]): name for name in copies if name in record}
    changed = [name for index, name in own.items() if _label_changed(cells[index], record[name])]
    kept = [
        _with_label(cell, record[own[index]]) if index in own else _without_label(cell)
        for index, cell in enumerate(cells)
    ]
    reasons = [
        f"the cell `{name}` stood there {len(places)} times: one of them counts"
        for name, places in copies.items()
        if name in record and len(places) > 1
    ]
    reasons += [f"the label of the cell `{name}` had been changed: restored" for name in changed]
    if strangers := sum(len(places) for name, places in copies.items() if name and name not in record):
        reasons.append(f"{strangers} cell(s) had labels that are not this notebook's: taken as ordinary cells")
    return kept, reasons


def _own(cells: Sequence[NotebookNode], copies: Sequence[int], original: InstructorCell) -> int:
    if original.locked:
        return copies[0]
    edited = [index for index in copies if cells[index].source != original.source]
    return (edited or copies)[0]


def _label_changed(cell: NotebookNode, original: InstructorCell) -> bool:
    found = (utils.is_grade(cell), utils.is_solution(cell), utils.is_locked(cell), cell.cell_type)
    return found != (original.grade, original.solution, original.locked, original.cell_type)


def _with_label(cell: NotebookNode, original: InstructorCell) -> NotebookNode:
    if cell.cell_type != original.cell_type:
        return original.as_cell(cell.source)
    cell.metadata["nbgrader"] = NotebookNode(original.metadata())
    return cell


def _without_label(cell: NotebookNode) -> NotebookNode:
    cell.metadata.pop("nbgrader", None)
    return cell


def _note(reasons: Sequence[str]) -> NotebookNode:
    lines = ["**Note from the grader**", "", *(f"- {reason}." for reason in reasons)]
    return new_markdown_cell(source="\n".join(lines), id="gradebox-note")


def _missing_notebooks(converter: Any) -> Iterator[tuple[str, str]]:
    """Yield (submission folder, path) for each notebook that a step asks for and a folder may lack."""
    course = converter.coursedir
    with Gradebook(course.db_url, course.course_id) as gradebook:
        steps = {step.name: [notebook.name for notebook in step.notebooks] for step in gradebook.assignments}
    for step in steps:
        if not fnmatchcase(step, course.assignment_id):
            continue
        wanted = [name for name in steps[step] if fnmatchcase(name, course.notebook_id)]
        for folder in glob(course.format_path(course.submitted_directory, course.student_id, step)):
            if os.path.isdir(folder):
                yield from ((folder, os.path.join(folder, f"{name}.ipynb")) for name in wanted)


class SubmissionExporter(NotebookExporter):
    """Reads a submitted notebook, whatever lies there, so that `nbgrader autograde` can mark it.

    `BaseConverter.start` makes one after it has looked for notebooks and before it converts any. That is the
    moment to add the notebooks that a submission lacks: nbgrader would pass over a folder without notebooks,
    and fail a folder that holds none but renamed ones. A run over nothing but one folder without notebooks
    still ends in nbgrader's own message, since nbgrader stops before it makes an exporter.
    """

    max_notebook_bytes = Integer(
        20_000_000, min=1, help="The largest notebook file that is read, in bytes; a larger one scores zero."
    ).tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        assignments = getattr(self.parent, "assignments", None)
        if assignments:
            for folder, path in _missing_notebooks(self.parent):
                found = assignments.setdefault(folder, [])
                if path not in found:
                    found.append(path)

    def from_filename(
        self, filename: str, resources: dict[str, Any] | None = None, **kwargs: Any
    ) -> tuple[str, dict[str, Any]]:
        """Read and convert one notebook. `BaseConverter` calls it once to sanitize and once to autograde."""
        path = Path(filename)
        resources = ResourcesDict() if resources is None else resources
        resources["metadata"] = ResourcesDict(name=path.stem, path=str(path.parent))
        try:
            notebook = read_notebook(path, self.max_notebook_bytes)
        except SubmissionFault as fault:
            notebook = new_notebook()
            resources.setdefault("nbgrader", {})[FAULT_KEY] = {"name": fault.name, "sentence": str(fault)}
        return self.from_notebook_node(notebook, resources, **kwargs)


class RestoreCells(NbGraderPreprocessor):
    """Puts the instructor's labelled cells back into a submission, below a note that says what was mended.

    Stands first among `Autograde.sanitize_preprocessors`: nbgrader's own preprocessors then meet nothing that
    makes them give up. For a file that could not be read, the notebook is the instructor's graded and locked
    cells, and `nb.metadata["gradebox"]["fault"]` tells `GradedExecute` not to run it.
    """

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Mend the notebook. Called by the exporter, in the first of autograde's two passes."""
        record = instructor_cells(resources)
        fault = resources["nbgrader"].get(FAULT_KEY)
        nb.metadata.pop(METADATA_KEY, None)  # a student's own words about the grading do not count
        if fault:
            nb.metadata[METADATA_KEY] = NotebookNode(fault=NotebookNode(fault))
            nb.cells, reasons = [cell.as_cell() for cell in record if cell.protected], [fault["sentence"]]
        else:
            nb.cells, reasons = mend(nb.cells, record)
        if reasons:
            nb.cells.insert(0, _note(reasons))
        if nb.nbformat_minor < 5:
            for cell in nb.cells:
                cell.pop("id", None)  # cells have ids only from format 4.5 on
        place = resources["nbgrader"]
        where = f"{place['student']}, {place['assignment']}/{place['notebook']}"
        for reason in reasons:
            self.log.warning("%s: %s", where, reason)
        return nb, resources
