"""What the sandbox costs: seconds from starting a kernel until it answers, plain and sandboxed, and their ratio.

    make bench

Kernels are started in turn, so that a busy machine slows both alike. Split execution is one sandboxed kernel
more for each notebook: the student's, then the trusted one.
"""

from __future__ import annotations

import statistics
import tempfile
import time

from jupyter_client.manager import KernelManager
from rich.console import Console
from rich.table import Table

ROUNDS = 7


def seconds_until_ready(kernel_name: str, folder: str) -> float:
    """Wall-clock seconds from `start_kernel` until the first reply."""
    manager = KernelManager(kernel_name=kernel_name)
    start = time.perf_counter()
    manager.start_kernel(cwd=folder)
    client = manager.client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=60)
        return time.perf_counter() - start
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def main() -> None:
    """Print the medians of both kernels, their difference and their ratio."""
    with tempfile.TemporaryDirectory() as folder:
        rounds = [
            [seconds_until_ready(name, folder) for name in ("python3", "gradebox-student")] for _ in range(ROUNDS)
        ]
    plain, sandboxed = (statistics.median(times) for times in zip(*rounds, strict=True))
    table = Table("kernel", "seconds until ready", title=f"median of {ROUNDS} starts")
    table.add_row("plain", f"{plain:.2f}")
    table.add_row("sandboxed", f"{sandboxed:.2f}")
    table.add_row("difference", f"{sandboxed - plain:+.2f}")
    table.add_row("ratio", f"{sandboxed / plain:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
