"""Presses the formgrader's button: a real Jupyter server, and the request that its page makes for each submission."""

import json
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from .grading import Throwaway

__all__ = ["press_autograde"]

START_TIMEOUT_S = 120
GRADING_TIMEOUT_S = 300  # for one submission
EXTENSION = '{"nbgrader.server_extensions.formgrader": True}'


def press_autograde(world: Throwaway) -> subprocess.CompletedProcess[str]:
    """Autograde every submission of the course through the formgrader; the answers' logs stand in stderr."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    words = [sys.executable, "-m", "jupyter", "server", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1"]
    words += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}"]
    words += [f"--ServerApp.root_dir={world.root}", f"--ServerApp.jpserver_extensions={EXTENSION}"]
    log = world.root / "home" / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(words, cwd=world.root, env=world.environment(), stdout=output, stderr=output)
        try:
            _wait(f"http://127.0.0.1:{port}/api/status", token, server, log)
            students = sorted(path.name for path in (world.root / "submitted").iterdir())
            address = f"http://127.0.0.1:{port}/formgrader/api/submission/sums"
            answers = [_request(f"{address}/{student}/autograde", token, "POST") for student in students]
        finally:
            server.terminate()
            server.wait(30)
    failed = sum(not answer["success"] for answer in answers)
    text = "\n".join(str(answer.get("error", "")) for answer in answers)
    return subprocess.CompletedProcess(words, failed, log.read_text(errors="replace"), text)


def _wait(address: str, token: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            _request(address, token, "GET")
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
        else:
            return
    raise RuntimeError(f"the Jupyter server does not answer:\n{log.read_text(errors='replace')[-2000:]}")


def _request(address: str, token: str, method: str) -> dict[str, object]:
    request = urllib.request.Request(address, method=method, headers={"Authorization": f"token {token}"})
    if method == "POST":
        request.data = b""
    with urllib.request.urlopen(request, timeout=GRADING_TIMEOUT_S) as answer:
        return json.loads(answer.read())
