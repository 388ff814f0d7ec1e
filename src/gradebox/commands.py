"""Other programs: a course's own commands, which make a machine ready, what nbgrader calls, and what they inherit."""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from gradebox.errors import GradeboxError

__all__ = [
    "CommandError",
    "SetUpError",
    "environment_kept",
    "output_of",
    "programs_of_python",
    "run_commands",
    "set_environment",
]


class CommandError(GradeboxError):
    """A course's own command failed; the message says which one, and its last words."""


class SetUpError(GradeboxError):
    """A machine cannot be made ready; the message says which command failed, and its last words."""


def run_commands(commands: Iterable[Sequence[str]]) -> None:
    """Run a course's own commands, one after the other.

    Raises:
        SetUpError: one failed; the message ends with its last words.
    """
    for words in commands:
        try:
            output_of(words)
        except CommandError as error:
            raise SetUpError(f"worker_setup: {error}") from None


def output_of(words: Sequence[str], folder: Path | None = None) -> str:
    """What a course's own command prints on stdout.

    Args:
        words: the command; `python` as its first word is this process's own Python.
        folder: where to run it; the current folder if left out.

    Raises:
        CommandError: it failed, or cannot be started; the message ends with its last words.
    """
    command = [sys.executable if word == "python" else word for word in words[:1]] + list(words[1:])
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except OSError as error:
        raise CommandError(f"`{' '.join(words)}` cannot be started: {error.strerror}") from None
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1]
        raise CommandError(f"`{' '.join(words)}` failed: {last}")
    return done.stdout.strip()


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
