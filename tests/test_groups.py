"""`make test` grades a class once because all tests over it run in one worker."""

from __future__ import annotations

import os

import pytest

from .conftest import GRADED


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="only where several workers share the tests")
@pytest.mark.xdist_group("one worker")
def test_a_group_of_tests_stays_in_one_worker(request):
    """pytest-xdist sends a group to one worker by writing its name behind the test's."""
    assert request.node.nodeid.endswith("@one worker")


def test_all_tests_over_one_graded_class_are_in_one_group(request):
    groups: dict[tuple[str, str], set[str]] = {}
    for item in request.session.items:
        if item.path.parent.name == "gradebox":
            for name in GRADED & set(getattr(item, "fixturenames", ())):
                home = "conftest" if name == "graded_class" else item.path.stem
                mark = item.get_closest_marker("xdist_group")
                groups.setdefault((home, name), set()).add(mark.args[0] if mark else item.nodeid)
    assert all(len(names) == 1 for names in groups.values()), groups
