"""Minutes: counted from the core of a step; START.md states what the count gives, and no core is too long."""

from __future__ import annotations

import re

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from augcourse import build, minutes

from ..lessons.course import ROOT

START = (ROOT / "student" / "START.md").read_text(encoding="utf-8")


def graded(name):
    return new_code_cell(metadata={"nbgrader": {"grade": True, "grade_id": f"{name}_test"}})


def test_words_are_those_of_the_core_without_questions_and_model_answers():
    notebook = new_notebook(
        cells=[
            new_markdown_cell("# Step 1: three words"),
            graded("rotation"),
            new_markdown_cell("one two [three](https://four.five/six)"),
            new_markdown_cell("an answer that is long", metadata={"tags": ["answer"]}),
            new_markdown_cell("## Five questions\n\nmany words that are questions"),
            graded("questions"),
            new_markdown_cell("## Going further\n\nmore and more"),
            graded("more"),
        ]
    )
    assert minutes.core(notebook) == minutes.Core(words=4 + 3, exercises=1, questions=True)


def test_minutes_are_words_exercises_and_run_time():
    core = minutes.Core(words=900, exercises=4, questions=True)
    assert core.minutes(run_s=0) == 35  # 6 + 25, rounded up
    assert core.minutes(run_s=300) == 40


@pytest.mark.parametrize("step", build.STEPS)
def test_no_core_is_longer_than_the_course_allows(step):
    core = minutes.core(build.source_of(build.lesson_path(ROOT, step).read_text(encoding="utf-8")))
    assert core.words <= minutes.MOST_WORDS
    assert core.exercises <= minutes.MOST_EXERCISES
    assert core.questions


@pytest.mark.parametrize("step", build.STEPS)
def test_the_start_page_states_what_is_counted(step):
    core = minutes.core(build.source_of(build.lesson_path(ROOT, step).read_text(encoding="utf-8")))
    [stated] = re.findall(rf"`{step}` \|.*\| (\d+) \|", START)
    assert core.minutes(run_s=0) <= int(stated) <= core.minutes(run_s=60)
