"""A real full disk for a command: a folder that holds so many bytes, made by bubblewrap for that command alone."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

Words = Sequence[str | Path]


def run_on(
    folder: Path,
    size: int,
    *commands: Words,
    after: Sequence[Words] = (),
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run commands one after the other, each whatever came of the one before; `folder` is empty before the first.

    The exit code is that of the last command before those of `after`, which show what is left.
    """
    words = ["bwrap", "--dev-bind", "/", "/", "--size", str(size), "--tmpfs", str(folder), "--", "sh", "-c"]
    lines = [shlex.join(map(str, each)) for each in commands]
    script = "\n".join([*lines, "code=$?", *(shlex.join(map(str, each)) for each in after), "exit $code"])
    programs = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    return subprocess.run(
        [*words, script],
        env={**os.environ, "PATH": programs, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def gradebox(*words: str | Path) -> list[str | Path]:
    return [sys.executable, "-m", "gradebox.cli", *words]


def fill(folder: Path) -> list[str | Path]:
    """Fill the disk, up to its last byte."""
    return ["sh", "-c", f"cat /dev/zero > {shlex.quote(str(folder / 'filling'))} 2> /dev/null"]


def copy(source: Path, target: Path) -> list[str | Path]:
    return ["cp", "-a", f"{source}/.", target]
