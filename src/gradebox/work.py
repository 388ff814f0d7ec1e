"""Work orders and results as plain data, and the one function that turns the first into the second.

A worker needs no gradebook, no shared folder and no other student's work: an `Order` brings one submission as
bytes, and the `Kit` of its step brings the course's policy, its support files and the record of the instructor's
cells. Out of both, `carry_out` makes a throw-away course in a temporary folder, lets nbgrader's own `autograde`
grade the one submission in it, under the course's own configuration, and returns what changed as a `Result`. So a
mark is the same mark whether nbgrader, one worker or a cluster gives it.
"""

import hashlib
import json
import logging
import os
import resource
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager, suppress
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any, Literal

import nbformat
import sqlalchemy as sa
from jupyter_client.provisioning import KernelProvisionerFactory
from nbgrader import api
from nbgrader.apps import NbGraderAPI
from traitlets.config import Config, PyFileConfigLoader

from gradebox.client import PromptKernelManager
from gradebox.commands import programs_of_python
from gradebox.errors import ENDINGS
from gradebox.sandbox import SandboxProvisioner
from gradebox.split import SplitExecute
from gradebox.warm import Key, warm_process

__all__ = [
    "RECORD_TABLES",
    "CellMark",
    "Files",
    "Kit",
    "Order",
    "Result",
    "carry_out",
    "code_digest",
    "record_of",
    "warm_keys",
    "warm_up",
]

STUDENT = "submission"  # every student's name in the throw-away course: no name can be odd there

CELL_TABLES = ("base_cell", "grade_cells", "solution_cells", "task_cells")  # one row's parts, under one id
RECORD_TABLES = ("course", "assignment", "notebook", *CELL_TABLES, "source_cell")
"""The gradebook's tables that say what the instructor made, and nothing of any student."""

Files = tuple[tuple[str, bytes], ...]
"""Relative path → content, sorted by path."""

MAX_SAID_BYTES = 20_000  # of what programs wrote to the worker's own output, in a submission's log


@dataclass(frozen=True)
class Kit:
    """What all submissions of a step have in common. `record` is a SQLite gradebook without students."""

    step: str
    config: bytes
    source: Files
    record: bytes
    overrides: Mapping[str, Any]
    packages: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    def digest(self) -> str:
        """A name for the content, without what changes when nothing does: the record is named by its rows."""
        versions, code = _versions(self.packages), tuple(code_digest(name) for name in self.sources)
        return _digest(self.step, self.config, self.source, _rows_of(self.record), versions, code)


@dataclass(frozen=True)
class Order:
    """One submission to grade. `notes` says what of it was left behind, and why."""

    student: str
    step: str
    files: Files
    notes: tuple[str, ...] = ()
    timestamp: str = ""

    def key(self, kit_digest: str) -> str:
        """The content hash under which the result is kept: another submission, step, policy or version, another key."""
        return _digest(self.student, self.step, self.files, self.notes, self.timestamp, kit_digest)


@dataclass(frozen=True)
class CellMark:
    """What the gradebook is to hold of one graded cell, by the cell's own id there."""

    cell_id: str
    auto_score: float | None
    needs_manual_grade: bool


@dataclass(frozen=True)
class Result:
    """What came of an order: one per submission, whatever happened.

    Attributes:
        status: *graded*, or *grader failed*, which is no mark and no zero.
        reason: one line; empty if all went well.
        endings: names of `gradebox.errors` that the submission ended in, sorted.
        files: the autograded folder.
        marks, comments, penalties: by the ids of the gradebook's own cells and notebooks.
        log: everything that was logged on the way.
        seconds: wall-clock time of the order on its worker.
        coordinator_s: the coordinator's own wall-clock time for it: reading, hashing, sending, keeping, committing,
            without the waiting for workers; 0 as long as the result is on its worker.
        coordinator_processor_s: the processor's part of that, without the waiting for a disk or for a turn.
        peak_bytes: largest resident size of the worker so far.
    """

    student: str
    step: str
    key: str
    status: Literal["graded", "grader failed"]
    reason: str = ""
    endings: tuple[str, ...] = ()
    files: Files = ()
    marks: tuple[CellMark, ...] = ()
    comments: tuple[tuple[str, str | None], ...] = ()
    penalties: tuple[tuple[str, float | None], ...] = ()
    log: str = ""
    seconds: float = 0.0
    coordinator_s: float = 0.0
    coordinator_processor_s: float = 0.0
    peak_bytes: int = 0


def record_of(engine: sa.Engine, step: str) -> bytes:
    """A SQLite gradebook with what the one behind `engine` knows of a step, as the bytes of its file; no students."""
    with tempfile.TemporaryDirectory(prefix="gradebox-") as folder:
        path = Path(folder, "gradebook.db")
        with _engine(path) as target:
            api.Base.metadata.create_all(target)
            with engine.connect() as source, target.begin() as copy:
                for table in api.Base.metadata.sorted_tables:
                    if table.name in RECORD_TABLES:
                        rows = [dict(row) for row in source.execute(_of_step(table, step)).mappings()]
                        if rows:
                            copy.execute(sa.delete(table))
                            copy.execute(sa.insert(table), rows)
                copy.execute(sa.text("CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL)"))
                copy.execute(sa.text("DELETE FROM alembic_version"))
                copy.execute(sa.text("INSERT INTO alembic_version VALUES (:v)"), {"v": api_version()})
        return path.read_bytes()


def _of_step(table: Any, step: str) -> sa.Select[Any]:
    """A step's rows of one of the record's tables: what another step is must not change this one's key."""
    assignments = sa.select(api.Assignment.id).where(api.Assignment.name == step)
    notebooks = sa.select(api.Notebook.id).where(api.Notebook.assignment_id.in_(assignments))
    cells = sa.select(api.BaseCell.id).where(api.BaseCell.notebook_id.in_(notebooks))
    chosen = {"assignment": assignments, "notebook": notebooks, **dict.fromkeys(CELL_TABLES, cells)}
    if table.name in chosen:
        return sa.select(table).where(table.c.id.in_(chosen[table.name]))
    if table.name == "source_cell":
        return sa.select(table).where(table.c.notebook_id.in_(notebooks))
    return sa.select(table)


def api_version() -> str:
    """The version of nbgrader's database schema that this nbgrader writes."""
    from alembic.config import Config as AlembicConfig
    from alembic.script import ScriptDirectory

    config = AlembicConfig()
    config.set_main_option("script_location", str(Path(api.__file__).parent / "alembic"))
    return ScriptDirectory.from_config(config).get_current_head() or ""


def _rows_of(record: bytes) -> bytes:
    with tempfile.TemporaryDirectory(prefix="gradebox-") as folder:
        path = Path(folder, "gradebook.db")
        path.write_bytes(record)
        with _engine(path) as engine, engine.connect() as connection:
            rows = {
                table.name: sorted(repr(tuple(row)) for row in connection.execute(sa.select(table)))
                for table in api.Base.metadata.sorted_tables
                if table.name in RECORD_TABLES
            }
    return json.dumps(rows, sort_keys=True).encode()


def _versions(packages: tuple[str, ...]) -> str:
    def of(package: str) -> str:
        try:
            return version(package)
        except PackageNotFoundError:
            return ""

    return json.dumps({name: of(name) for name in packages} | {"python": sys.version})


def code_digest(package: str) -> str:
    """SHA-256 digits over a package's modules and templates, by name and content; empty if it is not installed.

    A version that nobody raises says nothing of a test that was mended. Compiled files do not count.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return ""
    total = hashlib.sha256()
    for root in map(Path, spec.submodule_search_locations):
        for path in sorted(root.rglob("*")):
            if path.suffix in CODE and path.is_file():
                total.update(f"{path.relative_to(root)}:{path.stat().st_size}:".encode() + path.read_bytes())
    return total.hexdigest()


CODE = (".py", ".j2", ".json")


def _digest(*parts: str | bytes | Files | tuple[str, ...]) -> str:
    total = hashlib.sha256()

    def add(part: Any) -> None:
        if isinstance(part, tuple):
            total.update(b"(%d" % len(part))
            for each in part:
                add(each)
        else:
            content = part.encode() if isinstance(part, str) else part
            total.update(b"%d:" % len(content) + content)

    for part in parts:
        add(part)
    return total.hexdigest()


_one_at_a_time = threading.Lock()  # the working folder, the environment and the output are the whole process's


def carry_out(kit: Kit, order: Order, key: str) -> Result:
    """Grade one submission. Never raises for anything that a submission does; a failure of ours is a result too.

    A worker with several threads grades one submission after the other all the same.
    """
    with _one_at_a_time:
        return _carry_out(kit, order, key)


def warm_keys(kit: Kit) -> set[Key]:
    """The warm processes that the kernels of a kit's course are forked from."""
    found = set()
    with tempfile.TemporaryDirectory(prefix="gradebox-") as folder:
        config = _config_of(kit, Path(folder))
    execute = SplitExecute(config=config)
    student = {**os.environ, **execute.environment, "NBGRADER_EXECUTION": "autograde"}
    trusted = {**student, **execute.trusted_environment}
    for name, environment in ((execute.kernel_name, student), (execute.trusted_kernel_name, trusted)):
        if name:
            manager = PromptKernelManager(kernel_name=name, config=config)
            provisioner = KernelProvisionerFactory.instance().create_provisioner_instance(
                "warm-up", manager.kernel_spec, parent=manager
            )
            if isinstance(provisioner, SandboxProvisioner) and (key := provisioner.warm_key(environment)):
                found.add(key)
    return found


def warm_up(kit: Kit) -> None:
    """Import what the kernels of a kit's course start with, before there is a submission to wait for it.

    Raises nothing: what goes wrong here goes wrong again in a submission's log, where somebody reads it.
    """
    with suppress(Exception):
        for key in warm_keys(kit):
            warm_process(key, remember=False)


def _config_of(kit: Kit, root: Path) -> Config:
    (root / "nbgrader_config.py").write_bytes(kit.config)
    config = PyFileConfigLoader("nbgrader_config.py", path=str(root)).load_config()
    config.merge(Config(kit.overrides))
    return config


def _carry_out(kit: Kit, order: Order, key: str) -> Result:
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="gradebox-", ignore_cleanup_errors=True) as folder:
        root = Path(folder).resolve()
        try:
            result = _graded(kit, order, key, root)
        except Exception as error:  # whatever it is, the class goes on, and the instructor reads it
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            result = Result(order.student, order.step, key, "grader failed", reason)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return replace(result, seconds=time.monotonic() - start, peak_bytes=peak)


def _graded(kit: Kit, order: Order, key: str, root: Path) -> Result:
    _lay_out(kit, order, root)
    said = root / "said.txt"
    with _in_course(root), _output_in(said), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        done, log = _autograde(kit, order, root)
    log = "".join(f"{note}\n" for note in order.notes) + log
    log = log.replace(f"{root}/", "").replace(STUDENT, order.student)
    marks, comments, penalties = _read_back(root / "gradebook.db")
    graded = root / "autograded" / STUDENT / order.step
    files = _read_tree(graded) if graded.is_dir() else ()
    reason = next((line for line in reversed(log.splitlines()) if "GraderFailed" in line), _last_line(log))
    log += _end_of(said)
    if not done or not files:
        withdrawn = tuple(CellMark(mark.cell_id, None, True) for mark in marks)
        return Result(order.student, order.step, key, "grader failed", reason, (), (), withdrawn, log=log)
    endings = _endings(files)
    return Result(
        order.student, order.step, key, "graded", ", ".join(endings), endings, files, marks, comments, penalties, log
    )


def _lay_out(kit: Kit, order: Order, root: Path) -> None:
    (root / "gradebook.db").write_bytes(kit.record)
    submitted = root / "submitted" / STUDENT / kit.step
    for folder, files in ((root / "source" / kit.step, kit.source), (submitted, order.files)):
        folder.mkdir(parents=True)
        for name, content in files:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    if order.timestamp:
        (submitted / "timestamp.txt").write_text(order.timestamp, encoding="utf-8")
    # nbgrader passes over a folder without any notebook; the reader of submissions says what is missing.
    with _engine(root / "gradebook.db") as engine, engine.connect() as connection:
        wanted = connection.execute(
            sa.select(api.Notebook.name).join(api.Assignment).where(api.Assignment.name == kit.step)
        ).scalars()
        names = list(wanted)
    if names and not any(submitted.glob("*.ipynb")):
        (submitted / "no-notebook.ipynb").write_text("")


@contextmanager
def _engine(path: Path) -> Iterator[sa.Engine]:
    engine = sa.create_engine(f"sqlite:///{path}")
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def _in_course(root: Path) -> Iterator[None]:
    with chdir(root), programs_of_python():
        yield


@contextmanager
def _output_in(path: Path) -> Iterator[None]:
    """Let a file have what this process and those that it starts write to stdout and stderr.

    A plain kernel inherits both. On the coordinator's terminal its warnings would say nothing of whose work they
    are about, and on stdout it could write results of its own.
    """
    before = {descriptor: os.dup(descriptor) for descriptor in (1, 2)}
    try:
        with path.open("wb") as file:
            for descriptor in before:
                os.dup2(file.fileno(), descriptor)
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        for descriptor, original in before.items():
            os.dup2(original, descriptor)
            os.close(original)


def _end_of(path: Path) -> str:
    """What a file holds at its end, as text."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - MAX_SAID_BYTES))
        return file.read().decode("utf-8", "replace")


def _autograde(kit: Kit, order: Order, root: Path) -> tuple[bool, str]:
    config = _config_of(kit, root)
    config.CourseDirectory.root = str(root)
    config.CourseDirectory.db_url = f"sqlite:///{root}/gradebook.db"
    config.CourseDirectory.update(
        submitted_directory="submitted", autograded_directory="autograded", source_directory="source"
    )
    config.NbGrader.logfile = ""
    config.Exchange.root = str(root)  # nbgrader complains of one that it cannot write to, though nothing uses it here
    text = StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    log = logging.getLogger("traitlets")
    before = log.level, log.propagate
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
    try:
        done = NbGraderAPI(config=config).autograde(kit.step, STUDENT, force=True, create=True)
    finally:
        log.removeHandler(handler)
        log.setLevel(before[0])
        log.propagate = before[1]
    said = text.getvalue() + (done.get("error") or "")
    return bool(done["success"]), said or (done.get("log") or "")


def _read_back(path: Path) -> tuple[Any, Any, Any]:
    with _engine(path) as engine, engine.connect() as connection:
        grade = api.Grade.__table__
        marks = connection.execute(sa.select(grade.c.cell_id, grade.c.auto_score, grade.c.needs_manual_grade))
        comment, notebook = api.Comment.__table__, api.SubmittedNotebook.__table__
        return (
            tuple(CellMark(*row) for row in marks),
            tuple(tuple(row) for row in connection.execute(sa.select(comment.c.cell_id, comment.c.auto_comment))),
            tuple(
                tuple(row)
                for row in connection.execute(sa.select(notebook.c.notebook_id, notebook.c.late_submission_penalty))
            ),
        )


def _read_tree(folder: Path) -> Files:
    found = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return tuple((str(path.relative_to(folder)), path.read_bytes()) for path in found)


def _endings(files: Files) -> tuple[str, ...]:
    found = set()
    for name, content in files:
        if name.endswith(".ipynb"):
            for cell in nbformat.reads(content.decode(), as_version=4).cells:
                found |= {output.get("ename") for output in cell.get("outputs", ())} & ENDINGS
    return tuple(sorted(found))


def _last_line(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if line.strip()), "no reason given")
