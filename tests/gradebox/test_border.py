"""The border: one line for what stands in the way, with what to do; a traceback for what is our own fault."""

from __future__ import annotations

import errno
import signal
import sqlite3

import pytest
import sqlalchemy as sa
import typer
from traitlets import Int, TraitError
from traitlets.config import Config, Configurable, PyFileConfigLoader
from typer.testing import CliRunner

from gradebox.border import OneLineGroup, complaint, last_words, one_line, remembered_interrupts
from gradebox.cli import app
from gradebox.errors import GradeboxError

RUN = CliRunner()


def gradebooks(text: str) -> sa.exc.OperationalError:
    return sa.exc.OperationalError("INSERT", {}, sqlite3.OperationalError(text))


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_names_the_file_and_what_to_do(code):
    said = complaint(OSError(code, "no room", "/course/report.html"))
    assert said.startswith("/course/report.html cannot be written: the disk is full")
    assert "free some space and run the same command again" in said


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("database or disk is full", "the disk is full"),
        ("disk I/O error", "the disk is full, or fails"),
        ("database is locked", "another program is writing to the gradebook"),
        ("connection failed: port 5432 failed: Connection refused", "the gradebook's server does not answer"),
        ("attempt to write a readonly database", "belongs to somebody else"),
    ],
)
def test_a_whole_gradebook_that_cannot_be_written_is_not_called_damaged(text, says):
    error = GradeboxError("restore it from a backup")
    error.__cause__ = gradebooks(text)
    assert says in complaint(error, str(error))


def test_an_expected_error_says_its_own_sentence_whatever_led_to_it():
    error = GradeboxError("no scheduler answers: start it")
    error.__cause__ = ConnectionRefusedError(errno.ECONNREFUSED, "refused")
    assert complaint(error, str(error)) == "no scheduler answers: start it"


@pytest.mark.parametrize(
    ("line", "says"),
    [("c.X = [", "line 3: SyntaxError"), ("c.X = undefined", "line 3: NameError: name 'undefined' is not defined")],
)
def test_a_mistake_in_the_configuration_has_its_line(tmp_path, line, says):
    (tmp_path / "nbgrader_config.py").write_text(f"c = get_config()\n\n{line}\n")
    with pytest.raises((SyntaxError, NameError)) as raised:
        PyFileConfigLoader("nbgrader_config.py", path=str(tmp_path)).load_config()
    assert complaint(raised.value).startswith(f"nbgrader_config.py, {says}")


def test_a_wrong_setting_is_the_configurations():
    class Thing(Configurable):
        size = Int(1).tag(config=True)

    with pytest.raises(TraitError) as raised:
        Thing(config=Config(Thing={"size": "large"}))
    assert complaint(raised.value).startswith("nbgrader_config.py: ")


@pytest.mark.parametrize(
    "error", [KeyError("x"), ZeroDivisionError(), AssertionError("ours"), OSError("without a code")]
)
def test_a_fault_of_our_own_keeps_its_traceback(error):
    assert complaint(error) == ""
    with pytest.raises(type(error)), one_line("program", GradeboxError):
        raise error


def test_expected_errors_end_in_one_line_and_exit_code_1(capsys):
    with pytest.raises(typer.Exit) as raised, one_line("program", GradeboxError):
        raise GradeboxError("this happened:\n   do that")
    assert raised.value.exit_code == 1
    assert capsys.readouterr().err == "program: this happened: do that\n"


def test_an_interrupt_says_how_to_go_on_and_ends_in_130(capsys):
    with pytest.raises(typer.Exit) as raised, one_line("program"):
        raise KeyboardInterrupt
    assert raised.value.exit_code == 130
    assert "run the same command again" in capsys.readouterr().err


def test_an_interrupt_that_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with remembered_interrupts() as ask:
            signal.raise_signal(signal.SIGINT)
            ask()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["grade"], "Missing argument"),
        (["grade", "sums", "--workers", "0"], "--workers"),
        (["grade", "sums", "--workers", "many"], "--workers"),
        (["report", "--nowhere"], "--nowhere"),
        (["check"], "Missing argument"),
        (["doctor", "surplus"], "surplus"),
        (["mark"], "mark"),
    ],
)
def test_wrong_arguments_are_one_line_that_names_the_help(words, says):
    done = RUN.invoke(app, words)
    assert done.exit_code == 2
    assert says in done.stderr
    assert "--help`" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""


def test_no_arguments_show_the_help():
    done = RUN.invoke(app, [])
    assert done.exit_code == 2
    assert "Usage" in done.output


def test_a_commands_exit_code_is_the_programs():
    program = typer.Typer(cls=OneLineGroup)

    @program.callback()
    def _all() -> None:
        pass

    @program.command()
    def four() -> None:
        raise typer.Exit(4)

    @program.command()
    def fine() -> None:
        pass

    assert [RUN.invoke(program, [name]).exit_code for name in ("four", "fine")] == [4, 0]


@pytest.mark.parametrize(
    ("log", "says"),
    [
        ("[INFO] Converting\nValueError: no cell\nbase.NbGraderException: Please see the above", "ValueError: no cell"),
        ("sqlite3.OperationalError: database or disk is full\nNbGraderException: see", "the disk is full; free some"),
        ("nbgrader.converters.base.NbGraderException: Please see", "NbGraderException: Please see"),
        ("No such assignment", "No such assignment"),
        ("", "no reason given"),
    ],
)
def test_of_nbgraders_log_the_reason_is_told(log, says):
    assert says in last_words({"success": False, "log": log})
