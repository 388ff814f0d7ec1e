"""Each step under nbgrader's own commands, and in its own right: reproducible, quiet, complete."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from augcourse import build, samples

from .course import ROOT

EVERY_STEP = [pytest.param(step, marks=pytest.mark.xdist_group(f"notebooks-{step}")) for step in build.STEPS]


CLOSING = ("Three things to remember", "Five questions", "Going further", "Words", "Read more")


@pytest.fixture
def offline_digits(data_sets, monkeypatch):
    for name, value in data_sets().items():
        monkeypatch.setenv(name, value)


def nbgrader(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    tools = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=folder,
        env={**os.environ, "PATH": tools},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )


def hand_ins(step: str, folder: Path) -> dict[str, bytes]:
    """Run what grading runs of a step's solution in `folder`; return its hand-ins."""
    notebook = nbformat.read(build.notebook_path(ROOT, "source", step), as_version=4)
    notebook.cells = [
        cell
        for cell in notebook.cells
        if "show" not in cell.metadata.get("tags", []) and not cell.metadata.get("nbgrader", {}).get("grade")
    ]
    folder.mkdir()
    NotebookClient(notebook, timeout=200, resources={"metadata": {"path": str(folder)}}).execute()
    # How many batches TensorFlow reads ahead is a matter of time, and the one thing in a hand-in that no seed decides.
    ahead = re.compile(rb'"passes": \[[^\]]*\]')
    return {path.name: ahead.sub(b"", path.read_bytes()) for path in (folder / "handin").iterdir()}


@pytest.mark.slow
@pytest.mark.parametrize("step", EVERY_STEP)
def test_two_runs_with_the_same_seed_write_identical_hand_ins(step, tmp_path, offline_digits, monkeypatch):
    monkeypatch.setenv("AUGCOURSE_PROBE_SEED", "5")
    first = hand_ins(step, tmp_path / "first")
    assert len(first) >= 4
    assert hand_ins(step, tmp_path / "second") == first


@pytest.mark.slow
@pytest.mark.parametrize("step", EVERY_STEP)
def test_nbgrader_validate_accepts_the_solution_and_names_what_the_release_lacks(step, tmp_path, offline_digits):
    config = (ROOT / "nbgrader_config.py").read_text(encoding="utf-8")
    (tmp_path / "nbgrader_config.py").write_text(config, encoding="utf-8")
    nbformat.write(samples.submission(ROOT, step), tmp_path / "solved.ipynb")
    solved = nbgrader(tmp_path, "validate", "solved.ipynb")
    assert "Success! Your notebook passes all the tests." in solved.stdout, solved.stdout + solved.stderr
    untouched = nbgrader(tmp_path, "validate", str(build.notebook_path(ROOT, "release", step)))
    assert "VALIDATION FAILED" in untouched.stdout
    assert "not solved yet" in untouched.stdout


@pytest.mark.parametrize("step", build.STEPS)
def test_a_lesson_opens_with_its_question_and_ends_with_three_things(step):
    notebook = nbformat.read(build.notebook_path(ROOT, "source", step), as_version=4)
    text = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    first = text[0]
    assert first.startswith(f"# Step {step[4]}: ")
    assert "?" in first.splitlines()[0]
    for heading in ("You will be able to", "You need", "Time"):
        assert heading in first
    headings = [line for cell in text for line in cell.splitlines() if line.startswith("## ")]
    assert headings[-5:] == [f"## {each}" for each in CLOSING]
    closing = _section(text, CLOSING[0])
    assert all(f"{i}. " in closing for i in (1, 2, 3))


def _section(text: list[str], heading: str) -> str:
    return "\n\n".join(text).split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]


DEFINITIONS: dict[str, str] = {}


@pytest.mark.parametrize("step", build.STEPS)
def test_a_term_means_the_same_in_every_step_and_is_linked_where_it_is_first_used(step):
    notebook = nbformat.read(build.notebook_path(ROOT, "source", step), as_version=4)
    release = [cell for cell in notebook.cells if "answer" not in cell.metadata.get("tags", [])]
    text = [cell.source for cell in release if cell.cell_type == "markdown"]
    words = _section(text, "Words")
    entries = [" ".join(entry.split()) for entry in words.split("\n- ")[1:]]
    defined = {term.strip("*"): meaning for term, meaning in (entry.split(": ", 1) for entry in entries)}
    assert defined
    for term, meaning in defined.items():
        assert DEFINITIONS.setdefault(term, meaning) == meaning, term
    linked = {name.lower() for cell in text for name in re.findall(r"\[([^\]]+)\]\(#Words\)", cell)}
    assert {term for term in defined if not any(name.startswith(term[:4]) for name in linked)} == set()


@pytest.mark.parametrize("step", build.STEPS)
def test_graded_cells_stand_alone(step):
    """They will run where no other cell ran: every name they use is their own, imported, or a builtin."""
    import builtins
    import symtable

    notebook = nbformat.read(build.notebook_path(ROOT, "source", step), as_version=4)
    for cell in notebook.cells:
        marks = cell.metadata.get("nbgrader", {})
        if cell.cell_type == "code" and marks.get("grade"):
            table = symtable.symtable(cell.source, cell["id"], "exec")
            free = _free_names(table) - set(dir(builtins))
            assert free <= {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported()}, cell["id"]


def _free_names(table) -> set[str]:
    names = {s.get_name() for s in table.get_symbols() if s.is_global() or table.get_type() == "module"}
    names = {n for n in names if not n.startswith(".")}
    return names.union(*(_free_names(child) for child in table.get_children())) if table.get_children() else names


IMPORTED_BY_CELLS = """
import importlib, json, sys
from traitlets.config import PyFileConfigLoader
config = PyFileConfigLoader("nbgrader_config.py", path=sys.argv[1]).load_config()
for name in config.SandboxProvisioner.warm_modules:
    importlib.import_module(name)
before = set(sys.modules)
for statement in json.load(sys.stdin):
    exec(statement)
print(json.dumps(sorted({name.split(".")[0] for name in set(sys.modules) - before})))
"""


def test_a_forked_kernel_finds_imported_what_its_cells_import():
    """`warm_modules` of the policy bring all that cells import, but for small modules: Python's own and ours."""
    cells = [cell for step in build.STEPS for cell in build.source_of(build.lesson_path(ROOT, step).read_text()).cells]
    run = [cell for cell in cells if cell.cell_type == "code" and "show" not in cell.metadata.get("tags", [])]
    nodes = [node for cell in run for node in ast.walk(ast.parse(cell.source))]
    imports = [ast.unparse(node) for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    assert len(imports) > 50
    command = [sys.executable, "-c", IMPORTED_BY_CELLS, str(ROOT)]
    done = subprocess.run(command, input=json.dumps(imports), capture_output=True, text=True, timeout=120, check=True)
    assert set(json.loads(done.stdout)) <= {"augcourse", *sys.stdlib_module_names}


FOUND_BY_NAME = """
import sys
import augcourse.kernels
import tensorflow_datasets as tfds
before = set(sys.modules)
tfds.builder("mnist", data_dir=sys.argv[1])
print(len({name for name in set(sys.modules) - before if name.startswith("tensorflow_datasets.")}))
"""


def test_a_forked_kernel_finds_imported_what_tfds_looks_through_for_a_data_set(tmp_path):
    command = [sys.executable, "-c", FOUND_BY_NAME, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert int(done.stdout) < 10, "several hundred modules are imported in each kernel"
