"""A Jupyter kernel for code that nobody trusts: the provisioner behind `gradebox-student` and `gradebox-trusted`.

Any Jupyter program starts such a kernel by its name. It runs under bubblewrap in a world of its own, of
which `Box` is the description and `argv` the command line. The folder that the kernel is started in is never
written to: it shows in the sandbox at `ORIGINAL`, and the kernel works in a copy of it, the scratch folder
`/scratch`, in memory and of a fixed size. Whoever wants what the kernel leaves there asks `open_scratch` for
a descriptor before the kernel ends, and reads when everything in the sandbox is dead.

Covered, each line with its attacks in tests/gradebox/test_sandbox.py:

- network: no interface but a loopback of its own, no socket of the host's, neither named, abstract nor vsock
- files: only the system, the Python environment and `read_only` can be read, less what is `hidden`
- writing: nothing of the host can be written to, linked to or made a device of; what is left in the scratch
  folder stays in memory, and goes with the last descriptor
- environment: only what is allowed by name, neither directly nor from /proc
- descriptors: none of the grader's, not even its output
- processes: those outside can be neither seen, signalled nor traced; nor can the sandbox's own first process
- rights: no capability, no set-user-id, no mount, no device node, no user namespace, no tracing, no keyring
- terminal: none to type into
- amounts: memory, threads and processes, file size, open files and processor time, and the sizes of /tmp,
  /dev/shm and the scratch folder
- memory out of sight of those limits: neither memfd, System V shared memory nor io_uring
- the end: when the kernel ends or is stopped, or the grader is killed, everything that it started is dead

Not covered:

- The sum of the memory of all processes, where no cgroup v2 with a memory controller can be made: the limit
  is then for each process. The kernel is always the first that a machine out of memory kills.
- Processor time shared with the grader: a kernel may keep every core busy until it is stopped.
- The number of files: memory for the names of empty files is bounded only by the machine (or the cgroup).
- What is no secret: the machine's kind, load and uptime, and names of host folders in /proc/self/mountinfo.
- The kernel's own messages: it may forge any output, mark or result that it is asked for. Verdicts are for a
  kernel that never ran the code.
- Faults of the Linux kernel itself. There is no graphics card in the sandbox.
"""

import asyncio
import functools
import json
import os
import platform
import random
import resource
import shutil
import signal
import site
import socket
import stat
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from errno import EAFNOSUPPORT, ENOSYS, EPERM
from fnmatch import fnmatchcase
from glob import escape, glob
from pathlib import Path
from select import select
from time import monotonic
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import LocalProvisioner
from traitlets import Bool, Dict, Integer, List, Unicode

from gradebox.errors import GraderFailed
from gradebox.warm import LAUNCHER, Key, Start, WarmStartError, reserve, start_kernel

__all__ = [
    "ORIGINAL",
    "SCRATCH",
    "Box",
    "Cgroup",
    "Limits",
    "SandboxProvisioner",
    "TrustedProvisioner",
    "argv",
    "require",
    "seccomp_program",
]

SCRATCH = "/scratch"  # the kernel's working folder, by the same name for every student
ORIGINAL = "/mnt/original"  # the folder that the kernel was started in
HOME = "/tmp/home"

MIB, GIB = 1 << 20, 1 << 30
START_TIMEOUT_S = 20.0
END_TIMEOUT_S = 10.0
INSIDE_UID = 1000  # an ordinary user's number inside
ROOT_UIDS = range(61184, 65520)  # systemd's range for users that live as long as one service (DynamicUser)

SYSTEM = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store"),
    *("/etc/ld.so.cache", "/etc/alternatives", "/etc/fonts", "/etc/localtime"),
)
NAMESPACES = ("--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try")
# As root, before the kernel's first line: copy the folder, give the copy away, become somebody else.
ROOT_CAPABILITIES = ("SETUID", "SETGID", "SETPCAP", "CHOWN", "DAC_READ_SEARCH")
COPY_IN = f"cp -rT -- {ORIGINAL} {SCRATCH}; chmod -R u+rwX {SCRATCH}"
ENTER_GROUP = '(echo $$ > "$0") 2>/dev/null; exec "$@"'
# A box for a warm kernel: its first process says back what it hears, ends when it hears no more, and leaves no zombie.
HOLDER = ("env", "--ignore-signal=CHLD", "cat")


@dataclass(frozen=True)
class Limits:
    """What one process may use; `processes` counts threads, and all of the sandbox together."""

    memory_bytes: int
    processes: int
    file_bytes: int
    open_files: int
    cpu_s: int

    def in_force(self) -> dict[str, int]:
        """These limits by their name in `setrlimit`, or those that the grader has itself if lower."""
        wanted = {
            "AS": self.memory_bytes,
            "NPROC": self.processes,
            "FSIZE": self.file_bytes,
            "NOFILE": self.open_files,
            "CPU": self.cpu_s,
            "CORE": 0,
        }
        return {name: _at_most(value, getattr(resource, f"RLIMIT_{name}")) for name, value in wanted.items()}

    def command(self) -> list[str]:
        """The start of a command line that runs the rest under these limits, or those in force if lower."""
        return ["prlimit", *(f"--{name.lower()}={value}" for name, value in self.in_force().items()), "--"]


def _at_most(value: int, kind: int) -> int:
    hard = resource.getrlimit(kind)[1]
    return value if hard == resource.RLIM_INFINITY else min(value, hard)


@dataclass(frozen=True)
class Box:
    """One sandbox, as plain data. Paths of the host are real paths; `hidden_*` and `links` are paths inside.

    `uid` is the number that the kernel drops to when root starts it; None for an ordinary user. A scratch size
    of 0 shows the folder itself, read-only. `links` are (target, path), `read_only` (path outside, path inside).
    """

    folder: str
    private: str
    uid: int | None
    links: tuple[tuple[str, str], ...]
    read_only: tuple[tuple[str, str], ...]
    hidden_files: tuple[str, ...]
    hidden_folders: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    limits: Limits
    tmp_bytes: int
    scratch_bytes: int


def argv(box: Box, command: Sequence[str], seccomp_fd: int, info_fd: int, *, first: bool = False) -> list[str]:
    """The command line that runs `command` in the box. Pure.

    bubblewrap reads its system call filter from `seccomp_fd` and writes the number of the box's first process
    to `info_fd`. That process is bubblewrap's own, or with `first` the command.
    """
    words = ["choom", "-n", "1000", "--", "bwrap", *NAMESPACES, "--die-with-parent", "--new-session"]
    words += ["--as-pid-1"] * first
    words += ["--hostname", "gradebox", "--seccomp", str(seccomp_fd), "--info-fd", str(info_fd), "--clearenv"]
    words += _rights(box)
    for name, value in box.environment:
        words += ["--setenv", name, value]
    return [*words, *_file_system(box), "--chdir", SCRATCH, "--", *_entry(box, first), *command]


def _rights(box: Box) -> list[str]:
    if box.uid is None:
        inside = str(INSIDE_UID)
        return ["--unshare-user", "--disable-userns", "--uid", inside, "--gid", inside, "--cap-drop", "ALL"]
    return ["--cap-drop", "ALL", *(word for name in ROOT_CAPABILITIES for word in ("--cap-add", f"CAP_{name}"))]


def _file_system(box: Box) -> list[str]:
    size = str(box.tmp_bytes)
    words = ["--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys", "--dev", "/dev"]
    for path in ("/tmp", "/dev/shm"):
        words += ["--perms", "1777", "--size", size, "--tmpfs", path]
    for target, path in box.links:
        words += ["--symlink", target, path]
    for path in _parents([ORIGINAL, *(inside for _, inside in box.read_only)]):
        words += ["--perms", "0755", "--dir", path]
    for outside, inside in sorted(box.read_only, key=lambda pair: pair[1].count("/")):
        words += ["--ro-bind", outside, inside]
    words += ["--perms", "0777", "--dir", HOME, "--perms", "0777", "--dir", f"{box.private}/s"]
    words += ["--ro-bind", box.folder, ORIGINAL if box.scratch_bytes else SCRATCH]
    if box.scratch_bytes:
        words += ["--perms", "0755", "--size", str(box.scratch_bytes), "--tmpfs", SCRATCH]
    for path in box.hidden_files:
        words += ["--ro-bind", f"{box.private}/empty", path]
    # The first process is bubblewrap's own, or holds the box open: its memory could be the kernel's to write.
    for path in (*box.hidden_folders, "/proc/1"):
        words += ["--tmpfs", path, "--remount-ro", path]
    return [*words, "--remount-ro", "/dev", "--remount-ro", "/"]


def _parents(paths: Iterable[str]) -> list[str]:
    """The folders above, outermost first: bubblewrap would make them for their owner alone."""
    parents = {str(parent) for path in paths for parent in Path(path).parents} - {"/", "/tmp", "/dev", "/proc"}
    return sorted(parents, key=lambda path: path.count("/"))


def _entry(box: Box, first: bool) -> list[str]:
    give_away = f"; chown -R {box.uid}:{box.uid} {SCRATCH}" if box.uid is not None else ""
    words = ["sh", "-c", f'({COPY_IN}{give_away}) 2>/dev/null; exec "$@"', "sh"] if box.scratch_bytes else []
    if box.uid is not None:
        words += ["setpriv", f"--reuid={box.uid}", f"--regid={box.uid}", "--clear-groups"]
        words += ["--inh-caps=-all", "--bounding-set=-all", "--no-new-privs"]
        words += ["--pdeathsig", "KILL"] * first  # as bubblewrap had it, and who becomes another loses it
    return [*words, *box.limits.command()]


# System calls that need no capability and reach around the walls, by their numbers on (x86-64, AArch64).
DENIED = {
    **{"shmget": (29, 194), "msgget": (68, 186), "memfd_create": (319, 279), "memfd_secret": (447, 447)},
    **{"add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219), "syslog": (103, 116)},
    **{"ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271)},
    **{"pidfd_getfd": (438, 438), "perf_event_open": (298, 241), "bpf": (321, 280)},
    **{"unshare": (272, 97), "setns": (308, 268), "userfaultfd": (323, 282), "io_uring_setup": (425, 425)},
}
CLONE, CLONE3, SOCKET = (56, 220), (435, 435), (41, 198)
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column above, AUDIT_ARCH of linux/audit.h
CLONE_NEW = 0x7E020000  # every CLONE_NEW* flag of linux/sched.h that clone accepts
X32_BIT = 0x40000000
FAMILIES = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK)


def seccomp_program(machine: str) -> bytes:
    """The box's system call filter, in the classic BPF of Linux's seccomp(2), for "x86_64" or "aarch64".

    What it denies fails with EPERM, other socket families with EAFNOSUPPORT, and clone3, whose flags no filter
    can read, with ENOSYS, on which C libraries use clone.
    """
    column, architecture = MACHINES[machine]
    load, equal, at_least, any_bit, end = 0x20, 0x15, 0x35, 0x45, 0x06
    allow, denied = (end, 0, 0, 0x7FFF0000), (end, 0, 0, 0x00050000 | EPERM)
    number, first_argument = (load, 0, 0, 0), (load, 0, 0, 16)
    lines = [(load, 0, 0, 4), (equal, 1, 0, architecture), denied, number, (at_least, 0, 1, X32_BIT), denied]
    for numbers in DENIED.values():
        lines += [(equal, 0, 1, numbers[column]), denied]
    lines += [(equal, 0, 1, CLONE3[column]), (end, 0, 0, 0x00050000 | ENOSYS)]
    lines += [(equal, 0, 4, CLONE[column]), first_argument, (any_bit, 0, 1, CLONE_NEW), denied, allow]
    lines += [(equal, 1, 0, SOCKET[column]), allow, first_argument]
    for family in FAMILIES:
        lines += [(equal, 0, 1, int(family)), allow]
    lines += [(end, 0, 0, 0x00050000 | EAFNOSUPPORT)]
    return b"".join(struct.pack("HBBI", *line) for line in lines)


@dataclass(frozen=True)
class Cgroup:
    """A control group (v2) of one sandbox: a limit for all of its processes together."""

    path: Path

    @classmethod
    def create(cls, above: Path, limits: Mapping[str, str]) -> "Cgroup | None":
        """Make a group below `above` with `limits` {file: content}; None where that is not permitted."""
        path = above / f"gradebox-{os.getpid()}-{random.getrandbits(48):x}"
        try:
            path.mkdir()
        except OSError:
            return None
        try:
            for name, content in limits.items():
                (path / name).write_text(content)
        except OSError:
            path.rmdir()
            return None
        return cls(path)

    def remove(self) -> None:
        """Kill what is left in the group, and remove it."""
        with suppress(OSError):
            (self.path / "cgroup.kill").write_text("1")
        deadline = monotonic() + 1
        while monotonic() < deadline:
            with suppress(OSError):
                return self.path.rmdir()
        return None


def _memory_group(total_bytes: int) -> Cgroup | None:
    above = _group_above()
    if above is None or "memory" not in (above / "cgroup.subtree_control").read_text().split():
        return None
    limits = {"memory.max": str(total_bytes), "memory.oom.group": "1"}
    return Cgroup.create(above, limits)


def _group_above() -> Path | None:
    """The group in which a sister of our own can be made: only groups without processes share out memory."""
    try:
        mounts = [line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines()]
        groups = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return None
    roots = [mount[4] for mount in mounts if "cgroup2" in mount[mount.index("-") :]]
    own = [line.removeprefix("0::/") for line in groups if line.startswith("0::/")]
    if not roots or not own:
        return None
    above = Path(roots[0], own[0]).parent if own[0] else Path(roots[0])
    return above if (above / "cgroup.subtree_control").is_file() else None


@functools.cache
def require() -> None:
    """Make sure that kernels can be sandboxed here; a process that once could is not asked again.

    Raises `GraderFailed` with the reason, what to do about it, and the setting that accepts the risk.
    """
    if reason := _obstacle():
        accepted = "or accept the risk with c.SandboxProvisioner.allow_unprotected = True"
        raise GraderFailed(f"no sandbox for other people's code: {reason}, {accepted}")


def _obstacle() -> str:
    """Why no sandbox can be made; empty if one was."""
    if not sys.platform.startswith("linux") or platform.machine() not in MACHINES:
        return f"it needs Linux on x86-64 or AArch64, not {sys.platform} on {platform.machine()}"
    packages = {"bwrap": "bubblewrap", "setpriv": "util-linux", "prlimit": "util-linux", "choom": "util-linux"}
    for program, package in packages.items():
        if not shutil.which(program):
            return f"{package} is not installed (`{program}`); run `apt-get install {package}`"
    try:
        failure = _trial()
    except (OSError, subprocess.SubprocessError) as error:
        failure = str(error)
    if not failure:
        return ""
    return f"bubblewrap cannot make one ({failure}); allow user namespaces on this machine or container"


def _trial() -> str:
    """Run `true` in a sandbox; return the last line of what it said if that failed."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="gbx-") as private, ExitStack() as stack:
        provisioner = SandboxProvisioner(environment={}, read_only=[], hidden=[])
        box = provisioner._box(private, private, _free_uid(), {})
        seccomp = stack.enter_context(_seccomp_file())
        info = stack.enter_context(tempfile.TemporaryFile())
        files = (seccomp, info.fileno())
        words = argv(box, ["true"], *files)
        done = subprocess.run(
            words, pass_fds=files, env=_outer_environment(), capture_output=True, text=True, timeout=30, check=False
        )
    lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
    return lines[-1] if done.returncode else ""


def _outer_environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath)}


@contextmanager
def _seccomp_file() -> Iterator[int]:
    with tempfile.TemporaryFile() as file:
        file.write(seccomp_program(platform.machine()))
        file.seek(0)
        yield file.fileno()


def _free_uid() -> int | None:
    """As root, a number that no process has: each kernel then has a limit of processes to itself."""
    if os.geteuid() != 0:
        return None
    taken = set()
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with suppress(OSError):
                taken.add(entry.stat().st_uid)
    return random.SystemRandom().choice([uid for uid in ROOT_UIDS if uid not in taken])


def _python_paths() -> list[str]:
    """The folders of this Python, its environment, and the packages that are installed to be edited."""
    paths = [sys.prefix, sys.base_prefix, str(Path(sys.executable).resolve().parents[1])]
    for folder in map(Path, site.getsitepackages()):
        for pointer in sorted(folder.glob("*.pth")):
            lines = pointer.read_text(errors="replace").splitlines()
            paths += [line for line in map(str.strip, lines) if line.startswith("/") and os.path.isdir(line)]
    return paths


def _start(box: Box, pid: int, arguments: Sequence[str]) -> Start:
    of_shell = {"PWD": SCRATCH} if box.scratch_bytes else {}  # a cold kernel is started by one, which sets it
    return Start(
        pid=pid,
        arguments=tuple(arguments),
        environment=dict(box.environment) | of_shell,
        folder=SCRATCH,
        uid=box.uid,
        cores=tuple(sorted(os.sched_getaffinity(0))),
        limits=tuple(box.limits.in_force().items()),
        seccomp=seccomp_program(platform.machine()).hex(),
    )


@functools.cache
def _warn_once(warn: Callable[[str], None], text: str) -> None:
    warn(text)


def _within(path: str, roots: Iterable[str]) -> bool:
    return any(path == root or path.startswith(root.rstrip("/") + "/") for root in roots)


@dataclass
class _Running:
    """Descriptors of a sandbox that runs: they hold on to what they name, even when it has ended."""

    pid: int  # of its first process, whose end is the end of all
    process: int
    kernel_pid: int
    sockets: int
    scratch: int
    keeper: socket.socket | None = None  # of a warm kernel
    pinned: list[int] = field(default_factory=list)
    code: int | None = None  # a warm kernel's, when it has ended

    def close(self) -> None:
        for descriptor in (self.process, self.sockets, self.scratch, *self.pinned):
            os.close(descriptor)
        if self.keeper:
            self.keeper.close()

    def exit_code(self, code: int | None) -> int | None:
        """The kernel's exit code, where bubblewrap's is `code`: around a warm kernel, it knows nothing of it."""
        if code is not None and self.keeper and self.code is None:
            self.code = code
            with suppress(OSError, ValueError):
                self.code = json.loads(self.keeper.recv(1 << 10, socket.MSG_DONTWAIT))["code"]
        return code if self.code is None else self.code


class _StartError(Exception):
    """Nothing of the sandbox is left. Says its own last words."""


HIDDEN = (f"{sys.prefix}/etc/jupyter", "/usr/local/etc/jupyter", "/usr/local/share/nbgrader")
HIDDEN_PATTERNS = ("*.ipynb",)
"""What is hidden in any case, where it exists: notebooks, and what configures Jupyter on this machine."""
ADVICE = {
    "hidden": "a path with wildcards belongs into hidden_patterns",
    "hidden_patterns": "a path whose name holds [, * or ? belongs into hidden, or glob.escape before the wildcards",
}
OF_A_COURSE = ("nbgrader_config.py", "gradebook.db")


class SandboxProvisioner(LocalProvisioner):
    """Starts a kernel in a sandbox, for whoever starts a kernel whose kernelspec names `gradebox-sandbox`.

    Settings come from the Jupyter program's own configuration: `c.SandboxProvisioner`. The thread that starts
    a kernel must live as long: Linux tells bubblewrap of the thread's end, and the sandbox ends with it.
    """

    process: "subprocess.Popen[bytes] | None"

    allow_unprotected = Bool(
        False,
        help="Accept the risk: where there can be no sandbox, run other people's code with all of your own rights.",
    ).tag(config=True)
    read_only = List(
        Unicode(), help="More files and folders that the kernel may read, each at its own path: data sets."
    ).tag(config=True)
    read_only_patterns = List(
        Unicode(),
        help="The same, with wildcards: what matches when the kernel starts may be read, and nothing that comes later "
        "to the same folder. `glob.escape` protects a path before wildcards.",
    ).tag(config=True)
    hidden = List(
        Unicode(),
        help="Files that read as empty and folders that are empty in the sandbox, besides `HIDDEN`: absolute paths, or "
        "paths in the kernel's folder. No wildcards: each character stands for itself. An absolute path must exist.",
    ).tag(config=True)
    hidden_patterns = List(
        Unicode(),
        help="The same, with wildcards, besides `HIDDEN_PATTERNS`; `glob.escape` protects a path before one. An "
        "absolute pattern must match something.",
    ).tag(config=True)
    never_shown = List(
        Unicode(),
        help="Folders that no tree which the kernel may read may hold: the course, the exchange. Where one does, no "
        "kernel is started.",
    ).tag(config=True)
    environment_allowed = List(
        Unicode(),
        ["LANG", "LC_*", "TZ", "PYTHONHASHSEED", "OMP_NUM_THREADS", "NBGRADER_EXECUTION", "NBGRADER_VALIDATING"],
        help="Names, with wildcards, of environment variables that the kernel may see.",
    ).tag(config=True)
    environment = Dict(
        key_trait=Unicode(), value_trait=Unicode(), help="More environment variables of the kernel."
    ).tag(config=True)
    memory_bytes = Integer(8 * GIB, min=1, help="Address space of each process, in bytes.").tag(config=True)
    total_memory_bytes = Integer(
        8 * GIB, min=1, help="Memory of all processes together, in bytes, where a cgroup v2 can be made."
    ).tag(config=True)
    processes = Integer(512, min=1, help="Processes and threads together.").tag(config=True)
    file_bytes = Integer(256 * MIB, min=1, help="The size of one file, in bytes.").tag(config=True)
    open_files = Integer(1024, min=1, help="Open files of each process.").tag(config=True)
    cpu_s = Integer(1800, min=1, help="Processor time of each process, in seconds.").tag(config=True)
    tmp_bytes = Integer(256 * MIB, min=1, help="The size of /tmp, and of /dev/shm, in bytes.").tag(config=True)
    scratch_bytes = Integer(256 * MIB, min=1, help="The size of the scratch folder, in bytes.").tag(config=True)
    warm_modules = List(
        Unicode(),
        help="Modules that one process imports once, outside of the sandbox and with the grader's rights, so that "
        "kernels forked from it have them at their start. Empty: each kernel imports what it needs.",
    ).tag(config=True)
    warm_without = List(
        Unicode(),
        ["*_SEED"],
        help="Names, with wildcards, of environment variables that are not the same for all kernels: warm modules "
        "are imported without them.",
    ).tag(config=True)
    read_only_scratch = Bool(
        False, help="Work in the folder itself, unwritable, in place of a copy that can be written to."
    ).tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._private = ""
        self._uid: int | None = None
        self._running: _Running | None = None
        self._log_fd = -1
        self._group: Cgroup | None = None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Prepare one start. Called by `KernelManager.pre_start_kernel`, for a restart too.

        Must return the arguments of `launch_kernel`, `cmd` among them. Moves the connection file and the sockets
        into a private folder with a short name (a socket's path ends at 107 bytes), since no port of a network
        could be reached. Raises `GraderFailed` where there can be no sandbox.
        """
        try:
            require()
        except GraderFailed as failure:
            if not self.allow_unprotected:
                raise
            self.log.warning("NOT PROTECTED: allow_unprotected is set, and there is %s", failure)
            return await super().pre_launch(**kwargs)
        if not self._private:
            self._private = tempfile.mkdtemp(dir="/tmp", prefix="gbx-")
            self._uid = _free_uid()
        manager = self.parent
        manager.transport = "ipc"
        manager.connection_file = f"{self._private}/kernel.json"
        manager.ip = f"{self._private}/s/k"
        kwargs = await super().pre_launch(**kwargs)
        if self._uid is not None:
            os.chown(manager.connection_file, self._uid, self._uid)
        return kwargs

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start the kernel. Called by `KernelManager.launch_kernel` with what `pre_launch` returned.

        Must return the connection's description, and leave `has_process` true. Returns when the sandbox stands:
        its sockets' folder is then found under the path that both sides know.
        """
        if not self._private:
            return await super().launch_kernel(cmd, **kwargs)
        folder = os.path.realpath(kwargs.pop("cwd", None) or os.getcwd())
        if self._uid is not None and self.read_only_scratch and os.stat(folder).st_mode & 0o005 != 0o005:
            raise GraderFailed(f"{folder} cannot be read by others, as whom root's kernels run: chmod o+rx")
        box = self._box(folder, self._private, self._uid, kwargs.pop("env"))
        self._group = _memory_group(self.total_memory_bytes)
        if not (self.warm_modules and await self._launch_warm(box, cmd, kwargs)):
            try:
                with self._output():
                    info = await self._run_in(box, cmd, kwargs)
                self._running = await self._wait_for_start(info)
            except _StartError as failure:
                await self.cleanup()  # nobody else will: the kernel never was
                problem = f"the sandbox did not start ({failure})"
                raise GraderFailed(f"{problem}; see c.SandboxProvisioner, then grade again") from None
        assert self._running is not None
        self.cwd = folder
        link = self._without_sockets()
        os.symlink(f"/proc/{os.getpid()}/fd/{self._running.sockets}", link)
        return self.connection_info

    def _without_sockets(self) -> str:
        """The path where both sides find the kernel's sockets, with nothing there."""
        link = f"{self._private}/s"
        if os.path.isdir(link) and not os.path.islink(link):
            shutil.rmtree(link)
        with suppress(FileNotFoundError):
            os.unlink(link)
        return link

    def pin_sockets(self) -> None:
        """From now on, connect to the sockets that are there now, whatever takes their names.

        Called by `gradebox.client` when the kernel has answered, before any student code has run: what a kernel puts
        in the place of a socket later, such as a link to another socket of this machine, is never connected to.

        Raises:
            GraderFailed: what has a socket's name is none.
        """
        if self._running is None or self._running.pinned:
            return
        folder = f"{self._private}/pinned"
        os.mkdir(folder)
        for name in sorted(os.listdir(f"/proc/self/fd/{self._running.sockets}")):
            look = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(name, look, dir_fd=self._running.sockets)
            self._running.pinned.append(descriptor)
            if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                raise GraderFailed(f"{name} in the sandbox is no socket, before any student code has run; grade again")
            os.symlink(f"/proc/{os.getpid()}/fd/{descriptor}", f"{folder}/{name}")
        os.rename(folder, self._without_sockets())

    async def _run_in(
        self, box: Box, command: Sequence[str], kwargs: Mapping[str, Any], holder: socket.socket | None = None
    ) -> bytes:
        """Run a command in the box, or as the box's holder; return what bubblewrap says of it. Needs `_output`."""
        with ExitStack() as stack:
            seccomp = stack.enter_context(_seccomp_file())
            info_read, info_write = os.pipe()
            info = stack.enter_context(open(info_read, "rb"))
            words = argv(box, command, seccomp, info_write, first=holder is not None)
            if self._group:
                words = ["sh", "-c", ENTER_GROUP, str(self._group.path / "cgroup.procs"), *words]
            streams = {
                "stdin": holder or subprocess.DEVNULL,
                "stdout": holder or self._log_end,
                "stderr": self._log_end,
            }
            try:
                await super().launch_kernel(
                    words,
                    **{**kwargs, "env": _outer_environment(), "cwd": "/", **streams},
                    pass_fds=(seccomp, info_write),
                )
            finally:
                os.close(info_write)
            return info.read()

    async def _launch_warm(self, box: Box, cmd: list[str], kwargs: Mapping[str, Any]) -> bool:
        """Fork the kernel from a warm process, into a box built for it. If that cannot be, say why."""
        try:
            if cmd[:3] != [sys.executable, "-m", LAUNCHER]:
                raise WarmStartError(f"the kernel is started by {cmd[:3]}, not by {[sys.executable, '-m', LAUNCHER]}")
            await self._fork_into(box, cmd[3:], kwargs)
        except WarmStartError as reason:
            _warn_once(
                self.log.warning, f"kernels are started cold, and import {', '.join(self.warm_modules)}: {reason}"
            )
            return False
        return True

    def warm_key(self, environment: Mapping[str, str]) -> Key | None:
        """Of which warm process a kernel that gets this environment is forked; None for a cold start."""
        return self._key(self._variables(environment)) if self.warm_modules else None

    def _key(self, variables: Mapping[str, str]) -> Key:
        """The modules, and those variables of a kernel's that all kernels have alike."""
        alike = {
            name: value
            for name, value in variables.items()
            if not any(fnmatchcase(name, pattern) for pattern in self.warm_without)
        }
        return Key.of(self.warm_modules, alike)

    async def _fork_into(self, box: Box, arguments: Sequence[str], kwargs: Mapping[str, Any]) -> None:
        keeper = await asyncio.to_thread(reserve, self._key(dict(box.environment)))
        with ExitStack() as stack:
            given_up = stack.enter_context(ExitStack())
            given_up.callback(keeper.close)
            ours, theirs = (stack.enter_context(end) for end in socket.socketpair())
            ours.send(b"\0")
            stack.enter_context(self._output())
            try:
                info = await self._run_in(box, HOLDER, kwargs, theirs)
            finally:
                theirs.close()
            try:
                running = await self._wait_for_start(info, ours)
            except _StartError as failure:
                raise WarmStartError(f"no sandbox can be held open ({failure})") from None
            descriptors = [running.process, self._log_end, ours.fileno()]
            if self._group:
                group = stack.enter_context(open(self._group.path / "cgroup.procs", "wb"))
                descriptors.append(group.fileno())
            try:
                start = _start(box, running.pid, arguments)
                running.kernel_pid = await asyncio.to_thread(start_kernel, keeper, start, descriptors)
            except WarmStartError:
                self._end_process()
                running.close()
                raise
            given_up.pop_all()
            running.keeper = keeper
            self._running = running

    def _box(self, folder: str, private: str, uid: int | None, environment: Mapping[str, str]) -> Box:
        for name, content in _accounts(INSIDE_UID if uid is None else uid).items():
            Path(private, name).write_text(content)
        shown = [*SYSTEM, *_python_paths(), *self.read_only, *self._matching()]
        links = tuple((os.readlink(path), path) for path in SYSTEM if os.path.islink(path))
        trees = [path for path in dict.fromkeys(shown) if os.path.exists(path) and path not in dict(_swap(links))]
        trees = [path for path in trees if path in SYSTEM or not _within(path, SYSTEM)]
        files = {f"{private}/passwd": "/etc/passwd", f"{private}/group": "/etc/group"}
        connection = f"{private}/kernel.json"
        if os.path.exists(connection):
            files[connection] = connection
        self._refuse_what_would_show_a_course(folder, [path for path in trees if path in (*SYSTEM, *_python_paths())])
        hidden = list(self._hidden(folder, trees))
        return Box(
            folder=folder,
            private=private,
            uid=uid,
            links=links,
            read_only=(*((os.path.realpath(path), path) for path in trees), *files.items()),
            hidden_files=tuple(inside for outside, inside in hidden if not os.path.isdir(outside)),
            hidden_folders=tuple(inside for outside, inside in hidden if os.path.isdir(outside)),
            environment=tuple(self._variables(environment).items()),
            limits=Limits(self.memory_bytes, self.processes, self.file_bytes, self.open_files, self.cpu_s),
            tmp_bytes=self.tmp_bytes,
            scratch_bytes=0 if self.read_only_scratch else self.scratch_bytes,
        )

    def _matching(self) -> list[str]:
        patterns = [pattern for pattern in self.read_only_patterns if os.path.isabs(pattern)]
        return sorted({path for pattern in patterns for path in glob(pattern, recursive=True)})

    def _refuse_what_would_show_a_course(self, folder: str, trees: Sequence[str]) -> None:
        """Raise `GraderFailed` where the system's trees or Python's hold the course, or another one.

        What stands in `read_only` is the course's own decision, but for what is never to be shown.
        """
        kept_out = [os.path.realpath(path) for path in (*self.never_shown, folder)]
        for tree in (*trees, *self.read_only):
            real = os.path.realpath(tree)
            inside = [path for path in kept_out if _within(path, [real])]
            if tree in trees and not inside:
                inside = [f"{tree}/{name}" for name in OF_A_COURSE if os.path.exists(os.path.join(real, name))]
            if inside:
                raise GraderFailed(
                    f"{tree}, which student code may read, holds {inside[0]}: move the course out of it, or make the "
                    "Python environment in a folder of its own, such as .venv"
                )

    def _hidden(self, folder: str, trees: Sequence[str]) -> Iterable[tuple[str, str]]:
        """Yield what is hidden and would be seen, once, as (path outside, path inside)."""
        found: dict[str, str] = {}
        work = SCRATCH if self.read_only_scratch else ORIGINAL
        wanted = [(escape(path), path, "hidden") for path in self.hidden]
        wanted += [(pattern, pattern, "hidden_patterns") for pattern in self.hidden_patterns]
        always = [*map(escape, HIDDEN), *HIDDEN_PATTERNS]
        for pattern, given, setting in [*((each, each, "") for each in always), *wanted]:
            matches = glob(os.path.join(escape(folder), pattern), recursive=True, include_hidden=True)
            if not matches and setting and os.path.isabs(given):
                raise GraderFailed(
                    f"c.{type(self).__name__}.{setting}: {given} is not there to hide; {ADVICE[setting]}"
                )
            for match in matches:
                path = os.path.realpath(match)
                if _within(path, [folder]):
                    found[os.path.join(work, os.path.relpath(path, folder))] = path
                for tree in trees:
                    if _within(path, [real := os.path.realpath(tree)]):
                        found[os.path.normpath(os.path.join(tree, os.path.relpath(path, real)))] = path
        return ((outside, inside) for inside, outside in sorted(found.items()))

    def _variables(self, environment: Mapping[str, str]) -> dict[str, str]:
        own = self.kernel_spec.env if self.kernel_spec else {}
        allowed = [*self.environment_allowed, *own]
        path = ":".join(dict.fromkeys((str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin")))
        fixed = {"PATH": path, "HOME": HOME, "USER": "student", "LOGNAME": "student", "LANG": "C.UTF-8"}
        seen = {
            name: value for name, value in environment.items() if any(fnmatchcase(name, pattern) for pattern in allowed)
        }
        return fixed | seen | self.environment

    @contextmanager
    def _output(self) -> Iterator[None]:
        """A pipe of its own for the sandbox to write to, until it is started: what it cannot hold is lost."""
        if self._log_fd >= 0:
            os.close(self._log_fd)
        self._log_fd, self._log_end = os.pipe()
        try:
            for descriptor in (self._log_fd, self._log_end):
                os.set_blocking(descriptor, False)
            yield
        finally:
            os.close(self._log_end)

    def _said(self) -> str:
        """What the sandbox wrote that was no cell's output; at most what a pipe holds."""
        with suppress(OSError):
            return os.read(self._log_fd, 1 << 16).decode(errors="replace").strip()
        return ""

    async def _wait_for_start(self, info: bytes, holder: socket.socket | None = None) -> _Running:
        deadline = monotonic() + START_TIMEOUT_S
        while self.process and self.process.poll() is None and monotonic() < deadline and info:
            if running := self._look_inside(json.loads(info)["child-pid"], holder):
                return running
            await asyncio.sleep(0.005)
        said = self._said().splitlines() or ["it said nothing"]
        self._end_process()
        raise _StartError(said[-1])

    def _end_process(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _look_inside(self, pid: int, holder: socket.socket | None) -> _Running | None:
        """Hold on to the sandbox's parts, if it stands. Its root is the host's until bubblewrap is done.

        A holder answers only then, and when the folder is copied. A warm kernel is not there yet.
        """
        if holder and not select([holder], [], [], 0)[0]:
            return None
        look = os.O_DIRECTORY | os.O_CLOEXEC
        opened: list[int] = []
        try:
            opened.append(os.pidfd_open(pid))
            opened.append(os.open(f"/proc/{pid}/root{self._private}/s", look | os.O_PATH))
            opened.append(os.open(f"/proc/{pid}/root{SCRATCH}", look))
            kernel = "0" if holder else Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0]
        except (OSError, IndexError):
            for descriptor in opened:
                os.close(descriptor)
            return None
        return _Running(pid, opened[0], int(kernel), opened[1], opened[2])

    def open_scratch(self) -> int:
        """A new descriptor of the running kernel's scratch folder; the caller closes it.

        It stays valid when the kernel and the sandbox have ended: `os.scandir`, and `os.open` with `dir_fd` and
        `O_NOFOLLOW`, then read what is left, and nothing can change it any more.
        """
        if self._running is None:
            if self.process is None or self._private:
                raise GraderFailed("no kernel runs: ask for its scratch folder between its start and its end")
            return os.open(self.cwd or os.getcwd(), os.O_RDONLY | os.O_DIRECTORY)
        return os.dup(self._running.scratch)

    async def send_signal(self, signum: int) -> None:
        """Signal the kernel. Called by `KernelManager.signal_kernel`, for an interrupt, and by `kill`.

        SIGKILL and SIGTERM end the sandbox. Anything else goes to the kernel and its foreground children. The
        bubblewrap outside would die of it; the one inside, being its namespace's first process, does not notice.
        """
        if self._running is None or self.process is None:
            return await super().send_signal(signum)
        if signum in (signal.SIGKILL, signal.SIGTERM):
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._running.process, signal.SIGKILL)
        elif self.process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(os.getpgid(self._running.kernel_pid), signum)
        return None

    async def poll(self) -> int | None:
        """The exit code, or None while the kernel runs. Called by `KernelManager.is_alive`, and in `wait`."""
        code = await super().poll()
        return self._running.exit_code(code) if self._running else code

    async def wait(self) -> int | None:
        """Wait for the end. Called by `KernelManager.finish_shutdown` and `kill_kernel`, with a timeout.

        Must return the exit code. Returns when no process of the sandbox is left.
        """
        code = await super().wait()
        if self._running:
            code = self._running.exit_code(code)
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._running.process, signal.SIGKILL)
            deadline = monotonic() + END_TIMEOUT_S
            while not select([self._running.process], [], [], 0)[0]:
                if monotonic() > deadline:
                    raise GraderFailed(f"process {self._running.pid} of a sandbox does not end; see `ps`")
                await asyncio.sleep(0.005)
        return code

    async def cleanup(self, restart: bool = False) -> None:
        """Let go of what a start took. Called by `KernelManager.cleanup_resources`, after the kernel's end."""
        if self._running:
            if said := self._said():
                self.log.debug("The sandboxed kernel wrote: %s", said)
            self._running.close()
            self._running = None
        if self._group:
            self._group.remove()
            self._group = None
        if self._private and not restart:
            os.close(self._log_fd)
            shutil.rmtree(self._private, ignore_errors=True)
            self._private, self._log_fd = "", -1
        await super().cleanup(restart)


class TrustedProvisioner(SandboxProvisioner):
    """The same sandbox for the instructor's own cells, with settings of its own: `c.TrustedProvisioner`.

    Works in the folder itself, which it cannot write to, and has only its notebooks hidden unless told otherwise.
    """

    read_only_scratch = Bool(True, help=SandboxProvisioner.read_only_scratch.help).tag(config=True)


def _swap(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(second, first) for first, second in pairs]


def _accounts(uid: int) -> dict[str, str]:
    """The private folder's files: a user of that number for those who ask, and nothing to hide things with."""
    passwd = f"student:x:{uid}:{uid}:student:{HOME}:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n"
    return {"passwd": passwd, "group": f"student:x:{uid}:\nnogroup:x:65534:\n", "empty": ""}
