"""No sandbox, no grading: said before any work, in one line, unless the course accepts the risk by name."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from traitlets.config import Config, PyFileConfigLoader

from gradebox import protection
from gradebox.errors import GraderFailed
from gradebox.protection import LINES, Unprotected, other_language, require_protection, weakness

from .conftest import Course
from .split_support import HONEST, SPLIT_CONFIG, hand_in, make_course

ROOT = Path(__file__).parents[2]
SPLIT = {"autograde_preprocessors": ["gradebox.split.SplitExecute", "gradebox.marks.SaveGrades"]}


def config(**sections: object) -> Config:
    return Config(sections)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({}, "nbgrader.preprocessors.execute.Execute runs the notebooks"),
        ({"Autograde": {"autograde_preprocessors": ["nbgrader.preprocessors.Execute"]}}, "Execute runs the notebooks"),
        ({"Autograde": SPLIT}, "the kernel python3 has none"),
        ({"Autograde": SPLIT, "SplitExecute": {"kernel_name": "python3"}}, "the kernel python3 has none"),
    ],
)
def test_a_course_that_names_no_sandboxed_kernel_is_refused_with_the_lines_to_add(settings, reason):
    with pytest.raises(Unprotected) as refused:
        require_protection(config(**settings))
    assert reason in str(refused.value)
    assert all(line in str(refused.value) for line in LINES)
    assert len(str(refused.value).splitlines()) == 1


def test_the_lines_that_are_offered_protect(tmp_path):
    (tmp_path / "nbgrader_config.py").write_text("c = get_config()\n" + "\n".join(LINES))
    assert weakness(PyFileConfigLoader("nbgrader_config.py", path=str(tmp_path)).load_config()) == ""


def test_this_course_is_protected():
    assert weakness(PyFileConfigLoader("nbgrader_config.py", path=str(ROOT)).load_config()) == ""


def test_a_risk_that_is_accepted_by_name_is_taken():
    require_protection(config(SandboxProvisioner={"allow_unprotected": True}))


def test_a_machine_without_a_sandbox_is_told_before_any_work(monkeypatch):
    def refuse():
        raise GraderFailed("no sandbox for other people's code: bubblewrap is not installed")

    monkeypatch.setattr(protection, "require", refuse)
    with pytest.raises(GraderFailed, match="bubblewrap"):
        require_protection(config(Autograde=SPLIT, GradedExecute={"kernel_name": "gradebox-student"}))


@pytest.mark.parametrize(
    ("metadata", "found"),
    [
        ({"kernelspec": {"name": "ir", "language": "R", "display_name": "R"}}, "is in r,"),
        ({"kernelspec": {"name": "java", "display_name": "Java"}}, "is in java,"),
        ({"language_info": {"name": "julia"}}, "is in julia,"),
        ({"kernelspec": {"name": "python3", "display_name": "Python 3"}}, ""),
        ({"kernelspec": {"name": "my-course", "language": "python", "display_name": "course"}}, ""),
        ({}, ""),
    ],
)
def test_a_notebook_in_another_language_is_not_run_as_python(metadata, found, tmp_path):
    path = tmp_path / "sums" / "sums.ipynb"
    path.parent.mkdir()
    path.write_text(json.dumps({"cells": [], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}))
    said = other_language([path], config(Autograde=SPLIT, GradedExecute={"kernel_name": "gradebox-student"}))
    assert found in said
    assert bool(said) == bool(found)


def test_what_is_no_notebook_is_not_looked_at(tmp_path):
    for number, text in enumerate(("", "[]", "{", '{"metadata": 7}', '{"metadata": {"kernelspec": []}}')):
        (tmp_path / f"{number}.ipynb").write_text(text)
    settings = config(Autograde=SPLIT, GradedExecute={"kernel_name": "gradebox-student"})
    assert other_language(sorted(tmp_path.glob("*.ipynb")), settings) == ""


@pytest.fixture
def unprotected(tmp_path) -> Course:
    (tmp_path / "course").mkdir()
    config = SPLIT_CONFIG.replace("allow_unprotected = True", "allow_unprotected = False")
    course = make_course(tmp_path / "course", config)
    for student in ("careful", "hurried"):
        hand_in(course, student, {**HONEST, "triple": "open('/tmp/ran-' + 'unprotected', 'w')"})
    return course


@pytest.mark.slow
def test_gradebox_grade_starts_nothing_and_says_so_once(unprotected):
    words = [sys.executable, "-m", "gradebox.cli", "grade", "sums", "--course", str(unprotected.root)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "without a sandbox" in done.stderr
    assert len([line for line in done.stderr.splitlines() if "sandbox" in line]) == 1
    assert not Path("/tmp/ran-unprotected").exists()
    assert not (unprotected.root / "autograded").exists()


@pytest.mark.slow
def test_nbgrader_autograde_starts_nothing_either(unprotected):
    done = unprotected.nbgrader("autograde", "sums")
    assert done.returncode != 0
    assert "without a sandbox" in done.stderr
    assert not Path("/tmp/ran-unprotected").exists()
