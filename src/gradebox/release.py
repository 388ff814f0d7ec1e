"""What a student gets: answers to fill in stay as they are, without nbgrader's stub below them."""

from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import ClearSolutions, NbGraderPreprocessor
from nbgrader.utils import is_solution
from traitlets import List, Unicode

__all__ = ["FillIn"]


class FillIn(NbGraderPreprocessor):
    """Takes the stub out of answer cells that are forms: what stands above the solution is what a student fills in.

    For `c.GenerateAssignment.preprocessors`, after `ClearSolutions` and before `ComputeChecksums`. Stock nbgrader puts
    a stub in the place of every solution, and its last line, `raise NotImplementedError()`, would stop a form.
    """

    tags = List(Unicode(), ["fill-in"], help="Answer cells with one of these tags are forms.").tag(config=True)

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Take the stub out of one cell. Called by the exporter, for each."""
        if is_solution(cell) and set(self.tags) & set(cell.metadata.get("tags", [])):
            stub = ClearSolutions(config=self.config).code_stub["python"]
            cell.source = cell.source.replace(stub, "").rstrip()
        return cell, resources
