"""Dishonest hand-ins of the real steps cost their own exercise, with a sentence, and nobody else's."""

import re

import pytest

from augcourse import samples
from gradebox import sandbox
from gradebox.errors import GraderFailed
from tests.lessons import course
from tests.lessons.course import Graded

from .course_bank import ATTACKS, attacked

pytestmark = pytest.mark.slow

STEPS = sorted({attack.step for attack in ATTACKS})


@pytest.fixture(scope="session")
def graded_steps(tmp_path_factory: pytest.TempPathFactory, data_sets):
    """Step → its graded notebooks: the solution before and after, and those with the attacks; graded once."""
    try:
        sandbox.require()
    except GraderFailed as reason:
        pytest.skip(str(reason))
    done: dict[str, dict[str, Graded]] = {}

    def get(step: str) -> dict[str, Graded]:
        if step not in done:
            submissions = {"a_careful": samples.submission(course.ROOT, step)}
            for name in sorted({attack.notebook for attack in ATTACKS if attack.step == step}):
                chosen = [attack for attack in ATTACKS if (attack.step, attack.notebook) == (step, name)]
                submissions[name] = attacked(samples.submission(course.ROOT, step), chosen)
            submissions["zz_careful"] = samples.submission(course.ROOT, step)
            work = tmp_path_factory.mktemp(f"attacked-{step}")
            data_sets("uci_digits")  # beside the default one, for those who try to read its test split
            done[step] = course.grade(work, step, submissions, data_sets())
        return done[step]

    return get


def grouped(step: str, *values: object) -> object:
    label = getattr(values[0], "name", step) if values else step
    return pytest.param(*(values or (step,)), id=label, marks=pytest.mark.xdist_group(f"attacked-{step}"))


EVERY = [grouped(attack.step, attack) for attack in ATTACKS]
EVERY_STEP = [grouped(step) for step in STEPS]


@pytest.mark.parametrize("attack", EVERY)
def test_a_dishonest_hand_in_gains_no_mark(graded_steps, attack):
    graded = graded_steps(attack.step)[attack.notebook]
    assert graded.points[attack.exercise] == 0


@pytest.mark.parametrize("step", EVERY_STEP)
def test_no_test_digit_is_read(graded_steps, step):
    """An attack that reads one prints that it leaked."""
    for name, graded in graded_steps(step).items():
        assert "LEAK" not in graded.printed, name


@pytest.mark.parametrize("attack", EVERY)
def test_a_student_reads_a_sentence_about_it(graded_steps, attack):
    message = graded_steps(attack.step)[attack.notebook].messages[attack.exercise]
    assert re.search(attack.says, message), message
    assert "Traceback" not in message


@pytest.mark.parametrize("step", EVERY_STEP)
def test_only_the_attacked_exercises_lose_marks(graded_steps, step):
    names = {attack.notebook for attack in ATTACKS if attack.step == step}
    expected = {n: {a.exercise for a in ATTACKS if (a.step, a.notebook) == (step, n)} for n in names}
    assert {name: graded_steps(step)[name].lost() for name in names} == expected


@pytest.mark.parametrize("step", EVERY_STEP)
def test_honest_work_before_and_after_gets_full_marks(graded_steps, step):
    graded = graded_steps(step)
    assert {name: graded[name].lost() for name in ("a_careful", "zz_careful")} == {
        "a_careful": set(),
        "zz_careful": set(),
    }
