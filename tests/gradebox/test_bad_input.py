"""A full disk, a damaged gradebook, a course that is none: one line, an exit code, and what was there is there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from gradebox.files import write_whole

from .book_support import Hand, TinyCourse, gain
from .conftest import Course, answered
from .small_disk import copy, fill, gradebox, run_on
from .split_support import HONEST, make_course, source_notebook

SMALL, ROOMY = 64 * 1024, 90_000_000  # bytes
EXPORTERS = ("CanvasExporter", "MoodleExporter", "ExerciseExporter")


def one_line(text: str) -> str:
    """The only line of a command's complaint, nbgrader's own log lines apart."""
    lines = [line for line in text.strip().splitlines() if not line.startswith("[ExportApp | INFO]")]
    assert len(lines) == 1, text
    assert "Traceback" not in text
    return lines[0]


def run(root: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [str(word) for word in gradebox(*words)]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=120, check=False)


def export(course: TinyCourse, exporter: str, to: Path) -> list[str | Path]:
    words = [
        "export",
        f"--exporter=gradebox.exporters.{exporter}",
        f"--to={to}",
        f"--CourseDirectory.root={course.root}",
    ]
    return [sys.executable, "-m", "nbgrader", *words]


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> TinyCourse:
    course = TinyCourse(tmp_path_factory.mktemp("bad"))
    for place in range(40):
        course.add(f"student{place}", "recipes", Hand([4, 4], figures=gain(place / 4, 1)))
    return course


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    folder = tmp_path / "disk"
    folder.mkdir()
    return folder


# Files are whole or not there


def test_a_file_is_replaced_as_a_whole_and_keeps_its_mode(tmp_path):
    path = tmp_path / "out.csv"
    path.write_text("before")
    path.chmod(0o640)
    write_whole(path, "after\r\n")
    assert path.read_bytes() == b"after\r\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real.csv").write_text("before")
    (tmp_path / "out.csv").symlink_to("real.csv")
    write_whole(tmp_path / "out.csv", "after")
    assert (tmp_path / "out.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text() == "after"


def test_what_stood_there_stays_when_writing_fails(tmp_path):
    path = tmp_path / "out.csv"
    path.write_text("before")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "half \udcff")
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_device_is_written_to_as_it_is():
    write_whole(Path("/dev/null"), "gone")
    assert Path("/dev/null").is_char_device()


# A full disk


def written_before(path: Path) -> list[str | Path]:
    return ["sh", "-c", f"echo before > {path}"]


def test_a_report_on_a_full_disk_leaves_the_one_before(course, disk):
    to = disk / "report.html"
    words = gradebox("report", "--course", course.root, "--to", to)
    done = run_on(disk, SMALL, written_before(to), fill(disk), words, after=[["cat", to], ["ls", disk]])
    assert done.returncode == 1
    assert done.stdout.split() == ["before", "filling", "report.html"]
    assert "is as it was: free some space" in one_line(done.stderr)


@pytest.mark.slow
@pytest.mark.parametrize("exporter", EXPORTERS)
def test_an_export_on_a_full_disk_leaves_the_one_before(course, disk, exporter):
    to = disk / "out.csv"
    words = export(course, exporter, to)
    done = run_on(disk, SMALL, written_before(to), fill(disk), words, after=[["cat", to], ["ls", disk]])
    assert done.returncode == 1
    assert done.stdout.split() == ["before", "filling", "out.csv"]
    assert "is as it was: free some space" in one_line(done.stderr)


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A course with one graded submission, and two that are not graded yet."""
    course = make_course(tmp_path_factory.mktemp("graded"))
    notebook = answered(course.release("sums", "sums"), HONEST)
    course.hand_in("careful", "sums", "sums.ipynb", notebook)
    assert run(course.root, "grade", "sums").returncode == 0
    for student in ("later", "latest"):
        course.hand_in(student, "sums", "sums.ipynb", notebook)
    return course


@pytest.mark.slow
def test_grading_stops_on_a_full_disk_and_says_so_once(graded, disk):
    done = run_on(disk, ROOMY, copy(graded.root, disk), fill(disk), gradebox("grade", "sums", "--course", disk))
    assert done.returncode == 1
    assert len([line for line in done.stderr.splitlines() if "disk" in line or "space" in line]) == 1
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_what_was_graded_before_the_disk_was_full_is_kept(graded, disk):
    grade = gradebox("grade", "sums", "--json", "--course", disk)
    done = run_on(disk, ROOMY, copy(graded.root, disk), fill(disk), grade, ["rm", disk / "filling"], grade)
    assert done.returncode == 0
    results = {each["student"]: each for each in map(json.loads, done.stdout.splitlines())}
    kept = {"careful": True, "later": False, "latest": False}
    assert {student: each["status"] for student, each in results.items()} == dict.fromkeys(kept, "graded")
    assert {student: each["kept"] for student, each in results.items()} == kept


def test_a_check_on_a_full_disk_is_one_line(graded, disk):
    notebook = graded.root / "release" / "sums" / "sums.ipynb"
    words = gradebox("check", notebook, "--course", graded.root)
    done = run_on(disk, SMALL, words, environment={"TMPDIR": str(disk)})
    assert done.returncode == 1
    assert "disk is full" in one_line(done.stderr)


# A gradebook, a configuration and a course that cannot be used


@pytest.fixture
def damaged(tmp_path: Path) -> TinyCourse:
    course = TinyCourse(tmp_path / "damaged")
    (course.root / "gradebook.db").write_bytes(b"no gradebook, and precious to somebody" * 100)
    return course


@pytest.mark.parametrize("words", [["grade", "sums"], ["report"]])
def test_a_damaged_gradebook_is_one_line_and_stays_as_it_is(damaged, words):
    before = (damaged.root / "gradebook.db").read_bytes()
    done = run(damaged.root, *words)
    assert done.returncode == 1
    assert "restore it from a backup" in done.stderr
    assert "Traceback" not in done.stderr
    assert (damaged.root / "gradebook.db").read_bytes() == before
    assert not (damaged.root / "report.html").exists()


@pytest.mark.slow
def test_an_export_of_a_damaged_gradebook_is_one_line(damaged, tmp_path):
    words = [str(word) for word in export(damaged, "CanvasExporter", tmp_path / "out.csv")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert "restore it from a backup" in one_line(done.stderr)
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("words", [["grade", "sums"], ["report"], ["check", "here.ipynb", "--course", "."]])
@pytest.mark.parametrize(("text", "says"), [("c = [", "line 1: SyntaxError"), ("d.X.y = 1", "line 1: NameError")])
def test_a_mistake_in_the_configuration_is_one_line(tmp_path, words, text, says):
    (tmp_path / "nbgrader_config.py").write_text(text)
    course = make_broken(tmp_path)
    done = run(course, *words)
    assert done.returncode == 1
    assert f"nbgrader_config.py, {says}" in done.stderr
    assert "Traceback" not in done.stderr


def make_broken(root: Path) -> Path:
    """A folder with a notebook of the step `sums`, whatever its configuration is."""
    (root / "source" / "sums").mkdir(parents=True)
    for path in (root / "source" / "sums" / "sums.ipynb", root / "here.ipynb"):
        nbformat.write(source_notebook(), path)
    return root


@pytest.mark.parametrize("words", [["grade", "sums"], ["report"]])
def test_a_folder_that_is_no_course_is_one_line_and_gets_no_gradebook(tmp_path, words):
    done = run(tmp_path, *words)
    assert done.returncode == 1
    assert "has no nbgrader_config.py: start in the course's folder" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_notebook_of_another_course_that_is_handed_in_is_graded_as_work_without_answers(tmp_path):
    course = make_course(tmp_path)
    other = Course(course.root).release("sums", "sums")
    other.cells = [cell for cell in other.cells if "nbgrader" not in cell.metadata]
    course.hand_in("lost", "sums", "sums.ipynb", other)
    done = run(course.root, "grade", "sums")
    assert done.returncode == 0
    assert set(course.marks("lost").values()) == {0.0}
