"""From the text of a lesson to its notebooks: lessons → source → release, and source → solutions.

| folder | made from | by |
| --- | --- | --- |
| `lessons/<step>/<step>.py` | a person | an editor |
| `source/<step>/<step>.ipynb` | `lessons/`, or edited in JupyterLab and carried back | jupytext |
| `release/<step>/<step>.ipynb` | `source/` | `nbgrader generate_assignment` |
| `solutions/<step>/<step>.ipynb` | `source/` | execution |

All four are committed; `drift` says where they no longer belong together.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from augcourse.errors import BuildError
from gradebox.commands import programs_of_python

__all__ = [
    "STEPS",
    "copy_release",
    "drift",
    "execute",
    "release_into",
    "source_of",
    "text_of",
    "write_lesson",
    "write_release",
    "write_solution",
    "write_source",
]

STEPS = ("step1_explore", "step2_baseline", "step3_augment", "step4_train", "step5_compare")

METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
SECRETS = ("BEGIN SOLUTION", "END SOLUTION", "BEGIN HIDDEN TESTS", "END HIDDEN TESTS")
TEXT_FORMAT = {
    "extension": ".py",
    "format_name": "percent",
    "cell_metadata_filter": "all,-trusted,-collapsed,-jupyter",
}


def lesson_path(root: Path, step: str) -> Path:
    """The text of a step."""
    return root / "lessons" / step / f"{step}.py"


def notebook_path(root: Path, folder: str, step: str) -> Path:
    """The notebook of a step in `source`, `release` or `solutions`."""
    return root / folder / step / f"{step}.ipynb"


def source_of(text: str) -> NotebookNode:
    """The instructor notebook of a lesson's text: no outputs, and ids that only depend on the text."""
    notebook = jupytext.reads(text, fmt="py:percent")
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for position, cell in enumerate(notebook.cells):
        label = cell.metadata.get("nbgrader", {})
        if cell.cell_type == "code" and label.get("locked"):  # hand-ins and checks: folded, the lesson is in front
            cell.metadata["jupyter"] = nbformat.from_dict({"source_hidden": True})
        cell["id"] = cell.metadata.get("nbgrader", {}).get("grade_id", f"cell-{position:02d}")
    nbformat.validate(notebook)
    return notebook


def text_of(notebook: NotebookNode) -> str:
    """The lesson's text of an instructor notebook."""
    bare = nbformat.from_dict({**notebook, "metadata": {"kernelspec": METADATA["kernelspec"]}})
    bare.metadata["jupytext"] = {"notebook_metadata_filter": "kernelspec,-jupytext"}
    return jupytext.writes(bare, fmt=TEXT_FORMAT)


def write_source(root: Path, step: str) -> Path:
    """`lessons/` → `source/`."""
    return _write(source_of(_read_text(lesson_path(root, step))), notebook_path(root, "source", step))


def write_lesson(root: Path, step: str) -> Path:
    """`source/` → `lessons/`, after an edit in JupyterLab."""
    path = lesson_path(root, step)
    path.write_text(text_of(_read_notebook(notebook_path(root, "source", step))), encoding="utf-8")
    return path


def write_release(root: Path, steps: Iterable[str] = STEPS) -> None:
    """`source/` → `release/`, and the gradebook's record of every step, with nbgrader's own command."""
    for step in steps:
        _nbgrader(root, "generate_assignment", step, "--create", "--force")
        notebook = _read_notebook(notebook_path(root, "release", step))
        if leak := next((word for word in SECRETS if word in nbformat.writes(notebook)), None):
            raise BuildError(f"release/{step} still contains {leak!r}; look at the cell's nbgrader metadata")


def release_into(root: Path, work: Path, steps: Iterable[str] = STEPS) -> None:
    """Make `release/` from `root`'s `source/` inside another folder, with a gradebook of its own."""
    shutil.copy(root / "nbgrader_config.py", work)
    for step in steps:
        shutil.copytree(root / "source" / step, work / "source" / step, ignore=_leftovers)
    write_release(work, steps)


def copy_release(work: Path, root: Path, step: str) -> None:
    """Take over the release that `release_into` made in `work`; an instructor's gradebook stays untouched."""
    _write(_read_notebook(notebook_path(work, "release", step)), notebook_path(root, "release", step))


def write_solution(root: Path, step: str) -> Path:
    """`source/` → `solutions/`, executed."""
    notebook = execute(_read_notebook(notebook_path(root, "source", step)))
    return _write(notebook, notebook_path(root, "solutions", step))


def execute(notebook: NotebookNode, timeout_s: int = 300) -> NotebookNode:
    """Run a notebook in an empty folder and return it with its outputs: no time stamps and no widgets.

    Raises:
        BuildError: a cell raised, or wrote to stderr, which a reader would see in red; the error names it.
    """
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook, timeout=timeout_s, record_timing=False, resources={"metadata": {"path": folder}}
        )
        try:
            client.execute()
        except CellExecutionError as error:
            raise BuildError(f"a solution does not run:\n{error}") from None
    for cell in notebook.cells:
        if cell.cell_type == "code":
            # The view of a widget names a model that lives in this kernel alone, by a random id.
            cell.outputs = [out for out in cell.outputs if WIDGET_VIEW not in out.get("data", {})]
            if red := [out.text.strip() for out in cell.outputs if out.get("name") == "stderr" and out.text.strip()]:
                raise BuildError(f"cell {cell.id} writes to stderr, which a reader sees in red:\n{red[0][:2000]}")
    notebook.metadata = nbformat.from_dict(METADATA)
    return notebook


def drift(root: Path, steps: Sequence[str] = STEPS) -> Iterator[str]:
    """Sentences that say where lessons, source, release and solutions no longer belong together."""
    for step in steps:
        text = _read_text(lesson_path(root, step))
        source = _read_notebook(notebook_path(root, "source", step))
        if nbformat.writes(source_of(text)) != nbformat.writes(source):
            yield f"source/{step} differs from lessons/{step}: run `make build`"
        if text_of(source) != text:
            yield f"lessons/{step} differs from source/{step} carried back: run `augcourse build --from source`"
        if any(cell.get("outputs") for cell in source.cells):
            yield f"source/{step} holds outputs: run `make build`"
        yield from _drift_of_solution(root, step, source)
    with tempfile.TemporaryDirectory() as folder:
        release_into(root, Path(folder), steps)
        for step in steps:
            committed, made = (_read_notebook(notebook_path(base, "release", step)) for base in (root, Path(folder)))
            if nbformat.writes(committed) != nbformat.writes(made):
                yield f"release/{step} differs from source/{step}: run `make build`"
            if any(cell.get("outputs") for cell in committed.cells):
                yield f"release/{step} holds outputs: run `make build`"
            if any(word in nbformat.writes(committed) for word in SECRETS):
                yield f"release/{step} contains solution code or hidden tests: run `make build`"


def _drift_of_solution(root: Path, step: str, source: NotebookNode) -> Iterator[str]:
    solution = _read_notebook(notebook_path(root, "solutions", step))
    if [cell.source for cell in solution.cells] != [cell.source for cell in source.cells]:
        yield f"solutions/{step} differs from source/{step}: run `make build`"
    if any(out.output_type == "error" for cell in solution.cells for out in cell.get("outputs", [])):
        yield f"solutions/{step} stopped with an error: run `make build`"
    if not any(cell.get("outputs") for cell in solution.cells):
        yield f"solutions/{step} was never executed: run `make build`"


def _leftovers(_folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name in {".ipynb_checkpoints", "handin"}]


def _nbgrader(root: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "nbgrader", *arguments]
    with programs_of_python():
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        last = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()][-3:]
        raise BuildError(f"nbgrader {' '.join(arguments)} failed: {' | '.join(last)}")


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise BuildError(f"{path} cannot be read: {error.strerror}") from None


def _read_notebook(path: Path) -> NotebookNode:
    try:
        return nbformat.read(path, as_version=4)
    except OSError as error:
        raise BuildError(f"{path} cannot be read: {error.strerror}; run `make build`") from None
    except Exception as error:
        raise BuildError(f"{path} is not a notebook ({error}); run `make build`") from None


def _write(notebook: NotebookNode, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path
