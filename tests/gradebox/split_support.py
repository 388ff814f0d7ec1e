"""A tiny course for split execution: graded cells that see hand-ins only, in plain Python.

The hidden tests hold `SECRET` as a line and `REFERENCE` as data; neither may ever be shown.
"""

import copy
from collections.abc import Callable, Mapping
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from .conftest import CONFIG, Course, answer, answered, exam, label

SPLIT_CONFIG = (
    CONFIG.replace("gradebox.execute.GradedExecute", "gradebox.split.SplitExecute")
    + """
c.GradedExecute.timeout = 15
c.GradedExecute.iopub_timeout = 3
c.SplitExecute.trusted_kernel_name = "python3"
c.SplitExecute.trusted_environment = {"TEST_SPLIT": "here"}
c.SplitExecute.trusted_timeout_s = 20
c.SplitExecute.handin_patterns = ["handin/*.json"]
c.SplitExecute.handin_max_bytes = 10_000
c.SplitExecute.handin_max_files = 5
c.GenerateFeedback.exporter_class = "gradebox.page.FeedbackExporter"
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.GetGrades",
    "gradebox.feedback.HideHiddenTests",
    "gradebox.summary.Summarise",
    "gradebox.harmless.HarmlessOutputs",
]
"""
)
DOUBLE, TRIPLE = "def double(x):\n    return 2 * x", "def triple(x):\n    return factor() * x"
HONEST = {"double": DOUBLE, "triple": TRIPLE}
WRONG = {"double": "def double(x):\n    return x", "triple": "def triple(x):\n    return x"}
FULL_MARKS = {"test_double": 2.0, "test_triple": 1.0}
NO_MARKS = {"test_double": 0.0, "test_triple": 0.0}

MESSAGE = "your double of the probe is off"  # a hidden test's
SECRET = "secret_reference = 2 * probe + len('four')"
REFERENCE = "48104"

SETUP = """import json, os
from pathlib import Path
from helper import factor
PROBE = int(os.environ["PROBE_SEED"]) % 1000
Path("handin").mkdir(exist_ok=True)"""
HAND_IN = """Path("handin/{name}.json").write_text(json.dumps({{"probe": PROBE, "value": {name}(PROBE)}}))"""
READ = """import json, os
from pathlib import Path
probe = int(os.environ["PROBE_SEED"]) % 1000
work = json.loads(Path("handin/{name}.json").read_bytes())
assert work["probe"] == probe, "this hand-in answers other probes"
print("{name}: handed in")
### BEGIN HIDDEN TESTS
{hidden}
### END HIDDEN TESTS"""
HIDDEN_DOUBLE = f"""{SECRET}
table = [{REFERENCE}, 4]
assert os.environ["TEST_SPLIT"] == "here"
print("log of the test", file=__import__("sys").stderr)
try:
    assert table[0] == work["value"]
except AssertionError:
    assert work["value"] == secret_reference - 4, "{MESSAGE}" """
HIDDEN_TRIPLE = """import helper
assert work["value"] == helper.factor() * probe, "the triple is off" """


def source_notebook() -> nbformat.NotebookNode:
    cells = [
        new_markdown_cell("# Split"),
        label(new_code_cell(SETUP), "setup", locked=True),
        answer("double", DOUBLE),
        label(new_code_cell(HAND_IN.format(name="double")), "double_handin", locked=True),
        exam("test_double", 2, READ.format(name="double", hidden=HIDDEN_DOUBLE)),
        answer("triple", TRIPLE),
        label(new_code_cell(HAND_IN.format(name="triple")), "triple_handin", locked=True),
        exam("test_triple", 1, READ.format(name="triple", hidden=HIDDEN_TRIPLE)),
        new_code_cell("print('the last cell')"),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel})


def make_course(root: Path, config: str = SPLIT_CONFIG, notebook: nbformat.NotebookNode | None = None) -> Course:
    """The course in `root`, with its one step released: `source_notebook`, or another notebook."""
    course = Course(root)
    (root / "nbgrader_config.py").write_text(config)
    folder = root / "source" / "sums"
    (folder / "handin").mkdir(parents=True)
    nbformat.write(notebook or source_notebook(), folder / "sums.ipynb")
    (folder / "helper.py").write_text("def factor():\n    return 3\n")
    (folder / "handin" / "triple.json").write_text("{}")  # left by whoever ran the solution
    done = course.nbgrader("generate_assignment", "sums")
    assert done.returncode == 0, done.stderr
    return course


def hand_in(
    course: Course,
    student: str,
    answers: Mapping[str, str],
    edit: Callable[[nbformat.NotebookNode], None] | None = None,
) -> Path:
    """Hand in the release with these answers, edited; return the notebook's path."""
    notebook = copy.deepcopy(answered(course.release("sums", "sums"), dict(answers)))
    if edit:
        edit(notebook)
    return course.hand_in(student, "sums", "sums.ipynb", notebook)
