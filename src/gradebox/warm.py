"""Warm starts: a process that has imported heavy modules once, and is forked into one sandbox after the other.

Three kinds of process, the first two outside of any sandbox and without a line of anybody's notebook:

- The *warm process* imports the modules and then does nothing but fork. It never reads what a kernel is to get, so
  that none finds another's in its memory; it has one thread, and no descriptor but two sockets.
- A *keeper* is forked from it for each kernel. It enters the namespaces of a sandbox that bubblewrap has built,
  forks the kernel into it, reports how the kernel ended, and ends the sandbox.
- The *kernel* drops every right, as bubblewrap, setpriv and prlimit make a cold kernel do, before it reads a message.

The process that made a warm process, its *owner*, holds the other end of one of the sockets: when it ends, so does the
warm process. The second socket lies in a folder that only its owner's user may enter. A grading process that connects
to it, the owner itself or another one that it told the address, gets a keeper, whose kernel runs on the cores that the
grading process has. When that connection ends, so does the keeper's sandbox.

The modules are imported outside of the sandbox, with the grader's rights, an empty home and the environment that the
kernels get: name only modules that may be trusted, and that read no secret when they are imported, since all that the
warm process remembers is in every kernel's memory. Kernels forked from one warm process also share what a process
draws only once, when it starts or imports: the seed of `hash`, the addresses of its memory, and the state of random
generators that modules made, other than those of `random` and `numpy.random`. `os.getppid()` is 0 in them.
"""

import atexit
import ctypes
import gc
import importlib
import json
import os
import random
import resource
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from fcntl import ioctl
from pathlib import Path
from select import select

__all__ = [
    "LAUNCHER",
    "Key",
    "Start",
    "WarmProcess",
    "WarmStartError",
    "reserve",
    "share",
    "start_kernel",
    "warm_process",
]

LAUNCHER = "ipykernel_launcher"
# What this module imports when it makes a kernel: cheap to have, and the largest part of a kernel's own start.
KERNEL_MODULES = ("ipykernel.kernelapp", "ipykernel.debugger", "IPython.core.completerlib", "tornado.platform.asyncio")
# Libraries that start a thread when they are imported, and what keeps them from it.
QUIET = {"JE_ARROW_MALLOC_CONF": "background_thread:false"}
IMPORT_TIMEOUT_S = 300.0
START_TIMEOUT_S = 20.0
MAX_MESSAGE_BYTES = 1 << 18
MAX_PROCESSES = 4  # in one grading process; each may hold a few hundred megabytes

# linux/sched.h, linux/nsfs.h, linux/prctl.h, linux/capability.h
NAMESPACES = {
    **{"mnt": 0x00020000, "cgroup": 0x02000000, "uts": 0x04000000},
    **{"ipc": 0x08000000, "pid": 0x20000000, "net": 0x40000000},
}
CLONE_NEWUSER, NS_GET_USERNS = 0x10000000, 0xB701
SET_PDEATHSIG, SET_DUMPABLE, SET_SECCOMP, CAPBSET_DROP, SET_NO_NEW_PRIVS, CAP_AMBIENT = 1, 4, 22, 24, 38, 47
CAP_AMBIENT_CLEAR_ALL, SECCOMP_MODE_FILTER, CAPABILITY_VERSION = 4, 2, 0x20080522
SECCOMP_LINE_BYTES = 8


class WarmStartError(Exception):
    """Why a kernel could not be started warm."""


@dataclass(frozen=True)
class Start:
    """What one kernel gets, as plain data.

    `pid` is the number of its sandbox's first process, `uid` the number that the kernel drops to when root starts
    it, and None for an ordinary user. `cores` are those that it may run on, `limits` (what follows `RLIMIT_` in a name
    of `resource`, value), `seccomp` a filter's bytes in hexadecimal digits.
    """

    pid: int
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    folder: str
    uid: int | None
    cores: tuple[int, ...]
    limits: tuple[tuple[str, int], ...]
    seccomp: str


# In the grading process


@dataclass(frozen=True)
class Key:
    """What a warm process is made of: the modules that it imports, and the environment that it imports them in."""

    modules: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, modules: Sequence[str], environment: Mapping[str, str]) -> "Key":
        """The key of these modules and this environment."""
        return cls(tuple(modules), tuple(sorted(environment.items())))


class WarmProcess:
    """The warm process, as its owner sees it. Importing begins when this is made, by a thread that outlives it.

    Args:
        key: what it is made of.
        cores: those that it may import on. Libraries size their pools of threads by what they see when they are
            imported: give it as many as its kernels will have. Its owner's if left out.
    """

    def __init__(self, key: Key, cores: Iterable[int] | None = None) -> None:
        self._lock = threading.Lock()
        self._imported = False
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._folder = tempfile.mkdtemp(dir="/tmp", prefix="gbw-")  # which nobody else may enter
        self._home = Path(self._folder, "home")
        self._home.mkdir()
        self.address = f"{self._folder}/kernels"
        with theirs, socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
            listener.bind(self.address)
            listener.listen(64)
            given = {
                "channel": theirs.fileno(),
                "listener": listener.fileno(),
                "cores": sorted(os.sched_getaffinity(0) if cores is None else cores),
                "modules": key.modules,
            }
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gradebox.warm", json.dumps(given)],
                env={**dict(key.environment), **QUIET, "HOME": str(self._home)},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(), listener.fileno()),
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def wait_for_imports(self) -> None:
        """Return when the modules are imported, at once if they are. Raises `WarmStartError` if they cannot be."""
        with self._lock:
            if self._imported:
                return
            self._channel.settimeout(IMPORT_TIMEOUT_S)
            try:
                answer = self._channel.recv(MAX_MESSAGE_BYTES)
            except TimeoutError:
                raise WarmStartError(f"importing took more than {IMPORT_TIMEOUT_S:.0f} s") from None
            except OSError as error:
                raise WarmStartError(f"the warm process was ended ({error})") from None
            finally:
                shutil.rmtree(self._home, ignore_errors=True)
            if not answer:
                code = self._process.wait()
                raise WarmStartError(f"the warm process ended while it imported, with exit code {code}")
            if refused := json.loads(answer)["refused"]:
                raise WarmStartError(refused)
            self._imported = True

    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def end(self) -> None:
        """End it. Kernels that were forked from it live on."""
        self._channel.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1)
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


_running: dict[Key, WarmProcess] = {}  # this process's own, the one used last at the end
_shared: dict[Key, str] = {}  # addresses of another process's
_refused: dict[Key, str] = {}
_lock = threading.Lock()


def warm_process(key: Key, *, remember: bool = True) -> WarmProcess:
    """This process's own warm process of that key, when it has imported its modules.

    Raises `WarmStartError` where there can be none: the reason is remembered, unless that is not wanted, and a second
    attempt costs nothing. One that died later is replaced.
    """
    with _lock:
        if key in _refused:  # a text, since an error that is raised again keeps all frames that it came through
            raise WarmStartError(_refused[key])
        warm = _running.pop(key, None)
        if warm is not None and not warm.is_alive():
            warm.end()
            warm = None
        _running[key] = warm = warm or WarmProcess(key)
        while len(_running) > MAX_PROCESSES:
            _running.pop(next(iter(_running))).end()
    try:
        warm.wait_for_imports()
    except WarmStartError as refusal:
        with _lock:
            if remember:
                _refused[key] = str(refusal)
            _running.pop(key, warm).end()
        raise
    return warm


def share(addresses: Mapping[Key, str]) -> None:
    """From now on, take kernels of these keys from warm processes that another process of this machine owns."""
    with _lock:
        _shared.clear()
        _shared.update(addresses)


def reserve(key: Key) -> socket.socket:
    """A connection to a keeper that waits for `start_kernel`, when the modules are imported.

    Its warm process is the shared one of that key, or else one of this process's own: also where the shared one does
    not answer, because it or its owner has ended, or because it could not import what the own one will not either.
    Raises `WarmStartError` as `warm_process` does.
    """
    with _lock:
        address = _shared.get(key)
    if address:
        try:
            return _connect(address)
        except WarmStartError:
            with _lock:
                _shared.pop(key, None)
    return _connect(warm_process(key).address)


def _connect(address: str) -> socket.socket:
    keeper = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    keeper.settimeout(IMPORT_TIMEOUT_S)
    try:
        keeper.connect(address)
        if not keeper.recv(MAX_MESSAGE_BYTES):
            raise ConnectionResetError("it has ended")
    except OSError as error:
        keeper.close()
        raise WarmStartError(f"the warm process does not answer ({error})") from error
    keeper.settimeout(START_TIMEOUT_S)
    return keeper


def start_kernel(keeper: socket.socket, start: Start, descriptors: Sequence[int]) -> int:
    """Let a reserved keeper fork a kernel into a sandbox; return the kernel's process number.

    `descriptors` are: a pidfd of the sandbox's first process, the kernel's output, what the keeper is to hold
    open for as long as the kernel lives, and `cgroup.procs` of its group if it has one. When the kernel has
    ended, the keeper sends {"code": its exit code as bubblewrap has it}, and kills the sandbox, as it does when
    the connection is closed. Raises `WarmStartError`; then no kernel was started, or it is dead.
    """
    try:
        socket.send_fds(keeper, [json.dumps(asdict(start)).encode()], descriptors)
        answer = json.loads(keeper.recv(MAX_MESSAGE_BYTES) or "{}")
    except OSError as error:
        keeper.close()
        raise WarmStartError(f"the keeper does not answer ({error})") from error
    if "pid" not in answer:
        keeper.close()
        raise WarmStartError(answer.get("refused", "the keeper ended without an answer"))
    return int(answer["pid"])


@atexit.register
def _end_all() -> None:
    while _running:
        _running.popitem()[1].end()


# In the warm process, the keeper and the kernel


def main() -> None:
    """The warm process, until its owner ends. Returns in a kernel alone, when that has ended."""
    given = json.loads(sys.argv[1])
    channel, listener = socket.socket(fileno=given["channel"]), socket.socket(fileno=given["listener"])
    _prctl(SET_PDEATHSIG, signal.SIGKILL)  # until the channel's end is heard, that of the owner's thread must do
    os.sched_setaffinity(0, given["cores"])
    initial = dict(os.environ)
    if not sys.flags.safe_path:
        sys.path.pop(0)  # the folder that it was started in
    refused = _import([*KERNEL_MODULES, *given["modules"]])
    _prctl(SET_PDEATHSIG, 0)  # before the answer: the thread that waits for it may end at once
    with suppress(OSError):  # an owner that has ended
        channel.send(json.dumps({"refused": refused}).encode())
    if refused:
        os._exit(1)
    gc.collect()
    gc.freeze()  # so that a collection in a kernel writes to no page that it shares
    arguments = _keep(_serve(channel, listener), initial)
    if not sys.flags.safe_path:
        sys.path.insert(0, os.getcwd())
    sys.argv = [LAUNCHER, *arguments]
    runpy.run_module(LAUNCHER, run_name="__main__", alter_sys=True)


def _import(modules: Sequence[str]) -> str:
    """Import; return why kernels cannot be forked from this process, and nothing if they can."""
    for name in modules:
        try:
            importlib.import_module(name)
        except BaseException as error:  # SystemExit too: whatever a module does, the grader hears of it
            said = (str(error).strip() or "without a word").splitlines()[0]
            return f"the module {name} cannot be imported ({type(error).__name__}: {said})"
    # Libraries that can be forked, OpenBLAS among them, end their threads at a fork and start them anew when needed.
    if not (child := os.fork()):
        os._exit(0)
    os.waitpid(child, 0)
    names = [Path(f"/proc/self/task/{number}/comm").read_text().strip() for number in os.listdir("/proc/self/task")]
    if len(names) > 1:
        return f"a process with {len(names)} threads ({', '.join(names)}) cannot be forked: leave out what starts them"
    return ""


def _serve(channel: socket.socket, listener: socket.socket) -> socket.socket:
    """Fork a keeper for each connection. Returns its connection in a keeper alone."""
    while True:
        if channel in select([channel, listener], [], [])[0]:  # the owner says nothing: it can only end
            shutil.rmtree(Path(listener.getsockname()).parent, ignore_errors=True)  # if it was killed, nobody else will
            os._exit(0)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        with suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                if os.fork() == 0:
                    channel.close()
                    listener.close()
                    return connection.dup()


def _keep(grader: socket.socket, initial: Mapping[str, str]) -> Sequence[str]:
    """The keeper. Returns the kernel's arguments in the kernel alone, which has every restriction by then."""
    try:
        _answer(grader, waits=True)
        message, passed, *_ = socket.recv_fds(grader, MAX_MESSAGE_BYTES, 4)
        if not message:
            os._exit(0)  # the grader needs no kernel after all
        start = Start(**json.loads(message))
        sandbox, output, _held, *group = passed
        os.sched_setaffinity(0, start.cores)
        _enter(start.pid, sandbox)
        heard, telling = os.pipe()
        kernel = os.fork()
    except BaseException as error:
        _answer(grader, refused=f"no kernel can be forked into the sandbox ({error})")
        os._exit(1)
    if kernel == 0:
        grader.detach()
        try:
            _confine(start, output, group, telling, initial)
        except BaseException as error:
            os.write(telling, str(error).encode() or b"no reason")
            os._exit(1)
        os.close(telling)
        return start.arguments
    for descriptor in (telling, output, *group):
        os.close(descriptor)
    with os.fdopen(heard, "rb") as file:
        problem = file.read().decode(errors="replace")
    if problem:
        os.waitpid(kernel, 0)
        _answer(grader, refused=f"a kernel forked into the sandbox cannot be confined ({problem})")
    else:
        _answer(grader, pid=kernel)
        _wait_for_end(kernel, sandbox, grader)
    os._exit(0)


def _answer(grader: socket.socket, **answer: object) -> None:
    with suppress(OSError):
        grader.send(json.dumps(answer).encode())


def _wait_for_end(kernel: int, sandbox: int, grader: socket.socket) -> None:
    """Tell the grader how the kernel ended, and end the sandbox; at the grader's end, the other way round."""
    select([os.pidfd_open(kernel), grader.fileno()], [], [])  # the grader says nothing more: it can only end
    status = os.waitid(os.P_PID, kernel, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    if status is None:
        _kill(sandbox)
    code = os.waitstatus_to_exitcode(os.waitpid(kernel, 0)[1])
    _answer(grader, code=code if code >= 0 else 128 - code)
    _kill(sandbox)


def _kill(process: int) -> None:
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(process, signal.SIGKILL)


def _enter(pid: int, process: int) -> None:
    """Enter the namespaces of a process, as its number and a pidfd. Children are in its process namespace, not we.

    An ordinary user has every right in a user namespace of his own, and none in another: bubblewrap's first one owns
    the other namespaces, and holds a second, in which no third can be made. So: in, and in.
    """
    there, here = f"/proc/{pid}/ns", "/proc/self/ns"
    kinds = 0
    for name, kind in NAMESPACES.items():
        if os.stat(f"{there}/{name}").st_ino != os.stat(f"{here}/{name}").st_ino:
            kinds |= kind
    if os.stat(f"{there}/user").st_ino == os.stat(f"{here}/user").st_ino:
        _call("setns", process, kinds)
        return
    inner, mounts = os.open(f"{there}/user", os.O_RDONLY), os.open(f"{there}/mnt", os.O_RDONLY)
    owner = ioctl(mounts, NS_GET_USERNS)
    _call("setns", owner, CLONE_NEWUSER)
    _call("setns", process, kinds)
    if os.fstat(owner).st_ino != os.fstat(inner).st_ino:
        _call("setns", inner, CLONE_NEWUSER)


def _confine(start: Start, output: int, group: Sequence[int], telling: int, initial: Mapping[str, str]) -> None:
    """Become a kernel: everything that a cold one has from bubblewrap, setpriv, prlimit and a start of its own."""
    os.setsid()
    for descriptor in group:
        os.write(descriptor, b"0")
    Path("/proc/self/oom_score_adj").write_text("1000")
    _keep_descriptors(output, telling)
    for name, value in start.limits:
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))
    _drop_rights(start.uid)
    os.chdir(start.folder)
    _set_environment(start.environment, initial)
    random.seed()
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()
    _filter_calls(bytes.fromhex(start.seccomp))


def _keep_descriptors(output: int, telling: int) -> None:
    """Leave the standard ones, and the one that tells the keeper."""
    null = os.open("/dev/null", os.O_RDWR)
    for descriptor, standard in ((null, 0), (output, 1), (output, 2)):
        os.dup2(descriptor, standard)
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) != telling:
            with suppress(OSError):  # the list's own
                os.close(int(name))


def _drop_rights(uid: int | None) -> None:
    for capability in range(int(Path("/proc/sys/kernel/cap_last_cap").read_text()) + 1):
        _prctl(CAPBSET_DROP, capability)
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    nothing = (ctypes.c_uint32 * 6)()
    _call("capset", (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0), nothing)
    _prctl(CAP_AMBIENT, CAP_AMBIENT_CLEAR_ALL)
    _prctl(SET_NO_NEW_PRIVS, 1)
    _prctl(SET_DUMPABLE, 1)  # or /proc/self were root's, since Linux keeps who once was another from looking
    _prctl(SET_PDEATHSIG, signal.SIGKILL)


def _set_environment(wanted: Mapping[str, str], initial: Mapping[str, str]) -> None:
    """Change what a cold kernel's environment has otherwise; what modules set when they were imported stays."""
    for name in initial.keys() - wanted.keys():
        os.environ.pop(name, None)
    os.environ.update({name: value for name, value in wanted.items() if initial.get(name) != value})
    time.tzset()


def _filter_calls(program: bytes) -> None:
    lines = ctypes.create_string_buffer(program, len(program))

    class SockFprog(ctypes.Structure):  # linux/filter.h
        _fields_ = (("len", ctypes.c_ushort), ("filter", ctypes.c_void_p))

    whole = SockFprog(len(program) // SECCOMP_LINE_BYTES, ctypes.addressof(lines))
    _prctl(SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(whole))


def _prctl(option: int, *arguments: int) -> None:
    _call("prctl", option, *(ctypes.c_ulong(argument) for argument in (*arguments, 0, 0, 0, 0)[:4]))


def _call(function: str, *arguments: object) -> None:
    if getattr(ctypes.CDLL(None, use_errno=True), function)(*arguments) == -1:
        error = ctypes.get_errno()
        raise OSError(error, f"{function}: {os.strerror(error)}")


if __name__ == "__main__":
    main()
