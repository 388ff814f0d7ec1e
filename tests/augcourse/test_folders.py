"""One place says where data and cache are: every command, notebook and kernel of a course finds the same folders."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from glob import glob
from pathlib import Path

import pytest

from augcourse.digits import mnist_sample

ROOT = Path(__file__).parents[2]
VARIABLES = ("TFDS_DATA_DIR", "AUGCOURSE_CACHE_DIR")
SET_BY_TESTS_OR_MAKE = (*VARIABLES, "AUGCOURSE_DATASET", "TF_CPP_MIN_LOG_LEVEL", "NO_ALBUMENTATIONS_UPDATE")
PLACES = (".", "student/step1_explore", "release/step1_explore", "lessons", "submitted/careful/step1_explore")
FOLDERS = "from augcourse import folders; print(folders.data_folder()); print(folders.cache_folder())"
CONFIG = """
import json, os, subprocess, sys
from traitlets.config import PyFileConfigLoader
config = PyFileConfigLoader("nbgrader_config.py", path=sys.argv[1]).load_config()
if len(sys.argv) > 2:
    print(subprocess.run([sys.executable, "-c", sys.argv[2], sys.argv[3]], capture_output=True, text=True).stdout)
else:
    trusted = config.TrustedProvisioner
    folders = [trusted.environment["TFDS_DATA_DIR"], trusted.environment["AUGCOURSE_CACHE_DIR"]]
    assert trusted.read_only == folders and config.SandboxProvisioner.read_only == folders[:1]
    assert config.SandboxProvisioner.environment["TFDS_DATA_DIR"] == folders[0]
    print(json.dumps({"folders": folders, "hidden": config.SandboxProvisioner.hidden}))
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

    hidden = json.loads(said(course, "-c", CONFIG, str(course)))["hidden"]
    matched = {Path(path) for pattern in hidden for path in glob(pattern)}
    assert mnist_sample.source() in matched
    assert Path(sklearn.datasets.__file__).parent / "data" / "digits.csv.gz" in matched


def test_the_test_split_is_hidden_in_a_folder_whose_name_looks_like_a_pattern(course, tmp_path):
    folder = tmp_path / "data [2026] *"
    shard = folder / "mnist_sample" / "1.0.0" / "mnist_sample-test.tfrecord-00000-of-00001"
    shard.parent.mkdir(parents=True)
    shard.touch()
    hidden = json.loads(said(course, "-c", CONFIG, str(course), TFDS_DATA_DIR=str(folder)))["hidden"]
    assert str(shard) in {path for pattern in hidden for path in glob(pattern)}
