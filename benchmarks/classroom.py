"""Stock `nbgrader autograde` and `gradebox grade` on one sample class, in one run, with real training.

    make bench

Stock grades as anyone would run it today: one command for each step, all marks from one kernel for each notebook, every
cell run. Both start from the same release, the same submissions and the same cache of the class's baselines, each with
a copy of its own. Every student hands in a recipe of his own in step 4, so that no verdict is found ready.

The floor is what the student's own cells compute, without the cells that only show: timed cell by cell in a plain
kernel that has imported everything, on one core, one submission after the other, for the first students of the class.
What the graded cells compute there, the verdicts' retraining above all, is a floor of its own. One worker is timed
twice: with the machine to itself, as it would run, and kept to one core, as the floor is and as each of two workers.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated

import nbformat
import psutil  # type: ignore[import-untyped]
import typer
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell
from nbgrader.api import Gradebook
from rich.console import Console
from rich.table import Table

from augcourse import build, data, samples

ROOT = Path(__file__).parents[1]
STOCK_CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "data-augmentation"
c.ExecutePreprocessor.timeout = 600
# stock takes a line on stderr for a failed test, and TensorFlow writes there
c.Execute.extra_arguments = ["--IPKernelApp.exec_lines=import os, sys; os.dup2(1, 2); sys.stderr = sys.stdout"]
"""
FLOOR_STUDENTS = 2
LOOK_S = 5.0  # looking at the memory of all processes takes a tenth of a second and more, of the time that is measured
RUNS = {"two": (2, False), "one": (1, False), "core": (1, True)}
"""Runs of `gradebox grade`: name → (workers, kept to one core)."""
IMPORTS = "import tensorflow_datasets, cv2, scipy.stats, ipywidgets, matplotlib.pyplot\n" + "\n".join(
    f"import augcourse.{name}"
    for name in ("checks", "handin", "measure", "plots", "probes", "results", "start", "train", "trial")
)


def students(count: int) -> dict[str, dict[str, tuple[samples.Edit, ...]]]:
    """Name → step → edits: everyone the solutions, with a recipe of his own."""
    return {
        f"student{number}": {
            "step4_train": (("        rotate=(-12, 12),\n", f"        rotate=(-{8 + number}, {8 + number}),\n"),)
        }
        for number in range(1, count + 1)
    }


def make_course(folder: Path, config: str, count: int, steps: Sequence[str]) -> None:
    """A course with everybody's submissions, and nothing graded."""
    (folder / "nbgrader_config.py").write_text(config)
    for step in steps:
        source = folder / "source" / step
        source.mkdir(parents=True)
        shutil.copy(build.notebook_path(ROOT, "source", step), source)
        command([sys.executable, "-m", "nbgrader", "generate_assignment", step], folder, {})
        for student, work in students(count).items():
            place = folder / "submitted" / student / step
            place.mkdir(parents=True)
            nbformat.write(samples.submission(ROOT, step, work.get(step, ())), place / f"{step}.ipynb")


def command(
    words: Sequence[str], folder: Path, environment: Mapping[str, str], one_core: bool = False
) -> tuple[float, str]:
    """Wall-clock seconds of a command that must succeed, and what it printed."""
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    started = time.perf_counter()
    with kept_to_one_core() if one_core else nullcontext():
        done = subprocess.run(
            words,
            cwd=folder,
            env={**os.environ, "PATH": programs, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode not in (0, 3):
        raise SystemExit(f"{' '.join(words)} failed:\n{done.stderr[-3000:]}")
    return time.perf_counter() - started, done.stdout


@contextmanager
def kept_to_one_core() -> Iterator[None]:
    """While this runs, this thread and what it starts have one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def peak_memory() -> Iterator[list[int]]:
    """While this runs: the largest proportional set size of all processes below this one together, in bytes."""
    peak, stop = [0], threading.Event()

    def watch() -> None:
        while not stop.wait(LOOK_S):
            peak[0] = max(peak[0], _pss_below(psutil.Process()))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        stop.set()
        thread.join()


def _pss_below(process: psutil.Process) -> int:
    total = 0
    for each in process.children(recursive=True):
        with suppress(psutil.Error):
            total += each.memory_full_info().pss
    return total


def marks(folder: Path, count: int, steps: Sequence[str]) -> dict[tuple[str, str, str], float]:
    """(student, step, cell) → automatic points."""
    found = {}
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as gradebook:
        for student in students(count):
            for step in steps:
                for grade in gradebook.find_submission_notebook(step, step, student).grades:
                    if grade.cell_type == "code":
                        found[student, step, grade.name] = float(grade.auto_score or 0)
    return found


def floors(folder: Path, steps: Sequence[str]) -> tuple[float, float]:
    """Seconds per submission that (the student's own cells, the graded cells) compute."""
    own, graded, number = 0.0, 0.0, 0
    for student in list(students(FLOOR_STUDENTS)):
        for step in steps:
            release = nbformat.read(folder / "source" / step / f"{step}.ipynb", as_version=4)
            tests = {cell["id"]: cell for cell in release.cells}
            notebook = nbformat.read(folder / "submitted" / student / step / f"{step}.ipynb", as_version=4)
            notebook.cells = [cell for cell in notebook.cells if "show" not in cell.metadata.get("tags", [])]
            for cell in notebook.cells:
                if cell.metadata.get("nbgrader", {}).get("grade") and cell["id"] in tests:
                    cell.source = tests[cell["id"]].source
            notebook.cells.insert(0, new_code_cell(IMPORTS))
            with tempfile.TemporaryDirectory() as place, kept_to_one_core():
                client = NotebookClient(notebook, timeout=600, resources={"metadata": {"path": place}})
                client.on_cell_execute = show_digits
                client.execute()
            number += 1
            for cell in notebook.cells[1:]:
                if cell.cell_type == "code":
                    seconds = _seconds(cell.metadata["execution"])
                    if _is_graded(cell):
                        graded += seconds
                    else:
                        own += seconds
    return own / number, graded / number


def show_digits(cell: nbformat.NotebookNode, **_: object) -> None:
    """Let a graded cell, and no other, find decoded digits in the cache, as where it is graded."""
    shown = Path(os.environ["AUGCOURSE_CACHE_DIR"], "digits")
    hidden = shown.with_name("hidden")
    now, then = (hidden, shown) if _is_graded(cell) else (shown, hidden)
    if now.exists():
        now.rename(then)


def _is_graded(cell: nbformat.NotebookNode) -> bool:
    return bool(cell.metadata.get("nbgrader", {}).get("grade"))


def _seconds(times: Mapping[str, str]) -> float:
    begin, end = (datetime.fromisoformat(times[f"iopub.status.{what}"]) for what in ("busy", "idle"))
    return (end - begin).total_seconds()


def main(
    count: Annotated[int, typer.Option("--students", min=FLOOR_STUDENTS, help="students of the class")] = 8,
    step: Annotated[list[str] | None, typer.Option(help="only these steps")] = None,
    stock_students: Annotated[
        int | None, typer.Option(min=1, help="students that stock grades; it takes most of the time [all]")
    ] = None,
) -> None:
    """Grade the sample class with stock, two workers and one; print what each costs."""
    console = Console(width=110)
    steps = step or list(build.STEPS)
    of_stock = min(count, stock_students or count)
    many, many_of_stock = count * len(steps), of_stock * len(steps)
    os.environ["AUGCOURSE_DATASET"] = data.DEFAULT
    data.prepare()
    with tempfile.TemporaryDirectory(prefix="bench-", dir="/tmp") as work:
        caches = {name: Path(work, f"cache-{name}") for name in ("filled", "stock", *RUNS, "floor")}
        command([sys.executable, "-m", "augcourse.cli", "baselines"], ROOT, _cache(caches["filled"]))
        for cache in list(caches.values())[1:]:
            shutil.copytree(caches["filled"], cache)
        courses = {name: Path(work, name) for name in ("stock", *RUNS)}
        for name, folder in courses.items():
            folder.mkdir()
            config = STOCK_CONFIG if name == "stock" else (ROOT / "nbgrader_config.py").read_text()
            make_course(folder, config, of_stock if name == "stock" else count, steps)
        took, peak = {}, {}
        for name, (workers, one_core) in RUNS.items():
            where = " on one core" if one_core else ""
            console.print(f"gradebox grade, {workers} workers{where}: {many} submissions", style="dim")
            words = [sys.executable, "-m", "gradebox.cli", "grade", *steps, "--json", "--workers", str(workers)]
            with peak_memory() as peak[name]:
                took[name], said = command(words, courses[name], _cache(caches[name]), one_core)
            failed = [row for row in map(json.loads, said.splitlines()) if row["status"] != "graded"]
            if failed:
                raise SystemExit(f"the grader failed: {failed[0]}")
            console.print(f"{took[name] / many:.2f} s each")
        console.print(f"stock: {many_of_stock} submissions", style="dim")
        autograde = [sys.executable, "-m", "nbgrader", "autograde"]
        with peak_memory() as peak["stock"]:  # looked at as often as the others, so that it costs them all the same
            took["stock"] = sum(
                command([*autograde, step], courses["stock"], _cache(caches["stock"]))[0] for step in steps
            )
        console.print(f"{took['stock'] / many_of_stock:.2f} s each")
        console.print("floor", style="dim")
        os.environ.update(_cache(caches["floor"]))
        own, graded = floors(courses["two"], steps)
        given = {name: marks(folder, of_stock if name == "stock" else count, steps) for name, folder in courses.items()}
    table = Table("", "seconds per submission", title=f"{count} students, {len(steps)} steps, wall clock")
    table.add_row(f"stock nbgrader autograde, {of_stock} students", f"{took['stock'] / many_of_stock:.2f}")
    table.add_row("gradebox grade, two workers", f"{took['two'] / many:.2f}")
    table.add_row("gradebox grade, one worker", f"{took['one'] / many:.2f}")
    table.add_row("gradebox grade, one worker on one core", f"{took['core'] / many:.2f}")
    table.add_row("floor: the student's own cells, on one core", f"{own:.2f}")
    table.add_row("floor: the graded cells, on one core", f"{graded:.2f}")
    console.print(table)
    compared = {key: {marks[key] for marks in given.values() if key in marks} for key in given["two"]}
    differing = sorted(key for key, found in compared.items() if len(found) > 1)
    ratios = Table("", "", title="ratios of this run")
    ratios.add_row("throughput, two workers over stock", f"{took['stock'] / many_of_stock / (took['two'] / many):.2f}")
    ratios.add_row("throughput, two workers over one", f"{took['one'] / took['two']:.2f}")
    ratios.add_row("throughput, two workers over one on one core", f"{took['core'] / took['two']:.2f}")
    per_core = took["core"] / many
    ratios.add_row("one worker on one core over the student's own cells", f"{per_core / own:.2f}")
    ratios.add_row("… over the student's own and the graded cells", f"{per_core / (own + graded):.2f}")
    megabytes = {name: highest[0] / 1e6 for name, highest in peak.items()}
    ratios.add_row("peak memory of stock, all processes (PSS)", f"{megabytes['stock']:.0f} MB")
    ratios.add_row("peak memory with one worker, all processes (PSS)", f"{megabytes['one']:.0f} MB")
    ratios.add_row("an additional worker's memory", f"{megabytes['two'] - megabytes['one']:.0f} MB")
    ratios.add_row(
        "marks that differ", f"{len(differing)} of {len(compared)}, of which stock gave {len(given['stock'])}"
    )
    console.print(ratios)
    for key in differing:
        console.print(" ".join(key), *(marks.get(key) for marks in given.values()))


def _cache(folder: Path) -> dict[str, str]:
    return {"AUGCOURSE_CACHE_DIR": str(folder)}


if __name__ == "__main__":
    typer.run(main)
