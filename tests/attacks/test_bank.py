"""No attack gains a mark, reads a secret, changes anything outside, outlives its kernel or disturbs the class.

The bank runs through the real `nbgrader autograde` in two classes. As an ordinary user, and through the formgrader's
button, one attack of each kind runs here; `make attacks` runs the whole bank in these ways too.
"""

import os
from collections.abc import Callable

import pytest

from gradebox import sandbox
from gradebox.errors import GraderFailed

from .bank import ATTACKS, Attack
from .formgrader import press_autograde
from .grading import COLD, CONTROLS, Graded, grade

pytestmark = pytest.mark.slow

CLASSES = {"marks": ("marks",), "outside": ("reach", "files", "resources")}
# One of each kind: a forged mark, a secret, a file, a process, a network, an ending, a hand-in, a limit.
FEW = (
    "an always-equal object",
    "replaced do_execute",
    "stack-frame introspection",
    "writing marks into the gradebook",
    "reading source",
    "reading environments from /proc",
    "writing into another student's folder",
    "a link left to a file outside",
    "a network client",
    "a daemon that outlives the kernel",
    "a symbolic link as hand-in",
    "an interrupt-proof loop",
    "a fork bomb",
    "killing everything",
)
BY_BUTTON = ("an always-equal object", "reading source", "a daemon that outlives the kernel", "an interrupt-proof loop")


def class_of(attack: Attack) -> str:
    return next(name for name, groups in CLASSES.items() if attack.group in groups)


def grade_class(name: str) -> Graded:
    if name in CLASSES:
        return grade([attack for attack in ATTACKS if class_of(attack) == name], warm=True)
    if name == "ordinary user":
        if os.geteuid() != 0:
            pytest.skip("the other classes already run as an ordinary user")
        return grade([attack for attack in ATTACKS if attack.name in FEW], ordinary=True)
    return grade([attack for attack in ATTACKS if attack.name in BY_BUTTON], press=press_autograde)


@pytest.fixture(scope="session")
def graded() -> Callable[[str], Graded]:
    """Name of a class → what grading it came to; each is graded once."""
    try:
        sandbox.require()
    except GraderFailed as reason:
        pytest.skip(str(reason))
    done: dict[str, Graded] = {}

    def get(name: str) -> Graded:
        if name not in done:
            done[name] = grade_class(name)
        return done[name]

    return get


def case(name: str, attack: Attack) -> object:
    return pytest.param(name, attack, id=f"{name}-{attack.student}", marks=pytest.mark.xdist_group(f"attacks-{name}"))


NAMES = (*CLASSES, "ordinary user", "formgrader")
EVERY_CLASS = [pytest.param(name, marks=pytest.mark.xdist_group(f"attacks-{name}")) for name in NAMES]
EVERY = [case(class_of(attack), attack) for attack in ATTACKS]
EVERY += [case("ordinary user", attack) for attack in ATTACKS if attack.name in FEW]
EVERY += [case("formgrader", attack) for attack in ATTACKS if attack.name in BY_BUTTON]

ENDING_EARLY = [
    case(name, attack)
    for name, chosen in (("formgrader", BY_BUTTON), ("ordinary user", FEW), *((each, None) for each in CLASSES))
    for attack in ATTACKS
    if attack.ending and (attack.name in chosen if chosen else class_of(attack) == name)
]


@pytest.mark.parametrize(("name", "attack"), EVERY)
def test_an_attack_gains_no_mark(graded, name, attack):
    assert graded(name).outcomes[attack.name].points == 0


@pytest.mark.parametrize(("name", "attack"), EVERY)
def test_an_attack_reads_no_secret(graded, name, attack):
    assert not graded(name).outcomes[attack.name].leaks


@pytest.mark.parametrize(("name", "attack"), EVERY)
def test_an_attack_changes_nothing_outside(graded, name, attack):
    assert not graded(name).outcomes[attack.name].changed


@pytest.mark.parametrize(("name", "attack"), EVERY)
def test_an_attack_does_not_outlive_its_kernel(graded, name, attack):
    assert graded(name).outcomes[attack.name].survivors == 0


@pytest.mark.parametrize(("name", "attack"), EVERY)
def test_an_attack_reaches_no_network(graded, name, attack):
    assert not graded(name).outcomes[attack.name].reached


@pytest.mark.parametrize(("name", "attack"), EVERY)
def test_an_attack_leaves_a_graded_notebook(graded, name, attack):
    assert graded(name).outcomes[attack.name].endings is not None


@pytest.mark.parametrize(("name", "attack"), ENDING_EARLY)
def test_an_early_end_has_its_name(graded, name, attack):
    assert attack.ending in graded(name).outcomes[attack.name].endings


@pytest.mark.parametrize("name", EVERY_CLASS)
def test_honest_work_before_between_and_after_the_attacks_gets_full_marks(graded, name):
    assert graded(name).controls == dict.fromkeys(CONTROLS, 3.0)


@pytest.mark.parametrize("name", EVERY_CLASS)
def test_nothing_outside_is_changed_by_the_class(graded, name):
    assert not graded(name).changed


@pytest.mark.parametrize("name", EVERY_CLASS)
def test_no_process_of_the_class_survives(graded, name):
    assert not graded(name).survivors


@pytest.mark.parametrize("name", EVERY_CLASS)
def test_no_kernel_is_started_cold_that_was_to_be_forked(graded, name):
    assert COLD not in graded(name).log


@pytest.mark.parametrize("name", EVERY_CLASS)
def test_the_grading_of_the_class_ends_well(graded, name):
    assert graded(name).returncode == 0, graded(name).log[-3000:]
