"""Grades the bank in a throw-away course, and looks at what came of it.

The same submissions go through stock nbgrader, whose marks a submission may forge, and through this project's path.
A course lies in a temporary folder of its own; beside it stands what an attack may want to have: canaries, one
in each place where a secret is, and a listener on the host's loopback.
"""

import copy
import hashlib
import html
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbconvert.filters import strip_ansi
from nbgrader.api import Gradebook

from tests.gradebox.conftest import Course, answered, error_names, labelled
from tests.gradebox.sandbox_support import ORDINARY_UID, as_ordinary_user
from tests.gradebox.split_support import (
    FULL_MARKS,
    HIDDEN_DOUBLE,
    HIDDEN_TRIPLE,
    HONEST,
    SPLIT_CONFIG,
    WRONG,
    make_course,
)

from .bank import PREAMBLE, Attack

__all__ = ["CONTROLS", "Graded", "Outcome", "Throwaway", "grade"]

CONTROLS = ("a_careful", "m_careful", "zz_careful")
COMMAND_TIMEOUT_S = 1500  # for a whole class, on a machine with other work
STOCK_CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "tiny"
c.ExecutePreprocessor.timeout = 8
merged = "import os, sys; os.dup2(1, 2); sys.stderr = sys.stdout"
c.Execute.extra_arguments = [f"--IPKernelApp.exec_lines={merged}"]  # stock takes a line on stderr for a failure
"""
OUR_CONFIG = (
    SPLIT_CONFIG
    + """
c.GradedExecute.kernel_name = "gradebox-student"
c.SplitExecute.trusted_kernel_name = "gradebox-trusted"
c.GradedExecute.notebook_timeout_s = 30
c.SandboxProvisioner.allow_unprotected = False
c.SandboxProvisioner.environment_allowed = ["PROBE_SEED", "ATTACK_RUN"]
c.SandboxProvisioner.environment = {"COURSE": "tiny", "OMP_NUM_THREADS": "1"}
c.SandboxProvisioner.memory_bytes = 1 << 30
c.SandboxProvisioner.total_memory_bytes = 1 << 30
c.SandboxProvisioner.processes = 64
c.SandboxProvisioner.file_bytes = 16 << 20
c.SandboxProvisioner.tmp_bytes = 32 << 20
c.SandboxProvisioner.scratch_bytes = 32 << 20
c.TrustedProvisioner.environment_allowed = ["PROBE_SEED", "TEST_SPLIT", "ATTACK_RUN"]
"""
)
COLD = "kernels are started cold"  # what the log says where no kernel can be forked
WARM_CONFIG = """
c.SandboxProvisioner.warm_modules = ["json"]
c.SandboxProvisioner.warm_without = ["*_SEED", "TEST_SPLIT", "ATTACK_RUN", "COURSE"]
"""
HIDDEN = [line.strip() for line in f"{HIDDEN_DOUBLE}\n{HIDDEN_TRIPLE}".splitlines() if len(line.strip()) > 12]
FEEDBACK = "the feedback page"


@dataclass(frozen=True)
class Outcome:
    """What one attack came to.

    Attributes:
        points: in the gradebook, by hand or by the grader; None without any.
        leaks: which secrets stand where the student reads them, as (secret, place).
        changed: paths outside that have the attack's name and are not as they were.
        survivors: processes that were alive after the grading.
        reached: whether it was heard, or answered, on the host's network.
        endings: names of the errors on the notebook's cells; None where no graded notebook was left.
    """

    points: float | None
    leaks: frozenset[tuple[str, str]]
    changed: tuple[str, ...]
    survivors: int
    reached: bool
    endings: tuple[str, ...] | None


@dataclass(frozen=True)
class Graded:
    """A class of attacks, graded with honest submissions before, between and after."""

    outcomes: Mapping[str, Outcome]
    controls: Mapping[str, float | None]
    changed: tuple[str, ...]
    survivors: tuple[str, ...]
    returncode: int
    log: str


@dataclass
class Loopback:
    """Listens on one port of the host's loopback, and knocks at another until somebody opens."""

    heard: set[str] = field(default_factory=set)
    opened: bool = False

    @contextmanager
    def running(self) -> Iterator[tuple[int, int]]:
        with socket.create_server(("127.0.0.1", 0)) as server, socket.create_server(("127.0.0.1", 0)) as free:
            server.settimeout(0.1)
            port, door = server.getsockname()[1], free.getsockname()[1]
            free.close()
            stop = threading.Event()
            thread = threading.Thread(target=self._listen, args=(server, door, stop))
            thread.start()
            try:
                yield port, door
            finally:
                stop.set()
                thread.join()

    def _listen(self, server: socket.socket, door: int, stop: threading.Event) -> None:
        while not stop.is_set():
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", door), timeout=0.1).close()
                self.opened = True
            with suppress(OSError):
                visitor, _ = server.accept()
                with visitor:
                    visitor.settimeout(1)
                    self.heard.add(visitor.recv(200).decode(errors="replace"))


@dataclass(frozen=True)
class Throwaway:
    """A course to attack, and what there is to lose beside it."""

    course: Course
    token: str
    canaries: Mapping[str, str]
    stock: bool
    ordinary: bool

    @property
    def root(self) -> Path:
        return self.course.root

    def environment(self) -> dict[str, str]:
        home = str(self.root / "home")
        programs = os.pathsep.join((str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"))
        places = {
            name: f"{home}/{name.lower()}" for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR")
        }
        probes = {"PROBE_SEED": "7", "TEST_SPLIT": "here", "COURSE": "tiny", "ATTACK_RUN": self.token}
        secret = {"UNIVERSITY_PASSWORD": self.canaries["the environment"]}
        return {
            "PATH": programs,
            "HOME": home,
            "LANG": "C.UTF-8",
            "TMPDIR": f"{home}/tmp",
            **places,
            **probes,
            **secret,
        }

    def run(self, *arguments: str, module: str = "nbgrader") -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-B", "-m", module, *arguments]
        words = as_ordinary_user(words) if self.ordinary else words
        return subprocess.run(
            words,
            cwd=self.root,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )


@contextmanager
def throwaway(*, stock: bool = False, ordinary: bool = False, warm: bool = False) -> Iterator[Throwaway]:
    """A released course without submissions, owned by whoever will grade it."""
    root = Path(tempfile.mkdtemp(prefix="attacks-", dir="/tmp"))
    try:
        course = make_course(root, STOCK_CONFIG if stock else OUR_CONFIG + WARM_CONFIG * warm)
        places = ("the environment", "a file outside", "the gradebook", "another student's work")
        world = Throwaway(
            course, secrets.token_hex(8), {name: f"canary-{secrets.token_hex(8)}" for name in places}, stock, ordinary
        )
        for folder in ("home/tmp", "outside"):
            (root / folder).mkdir(parents=True)
        (root / "outside" / "secret.txt").write_text(world.canaries["a file outside"])
        with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as gradebook:
            gradebook.update_or_create_student("a_careful", last_name=world.canaries["the gradebook"])
        yield world
    finally:
        shutil.rmtree(root, ignore_errors=True)


def hand_in(world: Throwaway, attack: Attack, ports: tuple[int, int]) -> None:
    """Wrong work, with the attack on top."""
    own = world.root / "outside" / attack.student
    own.mkdir()
    (own / "mine.txt").write_text("mine")
    (own / "mine.txt").chmod(0o600)
    (own / "double.json").write_text('{"probe": 7, "value": 14}')
    words = dict(zip(("port", "door"), ports, strict=True))
    preamble = PREAMBLE.format(root=str(world.root), name=attack.student, token=world.token, **words)
    notebook = copy.deepcopy(answered(world.course.release("sums", "sums"), WRONG))
    if attack.code:
        labelled(notebook, "double").source = f"{preamble}{attack.code}\n{WRONG['double']}"
    if attack.edit:
        attack.edit(notebook)
    for cell in notebook.cells:
        cell.source = cell.source.replace("### PREAMBLE\n", preamble)
    path = world.course.hand_in(attack.student, "sums", "sums.ipynb", notebook)
    if attack.files:
        attack.files(path.parent, world.root)


def hand_in_controls(world: Throwaway) -> None:
    for student in CONTROLS:
        world.course.hand_in(student, "sums", "sums.ipynb", answered(world.course.release("sums", "sums"), HONEST))
    world.course.hand_in("a_careful", "sums", "notes.txt", world.canaries["another student's work"].encode())


def snapshot(root: Path) -> dict[str, str]:
    """Path → mode and content of everything that grading has no business to change."""
    found = {}
    for top in ("source", "release", "submitted", "outside", "home", "nbgrader_config.py"):
        for path in [root / top, *(root / top).rglob("*")]:
            if path.is_symlink():
                found[str(path.relative_to(root))] = os.readlink(path)
            elif path.is_file():
                content = hashlib.sha256(path.read_bytes()).hexdigest()
                found[str(path.relative_to(root))] = f"{path.stat().st_mode:o} {content}"
    return found


def survivors_of(token: str) -> dict[int, str]:
    """Process → command line and environment, of those that have the token in one of them."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with suppress(OSError):
                text = (entry / "cmdline").read_text(errors="replace")
                everything = text + (entry / "environ").read_text(errors="replace")
                if token in everything:
                    found[int(entry.name)] = text
    return found


def grade(
    attacks: Sequence[Attack],
    *,
    stock: bool = False,
    ordinary: bool = False,
    warm: bool = False,
    press: Callable[[Throwaway], subprocess.CompletedProcess[str]] | None = None,
) -> Graded:
    """Grade the attacks and the controls as one class. `press` takes the place of `nbgrader autograde`.

    With `warm`, both kernels are forked from a warm process.
    """
    loopback = Loopback()
    with throwaway(stock=stock, ordinary=ordinary, warm=warm) as world, loopback.running() as ports:
        hand_in_controls(world)
        for attack in attacks:
            hand_in(world, attack, ports)
        if ordinary:
            _give(world.root)
        before = snapshot(world.root)
        done, alive = _autograde(world, sorted(os.listdir(world.root / "submitted")), press)
        after = snapshot(world.root)
        world.run("generate_feedback", "sums")
        changed = tuple(sorted(path for path in before | after if before.get(path) != after.get(path)))
        outcomes = {each.name: _outcome(world, each, changed, alive, loopback) for each in attacks}
        controls = {student: points(world, student) for student in CONTROLS}
        own = tuple(path for path in changed if not path.startswith("home/") or "poison" in path or "00-" in path)
        return Graded(outcomes, controls, own, tuple(alive.values()), done.returncode, done.stderr)


def _autograde(
    world: Throwaway, students: Sequence[str], press: Callable[[Throwaway], subprocess.CompletedProcess[str]] | None
) -> tuple[subprocess.CompletedProcess[str], dict[int, str]]:
    """Grade the class, stock one by one, since one submission may end its whole run; return who is still alive."""
    if press or not world.stock:
        done = press(world) if press else world.run("autograde", "sums")
        return done, _end(survivors_of(world.token))
    alive: dict[int, str] = {}
    for student in students:
        done = world.run("autograde", "sums", f"--student={student}")
        alive |= _end(survivors_of(world.token))
    return done, alive


def _end(processes: dict[int, str]) -> dict[int, str]:
    for pid in processes:
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    return processes


def _give(root: Path) -> None:
    root.chmod(0o755)
    for path in [root, *root.rglob("*")]:
        os.chown(path, ORDINARY_UID, ORDINARY_UID, follow_symlinks=False)


def points(world: Throwaway, student: str) -> float | None:
    with Gradebook(f"sqlite:///{world.root / 'gradebook.db'}") as gradebook, suppress(Exception):
        grades = gradebook.find_submission_notebook("sums", "sums", student).grades
        marked = [grade for grade in grades if grade.auto_score is not None or grade.manual_score is not None]
        return float(sum(grade.score for grade in marked)) if marked else None
    return None


def _outcome(
    world: Throwaway, attack: Attack, changed: Sequence[str], alive: Mapping[int, str], loopback: Loopback
) -> Outcome:
    student = attack.student
    try:
        notebook = world.course.graded(student)
        endings = tuple(name for cell in notebook.cells if cell.cell_type == "code" for name in error_names(cell))
    except (OSError, ValueError):
        notebook, endings = None, None
    return Outcome(
        points=points(world, student),
        leaks=frozenset(_leaks(world, student, notebook)),
        changed=tuple(path for path in changed if _is_of(path, student)),
        survivors=sum(f"-{student}-" in words for words in alive.values()),
        reached=student in loopback.heard or (student == "a_network_listener" and loopback.opened),
        endings=endings,
    )


def _is_of(path: str, student: str) -> bool:
    own = f"submitted/{student}/"
    return student in Path(path).parts or f"{student}." in path or path.startswith(own)


def _shown(page: str) -> str:
    """What a page shows, and its own text: a browser puts together what tags and entities take apart."""
    return page + html.unescape(re.sub(r"<[^>]+>", "", page))


def _leaks(world: Throwaway, student: str, notebook: nbformat.NotebookNode | None) -> Iterator[tuple[str, str]]:
    said, of_tests = "", ""
    for cell in notebook.cells if notebook else ():
        for output in cell.get("outputs", []):
            test = cell.metadata.get("nbgrader", {}).get("grade_id") in FULL_MARKS
            if test and output.output_type == "error":
                of_tests += str(output)
            else:
                said += output.get("text", "") + str(output.get("data", "")) + str(output.get("evalue", ""))
    folder = world.root / "autograded" / student
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "sums.ipynb"]
    pages = (world.root / "feedback" / student).rglob("*.html")
    texts = {
        "an output": said,
        "a graded file": "".join(path.read_text(errors="replace") for path in files),
        FEEDBACK: strip_ansi(of_tests) + "".join(_shown(path.read_text(errors="replace")) for path in pages),
    }
    for place, text in texts.items():
        for name, canary in world.canaries.items():
            if canary in text:
                yield name, place
        if any(line in text for line in HIDDEN):
            yield "a hidden test", place
