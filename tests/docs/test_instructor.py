"""The commands that the instructor's guide names are commands, with the options that it gives them."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "instructor.md").read_text(encoding="utf-8")
MODULES = {"nbgrader": "nbgrader", "gradebox": "gradebox.cli", "augcourse": "augcourse.cli"}


def commands():
    """(program, its command) → the options that the guide gives it."""
    found: dict[tuple[str, str], set[str]] = {}
    for line in re.findall(r"`([^`\n]+)`", GUIDE) + [
        line for block in GUIDE.split("```")[1::2] for line in block.splitlines()
    ]:
        words = shlex.split(line) if line.startswith(tuple(f"{name} " for name in MODULES)) else []
        if words:
            options = {word.split("=")[0] for word in words[2:] if word.startswith("--")}
            found.setdefault((words[0], words[1]), set()).update(options)
    return {command: tuple(sorted(options)) for command, options in found.items()}


@pytest.mark.slow
@pytest.mark.parametrize(("command", "options"), list(commands().items()), ids=" ".join)
def test_every_command_and_option_exists(command, options, tmp_path):
    program, name = command
    words = [sys.executable, "-m", MODULES[program], name, "--help"]
    done = subprocess.run(
        words, cwd=tmp_path, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "200"}
    )
    assert done.returncode == 0, done.stderr
    assert [option for option in options if not re.search(rf"{option}\b", done.stdout)] == []


def test_the_guide_names_the_commands_of_all_three_programs():
    assert {program for program, _ in commands()} == set(MODULES)


def test_every_make_target_exists():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"`make (\w+)`", GUIDE))
    assert targets
    assert [target for target in targets if not re.search(rf"^{target}:", makefile, re.M)] == []
