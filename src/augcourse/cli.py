"""`augcourse`: data, lessons, results and the demonstration, from the command line.

Every expected error is one line on stderr and exit code 1; wrong arguments exit with 2, an interrupt with 130.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from augcourse import start
from augcourse.errors import BuildError, CourseError
from gradebox.border import OneLineGroup, one_line
from gradebox.errors import GradeboxError

__all__ = ["app", "main"]

app = typer.Typer(
    cls=OneLineGroup, no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False
)
data_app = typer.Typer(no_args_is_help=True, help="The data sets: prepare them, import MNIST, say which one is used.")
app.add_typer(data_app, name="data")

Workers = Annotated[int, typer.Option(min=1, help="processes that train side by side")]


class Direction(StrEnum):
    """Where an edit was made."""

    lessons = "lessons"
    source = "source"


def one_line_errors() -> AbstractContextManager[None]:
    """The border: what the course or the machine refuses is told once, in one line."""
    return one_line("augcourse", CourseError, GradeboxError)


def course_root() -> Path:
    """The folder with `nbgrader_config.py` and `lessons/`: here, or above."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "nbgrader_config.py").is_file() and (folder / "lessons").is_dir():
            return folder
    raise BuildError(f"{here} is not inside the course: change to the folder that holds nbgrader_config.py")


@data_app.command("prepare")
def data_prepare(
    name: Annotated[
        str | None, typer.Argument(help="mnist_sample, uci_digits or mnist; the setting's choice if left out")
    ] = None,
) -> None:
    """Prepare a data set (mnist is downloaded by TFDS where there is a network)."""
    with one_line_errors():
        start.import_tensorflow()
        from augcourse import data

        typer.echo(data.prepare(name).reason)


@data_app.command("import-idx")
def data_import_idx(
    folder: Annotated[Path, typer.Argument(help="folder with the IDX files, plain or gzip")],
    data_dir: Annotated[Path | None, typer.Option(help="TFDS data folder; the course's own if left out")] = None,
    overwrite: Annotated[bool, typer.Option(help="replace a data set of that name")] = False,
    name: Annotated[
        str | None, typer.Option(help="of pictures that are not MNIST's; made from the folder's name if left out")
    ] = None,
) -> None:
    """Import IDX files for classrooms without a network: MNIST's digits as `mnist`, others under their own name."""
    with one_line_errors():
        start.import_tensorflow()
        from augcourse import data

        summary = data.import_idx(folder, data_dir, overwrite, name)
        typer.echo(str(summary))
        if summary.name != "mnist":
            typer.echo(f"These are not MNIST's digits. The course runs on them with AUGCOURSE_DATASET={summary.name}.")


@data_app.command("info")
def data_info() -> None:
    """Say which data set the course uses and why, where it and the cache are, and its content's fingerprint."""
    with one_line_errors():
        start.import_tensorflow()
        from augcourse import data, folders

        choice = data.choose_dataset()
        typer.echo(f"{choice.reason}\nfolder {data.data_dir()}\ncache {folders.cache_folder()}")
        if data.is_prepared(choice.name):
            typer.echo(f"fingerprint {data.fingerprint(choice.name)}")
        else:
            typer.echo("not prepared yet: the first notebook or command that needs it does that")


@app.command()
def baselines(workers: Workers = 2) -> None:
    """Train the grader's baselines once, before a class is graded, so that every verdict finds them."""
    with one_line_errors():
        with start.native_stderr_hidden():
            from augcourse import data, measure

            choice = data.prepare()
            data.prepare(data.strangers_of(choice.name))
            measure.fill_cache(workers=workers)
        typer.echo(f"the grader's baselines on {choice.name} are in the cache")


@app.command()
def ready() -> None:
    """Make the course ready for JupyterLab: the data, the exchange, and every step in it for students to fetch."""
    with one_line_errors():
        from rich.progress import track

        from augcourse import build as builder
        from augcourse import opening

        root = course_root()
        with start.native_stderr_hidden():
            from augcourse import data

            choice = data.prepare()
            data.prepare(data.strangers_of(choice.name))
        for step in track(opening.missing(root), "releasing the steps"):
            opening.release(root, step)
        typer.echo(f"{len(builder.STEPS)} steps can be fetched. They run on {choice.reason}")


@app.command()
def build(
    steps: Annotated[list[str] | None, typer.Argument(help="steps to build; all if left out")] = None,
    source_from: Annotated[Direction, typer.Option("--from", help="where the edit was made")] = Direction.lessons,
    check: Annotated[bool, typer.Option("--check", help="change nothing; fail where the folders drift apart")] = False,
) -> None:
    """Make source, release and solutions from the lessons (or carry an edit of source back first)."""
    with one_line_errors():
        from augcourse import build as builder

        root = course_root()
        unknown = sorted(set(steps or ()) - set(builder.STEPS))
        if unknown:
            raise BuildError(f"no such step: {', '.join(unknown)}; the steps are {', '.join(builder.STEPS)}")
        if check:
            _check(list(builder.drift(root)))
            return
        _build(root, tuple(steps or builder.STEPS), source_from)


def _check(complaints: list[str]) -> None:
    for complaint in complaints:
        typer.echo(complaint, err=True)
    if complaints:
        raise typer.Exit(1)
    typer.echo("lessons, source, release and solutions belong together")


def _build(root: Path, steps: tuple[str, ...], source_from: Direction) -> None:
    import tempfile

    from rich.progress import track

    start.import_tensorflow()
    from augcourse import build as builder
    from augcourse import data

    # The committed solutions are those of the data that everybody has.
    os.environ["AUGCOURSE_DATASET"] = data.DEFAULT
    data.prepare()
    for step in steps:
        if source_from is Direction.source:
            builder.write_lesson(root, step)
        builder.write_source(root, step)
    with tempfile.TemporaryDirectory() as folder:
        builder.release_into(root, Path(folder), steps)
        for step in steps:
            builder.copy_release(Path(folder), root, step)
    for step in track(steps, "executing the solutions"):
        builder.write_solution(root, step)


@app.command()
def minutes(
    run: Annotated[bool, typer.Option(help="run the solutions too, and time them; it takes some minutes")] = True,
) -> None:
    """Say how long each step takes a reader: words, exercises and run time of its core."""
    with one_line_errors():
        from rich.console import Console
        from rich.progress import track
        from rich.table import Table

        from augcourse import build as builder
        from augcourse import minutes as module

        root = course_root()
        table = Table("step", "words", "exercises", *(["run time in s"] if run else []), "minutes")
        steps = track(builder.STEPS, description="running the solutions", disable=not run, console=Console(stderr=True))
        for step in steps:
            core = module.core(builder.source_of(builder.lesson_path(root, step).read_text(encoding="utf-8")))
            seconds = module.run_time(root, step) if run else 0.0
            timed = [f"{seconds:.0f}"] if run else []
            table.add_row(step, str(core.words), str(core.exercises), *timed, str(core.minutes(seconds)))
        Console().print(table)


@app.command()
def results(
    dataset: Annotated[list[str] | None, typer.Option(help="only these data sets; others keep their runs")] = None,
    workers: Workers = 2,
) -> None:
    """Train the course's own runs again, and write the stored runs and the figure of the README."""
    with one_line_errors():
        start.import_tensorflow()
        from augcourse import results as module

        module.make(course_root(), tuple(dataset or module.available()), workers)


@app.command()
def calibrate(
    dataset: Annotated[list[str] | None, typer.Option(help="only these data sets; others keep their verdicts")] = None,
    workers: Workers = 2,
    blocks: Annotated[
        int | None, typer.Option(min=2, help="verdicts per recipe; 20 on mnist_sample, 5 elsewhere")
    ] = None,
) -> None:
    """Judge recipes of known worth many times, and write how often the verdict errs."""
    with one_line_errors():
        start.import_tensorflow()
        from augcourse import calibrate as module
        from augcourse import results as available_from

        module.make(course_root(), tuple(dataset or available_from.available()), workers, blocks)


@app.command()
def demo(
    folder: Annotated[Path | None, typer.Option(help="where to grade the sample class; build/demo if left out")] = None,
) -> None:
    """Grade a small sample class from end to end, in a throw-away copy of the course."""
    with one_line_errors():
        from augcourse import demo as module

        root = course_root()
        raise typer.Exit(module.run(root, folder or root / "build" / "demo"))


@app.command()
def hub(
    port: Annotated[int, typer.Option(min=1, max=65535, help="where people log in, on 127.0.0.1")] = 8000,
    prefix: Annotated[str, typer.Option(help="what the accounts' names begin with")] = "aug",
    folder: Annotated[Path | None, typer.Option(help="homes, exchange, data; build/hub if left out")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="remove what a hub that was killed left behind")] = False,
) -> None:
    """Hold a class on this machine, as root: JupyterHub, with accounts that are made for it and removed at the end."""
    with one_line_errors():
        from augcourse import hub as module

        root = course_root()
        place = module.Hub(root, (folder or root / "build" / "hub").resolve(), prefix, port)
        if remove:
            typer.echo(f"removed: {', '.join(module.remove(place)) or 'no account was left'}")
            return
        with module.opened(place, typer.echo) as passwords:
            module.serve(place, lambda: typer.echo(_hub_greeting(place.address, passwords)))
        typer.echo("stopped; the accounts and everything in them are removed")


def _hub_greeting(address: str, passwords: dict[str, str]) -> str:
    width = max(map(len, passwords))
    lines = [f"{name:{width}}  {password}" for name, password in passwords.items()]
    return "\n".join(
        [
            f"\nJupyterHub is ready: {address}\n",
            f"{'account':{width}}  password (shown once)",
            *lines,
            "\nthe instructor: Nbgrader > Formgrader; the students: Nbgrader > Assignment List",
            "Ctrl-C stops everything, and removes the accounts with all that is in them",
        ]
    )


def main() -> None:
    """Entry point."""
    app(prog_name="augcourse")


if __name__ == "__main__":
    main()
