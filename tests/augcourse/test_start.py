"""The first cell: says which data set it runs on and why, and explains a bad set-up in one sentence."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from tests.conftest import DEFAULT

from augcourse import data

BEGIN = "from augcourse.start import begin; print('name', begin('step1_explore'))"


def begin(environment, monkeypatch):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return subprocess.run([sys.executable, "-c", BEGIN], capture_output=True, text=True, timeout=120, check=False)


def test_tests_that_name_no_data_set_run_on_what_the_course_runs_on():
    assert DEFAULT == data.DEFAULT


@pytest.mark.slow
def test_it_says_which_data_set_and_why_and_nothing_on_stderr(data_sets, monkeypatch):
    done = begin(data_sets("uci_digits"), monkeypatch)
    assert re.match(r"step1_explore runs on uci_digits \(.+\), because AUGCOURSE_DATASET asks for it\.", done.stdout)
    assert done.stdout.endswith("name uci_digits\n")
    assert done.stderr == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"AUGCOURSE_DATASET": "cifar10"}, "cifar10"),
        ({"AUGCOURSE_DATASET": "uci_digits", "TFDS_DATA_DIR": "{file}/inside"}, "TFDS_DATA_DIR"),
        ({"AUGCOURSE_DATASET": "mnist", "TFDS_DATA_DIR": "{folder}"}, "import-idx"),
    ],
)
def test_a_bad_set_up_is_explained_in_one_sentence_without_a_traceback(environment, says, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    environment = {k: v.format(file=tmp_path / "file", folder=tmp_path / "empty") for k, v in environment.items()}
    done = begin(environment, monkeypatch)
    assert done.returncode != 0
    assert says in done.stderr
    assert "step1_explore cannot start" in done.stderr
    assert "Traceback" not in done.stderr
