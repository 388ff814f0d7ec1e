"""Recipe in, test accuracies out: the grader's own retraining of both arms, cached by content.

A run is one draw of the labelled digits and one seed. Both arms of a run share the draw, the initial
weights, the order of the images and the number of steps, so that their difference is the recipe's.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np

from augcourse import cache, data
from augcourse.augment import Recipe
from augcourse.compare import Verdict, paired_gains, verdict
from augcourse.digits import ink
from augcourse.errors import DataError
from augcourse.settings import CLASSES, GRADING, SETTINGS, Settings

__all__ = [
    "FIRST_LOOK",
    "GRADER_RUNS",
    "ON_INK",
    "Run",
    "accuracies",
    "content_key",
    "fill_cache",
    "judge",
    "labelled_digits",
    "recalls",
]


@dataclass(frozen=True, slots=True)
class Run:
    """One draw of the labelled digits and one seed."""

    draw: int
    seed: int


GRADER_RUNS: tuple[Run, ...] = tuple(Run(9_000 + i, 7_000 + i) for i in range(max(SETTINGS.looks)))
"""The runs behind a verdict, in the order in which they are trained; no lesson trains on these draws."""

FIRST_LOOK: tuple[Run, ...] = GRADER_RUNS[: SETTINGS.looks[0]]
"""The runs that every verdict is made of, at least."""

ON_INK = replace(GRADING, ink=ink.FAVOURITE_SHARE, margin_points=5.0)
"""What a recipe is judged with that should make a model forget the pen; a gain of a few points is not enough."""


def labelled_digits(draw: int, name: str | None = None, settings: Settings = SETTINGS) -> tuple[np.ndarray, np.ndarray]:
    """The few labelled digits of a draw, from the pool: uint8 (n, 28, 28, 1) and int64 (n,)."""
    images, labels = data.load_arrays(data.POOL, name)
    return data.few_shot(images, labels, settings.labels_per_class, draw)


def accuracies(
    recipe: Recipe | None,
    runs: Sequence[Run],
    *,
    name: str | None = None,
    settings: Settings = GRADING,
    exam: str = data.TEST,
) -> np.ndarray:
    """float64 (runs,): accuracy in 0..1 after retraining; None is the baseline.

    Each run is computed once per machine and kept in a cache that is keyed by everything that it depends on.

    Args:
        runs: draws of the labelled digits and seeds.
        name: the data set that is trained on; the one that the course uses if left out.
        exam: a split of that data set, `test` if left out; or another data set, whose `train` split was written by
            people whom the model has never met.
    """
    return _accuracies(_all_right(recipe, runs, name, settings, exam))


def recalls(
    recipe: Recipe | None,
    runs: Sequence[Run],
    *,
    name: str | None = None,
    settings: Settings = GRADING,
    exam: str = data.TEST,
) -> np.ndarray:
    """float64 (runs, 10): the share of each digit that was recognised, in 0..1; NaN for a digit that does not occur.

    Arguments are those of `accuracies`.
    """
    return _recalls(_all_right(recipe, runs, name, settings, exam))


def judge(
    recipe: Recipe,
    runs: Sequence[Run] = GRADER_RUNS,
    *,
    name: str | None = None,
    settings: Settings = GRADING,
) -> Verdict:
    """The verdict on a recipe: both arms retrained and compared in pairs, with more runs while it is too close.

    The looks of the settings say after how many runs; `runs` are at least as many as the last look. Equal
    arguments give equal bits, in a fresh process, a used one, or one of many, on one machine.
    """
    right = [np.empty((0, 2, CLASSES), np.int64)] * 2
    for look in settings.looks:
        # Only what is new to this look: where the cache is read-only, what was trained before is in nobody's cache.
        more = runs[len(right[0]) : look]
        trained = (_all_right(arm, more, name, settings, data.TEST) for arm in (None, recipe))
        right = [np.concatenate(parts) for parts in zip(right, trained, strict=True)]
        said = verdict(paired_gains(*(_accuracies(each) for each in right)), settings)
        if said.outcome != "too close to call":
            break
    baseline, augmented = map(_recalls, right)
    by_digit = paired_gains(baseline, augmented).mean(axis=0)
    least = int(np.nanargmin(by_digit))
    return replace(said, recipe=recipe, least_digit=least, least_gain=float(by_digit[least]))


def fill_cache(name: str | None = None, workers: int = 2) -> None:
    """Decode and train once per class what every submission is compared with, so that grading finds it in the cache.

    The cache is read-only where submissions are graded: a run that is missing there is trained each time. What is
    in the cache already is not trained again, and a full cache starts nothing. A progress bar goes to stdout.

    Grey digits and coloured ink have baselines of their own; on ink, those of the first look, which nearly always
    decides.

    Args:
        name: the data set; the one that the course uses if left out.
        workers: processes that train side by side, each with half a gigabyte of memory. The accuracies are the same
            bits with any number of them.

    Raises:
        DataError: the cache cannot be written, or a process was ended; the message says what to do.
    """
    cache.require()
    data.keep_decoded(name)
    digits = data.stored_digest(name)
    wanted: list[tuple[Recipe | None, Run, Settings]] = [
        *((None, run, GRADING) for run in GRADER_RUNS),
        *((None, run, ON_INK) for run in FIRST_LOOK),
    ]
    missing = {key: each for each in wanted if _kept(key := _key(digits, *each, data.TEST)) is None}
    if not missing:
        return
    from joblib import Parallel, delayed
    from rich.progress import track

    side_by_side = Parallel(n_jobs=min(workers, len(missing)), return_as="generator")
    trained = side_by_side(
        delayed(_right)(arm, run, name, settings, data.TEST) for arm, run, settings in missing.values()
    )
    try:
        for key, value in zip(missing, track(trained, "training the baselines", total=len(missing)), strict=True):
            _write(key, value)
    except BrokenProcessPool as error:
        raise DataError(
            "a process that trained a baseline was ended from outside, as a machine does that is out of memory: "
            "run `augcourse baselines --workers 1`; what is finished is kept"
        ) from error


def _all_right(
    recipe: Recipe | None, runs: Sequence[Run], name: str | None, settings: Settings, exam: str
) -> np.ndarray:
    """int64 (runs, 2, 10): how many of each digit were recognised, and how many there are."""
    digits = data.stored_digest(name)
    asked = exam if exam in _SPLITS else f"{exam} {data.stored_digest(exam)}"
    found = [_cached_right(digits, recipe, run, name, settings, exam, asked) for run in runs]
    return np.array(found, np.int64).reshape(-1, 2, CLASSES)


def _accuracies(right: np.ndarray) -> np.ndarray:
    """float64 (runs,): the share of all digits that were recognised."""
    return right[:, 0].sum(axis=1) / right[:, 1].sum(axis=1)


def _recalls(right: np.ndarray) -> np.ndarray:
    """float64 (runs, 10): the share of each digit that was recognised."""
    hits, totals = right[:, 0].astype(np.float64), right[:, 1]
    return np.divide(hits, totals, out=np.full(hits.shape, np.nan), where=totals > 0)


_SPLITS = (data.POOL, data.TEST, data.VALIDATION)


def _cached_right(
    digits: str, recipe: Recipe | None, run: Run, name: str | None, settings: Settings, exam: str, asked: str
) -> np.ndarray:
    key = _key(digits, recipe, run, settings, asked)
    kept = _kept(key)
    if kept is not None:
        return kept
    right = _right(recipe, run, name, settings, exam)
    _write(key, right)
    return right


def _right(recipe: Recipe | None, run: Run, name: str | None, settings: Settings, exam: str) -> np.ndarray:
    from augcourse.train import predict, train  # TensorFlow takes seconds, and what is kept needs none of it

    images, labels = labelled_digits(run.draw, name, settings)
    pictures, truth = data.load_arrays(exam, name) if exam in _SPLITS else data.load_arrays("train", exam)
    if settings.ink is not None:
        images = ink.favourite_pen(images, labels, run.draw, settings.ink)
        pictures = ink.any_pen(pictures, _EXAM_PENS)
    trained = train(images, labels, seed=run.seed, recipe=recipe, settings=settings)
    hits = predict(trained.weights, pictures).argmax(1) == truth
    return np.stack([np.bincount(truth[hits], minlength=CLASSES), np.bincount(truth, minlength=CLASSES)])


_EXAM_PENS = 2019
"""Draws the pens of the test digits on coloured ink, which are the same ones in every run."""


def content_key(
    recipe: Recipe | None, run: Run | None = None, name: str | None = None, settings: Settings = GRADING
) -> str:
    """SHA-256 digits over all that an accuracy depends on, but for the code; without a run, what all runs share.

    Stored results go by it. The cache goes by the code as well.
    """
    return _content(data.fingerprint(name), recipe, run, settings, data.TEST)


def _key(digits: str, recipe: Recipe | None, run: Run | None, settings: Settings, exam: str) -> str:
    return hashlib.sha256(f"{_content(digits, recipe, run, settings, exam)} {_code()}".encode()).hexdigest()


def _content(digits: str, recipe: Recipe | None, run: Run | None, settings: Settings, exam: str) -> str:
    content = {
        "data": digits,
        "exam": exam,
        "recipe": None if recipe is None else recipe.to_json(),
        "run": None if run is None else [run.draw, run.seed],
        "settings": settings.training(),
        "versions": {p: version(p) for p in ("tensorflow", "keras", "albumentations", "numpy", "augcourse")},
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@functools.cache
def _code() -> str:
    """SHA-256 digits over the modules that decide what a training gives: a version that nobody raises says nothing."""
    folder, total = Path(__file__).parent, hashlib.sha256()
    for path in (*(folder / f"{name}.py" for name in DECIDING), *sorted((folder / "digits").glob("*.py"))):
        total.update(path.name.encode() + path.read_bytes())
    return total.hexdigest()


DECIDING = ("augment", "data", "measure", "model", "settings", "train")


def _digest(key: str, right: list[list[int]]) -> str:
    return hashlib.sha256(f"{key}:{right!r}".encode()).hexdigest()


def _path(key: str) -> Path:
    return cache.folder() / f"{key}.json"


def _kept(key: str) -> np.ndarray | None:
    try:
        entry = json.loads(_path(key).read_text(encoding="utf-8"))
        right = np.array(entry["right"], np.int64)
        sound = right.shape == (2, CLASSES) and entry["digest"] == _digest(key, right.tolist())
        return right if sound else None
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None


def _write(key: str, right: np.ndarray) -> None:
    # A cache that cannot be written costs time, never a grade.
    path = _path(key)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}.part")
        content = {"right": right.tolist(), "digest": _digest(key, right.tolist())}
        part.write_text(json.dumps(content), encoding="utf-8")
        part.replace(path)
    except OSError:
        return
