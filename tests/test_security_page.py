"""The pages of promises: every test that they name exists, and the attacks' table is complete and clean on our side."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
GRADING = (ROOT / "docs" / "grading.md").read_text(encoding="utf-8")
HUB = (ROOT / "docs" / "hub.md").read_text(encoding="utf-8")


def cited():
    """(file, test) of every test that the pages name; a bare `::test` belongs to the file named before it."""
    file = ""
    for path, test in re.findall(r"`(tests/[\w/]+\.py)?(?:::(test_\w+))?`", PAGE + GRADING + HUB):
        file = path or file
        if path or test:
            yield file, test


@pytest.mark.parametrize(("file", "test"), sorted(set(cited())))
def test_a_test_that_the_page_names_exists(file, test):
    source = (ROOT / file).read_text(encoding="utf-8")
    assert not test or f"def {test}(" in source


def test_the_page_names_tests():
    assert len(set(cited())) > 15


def test_the_table_has_every_attack_and_ours_held_against_each():
    from tests.attacks.bank import ATTACKS
    from tests.attacks.course_bank import ATTACKS as COURSE_ATTACKS

    table = [line.strip("| ").split(" | ") for line in PAGE.split("## The attack bank")[1].splitlines() if "|" in line]
    ours = {cells[0].strip(): cells[-1].strip() for cells in table}
    for attack in [*(a.name for a in ATTACKS), *(a.name for a in COURSE_ATTACKS)]:
        verdicts = [verdict for name, verdict in ours.items() if name.startswith(attack)]
        assert verdicts, attack
        assert all(verdict.startswith("held") for verdict in verdicts), attack
