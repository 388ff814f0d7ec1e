"""What stands in the way of the course's own commands: one line, an exit code, and nothing lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from augcourse.cli import app

ROOT = Path(__file__).parents[2]
RUN = CliRunner()


@pytest.fixture
def course(tmp_path, monkeypatch, data_sets):
    for name, value in data_sets().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PATH", os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))
    monkeypatch.delenv("NBGRADER_EXCHANGE", raising=False)
    folder = tmp_path / "course"
    folder.mkdir()
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    (folder / "lessons").mkdir()
    shutil.copytree(ROOT / "source", folder / "source", ignore=shutil.ignore_patterns("handin", ".ipynb_checkpoints"))
    monkeypatch.chdir(folder)
    return folder


def complaint(*words: str) -> str:
    """The only line on stderr of a command that must fail."""
    done = RUN.invoke(app, list(words))
    assert done.exit_code == 1, done.output
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


@pytest.mark.slow
def test_a_damaged_gradebook_stops_the_release_and_stays_as_it_is(course):
    (course / "gradebook.db").write_bytes(b"precious to somebody")
    assert "restore it from a backup" in complaint("ready")
    assert (course / "gradebook.db").read_bytes() == b"precious to somebody"


@pytest.mark.slow
def test_an_exchange_that_cannot_be_made_says_how_to_name_another(course, monkeypatch):
    (course / "taken").write_text("")
    monkeypatch.setenv("NBGRADER_EXCHANGE", str(course / "taken"))
    assert "name another in NBGRADER_EXCHANGE" in complaint("ready")


@pytest.mark.slow
def test_a_mistake_in_the_configuration_has_its_line(course):
    (course / "nbgrader_config.py").write_text("c = [\n")
    assert "nbgrader_config.py, line 1: SyntaxError" in complaint("ready")


@pytest.mark.slow
def test_baselines_that_cannot_be_kept_are_not_said_to_be_in_the_cache(course, monkeypatch):
    monkeypatch.setenv("AUGCOURSE_CACHE_DIR", "/proc/cache")
    assert "the cache /proc/cache cannot be written" in complaint("baselines")


@pytest.mark.slow
def test_a_demonstration_on_a_full_disk_is_one_line(course, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    command = [sys.executable, "-m", "augcourse.cli", "demo", "--folder", str(disk / "demo")]
    words = ["bwrap", "--dev-bind", "/", "/", "--size", "300000", "--tmpfs", str(disk), "--", *command]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 1
    assert "the disk is full" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("words", [["data", "prepare", "a", "b"], ["ready", "now"], ["demo", "--nowhere"], ["nothing"]])
def test_wrong_arguments_are_one_line_that_names_the_help(words):
    done = RUN.invoke(app, words)
    assert done.exit_code == 2
    assert "--help`" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
