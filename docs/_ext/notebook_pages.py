"""Notebooks as pages: what a student sees, and the executed solution with its answers behind a click.

Enters: the text of a page's file, which names a notebook by its path below the course's folder. Leaves: that
notebook, changed for reading only: what only graders need and what a reader should predict first is folded, figures
have alt texts, and a slider stands still. The notebooks' own files are never written to.
"""

from __future__ import annotations

import base64
import io
import logging
import re
from collections.abc import Sequence
from copy import deepcopy
from functools import cache
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from PIL import Image

__all__ = ["lesson", "solution"]

ROOT = Path(__file__).resolve().parents[2]
PNG = "image/png"
ANSWER = "answer"  # the tag of a model answer, which no release has
SLIDER = "ipywidgets.interact("
STOPS, COLUMNS = 9, 5
# Run before the cells of a notebook, so that a slider is drawn at its stops, one after the other.
STANDING_STILL = f"""
import ipywidgets

def interact(function, **sliders):
    ((name, slider),) = sliders.items()
    for stop in range({STOPS}):
        function(**{{name: slider.min + (slider.max - slider.min) * stop // {STOPS - 1}}})

ipywidgets.interact = interact
"""

# What a reader who does not see a figure is told of it, by the function in `augcourse.plots` that draws it.
FIGURES = {
    "ablation": "the gain of each augmentation over the baseline, every run a point, with its 95 % interval",
    "confusion": "a confusion matrix of true digits and predictions",
    "dial": "the gain over the baseline against the strength of a recipe",
    "dots": "a row of dots for each case, one for each run",
    "gallery": "digits, and below them the same digits transformed",
    "learning_curves": "accuracy against optimiser steps, in training and in validation",
    "line_with_points": "accuracy in percent as a line through the means of several runs",
    "recall_by_digit": "the recall of both models for each digit",
    "sample_grid": "digits with their labels",
    "show": "digits",
}


def lesson(text: str) -> NotebookNode:
    """The release notebook named by `text`; where a cell is the solution's too, with its outputs, folded."""
    path = Path(text.strip())
    notebook, solved = _read(path), _read("solutions" / path.relative_to("release"))
    shared = [cell for cell in solved.cells if ANSWER not in cell.metadata.get("tags", [])]
    for cell, done in zip(notebook.cells, shared, strict=True):
        if _is_locked(cell):
            _fold_locked(cell, "The check")
        elif cell.source == done.source and done.get("outputs"):
            cell.outputs = done.outputs
            _fold(cell, "hide-output", "What this shows, with the course's own answers")
    _describe_figures(notebook.cells)
    _note(
        notebook,
        f"This page shows {{download}}`{path.name} </../{path}>`, the notebook that students work in. What a cell "
        f"shows is folded: predict it first. The answers are in {{doc}}`the solution </solutions/{path.stem}>`.",
    )
    return notebook


def solution(text: str) -> NotebookNode:
    """The executed solution named by `text`, with its answers and tests folded."""
    path = Path(text.strip())
    notebook = _read(path)
    for cell in notebook.cells:
        if _is_locked(cell):
            _fold_locked(cell, "The check and the hidden test")
        elif cell.metadata.get("nbgrader", {}).get("solution"):
            _fold_answer(cell)
        elif ANSWER in cell.metadata.get("tags", []):
            cell.source = _folded_text(re.sub(r"</?(details|summary)[^\n]*\n?", "", cell.source), "A model answer")
    _describe_figures(notebook.cells)
    notebook.cells[0].source = re.sub(r"^# (Step \d+):", r"# \1, solved:", notebook.cells[0].source)
    _note(
        notebook,
        f"This page shows {{download}}`{path.name} </../{path}>`: {{doc}}`the lesson </lessons/{path.stem}>`, executed "
        "with the course's own answers. Answers and tests are folded: try yours first.",
    )
    return notebook


def _read(path: Path) -> NotebookNode:
    return deepcopy(_stored(path))


@cache
def _stored(path: Path) -> NotebookNode:
    notebook = nbformat.read(ROOT / path, as_version=4)
    for position, cell in enumerate(notebook.cells):
        if SLIDER in cell.source and path.is_relative_to("solutions") and not cell.outputs:
            cell.outputs = [_still(notebook.cells[: position + 1])]
    return notebook


def _still(cells: Sequence[NotebookNode]) -> NotebookNode:
    """Run cells up to one with a slider; all its stops in one picture."""
    from augcourse.build import execute

    logging.getLogger("traitlets").setLevel(logging.WARNING)
    code = [deepcopy(cell) for cell in cells if cell.cell_type == "code" and not _is_locked(cell)]
    ran = execute(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(STANDING_STILL), *code]))
    shown = [output.data[PNG] for output in ran.cells[-1].outputs if PNG in output.get("data", {})]
    pictures = [Image.open(io.BytesIO(base64.b64decode(data))) for data in shown]
    width, height = (max(size) for size in zip(*(picture.size for picture in pictures), strict=True))
    sheet = Image.new("RGB", (COLUMNS * width, -(-len(pictures) // COLUMNS) * height), "white")
    for place, picture in enumerate(pictures):
        row, column = divmod(place, COLUMNS)
        sheet.paste(picture, (column * width + (width - picture.width) // 2, row * height))
    data = io.BytesIO()
    sheet.save(data, "PNG")
    return nbformat.v4.new_output("display_data", {PNG: base64.b64encode(data.getvalue()).decode()})


def _is_locked(cell: NotebookNode) -> bool:
    return bool(cell.metadata.get("nbgrader", {}).get("locked"))


def _exercise(cell: NotebookNode) -> str:
    return str(cell.metadata.nbgrader.grade_id).removesuffix("_test").removesuffix("_handin")


def _fold_locked(cell: NotebookNode, what_a_test_is: str) -> None:
    what = what_a_test_is if cell.metadata.nbgrader.grade else "The locked cell that hands in"
    _fold(cell, "hide-input", f"{what}: {_exercise(cell)}")


def _fold_answer(cell: NotebookNode) -> None:
    if cell.cell_type == "code":
        _fold(cell, "hide-input", f"An answer: {_exercise(cell)}")
    else:
        text = re.sub(r"<!-- ### (BEGIN|END) SOLUTION -->\n?", "", cell.source)
        cell.source = _folded_text(text, f"An answer: {_exercise(cell)}")


def _folded_text(text: str, title: str) -> str:
    return f"````{{admonition}} {title}\n:collapsible: closed\n\n{text.strip()}\n````"


def _fold(cell: NotebookNode, tag: str, prompt: str) -> None:
    cell.metadata["tags"] = [*cell.metadata.get("tags", []), tag]
    _options(cell).update(code_prompt_show=prompt, code_prompt_hide=prompt)


def _options(cell: NotebookNode) -> NotebookNode:
    return cell.metadata.setdefault("mystnb", NotebookNode())


def _note(notebook: NotebookNode, text: str) -> None:
    for cell in notebook.cells:  # JupyterLab's anchors keep capital letters, the site's do not
        if cell.cell_type == "markdown":
            cell.source = cell.source.replace("](#Words)", "](#words)")
    title, _, rest = notebook.cells[0].source.partition("\n")
    notebook.cells[0].source = f"{title}\n\n```{{note}}\n{text}\n```\n{rest}"


def _describe_figures(cells: Sequence[NotebookNode]) -> None:
    """Give figures without an alt text one: the section that they stand in, and what draws them."""
    heading = ""
    for cell in cells:
        if cell.cell_type == "markdown":
            heading = ([heading, *re.findall(r"^#+ (?:\d+\. )?(.+)$", cell.source, re.M)])[-1]
        elif any(PNG in output.get("data", {}) for output in cell.get("outputs", [])):
            shown = [output.get("metadata", {}).get(PNG, {}) for output in cell.outputs]
            own = [each["alt"] for each in shown if "alt" in each]
            alt = own[0] if own else f"{_drawn_by(cell.source)}. Section: {heading}"
            _options(cell).setdefault("image", NotebookNode(alt=alt))


def _drawn_by(source: str) -> str:
    if SLIDER in source:
        return f"The slider at {STOPS} stops, from its least to its greatest value"
    names = dict.fromkeys(re.findall(r"\bplots\.(\w+)\(", source))
    drawn = [FIGURES[name] for name in names if name in FIGURES] or ["what the cell draws"]
    labels = re.findall(r"""(?:xlabel=|ylabel=|title=|_title\()"([^"{}]+)\"""", source)
    text = "; ".join([*drawn, *dict.fromkeys(labels)])
    return text[0].upper() + text[1:]
