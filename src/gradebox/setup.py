"""What a worker does once before it grades: the course's own commands, such as preparing a data set."""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from distributed import WorkerPlugin
from filelock import FileLock

__all__ = ["SetUp"]


class SetUp(WorkerPlugin):
    """Runs commands when a worker starts, one worker of a machine at a time; a failure stops the worker's start.

    A command that begins with `python` runs under the worker's own Python.
    """

    name = "gradebox-setup"
    idempotent = True

    def __init__(self, commands: Sequence[Sequence[str]]) -> None:
        self.commands = [list(words) for words in commands]

    def setup(self, worker: Any) -> None:
        """Run the commands. Called by Dask on every worker, the later ones too."""
        with FileLock(Path(tempfile.gettempdir()) / "gradebox-setup.lock"):
            for words in self.commands:
                command = [sys.executable if word == "python" else word for word in words[:1]] + words[1:]
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                if done.returncode:
                    last = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1]
                    raise RuntimeError(f"worker_setup: `{' '.join(words)}` failed: {last}")
