"""`make test` grades a class once because all tests over it run in one worker."""

from __future__ import annotations

import os

import pytest


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="only where several workers share the tests")
@pytest.mark.xdist_group("one worker")
def test_a_group_of_tests_stays_in_one_worker(request):
    """pytest-xdist sends a group to one worker by writing its name behind the test's."""
    assert request.node.nodeid.endswith("@one worker")
