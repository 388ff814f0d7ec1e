"""The coordinator: work orders out, results in, one writer.

Enters: a course folder with submissions, and a Dask scheduler, local or far. Leaves: the gradebook and the autograded
folder as `nbgrader autograde` would have left them, so that formgrader, manual grading, penalties, feedback and
export go on from there.

Each result is committed once, in one transaction that also holds its content hash: killed at any moment, the next
run finds what is done and grades the rest. A grade or comment that a person gave is never touched. The coordinator
reads submissions as what anyone may have left there: regular files only, through no link, up to a size.
"""

import logging
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from time import perf_counter, thread_time
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from nbgrader import api, utils
from nbgrader.coursedir import CourseDirectory
from traitlets import Dict, Integer, List, Unicode
from traitlets.config import Config, LoggingConfigurable, PyFileConfigLoader

from gradebox.commands import environment_kept, programs_of_python, run_commands
from gradebox.errors import GradeboxError
from gradebox.files import FULL_DISK
from gradebox.plain import visible
from gradebox.protection import other_language, require_protection
from gradebox.work import CellMark, Files, Kit, Order, Result, carry_out, record_of

__all__ = ["Classroom", "CourseError", "Submission"]

CLUSTER = {
    "distributed.scheduler.allowed-failures": 10,
    "distributed.comm.timeouts.connect": "20s",
    "logging": {"distributed": "critical", "distributed.client": "critical"},  # the grader says it in one line
    # Looking at itself fifty and a hundred times a second costs Dask a twentieth of a core, which grading needs.
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "5s",
    # Nobody asks a local cluster over HTTP, and it would answer everybody on this machine.
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
}
TEND_S = 5
SCHEDULER_LOST = (
    "the connection to the scheduler was lost; what is finished is kept: start the scheduler and its workers again, "
    "then give the same command"
)
GRADED = ("GradeCell", "TaskCell")  # nbgrader's names of the kinds of cells that have a grade

LEDGER = sa.Table(
    "gradebox_result",
    sa.MetaData(),
    sa.Column("submission_id", sa.String(32), primary_key=True),
    sa.Column("key", sa.String(64), nullable=False),
    sa.Column("status", sa.String(32), nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("seconds", sa.Float),
    sa.Column("finished", sa.DateTime),
)
"""Beside nbgrader's own tables in the gradebook: under which content hash each submission was graded."""


class CourseError(GradeboxError):
    """The course, not a submission, stands in the way; the message says what to do."""


@dataclass(frozen=True)
class Submission:
    """One folder of submitted work."""

    student: str
    step: str
    path: Path


class _Stopwatch:
    """What the coordinator spends on one submission, of the clock's time and of a processor's."""

    def __init__(self) -> None:
        self.clock_s = self.processor_s = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        clock, processor = perf_counter(), thread_time()
        try:
            yield
        finally:
            self.clock_s += perf_counter() - clock
            self.processor_s += thread_time() - processor


@dataclass(frozen=True)
class _Task:
    """A submission on its way. `spent` is what it has cost the coordinator so far; `attempt` counts from 1."""

    submission: Submission
    order: Order
    key: str
    spent: _Stopwatch
    attempt: int = 1


class Classroom(LoggingConfigurable):
    """Grades submissions on a Dask cluster. Its settings stand in `nbgrader_config.py` as `c.Classroom.…`."""

    workers = Integer(2, min=1, help="Processes that grade side by side, of a local cluster.").tag(config=True)
    scheduler = Unicode("", help="Address of a Dask scheduler, tcp://host:port; empty for a local cluster.").tag(
        config=True
    )
    worker_setup = List(
        List(Unicode()),
        help="Commands, each a list of words, that run once on every worker before it grades: data sets, baselines. "
        "`python` is the worker's own.",
    ).tag(config=True)
    doctor_commands = Dict(
        key_trait=Unicode(),
        value_trait=List(Unicode(), minlen=1),
        help="What `gradebox doctor` shows beside its own findings: name → a command, a list of words, that changes "
        "nothing and prints what it found. `python` is the one that runs `gradebox`.",
    ).tag(config=True)
    packages = List(
        Unicode(),
        ["nbgrader", "nbconvert"],
        help="Packages on whose versions a result depends: with another version, a submission is graded again.",
    ).tag(config=True)
    sources = List(
        Unicode(),
        ["gradebox"],
        help="Packages on whose code a result depends: when a file of one changes, submissions are graded again.",
    ).tag(config=True)
    attempts = Integer(3, min=1, help="How often a submission is graded until the grader does not fail.").tag(
        config=True
    )
    max_file_bytes = Integer(
        64_000_000, min=1, help="The largest submitted file that is sent to a worker, in bytes."
    ).tag(config=True)
    max_submission_bytes = Integer(
        256_000_000, min=1, help="How much of a submission's files is sent to a worker, in bytes, all together."
    ).tag(config=True)
    max_files = Integer(2000, min=1, help="How many files of a submission are sent to a worker.").tag(config=True)

    def __init__(self, root: Path, config: Config | None = None, **settings: Any) -> None:
        root = root.resolve()
        self.config_text = _config_text(root)
        loaded = (
            PyFileConfigLoader("nbgrader_config.py", path=str(root)).load_config() if self.config_text else Config()
        )
        loaded.merge(config or Config())
        super().__init__(config=loaded, **settings)
        self.root = root
        self.course = CourseDirectory(config=loaded, root=str(root))
        self.overrides = dict(config or {})

    # What there is to do

    def submissions(self, steps: Sequence[str], student: str = "*") -> list[Submission]:
        """Every submission of these steps, by step and name; `student` may hold wildcards."""
        found = []
        for step in steps:
            for name in self._students():
                path = Path(self._path(self.course.submitted_directory, name, step))
                if fnmatchcase(name, student) and path.is_dir() and not path.is_symlink():
                    found.append(Submission(name, step, path))
        return found

    def _students(self) -> list[str]:
        # format_path is a template: the folder above the student's name is where the names are
        above = Path(self._path(self.course.submitted_directory, "x", "x")).parents[1]
        if not above.is_dir():
            return []
        return sorted(entry.name for entry in os.scandir(above) if entry.is_dir(follow_symlinks=False))

    def _path(self, kind: str, student: str, step: str) -> str:
        return os.path.join(self.root, kind, student, step)

    @contextmanager
    def gradebook(self) -> Iterator[sa.Engine]:
        """The gradebook's engine. Raises `CourseError` where it cannot be opened."""
        try:
            url = sa.make_url(self.course.db_url).render_as_string()  # which shows no password
            with self._opened() as opened:
                LEDGER.create(opened.engine, checkfirst=True)
                yield opened.engine
        except sa.exc.ArgumentError as error:
            raise CourseError(f"c.CourseDirectory.db_url is no URL of a data base: {error}") from error
        except sa.exc.DatabaseError as error:
            reason = str(error.orig).splitlines()[0] if error.orig else str(error).splitlines()[0]
            raise CourseError(
                f"the gradebook {url} cannot be used ({reason}); restore it from a backup, or move it away, "
                "generate the steps again and grade again"
            ) from error

    def _opened(self) -> Any:
        try:
            with programs_of_python():
                return api.Gradebook(self.course.db_url, self.course.course_id)
        except ModuleNotFoundError as error:
            raise CourseError(f"the gradebook's driver, the Python module {error.name}, is not installed") from error

    def kit(self, step: str, engine: sa.Engine) -> Kit:
        """What workers need for a step. Raises `CourseError` if the gradebook does not know the step."""
        with engine.connect() as connection:
            known = connection.execute(sa.select(api.Assignment.name)).scalars().all()
        if step not in known:
            raise CourseError(
                f"no such step: {step}; the gradebook knows {', '.join(sorted(known)) or 'none'}. "
                f"Run `nbgrader generate_assignment {step}` first"
            )
        folder = Path(self._path(self.course.source_directory, ".", step))
        if foreign := other_language(sorted(folder.glob("*.ipynb")), self.config):
            raise CourseError(foreign)
        files, notes = self._read(folder, [*self.course.ignore, "*.ipynb"])
        if notes:
            raise CourseError(f"source/{step}: {notes[0]}; put a plain file there, or raise c.Classroom.max_file_bytes")
        named = tuple(self.packages), tuple(self.sources)
        return Kit(step, self.config_text, files, record_of(engine, step), self.overrides, *named)

    def order(self, submission: Submission) -> Order:
        """Read a submission into a work order."""
        files, notes = self._read(submission.path, self.course.ignore)
        content = dict(files)
        timestamp = _timestamp(content.pop("timestamp.txt", b""))
        return Order(submission.student, submission.step, tuple(sorted(content.items())), tuple(notes), timestamp)

    def _read(self, folder: Path, ignore: Sequence[str]) -> tuple[Files, list[str]]:
        return read_files(folder, ignore, self.max_file_bytes, self.max_files, self.max_submission_bytes)

    # Doing it

    def grade(
        self,
        steps: Sequence[str],
        student: str = "*",
        *,
        force: bool = False,
        report: Callable[[Result, bool], None] = lambda result, kept: None,
        planned: Callable[[int], None] = lambda total: None,
        dashboard: Callable[[str], None] = lambda link: None,
    ) -> list[Result]:
        """Grade what is not graded yet; return one result per submission, by step and student.

        Args:
            steps: names of steps.
            student: a name, with wildcards.
            force: grade what is unchanged too.
            report: called with each result as it is committed, and whether it was graded in an earlier run.
            planned: called once with the number of submissions.
            dashboard: called with the link of the scheduler's dashboard, if one runs there.

        Returns:
            Results without `files` and `log`, which are on disk by then: a class need not fit into memory.

        Raises:
            Unprotected: student code would run without a sandbox, and the course has not accepted that.
            CourseError: an unknown step, a gradebook or a scheduler that cannot be used.
            OSError: the disk is full; what was kept before stays.
        """
        require_protection(self.config, here=not self.scheduler)
        steps = list(dict.fromkeys(steps))
        todo = self.submissions(steps, student)
        planned(len(todo))
        with self.gradebook() as engine:
            kits = {step: self.kit(step, engine) for step in steps}
            digests = {step: kit.digest() for step, kit in kits.items()}
            ledger = Ledger(engine, steps)
            results: dict[Submission, Result] = {}

            def done(submission: Submission, result: Result, timestamp: str, spent: _Stopwatch) -> None:
                with spent.running():
                    kept = self._keep(submission, result, timestamp, ledger)
                finish(submission, kept, spent, False)

            def finish(submission: Submission, result: Result, spent: _Stopwatch, kept: bool) -> None:
                result = replace(result, coordinator_s=spent.clock_s, coordinator_processor_s=spent.processor_s)
                results[submission] = replace(result, files=(), log="")
                report(results[submission], kept)

            def tasks() -> Iterator[_Task]:
                for submission in todo:
                    spent = _Stopwatch()
                    try:
                        with spent.running():
                            order = self.order(submission)
                            key = order.key(digests[submission.step])
                    except Exception as error:  # whatever was submitted, the class goes on
                        done(submission, _failed(submission, "", "the submission cannot be read", error), "", spent)
                        continue
                    with spent.running():
                        found = None if force else self._kept(submission, key, ledger)
                    if found is None:
                        yield _Task(submission, order, key, spent)
                    else:
                        finish(submission, found, spent, True)

            self._run(kits, tasks(), done, dashboard)
        return [results[submission] for submission in todo]

    def _kept(self, submission: Submission, key: str, ledger: "Ledger") -> Result | None:
        found = ledger.found(submission)
        graded = self._graded(submission).is_dir()
        if found is None or found.key != key or found.status != "graded" or not graded:
            return None
        endings = tuple(found.reason.split(", ")) if found.reason else ()
        return Result(
            submission.student, submission.step, key, "graded", found.reason or "", endings, seconds=found.seconds
        )

    def _keep(self, submission: Submission, result: Result, timestamp: str, ledger: "Ledger") -> Result:
        """Put a result where it belongs; return it, or the failure in its place if it cannot be kept."""
        try:
            self._put(submission, result, timestamp, ledger)
            return result
        except Exception as error:
            if _is_the_gradebooks(error) or _is_a_full_disk(error):
                raise  # nobody's result can be kept
            failed = _failed(submission, result.key, "the result cannot be kept", error)
            if result.status != "graded":  # the first failure is the one to report
                failed = replace(failed, reason=_storable(result.reason))
        # What stands in the way of one of these may leave room for the others; the failure is reported in any case.
        with suppress(UnicodeError, sa.exc.DataError, sa.exc.IntegrityError):
            ledger.commit(submission, failed, timestamp)
        with suppress(OSError):
            _replace_folder(self._graded(submission), ())
        with suppress(OSError):
            self._write_log(submission, f"{failed.reason}\n\n{result.log}")
        return failed

    def _put(self, submission: Submission, result: Result, timestamp: str, ledger: "Ledger") -> None:
        self._write_log(submission, result.log or f"{result.reason}\n")
        ledger.withdraw(submission)  # killed before the commit, it is graded again: the folder is no longer the row's
        _replace_folder(self._graded(submission), result.files)
        ledger.commit(submission, result, timestamp)

    def _graded(self, submission: Submission) -> Path:
        return Path(self._path(self.course.autograded_directory, submission.student, submission.step))

    def _write_log(self, submission: Submission, text: str) -> None:
        log = self.root / ".gradebox" / "logs" / submission.step / f"{submission.student}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(visible(text), encoding="utf-8", errors="replace")

    def _run(
        self,
        kits: Mapping[str, Kit],
        tasks: Iterator[_Task],
        done: Callable[[Submission, Result, str, _Stopwatch], None],
        dashboard: Callable[[str], None],
    ) -> None:
        following = next(tasks, None)
        if following is None:
            return  # nothing to grade: no cluster for that
        with self._made_ready() as ready, self._client(kits[following.submission.step]) as client:
            from distributed import as_completed

            with suppress(OSError, ValueError):  # a scheduler may refuse to be asked; one that is lost is noticed below
                # One without a dashboard, such as a local cluster's, names a link all the same.
                if client.run_on_scheduler(lambda: "distributed.dashboard.scheduler" in sys.modules):
                    dashboard(client.dashboard_link)
            # Scattered data is lost with the worker that holds it, and every order with it; a result is made again.
            sent = {step: client.submit(_as_it_is, kit, pure=False) for step, kit in kits.items()}
            waiting: dict[Any, tuple[_Task, str | None]] = {}
            queue = as_completed()

            def submit(task: _Task, worker: str | None) -> None:
                with task.spent.running():
                    future = client.submit(
                        carry_out,
                        *(sent[task.submission.step], task.order, task.key),
                        **({"workers": [worker], "allow_other_workers": True} if worker else {}),
                        pure=False,
                    )
                waiting[future] = task, worker
                queue.add(future)

            def fill() -> None:
                # One order for each worker, and the worker named: Dask would send it to one that has the kit, busy or
                # not, and a second order would wait behind a long one while another worker has nothing to do.
                nonlocal following
                busy = {worker for _, worker in waiting.values()}
                try:
                    free: list[str | None] = [worker for worker in client.nthreads() if worker not in busy]
                except OSError as error:
                    raise CourseError(SCHEDULER_LOST) from error
                for worker in free or ([] if waiting else [None]):
                    if following is not None:
                        submit(following, worker)
                        following = next(tasks, None)

            ready()
            fill()
            for future in queue:
                task, worker = waiting.pop(future)
                submission, result = task.submission, _result_of(future, task)
                if result.status == "grader failed" and task.attempt < self.attempts:
                    self.log.warning("%s, %s: once more: %s", submission.student, submission.step, result.reason)
                    submit(replace(task, attempt=task.attempt + 1), worker)
                    continue
                fill()  # first, so that the worker grades on while its result is kept
                done(submission, result, task.order.timestamp, task.spent)

    @contextmanager
    def _made_ready(self) -> Iterator[Callable[[], None]]:
        """Make this machine ready while a local cluster starts; yield what waits for it, and raises `SetUpError`."""
        if self.scheduler:
            yield lambda: None  # the workers' machines do that themselves
            return
        with ThreadPoolExecutor(1) as pool:
            yield pool.submit(run_commands, self.worker_setup).result

    @contextmanager
    def _client(self, kit: Kit) -> Iterator[Any]:
        import dask

        dask.config.set(CLUSTER)  # before the import, which begins to log
        from distributed import Client, LocalCluster

        from gradebox.setup import OneHousehold, OwnCores, SetUp, WarmUp, warm_processes

        if self.scheduler:
            try:
                client = Client(self.scheduler, timeout="20s")
            except (OSError, ValueError) as error:
                raise CourseError(
                    f"no Dask scheduler answers at {self.scheduler}; start it, or leave --scheduler out"
                ) from error
            with client:
                client.register_plugin(WarmUp(kit))
                if self.worker_setup:
                    client.register_plugin(SetUp([list(words) for words in self.worker_setup]))
                yield client
        else:
            with (
                environment_kept() as environment,  # Dask adds to it what its workers are to have
                warm_processes(kit, self.workers) as warm,
                tempfile.TemporaryDirectory(prefix="gradebox-dask-") as folder,
                LocalCluster(
                    n_workers=self.workers,
                    threads_per_worker=1,
                    processes=True,
                    host="127.0.0.1",
                    # Other accounts reach that too, and whoever gives a worker orders has the grader's rights: this run
                    # makes a key of its own, which nobody else can read.
                    security=True,
                    dashboard_address="127.0.0.1:0",
                    scheduler_kwargs={"dashboard": False},
                    memory_limit=0,
                    silence_logs=logging.CRITICAL,  # what stops a worker is told in one line
                    local_directory=folder,
                ) as cluster,
                _tended(cluster, self.workers),
                Client(cluster) as client,
            ):
                client.register_plugin(OwnCores(self.workers))
                client.register_plugin(OneHousehold(environment, warm))
                yield client


@contextmanager
def _tended(cluster: Any, workers: int) -> Iterator[None]:
    """Keep a local cluster at that many workers.

    Dask starts one that was killed again, but gives up on one that cannot be started, or that it does not see 15
    seconds later, such as one that was killed once more. With none left, the class would wait forever.
    """
    from distributed.core import Status
    from tornado.ioloop import PeriodicCallback

    def tend() -> None:
        for name, worker in list(cluster.workers.items()):
            if worker.status in (Status.failed, Status.closed):
                del cluster.workers[name]
        cluster.scale(workers)

    tending = PeriodicCallback(tend, TEND_S * 1000)
    cluster.loop.add_callback(tending.start)
    try:
        yield
    finally:
        cluster.loop.add_callback(tending.stop)


def _as_it_is(kit: Kit) -> Kit:
    return kit


def _result_of(future: Any, task: _Task) -> Result:
    from distributed.client import FutureCancelledError

    problem: BaseException
    try:
        return future.result()
    except FutureCancelledError as error:
        if error.reason == "scheduler-connection-lost":
            raise CourseError(SCHEDULER_LOST) from error
        problem = error
    except Exception as error:  # the worker's end, or a result that was on a worker when that ended
        problem = error
    reason = f"the worker died while it graded ({type(problem).__name__})"
    return Result(task.submission.student, task.submission.step, task.key, "grader failed", reason)


def _failed(submission: Submission, key: str, what: str, error: Exception) -> Result:
    said = (str(error).strip() or "without a word").splitlines()[0]
    reason = _storable(f"{what} ({type(error).__name__}: {said})")
    return Result(submission.student, submission.step, key, "grader failed", reason)


def _storable(text: str) -> str:
    """The text without what no gradebook takes: half a surrogate pair, as in a name that is no text, and NUL."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")


def _is_the_gradebooks(error: Exception) -> bool:
    """Whether the gradebook as a whole, not a value that it is to take, stands in the way."""
    of_a_value = (sa.exc.DataError, sa.exc.IntegrityError)
    return isinstance(error, sa.exc.DatabaseError) and not isinstance(error, of_a_value)


class Ledger:
    """The gradebook's side of the coordinator: plain rows in one transaction per result, no growth with the class."""

    def __init__(self, engine: sa.Engine, steps: Sequence[str]) -> None:
        self.engine = engine
        with engine.connect() as connection:
            self.steps = {
                row.name: row.id
                for row in connection.execute(sa.select(api.Assignment.name, api.Assignment.id))
                if row.name in steps
            }
            notebook = api.Notebook.__table__
            cell = api.BaseCell.__table__
            self.notebooks: dict[str, list[str]] = {}
            self.cells: dict[str, str] = {}
            self.graded_cells: dict[str, list[str]] = {}
            for row in connection.execute(sa.select(notebook.c.id, notebook.c.assignment_id)):
                self.notebooks.setdefault(row.assignment_id, []).append(row.id)
            for row in connection.execute(sa.select(cell.c.id, cell.c.notebook_id, cell.c.type)):
                self.cells[row.id] = row.notebook_id
                if row.type in GRADED:
                    self.graded_cells.setdefault(row.notebook_id, []).append(row.id)

    def found(self, submission: Submission) -> Any:
        """The row of the ledger for a submission, or None."""
        table = api.SubmittedAssignment.__table__
        query = (
            sa.select(LEDGER)
            .join(table, table.c.id == LEDGER.c.submission_id)
            .where(table.c.assignment_id == self.steps[submission.step], table.c.student_id == submission.student)
        )
        with self.engine.connect() as connection:
            return connection.execute(query).first()

    def withdraw(self, submission: Submission) -> None:
        """Forget under which key a submission was graded; its marks stay until others are committed."""
        with self.engine.begin() as connection:
            place = {"assignment_id": self.steps[submission.step], "student_id": submission.student}
            submissions = api.SubmittedAssignment.__table__
            ids = sa.select(submissions.c.id).where(*(submissions.c[name] == value for name, value in place.items()))
            connection.execute(sa.delete(LEDGER).where(LEDGER.c.submission_id.in_(ids)))

    def commit(self, submission: Submission, result: Result, timestamp: str) -> None:
        """Write a result and when its submission was handed in: all of it, or nothing.

        Where the grader failed, no mark of an earlier run stays: each waits for a grade by hand, or the next run.
        """
        with self.engine.begin() as connection:
            rows = _Rows(connection)
            rows.upsert(api.Student.__table__, {"id": submission.student}, {})
            place = {"assignment_id": self.steps[submission.step], "student_id": submission.student}
            when = {"timestamp": utils.parse_utc(timestamp) if timestamp else None}
            submission_id = rows.upsert(api.SubmittedAssignment.__table__, place, when)
            penalties = dict(result.penalties)
            notebooks = {
                notebook: rows.upsert(
                    api.SubmittedNotebook.__table__,
                    {"assignment_id": submission_id, "notebook_id": notebook},
                    {"late_submission_penalty": penalties[notebook]} if notebook in penalties else {},
                )
                for notebook in self.notebooks.get(place["assignment_id"], [])
            }
            for mark in self._marks(result, notebooks):
                where = {"notebook_id": notebooks[self.cells[mark.cell_id]], "cell_id": mark.cell_id}
                rows.mark(where, mark.auto_score, mark.needs_manual_grade)
            for cell_id, text in result.comments:
                where = {"notebook_id": notebooks[self.cells[cell_id]], "cell_id": cell_id}
                rows.upsert(api.Comment.__table__, where, {"auto_comment": text})
            entry = {
                "key": result.key,
                "status": result.status,
                "reason": result.reason,
                "seconds": result.seconds,
                "finished": datetime.now(UTC).replace(tzinfo=None),
            }
            rows.upsert(LEDGER, {"submission_id": submission_id}, entry)

    def _marks(self, result: Result, notebooks: Mapping[str, Any]) -> Sequence[CellMark]:
        if result.status == "graded":
            return result.marks
        return [CellMark(cell, None, True) for notebook in notebooks for cell in self.graded_cells.get(notebook, ())]


class _Rows:
    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection

    def upsert(self, table: Any, where: Mapping[str, Any], values: Mapping[str, Any]) -> Any:
        """Update the row at `where`, or make it; return its id, where the table has one."""
        condition = sa.and_(*(table.c[name] == value for name, value in where.items()))
        row = self.connection.execute(sa.select(table).where(condition)).mappings().first()
        if row is None:
            new = {**where, **values}
            if "id" in table.c and "id" not in new:
                new["id"] = uuid4().hex
            if "flagged" in table.c:
                new.setdefault("flagged", False)
            self.connection.execute(sa.insert(table).values(**new))
            return new.get("id")
        if values:
            self.connection.execute(sa.update(table).where(condition).values(**values))
        return row.get("id")

    def mark(self, where: Mapping[str, Any], auto_score: float | None, needs_manual_grade: bool) -> None:
        """A grade given by hand stays, and is flagged for another look, as nbgrader does after each run."""
        grade = api.Grade.__table__
        condition = sa.and_(*(grade.c[name] == value for name, value in where.items()))
        by_hand = self.connection.execute(sa.select(grade.c.manual_score).where(condition)).scalar()
        flag = needs_manual_grade or by_hand is not None
        self.upsert(grade, where, {"auto_score": auto_score, "needs_manual_grade": flag})


def _is_a_full_disk(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno in FULL_DISK


def read_files(
    folder: Path, ignore: Sequence[str], max_bytes: int, max_files: int, max_total_bytes: int
) -> tuple[Files, list[str]]:
    """The regular files below a folder that anyone may have filled, and a line for each thing left behind.

    No link is followed and nothing but a regular file is opened. A notebook above `max_bytes` is cut there, so that
    its reader sees that it is too large; other such files are left behind, and so is what is above
    `max_total_bytes` together with the files before it.
    """
    left = max_total_bytes
    files: dict[str, bytes] = {}
    notes: list[str] = []
    if not folder.is_dir():
        return (), notes
    for here, folders, names in os.walk(folder, followlinks=False):
        folders[:] = sorted(name for name in folders if not any(fnmatchcase(name, pattern) for pattern in ignore))
        odd = [each for each in folders if each.endswith(".ipynb") or os.path.islink(os.path.join(here, each))]
        for name in sorted([*names, *odd]):
            path = Path(here, name)
            relative = str(path.relative_to(folder))
            if any(fnmatchcase(name, pattern) for pattern in ignore):
                continue
            if len(files) >= max_files:
                notes.append(f"more than {max_files} files: {relative} and those after it were left behind")
                return tuple(sorted(files.items())), notes
            try:
                relative.encode()
            except UnicodeEncodeError:
                notes.append(f"{relative!r} has a name that is no text: left behind")
                continue
            allowed = min(max_bytes, left)
            content = _read_regular(path, allowed)
            if content is None or (len(content) > allowed and path.suffix != ".ipynb"):
                notes.append(f"{relative!r} is not a regular, readable file of at most {allowed:,} bytes: left behind")
                if content is None and path.suffix == ".ipynb":
                    files[relative] = b""
                continue
            left = max(0, left - len(content))
            files[relative] = content
    return tuple(sorted(files.items())), notes


def _read_regular(path: Path, max_bytes: int) -> bytes | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    with os.fdopen(descriptor, "rb") as file:
        try:
            return file.read(max_bytes + 1)
        except OSError:
            return None


def _timestamp(content: bytes) -> str:
    """The submission's time as nbgrader reads it; empty if it says none."""
    text = content[:200].decode("utf-8", "replace").strip()
    try:
        utils.parse_utc(text)
    except (ValueError, OverflowError, TypeError):
        return ""
    return text


def _replace_folder(folder: Path, files: Files) -> None:
    """Make the folder hold exactly these files; after a crash it is the old one, the new one or none."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = folder.with_name(f".{folder.name}.part")
    for stale in (part, part.with_suffix(".old")):
        _remove(stale)
    if files:
        for name, content in files:
            path = part / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(0o444)
    if folder.exists():
        folder.rename(part.with_suffix(".old"))
    if files:
        part.rename(folder)
    _remove(part.with_suffix(".old"))


def _remove(folder: Path) -> None:
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)


def _config_text(root: Path) -> bytes:
    path = root / "nbgrader_config.py"
    if not path.is_file():
        raise CourseError(f"{root} has no nbgrader_config.py: start in the course's folder, or name it with --course")
    return path.read_bytes()
