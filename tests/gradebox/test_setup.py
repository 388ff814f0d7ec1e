"""What a machine does before its workers grade."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from gradebox.commands import SetUpError
from gradebox.setup import SetUp, share_of


def workers(folder: Path) -> list[SimpleNamespace]:
    """Three of one machine, as far as a plug-in looks at them."""
    return [SimpleNamespace(local_directory=str(folder / f"worker-{number}")) for number in range(3)]


async def all_at_once(plugin: SetUp, folder: Path) -> None:
    await asyncio.gather(*(plugin.setup(worker) for worker in workers(folder)))


def test_the_workers_of_one_machine_set_it_up_once_for_each_grading(tmp_path):
    mark = tmp_path / "mark"
    for count in (1, 2):
        plugin = SetUp([["python", "-c", f"open({str(mark)!r}, 'a').write('x')"]])
        asyncio.run(all_at_once(plugin, tmp_path))
        assert mark.read_text() == "x" * count


def test_a_failure_is_told_with_its_last_words_and_tried_again(tmp_path):
    plugin = SetUp([["python", "-c", "raise SystemExit('no digits here')"]])
    for worker in workers(tmp_path):
        with pytest.raises(SetUpError, match="no digits here"):
            asyncio.run(plugin.setup(worker))


@pytest.mark.parametrize(("cores", "workers"), [({0, 1}, 2), ({2, 3, 5, 7, 8}, 2), (set(range(16)), 5), ({4}, 1)])
def test_every_core_has_one_worker(cores, workers):
    shares = [share_of(cores, number, workers) for number in range(workers)]
    assert sorted(core for share in shares for core in share) == sorted(cores)
    assert all(shares)


def test_more_workers_than_cores_share_all_of_them():
    assert all(share_of({0, 1}, number, 3) == {0, 1} for number in range(3))


PINNED = """
import os, subprocess, sys, threading
from types import SimpleNamespace
from gradebox.setup import OwnCores

before, go, done = sorted(os.sched_getaffinity(0)), threading.Event(), []
waiting = threading.Thread(target=lambda: (go.wait(), done.append(os.sched_getaffinity(0))))
waiting.start()
OwnCores(len(before)).setup(SimpleNamespace(name=len(before) - 1))
go.set()
waiting.join()
child = "import os; print(*os.sched_getaffinity(0))"
seen = subprocess.run([sys.executable, "-c", child], capture_output=True, text=True).stdout
print(seen.split() == [str(before[-1])] and done == [{before[-1]}])
"""


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only Linux binds threads to cores")
def test_a_worker_keeps_its_threads_and_what_it_starts_to_its_own_cores():
    said = subprocess.run([sys.executable, "-c", PINNED], capture_output=True, text=True, timeout=60, check=True)
    assert said.stdout.strip() == "True"
