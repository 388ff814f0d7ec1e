"""What is done once before anything is graded: the course's commands, sharing out the cores, the first imports."""

import asyncio
import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from distributed import WorkerPlugin
from filelock import FileLock

from gradebox.commands import run_commands, set_environment
from gradebox.warm import Key, WarmProcess, share
from gradebox.work import Kit, warm_keys, warm_up

__all__ = ["OneHousehold", "OwnCores", "SetUp", "WarmUp", "share_of", "warm_processes"]


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


class WarmUp(WorkerPlugin):
    """Begins to import what a worker's kernels start with, while its machine is set up."""

    name = "gradebox-warm-up"

    def __init__(self, kit: Kit) -> None:
        self.kit = kit

    def setup(self, worker: Any) -> None:
        """Return at once: the first kernel waits for what is not imported yet. Called by Dask."""
        # A thread that lives until the imports are done, since the warm process ends with the one that started it.
        threading.Thread(target=warm_up, args=(self.kit,), name=self.name, daemon=True).start()


class OneHousehold(WorkerPlugin):
    """Lets each worker of a local cluster start its kernels as the process that made the cluster would.

    They get that process's environment, not the variables that Dask adds, and are forked from its warm processes.
    """

    name = "gradebox-one-household"

    def __init__(self, environment: Mapping[str, str], warm_processes: Mapping[Key, str]) -> None:
        self.environment, self.warm_processes = dict(environment), dict(warm_processes)

    def setup(self, worker: Any) -> None:
        """Take both over. Called by Dask."""
        set_environment(self.environment)
        share(self.warm_processes)


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


@contextmanager
def warm_processes(kit: Kit, workers: int) -> Iterator[dict[Key, str]]:
    """While this runs, warm processes of this one's, as many workers of a local cluster share them: key → address.

    Where none can be made there are none to share, and each worker tries for itself.
    """
    with ExitStack() as stack:
        addresses = {}
        with suppress(Exception):  # what goes wrong here goes wrong again in a submission's log
            cores = share_of(os.sched_getaffinity(0), 0, workers)
            for key in warm_keys(kit):
                warm = WarmProcess(key, cores)
                stack.callback(warm.end)
                addresses[key] = warm.address
        yield addresses
