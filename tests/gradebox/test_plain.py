"""What anyone wrote commands no terminal and turns no line round; everything else of it stays."""

from __future__ import annotations

import csv
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbgrader.api import Gradebook

from gradebox.exporters import HarmlessCsvExporter
from gradebox.figures import FIGURES_PREFIX, measurements
from gradebox.plain import DIRECTIONS, visible


@given(st.text())
def test_nothing_is_left_that_commands(text):
    shown = visible(text)
    assert not DIRECTIONS & set(shown)
    assert not [each for each in shown if unicodedata.category(each) in ("Cc", "Cs") and each not in "\n\t"]


@given(st.text(st.characters(exclude_categories=["C"])))
def test_ordinary_text_stays_as_it_is(text):
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;owned\x07", "\\x1b]0;owned\\x07"),
        ("gnp.\u202efdp", "gnp.\\u202efdp"),
        ("a\rb", "a\\x0db"),
        ("\x9b31m", "\\x9b31m"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("\ud800", "\\ud800"),
    ],
)
def test_a_command_is_shown_as_what_it_is(text, shown):
    assert visible(text) == shown


def test_a_figures_title_commands_nothing():
    line = f'{FIGURES_PREFIX} {{"label": "\\u001b]0;owned\\u0007 gain", "value": 1, "low": 0, "high": 2}}'
    [found] = measurements(line)
    assert "\x1b" not in found.label


def test_plain_export_holds_no_formula(tmp_path):
    url = f"sqlite:///{tmp_path / 'gradebook.db'}"
    with Gradebook(url) as gradebook:
        gradebook.add_assignment("sums")
        gradebook.add_student('=HYPERLINK("http://127.0.0.1")', first_name="+1", last_name="plain")
        exporter = HarmlessCsvExporter(to=str(tmp_path / "grades.csv"))
        exporter.export(gradebook)
    with open(tmp_path / "grades.csv", newline="") as file:
        rows = list(csv.reader(file))
    cells = [cell for row in rows for cell in row]
    assert '\'=HYPERLINK("http://127.0.0.1")' in cells
    assert "'+1" in cells
    assert "plain" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]
