"""What a machine does before its workers grade."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace

import pytest

from gradebox.setup import SetUp, SetUpError


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
