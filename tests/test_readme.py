"""The README's claims: the tree is the tree, the commands exist, the figure is there, and the numbers are printed."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from augcourse import results, tables
from augcourse.settings import SETTINGS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def tree():
    block = next(b for b in README.split("```")[1::2] if "Makefile" in b)
    folder = ""
    for line in block.strip().splitlines():
        name = line.split()[0]
        if line.startswith("    "):
            yield folder + name
        else:
            folder = name if name.endswith("/") else ""
            yield name


@pytest.mark.parametrize("path", list(tree()))
def test_everything_in_the_tree_exists(path):
    assert (ROOT / path).exists()


@pytest.mark.parametrize("package", ["augcourse", "gradebox"])
def test_the_tree_names_every_module(package):
    modules = {f"src/{package}/{p.name}" for p in (ROOT / "src" / package).glob("[a-z]*.py")}
    assert modules <= set(tree())


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)]+)\)", README))
def test_every_link_leads_somewhere(link):
    assert (ROOT / link).exists()


def test_make_lists_every_target_that_the_readme_names():
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in re.findall(r"`make (\w+)`", README) + re.findall(r"^make (\w+)", README, re.M):
        assert f"make {target}" in listed


def test_the_settings_in_the_text_are_the_settings():
    assert (SETTINGS.labels_per_class, SETTINGS.steps, SETTINGS.looks) == (10, 600, (2, 4, 8))


@pytest.mark.parametrize("dataset", results.DATASETS)
def test_what_the_text_says_of_the_figure_is_in_the_figure(dataset):
    gains = {name: values.mean() for name, values in results.gains("ablation", dataset).items()}
    assert gains["the tutorial's four"] < 0
    assert (results.gains("ablation", dataset)["horizontal flip"] < 0).all()
    assert gains["shift ±10 %"] > gains["the label-aware four"] > gains["the tutorial's four"]


def test_what_the_text_says_of_the_labels_is_in_the_table():
    rows: Any = tables.by_labels("mnist").set_index(["augmentation", "labels per class"]).accuracy
    gains = {n: rows["the best known", n] - rows["none", n] for n in results.LABELS}
    assert rows["the best known", 10] > 94
    assert gains[10] > gains[30] > gains[100]
    assert gains[100] < 2
