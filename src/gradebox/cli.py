"""`gradebox`: grading a class from the command line."""

from __future__ import annotations

import json
import logging
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Column, Table
from rich.text import Text

from gradebox.border import OneLineGroup, one_line, remembered_interrupts
from gradebox.errors import GradeboxError
from gradebox.plain import visible

__all__ = ["app", "main"]

SUBMISSIONS_FAILED, GRADER_FAILED, INTERRUPTED = 3, 4, 130

app = typer.Typer(
    cls=OneLineGroup, no_args_is_help=True, add_completion=False, help="Grade a class of nbgrader submissions."
)


@app.callback()
def _gradebox() -> None:
    """Grade a class of nbgrader submissions."""


@app.command()
def grade(
    steps: Annotated[list[str], typer.Argument(help="steps (nbgrader's assignments) to grade")],
    student: Annotated[str, typer.Option(help="only this student; wildcards are allowed")] = "*",
    workers: Annotated[int | None, typer.Option(min=1, help="processes side by side [c.Classroom.workers]")] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="a Dask scheduler's address, tcp://host:port [c.Classroom.scheduler]")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="grade what has not changed since its last result too")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object per submission on stdout")] = False,
    course: Annotated[Path, typer.Option(help="folder of the course, with nbgrader_config.py")] = Path(),
) -> None:
    """Grade the submissions of these steps, several at a time, into the gradebook.

    Settings come from nbgrader_config.py (c.Classroom.…); options override them. What was graded before and has not
    changed is kept, so an interrupted run goes on where it was. Logs are in .gradebox/logs/STEP/STUDENT.log.

    Exit codes: 0 all graded; 3 some submissions ended early or could not be read (they are marked); 4 the grader
    failed on some (no mark; grade again); 130 interrupted; 1 anything else.
    """
    from gradebox.classroom import Classroom

    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    console = Console(stderr=True)
    settings = {name: value for name, value in (("workers", workers), ("scheduler", scheduler)) if value is not None}
    results: list[Any] = []
    failures: Counter[str] = Counter()
    with one_line("gradebox", GradeboxError):
        try:
            with remembered_interrupts() as ask, _progress(console) as bar:
                task = bar.add_task("grading", total=None, failed="")

                def report(result: Any, kept: bool) -> None:
                    results.append(result)
                    failures.update([result.status] if result.status != "graded" else ())
                    bar.update(task, advance=1, failed=f"{failures.total()} failed" if failures else "")
                    if as_json:
                        print(json.dumps(_plain(result, kept)), flush=True)
                    elif result.status != "graded":
                        line = visible(f"{result.student}, {result.step}: {result.reason}").replace("\n", " ")
                        bar.console.print(line, style="red", highlight=False, markup=False)
                    ask()

                Classroom(course, **settings).grade(
                    steps,
                    student,
                    force=force,
                    report=report,
                    planned=lambda total: bar.update(task, total=total),
                    dashboard=lambda link: bar.console.print(f"Dask's dashboard: {link}", highlight=False),
                )
        except KeyboardInterrupt:
            console.print(f"interrupted; submissions finished: {len(results)}; run the same command again to go on")
            raise typer.Exit(INTERRUPTED) from None
    console.print(_summary(results))
    if any(result.status != "graded" for result in results):
        raise typer.Exit(GRADER_FAILED)
    if any(result.endings for result in results):
        raise typer.Exit(SUBMISSIONS_FAILED)


@app.command()
def check(
    notebook: Annotated[Path, typer.Argument(help="your notebook")],
    course: Annotated[
        Path | None, typer.Option(help="folder of the course; the nearest one around the notebook if left out")
    ] = None,
) -> None:
    """Say what the class's tests say of your own notebook: points and reasons, with no gradebook and no sandbox.

    Runs your notebook with your own rights. Exit codes: 0 every point is there; 3 some are lost; 4 the grader failed;
    1 anything else.
    """
    from gradebox import check as module

    console = Console(stderr=True)
    with one_line("gradebox", GradeboxError), console.status("running your notebook, then the class's tests"):
        checked = module.check(notebook, course or module.course_of(notebook))
    if checked.result.status != "graded":
        console.print(f"the grader failed: {visible(checked.result.reason)}", highlight=False, markup=False)
        raise typer.Exit(GRADER_FAILED)
    Console().print(_exercises(checked))
    if not checked.is_complete:
        raise typer.Exit(SUBMISSIONS_FAILED)


@app.command()
def report(
    steps: Annotated[list[str] | None, typer.Argument(help="steps to report on; all if left out")] = None,
    to: Annotated[Path, typer.Option(help="the HTML file to write")] = Path("report.html"),
    pseudonyms: Annotated[bool, typer.Option("--pseudonyms", help="name no student")] = False,
    course: Annotated[Path, typer.Option(help="folder of the course, with nbgrader_config.py")] = Path(),
) -> None:
    """Write a class on one page: scores, exercises, what needs a person, every student's points."""
    from gradebox.report import make

    with one_line("gradebox", GradeboxError):
        print(make(course, steps or [], to, pseudonyms))


@app.command()
def doctor(
    course: Annotated[Path, typer.Option(help="folder of the course, with nbgrader_config.py")] = Path(),
    set_up: Annotated[
        bool, typer.Option("--set-up", help="also run c.Classroom.worker_setup, which may take minutes")
    ] = False,
) -> None:
    """Say what this machine and this course have, what they lack, and what to do about it.

    Exit codes: 0 nothing stands in the way of grading; 1 something does.
    """
    from gradebox import doctor as module

    console = Console()
    with one_line("gradebox", GradeboxError), console.status("looking"):
        found = module.examine(course, set_up)
    table = Table("", "what", "found", "what to do", box=None)
    for each in found:
        mark = {"good": "✓", "open": "–", "bad": "✗"}[each.state]
        style = {"good": "green", "open": "yellow", "bad": "red"}[each.state]
        table.add_row(Text(mark, style=style), Text(each.what), Text(each.found), Text(each.advice))
    console.print(table)
    if any(each.state == "bad" for each in found):
        raise typer.Exit(1)


def _exercises(checked: Any) -> Table:
    given = [each for each in checked.exercises if each.points is not None]
    got, most = sum(each.points for each in given), sum(each.maximum for each in given)
    table = Table("exercise", Column("points", justify="right"), "reason", title=f"{checked.step}: {got:g} of {most:g}")
    for each in checked.exercises:
        points = "–" if each.points is None else f"{each.points:g}"
        full = each.points == each.maximum
        reason = Text(visible(each.reason) or ("passed" if full else "no answer"), style="green" if full else "")
        table.add_row(each.name.removesuffix("_test"), f"{points} / {each.maximum:g}", reason)
    return table


def _plain(result: Any, kept: bool) -> dict[str, Any]:
    shown = {
        name: value for name, value in asdict(result).items() if name not in ("files", "log", "comments", "penalties")
    }
    shown["marks"] = {mark.cell_id: mark.auto_score for mark in result.marks}
    return shown | {"kept": kept}


def _summary(results: list[Any]) -> Table:
    table = Table(
        Column("step", no_wrap=True), "graded", Column("ended early", overflow="fold"), "grader failed", "s each"
    )
    for step in dict.fromkeys(result.step for result in results):
        of_step = [result for result in results if result.step == step]
        graded = [result for result in of_step if result.status == "graded"]
        endings = Counter(name for result in graded for name in result.endings)
        seconds = sum(result.seconds for result in of_step) / len(of_step)
        named = ", ".join(f"{name} {n}" for name, n in sorted(endings.items())) or "–"
        row = (step, f"{len(graded)} of {len(of_step)}", named, len(of_step) - len(graded), f"{seconds:.1f}")
        table.add_row(*(str(each) for each in row))
    return table


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("[red]{task.fields[failed]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
    )


def main() -> None:
    """Entry point."""
    app(prog_name="gradebox")


if __name__ == "__main__":
    main()
