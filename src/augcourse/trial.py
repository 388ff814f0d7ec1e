"""A recipe's first run, in a process of its own, so that whatever it does, the grader goes on and says why.

The child augments a few pictures with the course's own recipe and then with the handed-in one, several times, and
compares their processor times round by round: the median of such ratios says the same on a slow machine, a fast one and
a busy one, and is the recipe's alone, whatever else one round had to wait for or to load. On Linux the child is forked
from this process, which has all of its libraries loaded; where that cannot be, a new Python starts.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from statistics import median
from time import process_time

import numpy as np

from augcourse.augment import Recipe
from augcourse.errors import RecipeError
from augcourse.settings import CLASSES, IMAGE_SHAPE

__all__ = ["MAX_COST", "check"]

MAX_COST = 10.0
"""How many times as long as the course's own `geometric` recipe a picture may take."""

PICTURES = 40  # of a round
ROUNDS = 5
CHILD_S = 60.0
READY_S = 20.0
"""Seconds after which a forked child that has not even run the course's own recipe is given up: it waits for a lock
that a thread held which exists in this process alone."""


def check(recipe: Recipe, channels: int = 1) -> None:
    """Let a recipe augment two hundred pictures, at most a minute long.

    Args:
        channels: of the pictures: 1, or 3 on coloured ink.

    Raises:
        RecipeError: it crashes or stops half-way, changes shape or dtype, or takes more than `MAX_COST` times as
            long as the course's own.
    """
    fault = _of_a_fork(recipe, channels) if sys.platform == "linux" else None
    if fault is None:
        fault = _of_a_new_process(recipe, channels)
    if fault:
        raise RecipeError(fault)


def _of_a_fork(recipe: Recipe, channels: int) -> str | None:
    """What a forked child finds wrong with the recipe; empty if nothing is, None if the child could not try it."""
    fork = multiprocessing.get_context("fork")
    ours, theirs = fork.Pipe(duplex=False)
    child = fork.Process(target=_try, args=(theirs, recipe, channels))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads: the child uses nothing that they hold
        child.start()
    theirs.close()
    try:
        if _said(ours, READY_S) is None:
            return None
        if not ours.poll(CHILD_S):
            return _too_slow()
        if (said := _said(ours, 0)) is not None:
            return json.loads(said)["fault"]
        child.join()
        return _died(child.exitcode or 0)
    finally:
        child.kill()
        child.join()
        child.close()
        ours.close()


def _said(child: Connection, timeout_s: float) -> bytes | None:
    """The child's next message; None if it is late, or if the child has ended."""
    try:
        return child.recv_bytes() if child.poll(timeout_s) else None
    except EOFError:
        return None


def _try(told: Connection, recipe: Recipe, channels: int) -> None:
    with open(os.devnull, "w") as nobody:
        sys.stdout = sys.stderr = nobody  # a notebook's own streams lead to threads that are not in this process
        pictures = _pictures(channels)
        reference_s = _reference(*pictures)
        told.send_bytes(b"ready")
        told.send_bytes(json.dumps({"fault": _fault(recipe, reference_s, *pictures)}).encode())


def _of_a_new_process(recipe: Recipe, channels: int) -> str:
    try:
        child = subprocess.run(
            [sys.executable, "-m", "augcourse.trial", str(channels)],
            input=recipe.to_json(),
            capture_output=True,
            text=True,
            timeout=CHILD_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return _too_slow()
    if child.returncode != 0:
        return _died(child.returncode)
    return json.loads(child.stdout.splitlines()[-1])["fault"]


def _too_slow() -> str:
    return f"recipe: {ROUNDS * PICTURES} pictures take it more than {CHILD_S:g} s; drop what is slow in it"


def _died(code: int) -> str:
    ended = f"signal {-code}" if code < 0 else f"exit code {code}"
    return f"recipe: the process that tried it died ({ended}); simplify it"


def _pictures(channels: int) -> tuple[np.ndarray, np.ndarray]:
    """A round's pictures, and their labels."""
    rng = np.random.default_rng(0)
    shape = (PICTURES, *IMAGE_SHAPE[:2], channels)
    return rng.integers(0, 256, shape, dtype=np.uint8), np.arange(PICTURES) % CLASSES


def _reference(images: np.ndarray, labels: np.ndarray) -> Callable[[], float]:
    """What measures the seconds that the course's own recipe takes for a round's pictures now."""
    from augcourse.recipes import geometric

    reference = geometric()
    reference.apply(images, labels, 0)  # what a first call loads is nobody's cost
    return lambda: _seconds(reference, images, labels)


def _fault(recipe: Recipe, reference_s: Callable[[], float], images: np.ndarray, labels: np.ndarray) -> str:
    """What is wrong with the recipe, in a sentence; empty if nothing is."""
    times: list[float] = []
    slow: list[float] = []
    while len(times) < ROUNDS and len(slow) <= ROUNDS // 2:  # whatever follows, the median is too high then
        try:
            times.append(_seconds(recipe, images, labels) / reference_s())
        except RecipeError as error:
            return str(error)
        slow = [each for each in times if each > MAX_COST]
    if len(slow) > ROUNDS // 2:
        return (
            f"recipe: a picture takes {median(slow):.0f} times as long as with the course's own recipe, and at most "
            f"{MAX_COST:g} times is trained with; drop what is slow in it"
        )
    return ""


def _seconds(recipe: Recipe, images: np.ndarray, labels: np.ndarray) -> float:
    """Processor time: while other submissions are graded, the clock runs on for a process that waits for its turn."""
    start = process_time()
    recipe.apply(images, labels, 0)
    return process_time() - start


if __name__ == "__main__":
    tried_on = _pictures(int(sys.argv[1]))
    print(json.dumps({"fault": _fault(Recipe.from_json(sys.stdin.read()), _reference(*tried_on), *tried_on)}))
