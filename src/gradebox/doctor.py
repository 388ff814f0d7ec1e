"""What stands in the way of grading here: each thing that a class needs, whether it is there, and what to do if not.

Enters: a course's folder. Leaves: findings, and nothing changed: no gradebook is made, no exchange, no data.
"""

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import sqlalchemy as sa
from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from nbgrader.exchange.default import Exchange
from nbgrader.utils import check_directory
from traitlets import TraitError
from traitlets.config import Config

from gradebox.border import complaint
from gradebox.classroom import Classroom
from gradebox.commands import CommandError, SetUpError, output_of, run_commands
from gradebox.errors import GradeboxError
from gradebox.protection import LINES, SANDBOXED, other_language, weakness
from gradebox.sandbox import SandboxProvisioner, require
from gradebox.split import SplitExecute
from gradebox.work import api_version

__all__ = ["Finding", "examine"]

PACKAGES = ("nbgrader", "nbconvert", "jupyterlab", "distributed")
LEAST_BYTES = 2_000_000_000  # free on a disk that grading writes to
SCHEDULER_TIMEOUT_S = 5
RESTORE = "restore it from a backup"
ACCEPTED = "other people's code runs with your rights, as the course allows"


@dataclass(frozen=True)
class Finding:
    """One thing that grading needs.

    Attributes:
        state: *good*; *bad*, which stands in the way; or *open*: not there yet, or not looked at.
    """

    state: Literal["good", "open", "bad"]
    what: str
    found: str
    advice: str = ""


def examine(root: Path, set_up: bool = False) -> list[Finding]:
    """Look at a machine and a course.

    Args:
        root: the course's folder.
        set_up: run the course's own commands for a worker (`c.Classroom.worker_setup`), too.
    """
    try:
        classroom = Classroom(root)
    except Exception as error:
        if not (said := complaint(error, str(error) if isinstance(error, GradeboxError) else "")):
            raise
        return [*_versions(), Finding("bad", "course", said, "mend it first: the rest depends on it")]
    looks: Sequence[Callable[[], Iterator[Finding]]] = (
        _versions,
        _programs,
        lambda: _course(classroom),
        lambda: _own_commands(classroom),
        lambda: _kernels(classroom.config),
        lambda: _gradebook(classroom),
        lambda: _exchange(classroom),
        lambda: _set_up(classroom, set_up),
        lambda: _scheduler(classroom),
        lambda: _space(classroom.root),
    )
    return [each for look in looks for each in look()]


def _versions() -> Iterator[Finding]:
    own = f"Python {sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"
    yield Finding("good", "versions", ", ".join([own, *(f"{name} {version(name)}" for name in PACKAGES)]))


def _programs() -> Iterator[Finding]:
    for name in ("nbgrader", "alembic"):
        if shutil.which(name) is None:
            beside = Path(sys.executable).parent
            yield Finding(
                "bad", name, "not found by that name, as nbgrader calls it", f"put {beside} on the path: export PATH"
            )


def _course(classroom: Classroom) -> Iterator[Finding]:
    source = classroom.root / classroom.course.source_directory
    steps = sorted(path.name for path in source.glob("*") if any(path.glob("*.ipynb")))
    foreign = other_language(sorted(source.glob("*/*.ipynb")), classroom.config)
    if foreign:
        yield Finding("bad", "course", *foreign.split(": ", 1))
    elif steps:
        yield Finding("good", "course", f"{classroom.course.course_id or 'without a name'}: {', '.join(steps)}")
    else:
        yield Finding(
            "bad", "course", f"no step in {source}", "put each step's notebook into a folder of its own there"
        )


def _own_commands(classroom: Classroom) -> Iterator[Finding]:
    """What the course's own commands say, such as which data it grades on."""
    for what, words in classroom.doctor_commands.items():
        try:
            said = output_of(words, classroom.root)
        except CommandError as error:
            yield Finding("bad", what, str(error), "mend what it names")
        else:
            yield Finding("good", what, said or f"`{' '.join(words)}` said nothing")


def _kernels(config: Config) -> Iterator[Finding]:
    """The kernels that the configuration names, and the sandbox if one of them wants it."""
    try:
        execute = SplitExecute(config=config)  # its settings hold those of GradedExecute
    except TraitError as error:
        yield Finding("bad", "kernels", complaint(error), "mend the setting")
        return
    provisioners = set()
    for name in dict.fromkeys(each for each in (execute.kernel_name, execute.trusted_kernel_name) if each):
        try:
            spec = KernelSpecManager().get_kernel_spec(name)
        except NoSuchKernel:
            yield Finding("bad", "kernel", f"{name} is not registered", "install this package into this Python again")
            continue
        provisioners.add(spec.metadata.get("kernel_provisioner", {}).get("provisioner_name", ""))
        yield Finding("good", "kernel", f"{name}: {spec.display_name}")
    if reason := weakness(config):
        accepted = SandboxProvisioner(config=config).allow_unprotected
        advice = ACCEPTED if accepted else f"add to nbgrader_config.py: {'; '.join(LINES)}"
        yield Finding("open" if accepted else "bad", "sandbox", f"student code would run without one: {reason}", advice)
    elif provisioners & set(SANDBOXED):
        yield _sandbox(config)
    else:
        yield Finding("open", "sandbox", "this course runs no code", "see docs/grading.md before a class")


def _sandbox(config: Config) -> Finding:
    try:
        require()
    except GradeboxError as error:
        accepted = SandboxProvisioner(config=config).allow_unprotected
        reason = str(error).removeprefix("no sandbox for other people's code: ")
        advice = ACCEPTED if accepted else "see the reason"
        return Finding("open" if accepted else "bad", "sandbox", reason, advice)
    return Finding("good", "sandbox", "bubblewrap makes one")


def _gradebook(classroom: Classroom) -> Iterator[Finding]:
    try:
        url = sa.make_url(classroom.course.db_url)
    except sa.exc.ArgumentError:
        yield Finding("bad", "gradebook", "c.CourseDirectory.db_url is no URL of a data base", "mend it")
        return
    path = Path(url.database or "")
    if url.get_backend_name() == "sqlite" and not path.exists():
        yield Finding("open", "gradebook", f"{path} is not there yet", "`nbgrader generate_assignment STEP` makes it")
        return
    try:
        yield _look_into(url)
    except ModuleNotFoundError as error:
        yield Finding("bad", "gradebook", f"its driver, the Python module {error.name}, is missing", "install it")
    except sa.exc.DatabaseError as error:
        reason = str(error.orig or error).splitlines()[0]
        advice = "start its server, or mend c.CourseDirectory.db_url" if "connection" in reason.lower() else RESTORE
        yield Finding("bad", "gradebook", f"{url.render_as_string()}: {reason}", advice)


def _look_into(url: sa.URL) -> Finding:
    """What a gradebook says of itself; a SQLite file is opened for reading only."""
    is_file = url.get_backend_name() == "sqlite"
    if is_file:
        url = url.set(database=Path(url.database or "").resolve().as_uri(), query={"mode": "ro", "uri": "true"})
    engine = sa.create_engine(url)
    try:
        with engine.connect() as connection:
            if is_file and (damage := connection.exec_driver_sql("PRAGMA quick_check").scalar()) != "ok":
                return Finding("bad", "gradebook", f"damaged: {str(damage).splitlines()[-1]}", RESTORE)
            known = sa.inspect(connection).get_table_names()
            if "assignment" not in known or "alembic_version" not in known:
                return Finding("bad", "gradebook", "no gradebook of nbgrader's", "mend c.CourseDirectory.db_url")
            schema = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
            if schema != api_version():
                advice = "make a backup, then run `nbgrader db upgrade`"
                return Finding("bad", "gradebook", "of another version of nbgrader", advice)
            tables = {"steps": "assignment", "students": "student", "submissions": "submitted_assignment"}
            counts = [
                f"{what} {connection.execute(sa.text(f'SELECT count(*) FROM {table}')).scalar()}"
                for what, table in tables.items()
            ]
    finally:
        engine.dispose()
    return Finding("good", "gradebook", ", ".join(counts))


def _exchange(classroom: Classroom) -> Iterator[Finding]:
    place = Path(Exchange(config=classroom.config).root)
    place = place if place.is_absolute() else classroom.root / place
    if check_directory(str(place), write=True, execute=True):
        yield Finding("good", "exchange", str(place))
    elif place.is_dir():
        yield Finding(
            "bad", "exchange", f"{place} is not yours to write to", "let its owner change that, or set c.Exchange.root"
        )
    elif place.exists():
        yield Finding("bad", "exchange", f"{place} is no folder", "set c.Exchange.root")
    else:
        advice = f"mkdir -p {place} && chmod a+rwx {place}, if you hand out and collect through it"
        yield Finding("open", "exchange", f"{place} is not there", advice)


def _set_up(classroom: Classroom, run: bool) -> Iterator[Finding]:
    commands = [" ".join(words) for words in classroom.worker_setup]
    if not commands:
        return
    if not run:
        yield Finding(
            "open",
            "set-up",
            f"not run now: {'; '.join(commands)}",
            "`gradebox doctor --set-up` runs it; grading does, too",
        )
        return
    try:
        run_commands(classroom.worker_setup)
    except SetUpError as error:
        yield Finding("bad", "set-up", str(error), "mend what it names")
    else:
        yield Finding("good", "set-up", "; ".join(commands))


def _scheduler(classroom: Classroom) -> Iterator[Finding]:
    if not classroom.scheduler:
        return
    from distributed import Client

    try:
        with Client(classroom.scheduler, timeout=f"{SCHEDULER_TIMEOUT_S}s") as client:
            workers = len(client.scheduler_info(n_workers=-1)["workers"])
    except (OSError, ValueError):
        yield Finding("bad", "scheduler", f"none answers at {classroom.scheduler}", "start it: dask scheduler")
        return
    if workers:
        yield Finding("good", "scheduler", f"{classroom.scheduler}, {workers} workers")
    else:
        yield Finding("bad", "scheduler", f"{classroom.scheduler} has no workers", "start some: dask worker ADDRESS")


def _space(root: Path) -> Iterator[Finding]:
    for what, folder in (("course", root), ("temporary files", Path(tempfile.gettempdir()))):
        free = shutil.disk_usage(folder).free
        said = f"{free / 1e9:.1f} GB free for {what}, in {folder}"
        if free < LEAST_BYTES:
            yield Finding("bad", "disk", said, f"free some: grading wants {LEAST_BYTES / 1e9:.0f} GB")
        else:
            yield Finding("good", "disk", said)
