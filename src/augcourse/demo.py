"""The sample class, graded from end to end in a throw-away copy of the course.

Every stage is a command that an instructor has: nbgrader's generate_assignment, zip_collect, generate_feedback and
export, and between them `gradebox grade`, which runs as it does for an instructor, in a process and with a progress
bar of its own.
"""

from __future__ import annotations

import contextlib
import json
import logging
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nbformat
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from augcourse import build, folders, samples
from augcourse.errors import BuildError
from gradebox.border import last_words
from gradebox.commands import programs_of_python

__all__ = ["run"]

HANDED_IN_AT = "2026-01-12-09-00-00"
RESULTS_FOR_ALL, INTERRUPTED = (0, 3, 4), 130  # exit codes of `gradebox grade`: every submission has its result


def run(
    root: Path,
    folder: Path,
    students: Sequence[samples.Student] = samples.CLASS,
    steps: Sequence[str] = build.STEPS,
) -> int:
    """Grade a sample class inside `folder`, and print students × steps.

    Returns:
        0 if every submission was marked, 1 if the grader failed on one.

    Raises:
        BuildError: `folder` holds something that no demonstration made.
    """
    console = Console()
    folders.settle(root)  # the copy is graded on the course's own data, wherever it lies
    _make_course(root, folder)
    submissions = [(step, s) for step in steps for s in students if step in s.work or step in s.lost]
    with contextlib.chdir(folder), programs_of_python(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="nbgrader")
        # nbgrader's converters also log through traitlets; what matters of it comes back as the result of a call.
        logging.getLogger("traitlets").setLevel(logging.CRITICAL)
        api = _nbgrader_api()
        with _progress(console) as bar:
            _stage(bar, "releasing the steps", steps, lambda s: _must(api.generate_assignment(s), s))
            _stage(bar, "collecting", steps, lambda step: _collect(root, students, step))
        failures = _grade(console, steps)
        marked = [(step, s) for step, s in submissions if (s.name, step) not in failures]
        with _progress(console) as bar:
            _stage(bar, "writing feedback", marked, lambda w: _must(api.generate_feedback(w[0], w[1].name), w[0]))
            _stage(bar, "exporting grades.csv", [None], lambda _: _export())
        table, notes = _table(api, students, steps, failures)
    console.print(table)
    for note in notes:
        console.print(note, style="dim", highlight=False)
    where = folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
    console.print(f"feedback: {where}/feedback/<student>/<step>/<step>.html   grades: {where}/grades.csv")
    return 1 if failures else 0


def _make_course(root: Path, folder: Path) -> None:
    marker = folder / ".demo"
    if folder.exists() and any(folder.iterdir()) and not marker.exists():
        raise BuildError(f"{folder} is not empty and no demonstration made it: choose another --folder")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    marker.touch()
    shutil.copy(root / "nbgrader_config.py", folder)
    shutil.copytree(root / "source", folder / "source", ignore=shutil.ignore_patterns("handin", ".ipynb_checkpoints"))


def _collect(root: Path, students: Sequence[samples.Student], step: str) -> None:
    """Lay the students' files out as a learning management system would, and let nbgrader collect them."""
    from nbgrader.apps import ZipCollectApp

    archive = Path("downloaded") / step / "archive"
    archive.mkdir(parents=True)
    for student in students:
        stem = f"{step}_{student.name}_attempt_{HANDED_IN_AT}"
        if step in student.lost:
            nbformat.write(nbformat.v4.new_notebook(), archive / f"{stem}_Untitled.ipynb")
        elif student.untouched and step in student.work:
            shutil.copy(build.notebook_path(Path(), "release", step), archive / f"{stem}_{step}.ipynb")
        elif step in student.work:
            notebook = samples.submission(root, step, student.work[step])
            nbformat.write(notebook, archive / f"{stem}_{step}.ipynb")
    _nbgrader_app(ZipCollectApp, [step, "--force"])


def _grade(console: Console, steps: Sequence[str]) -> dict[tuple[str, str], str]:
    """Run the instructor's command, seen by whoever runs this; return (student, step) → why the grader failed."""
    words = ["grade", *steps, "--json"]
    console.print("$ gradebox " + " ".join(words), highlight=False, soft_wrap=True)
    command = [sys.executable, "-m", "gradebox.cli", *words]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode == INTERRUPTED:
        raise KeyboardInterrupt
    if done.returncode not in RESULTS_FOR_ALL:
        raise BuildError(f"`gradebox grade` ended with exit code {done.returncode}; what it said stands above")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return {(row["student"], row["step"]): row["reason"] for row in rows if row["status"] != "graded"}


def _table(
    api: Any, students: Sequence[samples.Student], steps: Sequence[str], failures: dict[tuple[str, str], str]
) -> tuple[Table, list[str]]:
    table = Table(title="automatic marks", title_justify="left")
    table.add_column("student")
    for step in steps:
        table.add_column(step.replace("_", "\n"), justify="right")
    notes = [f"{student.name}: {student.point}" for student in students]
    marks = {(s["student"], s["name"]): s for step in steps for s in api.get_submissions(step)}
    for student in students:
        cells = []
        for step in steps:
            if (student.name, step) in failures:
                cells.append("grader failed")
                notes.append(f"{student.name}, {step}: {failures[student.name, step]}")
            elif (found := marks.get((student.name, step))) and found["autograded"]:
                cells.append(f"{found['code_score']:g} / {found['max_code_score']:g}")
            else:
                cells.append("–")
        table.add_row(student.name, *cells)
    return table, notes


def _export() -> None:
    from nbgrader.apps import ExportApp

    _nbgrader_app(ExportApp, ["--to", "grades.csv"])


def _nbgrader_api() -> Any:
    from nbgrader.apps import NbGraderAPI
    from traitlets.config import PyFileConfigLoader

    config = PyFileConfigLoader("nbgrader_config.py", path=str(Path.cwd())).load_config()
    return NbGraderAPI(config=config)


def _nbgrader_app(app: Any, arguments: list[str]) -> None:
    instance = app()
    instance.log_level = 40
    instance.initialize(arguments)
    instance.start()


def _must(done: dict[str, Any], what: str) -> None:
    if not done["success"]:
        raise BuildError(f"{what}: nbgrader said: {last_words(done)}")


def _stage(bar: Progress, title: str, items: Any, work: Callable[[Any], object]) -> None:
    items = list(items)
    task = bar.add_task(title, total=len(items))
    for item in items:
        work(item)
        bar.advance(task)


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:>22}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
    )
