"""Kernels forked from a warm process: fresh in everything but their modules, and cold where that cannot be.

That the walls around them are the same, tests/gradebox/test_sandbox.py shows: it attacks both kinds.
"""

from __future__ import annotations

import ast
import asyncio
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import psutil  # type: ignore[import-untyped]
import pytest

from gradebox import sandbox, warm
from gradebox.classroom import Classroom
from gradebox.work import carry_out, warm_up

from .conftest import Course
from .sandbox_support import Kernel, kernel
from .split_support import FULL_MARKS, HONEST, SPLIT_CONFIG, hand_in, make_course
from .test_sandbox import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not installed")]

HEAVY = {"warm_modules": ["numpy", "xml.dom.minidom"], "warm_without": ["*_SEED"], "environment_allowed": ["*_SEED"]}
COLD = "kernels are started cold"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for path in (tmp_path, *tmp_path.parents[:2]):
        path.chmod(0o755)
    return tmp_path


@pytest.fixture(autouse=True)
def own_processes() -> Iterator[None]:
    """No warm process of another test, and none that outlives its own."""
    warm._end_all()
    warm._refused.clear()
    sandbox._warn_once.cache_clear()
    yield
    warm.share({})
    warm._end_all()


def value(running: Kernel, expression: str) -> Any:
    return ast.literal_eval(running.run(f"import os, sys, random\nprint(repr({expression}))"))


def the_warm_process() -> warm.WarmProcess:
    (process,) = warm._running.values()
    return process


def test_modules_are_there_at_the_start(folder: Path):
    with kernel(folder, settings=HEAVY) as forked:
        assert value(forked, "[name in sys.modules for name in ('numpy', 'xml.dom.minidom')]") == [True, True]
    with kernel(folder) as cold:
        assert value(cold, "'xml.dom.minidom' in sys.modules") is False


def test_no_kernel_meets_the_random_state_of_another(folder: Path):
    draws = "(random.random(), __import__('numpy').random.random())"
    seen = []
    for _ in range(3):
        with kernel(folder, settings=HEAVY) as running:
            seen.append(value(running, draws))
    assert len({first for first, _ in seen}) == len({second for _, second in seen}) == 3


def test_no_kernel_meets_what_another_left(folder: Path):
    with kernel(folder, settings=HEAVY) as one:
        one.run("import builtins, numpy, os\nbuiltins.mark = numpy.mark = 1\nos.environ['MARK'] = '1'")
        one.run("open('/tmp/mark', 'w').close(); open('mark', 'w').close()")
        with kernel(folder, settings=HEAVY) as other:
            found = value(
                other,
                "[hasattr(__import__('builtins'), 'mark'), hasattr(__import__('numpy'), 'mark'), "
                "'MARK' in os.environ, os.path.exists('/tmp/mark'), os.path.exists('mark')]",
            )
    assert found == [False] * 5


def test_one_process_serves_kernels_that_differ_in_what_it_does_without(folder: Path, monkeypatch):
    seeds = []
    for seed in ("1", "2"):
        monkeypatch.setenv("PROBE_SEED", seed)
        with kernel(folder, settings=HEAVY) as running:
            seeds.append(value(running, "os.environ['PROBE_SEED']"))
    assert seeds == ["1", "2"]
    assert "PROBE_SEED" not in Path(f"/proc/{the_warm_process().pid}/environ").read_text()


def test_a_kernel_sees_the_environment_of_a_cold_one(folder: Path):
    seen = []
    for settings in (HEAVY, {**HEAVY, "warm_modules": []}):
        with kernel(folder, settings=settings) as running:
            seen.append(value(running, "dict(os.environ)"))
    assert seen[0] == seen[1]


@pytest.mark.parametrize(
    "end", ["os._exit(3)", "os.kill(os.getpid(), 9)", "os.kill(os.getpid(), 11)", "import sys; os._exit(0)"]
)
def test_its_end_is_told_as_that_of_a_cold_kernel(folder: Path, end):
    codes = []
    for settings in (HEAVY, {}):
        with kernel(folder, settings=settings) as running:
            running.client.execute(f"import os\n{end}")
            assert wait_for(lambda: not running.manager.is_alive())
            codes.append(asyncio.run(running.provisioner.poll()))
    assert codes[0] == codes[1]


def test_a_warm_process_that_died_is_replaced(folder: Path):
    with kernel(folder, settings=HEAVY):
        first = the_warm_process().pid
    os.kill(first, signal.SIGKILL)
    assert wait_for(lambda: not the_warm_process().is_alive())
    with kernel(folder, settings=HEAVY) as running:
        assert value(running, "'numpy' in sys.modules") is True
    assert the_warm_process().pid != first


def test_kernels_outlive_the_warm_process_and_nothing_outlives_them(folder: Path):
    with kernel(folder, settings=HEAVY) as running:
        started = running.provisioner._running
        assert started
        forked = psutil.Process(started.kernel_pid)
        family = [forked, psutil.Process(started.pid), *forked.parents()[:1]]  # the kernel, its sandbox, its keeper
        the_warm_process().end()
        assert value(running, "1 + 1") == 2
        assert all(each.is_running() for each in family)
    assert wait_for(lambda: all(has_ended(each) for each in family))


def has_ended(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (None, "cannot be imported (ModuleNotFoundError"),
        ("raise SystemExit('not today')", "cannot be imported (SystemExit: not today)"),
        ("import os\nos._exit(7)", "with exit code 7"),
        ("import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()", "2 threads"),
    ],
)
def test_where_forking_cannot_be_it_starts_cold_and_says_so_once(folder: Path, caplog, source, says):
    if source is not None:
        (folder / "unwilling.py").write_text(source)
    settings = {"warm_modules": ["unwilling"], "environment": {"PYTHONPATH": str(folder)}}
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            with kernel(folder, settings=settings) as running:
                assert value(running, "1 + 1") == 2
    said = [record.getMessage() for record in caplog.records if COLD in record.getMessage()]
    assert len(said) == 1
    assert says in said[0]


def test_a_module_hears_nothing_of_the_graders_home_or_environment(folder: Path, monkeypatch):
    monkeypatch.setenv("UNIVERSITY_PASSWORD", "secret")
    with kernel(folder, settings=HEAVY) as running:
        assert value(running, "1 + 1") == 2
        environment = Path(f"/proc/{the_warm_process().pid}/environ").read_text()
    assert "UNIVERSITY_PASSWORD" not in environment
    assert f"HOME={os.environ['HOME']}\0" not in environment


def key_of(settings: dict[str, Any]) -> warm.Key:
    key = sandbox.SandboxProvisioner(**settings).warm_key(os.environ)
    assert key
    return key


@contextmanager
def shared_process(cores: set[int] | None = None) -> Iterator[warm.WarmProcess]:
    """A warm process for `HEAVY`, as one that another process owns and shares with this one."""
    process = warm.WarmProcess(key_of(HEAVY), cores)
    warm.share({key_of(HEAVY): process.address})
    try:
        yield process
    finally:
        process.end()


def test_a_shared_process_serves_this_one_which_then_has_none_of_its_own(folder: Path):
    with shared_process() as shared, kernel(folder, settings=HEAVY) as running:
        assert value(running, "'numpy' in sys.modules") is True
        assert running.provisioner._running
        keeper = psutil.Process(running.provisioner._running.kernel_pid).parent()
        assert keeper is not None
        assert keeper.ppid() == shared.pid
    assert not warm._running


def test_where_the_shared_process_has_ended_an_own_one_takes_over(folder: Path):
    with shared_process() as shared:
        os.kill(shared.pid, signal.SIGKILL)
        with kernel(folder, settings=HEAVY) as running:
            assert value(running, "'numpy' in sys.modules") is True
        assert the_warm_process().is_alive()


def test_a_kernel_has_the_cores_of_the_process_that_asked_for_it(folder: Path):
    cores = os.sched_getaffinity(0)
    mine = {max(cores)}
    with shared_process(cores):
        os.sched_setaffinity(0, mine)
        try:
            with kernel(folder, settings=HEAVY) as running:
                assert value(running, "os.sched_getaffinity(0)") == mine
        finally:
            os.sched_setaffinity(0, cores)
        with kernel(folder, settings=HEAVY) as running:
            assert value(running, "os.sched_getaffinity(0)") == cores


OWNER = """
import sys
from gradebox.warm import Key, WarmProcess

process = WarmProcess(Key.of(["xml.dom.minidom"], {}))
process.wait_for_imports()
print(process.pid, process.address, flush=True)
sys.stdin.read()
"""


def test_it_ends_with_its_owner_and_leaves_nothing_behind():
    with subprocess.Popen([sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as owner:
        assert owner.stdout
        pid, address = owner.stdout.readline().split()
        process, place = psutil.Process(int(pid)), Path(address.decode())
        assert place.is_socket()
        assert place.parent.stat().st_mode & 0o077 == 0
        owner.kill()
    assert wait_for(lambda: has_ended(process))
    assert not place.parent.exists()


WARM_COURSE = """
c.GradedExecute.kernel_name = "gradebox-student"
c.SplitExecute.trusted_kernel_name = "gradebox-trusted"
c.SandboxProvisioner.environment = {"COURSE": "tiny"}
c.SandboxProvisioner.environment_allowed = ["PROBE_SEED", "TEST_SPLIT", "NBGRADER_EXECUTION"]
c.SandboxProvisioner.warm_modules = ["xml.dom.minidom"]
c.SandboxProvisioner.warm_without = ["*_SEED", "TEST_SPLIT"]
"""


def test_what_was_warmed_up_serves_the_first_submission(folder: Path):
    course = make_course(folder, SPLIT_CONFIG + WARM_COURSE)
    hand_in(course, "careful", HONEST)
    room = Classroom(course.root)
    with room.gradebook() as engine:
        kit = room.kit("sums", engine)
    warm_up(kit)
    before = the_warm_process().pid
    result = carry_out(kit, room.order(room.submissions(["sums"])[0]), "key")
    assert sum(mark.auto_score or 0 for mark in result.marks) == sum(FULL_MARKS.values()), result.log
    assert the_warm_process().pid == before
    assert COLD not in result.log


def test_warming_up_in_vain_costs_nothing_and_is_told_in_the_submissions_log(folder: Path):
    course = make_course(folder, SPLIT_CONFIG + WARM_COURSE.replace("xml.dom.minidom", "unwilling"))
    hand_in(course, "careful", HONEST)
    room = Classroom(course.root)
    with room.gradebook() as engine:
        kit = room.kit("sums", engine)
    warm_up(kit)
    result = carry_out(kit, room.order(room.submissions(["sums"])[0]), "key")
    assert sum(mark.auto_score or 0 for mark in result.marks) == sum(FULL_MARKS.values()), result.log
    assert COLD in result.log


LOOK_AROUND = "import os\nprint(sorted(set(os.environ.items()) - {('PROBE_SEED', os.environ['PROBE_SEED'])}))"


def look_around(notebook: nbformat.NotebookNode) -> None:
    notebook.cells[-1].source = LOOK_AROUND


def seen_by(course: Course, student: str) -> str:
    path = course.root / "autograded" / student / "sums" / "sums.ipynb"
    return nbformat.read(path, as_version=4).cells[-1].outputs[0].text


def test_the_workers_of_one_machine_share_the_coordinators_warm_process_and_environment(folder: Path):
    allowed = '"PROBE_SEED", "TEST_SPLIT", "NBGRADER_EXECUTION", "OMP_*", "PYTHON*", "MALLOC_*"'  # what Dask sets, too
    config = re.sub(r"(?<=environment_allowed = \[).*(?=\])", allowed, WARM_COURSE)
    config = config.replace("xml.dom.minidom", "xml.dom.pulldom")  # of this class alone: other tests' servers may live
    course = make_course(folder, SPLIT_CONFIG + config)
    for student in ("careful", "hurried", "late", "quick"):
        hand_in(course, student, HONEST, look_around)
    done = course.nbgrader("autograde", "sums", "--student", "careful")
    assert done.returncode == 0, done.stderr
    alone = seen_by(course, "careful")
    owners: set[int] = set()

    def look(*_: Any) -> None:
        mine = {os.getpid(), *(each.pid for each in psutil.Process().children(recursive=True))}
        seen = {each.pid: each.info for each in psutil.process_iter(["ppid", "cmdline"]) if each.pid in mine}
        forked = {pid for pid, info in seen.items() if "xml.dom.pulldom" in (info["cmdline"] or [""])[-1]}
        owners.update({seen[pid]["ppid"] for pid in forked} - forked)

    before = dict(os.environ)
    results = Classroom(course.root, workers=2).grade(["sums"], force=True, report=look)
    assert dict(os.environ) == before
    assert [sum(mark.auto_score or 0 for mark in result.marks) for result in results] == [sum(FULL_MARKS.values())] * 4
    assert owners == {os.getpid()}
    assert "OMP_NUM_THREADS" not in alone
    assert {seen_by(course, result.student) for result in results} == {alone}
