"""How many augmented pictures of each digit the grader needs: the gain by number, beside fresh pictures for every use.

    python -m benchmarks.copies --runs 4

The same runs for every number, on each data set of digits that is prepared. Differences are paired.
"""

from __future__ import annotations

from dataclasses import replace
from time import process_time
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from augcourse import data, recipes
from augcourse.compare import interval
from augcourse.measure import Run, labelled_digits
from augcourse.results import available
from augcourse.settings import GRADING, SETTINGS
from augcourse.train import accuracy, train

RECIPES = {"geometric": recipes.geometric, "the best known": recipes.best_known}


def main(
    runs: Annotated[int, typer.Option(min=2, help="paired runs")] = 4,
    copies: Annotated[list[int] | None, typer.Option(help="pictures of each digit")] = None,
) -> None:
    """Print accuracy and processor seconds of a run for each number of copies, and the difference to fresh pictures."""
    table = Table("data set", "recipe", "pictures of each digit", "accuracy in %", "against fresh", "seconds a run")
    numbers: list[int | None] = [None, *(copies or [20]), *([] if copies else [GRADING.copies])]
    for name in available():
        test = data.load_arrays(data.TEST, name)
        for title, recipe in RECIPES.items():
            found = {}
            for number in track(numbers, f"{name}, {title}"):
                values, started = [], process_time()
                for run in (Run(500 + i, 600 + i) for i in range(runs)):
                    settings = replace(SETTINGS, copies=number)
                    trained = train(*labelled_digits(run.draw, name), seed=run.seed, recipe=recipe(), settings=settings)
                    values.append(100 * accuracy(trained.weights, *test))
                found[number] = np.array(values)
                least = interval(found[number] - found[None])
                table.add_row(
                    name,
                    title,
                    "fresh for every use" if number is None else str(number),
                    f"{found[number].mean():.1f}",
                    "" if number is None else f"{least.mean:+.2f} ({least.low:+.2f} to {least.high:+.2f})",
                    f"{(process_time() - started) / runs:.1f}",
                )
    Console(width=120).print(table)


if __name__ == "__main__":
    typer.run(main)
