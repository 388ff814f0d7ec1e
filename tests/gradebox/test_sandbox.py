"""Attacks on the promise of `gradebox.sandbox`, each made by real code in a real sandboxed kernel."""

import ast
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

import gradebox
from gradebox import sandbox
from gradebox.errors import GraderFailed
from gradebox.sandbox import ORIGINAL, SCRATCH, Cgroup, require

from .sandbox_support import WARM_MODULES, Kernel, as_ordinary_user, kernel

pytestmark = pytest.mark.slow

MIB = 1 << 20
SECRET = "the-other-student's-work"
SMALL = {
    "memory_bytes": 2048 * MIB,
    "processes": 64,
    "file_bytes": 8 * MIB,
    "open_files": 256,
    "tmp_bytes": 32 * MIB,
    "scratch_bytes": 32 * MIB,
}
CALL = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def call(function, *arguments):
    if isinstance(function, int):
        function, arguments = libc.syscall, (function, *arguments)
    else:
        function = getattr(libc, function)
    result = function(*arguments)
    return os.strerror(ctypes.get_errno()) if result == -1 else result
"""
BY_NUMBER = {name: dict(zip(("x86_64", "aarch64"), pair, strict=True)) for name, pair in sandbox.DENIED.items()}


@dataclass(frozen=True)
class World:
    """What a grader's machine has to lose."""

    root: Path
    secret: Path
    folder: Path
    network: socket.socket
    named: socket.socket
    abstract: socket.socket


@pytest.fixture(scope="module", autouse=True)
def possible() -> None:
    """Skip where the machine has or permits no bubblewrap at all; a fault of ours must not look like that."""
    if not sandbox.shutil.which("bwrap"):
        pytest.skip("bubblewrap is not installed")
    smallest = ["bwrap", "--unshare-pid", "--unshare-net", "--ro-bind", "/", "/", "true"]
    done = subprocess.run(smallest, capture_output=True, text=True, timeout=30, check=False)
    if done.returncode:
        pytest.skip(f"this machine forbids sandboxes: {done.stderr.strip()}")


@pytest.fixture(scope="module", params=["cold", "warm"], autouse=True)
def started(request: pytest.FixtureRequest) -> Iterator[str]:
    """How every kernel starts: in a process of its own, or forked from a warm one."""
    WARM_MODULES[:] = ["json"] if request.param == "warm" else []
    yield request.param
    WARM_MODULES.clear()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    root = tmp_path_factory.mktemp("world")
    secret, folder, shared = root / "secret.txt", root / "student" / "step", root / "shared"
    (folder / "inner").mkdir(parents=True)
    for path in (root, folder.parent, folder, folder / "inner"):
        path.chmod(0o755)
    secret.write_text(SECRET)
    (folder / "data.txt").write_text("data")
    (folder / "sealed.txt").write_text("data")
    (folder / "sealed.txt").chmod(0o400)
    (folder / "step.ipynb").write_text(SECRET)
    (folder / "inner" / "answers.npz").write_text(SECRET)
    (folder / "link").symlink_to(secret)
    (shared / "train").mkdir(parents=True)
    (shared / "test").mkdir()
    (shared / "train" / "digits").write_text("train")
    (shared / "test" / "digits").write_text(SECRET)
    (shared / "digits.gz").write_text(SECRET)
    (shared / "again").symlink_to("test")
    with ExitStack() as stack:
        listeners = [stack.enter_context(socket.socket(family)) for family in (socket.AF_INET, socket.AF_UNIX)]
        listeners.append(stack.enter_context(socket.socket(socket.AF_UNIX)))
        listeners[0].bind(("127.0.0.1", 0))
        listeners[1].bind(str(root / "named"))
        listeners[2].bind(f"\0gradebox-{os.getpid()}")
        for listener in listeners:
            listener.listen()
            listener.settimeout(0)
        (root / "named").chmod(0o777)
        yield World(root, secret, folder, *listeners)


@pytest.fixture(scope="module")
def student(world: World, started: str) -> Iterator[Kernel]:
    """The kernel that is attacked from inside, by one test after the other."""
    shared = world.root / "shared"
    settings = {
        **SMALL,
        "read_only": [str(shared)],
        "hidden": [f"{shared}/test"],
        "hidden_patterns": ["inner/*.npz", f"{shared}/*.gz"],
        "environment": {"COURSE": "tiny"},
        "environment_allowed": ["ALLOWED_*"],
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNIVERSITY_PASSWORD", SECRET)
        patch.setenv("ALLOWED_SEED", "7")
        with kernel(world.folder, settings=settings) as running:
            yield running


def value(running: Kernel, expression: str) -> Any:
    """What an expression is in the kernel, as a literal."""
    return ast.literal_eval(running.run(f"print(repr({expression}))"))


def outcome(running: Kernel, code: str) -> str:
    """The kernel's last line: an error's name and message, if there was one."""
    return (running.run(code).strip().splitlines() or [""])[-1]


def processes_named(marker: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and marker in (entry / "cmdline").read_text():
                found.append(int(entry.name))
    return found


def wait_for(condition, timeout_s: float = 15) -> bool:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


# The network


def test_the_hosts_loopback_cannot_be_reached(student: Kernel, world: World):
    port = world.network.getsockname()[1]
    said = outcome(student, f"import socket; socket.create_connection(('127.0.0.1', {port}), 5)")
    assert said.startswith("ConnectionRefusedError")
    with pytest.raises(BlockingIOError):
        world.network.accept()


def test_there_is_no_interface_but_a_loopback(student: Kernel):
    student.run("import socket")
    assert [name for _, name in value(student, "socket.if_nameindex()")] == ["lo"]


def test_a_named_socket_of_the_host_cannot_be_reached(student: Kernel, world: World):
    path = str(world.root / "named")
    said = outcome(student, f"import socket; socket.socket(socket.AF_UNIX).connect({path!r})")
    assert said.startswith("FileNotFoundError")


def test_an_abstract_socket_of_the_host_cannot_be_reached(student: Kernel, world: World):
    name = world.abstract.getsockname()
    said = outcome(student, f"import socket; socket.socket(socket.AF_UNIX).connect({name!r})")
    assert said.startswith("ConnectionRefusedError")


@pytest.mark.parametrize("family", ["AF_VSOCK", "AF_PACKET", "AF_ALG"])
def test_a_socket_that_knows_no_network_namespace_cannot_be_made(student: Kernel, family):
    said = outcome(student, f"import socket; socket.socket(socket.{family}, socket.SOCK_STREAM)")
    assert "Address family not supported" in said


# Reading


def test_a_file_outside_cannot_be_read(student: Kernel, world: World):
    assert outcome(student, f"open({str(world.secret)!r})").startswith("FileNotFoundError")


def test_a_link_in_the_submission_leads_nowhere(student: Kernel, world: World):
    assert outcome(student, "open('link')").startswith("FileNotFoundError")
    assert (world.folder / "link").read_text() == SECRET


SUPERUSERS_HOME = os.path.expanduser("~root")


@pytest.mark.parametrize("path", ["/etc/shadow", f"{SUPERUSERS_HOME}/.ssh", "/home", "/var", "/run", "/sys", "/boot"])
def test_the_systems_own_secrets_are_not_there(student: Kernel, path):
    if path == f"{SUPERUSERS_HOME}/.ssh" and sys.base_prefix.startswith(f"{SUPERUSERS_HOME}/"):
        student.run("import os")
        assert value(student, "[name for name in os.listdir('/root') if not name.startswith('.pyenv')]") == []
    else:
        assert value(student, f"__import__('os').path.lexists({path!r})") is False


@pytest.mark.parametrize("door", ["/proc/1/root", "/proc/1/cwd", "/proc/1/fd", "/proc/1/mem", "/proc/1/environ"])
def test_the_first_process_is_no_door(student: Kernel, door):
    assert value(student, f"__import__('os').path.lexists({door!r})") is False


def test_what_may_be_read_is_read(student: Kernel, world: World):
    shared = str(world.root / "shared" / "train" / "digits")
    assert value(student, f"(open('data.txt').read(), open({shared!r}).read())") == ("data", "train")


@pytest.mark.parametrize("start", [SCRATCH, ORIGINAL])
@pytest.mark.parametrize("name", ["step.ipynb", "inner/answers.npz"])
def test_a_hidden_file_of_the_folder_reads_as_empty(student: Kernel, start, name):
    assert value(student, f"open('{start}/{name}').read()") == ""


def test_a_hidden_file_reads_as_empty(student: Kernel, world: World):
    assert value(student, f"open({str(world.root / 'shared' / 'digits.gz')!r}).read()") == ""


@pytest.mark.parametrize("name", ["test", "again"])
def test_a_hidden_folder_is_empty_by_every_name(student: Kernel, world: World, name):
    assert value(student, f"__import__('os').listdir({str(world.root / 'shared' / name)!r})") == []


def test_the_kernels_folder_has_one_name_for_every_student(student: Kernel):
    assert value(student, "__import__('os').getcwd()") == SCRATCH


# Writing

TRY_TO_WRITE = """
import os, sys
written = []
folders = ["/", "/usr", "/usr/bin", "/etc", "/dev", "/mnt", "/proc/sys/kernel", sys.prefix, sys.base_prefix]
for folder in [*folders, {original!r}, {shared!r}]:
    for path in [folder + "/new"] + [entry.path for entry in os.scandir(folder)]:
        if os.path.isfile(path) or not os.path.exists(path):
            try:
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW))
                written.append(path)
            except OSError:
                pass
"""


def test_nothing_outside_the_scratch_folder_can_be_written(student: Kernel, world: World):
    student.run(TRY_TO_WRITE.format(original=ORIGINAL, shared=str(world.root / "shared")))
    assert value(student, "written") == []


@pytest.mark.parametrize("code", ["os.chmod(path, 0o777)", "os.utime(path)", "os.remove(path)", "os.truncate(path, 0)"])
def test_the_submission_cannot_be_changed(student: Kernel, code):
    said = outcome(student, f"import os; path = '{ORIGINAL}/data.txt'; {code}")
    assert said.startswith(("OSError", "PermissionError"))


def test_a_copied_file_can_be_written_even_if_the_original_is_sealed(student: Kernel, world: World):
    assert outcome(student, "open('sealed.txt', 'w').write('mine')") == ""
    assert (world.folder / "sealed.txt").read_text() == "data"


@pytest.mark.parametrize("target", ["/usr/bin/env", f"{ORIGINAL}/data.txt"])
def test_no_hard_link_reaches_out(student: Kernel, target):
    assert "cross-device" in outcome(student, f"import os; os.link({target!r}, 'hard')")


@pytest.mark.parametrize("kind", ["S_IFCHR", "S_IFBLK"])
@pytest.mark.parametrize("folder", [SCRATCH, "/tmp", "/dev/shm"])
def test_no_device_can_be_made(student: Kernel, folder, kind):
    code = f"import os, stat; os.mknod('{folder}/device', 0o600 | stat.{kind}, os.makedev(1, 1))"
    assert outcome(student, code).startswith("PermissionError")


def test_what_a_kernel_leaves_is_read_after_its_end_and_the_folder_is_unchanged(world: World):
    before = sorted((path, path.lstat().st_mtime_ns, path.lstat().st_mode) for path in world.root.rglob("*"))
    with kernel(world.folder) as running:
        running.run("import os; os.mkdir('handin'); open('handin/a', 'w').write('b'); os.symlink('/etc', 'out')")
        scratch = running.provisioner.open_scratch()
    with os.fdopen(os.open("handin/a", os.O_RDONLY | os.O_NOFOLLOW, dir_fd=scratch)) as file:
        assert file.read() == "b"
    assert stat.S_ISLNK(os.stat("out", dir_fd=scratch, follow_symlinks=False).st_mode)
    os.close(scratch)
    after = sorted((path, path.lstat().st_mtime_ns, path.lstat().st_mode) for path in world.root.rglob("*"))
    assert after == before


# The environment and the descriptors

ENVIRONMENTS = """
import os
from pathlib import Path
from typing import Any
seen = dict(os.environ)
for path in Path("/proc").glob("*/environ"):
    try:
        seen[str(path)] = path.read_text()
    except OSError:
        pass
"""


def test_the_environment_keeps_its_secrets(student: Kernel):
    student.run(ENVIRONMENTS)
    assert value(student, "'UNIVERSITY_PASSWORD' in seen") is False
    assert SECRET not in str(value(student, "seen"))


def test_allowed_and_added_variables_are_there(student: Kernel):
    student.run("import os")
    assert value(student, "(os.environ['ALLOWED_SEED'], os.environ['COURSE'])") == ("7", "tiny")


def test_no_descriptor_of_the_graders_is_open(student: Kernel):
    student.run("import os\nfds = [f'/proc/self/fd/{n}' for n in os.listdir('/proc/self/fd')]")
    targets = value(student, "[os.readlink(fd) for fd in fds if os.path.islink(fd)]")
    files = {target for target in targets if target.startswith("/")}
    assert {path for path in files if not path.startswith("/tmp/home/")} <= {"/dev/null"}


# Processes


def test_no_process_of_the_host_is_in_sight(student: Kernel):
    student.run("import os")
    own = value(student, "os.getpid()")
    seen = value(student, "sorted(int(name) for name in os.listdir('/proc') if name.isdigit())")
    assert seen == [1, own]


def test_a_kernel_that_kills_everything_kills_nothing(student: Kernel):
    # The parent of a warm kernel is outside, and has the number 0: to kill that would be to end one's own group.
    code = "import os\nfor target in (1, -1, os.getppid() or 1):\n    try:\n        os.kill(target, 9)\n"
    student.run(code + "    except OSError:\n        pass")
    assert value(student, "1 + 1") == 2


@pytest.mark.parametrize("name", sorted(BY_NUMBER))
def test_a_call_around_the_walls_is_denied(student: Kernel, name):
    numbers = BY_NUMBER[name]
    student.run(CALL + f"import platform; number = {numbers}[platform.machine()]")
    assert value(student, "call(number, 0, 0, 0, 0, 0, 0)") == "Operation not permitted"


def test_a_child_can_still_be_made_and_waited_for(student: Kernel):
    student.run("import subprocess")
    assert value(student, "subprocess.run(['sh', '-c', 'exit 3']).returncode") == 3


# Rights


def test_there_is_no_capability_and_no_way_to_more(student: Kernel):
    student.run("status = dict(line.split(':', 1) for line in open('/proc/self/status'))")
    sets = value(student, "[status[name].strip() for name in ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb')]")
    assert {int(bits, 16) for bits in sets} == {0}
    assert value(student, "status['NoNewPrivs'].strip()") == "1"


@pytest.mark.parametrize("code", ["os.setuid(0)", "os.setgid(0)", "os.setgroups([0])", "os.chroot('/tmp')"])
def test_nobody_else_can_be_become(student: Kernel, code):
    assert outcome(student, f"import os; {code}").startswith(("PermissionError", "OSError: [Errno 22]"))


def test_the_kernel_is_not_root(student: Kernel):
    student.run("import os")
    assert 0 not in value(student, "(os.getuid(), os.geteuid(), os.getgid(), os.getegid())")


@pytest.mark.parametrize(
    "call",
    ["'mount', b'tmpfs', b'/mnt', b'tmpfs', 0, 0", "'umount2', b'/proc/1', 2", "'sethostname', b'x', 1"],
)
def test_nothing_can_be_mounted_unmounted_or_renamed(student: Kernel, call):
    student.run(CALL)
    assert value(student, f"call({call})") == "Operation not permitted"


def test_no_user_namespace_can_be_made(student: Kernel):
    student.run(CALL + "import platform; clone = {'x86_64': 56, 'aarch64': 220}[platform.machine()]")
    assert value(student, "call('unshare', 0x10000000)") == "Operation not permitted"
    assert value(student, "call(clone, 0x10000000 | 17, 0, 0, 0, 0)") == "Operation not permitted"
    assert value(student, "call(435, 0, 0)") == "Function not implemented"


def test_there_is_no_terminal_to_type_into(student: Kernel):
    assert outcome(student, "open('/dev/tty')").startswith("OSError")


# Amounts


def test_memory_has_a_limit(student: Kernel):
    assert outcome(student, "bytearray(3 << 30)").startswith("MemoryError")


FORK_BOMB = """
import os, time
children = []
try:
    for _ in range(1000):
        child = os.fork()
        if child == 0:
            time.sleep(600)
            os._exit(0)
        children.append(child)
except OSError as error:
    ended = type(error).__name__
"""
REAP = "\nfor child in children{which}:\n    os.kill(child, 9)\n    os.waitpid(child, 0)"


def test_a_fork_bomb_ends_at_the_limit(student: Kernel):
    student.run(FORK_BOMB + REAP.format(which=""))
    assert value(student, "ended") == "BlockingIOError"
    assert 0 < value(student, "len(children)") < SMALL["processes"]


def test_a_kernel_at_its_limit_of_processes_leaves_the_others_theirs(student: Kernel, world: World):
    student.run(FORK_BOMB + REAP.format(which="[:4]"))  # without threads of its own it could not be asked to end them
    with kernel(world.folder, settings=SMALL) as other:
        assert value(other, "__import__('subprocess').run(['true']).returncode") == 0
    assert student.run(REAP.format(which="[4:]")) == ""


def test_a_file_ends_at_its_limit(student: Kernel):
    said = outcome(student, "with open('big', 'wb') as file:\n    file.write(bytes(9 << 20))")
    student.run("import os; os.remove('big')")
    assert "File too large" in said


def test_open_files_have_a_limit(student: Kernel):
    assert "Too many open files" in outcome(student, "files = [open('/dev/null') for _ in range(1000)]")
    student.run("files = None")


@pytest.mark.parametrize("folder", [SCRATCH, "/tmp", "/dev/shm"])
def test_a_writable_folder_ends_at_its_size(student: Kernel, folder):
    code = f"import os\nwritten = 0\nwhile written < 100:\n    with open(f'{folder}/full{{written}}', 'wb') as file:\n"
    said = outcome(student, code + "        file.write(bytes(4 << 20))\n    written += 1")
    student.run(f"for n in range(written + 1):\n    os.remove(f'{folder}/full{{n}}')")
    assert "No space left on device" in said
    assert value(student, "written") <= 8


def test_processor_time_has_a_limit(world: World):
    with kernel(world.folder, settings={"cpu_s": 3}) as running:
        running.client.execute("while True:\n    pass")
        assert wait_for(lambda: not running.manager.is_alive())


def test_a_machine_out_of_memory_kills_the_kernel_first(student: Kernel):
    assert value(student, "open('/proc/self/oom_score_adj').read().strip()") == "1000"


def test_a_limit_above_the_graders_own_does_not_stop_the_start(world: World):
    with kernel(world.folder, settings={"open_files": 1 << 40}) as running:
        assert value(running, "1 + 1") == 2


# The end

DAEMON = """
import os, signal
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        os.execv('/bin/sleep', ['sleep', '{marker}'])
    os._exit(0)
"""


def marker() -> str:
    return f"600.{time.monotonic_ns()}"


@pytest.mark.parametrize("now", [True, False])
def test_a_daemon_is_dead_when_the_shutdown_returns(world: World, now):
    name = marker()
    with kernel(world.folder) as running:
        running.run(DAEMON.format(marker=name))
        assert wait_for(lambda: processes_named(name))
        running.manager.shutdown_kernel(now=now)
        assert processes_named(name) == []


def test_a_daemon_dies_with_a_kernel_that_ends_itself(world: World):
    name = marker()
    with kernel(world.folder) as running:
        running.run(DAEMON.format(marker=name))
        assert wait_for(lambda: processes_named(name))
        running.client.execute("import os; os._exit(0)")
        assert wait_for(lambda: not running.manager.is_alive())
        assert wait_for(lambda: not processes_named(name))


GRADER = """
import sys, time
from pathlib import Path
from typing import Any
sys.path.insert(0, {folder!r})
from {package} import kernel
with kernel(Path({work!r})) as running:
    running.run({daemon!r})
    print(running.provisioner._private, flush=True)
    time.sleep(600)
"""


def test_everything_dies_with_a_grader_that_is_killed(world: World):
    name = marker()
    here = Path(__file__)
    daemon = DAEMON.format(marker=name)
    code = GRADER.format(folder=str(here.parent), package="sandbox_support", work=str(world.folder), daemon=daemon)
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as grader:
        assert grader.stdout is not None
        private = grader.stdout.readline().strip()
        assert wait_for(lambda: processes_named(name))
        grader.kill()
    sandbox.shutil.rmtree(private)
    assert wait_for(lambda: not processes_named(name))


def test_an_interrupt_reaches_the_kernel_and_leaves_it_alive(student: Kernel):
    # As nbclient asks when it goes on after errors: otherwise the kernel turns down what comes right after one.
    request = student.client.execute("while True:\n    pass", stop_on_error=False)
    time.sleep(0.5)
    student.manager.interrupt_kernel()
    while (reply := student.client.get_shell_msg(timeout=10))["parent_header"].get("msg_id") != request:
        pass
    assert reply["content"]["ename"] == "KeyboardInterrupt"
    assert value(student, "1 + 1") == 2


def test_a_restart_begins_with_the_folder_as_it_was(world: World):
    with kernel(world.folder) as running:
        running.run("open('data.txt', 'w').write('changed'); x = 1")
        running.manager.restart_kernel(now=True)
        running.client.wait_for_ready(timeout=30)
        assert value(running, "('x' in globals(), open('data.txt').read())") == (False, "data")


def test_a_kernel_leaves_nothing_behind_on_the_host(world: World):
    descriptors = len(os.listdir("/proc/self/fd"))
    with kernel(world.folder) as running:
        running.run("1")
        # Other tests start kernels of their own meanwhile: only this one's folder is looked at.
        private = Path(running.manager.connection_file).parent
        assert private.name.startswith("gbx-")
        assert private.is_dir()
        used = len(os.listdir("/proc/self/fd"))
    assert not private.exists()
    assert len(os.listdir("/proc/self/fd")) <= max(descriptors + 4, used - 4)


FLOOD = """
import fcntl, os, stat
flooded = 0
for fd in range(3, 256):
    try:
        pipe = stat.S_ISFIFO(os.fstat(fd).st_mode)
        if pipe and fcntl.fcntl(fd, fcntl.F_GETFL) == os.O_WRONLY | os.O_NONBLOCK:
            while True:
                os.write(fd, b"x" * 4096)
    except BlockingIOError:
        flooded += 1
    except OSError:
        pass
"""


def test_a_flood_of_the_sandboxs_own_output_stops_nobody(world: World):
    with kernel(world.folder) as running:
        running.run(FLOOD)
        assert value(running, "flooded") > 0


# Failing closed


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A PATH of its own, with everything that a sandbox needs except bubblewrap."""
    for name in ("setpriv", "prlimit", "choom", "sh"):
        found = sandbox.shutil.which(name)
        assert found
        (tmp_path / name).symlink_to(found)
    require.cache_clear()
    monkeypatch.setenv("PATH", str(tmp_path))
    yield tmp_path
    require.cache_clear()


def test_a_missing_bubblewrap_says_what_to_install_and_which_setting_accepts_the_risk(programs):
    with pytest.raises(
        GraderFailed, match=r"apt-get install bubblewrap.*SandboxProvisioner\.allow_unprotected"
    ) as failed:
        require()
    assert "\n" not in str(failed.value)


def test_no_kernel_starts_without_bubblewrap(programs, world: World):
    with pytest.raises(GraderFailed, match="bubblewrap is not installed"), kernel(world.folder):
        pass


def test_a_bubblewrap_that_may_not_is_reported_in_its_own_words(programs):
    refusing = programs / "bwrap"
    refusing.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    refusing.chmod(0o755)
    with pytest.raises(GraderFailed, match=r"No permissions to create new namespace.*allow user namespaces"):
        require()


def test_a_sandbox_that_does_not_start_is_reported_in_its_own_words(tmp_path: Path, monkeypatch):
    made: list[Path] = []
    make = tempfile.mkdtemp

    def noted(*args: Any, **kwargs: Any) -> str:
        made.append(Path(make(*args, **kwargs)))
        return str(made[-1])

    monkeypatch.setattr(tempfile, "mkdtemp", noted)
    with pytest.raises(GraderFailed, match=r"did not start \(bwrap: Can't find source path"), kernel(tmp_path / "gone"):
        pass
    assert [path for path in made if path.name.startswith("gbx-")]
    assert not [path for path in made if path.exists()]


@pytest.mark.parametrize(
    ("setting", "given", "advice"),
    [
        ("hidden", "{shared}/*.gz", "belongs into hidden_patterns"),
        ("hidden", "{shared}/absent", "is not there to hide"),
        ("hidden_patterns", "{shared}/absent*", "is not there to hide"),
        ("hidden_patterns", "{odd}/test", "belongs into hidden, or glob.escape"),
    ],
)
def test_what_hides_nothing_starts_no_kernel(world: World, setting, given, advice):
    shared, odd = world.root / "shared", world.root / "[2026] course"
    (odd / "test").mkdir(parents=True, exist_ok=True)
    settings = {"read_only": [str(shared), str(odd)], setting: [given.format(shared=shared, odd=odd)]}
    with pytest.raises(GraderFailed, match=advice), kernel(world.folder, settings=settings):
        pass


def test_a_path_is_hidden_whatever_its_name_looks_like(world: World):
    odd = world.root / "[2026] course *?"
    (odd / "test").mkdir(parents=True, exist_ok=True)
    (odd / "test" / "digits").write_text(SECRET)
    settings = {"read_only": [str(odd)], "hidden": [str(odd / "test")]}
    with kernel(world.folder, settings=settings) as running:
        assert value(running, f"__import__('os').listdir({str(odd / 'test')!r})") == []


def test_what_a_course_hides_is_hidden_besides_what_always_is(world: World):
    settings = {"read_only": [str(world.root / "shared")], "hidden": [str(world.root / "shared" / "test")]}
    notebook = world.folder / "other.ipynb"
    notebook.write_text(SECRET)
    try:
        with kernel(world.folder, settings=settings) as running:
            assert value(running, "open('/mnt/original/other.ipynb').read()") == ""
    finally:
        notebook.unlink()


def test_the_grader_connects_to_no_socket_that_took_the_place_of_the_kernels_own(world: World):
    """In the sandbox, a link with the name of the kernel's socket points to a socket of the host's."""
    with kernel(world.folder) as running:
        running.provisioner.pin_sockets()
        path = f"{running.provisioner._private}/s/k-1"
        replace = f"import os; os.unlink({path!r}); os.symlink({str(world.root / 'named')!r}, {path!r})"
        assert running.run(replace) == ""
        with socket.socket(socket.AF_UNIX) as grader:
            grader.connect(path)
            with pytest.raises(BlockingIOError):
                world.named.accept()
        assert running.run("print(7)") == "7\n"


def test_only_what_matches_when_the_kernel_starts_is_shown(world: World):
    shared = world.root / "later"
    shared.mkdir(exist_ok=True)
    (shared / "a-train.x").write_text("train")
    (shared / "a-test.x").write_text(SECRET)
    with kernel(world.folder, settings={"read_only_patterns": [f"{shared}/*-train.*"]}) as running:
        (shared / "b-train.x").write_text("prepared while the class is graded")
        assert value(running, f"__import__('os').listdir({str(shared)!r})") == ["a-train.x"]
        assert value(running, f"open({str(shared / 'a-train.x')!r}).read()") == "train"
    (shared / "b-train.x").unlink()  # this runs twice, with kernels that are started cold and warm


@pytest.mark.parametrize("how", ["environment", "never_shown", "folder"])
def test_a_tree_that_holds_a_course_is_shown_to_nobody(world: World, how, monkeypatch):
    """A virtual environment that was made in the course folder itself would show the gradebook to every student."""
    course = world.root / "course with python"
    (course / "submitted").mkdir(parents=True, exist_ok=True)
    (course / "gradebook.db").write_text(SECRET)
    settings: dict[str, object] = {}
    folder = world.folder
    if how == "environment":
        monkeypatch.setattr(sandbox, "_python_paths", lambda: [sys.prefix, sys.base_prefix, str(course)])
    elif how == "never_shown":
        settings = {"read_only": [str(course)], "never_shown": [str(course / "submitted")]}
    else:
        folder = course / "submitted"
        settings = {"read_only": [str(course)]}
    with pytest.raises(GraderFailed, match="which student code may read, holds"), kernel(folder, settings=settings):
        pass


def test_the_accepted_risk_runs_the_kernel_unprotected(programs, world: World, caplog):
    with kernel(world.folder, settings={"allow_unprotected": True}) as running:
        assert value(running, f"open({str(world.secret)!r}).read()") == SECRET
        scratch = running.provisioner.open_scratch()
        assert "data.txt" in os.listdir(scratch)
        os.close(scratch)
    assert "NOT PROTECTED" in caplog.text


# The trusted kernel


@pytest.fixture(scope="module")
def trusted(world: World, started: str) -> Iterator[Kernel]:
    shared = str(world.root / "shared")
    settings = {"read_only": [shared]}
    with kernel(world.folder, settings=settings, provisioner="TrustedProvisioner") as running:
        yield running


def test_the_trusted_kernel_cannot_write_to_its_folder(trusted: Kernel):
    assert "Read-only file system" in outcome(trusted, "open('new', 'w')")


def test_the_trusted_kernel_sees_what_is_hidden_from_students(trusted: Kernel, world: World):
    path = str(world.root / "shared" / "test" / "digits")
    assert value(trusted, f"(open('data.txt').read(), open({path!r}).read())") == ("data", SECRET)


def test_the_trusted_kernel_has_no_network_either(trusted: Kernel, world: World):
    port = world.network.getsockname()[1]
    said = outcome(trusted, f"import socket; socket.create_connection(('127.0.0.1', {port}), 5)")
    assert said.startswith("ConnectionRefusedError")


# By name, from any Jupyter program


@pytest.mark.parametrize("name", ["gradebox-student", "gradebox-trusted"])
def test_jupyter_execute_runs_a_notebook_in_the_sandbox(tmp_path: Path, name):
    provisioner = {"gradebox-student": "gradebox-sandbox", "gradebox-trusted": "gradebox-trusted"}[name]
    if provisioner not in entry_points(group="jupyter_client.kernel_provisioners").names:
        pytest.skip(f"the entry point {provisioner} is not installed: install this package again")
    tmp_path.chmod(0o755)
    path = tmp_path / "note.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("import os; print(os.getcwd())")]), path)
    words = [sys.executable, "-m", "jupyter", "execute", str(path), f"--kernel_name={name}", "--inplace"]
    environment = {**os.environ, "JUPYTER_PATH": str(Path(gradebox.__file__).parent)}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert nbformat.read(path, as_version=4).cells[0].outputs[0].text == f"{SCRATCH}\n"


# The sum of memory


def test_a_group_ends_with_all_of_its_processes():
    above = sandbox._group_above()
    group = Cgroup.create(above, {}) if above else None
    if group is None:
        pytest.skip("no cgroup v2 can be made here")
    with subprocess.Popen(["sh", "-c", sandbox.ENTER_GROUP, str(group.path / "cgroup.procs"), "sleep", "600"]) as one:
        assert wait_for(lambda: str(one.pid) in (group.path / "cgroup.procs").read_text().split())
        group.remove()
        assert one.wait(timeout=10) == -signal.SIGKILL
    assert not group.path.exists()


TWO_LARGE_CHILDREN = """
import os, time
for _ in range(2):
    if os.fork() == 0:
        held = b"x" * (400 << 20)
        time.sleep(600)
time.sleep(600)
"""


def test_all_processes_together_have_a_limit_of_memory(world: World):
    probe = sandbox._memory_group(1 << 30)
    if probe is None:
        pytest.skip("no cgroup v2 with a memory controller can be made here")
    probe.remove()
    with kernel(world.folder, settings={"total_memory_bytes": 512 * MIB}) as running:
        running.client.execute(TWO_LARGE_CHILDREN)
        assert wait_for(lambda: not running.manager.is_alive())


# Nobody in particular


@pytest.mark.skipif(os.geteuid() != 0, reason="this is the ordinary user")
def test_the_promise_holds_for_an_ordinary_user(started: str):
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-m", "", "--timeout=300", "-k", started]
    words = [sys.executable, "-m", "pytest", *options, str(Path(__file__))]
    home = Path("/tmp") / f"gradebox-nobody-{os.getpid()}"
    with ExitStack() as stack:
        home.mkdir(mode=0o777)
        home.chmod(0o777)
        stack.callback(sandbox.shutil.rmtree, home, ignore_errors=True)
        folders = {name: str(home) for name in ("HOME", "IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "PYTEST_DEBUG_TEMPROOT")}
        environment = {**os.environ, **folders, "PYTHONDONTWRITEBYTECODE": "1", "USER": "nobody"}
        done = subprocess.run(
            as_ordinary_user(words), env=environment, capture_output=True, text=True, timeout=600, check=False
        )
    if " skipped in " in done.stdout and " passed" not in done.stdout:
        pytest.skip(f"as nobody: {done.stdout.strip().splitlines()[-2]}")
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
