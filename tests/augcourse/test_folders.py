"""One place says where data and cache are: every command, notebook and kernel of a course finds the same folders."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from augcourse import cache, data, folders
from augcourse.digits import mnist_sample

ROOT = Path(__file__).parents[2]
VARIABLES = ("TFDS_DATA_DIR", "AUGCOURSE_CACHE_DIR")
SET_BY_TESTS_OR_MAKE = (*VARIABLES, "AUGCOURSE_DATASET", "TF_CPP_MIN_LOG_LEVEL", "NO_ALBUMENTATIONS_UPDATE")
PLACES = (".", "student/step1_explore", "release/step1_explore", "lessons", "submitted/careful/step1_explore")
FOLDERS = "from augcourse import folders; print(folders.data_folder()); print(folders.cache_folder())"
CONFIG = """
import json, os, subprocess, sys
from glob import glob
from traitlets.config import PyFileConfigLoader
config = PyFileConfigLoader("nbgrader_config.py", path=sys.argv[1]).load_config()
if len(sys.argv) > 2:
    print(subprocess.run([sys.executable, "-c", sys.argv[2], sys.argv[3]], capture_output=True, text=True).stdout)
else:
    trusted = config.TrustedProvisioner
    folders = [trusted.environment["TFDS_DATA_DIR"], trusted.environment["AUGCOURSE_CACHE_DIR"]]
    assert trusted.read_only == folders and "read_only" not in config.SandboxProvisioner
    assert config.SandboxProvisioner.environment["TFDS_DATA_DIR"] == folders[0]
    sandbox = config.SandboxProvisioner
    shown = [path for pattern in sandbox.read_only_patterns for path in glob(pattern)]
    hidden = [path for pattern in sandbox.hidden_patterns for path in glob(pattern)]
    print(json.dumps({"folders": folders, "hidden": hidden, "shown": shown}))
"""


@pytest.fixture
def course(tmp_path) -> Path:
    """A course's folder that is not the one of this package, as where the package is installed elsewhere."""
    folder = tmp_path / "course"
    for place in PLACES:
        (folder / place).mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    return folder


@pytest.fixture
def copied(tmp_path, course) -> Path:
    """A folder with the course's policy alone, as where one submission is graded."""
    folder = tmp_path / "copied"
    folder.mkdir()
    shutil.copy(course / "nbgrader_config.py", folder)
    return folder


def said(folder: Path, *words: str, **environment: str) -> str:
    """What a Python program prints that is started in a folder, outside of make; it must be quiet on stderr."""
    inherited = {name: value for name, value in os.environ.items() if name not in SET_BY_TESTS_OR_MAKE}
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def of_config(started: Path, folder: Path, **environment: str) -> list[str]:
    """Data folder and cache, as nbgrader reads them from a folder's configuration."""
    return json.loads(said(started, "-c", CONFIG, str(folder), **environment))["folders"]


def inside(course: Path) -> list[str]:
    return [str(course / "data"), str(course / "data" / "cache")]


@pytest.mark.parametrize("place", PLACES)
def test_everywhere_in_a_course_the_folders_are_the_courses(course, place):
    assert said(course / place, "-c", FOLDERS).splitlines() == inside(course)


def test_outside_of_every_course_they_are_those_of_the_packages_own_course(tmp_path):
    assert said(tmp_path, "-c", FOLDERS).splitlines() == inside(ROOT)


@pytest.mark.parametrize("place", PLACES)
def test_the_variables_override(course, place, tmp_path):
    mine = {name: str(tmp_path / name) for name in VARIABLES}
    assert said(course / place, "-c", FOLDERS, **mine).splitlines() == list(mine.values())
    assert of_config(course / place, course, **mine) == list(mine.values())


@pytest.mark.slow
def test_data_info_names_the_same_data_set_and_folder_everywhere_and_prepares_nothing(course):
    [told] = {said(course / place, "-m", "augcourse.cli", "data", "info") for place in PLACES[:3]}
    assert told.startswith("mnist_sample (")
    assert f"folder {course / 'data'}\ncache {course / 'data' / 'cache'}\nnot prepared yet" in told
    assert not (course / "data").exists()


@pytest.mark.slow
def test_data_info_tells_the_fingerprint_of_what_is_prepared(course, data_sets):
    told = said(course, "-m", "augcourse.cli", "data", "info", **data_sets())
    assert len(told.splitlines()[-1].removeprefix("fingerprint ")) == 64


@pytest.mark.parametrize("place", PLACES[:3])
def test_the_configuration_of_nbgrader_has_the_folders_of_its_course(course, place):
    assert of_config(course / place, course) == inside(course)


def test_the_configuration_has_them_wherever_its_reader_was_started(course, tmp_path):
    """As JupyterHub starts an instructor's server in a home, with the course in a folder of it."""
    assert of_config(tmp_path, course) == of_config(ROOT, course) == inside(course)


def test_a_copy_of_the_policy_finds_the_course_that_its_reader_was_started_in(course, copied):
    assert of_config(course, copied) == inside(course)
    assert of_config(copied, copied) == inside(ROOT)


def test_what_grading_starts_finds_the_folders_of_the_course_that_is_graded(course, copied, tmp_path):
    """Workers read the policy in folders of their own, and set-up commands run where grading was started."""
    words = ("-c", CONFIG, str(course))
    assert json.loads(said(tmp_path, *words, CONFIG, str(copied)))["folders"] == inside(course)
    assert said(tmp_path, *words, FOLDERS, "").split() == inside(course)


def test_make_names_no_folder_of_its_own():
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    told = "say: ; @echo $${TFDS_DATA_DIR-none} $${AUGCOURSE_CACHE_DIR-none}"
    words = ["make", "--silent", f"--eval={told}", "say"]
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["none", "none"]


def test_the_digits_that_packages_ship_are_hidden_from_students(course):
    import sklearn.datasets

    matched = set(map(Path, json.loads(said(course, "-c", CONFIG, str(course)))["hidden"]))
    assert mnist_sample.source() in matched
    assert Path(sklearn.datasets.__file__).parent / "data" / "digits.csv.gz" in matched


@pytest.mark.parametrize("name", ["data", "data [2026] *"])
def test_a_student_is_shown_the_training_digits_and_nothing_beside_them(course, tmp_path, name):
    prepared = tmp_path / name / "mnist_sample" / "1.0.0"
    files = {
        "mnist_sample-train.tfrecord-00000-of-00001": True,
        "mnist_sample-test.tfrecord-00000-of-00001": False,
        "features.json": True,
        "dataset_info.json": True,
    }
    prepared.mkdir(parents=True)
    for file in files:
        (prepared / file).touch()
    for other in ("downloads/mnist/t10k.gz", "cache/digits/test.npz", "mnist_sample/1.0.0.incomplete/x-test.tfrecord"):
        (tmp_path / name / other).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name / other).touch()
    shown = json.loads(said(course, "-c", CONFIG, str(course), TFDS_DATA_DIR=str(tmp_path / name)))["shown"]
    assert {Path(path) for path in shown} == {prepared / file for file, is_shown in files.items() if is_shown}


# Inside one process


FOUND = {"TFDS_DATA_DIR": folders.data_folder, "AUGCOURSE_CACHE_DIR": folders.cache_folder}
INSIDE = {"TFDS_DATA_DIR": "data", "AUGCOURSE_CACHE_DIR": "data/cache"}


@pytest.fixture
def unnamed(monkeypatch):
    """No variable names a folder."""
    for variable in VARIABLES:
        monkeypatch.delenv(variable)


@pytest.fixture
def without_course(unnamed, tmp_path, monkeypatch):
    """A current folder outside of any course, and a package that was installed without one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(folders, "__file__", str(tmp_path / "site-packages" / "augcourse" / "folders.py"))
    return tmp_path


def test_the_current_course_goes_before_the_packages_own(course, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert folders.course_folder() == ROOT
    monkeypatch.chdir(course)
    assert folders.course_folder() == course


def test_the_folder_that_is_named_goes_before_the_current_one(unnamed, course, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert folders.course_folder(course / "lessons") == course
    assert [str(folders.data_folder(course)), str(folders.cache_folder(course))] == inside(course)


def test_the_nearest_course_wins(course, monkeypatch):
    inner = course / "copies" / "inner"
    (inner / "lessons").mkdir(parents=True)
    (inner / "nbgrader_config.py").touch()
    monkeypatch.chdir(inner / "lessons")
    assert folders.course_folder() == inner


@pytest.mark.parametrize("part", ["nbgrader_config.py", "lessons"])
def test_a_folder_with_a_part_of_a_course_is_none(course, monkeypatch, part):
    (course / part).rename(course / "elsewhere")
    monkeypatch.chdir(course)
    assert folders.course_folder() == ROOT


def test_a_package_without_its_course_knows_none(without_course):
    assert folders.course_folder() is None


@pytest.mark.parametrize(
    ("variable", "in_home"), [("TFDS_DATA_DIR", "tensorflow_datasets"), ("AUGCOURSE_CACHE_DIR", ".cache/augcourse")]
)
def test_without_a_course_the_folders_are_in_the_home(without_course, variable, in_home):
    assert FOUND[variable]() == without_course / "home" / in_home


def test_data_and_cache_ask_here(unnamed, course, monkeypatch):
    monkeypatch.chdir(course)
    assert [str(data.data_dir()), str(cache.folder())] == inside(course)


@pytest.mark.parametrize("variable", VARIABLES)
def test_a_variable_moves_no_other_folder(unnamed, course, monkeypatch, variable):
    monkeypatch.chdir(course)
    [other] = set(VARIABLES) - {variable}
    monkeypatch.setenv(variable, str(course / "named"))
    assert FOUND[other]() == course / INSIDE[other]


@pytest.mark.parametrize("variable", VARIABLES)
def test_an_empty_variable_names_nothing(course, monkeypatch, variable):
    monkeypatch.chdir(course)
    monkeypatch.setenv(variable, "")
    assert FOUND[variable]() == course / INSIDE[variable]


@pytest.mark.parametrize("variable", VARIABLES)
def test_a_relative_variable_is_seen_from_the_current_folder(tmp_path, monkeypatch, variable):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(variable, "here")
    assert FOUND[variable]() == tmp_path / "here"


@pytest.mark.parametrize("variable", VARIABLES)
def test_a_variable_may_begin_in_the_home(tmp_path, monkeypatch, variable):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(variable, "~/mine")
    assert FOUND[variable]() == tmp_path / "mine"


def test_what_is_settled_stays_so_in_any_other_folder(unnamed, course, tmp_path, monkeypatch):
    settled = folders.settle(course)
    monkeypatch.chdir(tmp_path)
    assert (folders.data_folder(), folders.cache_folder()) == settled
    assert [*map(str, settled)] == inside(course)


@pytest.mark.parametrize("variable", VARIABLES)
def test_settling_moves_no_folder_that_a_variable_names(unnamed, course, tmp_path, monkeypatch, variable):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(variable, "here")
    folders.settle(course)
    assert os.environ[variable] == str(tmp_path / "here")


def test_finding_the_folders_needs_no_other_package(course):
    seen = said(course, "-c", f"{FOLDERS}; import sys; print('numpy' in sys.modules, 'tensorflow' in sys.modules)")
    assert seen.splitlines()[-1] == "False False"


def test_a_closed_folder_above_is_no_fault(tmp_path):
    """Root can look into every folder, so that the process becomes somebody else first."""
    here = tmp_path / "closed" / "open"
    here.mkdir(parents=True)
    close = f"import os; os.chmod({str(here.parent)!r}, 0); os.getuid() or os.setuid(65534)"
    try:
        said(here, "-c", f"from augcourse import folders; {close}; folders.course_folder()")
    finally:
        os.chmod(here.parent, 0o700)


def test_a_current_folder_that_was_removed_is_no_fault(tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    assert said(gone, "-c", f"import os; os.rmdir({str(gone)!r}); {FOLDERS}").splitlines() == inside(ROOT)
