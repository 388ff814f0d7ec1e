"""A kernel's client is ready as soon as its kernel, and knows of one that never will be."""

from __future__ import annotations

import asyncio
import os
import sys
from queue import Empty

import pytest
from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec
from traitlets.config import Config

from gradebox import sandbox
from gradebox.client import PromptClient, PromptKernelManager

KERNEL = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]


def manager_of(command):
    manager = PromptKernelManager(config=Config(KernelManager={"transport_encryption": "auto"}))
    manager._kernel_spec = KernelSpec(argv=command, language="python")
    return manager


async def with_client(command, use, timeout_s=60):
    manager = manager_of(command)
    await manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=timeout_s)
        return await use(client)
    finally:
        client.stop_channels()
        await manager.shutdown_kernel(now=True)


async def said(client, code):
    """All that the kernel publishes for a cell that is run at once."""
    cell, found = client.execute(code), []
    while True:
        message = await client.get_iopub_msg(timeout=30)
        found.append((message["parent_header"].get("msg_id") == cell, message["msg_type"]))
        if message["content"].get("execution_state") == "idle":
            return found


def test_the_first_cell_after_the_start_is_heard_whole():
    found = asyncio.run(with_client(KERNEL, lambda client: said(client, "print('here')")))
    assert [kind for _, kind in found] == ["status", "execute_input", "stream", "status"]


def test_a_sandboxed_kernel_is_known_by_its_own_sockets(tmp_path):
    """When the kernel has answered, the client's paths lead to the sockets that were there, and to no folder inside."""

    async def paths():
        manager = PromptKernelManager(kernel_name="gradebox-student")
        await manager.start_kernel(cwd=str(tmp_path))
        client = manager.client()
        client.start_channels()
        try:
            await client.wait_for_ready(timeout=60)
            return {name: os.readlink(f"{client.ip.rpartition('/')[0]}/{name}") for name in ("k-1", "k-2", "k-4")}
        finally:
            client.stop_channels()
            await manager.shutdown_kernel(now=True)

    if obstacle := sandbox._obstacle():
        pytest.skip(obstacle)
    tmp_path.chmod(0o755)
    found = asyncio.run(paths())
    assert len(set(found.values())) == 3
    assert all(path.startswith(f"/proc/{os.getpid()}/fd/") for path in found.values())


def test_nothing_of_the_start_is_left_in_the_channels():
    found = asyncio.run(with_client(KERNEL, lambda client: said(client, "1")))
    assert all(of_the_cell for of_the_cell, _ in found)


def test_who_listens_too_late_asks_again(monkeypatch):
    asked: list[int] = []
    ask = AsyncKernelClient.kernel_info

    def counted(client):
        asked.append(1)
        return ask(client)

    monkeypatch.setattr(PromptClient, "kernel_info", counted)

    async def deaf_at_first(client):
        heard, asked_before = client.iopub_channel.get_msg, len(asked)

        async def get_msg(timeout=None):
            message = await heard(timeout=timeout)
            if len(asked) == asked_before + 1:
                raise Empty  # lost, as what is published before a client listens
            return message

        monkeypatch.setattr(client.iopub_channel, "get_msg", get_msg)
        await client.wait_for_ready(timeout=30)
        return len(asked) - asked_before

    assert asyncio.run(with_client(KERNEL, deaf_at_first)) >= 2


def test_a_kernel_that_ends_at_once_is_known_to_be_dead():
    with pytest.raises(RuntimeError, match="died"):
        asyncio.run(with_client([sys.executable, "-c", "raise SystemExit"], said))


def test_a_kernel_that_says_nothing_is_given_up():
    silent = [sys.executable, "-c", "import time; time.sleep(60)"]
    with pytest.raises(RuntimeError, match="did not answer in 1 s"):
        asyncio.run(with_client(silent, said, timeout_s=1))


def test_no_process_of_a_kernel_is_left_when_it_was_ended():
    async def end(client):
        manager = client.parent
        await manager.shutdown_kernel(now=True)
        return manager.has_kernel

    assert not asyncio.run(with_client(KERNEL, end))
