"""The course's own runs: which studies there are, how they are made, and how a lesson reads them.

`make results` trains every run of every study on every data set that is prepared and writes `stored_runs.csv` beside
this file; the lessons draw it, and the student adds one run of their own. Row i of every entry of a study is the
same run (one draw of the labels, one seed), so that gains are paired.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from rich.progress import track

from augcourse import data
from augcourse.augment import Recipe
from augcourse.compare import confusion_matrix, paired_gains, recall
from augcourse.digits.ink import FAVOURITE_SHARE
from augcourse.errors import DataError
from augcourse.measure import Run, labelled_digits, recalls
from augcourse.measure import accuracies as measured
from augcourse.settings import SETTINGS, Settings

__all__ = [
    "DATASETS",
    "STORED",
    "Job",
    "accuracies",
    "available",
    "gains",
    "jobs",
    "make",
    "run_job",
    "stored",
    "strangers",
]

DATASETS = ("mnist_sample", "mnist", "uci_digits")
"""The data sets of handwritten digits, in the order of tables and figures."""

STRANGERS = "uci_digits"
"""Whose digits a model meets that was trained on others: the `train` split, which a student may see, too."""

STORED = Path(str(files("augcourse") / "stored_runs.csv"))

LABELS = (10, 30, 100)
"""Labelled digits per class in the table of results."""

TABLE = (
    "none",
    *("rotation ±15°", "horizontal flip", "brightness ±0.3", "saturation ±0.5", "shift ±10 %"),
    *("the tutorial's four", "the label-aware four", "the best known"),
)
"""The rows of the table of results: the baseline, the tutorial's four and shift alone, both fours, the best."""

LONG_STEPS = 2400
"""Optimiser steps of the study "long"."""

TUNED = tuple(
    replace(SETTINGS, dropout=dropout, weight_decay=decay)
    for dropout in (0.0, 0.25, 0.5, 0.75, 0.85)
    for decay in (0.0, 0.5, 2.0)
)
"""The networks among which the study "tuning" chooses on validation digits, without augmentation."""

REGULARISED = replace(SETTINGS, dropout=0.75, weight_decay=0.0)
"""The best of `TUNED` on the data set that the course runs on."""


@dataclass(frozen=True)
class Job:
    """One arm to train: where its accuracy belongs, and what to train on.

    Attributes:
        recipe: a name in `recipes.NAMED`, `geometric ×<strength>`, a mirror recipe, one for ink, or "" for none.
        frozen: augment every labelled digit once and train on these pictures only.
        steps, dropout, weight_decay, ink: as in `Settings`; -1 is grey digits.
        exam: what the trained model is asked: `test`, `validation`, or the name of another data set.
    """

    dataset: str
    study: str
    row: str
    index: int
    draw: int
    seed: int
    labels_per_class: int = SETTINGS.labels_per_class
    recipe: str = ""
    frozen: bool = False
    steps: int = SETTINGS.steps
    dropout: float = 0.0
    weight_decay: float = 0.0
    ink: float = -1
    exam: str = data.TEST

    def settings(self) -> Settings:
        """What this arm is trained with."""
        return replace(
            SETTINGS,
            labels_per_class=self.labels_per_class,
            steps=self.steps,
            dropout=self.dropout,
            weight_decay=self.weight_decay,
            ink=None if self.ink < 0 else self.ink,
        )


def accuracies(study: str, dataset: str) -> dict[str, np.ndarray]:
    """Name of a row → float64 (runs,) stored test accuracies in 0..1, in the order of the study.

    Raises:
        DataError: no stored runs of this study on this data set.
    """
    table = stored()
    table = table[(table.study == study) & (table.dataset == dataset)]
    if table.empty:
        raise DataError(f"no stored runs of the study {study!r} on {dataset}: `make results` makes them")
    return {str(row): part.sort_values("index").accuracy.to_numpy() for row, part in table.groupby("row", sort=False)}


@lru_cache(maxsize=1)
def stored() -> pd.DataFrame:
    """Every stored run: a row per `Job`, with its accuracy and its recall of each digit in 0..1.

    Raises:
        DataError: the file is missing.
    """
    try:
        return pd.read_csv(STORED, keep_default_na=False)
    except FileNotFoundError:
        raise DataError(f"{STORED.name} is missing: `make results` makes it") from None


def jobs(dataset: str) -> Iterator[Job]:
    """Every arm of every study on one data set, in the order of the table.

    Pictures that are not digits are asked one question only: what each recipe gains there.
    """
    ablation = {"none": "", **{name: name for name in _named() if name != "the best known"}}
    yield from _rows(dataset, "ablation", ablation, 5)
    if dataset not in DATASETS:
        return
    for i in range(12):
        yield Job(dataset, "spread", "same labels, other seeds", i, 100, 200 + i)
    for i in range(12):
        yield Job(dataset, "spread", "same seed, other labels", i, 100 + i, 200)
    dial = {"none": "", **{f"×{s:g}": f"geometric ×{s:g}" for s in (0.5, 1, 2, 3)}}
    yield from _rows(dataset, "dial", dial, 4)
    yield from _rows(dataset, "one line", {"none": ""}, 4)
    for job in _rows(dataset, "one line", {"augment, then cache": "geometric"}, 4):
        yield replace(job, frozen=True)
    yield from _rows(dataset, "one line", {"cache, then augment": "geometric"}, 4)
    for recipe in ("", "geometric"):
        for n in (10, 30, 100):
            row = {f"{recipe or 'none'}, {n}": recipe}
            yield from (replace(job, labels_per_class=n) for job in _rows(dataset, "labels", row, 5))
    for name in TABLE if dataset != STRANGERS else ():
        for n in LABELS:
            row = {f"{name}, {n}": "" if name == "none" else name}
            yield from (replace(job, labels_per_class=n) for job in _rows(dataset, "table", row, 5))
    mirror = {"none": "", **{name: name for name in _mirror()}}
    yield from _rows(dataset, "mirror", mirror, 4)
    if dataset in data.OFFLINE:
        yield from _ink(dataset)
        yield from _sceptic(dataset)
    if dataset == data.DEFAULT:
        strangers = {name: "" if name == "none" else name for name in ("none", *_MET_BY_STRANGERS)}
        for where, exam in (("at home", data.TEST), ("strangers", STRANGERS)):
            rows = {f"{name}, {where}": recipe for name, recipe in strangers.items()}
            yield from (replace(job, exam=exam) for job in _rows(dataset, "strangers", rows, 5))
    if dataset != STRANGERS:
        longer = {"none": "", "the best known": "the best known"}
        yield from (replace(job, steps=LONG_STEPS) for job in _rows(dataset, "long", longer, 5))


_MET_BY_STRANGERS = ("rotation ±15°", "shift ±10 %", "geometric", "the best known")


def _ink(dataset: str) -> Iterator[Job]:
    from augcourse.recipes import ON_INK

    inked = {"none": "", **{name: name for name in ON_INK}, "geometric": "geometric"}
    yield from (replace(job, ink=FAVOURITE_SHARE) for job in _rows(dataset, "ink", inked, 5))
    always = {"none": "", "geometric": "geometric", "any hue": "any hue"}
    yield from (replace(job, ink=1.0) for job in _rows(dataset, "ink, always the favourite pen", always, 5))


def _sceptic(dataset: str) -> Iterator[Job]:
    for tuned in TUNED if dataset == data.DEFAULT else ():
        row = {f"dropout {tuned.dropout:g}, weight decay {tuned.weight_decay:g}": ""}
        for job in _rows(dataset, "tuning", row, 4, first=600):
            yield replace(job, dropout=tuned.dropout, weight_decay=tuned.weight_decay, exam=data.VALIDATION)
    yield from _rows(dataset, "sceptic", {"none": "", "geometric": "geometric"}, 5)
    for job in _rows(dataset, "sceptic", {"regularised": "", "regularised, geometric": "geometric"}, 5):
        yield replace(job, dropout=REGULARISED.dropout, weight_decay=REGULARISED.weight_decay)


def _rows(dataset: str, study: str, rows: dict[str, str], runs: int, first: int = 300) -> Iterator[Job]:
    for row, recipe in rows.items():
        for i in range(runs):
            yield Job(dataset, study, row, i, first + i, first + 100 + i, recipe=recipe)


def _named() -> dict[str, Callable[[], Recipe]]:
    from augcourse.recipes import NAMED

    return NAMED


def _mirror() -> dict[str, Callable[[], Recipe]]:
    import albumentations as A

    from augcourse.recipes import SURVIVES_A_MIRROR, affine

    def pipeline(rotate: float, mirrored: tuple[int, ...]) -> Recipe:
        turn = [affine(rotate=rotate)] if rotate else []
        return Recipe.of({d: A.Compose(turn + ([A.HorizontalFlip(p=0.5)] if d in mirrored else [])) for d in range(10)})

    return {
        "safe flip": lambda: pipeline(0, SURVIVES_A_MIRROR),
        "rotation": lambda: pipeline(15, ()),
        "rotation and safe flip": lambda: pipeline(15, SURVIVES_A_MIRROR),
    }


def _recipe(name: str) -> Recipe | None:
    from augcourse.recipes import ON_INK, geometric

    if not name:
        return None
    if name.startswith("geometric ×"):
        return geometric(float(name.removeprefix("geometric ×")))
    return (_named() | _mirror() | ON_INK)[name]()


def run_job(job: Job) -> dict[str, object]:
    """Train one arm, unless it is cached, and return its row: accuracy and recall of each digit in 0..1."""
    recipe, run = _recipe(job.recipe), Run(job.draw, job.seed)
    if job.frozen and recipe is not None:
        value, by_digit = _frozen(job.dataset, recipe, run, job.settings())
    else:
        asked: dict[str, Any] = {"name": job.dataset, "settings": job.settings(), "exam": job.exam}
        value = float(measured(recipe, [run], **asked)[0])
        by_digit = recalls(recipe, [run], **asked)[0]
    shares = {f"recall {digit}": round(float(share), 4) for digit, share in enumerate(by_digit)}
    return {**asdict(job), "accuracy": value, **shares}


def _frozen(dataset: str, recipe: Recipe, run: Run, settings: Settings) -> tuple[float, np.ndarray]:
    """What `cache` after `map` does: every labelled digit is augmented once, and trained on for ever."""
    from augcourse.train import predict, train

    images, labels = labelled_digits(run.draw, dataset, settings)
    once = recipe.apply(images, labels, run.seed)
    trained = train(once, labels, seed=run.seed, settings=settings)
    pictures, truth = data.load_arrays(data.TEST, dataset)
    said = predict(trained.weights, pictures).argmax(1)
    return float(np.mean(said == truth)), recall(confusion_matrix(truth, said))


def available() -> list[str]:
    """The data sets of digits that can be used here: those that need no network, and mnist where it is prepared."""
    found = []
    for name in DATASETS:
        with contextlib.suppress(DataError):
            if name in data.OFFLINE:
                data.prepare(name)
            data.load_arrays(data.TEST, name)
            found.append(name)
    return found


def make(root: Path, datasets: Sequence[str], workers: int) -> None:
    """Train every run of these data sets, and write the stored runs, and the tables and figures in `docs/results`.

    Runs of other data sets are kept. Interrupted, it goes on where it was: finished runs are cached.
    """
    todo = [job for name in datasets for job in jobs(name)]
    for name in datasets:
        data.prepare(name)
    trained = joblib.Parallel(n_jobs=workers, return_as="generator")(joblib.delayed(run_job)(job) for job in todo)
    rows = pd.DataFrame(list(track(trained, "training", total=len(todo))))
    if STORED.exists():
        kept = pd.read_csv(STORED, keep_default_na=False)
        rows = pd.concat([kept[~kept.dataset.isin(list(datasets))], rows])
    rows.to_csv(STORED, index=False)
    stored.cache_clear()
    from augcourse import tables

    tables.write(root / "docs" / "results")


def gains(study: str, dataset: str) -> dict[str, np.ndarray]:
    """Name of a row → (runs,) paired gains over the row "none", in percentage points."""
    rows = accuracies(study, dataset)
    baseline = rows.pop("none")
    return {name: paired_gains(baseline, values) for name, values in rows.items()}


def strangers(dataset: str) -> dict[str, dict[str, np.ndarray]]:
    """Name of a recipe → "at home" and "strangers" → (runs,) accuracies in 0..1 of the same trained models.

    Empty for a data set on which that was not measured.
    """
    found: dict[str, dict[str, np.ndarray]] = {}
    with contextlib.suppress(DataError):
        for row, values in accuracies("strangers", dataset).items():
            recipe, where = row.rsplit(", ", 1)
            found.setdefault(recipe, {})[where] = values
    return found
