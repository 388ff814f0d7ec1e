"""How long each step's solution runs: the whole notebook with its figures, and what grading runs of it.

    make bench

Every notebook runs in a fresh kernel. The verdicts' cache is emptied first, so that the times hold for the
first submission of a class; `again` is the time of a later one.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import nbformat
from rich.console import Console
from rich.table import Table

from augcourse import build, data

ROOT = Path(__file__).parents[1]


def seconds(step: str, *, graded: bool) -> float:
    """Wall-clock seconds of one execution of a step's source notebook."""
    notebook = nbformat.read(build.notebook_path(ROOT, "source", step), as_version=4)
    if graded:
        notebook.cells = [cell for cell in notebook.cells if "show" not in cell.metadata.get("tags", [])]
    start = time.perf_counter()
    build.execute(notebook)
    return time.perf_counter() - start


def main() -> None:
    """Print one row per step."""
    console = Console()
    os.environ["AUGCOURSE_DATASET"] = data.DEFAULT
    data.prepare()
    table = Table("step", "everything, first", "graded cells, again", title="seconds per solution, one kernel each")
    total = [0.0, 0.0]
    with tempfile.TemporaryDirectory() as cache:
        os.environ["AUGCOURSE_CACHE_DIR"] = cache
        for step in build.STEPS:
            times = (seconds(step, graded=False), seconds(step, graded=True))
            total = [a + b for a, b in zip(total, times, strict=True)]
            table.add_row(step, *(f"{t:.1f}" for t in times))
    table.add_row("all", *(f"{t:.1f}" for t in total))
    console.print(table)


if __name__ == "__main__":
    main()
