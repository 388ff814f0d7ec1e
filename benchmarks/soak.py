"""A large class of stub submissions: what the coordinator costs for each, and whether kills lose or double a result.

    python -m benchmarks.soak [--submissions 1000] [--kills 20]

No notebook is executed, so what is left is nbgrader's own work on two workers, and the coordinator's. The class is
graded twice by `gradebox grade`: once quietly, and once with workers killed (SIGKILL) after results drawn at random,
and the coordinator killed and started again three times. Exit code 1 says that results differ, or are not one each.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import nbformat
import typer
from nbgrader.api import Gradebook
from rich.console import Console
from rich.table import Table
from tests.gradebox.conftest import HONEST, Course, answered
from tests.gradebox.test_classroom import STUB_CONFIG, make_course, stored, workers_of

COORDINATOR_KILLS = 3
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Seen:
    """The coordinator when it had reported a result: its process's time on a processor, and resident bytes."""

    row: dict[str, Any]
    clock_s: float
    processor_s: float
    resident_bytes: int


@dataclass(frozen=True)
class Disturbed:
    """What came of a class that was killed at."""

    worker_kills: int
    coordinator_kills: int
    graded: Counter[str]
    last_run: list[str]


def start(course: Course) -> subprocess.Popen[str]:
    """The instructor's command, on two workers."""
    command = [sys.executable, "-m", "gradebox.cli", "grade", "sums", "--json", "--workers", "2"]
    return subprocess.Popen(command, cwd=course.root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def rows(process: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    """Its results as they are committed; a line that a kill cut off is none."""
    assert process.stdout is not None
    for line in process.stdout:
        with suppress(json.JSONDecodeError):
            yield json.loads(line)


def seen(process: subprocess.Popen[str], row: dict[str, Any]) -> Seen:
    """What `/proc` says of the coordinator alone; its workers are other processes."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    resident = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return Seen(row, time.monotonic(), (int(fields[11]) + int(fields[12])) * TICK_S, resident)


def quietly(course: Course) -> list[Seen]:
    """Grade the class; return what was seen at each result."""
    process = start(course)
    points = [seen(process, row) for row in rows(process)]
    process.wait()
    return points


def with_kills(course: Course, submissions: int, kills: int, chance: random.Random) -> Disturbed:
    """Grade the class, kill at random, and go on until one run has ended by itself."""
    coordinators = min(COORDINATOR_KILLS, submissions // 4)
    moments = chance.sample(range(1, submissions - 1), kills + coordinators)
    victims = dict.fromkeys(moments[:kills], "worker") | dict.fromkeys(moments[kills:], "coordinator")
    graded: Counter[str] = Counter()
    killed: Counter[str] = Counter()
    while True:
        process, run = start(course), []
        for row in rows(process):
            run.append(row["student"])
            if row["kept"]:
                continue
            graded[row["student"]] += 1
            victim = victims.get(graded.total(), "")
            if victim == "coordinator":
                process.kill()
                killed[victim] += 1
            elif victim == "worker":
                killed[victim] += kill_one_of(workers_of(process.pid), chance)
        if process.wait() >= 0:
            return Disturbed(killed["worker"], killed["coordinator"], graded, run)


def kill_one_of(workers: Sequence[int], chance: random.Random) -> bool:
    """Kill one, if there is one: between a worker's end and its successor's start there may be none."""
    with suppress(ProcessLookupError, IndexError):
        os.kill(chance.choice(workers), signal.SIGKILL)
        return True
    return False


def marks(course: Course) -> list[tuple[Any, ...]]:
    """Every mark of the class: (student, cell, automatic score, whether it waits for a person)."""
    with Gradebook(f"sqlite:///{course.root / 'gradebook.db'}") as gradebook:
        return sorted(
            (submission.student_id, grade.name, grade.auto_score, grade.needs_manual_grade)
            for submission in gradebook.assignment_submissions("sums")
            for notebook in submission.notebooks
            for grade in notebook.grades
        )


def quarters(points: Sequence[Seen]) -> Table:
    """The coordinator's cost in the first and in the last quarter of a class."""
    table = Table(
        *("quarter", "its own work", "of that, processor", "processor, with Dask", "resident MB", "results a minute"),
        title="the coordinator, milliseconds per submission",
        title_justify="left",
    )
    size = len(points) // 4
    for name, part in (("first", points[: size + 1]), ("last", points[-size - 1 :])):
        own, on_it = (
            statistics.fmean(1000 * point.row[field] for point in part[1:])
            for field in ("coordinator_s", "coordinator_processor_s")
        )
        processor = 1000 * (part[-1].processor_s - part[0].processor_s) / size
        pace = 60 * size / (part[-1].clock_s - part[0].clock_s)
        memory = part[-1].resident_bytes / 1e6
        figures = (own, on_it, processor, memory, pace)
        table.add_row(name, *(f"{figure:.0f}" for figure in figures))
    return table


def main(
    submissions: Annotated[int, typer.Option(min=40)] = 1000,
    kills: Annotated[int, typer.Option(help="of workers")] = 20,
    seed: Annotated[int, typer.Option(help="of the kills' moments")] = 1,
) -> None:
    """Print the coordinator's cost, and what came of the kills."""
    console = Console()
    with tempfile.TemporaryDirectory(prefix="gradebox-soak-") as folder:
        quiet = Path(folder, "quiet")
        quiet.mkdir()
        course = make_course(quiet, STUB_CONFIG)
        notebook = nbformat.writes(answered(course.release("sums", "sums"), HONEST)).encode()
        for number in range(submissions):
            course.hand_in(f"student{number:05}", "sums", "sums.ipynb", notebook)
        disturbed = Course(Path(folder, "disturbed"))
        shutil.copytree(course.root, disturbed.root)

        points = quietly(course)
        console.print(quarters(points))
        outcome = with_kills(disturbed, submissions, kills, random.Random(seed))

        table = Table("class", "submissions", "in the gradebook", "ledger", "autograded", "twice", "lost")
        table.title, table.title_justify = "results", "left"
        whole = True
        for name, each, graded in (
            ("quiet", course, Counter(point.row["student"] for point in points)),
            ("killed at", disturbed, outcome.graded),
        ):
            twice = sum(count > 1 for count in graded.values())
            there = stored(each)
            lost = submissions - min(there)
            whole = whole and there == (submissions,) * 3 and not twice
            table.add_row(name, *(str(figure) for figure in (submissions, *there, twice, lost)))
        same = marks(course) == marks(disturbed)
        once = len(set(outcome.last_run)) == len(outcome.last_run) == submissions
        console.print(table)
        console.print(f"killed: {outcome.worker_kills} workers, {outcome.coordinator_kills} times the coordinator")
        console.print(f"one result per submission in the last run: {'yes' if once else 'NO'}")
        console.print(f"the same marks in both classes: {'yes' if same else 'NO'}")
        if not (whole and same and once):
            raise typer.Exit(1)


if __name__ == "__main__":
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(main)
    app()
