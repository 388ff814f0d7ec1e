"""What may be shown of a hidden test: its messages, and nothing else of it.

Enters: a graded notebook, with the hidden tests in its graded cells. Leaves: the same notebook as it may be
shared: the source of a graded cell is the release's, and its outputs are words. `GradedExecute` keeps the
outputs of its trusted kernel in this form to begin with.

Lines that say figures or show pictures (`gradebox.figures`) are for a page's summary and the report, not for reading:
`HideHiddenTests` takes them out of what is shown. They are the one way for a picture out of a graded cell.

What of a graded cell's outputs is a message:

- an error's name and text, without its traceback or the errors that it came from: a traceback quotes the source;
- what was printed to stdout; stderr is a log for the instructor;
- a result that is a number, since nbgrader takes it for a part of the points. Other results and displays,
  pictures among them, may be the data or the reference answers of the test.

A line of text that quotes a line of a hidden test is replaced. The wording of a message is the test's own: one
that states the reference answer tells it.
"""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from typing import Any

from nbconvert.filters import strip_ansi
from nbconvert.preprocessors import CoalesceStreamsPreprocessor
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader import utils
from nbgrader.preprocessors import ClearHiddenTests, NbGraderPreprocessor
from traitlets import List

from gradebox.figures import measurements, pictures, said, without_lines

__all__ = ["HideHiddenTests", "ShowFigures", "cut", "messages", "redact"]

MARKER = "# hidden tests ran here"
REDACTED = "[a line of a hidden test]"
MIN_QUOTE = 8  # characters: shorter lines, such as `else:` or `pass`, say nothing and stand in any text


def cut(source: str, begin: str, end: str) -> tuple[str, list[str]]:
    """Split a cell's source at nbgrader's delimiters: the text to show, and the hidden lines, stripped.

    One line stands for each hidden region. A region without an end reaches to the end of the cell.
    """
    shown: list[str] = []
    hidden: list[str] = []
    inside = False
    for line in source.split("\n"):
        if begin in line:
            inside = True
            shown.append(line[: len(line) - len(line.lstrip())] + MARKER)
        elif end in line:
            inside = False
        elif inside:
            hidden.append(line.strip())
        else:
            shown.append(line)
    return "\n".join(shown), hidden


def redact(text: str, hidden: Iterable[str]) -> str:
    """Replace each line of `text` that quotes a hidden line."""
    quotes = [line for line in hidden if len(line) >= MIN_QUOTE]
    if not quotes:
        return text
    lines = [REDACTED if any(quote in strip_ansi(line) for quote in quotes) else line for line in text.split("\n")]
    return "\n".join(lines)


def messages(outputs: Iterable[NotebookNode], hidden: Sequence[str]) -> list[NotebookNode]:
    """What of a graded cell's outputs may be shown; `hidden` are the lines that must not be quoted."""
    shown = (_message(output, hidden) for output in outputs)
    return [output for output in shown if output is not None]


def _message(output: NotebookNode, hidden: Sequence[str]) -> NotebookNode | None:
    if output.output_type == "error":
        name, text = redact(output.ename, hidden), redact(output.evalue, hidden)
        line = f"\x1b[0;31m{name}\x1b[0m: {text}" if text else f"\x1b[0;31m{name}\x1b[0m"
        return new_output("error", ename=name, evalue=text, traceback=[line])
    if output.output_type == "stream" and output.name == "stdout":
        return new_output("stream", name="stdout", text=redact(output.text, hidden))
    if output.output_type == "execute_result" and _is_number(output.data.get("text/plain", "")):
        data = {"text/plain": output.data["text/plain"]}
        return new_output("execute_result", data=data, execution_count=output.get("execution_count"))
    return None


def _is_number(text: object) -> bool:
    try:
        float(str(text))
    except ValueError:
        return False
    return True


class HideHiddenTests(NbGraderPreprocessor):
    """Leaves the messages of the hidden tests in a graded notebook, and takes the tests out.

    What the graded cells measured and drew goes to `resources["gradebox"]["said"]`, a `gradebox.figures.Said`.

    For `c.GenerateFeedback.preprocessors`, after `GetGrades`. It needs nothing of nbgrader's but the cells'
    labels, so `jupyter nbconvert` makes a copy to share of a notebook below `autograded/`:

        jupyter nbconvert --to notebook --NotebookExporter.preprocessors=gradebox.feedback.HideHiddenTests NOTEBOOK

    The delimiters are those of `c.ClearHiddenTests`. The labels must be the grader's own, which is so below
    `autograded/`, not below `submitted/`.
    """

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Take the hidden tests out of a notebook. Called by the exporter, before the notebook is rendered."""
        delimiters = ClearHiddenTests(config=self.config)
        begin, end = delimiters.begin_test_delimeter, delimiters.end_test_delimeter
        graded = [cell for cell in nb.cells if utils.is_grade(cell) and not utils.is_solution(cell)]
        hidden: list[str] = []
        for cell in graded:
            cell.source, lines = cut(cell.source, begin, end)
            hidden += lines
        for cell in graded:
            if cell.cell_type == "code":
                cell.outputs = messages(cell.outputs, hidden)
        resources.setdefault("gradebox", {})["said"] = said(nb.cells)
        for cell in graded:
            if cell.cell_type == "code":
                _take_lines_out(cell)
        return nb, resources


class ShowFigures(NbGraderPreprocessor):
    """Shows what graded cells measured and drew, in the place of the lines in which they say it.

    For the page on which a person grades: `c.HTMLExporter.preprocessors`.
    """

    display_data_priority = List(help="Not used; nbconvert sets it for every preprocessor.").tag(config=True)

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], cell_index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Show one cell's figures. Called by the exporter, before the notebook is rendered."""
        if cell.cell_type == "code" and utils.is_grade(cell) and not utils.is_solution(cell):
            text = "".join(output.text for output in cell.outputs if _is_stdout(output))
            _take_lines_out(cell)
            sentences = "".join(f"{each.sentence()}\n" for each in measurements(text))
            if sentences:
                cell.outputs.append(new_output("stream", name="stdout", text=sentences))
            for each in pictures(text):
                drawn = {"image/png": b64encode(each.png).decode()}
                cell.outputs.append(new_output("display_data", data=drawn, metadata={"image/png": {"alt": each.alt}}))
        return cell, resources


def _is_stdout(output: NotebookNode) -> bool:
    return output.output_type == "stream" and output.name == "stdout"


def _take_lines_out(cell: NotebookNode) -> None:
    CoalesceStreamsPreprocessor().preprocess_cell(cell, {}, 0)  # a line may have come in two pieces
    for output in cell.outputs:
        if output.output_type == "stream":
            output.text = without_lines(output.text)
    cell.outputs = [output for output in cell.outputs if output.output_type != "stream" or output.text]
