"""A copy of the course with JupyterLab on it, as `make lab` starts it, and a browser to look at it."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

__all__ = [
    "CHROMIUM",
    "ELSEWHERE",
    "FAILED",
    "NARROW",
    "ROOT",
    "SCREENSHOTS",
    "WAIT_S",
    "WIDE",
    "Lab",
    "copy_course",
    "open_page",
    "running_lab",
]

ROOT = Path(__file__).parents[2]
SCREENSHOTS = ROOT / "build" / "screenshots"
FAILED = SCREENSHOTS / "failed.png"
CHROMIUM = shutil.which("chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
ARGUMENTS += ["--disable-sync", "--no-first-run"]
WAIT_S = 120
WIDE, NARROW = 1400, 400
ELSEWHERE = re.compile(r"^(https?|wss?)://(?!127\.0\.0\.1:)")


@dataclass(frozen=True)
class Lab:
    """A JupyterLab that runs: its server and token, the course's copy, and what the terminal showed."""

    server: str
    token: str
    course: Path
    log: Path

    @property
    def address(self) -> str:
        """What the terminal shows, and the browser opens."""
        return f"{self.server}/?token={self.token}"

    def desk(self, name: str) -> str:
        """The same page in a JupyterLab workspace of that name, which has none of other people's tabs."""
        return f"{self.server}/lab/workspaces/{name}/tree/student/START.md?token={self.token}"

    def terminal(self) -> list[str]:
        """The lines on the terminal, without the progress bar's escape sequences."""
        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.log.read_text(errors="replace"))
        return [line.strip() for line in text.splitlines() if line.strip()]


def copy_course(folder: Path) -> None:
    """Copy what git knows of, changed or not, and the virtual environment as a link."""
    words = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    names = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(sys.prefix)


@contextmanager
def running_lab(course: Path, home: Path, environment: Mapping[str, str]) -> Iterator[Lab]:
    """Run `make lab` in `course` for somebody whose home is `home`; everything of it has ended afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    own = home / "jupyter" / "config" / "jupyter_server_config.json"
    own.parent.mkdir(parents=True)
    own.write_text(
        json.dumps(
            {
                "ServerApp": {"port": port, "port_retries": 0, "open_browser": False},
                "IdentityProvider": {"token": token},
            }
        )
    )
    names = {"CONFIG": "config", "DATA": "data", "RUNTIME": "runtime"}
    jupyter = {f"JUPYTER_{name}_DIR": str(home / "jupyter" / folder) for name, folder in names.items()}
    mine = {"HOME": str(home), "IPYTHONDIR": str(home / "ipython"), **jupyter}
    log = home / "terminal.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            ["make", "--old-file=.venv/.ready", "lab"],  # installed it is; the copy's own files are newer
            cwd=course,
            env={**_plain(environment), **mine},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    lab = Lab(f"http://127.0.0.1:{port}", token, course, log)
    try:
        _wait(server, lab)
        yield lab
    finally:
        _stop(server)


def _plain(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without what a `make` that runs the tests tells the `make` below it: nobody's shell has that."""
    return {name: value for name, value in environment.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}


def _wait(server: subprocess.Popen[bytes], lab: Lab) -> None:
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(f"{lab.server}/api", timeout=5).close()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
        else:
            return
    raise RuntimeError("JupyterLab does not answer; the terminal says:\n" + "\n".join(lab.terminal()[-20:]))


def _stop(server: subprocess.Popen[bytes]) -> None:
    """End the server as Ctrl-C twice does, with its kernels; then whatever is left of its session."""
    for sign, patience_s in ((signal.SIGTERM, 30), (signal.SIGKILL, 10)):
        try:
            os.killpg(server.pid, sign)
            server.wait(patience_s)
        except subprocess.TimeoutExpired:
            continue
        except ProcessLookupError:
            pass
        return


@contextmanager
def open_page(home: Path) -> Iterator[Page]:
    """A page of a new browser, which reaches this machine alone; it waits `WAIT_S` for what is to appear."""
    expect.set_options(timeout=1000 * WAIT_S)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=ARGUMENTS, env={**os.environ, "HOME": str(home)}
        )
        try:
            page = browser.new_page(viewport={"width": WIDE, "height": 900})
            page.set_default_timeout(1000 * WAIT_S)
            page.route(ELSEWHERE, lambda route: route.abort())
            yield page
        except BaseException:
            SCREENSHOTS.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=FAILED)
            raise
        finally:
            browser.close()
