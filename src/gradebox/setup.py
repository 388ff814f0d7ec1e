"""What a worker does once before it grades: the course's own commands, such as preparing a data set."""

import asyncio
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from distributed import WorkerPlugin
from filelock import FileLock

from gradebox.errors import GradeboxError

__all__ = ["SetUp", "SetUpError", "run_commands"]


class SetUpError(GradeboxError):
    """A machine cannot be made ready; the message says which command failed, and its last words."""


class SetUp(WorkerPlugin):
    """Runs commands once on each machine, when its first worker starts; a failure stops the worker's start.

    The machine's other workers wait meanwhile. A command that begins with `python` runs under the worker's own Python.
    """

    name = "gradebox-setup"

    def __init__(self, commands: Sequence[Sequence[str]]) -> None:
        self.commands = [list(words) for words in commands]
        self.token = uuid4().hex  # of this grading: a later one runs them again

    async def setup(self, worker: Any) -> None:
        """Run the commands, unless they ran here. Called by Dask on every worker, the later ones too.

        The worker goes on answering its scheduler meanwhile, however long they take.
        """
        await asyncio.to_thread(self._set_up, Path(worker.local_directory).parent)

    def _set_up(self, place: Path) -> None:
        done_here = place / f"gradebox-setup-{self.token}"
        with FileLock(f"{done_here}.lock"):
            if done_here.exists():
                return
            run_commands(self.commands)
            done_here.touch()


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
