"""The command line: complete help, one-line errors, exit codes that tell what happened."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from augcourse.cli import app

RUN = CliRunner()


@pytest.mark.parametrize("command", [[], ["data"], ["data", "prepare"], ["data", "import-idx"], ["build"], ["demo"]])
def test_every_command_explains_itself(command):
    said = RUN.invoke(app, [*command, "--help"])
    assert said.exit_code == 0
    assert "Usage" in said.output


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["data", "prepare", "cifar10"], "cifar10"),
        (["data", "import-idx", "no/such/folder"], "no/such/folder"),
        (["build", "step9_wishes"], "no such step: step9_wishes"),
    ],
)
def test_an_expected_error_is_one_line_and_exit_code_1(command, says):
    said = RUN.invoke(app, command)
    assert said.exit_code == 1
    assert says in said.stderr
    assert len(said.stderr.strip().splitlines()) == 1


def test_outside_the_course_the_folder_to_change_to_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = RUN.invoke(app, ["build"])
    assert said.exit_code == 1
    assert "nbgrader_config.py" in said.stderr


def test_wrong_arguments_exit_with_2():
    assert RUN.invoke(app, ["data", "import-idx"]).exit_code == 2


def test_a_demonstration_never_touches_a_folder_that_it_did_not_make(tmp_path):
    (tmp_path / "thesis.txt").write_text("precious")
    said = RUN.invoke(app, ["demo", "--folder", str(tmp_path)])
    assert said.exit_code == 1
    assert (tmp_path / "thesis.txt").read_text() == "precious"
