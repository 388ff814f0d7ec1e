"""Graded cells run where no student code ever ran.

Enters: the instructor's graded cells, as the gradebook has them, and a folder with hand-ins and support files.
Leaves: the same cells with their outputs. Nothing of a submission is code here: no cell, no label, no file that
Python imports. Whatever stops this kernel is a failure of the grader.

`run_trusted` starts a kernel and ends it. A kernel that serves several notebooks would take its place, with
the same arguments and the same result.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_output
from traitlets import Integer
from traitlets.config import Config

from gradebox.client import PromptKernelManager
from gradebox.errors import GraderFailed
from gradebox.intake import InstructorCell

__all__ = ["TrustedRun", "bound_result", "check_runs", "run_trusted"]

KERNEL_SETTINGS = ("Provisioner", "KernelSpecManager")  # the rest of a configuration is for the student kernel
# These say that a test does not run, and not that an answer is wrong: nothing handed in is code here.
GRADERS_OWN = ("NameError", "ImportError", "ModuleNotFoundError", "SyntaxError", "IndentationError", "TabError")


@dataclass(frozen=True)
class TrustedRun:
    """Where graded cells run. `cell_timeout_s` is one cell's; the bytes are of all outputs, counted as JSON."""

    kernel_name: str
    folder: Path
    environment: Mapping[str, str]
    cell_timeout_s: int
    max_output_bytes: int


class _Client(NotebookClient):
    """Runs cells, and counts what they say."""

    bytes_left = Integer()

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        """Take one message of the running cell. Called by nbclient, for each."""
        self.bytes_left -= len(str(msg["content"]))
        if self.bytes_left < 0:
            raise GraderFailed("the graded cells wrote too much output")
        return super().process_message(msg, cell, cell_index)


def _note_error(cell: NotebookNode, execute_reply: dict[str, Any], **_: Any) -> None:
    """Keep the error of a cell that shows none. Called by nbclient when a cell failed."""
    if not any(output.output_type == "error" for output in cell.outputs):
        reply = execute_reply["content"]
        cell.outputs.append(new_output("error", ename=reply["ename"], evalue=reply["evalue"], traceback=[]))


def run_trusted(cells: Sequence[InstructorCell], run: TrustedRun, config: Config) -> list[NotebookNode]:
    """Run the cells in order, in one fresh kernel, which is dead on return; return them with their outputs.

    `config` holds the settings of the kernel's provisioner. Raises `GraderFailed` if the kernel does not start,
    dies, takes too long or writes too much.
    """
    notebook = new_notebook(cells=[new_code_cell(cell.source) for cell in cells])
    client = _Client(
        notebook,
        config=Config({name: config[name] for name in config if name.endswith(KERNEL_SETTINGS)}),
        resources={"metadata": {"path": str(run.folder)}},
        kernel_name=run.kernel_name,
        kernel_manager_class=PromptKernelManager,
        timeout=run.cell_timeout_s,
        interrupt_on_timeout=False,
        allow_errors=True,
        on_cell_error=_note_error,
        shutdown_kernel="immediate",
        skip_cells_with_tag="",
        bytes_left=run.max_output_bytes,
    )
    where = f"the trusted kernel '{run.kernel_name}'"
    try:
        with client.setup_kernel(env=dict(run.environment)):
            for index, cell in enumerate(notebook.cells):
                where = f"the trusted kernel '{run.kernel_name}', in the cell {cells[index].name},"
                client.execute_cell(cell, index)
    except GraderFailed:
        raise
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise GraderFailed(f"{where} failed: {type(error).__name__}: {reason}; grade again") from error
    return notebook.cells


def check_runs(name: str, outputs: Sequence[NotebookNode]) -> None:
    """Raise `GraderFailed` if an error among the outputs of the graded cell `name` is the test's own."""
    for output in outputs:
        if output.output_type == "error" and output.ename in GRADERS_OWN:
            problem = f"the graded cell {name} does not run by itself: {output.ename}: {output.evalue}"
            raise GraderFailed(f"{problem}; it sees hand-ins and support files only: mend it in source/")


def bound_result(output: NotebookNode, points: float) -> NotebookNode:
    """Keep a number that a graded cell ends in between 0 and its points.

    nbgrader takes such a number for the mark, gives all points for a negative one or NaN, and stops at one above
    the points.
    """
    try:
        number = float(output.data.get("text/plain", ""))
    except (AttributeError, TypeError, ValueError):
        return output
    output.data["text/plain"] = str(min(number, points) if math.isfinite(number) and number > 0 else 0.0)
    return output
