"""Where the seconds of a verdict go, against two floors: the training arithmetic alone, and albumentations alone.

    make bench

One warm process, one core, the default data set, cached baselines, the recipe `geometric` in an empty cache of its
own. The first floor is the compiled loop on pictures that are there already; the second is a plain loop of
`compose(image=…)` over as many pictures as a run augments. All times are processor seconds of this process.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable

import albumentations as A
from rich.console import Console
from rich.table import Table

from augcourse import data, measure, recipes
from augcourse.settings import SETTINGS
from augcourse.train import accuracy, image_order, train


def seconds(work: Callable[[], object], rounds: int = 3) -> float:
    """Processor seconds of one call, the least of several: whatever else runs can only add."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def main() -> None:
    """Print the parts of one run, the floors, and a whole decided verdict."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["AUGCOURSE_CACHE_DIR"] = folder
        os.environ["AUGCOURSE_DATASET"] = data.DEFAULT
        data.prepare()
        digits, labels = measure.labelled_digits(0)
        test = data.load_arrays(data.TEST)
        recipe = recipes.geometric()
        order = image_order(len(labels), 0).ravel()
        weights = train(digits, labels, seed=0).weights  # compiles the loop
        accuracy(weights, *test)
        compose = A.from_dict(recipe.pipelines[0])

        def plain_loop() -> None:
            for i in order:
                compose(image=digits[i])

        arithmetic = seconds(lambda: train(digits, labels, seed=0))
        albumentations_alone = seconds(plain_loop)
        augmenting = seconds(lambda: recipe.apply(digits[order], labels[order], 0))
        testing = seconds(lambda: accuracy(weights, *test))
        measure.accuracies(None, measure.GRADER_RUNS)
        start = time.process_time()
        said = measure.judge(recipe)
        whole = time.process_time() - start
    floor = arithmetic + albumentations_alone
    table = Table("part", "seconds", title="one run of the augmented arm, and a verdict")
    table.add_row(f"floor: training arithmetic, {SETTINGS.steps} steps", f"{arithmetic:.2f}")
    table.add_row(f"floor: albumentations in a plain loop, {len(order):,} pictures", f"{albumentations_alone:.2f}")
    table.add_row("augmenting, with a seed for every picture", f"{augmenting:.2f}")
    table.add_row("test digits", f"{testing:.2f}")
    table.add_row("a run over its floors", f"{(arithmetic + augmenting + testing) / floor:.2f} times")
    table.add_row(f"verdict after {said.runs} runs: {said.outcome}", f"{whole:.2f}")
    table.add_row("a verdict over its floors", f"{whole / (said.runs * floor):.2f} times")
    Console().print(table)


if __name__ == "__main__":
    main()
