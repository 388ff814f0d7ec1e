"""The exchange as students and instructors use it: released, fetched, handed in, collected."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from augcourse import build, opening
from augcourse.errors import BuildError

ROOT = Path(__file__).parents[2]
STEP = "step1_explore"


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("course")
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    shutil.copytree(ROOT / "source" / STEP, folder / "source" / STEP, ignore=shutil.ignore_patterns("handin"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
        patch.delenv("NBGRADER_EXCHANGE", raising=False)
        opening.release(folder, STEP)
    return folder


def nbgrader(course: Path, *words: str) -> str:
    command = [sys.executable, "-m", "nbgrader", *words]
    # nbgrader keeps a copy of what a person submitted in that person's Jupyter folder
    environment = {**os.environ, "JUPYTER_DATA_DIR": str(course / "jupyter")}
    done = subprocess.run(
        command, cwd=course, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_a_released_step_is_not_missing_and_the_others_are(course):
    assert opening.missing(course) == [step for step in build.STEPS if step != STEP]


def test_what_a_student_fetches_is_the_committed_release(course):
    assert STEP in nbgrader(course, "list")
    nbgrader(course, "fetch_assignment", STEP)
    fetched = (course / STEP / f"{STEP}.ipynb").read_bytes()
    assert fetched == build.notebook_path(ROOT, "release", STEP).read_bytes()


def test_what_a_student_submits_is_collected(course):
    if not (course / STEP).is_dir():
        nbgrader(course, "fetch_assignment", STEP)
    nbgrader(course, "submit", STEP)
    nbgrader(course, "collect", STEP)
    assert list((course / "submitted").glob(f"*/{STEP}/{STEP}.ipynb"))


def test_an_exchange_that_cannot_be_made_is_one_line(course, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("NBGRADER_EXCHANGE", str(tmp_path / "file" / "exchange"))
    with pytest.raises(BuildError, match="NBGRADER_EXCHANGE") as raised:
        opening.release(course, STEP)
    assert len(str(raised.value).splitlines()) == 1


def instructors_commands() -> list[str]:
    """The commands of the README's instructor door, without their comments."""
    blocks = (ROOT / "README.md").read_text(encoding="utf-8").split("```")[1::2]
    lines = next(block for block in blocks if "gradebox grade" in block).splitlines()[1:]
    return [line.split("#")[0].strip() for line in lines]


@pytest.mark.slow
def test_the_readmes_commands_lead_from_the_release_to_returned_feedback(tmp_path, data_sets):
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    shutil.copytree(ROOT / "source", tmp_path / "source", ignore=shutil.ignore_patterns("handin"))
    (tmp_path / "lessons").mkdir()
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    mine = {"PATH": path, "NBGRADER_EXCHANGE": "", "JUPYTER_DATA_DIR": str(tmp_path / "jupyter")}
    environment = {**os.environ, **data_sets(), **mine}

    def shell(command: str) -> None:
        done = subprocess.run(
            command, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=900, check=False
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"

    release, *others = instructors_commands()
    shell(release)
    shell(f"nbgrader fetch_assignment {STEP} && nbgrader submit {STEP}")
    for command in others:
        shell(command)
    shell(f"nbgrader fetch_feedback {STEP}")
    (page,) = (tmp_path / STEP / "feedback").rglob("*.html")
    assert "not solved yet" in page.read_text(encoding="utf-8")
    assert (tmp_path / "report.html").is_file()
    assert STEP in (tmp_path / "grades.csv").read_text(encoding="utf-8")


def test_releasing_says_nothing_where_a_library_has_set_up_a_log(tmp_path):
    """TFDS does so when it builds a data set, which `augcourse ready` asks of it on a new machine."""
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    shutil.copytree(ROOT / "source" / STEP, tmp_path / "source" / STEP, ignore=shutil.ignore_patterns("handin"))
    program = (
        "import logging; from pathlib import Path; from augcourse import opening\n"
        f"logging.basicConfig(level=logging.INFO); opening.release(Path.cwd(), {STEP!r})"
    )
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "NBGRADER_EXCHANGE": str(tmp_path / "exchange")}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert "traitlets" not in done.stderr
    assert done.stdout == ""
    assert (tmp_path / "exchange" / "data-augmentation" / "outbound" / STEP).is_dir()


def first_page_rows() -> list[tuple[str, str, int]]:
    """Step, question and minutes, as the table of the student's first page has them."""
    page = (ROOT / "student" / "START.md").read_text(encoding="utf-8")
    return [
        (step, question, int(minutes))
        for step, question, minutes in re.findall(r"\| `(\w+)` \| (.+) \| (\d+) \|", page)
    ]


def test_the_first_page_names_each_step_with_its_question():
    expected = []
    for step in build.STEPS:
        lesson = " ".join(build.lesson_path(ROOT, step).read_text(encoding="utf-8").replace("\n#", " ").split())
        question = re.search(r"# Step \d: (.+?\?)", lesson)
        assert question
        expected.append((step, question[1]))  # test_minutes.py looks at the minutes
    assert [(step, question) for step, question, _ in first_page_rows()] == expected
