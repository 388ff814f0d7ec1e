"""The doctor: what is there, what is missing, what to do about it, and nothing changed by looking."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest
import sqlalchemy as sa

from gradebox import doctor
from gradebox.doctor import Finding, examine

from .book_support import Hand, TinyCourse

CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "tiny"
c.Exchange.root = "exchange"
c.Autograde.autograde_preprocessors = ["gradebox.split.SplitExecute", "gradebox.marks.SaveGrades"]
c.SplitExecute.kernel_name = "gradebox-student"
c.Classroom.worker_setup = [["python", "-c", "import pathlib; pathlib.Path('made').touch()"]]
"""


@pytest.fixture
def course(tmp_path: Path, monkeypatch) -> TinyCourse:
    monkeypatch.setenv("PATH", os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))
    course = TinyCourse(tmp_path / "course")
    (course.root / "nbgrader_config.py").write_text(CONFIG)
    for step in course.steps:
        (course.root / "source" / step).mkdir(parents=True)
        (course.root / "source" / step / f"{step}.ipynb").write_text("{}")
    (course.root / "exchange").mkdir()
    (course.root / "exchange").chmod(0o777)
    monkeypatch.chdir(course.root)
    return course


def configure(course: TinyCourse, line: str) -> None:
    path = course.root / "nbgrader_config.py"
    path.write_text(f"{path.read_text()}\n{line}\n")


def found(course: TinyCourse, what: str, set_up: bool = False) -> Finding:
    [finding] = [each for each in examine(course.root, set_up) if each.what == what]
    return finding


def everything(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_sound_course_has_nothing_bad_and_each_open_thing_has_advice(course):
    course.add("careful", "sums", Hand([2, 1, None]))
    findings = examine(course.root)
    assert not [each for each in findings if each.state == "bad"]
    assert all(each.advice for each in findings if each.state == "open")
    said = {each.what: each.found for each in findings}
    assert "tiny: recipes, sums" in said["course"]
    assert said["gradebook"] == "steps 2, students 1, submissions 1"
    assert "nbgrader" in said["versions"]


def test_looking_changes_nothing(course):
    (course.root / "gradebook.db").unlink()
    (course.root / "exchange").rmdir()
    before = everything(course.root)
    examine(course.root)
    assert everything(course.root) == before
    assert not (course.root / "exchange").exists()


def test_a_gradebook_that_is_not_there_yet_is_made_by_nbgrader(course):
    (course.root / "gradebook.db").unlink()
    finding = found(course, "gradebook")
    assert finding.state == "open"
    assert "nbgrader generate_assignment" in finding.advice


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def of_another_program(path: Path) -> None:
    path.unlink()
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE songs (title TEXT)"))
    engine.dispose()


def of_an_older_nbgrader(path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '50a4d84c131a'"))
    engine.dispose()


def overwritten(path: Path) -> None:
    path.write_bytes(b"no data base" * 1000)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (overwritten, "file is not a database"),
        (cut, "malformed"),
        (of_another_program, "no gradebook of nbgrader's"),
        (of_an_older_nbgrader, "of another version of nbgrader"),
    ],
)
def test_a_gradebook_that_cannot_be_used_says_why_and_what_to_do(course, damage, says):
    damage(course.root / "gradebook.db")
    finding = found(course, "gradebook")
    assert finding.state == "bad"
    assert says in finding.found
    assert finding.advice


def test_a_folder_with_odd_letters_hides_no_gradebook(course, tmp_path, monkeypatch):
    odd = tmp_path / "50% of #1"
    course.root.rename(odd)
    monkeypatch.chdir(odd)
    [finding] = [each for each in examine(odd) if each.what == "gradebook"]
    assert finding.state == "good"


def test_a_password_is_not_shown(course):
    configure(course, 'c.CourseDirectory.db_url = "postgresql+psycopg://who:secret@127.0.0.1:1/none"')
    finding = found(course, "gradebook")
    assert finding.state == "bad"
    assert "start its server" in finding.advice
    assert "secret" not in str(finding)


def test_a_missing_exchange_says_how_to_make_one(course):
    (course.root / "exchange").rmdir()
    finding = found(course, "exchange")
    assert finding.state == "open"
    assert "mkdir -p" in finding.advice


def test_an_exchange_that_is_a_file_is_bad(course):
    (course.root / "exchange").rmdir()
    (course.root / "exchange").write_text("")
    assert found(course, "exchange").state == "bad"


def test_an_unknown_kernel_is_bad(course):
    configure(course, 'c.SplitExecute.trusted_kernel_name = "no-such-kernel"')
    names = [each for each in examine(course.root) if each.what == "kernel"]
    assert [each.state for each in names] == ["good", "bad"]
    assert "no-such-kernel is not registered" in names[1].found


@pytest.mark.parametrize(("accepted", "state"), [("False", "bad"), ("True", "open")])
def test_without_bubblewrap_it_depends_on_what_the_course_accepts(course, monkeypatch, accepted, state):
    from gradebox.errors import GraderFailed

    def refuse() -> None:
        raise GraderFailed("no sandbox for other people's code: bubblewrap is not installed (`bwrap`); run `apt-get …`")

    monkeypatch.setattr(doctor, "require", refuse)
    configure(course, f"c.SandboxProvisioner.allow_unprotected = {accepted}")
    finding = found(course, "sandbox")
    assert finding.state == state
    assert "bubblewrap is not installed" in finding.found


@pytest.mark.parametrize(("accepted", "state"), [("False", "bad"), ("True", "open")])
def test_a_course_without_a_sandbox_is_told_so_with_the_lines_to_add(course, accepted, state):
    configure(course, 'c.SplitExecute.kernel_name = "python3"')
    configure(course, f"c.SandboxProvisioner.allow_unprotected = {accepted}")
    finding = found(course, "sandbox")
    assert finding.state == state
    assert ("gradebox-student" in finding.advice) == (state == "bad")


def test_set_up_runs_only_when_asked(course):
    assert found(course, "set-up").state == "open"
    assert not (course.root / "made").exists()
    assert found(course, "set-up", set_up=True).state == "good"
    assert (course.root / "made").exists()


def test_a_set_up_that_fails_says_its_last_words(course):
    configure(course, """c.Classroom.worker_setup = [["python", "-c", "raise SystemExit('no data set')"]]""")
    finding = found(course, "set-up", set_up=True)
    assert finding.state == "bad"
    assert "no data set" in finding.found


SAYS = """["python", "-c", "import os; print('digits', 'in', os.getcwd(), sep='\\\\n')"]"""


def test_a_command_of_the_course_is_shown_under_its_name_with_every_line(course, tmp_path):
    configure(course, f"c.Classroom.doctor_commands = {{'data': {SAYS}}}")
    with contextlib.chdir(tmp_path):
        assert found(course, "data") == Finding("good", "data", f"digits\nin\n{course.root}")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ('["python", "-c", "raise SystemExit(\'no data set\')"]', "failed: no data set"),
        ('["no-such-program", "data"]', "`no-such-program data` cannot be started: No such file or directory"),
    ],
)
def test_a_command_of_the_course_that_fails_is_bad_in_one_line(course, words, says):
    configure(course, f"c.Classroom.doctor_commands = {{'data': {words}}}")
    finding = found(course, "data")
    assert finding.state == "bad"
    assert says in finding.found
    assert len(finding.found.splitlines()) == 1
    assert finding.advice


def test_a_scheduler_that_does_not_answer_is_bad(course, monkeypatch):
    monkeypatch.setattr(doctor, "SCHEDULER_TIMEOUT_S", 1)
    configure(course, 'c.Classroom.scheduler = "tcp://127.0.0.1:9"')
    finding = found(course, "scheduler")
    assert finding.state == "bad"
    assert "dask scheduler" in finding.advice


def test_no_scheduler_is_looked_for_where_none_is_named(course):
    assert not [each for each in examine(course.root) if each.what == "scheduler"]


def test_a_disk_that_is_almost_full_is_bad(course, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda folder: usage(1e12, 1e12 - 1e6, 1e6))
    disks = [each for each in examine(course.root) if each.what == "disk"]
    assert {each.state for each in disks} == {"bad"}


def test_a_program_that_nbgrader_calls_by_name_is_looked_for_on_the_path(course, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    finding = found(course, "alembic")
    assert finding.state == "bad"
    assert str(Path(sys.executable).parent) in finding.advice


def test_a_course_without_steps_is_bad(course):
    for path in (course.root / "source").rglob("*.ipynb"):
        path.unlink()
    assert found(course, "course").state == "bad"


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [("", 0, "gradebook"), ("c = [", 1, "SyntaxError"), ("c.Classroom.workers = 0", 1, "workers")],
)
def test_the_command_says_it_as_a_table_and_by_its_exit_code(course, line, code, says):
    configure(course, line)
    words = [sys.executable, "-m", "gradebox.cli", "doctor"]
    done = subprocess.run(words, cwd=course.root, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == code, done.stdout
    assert says in done.stdout
    assert "Traceback" not in done.stderr


def test_no_course_is_a_finding_too(tmp_path):
    assert [each.state for each in examine(tmp_path) if each.what == "course"] == ["bad"]
