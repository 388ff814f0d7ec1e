"""Other programs: a course's own commands, which make a machine ready, what nbgrader calls, and what they inherit."""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from gradebox.errors import GradeboxError

__all__ = ["SetUpError", "environment_kept", "programs_of_python", "run_commands", "set_environment"]


class SetUpError(GradeboxError):
    """A machine cannot be made ready; the message says which command failed, and its last words."""


def run_commands(commands: Iterable[Sequence[str]]) -> None:
    """Run a course's own commands, one after the other.

    Raises:
        SetUpError: one failed; the message ends with its last words.
    """
    for words in commands:
        command = [sys.executable if word == "python" else word for word in words[:1]] + list(words[1:])
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            last = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1]
            raise SetUpError(f"worker_setup: `{' '.join(words)}` failed: {last}")


@contextmanager
def programs_of_python() -> Iterator[None]:
    """While this runs, programs beside this Python are found by name: `alembic`, which nbgrader calls, among them."""
    before = os.environ.get("PATH", os.defpath)
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), before])
    try:
        yield
    finally:
        os.environ["PATH"] = before


def set_environment(wanted: Mapping[str, str]) -> None:
    """Make this process's environment hold exactly these variables."""
    os.environ.update(wanted)
    for name in os.environ.keys() - wanted.keys():
        del os.environ[name]


@contextmanager
def environment_kept() -> Iterator[dict[str, str]]:
    """Yield this process's environment, which it has again afterwards, whatever was added meanwhile."""
    before = dict(os.environ)
    try:
        yield before
    finally:
        set_environment(before)
