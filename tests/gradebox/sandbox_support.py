"""Kernels to attack from inside, and a way to be an ordinary user when the tests run as root."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_client import KernelManager
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.kernelspec import KernelSpec
from traitlets.config import Config

from gradebox.sandbox import SandboxProvisioner, TrustedProvisioner

ORDINARY_UID = 65534
WARM_MODULES: list[str] = []
"""What the kernels are forked with, if anything; a fixture fills it."""
PROVISIONERS = {"SandboxProvisioner": SandboxProvisioner, "TrustedProvisioner": TrustedProvisioner}


@dataclass(frozen=True)
class Kernel:
    """A kernel that runs."""

    manager: KernelManager
    client: BlockingKernelClient

    @property
    def provisioner(self) -> SandboxProvisioner:
        return self.manager.provisioner

    def run(self, code: str, timeout_s: float = 30) -> str:
        """What the code printed, and the name and message of its error on a last line."""
        said: list[str] = []
        reply = self.client.execute_interactive(
            code, timeout=timeout_s, output_hook=lambda message: said.append(_text(message))
        )
        assert reply["content"]["status"] in ("ok", "error")
        return "".join(said)


def _text(message: Mapping[str, Any]) -> str:
    content = message["content"]
    if message["msg_type"] == "error":
        return f"{content['ename']}: {content['evalue']}"
    return content.get("text", "")


@contextmanager
def kernel(
    folder: Path, *, settings: Mapping[str, Any] | None = None, provisioner: str = "SandboxProvisioner"
) -> Iterator[Kernel]:
    """A kernel in `folder`, under its provisioner's `settings`; dead afterwards."""
    config = {provisioner: {"warm_modules": WARM_MODULES, **(settings or {})}}
    manager = KernelManager(kernel_name="python3", config=Config(config))
    manager._kernel_spec = KernelSpec(
        argv=["python", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        display_name="under test",
        language="python",
    )
    manager.provisioner = PROVISIONERS[provisioner](kernel_spec=manager._kernel_spec, parent=manager)
    manager.start_kernel(cwd=str(folder))
    client = manager.client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=30)
        if WARM_MODULES and "warm_modules" not in (settings or {}):
            started = manager.provisioner._running
            assert started is None or started.keeper, "was to be forked, and was started cold"
        yield Kernel(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def as_ordinary_user(command: list[str]) -> list[str]:
    """The command line with which root runs a command as nobody.

    Where this Python lies in root's home, which nobody else may enter, the command meets a home that holds
    nothing but this Python. Nothing changes for the machine.
    """
    drop = ["setpriv", f"--reuid={ORDINARY_UID}", f"--regid={ORDINARY_UID}", "--clear-groups", "--"]
    home = Path("/root")
    pythons = {Path(sys.base_prefix), Path(sys.executable).resolve().parents[1], Path(sys.prefix)}
    inside = sorted(str(path) for path in pythons if path.is_relative_to(home))
    if not inside or os.stat(home).st_mode & 0o005 == 0o005:
        return [*drop, *command]
    world = ["bwrap", "--dev-bind", "/", "/", "--perms", "0755", "--tmpfs", str(home)]
    for path in inside:
        for parent in reversed(Path(path).relative_to(home).parents[:-1]):
            world += ["--perms", "0755", "--dir", str(home / parent)]
        world += ["--ro-bind", path, path]
    return [*world, *drop, *command]
