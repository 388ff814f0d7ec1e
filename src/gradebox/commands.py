"""A course's own commands, which make a machine ready before it grades: data sets, baselines."""

import subprocess
import sys
from collections.abc import Iterable, Sequence

from gradebox.errors import GradeboxError

__all__ = ["SetUpError", "run_commands"]


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
