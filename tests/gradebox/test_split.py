"""Split execution under an unchanged `nbgrader autograde`: what no submission can do.

The plain kernels come first, since most of it does not need the sandbox; then both kernels in the sandbox.
`ATTACKS` hands in wrong work with a trick on top; a new attack is one more entry.
"""

import os
import subprocess
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_output
from nbgrader.api import Gradebook
from traitlets import TraitError

from gradebox import sandbox
from gradebox.errors import GraderFailed
from gradebox.split import SplitExecute

from .conftest import STUBBORN, Course, GradedClass, error_names, label, labelled
from .split_support import FULL_MARKS, HONEST, MESSAGE, NO_MARKS, SPLIT_CONFIG, WRONG, hand_in, make_course

pytestmark = pytest.mark.slow

Edit = Callable[[nbformat.NotebookNode], None]


def first(code: str) -> Edit:
    """Put a cell on top."""
    return lambda notebook: notebook.cells.insert(0, new_code_cell(code))


def last(code: str) -> Edit:
    """Put a cell at the end."""
    return lambda notebook: notebook.cells.append(new_code_cell(code))


def forged_outputs(notebook: nbformat.NotebookNode) -> None:
    for name, points in FULL_MARKS.items():
        result = new_output("execute_result", data={"text/plain": str(points)}, execution_count=1)
        labelled(notebook, name).outputs = [result]


def edited_tests(notebook: nbformat.NotebookNode) -> None:
    for name in FULL_MARKS:
        labelled(notebook, name).source = "1 + 1"


def duplicated_tests(notebook: nbformat.NotebookNode) -> None:
    for name in FULL_MARKS:
        copy = label(new_code_cell("1.0"), name, grade=True, locked=True, points=50)
        notebook.cells.insert(0, copy)
        notebook.cells.append(label(new_code_cell("1.0"), name, grade=True, locked=True, points=50))


def deleted_tests(notebook: nbformat.NotebookNode) -> None:
    notebook.cells = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("points") is None]


def tagged_tests(notebook: nbformat.NotebookNode) -> None:
    for name in FULL_MARKS:
        labelled(notebook, name).metadata["tags"] = ["show", "skip-execution", "raises-exception"]


def relabelled_tests(notebook: nbformat.NotebookNode) -> None:
    for name in FULL_MARKS:
        labelled(notebook, name).metadata["nbgrader"].update(grade=False, solution=True, locked=False)


def edited_handins(notebook: nbformat.NotebookNode) -> None:
    for name in ("double", "triple"):
        labelled(notebook, f"{name}_handin").source = "print('nothing to hand in')"


ALWAYS_EQUAL = """
class Yes(int):
    __eq__ = __le__ = __ge__ = lambda self, other: True
    __hash__ = int.__hash__
double = triple = lambda x: Yes(1)"""
BUILTINS = """
import builtins
builtins.AssertionError = type("AssertionError", (BaseException,), {"__new__": lambda *a: SystemExit()})
builtins.len = builtins.print = builtins.open = builtins.__import__ = lambda *a, **k: 0"""
MODULES = """
import sys, types
for name in ("helper", "tests", "numpy"):
    sys.modules[name] = types.SimpleNamespace(factor=lambda: 1)"""
SUPPORT = """
from pathlib import Path
for name in ("helper.py", "json.py", "sitecustomize.py", "handin/helper.py", "../trusted/helper.py"):
    try:
        Path(name).write_text("def factor(): return 1\\nloads = lambda *a: {'probe': 0}")
    except OSError:
        pass"""
SHELL = """
shell = get_ipython()
shell.run_cell = shell.run_cell_async = shell.run_code = shell.showtraceback = lambda *a, **k: None"""
TRANSFORMER = """
import ast
class Drop(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.Pass()
get_ipython().ast_transformers.append(Drop())
get_ipython().input_transformers_cleanup.append(lambda lines: [line for line in lines if "assert" not in line])"""
THREAD = """
import threading, time
def late(target):
    time.sleep(3)
    while True:
        try:
            for name, factor in (("double", 2), ("triple", 3)):
                text = json.dumps({"probe": PROBE, "value": factor * PROBE})
                (target / f"{name}.json").write_text(text)
        except OSError:
            pass
threading.Thread(target=late, args=(Path("handin").absolute(),), daemon=True).start()"""
REPLACED = """
import json, os
from pathlib import Path
path = Path("handin/double.json")
path.rename("right.json")
{how}"""

ATTACKS: dict[str, Edit] = {
    "an object that equals all": last(ALWAYS_EQUAL),
    "replaced builtins": last(BUILTINS),
    "poisoned modules": first(MODULES),
    "overwritten support file": first(SUPPORT),
    "a shell that runs nothing": first(SHELL),
    "transformers that drop asserts": first(TRANSFORMER),
    "a thread that hands in late": last(THREAD),
    "forged outputs": forged_outputs,
    "edited tests": edited_tests,
    "duplicated tests": duplicated_tests,
    "deleted tests": deleted_tests,
    "tests tagged to be skipped": tagged_tests,
    "relabelled tests": relabelled_tests,
}
REFUSED = {
    "symlink": ("os.symlink('../right.json', path)", "symbolic link"),
    "hardlink": ("os.link('right.json', path)", "hard link"),
    "fifo": ("os.mkfifo(path)", "not a regular file"),
    "huge": ("path.write_text(Path('right.json').read_text() + ' ' * 20_000)", "at most 10,000 are"),
    "replaced folder": ("Path('handin').rename('h'); os.symlink('h', 'handin')", "not a folder"),
    "too many": ("[Path(f'handin/a{n}.json').touch() for n in range(9)]; path.write_text('{}')", "at most 5 files"),
}
# What a kernel never says, sent from inside of it; the cell goes on until the grader has heard it.
SPEAK = """
import hashlib, hmac, json
kernel = get_ipython().kernel
publish, key = kernel.iopub_socket, kernel.session.key
def signed(*parts):
    auth = hmac.HMAC(key, digestmod=hashlib.sha256)
    for part in parts:
        auth.update(part)
    return [auth.hexdigest().encode(), *parts]
header = json.dumps({"msg_id": "1", "msg_type": "stream", "username": "", "session": "", "date": "2026-01-01"}).encode()
"""
NONSENSE = {
    "garbage": SPEAK + "publish.send_multipart([b'garbage'])",
    "unsigned": SPEAK + "publish.send_multipart([b'kernel', b'<IDS|MSG>', b'', header, b'{}', b'{}', b'{}'])",
    "torn": SPEAK + "publish.send_multipart([b'kernel', b'<IDS|MSG>', *signed(header, b'{}')])",
    "nested": SPEAK + "parts = header, b'{}', b'{}', b'[' * 200_000 + b']' * 200_000\n"
    "publish.send_multipart([b'kernel', b'<IDS|MSG>', *signed(*parts)])",
    "listed": SPEAK + "publish.send_multipart([b'kernel', b'<IDS|MSG>', *signed(b'[]', b'[]', b'[]', b'[]')])",
}
LOOK_AROUND = """
import os
from pathlib import Path
print("FOUND", sorted(str(path) for path in Path(".").rglob("*")), os.environ.get("TEST_SPLIT"), len(In))"""


def student_of(attack: str) -> str:
    return attack.replace(" ", "_")


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    course = make_course(tmp_path_factory.mktemp("split"))
    for student in ("a_careful", "z_careful"):
        hand_in(course, student, HONEST)
    hand_in(course, "hurried", WRONG)
    for attack, edit in ATTACKS.items():
        hand_in(course, student_of(attack), WRONG, edit)
    for name, (how, _) in REFUSED.items():
        hand_in(course, student_of(name), HONEST, last(REPLACED.format(how=how)))
    hand_in(course, "deleting", HONEST, deleted_tests)
    hand_in(course, "editing", HONEST, edited_handins)
    hand_in(course, "exiting", {**HONEST, "triple": "import os\nos._exit(1)"})
    hand_in(course, "killed", {**HONEST, "triple": "import os\nos.kill(os.getpid(), 9)"})
    hand_in(course, "stubborn", {**HONEST, "triple": STUBBORN})
    hand_in(course, "flooding", {**HONEST, "triple": "while True:\n    print('x' * 1000)"})
    for student, nonsense in NONSENSE.items():
        hand_in(course, student, {**HONEST, "triple": nonsense})
    looking = hand_in(course, "looking", HONEST, first(LOOK_AROUND)).parent
    secret = course.root / "secret.txt"
    secret.write_text("secret")
    (looking / "linked.txt").symlink_to(secret)
    (looking / "own.txt").write_text("mine")
    (looking / "helper.py").write_text("raise RuntimeError")
    (looking / "json.py").write_text("raise RuntimeError")
    return course


@pytest.fixture(scope="module")
def graded(course: Course) -> GradedClass:
    done = course.nbgrader("autograde", "sums")
    return GradedClass(course, done.returncode, done.stderr)


def found_by(student: str, course: Course) -> str:
    """What LOOK_AROUND printed."""
    cell = next(cell for cell in course.graded(student).cells if cell.source == LOOK_AROUND)
    return cell.outputs[0].text


def note_of(course: Course, student: str) -> str:
    return course.graded(student).cells[0].source


@pytest.mark.parametrize("student", ["a_careful", "z_careful"])
def test_honest_work_before_and_after_the_attacks_gets_full_marks(graded, student):
    assert graded.course.marks(student) == FULL_MARKS


def test_the_run_over_the_class_ends_well(graded):
    assert graded.returncode == 0, graded.log


def test_wrong_work_gets_no_marks(graded):
    assert graded.course.marks("hurried") == NO_MARKS


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_gains_no_mark(graded, attack):
    assert graded.course.marks(student_of(attack)) == NO_MARKS


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_hand_in_costs_its_own_exercise_at_most(graded, name):
    marks = graded.course.marks(student_of(name))
    assert marks["test_double"] == 0
    assert marks["test_triple"] in ((0.0,) if name in ("replaced folder", "too many") else (1.0,))


@pytest.mark.parametrize(("name", "reason"), [(name, reason) for name, (_, reason) in REFUSED.items()])
def test_a_refused_hand_in_is_named_to_student_and_instructor(graded, name, reason):
    student = student_of(name)
    assert "HandinRefused" in note_of(graded.course, student)
    assert reason in note_of(graded.course, student)
    lines = [line for line in graded.log.splitlines() if f"{student}, sums/sums: HandinRefused" in line]
    assert any(reason in line for line in lines)


def test_honest_work_keeps_its_marks_without_its_graded_cells(graded):
    assert graded.course.marks("deleting") == FULL_MARKS


def test_a_locked_cell_runs_with_the_text_of_the_record(graded):
    assert graded.course.marks("editing") == FULL_MARKS


@pytest.mark.parametrize(
    ("student", "ending"),
    [
        ("exiting", "KernelDied"),
        ("killed", "OutOfMemory"),
        ("stubborn", "CellTimedOut"),
        ("flooding", "TooMuchOutput"),
        *((student, "BadMessage") for student in NONSENSE),
    ],
)
def test_what_was_handed_in_before_an_early_end_earns_its_marks(graded, student, ending):
    assert graded.course.marks(student) == {"test_double": 2.0, "test_triple": 0.0}
    notebook = graded.course.graded(student)
    assert ending in error_names(labelled(notebook, "triple"))
    assert error_names(notebook.cells[-1]) == ["NotRun"]


def test_the_messages_of_the_tests_stand_on_the_graded_cells(graded):
    cell = labelled(graded.course.graded("hurried"), "test_double")
    assert [output.output_type for output in cell.outputs] == ["stream", "error"]
    assert cell.outputs[0].text == "double: handed in\n"
    assert cell.outputs[1].traceback == [f"\x1b[0;31mAssertionError\x1b[0m: {MESSAGE}"]


def test_the_students_own_outputs_stay(graded):
    assert graded.course.graded("a_careful").cells[-1].outputs[0].text == "the last cell\n"


def test_stderr_of_the_trusted_kernel_is_a_log(graded):
    lines = [line for line in graded.log.splitlines() if "a_careful, sums/sums, test_double: stderr" in line]
    assert any("log of the test" in line for line in lines)


def test_the_students_kernel_finds_no_notebook_no_linked_file_and_no_trusted_variable(graded):
    assert found_by("looking", graded.course) == "FOUND ['helper.py', 'json.py', 'own.txt'] None 2\n"


def test_a_file_that_a_link_pointed_to_is_not_left_among_the_graded_files(graded):
    assert not os.path.lexists(graded.course.root / "autograded/looking/sums/linked.txt")


def test_a_submitted_module_reaches_only_its_own_kernel(graded):
    assert graded.course.marks("looking") == FULL_MARKS


def test_nothing_is_left_in_the_temporary_folder(course, monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    done = course.nbgrader("autograde", "sums", "--student=a_careful", "--force")
    assert done.returncode == 0, done.stderr
    assert not list(tmp_path.glob("gradebox-*"))


def manual(course: Course, student: str) -> list[bool]:
    with Gradebook(f"sqlite:///{course.root / 'gradebook.db'}") as gradebook:
        grades = gradebook.find_submission_notebook("sums", "sums", student).grades
        return [grade.needs_manual_grade for grade in grades]


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> tuple[Course, list[dict[str, float | None]], str]:
    """A submission graded, graded again without a trusted kernel, and once more with one."""
    course = make_course(tmp_path_factory.mktemp("failing"))
    hand_in(course, "unlucky", HONEST)
    command = ("autograde", "sums", "--force")
    done = [course.nbgrader(*command)]
    marks = [course.marks("unlucky")]
    done.append(course.nbgrader(*command, "--SplitExecute.trusted_kernel_name=absent"))
    marks.append(course.marks("unlucky"))
    assert all(manual(course, "unlucky"))
    done.append(course.nbgrader("autograde", "sums"))
    marks.append(course.marks("unlucky"))
    assert [each.returncode == 0 for each in done] == [True, False, True], done
    return course, marks, done[1].stderr


def test_a_failure_of_the_grader_withdraws_the_marks_and_the_next_run_gives_them_back(failing):
    _, marks, _ = failing
    assert marks == [FULL_MARKS, {"test_double": None, "test_triple": None}, FULL_MARKS]


def test_a_submission_graded_again_waits_no_longer_for_a_grade_by_hand(failing):
    course, _, _ = failing
    assert not any(manual(course, "unlucky"))


def test_a_failure_of_the_grader_is_tried_twice_and_reported_once(failing):
    lines = [line for line in failing[2].splitlines() if "unlucky, sums/sums: GraderFailed" in line]
    assert ["trying once more" in line for line in lines] == [True, False]


@pytest.mark.parametrize("pattern", ["/etc/passwd", "../x.json", "*/x.json"])
def test_a_pattern_out_of_the_scratch_folder_is_refused(pattern):
    with pytest.raises(TraitError, match="handin_patterns"):
        SplitExecute(handin_patterns=[pattern])


def test_a_step_may_have_a_trusted_limit_of_its_own():
    limits = {"sums": {"trusted_timeout_s": 9}}
    assert SplitExecute(limits_by_step=limits).limits_by_step == limits


PROVISIONERS = {point.name for point in entry_points(group="jupyter_client.kernel_provisioners")}
SURVIVOR = "a-daemon-of-test-split"
DAEMON = f"""
import os
if not os.fork():
    os.setsid()
    if not os.fork():
        os.execvp("sleep", ["{SURVIVOR}", "600"])
    os._exit(0)
os.wait()"""


@pytest.fixture(scope="module")
def boxed(tmp_path_factory: pytest.TempPathFactory) -> GradedClass:
    """A small class graded with both kernels in the sandbox."""
    if not {"gradebox-sandbox", "gradebox-trusted"} <= PROVISIONERS:
        pytest.skip("the provisioners are not installed: install this project again")
    try:
        sandbox.require()
    except GraderFailed as reason:
        pytest.skip(str(reason))
    kernels = 'c.GradedExecute.kernel_name = "gradebox-student"\n'
    kernels += 'c.SplitExecute.trusted_kernel_name = "gradebox-trusted"\n'
    kernels += 'c.SandboxProvisioner.environment = {"COURSE": "tiny"}\n'
    kernels += 'c.SandboxProvisioner.environment_allowed = ["PROBE_SEED"]\n'
    kernels += 'c.TrustedProvisioner.environment_allowed = ["PROBE_SEED", "TEST_SPLIT"]\n'
    course = make_course(tmp_path_factory.mktemp("boxed"), SPLIT_CONFIG + kernels)
    hand_in(course, "a_careful", HONEST)
    hand_in(course, "hurried", WRONG)
    hand_in(course, "daemon", HONEST, last(DAEMON))
    hand_in(course, "killed", {**HONEST, "triple": "import os\nos.kill(os.getpid(), 9)"})
    hand_in(course, "stubborn", {**HONEST, "triple": STUBBORN})
    hand_in(course, "flooding", {**HONEST, "triple": "while True:\n    print('x' * 1000)"})
    hand_in(course, "symlink", HONEST, last(REPLACED.format(how="os.symlink('/etc/hostname', path)")))
    hand_in(course, "fifo", HONEST, last(REPLACED.format(how="os.mkfifo(path)")))
    hand_in(course, "looking", HONEST, first(LOOK_AROUND))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(Path(sandbox.__file__).parent))
        done = course.nbgrader("autograde", "sums")
    return GradedClass(course, done.returncode, done.stderr)


def test_in_the_sandbox_honest_work_gets_full_marks_and_wrong_work_none(boxed):
    assert boxed.returncode == 0, boxed.log
    assert (boxed.course.marks("a_careful"), boxed.course.marks("hurried")) == (FULL_MARKS, NO_MARKS)


@pytest.mark.parametrize(
    ("student", "ending"),
    [("killed", "OutOfMemory"), ("stubborn", "CellTimedOut"), ("flooding", "TooMuchOutput")],
)
def test_in_the_sandbox_an_early_end_has_its_name_and_keeps_its_marks(boxed, student, ending):
    assert boxed.course.marks(student) == {"test_double": 2.0, "test_triple": 0.0}
    assert ending in error_names(labelled(boxed.course.graded(student), "triple"))


def test_in_the_sandbox_a_link_is_refused_wherever_it_points(boxed):
    assert boxed.course.marks("symlink") == {"test_double": 0.0, "test_triple": 1.0}
    assert "symbolic link" in note_of(boxed.course, "symlink")


def test_in_the_sandbox_a_pipe_is_refused_and_not_waited_for(boxed):
    assert boxed.course.marks("fifo") == {"test_double": 0.0, "test_triple": 1.0}


def test_in_the_sandbox_no_process_outlives_the_student_kernel(boxed):
    assert boxed.course.marks("daemon") == FULL_MARKS
    assert not error_names(boxed.course.graded("daemon").cells[-1])
    commands = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert SURVIVOR not in commands


def test_in_the_sandbox_the_student_kernel_finds_support_files_only(boxed):
    assert found_by("looking", boxed.course) == "FOUND ['helper.py'] None 2\n"
