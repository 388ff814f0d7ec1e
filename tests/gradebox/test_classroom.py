"""A class on several workers: the marks of `nbgrader autograde`, each once, whatever is damaged, killed or repeated."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import random
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dask
import nbformat
import psutil  # type: ignore[import-untyped]
import pytest
import sqlalchemy as sa
from distributed import LocalCluster
from distributed.core import rpc
from distributed.security import Security
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from traitlets.config import Config
from typer.testing import CliRunner

from gradebox.classroom import Classroom, CourseError, read_files
from gradebox.cli import app
from gradebox.work import code_digest

from .conftest import CONFIG, FULL_MARKS, HONEST, NO_MARKS, Course, GradedClass, answered, source_notebook

STUB_CONFIG = CONFIG.replace('    "gradebox.execute.GradedExecute",\n', "")
"""Nothing runs: what is left is the coordinator's own work, and nbgrader's."""

ODD_NAMES = ("two words", 'o\'quote "q"', "ünï ☃", "[ab]*?", "--help", "a.b..c", "line\nbreak", "x" * 100)


def run(course: Course, *words: str, timeout: float = 900) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gradebox.cli", "grade", *words]
    return subprocess.run(command, cwd=course.root, capture_output=True, text=True, timeout=timeout, check=False)


def results_of(done: subprocess.CompletedProcess[str]) -> dict[str, dict]:
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len({row["student"] for row in rows}) == len(rows)
    return {row["student"]: row for row in rows}


def make_course(root: Path, config: str) -> Course:
    course = Course(root)
    (root / "nbgrader_config.py").write_text(config)
    (root / "source" / "sums").mkdir(parents=True)
    nbformat.write(source_notebook(), root / "source" / "sums" / "sums.ipynb")
    done = course.nbgrader("generate_assignment", "sums")
    assert done.returncode == 0, done.stderr
    return course


def damage(course: Course) -> None:
    """Kinds that nbgrader's own copying does not survive, or that need a file system to be made."""
    honest = nbformat.writes(answered(course.release("sums", "sums"), HONEST)).encode()

    def place(student: str) -> Path:
        path = course.root / "submitted" / student / "sums"
        path.mkdir(parents=True)
        return path

    os.mkfifo(place("fifo") / "sums.ipynb")
    (place("link") / "sums.ipynb").symlink_to("/etc/hostname")
    (place("dangling") / "sums.ipynb").write_bytes(honest)
    (course.root / "submitted" / "dangling" / "sums" / "data.csv").symlink_to("nowhere")
    (place("folder") / "sums.ipynb").mkdir()
    place("empty_folder")
    with (place("100_megabytes") / "sums.ipynb").open("wb") as file:
        file.truncate(100_000_000)
    with (place("large_file") / "data.bin").open("wb") as file:
        file.truncate(100_000_000)
    (course.root / "submitted" / "large_file" / "sums" / "sums.ipynb").write_bytes(honest)
    (place("no_time") / "sums.ipynb").write_bytes(honest)
    (course.root / "submitted" / "no_time" / "sums" / "timestamp.txt").write_bytes(b"the day after \xff\n")
    for name in ODD_NAMES:
        (place(name) / "sums.ipynb").write_bytes(honest)


@dataclass(frozen=True)
class Graded:
    course: Course
    done: subprocess.CompletedProcess[str]


@pytest.fixture(scope="session")
def damaged_class(course: Course, graded_class: GradedClass, tmp_path_factory: pytest.TempPathFactory) -> Graded:
    """The class that nbgrader graded, and what nbgrader cannot grade, graded by two workers in a course of its own."""
    own = make_course(tmp_path_factory.mktemp("classroom"), CONFIG)
    shutil.copytree(course.root / "submitted", own.root / "submitted", dirs_exist_ok=True)
    damage(own)
    return Graded(own, run(own, "sums", "--json", "--workers", "2"))


def test_marks_are_those_of_nbgrader(damaged_class, graded_class):
    students = sorted(path.name for path in (graded_class.course.root / "submitted").iterdir())
    theirs, ours = (
        {student: each.marks(student) for student in students} for each in (graded_class.course, damaged_class.course)
    )
    assert ours == theirs


def test_every_submission_ends_with_one_result_and_what_is_wrong_with_it(damaged_class):
    rows = results_of(damaged_class.done)
    there = {path.name for path in (damaged_class.course.root / "submitted").iterdir()}
    assert set(rows) == there
    assert len(there) >= 40
    assert all(row["status"] == "graded" for row in rows.values())
    for student in ("fifo", "link", "folder", "100_megabytes", "empty_file", "not_json", "truncated"):
        assert rows[student]["endings"] == ["UnreadableNotebook"], student
    for student in ("empty_folder", "no_notebook"):
        assert rows[student]["endings"] == ["MissingNotebook"], student
    assert damaged_class.done.returncode == 3


@pytest.mark.parametrize("student", [*ODD_NAMES, "dangling", "large_file", "no_time"])
def test_whoever_hands_in_honest_work_gets_its_marks(damaged_class, student):
    assert damaged_class.course.marks(student) == FULL_MARKS


@pytest.mark.parametrize("student", ["fifo", "link", "folder", "empty_folder", "100_megabytes"])
def test_what_cannot_be_read_is_marked_zero(damaged_class, student):
    assert damaged_class.course.marks(student) == NO_MARKS


def test_each_submission_has_a_log_of_its_own(damaged_class):
    logs = damaged_class.course.root / ".gradebox" / "logs" / "sums"
    assert "Autograding" in (logs / "a_careful.log").read_text()
    assert "left behind" in (logs / "large_file.log").read_text()


def test_what_kernels_say_is_in_the_logs_and_not_on_the_terminal(damaged_class):
    logs = damaged_class.course.root / ".gradebox" / "logs" / "sums"
    assert "IPKernelApp" in (logs / "a_careful.log").read_text()
    assert "IPKernelApp" not in damaged_class.done.stderr
    assert "WARNING" not in damaged_class.done.stderr


def test_nbgrader_goes_on_from_there(damaged_class):
    course = damaged_class.course
    assert course.nbgrader("export", "--to", "grades.csv").returncode == 0
    done = course.nbgrader("generate_feedback", "sums", "--student", "a_careful")
    assert done.returncode == 0, done.stderr
    assert (course.root / "feedback" / "a_careful" / "sums" / "sums.html").is_file()


# Without running anything: resuming, killing, regrading


@pytest.fixture
def stub_class(tmp_path: Path) -> Course:
    course = make_course(tmp_path, STUB_CONFIG)
    release = course.release("sums", "sums")
    for number in range(24):
        course.hand_in(f"student{number:02}", "sums", "sums.ipynb", answered(release, HONEST))
    return course


def stored(course: Course, url: str = "") -> tuple[int, int, int]:
    """Submissions in the gradebook, rows of the ledger, autograded folders."""
    with Gradebook(url or f"sqlite:///{course.root / 'gradebook.db'}") as gradebook:
        submissions = len(gradebook.assignment_submissions("sums"))
        ledger = gradebook.db.execute(sa.text("SELECT COUNT(*) FROM gradebox_result")).scalar()
    return submissions, ledger, len(list((course.root / "autograded").glob("*/sums/sums.ipynb")))


def test_what_has_not_changed_is_not_graded_again(stub_class):
    first = results_of(run(stub_class, "sums", "--json"))
    assert not any(row["kept"] for row in first.values())
    stub_class.hand_in("student03", "sums", "sums.ipynb", answered(stub_class.release("sums", "sums"), {}))
    second = results_of(run(stub_class, "sums", "--json"))
    assert [name for name, row in second.items() if not row["kept"]] == ["student03"]
    shutil.rmtree(stub_class.root / "autograded" / "student05")
    assert not results_of(run(stub_class, "sums", "--json", "--student", "student05"))["student05"]["kept"]
    assert not any(row["kept"] for row in results_of(run(stub_class, "sums", "--json", "--force")).values())
    assert stored(stub_class) == (24, 24, 24)


def test_nbgrader_takes_it_for_graded_until_it_is_handed_in_again(stub_class):
    stub_class.hand_in("student04", "sums", "timestamp.txt", b"2026-01-12 09:00:00 UTC")
    run(stub_class, "sums", "--student", "student0[34]")
    api = NbGraderAPI(config=Config(CourseDirectory={"root": str(stub_class.root)}))
    assert api.get_autograded_students("sums") == {"student03", "student04"}
    stub_class.hand_in("student04", "sums", "timestamp.txt", b"2026-01-13 09:00:00 UTC")
    assert api.get_autograded_students("sums") == {"student03"}
    run(stub_class, "sums", "--student", "student0[34]")
    assert api.get_autograded_students("sums") == {"student03", "student04"}


NO_TEXT = os.fsdecode(b"no text \xff")


def test_what_cannot_be_read_or_kept_is_a_result_and_the_class_goes_on(stub_class):
    """A name that no gradebook takes, and a log that stands where a folder is."""
    stub_class.hand_in(NO_TEXT, "sums", "sums.ipynb", b"{}")
    run(stub_class, "sums", "--student", "student0[56]")
    for student in ("student05", "student07"):
        log = stub_class.root / ".gradebox" / "logs" / "sums" / f"{student}.log"
        log.unlink(missing_ok=True)
        log.mkdir()
    done = run(stub_class, "sums", "--json", "--force")
    rows = results_of(done)
    assert done.returncode == 4, done.stderr
    assert "Traceback" not in done.stderr
    assert len(rows) == 25
    failed = {name: row["reason"] for name, row in rows.items() if row["status"] == "grader failed"}
    assert set(failed) == {NO_TEXT, "student05", "student07"}
    assert "cannot be read" in failed[NO_TEXT]
    assert "cannot be kept (IsADirectoryError" in failed["student05"]
    assert stored(stub_class) == (24, 24, 22)
    assert set(stub_class.marks("student05").values()) == {None}, "a mark of an earlier run is left"
    log.rmdir()
    again = results_of(run(stub_class, "sums", "--json", "--student", "student0[67]"))
    assert {name: row["kept"] for name, row in again.items()} == {"student06": True, "student07": False}


@pytest.mark.parametrize("victim", ["coordinator", "workers"])
def test_killed_at_any_moment_it_goes_on_where_it_was(stub_class, victim):
    chance = random.Random(victim)
    command = [sys.executable, "-m", "gradebox.cli", "grade", "sums", "--json"]
    process = subprocess.Popen(
        command, cwd=stub_class.root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    seen = [process.stdout.readline() for _ in range(3)]
    if victim == "coordinator":
        process.kill()
    killed = kill_workers(process, 3, chance)
    rest, _ = process.communicate(timeout=300)
    assert all(seen)
    if victim == "workers":
        assert killed >= 2, "one after the other, so that none is left that was there at the start"
        statuses = [json.loads(line)["status"] for line in (*seen, *rest.splitlines())]
        assert statuses == ["graded"] * 24
    last = run(stub_class, "sums", "--json")
    assert last.returncode == 0, last.stderr
    assert len(results_of(last)) == 24
    assert stored(stub_class) == (24, 24, 24)


def test_killed_between_folder_and_commit_it_is_graded_again(stub_class, monkeypatch):
    classroom = Classroom(stub_class.root, workers=1)
    classroom.grade(["sums"], student="student03")

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("gradebox.classroom.Ledger.commit", killed)
        with suppress(KeyboardInterrupt):
            classroom.grade(["sums"], student="student03", force=True)
    row = results_of(run(stub_class, "sums", "--json", "--student", "student03"))["student03"]
    assert not row["kept"]
    assert row["status"] == "graded"


def kill_workers(coordinator: subprocess.Popen[str], times: int, chance: random.Random) -> int:
    """Kill one worker after the other while the coordinator runs; return how many. Nannies start them again."""
    killed = 0
    while killed < times and coordinator.poll() is None:
        with suppress(ProcessLookupError):
            if found := workers_of(coordinator.pid):
                os.kill(chance.choice(found), signal.SIGKILL)
                killed += 1
        time.sleep(0.5)
    return killed


def workers_of(coordinator: int) -> list[int]:
    """The processes that its Dask has started; of one that has ended, none."""
    with suppress(psutil.Error):
        below = psutil.Process(coordinator).children(recursive=True)
        return [each.pid for each in below if "spawn_main" in " ".join(_command_of(each))]
    return []


def _command_of(process: psutil.Process) -> list[str]:
    with suppress(psutil.Error):
        return process.cmdline()
    return []


def test_an_interrupt_says_how_to_go_on(stub_class):
    command = [sys.executable, "-m", "gradebox.cli", "grade", "sums", "--json"]
    process = subprocess.Popen(
        # What a shell starts in the background ignores interrupts, and so would what the tests start there.
        ["env", "--default-signal=INT", *command],
        cwd=stub_class.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert "run the same command again" in said


def test_a_worker_that_dask_gives_up_on_is_replaced(stub_class):
    command = [sys.executable, "-m", "gradebox.cli", "grade", "sums", "--json", "--workers", "1"]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    killed = set[int]()
    with subprocess.Popen(command, cwd=stub_class.root, **pipes) as grading:
        assert grading.stdout
        first = grading.stdout.readline()
        deadline = time.monotonic() + 20  # longer than Dask waits for the worker to come back
        while time.monotonic() < deadline:
            for child in psutil.Process(grading.pid).children():
                with suppress(psutil.Error):
                    if "multiprocessing.spawn" in " ".join(child.cmdline()):
                        child.kill()
                        killed.add(child.pid)
            time.sleep(0.05)
        try:
            rest, said = grading.communicate(timeout=120)
        finally:
            grading.kill()
    assert grading.returncode == 0, said
    assert len(killed) >= 2
    rows = [json.loads(line)["student"] for line in (first + rest).splitlines()]
    assert len(set(rows)) == len(rows) == 24


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_that_a_destructor_swallows_stops_it_too(stub_class, monkeypatch):
    class Doomed:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGINT)

    keep = Classroom._keep

    def keep_and_interrupt(*arguments: Any) -> Any:
        Doomed()
        return keep(*arguments)

    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    monkeypatch.setattr(Classroom, "_keep", keep_and_interrupt)
    try:
        done = CliRunner().invoke(app, ["grade", "sums", "--json", "--course", str(stub_class.root)])
    finally:
        signal.signal(signal.SIGINT, before)
    assert done.exit_code == 130, done.stderr
    assert "submissions finished: 1; run the same command again" in " ".join(done.stderr.split())


def test_a_grade_given_by_hand_survives(stub_class):
    run(stub_class, "sums", "--student", "student00")
    with Gradebook(f"sqlite:///{stub_class.root / 'gradebook.db'}") as gradebook:
        gradebook.find_grade("explain", "sums", "sums", "student00").manual_score = 2.5
        gradebook.find_comment("explain", "sums", "sums", "student00").manual_comment = "well said"
        gradebook.db.commit()
    run(stub_class, "sums", "--student", "student00", "--force")
    with Gradebook(f"sqlite:///{stub_class.root / 'gradebook.db'}") as gradebook:
        assert gradebook.find_grade("explain", "sums", "sums", "student00").score == 2.5
        assert gradebook.find_comment("explain", "sums", "sums", "student00").comment == "well said"


def test_one_worker_and_two_give_the_same_results_in_the_same_order(stub_class):
    release = stub_class.release("sums", "sums")
    for number in range(0, 24, 3):
        said = {**HONEST, "explain": "Because."}
        stub_class.hand_in(f"student{number:02}", "sums", "sums.ipynb", answered(release, said))
    marks = []
    for workers in ("1", "2"):
        done = run(stub_class, "sums", "--json", "--force", "--workers", workers)
        assert "dashboard" not in done.stderr  # a local cluster has none
        marks.append({name: (row["status"], row["marks"]) for name, row in results_of(done).items()})
    assert marks[0] == marks[1]
    assert len({json.dumps(each) for each in marks[0].values()}) == 2
    graded = Classroom(stub_class.root).grade(["sums"])
    assert [result.student for result in graded] == sorted(marks[0])


def test_nobody_waits_behind_a_long_one_while_a_worker_is_free(tmp_path):
    """The first submission goes on until all of the others have their results."""
    course = make_course(tmp_path, CONFIG)
    others = [f"student{number}" for number in range(4)]
    done = [str(tmp_path / "autograded" / name / "sums") for name in others]
    patient = f"import time\n    while not all(map(os.path.exists, {done})):\n        time.sleep(0.1)\n    return 2 * x"
    for name in ("first", *others):
        answers = {**HONEST, "double": f"def double(x):\n    {patient}"} if name == "first" else HONEST
        course.hand_in(name, "sums", "sums.ipynb", answered(course.release("sums", "sums"), answers))
    rows = results_of(run(course, "sums", "--json", "--workers", "2"))
    assert list(rows)[-1] == "first"
    assert all(course.marks(name) == FULL_MARKS for name in rows)


def test_a_changed_line_of_a_package_that_decides_marks_is_another_key(tmp_path, monkeypatch):
    package = tmp_path / "deciding"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "checks.py").write_text("PASS = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    before = code_digest("deciding")
    (package / "notes.txt").write_text("nothing that decides a mark")
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "checks.pyc").write_text("compiled")
    assert code_digest("deciding") == before
    (package / "checks.py").write_text("PASS = 2\n")
    assert code_digest("deciding") != before
    assert code_digest("no_such_package") == ""


def test_a_kit_is_named_by_the_code_that_decides_its_marks(stub_class, monkeypatch):
    with Classroom(stub_class.root).gradebook() as engine:
        before = Classroom(stub_class.root).kit("sums", engine).digest()
        monkeypatch.setattr("gradebox.work.code_digest", lambda name: f"another {name}")
        assert Classroom(stub_class.root).kit("sums", engine).digest() != before


def test_another_policy_or_another_test_is_another_key(stub_class):
    with Classroom(stub_class.root).gradebook() as engine:
        before = Classroom(stub_class.root).kit("sums", engine).digest()
        assert Classroom(stub_class.root).kit("sums", engine).digest() == before
    config = stub_class.root / "nbgrader_config.py"
    config.write_text(config.read_text() + "\nc.ClearHiddenTests.enforce_metadata = True\n")
    with Classroom(stub_class.root).gradebook() as engine:
        assert Classroom(stub_class.root).kit("sums", engine).digest() != before


def test_an_unknown_step_names_the_known_ones(stub_class):
    done = run(stub_class, "nosuchstep")
    assert done.returncode == 1
    assert "sums" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_corrupted_gradebook_is_one_line(stub_class):
    (stub_class.root / "gradebook.db").write_bytes(b"not a data base" * 100)
    done = run(stub_class, "sums")
    assert done.returncode == 1
    assert "backup" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_is_no_course_is_one_line(tmp_path):
    with pytest.raises(CourseError, match=r"nbgrader_config\.py"):
        Classroom(tmp_path)


def test_a_scheduler_that_does_not_answer_is_one_line(stub_class):
    done = run(stub_class, "sums", "--scheduler", "tcp://127.0.0.1:9")
    assert done.returncode == 1
    assert "no Dask scheduler answers" in done.stderr


@contextmanager
def machines(
    folder: Path, threads: Sequence[int], protocol: str = "tcp"
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A scheduler, with its address, and workers with these numbers of threads, each in a folder of its own."""
    scheduler = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    scheduler += ["--dashboard-address", "127.0.0.1:0", "--protocol", protocol]
    address_file = folder / "scheduler.json"
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    processes = [subprocess.Popen([*scheduler, "--scheduler-file", str(address_file)], cwd=folder, **quiet)]
    try:
        deadline = time.monotonic() + 60
        while not address_file.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        address = json.loads(address_file.read_text())["address"]
        for number, count in enumerate(threads):
            elsewhere = folder / f"machine{number}"
            elsewhere.mkdir()
            words = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", str(count)]
            processes.append(subprocess.Popen([*words, "--no-dashboard"], cwd=elsewhere, **quiet))
        yield address, processes[0]
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            process.wait(30)


def listening() -> list[int]:
    """The TCP ports at which this process and those that it started listen."""
    found = set()
    for process in (psutil.Process(), *psutil.Process().children(recursive=True)):
        with suppress(psutil.Error):
            found |= {each.laddr.port for each in process.net_connections("tcp") if each.status == psutil.CONN_LISTEN}
    return sorted(found)


async def identity(port: int, protocol: str, security: Security, patience_s: float = 2) -> str:
    """What a Dask program at that port says of itself to somebody with that key; nothing to whom it refuses."""
    arguments = security.get_connection_args("client")
    if context := arguments.get("ssl_context"):
        context.verify_mode = ssl.CERT_NONE  # whoever it is
    async with rpc(f"{protocol}://127.0.0.1:{port}", timeout=patience_s, connection_args=arguments) as peer:
        with suppress(OSError, TimeoutError):
            return str(await asyncio.wait_for(peer.identity(), patience_s))
    return ""


async def identities(ports: Sequence[int], protocol: str, security: Security) -> list[str]:
    return await asyncio.gather(*(identity(port, protocol, security) for port in ports))


def health(port: int, patience_s: float = 2) -> str:
    """What a Dask program's web server at that port says."""
    with (
        suppress(OSError, http.client.HTTPException),
        urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=patience_s) as page,
    ):
        return page.read().decode()
    return ""


def test_nobody_else_on_this_machine_gives_a_classs_workers_orders(stub_class):
    before, said = set(listening()), list[str]()

    def ask(*_: Any) -> None:
        if not said:
            ports = [port for port in listening() if port not in before]
            assert len(ports) >= 5  # the scheduler's, and two for each worker
            said.extend(asyncio.run(identities(ports, "tcp", Security())))
            assert not any(said)
            said.extend(asyncio.run(identities(ports, "tls", Security.temporary())))
            said.extend(health(port) for port in ports)

    Classroom(stub_class.root, workers=2).grade(["sums"], student="student0*", report=ask)
    assert len(said) >= 15
    assert not any(said)


def test_a_cluster_without_a_key_would_have_answered():
    usual = {"distributed.scheduler.http.routes": ["distributed.http.health"]}  # unless a class was graded before
    place = {"protocol": "tcp", "dashboard_address": "127.0.0.1:0"}
    with dask.config.set(usual), LocalCluster(n_workers=1, processes=False, **place) as plain:
        port = int(plain.scheduler_address.rsplit(":", 1)[1])
        assert "Scheduler" in asyncio.run(identity(port, "tcp", Security(), patience_s=60))
        assert health(plain.scheduler.http_server.port, patience_s=60) == "ok"


def test_workers_somewhere_else_need_nothing_of_the_course(stub_class, tmp_path):
    """A scheduler and two workers, one with more threads than one: that must not mix two submissions up."""
    with machines(tmp_path, threads=(1, 2)) as (address, _):
        done = run(stub_class, "sums", "--json", "--scheduler", address)
        assert done.returncode == 0, done.stderr
        assert len(results_of(done)) == 24
        (link,) = [line.split(": ", 1)[1] for line in done.stderr.splitlines() if "dashboard" in line]
        with urllib.request.urlopen(link.strip(), timeout=30) as page:
            assert "bokeh.min.js" in page.read().decode()  # the dashboard, not the page that says what it lacks


@pytest.mark.skipif(
    not shutil.which("openssl"), reason="openssl is not installed: on Debian or Ubuntu, apt-get install it"
)
def test_with_a_key_of_the_classs_own_nobody_else_gives_orders_to_other_machines(stub_class, tmp_path, monkeypatch):
    place = {
        "ca_file": str(tmp_path / "class.pem"),
        "cert": str(tmp_path / "class.pem"),
        "key": str(tmp_path / "class.key"),
    }
    words = "openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj /CN=class -keyout class.key -out class.pem"
    subprocess.run(words.split(), cwd=tmp_path, check=True, capture_output=True)
    for name in (
        "CA_FILE",
        "SCHEDULER__CERT",
        "SCHEDULER__KEY",
        "WORKER__CERT",
        "WORKER__KEY",
        "CLIENT__CERT",
        "CLIENT__KEY",
    ):
        monkeypatch.setenv(f"DASK_DISTRIBUTED__COMM__TLS__{name}", place[name.lower().split("__")[-1]])
    key = Security(tls_ca_file=place["ca_file"], tls_client_cert=place["cert"], tls_client_key=place["key"])
    with machines(tmp_path, threads=(1,), protocol="tls") as (address, _):
        done = run(stub_class, "sums", "--json", "--scheduler", address)
        assert done.returncode == 0, done.stderr
        assert len(results_of(done)) == 24
        port = int(address.rsplit(":", 1)[1])
        assert "Scheduler" in asyncio.run(identity(port, "tls", key, patience_s=60))
        assert asyncio.run(identity(port, "tls", Security.temporary())) == ""
        assert asyncio.run(identity(port, "tcp", Security())) == ""


def test_a_scheduler_that_is_lost_half_way_is_one_line_and_loses_nothing(stub_class, tmp_path):
    command = [sys.executable, "-m", "gradebox.cli", "grade", "sums", "--json"]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with (
        machines(tmp_path, threads=(1,)) as (address, scheduler),
        subprocess.Popen([*command, "--scheduler", address], cwd=stub_class.root, **pipes) as grading,
    ):
        assert grading.stdout
        first = [json.loads(grading.stdout.readline())["student"] for _ in range(3)]
        scheduler.kill()
        said = grading.communicate(timeout=120)[1]
    assert grading.returncode == 1
    assert "the connection to the scheduler was lost" in said
    assert "Traceback" not in said
    rows = results_of(run(stub_class, "sums", "--json"))
    assert len(rows) == 24
    assert all(rows[name]["kept"] for name in first)


@pytest.fixture
def postgresql() -> Iterator[str]:
    """The URL of an empty data base on a server of its own, which listens on a socket in a folder of its own."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("no PostgreSQL server is installed: on Debian or Ubuntu, apt-get install postgresql")
    programs = found[-1].parent
    with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        user: list[str] = []
        if os.geteuid() == 0:  # as whom no PostgreSQL server starts
            shutil.chown(folder, "postgres")
            user = ["runuser", "-u", "postgres", "--"]

        def do(program: str, *words: str) -> None:
            command = [*user, str(programs / program), *words]
            with Path(os.devnull).open("wb") as nowhere:  # the server would hold a pipe open
                subprocess.run(command, cwd=folder, stdout=nowhere, check=True, timeout=120)

        data = ("--pgdata", f"{folder}/data")
        do("initdb", *data, "--username", "grader", "--auth", "trust", "--no-sync", "--encoding", "UTF8")
        options = f"-c listen_addresses='' -c unix_socket_directories={folder}"
        do("pg_ctl", "start", *data, "--wait", "--log", f"{folder}/log", "--options", options)
        try:
            do("createdb", "--host", folder, "--username", "grader", "gradebook")
            yield f"postgresql://grader@/gradebook?host={folder}"
        finally:
            do("pg_ctl", "stop", *data, "--mode", "immediate")


def test_a_gradebook_on_a_postgresql_server_is_as_good(postgresql, tmp_path):
    course = make_course(tmp_path, f"{STUB_CONFIG}\nc.CourseDirectory.db_url = {postgresql!r}\n")
    release = course.release("sums", "sums")
    for student in ("first", "second", *ODD_NAMES):
        course.hand_in(student, "sums", "sums.ipynb", answered(release, HONEST))
    course.hand_in("x" * 200, "sums", "sums.ipynb", answered(release, HONEST))  # nbgrader's column holds 128
    students = 3 + len(ODD_NAMES)
    done = run(course, "sums", "--json")
    rows = results_of(done)
    assert len(rows) == students, done.stderr
    failed = {name: row["reason"] for name, row in rows.items() if row["status"] != "graded"}
    assert set(failed) == {"x" * 200}
    assert "cannot be kept" in failed["x" * 200]
    assert stored(course, postgresql) == (students - 1, students - 1, students - 1)
    with Gradebook(postgresql) as gradebook:
        grade = gradebook.find_grade("test_double", "sums", "sums", "first")
        assert grade.auto_score is not None
        grade.manual_score = 0.5
        gradebook.db.commit()
    again = results_of(run(course, "sums", "--json"))
    assert {name for name, row in again.items() if not row["kept"]} == {"x" * 200}
    run(course, "sums", "--force", "--student", "first")
    with Gradebook(postgresql) as gradebook:
        assert gradebook.find_grade("test_double", "sums", "sums", "first").score == 0.5
    assert not (course.root / "gradebook.db").exists()
    assert course.nbgrader("export", "--to", "grades.csv").returncode == 0


def test_reading_follows_no_link_and_opens_no_device(tmp_path):
    folder, secret = tmp_path / "submitted", tmp_path / "secret"
    folder.mkdir()
    secret.mkdir()
    (secret / "key").write_text("secret")
    (folder / "inner").symlink_to(secret)
    (folder / "key").symlink_to(secret / "key")
    (folder / "null").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe")
    (folder / "work.txt").write_text("mine")
    (folder / "folder.ipynb").mkdir()
    files, notes = read_files(folder, [], 100, 10, 1000)
    assert files == (("folder.ipynb", b""), ("work.txt", b"mine"))
    assert len(notes) == 5


def test_reading_stops_at_a_number_of_files(tmp_path):
    for number in range(20):
        (tmp_path / f"{number:02}").touch()
    files, notes = read_files(tmp_path, [], 100, 5, 1000)
    assert len(files) == 5
    assert "more than 5 files" in notes[0]


def test_reading_stops_at_a_size_of_all_files_together(tmp_path):
    for name in "abcd":
        (tmp_path / name).write_bytes(b"x" * 40)
    files, notes = read_files(tmp_path, [], 100, 10, 100)
    assert [name for name, _ in files] == ["a", "b"]
    assert len(notes) == 2


def test_another_step_of_the_course_is_no_other_key(stub_class):
    with Classroom(stub_class.root).gradebook() as engine:
        before = Classroom(stub_class.root).kit("sums", engine).digest()
    (stub_class.root / "source" / "later").mkdir()
    nbformat.write(source_notebook(), stub_class.root / "source" / "later" / "later.ipynb")
    assert stub_class.nbgrader("generate_assignment", "later").returncode == 0
    with Classroom(stub_class.root).gradebook() as engine:
        assert Classroom(stub_class.root).kit("sums", engine).digest() == before
        assert Classroom(stub_class.root).kit("later", engine).digest() != before


def test_a_support_file_that_cannot_be_sent_is_one_line(stub_class):
    (stub_class.root / "source" / "sums" / "helper.py").symlink_to("/etc/hostname")
    done = run(stub_class, "sums")
    assert done.returncode == 1
    assert "helper.py" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_setup_that_fails_is_one_line(stub_class):
    config = stub_class.root / "nbgrader_config.py"
    command = ["python", "-c", "raise SystemExit('no digits here')"]
    config.write_text(config.read_text() + f"\nc.Classroom.worker_setup = [{command}]\n")
    done = run(stub_class, "sums")
    assert done.returncode == 1
    assert "no digits here" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_failure_under_a_name_like_markup_stops_nobody(stub_class):
    release = stub_class.release("sums", "sums")
    stub_class.hand_in("[red]", "sums", "sums.ipynb", answered(release, HONEST))
    (stub_class.root / "autograded").mkdir()
    (stub_class.root / "autograded" / "[red]").write_text("in the way")
    done = run(stub_class, "sums")
    assert done.returncode == 4, done.stderr
    assert "[red], sums" in done.stderr
    assert stored(stub_class)[0] == 25
