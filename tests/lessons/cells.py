"""An exercise cell by cell, without nbgrader: what its graded cell gives, and says, on fresh probes.

A lesson's cells run as they stand in the notebook: set-up, the exercise's own cell and its hand-in cell in one
namespace; the graded cell in an empty one, and its last line counts as it does for nbgrader.
"""

from __future__ import annotations

import ast
import contextlib
import io
import os
from dataclasses import dataclass

import matplotlib as mpl
import pytest
from nbformat import NotebookNode

from augcourse import build

from .course import ROOT


@dataclass(frozen=True)
class Outcome:
    """What an exercise earned.

    Attributes:
        points, maximum: of the graded cell.
        message: what it said of what is not right; empty when nothing is lost.
    """

    points: float
    maximum: float
    message: str


def text_of(step: str) -> str:
    return build.lesson_path(ROOT, step).read_text(encoding="utf-8")


def code_cells(text: str) -> list[NotebookNode]:
    return [cell for cell in build.source_of(text).cells if cell.cell_type == "code"]


def exercises(step: str) -> list[str]:
    return [c["id"] for c in code_cells(text_of(step)) if c.metadata.get("nbgrader", {}).get("solution")]


def outcome_of(text: str, exercise: str) -> Outcome:
    """What the graded cell of an exercise gives a lesson's text, as in a class."""
    cells = {cell["id"]: cell for cell in code_cells(text)}
    student: dict[str, object] = {"__name__": "__main__"}
    for cell in list(cells.values())[:2]:
        exec(cell.source, student)
    # A stopped cell is no news here: the hand-in records why it stopped.
    with contextlib.suppress(Exception):
        exec(cells[exercise].source, student)
        exec(cells[f"{exercise}_handin"].source, student)
    graded = cells[f"{exercise}_test"]
    maximum = float(graded.metadata["nbgrader"]["points"])
    try:
        result, printed = _run(graded.source)
    except Exception as error:
        return Outcome(0.0, maximum, f"{type(error).__name__}: {error}")
    points = maximum if result is None else float(str(result))
    assert 0 <= points <= maximum, "a part of the points is a number from 0 to all of them"
    return Outcome(points, maximum, printed if points < maximum else "")


def _run(source: str) -> tuple[object, str]:
    """The value of a cell's last line, which a notebook would show, and what the cell printed."""
    module = ast.parse(source)
    shown = module.body[-1]
    last = ast.Expression(shown.value) if isinstance(shown, ast.Expr) else None
    if last is not None:
        module.body.pop()
    names: dict[str, object] = {"__name__": "__main__"}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(module, "cell", "exec"), names)
        result = eval(compile(last, "cell", "eval"), names) if last else None
    return result, printed.getvalue()


def grade_here(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, folder: os.PathLike[str]) -> None:
    """Let cells run in `folder` as when a class is graded, with probes of their own."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AUGCOURSE_PROBE_SEED", str(int.from_bytes(os.urandom(3), "big")))
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    monkeypatch.chdir(folder)
    mpl.use("agg")


def grouped(dataset: str, step: str, *values: object, **kwargs: str) -> object:
    """A parameter set; tests of one data set and step share a worker, and with it what was trained."""
    return pytest.param(dataset, step, *values, marks=pytest.mark.xdist_group(f"{dataset}-{step}"), **kwargs)
