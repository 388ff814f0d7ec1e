"""An instructor, from the release to the returned feedback: all by clicking in the formgrader."""

from __future__ import annotations

import re

import pytest

from .conftest import COMPARE, EXPLORE

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]


def test_the_steps_are_released_to_begin_with(released):
    assert released.before == "released"


def test_a_step_can_be_taken_back_and_released_again(released):
    assert (released.taken_back, released.after) == ("draft", "released")


def test_a_step_can_be_generated(released):
    assert "Successfully created the student version" in released.generated


@pytest.mark.parametrize("step", [EXPLORE, COMPARE])
def test_a_submission_is_collected(returned, step):
    assert f"Successfully collected submissions of '{step}'" in returned.collected[step]


@pytest.mark.parametrize("step", [EXPLORE, COMPARE])
def test_a_submission_is_graded(returned, step):
    assert f"Successfully autograded '{step}'" in returned.graded[step]


@pytest.mark.parametrize("step", [EXPLORE, COMPARE])
def test_the_message_is_what_happened_and_not_every_message_of_a_kernel(returned, step):
    assert "DEBUG" not in returned.graded[step]


def test_grading_takes_the_protected_path(handed_in, feedback):
    """The student's cell looked for the gradebook: in JupyterLab it is there, in the sandbox it is not."""
    assert "the gradebook is in sight: True" in handed_in.sight
    assert "the gradebook is in sight: False" in feedback[EXPLORE]


def test_points_given_by_hand_are_in_the_score(returned):
    assert re.fullmatch(r"5(\.0)? / 22(\.0)?", returned.by_hand.strip())


@pytest.mark.parametrize("step", [EXPLORE, COMPARE])
def test_feedback_is_returned(returned, step):
    assert f"Successfully generated feedback of '{step}'" in returned.feedback[step]
    assert f"Successfully released feedback of '{step}'" in returned.feedback[step]


def test_another_machine_is_asked_for_mathjax_at_most(returned):
    """nbgrader's page for grading by hand asks for it, and does without: nothing else can be reached from here."""
    assert [address for address in returned.asked if "/mathjax/" not in address] == []


def test_the_terminal_is_quiet(lab, returned):
    """One line about the steps, and the progress bar."""
    other = [line for line in lab.terminal() if not line.startswith("releasing the steps")]
    assert other[0].startswith("5 steps can be fetched")
    assert other[1:] == []
