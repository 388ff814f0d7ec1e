"""What a worker does once before it grades: the course's own commands, and keeping to cores of its own."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from distributed import WorkerPlugin
from filelock import FileLock

from gradebox.errors import GradeboxError

__all__ = ["OwnCores", "SetUp", "SetUpError", "run_commands", "share_of"]


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


class OwnCores(WorkerPlugin):
    """Keeps each worker of this machine, with all that it starts, to cores that no other of them has.

    What computes makes a thread for each core that it sees. Two workers that see two cores make four, which take turns
    and wait for each other. For workers that are all here, and whose names are 0, 1, …: those of a local cluster.
    """

    name = "gradebox-own-cores"

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def setup(self, worker: Any) -> None:
        """Bind the threads that the worker has; what they start later is bound with them. Called by Dask."""
        if not hasattr(os, "sched_setaffinity"):
            return  # only Linux can
        mine = share_of(os.sched_getaffinity(0), int(worker.name), self.workers)
        for thread in os.listdir("/proc/self/task"):
            with suppress(ProcessLookupError):
                os.sched_setaffinity(int(thread), mine)


def share_of(cores: Iterable[int], number: int, workers: int) -> set[int]:
    """The cores of the worker of this number: equal shares, or all for everyone where there are too few."""
    listed = sorted(cores)
    return set(listed[number::workers] if workers <= len(listed) else listed)


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
