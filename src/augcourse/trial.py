"""A recipe's first run, in a process of its own, so that whatever it does, the grader goes on and says why.

The child augments a few pictures with the course's own recipe and with the handed-in one, and compares their
times: a ratio within one process says the same on a slow machine and on a fast one.
"""

from __future__ import annotations

import json
import subprocess
import sys
from time import perf_counter

import numpy as np

from augcourse.augment import Recipe
from augcourse.errors import RecipeError
from augcourse.settings import CLASSES, IMAGE_SHAPE

__all__ = ["MAX_COST", "check"]

MAX_COST = 10.0
"""How many times as long as the course's own `geometric` recipe a picture may take."""

PICTURES = 100
CHILD_S = 60.0


def check(recipe: Recipe) -> None:
    """Let a recipe augment a hundred pictures, at most a minute long.

    Raises:
        RecipeError: it crashes or stops half-way, changes shape or dtype, or takes more than `MAX_COST` times as
            long as the course's own.
    """
    try:
        child = subprocess.run(
            [sys.executable, "-m", "augcourse.trial"],
            input=recipe.to_json(),
            capture_output=True,
            text=True,
            timeout=CHILD_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise RecipeError(
            f"recipe: {PICTURES} pictures take it more than {CHILD_S:g} s; drop what is slow in it"
        ) from None
    if child.returncode != 0:
        ended = f"signal {-child.returncode}" if child.returncode < 0 else f"exit code {child.returncode}"
        raise RecipeError(f"recipe: the process that tried it died ({ended}); simplify it")
    fault = json.loads(child.stdout.splitlines()[-1])["fault"]
    if fault:
        raise RecipeError(fault)


def _fault(recipe: Recipe) -> str:
    """What is wrong with the recipe, in a sentence; empty if nothing is."""
    from augcourse.recipes import geometric

    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (PICTURES, *IMAGE_SHAPE), dtype=np.uint8)
    labels = np.arange(PICTURES) % CLASSES
    reference = geometric()
    reference.apply(images[:CLASSES], labels[:CLASSES], 0)  # what a first call loads is nobody's cost
    allowed_s = MAX_COST * _seconds(reference, images, labels)
    spent_s = 0.0
    for part in range(0, PICTURES, CLASSES):
        now = slice(part, part + CLASSES)
        try:
            spent_s += _seconds(recipe, images[now], labels[now])
        except RecipeError as error:
            return str(error)
        if spent_s > allowed_s:
            times = spent_s / (allowed_s / MAX_COST) * PICTURES / (part + CLASSES)
            return (
                f"recipe: a picture takes {times:.0f} times as long as with the course's own recipe, and at most "
                f"{MAX_COST:g} times is trained with; drop what is slow in it"
            )
    return ""


def _seconds(recipe: Recipe, images: np.ndarray, labels: np.ndarray) -> float:
    start = perf_counter()
    recipe.apply(images, labels, 0)
    return perf_counter() - start


if __name__ == "__main__":
    print(json.dumps({"fault": _fault(Recipe.from_json(sys.stdin.read()))}))
