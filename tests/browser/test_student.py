"""A student, from the first page to the points: all by clicking and typing in JupyterLab."""

from __future__ import annotations

import re

import pytest

from augcourse.build import STEPS

from .conftest import COMMENT, COMPARE, EXPLORE

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]


def test_the_first_page_says_how_to_begin(handed_in):
    assert "Nbgrader > Assignment List" in handed_in.first_page
    assert "Fetch" in handed_in.first_page


def test_nothing_is_asked_or_announced(handed_in):
    assert handed_in.notices == 0


def test_no_other_machine_is_asked_for_anything(handed_in):
    assert handed_in.asked == []


def test_only_the_kernel_that_the_course_runs_on_is_offered(handed_in):
    assert handed_in.kernels == 1


def test_all_five_steps_can_be_fetched(handed_in):
    assert handed_in.fetched == list(STEPS)


def test_a_check_names_the_likely_mistake_at_once(handed_in):
    assert "minlength" in handed_in.hint


def test_a_step_with_a_mistake_does_not_validate(handed_in):
    assert "The following cell failed" in handed_in.with_a_mistake
    assert "minlength" in handed_in.with_a_mistake


def test_validate_opens_on_the_reason_and_shows_no_code_of_a_check(handed_in):
    assert "the check of class_counts" in handed_in.with_a_mistake
    assert "checks.expect(" not in handed_in.with_a_mistake


def test_a_solved_step_validates(handed_in):
    assert "Success! Your notebook passes all the tests." in handed_in.without


def test_what_was_submitted_is_listed(handed_in):
    assert handed_in.submitted == [EXPLORE, COMPARE]


def test_the_feedback_of_a_solved_step_shows_all_its_points(feedback):
    assert re.search(r"\b15 (/|of) 15\b", feedback[EXPLORE])


def test_the_feedback_shows_the_points_and_the_comment_of_a_person(feedback):
    assert re.search(r"\b5 (/|of) 22\b", feedback[COMPARE])  # two points from a test, three from a person
    assert COMMENT in feedback[COMPARE]


def test_the_feedback_says_why_a_point_is_lost(feedback):
    assert "not solved yet" in feedback[COMPARE]
